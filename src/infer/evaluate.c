// The evaluation loop: read a batch, run the model forward, take losses and
// predictions, add each item to the counters of the task's metrics. Numbers that
// the sampler has normalised become those of the data set again. Transcripts are
// predicted on the frames' axis and judged by their edits. Invariant: what
// an item gives does not depend on the batch that it lies in, bit for bit.
// Outputs that are texts are searched for (evaluate_texts.c) before the loss.
// Counters are integers, so their sums have no order. Test:
// tests/unit/infer/test_evaluate.c.
#include <seqtrain/infer/evaluate.h>
#include "evaluate_texts.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS = 16 }; // of a task, at most

struct seq_evaluator {
    seq_evaluator_config config;
    const seq_schema *schema;
    const seq_field *target;
    int axis;       // of predictions; of a transcript, not that of its target
    size_t classes; // labels of the target; 0: it is a number
    seq_labels labels;
    seq_scheme scheme;
    const seq_metric *metrics[METRICS + 1]; // that apply
    size_t counter_count;
    seq_batch batch; // of the last step
    seq_arena arena; // holds all that follows
    size_t state_size;
    float *state, *of_row;
    double *of_sequence;
    int64_t *counters;
    seq_prediction prediction;
    int32_t *gold, *predicted; // of one item
    double *gold_values, *predicted_values;
    seq_edits edits, *row; // of a transcript; (longest + 1), scratch
    seq_text_evaluator *texts;
};

// A task's metrics are of texts, or none is.
static bool decodes(const seq_evaluator *evaluator) {
    const seq_metric *first = evaluator->config.metrics[0];
    return first && first->of_texts;
}

static bool predicts(const seq_evaluator *evaluator) {
    return evaluator->config.metrics[0] && !decodes(evaluator);
}

static bool transcribes(const seq_evaluator *evaluator) {
    return evaluator->axis != evaluator->target->axis;
}

static void take_prediction(seq_evaluator *evaluator) {
    seq_arena *arena = &evaluator->arena;
    seq_prediction *out = &evaluator->prediction;
    const seq_axis_limit *limits = seq_sampler_limits(evaluator->config.sampler)->axes,
                         *limit = &limits[evaluator->axis];
    size_t sequences = (size_t)limit->sequences, steps = (size_t)limit->steps;
    *out = (seq_prediction){.best = 1, .rows = limit->rows, .sequences = limit->sequences};
    out->found = seq_arena_take(arena, sequences, sizeof *out->found);
    out->length = seq_arena_take(arena, sequences, sizeof *out->length);
    out->score = seq_arena_take(arena, sequences, sizeof *out->score);
    out->probability = seq_arena_take(arena, sequences, sizeof *out->probability);
    if (!evaluator->classes) {
        out->values = SEQ_ARENA_FLOATS(arena, limit->rows);
        evaluator->gold_values = seq_arena_take(arena, steps, sizeof(double));
        evaluator->predicted_values = seq_arena_take(arena, steps, sizeof(double));
        return;
    }
    out->ids = seq_arena_take(arena, limit->rows, sizeof *out->ids);
    evaluator->gold =
        seq_arena_take(arena, (size_t)limits[evaluator->target->axis].steps, sizeof(int32_t));
    evaluator->predicted = seq_arena_take(arena, steps, sizeof(int32_t));
    if (transcribes(evaluator))
        evaluator->row = seq_arena_take(arena, steps + 1, sizeof *evaluator->row);
    if (evaluator->config.marginals)
        out->marginals = SEQ_ARENA_FLOATS(arena, limit->rows * evaluator->classes);
}

static void take_memory(seq_evaluator *evaluator) {
    const seq_axis_limit *limit =
        &seq_sampler_limits(evaluator->config.sampler)->axes[evaluator->axis];
    evaluator->state = SEQ_ARENA_FLOATS(&evaluator->arena, evaluator->state_size);
    if (evaluator->config.of_row)
        evaluator->of_row = SEQ_ARENA_FLOATS(&evaluator->arena, limit->rows);
    evaluator->counters =
        seq_arena_take(&evaluator->arena, evaluator->counter_count, sizeof(int64_t));
    if (evaluator->config.metrics[0])
        evaluator->of_sequence =
            seq_arena_take(&evaluator->arena, (size_t)limit->sequences, sizeof(double));
    if (predicts(evaluator)) take_prediction(evaluator);
}

