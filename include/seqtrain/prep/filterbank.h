// Sound -> frames: log-mel energies or cepstra in Kaldi's form, without dither.
// Formulas: feat/feature-window.cc, mel-computations.cc, feature-fbank.cc,
// feature-mfcc.cc and feature-functions.cc of Kaldi.
#ifndef SEQTRAIN_PREP_FILTERBANK_H
#define SEQTRAIN_PREP_FILTERBANK_H

#include <seqtrain/base/option.h>
#include <seqtrain/base/record.h>
#include <seqtrain/prep/frames.h>
#include <seqtrain/prep/sound.h>

typedef enum seq_features { SEQ_FEATURES_FBANK, SEQ_FEATURES_MFCC, SEQ_FEATURES_NONE } seq_features;
typedef enum seq_frame_window {
    SEQ_WINDOW_POVEY, // Hann's to the power of 0.85
    SEQ_WINDOW_HAMMING,
    SEQ_WINDOW_HANN,
    SEQ_WINDOW_BLACKMAN,
    SEQ_WINDOW_RECTANGULAR
} seq_frame_window;

// How sound is read and what is made of it. Defaults: seq_sound_settings_read of no record.
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

typedef struct seq_filterbank seq_filterbank;
// Tables for sound of this rate. Settings are copied. SEQ_BAD_USAGE: settings that contradict each
// other or the rate, and a mel bin that no line of the spectrum falls into; names the bin.
// SEQ_BAD_INPUT: the build lacks the FFT; names the package.
seq_status seq_filterbank_create(const seq_sound_settings *settings, int rate, seq_filterbank **out,
                                 seq_error *error);
void seq_filterbank_destroy(seq_filterbank *bank); // NULL is fine
int seq_filterbank_width(const seq_filterbank *bank);
// Of sound of that rate. Sound that is shorter than a frame gives one frame, filled up with zeros;
// then frames->padded is set. Frames may hold infinities where samples are huge.
seq_status seq_filterbank_run(seq_filterbank *bank, const seq_sound *sound, const char *name,
                              seq_frames *out, seq_error *error);

// All of it: reads, resamples, checks the rate, makes frames. Sets out->rate.
seq_status seq_sound_frames(const seq_sound_settings *settings, const seq_byte_stream *stream,
                            const char *name, seq_frames *out, seq_error *error);

#endif
