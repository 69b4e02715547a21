// Numeric anomalies: what a rank finds, and (detect.c) what all ranks make of it. A rank remembers
// its first finding in trainer->found until the ranks settle what to do; nothing but a parameter
// has changed by then.
#ifndef SEQ_TRAIN_ANOMALY_H
#define SEQ_TRAIN_ANOMALY_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// By rank: of what several ranks find, the greatest is settled.
typedef enum seq_anomaly_kind {
    SEQ_NO_ANOMALY,
    SEQ_LOSS_SPIKE,
    SEQ_NORM_SPIKE,
    SEQ_BAD_NORM,     // infinite, although no rank's gradient is
    SEQ_BAD_STATE,    // a recurrent state between two windows
    SEQ_BAD_LOSS,     // not finite, or above --loss-limit
    SEQ_BAD_GRADIENT, // of one rank
    // The step is done and cannot be left out any more:
    SEQ_BAD_VALIDATION, // its loss
    SEQ_BAD_PARAMETER,  // or its optimiser state, after the update
} seq_anomaly_kind;

// Plain data, travels between ranks.
typedef struct seq_anomaly {
    int32_t kind;    // seq_anomaly_kind
    int32_t replica; // -1: not known, or all
    int64_t window;  // of the run, from 0
    int64_t epoch, window_of_epoch;
    double value, limit; // limit: NaN: anything finite
    char place[64];      // parameter or layer
    char text[256];      // a sentence without beginning (step, rank) and end
} seq_anomaly;

typedef enum seq_setback {
    SEQ_NO_SETBACK,
    SEQ_STEP_SKIPPED,    // no update, states as before the window
    SEQ_ROLLED_BACK,     // position, parameters and all else are those of a checkpoint
    SEQ_WINDOW_EXCLUDED, // a window that a rollback has excluded was passed over
} seq_setback;

// `--on-bad-numbers` and `--on-spike`: what each choice stands for.
typedef enum seq_remedy { SEQ_REMEDY_NONE, SEQ_REMEDY_SKIP, SEQ_REMEDY_ROLL_BACK } seq_remedy;

struct seq_trainer;

// anomaly.c: findings of this rank; the first one stays.
void seq_train_find_loss(struct seq_trainer *trainer, int replica);
// Looks for one that is `carried` into a window, or handed on by it.
void seq_train_find_state(struct seq_trainer *trainer, int replica, bool carried);
void seq_train_find_gradient(struct seq_trainer *trainer, size_t index);
void seq_train_find_norm(struct seq_trainer *trainer, double norm); // infinite
void seq_train_find_validation(struct seq_trainer *trainer, int replica);
// Looks at elements [begin, end) of the updated vectors.
void seq_train_find_parameter(struct seq_trainer *trainer, size_t begin, size_t end);
void seq_train_find_loss_spike(struct seq_trainer *trainer, int replica, double loss, double limit);
void seq_train_find_norm_spike(struct seq_trainer *trainer, double norm, double limit);
bool seq_train_is_finite_state(const struct seq_trainer *trainer, int replica);

#endif
