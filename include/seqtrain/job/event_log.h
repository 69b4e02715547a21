// metrics.jsonl: one JSON object a line, one write a line, NaN and infinities as null. Only rank 0
// has it open; on the others every call does nothing. A write that fails is remembered and told
// by seq_event_log_status, or, where lines may be lost, warned of and counted: the line
// "metrics_lost" tells how many, as soon as one can be written again.
#ifndef SEQTRAIN_JOB_EVENT_LOG_H
#define SEQTRAIN_JOB_EVENT_LOG_H

#include <seqtrain/base/file.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_event_log {
    int descriptor; // + 1; 0: closed
    char path[SEQ_PATH];
    char *line; // the line being built
    size_t length, capacity;
    bool first; // member of the innermost object or array
    seq_error error;
    bool may_lose; // lines; set before opening
    bool torn;     // the last line in the file has no end
    int64_t lost;  // since the last line that was written
} seq_event_log;

// Appends to the file; a torn last line of an earlier crash is closed first.
seq_status seq_event_log_open(seq_event_log *events, const char *run, seq_error *error);
// Opens the file again when another file has its name now.
seq_status seq_event_log_renew(seq_event_log *events, const char *run, bool *out_renewed,
                               seq_error *error);
void seq_event_log_close(seq_event_log *events);
seq_status seq_event_log_status(const seq_event_log *events, seq_error *error);

// A line: begin, members, end. Every line has "event" and "time" (seconds since 1970).
void seq_event_begin(seq_event_log *events, const char *event);
void seq_event_integer(seq_event_log *events, const char *name, int64_t value);
void seq_event_real(seq_event_log *events, const char *name, double value);
void seq_event_text(seq_event_log *events, const char *name, const char *value);
void seq_event_reals(seq_event_log *events, const char *name, const double *values, int count);
// name: [[...], ...], `rows` rows of `columns` numbers.
void seq_event_table(seq_event_log *events, const char *name, const double *values, int rows,
                     int columns);
void seq_event_end(seq_event_log *events);

#endif
