// Whole training steps on sentences of different lengths: embedding, two
// bidirectional LSTM layers, a head; Adam, clipping. Lengths come from a file or
// from a log-logistic distribution. They are put in classes at steps of a tenth,
// cut into batches of 32 in that order, as the sampler does it, and every so
// many a batch is taken; `--batches` tells PyTorch which. Also the share of a
// step that the arithmetic of a CRF takes.
#include "bench.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/crf.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/pool.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES, TEXT, AXES };
enum { ITEMS = 32, TAKEN = 16, VOCABULARY = 15000, EMBEDDING = 256, MOST_LENGTHS = 1000000 };

typedef struct length {
    int32_t length;
    int length_class, place;
} length;

typedef struct item_batch {
    seq_batch batch;
    seq_axis_room rooms[AXES];
    int32_t *text, *labels; // (N)
    seq_arena arena;
} item_batch;

// ---- lengths and batches

int bench_length_class(int32_t length) {
    int number = 0;
    for (int64_t bound = 0; bound < length; number++)
        bound = bound < 10 ? bound + 1 : bound * 11 / 10;
    return number;
}

static int by_class(const void *a, const void *b) {
    const length *x = a, *y = b;
    return x->length_class != y->length_class ? x->length_class - y->length_class
                                              : x->place - y->place;
}

static int longest_first(const void *a, const void *b) {
    const length *x = a, *y = b;
    return x->length != y->length ? y->length - x->length : x->place - y->place;
}

// Median 17, the longest some 90.
static int made_lengths(length *out) {
    enum { COUNT = 512 };
    for (int i = 0; i < COUNT; i++) {
        double u = (i * 197 % COUNT + 0.5) / COUNT;
        out[i].length = (int32_t)lround(17 * pow(u / (1 - u), 0.24));
    }
    return COUNT;
}

static int read_lengths(const char *file, length *out) {
    FILE *in = fopen(file, "re");
    int count = 0, got;
    if (!in) {
        perror(file);
        exit(3);
    }
    while (count < MOST_LENGTHS && (got = fscanf(in, "%d", &out[count].length)) == 1 &&
           out[count].length >= 0 && out[count].length < 100000)
        count++;
    if (!feof(in) || count < ITEMS) {
        fprintf(stderr, "seqbench: %s, entry %d: expected %d lengths at least, below 100000\n",
                file, count + 1, ITEMS);
        exit(3);
    }
    fclose(in);
    return count;
}

// The lengths of the batches to measure, ITEMS each, longest first. Returns how many batches.
static int choose(const bench *bench, length *all, int32_t out[TAKEN][ITEMS]) {
    int count = bench->lengths ? read_lengths(bench->lengths, all) : made_lengths(all);
    for (int i = 0; i < count; i++) {
        all[i].length_class = bench_length_class(all[i].length);
        all[i].place = i;
    }
    qsort(all, (size_t)count, sizeof *all, by_class);
    int batches = count / ITEMS, taken = batches < TAKEN ? batches : TAKEN;
    for (int i = 0; i < taken; i++) {
        // Not in the order of lengths: a step follows one of another size.
        int step = i * 7 % TAKEN < taken ? i * 7 % TAKEN : i;
        length *items = all + (size_t)((2 * step + 1) * batches / (2 * taken)) * ITEMS;
        qsort(items, ITEMS, sizeof *items, longest_first);
        for (int j = 0; j < ITEMS; j++)
            out[i][j] = items[j].length;
    }
    return taken;
}

static int choose_batches(const bench *bench, int32_t out[TAKEN][ITEMS]) {
    length *all = bench_allocate(MOST_LENGTHS * sizeof *all);
    int count = choose(bench, all, out);
    free(all);
    return count;
}

void bench_print_batches(const bench *bench) {
    int32_t lengths[TAKEN][ITEMS];
    int count = choose_batches(bench, lengths);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < ITEMS; j++)
            printf("%d%c", lengths[i][j], j + 1 < ITEMS ? ' ' : '\n');
}

static void take(item_batch *out, const seq_limits *limits) {
    seq_axis_take(&out->rooms[EXAMPLES], &limits->axes[EXAMPLES], ITEMS, &out->arena);
    seq_axis_take(&out->rooms[TEXT], &limits->axes[TEXT], ITEMS, &out->arena);
    out->text = seq_arena_take(&out->arena, limits->axes[TEXT].rows, sizeof(int32_t));
    out->labels = seq_arena_take(&out->arena, limits->axes[TEXT].rows + ITEMS, sizeof(int32_t));
}

static seq_limits limits_of(const int32_t *lengths) {
    size_t rows = 0;
    for (int i = 0; i < ITEMS; i++)
        rows += (size_t)lengths[i];
    return (seq_limits){.axes = {{ITEMS, 1, ITEMS}, {ITEMS, lengths[0], rows}}};
}

