// A conditional random field against all K^T label sequences in double: loss,
// gradients, marginals, spans, n best. Scores from 1 to 1e4, masks, lengths 0
// and 1, one label. The same bits alone, in a batch, for every number of
// threads and on every instruction set. Checks src/nn/crf.c and crf_decode.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/nn/crf.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS = 4, ITEMS = 6, STEPS = 6, ROWS = ITEMS * STEPS, PATHS = 4096, BEST = 7 };

typedef struct fixture {
    seq_arena arena;
    seq_axis axis;
    seq_crf crf;
    seq_compute compute;
    int labels, lengths[ITEMS];
    float transitions[LABELS * LABELS], start[LABELS], end[LABELS], emissions[ROWS * LABELS];
    int32_t targets[ROWS];
    unsigned char allowed[(LABELS + 1) * (LABELS + 1)];
    seq_crf_batch batch;
} fixture;

typedef struct results {
    seq_loss loss;
    double of_sequence[ITEMS];
    float d_emissions[ROWS * LABELS], d_transitions[LABELS * LABELS], d_start[LABELS],
        d_end[LABELS];
    int found[ITEMS];
    int32_t length[BEST * ITEMS], paths[BEST * ROWS];
    double score[BEST * ITEMS], probability[BEST * ITEMS];
    float marginals[ROWS * LABELS];
} results;

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static float uniform(uint32_t *state, double scale) {
    return (float)(scale * (draw(state) / 8388608.0 - 1));
}

static void fill(uint32_t *state, double scale, float *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        x[i] = uniform(state, scale);
}

static const int usual[ITEMS] = {6, 5, 5, 2, 1, 0};

// What seq_crf_take and seq_axis_take need, twice.
static void take(fixture *f, seq_axis_room *room) {
    int sum = 0, items = 0;
    for (; items < ITEMS && f->lengths[items] >= 0; items++)
        sum += f->lengths[items];
    seq_axis_limit limit = {items, STEPS, (size_t)sum};
    seq_axis_take(room, &limit, (size_t)items, &f->arena);
    seq_crf_take(&f->crf, &limit, &f->arena);
}

static void open_fixture(fixture *f, const char *kernels, seq_team *team, int labels,
                         const int *lengths, double scale, uint32_t seed) {
    seq_error error = {0};
    seq_axis_room room;
    int32_t sorted[ITEMS];
    int items = 0;
    memset(f, 0, sizeof *f);
    seq_compute_find(kernels, SEQ_FP32, team, &f->compute, &error);
    assert_int_equal(error.status, SEQ_OK);
    f->labels = labels;
    memcpy(f->lengths, lengths, sizeof f->lengths);
    f->crf = (seq_crf){.compute = &f->compute, .labels = labels, .best = BEST, .training = true};
    take(f, &room);
    assert_int_equal(seq_arena_commit(&f->arena, "test", &error), SEQ_OK);
    take(f, &room);
    for (; items < ITEMS && lengths[items] >= 0; items++)
        sorted[items] = lengths[items];
    seq_axis_shape(&f->axis, &room, items, sorted);
    fill(&seed, scale, f->transitions, (size_t)(labels * labels));
    fill(&seed, scale, f->start, (size_t)labels);
    fill(&seed, scale, f->end, (size_t)labels);
    fill(&seed, scale, f->emissions, f->axis.rows * (size_t)labels);
    for (size_t i = 0; i < f->axis.rows; i++)
        f->targets[i] = (int32_t)(draw(&seed) % (uint32_t)labels);
    f->batch = (seq_crf_batch){.values = {f->transitions, f->start, f->end},
                               .axis = &f->axis,
                               .emissions = f->emissions,
                               .targets = f->targets};
}

static void close_fixture(fixture *f) {
    seq_arena_clear(&f->arena);
}

static void run(fixture *f, int best, results *out) {
    memset(out, 0, sizeof *out);
    seq_crf_gradients gradients = {out->d_transitions, out->d_start, out->d_end};
    out->loss =
        seq_crf_train(&f->crf, &f->batch, 1, out->of_sequence, out->d_emissions, &gradients);
    seq_prediction prediction = {.best = best,
                                 .rows = ROWS,
                                 .sequences = ITEMS,
                                 .found = out->found,
                                 .length = out->length,
                                 .ids = out->paths,
                                 .score = out->score,
                                 .probability = out->probability,
                                 .marginals = out->marginals};
    seq_crf_predict(&f->crf, &f->batch, &prediction);
}

