// The evaluation loop on small data sets of classes, tags and numbers: losses,
// predictions and probabilities of an item are those that it has alone, bit for
// bit, in any batch and for any number of replicas; counters are what counting
// by hand gives; numbers come back in the units of the data set. Streams begin
// without a state. Checks src/infer/evaluate.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/data/vocabulary_builder.h>
#include <seqtrain/infer/evaluate.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/losses.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/prep/dataset_writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "temporary.h"

enum { ITEMS = 70, LONGEST = 12, WORDS = 30, LABELS = 5 };
typedef enum kind { CLASSIFY, TAG, RATE, KINDS } kind;
static const char *const labels[LABELS] = {"O", "B-a", "I-a", "B-b", "I-b"};
static const seq_metric *const none[] = {NULL},
                               *const of_labels[] = {&seq_metric_accuracy, &seq_metric_macro_f1,
                                                     NULL},
                               *const of_numbers[] = {&seq_metric_mean_absolute_error, NULL},
                               *const of_tags[] = {&seq_metric_entity_f1, &seq_metric_accuracy,
                                                   NULL};

static temporary place;

typedef struct set {
    kind kind;
    seq_dataset *dataset;
    seq_model *model;
    float *parameters;
    void *packed;
    seq_weights weights;
} set;

// What was found of an item.
typedef struct result {
    bool seen;
    double loss;
    size_t count;
    int32_t gold[LONGEST], predicted[LONGEST];
    double gold_value, predicted_value;
    float probabilities[LABELS];
} result;

static int32_t draw(int64_t number, uint32_t at, uint32_t below) {
    uint32_t words[4];
    seq_random_words((seq_random_key){11, SEQ_RANDOM_TEST}, (uint32_t)number, at, 0, words);
    return (int32_t)(words[0] % below);
}

static seq_vocabulary *make_words(bool of_text) {
    seq_vocabulary *out = NULL;
    seq_error error = {0};
    seq_vocabulary_create(&(seq_text_rules){.unit = SEQ_UNIT_WORD}, &out, &error);
    for (int i = 0; i < (of_text ? WORDS : LABELS); i++) {
        char text[16];
        snprintf(text, sizeof text, "w%d", i);
        const char *label = of_text ? i ? text : "<unk>" : labels[i];
        seq_vocabulary_append(out, label, strlen(label), 2, &error);
    }
    assert_int_equal(error.status, SEQ_OK);
    return out;
}

static void add_item(seq_dataset_writer *writer, kind kind, seq_split split, int64_t number) {
    int32_t text[LONGEST], targets[LONGEST],
        length = number % 9 == 4 ? 0 : draw(number, 0, LONGEST);
    float value = (float)draw(number, 1, 50) / 10;
    seq_error error = {0};
    for (int32_t t = 0; t < LONGEST; t++) {
        text[t] = draw(number, 2 + (uint32_t)t, WORDS);
        targets[t] = (text[t] + draw(number, 50 + (uint32_t)t, 2)) % LABELS;
        if (kind == TAG && draw(number, 80 + (uint32_t)t, 9) == 0) targets[t] = SEQ_NO_ID;
    }
    seq_items items = {.count = 1, .lengths = {NULL, &length}, .ids = {text}};
    if (kind == RATE)
        items.values[1] = &value;
    else
        items.ids[1] = targets;
    assert_int_equal(seq_dataset_writer_add(writer, split, &items, &error), SEQ_OK);
}

static void write_set(kind kind, const char *path) {
    static const char *const tasks[KINDS] = {"classify", "tag", "rate"};
    seq_vocabulary *words = make_words(true), *targets = make_words(false);
    const seq_vocabulary *vocabularies[] = {words, targets};
    seq_dataset_writer *writer = NULL;
    seq_schema schema;
    seq_error error = {0};
    const seq_dataset_target target = {.output = path};
    seq_schema_begin(&schema, tasks[kind]);
    schema.length_axis = seq_schema_add_axis(&schema, "text", 0);
    seq_schema_add_vocabulary(&schema, "text");
    if (kind != RATE) seq_schema_add_vocabulary(&schema, "label");
    seq_schema_add_field(&schema, "text", SEQ_FIELD_IDS, 1, 0, 1);
    schema.target =
        seq_schema_add_field(&schema, "label", kind == RATE ? SEQ_FIELD_NUMBER : SEQ_FIELD_LABEL,
                             kind == TAG, kind == RATE ? -1 : 1, 1);
    schema.fields[schema.target].normalise = kind == RATE;
    if (kind == TAG) seq_record_set_text(&schema.reader, "stored_tag_scheme", "iob2", &error);
    seq_dataset_writer_create(&target, &writer, &error);
    seq_dataset_writer_begin(writer, &schema, vocabularies, 0, (seq_pipeline){SEQ_COMPRESS_ZSTD, 1},
                             &error);
    assert_int_equal(error.status, SEQ_OK);
    for (int64_t i = 0; i < 20; i++)
        add_item(writer, kind, SEQ_TRAIN, 1000 + i);
    for (int64_t i = 0; i < ITEMS; i++)
        add_item(writer, kind, SEQ_VALID, i);
    if (seq_dataset_writer_finish(writer, NULL, &error)) fail_msg("%s", error.text);
    seq_dataset_writer_destroy(writer);
    seq_schema_clear(&schema);
    seq_vocabulary_destroy(words);
    seq_vocabulary_destroy(targets);
}

