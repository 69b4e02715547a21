// A language model beside a CTC search. It reads prefixes as seq_scorer does, alone or side by side
// with the same bits; both searches with it find what all label sequences, scored one by one, say.
// Symbols are matched by their texts. Checks src/infer/language.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/team.h>
#include <seqtrain/infer/ctc_search.h>
#include <seqtrain/infer/score.h>
#include <seqtrain/nn/cell.h>
#include <stdlib.h>
#include <string.h>
#include "ctc_forward.h"
#include "small_model.h"
#include "temporary.h"

enum { K = 4, T = 4, ALL = 121 }; // label sequences of up to T of K - 1 labels

#define RULES                                                                                      \
    "# seqtrain vocabulary 1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=line\t"           \
    "invalid=error\n"
#define NO_EOS                                                                                     \
    "# seqtrain vocabulary 1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=none\t"           \
    "invalid=error\n"
static const char tokens_text[] =
    RULES "0\t5\t<unk>\n1\t7\t<eos>\n2\t9\ta\n3\t9\tb\n4\t9\tc\n5\t1\td\n6\t1\te\n";
static const char symbols_text[] = NO_EOS "0\t0\t<blank>\n1\t7\tc\n2\t9\ta\n3\t9\te\n";
static const int32_t token_of[K] = {1, 4, 2, 6};

static seq_vocabulary *read_vocabulary(const char *text) {
    temporary place;
    seq_vocabulary *vocabulary = NULL;
    seq_error error = {0};
    temporary_create(&place);
    write_bytes(temporary_path(&place, "v.tsv"), text, strlen(text));
    if (seq_vocabulary_read(place.path, SEQ_BAD_INPUT, &vocabulary, &error))
        fail_msg("%s", error.text);
    temporary_destroy(&place);
    return vocabulary;
}

static seq_status match(const small_case *test, const char *tokens, const char *symbols,
                        bool unknown, seq_language *out, int *out_unknown, seq_error *error) {
    seq_vocabulary *of_model = read_vocabulary(tokens), *other = read_vocabulary(symbols);
    seq_status status = seq_language_create(test->model, &test->weights, of_model, other, unknown,
                                            "--lm run", out, out_unknown, error);
    seq_vocabulary_destroy(of_model);
    seq_vocabulary_destroy(other);
    return status;
}

static void open_language(small_case *test, const char *cell, int shape, seq_language *out) {
    const seq_model_config config = small_config(cell, shape);
    seq_error error = {0};
    int unknown = -1;
    small_case_create(test, &config, 1, 1, 4);
    assert_int_equal(match(test, tokens_text, symbols_text, false, out, &unknown, &error), SEQ_OK);
    assert_int_equal(unknown, 0);
    assert_memory_equal(out->ids, token_of, sizeof token_of);
}

// ln p of labels, then of <eos>, by the scorer: (count + 1).
static void score(const small_case *test, const int32_t *labels, int count, float *out) {
    seq_scorer *scorer = NULL;
    seq_error error = {0};
    int32_t ids[T + 1] = {0};
    for (int u = 0; u < count; u++)
        ids[u] = token_of[labels[u]];
    ids[count] = token_of[0];
    assert_int_equal(seq_scorer_create(test->model, &test->weights, false, &scorer, &error),
                     SEQ_OK);
    seq_scorer_run(scorer, ids, (size_t)count + 1, out);
    seq_scorer_destroy(scorer);
}

// Label sequence `number` of all up to length T; returns its length.
static int sequence(int number, int32_t *labels) {
    int length = 0, first = 0, count = 1;
    for (; number >= first + count; count *= K - 1, length++)
        first += count;
    for (int u = 0, code = number - first; u < length; u++, code /= K - 1)
        labels[u] = code % (K - 1) + 1;
    return length;
}

// Reads the prefixes of all sequences from place to place, length by length, `at_once` together;
// place n is that of sequence n.
static void read_all(seq_language_reader *reader, int at_once) {
    static int32_t from[ALL], to[ALL], symbols[ALL];
    int32_t labels[T];
    int waiting = 0, length = 0;
    for (int number = 0; number <= ALL; number++) {
        int longer = number == ALL ? T + 1 : sequence(number, labels);
        if (longer > length || waiting == at_once || number == ALL) {
            seq_language_read(reader, waiting, from, to, symbols);
            waiting = 0;
            length = longer;
        }
        if (number == ALL) break;
        int parent = 0; // the sequence without its last label
        int32_t shorter[T];
        while (longer && (sequence(parent, shorter) != longer - 1 ||
                          memcmp(shorter, labels, (size_t)(longer - 1) * sizeof *labels) != 0))
            parent++;
        from[waiting] = parent;
        to[waiting] = number;
        symbols[waiting++] = longer ? labels[longer - 1] : 0;
    }
}

