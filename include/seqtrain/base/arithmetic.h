// The floating-point arithmetic of a thread. seqtrain computes with round to nearest, without
// traps, and with denormal numbers flushed to zero, as operands and as results (x86: FTZ and DAZ,
// ARM: FZ): some processors take many times as long for denormal numbers as for others.
//
// Who begins and ends. Every program begins when it starts and never ends; so does every thread
// that seqtrain starts to compute. What another program may call begins by itself, and ends before
// it returns: the passes and the packing of a model, the update, the exchange, seq_train_run (and
// infer, by the passes). The caller's own settings are then as they were. A caller of single
// functions of kernels, nn or comm/tree.h begins and ends around them itself.
//
// Built with SEQ_FLUSH_DENORMALS=OFF, nothing is set and denormals are kept.
#ifndef SEQTRAIN_BASE_ARITHMETIC_H
#define SEQTRAIN_BASE_ARITHMETIC_H

#include <stdint.h>

typedef struct seq_arithmetic {
    uint64_t control; // MXCSR or FPCR
} seq_arithmetic;

// Sets seqtrain's arithmetic on this thread and returns what was set before. Pairs may be nested.
seq_arithmetic seq_arithmetic_begin(void);
// Sets what `before` holds.
void seq_arithmetic_end(seq_arithmetic before);

// What seq_arithmetic_begin makes of denormals: "flushed", or "kept" (built so, or a processor
// that has no such setting). Checkpoints record it.
const char *seq_arithmetic_denormals(void);

#endif
