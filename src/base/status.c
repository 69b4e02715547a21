// Keeps the first error of a chain of calls and maps status to exit code. Invariant: the text is
// whole UTF-8 characters and fits; a long one is cut in the middle. Where memory ran out, limits of
// the process are told. Tests: tests/unit/base/test_status.c, tests/cli/limits.sh.
#include <seqtrain/base/status.h>
#include <errno.h>
#include <seqtrain/base/free_memory.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 5 * SEQ_ERROR_TEXT, HEAD = SEQ_ERROR_TEXT / 2 };

static bool is_inside_character(char byte) {
    return ((unsigned char)byte & 0xC0) == 0x80;
}

// A text that is too long, mostly for a path in it, loses its middle: the reason stands at its end.
static void keep(seq_error *error, const char *whole) {
    size_t size = strlen(whole), head = HEAD, tail = size - (SEQ_ERROR_TEXT - HEAD - 4);
    if (size < sizeof error->text) {
        memcpy(error->text, whole, size + 1);
        return;
    }
    while (head && is_inside_character(whole[head]))
        head--;
    while (is_inside_character(whole[tail]))
        tail++;
    snprintf(error->text, sizeof error->text, "%.*s...%s", (int)head, whole, whole + tail);
}

static void record(seq_error *error, seq_status status, const char *format, va_list arguments,
                   const char *reason) {
    char whole[LONGEST + 512], limits[300];
    error->status = status;
    vsnprintf(whole, LONGEST, format, arguments);
    size_t used = strlen(whole);
    if (reason) used += (size_t)snprintf(whole + used, sizeof whole - used, ": %s", reason);
    if (status == SEQ_NO_MEMORY && !strstr(whole, "; ulimit -"))
        snprintf(whole + used, sizeof whole - used, "%s",
                 seq_limits_describe(limits, sizeof limits));
    keep(error, whole);
}

seq_status seq_error_set(seq_error *error, seq_status status, const char *format, ...) {
    if (error->status) return error->status;
    va_list arguments;
    va_start(arguments, format);
    record(error, status, format, arguments, NULL);
    va_end(arguments);
    return status;
}

static seq_status status_of_errno(int number) {
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SEQ_NO_SPACE;
    case ENOMEM:
        return SEQ_NO_MEMORY;
    case ENOENT:
    case EACCES:
    case EISDIR:
    case ENOTDIR:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
        return SEQ_BAD_INPUT;
    default:
        return SEQ_IO;
    }
}

seq_status seq_error_set_errno(seq_error *error, const char *format, ...) {
    int number = errno;
    if (error->status) return error->status;
    va_list arguments;
    va_start(arguments, format);
    record(error, status_of_errno(number), format, arguments, strerror(number));
    va_end(arguments);
    return error->status;
}

seq_status seq_error_add_context(seq_error *error, const char *format, ...) {
    char whole[LONGEST + SEQ_ERROR_TEXT + 4];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(whole, LONGEST, format, arguments);
    va_end(arguments);
    size_t used = strlen(whole);
    snprintf(whole + used, sizeof whole - used, ": %s", error->text);
    keep(error, whole);
    return error->status;
}

int seq_status_exit_code(seq_status status) {
    switch (status) {
    case SEQ_OK:
        return 0;
    case SEQ_STOPPED:
        return 75;
    case SEQ_BAD_USAGE:
        return 2;
    case SEQ_BAD_INPUT:
        return 3;
    case SEQ_NO_CHECKPOINT:
        return 4;
    case SEQ_BAD_NUMBER:
        return 5;
    case SEQ_RANK_FAILED:
        return 6;
    case SEQ_NO_SPACE:
        return 7;
    default:
        return 1;
    }
}
