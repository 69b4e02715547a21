// CTC against all K^T alignments, against forward-backward in logarithms of
// double, against differences, and against the table of another system where
// SEQ_REFERENCES names it. Items that are feasible, just so, or not; empty ones;
// logits up to 1e5, -inf and NaN; rows that are scattered. Checks src/nn/ctc.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/nn/ctc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 260, SYMBOLS = 48, LABELS = 60, CELLS = FRAMES * SYMBOLS };

typedef struct fixture {
    seq_ctc_item item;
    float logits[CELLS], gradient[CELLS];
    int32_t ids[LABELS];
    void *room;
    size_t room_bytes;
} fixture;

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static double uniform(uint32_t *state, double scale) {
    return scale * (draw(state) / 8388608.0 - 1);
}

static void *room_of(fixture *f, seq_ctc_use use) {
    size_t frames = f->item.frames, labels = f->item.labels;
    free(f->room);
    f->room_bytes = seq_ctc_bytes(use, frames, f->item.symbols, labels, frames * labels);
    f->room = aligned_alloc(SEQ_ALIGNMENT, f->room_bytes); // as long as it must be: sanitizers see
    memset(f->room, 0xff, f->room_bytes);                  // NaN: nothing is read before it is set
    return f->room;
}

static void make(fixture *f, size_t frames, size_t symbols, size_t labels, double scale,
                 uint32_t seed) {
    f->item = (seq_ctc_item){frames, symbols, labels, f->logits, NULL, f->ids};
    for (size_t i = 0; i < frames * symbols; i++)
        f->logits[i] = (float)uniform(&seed, scale);
    for (size_t u = 0; u < labels; u++)
        f->ids[u] = 1 + (int32_t)(draw(&seed) % (uint32_t)(symbols - 1));
}

static double loss_of(fixture *f) {
    return seq_ctc_loss(&f->item, room_of(f, SEQ_CTC_LOSS));
}

static double train(fixture *f, double scale) {
    memset(f->gradient, 0x7f, sizeof f->gradient);
    return seq_ctc_gradient(&f->item, scale, f->gradient, room_of(f, SEQ_CTC_GRADIENT));
}

// ---- the reference: one state after the other, in logarithms of double

static double lse(double a, double b) {
    double most = a > b ? a : b;
    return most == -INFINITY ? most : most + log(exp(a - most) + exp(b - most));
}

static double logarithms[CELLS], alpha[FRAMES][2 * LABELS + 1], beta[FRAMES][2 * LABELS + 1];

static int32_t symbol_of(const seq_ctc_item *item, size_t s) {
    return s % 2 ? item->ids[s / 2] : SEQ_CTC_BLANK;
}

static bool may_skip(const seq_ctc_item *item, size_t s) {
    return s % 2 && s > 1 && item->ids[s / 2] != item->ids[s / 2 - 1];
}

// -ln p and, unless NULL, its gradient. `logits` are those of the item, in double.
static double reference(const seq_ctc_item *item, const double *logits, double *gradient) {
    size_t frames = item->frames, symbols = item->symbols, states = 2 * item->labels + 1;
    if (!frames) return item->labels ? INFINITY : 0;
    for (size_t t = 0; t < frames; t++) {
        double all = -INFINITY;
        for (size_t k = 0; k < symbols; k++)
            all = lse(all, logits[t * symbols + k]);
        for (size_t k = 0; k < symbols; k++)
            logarithms[t * symbols + k] = logits[t * symbols + k] - all;
    }
    for (size_t t = 0; t < frames; t++)
        for (size_t s = 0; s < states; s++) {
            double before = t || s > 1 ? -INFINITY : 0;
            if (t) before = alpha[t - 1][s];
            if (t && s > 0) before = lse(before, alpha[t - 1][s - 1]);
            if (t && may_skip(item, s)) before = lse(before, alpha[t - 1][s - 2]);
            alpha[t][s] = before + logarithms[t * symbols + (size_t)symbol_of(item, s)];
        }
    for (size_t t = frames; t-- > 0;)
        for (size_t s = states; s-- > 0;) {
            bool last = t + 1 == frames;
            double after = last && s + 2 >= states ? 0 : -INFINITY;
            if (!last) after = beta[t + 1][s];
            if (!last && s + 1 < states) after = lse(after, beta[t + 1][s + 1]);
            if (!last && s + 2 < states && may_skip(item, s + 2))
                after = lse(after, beta[t + 1][s + 2]);
            beta[t][s] = after + logarithms[t * symbols + (size_t)symbol_of(item, s)];
        }
    double total = alpha[frames - 1][states - 1];
    if (states > 1) total = lse(total, alpha[frames - 1][states - 2]);
    for (size_t t = 0; gradient && t < frames; t++)
        for (size_t k = 0; k < symbols; k++) {
            double y = logarithms[t * symbols + k], own = -INFINITY;
            for (size_t s = 0; s < states; s++)
                if ((size_t)symbol_of(item, s) == k) own = lse(own, alpha[t][s] + beta[t][s]);
            gradient[t * symbols + k] = exp(y) - (own > -INFINITY ? exp(own - total - y) : 0);
        }
    return -total;
}

