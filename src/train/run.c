// A run from its start to its end: resume or initialise, then train, validate, save and report.
// Collective. Invariant: a step that ends the run early leaves a checkpoint of a whole step. Tests:
// tests/cli/seqtrain.sh, tests/mpi/train_bytes.sh.
#include "saving/saving.h"
#include <seqtrain/job/run_lock.h>
#include <seqtrain/job/fence.h>
#include "initial/initial.h"
#include "verify/verify.h"
#include "report/summary.h"
#include "step/step.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/clock.h>
#include <seqtrain/base/log.h>
#include <seqtrain/job/cpu_check.h>
#include <seqtrain/checkpoint/data_path.h>
#include <seqtrain/checkpoint/identity.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_root(const seq_comm *comm) {
    return seq_comm_rank(comm) == 0;
}

// Options that have a meaning with --dry-run only.
static seq_status check_plan_options_absent(const seq_parsed *parsed, seq_error *error) {
    static const char *const names[] = {
        "plan-ranks",     "plan-vocabulary", "plan-format",       "ranks-per-node",
        "cores-per-node", "network-latency", "network-bandwidth", NULL};
    for (int i = 0; names[i]; i++) {
        int index = seq_option_find(parsed->program, names[i]);
        if (parsed->sources[index] != SEQ_FROM_DEFAULT)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s: has a meaning with --dry-run only, which is missing",
                                 names[i]);
    }
    return SEQ_OK;
}

static seq_status check_options(const seq_train_options *options, bool root, seq_error *error) {
    if (!options->run)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--run: missing: name the run directory (it is created)");
    if (options->compression == SEQ_COMPRESS_GZIP && options->compression_level > 9)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--compression-level: gzip has levels 1 to 9, not %lld",
                             (long long)options->compression_level);
    return root ? seq_train_check_place(options->run, error) : SEQ_OK;
}

static seq_status write_config(const seq_trainer *trainer, seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size = 0;
    seq_status status = seq_path_join(path, trainer->options->run, "config.ini", error);
    if (status) return status;
    FILE *stream = open_memstream(&text, &size);
    if (stream) seq_options_write_config(trainer->parsed, stream, error);
    status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
    if (!status) status = error->status;
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}

// Before the session writes a checkpoint of its own.
static seq_status record_identity(const seq_trainer *trainer, const seq_manifest *resumed,
                                  seq_error *error) {
    seq_manifest own = {0};
    seq_status status = seq_train_describe(trainer, &own, error);
    if (!status)
        status = seq_identity_record(trainer->options->run, trainer->parsed->program->options,
                                     resumed, &own, error);
    seq_manifest_clear(&own);
    return status;
}

static void write_start(seq_trainer *trainer, bool resumed) {
    char kernels[200], cpu[200];
    seq_event_log *events = &trainer->events;
    seq_cpu_name(cpu, sizeof cpu);
    seq_kernels_describe(trainer->compute.kernels, kernels, sizeof kernels);
    seq_event_begin(events, resumed ? "resume" : "start");
    seq_event_integer(events, "step", trainer->position.step);
    seq_event_text(events, "version", trainer->version);
    seq_event_text(events, "kernels", kernels);
    seq_event_text(events, "arithmetic", seq_compute_arithmetic(&trainer->compute));
    seq_event_text(events, "denormals", seq_arithmetic_denormals());
    seq_event_text(events, "precision", seq_precision_names()[trainer->options->precision]);
    seq_event_text(events, "cpu", cpu);
    if (resumed && trainer->options->override)
        seq_event_text(events, "override", trainer->options->override);
    seq_event_text(events, "layout", seq_comm_layout(trainer->comm));
    seq_event_text(events, "data", seq_dataset_path(trainer->dataset));
    seq_event_integer(events, "ranks", seq_comm_size(trainer->comm));
    seq_event_integer(events, "replicas", trainer->replicas);
    seq_event_integer(events, "parameters", (int64_t)trainer->table->values);
    seq_event_integer(events, "total_steps", trainer->total_steps);
    seq_event_end(events);
}

// `resumed`: the manifest of the checkpoint, or NULL.
static seq_status open_records(seq_trainer *trainer, const seq_manifest *resumed,
                               seq_error *error) {
    trainer->events.may_lose = trainer->options->on_save_failure == SEQ_SAVE_OR_CONTINUE;
    if (is_root(trainer->comm) && !record_identity(trainer, resumed, error) &&
        !write_config(trainer, error) &&
        !seq_data_path_write(trainer->options->run, seq_dataset_path(trainer->dataset), error) &&
        !seq_event_log_open(&trainer->events, trainer->options->run, error))
        write_start(trainer, resumed != NULL);
    if (error->status == SEQ_IO) error->status = SEQ_NO_SPACE; // 7, as for checkpoints
    return seq_comm_agree(trainer->comm, error);
}