static void reads_as_the_scorer_does(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int shape = 0; shape < small_shapes(); shape++) {
            small_case test;
            seq_language language;
            seq_language_reader *reader = NULL, *alone = NULL;
            seq_error error = {0};
            open_language(&test, *cell, shape, &language);
            assert_int_equal(seq_language_reader_create(&language, &reader, &error), SEQ_OK);
            assert_int_equal(seq_language_reader_create(&language, &alone, &error), SEQ_OK);
            assert_int_equal(seq_language_reserve(reader, ALL, &error), SEQ_OK);
            assert_int_equal(seq_language_reserve(alone, ALL, &error), SEQ_OK);
            read_all(reader, ALL);
            read_all(alone, 1);
            for (int number = 0; number < ALL; number++) {
                int32_t labels[T];
                float expected[T + 1];
                int length = sequence(number, labels);
                const float *next = seq_language_next(reader, number);
                assert_memory_equal(next, seq_language_next(alone, number), K * sizeof *next);
                score(&test, labels, length, expected);
                assert_true(fabsf(next[0] - expected[length]) < 1e-5F);
                for (int32_t k = 1; length < T && k < K; k++) {
                    labels[length] = k;
                    score(&test, labels, length + 1, expected);
                    assert_true(fabsf(next[k] - expected[length]) < 1e-5F);
                }
            }
            seq_language_reader_destroy(reader);
            seq_language_reader_destroy(alone);
            seq_language_clear(&language);
            small_case_destroy(&test);
        }
}

// ---- Search.

static void fill(float *table, int frames, uint32_t *random) {
    for (int t = 0; t < frames; t++) {
        double sum = 0, p[K];
        for (int k = 0; k < K; k++) {
            *random = *random * 1664525u + 1013904223u;
            p[k] = exp(3.0 * (*random >> 8) / 16777216.0);
            sum += p[k];
        }
        for (int k = 0; k < K; k++)
            table[t * K + k] = (float)log(p[k] / sum);
    }
}

static double fused_score(const small_case *test, const float *table,
                          const seq_ctc_search_config *config, const int32_t *labels, int length) {
    float of_label[T + 1];
    double sum = ctc_forward(table, T, K, labels, length);
    score(test, labels, length, of_label);
    for (int u = 0; u <= length; u++)
        sum += config->weight * (double)of_label[u] + (u < length ? config->bonus : 0);
    return sum;
}

static double largest_score(const small_case *test, const float *table,
                            const seq_ctc_search_config *config) {
    double largest = -INFINITY;
    for (int number = 0; number < ALL; number++) {
        int32_t labels[T];
        int length = sequence(number, labels);
        double sum = fused_score(test, table, config, labels, length);
        if (sum > largest) largest = sum;
    }
    return largest;
}

static void searches_with_it(void **state) {
    (void)state;
    small_case test;
    seq_language language;
    uint32_t random = 1;
    float table[T * K];
    int changed = 0;
    open_language(&test, "lstm", 1, &language);
    for (int trial = 0; trial < 24; trial++) {
        seq_ctc_search_config config = {K, 200, 100,          INFINITY,  trial % 3 * 0.7 - 0.5,
                                        0, 0,   SEQ_CTC_WORK, &language, trial % 4 * 0.8 + 0.1};
        fill(table, T, &random);
        double largest = largest_score(&test, table, &config);
        for (int exact = 0; exact < 3; exact++) {
            seq_error error = {0};
            seq_ctc_search *search = NULL;
            seq_ctc_found found;
            config.width = exact == 2 ? 2 : 200;
            assert_int_equal(seq_ctc_search_create(&config, &search, &error), SEQ_OK);
            assert_int_equal(exact == 1 ? seq_ctc_search_exact(search, table, T, &found, &error)
                                        : seq_ctc_search_beam(search, table, T, &found, &error),
                             SEQ_OK);
            // Neighbours that are equal need a frame between them.
            assert_true(exact == 2 || (found.count > 50 && found.count <= 100));
            for (int i = 0; i < found.count; i++) {
                const seq_ctc_sequence *sequence = &found.sequences[i];
                double expected =
                    fused_score(&test, table, &config, sequence->labels, sequence->length);
                assert_true(sequence->score < expected + 1e-5);
                assert_true(exact == 2 || sequence->score > expected - 1e-5);
                assert_true(i == 0 || sequence->score <= sequence[-1].score);
                assert_true(fabs(sequence->log_probability -
                                 ctc_forward(table, T, K, sequence->labels, sequence->length)) <
                            1e-12);
            }
            assert_true(exact == 2 || fabs(found.sequences[0].score - largest) < 1e-5);
            assert_true(found.sequences[0].score >= found.best_path);
            changed += found.sequences[0].score > found.best_path + 0.01;
            seq_ctc_search_destroy(search);
        }
    }
    assert_true(changed > 10);
    seq_language_clear(&language);
    small_case_destroy(&test);
}

