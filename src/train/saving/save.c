// A checkpoint, phase by phase. All communication is the main thread's; what
// touches the disk for long is a job of the background thread:
//   begin   main threads: directory, snapshot; then the loop runs
//   shards  background, every rank: its shards
//   vote    main threads, once no rank is writing: digests to all
//   commit  background, rank 0: side files, manifest, retention; then all agree
// Tests: tests/fault/background_save.sh, tests/fault/crash_points.sh.
#include "saving.h"
#include "options/options.h"
#include "verify/verify.h"
#include <seqtrain/job/fence.h>
#include "snapshot.h"
#include "step/step.h"
#include <seqtrain/base/background.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

typedef enum seq_saving_phase {
    SEQ_NOT_SAVING,
    SEQ_WRITING_SHARDS,
    SEQ_COMMITTING
} seq_saving_phase;

typedef struct seq_saving {
    seq_background *background;
    seq_snapshot snapshot;
    int per_rank;        // shards of a rank at most
    seq_digest *blocks;  // (P, per_rank)
    seq_digest *digests; // (shards)

    // The checkpoint that is being written.
    seq_saving_phase phase;
    int64_t step, window, best_step; // window: the first that a rollback may be about
    char directory[SEQ_PATH];
    seq_manifest description; // rank 0
    bool created, committed;  // rank 0
    seq_error error;          // of this rank's job
    seq_error retiring;       // of rank 0's, once the checkpoint was good
    seq_error let_pass;       // the newest failure, when the checkpoints since have failed, too
    double begun, ended, stood_still;
} seq_saving;

static bool is_root(const seq_trainer *trainer) {
    return seq_comm_rank(trainer->comm) == 0;
}

// Rank r writes shards r, r + P ...; digests lie rank by rank in `blocks`.
static seq_status plan(seq_trainer *trainer, seq_saving *saving, seq_error *error) {
    int size = seq_comm_size(trainer->comm), shards = (int)trainer->options->shards;
    seq_state state;
    seq_train_state(trainer, &state);
    saving->per_rank = (shards + size - 1) / size;
    seq_status status = seq_allocate(&saving->blocks, (size_t)size * (size_t)saving->per_rank,
                                     sizeof *saving->blocks, "the digests of a checkpoint", error);
    if (!status)
        status = seq_allocate(&saving->digests, (size_t)shards, sizeof *saving->digests,
                              "the digests of a checkpoint", error);
    if (!status)
        status =
            seq_snapshot_create(&saving->snapshot, &state, shards, seq_comm_rank(trainer->comm),
                                size, trainer->options->checkpoint_background, error);
    return status ? status : seq_background_create(&saving->background, error);
}

seq_status seq_train_saving_create(seq_trainer *trainer, seq_error *error) {
    seq_status status = seq_allocate(&trainer->saving, 1, sizeof *trainer->saving,
                                     "the writing of checkpoints", error);
    return status ? status : plan(trainer, trainer->saving, error);
}

void seq_train_saving_destroy(seq_trainer *trainer) {
    seq_saving *saving = trainer->saving;
    if (!saving) return;
    seq_background_destroy(saving->background);
    seq_snapshot_clear(&saving->snapshot);
    seq_manifest_clear(&saving->description);
    free(saving->blocks);
    free(saving->digests);
    free(saving);
    trainer->saving = NULL;
}

size_t seq_train_snapshot_bytes(const seq_trainer *trainer) {
    return trainer->saving->snapshot.floats * sizeof(float);
}

bool seq_train_is_saving(const seq_trainer *trainer) {
    return trainer->saving->phase != SEQ_NOT_SAVING;
}

bool seq_train_is_writing(const seq_trainer *trainer) {
    return seq_train_is_saving(trainer) && seq_background_is_busy(trainer->saving->background);
}

double seq_train_save_reserve(const seq_trainer *trainer) {
    if (!seq_train_is_saving(trainer)) return 2 * trainer->save_seconds;
    double pending = seq_clock_seconds() - trainer->saving->begun;
    return 3 * (pending > trainer->save_seconds ? pending : trainer->save_seconds);
}

