// Sound: WAV and FLAC bytes -> the samples of one channel.
#ifndef SEQTRAIN_PREP_SOUND_H
#define SEQTRAIN_PREP_SOUND_H

#include <seqtrain/prep/reader.h>

enum {
    SEQ_SOUND_SAMPLES = SEQ_ITEM_BYTES / 4, // of a sound at most: 70 minutes at 16 kHz
};

// Zero-initialise. The samples are the struct's until seq_sound_clear.
typedef struct seq_sound {
    float *samples; // full scale is +-32768, whatever the file's form: Kaldi's scale; all finite
    size_t count, capacity;
    int rate; // Hz
} seq_sound;

// Reads the stream to its end. `channel` counts from 1; 0: the only one. WAV of 16 bits is read by
// our own code; of 8, 24 and 32 bits, in float, A-law and mu-law, and FLAC by libsndfile, without
// which SEQ_BAD_INPUT names the package. SEQ_BAD_INPUT: another form, a header that contradicts
// itself or the file's size, a file that is cut off, no samples or too many, a sample that is not
// finite. SEQ_BAD_USAGE: several channels and none chosen, or one that is not there.
seq_status seq_sound_read(const seq_byte_stream *stream, const char *name, int channel,
                          seq_sound *out, seq_error *error);

// To another rate, by a sinc of 32 zero crossings on each side under a Hann window, cut off at 95 %
// of the lower Nyquist frequency; the sound is silent before and after. The length is
// ceil(count * rate / sound->rate). Formula: J. O. Smith, "Digital Audio Resampling Home Page",
// section "Implementation". SEQ_BAD_INPUT: too many samples, or two rates whose ratio needs more
// than 16 MB of weights.
seq_status seq_sound_resample(seq_sound *sound, int rate, const char *name, seq_error *error);
void seq_sound_clear(seq_sound *sound);

#endif
