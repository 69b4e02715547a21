// What went wrong in a run so far and what was done about it. Travels in the checkpoint, so it
// holds nothing that depends on ranks. Windows are counted from the start of the run: window w is
// what step w + 1 trains on.
#ifndef SEQ_TRAIN_RECOVERY_HISTORY_H
#define SEQ_TRAIN_RECOVERY_HISTORY_H

#include "spikes.h"
#include <stdbool.h>
#include <stdint.h>

enum { SEQ_MAX_ROLLBACKS = 64 };

typedef struct seq_recovery_history {
    int64_t skipped;    // windows behind the position that have led to no update
    int64_t rollbacks;  // of the run, also those before a rollback
    int64_t unseen;     // updates before another optimiser began with moments of zero
    double rate_factor; // of the learning rate, product of the cuts
    int excluded_count;
    double excluded[SEQ_MAX_ROLLBACKS]; // windows that rollbacks have excluded
    seq_rolling losses;                 // nats per token of accepted steps
    seq_rolling norms;                  // logarithm of the gradient's norm
} seq_recovery_history;

// A rolling window of `window` values; 0: none.
seq_status seq_recovery_create(seq_recovery_history *history, int window, seq_error *error);
void seq_recovery_clear(seq_recovery_history *history);
void seq_recovery_begin(seq_recovery_history *history); // of a new run
// One more rollback, caused by `window`.
void seq_recovery_roll_back(seq_recovery_history *history, int64_t window, double factor);
// What a rollback must not undo: rollbacks, factor and excluded windows of `from`.
void seq_recovery_keep(seq_recovery_history *history, const seq_recovery_history *from);
bool seq_recovery_is_excluded(const seq_recovery_history *history, int64_t window);
int64_t seq_recovery_excluded_before(const seq_recovery_history *history,
                                     int64_t step); // windows before `step`
// Updates that the optimiser has seen after `step` windows.
int64_t seq_recovery_updates(const seq_recovery_history *history, int64_t step);
// Its moments are zero after `step` windows: it has seen none.
void seq_recovery_forget_updates(seq_recovery_history *history, int64_t step);

// Of a checkpoint of `step`. An empty record, as that of checkpoints that know nothing of setbacks,
// is a run without any.
seq_status seq_recovery_write(const seq_recovery_history *history, seq_record *record,
                              seq_error *error);
seq_status seq_recovery_read(seq_recovery_history *out, const seq_record *record, int64_t step,
                             seq_error *error);

#endif
