// The two halves of the tokenizer: bytes -> code points (tokenizer.c) -> units (tokenizer_units.c).
#ifndef SEQ_DATA_TOKENIZER_PRIVATE_H
#define SEQ_DATA_TOKENIZER_PRIVATE_H

#include <seqtrain/data/tokenizer.h>

enum { SEQ_ASCII = 128 };

struct seq_tokenizer {
    seq_text_rules rules;
    seq_unit_sink sink;
    void *context;
    const char *name;
    int64_t line, offset; // of the piece's first byte, from 1 and from 0
    const char *piece;    // that is being fed
    size_t at;            // in it
    seq_text_counts counts;
    unsigned char partial[4]; // of a UTF-8 sequence
    int partial_size, partial_needed;
    bool at_start; // nothing of the document has been seen: a BOM may come
    bool carriage; // a CR waits for its LF
    seq_text_ends ends;
    unsigned char classes[SEQ_ASCII]; // of characters, for words
    char *word;
    size_t word_size, word_capacity;
    bool inside_line; // abc: symbols of the line have been emitted
    char *segment;    // UTF-8 waiting for normalisation
    size_t segment_size, segment_capacity;
};

// The line of the next byte.
int64_t seq_tokenizer_line(const seq_tokenizer *tokenizer);

void seq_units_classify(seq_tokenizer *tokenizer);
// A code point after all transformations.
seq_status seq_units_take_point(seq_tokenizer *tokenizer, int32_t point, const char *text,
                                size_t size, seq_error *error);
// The piece from `at` to `end`, of bytes that are characters for themselves: ASCII without NUL and
// CR that nothing combines with, or any bytes for unit byte. Leaves `at` at `end`.
seq_status seq_units_take_plain(seq_tokenizer *tokenizer, size_t end, seq_error *error);
seq_status seq_units_end_word(seq_tokenizer *tokenizer, seq_error *error);
seq_status seq_units_end_document(seq_tokenizer *tokenizer, seq_error *error);

#endif