// A rank that slept through the end of its job must not write into the next one's files.
static seq_status check_session(const seq_trainer *trainer, seq_error *error) {
    seq_watchdog_touch(trainer->watchdog);
    if (!error->status && !seq_fence_is_current(trainer->options->run, trainer->session))
        seq_error_set(error, SEQ_RANK_FAILED, "%s: another job has begun on this run directory",
                      trainer->options->run);
    return error->status;
}

// Jobs of the background thread.
static void write_shards(void *argument) {
    const seq_trainer *trainer = argument;
    seq_saving *saving = trainer->saving;
    const seq_snapshot *snapshot = &saving->snapshot;
    seq_digest *own = saving->blocks + snapshot->first * saving->per_rank;
    for (int i = 0; i < snapshot->count && !check_session(trainer, &saving->error); i++)
        seq_checkpoint_write_shard(saving->directory, snapshot->first + i * snapshot->stride,
                                   &snapshot->slices[i], seq_train_pipeline(trainer->options),
                                   &own[i], &saving->error);
}

static void commit(void *argument) {
    const seq_trainer *trainer = argument;
    const seq_train_options *options = trainer->options;
    seq_saving *saving = trainer->saving;
    seq_watchdog_touch(trainer->watchdog);
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    for (int i = 0; i < SEQ_VOCABULARIES; i++)
        vocabularies[i] = seq_dataset_vocabulary_at(trainer->dataset, i);
    saving->committed = !seq_checkpoint_commit(
        saving->directory, (int)options->shards, saving->digests, &saving->snapshot.whole,
        trainer->table, vocabularies, &saving->description, &saving->error);
    saving->ended = seq_clock_seconds();
    if (saving->committed)
        seq_train_prune(trainer, saving->step, saving->window, saving->best_step,
                        &saving->retiring);
}

// Time that the loop does not train, since `begun`.
static void stand_still(seq_trainer *trainer, double begun) {
    double seconds = seq_clock_seconds() - begun;
    trainer->saving->stood_still += seconds;
    trainer->progress.line_began += seconds;
}

static void end(seq_saving *saving) {
    seq_manifest_clear(&saving->description);
    saving->phase = SEQ_NOT_SAVING;
}

// An agreed failure: 7 when the disk is at fault, and what --on-save-failure makes of it.
static seq_status judge(seq_trainer *trainer, int64_t step, seq_error *error) {
    bool disk =
        error->status == SEQ_NO_SPACE || error->status == SEQ_IO || error->status == SEQ_BAD_INPUT;
    if (!disk) return error->status;
    error->status = SEQ_NO_SPACE;
    if (trainer->options->on_save_failure == SEQ_SAVE_OR_STOP) return error->status;
    seq_log_warning("%s; training goes on (--on-save-failure continue)", error->text);
    seq_event_begin(&trainer->events, "save_failure");
    seq_event_integer(&trainer->events, "step", step);
    seq_event_text(&trainer->events, "reason", error->text);
    seq_event_end(&trainer->events);
    trainer->last_save = seq_clock_seconds(); // again when the next is due
    *error = (seq_error){0};
    return SEQ_OK;
}

static seq_status judge_save(seq_trainer *trainer, int64_t step, seq_error *error) {
    seq_error_add_context(error, "writing the checkpoint of step %lld", (long long)step);
    trainer->saving->let_pass = *error;
    return judge(trainer, step, error);
}

seq_status seq_train_last_save(const seq_trainer *trainer, seq_error *error) {
    const seq_error *failure = &trainer->saving->let_pass;
    return failure->status ? seq_error_set(error, SEQ_NO_SPACE, "%s", failure->text) : SEQ_OK;
}

// Nothing half-written stays, if the disk lets it go; else the next checkpoints find it without a
// manifest, and remove it.
static seq_status abandon(seq_trainer *trainer, seq_error *error) {
    seq_saving *saving = trainer->saving;
    seq_error ignored = {0};
    if (saving->created && !saving->committed) seq_checkpoint_remove(saving->directory, &ignored);
    end(saving);
    return judge_save(trainer, saving->step, error);
}

// `retiring`: how the removal of old checkpoints went on rank 0.
static seq_status judge_retention(seq_trainer *trainer, const seq_error *retiring,
                                  seq_error *error) {
    if (retiring->status) seq_error_set(error, retiring->status, "%s", retiring->text);
    if (!seq_comm_agree(trainer->comm, error)) return SEQ_OK;
    seq_error_add_context(error, "removing old checkpoints after that of step %lld",
                          (long long)trainer->saved_step);
    return judge(trainer, trainer->saved_step, error);
}

