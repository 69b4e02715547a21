// Outputs of small models with random weights: the same bits in any batch and with any number of
// threads; scores are those of a whole pass over the output; with room for all outputs, the best of
// all. A model of pairs with attention, and one that generates from a label and from nothing.
// Checks src/infer/produce.c and src/infer/stepper.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/infer/produce.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 120, LONGEST = 9, WORDS = 11, OUTPUTS = 8, KEYS = 3, END = 1, BEST = 3 };
enum { SOURCE = 0, TARGET = 1, KEY = 0 }; // fields of pairs; of generation: key, target

// ---- models

typedef struct fixture {
    bool pairs;
    seq_schema schema;
    seq_model *model;
    float *parameters;
    void *packed;
    seq_weights weights;
    seq_producer_config config;
} fixture;

static int add(seq_graph *graph, const seq_layer_kind *kind, const void *options,
               const char *prefix, const char *suffix, int a, int b) {
    return seq_graph_layer(graph, kind, options, prefix, suffix, (int[]){a, b}, b < 0 ? 1 : 2);
}

static int embed(seq_graph *graph, const char *column, const char *prefix) {
    return add(graph, &seq_layer_embedding, &(seq_embedding_options){.units = 5}, prefix, "",
               seq_graph_column(graph, column), -1);
}

static int pair_layers(seq_graph *graph) {
    const seq_cell *cell = seq_cell_find("gru");
    const seq_encoder_options options = {.prefix = "encoder",
                                         .dense_prefix = "dense",
                                         .cell = cell,
                                         .layers = 1,
                                         .hidden = (int[]){4},
                                         .bidirectional = true};
    const seq_recurrent_options recurrent = {.cell = cell, .hidden = 8};
    int rows = seq_graph_encoder(graph, &options, embed(graph, "source", "source"));
    int start =
        add(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, 0}, "", "", rows, -1);
    start = add(graph, &seq_layer_dense,
                &(seq_dense_options){.units = 8, .activation = SEQ_ACTIVATION_TANH}, "bridge", "",
                start, -1);
    int top = add(graph, &seq_layer_recurrent, &recurrent, "decoder", "_l0",
                  embed(graph, "target.before", "before"), start);
    top = add(graph, &seq_layer_recurrent, &recurrent, "decoder", "_l1", top, -1);
    int seen = add(graph, &seq_layer_attention, &(seq_attention_options){SEQ_ATTENTION_DOT}, "", "",
                   top, rows);
    return add(graph, &seq_layer_concat, NULL, "", "", top, seen);
}

static int key_layers(seq_graph *graph) {
    const seq_recurrent_options recurrent = {.cell = seq_cell_find("lstm"), .hidden = 8};
    int key = add(graph, &seq_layer_spread, &(seq_spread_options){1}, "", "",
                  embed(graph, "key", "key"), -1);
    int both =
        add(graph, &seq_layer_concat, NULL, "", "", embed(graph, "target.before", "before"), key);
    return add(graph, &seq_layer_recurrent, &recurrent, "decoder", "", both, -1);
}

static void make_schema(seq_schema *out, bool pairs) {
    seq_schema_begin(out, "test");
    int first = seq_schema_add_axis(out, pairs ? "source" : "text", 0);
    int target = pairs ? seq_schema_add_axis(out, "target", 0) : first;
    seq_schema_add_vocabulary(out, "a");
    seq_schema_add_vocabulary(out, "b");
    if (pairs)
        seq_schema_add_field(out, "source", SEQ_FIELD_IDS, first, 0, 1);
    else
        seq_schema_add_field(out, "key", SEQ_FIELD_LABEL, 0, 0, 1);
    seq_schema_add_field(out, "target", SEQ_FIELD_IDS, target, 1, 1);
    out->target = TARGET;
    out->length_axis = first;
}

