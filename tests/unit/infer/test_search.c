// Searches over small languages: outputs that are known by hand, rules, formulas, draws, and what
// is no number. test_search_exact.c compares with all outputs. Checks src/infer/search.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include "toy_language.h"

// ---- A language that is known by hand: what follows the beginning, a, b, c.

static void little(const path *path, float *logits) {
    static const double table[4][4] = {
        {0.0, 0.6, 0.4, 0.0}, {0.1, 0.3, 0.3, 0.3}, {0.9, 0.0, 0.0, 0.1}, {1.0, 0.0, 0.0, 0.0}};
    const double *row = table[path->length ? path->symbols[path->length - 1] : 0];
    for (int k = 0; k < 4; k++)
        logits[k] = row[k] > 0 ? (float)log(row[k]) + 3 : -INFINITY; // up to a constant
}

static void the_little_language(void **state) {
    (void)state;
    toy toy = make(little, 4, false);
    seq_search_config config = usual;
    config.symbols = 4;
    answer found = search_one(&config, &toy, NULL, 0);
    expect(&found, 0, "b", 0.36);
    expect(&found, 1, "ac", 0.18);
    expect(&found, 2, "ab", 0.162);
    expect(&found, 3, "a", 0.06);
    for (int k = 0; k < 4; k++) {
        assert_true(found.outputs[k].score == found.outputs[k].log_probability);
        assert_false(found.outputs[k].truncated);
    }
    // Greedy search says a as long as it may; its end is not the model's wish.
    assert_true(fabs(found.greedy - log(0.6 * pow(0.3, 4) * 0.1)) < 1e-6);
    config.width = 1;
    found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(found.count, 1);
    expect(&found, 0, "aaaaa", 0.6 * pow(0.3, 4) * 0.1);
    assert_true(found.outputs[0].truncated && found.greedy == found.outputs[0].score);
    assert_int_equal(toy.most, 1);

    config = usual;
    config.symbols = 4;
    config.shortest = 2;
    found = search_one(&config, &toy, NULL, 0);
    expect(&found, 0, "ac", 0.18);
    expect(&found, 1, "ab", 0.162);

    config.shortest = 0;
    config.forbidden = (const int32_t[]){B};
    config.forbidden_count = 1;
    found = search_one(&config, &toy, NULL, 0);
    expect(&found, 0, "ac", 0.18);
    expect(&found, 1, "a", 0.06);

    config.forbidden_count = 0;
    config.no_repeat = 1;
    found = search_one(&config, &toy, NULL, 0);
    expect(&found, 0, "b", 0.36);
    assert_true(fabs(found.greedy - log(0.162)) < 1e-6); // a b

    config.no_repeat = 0;
    config.longest = 1;
    found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(found.count, 2);
    expect(&found, 1, "a", 0.06);
    assert_true(found.outputs[1].truncated && !found.outputs[0].truncated);
    drop(&toy);
}

static void a_forced_prefix(void **state) {
    (void)state;
    toy toy = make(little, 4, false);
    seq_search_config config = usual;
    config.symbols = 4;
    answer found = search_one(&config, &toy, (const int32_t[]){A, A}, 2);
    expect(&found, 0, "aac", 0.6 * 0.3 * 0.3);
    expect(&found, 1, "aab", 0.6 * 0.3 * 0.3 * 0.9);
    expect(&found, 2, "aa", 0.6 * 0.3 * 0.1);
    config.forbidden = (const int32_t[]){A};
    config.forbidden_count = 1; // not in what is forced
    config.no_repeat = 1;
    found = search_one(&config, &toy, (const int32_t[]){A, A}, 2);
    expect(&found, 0, "aac", 0.6 * 0.3 * 0.3);
    assert_true(fabs(found.greedy - log(0.6 * 0.3 * 0.3 * 0.9)) < 1e-6);
    config.longest = 1; // the prefix is longer
    found = search_one(&config, &toy, (const int32_t[]){A, A}, 2);
    assert_int_equal(found.count, 1);
    expect(&found, 0, "aa", 0.6 * 0.3 * 0.1);
    // The language has no such beginning.
    found = search_one(&config, &toy, (const int32_t[]){C}, 1);
    assert_int_equal(found.count, 0);
    assert_true(isnan(found.greedy) && !found.not_a_number);
    drop(&toy);
}

