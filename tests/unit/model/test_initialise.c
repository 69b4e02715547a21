// Initial values are distributed as the options say: recurrent matrices of
// every cell are orthogonal gate by gate (Q Q^T = I to 1e-6), and embeddings
// have their bound and deviation. Checks src/model/initialise.c and
// parameters.c.
#include "small_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <seqtrain/nn/cell.h>
#include <stdio.h>
#include <cmocka.h>

static const float *values_of(const small_case *test, const char *name) {
    return test->parameters + seq_parameter_find(test->table, name)->offset;
}

// Q Q^T = I for the block of each gate, in double from the stored floats.
static void check_orthogonal(const float *matrix, size_t size) {
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t i = 0; i < size; i++)
                sum += (double)matrix[a * size + i] * (double)matrix[b * size + i];
            assert_true(fabs(sum - (a == b)) < 1e-6);
        }
}

static void recurrence_is_orthogonal_in_every_cell(void **state) {
    (void)state;
    static const int sizes[] = {1, 3, 8, 45, 64}; // with and without a rest of eight
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            small_case test;
            seq_model_config config = small_config(*cell, 1);
            config.initialisation = SEQ_INITIALISE_ORTHOGONAL;
            config.hidden[0] = sizes[s];
            small_case_create(&test, &config, 1, 1, 3);
            size_t size = (size_t)sizes[s];
            for (int gate = 0; gate < seq_cell_find(*cell)->gates; gate++)
                check_orthogonal(values_of(&test, "rnn.weight_hh_l0") + (size_t)gate * size * size,
                                 size);
            float largest = 0; // the rest as with scaled
            const seq_parameter *input = seq_parameter_find(test.table, "rnn.weight_ih_l0");
            for (size_t i = 0; i < seq_parameter_size(input); i++)
                largest = fmaxf(largest, fabsf(test.parameters[input->offset + i]));
            assert_true(largest <= 1 / sqrtf((float)sizes[s]) && largest > 0.1f);
            small_case_destroy(&test);
        }
}

static void measure(seq_embedding_initialisation how, seq_initialisation rest, double *out_largest,
                    double *out_deviation) {
    small_case test;
    seq_model_config config = small_config("lstm", 0);
    config.vocabulary = 500;
    config.embedding = 64;
    config.initialisation = rest;
    config.embedding_initialisation = how;
    small_case_create(&test, &config, 1, 1, 3);
    const float *values = values_of(&test, "embedding.weight");
    double squares = 0, largest = 0;
    for (int i = 0; i < 500 * 64; i++) {
        squares += (double)values[i] * values[i];
        largest = fmax(largest, fabs(values[i]));
    }
    *out_deviation = sqrt(squares / (500 * 64));
    *out_largest = largest;
    small_case_destroy(&test);
}

static void embedding_is_as_asked_for(void **state) {
    (void)state;
    static const struct {
        seq_embedding_initialisation how;
        seq_initialisation rest;
        double bound, deviation;
    } cases[] = {
        {SEQ_EMBEDDING_UNIFORM, SEQ_INITIALISE_SCALED, 0.1, 0.1 / 1.7320508},
        {SEQ_EMBEDDING_UNIFORM, SEQ_INITIALISE_ORTHOGONAL, 0.1, 0.1 / 1.7320508},
        {SEQ_EMBEDDING_UNIFORM, SEQ_INITIALISE_UNIFORM, 0.6, 0.6 / 1.7320508},
        {SEQ_EMBEDDING_SCALED, SEQ_INITIALISE_SCALED, 0.125, 0.125 / 1.7320508},
        {SEQ_EMBEDDING_NORMAL, SEQ_INITIALISE_SCALED, 6.3, 1},
        {SEQ_EMBEDDING_NORMAL, SEQ_INITIALISE_UNIFORM, 6.3, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double largest, deviation;
        measure(cases[i].how, cases[i].rest, &largest, &deviation);
        assert_true(largest <= cases[i].bound * 1.0001);
        assert_true(fabs(deviation / cases[i].deviation - 1) < 0.02);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(recurrence_is_orthogonal_in_every_cell),
                                       cmocka_unit_test(embedding_is_as_asked_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