static seq_status prepare_metrics(seq_evaluator *evaluator, seq_error *error) {
    const seq_evaluator_config *config = &evaluator->config;
    int vocabulary = evaluator->target->vocabulary;
    seq_status status = seq_scheme_of_schema(evaluator->schema, &evaluator->scheme, error);
    bool texts = config->decode && evaluator->schema->raw;
    if (!status && texts && decodes(evaluator))
        status = seq_text_evaluator_create(config->model, config->dataset, config->split,
                                           seq_sampler_limits(config->sampler)->axes[0].sequences,
                                           &evaluator->texts, error);
    if (!status && vocabulary >= 0 && predicts(evaluator))
        status = seq_labels_of_vocabulary(seq_dataset_vocabulary_at(config->dataset, vocabulary),
                                          &evaluator->labels, error);
    if (status)
        return seq_error_add_context(error, "data set %s", seq_dataset_path(config->dataset));
    seq_labels_find_outside(&evaluator->labels, evaluator->schema);
    evaluator->classes = (size_t)evaluator->labels.names.count;
    for (int i = 0, used = 0; config->metrics[i] && used < METRICS; i++) {
        const seq_metric *metric = config->metrics[i];
        size_t counters = (size_t)metric->counters(&evaluator->labels);
        if (!counters || (metric->of_entities && !evaluator->scheme)) continue;
        if (metric->of_texts && !evaluator->texts) continue;
        evaluator->metrics[used++] = metric;
        evaluator->counter_count += counters;
    }
    return SEQ_OK;
}

seq_status seq_evaluator_create(const seq_evaluator_config *config, seq_evaluator **out,
                                seq_error *error) {
    seq_evaluator *evaluator = NULL;
    seq_status status = seq_allocate(&evaluator, 1, sizeof *evaluator, "the evaluation", error);
    if (status) return status;
    evaluator->config = *config;
    evaluator->schema = seq_dataset_schema(config->dataset);
    evaluator->target = &evaluator->schema->fields[evaluator->schema->target];
    evaluator->axis = seq_model_head_axis(config->model);
    if (config->metrics[0]) status = prepare_metrics(evaluator, error);
    if (seq_sampler_get_kind(config->sampler)->carries_state) {
        const seq_limits *limits = seq_sampler_limits(config->sampler);
        evaluator->state_size =
            seq_model_state_size(config->model, limits->axes[evaluator->axis].sequences);
    }
    if (!status) {
        take_memory(evaluator);
        status = seq_arena_commit(&evaluator->arena, "the evaluation", error);
    }
    if (status) {
        seq_evaluator_destroy(evaluator);
        return status;
    }
    take_memory(evaluator);
    *out = evaluator;
    return SEQ_OK;
}

void seq_evaluator_destroy(seq_evaluator *evaluator) {
    if (evaluator) {
        seq_labels_clear(&evaluator->labels);
        seq_text_evaluator_destroy(evaluator->texts);
        seq_arena_clear(&evaluator->arena);
    }
    free(evaluator);
}

// ---- Items.

// The sequence of an example.
static int sequence_of(const seq_axis *axis, int row) {
    return axis->parent < 0 ? row : axis->at[row];
}

// To a unit in the last place: the stored value was rounded when it was normalised.
static double denormalised(const seq_field *field, float value) {
    return field->mean ? (double)(float)((double)value * *field->deviation + *field->mean)
                       : (double)value;
}

static void judge_transcript(seq_evaluator *evaluator, int b, seq_judged *judged) {
    const seq_prediction *prediction = &evaluator->prediction;
    size_t count = (size_t)prediction->length[b];
    for (size_t i = 0; i < count; i++)
        evaluator->predicted[i] = prediction->ids[prediction->axis->first_row[i] + (size_t)b];
    evaluator->edits =
        seq_edits_find(evaluator->gold, judged->count, evaluator->predicted, count, evaluator->row);
    judged->predicted_count = count;
    judged->edits = &evaluator->edits;
}

static seq_evaluated text_item(const seq_evaluator *evaluator, int row) {
    const seq_axis *axis = &evaluator->batch.axes[evaluator->target->axis];
    const seq_evaluated_text text = seq_text_evaluator_item(evaluator->texts, row);
    return (seq_evaluated){.number = evaluator->batch.axes[0].number[row],
                           .loss = evaluator->of_sequence[sequence_of(axis, row)],
                           .judged.texts = text.counts,
                           .output = text.output,
                           .reference = text.reference};
}

