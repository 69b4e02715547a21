// Predictions of items: the right answers at the right places, the same bits in any batch and with
// any number of threads, small calls after large ones, answers that are no number. The model reads
// words, letters and sound. Checks src/infer/predict.c and src/data/item_batch.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <item_sets.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/infer/predict.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/crf.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/losses.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT, LETTER, SOUND, TAG, LABEL, SCORE, FIELDS };
enum { CLASSES = 4, ITEMS = 150, BEST = 3 };

static void make_schema(seq_schema *out, int target) {
    static double mean = 20, deviation = 3;
    seq_schema_begin(out, "test");
    seq_schema_add_axis(out, "text", 0);
    seq_schema_add_axis(out, "letters", ITEM_AXIS_TEXT);
    seq_schema_add_axis(out, "frames", 0);
    for (int i = 0; i < 4; i++)
        seq_schema_add_vocabulary(out, "v");
    seq_schema_add_field(out, "text", SEQ_FIELD_IDS, ITEM_AXIS_TEXT, 0, 1);
    seq_schema_add_field(out, "letter", SEQ_FIELD_IDS, ITEM_AXIS_LETTERS, 1, 1);
    seq_schema_add_field(out, "sound", SEQ_FIELD_VALUES, ITEM_AXIS_FRAMES, -1, ITEM_WIDTH);
    seq_schema_add_field(out, "tag", SEQ_FIELD_LABEL, ITEM_AXIS_TEXT, 2, 1);
    seq_schema_add_field(out, "label", SEQ_FIELD_LABEL, 0, 3, 1);
    seq_schema_add_field(out, "score", SEQ_FIELD_NUMBER, 0, -1, 1);
    out->fields[SCORE].mean = &mean; // it is not cleared
    out->fields[SCORE].deviation = &deviation;
    out->target = target;
    out->length_axis = ITEM_AXIS_TEXT;
}

// ---- items

typedef struct drawn {
    seq_items items;
    int32_t *lengths[SEQ_AXES], *ids[FIELDS];
    float *values[FIELDS];
} drawn;

static void append(void *array, const void *from, size_t *used, size_t bytes) {
    if (bytes) memcpy((char *)array + *used, from, bytes);
    *used += bytes;
}

// Items first .. first + count - 1. Columns that are targets stay away, as in raw input.
static drawn draw(int64_t first, int64_t count, int target) {
    drawn out = {0};
    size_t used[10] = {0}, rows = (size_t)count * ITEM_ROWS;
    for (int axis = 1; axis < 4; axis++)
        out.lengths[axis] = malloc(rows * sizeof(int32_t));
    for (int f = 0; f < FIELDS; f++) {
        out.ids[f] = calloc(rows * 8, sizeof(int32_t));
        out.values[f] = calloc(rows * ITEM_WIDTH, sizeof(float));
    }
    for (int64_t i = 0; i < count; i++) {
        drawn_item item;
        draw_item(&item, 1, first + i);
        size_t words = (size_t)item.text_length;
        append(out.lengths[1], &item.text_length, &used[0], sizeof(int32_t));
        append(out.lengths[2], item.word_lengths, &used[1], words * sizeof(int32_t));
        append(out.lengths[3], &item.frame_length, &used[2], sizeof(int32_t));
        append(out.ids[TEXT], item.words, &used[3], words * sizeof(int32_t));
        append(out.ids[LETTER], item.letters, &used[4], item.items.rows[2] * sizeof(int32_t));
        append(out.ids[TAG], item.tags, &used[5], words * sizeof(int32_t));
        append(out.values[SOUND], item.sound, &used[6],
               (size_t)item.frame_length * ITEM_WIDTH * sizeof(float));
        append(out.values[SCORE], &item.score, &used[7], sizeof(float));
    }
    out.items.count = count;
    for (int axis = 1; axis < 4; axis++)
        out.items.lengths[axis] = out.lengths[axis];
    for (int f = 0; f < FIELDS; f++) {
        out.items.ids[f] = f == target ? NULL : out.ids[f];
        out.items.values[f] = f == target ? NULL : out.values[f];
    }
    return out;
}

