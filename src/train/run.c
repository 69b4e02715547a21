#include "session.h"
#include "trainer.h"
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static bool is_root(const seq_comm *comm) {
    return seq_comm_rank(comm) == 0;
}

static seq_status check_options(const seq_train_options *options, seq_error *error) {
    if (!options->run)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--run: missing: name the run directory (it is created)");
    if (options->compression == SEQ_COMPRESS_GZIP && options->compression_level > 9)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--compression-level: gzip has levels 1 to 9, not %lld",
                             (long long)options->compression_level);
    return SEQ_OK;
}

// The lock lives as long as the descriptor: two jobs on one run directory would overwrite each
// other.
static seq_status lock_run(const char *run, int *out_descriptor, seq_error *error) {
    char path[SEQ_PATH];
    if (seq_directory_create(run, error) || seq_path_join(path, run, ".lock", error))
        return error->status;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return seq_error_set_errno(error, "locking %s", path);
    *out_descriptor = descriptor;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return SEQ_OK;
    if (errno == EWOULDBLOCK)
        return seq_error_set(error, SEQ_BAD_USAGE, "--run: %s is in use by another seqtrain", run);
    seq_log_warning(
        "%s cannot be locked on this file system: make sure that no other seqtrain uses it", run);
    return SEQ_OK;
}

static seq_status write_config(const seq_trainer *trainer, seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size = 0;
    seq_status status = seq_path_join(path, trainer->options->run, "config.ini", error);
    if (status) return status;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return seq_error_set_errno(error, "writing %s", path);
    status = seq_options_write_config(trainer->parsed, stream, error);
    if (fclose(stream) && !status) status = seq_error_set_errno(error, "writing %s", path);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}

static void write_start(seq_trainer *trainer, bool resumed) {
    char kernels[200];
    seq_metrics *metrics = &trainer->metrics;
    seq_kernels_describe(trainer->compute.kernels, kernels, sizeof kernels);
    seq_metrics_begin(metrics, resumed ? "resume" : "start");
    seq_metrics_integer(metrics, "step", trainer->position.step);
    seq_metrics_text(metrics, "version", trainer->version);
    seq_metrics_text(metrics, "kernels", kernels);
    seq_metrics_text(metrics, "layout", seq_comm_layout(trainer->comm));
    seq_metrics_text(metrics, "data", seq_dataset_path(trainer->dataset));
    seq_metrics_integer(metrics, "ranks", seq_comm_size(trainer->comm));
    seq_metrics_integer(metrics, "replicas", trainer->replicas);
    seq_metrics_integer(metrics, "parameters", (int64_t)trainer->table->values);
    seq_metrics_integer(metrics, "total_steps", trainer->total_steps);
    seq_metrics_end(metrics);
}

static seq_status open_records(seq_trainer *trainer, bool resumed, seq_error *error) {
    if (is_root(trainer->comm) && !write_config(trainer, error) &&
        !seq_metrics_open(&trainer->metrics, trainer->options->run, error))
        write_start(trainer, resumed);
    return seq_comm_agree(trainer->comm, error);
}

static seq_status stop_early(seq_trainer *trainer, seq_error *error) {
    const char *reason = seq_signals_caught() == SIGUSR1 ? "SIGUSR1"
                         : seq_signals_caught() == SIGTERM
                             ? "SIGTERM"
                             : "another rank's signal or the time limit";
    if (seq_train_finish_save(trainer, error)) return error->status;
    if (trainer->saved_step != trainer->position.step &&
        (seq_train_save(trainer, error) || seq_train_finish_save(trainer, error)))
        return error->status;
    seq_metrics_begin(&trainer->metrics, "stop");
    seq_metrics_integer(&trainer->metrics, "step", trainer->position.step);
    seq_metrics_text(&trainer->metrics, "reason", reason);
    seq_metrics_end(&trainer->metrics);
    return seq_error_set(error, SEQ_STOPPED,
                         "stopped by %s after step %lld of %lld with a checkpoint in %s; the same "
                         "command line continues",
                         reason, (long long)trainer->position.step, (long long)trainer->total_steps,
                         trainer->options->run);
}

static bool checkpoint_is_due(const seq_trainer *trainer, const seq_step_result *result) {
    int64_t every = trainer->options->checkpoint_every, step = trainer->position.step;
    if (seq_train_validation_due(trainer)) // saves afterwards
        return false;
    bool epoch_end = !trainer->valid_batches && trainer->position.window == 0;
    return result->save || epoch_end || (every && step % every == 0) ||
           seq_trainer_finished(trainer);
}

static seq_status validate_and_save(seq_trainer *trainer, seq_error *error) {
    bool complete;
    seq_status status = seq_train_validate(trainer, &complete, error);
    if (status) return status;
    return complete ? seq_train_save(trainer, error) : stop_early(trainer, error);
}

