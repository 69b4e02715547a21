// What the files of the trainer share: the state of a run on one rank, and the phases that
// seq_train_run strings together. Legend: R replicas of B streams, T time steps in a window, P
// ranks; this rank runs replicas first_replica .. first_replica + own_replicas - 1, one after the
// other.
#ifndef SEQ_TRAIN_TRAINER_H
#define SEQ_TRAIN_TRAINER_H

#include <seqtrain/job/event_log.h>
#include "report/phases.h"
#include "stability/detect.h"
#include "report/progress.h"
#include "stability/recovery_history.h"
#include <seqtrain/job/time_limit.h>
#include <seqtrain/job/watchdog.h>
#include <seqtrain/base/clock.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/comm/exchange.h>
#include <seqtrain/comm/tree.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/infer/evaluate.h>
#include <seqtrain/optim/optimizer.h>
#include <seqtrain/optim/schedule.h>
#include <seqtrain/task/task.h>
#include <seqtrain/train/rank_report.h>
#include <seqtrain/train/train.h>

// Of the epoch so far, all ranks.
typedef struct seq_audit {
    seq_coverage read;
    seq_coverage carried;   // of it: before the streams were cut anew in the middle of the epoch
    int64_t carried_window; // where the present cut began, 0: at the epoch's start
    uint64_t content;       // of the last whole epoch of this cut, 0: none
} seq_audit;

// Where a run stands. Travels in the checkpoint, so it holds nothing that depends on time, ranks or
// the machine.
typedef struct seq_position {
    int64_t step;       // updates done
    int64_t epoch;      // of the next window, from 1
    int64_t window;     // windows done in this epoch
    int64_t validated;  // step of the last validation, 0: none
    int64_t best_step;  // step of the best validation, -1: none
    double best_value;  // of the task's first metric, or the mean loss; the worst there is before
                        // the first validation
    double best_loss;   // mean of that validation; NaN: an older checkpoint does not know it
    int64_t since_best; // validations since that one, with --early-stop
    double last_loss;   // mean of the last validation
    double epoch_nats;  // training loss of this epoch so far
    int64_t epoch_tokens;
    int64_t epoch_clipped;    // updates of this epoch whose gradient was scaled down
    int64_t windows;          // in an epoch
    int64_t origin;           // step - origin = (epoch - 1) * windows + window; 0 unless cut anew
    int64_t repartition_step; // of the last new cut of the streams, 0: none
    int64_t repartition_replicas; // before it
    seq_audit audit;
} seq_position;

// How epochs were cut before a resume that cuts them anew (repartition.c).
typedef struct seq_repartition {
    bool active;
    bool counted; // twice and missed are known
    seq_sampler_settings before;
    int64_t from_window, from_windows; // where the epoch stood
    int64_t twice, missed;             // of the running epoch: tokens or items
} seq_repartition;

// What a rank has decoded of the checkpoint that the run resumes from (resume.c): its range of each
// vector. Names are the manifest's, counts those of whole vectors.
typedef struct seq_kept {
    float *memory; // NULL: nothing
    seq_state ranges;
} seq_kept;

// The run directory as rank 0 found it at the start (run_watch.c).
typedef struct seq_run_place {
    bool known, gone;
    uint64_t device, node;
    double looked; // seconds on the monotonic clock
} seq_run_place;

