// Attention over the steps of a sequence: each query scores the keys of one
// source sequence, and gives the mean of its values by the softmax of scores.
// Pooling is the case of one learned query a sequence. Threads own source
// sequences, and the queries that read them. Gradients of parameters are summed
// sequence by sequence, then over the sequences in their order. Invariant: a
// row's result depends on its own sequence alone, and on no number of threads.
// Test: tests/unit/nn/test_attention.c.
#include <seqtrain/nn/attention.h>
#include <math.h>
#include <string.h>

typedef struct memory {
    float *weights;     // one for each query and key of its sequence, query by query
    size_t *first;      // (target sequences + 1): where their weights begin
    float *slopes;      // backward: (threads, longest source)
    float *d_parameter; // backward: (source sequences, A)
    size_t longest;
} memory;

// What a pass works with. Without a target axis each source sequence has one query, the parameter.
typedef struct work {
    const seq_compute *compute;
    const memory *memory;
    seq_attention_score score;
    const seq_axis *target, *source; // target: NULL for pooling
    size_t units, width;             // A, W
    const float *queries, *values, *keys, *parameter;
    float *out;                           // forward
    const float *d_out;                   // backward
    float *d_queries, *d_values, *d_keys; // or NULL
    bool wants_parameter;
} work;

static const char *const names[] = {"dot", "scaled", "additive", NULL};

const char *const *seq_attention_score_names(void) {
    return names;
}

// ---- arithmetic of one query

enum { LANES = 8 };