static void make_model(set *set) {
    const seq_graph_field fields[] = {
        {.name = "text", .axis = 1, .ids = WORDS, .vocabulary = 0},
        {.name = "label",
         .axis = set->kind == TAG,
         .ids = set->kind == RATE ? 0 : LABELS,
         .width = 1,
         .vocabulary = set->kind == RATE ? -1 : 1},
    };
    const int hidden[] = {9};
    const seq_encoder_options stack = {.prefix = "rnn",
                                       .dense_prefix = "dense",
                                       .cell = seq_cell_find("gru"),
                                       .layers = 1,
                                       .hidden = hidden,
                                       .bidirectional = true};
    const float moments[2] = {0, 1}; // the batches' own
    seq_graph *graph = NULL;
    seq_compute compute;
    seq_error error = {0};
    seq_graph_create(fields, 2, &(seq_initial_choice){.uniform = 0.6}, &graph, &error);
    int node = seq_graph_column(graph, "text"), label = seq_graph_column(graph, "label");
    node = seq_graph_layer(graph, &seq_layer_embedding, &(seq_embedding_options){.units = 8},
                           "embedding", "", &node, 1);
    node = seq_graph_encoder(graph, &stack, node);
    if (set->kind != TAG)
        node = seq_graph_layer(graph, &seq_layer_pool,
                               &(seq_pool_options){.pooling = SEQ_POOL_MEAN}, "pool", "", &node, 1);
    if (set->kind == RATE) {
        const float *kept = seq_graph_keep(graph, moments, sizeof moments);
        const seq_head_regression_options options = {.mean = kept, .deviation = kept + 1};
        seq_graph_head(graph, &seq_head_regression, &options, "output", node, label, false);
    } else
        seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", node, label,
                       false);
    seq_compute_find("portable", SEQ_FP32, NULL, &compute, &error);
    if (seq_graph_finish(graph, &compute, &set->model, &error)) fail_msg("%s", error.text);
}

static void pack(set *set) {
    seq_error error = {0};
    size_t floats = seq_model_parameters(set->model)->size,
           bytes = seq_model_packed_bytes(set->model, SEQ_USE_EVALUATION);
    seq_allocate(&set->parameters, floats, sizeof(float), "parameters", &error);
    seq_allocate(&set->packed, bytes, 1, "packed parameters", &error);
    assert_int_equal(error.status, SEQ_OK);
    seq_model_initialise(set->model, 3, set->parameters);
    seq_model_pack(set->model, SEQ_USE_EVALUATION, set->parameters, 0, 1, set->packed);
    set->weights = (seq_weights){set->parameters, set->packed, SEQ_USE_EVALUATION};
}

static set sets[KINDS];

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    if (seq_storage_begin(&error)) return 1;
    for (int k = 0; k < KINDS; k++) {
        char path[200], name[2] = {(char)('a' + k), 0};
        snprintf(path, sizeof path, "%s", temporary_path(&place, name));
        write_set((kind)k, path);
        sets[k].kind = (kind)k;
        if (seq_dataset_open(path, &sets[k].dataset, &error)) fail_msg("%s", error.text);
        make_model(&sets[k]);
        pack(&sets[k]);
    }
    return 0;
}

static int end(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        seq_model_destroy(sets[k].model);
        seq_dataset_close(sets[k].dataset);
        free(sets[k].parameters);
        free(sets[k].packed);
    }
    temporary_destroy(&place);
    return 0;
}