// ---- Stopping.

// One way, a b a b ..., with an end at two places: p is 1 / 2 each time but where it is said.
static void long_way(const path *path, float *logits) {
    int t = path->length;
    double end = t == 2 ? 0.5 : t == 8 ? 1 - 1e-9 : 1e-9;
    for (int k = 0; k < SYMBOLS; k++)
        logits[k] = (float)log(k == END ? end : k == 1 + t % 2 ? 1 - end : 1e-12);
}

// e^-5 at once, then a dead certain end; everything else is worse at once.
static void short_way(const path *path, float *logits) {
    for (int k = 0; k < SYMBOLS; k++)
        logits[k] = path->length == 0 ? (k == END ? -30.0F
                                         : k == 1 ? 0.0F
                                                  : -20.0F)
                                      : (k == END ? 0.0F : -20.0F);
}

static void a_search_stops_when_nothing_can_win(void **state) {
    (void)state;
    toy toy = make(long_way, SYMBOLS, false);
    seq_search_config config = usual;
    config.best = 1;
    config.longest = 12;
    config.rule = SEQ_LENGTH_GNMT;
    config.alpha = 1;
    // ln 1/2 for both; the longer one is divided by more. It ends six steps after the first.
    answer found = search_one(&config, &toy, NULL, 0);
    expect(&found, 0, "abababab", 0.5);
    assert_true(fabs(found.outputs[0].score - log(0.5) / (14.0 / 6)) < 1e-6);
    config.rule = SEQ_LENGTH_NONE;
    found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(found.outputs[0].length, 2); // by the order of symbols, or by 1e-9
    drop(&toy);

    toy = make(short_way, SYMBOLS, false);
    config.longest = 30;
    found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(found.outputs[0].length, 1);
    assert_int_equal(toy.steps, 2); // nothing else can win: -20 is below
    config.rule = SEQ_LENGTH_GNMT;
    found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(toy.steps, 2); // -20 / (36 / 6) is below
    config.best = 2;                // the second one has to be found
    found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(found.count, 2);
    assert_true(toy.steps > 2 && toy.steps < 10);
    drop(&toy);
}

// ---- Formulas by hand.

static const float (*given_attention)[2];
static const float *two_units(void *context, int sequence, int *out_length) {
    const toy *toy = context;
    *out_length = 2;
    return given_attention[toy->rows[sequence].length];
}

