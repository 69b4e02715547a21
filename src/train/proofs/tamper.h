// Faults that tests of the trainer call up by environment variables, in builds with
// SEQ_FAULT_INJECTION; nothing elsewhere.
#ifndef SEQ_TRAIN_TAMPER_H
#define SEQ_TRAIN_TAMPER_H

#include "trainer.h"

#ifdef SEQ_FAULT_INJECTION
// SEQ_MISREAD=rank: that rank reads the streams of the next one. `first` is its first stream.
int seq_tamper_first_stream(const seq_trainer *trainer, int first);
// SEQ_FLIP=vector:step:rank: before that step a bit flips in the middle of that rank's copy of
// vector 0 (parameters), 1 (first state of the optimiser) ...
void seq_tamper_vectors(const seq_trainer *trainer);
#else
static inline int seq_tamper_first_stream(const seq_trainer *trainer, int first) {
    (void)trainer;
    return first;
}
static inline void seq_tamper_vectors(const seq_trainer *trainer) {
    (void)trainer;
}
#endif

#endif
