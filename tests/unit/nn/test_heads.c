// The heads crf, ctc, regression and ordinal as nodes: differences of the loss
// by inputs and parameters, sequences alone and in a batch, threads, evaluation
// and prediction, batches without rows, frozen parameters, losses that are not
// finite, what `shape` refuses. Checks src/nn/head_crf.c, head_ctc.c,
// head_regression.c, head_ordinal.c, projection.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/nn/crf.h>
#include <seqtrain/nn/ctc.h>
#include <seqtrain/nn/losses.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 5, CLASSES = 4, ITEMS = 4, STEPS = 4, ROWS = 10, FLOATS = 128, PACKED = 65536 };
static const int32_t usual[ITEMS] = {4, 4, 2, 0};
// Labels that an item with rows has on an axis of its own, whose order is another: 1, 0, 2, 3.
enum { LABELS = 2, LABEL_ROWS = 4 };
static const int32_t label_counts[ITEMS] = {1, 2, 1, 0},
                     labels_of[ITEMS][LABELS] = {{3}, {1, 2}, {2}};
static const float mean[] = {2, -1}, deviation[] = {3, 0.5F}, values[CLASSES] = {1, 2, 3, 5};

typedef struct head {
    const seq_head_kind *kind;
    const void *options;
    seq_shape targets;
} head;

static const unsigned char allowed[(CLASSES + 1) * (CLASSES + 1)] = {
    1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1};
static const seq_head_crf_options crf = {NULL, false, 3}, masked = {allowed, true, 3},
                                  unmasked = {allowed, false, 3};
static const seq_head_regression_options huber = {SEQ_HUBER_LOSS, 0.6F, mean, deviation};
static const seq_head_ordinal_options ordinal = {.values = values};
static const head heads[] = {
    {&seq_head_crf, &crf, {.axis = 1, .ids = CLASSES}},
    {&seq_head_crf, &masked, {.axis = 1, .ids = CLASSES}},
    {&seq_head_crf, &unmasked, {.axis = 1, .ids = CLASSES}},
    {&seq_head_regression, &huber, {.axis = 1, .width = 2}},
    {&seq_head_ordinal, &ordinal, {.axis = 1, .ids = CLASSES}},
    {&seq_head_ctc, NULL, {.axis = 2, .ids = CLASSES}},
};
enum { HEADS = sizeof heads / sizeof *heads };

typedef struct fixture {
    const head *head;
    seq_compute compute;
    seq_parameter_list list;
    seq_node node;
    seq_arena arena;
    seq_axis_room room, label_room;
    seq_batch batch;
    seq_node_run runs[3];
    seq_pass pass;
    size_t floats;
    float parameters[FLOATS], gradient[FLOATS];
    float x[ROWS * UNITS], dx[ROWS * UNITS], real[ROWS * 2];
    int32_t ids[ROWS];
    _Alignas(64) char packed[PACKED];
} fixture;

static void take(fixture *f) {
    seq_limits limits = {.axes = {[1] = {ITEMS, STEPS, ROWS}, [2] = {ITEMS, LABELS, LABEL_ROWS}}};
    limits.longest_pair[1][2] = (size_t)STEPS * LABELS;
    seq_axis_take(&f->room, &limits.axes[1], ITEMS, &f->arena);
    seq_axis_take(&f->label_room, &limits.axes[2], ITEMS, &f->arena);
    f->head->kind->node.plan(&f->node, &limits, true, f->runs[2].memory, &f->arena, &f->arena);
}

// As the graph does it: one matrix after the other.
static void pack(fixture *f) {
    size_t at = 0;
    for (int i = 0; i < f->list.packed_count; i++) {
        const seq_packed_need *need = &f->list.packed[i];
        size_t n = (size_t)(need->plain ? need->columns : need->rows),
               k = (size_t)(need->plain ? need->rows : need->columns);
        f->node.packed[i].offset = at;
        f->node.packed[i].in_training = f->node.packed[i].in_evaluation = true;
        seq_compute_pack(&f->compute, need->plain ? SEQ_PLAIN : SEQ_TRANSPOSED, n, k,
                         f->parameters + f->node.offsets[need->parameter], (size_t)need->columns,
                         f->packed + at);
        at += (seq_compute_packed_bytes(&f->compute, n, k) + 63) / 64 * 64;
        assert_true(at <= PACKED);
    }
}

