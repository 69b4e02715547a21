// Attention inside the loop over time of recurrent.c. Values and keys are copied
// once a batch, item by item, so that an item's rows follow each other. In each
// step the products go over all sequences, shared by columns; scores, softmax
// and context go item by item. Slopes and contexts are kept, and gradients of
// values and keys are made at the end, an item at a time. Additive scores are
// computed again in backward. Invariant: an item's sums run over its own steps
// in their order, by one thread, so neither batch nor threads change a bit.
// Tests: tests/unit/nn/test_decoder.c, tests/golden/test_decoders.c.
#include "recurrent_node.h"
#include <seqtrain/nn/decoder.h>
#include <math.h>
#include <string.h>

enum { INPUTS, VALUES, KEYS, START };

typedef struct memory {
    seq_recurrent_memory recurrent; // the first
    float *values, *keys;           // (M, W), (M, A): item by item
    size_t *first;                  // (S + 1): an item's first row in them
    size_t *pair;                   // (B + 1): where a sequence's weights begin, step by step
    float *weights;                 // (pairs)
    float *queries;                 // additive: (N, A)
    float *seen;                    // (N, H + W): h<t>, c<t>
    float *out;                     // luong: (B + N, H), in the order of a tape
    float *squashed;                // additive: (threads, PIECE, A)
    // Backward.
    float *slopes;    // (pairs): dL/d(score)
    float *d_hidden;  // (N, H): dL/dh<t>
    float *d_context; // luong: (N, W)
    float *d_queries; // additive: (N, A)
    float *d_keys;    // additive: (M, A), item by item
    float *d_v;       // additive: (S, A)
    float *d_first;   // bahdanau: (B, H), dL/dh<0> of the queries
    float *gathered;  // (threads, T, widest): rows of one item
    size_t steps, widest;
} memory;

// Rows of keys whose tanh is made at once.
enum { PIECE = 8 };

static const seq_decoder_layer_options *options_of(const seq_node *node) {
    return node->options;
}

static bool is_additive(const seq_node *node) {
    return options_of(node)->score == SEQ_ATTENTION_ADDITIVE;
}

static bool is_luong(const seq_node *node) {
    return options_of(node)->order == SEQ_ORDER_LUONG;
}

static int hidden_of(const seq_node *node) {
    return options_of(node)->recurrent.hidden;
}

// Columns of weight_ih behind the inputs'.
static int fed_of(const seq_node *node) {
    return is_luong(node) ? hidden_of(node) : node->input_shapes[VALUES].width;
}

static int seen_of(const seq_node *node) {
    return hidden_of(node) + node->input_shapes[VALUES].width;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    bool fits = node->input_count == START + 1 && inputs[VALUES].width > 0 &&
                inputs[KEYS].width > 0 && inputs[VALUES].axis == inputs[KEYS].axis;
    if (!fits)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a decoder reads rows, values and keys of one axis, and a start");
    if (!is_additive(node) && inputs[KEYS].width != hidden_of(node))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "attention: keys of %d units cannot be multiplied with a state of %d "
                             "units",
                             inputs[KEYS].width, hidden_of(node));
    out->width = is_luong(node) ? hidden_of(node) : seen_of(node);
    out->looks_ahead |= 1U << inputs[VALUES].axis;
    return seq_recurrent_check(node, START, error);
}

// ---- parameters

// Places among the parameters and the packed matrices behind those of a recurrent layer. Backward
// ones lie behind all forward ones.
typedef struct places {
    int out, query, v; // parameters
    int fed, out_forward, query_forward;
    int fed_back, hidden_back, context_back, query_back;
} places;

