// One sequence of a batch of a conditional random field, and the forward pass that its loss and
// its predictions share.
#ifndef SEQTRAIN_SRC_NN_CRF_ITEM_H
#define SEQTRAIN_SRC_NN_CRF_ITEM_H

#include <seqtrain/nn/crf.h>

// What a thread needs of its own. n paths are wanted.
typedef struct seq_crf_part {
    float *column;          // (K)
    double *score, *sum;    // (K)
    double *current, *next; // (K, n): scores of prefixes by last label and place
    int32_t *back;          // (T, K, n): where a prefix comes from: label * n + place
} seq_crf_part;

typedef struct seq_crf_item {
    const seq_crf *crf;
    const seq_crf_part *part;
    int number, length;
    size_t labels;           // K
    const size_t *first_row; // of the axis
    const float *emissions;  // of the batch
    double *alpha;           // (length, K), like what follows: of the crf
    float *weight, *reached, *marginal, *share;
} seq_crf_item;

// Reads values, what is allowed and the lengths of the axis.
void seq_crf_begin(seq_crf *crf, const seq_crf_batch *batch);
seq_crf_item seq_crf_item_of(const seq_crf *crf, const seq_crf_batch *batch, int part, int number);

// The packed row of step t.
static inline size_t seq_crf_row(const seq_crf_item *item, int t) {
    return item->first_row[t] + (size_t)item->number;
}

// ln Z; fills alpha, weight and reached.
double seq_crf_forward(const seq_crf_item *item);
// Fills marginal from these, and, when training, share.
void seq_crf_smooth(const seq_crf_item *item);
// Where reached is 0: column (K) = p(y(t-1) = i | yt = label), or zeros; returns ln of the sum of
// alpha(t-1) and transitions.
double seq_crf_column(const seq_crf_item *item, int t, size_t label);

#endif
