// Making a vocabulary token by token: for seqprep and for the reader of vocabulary.tsv.
#ifndef SEQTRAIN_DATA_VOCABULARY_BUILDER_H
#define SEQTRAIN_DATA_VOCABULARY_BUILDER_H

#include <seqtrain/data/vocabulary.h>

enum { SEQ_BYTES = 256 }; // the first ids of unit byte are the bytes themselves

seq_status seq_vocabulary_create(const seq_text_rules *rules, seq_vocabulary **out,
                                 seq_error *error);
// Appends a token; ids count up from 0. An id that is taken already is SEQ_BAD_INPUT.
seq_status seq_vocabulary_append(seq_vocabulary *vocabulary, const char *text, size_t size,
                                 int64_t count, seq_error *error);
// Of unit subword, before use: shares the merges.
void seq_vocabulary_set_subword(seq_vocabulary *vocabulary, struct seq_subword *subword);
// Code points of UTF-8 text.
int64_t seq_count_points(const char *text, size_t size);
// What seq_vocabulary_characters counts for a unit, <eos> apart, that may not be in a vocabulary.
int64_t seq_unit_characters(seq_unit unit, const char *text, size_t size);

#endif
