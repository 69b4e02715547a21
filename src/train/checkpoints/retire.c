#include "checkpoints.h"
#include <stdlib.h>

// The newest checkpoint that a rollback would go back to, -1: none, or nothing is ever rolled back.
static seq_status find_target_step(const seq_trainer *trainer, int64_t *out_step,
                                   seq_error *error) {
    const seq_train_options *options = trainer->options;
    int64_t *steps = NULL;
    size_t count = 0;
    *out_step = -1;
    if (options->on_spike != SEQ_REMEDY_ROLL_BACK &&
        options->on_bad_numbers != SEQ_REMEDY_ROLL_BACK)
        return SEQ_OK;
    seq_status status = seq_checkpoint_list(options->run, &steps, &count, error);
    for (size_t i = 0; i < count && *out_step < 0; i++)
        if (seq_train_is_rollback_target(trainer, steps[i])) *out_step = steps[i];
    free(steps);
    return status;
}

void seq_train_retain(const seq_trainer *trainer, int64_t best_step, seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_retention rule = {
        .newest = (int)options->keep, .every = options->keep_every, .best_step = best_step};
    if (!find_target_step(trainer, &rule.target_step, error))
        seq_checkpoint_retain(options->run, &rule, error);
}

void seq_train_remove_newer(const seq_trainer *trainer, seq_error *error) {
    const char *run = trainer->options->run;
    char directory[SEQ_PATH];
    int64_t *steps = NULL;
    size_t count = 0;
    seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !error->status && i < count && steps[i] > trainer->position.step; i++)
        if (!seq_checkpoint_directory(run, steps[i], directory, error))
            seq_checkpoint_remove(directory, error);
    free(steps);
}
