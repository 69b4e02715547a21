// Updates by ranges: any cut gives the bits of the whole, and a gradient that
// is absent those of zeros. keeps_zeros must be true where nothing changes by
// rule: sgd without decay. Checks src/optim/optimizer.c and all rules.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/random.h>
#include <seqtrain/optim/optimizer.h>
#include <string.h>

enum { FIRST = 2500, SECOND = 300, OFFSET = 2512, SIZE = 2816 };

static seq_parameter items[] = {
    {.name = "matrix", .dimensions = 2, .rows = 50, .columns = 50, .decay = true, .rate = 1},
    {.name = "vector", .dimensions = 1, .rows = SECOND, .columns = 1, .offset = OFFSET, .rate = 1}};
static const seq_parameter_table table = {items, 2, SIZE, FIRST + SECOND};

typedef struct vectors {
    float parameters[SIZE], first[SIZE], second[SIZE], gradient[SIZE];
} vectors;

static void fill(vectors *v) {
    seq_random_key key = {7, SEQ_RANDOM_TEST};
    memset(v, 0, sizeof *v);
    for (int row = 0; row < table.count; row++) {
        size_t at = items[row].offset, count = seq_parameter_size(&items[row]);
        seq_random_fill_uniform(key, 1, 1, v->parameters + at, count);
        seq_random_fill_uniform(key, 2, 1, v->gradient + at, count);
    }
    v->parameters[17] = -0.0F;
}

static seq_optimizer_step step_of(const seq_optimizer *rule, const seq_optimizer_config *config,
                                  vectors *v, float **state) {
    state[0] = v->first;
    state[1] = v->second;
    return (seq_optimizer_step){rule, config,        &table,      0.1,  0.3,
                                3,    v->parameters, v->gradient, state};
}

static void cuts_do_not_matter(const seq_optimizer *rule, const seq_optimizer_config *config) {
    static const size_t cuts[] = {0, 1, 64, 1000, 2499, 2505, 2512, 2520, SIZE};
    vectors whole, pieces;
    float *state[2], *other[2];
    fill(&whole);
    fill(&pieces);
    seq_optimizer_step once = step_of(rule, config, &whole, state),
                       cut = step_of(rule, config, &pieces, other);
    seq_optimizer_apply(&once, 0, SIZE);
    for (size_t i = sizeof cuts / sizeof *cuts - 1; i > 0; i--)
        seq_optimizer_apply(&cut, cuts[i - 1], cuts[i]);
    assert_memory_equal(&whole, &pieces, sizeof whole);
}

static void absent_is_zero(const seq_optimizer *rule, const seq_optimizer_config *config) {
    vectors zeros, absent, before;
    float *state[2], *other[2];
    fill(&zeros);
    seq_optimizer_step dense = step_of(rule, config, &zeros, state),
                       sparse = step_of(rule, config, &absent, other);
    seq_optimizer_apply(&dense, 0, SIZE); // for state that is not zero
    memset(zeros.gradient, 0, sizeof zeros.gradient);
    absent = before = zeros;
    seq_optimizer_apply(&dense, 0, SIZE);
    memset(absent.gradient, 0x7f, sizeof absent.gradient); // not to be read
    seq_optimizer_apply_zero(&sparse, 0, SIZE);
    assert_memory_equal(zeros.parameters, absent.parameters, sizeof zeros.parameters);
    assert_memory_equal(zeros.first, absent.first, sizeof zeros.first);
    assert_memory_equal(zeros.second, absent.second, sizeof zeros.second);
    bool kept = memcmp(&zeros, &before, sizeof zeros) == 0;
    if (seq_optimizer_keeps_zeros(rule, config)) assert_true(kept);
}

static void every_rule(void **state) {
    (void)state;
    for (const char *const *name = seq_optimizer_names(); *name; name++) {
        const seq_optimizer *rule = seq_optimizer_find(*name);
        for (int decays = 0; decays < 2; decays++) {
            seq_optimizer_config config = {0.9, 0.9, 0.99, 1e-8, decays ? 0.05 : 0};
            cuts_do_not_matter(rule, &config);
            absent_is_zero(rule, &config);
            assert_int_equal(seq_optimizer_keeps_zeros(rule, &config),
                             strcmp(*name, "sgd") == 0 && !decays);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