static void formulas(void **state) {
    (void)state;
    assert_true(fabs(seq_length_penalty(SEQ_LENGTH_GNMT, 0.6, 7) - 1.5157165665103982) < 1e-15);
    assert_true(seq_length_penalty(SEQ_LENGTH_GNMT, 1, 1) == 1);
    assert_true(seq_length_penalty(SEQ_LENGTH_GNMT, 0, 9) == 1);
    assert_true(seq_length_penalty(SEQ_LENGTH_MEAN, 1, 4) == 4);
    assert_true(fabs(seq_length_penalty(SEQ_LENGTH_MEAN, 0.5, 9) - 3) < 1e-15);
    assert_true(seq_length_penalty(SEQ_LENGTH_NONE, 1, 4) == 1);

    // Places a and end: sums 0.25 + 0.5 and 0.75 + 0.5; a second symbol adds 0.125, 0.875.
    static const float rows[][2] = {{0.25F, 0.75F}, {0.5F, 0.5F}, {0.125F, 0.875F}, {0, 1}, {0, 1}};
    static const float never[][2] = {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}};
    toy toy = make(little, 4, true);
    const seq_stepper stepper = {&toy, toy_step, toy_scores, two_units};
    seq_search_config config = usual;
    const seq_search_item item = {.source = 2};
    seq_search *search;
    seq_error error = {0};
    static answer found;
    config.kernels = seq_kernels_of("portable");
    config.symbols = 4;
    config.longest = 2;
    config.coverage = 0.5;
    given_attention = rows;
    assert_int_equal(seq_search_create(&config, &search, &error), SEQ_OK);
    assert_int_equal(seq_search_run(search, &stepper, &item, 1, keep, &found, &error), SEQ_OK);
    assert_true(found.outputs[0].length == 1 && found.outputs[0].symbols[0] == B);
    assert_true(fabs(found.outputs[0].score - (log(0.36) + 0.5 * log(0.75))) < 1e-6);
    assert_int_equal(found.outputs[1].length, 2); // a c
    assert_true(fabs(found.outputs[1].score - (log(0.18) + 0.5 * log(0.875))) < 1e-6);
    given_attention = never;
    assert_int_equal(seq_search_run(search, &stepper, &item, 1, keep, &found, &error), SEQ_OK);
    assert_true(fabs(found.outputs[0].score - (log(0.36) + 0.5 * log((double)FLT_MIN))) < 1e-6);
    // A model without attention has no coverage.
    toy.attends = false;
    const seq_stepper none = {&toy, toy_step, toy_scores, toy_attention};
    assert_int_equal(seq_search_run(search, &none, &item, 1, keep, &found, &error), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "attention"));
    seq_search_destroy(search);
    drop(&toy);
}

static void attention_of_outputs(void **state) {
    (void)state;
    toy toy = make(random_language, SYMBOLS, true);
    seq_search_config config = usual;
    config.attention = true;
    seed_of_language = 3;
    spread_of_language = 4;
    answer found = search_one(&config, &toy, NULL, 0);
    assert_int_equal(found.count, 4);
    for (int k = 0; k < found.count; k++) {
        const output *output = &found.outputs[k];
        path path = {0};
        memcpy(path.symbols, output->symbols, sizeof path.symbols);
        for (; path.length <= output->length; path.length++) {
            float weights[SOURCE];
            attend(&path, weights);
            assert_memory_equal(output->attention[path.length], weights, sizeof weights);
        }
    }
    drop(&toy);
}

// ---- Items beside each other.

static void items_do_not_change_each_other(void **state) {
    (void)state;
    enum { ITEMS = 40 };
    static answer alone[ITEMS], together[ITEMS];
    toy toy = make(random_language, SYMBOLS, true);
    seq_sample_config draw = {.temperature = 1.5, .top_k = 4, .top_p = 1, .seed = 9};
    seq_search_item items[ITEMS];
    seed_of_language = 4;
    spread_of_language = 5;
    for (int how = 0; how < 3; how++) {
        seq_search_config config = usual;
        config.longest = 0;
        config.rule = SEQ_LENGTH_GNMT;
        config.alpha = 0.7;
        config.coverage = how == 0 ? 0.2 : 0;
        config.attention = how == 0;
        config.width = how == 1 ? 1 : 5;
        config.draw = how == 2 ? &draw : NULL;
        for (int i = 0; i < ITEMS; i++)
            items[i] = (seq_search_item){.number = 100 + i, .source = i % 9 == 8 ? 0 : SOURCE};
        search_all(&config, &toy, items, ITEMS, together);
        int all = toy.most, steps = toy.steps;
        assert_true(all > 0 && all <= ITEMS * seq_search_rows(&config));
        // A language asks for the item's number in its call.
        for (int i = 0; i < ITEMS; i++) {
            seq_search_item filled[ITEMS] = {{0}}; // items of no source are not stepped
            static answer answers[ITEMS];
            filled[i] = items[i];
            search_all(&config, &toy, filled, i + 1, answers);
            assert_true(toy.steps <= steps);
            alone[i] = answers[i];
        }
        for (int i = 0; i < ITEMS; i++) {
            assert_int_equal(alone[i].count, together[i].count);
            assert_memory_equal(alone[i].outputs, together[i].outputs,
                                (size_t)alone[i].count * sizeof *alone[i].outputs);
            if (items[i].source) continue;
            assert_int_equal(alone[i].count, 1);
            assert_int_equal(alone[i].outputs[0].length, 0);
            assert_true(alone[i].outputs[0].score == 0);
        }
    }
    drop(&toy);
}

