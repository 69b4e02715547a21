// Bytes of documents -> units, piece by piece: the one place that knows what a unit is. seqprep and
// seq_vocabulary_encode both use it, so a prime or a sentence is cut as the corpus was. Order of
// the work: UTF-8 is checked, a BOM at a document's start and the CR of a CRLF are dropped, lower
// case, normal form C, then units. Unit byte sees none of it. Punctuation is what Unicode puts in
// category P.
#ifndef SEQ_DATA_TOKENIZER_H
#define SEQ_DATA_TOKENIZER_H

#include <seqtrain/data/vocabulary.h>

extern const char seq_eos_text[]; // "<eos>", how an end is handed to the sink
extern const char seq_unk_text[]; // "<unk>"

// Receives each unit's text (not terminated).
typedef seq_status (*seq_unit_sink)(void *context, const char *text, size_t size, seq_error *error);

typedef struct seq_tokenizer seq_tokenizer;
seq_status seq_tokenizer_create(const seq_text_rules *rules, seq_unit_sink sink, void *context,
                                seq_tokenizer **out, seq_error *error);
void seq_tokenizer_destroy(seq_tokenizer *tokenizer);
// `name` is used in messages, with line and byte offset.
void seq_tokenizer_begin(seq_tokenizer *tokenizer, const char *name);
seq_status seq_tokenizer_feed(seq_tokenizer *tokenizer, const char *bytes, size_t size,
                              seq_error *error);
// Ends the document: what is pending is emitted. `with_eos` false leaves out the end that this
// would add.
seq_status seq_tokenizer_end(seq_tokenizer *tokenizer, bool with_eos, seq_error *error);
// Invalid sequences that became U+FFFD since creation.
int64_t seq_tokenizer_replaced(const seq_tokenizer *tokenizer);

#endif
