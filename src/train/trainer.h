// What the files of the trainer share: the state of a run on one rank, and the phases that
// seq_train_run strings together. Legend: R replicas of B streams, T time steps in a window, P
// ranks; this rank runs replicas first_replica .. first_replica + own_replicas - 1, one after the
// other.
#ifndef SEQ_TRAIN_TRAINER_H
#define SEQ_TRAIN_TRAINER_H

#include "metrics.h"
#include "phases.h"
#include "policy.h"
#include "progress.h"
#include "setbacks.h"
#include "time_limit.h"
#include "watchdog.h"
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/comm/exchange.h>
#include <seqtrain/comm/tree.h>
#include <seqtrain/data/batch.h>
#include <seqtrain/optim/optimizer.h>
#include <seqtrain/optim/schedule.h>
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
    int64_t step;      // updates done
    int64_t epoch;     // of the next window, from 1
    int64_t window;    // windows done in this epoch
    int64_t validated; // step of the last validation, 0: none
    int64_t best_step; // step of the best validation, -1: none
    double best_loss;  // nats per token, +inf before the first validation
    double last_loss;  // of the last validation
    double epoch_nats; // training loss of this epoch so far
    int64_t epoch_tokens;
    int64_t epoch_clipped;  // updates of this epoch whose gradient was scaled down
    int64_t windows;        // in an epoch
    int64_t origin;         // step - origin = (epoch - 1) * windows + window; 0 unless cut anew
    int64_t recut_step;     // of the last new cut of the streams, 0: none
    int64_t recut_replicas; // before it
    seq_audit audit;
} seq_position;

// How the streams were cut before a resume that cuts them anew (recut.c).
typedef struct seq_recut {
    bool active;
    bool counted; // twice and missed are known
    int64_t replicas, batch, window;
    int64_t from_window, from_windows; // where the epoch stood
    int64_t twice, missed;             // tokens of the running epoch
} seq_recut;

typedef enum seq_stop_reason { SEQ_RUN_ON, SEQ_STOP_SIGNAL, SEQ_STOP_TIME } seq_stop_reason;

// What each rank tells all others after its part of a step, so that all take the same branch.
typedef struct seq_rank_report {
    int32_t status;    // seq_status of this rank
    int32_t stop;      // seq_stop_reason
    int32_t save;      // rank 0: the last checkpoint is older than --checkpoint-interval
    int32_t writing;   // this rank's part of a checkpoint is being written
    int32_t trouble;   // it has found a number that is none
    seq_coverage read; // tokens of this rank's windows
} seq_rank_report;

enum { SEQ_ROWS_OF_INPUTS, SEQ_ROWS_OF_OUTPUT, SEQ_ROWS_OF_BIAS, SEQ_ROWS };

