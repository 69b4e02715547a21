// BLEU and chrF against figures that are known (Post 2018's example and others), and against
// sacreBLEU's on random segments (tests/golden/generate_bleu.py); signatures; marks of subwords.
// Checks src/task/bleu.c, src/task/points.c and src/task/metric_bleu.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/task/bleu.h>
#include <seqtrain/task/metric.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static seq_error error;
static const seq_bleu_settings usual = {.value = -1};

static seq_segment segment(const char *text) {
    return (seq_segment){text, strlen(text)};
}

static double bleu_of(seq_segment_counter *counter, seq_bleu_tokens tokens,
                      seq_bleu_settings settings, const char *output, const char *reference) {
    int64_t counts[SEQ_BLEU_COUNTS];
    const seq_segment one = segment(reference);
    assert_int_equal(
        seq_bleu_count(counter, tokens, false, segment(output), &one, 1, counts, &error), SEQ_OK);
    return seq_bleu_of(counts, settings).score;
}

static void add_counts(int64_t *sums, const int64_t *counts, int count) {
    for (int i = 0; i < count; i++)
        sums[i] += counts[i];
}

// Three segments with two references each.
static void published(void **state) {
    (void)state;
    static const char *const outputs[] = {"The dog bit the man.", "It wasn't surprising.",
                                          "The man had just bitten him."};
    static const char *const references[][2] = {
        {"The dog bit the man.", "The dog had bit the man."},
        {"It was not unexpected.", "No one was surprised."},
        {"The man bit him first.", "The man had bitten the dog."}};
    const struct {
        seq_bleu_tokens tokens;
        seq_bleu_smoothing smoothing;
        double expected;
    } cases[] = {{SEQ_BLEU_13A, SEQ_BLEU_EXP, 48.530827},
                 {SEQ_BLEU_13A, SEQ_BLEU_UNSMOOTHED, 48.530827},
                 {SEQ_BLEU_NONE, SEQ_BLEU_EXP, 49.1919566},
                 {SEQ_BLEU_INTL, SEQ_BLEU_EXP, 43.91623493}};
    seq_segment_counter *counter;
    assert_int_equal(seq_segment_counter_create(&counter, &error), SEQ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t sums[SEQ_BLEU_COUNTS] = {0}, counts[SEQ_BLEU_COUNTS];
        for (int k = 0; k < 3; k++) {
            const seq_segment both[] = {segment(references[k][0]), segment(references[k][1])};
            seq_bleu_count(counter, cases[i].tokens, false, segment(outputs[k]), both, 2, counts,
                           &error);
            add_counts(sums, counts, SEQ_BLEU_COUNTS);
        }
        const seq_bleu_settings settings = {.smoothing = cases[i].smoothing, .value = -1};
        double found = seq_bleu_of(sums, settings).score;
        if (!(fabs(found - cases[i].expected) < 1e-6))
            fail_msg("case %zu: %.9g, expected %.9g", i, found, cases[i].expected);
    }
    seq_segment_counter_destroy(counter);
}

static void near(double found, double expected) {
    if (!(fabs(found - expected) < 1e-6)) fail_msg("%.9g, expected %.9g", found, expected);
}

static void known_counts(void **state) {
    (void)state;
    const seq_bleu_settings floor = {.smoothing = SEQ_BLEU_FLOOR, .value = -1};
    const int64_t some[SEQ_BLEU_COUNTS] = {11, 11, 9, 7, 5, 3, 10, 8, 6, 4};
    near(seq_bleu_of(some, usual).score, 83.75922397);
    // No match, no output, and a precision of 0 that nothing smoothes.
    const int64_t none[][SEQ_BLEU_COUNTS] = {{0, 1, 0, 0, 0, 0, 4, 4, 2, 1},
                                             {14, 10, 0, 0, 0, 0, 10, 11, 12, 0},
                                             {0},
                                             {1, 5},
                                             {6, 6, 6, 5, 4, 0, 6, 5, 4, 3}};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_true(seq_bleu_of(none[i], (seq_bleu_settings){SEQ_BLEU_FLOOR, 0, false}).score == 0);
    assert_true(seq_bleu_of(none[2], floor).penalty == 1);
    assert_true(seq_bleu_of(none[0], floor).penalty == 0);
}

