// A rolling window of values in a ring. Mean and sample deviation are computed
// anew in two passes, the accurate form (Chan, Golub and LeVeque 1983).
// Invariant: sums run from the oldest to the newest value, so a resumed run has
// the same bits whatever place in the ring it begins at. Tests:
// tests/unit/train/test_spikes.c, tests/fault/numeric_spikes.sh.
#include "spikes.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>

seq_status seq_rolling_create(seq_rolling *rolling, int capacity, seq_error *error) {
    *rolling = (seq_rolling){.capacity = capacity};
    if (!capacity) return SEQ_OK;
    return seq_allocate(&rolling->values, (size_t)capacity, sizeof *rolling->values,
                        "a rolling window", error);
}

void seq_rolling_clear(seq_rolling *rolling) {
    free(rolling->values);
    *rolling = (seq_rolling){0};
}

void seq_rolling_empty(seq_rolling *rolling) {
    rolling->count = rolling->next = 0;
}

void seq_rolling_add(seq_rolling *rolling, double value) {
    if (!rolling->capacity || !isfinite(value)) return;
    rolling->values[rolling->next] = value;
    rolling->next = (rolling->next + 1) % rolling->capacity;
    if (rolling->count < rolling->capacity) rolling->count++;
}

// The i-th oldest value.
static double value_at(const seq_rolling *rolling, int i) {
    int oldest = rolling->next - rolling->count + rolling->capacity;
    return rolling->values[(oldest + i) % rolling->capacity];
}

// Sums run from the oldest to the newest value, wherever the window begins in memory: a resumed run
// holds it at another place. The second pass takes the differences from the mean, so nothing
// cancels.
double seq_rolling_limit(const seq_rolling *rolling, double sigma) {
    int count = rolling->count;
    double sum = 0, squares = 0;
    if (count < 2 || count < rolling->capacity) return INFINITY;
    for (int i = 0; i < count; i++)
        sum += value_at(rolling, i);
    double mean = sum / count;
    for (int i = 0; i < count; i++) {
        double difference = value_at(rolling, i) - mean;
        squares += difference * difference;
    }
    return mean + sigma * sqrt(squares / (count - 1));
}

seq_status seq_rolling_write(const seq_rolling *rolling, seq_record *record, const char *key,
                             seq_error *error) {
    double *ordered = NULL;
    seq_status status = seq_allocate(&ordered, (size_t)rolling->count + 1, sizeof *ordered,
                                     "a copy of a rolling window", error);
    if (status) return status;
    for (int i = 0; i < rolling->count; i++)
        ordered[i] = value_at(rolling, i);
    status = seq_record_set_reals(record, key, ordered, rolling->count, error);
    free(ordered);
    return status;
}

seq_status seq_rolling_read(seq_rolling *rolling, const seq_record *record, const char *key,
                            seq_error *error) {
    double *values = NULL;
    int count = 0;
    seq_rolling_empty(rolling);
    if (!rolling->capacity || !seq_record_text(record, key)) return SEQ_OK;
    seq_status status = seq_allocate(&values, SEQ_ROLLING_LIMIT, sizeof *values,
                                     "a copy of a rolling window", error);
    if (!status)
        status = seq_record_get_reals(record, key, values, SEQ_ROLLING_LIMIT, &count, error);
    for (int i = 0; !status && i < count; i++)
        seq_rolling_add(rolling, values[i]);
    free(values);
    return status;
}
