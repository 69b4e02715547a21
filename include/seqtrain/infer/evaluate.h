// The evaluation loop: a model over the batches of a split, one after the
// other. Validation and seqeval share it. Who calls it counts the steps, so ranks
// may meet in between. Needs no communication: losses and counters are of the
// replicas that were evaluated here.
#ifndef SEQTRAIN_INFER_EVALUATE_H
#define SEQTRAIN_INFER_EVALUATE_H

#include <seqtrain/data/sampler.h>
#include <seqtrain/model/model.h>
#include <seqtrain/task/metric.h>

// All are the caller's and outlive the evaluator.
typedef struct seq_evaluator_config {
    const seq_model *model;
    seq_dataset *dataset;
    seq_sampler *sampler;             // over the data set, not for training
    const seq_metric *const *metrics; // of the task, NULL-terminated. Without one, nothing is
                                      // predicted and items have no results.
    seq_split split;                  // that the sampler goes through
    bool decode;                      // wants texts: greedy search, for metrics of texts
    bool of_row;                      // wants losses of rows
    bool marginals;                   // wants probabilities of labels
} seq_evaluator_config;

typedef struct seq_evaluator seq_evaluator;
// Takes all memory for batches within the sampler's limits; searches take more as
// they need it. SEQ_BAD_INPUT: the data set names no tag scheme that is known, or
// its raw texts are damaged.
seq_status seq_evaluator_create(const seq_evaluator_config *config, seq_evaluator **out,
                                seq_error *error);
void seq_evaluator_destroy(seq_evaluator *evaluator); // NULL is fine

// Reads the batch of `replica` in `step` and adds its loss to *loss and its items
// to the counters. Steps 0 .. seq_sampler_steps - 1 of a replica come in order;
// step 0 sets *loss and the state that its streams carry to 0. A replica without
// items adds nothing. The workspace serves the sampler's limits.
seq_status seq_evaluator_step(seq_evaluator *evaluator, seq_workspace *workspace,
                              const seq_weights *weights, int64_t step, int replica, seq_loss *loss,
                              seq_error *error);

// The batch of the last step. Losses of its rows: -loss, (N) of the target's axis.
const seq_batch *seq_evaluator_batch(const seq_evaluator *evaluator);
const float *seq_evaluator_row_losses(const seq_evaluator *evaluator);

// Example `row` of the last step. Arrays are valid until the next call.
typedef struct seq_evaluated {
    int64_t number;      // of the item in the split
    double loss;         // sum over its targets, in the head's unit
    seq_judged judged;   // in the units of the data set, not normalised; transcripts: best paths
    const float *labels; // one target: probabilities of the labels; NULL without marginals
    seq_segment output, reference; // where outputs are texts
} seq_evaluated;
seq_evaluated seq_evaluator_item(seq_evaluator *evaluator, int row);

// Those of the config's metrics that say something of these data, NULL-terminated:
// none of entities where the tags have no scheme, or no type; none of texts without
// `decode`, or where the data set keeps no raw texts.
const seq_metric *const *seq_evaluator_metrics(const seq_evaluator *evaluator);
// Sums over all steps since the evaluator was made or they were cleared, of one
// metric after the other; *out_count integers. They add up over ranks.
int64_t *seq_evaluator_counters(seq_evaluator *evaluator, size_t *out_count);
void seq_evaluator_clear_counters(seq_evaluator *evaluator);
// Of metric `index` of them and such sums; NaN where it is undefined.
double seq_evaluator_value(const seq_evaluator *evaluator, int index, const int64_t *counters);

#endif
