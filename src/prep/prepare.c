// The order of seqprep's work: check inputs and place, read all documents into units, make the
// vocabulary, write the splits, put the data set into its place. Invariant: until the last step the
// target is what it was before. Tests: tests/cli/seqprep.sh, tests/cli/output_places.sh.
#include "place.h"
#include "prepare_private.h"
#include <seqtrain/data/tokenizer.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static seq_status check_inputs(const seq_prepare *prepare, const seq_place *place,
                               seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < prepare->input_count; i++)
        status = seq_place_check_outside(place, prepare->inputs[i], error);
    if (!status && prepare->valid_file)
        status = seq_place_check_outside(place, prepare->valid_file, error);
    if (!status && prepare->test_file)
        status = seq_place_check_outside(place, prepare->test_file, error);
    return status;
}

typedef struct last_end {
    uint32_t eos;
    int64_t at, found; // units seen; behind the last <eos>, or 0
} last_end;

static seq_status find_end(void *context, const uint32_t *numbers, size_t count, seq_error *error) {
    last_end *last = context;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        last->at++;
        if (numbers[i] == last->eos) last->found = last->at;
    }
    return SEQ_OK;
}

// Words are cut behind the last line or document end before `at`, characters and bytes exactly
// there.
static seq_status cut_at(const seq_unit_stream *stream, const seq_text_rules *rules, int64_t at,
                         int64_t *out, seq_error *error) {
    size_t eos = seq_string_table_find(&stream->types, seq_eos_text, strlen(seq_eos_text));
    *out = at;
    if (rules->unit < SEQ_UNIT_WORD || eos == SIZE_MAX) return SEQ_OK;
    for (int64_t end = at, begin; end > 0; end = begin) {
        begin = end > SEQ_UNIT_GROUP ? end - SEQ_UNIT_GROUP : 0;
        last_end last = {.eos = (uint32_t)eos, .at = begin};
        seq_status status =
            seq_units_visit(stream, (seq_unit_range){begin, end}, find_end, &last, error);
        if (status) return status;
        if (last.found) {
            *out = last.found;
            return SEQ_OK;
        }
    }
    return SEQ_OK;
}

static seq_status read_split_file(seq_unit_stream *stream, const seq_text_rules *rules,
                                  const char *path, seq_unit_range *out, seq_error *error) {
    out->begin = stream->file.count;
    seq_status status = seq_units_read(stream, rules, &path, 1, error);
    out->end = stream->file.count;
    if (!status && out->begin == out->end)
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: holds no units", path);
    return status;
}

// Fractions are taken from the end of the inputs: train, then valid, then test.
static seq_status cut_splits(const seq_prepare *prepare, const seq_unit_stream *stream,
                             int64_t total, seq_unit_range ranges[SEQ_SPLITS], seq_error *error) {
    double test = prepare->test_file ? 0 : prepare->test_fraction,
           valid = prepare->valid_file ? 0 : prepare->valid_fraction;
    int64_t train_end = total, valid_end = total;
    seq_status status = SEQ_OK;
    if (test > 0)
        status = cut_at(stream, &prepare->rules, total - (int64_t)ceil((double)total * test),
                        &valid_end, error);
    train_end = valid_end;
    if (!status && valid > 0)
        status = cut_at(stream, &prepare->rules,
                        total - (int64_t)ceil((double)total * (test + valid)), &train_end, error);
    if (status) return status;
    ranges[SEQ_TRAIN] = (seq_unit_range){0, train_end};
    if (valid > 0) ranges[SEQ_VALID] = (seq_unit_range){train_end, valid_end};
    if (test > 0) ranges[SEQ_TEST] = (seq_unit_range){valid_end, total};
    bool empty =
        train_end == 0 || (valid > 0 && train_end == valid_end) || (test > 0 && valid_end == total);
    return empty ? seq_error_set(error, SEQ_BAD_INPUT,
                                 "the inputs have %lld units: too few for these splits",
                                 (long long)total)
                 : SEQ_OK;
}

static seq_status read_all(const seq_prepare *prepare, seq_unit_stream *stream,
                           seq_unit_range ranges[SEQ_SPLITS], seq_error *error) {
    seq_status status =
        seq_units_read(stream, &prepare->rules, prepare->inputs, prepare->input_count, error);
    int64_t total = stream->file.count;
    if (!status && total == 0 && stream->missing)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "--vocab %s has none of the %lld units of the inputs: nothing is "
                               "left to train on",
                               prepare->vocabulary_from, (long long)stream->missing);
    if (!status && total == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: the input is empty: no units to train on",
                               prepare->inputs[0]);
    if (!status) status = cut_splits(prepare, stream, total, ranges, error);
    if (!status && prepare->valid_file)
        status = read_split_file(stream, &prepare->rules, prepare->valid_file, &ranges[SEQ_VALID],
                                 error);
    if (!status && prepare->test_file)
        status =
            read_split_file(stream, &prepare->rules, prepare->test_file, &ranges[SEQ_TEST], error);
    return status;
}

static seq_status prepare_in(const seq_prepare *prepare, const char *directory, seq_error *error) {
    seq_unit_stream stream;
    seq_unit_range ranges[SEQ_SPLITS] = {{0, 0}};
    seq_vocabulary *vocabulary = NULL;
    seq_subword *subword = NULL;
    seq_status status = seq_units_begin(&stream, prepare, directory, error);
    if (!status && prepare->vocabulary_from)
        status = seq_prepare_reuse(prepare->vocabulary_from, &vocabulary, error);
    bool cuts = prepare->rules.unit == SEQ_UNIT_SUBWORD;
    if (prepare->drop_missing && vocabulary && !cuts && seq_vocabulary_unk(vocabulary) == SEQ_NO_ID)
        stream.cover = vocabulary;
    if (!status) status = read_all(prepare, &stream, ranges, error);
    if (!status && cuts)
        status =
            seq_prepare_cut_words(prepare, &stream, ranges, vocabulary, directory, &subword, error);
    if (!status && prepare->reverse) status = seq_units_reverse(&stream, ranges, directory, error);
    if (!status)
        status = seq_prepare_vocabulary(prepare, &stream, ranges, subword, &vocabulary, error);
    if (!status) status = seq_prepare_notes(prepare, &stream, vocabulary, error);
    if (!status) status = seq_prepare_write(prepare, &stream, ranges, vocabulary, directory, error);
    seq_vocabulary_destroy(vocabulary);
    seq_subword_destroy(subword);
    seq_units_end(&stream);
    return status;
}

seq_status seq_prepare_run(const seq_prepare *prepare, seq_error *error) {
    seq_place place;
    seq_status status = seq_place_find(&place, prepare->output, prepare->force, error);
    if (!status) status = check_inputs(prepare, &place, error);
    if (!status) status = seq_place_take(&place, error);
    if (!status) status = prepare_in(prepare, place.work, error);
    if (!status) status = seq_place_commit(&place, error);
    seq_place_release(&place);
    return status;
}