static void fill(item_batch *out, const int32_t *lengths, int label_axis, int labels) {
    seq_error error = {0};
    const seq_limits limits = limits_of(lengths);
    int32_t ones[ITEMS];
    *out = (item_batch){.batch = {.axis_count = AXES, .column_count = 2}};
    take(out, &limits);
    if (seq_arena_commit(&out->arena, "a batch", &error)) bench_die(&error);
    take(out, &limits);
    for (int i = 0; i < ITEMS; i++)
        ones[i] = 1;
    seq_axis *axes = out->batch.axes;
    seq_axis_shape(&axes[EXAMPLES], &out->rooms[EXAMPLES], ITEMS, ones);
    seq_axis_shape(&axes[TEXT], &out->rooms[TEXT], ITEMS, lengths);
    axes[EXAMPLES].parent = -1;
    for (int i = 0; i < ITEMS; i++) {
        out->rooms[TEXT].of[i] = out->rooms[TEXT].at[i] = i;
        out->rooms[TEXT].number[i] = out->rooms[EXAMPLES].number[i] = i;
    }
    for (size_t row = 0; row < axes[TEXT].rows + ITEMS; row++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, (uint32_t)row, 0, 0, words);
        out->labels[row] = (int32_t)(words[0] % (uint32_t)labels);
        if (row < axes[TEXT].rows) out->text[row] = (int32_t)(words[1] % VOCABULARY);
    }
    out->batch.columns[0] = (seq_column){.axis = TEXT, .ids = out->text};
    out->batch.columns[1] = (seq_column){.axis = label_axis, .ids = out->labels};
    out->batch.divisor = (double)axes[label_axis].rows;
}

// ---- the models

typedef struct ragged_model {
    const char *name;
    int hidden, labels, label_axis;
    bool crf;
} ragged_model;

static const ragged_model models[] = {
    {"classify-256", 256, 5, EXAMPLES, false},
    {"tag-256", 256, 13, TEXT, false},
    {"crf-256", 256, 13, TEXT, true},
    {"crf-100", 100, 13, TEXT, true},
};
enum { MODELS = sizeof models / sizeof *models };

static seq_model *create_model(const ragged_model *model, const seq_compute *compute) {
    const seq_graph_field fields[] = {{"text", TEXT, VOCABULARY, 0, 0},
                                      {"label", model->label_axis, model->labels, 0, -1}};
    const seq_encoder_options encoder = {.prefix = "encoder",
                                         .dense_prefix = "dense",
                                         .cell = seq_cell_find("lstm"),
                                         .layers = 2,
                                         .hidden = (int[]){model->hidden, model->hidden},
                                         .bidirectional = true};
    const seq_embedding_options embedding = {.units = EMBEDDING};
    const seq_pool_options pool = {SEQ_POOL_ENDS, EXAMPLES};
    seq_error error = {0};
    seq_graph *graph = NULL;
    seq_model *out = NULL;
    if (seq_graph_create(fields, 2, &(seq_initial_choice){0}, &graph, &error)) bench_die(&error);
    int text = seq_graph_column(graph, "text"), label = seq_graph_column(graph, "label");
    int top = seq_graph_layer(graph, &seq_layer_embedding, &embedding, "embedding", "", &text, 1);
    top = seq_graph_encoder(graph, &encoder, top);
    if (model->label_axis == EXAMPLES)
        top = seq_graph_layer(graph, &seq_layer_pool, &pool, "", "", &top, 1);
    if (model->crf)
        seq_graph_head(graph, &seq_head_crf, &(seq_head_crf_options){.best = 1}, "output", top,
                       label, false);
    else
        seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", top, label, false);
    if (seq_graph_finish(graph, compute, &out, &error)) bench_die(&error);
    return out;
}

// ---- steps

typedef struct ragged {
    const ragged_model *model;
    int count;
    int32_t lengths[TAKEN][ITEMS];
    item_batch batches[TAKEN];
    seq_limits limits; // of all
    double tokens;     // of all
    bench_trainer trainer;
    seq_compute compute;
    seq_crf crf;
    seq_arena crf_arena;
    float *emissions;
} ragged;

static void raise_limits(seq_limits *most, const seq_limits *limits) {
    for (int axis = 0; axis < AXES; axis++) {
        const seq_axis_limit *one = &limits->axes[axis];
        seq_axis_limit *all = &most->axes[axis];
        if (one->sequences > all->sequences) all->sequences = one->sequences;
        if (one->steps > all->steps) all->steps = one->steps;
        if (one->rows > all->rows) all->rows = one->rows;
    }
}

