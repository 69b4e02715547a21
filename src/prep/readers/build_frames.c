// How readers of texts build frames: a number is decimal, and the next one is
// looked for by the reader. Room grows with what the file holds, never with what
// it says it holds. Invariant: an item has SEQ_ITEM_BYTES at most, as float32.
// Test: tests/unit/prep/test_frame_readers.c.
#include "reader_private.h"
#include <math.h>
#include <seqtrain/base/escape.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void seq_build_frames(seq_reader *reader, int width) {
    reader->has_frames = true;
    reader->frames.rows = 0;
    reader->frames.width = width;
    reader->frames.first = reader->frames.shift = 0;
}

seq_status seq_build_frame(seq_reader *reader, float **out, seq_error *error) {
    seq_frames *frames = &reader->frames;
    size_t width = (size_t)frames->width;
    if (frames->rows + 1 > SEQ_ITEM_BYTES / sizeof **out / width)
        return seq_item_refuse(reader->name, reader->line, 0, error,
                               "the item that begins here has more than %d bytes of values",
                               SEQ_ITEM_BYTES);
    seq_status status = seq_frames_resize(frames, frames->rows + 1, frames->width, error);
    *out = frames->values + (frames->rows - (status == SEQ_OK)) * width;
    return status;
}

// What is no decimal number is none: neither hexadecimal digits nor the words that strtod knows.
static bool parse(const char *at, size_t size, double *out) {
    char *end;
    if (!size || strspn(at, "0123456789+-.eE") < size) return false;
    *out = strtod(at, &end);
    return end == at + size;
}

bool seq_is_number(const char *at, size_t size) {
    double number;
    seq_trim(&at, &size);
    return parse(at, size, &number);
}

static bool is_missing(const char *at, size_t size) {
    return !size || (size == 1 && *at == '?') || (size == 2 && strncasecmp(at, "na", 2) == 0) ||
           (size == 3 && strncasecmp(at, "nan", 3) == 0);
}

seq_status seq_build_number(seq_reader *reader, const char *at, size_t size, int64_t column,
                            float *out, seq_error *error) {
    int64_t line = reader->lines.number;
    const char *from = at;
    double number;
    seq_trim(&at, &size);
    column += at - from;
    if (parse(at, size, &number)) {
        *out = (float)number;
        if (isfinite(*out)) return SEQ_OK;
    }
    *out = NAN;
    char shown[80];
    seq_escape(at, size, false, shown, sizeof shown);
    if (!is_missing(at, size))
        return seq_item_refuse(reader->name, line, column, error,
                               "'%s' is no number (decimal, to 3.4e38)", shown);
    if (reader->settings->missing == SEQ_MISSING_INTERPOLATE) return SEQ_OK;
    return seq_item_refuse(reader->name, line, column, error,
                           "the value is missing ('%s'); --missing-values interpolate fills it "
                           "from the frames before and behind it",
                           shown);
}