static places places_of(const seq_node *node) {
    const seq_cell *cell = options_of(node)->recurrent.cell;
    places at = {.out = cell->peephole ? SEQ_RECURRENT_PARAMETERS : SEQ_WEIGHT_CH};
    at.query = at.out + is_luong(node);
    at.v = at.query + 1;
    // W_ih, the gates of W_hh, then back: W_ih, W_hh and perhaps its last gate.
    at.fed = 1 + cell->gates + 2 + (cell->last_gate != SEQ_LAST_LIKE_OTHERS);
    at.fed_back = at.fed + cell->gates;
    at.out_forward = at.fed_back + 1;
    at.hidden_back = at.out_forward + 1;
    at.context_back = at.hidden_back + 1;
    at.query_forward = is_luong(node) ? at.context_back + 1 : at.out_forward;
    at.query_back = at.query_forward + 1;
    return at;
}

static void add_fed(const seq_node *node, seq_parameter_list *list) {
    seq_packed_need need = seq_whole_matrix(list, SEQ_WEIGHT_IH, false);
    need.first_column = node->input_shapes[INPUTS].width;
    need.columns = fed_of(node);
    for (int gate = 0; gate < options_of(node)->recurrent.cell->gates; gate++) {
        need.first = gate * hidden_of(node);
        need.rows = hidden_of(node);
        need.adjacent = gate > 0;
        seq_list_packed(list, need);
    }
    need = seq_whole_matrix(list, SEQ_WEIGHT_IH, true);
    need.first_column = node->input_shapes[INPUTS].width;
    need.columns = fed_of(node);
    seq_list_packed(list, need);
}

static void add_out(const seq_node *node, int out, seq_parameter_list *list) {
    int hidden = hidden_of(node), seen = seen_of(node);
    seq_list_parameter(list, "weight_out", hidden, seen, 1 / sqrt(seen));
    seq_list_packed(list, seq_whole_matrix(list, out, false));
    seq_packed_need need = seq_whole_matrix(list, out, true);
    need.columns = hidden;
    seq_list_packed(list, need);
    need.first_column = hidden;
    need.columns = seen - hidden;
    seq_list_packed(list, need);
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    places at = places_of(node);
    int hidden = hidden_of(node), units = node->input_shapes[KEYS].width;
    seq_recurrent_needs(node, fed_of(node), list);
    add_fed(node, list);
    if (is_luong(node)) add_out(node, at.out, list);
    if (!is_additive(node)) return;
    seq_list_parameter(list, "weight_query", units, hidden, 1 / sqrt(hidden));
    seq_list_parameter(list, "v", units, 0, 1 / sqrt(units));
    seq_list_packed(list, seq_whole_matrix(list, at.query, false));
    seq_list_packed(list, seq_whole_matrix(list, at.query, true));
}

// ---- memory

