// metrics.jsonl: one JSON object a line, written with one call each. A torn last line is ended
// first. A line that cannot be written is an error, or, where lines may be lost, counted for a line
// of its own (metrics_lost) once writing works again. Tests: tests/fault/full_disk.sh,
// tests/fault/names.sh.
#include <seqtrain/job/event_log.h>
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

static bool is_open(const seq_event_log *events) {
    return events->descriptor != 0;
}

static seq_status write_bytes(seq_event_log *events, const char *bytes, size_t size) {
    ssize_t written;
    do
        written = write(events->descriptor - 1, bytes, size);
    while (written < 0 && errno == EINTR);
    if (written < 0) {
        seq_error_set_errno(&events->error, "writing %s", events->path);
        return events->error.status = SEQ_NO_SPACE; // whatever ails the disk
    }
    events->torn = (size_t)written < size;
    if (events->torn)
        seq_error_set(&events->error, SEQ_NO_SPACE, "writing %s: no space left for a whole line",
                      events->path);
    return events->error.status;
}

static void lose_line(seq_event_log *events) {
    if (!events->may_lose) return;
    if (events->lost++ == 0)
        seq_log_warning("%s; lines are lost until it can be written again", events->error.text);
    events->error = (seq_error){0};
}

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void tell_lost(seq_event_log *events) {
    char line[120];
    int size = snprintf(line, sizeof line,
                        "{\"event\": \"metrics_lost\", \"time\": %.3f, \"lines\": %lld}\n",
                        wall_clock(), (long long)events->lost);
    if (!write_bytes(events, line, (size_t)size)) events->lost = 0;
}

static void write_line(seq_event_log *events, const char *bytes, size_t size) {
    seq_fault_point("metrics.writing");
    seq_status status = events->torn ? write_bytes(events, "\n", 1) : SEQ_OK;
    if (!status && events->lost) tell_lost(events);
    if (!events->error.status) write_bytes(events, bytes, size);
    if (events->error.status) lose_line(events);
    seq_fault_point("metrics.written");
}

static bool ends_torn(int descriptor) {
    char last = '\n';
    off_t size = lseek(descriptor, 0, SEEK_END);
    return size > 0 && pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

seq_status seq_event_log_open(seq_event_log *events, const char *run, seq_error *error) {
    uint64_t listed;
    seq_status status = seq_path_join(events->path, run, "metrics.jsonl", error);
    if (status) return status;
    int descriptor = open(events->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return seq_error_set_errno(error, "opening %s", events->path);
    events->descriptor = descriptor + 1;
    if (seq_file_size(events->path, &listed, error)) return error->status; // a pipe may block
    events->torn = ends_torn(descriptor);
    seq_fault_point("metrics.opened");
    return seq_event_log_status(events, error);
}

seq_status seq_event_log_renew(seq_event_log *events, const char *run, bool *out_renewed,
                               seq_error *error) {
    struct stat is_open_one, named;
    *out_renewed = false;
    if (!is_open(events) || fstat(events->descriptor - 1, &is_open_one)) return SEQ_OK;
    if (stat(events->path, &named)
            ? errno != ENOENT
            : named.st_dev == is_open_one.st_dev && named.st_ino == is_open_one.st_ino)
        return SEQ_OK;
    seq_error reason = {0};
    int before = events->descriptor;
    *out_renewed = !seq_event_log_open(events, run, &reason);
    if (*out_renewed) {
        close(before - 1);
        return SEQ_OK;
    }
    if (events->descriptor != before) close(events->descriptor - 1);
    events->descriptor = before;
    if (events->may_lose) return SEQ_OK; // looked at again
    return seq_error_set(error, SEQ_NO_SPACE,
                         "%s: its file was removed or replaced, and cannot be begun anew",
                         reason.text);
}

void seq_event_log_close(seq_event_log *events) {
    if (is_open(events)) close(events->descriptor - 1);
    free(events->line);
    *events = (seq_event_log){0};
}

seq_status seq_event_log_status(const seq_event_log *events, seq_error *error) {
    if (!events->error.status) return SEQ_OK;
    return seq_error_set(error, events->error.status, "%s", events->error.text);
}

__attribute__((format(printf, 2, 3))) static void append(seq_event_log *events, const char *format,
                                                         ...) {
    for (int attempt = 0; attempt < 2; attempt++) {
        va_list arguments;
        va_start(arguments, format);
        size_t room = events->capacity - events->length;
        int needed =
            vsnprintf(events->line ? events->line + events->length : NULL, room, format, arguments);
        va_end(arguments);
        if (needed >= 0 && (size_t)needed < room) {
            events->length += (size_t)needed;
            return;
        }
        size_t wanted = events->length + (size_t)(needed < 0 ? 0 : needed) + 1;
        if (seq_grow(&events->line, &events->capacity, wanted, 1, "a line of metrics",
                     &events->error))
            return;
    }
}

static void append_name(seq_event_log *events, const char *name) {
    append(events, "%s\"%s\": ", events->first ? "" : ", ", name);
    events->first = false;
}

static void append_real(seq_event_log *events, double value) {
    if (isfinite(value))
        append(events, "%.9g", value);
    else
        append(events, "null");
}

void seq_event_begin(seq_event_log *events, const char *event) {
    if (!is_open(events)) return;
    events->length = 0;
    events->first = false;
    append(events, "{\"event\": \"%s\", \"time\": %.3f", event, wall_clock());
}

void seq_event_integer(seq_event_log *events, const char *name, int64_t value) {
    if (!is_open(events)) return;
    append_name(events, name);
    append(events, "%lld", (long long)value);
}

void seq_event_real(seq_event_log *events, const char *name, double value) {
    if (!is_open(events)) return;
    append_name(events, name);
    append_real(events, value);
}

void seq_event_text(seq_event_log *events, const char *name, const char *value) {
    if (!is_open(events)) return;
    append_name(events, name);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream) seq_json_print(stream, value);
    if (!seq_memory_stream_close(stream, &text, &events->error, "a line of metrics"))
        append(events, "%s", text);
    free(text);
}

static void append_reals(seq_event_log *events, const double *values, int count) {
    append(events, "[");
    for (int i = 0; i < count; i++) {
        append(events, i ? ", " : "");
        append_real(events, values[i]);
    }
    append(events, "]");
}

void seq_event_reals(seq_event_log *events, const char *name, const double *values, int count) {
    if (!is_open(events)) return;
    append_name(events, name);
    append_reals(events, values, count);
}

void seq_event_table(seq_event_log *events, const char *name, const double *values, int rows,
                     int columns) {
    if (!is_open(events)) return;
    append_name(events, name);
    for (int row = 0; row < rows; row++) {
        append(events, row ? ", " : "[");
        append_reals(events, values + (size_t)row * (size_t)columns, columns);
    }
    append(events, "]");
}

void seq_event_end(seq_event_log *events) {
    if (!is_open(events)) return;
    append(events, "}\n");
    if (!events->error.status) write_line(events, events->line, events->length);
}
