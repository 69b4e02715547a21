// Output sequences of models that say, symbol by symbol, what may come next: beam search, greedy
// search and draws, for generation and translation.
//
// Legend: X the source of an item, |X| its units; Y an output, |Y| its symbols and its end symbol;
// V symbols. ln p(Y) is the sum of ln p of each symbol and of the end, given all before it, in
// double from the model's float logits.
//
//     score = ln p(Y) / lp(|Y|) - coverage * cp
//     lp    = ((5 + |Y|) / 6)^alpha (gnmt), |Y|^alpha (mean), 1 (none)
//     cp    = - sum over i of ln min(sum over j of a_ij, 1)
//
// (Wu et al. 2016), where a_ij is the attention of output place j, the end's, too, to source unit
// i. A sum counts as FLT_MIN at least, so no output is impossible by its attention alone.
//
// The beam holds the `width` unfinished outputs with the largest ln p. Each of them may also end.
// The search stops when ln p / lp(longest) of every unfinished output is below the n-th best score:
// ln p only falls and lp only grows, so none of them can win. Greedy search's path is followed even
// when it has left the beam. So the best score is never below that of greedy search under the same
// constraints.
#ifndef SEQTRAIN_INFER_SEARCH_H
#define SEQTRAIN_INFER_SEARCH_H

#include <seqtrain/infer/beam.h>
#include <seqtrain/infer/sample.h>

// A model that advances several sequences at once. A sequence's results must not depend on the
// others.
// `step`: each of `count` sequences reads one symbol. Sequence i belongs to item item[i], continues
// sequence from[i] of the step before (from NULL: all begin), and reads before[i] (SEQ_NO_ID where
// it begins).
// `scores`, after a step: ln p of the next symbol up to a constant a row, (rows, V), of sequences
// first .. first + rows - 1.
// `attention`, after a step: a sequence's weights over its source. The array is the stepper's.
// NULL: the model has none.
typedef struct seq_stepper {
    void *context;
    void (*step)(void *context, int count, const int32_t *item, const int32_t *from,
                 const int32_t *before);
    void (*scores)(void *context, int first, int rows, float *scores);
    const float *(*attention)(void *context, int sequence, int *out_length);
} seq_stepper;

typedef enum seq_length_rule { SEQ_LENGTH_GNMT, SEQ_LENGTH_MEAN, SEQ_LENGTH_NONE } seq_length_rule;

// Lengths are of outputs without their end symbol.
typedef struct seq_search_config {
    const seq_kernels *kernels; // for exponentials
    int symbols;                // V
    int32_t end;                // the end symbol
    int width;                  // 1: greedy search, which ends with its path
    int best;                   // outputs wanted, at least 1
    double margin; // unfinished outputs whose ln p is more than this below the best one's are
                   // dropped, but for greedy search's path; INFINITY: none
    seq_length_rule rule;
    double alpha;             // at least 0
    double coverage;          // at least 0; above 0 the model must attend
    int shortest;             // an output of a source that is not empty has at least 1
    int longest;              // 0: max(10, 2 |X| + 5). Not below `shortest` and a forced prefix.
    int no_repeat;            // no sequence of so many symbols comes twice; 0: any
    const int32_t *forbidden; // (forbidden_count): never in an output; the caller's
    int forbidden_count;
    bool attention; // outputs tell theirs
    bool greedy;    // greedy search's score is wanted, even of a path that cannot win
    const seq_sample_config *draw; // each symbol is drawn, of those that are allowed: temperature,
                                   // top_k, top_p, greedy and seed, for (seed, the item's number,
                                   // draws before it). Width and best are 1. NULL: search
} seq_search_config;

// How outputs are ranked and what they may hold, by options.
typedef struct seq_search_options {
    int rule; // seq_length_rule
    double alpha, coverage;
    int64_t no_repeat;
    bool no_unk;
} seq_search_options;
extern const seq_option_group seq_search_options_group;
// Sets what both groups say; `unk` (SEQ_NO_ID: none) outlives the config.
void seq_search_options_apply(const seq_search_options *options, const seq_beam_options *beam,
                              const int32_t *unk, seq_search_config *out);

enum { SEQ_NO_SOURCE = -1 };

typedef struct seq_search_item {
    int64_t number; // keys its draws
    int source;     // |X|; 0: the output is empty. SEQ_NO_SOURCE: the model has no source; then the
                    // first symbol may be the end, and `longest` 0 means 1000.
    const int32_t *prefix; // (prefix_count): the output begins so, also with forbidden symbols
    int prefix_count;
} seq_search_item;

typedef struct seq_output {
    double score;
    double log_probability; // ln p(Y)
    int length;
    const int32_t *symbols; // (length), without the end
    bool truncated;         // ended by `longest`: the model had another symbol above the end
    const float *attention; // (length + 1, |X|): the last row is the end's; NULL: not wanted, none
} seq_output;

// The outputs of an item, best first. Of equal scores the sequence that is first in the order of
// symbols comes first. There are none where the constraints allow none, or where the model's answer
// is NaN.
typedef struct seq_found {
    int count;
    const seq_output *outputs;
    double greedy;     // greedy search's score; NaN: it found none, or it is not known
    bool not_a_number; // the model's answer
} seq_found;

typedef struct seq_search seq_search; // a thread's own
seq_status seq_search_create(const seq_search_config *config, seq_search **out, seq_error *error);
void seq_search_destroy(seq_search *search); // NULL is fine

// Called once for each item as soon as it is done, in any order. `found` is valid within the call.
typedef seq_status (*seq_found_sink)(void *context, int item, const seq_found *found,
                                     seq_error *error);

// Searches for `count` items side by side; items that are done are stepped no more. At most count *
// seq_search_rows sequences are stepped at once. What an item gets does not depend on the others.
// SEQ_NO_MEMORY; SEQ_BAD_USAGE: coverage without attention; errors of `sink`.
seq_status seq_search_run(seq_search *search, const seq_stepper *stepper,
                          const seq_search_item *items, int count, seq_found_sink sink,
                          void *context, seq_error *error);
// Of an item, unfinished outputs at once: the width, and greedy search's path.
int seq_search_rows(const seq_search_config *config);

// ln of the sum of e^logit over (count) logits; NaN where it is no number. `scratch` holds count.
// ln p of symbol k is (double)logits[k] - this, here and in infer/produce.h.
double seq_log_sum(const seq_kernels *kernels, const float *logits, size_t count, float *scratch);
// The normalisation lp, of `places` symbols and end.
double seq_length_penalty(seq_length_rule rule, double alpha, int places);

#endif
