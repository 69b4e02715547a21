// Sound -> frames: log-mel energies or cepstra in Kaldi's form, without dither.
// Formulas: feat/feature-window.cc, mel-computations.cc, feature-fbank.cc,
// feature-mfcc.cc and feature-functions.cc of Kaldi.
#ifndef SEQTRAIN_PREP_FILTERBANK_H
#define SEQTRAIN_PREP_FILTERBANK_H

#include <seqtrain/prep/frames.h>
#include <seqtrain/prep/sound.h>

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