static void drop(drawn *drawn) {
    for (int axis = 0; axis < SEQ_AXES; axis++)
        free(drawn->lengths[axis]);
    for (int f = 0; f < FIELDS; f++) {
        free(drawn->ids[f]);
        free(drawn->values[f]);
    }
}

// ---- models

static const seq_graph_field columns[] = {
    [TEXT] = {"text", ITEM_AXIS_TEXT, ITEM_WORDS, 1, 0},
    [LETTER] = {"letter", ITEM_AXIS_LETTERS, ITEM_LETTERS, 1, 1},
    [SOUND] = {"sound", ITEM_AXIS_FRAMES, 0, ITEM_WIDTH, -1},
    [TAG] = {"tag", ITEM_AXIS_TEXT, ITEM_TAGS, 1, 2},
    [LABEL] = {"label", 0, CLASSES, 1, 3},
    [SCORE] = {"score", 0, 0, 1, -1}};

typedef struct fixture {
    seq_schema schema;
    seq_model *model;
    const seq_parameter_table *table;
    float *parameters;
    void *packed;
    seq_weights weights;
    seq_predictor_config config;
} fixture;

static int layer(seq_graph *graph, const seq_layer_kind *kind, const void *options,
                 const char *prefix, int a, int b) {
    return seq_graph_layer(graph, kind, options, prefix, "", (int[]){a, b}, b < 0 ? 1 : 2);
}

static int embed(seq_graph *graph, const char *column, int units) {
    return layer(graph, &seq_layer_embedding, &(seq_embedding_options){.units = units}, column,
                 seq_graph_column(graph, column), -1);
}

// Words, their letters, and the mean sound, through both directions.
static int read_everything(seq_graph *graph) {
    int letters = layer(graph, &seq_layer_recurrent,
                        &(seq_recurrent_options){.cell = seq_cell_find("gru"), .hidden = 4},
                        "letters", embed(graph, "letter", 3), -1);
    int words = layer(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MAX, ITEM_AXIS_TEXT}, "",
                      letters, -1);
    int sound = layer(graph, &seq_layer_features, &(seq_features_options){0}, "",
                      seq_graph_column(graph, "sound"), -1);
    sound = layer(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, 0}, "", sound, -1);
    sound = layer(graph, &seq_layer_spread, &(seq_spread_options){.axis = ITEM_AXIS_TEXT}, "",
                  sound, -1);
    int both = layer(graph, &seq_layer_concat, NULL, "", embed(graph, "text", 5), words);
    const seq_encoder_options options = {.prefix = "encoder",
                                         .dense_prefix = "dense",
                                         .cell = seq_cell_find("lstm"),
                                         .layers = 2,
                                         .hidden = (int[]){6, 5},
                                         .bidirectional = true};
    return seq_graph_encoder(graph, &options,
                             layer(graph, &seq_layer_concat, NULL, "", both, sound));
}

