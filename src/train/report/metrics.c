// metrics.jsonl: one JSON object a line, written with one call each. A torn last line is ended
// first. A line that cannot be written is an error, or, where lines may be lost, counted for a line
// of its own (metrics_lost) once writing works again. Tests: tests/fault/full_disk.sh,
// tests/fault/names.sh.
#include "metrics.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/record.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_open(const seq_metrics *metrics) {
    return metrics->descriptor != 0;
}

static seq_status write_bytes(seq_metrics *metrics, const char *bytes, size_t size) {
    ssize_t written;
    do
        written = write(metrics->descriptor - 1, bytes, size);
    while (written < 0 && errno == EINTR);
    if (written < 0) {
        seq_error_set_errno(&metrics->error, "writing %s", metrics->path);
        return metrics->error.status = SEQ_NO_SPACE; // whatever ails the disk
    }
    metrics->torn = (size_t)written < size;
    if (metrics->torn)
        seq_error_set(&metrics->error, SEQ_NO_SPACE, "writing %s: no space left for a whole line",
                      metrics->path);
    return metrics->error.status;
}

static void lose_line(seq_metrics *metrics) {
    if (!metrics->may_lose) return;
    if (metrics->lost++ == 0)
        seq_log_warning("%s; lines are lost until it can be written again", metrics->error.text);
    metrics->error = (seq_error){0};
}

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void tell_lost(seq_metrics *metrics) {
    char line[120];
    int size = snprintf(line, sizeof line,
                        "{\"event\": \"metrics_lost\", \"time\": %.3f, \"lines\": %lld}\n",
                        wall_clock(), (long long)metrics->lost);
    if (!write_bytes(metrics, line, (size_t)size)) metrics->lost = 0;
}

static void write_line(seq_metrics *metrics, const char *bytes, size_t size) {
    seq_fault_point("metrics.writing");
    seq_status status = metrics->torn ? write_bytes(metrics, "\n", 1) : SEQ_OK;
    if (!status && metrics->lost) tell_lost(metrics);
    if (!metrics->error.status) write_bytes(metrics, bytes, size);
    if (metrics->error.status) lose_line(metrics);
    seq_fault_point("metrics.written");
}

static bool ends_torn(int descriptor) {
    char last = '\n';
    off_t size = lseek(descriptor, 0, SEEK_END);
    return size > 0 && pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

seq_status seq_metrics_open(seq_metrics *metrics, const char *run, seq_error *error) {
    uint64_t listed;
    seq_status status = seq_path_join(metrics->path, run, "metrics.jsonl", error);
    if (status) return status;
    int descriptor = open(metrics->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return seq_error_set_errno(error, "opening %s", metrics->path);
    metrics->descriptor = descriptor + 1;
    if (seq_file_size(metrics->path, &listed, error)) return error->status; // a pipe may block
    metrics->torn = ends_torn(descriptor);
    seq_fault_point("metrics.opened");
    return seq_metrics_status(metrics, error);
}

seq_status seq_metrics_renew(seq_metrics *metrics, const char *run, bool *out_renewed,
                             seq_error *error) {
    struct stat is_open_one, named;
    *out_renewed = false;
    if (!is_open(metrics) || fstat(metrics->descriptor - 1, &is_open_one)) return SEQ_OK;
    if (stat(metrics->path, &named)
            ? errno != ENOENT
            : named.st_dev == is_open_one.st_dev && named.st_ino == is_open_one.st_ino)
        return SEQ_OK;
    seq_error reason = {0};
    int before = metrics->descriptor;
    *out_renewed = !seq_metrics_open(metrics, run, &reason);
    if (*out_renewed) {
        close(before - 1);
        return SEQ_OK;
    }
    if (metrics->descriptor != before) close(metrics->descriptor - 1);
    metrics->descriptor = before;
    if (metrics->may_lose) return SEQ_OK; // looked at again
    return seq_error_set(error, SEQ_NO_SPACE,
                         "%s: its file was removed or replaced, and cannot be begun anew",
                         reason.text);
}

void seq_metrics_close(seq_metrics *metrics) {
    if (is_open(metrics)) close(metrics->descriptor - 1);
    free(metrics->line);
    *metrics = (seq_metrics){0};
}

seq_status seq_metrics_status(const seq_metrics *metrics, seq_error *error) {
    if (!metrics->error.status) return SEQ_OK;
    return seq_error_set(error, metrics->error.status, "%s", metrics->error.text);
}

__attribute__((format(printf, 2, 3))) static void append(seq_metrics *metrics, const char *format,
                                                         ...) {
    for (int attempt = 0; attempt < 2; attempt++) {
        va_list arguments;
        va_start(arguments, format);
        size_t room = metrics->capacity - metrics->length;
        int needed = vsnprintf(metrics->line ? metrics->line + metrics->length : NULL, room, format,
                               arguments);
        va_end(arguments);
        if (needed >= 0 && (size_t)needed < room) {
            metrics->length += (size_t)needed;
            return;
        }
        size_t wanted = metrics->length + (size_t)(needed < 0 ? 0 : needed) + 1;
        if (seq_grow(&metrics->line, &metrics->capacity, wanted, 1, "a line of metrics",
                     &metrics->error))
            return;
    }
}

static void append_name(seq_metrics *metrics, const char *name) {
    append(metrics, "%s\"%s\": ", metrics->first ? "" : ", ", name);
    metrics->first = false;
}

static void append_real(seq_metrics *metrics, double value) {
    if (isfinite(value))
        append(metrics, "%.9g", value);
    else
        append(metrics, "null");
}

void seq_metrics_begin(seq_metrics *metrics, const char *event) {
    if (!is_open(metrics)) return;
    metrics->length = 0;
    metrics->first = false;
    append(metrics, "{\"event\": \"%s\", \"time\": %.3f", event, wall_clock());
}

void seq_metrics_integer(seq_metrics *metrics, const char *name, int64_t value) {
    if (!is_open(metrics)) return;
    append_name(metrics, name);
    append(metrics, "%lld", (long long)value);
}

void seq_metrics_real(seq_metrics *metrics, const char *name, double value) {
    if (!is_open(metrics)) return;
    append_name(metrics, name);
    append_real(metrics, value);
}

void seq_metrics_text(seq_metrics *metrics, const char *name, const char *value) {
    if (!is_open(metrics)) return;
    append_name(metrics, name);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream) seq_json_print(stream, value);
    if (!seq_memory_stream_close(stream, &text, &metrics->error, "a line of metrics"))
        append(metrics, "%s", text);
    free(text);
}

static void append_reals(seq_metrics *metrics, const double *values, int count) {
    append(metrics, "[");
    for (int i = 0; i < count; i++) {
        append(metrics, i ? ", " : "");
        append_real(metrics, values[i]);
    }
    append(metrics, "]");
}

void seq_metrics_reals(seq_metrics *metrics, const char *name, const double *values, int count) {
    if (!is_open(metrics)) return;
    append_name(metrics, name);
    append_reals(metrics, values, count);
}

void seq_metrics_table(seq_metrics *metrics, const char *name, const double *values, int rows,
                       int columns) {
    if (!is_open(metrics)) return;
    append_name(metrics, name);
    for (int row = 0; row < rows; row++) {
        append(metrics, row ? ", " : "[");
        append_reals(metrics, values + (size_t)row * (size_t)columns, columns);
    }
    append(metrics, "]");
}

void seq_metrics_end(seq_metrics *metrics) {
    if (!is_open(metrics)) return;
    append(metrics, "}\n");
    if (!metrics->error.status) write_line(metrics, metrics->line, metrics->length);
}
