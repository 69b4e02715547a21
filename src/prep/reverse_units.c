// Turns the units of each line or document around, for a language model that
// reads backward: a second file of units takes the place of the first. What ends
// within a block is turned in memory; of longer ones, blocks are copied from
// their end on. Invariant: <eos> stays where it is, so ranges of splits keep
// their bounds. Tests: tests/unit/data/test_dataset.c, tests/cli/seqprep_text.sh.
#include "prepare_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/tokenizer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct turning {
    seq_unit_stream *stream;
    seq_id_spool from;
    uint32_t *block; // SEQ_UNIT_GROUP numbers
    size_t eos;      // its number, or SIZE_MAX
} turning;

static void turn(uint32_t *numbers, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        uint32_t kept = numbers[i];
        numbers[i] = numbers[count - 1 - i];
        numbers[count - 1 - i] = kept;
    }
}

// Turns whole lines at the block's start; returns their units. `last`: what is left is one, too.
static size_t turn_lines(const turning *turning, size_t count, bool last) {
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        if (turning->block[i] != turning->eos) continue;
        turn(turning->block + begin, i - begin);
        begin = i + 1;
    }
    if (!last) return begin;
    turn(turning->block + begin, count - begin);
    return count;
}

// The end of what begins at `begin` and is longer than a block, without its <eos>.
static seq_status find_end(const turning *turning, seq_unit_range range, int64_t *out,
                           seq_error *error) {
    seq_status status = SEQ_OK;
    for (int64_t at = range.begin; !status && at < range.end; at += SEQ_UNIT_GROUP) {
        size_t count = range.end - at < SEQ_UNIT_GROUP ? (size_t)(range.end - at) : SEQ_UNIT_GROUP;
        if (turning->eos == SIZE_MAX) break;
        status = seq_id_spool_read(&turning->from, at, count, turning->block, error);
        for (size_t i = 0; !status && i < count; i++) {
            if (turning->block[i] != turning->eos) continue;
            *out = at + (int64_t)i;
            return SEQ_OK;
        }
    }
    *out = range.end;
    return status;
}

static seq_status turn_long(turning *turning, seq_unit_range range, int64_t *out_end,
                            seq_error *error) {
    int64_t end = 0;
    seq_status status = find_end(turning, range, &end, error);
    *out_end = end;
    while (!status && end > range.begin) {
        size_t count =
            end - range.begin < SEQ_UNIT_GROUP ? (size_t)(end - range.begin) : SEQ_UNIT_GROUP;
        end -= (int64_t)count;
        status = seq_units_check_stopped(turning->stream, error);
        if (!status) status = seq_id_spool_read(&turning->from, end, count, turning->block, error);
        turn(turning->block, count);
        if (!status)
            status = seq_id_spool_append(&turning->stream->file, turning->block, count, error);
    }
    return status;
}

static seq_status turn_range(turning *turning, seq_unit_range range, seq_error *error) {
    seq_status status = SEQ_OK;
    while (!status && range.begin < range.end) {
        int64_t left = range.end - range.begin;
        size_t count = left < SEQ_UNIT_GROUP ? (size_t)left : SEQ_UNIT_GROUP, whole;
        status = seq_units_check_stopped(turning->stream, error);
        if (!status)
            status = seq_id_spool_read(&turning->from, range.begin, count, turning->block, error);
        if (status) break;
        whole = turn_lines(turning, count, (int64_t)count == left);
        if (whole)
            status = seq_id_spool_append(&turning->stream->file, turning->block, whole, error);
        range.begin += (int64_t)whole;
        if (!whole) status = turn_long(turning, range, &range.begin, error);
        // The <eos> of a long one comes next, as the end of an empty line.
    }
    return status;
}

seq_status seq_units_reverse(seq_unit_stream *stream, const seq_unit_range ranges[SEQ_SPLITS],
                             const char *directory, seq_error *error) {
    turning turning = {.stream = stream, .from = stream->file};
    int64_t done = 0, total = stream->file.count;
    turning.eos = seq_string_table_find(&stream->types, seq_eos_text, strlen(seq_eos_text));
    unlink(turning.from.path); // it stays open, and its name becomes free
    *turning.from.path = '\0';
    stream->file = (seq_id_spool){.descriptor = -1};
    seq_status status = seq_id_spool_begin(&stream->file, directory, error);
    if (!status)
        status = seq_allocate(&turning.block, SEQ_UNIT_GROUP, sizeof *turning.block,
                              "a block of units", error);
    while (!status && done < total) { // splits follow each other, in any order
        seq_unit_range next = {done, total};
        for (int split = 0; split < SEQ_SPLITS; split++)
            if (ranges[split].begin == done && ranges[split].end > done) next = ranges[split];
        status = turn_range(&turning, next, error);
        done = next.end;
    }
    free(turning.block);
    seq_id_spool_end(&turning.from);
    return status;
}
