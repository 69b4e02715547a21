// Searches outputs for items in memory. The predictor packs them into batches. Each of its threads
// steps the model for a batch with a search of its own, and writes results to the items' places.
// Scores of given outputs need one forward pass (teacher forcing), whose logits have the same bits.
// Invariant: results do not depend on the order of work.
// Test: tests/unit/infer/test_produce.c.
#include <seqtrain/infer/produce.h>
#include "stepper.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/item_batch.h>
#include <stdlib.h>
#include <string.h>

// A thread's own.
typedef struct searcher {
    struct seq_producer *producer;
    seq_search *search;
    seq_model_stepper stepper;
    seq_search_item *items;
    size_t item_capacity;
    const int64_t *numbers; // of the batch
    seq_error error;
} searcher;

// What an item gets, kept.
typedef struct answer {
    seq_output *outputs;
    int32_t *symbols;
    float *attention;
    size_t capacity[3];
} answer;

struct seq_producer {
    seq_producer_config config;
    bool has_source;
    seq_predictor *predictor;
    int threads;
    searcher *searchers;
    answer *answers;
    size_t answer_capacity;
    seq_found *found;
    size_t found_capacity;
    int32_t *none; // lengths of the target
    size_t none_capacity;
    // Of the items at hand.
    const seq_items *items;
    const seq_wanted *wanted;
};

static int target_axis(const seq_schema *schema) {
    return schema->fields[schema->target].axis;
}

// ---- What an item gets.

static seq_status keep_outputs(const seq_found *found, size_t source, answer *to,
                               seq_error *error) {
    size_t symbols = 0, weights = 0, count = (size_t)found->count;
    for (size_t k = 0; k < count; k++) {
        symbols += (size_t)found->outputs[k].length;
        weights +=
            found->outputs[k].attention ? ((size_t)found->outputs[k].length + 1) * source : 0;
    }
    if (seq_grow(&to->outputs, &to->capacity[0], count + 1, sizeof *to->outputs, "outputs",
                 error) ||
        seq_grow(&to->symbols, &to->capacity[1], symbols + 1, sizeof *to->symbols, "outputs",
                 error) ||
        (weights && seq_grow(&to->attention, &to->capacity[2], weights, sizeof *to->attention,
                             "outputs", error)))
        return error->status;
    symbols = weights = 0;
    for (size_t k = 0; k < count; k++) {
        const seq_output *from = &found->outputs[k];
        seq_output *own = &to->outputs[k];
        size_t length = (size_t)from->length, area = (length + 1) * source;
        *own = *from;
        own->symbols = to->symbols + symbols;
        if (length) memcpy(to->symbols + symbols, from->symbols, length * sizeof *to->symbols);
        symbols += length;
        if (!from->attention) continue;
        own->attention = to->attention + weights;
        memcpy(to->attention + weights, from->attention, area * sizeof *to->attention);
        weights += area;
    }
    return SEQ_OK;
}

static seq_status take_found(void *context, int place, const seq_found *found, seq_error *error) {
    const searcher *searcher = context;
    seq_producer *producer = searcher->producer;
    int64_t item = searcher->numbers[place];
    int source = searcher->items[place].source;
    answer *answer = &producer->answers[item];
    seq_status status = keep_outputs(found, source > 0 ? (size_t)source : 0, answer, error);
    producer->found[item] = *found;
    producer->found[item].outputs = answer->outputs;
    return status;
}

// ---- A batch.

static void describe(const seq_producer *producer, int64_t item, seq_search_item *out) {
    const seq_schema *schema = producer->config.schema;
    const seq_wanted *wanted = producer->wanted;
    *out = (seq_search_item){.number = item, .source = SEQ_NO_SOURCE};
    if (producer->has_source) out->source = producer->items->lengths[schema->length_axis][item];
    if (!wanted) return;
    out->number += wanted->first_number;
    if (!wanted->prefix_ends) return;
    size_t begin = item ? wanted->prefix_ends[item - 1] : 0;
    out->prefix = wanted->prefixes + begin;
    out->prefix_count = (int)(wanted->prefix_ends[item] - begin);
}