static double wide[CELLS], slopes[CELLS];

static double reference_of(const fixture *f, double *gradient) {
    for (size_t i = 0; i < f->item.frames * f->item.symbols; i++)
        wide[i] = (double)f->logits[i];
    return reference(&f->item, wide, gradient);
}

// The loss to 1e-7 of itself, each number of the gradient to 1e-7 of itself or of the item's
// largest probability (1).
static void expect_reference(fixture *f, const char *what) {
    double expected = reference_of(f, slopes), found = train(f, 1);
    if (!(fabs(found - expected) <= 1e-9 + 1e-7 * fabs(expected)))
        fail_msg("%s: loss %.12g, expected %.12g", what, found, expected);
    for (size_t i = 0; i < f->item.frames * f->item.symbols; i++)
        if (!(fabs((double)f->gradient[i] - slopes[i]) <= 1e-9 + 1e-7 * fabs(slopes[i])))
            fail_msg("%s: gradient %zu %.9g, expected %.9g", what, i, (double)f->gradient[i],
                     slopes[i]);
    assert_true(loss_of(f) == found); // without the way back
}

static void random_items(void **state) {
    static fixture f;
    (void)state;
    const double scales[] = {0.1, 1, 3, 30, 1e3, 1e5};
    uint32_t seed = 5;
    for (uint32_t i = 0; i < 200; i++) {
        size_t labels = draw(&seed) % 12, symbols = 2 + draw(&seed) % 9, more = draw(&seed) % 20;
        make(&f, 40, symbols, labels, scales[i % 6], i);
        f.item.frames = seq_ctc_least_frames(labels, f.ids) + (i % 3 ? more : 0);
        expect_reference(&f, "a random item");
    }
}

static void long_items(void **state) {
    static fixture f;
    (void)state;
    make(&f, 200, 40, 30, 3, 1);
    expect_reference(&f, "200 frames");
    make(&f, FRAMES, SYMBOLS, LABELS, 0.01, 2); // as before training
    expect_reference(&f, "260 frames");
    for (size_t i = 0; i < FRAMES * SYMBOLS; i++)
        if (i % SYMBOLS == SYMBOLS - 1) f.logits[i] += 90; // the labels' p is below any double
    expect_reference(&f, "improbable labels");
    assert_true(loss_of(&f) > 5000);
    for (size_t i = 0; i < FRAMES * SYMBOLS; i++)
        f.logits[i] = i % SYMBOLS == 0 ? 40 : 0; // only blanks, for a long time
    expect_reference(&f, "the plateau");
}

// ---- all alignments

static size_t collapse(const int *path, size_t frames, int32_t *out) {
    size_t count = 0;
    for (size_t t = 0; t < frames; t++)
        if (path[t] && (!t || path[t] != path[t - 1])) out[count++] = path[t];
    return count;
}

