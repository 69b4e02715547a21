// Fields -> units: words, characters, k-mers, tokens that are normalised but
// not cut; windows; the record of the rules.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <seqtrain/prep/item_units.h>
#include <stdlib.h>
#include <string.h>

static seq_status join(void *context, const char *text, size_t size, size_t count,
                       seq_error *error) {
    char *out = context;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        strncat(out, text + i * size, size);
        strcat(out, "|");
    }
    return SEQ_OK;
}

static void cuts(const seq_item_rules *rules, const seq_item_field *field, const char *expected) {
    char found[1000] = "";
    seq_item_cutter *cutter = NULL;
    seq_error error = {0};
    assert_int_equal(seq_item_cutter_create(rules, join, found, &cutter, &error), SEQ_OK);
    if (seq_item_cut(cutter, "f", field, &error))
        assert_string_equal(error.text, expected);
    else
        assert_string_equal(found, expected);
    seq_item_cutter_destroy(cutter);
}

static void fields_are_cut(void **state) {
    const seq_value text = {"A b\xC2\xA0 c.", 8, 2, 3}, letters = {"ACGTA", 5, 1, 4},
                    tokens[] = {{"New\xC2\xA0York", 9, 1, 1}, {"E\xCC\x81", 3, 2, 1}},
                    broken[] = {{"a\nb", 3, 7, 0}}, empty = {"", 0, 1, 1};
    const seq_item_field one = {"text", &text, 1, false}, dna = {"text", &letters, 1, false},
                         list = {"token", tokens, 2, true}, bad = {"token", broken, 1, true},
                         none = {"text", &empty, 1, false};
    const seq_item_rules words = {.text.unit = SEQ_UNIT_WORD}, chars = {.text.unit = SEQ_UNIT_CHAR},
                         lower = {.text = {.unit = SEQ_UNIT_WORD, .lower = true, .nfc = true}},
                         threes = {.kmer = 3, .stride = 1}, steps = {.kmer = 2, .stride = 2},
                         long_ones = {.kmer = 6, .stride = 1};
    (void)state;
    cuts(&words, &one, "A|b|c.|");
    cuts(&chars, &dna, "A|C|G|T|A|");
    cuts(&words, &none, "");
    cuts(&words, &list, "New\xC2\xA0York|E\xCC\x81|");
    cuts(&lower, &list, "new\xC2\xA0york|\xC3\xA9|");
    cuts(&words, &bad, "f line 7: a token holds a line end");
    cuts(&threes, &dna, "ACG|CGT|GTA|");
    cuts(&steps, &dna, "AC|GT|");
    cuts(&long_ones, &dna, "");
    cuts(&threes, &one, "f line 2, column 4: --kmer: byte 0x20 is no letter of a sequence");
}

// A cased unit, and its word behind it.
typedef struct cased_join {
    char *text;
    seq_item_cutter *cutter;
} cased_join;

static seq_status join_words(void *context, const char *text, size_t size, size_t count,
                             seq_error *error) {
    cased_join *out = context;
    for (size_t i = 0; i < count; i++) {
        const char *word;
        size_t word_size;
        seq_status status =
            seq_item_word(out->cutter, text + i * size, size, &word, &word_size, error);
        if (status) return status;
        strncat(out->text, text + i * size, size);
        strcat(out->text, "=");
        strncat(out->text, word, word_size);
        strcat(out->text, "|");
    }
    return SEQ_OK;
}

static void cased_units_have_words(void **state) {
    const seq_value tokens[] = {{"Apple", 5, 1, 1},
                                {"", 0, 2, 1},
                                {"E\xCC\x81", 3, 3, 1},
                                {"iOS", 3, 4, 1}},
                    text = {"New E\xCC\x81 york", 12, 1, 1};
    const seq_item_field list = {"token", tokens, 4, true}, one = {"text", &text, 1, false};
    const struct {
        const seq_item_field *field;
        bool lower, nfc, cased;
        const char *expected;
    } cases[] = {
        {&list, true, true, true, "Apple=apple|=|\xC3\x89=\xC3\xA9|iOS=ios|"},
        {&list, true, false, true, "Apple=apple|=|E\xCC\x81=e\xCC\x81|iOS=ios|"},
        {&list, false, true, true, "Apple=Apple|=|\xC3\x89=\xC3\x89|iOS=iOS|"},
        {&list, true, false, false, "apple=apple|=|e\xCC\x81=e\xCC\x81|ios=ios|"},
        {&one, true, true, true, "New=new|\xC3\x89=\xC3\xA9|york=york|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[200] = "";
        cased_join out = {.text = found};
        seq_error error = {0};
        const seq_item_rules rules = {
            .text = {.unit = SEQ_UNIT_WORD, .lower = cases[i].lower, .nfc = cases[i].nfc},
            .cased = cases[i].cased};
        assert_int_equal(seq_item_cutter_create(&rules, join_words, &out, &out.cutter, &error),
                         SEQ_OK);
        assert_int_equal(seq_item_cut(out.cutter, "f", cases[i].field, &error), SEQ_OK);
        assert_string_equal(found, cases[i].expected);
        seq_item_cutter_destroy(out.cutter);
    }
}

static void long_items_have_windows(void **state) {
    const seq_item_rules rules = {.max_length = 10, .overlap = 4}, never = {0};
    const int64_t lengths[] = {0, 1, 10, 11, 16, 17, 100};
    int64_t from, to;
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        int64_t count = seq_item_windows(&rules, lengths[i]), covered = 0;
        for (int64_t w = 0; w < count; w++) {
            seq_item_window(&rules, lengths[i], w, &from, &to);
            assert_true(to - from <= 10);
            assert_int_equal(from, w * 6);
            if (w) assert_int_equal(covered - from, 4);
            assert_true(w == 0 || to > covered);
            covered = to;
        }
        assert_int_equal(covered, lengths[i]);
        assert_int_equal(seq_item_windows(&never, lengths[i]), 1);
        seq_item_window(&never, lengths[i], 0, &from, &to);
        assert_int_equal(to, lengths[i]);
    }
    assert_int_equal(seq_item_windows(&rules, 10), 1);
    assert_int_equal(seq_item_windows(&rules, 11), 2);
    assert_int_equal(seq_item_windows(&rules, 16), 2);
    assert_int_equal(seq_item_windows(&rules, 17), 3);
}

static void rules_are_recorded(void **state) {
    const seq_item_rules rules = {.kmer = 3, .stride = 2, .max_length = 60, .overlap = 59},
                         none = {0};
    seq_item_rules read = {0};
    seq_record record = {0};
    seq_error error = {0};
    (void)state;
    assert_int_equal(seq_item_rules_write(&none, &record, &error), SEQ_OK);
    assert_int_equal(record.count, 0);
    assert_int_equal(seq_item_rules_write(&rules, &record, &error), SEQ_OK);
    assert_int_equal(seq_item_rules_read(&read, &record, &error), SEQ_OK);
    assert_memory_equal(&read, &rules, sizeof rules);
    assert_int_equal(seq_record_set_integer(&record, "overlap", 60, &error), SEQ_OK);
    assert_int_not_equal(seq_item_rules_read(&read, &record, &error), SEQ_OK);
    seq_record_clear(&record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_cut),
        cmocka_unit_test(cased_units_have_words),
        cmocka_unit_test(long_items_have_windows),
        cmocka_unit_test(rules_are_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