// `whole`: all layers; otherwise words alone, whose answers the test works out.
static void open_fixture(fixture *f, int target, const seq_head_kind *head, bool whole) {
    seq_error error = {0};
    seq_graph *graph = NULL;
    seq_compute compute;
    static const float mean = 0, deviation = 1;
    *f = (fixture){0};
    make_schema(&f->schema, target);
    const seq_field *field = &f->schema.fields[target];
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_graph_create(columns, FIELDS, &(seq_initial_choice){.uniform = 0.7}, &graph, &error);
    int top = whole ? read_everything(graph) : embed(graph, "text", 5);
    if (field->axis == 0)
        top = layer(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, 0}, "", top, -1);
    const seq_words_options words = {0};
    const seq_head_crf_options crf = {.best = BEST};
    const seq_head_regression_options regression = {SEQ_SQUARED_LOSS, 0, &mean, &deviation};
    const void *options = head == &seq_head_crf          ? (const void *)&crf
                          : head == &seq_head_regression ? (const void *)&regression
                                                         : &words;
    seq_graph_head(graph, head, options, "head", top, seq_graph_column(graph, field->name), false);
    seq_graph_finish(graph, &compute, &f->model, &error);
    if (error.status) fail_msg("%s", error.text);
    f->table = seq_model_parameters(f->model);
    seq_allocate(&f->parameters, f->table->size, sizeof(float), "test", &error);
    seq_allocate(&f->packed, seq_model_packed_bytes(f->model, SEQ_USE_EVALUATION), 1, "test",
                 &error);
    seq_model_initialise(f->model, 5, f->parameters);
    seq_model_pack(f->model, SEQ_USE_EVALUATION, f->parameters, 0, 1, f->packed);
    f->weights = (seq_weights){f->parameters, f->packed, SEQ_USE_EVALUATION};
    int classes = head == &seq_head_regression ? 0 : columns[target].ids;
    f->config = (seq_predictor_config){.model = f->model,
                                       .weights = &f->weights,
                                       .schema = &f->schema,
                                       .classes = classes,
                                       .best = classes ? BEST : 1,
                                       .marginals = classes && field->axis,
                                       .batch = 32};
}

static void close_fixture(fixture *f) {
    seq_model_destroy(f->model);
    free(f->parameters);
    free(f->packed);
}

static const float *parameter(const fixture *f, const char *name) {
    for (int i = 0; i < f->table->count; i++)
        if (strcmp(f->table->items[i].name, name) == 0)
            return f->parameters + f->table->items[i].offset;
    fail_msg("no parameter %s", name);
    return NULL;
}

// ---- all answers as one string of bytes, item by item

typedef struct recorded {
    char *bytes;
    size_t size, ends[ITEMS];
} recorded;

static void record(const seq_predictor_config *config, const seq_predicted *from, size_t items,
                   size_t base, FILE *stream, recorded *out) {
    for (size_t i = 0; i < items; i++) {
        size_t first = from->first_row[i], count = from->first_row[i + 1] - first;
        fwrite(&count, sizeof count, 1, stream);
        fwrite(&from->found[i], sizeof(int), 1, stream);
        for (int k = 0; k < from->found[i]; k++) {
            if (config->classes)
                fwrite(&from->probability[i * (size_t)config->best + (size_t)k], 8, 1, stream);
            if (from->ids)
                fwrite(from->ids + (size_t)k * from->rows + first, sizeof(int32_t), count, stream);
        }
        if (from->values) fwrite(from->values + first, sizeof(float), count, stream);
        if (from->marginals) fwrite(from->marginals + first, sizeof(float), count, stream);
        fflush(stream);
        out->ends[base + i] = out->size;
    }
}

// Predicts all items in calls of `call` items.
static recorded predict_all(const fixture *f, int batch, int threads, int64_t call) {
    recorded out = {0};
    seq_error error = {0};
    seq_team *team = NULL;
    seq_predictor *predictor = NULL;
    seq_predicted predicted;
    seq_predictor_config config = f->config;
    FILE *stream = open_memstream(&out.bytes, &out.size);
    config.batch = batch;
    seq_team_create(threads, &team, &error);
    config.team = team;
    assert_int_equal(seq_predictor_create(&config, &predictor, &error), SEQ_OK);
    for (int64_t first = 0; first < ITEMS; first += call) {
        int64_t count = ITEMS - first < call ? ITEMS - first : call;
        drawn drawn = draw(first, count, f->schema.target);
        assert_int_equal(seq_predict(predictor, &drawn.items, &predicted, &error), SEQ_OK);
        record(&config, &predicted, (size_t)count, (size_t)first, stream, &out);
        drop(&drawn);
    }
    seq_predictor_destroy(predictor);
    seq_team_destroy(team);
    fclose(stream);
    return out;
}

// ---- tests

