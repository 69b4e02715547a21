// Connectionist temporal classification (Graves et al. 2006): the probability of labels, given a
// distribution over symbols for each frame, summed over all their alignments; its gradient; the
// best alignment. Symbol 0 is the blank.
//
//     l' = blank l1 blank l2 ... blank: 2U + 1 states; y(t, k): softmax of the logits of frame t
//     alpha(t, s) = y(t, l's) (alpha(t-1, s) + alpha(t-1, s-1) + alpha(t-1, s-2)),
//                   the last only where l's is no blank and not l's-2
//     beta(t, s)  = the same from the end, without y(t, l's)
//     p = alpha(T, 2U + 1) + alpha(T, 2U)
//     d(-ln p) / d(logit (t, k)) = y(t, k) - sum over l's = k of alpha(t, s) beta(t, s) / p
//
// Plain functions over one item, without allocation or threads: bits depend on the item alone. All
// sums are of double precision with exponents of their own, so no length underflows, as in log
// space; src/nn/ctc.c says how. A logit more than 2^30 below its frame's largest, -inf among them,
// is a probability of 0.
//
// Legend: T frames, K symbols, U labels. T = 0 and U = 0 are legal.
#ifndef SEQTRAIN_NN_CTC_H
#define SEQTRAIN_NN_CTC_H

#include <seqtrain/nn/layer.h>

enum { SEQ_CTC_BLANK = 0 };

typedef struct seq_ctc_item {
    size_t frames, symbols, labels; // T, K, U
    const float *logits;            // (T, K)
    const size_t *rows; // (T): frame t lies rows[t] rows of K behind `logits`; NULL: t rows
    const int32_t *ids; // (U): the labels, 1 .. K - 1
} seq_ctc_item;

// U and the number of labels that equal the one before: no fewer frames can hold these labels.
size_t seq_ctc_least_frames(size_t labels, const int32_t *ids);
bool seq_ctc_feasible(size_t frames, size_t labels, const int32_t *ids);

typedef enum seq_ctc_use { SEQ_CTC_LOSS, SEQ_CTC_GRADIENT, SEQ_CTC_ALIGNMENT } seq_ctc_use;
// Bytes of room that a use needs, aligned to SEQ_ALIGNMENT. Each number may be a bound of its own;
// pairs: of frames x labels of an item.
size_t seq_ctc_bytes(seq_ctc_use use, size_t frames, size_t symbols, size_t labels, size_t pairs);

// -ln p in nats. Infinite: p is 0, because the labels are infeasible, hold a blank or need a
// probability of 0. NaN: logits are NaN or +inf, or all of a frame are -inf.
double seq_ctc_loss(const seq_ctc_item *item, void *room);
// Also writes the gradient of scale * loss to the item's rows of `gradient`, which may be its
// logits. NaN, where the loss is infinite or NaN.
double seq_ctc_gradient(const seq_ctc_item *item, double scale, float *gradient, void *room);

// When a label is said, in frames.
typedef struct seq_ctc_time {
    int32_t first, last; // its frames on the best path
    int32_t best;        // the one of them with the largest posterior, the first of equals
    float posterior;     // probability that the label is said in frame `best`, given all labels
} seq_ctc_time;
// Times (U) of the labels on their best path. A path that stays longer in later states wins over
// equals. *path, or NULL: its ln p. Returns the loss. Without a finite one, frames are -1,
// posteriors and *path NaN.
double seq_ctc_align(const seq_ctc_item *item, seq_ctc_time *times, double *path, void *room);

// Head: rows of frames, and a column of labels on another axis whose sequences belong to the same
// examples; label 0 is the blank. logit = x W^T + b. Parameters "weight" (K, W), "bias" (K). An
// item with a label of SEQ_NO_ID adds neither loss nor gradient. Counted are labels; right are
// those of items whose best path says all of them and nothing else. The loss of a row is the loss
// of its sequence in the last row, else 0. Predicts the best path without blanks and repeats, with
// its frames; score: ln of the probability of these labels on any path. Marginals are the softmax.
extern const seq_head_kind seq_head_ctc;

#endif
