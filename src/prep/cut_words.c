// The stream of words becomes one of subwords: merges are learned from the words of the training
// part (or read, or those of --vocab), every distinct word is cut once, and a second file of units
// takes the place of the first. Invariant: ranges of splits begin and end at the words that they
// did. Tests: tests/cli/subword.sh.
#include "prepare_private.h"
#include <seqtrain/base/log.h>
#include <seqtrain/data/subword.h>
#include <seqtrain/prep/merges.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

seq_status seq_merges_make(const seq_merges_wish *wish, const seq_string_table *words,
                           const seq_vocabulary *known, bool (*stopped)(void), seq_subword **out,
                           seq_error *error) {
    if (known) {
        *out = seq_subword_share(seq_vocabulary_subword(known));
        return SEQ_OK;
    }
    if (wish->file)
        return seq_subword_read(wish->file, wish->glossaries, SEQ_BAD_INPUT, out, error);
    const seq_subword_learning learning = {
        .merges = wish->count, .least = 2, .glossaries = wish->glossaries, .stopped = stopped};
    seq_status status = seq_subword_learn(&learning, words, out, error);
    if (!status && seq_subword_merges(*out) < wish->count)
        seq_log_warning("%lld merges instead of %lld: no other pair occurs twice in the training "
                        "part",
                        (long long)seq_subword_merges(*out), (long long)wish->count);
    return status;
}

typedef struct cutting {
    seq_unit_stream *stream;
    const seq_subword_map *map;
    seq_string_table units;
    const seq_unit_range *from; // of words
    seq_unit_range *to;         // of units
    int64_t at;
} cutting;

// What begins or ends before the next word.
static void mark_ranges(cutting *cutting) {
    for (int split = 0; split < SEQ_SPLITS; split++) {
        if (cutting->from[split].begin == cutting->at)
            cutting->to[split].begin = cutting->stream->file.count;
        if (cutting->from[split].end == cutting->at)
            cutting->to[split].end = cutting->stream->file.count;
    }
}

static seq_status append_piece(void *context, const uint32_t *numbers, size_t count,
                               seq_error *error) {
    cutting *cutting = context;
    const seq_subword_map *map = cutting->map;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < count; i++, cutting->at++) {
        size_t begin = numbers[i] ? map->ends[numbers[i] - 1] : 0, end = map->ends[numbers[i]];
        mark_ranges(cutting);
        for (size_t k = begin; k < end; k++)
            cutting->units.items[map->units[k]].count++;
        status =
            seq_id_spool_append(&cutting->stream->file, map->units + begin, end - begin, error);
    }
    return status;
}

// Counts of words become those of the training part.
static seq_status leave_training(seq_unit_stream *stream, const seq_unit_range ranges[SEQ_SPLITS],
                                 seq_error *error) {
    seq_status status = seq_units_discount(stream, ranges[SEQ_VALID], error);
    return status ? status : seq_units_discount(stream, ranges[SEQ_TEST], error);
}

// The file of units in place of that of words.
static seq_status rewrite(cutting *cutting, const char *directory, seq_error *error) {
    seq_unit_stream *stream = cutting->stream, words = *stream;
    unlink(words.file.path); // it stays open, and its name becomes free
    *words.file.path = '\0';
    stream->file = (seq_id_spool){.descriptor = -1};
    seq_status status = seq_id_spool_begin(&stream->file, directory, error);
    for (size_t i = 0; i < cutting->units.count; i++)
        cutting->units.items[i].count = 0; // of all parts, as seq_prepare_vocabulary wants them
    if (!status)
        status = seq_units_visit(&words, (seq_unit_range){0, words.file.count}, append_piece,
                                 cutting, error);
    if (!status) mark_ranges(cutting);
    seq_id_spool_end(&words.file);
    return status;
}

seq_status seq_prepare_cut_words(const seq_prepare *prepare, seq_unit_stream *stream,
                                 seq_unit_range ranges[SEQ_SPLITS],
                                 const seq_vocabulary *vocabulary, const char *directory,
                                 seq_subword **out, seq_error *error) {
    seq_unit_range to[SEQ_SPLITS] = {{0, 0}};
    seq_subword_map map = {0};
    cutting cutting = {.stream = stream, .map = &map, .from = ranges, .to = to};
    int64_t least = prepare->merges.threshold;
    if (prepare->min_count > least) least = prepare->min_count;
    seq_status status = leave_training(stream, ranges, error);
    if (!status)
        status = seq_merges_make(&prepare->merges, &stream->types, vocabulary, prepare->stopped,
                                 out, error);
    // A vocabulary that is there decides alone which units are kept: no count is so high.
    if (!status)
        status = seq_subword_map_words(*out, &stream->types, vocabulary ? INT64_MAX : least,
                                       vocabulary, &cutting.units, &map, error);
    if (!status) status = rewrite(&cutting, directory, error);
    stream->letters = map.letters;
    seq_subword_map_clear(&map);
    if (status) {
        seq_string_table_clear(&cutting.units);
        return status;
    }
    seq_string_table_clear(&stream->types);
    stream->types = cutting.units;
    memcpy(ranges, to, sizeof to);
    return SEQ_OK;
}
