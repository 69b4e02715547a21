// metrics.jsonl: one JSON object a line, one write a line, NaN and infinities as null. Only rank 0
// has it open; on the others every call does nothing. A write that fails is remembered and told
// by seq_metrics_status, or, where lines may be lost, warned of and counted: the line
// "metrics_lost" tells how many, as soon as one can be written again.
#ifndef SEQ_TRAIN_METRICS_H
#define SEQ_TRAIN_METRICS_H

#include <seqtrain/base/file.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_metrics {
    int descriptor; // + 1; 0: closed
    char path[SEQ_PATH];
    char *line; // the line being built
    size_t length, capacity;
    bool first; // member of the innermost object or array
    seq_error error;
    bool may_lose; // lines; set before opening
    bool torn;     // the last line in the file has no end
    int64_t lost;  // since the last line that was written
} seq_metrics;

// Appends to the file; a torn last line of an earlier crash is closed first.
seq_status seq_metrics_open(seq_metrics *metrics, const char *run, seq_error *error);
// Opens the file anew when what is open is not the one under its name any more.
seq_status seq_metrics_renew(seq_metrics *metrics, const char *run, bool *out_renewed,
                             seq_error *error);
void seq_metrics_close(seq_metrics *metrics);
seq_status seq_metrics_status(const seq_metrics *metrics, seq_error *error);

// A line: begin, members, end. Every line has "event" and "time" (seconds since 1970).
void seq_metrics_begin(seq_metrics *metrics, const char *event);
void seq_metrics_integer(seq_metrics *metrics, const char *name, int64_t value);
void seq_metrics_real(seq_metrics *metrics, const char *name, double value);
void seq_metrics_text(seq_metrics *metrics, const char *name, const char *value);
void seq_metrics_reals(seq_metrics *metrics, const char *name, const double *values, int count);
// name: [[...], ...], `rows` rows of `columns` numbers.
void seq_metrics_table(seq_metrics *metrics, const char *name, const double *values, int rows,
                       int columns);
void seq_metrics_end(seq_metrics *metrics);

#endif
