// What a language model says of sequences of other symbols, prefix by prefix: shallow fusion.
//
// A prefix has the probabilities that seq_scorer (infer/score.h) gives its tokens: the state begins
// at zero, and the input of the first token is the zero vector.
#ifndef SEQTRAIN_INFER_LANGUAGE_H
#define SEQTRAIN_INFER_LANGUAGE_H

#include <seqtrain/data/vocabulary.h>
#include <seqtrain/model/model.h>

// Immutable, shared by threads. Model, weights and vocabulary are the caller's and outlive it; the
// model's compute has no team.
typedef struct seq_language {
    const seq_model *model;
    const seq_weights *weights;
    int symbols;  // K: of the other model
    int32_t *ids; // (K): the token of each symbol; [0], the blank's place: <eos>, or SEQ_NO_ID
} seq_language;

// Matches symbols 1 .. K-1 to tokens by their texts. A symbol that the language
// model does not know is SEQ_BAD_USAGE, and the message names it, unless `unknown` lets it be
// <unk>; then *out_unknown counts them. `what` begins messages: "--lm RUN".
seq_status seq_language_create(const seq_model *model, const seq_weights *weights,
                               const seq_vocabulary *tokens, const seq_vocabulary *symbols,
                               bool unknown, const char *what, seq_language *out, int *out_unknown,
                               seq_error *error);
void seq_language_clear(seq_language *language);

// Prefixes that are being read, a thread's own. A place holds the state behind a prefix.
typedef struct seq_language_reader seq_language_reader;
seq_status seq_language_reader_create(const seq_language *language, seq_language_reader **out,
                                      seq_error *error);
void seq_language_reader_destroy(seq_language_reader *reader); // NULL is fine
// Places 0 .. places-1 are there from now on; what they hold is kept.
seq_status seq_language_reserve(seq_language_reader *reader, int places, seq_error *error);

// Reads symbols[i] behind the prefix in place from[i], and keeps the result in place to[i], for all
// i < count. Symbol 0 begins: the empty prefix, whatever is in from[i]. No place of `to` is among
// those of `from`, or in `to` twice. Bits do not depend on what is read at the same time.
void seq_language_read(seq_language_reader *reader, int count, const int32_t *from,
                       const int32_t *to, const int32_t *symbols);
// (K): ln p of each symbol behind the prefix in a place; [0]: of the end, 0 where the language
// model has no <eos>.
const float *seq_language_next(const seq_language_reader *reader, int32_t place);

#endif
