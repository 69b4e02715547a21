#include <seqtrain/base/status.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void record(seq_error *error, seq_status status, const char *format, va_list arguments) {
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
}

seq_status seq_error_set(seq_error *error, seq_status status, const char *format, ...) {
    if (error->status) return error->status;
    va_list arguments;
    va_start(arguments, format);
    record(error, status, format, arguments);
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
    record(error, status_of_errno(number), format, arguments);
    va_end(arguments);
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof error->text - used, ": %s", strerror(number));
    return error->status;
}

seq_status seq_error_add_context(seq_error *error, const char *format, ...) {
    char context[SEQ_ERROR_TEXT], text[SEQ_ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    memcpy(text, error->text, sizeof text);
    size_t used = (size_t)snprintf(error->text, sizeof error->text, "%s: ", context);
    if (used < sizeof error->text)
        snprintf(error->text + used, sizeof error->text - used, "%.*s",
                 (int)(sizeof error->text - used - 1), text);
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

const char *seq_status_name(seq_status status) {
    static const char *const names[] = {
        [SEQ_OK] = "ok",
        [SEQ_STOPPED] = "stopped early",
        [SEQ_BAD_USAGE] = "bad usage",
        [SEQ_BAD_INPUT] = "bad input",
        [SEQ_NO_CHECKPOINT] = "no usable checkpoint",
        [SEQ_BAD_NUMBER] = "numeric failure",
        [SEQ_NO_SPACE] = "no space",
        [SEQ_NO_MEMORY] = "no memory",
        [SEQ_IO] = "input or output error",
        [SEQ_RANK_FAILED] = "a rank failed",
    };
    return names[status];
}