static float dot(size_t count, const float *restrict a, const float *restrict b) {
    float lanes[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += a[i + k] * b[i + k];
    for (; i < count; i++)
        rest += a[i] * b[i];
    for (size_t k = LANES / 2; k > 0; k /= 2)
        for (size_t j = 0; j < k; j++)
            lanes[j] += lanes[j + k];
    return lanes[0] + rest;
}

static void add_scaled(size_t count, float factor, const float *restrict from, float *restrict to) {
    for (size_t j = 0; j < count; j++)
        to[j] += factor * from[j];
}

// tanh(query + key) in pieces, so that it is one code for scores and their gradients.
enum { PIECE = 64 };

static size_t squash(const work *work, size_t from, const float *query, const float *key,
                     float out[PIECE]) {
    size_t count = work->units - from < PIECE ? work->units - from : PIECE;
    for (size_t j = 0; j < count; j++)
        out[j] = query[from + j] + key[from + j];
    work->compute->kernels->tanh(out, count);
    return count;
}

static float score_of(const work *work, const float *query, const float *key) {
    float sum = 0, squashed[PIECE];
    if (work->score == SEQ_ATTENTION_DOT) return dot(work->units, query, key);
    if (work->score == SEQ_ATTENTION_SCALED)
        return dot(work->units, query, key) / sqrtf((float)work->units);
    for (size_t from = 0, count; from < work->units; from += count) {
        count = squash(work, from, query, key, squashed);
        sum += dot(count, work->parameter + from, squashed);
    }
    return sum;
}

// Adds slope * d(score) to the gradients that are not NULL.
static void differentiate_score(const work *work, float slope, const float *query, const float *key,
                                float *d_query, float *d_key, float *d_parameter) {
    float squashed[PIECE];
    if (work->score != SEQ_ATTENTION_ADDITIVE) {
        if (work->score == SEQ_ATTENTION_SCALED) slope /= sqrtf((float)work->units);
        if (d_query) add_scaled(work->units, slope, key, d_query);
        if (d_key) add_scaled(work->units, slope, query, d_key);
        return;
    }
    for (size_t from = 0, count; from < work->units; from += count) {
        count = squash(work, from, query, key, squashed);
        if (d_parameter) add_scaled(count, slope, squashed, d_parameter + from);
        for (size_t j = 0; j < count; j++)
            squashed[j] = work->parameter[from + j] * (1 - squashed[j] * squashed[j]);
        if (d_query) add_scaled(count, slope, squashed, d_query + from);
        if (d_key) add_scaled(count, slope, squashed, d_key + from);
    }
}

// ---- one query and its sequence

static size_t source_row(const work *work, int sequence, size_t step) {
    return work->source->first_row[step] + (size_t)sequence;
}

static size_t length_of(const seq_axis *axis, int sequence) {
    size_t length = 0;
    while (length < (size_t)axis->steps && axis->rows_at[length] > sequence)
        length++;
    return length;
}

static void attend(const work *work, int source, const float *query, float *weights, float *out) {
    size_t length = length_of(work->source, source);
    float log_sum;
    memset(out, 0, work->width * sizeof *out);
    if (length == 0) return;
    for (size_t u = 0; u < length; u++)
        weights[u] = score_of(work, query, work->keys + source_row(work, source, u) * work->units);
    work->compute->kernels->softmax(weights, 1, length, length, &log_sum);
    for (size_t u = 0; u < length; u++)
        add_scaled(work->width, weights[u],
                   work->values + source_row(work, source, u) * work->width, out);
}

static float *row_of(float *rows, size_t row, size_t width) {
    return rows ? rows + row * width : NULL;
}

// slopes[u] becomes dL/d(score u).
static void attend_back(const work *work, int source, const float *query, const float *weights,
                        const float *d_out, float *d_query, float *d_parameter, float *slopes) {
    size_t length = length_of(work->source, source);
    float mean = 0;
    for (size_t u = 0; u < length; u++) {
        size_t row = source_row(work, source, u);
        slopes[u] = dot(work->width, d_out, work->values + row * work->width);
        mean += weights[u] * slopes[u];
        if (work->d_values)
            add_scaled(work->width, weights[u], d_out, work->d_values + row * work->width);
    }
    for (size_t u = 0; u < length; u++) {
        size_t row = source_row(work, source, u);
        slopes[u] = weights[u] * (slopes[u] - mean);
        differentiate_score(work, slopes[u], query, work->keys + row * work->units, d_query,
                            row_of(work->d_keys, row, work->units), d_parameter);
    }
}

// ---- all queries of a source sequence

// The first target sequence from `begin` on that reads the source sequence; or their number.
static int next_reader(const work *work, int source, int begin) {
    const seq_axis *target = work->target;
    int32_t row = work->source->of[source];
    if (target->at) return target->at[row] >= begin ? target->at[row] : target->sequences;
    while (begin < target->sequences && target->of[begin] != row)
        begin++;
    return begin;
}

typedef void query_work(const work *work, int source, size_t query_row, size_t out_row,
                        float *weights, int part);

static void each_query(const work *work, int source, int part, query_work *run) {
    const seq_axis *target = work->target;
    size_t length = length_of(work->source, source);
    float *weights = work->memory->weights;
    if (!target) {
        size_t out_row = (size_t)work->source->of[source];
        run(work, source, 0, out_row, weights + work->memory->first[source], part);
        return;
    }
    for (int b = next_reader(work, source, 0); b < target->sequences;
         b = next_reader(work, source, b + 1))
        for (int t = 0; t < target->steps && target->rows_at[t] > b; t++) {
            size_t row = target->first_row[t] + (size_t)b;
            run(work, source, row, row, weights + work->memory->first[b] + (size_t)t * length,
                part);
        }
}

static void run_forward(const work *work, int source, size_t query_row, size_t out_row,
                        float *weights, int part) {
    (void)part;
    attend(work, source, work->queries + query_row * work->units, weights,
           work->out + out_row * work->width);
}

static void run_backward(const work *work, int source, size_t query_row, size_t out_row,
                         float *weights, int part) {
    const memory *memory = work->memory;
    float *own = work->wants_parameter ? memory->d_parameter + (size_t)source * work->units : NULL;
    attend_back(work, source, work->queries + query_row * work->units, weights,
                work->d_out + out_row * work->width,
                work->target ? row_of(work->d_queries, query_row, work->units) : own,
                work->target ? own : NULL, memory->slopes + (size_t)part * memory->longest);
}

typedef struct shared_work {
    const work *work;
    query_work *run;
} shared_work;

// Longest sequences come first, so the parts take turns.
static void run_part(void *context, int part, int parts) {
    const shared_work *shared = context;
    for (int source = part; source < shared->work->source->sequences; source += parts)
        each_query(shared->work, source, part, shared->run);
}

static void run(const work *work, query_work *each) {
    shared_work shared = {work, each};
    seq_team_run(work->compute->team, run_part, &shared);
}

// Where the weights of each target sequence begin.
static void place_weights(const work *work) {
    const seq_axis *target = work->target, *source = work->source;
    size_t *first = work->memory->first;
    int count = target ? target->sequences : source->sequences;
    first[0] = 0;
    for (int b = 0; b < count; b++) {
        size_t queries = target ? length_of(target, b) : 1;
        int from = target ? source->at[target->of[b]] : b;
        first[b + 1] = first[b] + queries * length_of(source, from);
    }
}

static void sum_parameter(const work *work, bool adds, float *out) {
    size_t sequences = (size_t)work->source->sequences;
    if (!adds) memset(out, 0, work->units * sizeof *out);
    work->compute->kernels->sum_rows(work->memory->d_parameter, sequences, work->units, work->units,
                                     out);
}

// ---- nodes

static size_t units_of(const seq_node *node, int values) {
    bool keys = node->input_count > values + 1;
    return (size_t)node->input_shapes[keys ? values + 1 : values].width;
}

static void take(const seq_node *node, const seq_limits *limits, int source, size_t targets,
                 size_t pairs, size_t units, bool training, memory *out, seq_arena *kept,
                 seq_arena *scratch) {
    const seq_axis_limit *limit = &limits->axes[source];
    size_t threads = (size_t)seq_team_size(node->compute->team);
    out->longest = (size_t)limit->steps;
    out->weights = SEQ_ARENA_FLOATS(kept, pairs);
    out->first = seq_arena_take(kept, targets + 1, sizeof *out->first);
    if (!training) return;
    out->slopes = SEQ_ARENA_FLOATS(scratch, threads * out->longest);
    out->d_parameter = SEQ_ARENA_FLOATS(scratch, (size_t)limit->sequences * units);
}

// `values`: the input of values; the keys follow, where there are any.
static work work_of(const seq_node *node, seq_pass *pass, int values) {
    bool keys = node->input_count > values + 1;
    seq_node_run *value_run = seq_input(node, pass, values),
                 *key_run = keys ? seq_input(node, pass, values + 1) : value_run;
    return (work){
        .compute = node->compute,
        .memory = seq_run(node, pass)->memory,
        .source = seq_input_axis(node, pass, values),
        .units = units_of(node, values),
        .width = (size_t)node->shape.width,
        .values = value_run->values,
        .keys = key_run->values,
        .out = seq_run(node, pass)->buffer,
        .d_out = seq_run(node, pass)->gradient,
        .d_values = value_run->gradient,
        .d_keys = key_run->gradient,
    };
}

// The gradients of inputs are added to: those that are to be written begin with zeros.
static void clear_inputs(const seq_node *node, seq_pass *pass) {
    for (int i = 0; i < node->input_count; i++) {
        float *dx = seq_input(node, pass, i)->gradient;
        size_t count = seq_input_axis(node, pass, i)->rows * (size_t)node->input_shapes[i].width;
        if (dx && !seq_adds_input(node, i)) memset(dx, 0, count * sizeof *dx);
    }
}

static void differentiate(const seq_node *node, seq_pass *pass, work *work) {
    float *d_parameter = node->parameter_count ? seq_parameter_gradient(node, pass, 0) : NULL;
    size_t count = (size_t)work->source->sequences * work->units;
    work->wants_parameter = d_parameter;
    if (d_parameter) memset(work->memory->d_parameter, 0, count * sizeof *d_parameter);
    clear_inputs(node, pass);
    run(work, run_backward);
    if (d_parameter) sum_parameter(work, seq_adds_parameter(node, 0), d_parameter);
}

static void add_vector(const seq_node *node, int values, const char *name,
                       seq_parameter_list *list) {
    int units = (int)units_of(node, values);
    seq_list_parameter(list, name, units, 0, 1 / sqrt(units));
}

// ---- pooling

static seq_status pool_shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_attention_pool_options *options = node->options;
    const seq_shape *values = &node->input_shapes[0], *keys = &node->input_shapes[1];
    bool fits = values->width > 0 && node->input_count <= 2;
    if (fits && node->input_count == 2) fits = keys->width > 0 && keys->axis == values->axis;
    if (!fits)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "attention pooling needs values, and perhaps keys on the same axis");
    out->axis = options->axis;
    out->looks_ahead |= 1U << values->axis;
    return SEQ_OK;
}