// ---- Draws.

static void draws_follow_the_rules(void **state) {
    (void)state;
    enum { ITEMS = 2000 };
    static answer answers[ITEMS];
    static seq_search_item items[ITEMS];
    toy toy = make(little, 4, false);
    seq_sample_config draw = {.temperature = 1, .top_p = 1, .seed = 5};
    seq_search_config config = usual;
    int begin_b = 0;
    config.symbols = 4;
    config.draw = &draw;
    config.longest = 12;
    for (int i = 0; i < ITEMS; i++)
        items[i] = (seq_search_item){.number = i, .source = SEQ_NO_SOURCE};
    search_all(&config, &toy, items, ITEMS, answers);
    for (int i = 0; i < ITEMS; i++) {
        const output *output = &answers[i].outputs[0];
        path path = {0};
        double log_probability = 0;
        assert_int_equal(answers[i].count, 1);
        begin_b += output->length > 0 && output->symbols[0] == B;
        for (int j = 0; j <= output->length; j++, path.length++) { // each draw by itself
            float logits[4], scratch[4];
            unsigned char room[256];
            little(&path, logits);
            int32_t symbol = seq_sample_draw(&draw, logits, 4, SEQ_NO_ID,
                                             seq_sample_unit(&draw, j, (uint32_t)i), room);
            int32_t own = j < output->length ? output->symbols[j] : END;
            if (j < config.longest) assert_int_equal(own, symbol);
            log_probability +=
                (double)logits[own] - seq_log_sum(seq_kernels_of("portable"), logits, 4, scratch);
            path.symbols[j] = own;
        }
        assert_true(log_probability == output->log_probability);
    }
    const int32_t prefix[] = {A, A}; // draws are counted behind it
    seq_search_item forced = {
        .number = 7, .source = SEQ_NO_SOURCE, .prefix = prefix, .prefix_count = 2};
    path path = {.symbols = {A, A}, .length = 2};
    float logits[4];
    unsigned char room[256];
    answer *first = &answers[ITEMS - 1];
    search_all(&config, &toy, &forced, 1, first);
    little(&path, logits);
    assert_int_equal(
        first->outputs[0].length > 2 ? first->outputs[0].symbols[2] : END,
        seq_sample_draw(&draw, logits, 4, SEQ_NO_ID, seq_sample_unit(&draw, 0, 7), room));
    assert_true(begin_b > ITEMS * 36 / 100 && begin_b < ITEMS * 44 / 100); // p = 0.4
    config.shortest = 3;
    config.forbidden = (const int32_t[]){C};
    config.forbidden_count = 1;
    config.longest = 4;
    search_all(&config, &toy, items, 200, answers);
    for (int i = 0; i < 200; i++) {
        if (!answers[i].count) continue; // after b only c and the end have a probability
        const output *output = &answers[i].outputs[0];
        assert_true(output->length >= 3 && output->length <= 4);
        assert_false(holds(output->symbols, output->length, C));
    }
    drop(&toy);
}

// ---- What models say that they should not.

static float broken_value;
static void broken(const path *path, float *logits) {
    for (int k = 0; k < SYMBOLS; k++)
        logits[k] = path->length == 1 && k == 2 ? broken_value : (float)-k;
}
static void silent(const path *path, float *logits) {
    (void)path;
    for (int k = 0; k < SYMBOLS; k++)
        logits[k] = -INFINITY;
}

