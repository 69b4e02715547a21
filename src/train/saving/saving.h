// The trainer and its checkpoints: writing them beside the loop, finding the newest good one, going
// on from it.
#ifndef SEQ_TRAIN_SAVING_H
#define SEQ_TRAIN_SAVING_H

#include "trainer.h"

// checkpoint_schedule.c: what the run does at a step, as far as it is known beforehand: without the
// last step, signals and limits of time. It reports saturation where it validates, or would if
// there were a validation split.
bool seq_train_reports_at(const seq_trainer *trainer, int64_t step);
bool seq_train_validates_at(const seq_trainer *trainer, int64_t step);
bool seq_train_saves_at(const seq_trainer *trainer, int64_t step);
bool seq_train_ends_early(const seq_trainer *trainer); // --early-stop has had enough
// That, or all steps of the run are done.
bool seq_train_finished(const seq_trainer *trainer);
// A validation belongs to the present step and is still to come.
bool seq_train_validation_due(const seq_trainer *trainer);
// Of steps of checkpoints, newest first, keeps those that a rollback because of a window may go
// back to, in the order in which they are to be tried, and returns how many; 0: back to the
// beginning. They lie before the window. With --checkpoint-every those that are known beforehand
// come first, so that its bytes depend on nothing else. Where the last of these is not at hand (the
// plan was another when it was written, or it could not be written), the newest is better than to
// begin anew.
size_t seq_train_keep_targets(const seq_trainer *trainer, int64_t window, int64_t *steps,
                              size_t count);

// repartition.c. The steps of the run and its schedule, from position.origin.
void seq_train_plan_steps(seq_trainer *trainer);
// Moves the position when the checkpoint's epochs are cut otherwise; fills repartition.
seq_status seq_train_repartition(seq_trainer *trainer, const seq_manifest *manifest,
                                 seq_error *error);
void seq_train_print_repartition(seq_trainer *trainer); // to the log and the metrics

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
seq_status seq_train_prune_all(seq_trainer *trainer, seq_error *error);
// checkpoint_schedule.c, rank 0, also beside the loop, after the checkpoint of `step` is good:
// removes newer ones, of a course that a rollback has left, and what --keep does not keep.
// `window`: that which a rollback would be about.
void seq_train_prune(const seq_trainer *trainer, int64_t step, int64_t window, int64_t best_step,
                     seq_error *error);
// At the end: the failure of the newest checkpoint, if --on-save-failure continue has let one pass
// since the last good one. The same on every rank.
seq_status seq_train_last_save(const seq_trainer *trainer, seq_error *error);
bool seq_train_is_saving(const seq_trainer *trainer);      // one is pending: the same on every rank
bool seq_train_is_writing(const seq_trainer *trainer);     // this rank's thread is busy with it
double seq_train_save_reserve(const seq_trainer *trainer); // seconds to keep for the last one
// state.c: the named vectors of the training state; they stay the trainer's.
void seq_train_state(seq_trainer *trainer, seq_state *out);

// incomplete.c, one process: steps of the checkpoints to try, newest first: the committed ones and,
// newer than these, those that have lost their manifest. Names what a killed job left half-written
// and removes its temporary files. Release with free().
seq_status seq_train_list_candidates(const char *run, int64_t **out_steps, size_t *out_count,
                                     seq_error *error);

// Collective: SEQ_NO_CHECKPOINT when a run without checkpoints has had some: a file system that is
// not mounted, say, must not make it begin again.
seq_status seq_train_check_new(const char *run, seq_comm *comm, seq_error *error);

// resume.c. Collective: the newest good checkpoint of --run; *out_step is -1 when there is none.
// Options that were not given are set from its record; given ones that would change the run's
// numbers are SEQ_BAD_USAGE. What a rank has decoded is in *out_kept, for seq_train_restore.
seq_status seq_train_find_checkpoint(seq_parsed *parsed, seq_comm *comm, seq_manifest *out_manifest,
                                     seq_kept *out_kept, int64_t *out_step, seq_error *error);
void seq_train_forget(seq_kept *kept);
// Collective: the newest good checkpoint that a rollback because of a window may go back to;
// damaged ones are set aside.
seq_status seq_train_find_rollback_target(const seq_trainer *trainer, int64_t window,
                                          seq_manifest *out_manifest, int64_t *out_step,
                                          seq_error *error);
// run_watch.c. Rank 0, before the run directory is made or locked: SEQ_BAD_USAGE when it is a data
// set or a checkpoint, or lies in one.
seq_status seq_train_check_place(const char *run, seq_error *error);
// Once the lock is taken: what is there now is the run directory.
void seq_train_note_place(seq_trainer *trainer);
// SEQ_NO_SPACE when that is not at its path any more; with --on-save-failure continue a warning,
// unless it is about `to_save`. A metrics.jsonl that is gone is begun anew, with a warning. On
// other ranks it does nothing.
seq_status seq_train_check_presence(seq_trainer *trainer, bool to_save, seq_error *error);
// Collective: position, schedule, recovery history and vectors from that checkpoint.
seq_status seq_train_restore(seq_trainer *trainer, const seq_manifest *manifest, int64_t step,
                             seq_error *error);

// describe.c: the manifest's sections, and what is printed at the start.
seq_status seq_train_describe(const seq_trainer *trainer, seq_manifest *out, seq_error *error);
seq_status seq_train_read_position(const seq_manifest *manifest, seq_position *out,
                                   seq_error *error);
// SEQ_NO_CHECKPOINT when its numbers do not fit to each other. (Manifests of early versions do not
// tell how many windows an epoch has; they are checked once that is known.)
seq_status seq_train_check_position(const seq_position *position, seq_error *error);
// `snapshot_bytes`: seq_train_snapshot_bytes.
void seq_train_print_start(const seq_trainer *trainer, size_t snapshot_bytes);

#endif
