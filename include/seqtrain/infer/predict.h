// Predictions for items that are at hand: they are packed into batches, the model runs, and its
// answers come back in the order of the items.
//
// What an item gets does not depend on the items beside it, on `batch` or on the team, bit for bit
// (not with the kernels openblas).
#ifndef SEQTRAIN_INFER_PREDICT_H
#define SEQTRAIN_INFER_PREDICT_H

#include <seqtrain/data/items.h>
#include <seqtrain/model/model.h>

// All are the caller's and outlive the predictor.
typedef struct seq_predictor_config {
    const seq_model *model; // its compute has no team: batches lie side by side
    const seq_weights *weights;
    const seq_schema *schema; // that the model was made for; it has a target, on the examples or on
                              // an axis of theirs
    int classes;              // labels of the target; 0: it is a number
    int best;                 // alternatives an item, at least 1
    bool marginals;           // the probability of each label of the best alternative
    int batch;                // items of a batch at most
    seq_team *team;           // NULL: one thread
    bool given;               // targets are known: they are read, as the other fields are
    // In place of answers, where a search follows: told of each item, once, in any order, the
    // head's scores (rows, classes) of its rows on the head's axis, which are the predictor's.
    // `thread` is below the team's size. The head must have scores. NULL: answers.
    void (*search)(void *context, int thread, int64_t item, const float *scores, size_t rows);
    // Or in place of running the model, where it is stepped: `batch` has items numbers[0], ...,
    // and the workspace serves steps of up to `sequences` for each, on the head's axis. NULL: not.
    void (*decode)(void *context, int thread, seq_workspace *workspace, const seq_batch *batch,
                   const int64_t *numbers);
    int sequences; // 0 without `decode`
    void *search_context;
} seq_predictor_config;

typedef struct seq_predictor seq_predictor;
seq_status seq_predictor_create(const seq_predictor_config *config, seq_predictor **out,
                                seq_error *error);
void seq_predictor_destroy(seq_predictor *predictor); // NULL is fine

// Answers to items. Those of item i have the rows first_row[i] .. first_row[i + 1] - 1, as many as
// the item has on the target's axis. Alternatives are best first. The arrays are the predictor's,
// valid until it predicts again.
typedef struct seq_predicted {
    size_t rows;               // of all items
    const size_t *first_row;   // (items + 1)
    const int *found;          // (items): alternatives that there are; 0: the model's answer is no
                               // number
    const double *probability; // (items, best); NaN for numbers
    const int32_t *ids;        // (best, rows), or NULL: numbers
    const float *values;       // (rows): numbers in the data's units, not normalised; or NULL
    const float *marginals;    // (rows): of the labels of the best alternative; or NULL
} seq_predicted;

// Of the items, `lengths`, and `ids` and `values` of all fields but a target that is not given are
// read. With `search` and `decode`, *out is unchanged. Memory is that of the largest
// batches so far, one for each thread, and of the answers. SEQ_NO_MEMORY.
seq_status seq_predict(seq_predictor *predictor, const seq_items *items, seq_predicted *out,
                       seq_error *error);

#endif