static void list_parameters(fixture *f) {
    f->head->kind->node.parameters(&f->node, &f->list);
    f->node.parameter_count = f->list.parameter_count;
    for (int i = 0; i < f->list.parameter_count; i++) {
        const seq_parameter_need *need = &f->list.parameters[i];
        f->node.parameters[i] = i;
        f->node.offsets[i] = f->floats;
        f->floats += (size_t)need->rows * (size_t)(need->columns ? need->columns : 1);
    }
    assert_true(f->floats <= FLOATS);
}

static float wave(size_t i, double step) {
    return (float)sin(step * (double)(i + 1));
}

static bool on_own_axis(const head *head) {
    return head->targets.axis == 2;
}

// Of items `first`, ...: longest first, of equal ones the first.
static void make_labels(fixture *f, const int32_t *lengths, int first, int items) {
    int32_t counts[ITEMS] = {0};
    int used = 0;
    for (int32_t count = LABELS; count >= 0; count--)
        for (int i = 0; i < items; i++) {
            if (count != (lengths[first + i] ? label_counts[first + i] : 0)) continue;
            f->room.of[i] = f->room.at[i] = i;
            f->label_room.of[used] = i;
            f->label_room.at[i] = used;
            counts[used++] = count;
        }
    seq_axis *axis = &f->batch.axes[2];
    seq_axis_shape(axis, &f->label_room, items, counts);
    for (int s = 0; s < items && on_own_axis(f->head); s++)
        for (int u = 0; u < counts[s]; u++)
            f->ids[axis->first_row[u] + (size_t)s] = labels_of[first + axis->of[s]][u];
}

static seq_team *team; // of all fixtures that are opened

static void open_fixture(fixture *f, const head *head, const int32_t *lengths, int first,
                         int items) {
    seq_error error = {0};
    memset(f, 0, sizeof *f);
    f->head = head;
    seq_compute_find("auto", SEQ_FP32, team, &f->compute, &error);
    f->node = (seq_node){.head = head->kind,
                         .options = head->options,
                         .compute = &f->compute,
                         .index = 2,
                         .inputs = {0, 1},
                         .input_count = 2,
                         .input_shapes = {{.axis = 1, .width = UNITS}, head->targets}};
    f->node.shape = f->node.input_shapes[0];
    assert_int_equal(head->kind->node.shape(&f->node, &f->node.shape, &error), SEQ_OK);
    list_parameters(f);
    f->runs[2].memory = calloc(1, head->kind->node.memory);
    take(f);
    assert_int_equal(seq_arena_commit(&f->arena, "test", &error), SEQ_OK);
    take(f);
    seq_axis_shape(&f->batch.axes[1], &f->room, items, lengths + first);
    for (int i = 0; i < items; i++)
        f->room.number[i] = 70 + first + i;
    for (size_t i = 0; i < f->floats; i++)
        f->parameters[i] = wave(i, 1.3);
    for (size_t i = 0; i < ROWS * UNITS; i++)
        f->x[i] = wave(i, 0.7);
    for (size_t i = 0; i < ROWS; i++) {
        f->ids[i] = (const int32_t[]){0, 1, 3, 0, 1, 1, 1, 1, 0, 0}[i];
        f->real[2 * i] = 2 + 5 * wave(i, 2.1);
        f->real[2 * i + 1] = i == 3 ? NAN : wave(i, 0.9);
    }
    make_labels(f, lengths, first, items);
    pack(f);
    f->runs[0] = (seq_node_run){.values = f->x, .gradient = f->dx};
    f->runs[1] = (seq_node_run){.ids = f->ids, .values = f->real};
    f->pass = (seq_pass){.batch = &f->batch,
                         .training = true,
                         .parameters = f->parameters,
                         .packed = f->packed,
                         .packed_for_training = true,
                         .gradient = f->gradient,
                         .runs = f->runs};
}

static void close_fixture(fixture *f) {
    free(f->runs[2].memory);
    seq_arena_clear(&f->arena);
}

static seq_loss evaluate(fixture *f, double *of_sequence, float *of_row) {
    seq_losses losses = {of_sequence, of_row};
    return f->head->kind->evaluate(&f->node, &f->pass, &losses);
}

