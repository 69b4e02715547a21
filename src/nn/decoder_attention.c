// Attention of the decoder, item by item: scores, softmax and context of one
// sequence in one step, and their backward pass. Gradients of scores and contexts
// of all steps are kept; those of values and keys are computed at the end, one
// item at a time. Additive scores are computed again in backward. Invariant: an item's sums run
// over its own steps in their order, by one thread, so neither batch nor threads change a bit.
// Tests: tests/unit/nn/test_decoder.c, tests/golden/test_decoders.c.
#include "decoder_private.h"
#include <math.h>
#include <string.h>

decoder_work seq_decoder_work_of(const seq_node *node, seq_pass *pass) {
    decoder_work work = {
        .node = node,
        .pass = pass,
        .compute = node->compute,
        .memory = seq_run(node, pass)->memory,
        .layer = seq_recurrent_of(node),
        .target = seq_node_axis(node, pass),
        .source = seq_input_axis(node, pass, VALUES),
        .hidden = (size_t)hidden_of(node),
        .width = (size_t)node->input_shapes[VALUES].width,
        .units = (size_t)node->input_shapes[KEYS].width,
        .seen = (size_t)seen_of(node),
        .scale = 1,
    };
    if (is_additive(node)) work.v = seq_parameter_values(node, pass, places_of(node).v);
    if (options_of(node)->score == SEQ_ATTENTION_SCALED) work.scale = 1 / sqrtf((float)work.units);
    return work;
}

void seq_decoder_lengths(const seq_axis *axis, size_t *out) {
    memset(out, 0, ((size_t)axis->sequences + 1) * sizeof *out);
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++)
            out[b + 1]++;
}

static void gather(const seq_axis *axis, int sequence, size_t length, const float *rows, size_t ld,
                   size_t width, float *out) {
    for (size_t t = 0; t < length; t++)
        memcpy(out + t * width, rows + (axis->first_row[t] + (size_t)sequence) * ld,
               width * sizeof *out);
}

static void copy_part(void *context, int part, int parts) {
    const decoder_work *work = context;
    const decoder_memory *memory = work->memory;
    const float *values = seq_input(work->node, work->pass, VALUES)->values,
                *keys = seq_input(work->node, work->pass, KEYS)->values;
    for (int s = part; s < work->source->sequences; s += parts) {
        size_t first = memory->first[s], length = memory->first[s + 1] - first;
        gather(work->source, s, length, values, work->width, work->width,
               memory->values + first * work->width);
        gather(work->source, s, length, keys, work->units, work->units,
               memory->keys + first * work->units);
    }
}

void seq_decoder_copy_source(const seq_node *node, seq_pass *pass) {
    decoder_work work = seq_decoder_work_of(node, pass);
    seq_decoder_lengths(work.source, work.memory->first);
    for (int s = 0; s < work.source->sequences; s++)
        work.memory->first[s + 1] += work.memory->first[s];
    seq_team_run(work.compute->team, copy_part, &work);
}

// ---- one sequence in one step

// An item as one of its sequences sees it.
typedef struct item {
    int source;
    size_t first, length;       // its rows
    const float *values, *keys; // (length, W), (length, A)
    size_t weights;             // where those of the step lie
} item;

static item item_of(const decoder_work *work, int sequence) {
    const decoder_memory *memory = work->memory;
    int source = work->source->at[work->target->of[sequence]];
    size_t first = memory->first[source], length = memory->first[source + 1] - first;
    return (item){.source = source,
                  .first = first,
                  .length = length,
                  .values = memory->values + first * work->width,
                  .keys = memory->keys + first * work->units,
                  .weights = memory->pair[sequence] + (size_t)work->step * length};
}

// tanh(query + key) of some rows of keys.
static size_t squash(const decoder_work *work, const item *item, size_t from, const float *query,
                     float *out) {
    size_t count = item->length - from < PIECE ? item->length - from : PIECE;
    memcpy(out, item->keys + from * work->units, count * work->units * sizeof *out);
    work->compute->kernels->add_rows(out, count, work->units, work->units, query);
    work->compute->kernels->tanh(out, count * work->units);
    return count;
}