static void create(ragged *out, const bench *bench, const ragged_model *model) {
    seq_error error = {0};
    *out = (ragged){.model = model};
    out->count = choose_batches(bench, out->lengths);
    for (int i = 0; i < out->count; i++) {
        const seq_limits limits = limits_of(out->lengths[i]);
        raise_limits(&out->limits, &limits);
        fill(&out->batches[i], out->lengths[i], model->label_axis, model->labels);
        out->tokens += (double)limits.axes[TEXT].rows;
    }
    if (seq_compute_find("auto", SEQ_FP32, NULL, &out->compute, &error)) bench_die(&error);
    bench_trainer_create(&out->trainer, create_model(model, &out->compute), &out->limits, "adam");
}

static void destroy(ragged *ragged) {
    bench_trainer_destroy(&ragged->trainer);
    for (int i = 0; i < ragged->count; i++)
        seq_arena_clear(&ragged->batches[i].arena);
    seq_arena_clear(&ragged->crf_arena);
    free(ragged->emissions);
}

// Operations of the matrix products in a pass over all batches, 6 a weight and row.
static double flops_of(const ragged *ragged) {
    double flops = 0;
    for (int i = 0; i < ragged->trainer.table->count; i++) {
        const seq_parameter *parameter = &ragged->trainer.table->items[i];
        bool head = strncmp(parameter->name, "output.", 7) == 0;
        double rows = head && ragged->model->label_axis == EXAMPLES ? ragged->count * (double)ITEMS
                                                                    : ragged->tokens;
        flops += 6 * parameter->share * (double)seq_parameter_size(parameter) * rows;
    }
    return flops;
}

static void train_all(void *context) {
    ragged *ragged = context;
    for (int i = 0; i < ragged->count; i++) {
        const seq_batch *batch = &ragged->batches[i].batch;
        bench_trainer_step(&ragged->trainer, batch, 1 / batch->divisor, NULL);
    }
}

static void create_crf(ragged *ragged) {
    seq_error error = {0};
    size_t floats = ragged->limits.axes[TEXT].rows * (size_t)ragged->model->labels;
    ragged->crf = (seq_crf){
        .compute = &ragged->compute, .labels = ragged->model->labels, .best = 1, .training = true};
    seq_crf_take(&ragged->crf, &ragged->limits.axes[TEXT], &ragged->crf_arena);
    if (seq_arena_commit(&ragged->crf_arena, "a crf", &error)) bench_die(&error);
    seq_crf_take(&ragged->crf, &ragged->limits.axes[TEXT], &ragged->crf_arena);
    ragged->emissions = bench_allocate(floats * sizeof *ragged->emissions);
}

// Loss and gradients of the crf alone, by the model's own transitions.
static void train_crf(void *context) {
    ragged *ragged = context;
    const bench_trainer *trainer = &ragged->trainer;
    const char *const names[] = {"output.transitions", "output.start_transitions",
                                 "output.end_transitions"};
    size_t at[3];
    for (int i = 0; i < 3; i++)
        at[i] = seq_parameter_find(trainer->table, names[i])->offset;
    const float *values = trainer->parameters;
    float *gradient = trainer->gradient;
    for (int i = 0; i < ragged->count; i++) {
        const item_batch *item = &ragged->batches[i];
        const seq_crf_batch batch = {.values = {values + at[0], values + at[1], values + at[2]},
                                     .axis = &item->batch.axes[TEXT],
                                     .emissions = ragged->emissions,
                                     .targets = item->labels};
        const seq_crf_gradients gradients = {gradient + at[0], gradient + at[1], gradient + at[2]};
        seq_loss loss = seq_crf_train(&ragged->crf, &batch, 1, NULL, ragged->emissions, &gradients);
        assert(isfinite(loss.sum) && loss.count == (int64_t)batch.axis->rows);
        (void)loss;
    }
}

static void measure(bench *bench, const ragged_model *model) {
    ragged ragged;
    char name[64];
    create(&ragged, bench, model);
    bench_result steps = bench_measure(bench, train_all, &ragged, ragged.tokens,
                                       flops_of(&ragged) / ragged.tokens, BENCH_FP32);
    bench_report(bench, &(bench_row){"ragged", model->name, "tokens/s", steps.rate, steps.share,
                                     "fp32 peak", steps.runs});
    if (model->crf) {
        create_crf(&ragged);
        bench_result crf = bench_measure(bench, train_crf, &ragged, ragged.tokens, 0, BENCH_FP32);
        snprintf(name, sizeof name, "%s alone", model->name);
        bench_report(bench, &(bench_row){"ragged", name, "tokens/s", crf.rate,
                                         steps.rate / crf.rate, "a step's time", crf.runs});
    }
    destroy(&ragged);
}

static bool wants(const bench *bench, const ragged_model *model) {
    return !bench->model || strcmp(bench->model, model->name) == 0;
}

bool bench_ragged_wanted(const bench *bench) {
    bool found = false;
    for (int i = 0; i < MODELS; i++)
        found |= wants(bench, &models[i]);
    return found;
}

void bench_ragged(bench *bench) {
    for (int i = 0; i < MODELS; i++)
        if (wants(bench, &models[i])) measure(bench, &models[i]);
}