// All label sequences of an item.
typedef struct path {
    double score;
    int label[STEPS];
} path;
typedef struct brute {
    int count;
    path paths[PATHS]; // best first; ties: smaller last labels first
    double log_sum, marginal[STEPS][LABELS], pair[LABELS][LABELS], loss;
} brute;

static size_t row_of(const fixture *f, int b, int t) {
    return f->axis.first_row[t] + (size_t)b;
}

static bool may(const fixture *f, int from, int to) {
    return !f->batch.allowed || f->batch.allowed[from * (f->labels + 1) + to];
}

static double score_of(const fixture *f, int b, const int *label) {
    int n = f->lengths[b], labels = f->labels;
    double score = 0;
    if (n == 0) return 0;
    if (!may(f, labels, label[0]) || !may(f, label[n - 1], labels)) return -INFINITY;
    for (int t = 0; t < n; t++) {
        if (t && !may(f, label[t - 1], label[t])) return -INFINITY;
        score +=
            (double)(t ? f->transitions[label[t - 1] * labels + label[t]] : f->start[label[0]]);
        score += (double)f->emissions[row_of(f, b, t) * (size_t)labels + (size_t)label[t]];
    }
    return score + (double)f->end[label[n - 1]];
}

static int by_score(const void *left, const void *right) {
    const path *a = left, *b = right;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    for (int t = STEPS - 1; t >= 0; t--)
        if (a->label[t] != b->label[t]) return a->label[t] < b->label[t] ? -1 : 1;
    return 0;
}

static void add_path(const fixture *f, int b, const path *path, brute *out) {
    double p = exp(path->score - out->log_sum);
    for (int t = 0; t < f->lengths[b]; t++) {
        out->marginal[t][path->label[t]] += p;
        if (t) out->pair[path->label[t - 1]][path->label[t]] += p;
    }
}

static void enumerate(const fixture *f, int b, brute *out) {
    int n = f->lengths[b], all = 1, target[STEPS] = {0};
    double sum = 0;
    memset(out, 0, sizeof *out);
    for (int t = 0; t < n; t++)
        all *= f->labels;
    for (int i = 0; i < all; i++) {
        path path = {0};
        for (int t = 0, rest = i; t < n; t++, rest /= f->labels)
            path.label[t] = rest % f->labels;
        path.score = score_of(f, b, path.label);
        if (path.score > -INFINITY) out->paths[out->count++] = path;
    }
    qsort(out->paths, (size_t)out->count, sizeof(path), by_score);
    for (int i = 0; i < out->count; i++)
        sum += exp(out->paths[i].score - out->paths[0].score);
    out->log_sum = out->paths[0].score + log(sum);
    for (int i = 0; i < out->count; i++)
        add_path(f, b, &out->paths[i], out);
    for (int t = 0; t < n; t++)
        target[t] = f->targets[row_of(f, b, t)];
    out->loss = out->log_sum - score_of(f, b, target);
}

static void expect(double found, double expected, double tolerance, const char *what, int item) {
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%s of item %d: %.9g, expected %.9g", what, item, found, expected);
}