static seq_status stop_early(seq_trainer *trainer, seq_error *error) {
    const char *reason = seq_train_stop_name(trainer);
    if (seq_train_finish_save(trainer, error)) return error->status;
    if (trainer->saved_step != trainer->position.step &&
        (seq_train_save(trainer, error) || seq_train_finish_save(trainer, error)))
        return error->status;
    if (seq_train_last_save(trainer, error)) return error->status;
    seq_summary summary;
    if (seq_train_summarise(trainer, &summary, error)) return error->status;
    seq_summary_print(&summary);
    seq_event_begin(&trainer->events, "stop");
    seq_event_integer(&trainer->events, "step", trainer->position.step);
    seq_event_text(&trainer->events, "reason", reason);
    seq_summary_write(&summary, &trainer->events);
    seq_event_end(&trainer->events);
    return seq_error_set(error, SEQ_STOPPED,
                         "stopped by %s after step %lld of %lld with a checkpoint in %s; the same "
                         "command line continues",
                         reason, (long long)trainer->position.step, (long long)trainer->total_steps,
                         trainer->options->run);
}

static bool checkpoint_is_due(const seq_trainer *trainer, const seq_step_result *result) {
    if (seq_train_validation_due(trainer)) // saves afterwards
        return false;
    return result->save || seq_train_saves_at(trainer, trainer->position.step) ||
           seq_train_finished(trainer);
}

static seq_status validate_and_save(seq_trainer *trainer, seq_error *error) {
    bool complete;
    seq_setback setback;
    seq_status status = seq_train_validate(trainer, &complete, &setback, error);
    if (status || setback) return status;
    return complete ? seq_train_save(trainer, error) : stop_early(trainer, error);
}

// What the update has spoilt is told with the next step, or here before anything else is made of
// it.
static seq_status settle_before_rest(seq_trainer *trainer, seq_step_result *result,
                                     seq_error *error) {
    seq_setback setback = SEQ_NO_SETBACK;
    if (!result->stop && !seq_train_validation_due(trainer) && !checkpoint_is_due(trainer, result))
        return SEQ_OK;
    seq_status status = seq_train_settle(trainer, &setback, error);
    if (setback) result->setback = setback;
    return status;
}

static seq_status train_one_step(seq_trainer *trainer, seq_error *error) {
    seq_step_result result;
    bool differ;
    seq_status status = seq_train_step(trainer, &result, error);
    if (!status && result.setback != SEQ_ROLLED_BACK) {
        seq_progress_step(trainer, &result);
        if (!result.setback) status = seq_train_saturation_report(trainer, error);
        if (!status) status = settle_before_rest(trainer, &result, error);
    }
    if (status) return status;
    if (result.stop) return stop_early(trainer, error);
    if (result.setback == SEQ_ROLLED_BACK) return SEQ_OK;
    status = seq_train_check_replicas(trainer, false, &differ, error);
    if (!status && differ) status = seq_train_finish_save(trainer, error);
    if (!status && differ) status = seq_train_tell_difference(trainer, error);
    if (!status) status = seq_train_continue_save(trainer, result.writing, error);
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
        else if (seq_train_finished(trainer))
            break;
        else
            status = train_one_step(trainer, error);
    }
    // A pending checkpoint is good, whatever has ended the loop.
    if (status != SEQ_RANK_FAILED && seq_train_finish_save(trainer, &late))
        seq_error_set(error, late.status, "%s", late.text);
    return error->status ? error->status : seq_train_last_save(trainer, error);
}

static seq_status print_end(seq_trainer *trainer, seq_error *error) {
    char history[160];
    const seq_position *position = &trainer->position;
    seq_summary summary;
    seq_status status = seq_train_summarise(trainer, &summary, error);
    if (status) return status;
    seq_summary_print(&summary);
    seq_event_begin(&trainer->events, "end");
    seq_event_integer(&trainer->events, "step", position->step);
    const seq_metric *metric = seq_train_criterion(trainer);
    if (metric) seq_event_text(&trainer->events, "best_metric", metric->name);
    seq_event_real(&trainer->events, metric ? "best_value" : "best_loss", position->best_value);
    seq_event_integer(&trainer->events, "best_step", position->best_step);
    seq_summary_write(&summary, &trainer->events);
    seq_train_count_setbacks(trainer, history, sizeof history);
    seq_event_end(&trainer->events);
    char why[120] = "", best[200] = "";
    if (seq_train_ends_early(trainer))
        snprintf(why, sizeof why, " by --early-stop: none of the last %lld validations was better",
                 (long long)position->since_best);
    if (position->best_step >= 0)
        snprintf(best, sizeof best, "; best validation %s %.4f%s%s at step %lld",
                 metric ? metric->name : "loss", position->best_value, metric ? "" : " ",
                 metric ? "" : seq_model_loss_unit(trainer->model), (long long)position->best_step);
    seq_log_info("finished at step %lld%s%s%s", (long long)position->step, why, best, history);
    return SEQ_OK;
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
    trainer->last_save = seq_clock_seconds();
    seq_train_print_start(trainer, seq_train_snapshot_bytes(trainer));
    seq_initial_print(trainer);
    seq_train_print_limit(trainer);
    if (step >= 0) seq_log_info("resumed  from the checkpoint of step %lld", (long long)step);
    if (step > trainer->total_steps)
        seq_log_warning("the run has done %lld steps, --steps and --epochs ask for %lld in all: "
                        "nothing is trained",
                        (long long)step, (long long)trainer->total_steps);
    if (open_records(trainer, step >= 0 ? manifest : NULL, error)) return error->status;
    seq_train_print_repartition(trainer);
    if (seq_cpu_check(trainer->comm, &trainer->compute, trainer->options->run, step >= 0, error))
        return error->status;
    return step < 0 ? SEQ_OK : seq_train_prune_all(trainer, error); // as after a save
}

