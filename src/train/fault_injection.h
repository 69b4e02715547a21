// Faults that tests call up by --inject or by environment variables, in builds with
// SEQ_FAULT_INJECTION only. A fault of --inject belongs to a replica, so it is the same on any
// number of ranks. Without the build option the hooks do nothing and the option does not exist.
#ifndef SEQ_TRAIN_FAULT_INJECTION_H
#define SEQ_TRAIN_FAULT_INJECTION_H

#include "trainer.h"

#ifdef SEQ_FAULT_INJECTION
// Parses --inject. SEQ_BAD_USAGE, SEQ_NO_MEMORY.
seq_status seq_inject_create(seq_trainer *trainer, seq_error *error);
void seq_inject_clear(seq_trainer *trainer);
void seq_inject_before_window(seq_trainer *trainer, int replica);
void seq_inject_after_window(seq_trainer *trainer, int replica, float *gradient);
// The gradient must not be handed on before seq_inject_after_window.
bool seq_inject_waits(const seq_trainer *trainer);
// Just before the update of elements [begin, end).
void seq_inject_before_update(seq_trainer *trainer, size_t begin, size_t end);
void seq_inject_validation(seq_trainer *trainer, int replica);
// The first replica that this rank reads: its own. SEQ_MISREAD=rank: that rank's is the next one's.
int seq_inject_first_replica(const seq_trainer *trainer);
// SEQ_FLIP=vector:step:rank: before that step a bit flips in the middle of that rank's copy of
// vector 0 (parameters), 1 (first state of the optimiser) ...
void seq_inject_flip(const seq_trainer *trainer);
#else
static inline seq_status seq_inject_create(seq_trainer *trainer, seq_error *error) {
    (void)trainer, (void)error;
    return SEQ_OK;
}
static inline void seq_inject_clear(seq_trainer *trainer) {
    (void)trainer;
}
static inline void seq_inject_before_window(seq_trainer *trainer, int replica) {
    (void)trainer, (void)replica;
}
static inline void seq_inject_after_window(seq_trainer *trainer, int replica, float *gradient) {
    (void)trainer, (void)replica, (void)gradient;
}
static inline bool seq_inject_waits(const seq_trainer *trainer) {
    (void)trainer;
    return false;
}
static inline void seq_inject_before_update(seq_trainer *trainer, size_t begin, size_t end) {
    (void)trainer, (void)begin, (void)end;
}
static inline void seq_inject_validation(seq_trainer *trainer, int replica) {
    (void)trainer, (void)replica;
}
static inline int seq_inject_first_replica(const seq_trainer *trainer) {
    return trainer->first_replica;
}
static inline void seq_inject_flip(const seq_trainer *trainer) {
    (void)trainer;
}
#endif

#endif
