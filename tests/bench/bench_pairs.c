// Whole training steps on pairs of sentences: one embedding, a bidirectional LSTM
// of 256 units a direction, a decoder of 512 units that attends in its loop, all
// words of 8,000; Adam, clipping. Lengths come from a file (source and target, a
// pair a line) or are made. Pairs are put in classes of source lengths, cut into
// batches of 64 in that order, as the sampler does it, and every so many a batch
// is taken; `--only pairs --batches` tells PyTorch which.
#include "bench.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/decoder.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES, SOURCE, TARGET, AXES, COLUMNS = 3 };
enum { ITEMS = 64, TAKEN = 8, WORDS = 8000, MOST_PAIRS = 1000000 };

typedef struct pair {
    int32_t source, target;
    int length_class, place;
} pair;

typedef struct pair_batch {
    seq_batch batch;
    seq_axis_room rooms[AXES];
    int32_t *ids[COLUMNS]; // source, target, target before
    seq_arena arena;
} pair_batch;

// ---- lengths and batches

static int by_class(const void *a, const void *b) {
    const pair *x = a, *y = b;
    return x->length_class != y->length_class ? x->length_class - y->length_class
                                              : x->place - y->place;
}

static int by_source(const void *a, const void *b) {
    const pair *x = a, *y = b;
    return x->source != y->source ? y->source - x->source : x->place - y->place;
}

// Median 12, the longest some 40, as of captions; targets are a little longer or shorter.
static int made_pairs(pair *out) {
    enum { COUNT = 1024 };
    for (int i = 0; i < COUNT; i++) {
        double u = (i * 397 % COUNT + 0.5) / COUNT;
        out[i].source = (int32_t)lround(12 * pow(u / (1 - u), 0.2));
        out[i].target = out[i].source + i % 7 - 1;
        if (out[i].target < 1) out[i].target = 1;
    }
    return COUNT;
}

static int read_pairs(const char *file, pair *out) {
    FILE *in = fopen(file, "re");
    int count = 0;
    if (!in) {
        perror(file);
        exit(3);
    }
    while (count < MOST_PAIRS && fscanf(in, "%d %d", &out[count].source, &out[count].target) == 2 &&
           out[count].source > 0 && out[count].target > 0 && out[count].source < 10000 &&
           out[count].target < 10000)
        count++;
    if (!feof(in) || count < ITEMS) {
        fprintf(stderr, "seqbench: %s, line %d: expected %d pairs of lengths from 1 to 9999\n",
                file, count + 1, ITEMS);
        exit(3);
    }
    fclose(in);
    return count;
}

// The pairs of the batches to measure, ITEMS each, longest source first. Returns how many batches.
static int choose(const bench *bench, pair out[TAKEN][ITEMS]) {
    pair *all = bench_allocate(MOST_PAIRS * sizeof *all);
    int count = bench->lengths ? read_pairs(bench->lengths, all) : made_pairs(all);
    for (int i = 0; i < count; i++) {
        all[i].length_class = bench_length_class(all[i].source);
        all[i].place = i;
    }
    qsort(all, (size_t)count, sizeof *all, by_class);
    int batches = count / ITEMS, taken = batches < TAKEN ? batches : TAKEN;
    for (int i = 0; i < taken; i++) {
        pair *items = all + (size_t)((2 * i + 1) * batches / (2 * taken)) * ITEMS;
        qsort(items, ITEMS, sizeof *items, by_source);
        memcpy(out[i], items, ITEMS * sizeof *items);
    }
    free(all);
    return taken;
}

void bench_print_pairs(const bench *bench) {
    static pair batches[TAKEN][ITEMS];
    int count = choose(bench, batches);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < ITEMS; j++)
            printf("%d %d%c", batches[i][j].source, batches[i][j].target,
                   j + 1 < ITEMS ? ' ' : '\n');
}

static seq_limits limits_of(const pair *pairs) {
    seq_limits out = {.axes = {{ITEMS, 1, ITEMS}, {ITEMS, 0, 0}, {ITEMS, 0, 0}}};
    for (int i = 0; i < ITEMS; i++) {
        const int32_t lengths[] = {pairs[i].source, pairs[i].target};
        for (int k = 0; k < 2; k++) {
            seq_axis_limit *axis = &out.axes[SOURCE + k];
            axis->rows += (size_t)lengths[k];
            if (lengths[k] > axis->steps) axis->steps = lengths[k];
        }
        out.pairs[TARGET][SOURCE] += (size_t)lengths[0] * (size_t)lengths[1];
    }
    return out;
}

