// Linear-chain conditional random field: loss, gradients, n-best sequences and marginals.
//
//     score(y) = start[y1] + sum_t emission[t][yt] + sum_t transition[y(t-1)][yt] + end[yT]
//     p(y) = e^score(y) / Z,   Z = sum of e^score over all label sequences
//
// (Lafferty, McCallum, Pereira 2001; parameters as in pytorch-crf: transitions are [from][to].)
// A batch holds one sequence for each sequence of an axis; emissions are packed rows of that
// axis. What belongs to a sequence (loss, gradient of its emissions, paths, marginals) does not
// depend on its batch or on threads, bit for bit. Gradients of parameters are sums in the order of
// the axis's sequences.
//
// Legend: B sequences, N rows, K labels, n paths wanted.
#ifndef SEQTRAIN_NN_CRF_H
#define SEQTRAIN_NN_CRF_H

#include <seqtrain/nn/layer.h>

enum { SEQ_CRF_BEST = 100 }; // paths at most

typedef struct seq_crf_values {
    const float *transitions; // (K, K): [from][to]
    const float *start, *end; // (K)
} seq_crf_values;

// Buffers for batches within a limit. One batch at a time.
typedef struct seq_crf {
    // The caller sets these, then calls seq_crf_take.
    const seq_compute *compute; // its team takes the sequences; sums are fp32 always
    int labels;                 // K, at least 1
    int best;                   // n at most, up to SEQ_CRF_BEST; 0: this crf decodes nothing
    bool training;
    // Of the last batch. The rows of a sequence follow each other: row t of sequence b is place[b]
    // + t.
    seq_compute single;         // compute with fp32
    int sequences;              // B
    int32_t *length;            // (B)
    size_t *place;              // (B + 1)
    float *transitions;         // (K, K): -inf where they are not allowed
    float *start, *end;         // (K), likewise
    float *most;                // (K): the largest transition into a label
    float *factor;              // (K, K): e^(transition - most)
    void *forward, *backward;   // factor and its transpose, packed
    double *alpha;              // (N, K): ln of the sum of all prefixes, less its maximum
    float *weight;              // (N, K): e^alpha
    float *reached;             // (N, K): weight (t - 1) x factor; 0: see src/nn/crf.c
    float *marginal;            // (N, K): p(yt = k)
    float *share;               // (N, K): marginal (t + 1) / reached (t + 1)
    double *loss;               // (B); -1: not counted
    float *pairs;               // (K, K)
    void *packed_share;         // (K, N)
    struct seq_crf_part *parts; // a thread's own buffers
} seq_crf;

void seq_crf_take(seq_crf *crf, const seq_axis_limit *limit, seq_arena *arena);

typedef struct seq_crf_batch {
    seq_crf_values values;
    const unsigned char *allowed; // (K + 1, K + 1): see seq_crf_allow; NULL: all
    const seq_axis *axis;
    const float *emissions; // (N, K)
    // (N), not for seq_crf_predict. A sequence counts when it has a row and all its targets are
    // labels; with a target of SEQ_NO_ID it adds neither loss nor gradient.
    const int32_t *targets;
} seq_crf_batch;

typedef struct seq_crf_gradients {
    float *transitions, *start, *end; // overwritten; NULL: not wanted
} seq_crf_gradients;

// The sum of -ln p(targets) over counted sequences, in nats, and the number of their rows.
// of_sequence (B), or NULL, is what each adds. The loss of a sequence without a finite one (a
// target that is not allowed, emissions that are no numbers) is infinite or NaN, its gradient 0.
//
// seq_crf_train: d_emissions (N, K), overwritten, and gradients are those of scale * sum.
// d_emissions may be the batch's emissions.
seq_loss seq_crf_train(seq_crf *crf, const seq_crf_batch *batch, float scale, double *of_sequence,
                       float *d_emissions, const seq_crf_gradients *gradients);
seq_loss seq_crf_evaluate(seq_crf *crf, const seq_crf_batch *batch, double *of_sequence);

// The n best sequences of labels, n = out->best, with ln p as score: see seq_prediction. Of equal
// scores, the one comes first whose last labels are smaller. Probabilities are among the allowed
// sequences. Length 0 has one, the empty one, with probability 1. Without score, probability and
// marginals (all NULL) only labels are found.
void seq_crf_predict(seq_crf *crf, const seq_crf_batch *batch, seq_prediction *out);

// After seq_crf_predict with marginals: the probability that `count` rows of a sequence, from step
// `first` on, have these labels, and that the next row, if there is one, does not have the label
// `stop`. With stop = I-X that is the marginal of an entity B-X I-X ... under BIO; -1: any label
// may follow.
double seq_crf_span(const seq_crf *crf, int sequence, int first, int count, const int32_t *labels,
                    int32_t stop);

// Head: rows of an axis of sequences, and their labels. emission = x W^T + b. Parameters "weight"
// (K, W), "bias" (K), "transitions" (K, K), "start_transitions" (K), "end_transitions" (K).
// Evaluation counts the labels of the best sequence that are right; it and prediction keep to
// `allowed`. The loss of a row is the loss of its sequence in the last row, else 0.
typedef struct seq_head_crf_options {
    const unsigned char *allowed; // (K + 1, K + 1), as long as the graph; NULL: all
    bool masked_training;         // the loss is among allowed sequences
    int best;                     // alternatives that may be asked for, 1 .. SEQ_CRF_BEST
} seq_head_crf_options;
extern const seq_head_kind seq_head_crf;
// seq_crf_span after predict with marginals, before the next pass in a workspace for evaluation.
double seq_head_crf_span(const seq_node *node, seq_pass *pass, int sequence, int first, int count,
                         const int32_t *labels, int32_t stop);

// Which labels may follow each other: allowed[from * (K + 1) + to]. Row K is the start, column K
// the end.
typedef enum seq_tag_scheme {
    SEQ_TAGS_FREE,  // labels without a scheme: all are allowed
    SEQ_TAGS_BIO,   // IOB2. I-X follows B-X or I-X only
    SEQ_TAGS_IOBES, // B-X and I-X are followed by I-X or E-X, nothing else is
} seq_tag_scheme;
// SEQ_BAD_INPUT: a label is neither O nor a letter of the scheme, alone or with "-" and a type.
seq_status seq_crf_allow(seq_tag_scheme scheme, const char *const *labels, int count,
                         unsigned char *allowed, seq_error *error);
// SEQ_BAD_INPUT: a label is on no allowed sequence, or a length from 1 to `longest` has no allowed
// sequence. `labels`: their names.
seq_status seq_crf_check(const unsigned char *allowed, const char *const *labels, int count,
                         int longest, seq_error *error);
// The first step whose label may not follow the one before (0: not the start; `length`: not the
// end), or -1.
int seq_crf_first_forbidden(const unsigned char *allowed, int count, const int32_t *labels,
                            int length);

#endif