static void open_fixture(fixture *f, bool pairs) {
    const seq_graph_field columns[] = {
        {pairs ? "source" : "key", pairs ? 1 : 0, pairs ? WORDS : KEYS, 1, 0},
        {"target", pairs ? 2 : 1, OUTPUTS, 1, 1},
        {"target.before", pairs ? 2 : 1, OUTPUTS, 1, 1}};
    seq_error error = {0};
    seq_graph *graph = NULL;
    seq_compute compute;
    *f = (fixture){.pairs = pairs};
    make_schema(&f->schema, pairs);
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_graph_create(columns, 3, &(seq_initial_choice){.uniform = 1.3}, &graph, &error);
    int top = pairs ? pair_layers(graph) : key_layers(graph);
    seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", top,
                   seq_graph_column(graph, "target"), false);
    seq_graph_finish(graph, &compute, &f->model, &error);
    if (error.status) fail_msg("%s", error.text);
    seq_allocate(&f->parameters, seq_model_parameters(f->model)->size, sizeof(float), "test",
                 &error);
    seq_allocate(&f->packed, seq_model_packed_bytes(f->model, SEQ_USE_EVALUATION), 1, "test",
                 &error);
    seq_model_initialise(f->model, 11, f->parameters);
    seq_model_pack(f->model, SEQ_USE_EVALUATION, f->parameters, 0, 1, f->packed);
    f->weights = (seq_weights){f->parameters, f->packed, SEQ_USE_EVALUATION};
    f->config = (seq_producer_config){.model = f->model,
                                      .weights = &f->weights,
                                      .schema = &f->schema,
                                      .batch = 32,
                                      .search = {.symbols = OUTPUTS,
                                                 .end = END,
                                                 .width = 5,
                                                 .best = BEST,
                                                 .margin = INFINITY,
                                                 .rule = SEQ_LENGTH_GNMT,
                                                 .alpha = 0.8,
                                                 .longest = pairs ? 0 : 12,
                                                 .greedy = true}};
}

static void close_fixture(fixture *f) {
    seq_model_destroy(f->model);
    seq_schema_clear(&f->schema);
    free(f->parameters);
    free(f->packed);
}

// ---- items, each a function of its number

typedef struct drawn {
    seq_items items;
    int32_t lengths[ITEMS], ids[ITEMS * LONGEST];
} drawn;

static uint32_t mix(uint32_t a, uint32_t b) {
    uint32_t x = a * 0x9E3779B9u ^ (b + 0x7F4A7C15u);
    x ^= x >> 15;
    x *= 0x85EBCA6Bu;
    return x ^ x >> 13;
}

static void draw(drawn *out, bool pairs, int64_t first, int64_t count) {
    size_t used = 0;
    *out = (drawn){.items = {.count = count}};
    for (int64_t i = 0; i < count; i++) {
        uint32_t x = mix((uint32_t)(first + i), 1);
        out->lengths[i] = pairs ? (int32_t)(x % (LONGEST + 1)) : 1;
        for (int32_t t = 0; t < out->lengths[i]; t++)
            out->ids[used++] = (int32_t)(mix(x, (uint32_t)t) % (pairs ? WORDS : KEYS));
    }
    if (pairs) out->items.lengths[1] = out->lengths;
    out->items.ids[pairs ? SOURCE : KEY] = out->ids;
}

// ---- all that is found as one string of bytes

static void print_found(FILE *stream, const seq_found *found, size_t source) {
    fprintf(stream, "%d %a\n", found->count, found->greedy);
    for (int k = 0; k < found->count; k++) {
        const seq_output *output = &found->outputs[k];
        fprintf(stream, "%a %a %d:", output->score, output->log_probability, output->truncated);
        for (int j = 0; j < output->length; j++)
            fprintf(stream, " %d", output->symbols[j]);
        for (size_t i = 0; output->attention && i < ((size_t)output->length + 1) * source; i++)
            fprintf(stream, " %a", (double)output->attention[i]);
        fputc('\n', stream);
    }
}