// An axis whose sequence of the pair i has `lengths[i]` steps.
static void fill_axis(pair_batch *out, int axis, const int32_t *lengths) {
    int32_t sorted[ITEMS];
    int count = 0, longest = 0;
    seq_axis_room *room = &out->rooms[axis];
    for (int i = 0; i < ITEMS; i++)
        if (lengths[i] > longest) longest = lengths[i];
    for (int length = longest; length >= 0; length--)
        for (int i = 0; i < ITEMS; i++) {
            if (lengths[i] != length) continue;
            room->of[count] = i;
            room->at[i] = count;
            room->number[count] = i;
            sorted[count++] = length;
        }
    seq_axis_shape(&out->batch.axes[axis], room, ITEMS, sorted);
}

static void take(pair_batch *out, const seq_limits *limits) {
    for (int axis = 0; axis < AXES; axis++)
        seq_axis_take(&out->rooms[axis], &limits->axes[axis], ITEMS, &out->arena);
    for (int column = 0; column < COLUMNS; column++)
        out->ids[column] = seq_arena_take(&out->arena, limits->axes[column ? TARGET : SOURCE].rows,
                                          sizeof(int32_t));
}

static void fill(pair_batch *out, const pair *pairs) {
    seq_error error = {0};
    const seq_limits limits = limits_of(pairs);
    int32_t lengths[AXES][ITEMS];
    *out = (pair_batch){.batch = {.axis_count = AXES, .column_count = COLUMNS}};
    take(out, &limits);
    if (seq_arena_commit(&out->arena, "a batch", &error)) bench_die(&error);
    take(out, &limits);
    for (int i = 0; i < ITEMS; i++) {
        lengths[EXAMPLES][i] = 1;
        lengths[SOURCE][i] = pairs[i].source;
        lengths[TARGET][i] = pairs[i].target;
    }
    for (int axis = 0; axis < AXES; axis++)
        fill_axis(out, axis, lengths[axis]);
    out->batch.axes[EXAMPLES].parent = -1;
    for (int column = 0; column < COLUMNS; column++) {
        int axis = column ? TARGET : SOURCE;
        for (size_t row = 0; row < out->batch.axes[axis].rows; row++) {
            uint32_t words[4];
            seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, (uint32_t)row, (uint32_t)column,
                             0, words);
            out->ids[column][row] = (int32_t)(words[0] % WORDS);
        }
        out->batch.columns[column] = (seq_column){.axis = axis, .ids = out->ids[column]};
    }
    out->batch.divisor = (double)out->batch.axes[TARGET].rows;
}

// ---- the models

typedef struct pair_model {
    const char *name;
    const char *options[4];
} pair_model;

static const pair_model models[] = {
    {"feeding-512", {"--attention=general", "--input-feeding"}},
    {"bahdanau-512", {"--attention=additive", "--attention-order=bahdanau"}},
    {"luong-512", {"--attention=general"}},
};
enum { MODELS = sizeof models / sizeof *models };

static void build(seq_graph *graph, const seq_parsed *settings) {
    const seq_model_config config = {
        .vocabulary = WORDS, .embedding = 256, .cell = "lstm", .layers = 1, .hidden = {256}};
    seq_decoder_ends ends = {.target = "target"};
    ends.source = seq_graph_rows(graph, &config, settings, "source");
    ends.encoded =
        seq_graph_stack(graph, &config, settings, "encoder", "encoder.dense", ends.source);
    int rows = seq_graph_decoder(graph, &config, settings, &ends);
    seq_graph_classifier(graph, &config, settings, rows, "target", NULL);
}