static void keep(const set *set, seq_evaluator *evaluator, result *results) {
    for (int row = 0; row < (int)seq_evaluator_batch(evaluator)->axes[0].rows; row++) {
        seq_evaluated item = seq_evaluator_item(evaluator, row);
        result *out = &results[item.number];
        assert_false(out->seen);
        *out = (result){.seen = true, .loss = item.loss, .count = item.judged.count};
        for (size_t t = 0; set->kind != RATE && t < out->count; t++) {
            out->gold[t] = item.judged.gold[t];
            out->predicted[t] = item.judged.predicted[t];
        }
        if (set->kind == RATE) {
            out->gold_value = *item.judged.gold_values;
            out->predicted_value = *item.judged.predicted_values;
        }
        assert_int_equal(item.labels != NULL,
                         set->kind == CLASSIFY || (set->kind == TAG && out->count == 1));
        if (item.labels) memcpy(out->probabilities, item.labels, sizeof out->probabilities);
    }
}

// The split by `replicas` of `batch` items or of `tokens`; the loss is that of all of them.
static seq_loss evaluate(const set *set, int replicas, int batch, int64_t tokens, result *results,
                         int64_t counters[64]) {
    const seq_sampler_settings settings = {.split = SEQ_VALID,
                                           .replicas = replicas,
                                           .count = replicas,
                                           .batch = batch,
                                           .batch_tokens = tokens};
    seq_sampler *sampler = NULL;
    seq_workspace *workspace = NULL;
    seq_evaluator *evaluator = NULL;
    seq_error error = {0};
    seq_loss total = {0};
    size_t count;
    seq_sampler_create(&seq_sampler_buckets, set->dataset, &settings, &sampler, &error);
    seq_workspace_create(set->model, seq_sampler_limits(sampler), 1, SEQ_USE_EVALUATION, &workspace,
                         &error);
    const seq_evaluator_config config = {.model = set->model,
                                         .dataset = set->dataset,
                                         .sampler = sampler,
                                         .metrics = !results            ? none
                                                    : set->kind == RATE ? of_numbers
                                                                        : of_labels,
                                         .marginals = true};
    if (seq_evaluator_create(&config, &evaluator, &error)) fail_msg("%s", error.text);
    if (results) memset(results, 0, ITEMS * sizeof *results);
    for (int replica = 0; replica < replicas; replica++) {
        seq_loss loss = {.sum = 1e9};
        for (int64_t step = 0; step < seq_sampler_steps(sampler); step++) {
            if (seq_evaluator_step(evaluator, workspace, &set->weights, step, replica, &loss,
                                   &error))
                fail_msg("%s", error.text);
            if (results) keep(set, evaluator, results);
        }
        total.sum += loss.sum;
        total.count += loss.count;
        total.correct += loss.correct;
    }
    const int64_t *own = seq_evaluator_counters(evaluator, &count);
    assert_true(count <= 64);
    if (count) memcpy(counters, own, count * sizeof *own);
    if (results && set->kind != RATE) {
        double accuracy = seq_evaluator_value(evaluator, 0, own);
        assert_true(accuracy == (double)total.correct / (double)total.count);
    }
    seq_evaluator_destroy(evaluator);
    seq_workspace_destroy(workspace);
    seq_sampler_destroy(sampler);
    return total;
}

static void alone_and_in_any_batch(void **state) {
    (void)state;
    static const int ways[][3] = {{1, 64, 0}, {1, 7, 0}, {3, 5, 0}, {2, 1, 40}, {90, 1, 0}};
    static result alone[ITEMS], together[ITEMS];
    for (int k = 0; k < KINDS; k++) {
        int64_t first[64] = {0};
        seq_loss loss = evaluate(&sets[k], 1, 1, 0, alone, first);
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
            int64_t other[64] = {0};
            seq_loss own =
                evaluate(&sets[k], ways[way][0], ways[way][1], ways[way][2], together, other);
            assert_memory_equal(alone, together, sizeof alone);
            assert_memory_equal(first, other, sizeof first);
            assert_int_equal(own.count, loss.count);
            assert_true(fabs(own.sum - loss.sum) < 1e-9 * fabs(loss.sum));
        }
        seq_loss only = evaluate(&sets[k], 1, 1, 0, NULL, first);
        assert_true(only.sum == loss.sum && only.count == loss.count);
    }
}

