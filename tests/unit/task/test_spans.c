// Entities of tags in each scheme and reading, written out by hand: adjacent
// entities, tags that continue nothing, unfinished ones, types with hyphens.
// Checks src/task/spans.c, src/task/labels.c and src/task/strings.c.
#include "answers_case.h"
#include <stdio.h>

// "B-x I-x O" -> "0-2 x" and so on, separated by "; ".
static void check(const char *tags, seq_scheme scheme, seq_reading reading, const char *expected) {
    seq_labels labels = {0};
    seq_error error = {0};
    int32_t ids[32];
    size_t count = 0;
    char found[400] = "";
    for (const char *at = tags; *at; at += strcspn(at, " "), at += *at == ' ')
        assert_int_equal(seq_labels_add(&labels, at, strcspn(at, " "), &ids[count++], &error), 0);
    seq_span span;
    for (size_t at = 0; seq_span_next(&labels, scheme, reading, ids, count, &at, &span);)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%zu-%zu %s",
                 *found ? "; " : "", span.begin, span.end,
                 seq_strings_text(&labels.types, span.type, NULL));
    assert_string_equal(found, expected);
    seq_labels_clear(&labels);
}

static void lenient(void **state) {
    (void)state;
    const seq_reading reading = SEQ_READ_LENIENT;
    for (int scheme = SEQ_SCHEME_IOB1; scheme < SEQ_SCHEMES; scheme++) {
        check("B-x I-x O B-y", (seq_scheme)scheme, reading, "0-2 x; 3-4 y");
        check("B-x B-x I-x B-y", (seq_scheme)scheme, reading, "0-1 x; 1-3 x; 3-4 y");
        check("O I-x I-x I-y O", (seq_scheme)scheme, reading, "1-3 x; 3-4 y");
        check("B-x I-y", (seq_scheme)scheme, reading, "0-1 x; 1-2 y");
        check("O O", (seq_scheme)scheme, reading, "");
        check("S-x S-x B-x E-x", (seq_scheme)scheme, reading, "0-1 x; 1-2 x; 2-4 x");
        check("B-x E-x B-x I-x", (seq_scheme)scheme, reading, "0-2 x; 2-4 x"); // conlleval.py 1
        check("B-x E-x E-x I-x", (seq_scheme)scheme, reading, "0-2 x; 2-3 x; 3-4 x");
        check("E-x O I-x", (seq_scheme)scheme, reading, "0-1 x; 2-3 x");
        check("B-x L-x U-x", (seq_scheme)scheme, reading, "0-2 x; 2-3 x");
        check("B-creative-work I-creative-work", (seq_scheme)scheme, reading, "0-2 creative-work");
        check("B I O", (seq_scheme)scheme, reading, "0-2 ");
    }
    check("", SEQ_SCHEME_IOB2, reading, "");
}

static void strict(void **state) {
    (void)state;
    check("B-x I-x O B-y", SEQ_SCHEME_IOB2, SEQ_READ_STRICT, "0-2 x; 3-4 y");
    check("O I-x I-x", SEQ_SCHEME_IOB2, SEQ_READ_STRICT, "");
    check("B-x I-y I-x", SEQ_SCHEME_IOB2, SEQ_READ_STRICT, "0-1 x");
    check("B-x B-x", SEQ_SCHEME_IOB2, SEQ_READ_STRICT, "0-1 x; 1-2 x");
    check("B-x E-x", SEQ_SCHEME_IOB2, SEQ_READ_STRICT, "");
    check("I-x I-x B-x O I-y", SEQ_SCHEME_IOB1, SEQ_READ_STRICT, "0-2 x; 2-3 x; 4-5 y");
    check("O B-x I-x", SEQ_SCHEME_IOB1, SEQ_READ_STRICT, "");
    check("I-y B-x", SEQ_SCHEME_IOB1, SEQ_READ_STRICT, "0-1 y");
    check("B-x I-x E-x S-y", SEQ_SCHEME_IOBES, SEQ_READ_STRICT, "0-3 x; 3-4 y");
    check("B-x I-x O B-x", SEQ_SCHEME_IOBES, SEQ_READ_STRICT, "");
    check("I-x E-x", SEQ_SCHEME_IOBES, SEQ_READ_STRICT, "");
    check("B-x E-y", SEQ_SCHEME_IOBES, SEQ_READ_STRICT, "");
    check("B-x E-x B-x E-x", SEQ_SCHEME_IOBES, SEQ_READ_STRICT, "0-2 x; 2-4 x");
}

static seq_scheme detect(const char *lines, int64_t *broken) {
    answers_case self = {0};
    assert_int_equal(read_case(&self, SEQ_ANSWERS_TAGS, NULL, "tags", lines, &self.gold, NULL), 0);
    seq_scheme scheme = seq_scheme_detect(&self.tables.labels, SEQ_SCHEME_IOBES, self.gold.ids,
                                          self.gold.first, self.gold.items);
    *broken = seq_spans_broken(&self.tables.labels, scheme, self.gold.ids, self.gold.first,
                               self.gold.items);
    end_case(&self);
    return scheme;
}

static void detection(void **state) {
    (void)state;
    int64_t broken;
    assert_int_equal(detect("a B-x\nb I-x\nc O\n", &broken), SEQ_SCHEME_IOB2);
    assert_int_equal(broken, 0);
    assert_int_equal(detect("a I-x\nb I-x\nc B-x\n", &broken), SEQ_SCHEME_IOB1);
    assert_int_equal(broken, 0);
    // A sentence's end ends an entity: this I begins one, and the B behind O is none of IOB1.
    assert_int_equal(detect("a B-x\n\nb I-x\nc O\nd B-x\n", &broken), SEQ_SCHEME_IOB2);
    assert_int_equal(broken, 1);
    assert_int_equal(detect("a B-x\nb E-x\nc S-y\n", &broken), SEQ_SCHEME_IOBES);
    assert_int_equal(detect("a DET\nb NOUN\n", &broken), SEQ_SCHEME_NONE);
    assert_int_equal(detect("a O\nb O\n", &broken), SEQ_SCHEME_IOBES); // the usual one
}

static void strings(void **state) {
    (void)state;
    seq_strings strings = {0};
    seq_error error = {0};
    char text[20];
    int32_t number;
    assert_int_equal(seq_strings_find(&strings, "a", 1), -1);
    for (int i = 0; i < 5000; i++) {
        int size = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(seq_strings_add(&strings, text, (size_t)size, &number, &error), 0);
        assert_int_equal(number, i);
    }
    assert_int_equal(seq_strings_add(&strings, "", 0, &number, &error), 0);
    assert_int_equal(number, 5000);
    assert_int_equal(seq_strings_add(&strings, "17", 2, &number, &error), 0);
    assert_int_equal(number, 17);
    assert_int_equal(seq_strings_find(&strings, "4999x", 4), 4999);
    assert_int_equal(seq_strings_find(&strings, "5001", 4), -1);
    assert_string_equal(seq_strings_text(&strings, 4998, NULL), "4998");
    seq_strings_clear(&strings);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lenient), cmocka_unit_test(strict),
                                       cmocka_unit_test(detection), cmocka_unit_test(strings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
