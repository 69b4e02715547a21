// When a session ends before its run does: a signal, or the time limit. The
// limit is reached when what is left is less than the last checkpoint, four
// steps and the end take, as measured so far. Invariant: at least half of a
// short limit is for training. Tests: tests/cli/launcher.sh,
// tests/fault/signals.sh.
#include "saving/saving.h"
#include "step.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/signals.h>
#include <signal.h>

// Seconds kept for leaving in good order; in a batch job the launcher and the script have to end,
// too.
enum { LEAVING = 5, LEAVING_A_JOB = 20 };
// Until the ranks meet: one step, or BATCHES_TOGETHER batches of a validation (validate.c), each a
// third of a step.
enum { STEPS_TO_MEET = 4 };
// A checkpoint's speed is taken to be this until one has been measured.
static const double SLOW_DISK = 50e6; // bytes/s

static double expected_save(seq_trainer *trainer) {
    seq_state state;
    double bytes = 0;
    seq_train_state(trainer, &state);
    for (int i = 0; i < state.count; i++)
        bytes += (double)state.vectors[i].count * sizeof(float);
    return bytes / SLOW_DISK;
}

// Before the trainer is complete (`saving` comes last) there is nothing to save.
static double reserve(seq_trainer *trainer) {
    double seconds = trainer->limit.of_scheduler ? LEAVING_A_JOB : LEAVING;
    if (!trainer->saving) return seconds;
    double save = seq_train_save_reserve(trainer);
    if (trainer->save_seconds <= 0) save += expected_save(trainer);
    return seconds + save + STEPS_TO_MEET * trainer->longest_step;
}

// Of a short limit half is for training, whatever the end takes.
static double working_seconds(seq_trainer *trainer) {
    double limit = trainer->limit.seconds, kept = reserve(trainer);
    return kept < limit / 2 ? limit - kept : limit / 2;
}

static bool time_is_up(seq_trainer *trainer) {
    if (trainer->limit.seconds <= 0 || seq_comm_rank(trainer->comm) != 0) return false;
    return seq_clock_seconds() - trainer->started > working_seconds(trainer);
}

void seq_train_find_limit(seq_trainer *trainer) {
    if (seq_comm_rank(trainer->comm) == 0)
        seq_time_limit_find(trainer->options->time_limit, trainer->started, &trainer->limit);
}

void seq_train_print_limit(seq_trainer *trainer) {
    const seq_time_limit *limit = &trainer->limit;
    double elapsed = seq_clock_seconds() - trainer->started;
    char left[40], kept[40];
    if (limit->seconds > 0) {
        seq_describe_duration(limit->seconds - elapsed, left, sizeof left);
        seq_describe_duration(limit->seconds - working_seconds(trainer), kept, sizeof kept);
        seq_log_info("limit    %s left (%s); stops %s before, earlier when steps or checkpoints "
                     "turn out to take longer",
                     left, limit->source, kept);
    } else if (!limit->of_scheduler && *limit->source && trainer->options->time_limit) {
        seq_log_warning("how much time this job has left is not known (%s): --time-limit says it",
                        limit->source);
    }
}

seq_stop_reason seq_train_stop_reason(seq_trainer *trainer) {
    if (seq_signals_caught()) return SEQ_STOP_SIGNAL;
    return time_is_up(trainer) ? SEQ_STOP_TIME : SEQ_RUN_ON;
}

const char *seq_train_stop_name(seq_trainer *trainer) {
    switch (seq_signals_caught()) {
    case SIGUSR1:
        return "SIGUSR1";
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    default:
        return time_is_up(trainer) ? "the time limit" : "a signal to another rank";
    }
}

seq_status seq_train_heed_stop(seq_trainer *trainer, seq_error *error) {
    if (seq_train_stop_reason(trainer))
        seq_error_set(error, SEQ_STOPPED,
                      "stopped by %s before the first step: %s; the same command line continues",
                      seq_train_stop_name(trainer),
                      trainer->saved_step < 0 ? "there is nothing to save yet"
                                              : "the checkpoint that it begins with is the newest");
    return seq_comm_agree(trainer->comm, error);
}
