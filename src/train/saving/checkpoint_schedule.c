// Says at which steps a run validates and saves, and orders the checkpoints
// that a rollback may go back to. Both follow from the options and the cut of
// the data, not from the clock. Invariant: with --checkpoint-every, a
// checkpoint that a signal or a time limit has added is not the target while a
// planned one is at hand. So the bytes do not depend on interruptions. Test:
// tests/fault/rollback.sh.
#include "saving.h"
#include <seqtrain/job/fence.h>
#include <stdlib.h>
#include <string.h>

static int64_t last_multiple(int64_t step, int64_t every, int64_t origin) {
    int64_t past = (step - origin) % every;
    return step - (past < 0 ? past + every : past);
}

// Of each `every` epochs the last one's end.
static int64_t last_epoch_end(const seq_trainer *trainer, int64_t step, int64_t every) {
    int64_t windows = trainer->windows, origin = trainer->position.origin;
    int64_t epochs = (last_multiple(step, windows, origin) - origin) / windows;
    return origin + last_multiple(epochs, every, 0) * windows;
}

bool seq_train_reports_at(const seq_trainer *trainer, int64_t step) {
    int64_t every = trainer->options->validate_every;
    return every ? step % every == 0 : last_epoch_end(trainer, step, 1) == step;
}

bool seq_train_validates_at(const seq_trainer *trainer, int64_t step) {
    return trainer->valid_sampler && seq_train_reports_at(trainer, step);
}

bool seq_train_saves_at(const seq_trainer *trainer, int64_t step) {
    const seq_train_options *options = trainer->options;
    int64_t every = options->checkpoint_every, epochs = options->checkpoint_epochs;
    if ((every && step % every == 0) || seq_train_validates_at(trainer, step)) return true;
    return !trainer->valid_sampler && epochs && last_epoch_end(trainer, step, epochs) == step;
}

bool seq_train_ends_early(const seq_trainer *trainer) {
    int64_t patience = trainer->options->early_stop;
    return patience && trainer->position.since_best >= patience;
}

bool seq_train_finished(const seq_trainer *trainer) {
    return trainer->position.step >= trainer->total_steps || seq_train_ends_early(trainer);
}

bool seq_train_validation_due(const seq_trainer *trainer) {
    const seq_position *position = &trainer->position;
    if (!trainer->valid_sampler || position->step == 0 || position->validated == position->step)
        return false;
    return seq_train_finished(trainer) || seq_train_validates_at(trainer, position->step);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// The last step up to this one at which the plan of this session has a checkpoint, 0: none.
static int64_t last_due(const seq_trainer *trainer, int64_t step) {
    const seq_train_options *options = trainer->options;
    int64_t due = 0, epochs = trainer->valid_sampler ? 1 : options->checkpoint_epochs;
    if (options->checkpoint_every) due = last_multiple(step, options->checkpoint_every, 0);
    if (trainer->valid_sampler && options->validate_every)
        due = later(due, last_multiple(step, options->validate_every, 0));
    else if (epochs)
        due = later(due, last_epoch_end(trainer, step, epochs));
    return due;
}

// Those that are due come first, all newest first; none when there is none of them.
static size_t due_first(const seq_trainer *trainer, int64_t *steps, size_t count) {
    size_t due = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t step = steps[i];
        if (!seq_train_saves_at(trainer, step)) continue;
        memmove(steps + due + 1, steps + due, (i - due) * sizeof *steps);
        steps[due++] = step;
    }
    return due ? count : 0;
}

size_t seq_train_keep_targets(const seq_trainer *trainer, int64_t window, int64_t *steps,
                              size_t count) {
    size_t kept = 0;
    bool at_hand = false;
    for (size_t i = 0; i < count; i++)
        if (steps[i] <= window) steps[kept++] = steps[i];
    if (!kept || !trainer->options->checkpoint_every) return kept;
    int64_t due = last_due(trainer, steps[0]);
    for (size_t i = 0; i < kept; i++)
        at_hand = at_hand || steps[i] == due;
    return at_hand || due <= 0 ? due_first(trainer, steps, kept) : kept;
}

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

void seq_train_prune(const seq_trainer *trainer, int64_t step, int64_t window, int64_t best_step,
                     seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_retention rule = {
        .newest = (int)options->keep, .every = options->keep_every, .best_step = best_step};
    // Newer ones of another job are no rubbish of this one.
    if (!seq_fence_is_current(options->run, trainer->session))
        seq_error_set(error, SEQ_RANK_FAILED, "%s: another job has begun on this run directory",
                      options->run);
    else if (!seq_checkpoint_remove_newer(options->run, step, error) &&
             !find_target_step(trainer, window, &rule.target_step, error))
        seq_checkpoint_prune(options->run, &rule, error);
}
