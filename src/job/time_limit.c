// Asks how much time a batch job has left: SLURM_JOB_END_TIME, else squeue,
// else PBS_WALLTIME. Only the first answer counts. Invariant: what cannot be
// understood sets no limit, and the reason is kept for a warning. Tests:
// tests/cli/launcher.sh, tests/slurm/requeue.sh.
#include <seqtrain/job/time_limit.h>
#include <seqtrain/base/clock.h>
#include <seqtrain/base/command.h>
#include <seqtrain/base/option.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double ANSWER_SECONDS = 20, // squeue gives up by itself after this or more
    UNLIMITED_SECONDS = 180 * 86400.0;   // a scheduler's way to say that there is no limit

static void set_left(seq_time_limit *limit, double started, double left) {
    if (left < UNLIMITED_SECONDS) limit->seconds = seq_clock_seconds() - started + left;
    limit->of_scheduler = true;
}

// Not of a batch system: said, and passed over.
static bool refuse(const char *name, const char *text, const char *seconds, seq_time_limit *out) {
    snprintf(out->source, sizeof out->source, "%s is '%.40s', expected seconds %s", name, text,
             seconds);
    return false;
}

// Seconds since 1970, set for each start of a job by Slurm 22.05 and later, as far as that is
// configured. A shell that has outlived its job may still have it.
static bool read_end_time(double started, seq_time_limit *out) {
    const char *text = getenv("SLURM_JOB_END_TIME");
    char *end;
    if (!text || !*text) return false;
    double left = strtod(text, &end) - (double)time(NULL);
    if (*end || !isfinite(left)) return refuse("SLURM_JOB_END_TIME", text, "since 1970", out);
    if (left <= 0) return false;
    set_left(out, started, left);
    snprintf(out->source, sizeof out->source, "SLURM_JOB_END_TIME");
    return true;
}

static bool ask_squeue(double started, seq_time_limit *out) {
    char *job = getenv("SLURM_JOB_ID"), answer[64];
    char *command[] = {"squeue", "--noheader", "--jobs", job, "--format=%L", NULL};
    seq_error error = {0};
    double left;
    if (!job || !*job) return false;
    if (seq_command_ask(command, ANSWER_SECONDS, answer, sizeof answer, &error))
        snprintf(out->source, sizeof out->source, "job %.40s: %.200s", job, error.text);
    else if (strcmp(answer, "UNLIMITED") == 0)
        *out->source = '\0';
    else if (!seq_duration_parse(answer, &left))
        snprintf(out->source, sizeof out->source, "squeue says '%s' about job %.40s", answer, job);
    else {
        set_left(out, started, left);
        snprintf(out->source, sizeof out->source, "squeue, job %.40s", job);
    }
    return true;
}

// Of the whole job, in seconds (Torque): right for a job that begins with seqtrain.
static bool read_walltime(seq_time_limit *out) {
    const char *text = getenv("PBS_WALLTIME");
    char *end;
    if (!text || !*text) return false;
    double left = strtod(text, &end);
    if (*end || !isfinite(left) || left <= 0)
        return refuse("PBS_WALLTIME", text, "of the job", out);
    out->seconds = left < UNLIMITED_SECONDS ? left : 0;
    out->of_scheduler = true;
    snprintf(out->source, sizeof out->source, "PBS_WALLTIME, from the start of seqtrain");
    return true;
}

void seq_time_limit_find(double option, double started, seq_time_limit *out) {
    *out = (seq_time_limit){0};
    if (option != SEQ_DURATION_AUTO) {
        out->seconds = option;
        snprintf(out->source, sizeof out->source, "--time-limit");
    } else if (!read_end_time(started, out) && !ask_squeue(started, out)) {
        read_walltime(out);
    }
}
