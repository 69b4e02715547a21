// What happens to an item's frames between the reader and the data set, in this order: lost frames,
// centring, scale, velocities, stacking and sub-sampling. The settings are recorded in the schema's
// reader record, so raw input of a prediction is prepared as the data set was.
#ifndef SEQTRAIN_PREP_FRAME_TRANSFORMS_H
#define SEQTRAIN_PREP_FRAME_TRANSFORMS_H

#include <seqtrain/base/option.h>
#include <seqtrain/base/record.h>
#include <seqtrain/prep/frames.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum seq_frame_scale { SEQ_SCALE_NONE, SEQ_SCALE_UNIT, SEQ_SCALE_JOINTS } seq_frame_scale;

// All zero: frames stay as they are.
typedef struct seq_frame_settings {
    double rate; // frames a second, of frames without times; 0: they stay without
    bool lost;   // a frame of zeros alone becomes what lies between its neighbours
    int center;  // joint, from 1, that becomes the origin in each frame; width = 3 x joints
    seq_frame_scale scale;
    int from, to;    // joints, from 1: their mean distance in an item becomes 1
    bool velocities; // the change since the frame before stands behind the values; 0 in the first
    int stack;       // frames that become one, one behind the other; 0: 1
    int subsample;   // the result has a frame for every so many; 0: as `stack`
} seq_frame_settings;

typedef struct seq_frame_counts {
    int64_t lost;     // frames that were interpolated
    int64_t unscaled; // items that had no extent to be scaled by, and stay as they are
} seq_frame_counts;

// Frames in place. Stacking begins at the frames 0, subsample, 2 subsample ...; behind the last
// frame it is repeated, so the result has ceil(rows / subsample) rows. `shift` becomes subsample
// times as long, `first` stays. An item of lost frames only stays as it is. Counts are added to.
// SEQ_BAD_INPUT: a joint that the width does not have, a --frame-rate for frames that have times,
// values that are not finite afterwards; the message does not know the file. On failure the frames
// are of no use.
seq_status seq_frames_prepare(const seq_frame_settings *settings, seq_frames *frames,
                              seq_frame_counts *counts, seq_error *error);
// The name of an option that these settings set; NULL: all are at their defaults.
const char *seq_frame_settings_given(const seq_frame_settings *settings);

// The options of seqprep, and the settings from a program's values of them (NULL: the defaults).
// SEQ_BAD_USAGE: --scale is neither unit nor JOINT-JOINT.
extern const seq_option_group seq_frame_options;
seq_status seq_frame_configure(const void *values, seq_frame_settings *out, seq_error *error);

// Keys frame_rate, lost_frames, center, scale, velocities, stack, subsample; none for a default.
seq_status seq_frame_settings_write(const seq_frame_settings *settings, seq_record *record,
                                    seq_error *error);
// With the bounds of the options; SEQ_NO_CHECKPOINT or SEQ_BAD_INPUT names the key.
seq_status seq_frame_settings_read(seq_frame_settings *out, const seq_record *record,
                                   seq_error *error);

#endif