static void plan_backward(const seq_node *node, const seq_limits *limits, memory *memory,
                          seq_arena *scratch) {
    const seq_axis_limit *target = &limits->axes[node->shape.axis],
                         *source = &limits->axes[node->input_shapes[VALUES].axis];
    size_t width = (size_t)node->input_shapes[VALUES].width,
           units = (size_t)node->input_shapes[KEYS].width, hidden = (size_t)hidden_of(node);
    memory->steps = (size_t)target->steps;
    memory->widest = width > units ? width : units;
    memory->slopes =
        SEQ_ARENA_FLOATS(scratch, limits->pairs[node->shape.axis][node->input_shapes[VALUES].axis]);
    memory->d_hidden = SEQ_ARENA_FLOATS(scratch, target->rows * hidden);
    memory->gathered = SEQ_ARENA_FLOATS(scratch, (size_t)seq_team_size(node->compute->team) *
                                                     memory->steps * memory->widest);
    if (is_luong(node))
        memory->d_context = SEQ_ARENA_FLOATS(scratch, target->rows * width);
    else
        memory->d_first = SEQ_ARENA_FLOATS(scratch, (size_t)target->sequences * hidden);
    if (!is_additive(node)) return;
    memory->d_queries = SEQ_ARENA_FLOATS(scratch, target->rows * units);
    memory->d_keys = SEQ_ARENA_FLOATS(scratch, source->rows * units);
    memory->d_v = SEQ_ARENA_FLOATS(scratch, (size_t)source->sequences * units);
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    int axis = node->shape.axis, other = node->input_shapes[VALUES].axis;
    const seq_axis_limit *target = &limits->axes[axis], *source = &limits->axes[other];
    size_t width = (size_t)node->input_shapes[VALUES].width,
           units = (size_t)node->input_shapes[KEYS].width, hidden = (size_t)hidden_of(node),
           threads = (size_t)seq_team_size(node->compute->team);
    seq_recurrent_plan(node, limits, training, seen_of(node), true, &memory->recurrent, kept,
                       scratch);
    memory->values = SEQ_ARENA_FLOATS(kept, source->rows * width);
    memory->keys = SEQ_ARENA_FLOATS(kept, source->rows * units);
    memory->first = seq_arena_take(kept, (size_t)source->sequences + 1, sizeof *memory->first);
    memory->pair = seq_arena_take(kept, (size_t)target->sequences + 1, sizeof *memory->pair);
    memory->weights = SEQ_ARENA_FLOATS(kept, limits->pairs[axis][other]);
    memory->seen = SEQ_ARENA_FLOATS(kept, target->rows * (hidden + width));
    if (is_luong(node))
        memory->out = SEQ_ARENA_FLOATS(kept, (target->rows + (size_t)target->sequences) * hidden);
    if (is_additive(node)) {
        memory->queries = SEQ_ARENA_FLOATS(kept, target->rows * units);
        memory->squashed = SEQ_ARENA_FLOATS(scratch, threads * PIECE * units);
    }
    if (training) plan_backward(node, limits, memory, scratch);
}

static int state(const seq_node *node, size_t widths[SEQ_STATES]) {
    int count = options_of(node)->recurrent.cell->memory ? 2 : 1;
    widths[0] = widths[1] = (size_t)hidden_of(node);
    if (is_luong(node)) widths[count++] = (size_t)hidden_of(node);
    return count;
}

// ---- the source, item by item