static seq_status find_compute(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_team *team = NULL;
    const char *kernels;
    seq_status status = seq_cpu_choose_kernels(trainer->comm, options->kernels, &kernels, error);
    if (!status) status = seq_team_create((int)options->threads, &team, error);
    if (status) return status;
    return seq_compute_find(kernels, (seq_precision)options->precision, team, &trainer->compute,
                            error);
}

static seq_status find_start(seq_trainer *trainer, seq_manifest *manifest, int64_t *out_step,
                             seq_error *error) {
    seq_status status = seq_train_find_checkpoint(trainer->parsed, trainer->comm, manifest,
                                                  &trainer->kept, out_step, error);
    if (!status && !trainer->options->data)
        status =
            seq_error_set(error, SEQ_BAD_USAGE, "--data: missing: name a data set made by seqprep");
    if (seq_comm_agree(trainer->comm, error)) return error->status;
    find_compute(trainer, error);
    return seq_comm_agree(trainer->comm, error);
}

static seq_status begin_watch(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_status status = seq_fence_begin(trainer->comm, options->run, &trainer->session, error);
    if (!status)
        status = seq_watchdog_create(trainer->comm, options->run, trainer->session,
                                     options->hang_timeout, &trainer->watchdog, error);
    if (!status) seq_watchdog_note(trainer->watchdog, 0, SEQ_STAGE_RESUME);
    return status;
}

static seq_status train(seq_parsed *parsed, seq_comm *comm, const char *version, seq_error *error) {
    seq_trainer trainer = {.parsed = parsed,
                           .options = parsed->values,
                           .comm = comm,
                           .version = version,
                           .started = seq_clock_seconds(),
                           .saved_step = -1};
    seq_manifest manifest = {0};
    seq_run_lock lock = {0};
    int64_t step = -1;
    bool begun = false;
    seq_train_find_limit(&trainer);
    if (!check_plan_options_absent(parsed, error))
        check_options(trainer.options, is_root(comm), error);
    if (seq_comm_agree(comm, error) || seq_run_lock_take(&lock, trainer.options->run, comm, error))
        goto out;
    seq_train_note_place(&trainer);
    if (begin_watch(&trainer, error) || find_start(&trainer, &manifest, &step, error) ||
        seq_train_heed_stop(&trainer, error) ||
        seq_initial_open(&trainer, step >= 0 ? &manifest : NULL, error))
        goto out;
    seq_trainer_create(&trainer, error);
    if (seq_train_heed_stop(&trainer, error) || seq_train_compare_ranks(&trainer, error)) goto out;
    seq_watchdog_note(trainer.watchdog, 0, SEQ_STAGE_SHARE);
    if (seq_trainer_share(&trainer, error)) goto out;
    seq_watchdog_note(trainer.watchdog, 0, SEQ_STAGE_LOAD);
    begun = true;
    if (begin_session(&trainer, &manifest, step, error) || seq_train_heed_stop(&trainer, error))
        goto out;
    if (!train_to_end(&trainer, error)) print_end(&trainer, error);
    seq_watchdog_note(trainer.watchdog, trainer.position.step, SEQ_STAGE_END);
out:
    seq_manifest_clear(&manifest);
    seq_trainer_clear(&trainer);
    seq_watchdog_destroy(trainer.watchdog);
    seq_comm_limit_finalize(comm, trainer.options->hang_timeout);
    seq_run_lock_release(&lock, trainer.options->run, begun);
    return error->status;
}

seq_status seq_train_run(seq_parsed *parsed, seq_comm *comm, const char *version,
                         seq_error *error) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_status status = train(parsed, comm, version, error);
    seq_arithmetic_end(before);
    return status;
}
