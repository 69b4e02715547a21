// Merges as learning, files and cutting see them.
#ifndef SEQ_DATA_SUBWORD_PRIVATE_H
#define SEQ_DATA_SUBWORD_PRIVATE_H

#include <regex.h>
#include <seqtrain/data/subword.h>

#define SEQ_WORD_END "</w>"
enum { SEQ_WORD_END_SIZE = 4, SEQ_MARK_SIZE = 2 };
#define SEQ_NO_SYMBOL UINT32_MAX
#define SEQ_NO_MERGE  UINT32_MAX

typedef struct seq_merge {
    uint32_t left, right, whole; // numbers of symbols
} seq_merge;

struct seq_subword {
    int references;
    bool end_apart; // version 0.1: the word's end is a symbol of its own
    seq_string_table symbols;
    seq_merge *merges; // as in the file: a pair may stand twice
    size_t count, capacity;
    uint32_t *slots; // open addressing: pair -> its first merge + 1, 0: free
    size_t slot_count;
    uint32_t *made_by; // by symbol: the first merge that makes it + 1, 0: none
    size_t made_capacity;
    char glossaries[SEQ_GLOSSARY_TEXT];
    regex_t patterns[SEQ_GLOSSARIES];
    size_t pattern_count;
};

seq_status seq_subword_create(const char *glossaries, seq_subword **out, seq_error *error);
// Appends a merge of two symbols, not empty.
seq_status seq_subword_add(seq_subword *subword, const char *left, size_t left_size,
                           const char *right, size_t right_size, seq_error *error);
// The first merge of a pair; SEQ_NO_MERGE: none.
uint32_t seq_subword_find(const seq_subword *subword, uint32_t left, uint32_t right);
uint64_t seq_pair_hash(uint32_t left, uint32_t right);
// <unk> and <eos>.
bool seq_subword_is_special(const char *text, size_t size);

// A word's parts between glossaries, from left to right; `matched`: a glossary matches it. `word`
// ends in NUL and is changed meanwhile.
typedef seq_status (*seq_segment_sink)(void *context, size_t begin, size_t end, bool matched,
                                       seq_error *error);
seq_status seq_subword_isolate(const seq_subword *subword, char *word, size_t size,
                               seq_segment_sink sink, void *context, seq_error *error);

#endif