// Loss, gradients and marginals of each item; sums of parameters' gradients over all.
static void expect_all_paths(const fixture *f, const results *found, double tolerance) {
    brute *all = malloc(sizeof *all);
    double transitions[LABELS][LABELS] = {{0}}, start[LABELS] = {0}, end[LABELS] = {0}, loss = 0;
    for (int b = 0; b < f->axis.sequences; b++) {
        int n = f->lengths[b], before = 0;
        enumerate(f, b, all);
        expect(found->of_sequence[b], n ? all->loss : 0,
               tolerance * (1 + fabs(all->log_sum) + fabs(all->loss)), "loss", b);
        loss += found->of_sequence[b];
        for (int t = 0; t < n; t++) {
            size_t row = row_of(f, b, t);
            int target = f->targets[row];
            for (int k = 0; k < f->labels; k++) {
                size_t at = row * (size_t)f->labels + (size_t)k;
                double slope = all->marginal[t][k] - (k == target);
                expect((double)found->marginals[at], all->marginal[t][k], tolerance, "marginal", b);
                expect((double)found->d_emissions[at], slope, tolerance, "emission gradient", b);
                start[k] += t ? 0 : slope;
                end[k] += t + 1 < n ? 0 : slope;
                for (int i = 0; i < f->labels && t == 0; i++)
                    transitions[i][k] += all->pair[i][k];
            }
            transitions[before][target] -= t > 0;
            before = target;
        }
    }
    expect(found->loss.sum, loss, 1e-9 * (1 + loss), "sum", -1);
    for (int i = 0; i < f->labels; i++) {
        expect((double)found->d_start[i], start[i], ITEMS * tolerance, "start", i);
        expect((double)found->d_end[i], end[i], ITEMS * tolerance, "end", i);
        for (int j = 0; j < f->labels; j++)
            expect((double)found->d_transitions[i * f->labels + j], transitions[i][j],
                   2 * ROWS * tolerance, "transition", i);
    }
    free(all);
}

static void expect_best(const fixture *f, const results *found, int best, double tolerance) {
    brute *all = malloc(sizeof *all);
    for (int b = 0; b < f->axis.sequences; b++) {
        enumerate(f, b, all);
        assert_int_equal(found->found[b], all->count < best ? all->count : best);
        for (int r = 0; r < best; r++) {
            bool there = r < all->count;
            int at = r * ITEMS + b;
            assert_int_equal(found->length[at], there ? f->lengths[b] : 0);
            for (int t = 0; t < f->lengths[b]; t++)
                assert_int_equal(found->paths[(size_t)r * ROWS + row_of(f, b, t)],
                                 there ? all->paths[r].label[t] : -1);
            if (!there) {
                assert_true(found->score[at] == -INFINITY && isnan(found->probability[at]));
                continue;
            }
            expect(found->score[at], all->paths[r].score - all->log_sum,
                   tolerance * (1 + fabs(all->log_sum)), "ln p", b);
            expect(found->probability[at], exp(found->score[at]), 1e-12, "probability", b);
            // Differences of scores are exact: ln Z is in both.
            expect(found->score[at] - found->score[b], all->paths[r].score - all->paths[0].score,
                   1e-9 * (1 + fabs(all->log_sum)), "score", b);
        }
    }
    free(all);
}

static const double scales[] = {0.1, 3, 40, 200, 1e4};

static void equals_all_paths(void **state) {
    (void)state;
    fixture f;
    results found;
    for (int labels = 1; labels <= LABELS; labels++)
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
            for (uint32_t seed = 0; seed < 4; seed++) {
                open_fixture(&f, "auto", NULL, labels, usual, scales[s], 7 * seed + (uint32_t)s);
                run(&f, BEST, &found);
                assert_int_equal(found.loss.count, 19);
                expect_all_paths(&f, &found, 2e-6);
                expect_best(&f, &found, BEST, 2e-6);
                close_fixture(&f);
            }
}

// O, B-X, I-X and a label that nothing but I-X may follow.
static void set_mask(fixture *f) {
    const unsigned char allowed[] = {1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0};
    memcpy(f->allowed, allowed, sizeof allowed);
    f->batch.allowed = f->allowed;
    for (int b = 0; b < ITEMS; b++) // targets that are allowed: O B I O B O
        for (int t = 0; t < f->lengths[b]; t++)
            f->targets[row_of(f, b, t)] = (const int[]){0, 1, 2, 0, 1, 0}[t];
}

static void masks_are_exact(void **state) {
    (void)state;
    fixture f;
    results found;
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (uint32_t seed = 0; seed < 8; seed++) {
            open_fixture(&f, "auto", NULL, LABELS, usual, scales[s], seed);
            set_mask(&f);
            run(&f, BEST, &found);
            expect_all_paths(&f, &found, 2e-6);
            expect_best(&f, &found, BEST, 2e-6);
            for (int i = 0; i < LABELS * LABELS; i++)
                if (!f.allowed[i / LABELS * (LABELS + 1) + i % LABELS])
                    assert_true(found.d_transitions[i] == 0);
            close_fixture(&f);
        }
}