typedef struct seq_trainer {
    seq_parsed *parsed;
    const seq_train_options *options;
    const char *version;
    seq_comm *comm;

    seq_compute compute; // the team is the trainer's
    seq_dataset *dataset;
    const seq_task *task; // of the data set
    seq_model *model;
    const seq_parameter_table *table; // the model's
    const seq_optimizer *optimizer;
    seq_optimizer_config rule;
    seq_schedule_config schedule;
    seq_schedule_state schedule_state;

    int replicas, own_replicas, first_replica, batch, window;
    int64_t windows;     // in an epoch: steps of the sampler
    int64_t total_steps; // of the run

    seq_sampler *sampler; // the task's
    int first_read;       // first_replica, but for an injected fault
    seq_workspace *workspace;
    seq_exchange *exchange;
    seq_tree *tree;        // sums the gradients of this rank's replicas
    uint64_t *always_live; // all parameters that are not sparse, see seqtrain/comm/sparsity_map.h
    // Shared by the ranks of a node: written by one rank, or each its part.
    float *parameters;
    void *packed; // its matrices in the order of the products
    float *moments[SEQ_OPTIMIZER_STATES];
    float *states; // (R, state_size): recurrent state of every replica's streams; this node's are
                   // current; NULL: the sampler carries none
    size_t state_size;
    seq_batch *own_batches; // (own_replicas): of the step
    char *reports;          // P blocks of a seq_rank_report and own_replicas seq_loss
    size_t report_size;
    seq_loss *losses;     // (R)
    double *nats;         // (R), scratch of seq_train_total_loss
    float *flow_gradient; // scratch of --report-gradient-flow, or NULL
    double *flow_squares; // (L, T)

    // (P, L): what each rank counts for the next validation, then all of them; and whether a layer
    // has been warned of.
    seq_saturation *saturation;
    bool warned_of[SEQ_MAX_RECURRENT];

    seq_sampler *valid_sampler;       // NULL: no validation split
    seq_evaluator *evaluator;         // of it
    int64_t *counters;                // (P, counters of the metrics): each rank's, then of all
    const seq_metric *const *metrics; // of the task, that apply to the data
    double *measures;                 // by them, of the last validation

    seq_recovery_history history;
    seq_anomaly found;               // by this rank, not yet settled
    seq_anomaly *anomalies;          // (P), scratch: what each rank has found
    float *states_before;            // (own_replicas, state_size), or NULL: nothing is ever skipped
    struct seq_injection *injection; // fault_injection.c's, or NULL

    struct seq_first_values *initial; // initial.c's, or NULL: chance alone

    seq_position position;
    int64_t
        saved_step; // of the newest checkpoint of this session or the one resumed from, -1: none
    double started; // seconds on the monotonic clock
    seq_time_limit limit; // rank 0
    double last_save, save_seconds, longest_step;
    seq_kept kept;             // until it is restored
    struct seq_saving *saving; // save.c's
    seq_coverage window_read;  // of this rank's windows of the step
    seq_coverage own_read;     // of this rank since window own_window of the epoch
    int64_t own_window;
    seq_repartition repartition;
    int64_t altered_step;            // where --override has changed the run, -1: it has not
    struct seq_replica_check *check; // replica_check.c's, or NULL
    int64_t checked_step;
    uint64_t session;       // see seqtrain/job/fence.h
    seq_watchdog *watchdog; // or NULL
    seq_run_place place;
    seq_event_log events;
    seq_progress progress;
    seq_phases phases;
} seq_trainer;

// Of the measure that chooses the best checkpoint: the first metric, or the mean loss.
// The measure that chooses the best checkpoint; NULL: the mean loss.
static inline const seq_metric *seq_train_criterion(const seq_trainer *trainer) {
    return trainer->options->best_by == SEQ_BY_MEASURE ? trainer->metrics[0] : NULL;
}

static inline bool seq_train_prefers_more(const seq_trainer *trainer) {
    const seq_metric *metric = seq_train_criterion(trainer);
    return metric && metric->higher_is_better;
}

// What a step yields, the same on every rank.
typedef struct seq_step_result {
    double nats; // of the window, all replicas
    int64_t tokens;
    int64_t frames, blanks; // as in seq_loss
    double norm;            // of the gradient before clipping
    bool clipped;           // scaled down by --clip-norm
    size_t clamped;         // elements clamped by --clip-element
    double rate;
    int64_t window, epoch; // the window that was trained
    seq_stop_reason stop;
    bool save, writing;
    seq_setback setback; // other than none: no update
} seq_step_result;

// trainer.c. The caller has filled parsed, options, version, comm and kernels.
seq_status seq_trainer_create(seq_trainer *trainer, seq_error *error);
// Collective, agreed upon, after all ranks have created theirs: what the ranks of a node share.
seq_status seq_trainer_share(seq_trainer *trainer, seq_error *error);
// Collective: initial parameters and position of a new run.
seq_status seq_trainer_initialise(seq_trainer *trainer, seq_error *error);
// Collective, after each change of the parameters: the ranks of a node pack a share each.
seq_status seq_trainer_pack(seq_trainer *trainer, seq_error *error);
// The same for models with weight-drop, which seq_trainer_pack passes over: before each training
// step, with its mask, and before a validation, without one.
seq_status seq_trainer_pack_for(seq_trainer *trainer, bool training, seq_error *error);
seq_weights seq_trainer_weights(const seq_trainer *trainer);
void seq_trainer_clear(seq_trainer *trainer);

#endif
