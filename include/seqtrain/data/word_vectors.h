// Vectors of words in text form, as word2vec, GloVe and fastText write them: a
// word and its numbers a line, plain or gzip.
#ifndef SEQTRAIN_DATA_WORD_VECTORS_H
#define SEQTRAIN_DATA_WORD_VECTORS_H

#include <seqtrain/data/vocabulary.h>

// What a file gave to a vocabulary.
typedef struct seq_word_matches {
    int64_t lines;          // words of the file
    int64_t exact, lowered; // words of the vocabulary that it has, and those it has in lower case
    int64_t missing;        // neither
    int64_t duplicates;     // lines of a word that it had before, of those that match exactly
    int64_t covered, total; // tokens of the training part: of words that were found, all
} seq_word_matches;

// Fills the rows of `table` (V, width) whose words the file has: as they are, or
// else in lower case. Of a word that comes twice the first line counts. Rows of
// other words stay. A line is a word and `width` numbers behind it, separated by
// blanks or tabs; the word may hold blanks. Before them a line "N WIDTH" may
// stand; then there are N words. Memory holds the vocabulary's texts and a line.
// SEQ_BAD_INPUT names file and line, what was found and what was expected: a
// number that is missing or not finite, another width, packed data that end too
// soon, binary files. SEQ_STOPPED once a signal has been caught.
seq_status seq_word_vectors_read(const char *path, const seq_vocabulary *vocabulary, size_t width,
                                 float *table, seq_word_matches *out, seq_error *error);

#endif