static void decode(void *context, int thread, seq_workspace *workspace, const seq_batch *batch,
                   const int64_t *numbers) {
    seq_producer *producer = context;
    searcher *searcher = &producer->searchers[thread];
    int count = batch->axes[0].sequences;
    seq_error *error = &searcher->error;
    if (error->status) return; // of an earlier batch: there will be no answer
    searcher->numbers = numbers;
    if (seq_grow(&searcher->items, &searcher->item_capacity, (size_t)count, sizeof *searcher->items,
                 "a search", error) ||
        seq_model_stepper_reserve(&searcher->stepper,
                                  count * seq_search_rows(&producer->config.search), error))
        return;
    for (int i = 0; i < count; i++)
        describe(producer, numbers[i], &searcher->items[i]);
    seq_stepper stepper = seq_model_stepper_begin(&searcher->stepper, workspace, batch);
    seq_search_run(searcher->search, &stepper, searcher->items, count, take_found, searcher, error);
}

// ---- All of it.

static seq_status make_searchers(seq_producer *producer, seq_error *error) {
    const seq_producer_config *config = &producer->config;
    producer->threads = seq_team_size(config->team);
    seq_status status = seq_allocate(&producer->searchers, (size_t)producer->threads,
                                     sizeof *producer->searchers, "a search", error);
    for (int i = 0; !status && i < producer->threads; i++) {
        searcher *searcher = &producer->searchers[i];
        searcher->producer = producer;
        searcher->stepper.model = config->model;
        searcher->stepper.weights = config->weights;
        searcher->stepper.schema = config->schema;
        searcher->stepper.vocabularies = config->vocabularies;
        status = seq_search_create(&config->search, &searcher->search, error);
    }
    return status;
}

seq_status seq_producer_create(const seq_producer_config *config, seq_producer **out,
                               seq_error *error) {
    const seq_schema *schema = config->schema;
    seq_producer *producer = NULL;
    seq_status status = seq_allocate(&producer, 1, sizeof *producer, "outputs", error);
    if (status) return status;
    producer->config = *config;
    producer->config.search.kernels = seq_model_compute(config->model)->kernels;
    producer->has_source = schema->length_axis != target_axis(schema);
    const seq_predictor_config predictor = {.model = config->model,
                                            .weights = config->weights,
                                            .schema = schema,
                                            .classes = producer->config.search.symbols,
                                            .best = 1,
                                            .batch = config->batch,
                                            .team = config->team,
                                            .decode = decode,
                                            .sequences = seq_search_rows(&config->search),
                                            .search_context = producer};
    status = make_searchers(producer, error);
    if (!status) status = seq_predictor_create(&predictor, &producer->predictor, error);
    if (status)
        seq_producer_destroy(producer);
    else
        *out = producer;
    return status;
}

void seq_producer_destroy(seq_producer *producer) {
    if (!producer) return;
    seq_predictor_destroy(producer->predictor);
    for (int i = 0; producer->searchers && i < producer->threads; i++) {
        seq_search_destroy(producer->searchers[i].search);
        seq_model_stepper_clear(&producer->searchers[i].stepper);
        free(producer->searchers[i].items);
    }
    for (size_t i = 0; i < producer->answer_capacity; i++) {
        free(producer->answers[i].outputs);
        free(producer->answers[i].symbols);
        free(producer->answers[i].attention);
    }
    free(producer->searchers);
    free(producer->answers);
    free(producer->found);
    free(producer->none);
    free(producer);
}

