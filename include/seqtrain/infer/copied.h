// How much of a sequence stands in others word for word.
#ifndef SEQTRAIN_INFER_COPIED_H
#define SEQTRAIN_INFER_COPIED_H

#include <seqtrain/base/status.h>
#include <stdint.h>

// All runs of a sequence (length), symbols 0 .. symbols - 1.
typedef struct seq_runs seq_runs;
seq_status seq_runs_create(const int32_t *sequence, int length, int symbols, seq_runs **out,
                           seq_error *error);
void seq_runs_destroy(seq_runs *runs); // NULL is fine
// The length of the longest run of the sequence that stands in `text` (count), too. Ids outside of
// the symbols are in no run. Linear in `count`.
int seq_runs_longest(const seq_runs *runs, const int32_t *text, int64_t count);

#endif
