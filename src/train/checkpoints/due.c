// Says at which steps a run validates and saves, and orders the checkpoints
// that a rollback may go back to. Both follow from the options and the cut of
// the data, not from the clock. Invariant: with --checkpoint-every, a
// checkpoint that a signal or a time limit has added is not the target while a
// planned one is at hand. So the bytes do not depend on interruptions. Test:
// tests/fault/rollback.sh.
#include "checkpoints.h"
#include <string.h>

static bool is_epoch_end(const seq_trainer *trainer, int64_t step) {
    return (step - trainer->position.origin) % trainer->windows == 0;
}

bool seq_train_reports_at(const seq_trainer *trainer, int64_t step) {
    int64_t every = trainer->options->validate_every;
    return every ? step % every == 0 : is_epoch_end(trainer, step);
}

bool seq_train_validates_at(const seq_trainer *trainer, int64_t step) {
    return trainer->valid_batches && seq_train_reports_at(trainer, step);
}

bool seq_train_saves_at(const seq_trainer *trainer, int64_t step) {
    int64_t every = trainer->options->checkpoint_every;
    return (every && step % every == 0) || seq_train_validates_at(trainer, step) ||
           (!trainer->valid_batches && is_epoch_end(trainer, step));
}

static int64_t last_multiple(int64_t step, int64_t every, int64_t origin) {
    int64_t past = (step - origin) % every;
    return step - (past < 0 ? past + every : past);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// The last step up to this one at which the plan of this session has a checkpoint, 0: none.
static int64_t last_due(const seq_trainer *trainer, int64_t step) {
    const seq_train_options *options = trainer->options;
    int64_t due = 0;
    if (options->checkpoint_every) due = last_multiple(step, options->checkpoint_every, 0);
    if (trainer->valid_batches && options->validate_every)
        due = later(due, last_multiple(step, options->validate_every, 0));
    else
        due = later(due, last_multiple(step, trainer->windows, trainer->position.origin));
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