static void print_figures(seq_trainer *trainer, const char *directory, const seq_manifest *manifest,
                          double stood_still, double seconds) {
    seq_save_figures figures = {
        .step = trainer->saved_step, .stood_still = stood_still, .seconds = seconds};
    for (size_t i = 0; i < manifest->file_count; i++)
        figures.bytes += manifest->files[i].digest.size;
    seq_progress_checkpoint(trainer, directory, &figures);
}

static void conclude(seq_trainer *trainer) {
    seq_saving *saving = trainer->saving;
    trainer->saved_step = saving->step;
    saving->let_pass = (seq_error){0};
    trainer->last_save = seq_clock_seconds();
    trainer->save_seconds = saving->ended - saving->begun;
    print_figures(trainer, saving->directory, &saving->description, saving->stood_still,
                  trainer->save_seconds);
    end(saving);
    seq_fault_point("save.concluded");
}

static seq_status begin_commit(seq_trainer *trainer, seq_error *error) {
    seq_saving *saving = trainer->saving;
    int size = seq_comm_size(trainer->comm), shards = (int)trainer->options->shards;
    seq_status status = seq_comm_gather(trainer->comm, saving->blocks,
                                        (size_t)saving->per_rank * sizeof *saving->blocks, error);
    if (status) return status;
    for (int shard = 0; shard < shards; shard++)
        saving->digests[shard] = saving->blocks[(shard % size) * saving->per_rank + shard / size];
    saving->phase = SEQ_COMMITTING;
    if (is_root(trainer)) seq_background_start(saving->background, commit, trainer);
    return SEQ_OK;
}

// No rank is writing: on to the next phase.
static seq_status advance(seq_trainer *trainer, double begun, seq_error *error) {
    seq_saving *saving = trainer->saving;
    bool committing = saving->phase == SEQ_COMMITTING;
    seq_fault_point(committing ? "save.voting-on-commit" : "save.voting-on-shards");
    if (saving->error.status && !seq_train_check_presence(trainer, true, error))
        seq_error_set(error, saving->error.status, "%s", saving->error.text);
    seq_status status = seq_comm_agree(trainer->comm, error);
    if (!status && !committing) status = begin_commit(trainer, error);
    stand_still(trainer, begun);
    if (status) return abandon(trainer, error);
    seq_fault_point(committing ? "save.commit-agreed" : "save.shards-agreed");
    if (!committing) return SEQ_OK;
    conclude(trainer);
    return judge_retention(trainer, &saving->retiring, error);
}

seq_status seq_train_continue_save(seq_trainer *trainer, bool writing, seq_error *error) {
    if (writing || !seq_train_is_saving(trainer)) return SEQ_OK;
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_SAVING);
    seq_status status = advance(trainer, seq_clock_seconds(), error);
    seq_phase_enter(trainer, was);
    return status;
}

seq_status seq_train_finish_save(seq_trainer *trainer, seq_error *error) {
    seq_status status = SEQ_OK;
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_SAVING);
    while (!status && seq_train_is_saving(trainer)) {
        double begun = seq_clock_seconds();
        seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_WRITE);
        seq_background_wait(trainer->saving->background);
        status = advance(trainer, begun, error);
    }
    seq_phase_enter(trainer, was);
    return status;
}

// The next window, or the last when its validation is still to come: a rollback then goes behind
// it.
static int64_t window_at_risk(const seq_trainer *trainer) {
    int64_t step = trainer->position.step;
    return seq_train_validation_due(trainer) ? step - 1 : step;
}

// What a course that a rollback has left wrote at this step, where it could not be removed before.
static seq_status remove_left(const seq_saving *saving, seq_error *error) {
    char manifest[SEQ_PATH];
    seq_status status = seq_path_join(manifest, saving->directory, "manifest.json", error);
    if (!status && seq_path_exists(manifest))
        status = seq_checkpoint_remove(saving->directory, error);
    return status;
}

