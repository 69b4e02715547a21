// Frames of an item: room and check. Invariant: `values` holds rows x width
// floats at least. Test: tests/unit/prep/test_frames.c.
#include <seqtrain/prep/frames.h>
#include <math.h>
#include <seqtrain/base/memory.h>
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
