// Threads and their stacks. The default stack of a thread is `ulimit -s`, which may be far less
// than a product needs (222 KB), so every thread of this project is started here.
#ifndef SEQTRAIN_BASE_THREAD_H
#define SEQTRAIN_BASE_THREAD_H

#include <pthread.h>
#include <seqtrain/base/status.h>
#include <stdbool.h>

// Starts body(argument) on a stack that is large enough for all layers. With `leaves_signals`, the
// thread blocks all signals, so that other threads get them. Returns 0, or an error number.
int seq_thread_start(pthread_t *out, bool leaves_signals, void *(*body)(void *), void *argument);

// For a main: runs body(argument) and returns after it. Where `ulimit -s` leaves the main thread
// too little, body runs on a thread of its own, and threads that libraries start get as much.
// SEQ_NO_MEMORY when that thread cannot be started; body has not run then.
seq_status seq_thread_run_main(void (*body)(void *), void *argument, seq_error *error);

#endif