// Against the data set, and a forward pass of the model by itself.
static void results_are_the_models(void **state) {
    (void)state;
    static result results[ITEMS];
    seq_error error = {0};
    for (int k = 0; k < KINDS; k++) {
        const set *set = &sets[k];
        int64_t unused[64];
        seq_items_room room = {0};
        seq_items items;
        evaluate(set, 1, 64, 0, results, unused);
        if (seq_dataset_read_items(set->dataset, SEQ_VALID, 0, ITEMS, &room, &items, &error))
            fail_msg("%s", error.text);
        size_t row = 0;
        for (int i = 0; i < ITEMS; i++) {
            const result *own = &results[i];
            assert_true(own->seen);
            assert_int_equal(own->count, k == TAG ? items.lengths[1][i] : 1);
            for (size_t t = 0; k != RATE && t < own->count; t++)
                assert_int_equal(own->gold[t], items.ids[1][row++]);
            if (k == RATE) {
                const seq_field *label = &seq_dataset_schema(set->dataset)->fields[1];
                double miss = (own->predicted_value - own->gold_value) / *label->deviation;
                assert_true(fabs(own->gold_value - (double)items.values[1][i]) < 1e-6);
                assert_true(fabs(miss * miss - own->loss) < 1e-5);
            }
            if (k != CLASSIFY) continue;
            int32_t best = 0;
            for (int32_t c = 1; c < LABELS; c++)
                if (own->probabilities[c] > own->probabilities[best]) best = c;
            assert_int_equal(own->predicted[0], best);
            double p = (double)own->probabilities[own->gold[0]];
            assert_true(fabs(own->loss + log(p)) < 1e-5);
        }
        seq_items_room_clear(&room);
    }
}

static void counters_are_sums_over_items(void **state) {
    (void)state;
    static result results[ITEMS];
    for (int k = 0; k < KINDS; k++) {
        int64_t counters[64] = {0}, expected[2 + 3 * LABELS] = {0}, sum = 0;
        evaluate(&sets[k], 2, 6, 0, results, counters);
        for (int i = 0; i < ITEMS; i++) {
            const result *own = &results[i];
            sum += llround(fabs(own->predicted_value - own->gold_value) * 0x1p20);
            for (size_t t = 0; k != RATE && t < own->count; t++) {
                int32_t gold = own->gold[t], predicted = own->predicted[t];
                if (gold < 0) continue;
                expected[0] += gold == predicted;
                expected[1]++;
                expected[2 + 3 * gold] += gold == predicted;
                expected[2 + 3 * predicted + 1]++;
                expected[2 + 3 * gold + 2]++;
            }
        }
        if (k == RATE) {
            assert_int_equal(counters[0], sum);
            assert_int_equal(counters[1], ITEMS);
        } else
            assert_memory_equal(counters, expected, sizeof expected);
    }
}

// Entities are measured where tags have a scheme.
static void metrics_that_say_nothing_are_left_out(void **state) {
    (void)state;
    for (int k = CLASSIFY; k <= TAG; k++) {
        const seq_sampler_settings settings = {
            .split = SEQ_VALID, .replicas = 1, .count = 1, .batch = 4};
        seq_sampler *sampler = NULL;
        seq_evaluator *evaluator = NULL;
        seq_error error = {0};
        size_t count;
        seq_sampler_create(&seq_sampler_buckets, sets[k].dataset, &settings, &sampler, &error);
        const seq_evaluator_config config = {.model = sets[k].model,
                                             .dataset = sets[k].dataset,
                                             .sampler = sampler,
                                             .metrics = of_tags};
        if (seq_evaluator_create(&config, &evaluator, &error)) fail_msg("%s", error.text);
        seq_evaluator_counters(evaluator, &count);
        assert_ptr_equal(seq_evaluator_metrics(evaluator)[0], of_tags[k == CLASSIFY]);
        assert_int_equal(count, k == CLASSIFY ? 2 : 2 + 3 * 2); // two types
        seq_evaluator_destroy(evaluator);
        seq_sampler_destroy(sampler);
    }
}

static void a_scheme_that_nobody_knows_is_refused(void **state) {
    (void)state;
    seq_error error = {0};
    seq_scheme scheme;
    seq_schema schema;
    seq_schema_begin(&schema, "tag");
    assert_int_equal(seq_scheme_of_schema(&schema, &scheme, &error), SEQ_OK);
    assert_int_equal(scheme, SEQ_SCHEME_NONE);
    seq_record_set_text(&schema.reader, "stored_tag_scheme", "bilou", &error);
    assert_int_equal(seq_scheme_of_schema(&schema, &scheme, &error), SEQ_OK);
    assert_int_equal(scheme, SEQ_SCHEME_IOBES);
    seq_record_set_text(&schema.reader, "stored_tag_scheme", "iob3", &error);
    assert_int_equal(seq_scheme_of_schema(&schema, &scheme, &error), SEQ_BAD_INPUT);
    seq_schema_clear(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_and_in_any_batch),
        cmocka_unit_test(results_are_the_models),
        cmocka_unit_test(counters_are_sums_over_items),
        cmocka_unit_test(metrics_that_say_nothing_are_left_out),
        cmocka_unit_test(a_scheme_that_nobody_knows_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