static const struct {
    int target;
    const seq_head_kind *head;
} cases[] = {{LABEL, &seq_head_full},
             {TAG, &seq_head_full},
             {TAG, &seq_head_crf},
             {SCORE, &seq_head_regression}};

static void items_do_not_meet(void **state) {
    (void)state;
    static const struct {
        int batch, threads;
        int64_t call;
    } ways[] = {{1, 1, ITEMS}, {7, 1, ITEMS}, {7, 3, ITEMS}, {32, 2, 40}, {1, 1, 1}, {50, 1, 11}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        fixture f;
        open_fixture(&f, cases[c].target, cases[c].head, true);
        recorded expected = predict_all(&f, 32, 1, ITEMS);
        assert_true(expected.size > ITEMS * 12);
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            recorded found = predict_all(&f, ways[w].batch, ways[w].threads, ways[w].call);
            assert_int_equal(found.size, expected.size);
            for (size_t i = 0; i < ITEMS; i++)
                assert_int_equal(found.ends[i], expected.ends[i]);
            if (memcmp(found.bytes, expected.bytes, expected.size) != 0)
                fail_msg("case %zu, way %zu: other bits", c, w);
            free(found.bytes);
        }
        free(expected.bytes);
        close_fixture(&f);
    }
}

// ln p of the classes of a mean of embeddings.
static void work_out(const fixture *f, const double *mean, int classes, double *out) {
    const float *weight = parameter(f, "head.weight"), *bias = parameter(f, "head.bias");
    double sum = 0;
    for (int c = 0; c < classes; c++) {
        out[c] = (double)bias[c];
        for (int i = 0; i < 5; i++)
            out[c] += (double)weight[c * 5 + i] * mean[i];
        sum += exp(out[c]);
    }
    for (int c = 0; c < classes; c++)
        out[c] -= classes > 1 ? log(sum) : 0;
}

static void classes_are_sorted(void **state) {
    (void)state;
    fixture f;
    seq_error error = {0};
    seq_predictor *predictor = NULL;
    seq_predicted predicted;
    open_fixture(&f, LABEL, &seq_head_full, false);
    drawn drawn = draw(0, ITEMS, LABEL);
    seq_predictor_create(&f.config, &predictor, &error);
    assert_int_equal(seq_predict(predictor, &drawn.items, &predicted, &error), SEQ_OK);
    assert_null(predicted.values);
    const float *table = parameter(&f, "text.weight");
    size_t word = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        double mean[5] = {0}, expected[CLASSES], before = 1;
        int32_t length = drawn.lengths[1][i];
        for (int32_t t = 0; t < length; t++, word++)
            for (int k = 0; k < 5; k++)
                mean[k] += (double)table[drawn.ids[TEXT][word] * 5 + k] / length;
        work_out(&f, mean, CLASSES, expected);
        assert_int_equal(predicted.found[i], BEST);
        assert_int_equal(predicted.first_row[i], i);
        for (int k = 0; k < BEST; k++) {
            double p = predicted.probability[i * BEST + (size_t)k];
            int32_t id = predicted.ids[(size_t)k * predicted.rows + i];
            assert_true(fabs(p - exp(expected[id])) < 1e-5 && p <= before);
            before = p;
        }
    }
    seq_predictor_destroy(predictor);
    drop(&drawn);
    close_fixture(&f);
}

