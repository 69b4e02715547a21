// Frames of an item: room, missing values, check. Invariant: `values` holds rows x width
// floats at least. Test: tests/unit/prep/test_frames.c.
#include <seqtrain/prep/frames.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

seq_status seq_frames_resize(seq_frames *frames, size_t rows, int width, seq_error *error) {
    if (width < 1 || rows > SIZE_MAX / sizeof(float) / (size_t)width)
        return seq_error_set(error, SEQ_NO_MEMORY, "%zu frames of %d values are too many", rows,
                             width);
    size_t count = rows * (size_t)width;
    seq_status status = seq_grow(&frames->values, &frames->capacity, count ? count : 1,
                                 sizeof *frames->values, "frames", error);
    if (status) return status;
    frames->rows = rows;
    frames->width = width;
    return SEQ_OK;
}

void seq_frames_clear(seq_frames *frames) {
    free(frames->values);
    *frames = (seq_frames){0};
}

// Rows `from` and `to` have values (or are -1 and `rows`: outside); those between have none.
static void fill_gap(float *column, size_t stride, int64_t from, int64_t to, int64_t rows) {
    float first = from >= 0 ? column[(size_t)from * stride] : column[(size_t)to * stride];
    float last = to < rows ? column[(size_t)to * stride] : first;
    double step = from >= 0 && to < rows ? ((double)last - (double)first) / (double)(to - from) : 0;
    for (int64_t row = from + 1; row < to; row++)
        column[(size_t)row * stride] = (float)((double)first + step * (double)(row - from));
}

size_t seq_frames_fill(seq_frames *frames) {
    int64_t rows = (int64_t)frames->rows;
    size_t filled = 0, width = (size_t)frames->width;
    for (size_t i = 0; rows && i < width; i++) {
        float *column = frames->values + i;
        int64_t before = -1; // the last row with a value
        for (int64_t row = 0; row <= rows; row++) {
            if (row < rows && isnan(column[(size_t)row * width])) continue;
            bool nothing = before < 0 && row == rows;
            if (row - before > 1 && !nothing) {
                filled += (size_t)(row - before - 1);
                fill_gap(column, width, before, row, rows);
            }
            before = row;
        }
    }
    return filled;
}

seq_status seq_frames_check(const seq_frames *frames, const char *file, seq_error *error) {
    for (size_t row = 0; row < frames->rows; row++)
        for (int i = 0; i < frames->width; i++) {
            float value = frames->values[row * (size_t)frames->width + (size_t)i];
            if (!isfinite(value))
                return seq_error_set(error, SEQ_BAD_INPUT,
                                     "%s, frame %zu, value %d is %g: expected a finite number",
                                     file, row + 1, i + 1, (double)value);
        }
    return SEQ_OK;
}
