// Numeric faults that tests call up (--inject), in builds with SEQ_FAULT_INJECTION only. A fault
// belongs to a replica, so it is the same on any number of ranks. Without the build option the
// hooks do nothing and the option does not exist.
#ifndef SEQ_TRAIN_INJECT_H
#define SEQ_TRAIN_INJECT_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>

struct seq_trainer;

#ifdef SEQ_FAULT_INJECTION
// Parses --inject. SEQ_BAD_USAGE, SEQ_NO_MEMORY.
seq_status seq_inject_create(struct seq_trainer *trainer, seq_error *error);
void seq_inject_clear(struct seq_trainer *trainer);
void seq_inject_before_window(struct seq_trainer *trainer, int replica);
void seq_inject_after_window(struct seq_trainer *trainer, int replica, float *gradient);
// The gradient must not be handed on before seq_inject_after_window.
bool seq_inject_waits(const struct seq_trainer *trainer);
// Just before the update of elements [begin, end).
void seq_inject_before_update(struct seq_trainer *trainer, size_t begin, size_t end);
void seq_inject_validation(struct seq_trainer *trainer, int replica);
#else
static inline seq_status seq_inject_create(struct seq_trainer *trainer, seq_error *error) {
    (void)trainer, (void)error;
    return SEQ_OK;
}
static inline void seq_inject_clear(struct seq_trainer *trainer) {
    (void)trainer;
}
static inline void seq_inject_before_window(struct seq_trainer *trainer, int replica) {
    (void)trainer, (void)replica;
}
static inline void seq_inject_after_window(struct seq_trainer *trainer, int replica,
                                           float *gradient) {
    (void)trainer, (void)replica, (void)gradient;
}
static inline bool seq_inject_waits(const struct seq_trainer *trainer) {
    (void)trainer;
    return false;
}
static inline void seq_inject_before_update(struct seq_trainer *trainer, size_t begin, size_t end) {
    (void)trainer, (void)begin, (void)end;
}
static inline void seq_inject_validation(struct seq_trainer *trainer, int replica) {
    (void)trainer, (void)replica;
}
#endif

#endif
