// CTC: the arithmetic alone on 32 items of 200 frames, 30 labels and 40 symbols,
// and whole training steps on utterances like strings of digits: 80 numbers a
// frame, three bidirectional LSTM layers of 256, the head ctc; Adam, clipping.
// Utterances are put in classes of lengths and cut into batches of 16, as the
// sampler does it; of the batches some are taken, evenly.
#include "bench.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/ctc.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"ctc", "strings-256"};

static void fill(float *x, size_t count, double scale, uint32_t key) {
    for (size_t i = 0; i < count; i++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){key, SEQ_RANDOM_TEST}, (uint32_t)i, 0, 0, words);
        x[i] = (float)(scale * (words[0] / 2147483648.0 - 1));
    }
}

static uint32_t draw(uint32_t limit, uint32_t a, uint32_t b) {
    uint32_t words[4];
    seq_random_words((seq_random_key){3, SEQ_RANDOM_TEST}, a, b, 0, words);
    return words[0] % limit;
}

// ---- the arithmetic alone

enum { T = 200, K = 40, U = 30, B = 32 };

typedef struct losses {
    float *logits, *gradient; // (B, T, K)
    int32_t ids[B][U];
    void *room;
} losses;

static void lose(void *context) {
    losses *losses = context;
    for (size_t b = 0; b < B; b++) {
        const seq_ctc_item item = {T, K, U, losses->logits + b * T * K, NULL, losses->ids[b]};
        double loss = seq_ctc_gradient(&item, 1, losses->gradient + b * T * K, losses->room);
        assert(isfinite(loss));
        (void)loss;
    }
}

static void measure_losses(bench *bench) {
    losses losses = {.logits = bench_allocate(sizeof(float) * B * T * K),
                     .gradient = bench_allocate(sizeof(float) * B * T * K),
                     .room = bench_allocate(seq_ctc_bytes(SEQ_CTC_GRADIENT, T, K, U, T * U))};
    fill(losses.logits, (size_t)B * T * K, 3, 1);
    for (uint32_t b = 0; b < B; b++)
        for (uint32_t u = 0; u < U; u++)
            losses.ids[b][u] = 1 + (int32_t)draw(K - 1, b, u);
    bench_result result = bench_measure(bench, lose, &losses, B, 0, BENCH_FP32);
    bench_report(bench, &(bench_row){"ctc", "loss and gradient, T 200, U 30, K 40, batch 32",
                                     "items/s", result.rate, 0, NULL, result.runs});
    free(losses.logits);
    free(losses.gradient);
    free(losses.room);
}

// ---- strings

enum { EXAMPLES, FRAMES, LABELS, AXES };
enum { ITEMS = 16, STRINGS = 512, TAKEN = 8, WIDTH = 80, SYMBOLS = 11, HIDDEN = 256 };

typedef struct string {
    int32_t frames, labels;
    int length_class, place;
} string;

typedef struct string_batch {
    seq_batch batch;
    seq_axis_room rooms[AXES];
    float *frames;   // (N, WIDTH)
    int32_t *labels; // (rows of the labels)
    seq_arena arena;
} string_batch;

static int by_class(const void *a, const void *b) {
    const string *x = a, *y = b;
    return x->length_class != y->length_class ? x->length_class - y->length_class
                                              : x->place - y->place;
}

static int longest_first(const void *a, const void *b) {
    const string *x = a, *y = b;
    return x->frames != y->frames ? y->frames - x->frames : x->place - y->place;
}

static int most_labels_first(const void *a, const void *b) {
    const string *x = *(const string *const *)a, *y = *(const string *const *)b;
    return x->labels != y->labels ? y->labels - x->labels : (x > y) - (x < y);
}