static seq_status train_one_step(seq_trainer *trainer, seq_error *error) {
    seq_step_result result;
    seq_status status = seq_train_step(trainer, &result, error);
    if (status) return status;
    seq_progress_step(trainer, &result);
    if (result.stop) return stop_early(trainer, error);
    status = seq_train_continue_save(trainer, result.writing, error);
    if (status) return status;
    return checkpoint_is_due(trainer, &result) ? seq_train_save(trainer, error) : SEQ_OK;
}

static seq_status train_to_end(seq_trainer *trainer, seq_error *error) {
    seq_status status = SEQ_OK;
    seq_error late = {0};
    seq_progress_begin(trainer);
    while (!status) {
        if (seq_train_validation_due(trainer))
            status = validate_and_save(trainer, error);
        else if (seq_trainer_finished(trainer))
            break;
        else
            status = train_one_step(trainer, error);
    }
    // A pending checkpoint is good, whatever has ended the loop.
    if (status != SEQ_RANK_FAILED && seq_train_finish_save(trainer, &late))
        seq_error_set(error, late.status, "%s", late.text);
    return error->status;
}

static void print_end(seq_trainer *trainer) {
    const seq_position *position = &trainer->position;
    seq_metrics_begin(&trainer->metrics, "end");
    seq_metrics_integer(&trainer->metrics, "step", position->step);
    seq_metrics_real(&trainer->metrics, "best_loss", position->best_loss);
    seq_metrics_integer(&trainer->metrics, "best_step", position->best_step);
    seq_metrics_end(&trainer->metrics);
    if (position->best_step >= 0)
        seq_log_info("finished at step %lld; best validation loss %.4f nats at step %lld",
                     (long long)position->step, position->best_loss,
                     (long long)position->best_step);
    else
        seq_log_info("finished at step %lld", (long long)position->step);
}

// Parameters and position: from the checkpoint of `step`, or new when it is -1.
static seq_status begin_session(seq_trainer *trainer, const seq_manifest *manifest, int64_t step,
                                seq_error *error) {
    seq_status status = SEQ_OK;
    if (step >= 0)
        status = seq_train_restore(trainer, manifest, step, error);
    else
        status = seq_trainer_initialise(trainer, error);
    if (!status) status = seq_trainer_pack(trainer, error);
    if (status) return status;
    trainer->last_save = seq_train_seconds();
    seq_train_print_start(trainer);
    if (step >= 0) seq_log_info("resumed  from the checkpoint of step %lld", (long long)step);
    return open_records(trainer, step >= 0, error);
}

static seq_status find_compute(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_team *team;
    seq_status status =
        seq_compute_find(seq_kernels_names()[options->kernels], (seq_precision)options->precision,
                         NULL, &trainer->compute, error);
    if (!status) status = seq_team_create((int)options->threads, &team, error);
    if (!status) trainer->compute.team = team;
    return status;
}

static seq_status find_start(seq_trainer *trainer, seq_manifest *manifest, int64_t *out_step,
                             seq_error *error) {
    seq_status status =
        seq_train_find_checkpoint(trainer->parsed, trainer->comm, manifest, out_step, error);
    if (!status && !trainer->options->data)
        status =
            seq_error_set(error, SEQ_BAD_USAGE, "--data: missing: name a data set made by seqprep");
    if (!status) status = find_compute(trainer, error);
    return seq_comm_agree(trainer->comm, error);
}

static seq_status begin_watch(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_status status = seq_session_begin(trainer->comm, options->run, &trainer->session, error);
    if (!status)
        status = seq_watchdog_create(trainer->comm, options->run, trainer->session,
                                     options->hang_timeout, &trainer->watchdog, error);
    if (!status) seq_watchdog_note(trainer->watchdog, 0, SEQ_PHASE_RESUME);
    return status;
}

seq_status seq_train_run(seq_parsed *parsed, seq_comm *comm, const char *version,
                         seq_error *error) {
    seq_trainer trainer = {.parsed = parsed,
                           .options = parsed->values,
                           .comm = comm,
                           .version = version,
                           .started = seq_train_seconds()};
    seq_manifest manifest = {0};
    int lock = -1;
    int64_t step = -1;
    seq_signals_catch((const int[]){SIGUSR1, SIGTERM, 0},
                      true); // for a checkpoint and an early end
    if (!check_options(trainer.options, error) && is_root(comm))
        lock_run(trainer.options->run, &lock, error);
    if (seq_comm_agree(comm, error) || begin_watch(&trainer, error) ||
        find_start(&trainer, &manifest, &step, error))
        goto out;
    seq_trainer_create(&trainer, error);
    if (seq_comm_agree(comm, error) || seq_trainer_share(&trainer, error) ||
        begin_session(&trainer, &manifest, step, error))
        goto out;
    if (!train_to_end(&trainer, error)) print_end(&trainer);
    seq_watchdog_note(trainer.watchdog, trainer.position.step, SEQ_PHASE_END);
out:
    seq_manifest_clear(&manifest);
    seq_trainer_clear(&trainer);
    seq_watchdog_destroy(trainer.watchdog);
    if (lock >= 0) close(lock);
    return error->status;
}
