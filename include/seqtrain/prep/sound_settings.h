// How sound becomes frames: the options of seqprep, and their record in a data set.
#ifndef SEQTRAIN_PREP_SOUND_SETTINGS_H
#define SEQTRAIN_PREP_SOUND_SETTINGS_H

#include <seqtrain/base/option.h>
#include <seqtrain/base/record.h>

enum { SEQ_SOUND_RATE = 768000 }; // Hz, at most

typedef enum seq_features { SEQ_FEATURES_FBANK, SEQ_FEATURES_MFCC, SEQ_FEATURES_NONE } seq_features;
typedef enum seq_frame_window {
    SEQ_WINDOW_POVEY, // Hann's to the power of 0.85
    SEQ_WINDOW_HAMMING,
    SEQ_WINDOW_HANN,
    SEQ_WINDOW_BLACKMAN,
    SEQ_WINDOW_RECTANGULAR
} seq_frame_window;

// Defaults: seq_sound_settings_read of no record. Zeros are no settings: mel_bins is 1 at least.
typedef struct seq_sound_settings {
    int64_t channel;  // from 1; 0: the only one
    int64_t resample; // to this rate, Hz; 0: never
    int features;     // seq_features
    int64_t mel_bins;
    double low, high;     // Hz; high 0 or less: that much below half the sample rate
    double length, shift; // of a frame, ms; rounded down to samples
    int window;           // seq_frame_window
    double pre_emphasis;
    int energy; // 0: mfcc has it, fbank not; 1: yes; 2: no
    double energy_floor;
    bool htk_order;  // the energy, or C0, comes last
    bool snip_edges; // only frames that lie in the sound; else their number is samples / shift
    int64_t cepstra;
    double lifter;  // 0: none
    int64_t deltas; // 0, 1 or 2: orders of regression over two frames on each side
    // No options:
    int rate;          // Hz: of the data set's sound; 0: any
    const char *given; // an option of these that the user has given, or NULL
} seq_sound_settings;

// The options of a program: all fields above but the last two.
extern const seq_option_group seq_sound_options;
// Keys are the options' names; those at their defaults are left out. `given` is not recorded.
seq_status seq_sound_settings_write(const seq_sound_settings *settings, seq_record *record,
                                    seq_error *error);
// Other keys are others'. NULL: the defaults. SEQ_NO_CHECKPOINT: a value that the option would not
// take.
seq_status seq_sound_settings_read(seq_sound_settings *out, const seq_record *record,
                                   seq_error *error);

#endif