static char *produce_all(const fixture *f, int batch, int threads, int64_t call) {
    char *text = NULL;
    size_t size = 0;
    seq_error error = {0};
    seq_team *team = NULL;
    seq_producer *producer = NULL;
    seq_producer_config config = f->config;
    static drawn drawn;
    FILE *stream = open_memstream(&text, &size);
    seq_team_create(threads, &team, &error);
    config.team = team;
    config.batch = batch;
    assert_int_equal(seq_producer_create(&config, &producer, &error), SEQ_OK);
    for (int64_t first = 0; first < ITEMS; first += call) {
        const seq_found *found = NULL;
        const seq_wanted wanted = {.first_number = first};
        draw(&drawn, f->pairs, first, ITEMS - first < call ? ITEMS - first : call);
        assert_int_equal(seq_produce(producer, &drawn.items, &wanted, &found, &error), SEQ_OK);
        for (int64_t i = 0; i < drawn.items.count; i++)
            print_found(stream, &found[i], f->pairs ? (size_t)drawn.lengths[i] : 0);
    }
    seq_producer_destroy(producer);
    seq_team_destroy(team);
    fclose(stream);
    return text;
}

static void items_do_not_meet(void **state) {
    (void)state;
    static const struct {
        int batch, threads;
        int64_t call;
    } ways[] = {{1, 1, ITEMS}, {7, 3, ITEMS}, {64, 1, 50}, {1000, 2, ITEMS}, {7, 1, 1}};
    static const seq_sample_config sample = {
        .temperature = 1.2, .top_k = 6, .top_p = 0.95, .seed = 3};
    for (int c = 0; c < 5; c++) {
        fixture f;
        open_fixture(&f, c < 3);
        f.config.search.attention = c == 0;
        f.config.search.coverage = c == 0 ? 0.2 : 0;
        if (c == 1) f.config.search.width = 1;
        if (c == 2 || c == 4) f.config.search.draw = &sample;
        char *expected = produce_all(&f, 32, 1, ITEMS);
        assert_true(strlen(expected) > ITEMS * 20);
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            char *found = produce_all(&f, ways[w].batch, ways[w].threads, ways[w].call);
            if (strcmp(found, expected) != 0) fail_msg("case %d, way %zu: other bits", c, w);
            free(found);
        }
        free(expected);
        close_fixture(&f);
    }
}

// ---- scores

// Items with all outputs that were found as their targets, item by item.
typedef struct given {
    seq_items items;
    int32_t source_lengths[ITEMS * BEST], target_lengths[ITEMS * BEST];
    int32_t sources[ITEMS * BEST * LONGEST], targets[ITEMS * BEST * 40];
    double log_probabilities[ITEMS * BEST], found[ITEMS * BEST], rows[ITEMS * BEST * 40];
} given;

static void give(given *to, const int32_t *source, int32_t source_length,
                 const seq_output *output) {
    size_t item = (size_t)to->items.count++;
    if (source_length)
        memcpy(to->sources + to->items.rows[1], source, (size_t)source_length * sizeof *source);
    if (output->length)
        memcpy(to->targets + to->items.rows[2], output->symbols,
               (size_t)output->length * sizeof *output->symbols);
    to->items.rows[1] += (size_t)source_length;
    to->items.rows[2] += (size_t)output->length + 1;
    to->targets[to->items.rows[2] - 1] = END;
    to->source_lengths[item] = source_length;
    to->target_lengths[item] = output->length + 1;
    to->found[item] = output->log_probability;
}

static void check_attention(const seq_output *output, int source) {
    for (int j = 0; j <= output->length; j++) {
        double sum = 0;
        for (int i = 0; i < source; i++)
            sum += (double)output->attention[j * source + i];
        assert_true(fabs(sum - 1) < 1e-5);
    }
}