seq_status seq_produce(seq_producer *producer, const seq_items *items, const seq_wanted *wanted,
                       const seq_found **out, seq_error *error) {
    size_t count = (size_t)items->count;
    seq_items own = *items;
    seq_predicted none;
    seq_status status = seq_grow(&producer->answers, &producer->answer_capacity, count,
                                 sizeof *producer->answers, "outputs", error);
    if (!status)
        status = seq_grow(&producer->found, &producer->found_capacity, count,
                          sizeof *producer->found, "outputs", error);
    if (!status)
        status = seq_grow(&producer->none, &producer->none_capacity, count, sizeof *producer->none,
                          "outputs", error);
    own.lengths[target_axis(producer->config.schema)] = producer->none;
    producer->items = &own;
    producer->wanted = wanted;
    for (int i = 0; i < producer->threads; i++)
        producer->searchers[i].error = (seq_error){0};
    if (!status) status = seq_predict(producer->predictor, &own, &none, error);
    for (int i = 0; !status && i < producer->threads; i++)
        if (producer->searchers[i].error.status) {
            *error = producer->searchers[i].error;
            status = error->status;
        }
    *out = producer->found;
    return status;
}

// ---- Given outputs.

typedef struct scoring {
    const seq_kernels *kernels;
    const seq_items *items;
    size_t symbols;
    int target, source; // field, axis; source -1: none
    size_t *first;      // (items): row of its target
    float *scratch;     // (threads, symbols)
    double *of_row, *of_item;
} scoring;

static void score_item(void *context, int thread, int64_t item, const float *scores, size_t rows) {
    const scoring *scoring = context;
    const int32_t *targets = scoring->items->ids[scoring->target] + scoring->first[item];
    bool certain = scoring->source >= 0 && scoring->items->lengths[scoring->source][item] == 0;
    float *scratch = scoring->scratch + (size_t)thread * scoring->symbols;
    double sum = 0;
    for (size_t t = 0; t < rows; t++) {
        const float *row = scores + t * scoring->symbols;
        double own =
            (double)row[targets[t]] - seq_log_sum(scoring->kernels, row, scoring->symbols, scratch);
        if (certain) own = rows == 1 ? 0 : -INFINITY;
        if (scoring->of_row) scoring->of_row[scoring->first[item] + t] = own;
        sum += own;
    }
    scoring->of_item[item] = sum;
}

seq_status seq_score_outputs(const seq_producer_config *config, const seq_items *items,
                             double *of_row, double *of_item, seq_error *error) {
    const seq_schema *schema = config->schema;
    int axis = target_axis(schema), symbols = config->search.symbols;
    size_t threads = (size_t)seq_team_size(config->team), row = 0;
    scoring scoring = {.kernels = seq_model_compute(config->model)->kernels,
                       .items = items,
                       .symbols = (size_t)symbols,
                       .target = schema->target,
                       .source = schema->length_axis == axis ? -1 : schema->length_axis,
                       .of_row = of_row,
                       .of_item = of_item};
    const seq_predictor_config predictor = {.model = config->model,
                                            .weights = config->weights,
                                            .schema = schema,
                                            .classes = symbols,
                                            .best = 1,
                                            .batch = config->batch,
                                            .team = config->team,
                                            .given = true,
                                            .search = score_item,
                                            .search_context = &scoring};
    seq_predictor *own = NULL;
    seq_predicted none;
    seq_status status = seq_allocate(&scoring.first, (size_t)items->count, sizeof *scoring.first,
                                     "scores of outputs", error);
    if (!status)
        status = seq_allocate(&scoring.scratch, threads * scoring.symbols, sizeof(float),
                              "scores of outputs", error);
    for (int64_t i = 0; !status && i < items->count; i++) {
        scoring.first[i] = row;
        row += (size_t)items->lengths[axis][i];
    }
    if (!status) status = seq_predictor_create(&predictor, &own, error);
    if (!status) status = seq_predict(own, items, &none, error);
    seq_predictor_destroy(own);
    free(scoring.first);
    free(scoring.scratch);
    return status;
}