static void score(const decoder_work *work, const item *item, const float *query, int part,
                  float *out) {
    const seq_kernels *kernels = work->compute->kernels;
    if (!is_additive(work->node)) {
        kernels->dots(query, item->keys, item->length, work->units, work->units, out);
        kernels->scale(out, work->scale, item->length);
        return;
    }
    float *squashed = work->memory->squashed + (size_t)part * PIECE * work->units;
    for (size_t from = 0, count; from < item->length; from += count) {
        count = squash(work, item, from, query, squashed);
        kernels->dots(work->v, squashed, count, work->units, work->units, out + from);
    }
}

static const float *query_of(const decoder_work *work, int sequence) {
    return is_additive(work->node) ? work->memory->queries + row_of(work, sequence) * work->units
                                   : work->rows + (size_t)sequence * work->hidden;
}

static void attend_part(void *context, int part, int parts) {
    const decoder_work *work = context;
    const seq_kernels *kernels = work->compute->kernels;
    float log_sum;
    for (int b = part; b < work->target->rows_at[work->step]; b += parts) {
        item item = item_of(work, b);
        float *weights = work->memory->weights + item.weights,
              *seen = work->memory->seen + row_of(work, b) * work->seen;
        if (is_luong(work->node))
            memcpy(seen, work->rows + (size_t)b * work->hidden, work->hidden * sizeof *seen);
        memset(seen + work->hidden, 0, work->width * sizeof *seen);
        if (item.length == 0) continue;
        score(work, &item, query_of(work, b), part, weights);
        kernels->softmax(weights, 1, item.length, item.length, &log_sum);
        kernels->weigh(seen + work->hidden, weights, 1, item.values, item.length, work->width,
                       work->width);
    }
}

// c<t> of all sequences of the step, asked for by `rows`.
void seq_decoder_attend(decoder_work *work, int t, const float *rows) {
    work->step = t;
    work->rows = rows;
    if (is_additive(work->node))
        seq_compute_rows(work->compute, (size_t)work->target->rows_at[t], work->hidden, work->units,
                         rows,
                         seq_packed(work->node, work->pass, places_of(work->node).query_forward),
                         NULL, work->memory->queries + row_of(work, 0) * work->units);
    seq_team_run(work->compute->team, attend_part, work);
}

// slopes[u] becomes dL/d(score u), and `d_query` gets what the scores hand on. The keys of dot
// products get theirs at the end.
static void differentiate_scores(const decoder_work *work, const item *item, const float *query,
                                 int part, const float *slopes, float *d_query) {
    const decoder_memory *memory = work->memory;
    const seq_kernels *kernels = work->compute->kernels;
    size_t units = work->units;
    if (!is_additive(work->node)) {
        kernels->weigh(d_query, slopes, 1, item->keys, item->length, units, units);
        return;
    }
    float *squashed = memory->squashed + (size_t)part * PIECE * units;
    memset(d_query, 0, units * sizeof *d_query);
    for (size_t from = 0, count; from < item->length; from += count) {
        count = squash(work, item, from, query, squashed);
        kernels->weigh(memory->d_v + (size_t)item->source * units, slopes + from, 1, squashed,
                       count, units, units);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < units; j++) {
                float *x = &squashed[i * units + j];
                *x = work->v[j] * (1 - *x * *x);
            }
        kernels->weigh(d_query, slopes + from, 1, squashed, count, units, units);
        for (size_t i = 0; i < count; i++)
            kernels->weigh(memory->d_keys + (item->first + from + i) * units, slopes + from + i, 1,
                           squashed + i * units, 1, units, units);
    }
}

