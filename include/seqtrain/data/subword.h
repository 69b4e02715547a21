// Subword units: byte-pair merges as subword-nmt learns and applies them (Sennrich, Haddow and
// Birch 2016). A word begins as its characters, the last of them glued to "</w>"; a merge joins two
// neighbours to one unit. Units of a word but its last carry the mark "@@": "lower" -> "low@@ er".
// Words are what the tokenizer makes of text for SEQ_UNIT_WORD. <unk> and <eos> are units of their
// own and never cut.
#ifndef SEQTRAIN_DATA_SUBWORD_H
#define SEQTRAIN_DATA_SUBWORD_H

#include <seqtrain/data/string_table.h>
#include <seqtrain/data/tokenizer.h>

enum {
    SEQ_MERGES_MOST = 1 << 20,
    SEQ_GLOSSARIES = 64,      // expressions
    SEQ_GLOSSARY_TEXT = 1024, // bytes of them all
};

// Merges in their order, and glossaries: what a glossary matches is a unit and is never split. Does
// not change once it is made; threads share it. Counted references: those that share it each
// release it with seq_subword_destroy (NULL is fine).
typedef struct seq_subword seq_subword;
seq_subword *seq_subword_share(seq_subword *subword); // one more reference; NULL gives NULL
void seq_subword_destroy(seq_subword *subword);

// Learns from distinct words and their counts (joint: one table with the words of both sides, the
// counts added). The most frequent pair is merged first; of equal ones the greatest, by code
// points, first unit before second. It ends early when no pair occurs `least` times. Words whose
// count is 0, or that hold a blank, are passed over. The result depends on nothing else, so on no
// order of the words.
typedef struct seq_subword_learning {
    int64_t merges;         // 1 .. SEQ_MERGES_MOST
    int64_t least;          // 1 or more; subword-nmt has 2
    const char *glossaries; // POSIX extended expressions, separated by ';', without {m,n} and \1;
                            // NULL or "": none
    bool (*stopped)(void);  // true ends the work with SEQ_STOPPED; NULL: never
} seq_subword_learning;
seq_status seq_subword_learn(const seq_subword_learning *learning, const seq_string_table *words,
                             seq_subword **out, seq_error *error);

// A merges file: "#version: 0.2", then "LEFT RIGHT" lines. Without that line it is of version 0.1,
// where "</w>" is a symbol behind the last character. Of equal merges the first counts. `failure`
// is the status of what the file has wrong, with its line; hostile files are refused.
seq_status seq_subword_read(const char *path, const char *glossaries, seq_status failure,
                            seq_subword **out, seq_error *error);
seq_status seq_subword_write(const seq_subword *subword, const char *path, seq_error *error);
int64_t seq_subword_merges(const seq_subword *subword);
const char *seq_subword_glossaries(const seq_subword *subword); // as given; "": none
// Hex XXH3-128 of the file that seq_subword_write makes.
seq_status seq_subword_hash(const seq_subword *subword, char out[33], seq_error *error);

// Cuts words; one a thread. It caches some thousand short words. `kept` is the caller's; NULL:
// every unit is kept. A unit that `kept` lacks, or has less than `least` times, is split again by
// undoing its merge. A single character is never split, whether `kept` has it or not.
typedef struct seq_subword_cutter seq_subword_cutter;
seq_status seq_subword_cutter_create(const seq_subword *subword, const seq_string_table *kept,
                                     int64_t least, seq_unit_sink sink, void *context,
                                     seq_subword_cutter **out, seq_error *error);
// With the merges of a vocabulary, whose units are kept: cuts as its data set was cut.
seq_status seq_subword_cutter_for(const seq_vocabulary *vocabulary, seq_unit_sink sink,
                                  void *context, seq_subword_cutter **out, seq_error *error);
void seq_subword_cutter_destroy(seq_subword_cutter *cutter); // NULL is fine
// A seq_unit_sink, to stand between a tokenizer of words and the sink of units (which gets them one
// by one, with their marks). A last unit that ends in "@@", or is "<unk>" or "<eos>", is cut into
// its characters, so that a mark is always a mark.
seq_status seq_subword_take(void *cutter, const char *text, size_t size, size_t count,
                            seq_error *error);

// All words of a table -> units. `words`: counts are those of the training part, 0 for words of
// other parts only. A unit of the training part that occurs less than `threshold` times (from 1 on)
// is split again. `known` (NULL: none): units that are kept in any case. `units` must be empty: it
// receives the units with their counts in the training part. The vocabulary of `units` (those with
// a count, or more than some least one, and the letters) is what seq_subword_cutter_create takes as
// `kept` later on: it cuts a word as it was cut here.
typedef struct seq_subword_map {
    uint32_t *units; // numbers of `units`, of all words one after another
    size_t *ends;    // by number of a word: where its units end; they begin where those before end
    size_t letters;  // of `units`, the first so many: the characters of training, with and without
                     // a mark. Some have the count 0, but belong into a vocabulary all the same.
} seq_subword_map;
seq_status seq_subword_map_words(const seq_subword *subword, const seq_string_table *words,
                                 int64_t threshold, const seq_vocabulary *known,
                                 seq_string_table *units, seq_subword_map *out, seq_error *error);
void seq_subword_map_clear(seq_subword_map *map);

// Whether a unit goes on in the next one; then *size is less the mark.
bool seq_subword_continues(const char *unit, size_t *size);
// Text of units separated by blanks, as other programs write it -> text, in place; returns its
// size. No mark is left, also at the end of a line.
size_t seq_subword_join(char *text, size_t size);

#endif
