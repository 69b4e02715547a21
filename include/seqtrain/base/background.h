// A thread that does one job at a time beside its owner. A job prints nothing; signals are left to
// the other threads.
#ifndef SEQTRAIN_BASE_BACKGROUND_H
#define SEQTRAIN_BASE_BACKGROUND_H

#include <seqtrain/base/status.h>
#include <stdbool.h>

typedef struct seq_background seq_background;

seq_status seq_background_create(seq_background **out, seq_error *error);
// Waits for the job. NULL is fine.
void seq_background_destroy(seq_background *background);
// No job may be running. What the job writes is the caller's again once it is not busy any more.
void seq_background_start(seq_background *background, void (*job)(void *), void *argument);
bool seq_background_is_busy(seq_background *background);
void seq_background_wait(seq_background *background);
// False when the job is not done after so many seconds, rounded up to whole ones.
bool seq_background_wait_for(seq_background *background, double seconds);

#endif