typedef struct seq_trainer {
    seq_parsed *parsed;
    const seq_train_options *options;
    const char *version;
    seq_comm *comm;

    seq_compute compute; // the team is the trainer's
    seq_dataset *dataset;
    seq_model *model;
    const seq_parameter_table *table; // the model's
    const seq_optimizer *optimizer;
    seq_optimizer_config rule;
    seq_schedule_config schedule;
    seq_schedule_state schedule_state;

    int replicas, own_replicas, first_replica, batch, window;
    int64_t stream_length; // tokens of each training stream
    int64_t windows;       // in an epoch
    int64_t total_steps;   // of the run

    seq_batches *batches;
    seq_workspace *workspace;
    seq_exchange *exchange;
    seq_tree *tree; // sums the gradients of this rank's replicas
    // Parameters whose gradient has only the rows of some words: of the window's inputs; then of
    // the words that a sampled output layer looks at (the same one when tied), two of them. Or
    // NULL.
    const seq_parameter *rows[SEQ_ROWS];
    uint64_t *always_live; // all others, see seqtrain/comm/live.h
    // Shared by the ranks of a node: written by one rank, or each its part.
    float *parameters;
    void *packed; // its matrices in the order of the products
    float *moments[SEQ_OPTIMIZER_STATES];
    float *states; // (R, state_size): recurrent state of every replica's streams; this node's are
                   // current
    size_t state_size;
    int32_t *inputs, *targets; // (T, B)
    char *reports;             // P blocks of a seq_rank_report and own_replicas seq_loss
    size_t report_size;
    seq_loss *losses;     // (R)
    double *nats;         // (R), scratch of seq_train_total_loss
    float *flow_gradient; // scratch of --report-gradient-flow, or NULL
    double *flow_squares; // (L, T)

    seq_batches *valid_batches; // NULL: no validation split
    float *valid_state;
    int valid_batch; // at most batch: the workspace of training serves

    seq_setbacks setbacks;
    seq_trouble found;               // by this rank, not yet settled
    seq_trouble *troubles;           // (P), scratch: what each rank has found
    float *states_before;            // (own_replicas, state_size), or NULL: nothing is ever skipped
    struct seq_injection *injection; // inject.c's, or NULL

    seq_position position;
    int64_t
        saved_step; // of the newest checkpoint of this session or the one resumed from, -1: none
    double started; // seconds on the monotonic clock
    seq_time_limit limit; // rank 0
    double last_save, save_seconds, longest_step;
    struct seq_saving *saving; // save.c's
    seq_coverage window_read;  // of this rank's windows of the step
    seq_coverage own_read;     // of this rank since window own_window of the epoch
    int64_t own_window;
    seq_recut recut;
    int64_t altered_step;            // where --override has changed the run, -1: it has not
    struct seq_replica_check *check; // replica_check.c's, or NULL
    int64_t checked_step;
    uint64_t session;       // see session.h
    seq_watchdog *watchdog; // or NULL
    seq_metrics metrics;
    seq_progress progress;
    seq_phases phases;
} seq_trainer;

// What a step yields, the same on every rank.
typedef struct seq_step_result {
    double nats; // of the window, all replicas
    int64_t tokens;
    double norm;    // of the gradient before clipping
    bool clipped;   // scaled down by --clip-norm
    size_t clamped; // elements clamped by --clip-element
    double rate;
    int64_t window, epoch; // the window that was trained
    seq_stop_reason stop;
    bool save, writing;
    seq_setback setback; // other than none: no update
} seq_step_result;

// configure.c: options -> configurations. SEQ_BAD_USAGE.
seq_status seq_train_model_config(const seq_train_options *options, int vocabulary,
                                  seq_model_config *out, seq_error *error);
void seq_train_rule_config(const seq_train_options *options, const seq_optimizer *optimizer,
                           seq_optimizer_config *out);
void seq_train_schedule_config(const seq_train_options *options, int64_t total_steps,
                               seq_schedule_config *out);
seq_pipeline seq_train_pipeline(const seq_train_options *options);
double seq_train_loss_limit(const seq_trainer *trainer);

// trainer.c. The caller has filled parsed, options, version, comm and kernels.
seq_status seq_trainer_create(seq_trainer *trainer, seq_error *error);
// Collective, agreed upon, after all ranks have created theirs: what the ranks of a node share.
seq_status seq_trainer_share(seq_trainer *trainer, seq_error *error);
// Collective: initial parameters and position of a new run.
seq_status seq_trainer_initialise(seq_trainer *trainer, seq_error *error);
// Collective, after each change of the parameters: the ranks of a node pack a share each.
seq_status seq_trainer_pack(seq_trainer *trainer, seq_error *error);
seq_weights seq_trainer_weights(const seq_trainer *trainer);
void seq_trainer_clear(seq_trainer *trainer);
bool seq_trainer_finished(const seq_trainer *trainer);
double seq_train_seconds(void); // monotonic clock

// exchange.c. Collective: every rank's report and the losses of its replicas (in trainer->losses
// from first_replica on) become known to all. *out combines the reports; a status other than SEQ_OK
// is agreed upon and returned.
seq_status seq_train_exchange(seq_trainer *trainer, const seq_rank_report *own,
                              seq_rank_report *out, seq_error *error);
// The sum over replicas in the fixed tree.
seq_loss seq_train_total_loss(const seq_trainer *trainer);

