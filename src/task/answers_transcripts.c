// Transcripts: a line an item, or the column of a table with a header. Each is
// cut into characters or words as seqprep cuts those of a data set. An empty line
// is a transcript without symbols. Invariant: an item knows its line, whether or
// not it has symbols. Test: tests/unit/task/test_answers.c.
#include "answers_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/data/transcript.h>
#include <stdlib.h>

typedef struct side {
    seq_answer_reader *reader;
    seq_answers *answers;
} side;

static seq_status take_units(void *context, const char *text, size_t size, size_t count,
                             seq_error *error) {
    const side *side = context;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        status =
            seq_answer_place(side->reader, side->answers, (seq_text){text + i * size, size}, error);
    return status;
}

seq_status seq_answer_symbols(seq_answer_reader *reader, seq_answers *answers, seq_text text,
                              seq_error *error) {
    side side = {reader, answers};
    seq_tokenizer *tokenizer = NULL;
    char *trimmed = NULL;
    if (!answers) return SEQ_OK;
    seq_status status = seq_allocate(&trimmed, text.size + 1, 1, "a transcript", error);
    if (!status)
        status = seq_tokenizer_create(&reader->tables->rules, take_units, &side, &tokenizer, error);
    if (!status) {
        size_t size = seq_transcript_trim(text.bytes, text.size, trimmed);
        seq_tokenizer_begin(tokenizer,
                            (seq_text_place){reader->file->name, reader->line, 0, .inside = true});
        status = seq_tokenizer_feed(tokenizer, trimmed, size, error);
    }
    if (!status) status = seq_tokenizer_flush(tokenizer, error);
    seq_tokenizer_destroy(tokenizer);
    free(trimmed);
    return status;
}

static seq_status add(seq_answer_reader *reader, seq_answers *answers, seq_text text,
                      seq_error *error) {
    seq_status status = seq_answer_symbols(reader, answers, text, error);
    return status ? status : seq_answer_item(reader, answers, error);
}

seq_status seq_answers_read_transcripts(seq_answer_reader *reader, seq_error *error) {
    seq_answer_table table = {0};
    seq_text line, fields[SEQ_ANSWER_FIELDS];
    seq_status status = SEQ_OK;
    while (!status && seq_answer_line(reader, &line)) {
        if (reader->line == 1 && seq_answers_has_header(line, reader->columns)) {
            status = seq_answer_begin_table(reader, line, &table, error);
        } else if (!table.fields) {
            if (reader->gold && reader->predicted) return seq_answer_refuse_joint(reader, error);
            status = add(reader, reader->gold ? reader->gold : reader->predicted, line, error);
        } else {
            status = seq_answer_row(reader, &table, line, fields, error);
            if (!status) status = add(reader, reader->gold, fields[table.gold], error);
            if (!status) status = add(reader, reader->predicted, fields[table.prediction], error);
        }
    }
    return status;
}
