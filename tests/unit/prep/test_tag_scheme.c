// Tag schemes: detection, repair with counts, conversion between all of them,
// with entities that touch each other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <seqtrain/prep/tag_scheme.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 32 };

static size_t parse(const char *text, seq_tag *out) {
    size_t count = 0;
    while (*text) {
        size_t size = strcspn(text, " ");
        out[count++] = seq_tag_parse(text, size);
        text += size + (text[size] == ' ');
    }
    return count;
}

static void join(const seq_tag *tags, size_t count, char *out, size_t capacity) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(out + used, capacity - used, "%s", i ? " " : "");
        used += seq_tag_text(tags[i], out + used, capacity - used);
    }
}

static void converts(seq_tag_scheme from, const char *text, seq_tag_scheme to, const char *expected,
                     size_t broken) {
    seq_tag tags[MOST];
    seq_tag_span spans[MOST];
    char found[500];
    size_t count = parse(text, tags);
    assert_int_equal(seq_tag_convert(from, to, tags, count, spans), broken);
    join(tags, count, found, sizeof found);
    assert_string_equal(found, expected);
}

static const char *const forms[SEQ_TAG_SCHEMES] = {
    // two entities of one type touch, then one of another type, one token alone, one at the end
    [SEQ_TAGS_IOB1] = "I-a I-a B-a I-b I-b I-b O B-x I-a",
    [SEQ_TAGS_IOB2] = "B-a I-a B-a B-b I-b I-b O B-x B-a",
    [SEQ_TAGS_IOBES] = "B-a E-a S-a B-b I-b E-b O S-x S-a",
    [SEQ_TAGS_BILOU] = "B-a L-a U-a B-b I-b L-b O U-x U-a",
};

static void every_scheme_becomes_every_other(void **state) {
    (void)state;
    for (int from = SEQ_TAGS_IOB1; from < SEQ_TAG_SCHEMES; from++)
        for (int to = SEQ_TAGS_IOB1; to < SEQ_TAG_SCHEMES; to++) {
            // IOB1 writes B-x only behind another x, so its form has one broken tag.
            char expected[100];
            snprintf(expected, sizeof expected, "%s", forms[to]);
            char *single = to == SEQ_TAGS_IOB1 ? strstr(expected, "B-x") : NULL;
            if (single) *single = 'I';
            converts((seq_tag_scheme)from, forms[from], (seq_tag_scheme)to, expected,
                     from == SEQ_TAGS_IOB1);
        }
}

static void broken_tags_are_repaired_and_counted(void **state) {
    (void)state;
    converts(SEQ_TAGS_IOB2, "O I-a I-a O I-b", SEQ_TAGS_IOB2, "O B-a I-a O B-b", 2);
    converts(SEQ_TAGS_IOB2, "B-a I-b I-b", SEQ_TAGS_IOB2, "B-a B-b I-b", 1);
    converts(SEQ_TAGS_IOBES, "B-a O E-b I-b I-b", SEQ_TAGS_IOBES, "S-a O S-b B-b E-b", 4);
    converts(SEQ_TAGS_IOBES, "S-a I-a E-a", SEQ_TAGS_IOB2, "B-a B-a I-a", 1);
    converts(SEQ_TAGS_IOB1, "B-a B-a I-a", SEQ_TAGS_IOB1, "I-a B-a I-a", 1);
    converts(SEQ_TAGS_IOB2, "", SEQ_TAGS_IOBES, "", 0);
    converts(SEQ_TAGS_NONE, "NN I-a", SEQ_TAGS_IOB2, "NN I-a", 0);
}

static void detects(const char *const *sentences, bool told, seq_tag_scheme expected) {
    seq_tag tags[MOST];
    seq_tag_evidence evidence = {0};
    seq_tag_scheme scheme;
    for (; *sentences; sentences++)
        seq_tag_evidence_add(&evidence, tags, parse(*sentences, tags));
    assert_int_equal(seq_tag_scheme_detect(&evidence, &scheme), told);
    if (told) assert_int_equal(scheme, expected);
}

static void schemes_are_told(void **state) {
    (void)state;
    detects((const char *const[]){"I-a I-a B-a O", NULL}, true, SEQ_TAGS_IOB1);
    detects((const char *const[]){"O B-a I-a", "O O B-b", NULL}, true, SEQ_TAGS_IOB2);
    detects((const char *const[]){"B-a I-a", "I-a", "B-b B-b", "B-a", NULL}, true, SEQ_TAGS_IOB2);
    detects((const char *const[]){"I-a", "B-b", NULL}, true, SEQ_TAGS_IOB2); // as likely: the usual
    detects((const char *const[]){"B-a E-a", "S-b O", NULL}, true, SEQ_TAGS_IOBES);
    detects((const char *const[]){"S-b O", NULL}, true, SEQ_TAGS_IOBES);
    detects((const char *const[]){"B-a L-a U-b", NULL}, true, SEQ_TAGS_BILOU);
    detects((const char *const[]){"DET NOUN PUNCT", NULL}, true, SEQ_TAGS_NONE);
    detects((const char *const[]){"O PER O LOC", NULL}, true, SEQ_TAGS_NONE);
    detects((const char *const[]){"O O", NULL}, true, SEQ_TAGS_NONE);
    detects((const char *const[]){NULL}, true, SEQ_TAGS_NONE);
    detects((const char *const[]){"B-a I-a O", "Iperson", NULL}, false, SEQ_TAGS_NONE);
    detects((const char *const[]){"B-a B", NULL}, false, SEQ_TAGS_NONE);
}

static void entities_are_found(void **state) {
    seq_tag tags[MOST];
    seq_tag_span spans[MOST];
    (void)state;
    size_t count = parse("I-a B-a I-a I-b O", tags);
    assert_int_equal(seq_tag_spans(SEQ_TAGS_IOB2, tags, count, spans), 3);
    assert_int_equal(spans[1].begin, 1);
    assert_int_equal(spans[1].end, 3);
    assert_int_equal(spans[2].begin, 3);
    assert_int_equal(seq_tag_spans(SEQ_TAGS_NONE, tags, count, spans), 0);
}

static void names_are_found(void **state) {
    seq_tag_scheme scheme;
    (void)state;
    for (int i = 0; i < SEQ_TAG_SCHEMES; i++) {
        assert_true(seq_tag_scheme_find(seq_tag_scheme_name((seq_tag_scheme)i), &scheme));
        assert_int_equal(scheme, i);
    }
    assert_false(seq_tag_scheme_find("bio", &scheme));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_becomes_every_other),
        cmocka_unit_test(broken_tags_are_repaired_and_counted),
        cmocka_unit_test(schemes_are_told),
        cmocka_unit_test(entities_are_found),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