// stop.c. seq_train_find_limit (rank 0 may have to ask the batch system, some seconds) comes before
// all else.
void seq_train_find_limit(seq_trainer *trainer);
void seq_train_print_limit(seq_trainer *trainer);
// This rank's wish to stop: a signal, or on rank 0 the time limit.
seq_stop_reason seq_train_stop_reason(seq_trainer *trainer);
// Of this rank's wish: "SIGUSR1", "the time limit" ..., or that another rank has one.
const char *seq_train_stop_name(seq_trainer *trainer);
// Collective, before the first step: SEQ_STOPPED when a rank wishes to stop, or this rank's earlier
// failure.
seq_status seq_train_heed_stop(seq_trainer *trainer, seq_error *error);

// step.c. Collective: one update, or the setback that comes in its place (after SEQ_ROLLED_BACK the
// position is another one). SEQ_BAD_NUMBER names step, rank and layer.
seq_status seq_train_step(seq_trainer *trainer, seq_step_result *out, seq_error *error);

// update.c. Collective: ends the round of the exchange, clips, updates the parameters.
// seq_train_mark_live says before it begins, from the tokens of the window, which part of this
// rank's gradient may be nonzero.
seq_status seq_train_mark_live(seq_trainer *trainer, seq_error *error);
void seq_train_clear_rows(const seq_trainer *trainer, float *gradient);
seq_exchange_options seq_train_exchange_options(const seq_trainer *trainer);
seq_status seq_train_update(seq_trainer *trainer, seq_step_result *out, seq_error *error);
int seq_train_window_steps(const seq_trainer *trainer); // T of the next window
// The next window of one of this rank's replicas; its tokens are the trainer's until the next.
seq_status seq_train_read_window(seq_trainer *trainer, int replica, seq_window *out,
                                 seq_error *error);

// audit.c. After each window of a replica that is trained; when position.window has changed without
// training, and after each step, with the sum over ranks of window_read.
void seq_train_audit_read(seq_trainer *trainer);
// The running epoch was begun under another cut, or by a version without audit.
bool seq_train_audit_is_mixed(const seq_audit *audit);
void seq_train_audit_begin(seq_trainer *trainer);
void seq_train_audit_advance(seq_trainer *trainer, const seq_coverage *read);
// The same on every rank; collective when it fails: what was read so far is what was planned,
// otherwise SEQ_BAD_INPUT that names the rank. seq_train_audit_epoch also reports and ends an
// epoch.
seq_status seq_train_audit_check(seq_trainer *trainer, seq_error *error);
seq_status seq_train_audit_epoch(seq_trainer *trainer, seq_error *error);
// audit_record.c: the fields of the position from `windows` on.
seq_status seq_train_describe_audit(const seq_position *position, seq_record *record,
                                    seq_error *error);
seq_status seq_train_read_audit(const seq_record *record, seq_position *out, seq_error *error);

// replica_check.c: --check-replicas. Collective: compares parameters and optimiser state of all
// ranks when it is due, and always with `saving`; SEQ_RANK_FAILED names those that differ.
seq_status seq_train_check_create(seq_trainer *trainer, seq_error *error);
void seq_train_check_destroy(seq_trainer *trainer);
seq_status seq_train_check_replicas(seq_trainer *trainer, bool saving, seq_error *error);

// machine.c. Collective: warns when ranks have different kernels, or the CPU is not the one of the
// last session.
seq_status seq_train_check_machines(seq_trainer *trainer, bool resumed, seq_error *error);
void seq_train_cpu_name(char *out, size_t size);

// override.c: --override, a list of fields that may differ from the checkpoint.
seq_status seq_train_check_overrides(const seq_parsed *parsed, seq_error *error);
bool seq_train_overrides(const seq_train_options *options, const char *field);
bool seq_train_is_altered(const seq_trainer *trainer, const seq_manifest *manifest);
seq_status seq_train_check_shapes(const seq_trainer *trainer, const seq_manifest *manifest,
                                  seq_error *error);
void seq_train_keep_fitting(const seq_trainer *trainer, const seq_manifest *manifest,
                            seq_state *state);
// SEQ_BAD_USAGE with the numbers of ranks that divide the replicas.
seq_status seq_train_refuse_ranks(const seq_trainer *trainer, seq_error *error);

