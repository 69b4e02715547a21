// Removes checkpoints beside the loop, once a newer one is good: those of a
// course that a rollback has left, then those that --keep does not keep.
// Invariant: the one that the next rollback would go back to stays. A job that
// finds a newer session on the directory removes nothing. Test:
// tests/fault/rollback.sh.
#include "checkpoints.h"
#include <seqtrain/job/fence.h>
#include <stdlib.h>

// The newest checkpoint that a rollback would go back to, -1: none, or nothing is ever rolled back.
static seq_status find_target_step(const seq_trainer *trainer, int64_t window, int64_t *out_step,
                                   seq_error *error) {
    const seq_train_options *options = trainer->options;
    int64_t *steps = NULL;
    size_t count = 0;
    *out_step = -1;
    if (options->on_spike != SEQ_REMEDY_ROLL_BACK &&
        options->on_bad_numbers != SEQ_REMEDY_ROLL_BACK)
        return SEQ_OK;
    seq_status status = seq_checkpoint_list(options->run, &steps, &count, error);
    if (!status && seq_train_keep_targets(trainer, window, steps, count)) *out_step = steps[0];
    free(steps);
    return status;
}

static seq_status remove_newer(const char *run, int64_t step, seq_error *error) {
    char directory[SEQ_PATH];
    int64_t *steps = NULL;
    size_t count = 0;
    seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !error->status && i < count && steps[i] > step; i++)
        if (!seq_checkpoint_directory(run, steps[i], directory, error))
            seq_checkpoint_remove(directory, error);
    free(steps);
    return error->status;
}

void seq_train_retain(const seq_trainer *trainer, int64_t step, int64_t window, int64_t best_step,
                      seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_retention rule = {
        .newest = (int)options->keep, .every = options->keep_every, .best_step = best_step};
    // Newer ones of another job are no rubbish of this one.
    if (!seq_fence_is_current(options->run, trainer->session))
        seq_error_set(error, SEQ_RANK_FAILED, "%s: another job has begun on this run directory",
                      options->run);
    else if (!remove_newer(options->run, step, error) &&
             !find_target_step(trainer, window, &rule.target_step, error))
        seq_checkpoint_retain(options->run, &rule, error);
}