static void known_segments(void **state) {
    (void)state;
    const seq_bleu_settings raw = {
        .smoothing = SEQ_BLEU_FLOOR, .value = -1, .effective_order = true};
    seq_segment_counter *counter;
    assert_int_equal(seq_segment_counter_create(&counter, &error), SEQ_OK);
    near(bleu_of(counter, SEQ_BLEU_NONE, raw, "am I am a character sequence",
                 "I am a symbol string sequence a a"),
         15.55722182);
    seq_bleu_settings hundredth = raw;
    hundredth.value = 0.01;
    near(bleu_of(counter, SEQ_BLEU_NONE, hundredth, "test", "a test"), 36.78794411);
    near(bleu_of(counter, SEQ_BLEU_NONE, hundredth, "a test", "a test"), 100);
    near(bleu_of(counter, SEQ_BLEU_NONE, hundredth, "a little test", "a test"), 3.218297949);
    for (int i = 0; i < SEQ_BLEU_SMOOTHINGS; i++)
        for (int effective = 0; effective < 2; effective++)
            assert_true(bleu_of(counter, SEQ_BLEU_13A,
                                (seq_bleu_settings){(seq_bleu_smoothing)i, -1, effective},
                                "okay thanks", "this is a cat") == 0);
    // Bytes that are no UTF-8 match themselves, and nothing else.
    assert_true(bleu_of(counter, SEQ_BLEU_NONE, raw, "a \xFF", "a \xFE") < 100);
    near(bleu_of(counter, SEQ_BLEU_NONE, raw, "a \xFF", "a \xFF"), 100);
    seq_segment_counter_destroy(counter);
}

// ---- sacreBLEU's figures.

typedef struct corpus {
    int segments, references;
    char *lines[400];
} corpus;

static seq_segment output_of(const corpus *corpus, int i) {
    return segment(corpus->lines[i * (corpus->references + 1)] + 1);
}

static void references_of(const corpus *corpus, int i, seq_segment *out) {
    for (int r = 0; r < corpus->references; r++)
        out[r] = segment(corpus->lines[i * (corpus->references + 1) + 1 + r] + 1);
}

static int place(const char *const *names, const char *name) {
    int i = 0;
    while (strcmp(names[i], name) != 0)
        i++;
    return i;
}

typedef struct measure {
    bool chrf, words, lower;
    seq_bleu_tokens tokens;
    seq_bleu_settings settings;
} measure;

static double score_of(const measure *measure, const int64_t *counts) {
    return measure->chrf
               ? seq_chrf_of(counts, measure->words ? SEQ_CHRF_ORDERS : SEQ_CHRF_CHARACTERS)
               : seq_bleu_of(counts, measure->settings).score;
}

static void count(seq_segment_counter *counter, const measure *measure, const corpus *corpus, int i,
                  int64_t *counts) {
    seq_segment references[3];
    references_of(corpus, i, references);
    seq_status status =
        measure->chrf
            ? seq_chrf_count(counter, measure->words, measure->lower, output_of(corpus, i),
                             references, (size_t)corpus->references, counts, &error)
            : seq_bleu_count(counter, measure->tokens, measure->lower, output_of(corpus, i),
                             references, (size_t)corpus->references, counts, &error);
    assert_int_equal(status, SEQ_OK);
}

static measure read_measure(const char *line, const char **out_rest) {
    char kind[8], tokens[8], letters[8], smoothing[8], effective[4];
    measure out = {0};
    int used = 0, words = 0;
    assert_int_equal(sscanf(line, "%7s", kind), 1);
    if (strcmp(kind, "chrf") == 0) {
        assert_int_equal(sscanf(line, "%7s %7s %d%n", kind, letters, &words, &used), 3);
        out.chrf = true;
        out.words = words > 0;
    } else {
        assert_int_equal(sscanf(line, "%7s %7s %7s %7s %lf %3s%n", kind, tokens, letters, smoothing,
                                &out.settings.value, effective, &used),
                         6);
        out.tokens = (seq_bleu_tokens)place(seq_bleu_token_names, tokens);
        out.settings.smoothing = (seq_bleu_smoothing)place(seq_bleu_smoothing_names, smoothing);
        out.settings.effective_order = strcmp(effective, "yes") == 0;
    }
    out.lower = strcmp(letters, "lc") == 0;
    *out_rest = line + used;
    return out;
}

static void check_line(seq_segment_counter *counter, const corpus *corpus, const char *line) {
    const char *rest;
    const measure measure = read_measure(line, &rest);
    int64_t sums[SEQ_CHRF_COUNTS] = {0}, counts[SEQ_CHRF_COUNTS] = {0};
    int size = !measure.chrf   ? SEQ_BLEU_COUNTS
               : measure.words ? SEQ_CHRF_COUNTS
                               : SEQ_CHRF_PLAIN_COUNTS;
    for (int i = 0; i < corpus->segments; i++) {
        count(counter, &measure, corpus, i, counts);
        add_counts(sums, counts, size);
    }
    for (int i = -1; i < 2 && i < corpus->segments; i++) {
        if (i >= 0) count(counter, &measure, corpus, i, counts);
        double found = score_of(&measure, i < 0 ? sums : counts), expected = strtod(rest, NULL);
        rest += strspn(rest, " ");
        rest += strcspn(rest, " ");
        if (!(fabs(found - expected) <= 1e-12 * expected))
            fail_msg("%s corpus of %d, segment %d: %.17g, expected %.17g", line, corpus->segments,
                     i, found, expected);
    }
}

