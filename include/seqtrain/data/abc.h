// ABC notation (abcnotation.com, standard 2.1): symbols of a line, notes, keys, and the place in
// the bar that a text has reached.
#ifndef SEQTRAIN_DATA_ABC_H
#define SEQTRAIN_DATA_ABC_H

#include <stdbool.h>
#include <stddef.h>

// The end of the symbol at `at`, which lies before `end`, the end of its line (without its LF). A
// symbol is a header field (a whole line, or in brackets), a bar line, a note or rest with its
// length, a chord's name in quotes, the head of a tuplet, a run of blanks, a comment, else a
// character. The symbols of a line, joined, are the line.
const char *seq_abc_symbol_end(const char *at, const char *end, bool line_start);

enum {
    SEQ_ABC_NO_ACCIDENTAL = 99,
    SEQ_ABC_UNIT = 20160, // of a length: the tune's L: is so many
    SEQ_ABC_OCTAVE = 12,
};

typedef struct seq_abc_note {
    int letter;      // 0 to 6: C to B
    int octave;      // 0: from middle C on
    int accidental;  // -2 to 2 as written, or SEQ_ABC_NO_ACCIDENTAL
    const char *end; // of pitch: the length follows
} seq_abc_note;
// False: the symbol is no note.
bool seq_abc_note_read(const char *at, const char *end, seq_abc_note *out);
// A length such as "3/2", "//" or "" (1), in units of SEQ_ABC_UNIT; at most 2^24.
int seq_abc_length(const char *at, const char *end);
extern const int seq_abc_naturals[7]; // semitones of the letters above C

typedef struct seq_abc_key {
    int tonic;        // in fifths from C: G is 1, F is -1, Bb is -2
    int sharps;       // of the signature; flats are below 0. -7 to 7
    char name[16];    // "G", "Am", "Ddor"
    const char *rest; // behind tonic and mode
} seq_abc_key;
// False: the text names no key (none, HP).
bool seq_abc_key_read(const char *at, const char *end, seq_abc_key *out);
// Accidental of a letter (0 to 6) in a signature.
int seq_abc_signature(int sharps, int letter);

// How far a text is in its bar: lengths of notes since the last bar line, in units of L:. Fed piece
// by piece, in any pieces; zero-initialise. A note counts as long as it is so far.
typedef struct seq_abc_place {
    int position;                            // in SEQ_ABC_UNIT, of symbols that are complete
    int tuplet_left, tuplet_from, tuplet_to; // notes left, and their factor to / from
    bool inside_line, grace;
    int chord; // 0: outside; 1: no note yet; 2: its length is known
    int chord_length;
    char symbol[64]; // that may go on; of a longer one the begin
    size_t size;
} seq_abc_place;
void seq_abc_place_feed(seq_abc_place *place, const char *text, size_t size);
// "0", "3/2"; "long" from 24 units on.
enum { SEQ_ABC_PLACE = 16 };
void seq_abc_place_text(const seq_abc_place *place, char out[SEQ_ABC_PLACE]);

#endif