static void all_alignments(void **state) {
    static fixture f;
    (void)state;
    enum { T = 6, K = 3 };
    for (size_t labels = 0; labels <= 4; labels++) {
        make(&f, T, K, labels, 2, 7 + (uint32_t)labels);
        double p[T][K], total = 0, best = 0, of_symbol[T][K] = {{0}}, of_label[T][8] = {{0}};
        int best_path[T] = {0};
        for (size_t t = 0; t < T; t++) {
            double all = 0;
            for (size_t k = 0; k < K; k++)
                all += exp((double)f.logits[t * K + k]);
            for (size_t k = 0; k < K; k++)
                p[t][k] = exp((double)f.logits[t * K + k]) / all;
        }
        for (int number = 0; number < 729; number++) {
            int path[T], rest = number;
            int32_t said[T];
            double own = 1;
            for (size_t t = 0; t < T; t++, rest /= K)
                own *= p[t][path[t] = rest % K];
            if (collapse(path, T, said) != labels || memcmp(said, f.ids, labels * sizeof *said))
                continue;
            total += own;
            size_t label = 0;
            for (size_t t = 0; t < T; t++) {
                label += path[t] && (!t || path[t] != path[t - 1]);
                of_symbol[t][path[t]] += own;
                if (path[t]) of_label[t][label - 1] += own;
            }
            if (own > best) best = own, memcpy(best_path, path, sizeof path);
        }
        assert_true(fabs(train(&f, 1) + log(total)) < 1e-12 * (1 - log(total)));
        for (size_t t = 0; t < T; t++)
            for (size_t k = 0; k < K; k++)
                assert_true(fabs((double)f.gradient[t * K + k] -
                                 (p[t][k] - of_symbol[t][k] / total)) < 1e-7);
        seq_ctc_time times[4];
        double path;
        assert_true(fabs(seq_ctc_align(&f.item, times, &path, room_of(&f, SEQ_CTC_ALIGNMENT)) +
                         log(total)) < 1e-12 * (1 - log(total)));
        assert_true(fabs(path - log(best)) < 1e-12 * (1 - log(best)));
        for (size_t t = 0, u = 0; t < T; t++) {
            if (!best_path[t]) continue;
            bool first = !t || best_path[t] != best_path[t - 1];
            u += first;
            const seq_ctc_time *time = &times[u - 1];
            assert_true(time->first <= (int32_t)t && (int32_t)t <= time->last);
            assert_true(!first || time->first == (int32_t)t);
            assert_true(fabs((double)time->posterior - of_label[time->best][u - 1] / total) < 1e-6);
            assert_true(of_label[t][u - 1] / total <= (double)time->posterior + 1e-6);
        }
    }
}

// ---- differences

static void differences(void **state) {
    static fixture f;
    (void)state;
    const double scales[] = {1, 12}; // the second: p near 0
    for (int i = 0; i < 2; i++) {
        make(&f, 7, 5, 3, scales[i], 21);
        f.ids[1] = f.ids[0];
        train(&f, 2.5); // not the unit
        for (size_t j = 0; j < 35; j++)
            wide[j] = (double)f.logits[j];
        for (size_t j = 0; j < 35; j++) {
            double kept = wide[j], width = 1e-5;
            wide[j] = kept + width;
            double above = reference(&f.item, wide, NULL);
            wide[j] = kept - width;
            double below = reference(&f.item, wide, NULL);
            wide[j] = kept;
            assert_true(fabs(2.5 * (above - below) / (2 * width) - (double)f.gradient[j]) < 1e-6);
        }
    }
}

// ---- borders

static void expect_all_nan(fixture *f, double scale) {
    train(f, scale);
    for (size_t i = 0; i < f->item.frames * f->item.symbols; i++)
        assert_true(isnan(f->gradient[i]));
}

static void borders(void **state) {
    static fixture f;
    (void)state;
    seq_ctc_time times[LABELS];
    double path;
    const int32_t repeats[] = {2, 2, 1, 1, 1, 3};
    assert_int_equal(seq_ctc_least_frames(6, repeats), 9);
    assert_int_equal(seq_ctc_least_frames(0, NULL), 0);
    assert_true(seq_ctc_feasible(9, 6, repeats) && !seq_ctc_feasible(8, 6, repeats));

    make(&f, 0, 5, 0, 1, 1); // nothing at all, surely
    assert_true(train(&f, 1) == 0 && loss_of(&f) == 0);
    assert_true(seq_ctc_align(&f.item, times, &path, room_of(&f, SEQ_CTC_ALIGNMENT)) == 0);
    assert_true(path == 0);
    make(&f, 0, 5, 2, 1, 1);
    assert_true(train(&f, 1) == INFINITY);
    make(&f, 9, 5, 0, 1, 1);
    expect_reference(&f, "no label");
    make(&f, 1, 2, 1, 1, 1);
    expect_reference(&f, "one of each");

    make(&f, 9, 5, 6, 1, 1); // just feasible: one path
    memcpy(f.ids, repeats, sizeof repeats);
    expect_reference(&f, "the tightest");
    f.item.frames = 8;
    assert_true(loss_of(&f) == INFINITY);
    expect_all_nan(&f, 1);
    assert_true(seq_ctc_align(&f.item, times, &path, room_of(&f, SEQ_CTC_ALIGNMENT)) == INFINITY);
    assert_true(times[5].first == -1 && isnan(times[5].posterior) && isnan(path));
    make(&f, 9, 5, 3, 1, 1);
    f.ids[1] = SEQ_CTC_BLANK; // no path says a blank
    assert_true(loss_of(&f) == INFINITY);

    make(&f, 20, 5, 3, 1, 1); // probabilities of 0 that can be avoided
    f.logits[7] = f.logits[16] = -INFINITY;
    expect_reference(&f, "some of -inf");
    for (size_t t = 0; t < 20; t++)
        f.logits[t * 5 + (size_t)f.ids[1]] = -INFINITY; // and that cannot
    assert_true(loss_of(&f) == INFINITY);
    expect_all_nan(&f, 1);
    f.logits[12] = NAN;
    assert_true(isnan(loss_of(&f)));
    f.logits[12] = INFINITY;
    assert_true(isnan(loss_of(&f)));
    for (size_t k = 0; k < 5; k++)
        f.logits[5 + k] = -INFINITY;
    f.logits[12] = 0;
    assert_true(isnan(loss_of(&f)));
    expect_all_nan(&f, 1);
    make(&f, 20, 5, 3, 1, 1);
    for (size_t t = 0; t < 20; t++)
        f.logits[t * 5 + (size_t)f.ids[1]] = -1e8F; // a very small probability is none of 0
    assert_true(loss_of(&f) > 9e7 && isfinite(loss_of(&f)));
}