// recut.c. The steps of the run and its schedule, from position.origin.
void seq_train_plan_steps(seq_trainer *trainer);
// Moves the position when the streams of the checkpoint are not the trainer's; fills recut.
seq_status seq_train_recut(seq_trainer *trainer, const seq_manifest *manifest, seq_error *error);
void seq_train_print_recut(seq_trainer *trainer); // to the log and the metrics

// validate.c. Collective: the validation split, R x valid_batch streams. *out_complete is false
// when a stop request or the time limit cut it short; position and schedule are then unchanged.
seq_status seq_train_validate(seq_trainer *trainer, bool *out_complete, seq_setback *out_setback,
                              seq_error *error);
bool seq_train_validation_due(const seq_trainer *trainer);

// flow.c: when it is due, norms of dL/dh by layer and distance on replica 0 (rank 0), to the log
// and metrics.jsonl.
seq_status seq_train_gradient_flow(seq_trainer *trainer, seq_error *error);

// save.c. Plans memory and starts the thread that writes; once all vectors are there.
seq_status seq_train_saving_create(seq_trainer *trainer, seq_error *error);
void seq_train_saving_destroy(seq_trainer *trainer); // waits for the thread
size_t seq_train_snapshot_bytes(const seq_trainer *trainer);
// Collective: begins a checkpoint of the current step, after the end of a pending one; only the
// manifest is renewed when the step has one already. On return the vectors may be changed by any
// rank once it has met this one in a collective.
seq_status seq_train_save(seq_trainer *trainer, seq_error *error);
// Collective: the next phase of a pending checkpoint; does nothing while a rank is writing.
seq_status seq_train_continue_save(seq_trainer *trainer, bool writing, seq_error *error);
// Collective: waits until no checkpoint is pending.
seq_status seq_train_finish_save(seq_trainer *trainer, seq_error *error);
// Collective: removes what --keep does not keep, and what earlier jobs left unfinished.
seq_status seq_train_retire(seq_trainer *trainer, seq_error *error);
// At the end: the failure of the newest checkpoint, if --on-save-failure continue has let one pass
// since the last good one. The same on every rank.
seq_status seq_train_last_save(const seq_trainer *trainer, seq_error *error);
bool seq_train_is_saving(const seq_trainer *trainer);      // one is pending: the same on every rank
bool seq_train_is_writing(const seq_trainer *trainer);     // this rank's thread is busy with it
double seq_train_save_reserve(const seq_trainer *trainer); // seconds to keep for the last one
// The named vectors of the training state; they stay the trainer's.
void seq_train_state(seq_trainer *trainer, seq_state *out);

// unfinished.c, one process: steps of the checkpoints to try, newest first: the committed ones and,
// newer than these, those that have lost their manifest. Names what a killed job left half-written
// and removes its temporary files. Release with free().
seq_status seq_train_list_candidates(const char *run, int64_t **out_steps, size_t *out_count,
                                     seq_error *error);

// resume.c. Collective: the newest good checkpoint of --run; *out_step is -1 when there is none.
// Options that were not given are set from its record; given ones that would change the run's
// numbers are SEQ_BAD_USAGE.
seq_status seq_train_find_checkpoint(seq_parsed *parsed, seq_comm *comm, seq_manifest *out_manifest,
                                     int64_t *out_step, seq_error *error);
// Collective: the newest good checkpoint of `run`, whatever the options; damaged ones are set
// aside.
seq_status seq_train_newest_checkpoint(const char *run, seq_comm *comm, seq_manifest *out_manifest,
                                       int64_t *out_step, seq_error *error);
// Collective: position, schedule, setbacks and vectors from that checkpoint.
seq_status seq_train_restore(seq_trainer *trainer, const seq_manifest *manifest, int64_t step,
                             seq_error *error);

// describe.c: the manifest's sections, and what is printed at the start.
seq_status seq_train_describe(const seq_trainer *trainer, seq_manifest *out, seq_error *error);
seq_status seq_train_read_position(const seq_manifest *manifest, seq_position *out,
                                   seq_error *error);
void seq_train_print_start(const seq_trainer *trainer);

#endif
