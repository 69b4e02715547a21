// Bytes of documents -> units, piece by piece: the one place that knows what a unit is. seqprep and
// seq_vocabulary_encode both use it, so a prime or a sentence is cut as the corpus was. Order of
// the work: UTF-8 is checked (NUL is not part of a text), a BOM at a document's start is dropped,
// CR, CRLF and NEL become LF, lower case, normal form C, then units. Unit byte sees none of it: LF
// alone ends a line there. Punctuation is what Unicode puts in category P. For unit subword the
// sink gets words: seq_subword_take cuts them.
#ifndef SEQTRAIN_DATA_TOKENIZER_H
#define SEQTRAIN_DATA_TOKENIZER_H

#include <seqtrain/data/vocabulary.h>

extern const char seq_eos_text[]; // "<eos>", how an end is handed to the sink
extern const char seq_unk_text[]; // "<unk>"

// Receives `count` units of `size` bytes each, one after another in `text` (not terminated).
typedef seq_status (*seq_unit_sink)(void *context, const char *text, size_t size, size_t count,
                                    seq_error *error);

// Where a part of a document begins. `name` is used in messages, with line and byte offset.
typedef struct seq_text_place {
    const char *name;
    int64_t line, offset; // from 1 and from 0
    bool inside;          // not at the document's start: a BOM is a character
} seq_text_place;

typedef struct seq_tokenizer seq_tokenizer;
seq_status seq_tokenizer_create(const seq_text_rules *rules, seq_unit_sink sink, void *context,
                                seq_tokenizer **out, seq_error *error);
void seq_tokenizer_destroy(seq_tokenizer *tokenizer);
// For a document that goes on: from now on units go to `context`, and `name` is used.
void seq_tokenizer_redirect(seq_tokenizer *tokenizer, const char *name, void *context);
void seq_tokenizer_begin(seq_tokenizer *tokenizer, seq_text_place place);
seq_status seq_tokenizer_feed(seq_tokenizer *tokenizer, const char *bytes, size_t size,
                              seq_error *error);
// What is pending is emitted.
seq_status seq_tokenizer_flush(seq_tokenizer *tokenizer, seq_error *error);
// Ends the document: what is pending is emitted, then the end that the rules want.
seq_status seq_tokenizer_end(seq_tokenizer *tokenizer, seq_error *error);
// What of the document's units says whether its end will be emitted: since seq_tokenizer_begin.
typedef struct seq_text_ends {
    bool whole;     // that was the document's start
    bool any;       // there are units
    bool line_open; // there are units behind the last line end
} seq_text_ends;
seq_text_ends seq_tokenizer_ends(const seq_tokenizer *tokenizer);
bool seq_text_wants_end(const seq_text_rules *rules, seq_text_ends ends);
// Since creation.
typedef struct seq_text_counts {
    int64_t line_feeds;           // those of CRLF, too
    int64_t crlf, carriages;      // CR alone; for unit byte only where lines end in <eos>
    int64_t next_lines;           // U+0085
    int64_t replaced, long_words; // invalid sequences and NUL; words that the rules pass over
    int64_t marks;                // BOMs that stay: at a line's start; for unit byte a document's
} seq_text_counts;
const seq_text_counts *seq_tokenizer_counts(const seq_tokenizer *tokenizer);

// The greatest place below `size` where a text may be cut so that a tokenizer that begins there and
// one that is flushed there give the units of the whole; 0: there is none.
size_t seq_text_cut(const seq_text_rules *rules, const char *bytes, size_t size);
// LF, and CR that no LF follows in these bytes.
int64_t seq_count_lines(const char *bytes, size_t size);

#endif