static void expect_slopes(fixture *f, float *value, const float *found, size_t count) {
    double of_sequence[ITEMS];
    float of_row[ROWS];
    for (size_t i = 0; i < count; i++) {
        const float kept = value[i], width = 1.0F / 128;
        value[i] = kept + width;
        pack(f);
        double above = evaluate(f, of_sequence, of_row).sum;
        value[i] = kept - width;
        pack(f);
        double below = evaluate(f, of_sequence, of_row).sum;
        value[i] = kept;
        double slope = (above - below) * 64;
        if (!(fabs(slope - (double)found[i]) < 4e-3 * (1 + fabs(slope))))
            fail_msg("%s, number %zu: %g, expected %g", f->head->kind->node.name, i,
                     (double)found[i], slope);
    }
    pack(f);
}

static void gradients_and_losses(void **state) {
    (void)state;
    static fixture f;
    for (int h = 0; h < HEADS; h++) {
        double of_sequence[ITEMS], sum = 0, of_rows = 0;
        float of_row[ROWS];
        open_fixture(&f, &heads[h], usual, 0, ITEMS);
        memset(f.gradient, 0xff, sizeof f.gradient); // NaN: all is written
        seq_loss loss = heads[h].kind->train(&f.node, &f.pass, 1);
        seq_loss same = evaluate(&f, of_sequence, of_row);
        assert_true(loss.sum == same.sum && loss.count == same.count && loss.correct == 0);
        assert_int_equal(loss.count, heads[h].targets.width   ? 19
                                     : on_own_axis(&heads[h]) ? LABEL_ROWS
                                                              : ROWS);
        for (int b = 0; b < ITEMS; b++)
            sum += of_sequence[b];
        for (int row = 0; row < ROWS; row++)
            of_rows -= (double)of_row[row];
        assert_true(of_sequence[ITEMS - 1] == 0);
        assert_true(fabs(sum - loss.sum) < 1e-9 && fabs(of_rows - loss.sum) < 1e-5);
        expect_slopes(&f, f.parameters, f.gradient, f.floats);
        expect_slopes(&f, f.x, f.dx, ROWS * UNITS);
        close_fixture(&f);
    }
}

static void scales_and_frozen(void **state) {
    (void)state;
    static fixture f, half;
    for (int h = 0; h < HEADS; h++) {
        open_fixture(&f, &heads[h], usual, 0, ITEMS);
        open_fixture(&half, &heads[h], usual, 0, ITEMS);
        heads[h].kind->train(&f.node, &f.pass, 1);
        half.node.frozen = 5;
        half.runs[0].gradient = NULL;
        heads[h].kind->train(&half.node, &half.pass, 0.5);
        for (int i = 0; i < f.node.parameter_count; i++) {
            size_t end = i + 1 < f.node.parameter_count ? f.node.offsets[i + 1] : f.floats;
            for (size_t at = f.node.offsets[i]; at < end; at++)
                assert_true(half.gradient[at] == (5 >> i & 1 ? 0 : f.gradient[at] / 2));
        }
        close_fixture(&half);
        close_fixture(&f);
    }
}

typedef struct predicted {
    seq_prediction out;
    int found[ITEMS];
    int32_t length[3 * ITEMS], ids[3 * ROWS], times[3 * ROWS];
    float values[3 * ROWS * 2], marginals[ROWS * CLASSES];
    double score[3 * ITEMS], probability[3 * ITEMS];
} predicted;

static void predict(fixture *f, int best, predicted *p) {
    memset(p, 0, sizeof *p);
    p->out = (seq_prediction){.best = best,
                              .rows = ROWS,
                              .sequences = ITEMS,
                              .found = p->found,
                              .length = p->length,
                              .ids = p->ids,
                              .times = p->times,
                              .values = p->values,
                              .score = p->score,
                              .probability = p->probability,
                              .marginals = p->marginals};
    f->head->kind->predict(&f->node, &f->pass, &p->out);
    assert_true(p->out.axis == &f->batch.axes[1]);
}

