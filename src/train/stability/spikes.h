// Does a value stand out among those of the last steps? A rolling window of one quantity; its mean
// and deviation are computed anew from the window, which is small, so no error builds up and the
// same values give the same bits after a resume.
#ifndef SEQ_TRAIN_SPIKES_H
#define SEQ_TRAIN_SPIKES_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>

enum { SEQ_ROLLING_LIMIT = 10000 }; // values

typedef struct seq_rolling {
    int capacity, count;
    int next; // where the next value goes; the oldest one once the window is full
    double *values;
} seq_rolling;

// Capacity 0: a window that takes nothing and judges nothing.
seq_status seq_rolling_create(seq_rolling *rolling, int capacity, seq_error *error);
void seq_rolling_clear(seq_rolling *rolling);
void seq_rolling_empty(seq_rolling *rolling);
void seq_rolling_add(seq_rolling *rolling, double value); // ignores what is not finite
// Mean + sigma standard deviations, or +infinity while the window is not full.
double seq_rolling_limit(const seq_rolling *rolling, double sigma);

// From the oldest to the newest value. Reading keeps the newest that fit; a missing key is an empty
// window.
seq_status seq_rolling_write(const seq_rolling *rolling, seq_record *record, const char *key,
                             seq_error *error);
seq_status seq_rolling_read(seq_rolling *rolling, const seq_record *record, const char *key,
                            seq_error *error);

#endif