static seq_model *create_model(const pair_model *model, const seq_compute *compute) {
    static const seq_graph_field fields[] = {{"source", SOURCE, WORDS, 0, 0},
                                             {"target", TARGET, WORDS, 0, 0},
                                             {"target.before", TARGET, WORDS, 0, 0}};
    static const seq_option none[] = {{.type = SEQ_OPTION_END}};
    static const seq_option_group *const groups[] = {&seq_stack_options, &seq_decoder_options,
                                                     &seq_classifier_options, NULL};
    static const seq_program program = {
        .name = "seqbench", .synopsis = "", .options = none, .groups = groups};
    char *arguments[10] = {"seqbench", "--bidirectional", "--decoder-hidden=512", "--tied-source"};
    int count = 4;
    seq_settings settings;
    seq_error error = {0};
    seq_graph *graph = NULL;
    seq_model *out = NULL;
    for (int i = 0; model->options[i]; i++)
        arguments[count++] = (char *)model->options[i];
    if (seq_settings_parse(&program, count, arguments, &settings, &error)) bench_die(&error);
    if (seq_graph_create(fields, COLUMNS, &(seq_initial_choice){0}, &graph, &error))
        bench_die(&error);
    build(graph, &settings.parsed);
    if (seq_graph_finish(graph, compute, &out, &error)) bench_die(&error);
    seq_settings_clear(&settings);
    return out;
}

// ---- steps

typedef struct pairs {
    int count;
    pair lengths[TAKEN][ITEMS];
    pair_batch batches[TAKEN];
    seq_limits limits; // of all
    double rows[AXES]; // of all
    bench_trainer trainer;
    seq_compute compute;
} pairs;

static void create(pairs *out, const bench *bench, const pair_model *model) {
    seq_error error = {0};
    *out = (pairs){0};
    out->count = choose(bench, out->lengths);
    for (int i = 0; i < out->count; i++) {
        const seq_limits limits = limits_of(out->lengths[i]);
        seq_limits_include(&out->limits, &limits);
        fill(&out->batches[i], out->lengths[i]);
        for (int axis = 0; axis < AXES; axis++)
            out->rows[axis] += (double)limits.axes[axis].rows;
    }
    if (seq_compute_find("auto", SEQ_FP32, NULL, &out->compute, &error)) bench_die(&error);
    bench_trainer_create(&out->trainer, create_model(model, &out->compute), &out->limits, "adam");
}

static void destroy(pairs *pairs) {
    bench_trainer_destroy(&pairs->trainer);
    for (int i = 0; i < pairs->count; i++)
        seq_arena_clear(&pairs->batches[i].arena);
}

// Operations of the matrix products in a pass over all batches, 6 a weight and row. What attention
// multiplies beside its matrices is not counted.
static double flops_of(const pairs *pairs) {
    double flops = 0;
    for (int i = 0; i < pairs->trainer.table->count; i++) {
        const seq_parameter *parameter = &pairs->trainer.table->items[i];
        bool of_source = strncmp(parameter->name, "encoder.", 8) == 0 ||
                         strncmp(parameter->name, "decoder.key.", 12) == 0,
             of_examples = strncmp(parameter->name, "bridge.", 7) == 0;
        flops += 6 * parameter->share * (double)seq_parameter_size(parameter) *
                 pairs->rows[of_source     ? SOURCE
                             : of_examples ? EXAMPLES
                                           : TARGET];
    }
    return flops;
}

static void train_all(void *context) {
    pairs *pairs = context;
    for (int i = 0; i < pairs->count; i++) {
        const seq_batch *batch = &pairs->batches[i].batch;
        bench_trainer_step(&pairs->trainer, batch, 1 / batch->divisor, NULL);
    }
}

static bool wants(const bench *bench, const pair_model *model) {
    return !bench->model || strcmp(bench->model, model->name) == 0;
}

bool bench_pairs_wanted(const bench *bench) {
    bool found = false;
    for (int i = 0; i < MODELS; i++)
        found |= wants(bench, &models[i]);
    return found;
}

void bench_pairs(bench *bench) {
    for (int i = 0; i < MODELS; i++) {
        if (!wants(bench, &models[i])) continue;
        pairs *work = bench_allocate(sizeof *work);
        create(work, bench, &models[i]);
        double tokens = work->rows[TARGET];
        bench_result steps =
            bench_measure(bench, train_all, work, tokens, flops_of(work) / tokens, BENCH_FP32);
        bench_report(bench, &(bench_row){"pairs", models[i].name, "tokens/s", steps.rate,
                                         steps.share, "fp32 peak", steps.runs});
        destroy(work);
        free(work);
    }
}
