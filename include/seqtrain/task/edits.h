// Edits between two transcripts: the fewest symbols that were substituted, deleted or inserted
// (Levenshtein 1966), each at cost 1.
#ifndef SEQTRAIN_TASK_EDITS_H
#define SEQTRAIN_TASK_EDITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct seq_edits {
    int64_t substitutions; // another symbol in its place
    int64_t deletions;     // a gold symbol that is missing
    int64_t insertions;    // a symbol that gold has not
} seq_edits;

// Of two ways with as few edits, read from the end, a pair of symbols goes before a deletion, and
// that before an insertion: the three counts are a function of the transcripts. `row` is scratch
// of (predicted_count + 1). Time: gold_count x predicted_count.
seq_edits seq_edits_find(const int32_t *gold, size_t gold_count, const int32_t *predicted,
                         size_t predicted_count, seq_edits *row);
static inline int64_t seq_edits_sum(seq_edits edits) {
    return edits.substitutions + edits.deletions + edits.insertions;
}

#endif