static void scattered_rows(void **state) {
    static fixture f, g;
    (void)state;
    size_t rows[20];
    make(&f, 20, 5, 6, 2, 3);
    g = f;
    g.room = NULL;
    g.item = (seq_ctc_item){20, 5, 6, g.logits, rows, g.ids};
    for (size_t t = 0; t < 20; t++) {
        rows[t] = 3 * t + t % 3;
        memcpy(g.logits + rows[t] * 5, f.logits + t * 5, 5 * sizeof(float));
    }
    assert_true(train(&f, 0.5) ==
                seq_ctc_gradient(&g.item, 0.5, g.logits, room_of(&g, SEQ_CTC_GRADIENT)));
    for (size_t t = 0; t < 20; t++) // in place
        assert_memory_equal(g.logits + rows[t] * 5, f.gradient + t * 5, 5 * sizeof(float));
    free(g.room);
}

// ---- the table of another system: frame, item and a column for each symbol, the blank last

static FILE *open_table(const char *file) {
    char path[4096];
    const char *folder = getenv("SEQ_REFERENCES");
    snprintf(path, sizeof path, "%s/ctc/%s", folder ? folder : "", file);
    FILE *in = folder ? fopen(path, "re") : NULL;
    if (!in) {
        print_message("not tested: SEQ_REFERENCES names no folder that has ctc/%s\n", file);
        skip();
    }
    return in;
}

static void read_table(const char *file, float out[2][5][6]) {
    char line[512];
    FILE *in = open_table(file);
    assert_non_null(fgets(line, sizeof line, in));
    for (int row = 0; row < 10; row++) {
        int frame, item;
        assert_int_equal(fscanf(in, "%d %d", &frame, &item), 2);
        assert_true(frame >= 0 && frame < 5 && (item == 0 || item == 1));
        for (int k = 0; k < 6; k++)
            assert_int_equal(fscanf(in, "%f", &out[item][frame][(k + 1) % 6]), 1);
    }
    fclose(in);
}

static void table(void **state) {
    static fixture f;
    static const int32_t labels[2][5] = {{1, 2, 3, 2, 1}, {1, 2, 2, 1}};
    static const double losses[] = {3.34211, 5.42262};
    float probabilities[2][5][6], gradients[2][5][6];
    (void)state;
    read_table("probabilities.tsv", probabilities);
    read_table("gradients.tsv", gradients);
    for (int i = 0; i < 2; i++) {
        make(&f, 5, 6, i ? 4 : 5, 1, 1);
        memcpy(f.ids, labels[i], sizeof labels[i]);
        for (int j = 0; j < 30; j++)
            f.logits[j] = logf(probabilities[i][j / 6][j % 6]);
        assert_true(fabs(train(&f, 1) - losses[i]) < 1e-5);
        for (int j = 0; j < 30; j++)
            assert_true(fabsf(f.gradient[j] - gradients[i][j / 6][j % 6]) < 1e-4F);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_items),   cmocka_unit_test(long_items),
        cmocka_unit_test(all_alignments), cmocka_unit_test(differences),
        cmocka_unit_test(borders),        cmocka_unit_test(scattered_rows),
        cmocka_unit_test(table),
    };
    seq_arithmetic_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