static void alone_is_in_a_batch(void **state) {
    (void)state;
    static fixture f, one;
    static predicted all, alone;
    for (int h = 0; h < HEADS; h++)
        for (int b = 0; b < ITEMS; b++) {
            double of_sequence[ITEMS], own;
            float of_row[ROWS], own_rows[ROWS];
            open_fixture(&f, &heads[h], usual, 0, ITEMS);
            open_fixture(&one, &heads[h], usual, b, 1);
            const size_t *first = f.batch.axes[1].first_row;
            for (int t = 0; t < usual[b]; t++) {
                size_t row = first[t] + (size_t)b;
                memcpy(one.x + t * UNITS, f.x + row * UNITS, UNITS * sizeof(float));
                memcpy(one.real + t * 2, f.real + row * 2, 2 * sizeof(float));
                if (!on_own_axis(&heads[h])) one.ids[t] = f.ids[row];
            }
            heads[h].kind->train(&f.node, &f.pass, 1);
            heads[h].kind->train(&one.node, &one.pass, 1);
            evaluate(&f, of_sequence, of_row), evaluate(&one, &own, own_rows);
            assert_memory_equal(&of_sequence[b], &own, sizeof own);
            predict(&f, 1, &all), predict(&one, 1, &alone);
            assert_int_equal(all.found[b], alone.found[0]);
            assert_int_equal(all.length[b], alone.length[0]);
            if (!on_own_axis(&heads[h])) assert_int_equal(all.length[b], usual[b]);
            assert_memory_equal(&all.score[b], &alone.score[0], sizeof(double));
            for (int t = 0; t < usual[b]; t++) {
                size_t row = first[t] + (size_t)b, at = (size_t)t;
                assert_memory_equal(f.dx + row * UNITS, one.dx + at * UNITS, UNITS * 4);
                assert_int_equal(all.ids[row], alone.ids[at]);
                assert_int_equal(all.times[row], alone.times[at]);
                size_t width = (size_t)(heads[h].targets.width ? 2 : 1);
                assert_memory_equal(all.values + row * width, alone.values + at * width, 4 * width);
                assert_memory_equal(all.marginals + row * CLASSES, alone.marginals + at * CLASSES,
                                    4 * CLASSES);
            }
            close_fixture(&one);
            close_fixture(&f);
        }
}

static void threads(void **state) {
    (void)state;
    static fixture f, g;
    static predicted p, q;
    seq_team *three;
    seq_error error = {0};
    assert_int_equal(seq_team_create(3, &three, &error), SEQ_OK);
    for (int h = 0; h < HEADS; h++) {
        double of_f[ITEMS], of_g[ITEMS];
        open_fixture(&f, &heads[h], usual, 0, ITEMS);
        team = three;
        open_fixture(&g, &heads[h], usual, 0, ITEMS);
        team = NULL;
        assert_true(heads[h].kind->train(&f.node, &f.pass, 0.3).sum ==
                    heads[h].kind->train(&g.node, &g.pass, 0.3).sum);
        assert_memory_equal(f.gradient, g.gradient, sizeof f.gradient);
        assert_memory_equal(f.dx, g.dx, sizeof f.dx);
        evaluate(&f, of_f, NULL), evaluate(&g, of_g, NULL);
        assert_memory_equal(of_f, of_g, sizeof of_f);
        predict(&f, 1, &p), predict(&g, 1, &q);
        assert_memory_equal(p.ids, q.ids, sizeof p.ids);
        assert_memory_equal(p.marginals, q.marginals, sizeof p.marginals);
        assert_memory_equal(p.score, q.score, sizeof p.score);
        close_fixture(&g);
        close_fixture(&f);
    }
    seq_team_destroy(three);
}

// Scores are the inputs' first CLASSES units: a path says what is set.
static void follow(fixture *f, int b, const int32_t *path) {
    memset(f->parameters, 0, sizeof f->parameters);
    for (int k = 0; k < CLASSES; k++)
        f->parameters[k * UNITS + k] = 1;
    pack(f);
    for (int t = 0; t < usual[b]; t++)
        for (int k = 0; k < UNITS; k++)
            f->x[(f->batch.axes[1].first_row[t] + (size_t)b) * UNITS + (size_t)k] =
                k == path[t] ? 20 : 0;
}

