// The clock that durations are measured with.
#ifndef SEQTRAIN_BASE_CLOCK_H
#define SEQTRAIN_BASE_CLOCK_H

// Seconds on the monotonic clock. Only differences mean something.
double seq_clock_seconds(void);

#endif
