// Transcripts: what is said in a sound, or happens in other frames, as symbols. seqprep, seqpredict
// --align and seqeval cut them alike: into characters, or into words, which are whatever blanks
// separate (phones, say). Normal form C, always.
#ifndef SEQTRAIN_DATA_TRANSCRIPT_H
#define SEQTRAIN_DATA_TRANSCRIPT_H

#include <seqtrain/data/vocabulary.h>

extern const char seq_blank_text[]; // "<blank>", id 0 of the symbols: no symbol in this frame

// `unit` is char or word.
seq_text_rules seq_transcript_rules(seq_unit unit);
// A transcript without what its layout adds: blanks (tabs, line ends) at its ends are dropped, a
// run of them inside is one blank. Writes at most `size` bytes and returns how many; in place is
// fine.
size_t seq_transcript_trim(const char *text, size_t size, char *out);

#endif