// The derivative of the loss by each number, from differences of the loss over all paths.
static double total_loss(const fixture *f) {
    brute *all = malloc(sizeof *all);
    double loss = 0;
    for (int b = 0; b < f->axis.sequences; b++) {
        if (!f->lengths[b]) continue;
        enumerate(f, b, all);
        loss += all->loss;
    }
    free(all);
    return loss;
}

static void expect_slopes(fixture *f, float *values, const float *found, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float kept = values[i], width = 1.0F / 256;
        values[i] = kept + width;
        double above = total_loss(f), up = (double)values[i];
        values[i] = kept - width;
        double below = total_loss(f), down = (double)values[i];
        values[i] = kept;
        expect((double)found[i], (above - below) / (up - down), 3e-5, "difference", (int)i);
    }
}

static void equals_differences(void **state) {
    (void)state;
    fixture f;
    results found;
    open_fixture(&f, "auto", NULL, 3, usual, 1.5, 11);
    run(&f, 1, &found);
    expect_slopes(&f, f.emissions, found.d_emissions, f.axis.rows * 3);
    expect_slopes(&f, f.transitions, found.d_transitions, 9);
    expect_slopes(&f, f.start, found.d_start, 3);
    expect_slopes(&f, f.end, found.d_end, 3);
    close_fixture(&f);
}

static void ties_have_an_order(void **state) {
    (void)state;
    fixture f;
    results found;
    open_fixture(&f, "auto", NULL, 3, usual, 0, 1);
    run(&f, BEST, &found);
    expect_best(&f, &found, BEST, 2e-6);
    close_fixture(&f);
}

static void expect_item_equal(const fixture *f, const results *found, int b, const fixture *alone,
                              const results *expected) {
    size_t width = (size_t)f->labels * sizeof(float);
    assert_memory_equal(&found->of_sequence[b], &expected->of_sequence[0], sizeof(double));
    for (int r = 0; r < BEST; r++) {
        assert_memory_equal(&found->score[r * ITEMS + b], &expected->score[r * ITEMS],
                            sizeof(double));
        for (int t = 0; t < f->lengths[b]; t++)
            assert_int_equal(found->paths[(size_t)r * ROWS + row_of(f, b, t)],
                             expected->paths[(size_t)r * ROWS + row_of(alone, 0, t)]);
    }
    for (int t = 0; t < f->lengths[b]; t++) {
        size_t at = row_of(f, b, t) * (size_t)f->labels,
               one = row_of(alone, 0, t) * (size_t)f->labels;
        assert_memory_equal(found->d_emissions + at, expected->d_emissions + one, width);
        assert_memory_equal(found->marginals + at, expected->marginals + one, width);
    }
}

static void alone_is_in_a_batch(void **state) {
    (void)state;
    fixture f, alone;
    results found, one;
    for (uint32_t seed = 0; seed < 4; seed++) {
        open_fixture(&f, "auto", NULL, LABELS, usual, seed % 2 ? 3 : 90, seed);
        set_mask(&f);
        run(&f, BEST, &found);
        double sums[LABELS * LABELS] = {0};
        for (int b = 0; b < ITEMS; b++) {
            int lengths[ITEMS] = {usual[b], -1};
            open_fixture(&alone, "auto", NULL, LABELS, lengths, seed % 2 ? 3 : 90, seed);
            set_mask(&alone);
            for (int t = 0; t < usual[b]; t++)
                memcpy(alone.emissions + t * LABELS, f.emissions + row_of(&f, b, t) * LABELS,
                       LABELS * sizeof(float));
            run(&alone, BEST, &one);
            expect_item_equal(&f, &found, b, &alone, &one);
            for (int i = 0; i < LABELS * LABELS; i++)
                sums[i] += (double)one.d_transitions[i];
            close_fixture(&alone);
        }
        for (int i = 0; i < LABELS * LABELS; i++)
            expect((double)found.d_transitions[i], sums[i], 1e-5, "sum of transitions", i);
        close_fixture(&f);
    }
}