static void attend_back_part(void *context, int part, int parts) {
    const decoder_work *work = context;
    const decoder_memory *memory = work->memory;
    for (int b = part; b < work->target->rows_at[work->step]; b += parts) {
        item item = item_of(work, b);
        float *weights = memory->weights + item.weights, *slopes = memory->slopes + item.weights,
              *d_query = is_additive(work->node) ? memory->d_queries + row_of(work, b) * work->units
                                                 : work->d_rows + (size_t)b * work->hidden;
        float mean = 0;
        work->compute->kernels->dots(work->d_context + row_of(work, b) * work->d_stride,
                                     item.values, item.length, work->width, work->width, slopes);
        for (size_t u = 0; u < item.length; u++)
            mean += weights[u] * slopes[u];
        for (size_t u = 0; u < item.length; u++)
            slopes[u] = work->scale * weights[u] * (slopes[u] - mean);
        differentiate_scores(work, &item, query_of(work, b), part, slopes, d_query);
    }
}

// From dL/dc<t> to what asked: `d_rows` is added to.
void seq_decoder_attend_back(decoder_work *work, int t, const float *rows, float *d_rows) {
    work->step = t;
    work->rows = rows;
    work->d_rows = d_rows;
    seq_team_run(work->compute->team, attend_back_part, work);
    if (!is_additive(work->node)) return;
    seq_compute_multiply(
        work->compute,
        (seq_product){.m = (size_t)work->target->rows_at[t],
                      .n = work->hidden,
                      .k = work->units,
                      .a = work->memory->d_queries + row_of(work, 0) * work->units,
                      .lda = work->units,
                      .b = seq_packed(work->node, work->pass, places_of(work->node).query_back),
                      .accumulate = true,
                      .c = d_rows,
                      .ldc = work->hidden});
}

// ---- the gradients of the source

// What the steps of a sequence hand to the rows of its item: the sum over steps of
// factors[t][u] * rows[t].
static void add_to_item(const decoder_work *work, const item *item, size_t steps,
                        const float *factors, const float *gathered, size_t width, float *out) {
    for (size_t u = 0; u < item->length; u++)
        work->compute->kernels->weigh(out + (work->source->first_row[u] + (size_t)item->source) *
                                                width,
                                      factors + u, item->length, gathered, steps, width, width);
}

// The states that asked, of one sequence.
static void gather_queries(const decoder_work *work, int sequence, size_t steps, float *out) {
    for (size_t t = 0; t < steps; t++) {
        const float *rows =
            is_luong(work->node) ? hidden_after(work, (int)t) : hidden_before(work, (int)t);
        memcpy(out + t * work->hidden, rows + (size_t)sequence * work->hidden,
               work->hidden * sizeof *out);
    }
}

static void add_keys(const decoder_work *work, const item *item, int sequence, size_t steps,
                     float *gathered, float *d_keys) {
    const decoder_memory *memory = work->memory;
    if (!is_additive(work->node)) {
        gather_queries(work, sequence, steps, gathered);
        add_to_item(work, item, steps, memory->slopes + item->weights, gathered, work->units,
                    d_keys);
        return;
    }
    for (size_t u = 0; u < item->length; u++)
        work->compute->kernels->add(d_keys + (work->source->first_row[u] + (size_t)item->source) *
                                                 work->units,
                                    memory->d_keys + (item->first + u) * work->units, work->units);
}

static void source_part(void *context, int part, int parts) {
    decoder_work work = *(const decoder_work *)context;
    const decoder_memory *memory = work.memory;
    float *d_values = seq_input(work.node, work.pass, VALUES)->gradient,
          *d_keys = seq_input(work.node, work.pass, KEYS)->gradient,
          *gathered = memory->gathered + (size_t)part * memory->steps * memory->widest;
    work.step = 0;
    for (int b = part; b < work.target->sequences; b += parts) {
        item item = item_of(&work, b);
        if (item.length == 0) continue;
        size_t steps = (memory->pair[b + 1] - memory->pair[b]) / item.length;
        if (d_values) {
            gather(work.target, b, steps, work.d_context, work.d_stride, work.width, gathered);
            add_to_item(&work, &item, steps, memory->weights + item.weights, gathered, work.width,
                        d_values);
        }
        if (d_keys) add_keys(&work, &item, b, steps, gathered, d_keys);
    }
}

void seq_decoder_add_to_source(decoder_work *work) {
    seq_team_run(work->compute->team, source_part, work);
}