static void sacrebleu(void **state) {
    (void)state;
    FILE *file = fopen(GOLDEN_DIRECTORY "/bleu.txt", "r");
    seq_segment_counter *counter;
    corpus corpus = {0};
    char line[4096];
    int lines = 0, checked = 0;
    assert_non_null(file);
    assert_int_equal(seq_segment_counter_create(&counter, &error), SEQ_OK);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "corpus %d %d", &corpus.segments, &corpus.references) == 2) {
            while (lines > 0)
                free(corpus.lines[--lines]);
        } else if (*line == 'o' || *line == 'r') {
            assert_true(lines < 400);
            corpus.lines[lines++] = strdup(line);
        } else {
            check_line(counter, &corpus, line);
            checked++;
        }
    }
    while (lines > 0)
        free(corpus.lines[--lines]);
    assert_int_equal(checked, 480);
    seq_segment_counter_destroy(counter);
    fclose(file);
}

// Many segments after a long one, and n-grams that share a hash place.
static void any_length(void **state) {
    (void)state;
    enum { LONG = 20000 };
    char *text = malloc(2 * LONG + 1);
    seq_segment_counter *counter;
    for (int i = 0; i < LONG; i++)
        memcpy(text + 2 * i, (char[]){(char)('a' + i * i % 26), ' '}, 2);
    text[2 * LONG] = '\0';
    assert_int_equal(seq_segment_counter_create(&counter, &error), SEQ_OK);
    for (int round = 0; round < 3; round++) {
        near(bleu_of(counter, SEQ_BLEU_NONE, usual, text, text), 100);
        near(bleu_of(counter, SEQ_BLEU_NONE, usual, "a b c d", "a b c d"), 100);
    }
    seq_segment_counter_destroy(counter);
    free(text);
}

static void signatures(void **state) {
    (void)state;
    char text[200];
    seq_bleu_signature(SEQ_BLEU_13A, usual, true, 1, "2.0", text, sizeof text);
    assert_string_equal(text, "nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:2.0");
    seq_bleu_signature(SEQ_BLEU_INTL, (seq_bleu_settings){SEQ_BLEU_FLOOR, -1, true}, false, 3,
                       "2.0", text, sizeof text);
    assert_string_equal(text, "nrefs:3|case:mixed|eff:yes|tok:intl|smooth:floor[0.10]|version:2.0");
    seq_bleu_signature(SEQ_BLEU_NONE, (seq_bleu_settings){SEQ_BLEU_ADD_K, 2, false}, false, 1, "x",
                       text, sizeof text);
    assert_string_equal(text, "nrefs:1|case:mixed|eff:no|tok:none|smooth:add-k[2.00]|version:x");
    seq_chrf_signature(true, false, 2, "x", text, sizeof text);
    assert_string_equal(text, "nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:x");
}

static void marks(void **state) {
    (void)state;
    const char *mark = NULL;
    assert_true(seq_segment_has_marks(segment("the m@@ an"), &mark));
    assert_string_equal(mark, "@@");
    assert_true(seq_segment_has_marks(segment("the m@@"), &mark));
    assert_true(seq_segment_has_marks(segment("\xE2\x96\x81the"), &mark));
    assert_string_equal(mark, "U+2581");
    assert_true(seq_segment_has_marks(segment("a\xE2\x96\x81"), &mark));
    assert_false(seq_segment_has_marks(segment("a@b.c @@@home x@ @"), &mark));
    assert_false(seq_segment_has_marks(segment(""), &mark));
    assert_false(seq_segment_has_marks(segment("@"), &mark));
}

// The metrics of a task are these sums.
static void metrics(void **state) {
    (void)state;
    seq_segment_counter *counter;
    assert_int_equal(seq_segment_counter_create(&counter, &error), SEQ_OK);
    const seq_metric *const rows[] = {seq_metric_find("bleu"), seq_metric_find("chrf")};
    const seq_segment outputs[] = {segment("the cat sat on the mat"), segment("a dog")},
                      references[] = {segment("the cat sat on a mat"), segment("a dog runs")};
    for (int m = 0; m < 2; m++) {
        int64_t sums[SEQ_CHRF_COUNTS] = {0};
        const seq_labels labels = {0};
        assert_true(rows[m]->counters(&labels) <= SEQ_CHRF_COUNTS);
        assert_true(isnan(rows[m]->value(sums, &labels)));
        for (int i = 0; i < 2; i++) {
            seq_overlap_counts counts;
            assert_int_equal(
                seq_text_count(counter, outputs[i], &references[i], 1, &counts, &error), SEQ_OK);
            const seq_judged item = {.texts = &counts};
            rows[m]->add(sums, &labels, &item);
        }
        // sacreBLEU's, of both lines
        near(rows[m]->value(sums, &labels), m ? 61.00594242 : 49.27817048);
    }
    seq_segment_counter_destroy(counter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published),      cmocka_unit_test(known_counts),
        cmocka_unit_test(known_segments), cmocka_unit_test(sacrebleu),
        cmocka_unit_test(any_length),     cmocka_unit_test(signatures),
        cmocka_unit_test(marks),          cmocka_unit_test(metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