static void threads_and_sets_change_nothing(void **state) {
    (void)state;
    static const char *const sets[] = {"portable", "avx2", "avx512", "neon"};
    fixture f;
    results expected, found;
    seq_error error = {0};
    open_fixture(&f, "auto", NULL, LABELS, usual, 50, 5);
    set_mask(&f);
    run(&f, BEST, &expected);
    const char *order = f.compute.kernels->order;
    close_fixture(&f);
    for (int threads = 1; threads <= 5; threads += 2)
        for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
            const seq_kernels *kernels = seq_kernels_of(sets[i]);
            if (!kernels || strcmp(kernels->order, order) != 0) continue;
            seq_team *team = NULL;
            assert_int_equal(seq_team_create(threads, &team, &error), SEQ_OK);
            open_fixture(&f, sets[i], team, LABELS, usual, 50, 5);
            set_mask(&f);
            run(&f, BEST, &found);
            assert_memory_equal(&found, &expected, sizeof found);
            close_fixture(&f);
            seq_team_destroy(team);
        }
}

// A target that is not there, one that is not allowed and a NaN leave the others alone.
static void what_does_not_count(void **state) {
    (void)state;
    fixture f;
    results whole, found;
    open_fixture(&f, "auto", NULL, LABELS, usual, 2, 3);
    set_mask(&f);
    run(&f, 1, &whole);
    f.targets[row_of(&f, 0, 3)] = SEQ_NO_ID;
    f.targets[row_of(&f, 1, 0)] = 2; // I-X at the start
    f.emissions[row_of(&f, 2, 1) * LABELS + 1] = NAN;
    run(&f, 1, &found);
    assert_true(found.of_sequence[0] == 0);
    assert_true(found.of_sequence[1] == INFINITY);
    assert_false(isfinite(found.of_sequence[2]));
    assert_int_equal(found.loss.count, 13);
    for (int b = 0; b < ITEMS; b++)
        for (int t = 0; t < f.lengths[b]; t++)
            for (size_t k = 0; k < LABELS; k++) {
                size_t at = row_of(&f, b, t) * LABELS + k;
                assert_true(found.d_emissions[at] == (b < 3 ? 0 : whole.d_emissions[at]));
            }
    for (int i = 0; i < LABELS * LABELS; i++)
        assert_true(isfinite(found.d_transitions[i]));
    f.axis.sequences = 3; // only these: parameters get nothing
    run(&f, 1, &found);
    for (int i = 0; i < LABELS * LABELS; i++)
        assert_true(found.d_transitions[i] == 0 && found.d_start[i % LABELS] == 0);
    close_fixture(&f);
}

static void gradients_are_scaled(void **state) {
    (void)state;
    fixture f;
    results once, twice;
    open_fixture(&f, "auto", NULL, 3, usual, 2, 3);
    run(&f, 1, &once);
    twice = once;
    seq_crf_gradients gradients = {twice.d_transitions, twice.d_start, twice.d_end};
    memcpy(twice.d_emissions, f.emissions, sizeof twice.d_emissions); // in place
    seq_crf_batch batch = f.batch;
    batch.emissions = twice.d_emissions;
    seq_crf_train(&f.crf, &batch, 0.5F, NULL, twice.d_emissions, &gradients);
    for (int i = 0; i < 9; i++)
        assert_true(twice.d_transitions[i] == 0.5F * once.d_transitions[i]);
    for (int i = 0; i < 3; i++)
        assert_true(twice.d_end[i] == 0.5F * once.d_end[i]);
    assert_true(twice.d_emissions[1] == 0.5F * once.d_emissions[1]);
    assert_true(seq_crf_evaluate(&f.crf, &f.batch, NULL).sum == once.loss.sum);
    close_fixture(&f);
}

// A span by the sum over all paths that have it.
static double span_of(const fixture *f, const brute *all, int b, int first, int count,
                      const int32_t *labels, int stop) {
    double sum = 0;
    for (int i = 0; i < all->count; i++) {
        const int *label = all->paths[i].label;
        bool has = !(first + count < f->lengths[b] && label[first + count] == stop);
        for (int t = 0; t < count; t++)
            has = has && label[first + t] == labels[t];
        if (has) sum += exp(all->paths[i].score - all->log_sum);
    }
    return sum;
}

