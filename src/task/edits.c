// The edit distance, row by row: row[k] has the edits from the gold symbols so
// far to the first k predicted ones. Invariant: each cell takes the way over a
// pair, then over a deletion, then over an insertion where they cost the same.
// Tests: tests/unit/task/test_edits.c.
#include <seqtrain/task/edits.h>

seq_edits seq_edits_find(const int32_t *gold, size_t gold_count, const int32_t *predicted,
                         size_t predicted_count, seq_edits *row) {
    for (size_t k = 0; k <= predicted_count; k++)
        row[k] = (seq_edits){.insertions = (int64_t)k};
    for (size_t i = 0; i < gold_count; i++) {
        seq_edits before = row[0]; // of the row before, one place to the left
        row[0].deletions++;
        for (size_t k = 1; k <= predicted_count; k++) {
            seq_edits pair = before, deletion = row[k], insertion = row[k - 1];
            pair.substitutions += gold[i] != predicted[k - 1];
            deletion.deletions++;
            insertion.insertions++;
            before = row[k];
            row[k] = pair;
            if (seq_edits_sum(deletion) < seq_edits_sum(row[k])) row[k] = deletion;
            if (seq_edits_sum(insertion) < seq_edits_sum(row[k])) row[k] = insertion;
        }
    }
    return row[predicted_count];
}
