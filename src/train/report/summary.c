// Adds up the phases of all ranks: shares, tokens a second, parallel efficiency
// (useful time over time in steps), the slowest rank. Invariant: the figures
// are means over ranks, so they are the same wherever they are computed; what
// has no steps is NaN. Tests: tests/unit/train/test_summary.c,
// tests/mpi/summary.sh.
#include "summary.h"
#include "trainer.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double WELL_BEHIND = 1.15; // a rank with so many times the mean seconds is named

static double ratio(double part, double whole) {
    return whole > 0 ? part / whole : NAN;
}

static double useful(const double *seconds) {
    return seconds[SEQ_PHASE_DATA] + seconds[SEQ_PHASE_COMPUTE] + seconds[SEQ_PHASE_UPDATE];
}

static void find_slowest(const seq_summary_part *parts, double mean, seq_summary *out) {
    out->slowest = 0;
    for (int rank = 1; rank < out->ranks; rank++)
        if (parts[rank].seconds[SEQ_PHASE_COMPUTE] > parts[out->slowest].seconds[SEQ_PHASE_COMPUTE])
            out->slowest = rank;
    out->imbalance = ratio(parts[out->slowest].seconds[SEQ_PHASE_COMPUTE], mean);
    memcpy(out->slowest_host, parts[out->slowest].host, SEQ_SUMMARY_HOST);
    out->slowest_host[SEQ_SUMMARY_HOST - 1] = '\0';
}

void seq_summary_add_up(const seq_summary_part *parts, int ranks, seq_summary *out) {
    double mean[SEQ_PHASES] = {0};
    out->ranks = ranks;
    for (int phase = 0; phase < SEQ_PHASES; phase++)
        for (int rank = 0; rank < ranks; rank++)
            mean[phase] += parts[rank].seconds[phase] / ranks;
    out->seconds = 0;
    for (int phase = 0; phase < SEQ_PHASES; phase++)
        out->seconds += mean[phase];
    for (int phase = 0; phase < SEQ_PHASES; phase++)
        out->shares[phase] = ratio(mean[phase], out->seconds);
    out->step_seconds = useful(mean) + mean[SEQ_PHASE_EXCHANGE];
    out->tokens_per_second = ratio((double)out->tokens, out->step_seconds);
    out->efficiency = ratio(useful(mean), out->step_seconds);
    find_slowest(parts, mean[SEQ_PHASE_COMPUTE], out);
}

seq_status seq_train_summarise(seq_trainer *trainer, seq_summary *out, seq_error *error) {
    seq_summary_part *parts = NULL;
    int ranks = seq_comm_size(trainer->comm), rank = seq_comm_rank(trainer->comm);
    seq_phase_enter(trainer, SEQ_PHASE_OTHER);
    seq_allocate(&parts, (size_t)ranks, sizeof *parts, "the summary of the session", error);
    if (seq_comm_agree(trainer->comm, error)) goto out;
    memcpy(parts[rank].seconds, trainer->phases.seconds, sizeof parts[rank].seconds);
    if (gethostname(parts[rank].host, sizeof parts[rank].host - 1))
        strcpy(parts[rank].host, "an unnamed host");
    if (seq_comm_gather(trainer->comm, parts, sizeof *parts, error)) goto out;
    *out = (seq_summary){.unit = trainer->task->unit,
                         .steps = trainer->progress.session_steps,
                         .updates = trainer->progress.session_updates,
                         .tokens = trainer->progress.session_tokens,
                         .clipped = trainer->progress.session_clipped};
    seq_summary_add_up(parts, ranks, out);
out:
    free(parts);
    return error->status;
}

static void print_shares(const seq_summary *summary) {
    static const seq_phase order[] = {SEQ_PHASE_COMPUTE, SEQ_PHASE_EXCHANGE,   SEQ_PHASE_UPDATE,
                                      SEQ_PHASE_DATA,    SEQ_PHASE_VALIDATION, SEQ_PHASE_SAVING,
                                      SEQ_PHASE_OTHER};
    char text[200] = "";
    size_t used = 0;
    for (int i = 0; i < SEQ_PHASES; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %.1f%%", i ? ", " : "",
                                 seq_phase_name(order[i]), 100 * summary->shares[order[i]]);
    seq_log_info("time     %s", text);
}

void seq_summary_print(const seq_summary *summary) {
    if (summary->steps == 0) return;
    seq_log_info(
        "session  %lld steps in %.1f s; while it trained, %.0f %ss/s, %.0f a rank; clipped "
        "%.0f%% of the updates",
        (long long)summary->steps, summary->seconds, summary->tokens_per_second, summary->unit,
        summary->tokens_per_second / summary->ranks,
        100 * ratio((double)summary->clipped, (double)summary->updates));
    print_shares(summary);
    if (summary->ranks == 1) return;
    bool behind = summary->imbalance > WELL_BEHIND;
    seq_log_info("parallel efficiency %.1f%%; slowest in compute: rank %d%s%s, %.2f of the mean%s",
                 100 * summary->efficiency, summary->slowest, behind ? " on " : "",
                 behind ? summary->slowest_host : "", summary->imbalance,
                 behind ? ": the others wait for it" : "");
}

void seq_summary_write(const seq_summary *summary, seq_event_log *events) {
    double ranks = summary->ranks;
    seq_event_integer(events, "session_steps", summary->steps);
    char tokens[64], rate[64], of_rank[64];
    snprintf(tokens, sizeof tokens, "session_%ss", summary->unit);
    snprintf(rate, sizeof rate, "session_%ss_per_second", summary->unit);
    snprintf(of_rank, sizeof of_rank, "session_%ss_per_second_per_rank", summary->unit);
    seq_event_integer(events, tokens, summary->tokens);
    seq_event_real(events, "session_seconds", summary->seconds);
    seq_event_real(events, rate, summary->tokens_per_second);
    seq_event_real(events, of_rank, summary->tokens_per_second / ranks);
    seq_event_real(events, "session_clip_rate",
                   ratio((double)summary->clipped, (double)summary->updates));
    for (int phase = 0; phase < SEQ_PHASES; phase++) {
        char name[40];
        snprintf(name, sizeof name, "session_share_%s", seq_phase_name((seq_phase)phase));
        seq_event_real(events, name, summary->shares[phase]);
    }
    seq_event_real(events, "session_efficiency", summary->efficiency);
    seq_event_real(events, "session_imbalance", summary->imbalance);
    seq_event_integer(events, "session_slowest_rank", summary->slowest);
    seq_event_text(events, "session_slowest_host", summary->slowest_host);
}
