#include "checkpoints.h"

static bool is_epoch_end(const seq_trainer *trainer, int64_t step) {
    return (step - trainer->position.origin) % trainer->windows == 0;
}

bool seq_train_validates_at(const seq_trainer *trainer, int64_t step) {
    int64_t every = trainer->options->validate_every;
    if (!trainer->valid_batches) return false;
    return every ? step % every == 0 : is_epoch_end(trainer, step);
}

bool seq_train_saves_at(const seq_trainer *trainer, int64_t step) {
    int64_t every = trainer->options->checkpoint_every;
    return (every && step % every == 0) || seq_train_validates_at(trainer, step) ||
           (!trainer->valid_batches && is_epoch_end(trainer, step));
}

bool seq_train_is_rollback_target(const seq_trainer *trainer, int64_t step) {
    return !trainer->options->checkpoint_every || seq_train_saves_at(trainer, step);
}