static seq_status create_directory(seq_trainer *trainer, seq_error *error) {
    seq_saving *saving = trainer->saving;
    const char *run = trainer->options->run;
    seq_status status = seq_checkpoint_directory(run, saving->step, saving->directory, error);
    if (!status && is_root(trainer)) {
        saving->created = !seq_train_check_presence(trainer, true, error) &&
                          !remove_left(saving, error) &&
                          !seq_checkpoint_begin(run, saving->step, saving->directory, error);
        if (saving->created) seq_train_describe(trainer, &saving->description, error);
    }
    return seq_comm_agree(trainer->comm, error);
}

static seq_status take_snapshot(seq_trainer *trainer, seq_error *error) {
    size_t own_states = (size_t)trainer->own_replicas * trainer->state_size * sizeof(float);
    if (own_states && seq_comm_gather_shared(trainer->comm, trainer->states, own_states, error))
        return error->status;
    seq_state state;
    seq_train_state(trainer, &state);
    seq_snapshot_take(&trainer->saving->snapshot, &state);
    return seq_comm_node_barrier(trainer->comm, error); // the vectors are the node's: all have read
}

static seq_status begin_save(seq_trainer *trainer, double begun, seq_error *error) {
    seq_saving *saving = trainer->saving;
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_SAVE);
    saving->step = trainer->position.step;
    saving->window = window_at_risk(trainer);
    saving->best_step = trainer->position.best_step;
    saving->created = saving->committed = false;
    saving->error = saving->retiring = (seq_error){0};
    saving->begun = begun;
    saving->stood_still = 0;
    seq_status status = create_directory(trainer, error);
    if (!status) status = take_snapshot(trainer, error);
    if (status) return abandon(trainer, error);
    seq_fault_point("save.snapshot-taken");
    saving->phase = SEQ_WRITING_SHARDS;
    seq_background_start(saving->background, write_shards, trainer);
    stand_still(trainer, begun);
    return trainer->options->checkpoint_background ? SEQ_OK : seq_train_finish_save(trainer, error);
}

static seq_status write_renewed(seq_trainer *trainer, double begun, seq_error *error) {
    const seq_train_options *options = trainer->options;
    char directory[SEQ_PATH];
    seq_manifest manifest = {0};
    if (!seq_train_check_presence(trainer, true, error) &&
        !seq_checkpoint_directory(options->run, trainer->position.step, directory, error) &&
        !seq_checkpoint_read_manifest(directory, &manifest, error) &&
        !seq_train_describe(trainer, &manifest, error) &&
        !seq_manifest_write(&manifest, directory, "manifest.json", error)) {
        double seconds = seq_clock_seconds() - begun;
        print_figures(trainer, directory, &manifest, seconds, seconds);
    }
    seq_manifest_clear(&manifest);
    return error->status;
}

seq_status seq_train_prune_all(seq_trainer *trainer, seq_error *error) {
    seq_error retiring = {0};
    if (is_root(trainer))
        seq_train_prune(trainer, trainer->position.step, window_at_risk(trainer),
                        trainer->position.best_step, &retiring);
    return judge_retention(trainer, &retiring, error);
}

// Validation has changed the position, nothing else: a new manifest replaces the old one in one
// atomic step.
static seq_status renew_manifest(seq_trainer *trainer, double begun, seq_error *error) {
    seq_fault_point("save.renewing");
    if (is_root(trainer)) write_renewed(trainer, begun, error);
    seq_status status = seq_comm_agree(trainer->comm, error);
    seq_fault_point("save.renewed");
    if (status) return judge_save(trainer, trainer->position.step, error);
    trainer->saving->let_pass = (seq_error){0};
    status = seq_train_prune_all(trainer, error);
    stand_still(trainer, begun);
    trainer->last_save = seq_clock_seconds();
    return status;
}

seq_status seq_train_save(seq_trainer *trainer, seq_error *error) {
    bool differ = false;
    seq_status status = seq_train_finish_save(trainer, error);
    if (!status) status = seq_train_audit_check(trainer, error);
    if (!status) status = seq_train_check_replicas(trainer, true, &differ, error);
    if (!status && differ) status = seq_train_tell_difference(trainer, error); // none is pending
    // A manifest of an altered run would not fit to the vectors of its step.
    if (status || trainer->altered_step == trainer->position.step) return status;
    double begun = seq_clock_seconds();
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_SAVING);
    status = trainer->saved_step == trainer->position.step ? renew_manifest(trainer, begun, error)
                                                           : begin_save(trainer, begun, error);
    seq_phase_enter(trainer, was);
    return status;
}