// 1 to 7 digits of 0.3 to 0.6 s with silences of 0.05 to 0.25 s around, 10 ms a frame.
static void make_strings(string out[STRINGS]) {
    for (uint32_t i = 0; i < STRINGS; i++) {
        uint32_t digits = 1 + draw(7, i, 0), frames = 0;
        for (uint32_t d = 0; d <= digits; d++)
            frames += 5 + draw(21, i, 2 * d + 1) + (d ? 30 + draw(31, i, 2 * d + 2) : 0);
        out[i] =
            (string){(int32_t)frames, (int32_t)digits, bench_length_class((int32_t)frames), (int)i};
    }
    qsort(out, STRINGS, sizeof *out, by_class);
    for (int i = 0; i < STRINGS; i += ITEMS)
        qsort(out + i, ITEMS, sizeof *out, longest_first);
}

static seq_limits limits_of(const string *items) {
    seq_limits limits = {.axes = {{ITEMS, 1, ITEMS}, {ITEMS, items->frames, 0}, {ITEMS, 0, 0}}};
    for (int i = 0; i < ITEMS; i++) {
        size_t pair = (size_t)items[i].frames * (size_t)items[i].labels;
        limits.axes[FRAMES].rows += (size_t)items[i].frames;
        limits.axes[LABELS].rows += (size_t)items[i].labels;
        if (items[i].labels > limits.axes[LABELS].steps)
            limits.axes[LABELS].steps = items[i].labels;
        limits.pairs[FRAMES][LABELS] += pair;
        if (pair > limits.longest_pair[FRAMES][LABELS]) limits.longest_pair[FRAMES][LABELS] = pair;
    }
    return limits;
}

static void take(string_batch *out, const seq_limits *limits) {
    for (int axis = 0; axis < AXES; axis++)
        seq_axis_take(&out->rooms[axis], &limits->axes[axis], ITEMS, &out->arena);
    out->frames = SEQ_ARENA_FLOATS(&out->arena, limits->axes[FRAMES].rows * WIDTH);
    out->labels = seq_arena_take(&out->arena, limits->axes[LABELS].rows, sizeof(int32_t));
}

static void fill_batch(string_batch *out, const string *items, uint32_t key) {
    const seq_limits limits = limits_of(items);
    const string *sorted[ITEMS];
    int32_t ones[ITEMS], frames[ITEMS], labels[ITEMS];
    seq_error error = {0};
    *out = (string_batch){.batch = {.axis_count = AXES, .column_count = 2}};
    take(out, &limits);
    if (seq_arena_commit(&out->arena, "a batch", &error)) bench_die(&error);
    take(out, &limits);
    for (int i = 0; i < ITEMS; i++)
        sorted[i] = &items[i];
    qsort(sorted, ITEMS, sizeof *sorted, most_labels_first);
    for (int i = 0; i < ITEMS; i++) {
        int own = (int)(sorted[i] - items);
        ones[i] = 1;
        frames[i] = items[i].frames;
        labels[i] = sorted[i]->labels;
        out->rooms[FRAMES].of[i] = out->rooms[FRAMES].at[i] = i;
        out->rooms[LABELS].of[i] = own;
        out->rooms[LABELS].at[own] = i;
    }
    seq_axis_shape(&out->batch.axes[EXAMPLES], &out->rooms[EXAMPLES], ITEMS, ones);
    seq_axis_shape(&out->batch.axes[FRAMES], &out->rooms[FRAMES], ITEMS, frames);
    seq_axis_shape(&out->batch.axes[LABELS], &out->rooms[LABELS], ITEMS, labels);
    out->batch.axes[EXAMPLES].parent = -1;
    fill(out->frames, limits.axes[FRAMES].rows * WIDTH, 1.7, key); // variance 1
    for (size_t row = 0; row < limits.axes[LABELS].rows; row++)
        out->labels[row] = 1 + (int32_t)draw(SYMBOLS - 1, key, (uint32_t)row);
    out->batch.columns[0] = (seq_column){.axis = FRAMES, .values = out->frames};
    out->batch.columns[1] = (seq_column){.axis = LABELS, .ids = out->labels};
    out->batch.divisor = (double)limits.axes[LABELS].rows;
}

