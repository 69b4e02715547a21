// Steps a model for search. In a step the target's axis has one time step and one sequence for each
// unfinished output, which names its example. States of consecutive steps alternate between two
// buffers; only the states of outputs that continue are copied. Positions in the bar are kept in
// the same way; they follow from the previous symbols, as in seqprep. Test:
// tests/unit/infer/test_produce.c (against whole passes), tests/cli/generate.sh (bars).
#include "stepper.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/sampler.h>
#include <stdlib.h>
#include <string.h>

void seq_model_stepper_clear(seq_model_stepper *stepper) {
    void *const blocks[] = {stepper->state[0],  stepper->state[1], stepper->of,
                            stepper->last_row,  stepper->before,   stepper->targets,
                            stepper->reversed,  stepper->number,   stepper->places[0],
                            stepper->places[1], stepper->bars};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    *stepper = (seq_model_stepper){.model = stepper->model,
                                   .weights = stepper->weights,
                                   .schema = stepper->schema,
                                   .vocabularies = stepper->vocabularies};
}

// The field of places in the bar, beside the target's symbols; -1: none.
static int bar_field(const seq_schema *schema) {
    int bar = seq_schema_find_field(schema, "bar");
    const seq_field *fields = schema->fields;
    return bar >= 0 && fields[bar].axis == fields[schema->target].axis ? bar : -1;
}

seq_status seq_model_stepper_reserve(seq_model_stepper *stepper, int most, seq_error *error) {
    if (most <= stepper->most) return SEQ_OK;
    seq_model_stepper_clear(stepper);
    size_t count = (size_t)most, state = seq_model_state_size(stepper->model, most),
           bars = bar_field(stepper->schema) < 0 ? 0 : count;
    struct {
        void *array;
        size_t count, size;
    } const wanted[] = {
        {&stepper->state[0], state, sizeof(float)},
        {&stepper->state[1], state, sizeof(float)},
        {&stepper->of, count, sizeof *stepper->of},
        {&stepper->last_row, count, sizeof *stepper->last_row},
        {&stepper->before, count, sizeof *stepper->before},
        {&stepper->targets, count, sizeof *stepper->targets},
        {&stepper->reversed, count, sizeof *stepper->reversed},
        {&stepper->number, count, sizeof *stepper->number},
        {&stepper->places[0], bars, sizeof *stepper->places[0]},
        {&stepper->places[1], bars, sizeof *stepper->places[1]},
        {&stepper->bars, bars, sizeof *stepper->bars},
    };
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < sizeof wanted / sizeof *wanted; i++)
        status = seq_allocate(wanted[i].array, wanted[i].count, wanted[i].size,
                              "the steps of a search", error);
    for (int i = 0; !status && i < most; i++) {
        stepper->last_row[i] = stepper->reversed[i] = i;
        stepper->targets[i] = SEQ_NO_ID;
    }
    if (!status) stepper->most = most;
    return status;
}

static seq_feed feed_of(const seq_model_stepper *stepper) {
    return (seq_feed){.batch = &stepper->batch, .state = stepper->state[0]};
}

// What the symbols so far tell of the place in the bar.
static void find_bars(seq_model_stepper *stepper, int count, const int32_t *from,
                      const int32_t *before) {
    const seq_schema *schema = stepper->schema;
    const seq_field *fields = schema->fields;
    const seq_vocabulary *symbols = stepper->vocabularies[fields[schema->target].vocabulary],
                         *bars = stepper->vocabularies[fields[bar_field(schema)].vocabulary];
    seq_abc_place *old = stepper->places[0];
    stepper->places[0] = stepper->places[1];
    stepper->places[1] = old;
    for (int i = 0; i < count; i++) {
        seq_abc_place *place = &stepper->places[0][i];
        char text[SEQ_ABC_PLACE];
        size_t size;
        *place = from ? old[from[i]] : (seq_abc_place){0};
        if (before[i] >= 0) {
            const char *symbol = seq_vocabulary_text(symbols, before[i], &size);
            seq_abc_place_feed(place, symbol, size);
        }
        seq_abc_place_text(place, text);
        stepper->bars[i] = seq_vocabulary_find(bars, text, strlen(text));
    }
}

static void step(void *context, int count, const int32_t *item, const int32_t *from,
                 const int32_t *before) {
    seq_model_stepper *stepper = context;
    seq_axis *axis = &stepper->batch.axes[seq_model_head_axis(stepper->model)];
    float *old = stepper->state[0];
    stepper->state[0] = stepper->state[1];
    stepper->state[1] = old;
    for (int i = 0; i < count; i++) {
        stepper->of[i] = item[i];
        stepper->before[i] = before[i];
        if (from)
            seq_model_state_copy(stepper->model, old, stepper->count, from[i], stepper->state[0],
                                 count, i);
    }
    if (bar_field(stepper->schema) >= 0) find_bars(stepper, count, from, before);
    stepper->rows_at[0] = stepper->count = count;
    stepper->first_row[1] = (size_t)count;
    axis->sequences = count;
    axis->rows = (size_t)count;
    axis->continues = from != NULL;
    const seq_feed feed = feed_of(stepper);
    seq_model_step(stepper->model, stepper->workspace, stepper->weights, &feed);
}

static void scores(void *context, int first, int rows, float *out) {
    seq_model_stepper *stepper = context;
    const seq_feed feed = feed_of(stepper);
    seq_model_scores(stepper->model, stepper->workspace, stepper->weights, &feed, (size_t)first,
                     (size_t)rows, out);
}

static const float *attention(void *context, int sequence, int *out_length) {
    const seq_model_stepper *stepper = context;
    return seq_model_attention(stepper->model, stepper->workspace, sequence, out_length);
}

seq_stepper seq_model_stepper_begin(seq_model_stepper *stepper, seq_workspace *workspace,
                                    const seq_batch *batch) {
    const seq_schema *schema = stepper->schema;
    const seq_feed feed = {.batch = batch};
    seq_model_begin(stepper->model, workspace, stepper->weights, &feed);
    stepper->workspace = workspace;
    stepper->batch = *batch;
    stepper->batch.axes[seq_model_head_axis(stepper->model)] =
        (seq_axis){.steps = 1,
                   .rows_at = stepper->rows_at,
                   .first_row = stepper->first_row,
                   .reversed = stepper->reversed,
                   .last_row = stepper->last_row,
                   .number = stepper->number,
                   .of = stepper->of};
    stepper->batch.columns[schema->target].ids = stepper->targets;
    stepper->batch.columns[seq_schema_before_column(schema)].ids = stepper->before;
    if (bar_field(schema) >= 0) stepper->batch.columns[bar_field(schema)].ids = stepper->bars;
    return (seq_stepper){stepper, step, scores, attention};
}