seq_evaluated seq_evaluator_item(seq_evaluator *evaluator, int row) {
    if (evaluator->texts) return text_item(evaluator, row);
    const seq_axis *axis = &evaluator->batch.axes[evaluator->target->axis];
    const seq_column *column = &evaluator->batch.columns[evaluator->schema->target];
    const seq_prediction *prediction = &evaluator->prediction;
    int b = sequence_of(axis, row), own = sequence_of(&evaluator->batch.axes[evaluator->axis], row);
    bool transcript = transcribes(evaluator);
    seq_evaluated out = {
        .number = evaluator->batch.axes[0].number[row],
        .loss = evaluator->of_sequence[own],
        .judged = {.gold = evaluator->gold,
                   .predicted = evaluator->predicted,
                   .gold_values = evaluator->gold_values,
                   .predicted_values = evaluator->predicted_values,
                   .gold_scheme = evaluator->scheme,
                   .predicted_scheme = evaluator->scheme},
    };
    size_t count = 0;
    for (; count < (size_t)axis->steps && b < axis->rows_at[count]; count++) {
        size_t at = axis->first_row[count] + (size_t)b;
        if (evaluator->classes) {
            evaluator->gold[count] = column->ids[at];
            if (!transcript) evaluator->predicted[count] = prediction->ids[at];
        } else {
            evaluator->gold_values[count] = denormalised(evaluator->target, column->values[at]);
            evaluator->predicted_values[count] =
                denormalised(evaluator->target, prediction->values[at]);
        }
    }
    out.judged.count = count;
    if (transcript) judge_transcript(evaluator, own, &out.judged);
    if (prediction->marginals && !transcript && count == 1)
        out.labels = prediction->marginals + (size_t)b * evaluator->classes;
    return out;
}

static void count_items(seq_evaluator *evaluator) {
    for (int row = 0; row < (int)evaluator->batch.axes[0].rows; row++) {
        seq_evaluated item = seq_evaluator_item(evaluator, row);
        int64_t *counters = evaluator->counters;
        for (const seq_metric *const *metric = evaluator->metrics; *metric; metric++) {
            (*metric)->add(counters, &evaluator->labels, &item.judged);
            counters += (*metric)->counters(&evaluator->labels);
        }
    }
}

// ---- Steps.

seq_status seq_evaluator_step(seq_evaluator *evaluator, seq_workspace *workspace,
                              const seq_weights *weights, int64_t step, int replica, seq_loss *loss,
                              seq_error *error) {
    const seq_evaluator_config *config = &evaluator->config;
    if (step == 0) {
        *loss = (seq_loss){0};
        if (evaluator->state_size)
            memset(evaluator->state, 0, evaluator->state_size * sizeof *evaluator->state);
    }
    seq_status status =
        seq_sampler_read(config->sampler, 0, step, replica, &evaluator->batch, error);
    if (status || !evaluator->batch.axes[0].rows) return status;
    const seq_feed feed = {.batch = &evaluator->batch,
                           .state = evaluator->state_size ? evaluator->state : NULL};
    if (evaluator->texts)
        status =
            seq_text_evaluator_step(evaluator->texts, workspace, weights, &evaluator->batch, error);
    if (status) return status;
    const seq_losses one = {.of_sequence = evaluator->of_sequence, .of_row = evaluator->of_row};
    seq_loss own = seq_model_evaluate(config->model, workspace, weights, &feed, &one);
    loss->sum += own.sum;
    loss->count += own.count;
    loss->correct += own.correct;
    loss->frames += own.frames;
    loss->blanks += own.blanks;
    if (!loss->bad) loss->bad = own.bad;
    if (predicts(evaluator))
        seq_model_predict(config->model, workspace, weights, &feed, &evaluator->prediction);
    if (evaluator->metrics[0]) count_items(evaluator);
    return SEQ_OK;
}

const seq_batch *seq_evaluator_batch(const seq_evaluator *evaluator) {
    return &evaluator->batch;
}

const float *seq_evaluator_row_losses(const seq_evaluator *evaluator) {
    return evaluator->of_row;
}

const seq_metric *const *seq_evaluator_metrics(const seq_evaluator *evaluator) {
    return evaluator->metrics;
}

int64_t *seq_evaluator_counters(seq_evaluator *evaluator, size_t *out_count) {
    *out_count = evaluator->counter_count;
    return evaluator->counters;
}

void seq_evaluator_clear_counters(seq_evaluator *evaluator) {
    if (evaluator->counter_count)
        memset(evaluator->counters, 0, evaluator->counter_count * sizeof *evaluator->counters);
}

double seq_evaluator_value(const seq_evaluator *evaluator, int index, const int64_t *counters) {
    const seq_metric *const *metrics = evaluator->metrics;
    for (int i = 0; i < index; i++)
        counters += metrics[i]->counters(&evaluator->labels);
    return metrics[index]->value(counters, &evaluator->labels);
}
