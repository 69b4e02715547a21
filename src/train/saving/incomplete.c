// Judges checkpoint directories without a manifest: what was being written when
// a job died. One that metrics.jsonl calls written has lost its manifest since:
// it is a damaged one. The lines are replayed in order, since a resume or a
// rollback takes back what was written before it. Tests:
// tests/fault/bit_flips.sh, tests/fault/run_directory.sh.
#include "saving.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_event(const char *line, const char *event) {
    char start[48];
    int size = snprintf(start, sizeof start, "{\"event\": \"%s\"", event);
    return strncmp(line, start, (size_t)size) == 0;
}

static int64_t number_of(const char *line, const char *field) {
    char start[32];
    int size = snprintf(start, sizeof start, "\"%s\": ", field);
    const char *at = strstr(line, start);
    return at ? strtoll(at + size, NULL, 10) : -1;
}

enum { ANY_STEP = -1 };

// What is known after one more line of metrics.jsonl. A session that went on from an older
// checkpoint has set this one aside, a rollback has removed it: either may have been writing it
// again.
static bool is_written_after(const char *line, int64_t step, bool before) {
    if (is_event(line, "start")) return false;
    if (is_event(line, "resume")) return before && number_of(line, "step") >= step;
    if (strstr(line, "\"action\": \"rollback\""))
        return before && number_of(line, "to_step") >= step;
    return before ||
           (is_event(line, "checkpoint") && (step == ANY_STEP || number_of(line, "step") == step));
}

// Whether metrics.jsonl calls the checkpoint of a step written; ANY_STEP: one at all.
static bool is_recorded(const char *run, int64_t step) {
    char path[SEQ_PATH], *line = NULL;
    size_t capacity = 0;
    bool found = false;
    uint64_t listed;
    seq_error ignored = {0};
    bool there = !seq_path_join(path, run, "metrics.jsonl", &ignored) &&
                 !seq_file_size(path, &listed, &ignored);
    FILE *stream = there ? fopen(path, "re") : NULL;
    while (stream && getline(&line, &capacity, stream) > 0)
        found = is_written_after(line, step, found);
    free(line);
    if (stream) fclose(stream);
    return found;
}

static bool judge_step(const char *run, int64_t step) {
    bool lost = is_recorded(run, step);
    if (!lost)
        seq_log_warning(
            "the checkpoint of step %lld was not finished (it has no manifest.json): it "
            "is not used",
            (long long)step);
    return lost;
}

// Newest first, above `newest`. Release with free().
static seq_status list_lost(const char *run, int64_t newest, int64_t **out_steps, size_t *out_count,
                            seq_error *error) {
    size_t count = 0, lost = 0;
    *out_count = 0;
    seq_status status = seq_checkpoint_list_incomplete(run, out_steps, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        if ((*out_steps)[i] > newest && judge_step(run, (*out_steps)[i]))
            (*out_steps)[lost++] = (*out_steps)[i];
    *out_count = lost;
    return status;
}

seq_status seq_train_list_candidates(const char *run, int64_t **out_steps, size_t *out_count,
                                     seq_error *error) {
    int64_t *committed = NULL, *lost = NULL;
    size_t count = 0, lost_count = 0;
    seq_error ignored = {0};
    *out_steps = NULL;
    *out_count = 0;
    seq_checkpoint_tidy(run, &ignored);
    seq_status status = seq_checkpoint_list(run, &committed, &count, error);
    if (!status) status = list_lost(run, count ? committed[0] : -1, &lost, &lost_count, error);
    if (!status)
        status = seq_allocate(out_steps, count + lost_count, sizeof **out_steps,
                              "the list of checkpoints", error);
    if (!status) {
        for (size_t i = 0; i < lost_count + count; i++)
            (*out_steps)[i] = i < lost_count ? lost[i] : committed[i - lost_count];
        *out_count = lost_count + count;
    }
    free(committed);
    free(lost);
    return status;
}

seq_status seq_train_check_new(const char *run, seq_comm *comm, seq_error *error) {
    if (seq_comm_rank(comm) == 0 && is_recorded(run, ANY_STEP))
        seq_error_set(error, SEQ_NO_CHECKPOINT,
                      "resuming %s: its metrics.jsonl tells of checkpoints, and there is none in "
                      "%s/checkpoints: bring them back, or start anew with --resume never",
                      run, run);
    return seq_comm_agree(comm, error);
}
