// Windows of a split for B-wide truncated BPTT. The split is cut into `streams` contiguous parts;
// stream s of a window at position t reads its tokens [t, t + T). The input of a token is the token
// before it in the stream; at a stream's start it is SEQ_NO_ID, the zero vector.
#ifndef SEQ_DATA_WINDOWS_H
#define SEQ_DATA_WINDOWS_H

#include <seqtrain/data/sampler.h>

// Where stream `index` of `streams` begins and ends in a split of so many tokens.
void seq_stream_place(int64_t tokens, seq_cut cut, int streams, int index, int64_t *out_begin,
                      int64_t *out_end);

// Tokens of the longest stream.
int64_t seq_stream_length(int64_t tokens, seq_cut cut, int streams);

typedef struct seq_batches seq_batches;
// Serves streams first .. first + count - 1 of `streams`, reading ahead. The data set is a stream
// of at least so many tokens as there are streams, and stays the caller's.
seq_status seq_batches_create(seq_dataset *dataset, seq_split split, seq_cut cut, int streams,
                              int first, int count, seq_batches **out, seq_error *error);
void seq_batches_destroy(seq_batches *batches);
uint64_t seq_batches_bytes(const seq_batches *batches); // that the streams read ahead into
// Fills inputs and targets (T, B) for positions [position, position + steps); beyond a stream's end
// both are -1. first_stream / B select among the served streams: streams [from, from + batch).
seq_status seq_batches_read(seq_batches *batches, int from, int batch, int64_t position, int steps,
                            int32_t *inputs, int32_t *targets, seq_error *error);
// The targets that the last seq_batches_read has filled in.
seq_coverage seq_batches_served(const seq_batches *batches);

#endif
