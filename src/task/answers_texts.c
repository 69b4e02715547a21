// Texts: a line an item, as it is; what BLEU and chrF compare. References of one
// item lie side by side. Invariant: a text that is scored is UTF-8 and holds no
// mark of a subword, so a score is one of words. Tests:
// tests/unit/task/test_answers.c, tests/cli/translations.sh.
#include "answers_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/task/bleu.h>
#include <stdlib.h>

seq_status seq_answer_text(const seq_answer_reader *reader, seq_text text, int32_t *out,
                           seq_error *error) {
    const char *mark = NULL;
    size_t invalid = seq_utf8_invalid(text.bytes, text.size);
    if (invalid < text.size)
        return seq_answer_refuse(reader, error, "byte %zu is not UTF-8", invalid + 1);
    if (seq_segment_has_marks((seq_segment){text.bytes, text.size}, &mark))
        return seq_answer_refuse(reader, error,
                                 "it still holds subwords (%s): join them first, a score of "
                                 "pieces is none of words",
                                 mark);
    return seq_strings_add(&reader->tables->words, text.bytes, text.size, out, error);
}

seq_status seq_answers_read_texts(seq_answer_reader *reader, seq_error *error) {
    seq_answers *side = reader->gold ? reader->gold : reader->predicted;
    seq_text line;
    seq_status status = SEQ_OK;
    if (reader->gold && reader->predicted)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--predictions FILE: missing: %s holds lines of text, so it is no "
                             "more than the references",
                             reader->file->name);
    if (*reader->columns->gold || *reader->columns->prediction)
        return seq_error_set(error, SEQ_BAD_USAGE, "--columns: %s holds lines of text",
                             reader->file->name);
    while (!status && seq_answer_line(reader, &line)) {
        status = seq_answer_place(reader, side, line, error);
        if (!status) status = seq_answer_item(reader, side, error);
    }
    return status;
}

// Places of two sets of answers, put into one.
typedef struct places {
    int32_t *ids;
    int64_t *lines;
    size_t count;
} places;

static void take(places *places, const seq_answers *from, size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++) {
        places->ids[places->count] = from->ids[at];
        places->lines[places->count++] = from->lines[at];
    }
}

seq_status seq_answers_add_references(seq_answers *gold, const seq_answers *more,
                                      seq_error *error) {
    size_t count = gold->places + more->places;
    places places = {0};
    seq_status status = seq_answers_check(gold, more, NULL, error);
    if (!status) status = seq_allocate(&places.ids, count, sizeof(int32_t), "references", error);
    if (!status) status = seq_allocate(&places.lines, count, sizeof(int64_t), "references", error);
    if (status) {
        free(places.ids);
        free(places.lines);
        return status;
    }
    for (size_t i = 0, at = 0, end; i < gold->items; i++, at = end) {
        end = gold->first[i + 1];
        take(&places, gold, at, end);
        take(&places, more, more->first[i], more->first[i + 1]);
        gold->first[i + 1] = places.count;
    }
    free(gold->ids);
    free(gold->lines);
    gold->ids = places.ids;
    gold->lines = places.lines;
    gold->places = gold->ids_capacity = gold->lines_capacity = count;
    return SEQ_OK;
}