static void tags_are_those_of_their_words(void **state) {
    (void)state;
    fixture f;
    seq_error error = {0};
    seq_predictor *predictor = NULL;
    seq_predicted predicted;
    open_fixture(&f, TAG, &seq_head_full, false);
    drawn drawn = draw(0, ITEMS, TAG);
    seq_predictor_create(&f.config, &predictor, &error);
    assert_int_equal(seq_predict(predictor, &drawn.items, &predicted, &error), SEQ_OK);
    const float *table = parameter(&f, "text.weight");
    size_t word = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        double sum = 0;
        assert_int_equal(predicted.first_row[i], word);
        for (int32_t t = 0; t < drawn.lengths[1][i]; t++, word++) {
            double mean[5], expected[ITEM_TAGS];
            int best = 0;
            for (int k = 0; k < 5; k++)
                mean[k] = (double)table[drawn.ids[TEXT][word] * 5 + k];
            work_out(&f, mean, ITEM_TAGS, expected);
            for (int k = 0; k < ITEM_TAGS; k++)
                if (expected[k] > expected[best]) best = k;
            assert_int_equal(predicted.ids[word], best);
            assert_true(fabs((double)predicted.marginals[word] - exp(expected[best])) < 1e-5);
            sum += expected[best];
        }
        assert_true(fabs(predicted.probability[i * BEST] - exp(sum)) < 1e-4 * exp(sum) + 1e-12);
        // Alternatives do not depend on the lengths beside it.
        assert_int_equal(predicted.found[i], drawn.lengths[1][i] == 1 ? BEST : 1);
    }
    seq_predictor_destroy(predictor);
    drop(&drawn);
    close_fixture(&f);
}

static void numbers_are_in_their_units(void **state) {
    (void)state;
    fixture f;
    seq_error error = {0};
    seq_predictor *predictor = NULL;
    seq_predicted predicted;
    open_fixture(&f, SCORE, &seq_head_regression, false);
    drawn drawn = draw(0, ITEMS, SCORE);
    seq_predictor_create(&f.config, &predictor, &error);
    assert_int_equal(seq_predict(predictor, &drawn.items, &predicted, &error), SEQ_OK);
    assert_null(predicted.ids);
    const float *table = parameter(&f, "text.weight");
    size_t word = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        double mean[5] = {0}, expected;
        int32_t length = drawn.lengths[1][i];
        for (int32_t t = 0; t < length; t++, word++)
            for (int k = 0; k < 5; k++)
                mean[k] += (double)table[drawn.ids[TEXT][word] * 5 + k] / length;
        work_out(&f, mean, 1, &expected);
        assert_true(fabs((double)predicted.values[i] - (20 + 3 * expected)) < 1e-4);
        assert_int_equal(predicted.found[i], 1);
        assert_true(isnan(predicted.probability[i]));
    }
    seq_predictor_destroy(predictor);
    drop(&drawn);
    close_fixture(&f);
}

// A word whose embedding is infinite spoils its own items only; no items are no error.
static void what_is_no_number_is_told(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        fixture f;
        seq_error error = {0};
        seq_predictor *predictor = NULL;
        seq_predicted predicted;
        open_fixture(&f, cases[c].target, cases[c].head, false);
        drawn drawn = draw(0, ITEMS, cases[c].target);
        int32_t bad = drawn.ids[TEXT][30];
        for (int k = 0; k < 5; k++)
            f.parameters[(parameter(&f, "text.weight") - f.parameters) + bad * 5 + k] = NAN;
        seq_predictor_create(&f.config, &predictor, &error);
        assert_int_equal(seq_predict(predictor, &drawn.items, &predicted, &error), SEQ_OK);
        size_t word = 0, spoilt = 0;
        for (size_t i = 0; i < ITEMS; i++) {
            bool has = false;
            for (int32_t t = 0; t < drawn.lengths[1][i]; t++)
                has |= drawn.ids[TEXT][word++] == bad;
            assert_int_equal(predicted.found[i] == 0, has);
            spoilt += has;
        }
        assert_true(spoilt >= 1);
        seq_items none = {.count = 0,
                          .lengths = {NULL, drawn.lengths[1], drawn.lengths[2], drawn.lengths[3]}};
        assert_int_equal(seq_predict(predictor, &none, &predicted, &error), SEQ_OK);
        assert_int_equal(predicted.rows, 0);
        seq_predictor_destroy(predictor);
        drop(&drawn);
        close_fixture(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_do_not_meet),
        cmocka_unit_test(classes_are_sorted),
        cmocka_unit_test(tags_are_those_of_their_words),
        cmocka_unit_test(numbers_are_in_their_units),
        cmocka_unit_test(what_is_no_number_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
