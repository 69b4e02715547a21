// Signals that ask a program to stop: remembered by a handler, obeyed where it is safe.
#ifndef SEQTRAIN_BASE_SIGNALS_H
#define SEQTRAIN_BASE_SIGNALS_H

#include <stdbool.h>

// From now on these signals (a list that ends with 0) are remembered instead of ending the process.
// One that was ignored when the program began (nohup, a shell's `&`) stays ignored. A second SIGINT
// ends the process at once; two within a fifth of a second are one, because `timeout -s INT` sends
// each twice. System calls in progress go on (`restart`) or fail with EINTR. May be called again:
// libraries that are loaded later (UCX, with MPI) take signals for themselves.
void seq_signals_catch(const int *signals, bool restart);

// The last one caught, or 0.
int seq_signals_caught(void);

// From now on, when one of these signals (a list that ends with 0) is about to end the process,
// `tell` is called first, by the dying thread: it may do what a handler may. Then what the signal
// did before takes its course. A later call replaces `tell` and `context`, for all signals.
void seq_signals_tell_death(const int *signals, void (*tell)(void *context, int signal),
                            void *context);

// For work that has nothing to save: the caught signals end the process again, and one that has
// come already ends it here.
void seq_signals_release(void);

// Ends the process by a signal, as if it had never been caught: a shell sees 128 + signal. Only for
// a main.
void seq_signals_end(int signal);

#endif