static void answers_that_are_no_number(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY};
    toy toy = make(broken, SYMBOLS, false);
    for (int i = 0; i < 2; i++) {
        broken_value = values[i];
        answer found = search_one(&usual, &toy, NULL, 0);
        assert_true(found.not_a_number && found.count == 0);
    }
    toy.says = silent;
    answer found = search_one(&usual, &toy, NULL, 0);
    assert_true(found.not_a_number && found.count == 0);
    // Nothing is allowed.
    toy.says = random_language;
    seq_search_config config = usual;
    config.forbidden = (const int32_t[]){1, 2, 3, 4};
    config.forbidden_count = 4;
    found = search_one(&config, &toy, NULL, 0);
    assert_true(!found.not_a_number && found.count == 0 && isnan(found.greedy));
    config.no_repeat = 1; // four symbols, and five are wanted
    config.forbidden_count = 0;
    config.shortest = 5;
    found = search_one(&config, &toy, NULL, 0);
    assert_true(!found.not_a_number && found.count == 0);
    drop(&toy);
}

// Outputs far below the best unfinished one are not followed; greedy search's is.
static void a_margin(void **state) {
    (void)state;
    toy toy = make(random_language, SYMBOLS, false);
    seq_search_config config = usual;
    seed_of_language = 8;
    spread_of_language = 6;
    config.longest = 4;
    config.width = 100;
    config.margin = 0;
    answer found = search_one(&config, &toy, NULL, 0);
    assert_true(toy.most <= 2 && found.count > 0 && found.outputs[0].score >= found.greedy);
    int narrow = toy.most;
    config.margin = 3;
    search_one(&config, &toy, NULL, 0);
    assert_true(toy.most > narrow);
    drop(&toy);
}

// The rows of a large vocabulary come in chunks, and lanes have a rest.
enum { MANY = 70001 };
static void many_symbols(const path *path, float *logits) {
    uint32_t x = hash(path, 12);
    for (int k = 0; k < MANY; k++)
        logits[k] = 3 * unit(mix(x, (uint32_t)k));
    logits[mix(x, 1) % MANY] = 11;
    logits[MANY - 1] = 10;
    logits[END] = path->length > 2 ? 12 : 0;
}

static void chunks_of_a_large_vocabulary(void **state) {
    (void)state;
    toy toy = make(many_symbols, MANY, false);
    seq_search_config config = usual;
    config.symbols = MANY;
    config.width = 40; // 29 rows are a chunk
    config.best = 5;
    answer found = search_one(&config, &toy, NULL, 0);
    assert_true(toy.most > 29);
    assert_int_equal(found.count, 5);
    path path = {0};
    double log_probability = 0;
    float *logits = malloc(2 * MANY * sizeof *logits);
    for (; path.length <= 3; path.length++) { // the best has each time what stands out
        many_symbols(&path, logits);
        int32_t wanted = path.length == 3 ? END : (int32_t)(mix(hash(&path, 12), 1) % MANY);
        if (path.length < 3) assert_int_equal(found.outputs[0].symbols[path.length], wanted);
        path.symbols[path.length] = wanted;
        double most = 12, sum = 0;
        for (int k = 0; k < MANY; k++)
            sum += exp((double)logits[k] - most);
        log_probability += (double)logits[wanted] - (most + log(sum));
    }
    assert_int_equal(found.outputs[0].length, 3);
    assert_true(fabs(found.outputs[0].log_probability - log_probability) < 1e-5);
    free(logits);
    drop(&toy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_little_language),
        cmocka_unit_test(a_forced_prefix),
        cmocka_unit_test(a_search_stops_when_nothing_can_win),
        cmocka_unit_test(formulas),
        cmocka_unit_test(attention_of_outputs),
        cmocka_unit_test(items_do_not_change_each_other),
        cmocka_unit_test(draws_follow_the_rules),
        cmocka_unit_test(answers_that_are_no_number),
        cmocka_unit_test(a_margin),
        cmocka_unit_test(chunks_of_a_large_vocabulary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