static void transcripts(void **state) {
    (void)state;
    static fixture f;
    static predicted p;
    float log_p[ROWS * CLASSES], of_row[ROWS];
    double of_sequence[ITEMS];
    open_fixture(&f, &heads[HEADS - 1], usual, 0, ITEMS);
    const size_t *first = f.batch.axes[1].first_row;
    follow(&f, 0, (const int32_t[]){0, 3, 3, 0}); // right
    follow(&f, 1, (const int32_t[]){1, 1, 0, 1}); // not 1 2
    follow(&f, 2, (const int32_t[]){0, 0});       // nothing, not 2
    seq_loss loss = evaluate(&f, of_sequence, of_row);
    assert_true(loss.count == LABEL_ROWS && loss.correct == 1);
    assert_true(loss.frames == ROWS && loss.blanks == 5 && loss.bad == 0);
    assert_true(of_sequence[0] < 1e-6 && of_sequence[1] > 19 && of_sequence[2] > 19);
    assert_true(of_row[first[3] + 1] == -(float)of_sequence[1] && of_row[first[2] + 1] == 0);
    predict(&f, 1, &p);
    assert_true(p.length[0] == 1 && p.ids[first[0]] == 3 && p.times[first[0]] == 2);
    assert_true(p.length[1] == 2 && p.ids[first[0] + 1] == 1 && p.ids[first[1] + 1] == 1);
    assert_true(p.times[first[0] + 1] == 1 && p.times[first[1] + 1] == 3);
    assert_true(p.length[2] == 0 && p.length[3] == 0 && p.probability[3] == 1);
    assert_true(fabs(p.score[0] + of_sequence[0]) < 1e-12 && p.probability[2] > 0.99);
    heads[HEADS - 1].kind->scores(&f.node, &f.pass, 4, 3, log_p);
    for (size_t i = 0; i < (size_t)3 * CLASSES; i++)
        assert_true(fabs(exp((double)log_p[i]) - (double)p.marginals[4 * CLASSES + i]) < 1e-6);
    close_fixture(&f);
}

// A transcript without a probability leaves the items beside it as they are, and its own NaN.
static void transcripts_without_probability(void **state) {
    (void)state;
    static fixture f, g;
    const int32_t wrong[] = {SEQ_CTC_BLANK, SEQ_NO_ID};
    for (int i = 0; i < 2; i++) {
        bool counts = wrong[i] >= 0;
        open_fixture(&f, &heads[HEADS - 1], usual, 0, ITEMS);
        open_fixture(&g, &heads[HEADS - 1], usual, 0, ITEMS);
        g.ids[0] = wrong[i]; // of item 1
        heads[HEADS - 1].kind->train(&f.node, &f.pass, 1);
        seq_loss loss = heads[HEADS - 1].kind->train(&g.node, &g.pass, 1);
        assert_true(counts ? loss.sum == INFINITY : loss.sum < 100);
        assert_true(loss.count == (counts ? LABEL_ROWS : LABEL_ROWS - 2));
        assert_int_equal(loss.bad, counts ? 72 : 0);
        for (int b = 0; b < ITEMS; b++)
            for (int t = 0; t < usual[b]; t++) {
                size_t at = (g.batch.axes[1].first_row[t] + (size_t)b) * UNITS;
                if (b != 1) assert_memory_equal(f.dx + at, g.dx + at, UNITS * sizeof(float));
                if (b == 1) assert_true(counts ? isnan(g.dx[at]) : g.dx[at] == 0);
            }
        assert_true(!counts || isnan(g.gradient[0]));
        close_fixture(&g);
        close_fixture(&f);
    }
}

static void predictions(void **state) {
    (void)state;
    static fixture f;
    static predicted p;
    open_fixture(&f, &heads[2], usual, 0, ITEMS); // trained without mask, decoded with it
    f.parameters[f.node.offsets[1] + 2] += 3;     // label 2, which may not be first
    predict(&f, 3, &p);
    int right = 0;
    for (int b = 0; b < 3; b++) {
        int32_t label[STEPS];
        assert_true(p.probability[b] > p.probability[ITEMS + b]);
        for (int t = 0; t < usual[b]; t++) {
            size_t row = f.batch.axes[1].first_row[t] + (size_t)b;
            label[t] = p.ids[row];
            right += label[t] == f.ids[row];
        }
        assert_int_equal(seq_crf_first_forbidden(allowed, CLASSES, label, usual[b]), -1);
        assert_true(fabs(seq_head_crf_span(&f.node, &f.pass, b, 0, usual[b], label, -1) -
                         p.probability[b]) < 1e-6);
    }
    assert_int_equal(p.found[3], 1);
    f.ids[0] = 2; // a target that is not allowed is never right, and has a loss all the same
    assert_int_equal(evaluate(&f, NULL, NULL).correct, right);
    assert_true(isfinite(evaluate(&f, NULL, NULL).sum));
    close_fixture(&f);

    open_fixture(&f, &heads[3], usual, 0, ITEMS); // 0 x + bias, in the targets' units
    memset(f.x, 0, sizeof f.x);
    predict(&f, 1, &p);
    const float *bias = f.parameters + f.node.offsets[1];
    assert_true(p.values[0] == bias[0] * 3 + 2 && p.values[1] == bias[1] * 0.5F - 1);
    assert_true(isnan(p.probability[0]));
    close_fixture(&f);

    open_fixture(&f, &heads[4], usual, 0, ITEMS);
    memset(f.x, 0, sizeof f.x);
    memset(f.parameters, 0, sizeof f.parameters);
    predict(&f, 1, &p);
    assert_true(fabs((double)p.values[0] - 2.75) < 1e-6); // the mean of 1, 2, 3, 5
    assert_true(fabs((double)p.marginals[2] - 0.25) < 1e-6);
    assert_true(fabs(evaluate(&f, NULL, NULL).sum / ROWS - seq_head_ordinal.chance(&f.node)) <
                1e-6);
    close_fixture(&f);
}