enum { ITEMS = 24 };
typedef struct answer {
    double score;
    int length;
    int32_t labels[T];
} answer;
typedef struct job {
    const seq_language *language;
    const float *tables; // (ITEMS, T, K)
    answer answers[ITEMS];
} job;

// A thread's items, with a search of its own.
static void search_items(void *context, int part, int parts) {
    job *job = context;
    seq_ctc_search_config config = {K, 3, 1, INFINITY, 0.3, 0, 0, SEQ_CTC_WORK, job->language, 0.7};
    seq_error error = {0};
    seq_ctc_search *search = NULL;
    if (seq_ctc_search_create(&config, &search, &error)) abort();
    for (int i = part; i < ITEMS; i += parts) {
        seq_ctc_found found;
        if (seq_ctc_search_beam(search, job->tables + (size_t)i * T * K, T, &found, &error))
            abort();
        answer *answer = &job->answers[i];
        answer->score = found.sequences[0].score;
        answer->length = found.sequences[0].length;
        memcpy(answer->labels, found.sequences[0].labels,
               (size_t)answer->length * sizeof *answer->labels);
    }
    seq_ctc_search_destroy(search);
}

static void threads_share_it(void **state) {
    (void)state;
    static float tables[ITEMS * T * K];
    small_case test;
    seq_language language;
    uint32_t random = 2;
    job alone = {.tables = tables, .language = &language};
    open_language(&test, "gru", 1, &language);
    for (int i = 0; i < ITEMS; i++)
        fill(tables + (size_t)i * T * K, T, &random);
    search_items(&alone, 0, 1);
    for (int threads = 2; threads <= 5; threads++) {
        job together = {.tables = tables, .language = &language};
        seq_error error = {0};
        seq_team *team = NULL;
        assert_int_equal(seq_team_create(threads, &team, &error), SEQ_OK);
        seq_team_run(team, search_items, &together);
        seq_team_destroy(team);
        for (int i = 0; i < ITEMS; i++) {
            assert_true(together.answers[i].score == alone.answers[i].score);
            assert_int_equal(together.answers[i].length, alone.answers[i].length);
            assert_memory_equal(together.answers[i].labels, alone.answers[i].labels,
                                sizeof alone.answers[i].labels);
        }
    }
    seq_language_clear(&language);
    small_case_destroy(&test);
}

// ---- Symbols and tokens.

static void unknown_symbols(void **state) {
    (void)state;
    static const char other[] = NO_EOS "0\t0\t<blank>\n1\t7\tA\n2\t9\ta\n3\t9\tbb\n";
    static const char none[] =
        NO_EOS "0\t5\ta\n1\t7\tb\n2\t9\tc\n3\t9\td\n4\t9\te\n5\t1\tf\n6\t1\tg\n";
    const seq_model_config config = small_config("gru", 0);
    small_case test;
    seq_language language;
    seq_error error = {0};
    int unknown = -1;
    small_case_create(&test, &config, 1, 1, 4);
    assert_int_equal(match(&test, tokens_text, other, false, &language, &unknown, &error),
                     SEQ_BAD_USAGE);
    assert_string_equal(error.text,
                        "--lm run: the language model does not know 2 of the 3 symbols: 'A' 'bb'");
    error = (seq_error){0};
    assert_int_equal(match(&test, tokens_text, other, true, &language, &unknown, &error), SEQ_OK);
    assert_int_equal(unknown, 2);
    assert_int_equal(language.ids[0], 1);
    assert_int_equal(language.ids[1], 0);
    assert_int_equal(language.ids[2], 2);
    assert_int_equal(language.ids[3], 0);
    seq_language_clear(&language);
    // Neither <unk> nor <eos>.
    assert_int_equal(match(&test, none, other, true, &language, &unknown, &error), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "symbols: 'A' 'bb', and has no <unk>"));
    error = (seq_error){0};
    assert_int_equal(match(&test, none, symbols_text, false, &language, &unknown, &error), SEQ_OK);
    assert_int_equal(language.ids[0], SEQ_NO_ID);
    seq_language_reader *reader = NULL;
    assert_int_equal(seq_language_reader_create(&language, &reader, &error), SEQ_OK);
    assert_int_equal(seq_language_reserve(reader, 1, &error), SEQ_OK);
    seq_language_read(reader, 1, &(int32_t){0}, &(int32_t){0}, &(int32_t){0});
    assert_true(seq_language_next(reader, 0)[0] == 0 && seq_language_next(reader, 0)[1] < 0);
    seq_language_reader_destroy(reader);
    seq_language_clear(&language);
    small_case_destroy(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_the_scorer_does),
        cmocka_unit_test(searches_with_it),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(unknown_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