// out[b + 1] becomes the length of sequence b; out[0] = 0.
static void place(const seq_axis *axis, size_t *out) {
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

// A node's work in one pass.
typedef struct work {
    const seq_node *node;
    seq_pass *pass;
    const seq_compute *compute;
    memory *memory;
    seq_recurrent layer;
    const seq_axis *target, *source;
    size_t hidden, width, units, seen; // H, W, A, H + W
    const float *v;                    // additive
    float scale;                       // of scores
    int step;
    const float *rows; // of the step: states that ask
    const float *d_context;
    size_t d_stride;
    float *d_rows; // of the step: gradients of the states that ask
} work;

static work work_of(const seq_node *node, seq_pass *pass) {
    work work = {
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

static void copy_part(void *context, int part, int parts) {
    const work *work = context;
    const memory *memory = work->memory;
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

static void begin(const seq_node *node, seq_pass *pass) {
    work work = work_of(node, pass);
    place(work.source, work.memory->first);
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

static item item_of(const work *work, int sequence) {
    const memory *memory = work->memory;
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
static size_t squash(const work *work, const item *item, size_t from, const float *query,
                     float *out) {
    size_t count = item->length - from < PIECE ? item->length - from : PIECE;
    memcpy(out, item->keys + from * work->units, count * work->units * sizeof *out);
    work->compute->kernels->add_rows(out, count, work->units, work->units, query);
    work->compute->kernels->tanh(out, count * work->units);
    return count;
}

static void score(const work *work, const item *item, const float *query, int part, float *out) {
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

static size_t row_of(const work *work, int sequence) {
    return work->target->first_row[work->step] + (size_t)sequence;
}

static const float *query_of(const work *work, int sequence) {
    return is_additive(work->node) ? work->memory->queries + row_of(work, sequence) * work->units
                                   : work->rows + (size_t)sequence * work->hidden;
}

static void attend_part(void *context, int part, int parts) {
    const work *work = context;
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
static void attend(work *work, int t, const float *rows) {
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
static void differentiate_scores(const work *work, const item *item, const float *query, int part,
                                 const float *slopes, float *d_query) {
    const memory *memory = work->memory;
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
    const work *work = context;
    const memory *memory = work->memory;
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
static void attend_back(work *work, int t, const float *rows, float *d_rows) {
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

// ---- Luong: the state of a step asks, and what it saw is fed into the next

static const float *hidden_after(const work *work, int t) {
    return work->memory->recurrent.tape.hidden +
           ((size_t)work->target->sequences + work->target->first_row[t]) * work->hidden;
}

static float *out_after(const work *work, int t) {
    return work->memory->out +
           ((size_t)work->target->sequences + work->target->first_row[t]) * work->hidden;
}

static const float *feed_out(void *context, int t, size_t *out_stride) {
    const work *work = context;
    *out_stride = work->hidden;
    return work->memory->out + seq_tape_row_before(work->target, t) * work->hidden;
}

static void squash_out_part(void *context, int part, int parts) {
    const work *work = context;
    size_t count = (size_t)work->target->rows_at[work->step] * work->hidden;
    size_t begin = seq_share_begin(count, part, parts),
           end = seq_share_begin(count, part + 1, parts);
    work->compute->kernels->tanh(out_after(work, work->step) + begin, end - begin);
}

static void make_out(void *context, int t) {
    work *work = context;
    attend(work, t, hidden_after(work, t));
    seq_compute_rows(work->compute, (size_t)work->target->rows_at[t], work->seen, work->hidden,
                     work->memory->seen + row_of(work, 0) * work->seen,
                     seq_packed(work->node, work->pass, places_of(work->node).out_forward), NULL,
                     out_after(work, t));
    seq_team_run(work->compute->team, squash_out_part, work);
}

// C = A B, or += that, of a step's rows.
static void multiply_rows(const work *work, int t, size_t n, size_t k, const float *a, int packed,
                          bool adds, float *c, size_t ldc) {
    seq_compute_multiply(work->compute,
                         (seq_product){.m = (size_t)work->target->rows_at[t],
                                       .n = n,
                                       .k = k,
                                       .a = a,
                                       .lda = k,
                                       .b = seq_packed(work->node, work->pass, packed),
                                       .accumulate = adds,
                                       .c = c,
                                       .ldc = ldc});
}

static void make_out_back(void *context, int t) {
    work *work = context;
    const memory *memory = work->memory;
    places at = places_of(work->node);
    size_t first = work->target->first_row[t], hidden = work->hidden,
           count = (size_t)work->target->rows_at[t] * hidden;
    float *d_out = seq_run(work->node, work->pass)->gradient + first * hidden,
          *d_hidden = memory->d_hidden + first * hidden;
    const float *out = out_after(work, t);
    for (size_t i = 0; i < count; i++)
        d_out[i] *= 1 - out[i] * out[i];
    multiply_rows(work, t, hidden, hidden, d_out, at.hidden_back, false, d_hidden, hidden);
    multiply_rows(work, t, work->width, hidden, d_out, at.context_back, false,
                  memory->d_context + first * work->width, work->width);
    work->d_context = memory->d_context;
    work->d_stride = work->width;
    attend_back(work, t, hidden_after(work, t), d_hidden);
}

static size_t gate_columns(const work *work) {
    return (size_t)work->layer.cell->gates * work->hidden;
}

static const float *gates_at(const work *work, int t) {
    return work->memory->recurrent.tape.gates + work->target->first_row[t] * gate_columns(work);
}

// What was fed into the first step is no step's.
static void feed_out_back(void *context, int t) {
    const work *work = context;
    float *gradient = seq_run(work->node, work->pass)->gradient;
    if (t == 0) return;
    multiply_rows(work, t, work->hidden, gate_columns(work), gates_at(work, t),
                  places_of(work->node).fed_back, true,
                  gradient + work->target->first_row[t - 1] * work->hidden, work->hidden);
}

// ---- Bahdanau: the state before a step asks, and the cell reads what it saw

static const float *hidden_before(const work *work, int t) {
    return work->memory->recurrent.tape.hidden +
           seq_tape_row_before(work->target, t) * work->hidden;
}

static const float *feed_context(void *context, int t, size_t *out_stride) {
    work *work = context;
    attend(work, t, hidden_before(work, t));
    *out_stride = work->seen;
    return work->memory->seen + row_of(work, 0) * work->seen + work->hidden;
}

static void feed_context_back(void *context, int t) {
    work *work = context;
    const memory *memory = work->memory;
    float *d_context = seq_run(work->node, work->pass)->gradient + work->hidden;
    multiply_rows(work, t, work->width, gate_columns(work), gates_at(work, t),
                  places_of(work->node).fed_back, true,
                  d_context + work->target->first_row[t] * work->seen, work->seen);
    work->d_context = d_context;
    work->d_stride = work->seen;
    attend_back(work, t, hidden_before(work, t),
                t ? memory->d_hidden + work->target->first_row[t - 1] * work->hidden
                  : memory->d_first);
}

// ---- forward

static seq_recurrent_feed feed_of(work *work) {
    bool luong = is_luong(work->node);
    return (seq_recurrent_feed){
        .context = work,
        .width = (size_t)fed_of(work->node),
        .packed = seq_packed(work->node, work->pass, places_of(work->node).fed),
        .before = luong ? feed_out : feed_context,
        .after = luong ? make_out : NULL,
        .after_back = luong ? make_out_back : NULL,
        .before_back = luong ? feed_out_back : feed_context_back,
    };
}

// Where the weights of each sequence begin: steps times the length of its source.
static void place_pairs(const work *work) {
    const memory *memory = work->memory;
    place(work->target, memory->pair);
    for (int b = 0; b < work->target->sequences; b++) {
        int source = work->source->at[work->target->of[b]];
        memory->pair[b + 1] = memory->pair[b] + memory->pair[b + 1] * (memory->first[source + 1] -
                                                                       memory->first[source]);
    }
}

// The block behind those of the cell.
static float *carried_out(const work *work, const float *state) {
    size_t block = (size_t)work->target->sequences * work->hidden;
    return (float *)state + block * (work->layer.cell->memory ? 2 : 1);
}

static void load_out(const work *work) {
    const float *state = seq_run(work->node, work->pass)->state_before;
    size_t bytes = (size_t)work->target->sequences * work->hidden * sizeof *state;
    if (state && work->target->continues)
        memcpy(work->memory->out, carried_out(work, state), bytes);
    else
        memset(work->memory->out, 0, bytes);
}

static void store_out(const work *work, float *state) {
    float *out = carried_out(work, state);
    for (int b = 0; b < work->target->sequences; b++)
        memcpy(out + (size_t)b * work->hidden,
               work->memory->out + seq_tape_last_row(work->target, b) * work->hidden,
               work->hidden * sizeof *out);
}

static void copy_hidden_part(void *context, int part, int parts) {
    const work *work = context;
    size_t rows = work->target->rows, end = seq_share_begin(rows, part + 1, parts);
    const float *hidden =
        work->memory->recurrent.tape.hidden + (size_t)work->target->sequences * work->hidden;
    for (size_t row = seq_share_begin(rows, part, parts); row < end; row++)
        memcpy(work->memory->seen + row * work->seen, hidden + row * work->hidden,
               work->hidden * sizeof *hidden);
}

static void forward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    work work = work_of(node, pass);
    seq_recurrent_feed feed = feed_of(&work);
    seq_tape *tape = &work.memory->recurrent.tape;
    seq_recurrent_weights weights = seq_recurrent_weights_of(node, pass);
    assert(work.target->parent == work.source->parent);
    work.layer.feed = &feed;
    place_pairs(&work);
    seq_recurrent_begin(node, pass, START);
    if (is_luong(node)) load_out(&work);
    seq_recurrent_forward(&work.layer, &weights, tape, work.target,
                          seq_input(node, pass, INPUTS)->values);
    if (!is_luong(node)) seq_team_run(work.compute->team, copy_hidden_part, &work);
    if (run->state_after) seq_recurrent_store(&work.layer, tape, work.target, run->state_after);
    if (run->state_after && is_luong(node)) store_out(&work, run->state_after);
    run->values = is_luong(node) ? work.memory->out + (size_t)work.target->sequences * work.hidden
                                 : work.memory->seen;
}

static const float *attention(const seq_node_run *run, int sequence, int *out_length) {
    const memory *memory = run->memory;
    *out_length = (int)(memory->pair[sequence + 1] - memory->pair[sequence]);
    return memory->weights + memory->pair[sequence];
}

// ---- backward

static void clear_input(const work *work, int input) {
    float *dx = seq_input(work->node, work->pass, input)->gradient;
    size_t width = (size_t)work->node->input_shapes[input].width;
    if (dx && !seq_adds_input(work->node, input))
        memset(dx, 0, work->source->rows * width * sizeof *dx);
}

// What the steps of a sequence hand to the rows of its item: the sum over steps of
// factors[t][u] * rows[t].
static void add_to_item(const work *work, const item *item, size_t steps, const float *factors,
                        const float *gathered, size_t width, float *out) {
    for (size_t u = 0; u < item->length; u++)
        work->compute->kernels->weigh(out + (work->source->first_row[u] + (size_t)item->source) *
                                                width,
                                      factors + u, item->length, gathered, steps, width, width);
}

// The states that asked, of one sequence.
static void gather_queries(const work *work, int sequence, size_t steps, float *out) {
    for (size_t t = 0; t < steps; t++) {
        const float *rows =
            is_luong(work->node) ? hidden_after(work, (int)t) : hidden_before(work, (int)t);
        memcpy(out + t * work->hidden, rows + (size_t)sequence * work->hidden,
               work->hidden * sizeof *out);
    }
}

static void add_keys(const work *work, const item *item, int sequence, size_t steps,
                     float *gathered, float *d_keys) {
    const memory *memory = work->memory;
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
    work work = *(const struct work *)context;
    const memory *memory = work.memory;
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

static void outer(const work *work, int parameter, size_t m, const float *a, size_t n,
                  size_t first_column, size_t ldc) {
    float *out = seq_parameter_gradient(work->node, work->pass, parameter);
    seq_compute_outer(work->compute, work->target->rows, m, n, a, m,
                      work->memory->recurrent.scratch.packed,
                      seq_adds_parameter(work->node, parameter), out + first_column, ldc);
}

static bool wants(const work *work, int parameter) {
    return !(work->node->frozen >> parameter & 1);
}

static void pack_before(const work *work, size_t width, const float *rows) {
    const seq_recurrent_scratch *scratch = &work->memory->recurrent.scratch;
    seq_compute_pack_rows(work->compute, width, work->target->rows, rows, width,
                          seq_tape_rows_before(work->target, scratch->before), scratch->packed);
}

static void fed_gradient(const work *work) {
    size_t inputs = (size_t)work->layer.inputs, fed = (size_t)fed_of(work->node);
    if (!wants(work, SEQ_WEIGHT_IH)) return;
    if (is_luong(work->node))
        pack_before(work, work->hidden, work->memory->out);
    else
        seq_compute_pack(work->compute, SEQ_PLAIN, fed, work->target->rows,
                         work->memory->seen + work->hidden, work->seen,
                         work->memory->recurrent.scratch.packed);
    outer(work, SEQ_WEIGHT_IH, gate_columns(work), work->memory->recurrent.tape.gates, fed, inputs,
          inputs + fed);
}

static void out_gradient(const work *work) {
    int out = places_of(work->node).out;
    if (!is_luong(work->node) || !wants(work, out)) return;
    seq_compute_pack(work->compute, SEQ_PLAIN, work->seen, work->target->rows, work->memory->seen,
                     work->seen, work->memory->recurrent.scratch.packed);
    outer(work, out, work->hidden, seq_run(work->node, work->pass)->gradient, work->seen, 0,
          work->seen);
}

static void query_gradients(const work *work) {
    const memory *memory = work->memory;
    places at = places_of(work->node);
    if (!is_additive(work->node)) return;
    if (wants(work, at.query)) {
        if (is_luong(work->node))
            seq_compute_pack(work->compute, SEQ_PLAIN, work->hidden, work->target->rows,
                             memory->recurrent.tape.hidden +
                                 (size_t)work->target->sequences * work->hidden,
                             work->hidden, memory->recurrent.scratch.packed);
        else
            pack_before(work, work->hidden, memory->recurrent.tape.hidden);
        outer(work, at.query, work->units, memory->d_queries, work->hidden, 0, work->hidden);
    }
    float *d_v = seq_parameter_gradient(work->node, work->pass, at.v);
    if (d_v && !seq_adds_parameter(work->node, at.v)) memset(d_v, 0, work->units * sizeof *d_v);
    if (d_v)
        work->compute->kernels->sum_rows(memory->d_v, (size_t)work->source->sequences, work->units,
                                         work->units, d_v);
}

// Before the loop: what the steps add to.
static void begin_backward(const work *work) {
    const memory *memory = work->memory;
    const float *gradient = seq_run(work->node, work->pass)->gradient;
    clear_input(work, VALUES);
    clear_input(work, KEYS);
    if (is_additive(work->node)) {
        memset(memory->d_keys, 0, work->source->rows * work->units * sizeof *memory->d_keys);
        memset(memory->d_v, 0, (size_t)work->source->sequences * work->units * sizeof *memory->d_v);
    }
    if (is_luong(work->node)) return;
    for (size_t row = 0; row < work->target->rows; row++)
        memcpy(memory->d_hidden + row * work->hidden, gradient + row * work->seen,
               work->hidden * sizeof *gradient);
    memset(memory->d_first, 0,
           (size_t)work->target->sequences * work->hidden * sizeof *memory->d_first);
}

static void backward(const seq_node *node, seq_pass *pass) {
    work work = work_of(node, pass);
    seq_recurrent_feed feed = feed_of(&work);
    seq_recurrent_memory *recurrent = &work.memory->recurrent;
    seq_recurrent_weights weights = seq_recurrent_weights_of(node, pass);
    seq_recurrent_gradients gradients =
        seq_recurrent_gradients_of(node, pass, work.memory->d_hidden);
    bool starts = seq_input(node, pass, START)->gradient;
    if (starts) gradients.hidden = recurrent->d_start;
    double *squares =
        pass->squares ? pass->squares + (size_t)node->recurrent * (size_t)work.target->steps : NULL;
    work.layer.feed = &feed;
    work.d_context = work.memory->d_context; // where there is no step
    begin_backward(&work);
    seq_recurrent_backward(&work.layer, &weights, &recurrent->tape, work.target,
                           seq_input(node, pass, INPUTS)->values, &gradients, &recurrent->scratch,
                           squares);
    seq_team_run(work.compute->team, source_part, &work);
    fed_gradient(&work);
    out_gradient(&work);
    query_gradients(&work);
    seq_recurrent_mask_gradient(node, pass);
    if (!starts) return;
    if (!is_luong(node))
        work.compute->kernels->add(recurrent->d_start, work.memory->d_first,
                                   (size_t)work.target->sequences * work.hidden);
    seq_recurrent_add_start(node, pass, START);
}

const seq_layer_kind seq_layer_decoder = {
    .node = {.name = "decoder",
             .options = sizeof(seq_decoder_layer_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .recurs = true,
    .keeps_values = true,
    .needs_values = true,
    .state = state,
    .attention = attention,
    .begin = begin,
    .forward = forward,
    .backward = backward,
};
