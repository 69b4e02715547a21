// Signals that ask a program to stop: remembered by a handler, obeyed where it is safe.
#ifndef SEQTRAIN_BASE_SIGNALS_H
#define SEQTRAIN_BASE_SIGNALS_H

#include <stdbool.h>

// From now on these signals (a list that ends with 0) are remembered instead of ending the process.
// System calls in progress go on (`restart`) or fail with EINTR.
void seq_signals_catch(const int *signals, bool restart);

// The last one caught, or 0.
int seq_signals_caught(void);

#endif