static void no_rows(void **state) {
    (void)state;
    static fixture f;
    static predicted p;
    const int32_t nothing[] = {0, 0};
    for (int h = 0; h < HEADS; h++)
        for (int items = 0; items <= 2; items += 2) {
            open_fixture(&f, &heads[h], nothing, 0, items);
            memset(f.gradient, 0xff, sizeof f.gradient);
            seq_loss loss = heads[h].kind->train(&f.node, &f.pass, 1);
            assert_true(loss.sum == 0 && loss.count == 0);
            for (size_t i = 0; i < f.floats; i++)
                assert_true(f.gradient[i] == 0);
            assert_int_equal(evaluate(&f, NULL, NULL).correct, 0);
            predict(&f, 1, &p);
            for (int b = 0; b < items; b++)
                assert_true(p.found[b] == 1 && p.length[b] == 0);
            close_fixture(&f);
        }
}

static void expect_refusal(const seq_head_kind *kind, const void *options, seq_shape targets,
                           const char *text) {
    seq_error error = {0};
    seq_node node = {.head = kind,
                     .options = options,
                     .input_count = 2,
                     .input_shapes = {{.axis = 1, .width = UNITS}, targets}};
    seq_shape out = node.input_shapes[0];
    assert_int_equal(kind->node.shape(&node, &out, &error), SEQ_BAD_USAGE);
    if (!strstr(error.text, text)) fail_msg("\"%s\" lacks \"%s\"", error.text, text);
}

static void refusals(void **state) {
    (void)state;
    const seq_head_crf_options many = {NULL, false, SEQ_CRF_BEST + 1};
    const seq_head_regression_options flat = {SEQ_HUBER_LOSS, 0, mean, deviation};
    expect_refusal(&seq_head_crf, &crf, (seq_shape){.axis = 2, .ids = 3}, "on the same axis");
    expect_refusal(&seq_head_crf, &crf, (seq_shape){.axis = 1, .width = 3}, "column of labels");
    expect_refusal(&seq_head_crf, &many, (seq_shape){.axis = 1, .ids = 3}, "expected 1 to 100");
    expect_refusal(&seq_head_ctc, NULL, (seq_shape){.axis = 1, .ids = 3}, "on another axis");
    expect_refusal(&seq_head_ctc, NULL, (seq_shape){.axis = 2, .ids = 1}, "one symbol more");
    expect_refusal(&seq_head_regression, &huber, (seq_shape){.axis = 1, .ids = 3},
                   "column of values");
    expect_refusal(&seq_head_regression, &flat, (seq_shape){.axis = 1, .width = 1},
                   "expected above 0");
    expect_refusal(&seq_head_ordinal, &ordinal, (seq_shape){.axis = 1, .ids = 1},
                   "1 ordered classes: expected 2 to 1024");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_and_losses),
        cmocka_unit_test(scales_and_frozen),
        cmocka_unit_test(alone_is_in_a_batch),
        cmocka_unit_test(threads),
        cmocka_unit_test(transcripts),
        cmocka_unit_test(transcripts_without_probability),
        cmocka_unit_test(predictions),
        cmocka_unit_test(no_rows),
        cmocka_unit_test(refusals),
    };
    seq_arithmetic_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
