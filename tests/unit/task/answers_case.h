// Answers from texts in a test's source.
#ifndef SEQ_TESTS_ANSWERS_CASE_H
#define SEQ_TESTS_ANSWERS_CASE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/task/statistic.h>
#include <stdlib.h>
#include <string.h>

typedef struct answers_case {
    seq_answer_tables tables;
    seq_answers gold, predicted, training;
    seq_error error;
    bool texts;
} answers_case;

static inline seq_status read_case(answers_case *self, seq_answer_kind kind, const char *columns,
                                   const char *name, const char *text, seq_answers *gold,
                                   seq_answers *predicted) {
    seq_answer_columns parsed;
    char *bytes = malloc(strlen(text) + 1); // of its own size: reading behind it is found
    memcpy(bytes, text, strlen(text));
    seq_answer_file file = {name, bytes, strlen(text)};
    seq_status status = seq_answer_columns_parse(columns, &parsed, &self->error);
    if (!status)
        status = seq_answers_read(&file, kind, &parsed, self->texts, &self->tables, gold, predicted,
                                  &self->error);
    free(bytes);
    return status;
}

static inline void begin_case(answers_case *self, seq_answer_kind kind, const char *gold,
                              const char *predicted) {
    *self = (answers_case){.tables.rules = {.unit = SEQ_UNIT_WORD, .nfc = true}};
    assert_int_equal(read_case(self, kind, NULL, "gold", gold, &self->gold, NULL), SEQ_OK);
    assert_int_equal(read_case(self, kind, NULL, "predicted", predicted, NULL, &self->predicted),
                     SEQ_OK);
    if (kind == SEQ_ANSWERS_TAGS) {
        self->gold.scheme = seq_scheme_detect(&self->tables.labels, SEQ_SCHEME_IOB2, self->gold.ids,
                                              self->gold.first, self->gold.items);
        self->predicted.scheme =
            seq_scheme_detect(&self->tables.labels, self->gold.scheme, self->predicted.ids,
                              self->predicted.first, self->predicted.items);
    }
    assert_int_equal(seq_answers_check(&self->gold, &self->predicted, &self->tables, &self->error),
                     SEQ_OK);
}

static inline void end_case(answers_case *self) {
    seq_answers_clear(&self->gold);
    seq_answers_clear(&self->predicted);
    seq_answers_clear(&self->training);
    seq_answer_tables_clear(&self->tables);
}

#endif
