// Whole tunes in ABC notation: what of a tune is melody, and the same tune in another key.
#ifndef SEQTRAIN_PREP_ABC_TUNE_H
#define SEQTRAIN_PREP_ABC_TUNE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct seq_abc_survey {
    int lowest, highest;      // notes as in MIDI, middle C is 60; lowest > highest: there are none
    int sharps;               // of the key at the first note; flats are below 0
    bool keyed;               // every K: names a key
    unsigned char melody[16]; // digest of pitches relative to the first one, and lengths: tunes
                              // that are equal but for their key have the same
} seq_abc_survey;
// An accidental holds for its letter until the end of the bar.
seq_status seq_abc_survey_tune(const char *text, size_t size, seq_abc_survey *out,
                               seq_error *error);

// The tune `semitones` higher (-11 to 11), `fifths` further in the circle of fifths, which is 7 x
// semitones up to multiples of 12: notes, names of chords, and the K: of all fields. Rests,
// lengths, layout, other fields and texts in quotes that begin with no chord stay as they are.
// *out is released with free(); NULL: a note would need three accidentals, or a K: names no key.
seq_status seq_abc_transpose(const char *text, size_t size, int semitones, int fifths, char **out,
                             size_t *out_size, seq_error *error);

// The name of the key that the last K: line of a head says, or "none".
enum { SEQ_ABC_KEY = 16 };
void seq_abc_head_key(const char *head, size_t size, char out[SEQ_ABC_KEY]);

// "G,-b'": the lowest and highest note of a range. SEQ_BAD_USAGE names --OPTION.
seq_status seq_abc_range_parse(const char *option, const char *text, int *out_lowest,
                               int *out_highest, seq_error *error);

#endif