// What the search says of an output is what one pass over it says, and greedy search says.
static void scores_are_those_of_a_pass(void **state) {
    (void)state;
    static drawn drawn;
    static given given;
    fixture f;
    seq_error error = {0};
    seq_producer *producer = NULL, *greedy = NULL;
    const seq_found *found = NULL, *greedily = NULL;
    size_t at = 0, others = 0;
    open_fixture(&f, true);
    f.config.search.attention = true;
    draw(&drawn, true, 0, ITEMS);
    assert_int_equal(seq_producer_create(&f.config, &producer, &error), SEQ_OK);
    f.config.search.width = f.config.search.best = 1;
    assert_int_equal(seq_producer_create(&f.config, &greedy, &error), SEQ_OK);
    assert_int_equal(seq_produce(producer, &drawn.items, NULL, &found, &error), SEQ_OK);
    assert_int_equal(seq_produce(greedy, &drawn.items, NULL, &greedily, &error), SEQ_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        int32_t length = drawn.lengths[i];
        const seq_output *outputs = found[i].outputs;
        assert_int_equal(found[i].count, length ? BEST : 1);
        assert_int_equal(outputs[0].length > 0, length > 0);
        assert_true(found[i].greedy == greedily[i].outputs[0].score);
        assert_true(outputs[0].score >= found[i].greedy);
        others += outputs[0].score > found[i].greedy;
        for (int k = 0; k < found[i].count; k++) {
            assert_true(k == 0 || outputs[k].score <= outputs[k - 1].score);
            if (length) check_attention(&outputs[k], length);
            give(&given, drawn.ids + at, length, &outputs[k]);
        }
        at += (size_t)length;
    }
    assert_true(others > 10);
    given.items.lengths[1] = given.source_lengths;
    given.items.lengths[2] = given.target_lengths;
    given.items.ids[SOURCE] = given.sources;
    given.items.ids[TARGET] = given.targets;
    assert_int_equal(
        seq_score_outputs(&f.config, &given.items, given.rows, given.log_probabilities, &error),
        SEQ_OK);
    size_t row = 0;
    for (int64_t i = 0; i < given.items.count; i++) {
        double sum = 0;
        for (int32_t t = 0; t < given.target_lengths[i]; t++)
            sum += given.rows[row++];
        assert_true(given.log_probabilities[i] == given.found[i] && sum == given.found[i]);
    }
    // An empty source has no other output than the empty one.
    given.source_lengths[0] = given.source_lengths[1] = 0;
    given.target_lengths[0] = 1;
    given.target_lengths[1] = 2;
    given.items.count = 2;
    given.targets[0] = END;
    assert_int_equal(
        seq_score_outputs(&f.config, &given.items, NULL, given.log_probabilities, &error), SEQ_OK);
    assert_true(given.log_probabilities[0] == 0 && given.log_probabilities[1] == -INFINITY);
    seq_producer_destroy(producer);
    seq_producer_destroy(greedy);
    close_fixture(&f);
}

// ---- the best of all

enum { SHORT = 3, ALL = 7 * 7 * 7 + 7 * 7 + 7 };

// All outputs of 1 .. SHORT symbols, one after the other.
static int64_t enumerate(int32_t *lengths, int32_t *ids) {
    int64_t count = 0;
    size_t used = 0;
    for (int length = 1, many = 7; length <= SHORT; length++, many *= 7)
        for (int code = 0; code < many; code++) {
            for (int j = 0, rest = code; j < length; j++, rest /= 7) {
                int symbol = rest % 7;
                ids[used++] = symbol < END ? symbol : symbol + 1;
            }
            ids[used++] = END;
            lengths[count++] = length + 1;
        }
    return count;
}

