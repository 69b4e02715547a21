// Frames: one item of real vectors, as a reader hands it on. A frame is a row
// of `width` values: a spectrum, the joints of a body, the axes of a sensor.
#ifndef SEQTRAIN_PREP_FRAMES_H
#define SEQTRAIN_PREP_FRAMES_H

#include <seqtrain/base/status.h>
#include <stddef.h>

// Zero-initialise. The values are the struct's until seq_frames_clear.
typedef struct seq_frames {
    size_t rows;
    int width;
    float *values;   // (rows, width), all finite
    double first;    // seconds: where the first frame begins
    double shift;    // seconds from one frame to the next; 0: frames have no time
    size_t capacity; // floats that `values` has room for
} seq_frames;

// Room for rows x width; what was there stays, as far as it fits, row by row
// only where the width is the same. SEQ_NO_MEMORY.
seq_status seq_frames_resize(seq_frames *frames, size_t rows, int width, seq_error *error);
void seq_frames_clear(seq_frames *frames);
// Each NaN becomes what lies between the values before and behind it in time, on a straight line;
// before the first value and behind the last one that value stays. Returns how many there were. A
// column of nothing but NaN stays so.
size_t seq_frames_fill(seq_frames *frames);
// SEQ_BAD_INPUT names file, frame and value (both from 1) of the first one that is not finite.
seq_status seq_frames_check(const seq_frames *frames, const char *file, seq_error *error);

#endif