static seq_model *create_model(const seq_compute *compute) {
    const seq_graph_field fields[] = {{"frames", FRAMES, 0, WIDTH, -1},
                                      {"symbols", LABELS, SYMBOLS, 0, 0}};
    const seq_encoder_options encoder = {.prefix = "encoder",
                                         .dense_prefix = "dense",
                                         .cell = seq_cell_find("lstm"),
                                         .layers = 3,
                                         .hidden = (int[]){HIDDEN, HIDDEN, HIDDEN},
                                         .bidirectional = true};
    seq_error error = {0};
    seq_graph *graph = NULL;
    seq_model *out = NULL;
    if (seq_graph_create(fields, 2, &(seq_initial_choice){0}, &graph, &error)) bench_die(&error);
    int frames = seq_graph_column(graph, "frames"), symbols = seq_graph_column(graph, "symbols");
    int top = seq_graph_encoder(graph, &encoder, frames);
    seq_graph_head(graph, &seq_head_ctc, NULL, "output", top, symbols, false);
    if (seq_graph_finish(graph, compute, &out, &error)) bench_die(&error);
    return out;
}

typedef struct strings {
    string_batch batches[TAKEN];
    seq_limits limits; // of all
    double frames;     // of all
    bench_trainer trainer;
    seq_compute compute;
} strings;

static void create(strings *out) {
    static string all[STRINGS];
    seq_error error = {0};
    *out = (strings){0};
    make_strings(all);
    for (int i = 0; i < TAKEN; i++) {
        // Not in the order of lengths: a step follows one of another size.
        int step = i * 3 % TAKEN;
        const string *items = all + (2 * step + 1) * (STRINGS / ITEMS) / (2 * TAKEN) * ITEMS;
        const seq_limits limits = limits_of(items);
        seq_limits_include(&out->limits, &limits);
        fill_batch(&out->batches[i], items, (uint32_t)i);
        out->frames += (double)limits.axes[FRAMES].rows;
    }
    if (seq_compute_find("auto", SEQ_FP32, NULL, &out->compute, &error)) bench_die(&error);
    bench_trainer_create(&out->trainer, create_model(&out->compute), &out->limits, "adam");
}

// Operations of the matrix products for a frame: 6 a weight, 4 where the input has no gradient.
static double flops_of(const strings *strings) {
    double flops = 0;
    for (int i = 0; i < strings->trainer.table->count; i++) {
        const seq_parameter *parameter = &strings->trainer.table->items[i];
        bool lowest = strncmp(parameter->name, "encoder.weight_ih_l0", 20) == 0;
        flops += (lowest ? 4 : 6) * parameter->share * (double)seq_parameter_size(parameter);
    }
    return flops;
}

static void train_all(void *context) {
    strings *strings = context;
    for (int i = 0; i < TAKEN; i++) {
        const seq_batch *batch = &strings->batches[i].batch;
        bench_trainer_step(&strings->trainer, batch, 1 / batch->divisor, NULL);
    }
}

static void measure_steps(bench *bench) {
    static strings strings;
    create(&strings);
    bench_result steps =
        bench_measure(bench, train_all, &strings, strings.frames, flops_of(&strings), BENCH_FP32);
    bench_report(bench, &(bench_row){"ctc", names[1], "frames/s", steps.rate, steps.share,
                                     "fp32 peak", steps.runs});
    bench_trainer_destroy(&strings.trainer);
    for (int i = 0; i < TAKEN; i++)
        seq_arena_clear(&strings.batches[i].arena);
}

static bool wants(const bench *bench, const char *name) {
    return !bench->model || strcmp(bench->model, name) == 0;
}

bool bench_ctc_wanted(const bench *bench) {
    return wants(bench, names[0]) || wants(bench, names[1]);
}

void bench_ctc(bench *bench) {
    if (wants(bench, names[0])) measure_losses(bench);
    if (wants(bench, names[1])) measure_steps(bench);
}