static void pool_parameters(const seq_node *node, seq_parameter_list *list) {
    add_vector(node, 0, "query", list);
}

static void pool_plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                      seq_arena *kept, seq_arena *scratch) {
    int axis = node->input_shapes[0].axis;
    take(node, limits, axis, (size_t)limits->axes[axis].sequences, limits->axes[axis].rows,
         units_of(node, 0), training, out, kept, scratch);
}

static work pool_work(const seq_node *node, seq_pass *pass) {
    work work = work_of(node, pass, 0);
    assert(work.source->parent == node->shape.axis);
    work.score = SEQ_ATTENTION_DOT;
    work.queries = seq_parameter_values(node, pass, 0);
    return work;
}

static void pool_forward(const seq_node *node, seq_pass *pass) {
    work work = pool_work(node, pass);
    place_weights(&work);
    memset(work.out, 0, seq_node_axis(node, pass)->rows * work.width * sizeof *work.out);
    run(&work, run_forward);
}

static void pool_backward(const seq_node *node, seq_pass *pass) {
    work work = pool_work(node, pass);
    differentiate(node, pass, &work);
}

const seq_layer_kind seq_layer_attention_pool = {
    .node = {.name = "attention-pool",
             .options = sizeof(seq_attention_pool_options),
             .memory = sizeof(memory),
             .shape = pool_shape,
             .parameters = pool_parameters,
             .plan = pool_plan},
    .forward = pool_forward,
    .backward = pool_backward,
};