static void a_wide_beam_finds_the_best_of_all(void **state) {
    (void)state;
    static int32_t lengths[ALL], ids[ALL * (SHORT + 1)], sources[ALL * LONGEST], own[ALL];
    static double log_probabilities[ALL];
    static drawn drawn;
    for (int pairs = 0; pairs < 2; pairs++) {
        fixture f;
        seq_error error = {0};
        seq_producer *producer = NULL;
        const seq_found *found = NULL;
        open_fixture(&f, pairs);
        f.config.search.width = 400;
        f.config.search.longest = SHORT;
        f.config.search.shortest = 1;
        f.config.batch = 3;
        assert_int_equal(seq_producer_create(&f.config, &producer, &error), SEQ_OK);
        draw(&drawn, pairs, 20, 6);
        assert_int_equal(seq_produce(producer, &drawn.items, NULL, &found, &error), SEQ_OK);
        size_t at = 0;
        for (int i = 0; i < 6; i++) {
            int32_t source = drawn.lengths[i];
            seq_items items = {.count = enumerate(lengths, ids)};
            for (int64_t j = 0; j < items.count; j++) {
                own[j] = source;
                for (int32_t t = 0; t < source; t++)
                    sources[j * source + t] = drawn.ids[at + (size_t)t];
            }
            at += (size_t)source;
            if (source == 0) continue;
            items.lengths[1] = pairs ? own : lengths;
            if (pairs) items.lengths[2] = lengths;
            items.ids[0] = sources;
            items.ids[TARGET] = ids;
            assert_int_equal(seq_score_outputs(&f.config, &items, NULL, log_probabilities, &error),
                             SEQ_OK);
            double best = -INFINITY;
            for (int64_t j = 0; j < items.count; j++) {
                double score =
                    log_probabilities[j] / seq_length_penalty(SEQ_LENGTH_GNMT, 0.8, lengths[j]);
                if (score > best) best = score;
            }
            assert_true(found[i].outputs[0].score == best);
        }
        seq_producer_destroy(producer);
        close_fixture(&f);
    }
}

// ---- what is wanted

static void prefixes_are_followed(void **state) {
    (void)state;
    static drawn drawn;
    const int32_t prefixes[] = {3, 0, 5, 5, 7};
    const size_t ends[] = {1, 1, 5};
    const seq_wanted wanted = {.prefixes = prefixes, .prefix_ends = ends};
    for (int pairs = 0; pairs < 2; pairs++) {
        fixture f;
        seq_error error = {0};
        seq_producer *producer = NULL;
        const seq_found *found = NULL;
        open_fixture(&f, pairs);
        assert_int_equal(seq_producer_create(&f.config, &producer, &error), SEQ_OK);
        draw(&drawn, pairs, 20, 3);
        drawn.lengths[0] = drawn.lengths[1] = drawn.lengths[2] = pairs ? 2 : 1;
        assert_int_equal(seq_produce(producer, &drawn.items, &wanted, &found, &error), SEQ_OK);
        for (size_t i = 0; i < 3; i++) {
            size_t begin = i ? ends[i - 1] : 0;
            for (int k = 0; k < found[i].count; k++)
                for (size_t j = begin; j < ends[i]; j++) {
                    assert_true((size_t)found[i].outputs[k].length > j - begin);
                    assert_int_equal(found[i].outputs[k].symbols[j - begin], prefixes[j]);
                }
        }
        seq_producer_destroy(producer);
        close_fixture(&f);
    }
}

static void coverage_needs_attention(void **state) {
    (void)state;
    static drawn drawn;
    fixture f;
    seq_error error = {0};
    seq_producer *producer = NULL;
    const seq_found *found = NULL;
    open_fixture(&f, false);
    f.config.search.coverage = 0.1;
    assert_int_equal(seq_producer_create(&f.config, &producer, &error), SEQ_OK);
    draw(&drawn, false, 0, 5);
    assert_int_equal(seq_produce(producer, &drawn.items, NULL, &found, &error), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "attention"));
    seq_producer_destroy(producer);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_do_not_meet),
        cmocka_unit_test(scores_are_those_of_a_pass),
        cmocka_unit_test(a_wide_beam_finds_the_best_of_all),
        cmocka_unit_test(prefixes_are_followed),
        cmocka_unit_test(coverage_needs_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
