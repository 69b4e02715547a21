// What seqprep is asked to do about subwords, for every task that has them.
#ifndef SEQTRAIN_PREP_MERGES_H
#define SEQTRAIN_PREP_MERGES_H

#include <seqtrain/data/subword.h>

typedef struct seq_merges_wish {
    int64_t count;          // of merges to learn; 0: `file` has them, or the units are no subwords
    const char *file;       // NULL: none
    const char *glossaries; // as in seq_subword_learning
    int64_t threshold;      // as in seq_subword_map_words
} seq_merges_wish;

// The merges: those of `known` (a vocabulary of subwords that is used again; NULL: none), or of the
// file, or learned from the words, of whose pairs each occurs twice at least. Warns where these are
// fewer than were asked for. *out is the caller's.
seq_status seq_merges_make(const seq_merges_wish *wish, const seq_string_table *words,
                           const seq_vocabulary *known, bool (*stopped)(void), seq_subword **out,
                           seq_error *error);

#endif
