// Masks are functions of their keys: dropout of (number, time, unit), locked
// dropout of (number, unit), dropout of words of the id, weight-drop of the
// element. Checks src/nn/dropout.c, embedding.c and weight_drop.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <seqtrain/base/random.h>
#include <seqtrain/nn/dropout.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/weight_drop.h>
#include <string.h>

enum { B = 3, T = 4, N = 8, W = 11 };

// Sequences of 4, 3 and 1 steps with the numbers 70, 5 and 9.
static const int rows_at[T] = {3, 2, 2, 1};
static const size_t first_row[T + 1] = {0, 3, 5, 7, 8};
static const int64_t numbers[B] = {70, 5, 9};
static const seq_axis ragged = {.sequences = B,
                                .steps = T,
                                .rows = N,
                                .rows_at = rows_at,
                                .first_row = first_row,
                                .number = numbers};

static void ones(float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = 1;
}

static void a_sequence_alone_has_its_mask(void **state) {
    (void)state;
    for (int locked = 0; locked < 2; locked++)
        for (int b = 0; b < B; b++) {
            static const int one[T] = {1, 1, 1, 1};
            static const size_t first[T + 1] = {0, 1, 2, 3, 4};
            const seq_axis alone = {.sequences = 1,
                                    .steps = b == 0   ? 4
                                             : b == 1 ? 3
                                                      : 1,
                                    .rows_at = one,
                                    .first_row = first,
                                    .number = &numbers[b]};
            const seq_dropout dropout = {
                .probability = 0.5, .seed = 3, .step = 7, .locked = locked};
            float all[N * W], own[T * W];
            ones(all, N * W);
            ones(own, T * W);
            seq_dropout_apply(&dropout, &ragged, W, all, all);
            seq_dropout_apply(&dropout, &alone, W, own, own);
            for (int t = 0; t < alone.steps; t++)
                assert_memory_equal(all + (first_row[t] + (size_t)b) * W, own + t * W,
                                    W * sizeof *all);
        }
}

static void locked_masks_stay(void **state) {
    (void)state;
    seq_dropout dropout = {.probability = 0.5, .seed = 3, .step = 7};
    float locked[N * W], free_mask[N * W];
    int moved = 0;
    ones(locked, N * W);
    ones(free_mask, N * W);
    seq_dropout_apply(&dropout, &ragged, W, free_mask, free_mask);
    dropout.locked = true;
    seq_dropout_apply(&dropout, &ragged, W, locked, locked);
    assert_memory_equal(locked, free_mask, B * W * sizeof *locked); // time 0
    for (int t = 1; t < T; t++)
        for (int b = 0; b < rows_at[t]; b++) {
            size_t row = (first_row[t] + (size_t)b) * W;
            assert_memory_equal(locked + row, locked + b * W, W * sizeof *locked);
            moved += memcmp(free_mask + row, free_mask + b * W, W * sizeof *locked) != 0;
        }
    assert_int_equal(moved, N - B);
    assert_memory_not_equal(locked, locked + W, W * sizeof *locked); // another number, another mask
}

// ---- words

enum { V = 200, E = 3, IDS = 400 };

static void run_words(uint32_t step, bool dropping, const int32_t *ids, float *values,
                      float *d_table) {
    static const int rows[1] = {IDS};
    static const size_t first[2] = {0, IDS};
    const seq_embedding_options options = {.units = E, .dropout = 0.25};
    seq_error error = {0};
    seq_compute compute;
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    float table[V * E], slopes[IDS * E];
    ones(table, V * E);
    ones(slopes, IDS * E);
    seq_node node = {.layer = &seq_layer_embedding,
                     .options = &options,
                     .compute = &compute,
                     .index = 1,
                     .input_count = 1,
                     .shape = {.width = E}};
    seq_batch batch = {
        .axes = {{.sequences = IDS, .steps = 1, .rows = IDS, .rows_at = rows, .first_row = first}}};
    seq_node_run runs[2] = {{.ids = ids}, {.buffer = values, .gradient = slopes}};
    seq_pass pass = {.batch = &batch,
                     .training = true,
                     .dropping = dropping,
                     .seed = 5,
                     .step = step,
                     .parameters = table,
                     .gradient = d_table,
                     .runs = runs};
    memset(d_table, 0, V * E * sizeof *d_table);
    seq_layer_embedding.forward(&node, &pass);
    seq_layer_embedding.backward(&node, &pass);
}

