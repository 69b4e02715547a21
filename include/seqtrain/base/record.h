// An ordered list of key = text pairs: how configurations and counters travel into manifests and
// back.
#ifndef SEQTRAIN_BASE_RECORD_H
#define SEQTRAIN_BASE_RECORD_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_record_entry {
    char *key;
    char *text;
} seq_record_entry;

// Zero-initialise before use; owns its strings.
typedef struct seq_record {
    seq_record_entry *entries;
    size_t count, capacity;
} seq_record;

void seq_record_clear(seq_record *record);

// Sets a key, replacing its old text in place. Reals are written with 17 significant digits, so
// they read back exactly.
seq_status seq_record_set_text(seq_record *record, const char *key, const char *text,
                               seq_error *error);
seq_status seq_record_set_integer(seq_record *record, const char *key, int64_t value,
                                  seq_error *error);
seq_status seq_record_set_real(seq_record *record, const char *key, double value, seq_error *error);
seq_status seq_record_set_integers(seq_record *record, const char *key, const int *values,
                                   int count, seq_error *error);

// NULL when the key is absent.
const char *seq_record_text(const seq_record *record, const char *key);
// A missing key, another type or a value outside [minimum, maximum] is SEQ_NO_CHECKPOINT ("record:
// key ...").
seq_status seq_record_get_integer(const seq_record *record, const char *key, int64_t minimum,
                                  int64_t maximum, int64_t *out, seq_error *error);
// NaN and infinities are accepted (a best loss before the first validation is infinite).
seq_status seq_record_get_real(const seq_record *record, const char *key, double *out,
                               seq_error *error);
// Comma-separated; at most `capacity` values, each within [minimum, maximum].
seq_status seq_record_get_integers(const seq_record *record, const char *key, int minimum,
                                   int maximum, int *values, int capacity, int *out_count,
                                   seq_error *error);
// The same for finite reals, exactly.
seq_status seq_record_set_reals(seq_record *record, const char *key, const double *values,
                                int count, seq_error *error);
seq_status seq_record_get_reals(const seq_record *record, const char *key, double *values,
                                int capacity, int *out_count, seq_error *error);

#endif