static void spans(void **state) {
    (void)state;
    fixture f;
    results found;
    brute *all = malloc(sizeof *all);
    const int32_t entity[] = {1, 2, 2};
    for (size_t s = 0; s < 4; s++) {
        open_fixture(&f, "auto", NULL, LABELS, usual, scales[s], 2);
        set_mask(&f);
        run(&f, 1, &found);
        for (int b = 0; b < ITEMS; b++) {
            enumerate(&f, b, all);
            for (int first = 0; first < f.lengths[b]; first++)
                for (int count = 1; count <= 3 && first + count <= f.lengths[b]; count++)
                    for (int stop = -1; stop <= 2; stop += 3)
                        expect(seq_crf_span(&f.crf, b, first, count, entity, stop),
                               span_of(&f, all, b, first, count, entity, stop), 2e-6, "span", b);
        }
        close_fixture(&f);
    }
    free(all);
}

// 3,000 steps: against the recursion in double.
static void long_sequences(void **state) {
    (void)state;
    enum { LONG = 3000, K = 3 };
    seq_compute compute;
    seq_error error = {0};
    seq_arena arena = {0};
    seq_axis_room room;
    seq_axis axis;
    uint32_t seed = 4;
    const int32_t length = LONG;
    const seq_axis_limit limit = {1, LONG, LONG};
    static float emissions[LONG * K], d_emissions[LONG * K];
    static double alpha[LONG + 1][K];
    static int32_t targets[LONG];
    float transitions[K * K], d_transitions[K * K], start[K], end[K], d_start[K], d_end[K];
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_crf crf = {.compute = &compute, .labels = K, .training = true};
    for (int life = 0; life < 2; life++) {
        seq_axis_take(&room, &limit, 1, &arena);
        seq_crf_take(&crf, &limit, &arena);
        if (!life) assert_int_equal(seq_arena_commit(&arena, "test", &error), SEQ_OK);
    }
    seq_axis_shape(&axis, &room, 1, &length);
    fill(&seed, 5, emissions, LONG * K);
    fill(&seed, 1, transitions, K * K), fill(&seed, 1, start, K), fill(&seed, 1, end, K);
    double score = (double)end[0], total = 0;
    for (int t = 0; t < LONG; t++)
        for (int j = 0; j < K; j++) {
            double sum = 0;
            for (int i = 0; t && i < K; i++)
                sum += exp(alpha[t - 1][i] - alpha[t - 1][0] + (double)transitions[i * K + j]);
            alpha[t][j] =
                (double)emissions[t * K + j] + (t ? alpha[t - 1][0] + log(sum) : (double)start[j]);
        }
    for (int t = 0; t < LONG; t++)
        score += (double)emissions[t * K] + (double)(t ? transitions[0] : start[0]);
    for (int j = 0; j < K; j++)
        total += exp(alpha[LONG - 1][j] - alpha[LONG - 1][0] + (double)end[j]);
    double expected = alpha[LONG - 1][0] + log(total) - score;
    seq_crf_batch batch = {{transitions, start, end}, NULL, &axis, emissions, targets};
    seq_crf_gradients gradients = {d_transitions, d_start, d_end};
    seq_loss loss = seq_crf_train(&crf, &batch, 1, NULL, d_emissions, &gradients);
    expect(loss.sum, expected, 1e-7 * expected, "loss", 0);
    double pairs = 0;
    for (int i = 0; i < K * K; i++)
        pairs += (double)d_transitions[i];
    expect(pairs, 0, 1e-2, "sum of transitions", 0); // of 2,999
    seq_arena_clear(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_all_paths),
        cmocka_unit_test(masks_are_exact),
        cmocka_unit_test(equals_differences),
        cmocka_unit_test(ties_have_an_order),
        cmocka_unit_test(alone_is_in_a_batch),
        cmocka_unit_test(threads_and_sets_change_nothing),
        cmocka_unit_test(what_does_not_count),
        cmocka_unit_test(gradients_are_scaled),
        cmocka_unit_test(spans),
        cmocka_unit_test(long_sequences),
    };
    seq_arithmetic_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