// ---- attention of rows

static seq_attention_score score_kind(const seq_node *node) {
    return ((const seq_attention_options *)node->options)->score;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    bool fits = node->input_count == 2 || node->input_count == 3;
    for (int i = 0; i < node->input_count; i++)
        fits = fits && inputs[i].width > 0;
    fits = fits && (node->input_count < 3 || inputs[2].axis == inputs[1].axis);
    if (!fits || inputs[0].width != (int)units_of(node, 1))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "attention needs queries, values and keys: keys are as wide as "
                             "queries, and on the axis of the values");
    out->width = inputs[1].width;
    out->looks_ahead |= 1U << inputs[1].axis;
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    if (score_kind(node) == SEQ_ATTENTION_ADDITIVE) add_vector(node, 1, "v", list);
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    int target = node->shape.axis, source = node->input_shapes[1].axis;
    take(node, limits, source, (size_t)limits->axes[target].sequences,
         limits->pairs[target][source], units_of(node, 1), training, out, kept, scratch);
}

static work row_work(const seq_node *node, seq_pass *pass) {
    work work = work_of(node, pass, 1);
    work.score = score_kind(node);
    work.target = seq_node_axis(node, pass);
    assert(work.target->parent == work.source->parent);
    work.queries = seq_input(node, pass, 0)->values;
    work.d_queries = seq_input(node, pass, 0)->gradient;
    if (node->parameter_count) work.parameter = seq_parameter_values(node, pass, 0);
    return work;
}

static void forward(const seq_node *node, seq_pass *pass) {
    work work = row_work(node, pass);
    place_weights(&work);
    run(&work, run_forward);
}

static const float *weights_of(const seq_node_run *run, int sequence, int *out_length) {
    const memory *memory = run->memory;
    *out_length = (int)(memory->first[sequence + 1] - memory->first[sequence]);
    return memory->weights + memory->first[sequence];
}

static void backward(const seq_node *node, seq_pass *pass) {
    work work = row_work(node, pass);
    differentiate(node, pass, &work);
}

const seq_layer_kind seq_layer_attention = {
    .node = {.name = "attention",
             .options = sizeof(seq_attention_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .attention = weights_of,
    .forward = forward,
    .backward = backward,
};
