// Cuts a split into contiguous streams and serves windows of them, time-major.
// Each stream reads ahead into its share of the memory. A longer window is served
// in pieces that overlap by a token. Invariant: an input is the target one
// position earlier, and what is served is added to the audit from the buffers
// themselves. Test: tests/unit/data/test_dataset.c.
#include "windows.h"
#include "dataset_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_AHEAD = 1 << 14, // tokens of a stream
    NO_TOKEN = -1
};

// Tokens [start, start + filled) of a stream lie in memory.
typedef struct seq_stream {
    int64_t offset, length; // in the split
    int64_t start, filled;
    int32_t *tokens; // (ahead)
} seq_stream;

struct seq_batches {
    seq_dataset *dataset;
    seq_split split;
    int count;
    int64_t length, ahead;
    seq_stream *streams;
    int32_t *tokens; // (count, ahead)
    seq_coverage served;
};

// The first tokens % streams ones are one longer under SEQ_CUT_ALL.
static int64_t begin_of(int64_t tokens, seq_cut cut, int streams, int index) {
    int64_t base = tokens / streams, longer = cut == SEQ_CUT_ALL ? tokens % streams : 0;
    return base * index + (index < longer ? index : longer);
}

void seq_stream_place(int64_t tokens, seq_cut cut, int streams, int index, int64_t *out_begin,
                      int64_t *out_end) {
    *out_begin = begin_of(tokens, cut, streams, index);
    *out_end = begin_of(tokens, cut, streams, index + 1);
}

int64_t seq_stream_length(int64_t tokens, seq_cut cut, int streams) {
    return cut == SEQ_CUT_ALL ? (tokens + streams - 1) / streams : tokens / streams;
}

static seq_status allocate(seq_batches *batches, int count, seq_error *error) {
    int64_t ahead = SEQ_STREAM_MEMORY / (int64_t)sizeof(int32_t) / count;
    ahead = ahead < LEAST_AHEAD ? LEAST_AHEAD : ahead;
    batches->ahead = ahead < batches->length + 1 ? ahead : batches->length + 1;
    seq_status status = seq_allocate(&batches->streams, (size_t)count, sizeof *batches->streams,
                                     "the streams", error);
    return status ? status
                  : seq_allocate(&batches->tokens, (size_t)count * (size_t)batches->ahead,
                                 sizeof(int32_t), "the tokens of the streams", error);
}

seq_status seq_batches_create(seq_dataset *dataset, seq_split split, seq_cut cut, int streams,
                              int first, int count, seq_batches **out, seq_error *error) {
    int64_t tokens = seq_dataset_tokens(dataset, split);
    seq_batches *batches = NULL;
    seq_status status = seq_allocate(&batches, 1, sizeof *batches, "the batches", error);
    if (status) return status;
    batches->dataset = dataset;
    batches->split = split;
    batches->count = count;
    batches->length = seq_stream_length(tokens, cut, streams);
    status = allocate(batches, count, error);
    for (int i = 0; !status && i < count; i++) {
        int64_t offset = begin_of(tokens, cut, streams, first + i),
                end = begin_of(tokens, cut, streams, first + i + 1);
        batches->streams[i] = (seq_stream){.offset = offset,
                                           .length = end - offset,
                                           .tokens = batches->tokens + i * batches->ahead};
    }
    if (status)
        seq_batches_destroy(batches);
    else
        *out = batches;
    return status;
}

void seq_batches_destroy(seq_batches *batches) {
    if (batches) {
        free(batches->streams);
        free(batches->tokens);
    }
    free(batches);
}

uint64_t seq_batches_bytes(const seq_batches *batches) {
    return (uint64_t)batches->count * (uint64_t)batches->ahead * sizeof(int32_t);
}

// Makes sure that [from, to) of the stream is in memory.
static seq_status provide(seq_batches *batches, seq_stream *stream, int64_t from, int64_t to,
                          seq_error *error) {
    if (from >= stream->start && to <= stream->start + stream->filled) return SEQ_OK;
    int64_t left = stream->length - from, count = left < batches->ahead ? left : batches->ahead;
    stream->filled = 0;
    seq_status status = seq_dataset_read(batches->dataset, batches->split, stream->offset + from,
                                         (size_t)count, stream->tokens, error);
    if (status) return status;
    stream->start = from;
    stream->filled = count;
    return SEQ_OK;
}

// One column of the window: the inputs are the targets one place later, and the token before the
// window.
static void fill_column(const seq_stream *stream, int64_t position, int steps, int batch,
                        int32_t *inputs, int32_t *targets) {
    int32_t before = position > 0 && position <= stream->length
                         ? stream->tokens[position - 1 - stream->start]
                         : NO_TOKEN;
    for (int t = 0; t < steps; t++) {
        bool inside = position + t < stream->length;
        int32_t token = inside ? stream->tokens[position + t - stream->start] : NO_TOKEN;
        inputs[t * batch] = inside ? before : NO_TOKEN;
        targets[t * batch] = token;
        before = token;
    }
}

// What really lies in the column now: the positions that the stream was read from, the tokens that
// the caller gets.
static void note_served(seq_batches *batches, const seq_stream *stream, int64_t position, int steps,
                        int batch, const int32_t *targets) {
    int64_t left = stream->length - position, count = left < steps ? left : steps;
    if (count <= 0) return;
    int64_t begin = stream->offset + position;
    seq_coverage_add_range(&batches->served, begin, begin + count);
    for (int64_t t = 0; t < count; t++)
        seq_coverage_add_token(&batches->served, begin + t, targets[t * batch]);
}

static seq_status read_column(seq_batches *batches, seq_stream *stream, int64_t position, int steps,
                              int batch, int32_t *inputs, int32_t *targets, seq_error *error) {
    int64_t to = position + steps < stream->length ? position + steps : stream->length;
    int64_t from = position > 0 ? position - 1 : 0;
    while (from < to) { // a window longer than the read-ahead is served in pieces
        int64_t end = to - from <= batches->ahead ? to : from + batches->ahead;
        int64_t at =
            position == 0 && from == 0 ? 0 : from + 1; // the token before it is in memory, too
        seq_status status = provide(batches, stream, from, end, error);
        if (status) return status;
        int done = (int)(at - position), some = (int)(end - at);
        fill_column(stream, at, some, batch, inputs + done * batch, targets + done * batch);
        note_served(batches, stream, at, some, batch, targets + done * batch);
        if (end == to) break;
        from = end - 1;
    }
    int inside = to > position ? (int)(to - position) : 0;
    for (int t = inside; t < steps; t++)
        inputs[t * batch] = targets[t * batch] = NO_TOKEN;
    return SEQ_OK;
}

seq_status seq_batches_read(seq_batches *batches, int from, int batch, int64_t position, int steps,
                            int32_t *inputs, int32_t *targets, seq_error *error) {
    seq_status status = SEQ_OK;
    batches->served = (seq_coverage){0};
    for (int b = 0; !status && b < batch; b++)
        status = read_column(batches, &batches->streams[from + b], position, steps, batch,
                             inputs + b, targets + b, error);
    return status;
}

seq_coverage seq_batches_served(const seq_batches *batches) {
    return batches->served;
}