static void words_are_dropped_as_a_whole(void **state) {
    (void)state;
    int32_t ids[IDS];
    float values[IDS * E], other[IDS * E], d_table[V * E];
    int dropped = 0;
    for (int i = 0; i < IDS; i++) // each word twice, and a place without a word
        ids[i] = i == 17 ? SEQ_NO_ID : i % V;
    run_words(9, true, ids, values, d_table);
    for (int i = 0; i < V; i++) {
        float first = values[i * E];
        if (i != 17) {
            assert_true(first == 0 || fabsf(first - 4.0F / 3) < 1e-6F);
            assert_true(fabsf(d_table[i * E] - 2 * first) < 1e-6F);
            assert_true(values[i * E + 1] == first && values[i * E + E - 1] == first);
            assert_true(values[(i + V) * E] == first);
            dropped += first == 0;
        } else
            assert_true(first == 0 && fabsf(d_table[i * E] - values[(i + V) * E]) < 1e-6F);
    }
    assert_in_range(dropped, 30, 70);
    run_words(10, true, ids, other, d_table);
    assert_memory_not_equal(values, other, sizeof values);
    run_words(9, false, ids, other, d_table);
    assert_true(other[0] == 1 && other[IDS * E - 1] == 1);
}

// ---- weight-drop

static void shares_of_a_matrix_have_its_mask(void **state) {
    (void)state;
    enum { COUNT = 1003 };
    seq_weight_drop drop = {.probability = 0.3, .seed = 2, .step = 4, .place = 6};
    float whole[COUNT], shares[COUNT], weights[COUNT];
    int zeros = 0;
    for (int i = 0; i < COUNT; i++)
        weights[i] = (float)i + 1;
    seq_weight_drop_apply(&drop, 0, COUNT, weights, whole);
    for (size_t begin = 0, count = 1; begin < COUNT; begin += count, count = count % 13 + 1) {
        count = count < COUNT - begin ? count : COUNT - begin;
        seq_weight_drop_apply(&drop, begin, count, weights + begin, shares + begin);
    }
    assert_memory_equal(whole, shares, sizeof whole);
    for (int i = 0; i < COUNT; i++) {
        zeros += whole[i] == 0;
        assert_true(whole[i] == 0 || fabsf(whole[i] - weights[i] / 0.7F) < 1e-4F * weights[i]);
    }
    assert_in_range(zeros, 240, 360);
    drop.step++;
    seq_weight_drop_apply(&drop, 0, COUNT, weights, shares);
    assert_memory_not_equal(whole, shares, sizeof whole);
    drop.step--;
    drop.place++;
    seq_weight_drop_apply(&drop, 0, COUNT, weights, shares);
    assert_memory_not_equal(whole, shares, sizeof whole);
}

// Unit u at time t is decided by 16 bits of draw (step, number, t draws + u / 8).
static void masks_are_bits_of_draws(void **state) {
    (void)state;
    enum { WIDE = 275, DRAWS = (WIDE + 7) / 8 };
    static float in[N * WIDE], out[N * WIDE];
    const seq_dropout dropout = {.probability = 0.25, .seed = 3, .step = 8, .place = 2};
    const seq_random_key key = {3, SEQ_RANDOM_DROPOUT | 2 << 8};
    for (size_t i = 0; i < N * WIDE; i++)
        in[i] = (float)i + 1;
    seq_dropout_apply(&dropout, &ragged, WIDE, in, out);
    for (int t = 0; t < T; t++)
        for (int b = 0; b < rows_at[t]; b++)
            for (int u = 0; u < WIDE; u++) {
                uint32_t words[4];
                size_t at = (first_row[t] + (size_t)b) * WIDE + (size_t)u;
                seq_random_words(key, 8, (uint32_t)numbers[b], (uint32_t)(t * DRAWS + u / 8),
                                 words);
                bool zero = (words[u % 8 / 2] >> 16 * (u % 2) & 0xffff) < 0x4000;
                assert_true(out[at] == (zero ? 0 : in[at] * (65536.0F / 49152)));
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_alone_has_its_mask), cmocka_unit_test(masks_are_bits_of_draws),
        cmocka_unit_test(locked_masks_stay), cmocka_unit_test(words_are_dropped_as_a_whole),
        cmocka_unit_test(shares_of_a_matrix_have_its_mask)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
