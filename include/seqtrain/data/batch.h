// Windows of a split for B-wide truncated BPTT. The split is cut into `streams` contiguous parts;
// stream s of a window at position t reads its tokens [t, t + T). The input of a token is the token
// before it in the stream; at a stream's start it is SEQ_NO_ID, the zero vector.
#ifndef SEQTRAIN_DATA_BATCH_H
#define SEQTRAIN_DATA_BATCH_H

#include <seqtrain/batch/coverage.h>
#include <seqtrain/data/dataset.h>

typedef enum seq_cut {
    SEQ_CUT_EQUAL, // training: every stream has floor(tokens / streams) tokens, the remainder is
                   // left out
    SEQ_CUT_ALL,   // evaluation: every token is in a stream; lengths differ by at most one, missing
                   // places are -1
} seq_cut;

enum { SEQ_STREAM_MEMORY = 1 << 28 }; // bytes that all streams together read ahead into

// Where stream `index` of `streams` begins and ends in a split of so many tokens.
void seq_stream_place(int64_t tokens, seq_cut cut, int streams, int index, int64_t *out_begin,
                      int64_t *out_end);

typedef struct seq_batches seq_batches;
// Serves streams first .. first + count - 1 of `streams`, reading ahead. The data set stays the
// caller's. SEQ_BAD_INPUT when the split has fewer tokens than streams (message says how many and
// what to lower).
seq_status seq_batches_create(seq_dataset *dataset, seq_split split, seq_cut cut, int streams,
                              int first, int count, seq_batches **out, seq_error *error);
void seq_batches_destroy(seq_batches *batches);
int64_t seq_batches_length(const seq_batches *batches); // tokens of the longest stream
// Fills inputs and targets (T, B) for positions [position, position + steps); beyond a stream's end
// both are -1. first_stream / B select among the served streams: streams [from, from + batch).
seq_status seq_batches_read(seq_batches *batches, int from, int batch, int64_t position, int steps,
                            int32_t *inputs, int32_t *targets, seq_error *error);
// The targets that the last seq_batches_read has filled in.
seq_coverage seq_batches_served(const seq_batches *batches);

#endif
