// A recurrent layer with attention inside its loop over time. In each step the
// products go over all sequences, shared by columns; attention goes item by item
// (decoder_attention.c). The fed-back vector has columns of weight_ih behind those
// of the inputs, whose products are computed for all steps at once. Invariant: a
// sequence's values depend on its own rows and its source only. Tests:
// tests/unit/nn/test_decoder.c, tests/golden/test_decoders.c.
#include "decoder_private.h"
#include <math.h>
#include <string.h>

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
    decoder_places at = places_of(node);
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

static void plan_backward(const seq_node *node, const seq_limits *limits, decoder_memory *memory,
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
    decoder_memory *memory = out;
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
// ---- Luong: the state of a step asks, and what it saw is fed into the next

static float *out_after(const decoder_work *work, int t) {
    return work->memory->out +
           ((size_t)work->target->sequences + work->target->first_row[t]) * work->hidden;
}

static const float *feed_out(void *context, int t, size_t *out_stride) {
    const decoder_work *work = context;
    *out_stride = work->hidden;
    return work->memory->out + seq_tape_row_before(work->target, t) * work->hidden;
}

static void squash_out_part(void *context, int part, int parts) {
    const decoder_work *work = context;
    size_t count = (size_t)work->target->rows_at[work->step] * work->hidden;
    size_t begin = seq_share_begin(count, part, parts),
           end = seq_share_begin(count, part + 1, parts);
    work->compute->kernels->tanh(out_after(work, work->step) + begin, end - begin);
}

static void make_out(void *context, int t) {
    decoder_work *work = context;
    seq_decoder_attend(work, t, hidden_after(work, t));
    seq_compute_rows(work->compute, (size_t)work->target->rows_at[t], work->seen, work->hidden,
                     work->memory->seen + row_of(work, 0) * work->seen,
                     seq_packed(work->node, work->pass, places_of(work->node).out_forward), NULL,
                     out_after(work, t));
    seq_team_run(work->compute->team, squash_out_part, work);
}

// C = A B, or += that, of a step's rows.
static void multiply_rows(const decoder_work *work, int t, size_t n, size_t k, const float *a,
                          int packed, bool adds, float *c, size_t ldc) {
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
    decoder_work *work = context;
    const decoder_memory *memory = work->memory;
    decoder_places at = places_of(work->node);
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
    seq_decoder_attend_back(work, t, hidden_after(work, t), d_hidden);
}

static size_t gate_columns(const decoder_work *work) {
    return (size_t)work->layer.cell->gates * work->hidden;
}

static const float *gates_at(const decoder_work *work, int t) {
    return work->memory->recurrent.tape.gates + work->target->first_row[t] * gate_columns(work);
}

// What was fed into the first step is no step's.
static void feed_out_back(void *context, int t) {
    const decoder_work *work = context;
    float *gradient = seq_run(work->node, work->pass)->gradient;
    if (t == 0) return;
    multiply_rows(work, t, work->hidden, gate_columns(work), gates_at(work, t),
                  places_of(work->node).fed_back, true,
                  gradient + work->target->first_row[t - 1] * work->hidden, work->hidden);
}

// ---- Bahdanau: the state before a step asks, and the cell reads what it saw

static const float *feed_context(void *context, int t, size_t *out_stride) {
    decoder_work *work = context;
    seq_decoder_attend(work, t, hidden_before(work, t));
    *out_stride = work->seen;
    return work->memory->seen + row_of(work, 0) * work->seen + work->hidden;
}

static void feed_context_back(void *context, int t) {
    decoder_work *work = context;
    const decoder_memory *memory = work->memory;
    float *d_context = seq_run(work->node, work->pass)->gradient + work->hidden;
    multiply_rows(work, t, work->width, gate_columns(work), gates_at(work, t),
                  places_of(work->node).fed_back, true,
                  d_context + work->target->first_row[t] * work->seen, work->seen);
    work->d_context = d_context;
    work->d_stride = work->seen;
    seq_decoder_attend_back(work, t, hidden_before(work, t),
                            t ? memory->d_hidden + work->target->first_row[t - 1] * work->hidden
                              : memory->d_first);
}

// ---- forward

static seq_recurrent_feed feed_of(decoder_work *work) {
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
static void place_pairs(const decoder_work *work) {
    const decoder_memory *memory = work->memory;
    seq_decoder_lengths(work->target, memory->pair);
    for (int b = 0; b < work->target->sequences; b++) {
        int source = work->source->at[work->target->of[b]];
        memory->pair[b + 1] = memory->pair[b] + memory->pair[b + 1] * (memory->first[source + 1] -
                                                                       memory->first[source]);
    }
}

// The block behind those of the cell.
static float *carried_out(const decoder_work *work, const float *state) {
    size_t block = (size_t)work->target->sequences * work->hidden;
    return (float *)state + block * (work->layer.cell->memory ? 2 : 1);
}

static void load_out(const decoder_work *work) {
    const float *state = seq_run(work->node, work->pass)->state_before;
    size_t bytes = (size_t)work->target->sequences * work->hidden * sizeof *state;
    if (state && work->target->continues)
        memcpy(work->memory->out, carried_out(work, state), bytes);
    else
        memset(work->memory->out, 0, bytes);
}

static void store_out(const decoder_work *work, float *state) {
    float *out = carried_out(work, state);
    for (int b = 0; b < work->target->sequences; b++)
        memcpy(out + (size_t)b * work->hidden,
               work->memory->out + seq_tape_last_row(work->target, b) * work->hidden,
               work->hidden * sizeof *out);
}

static void copy_hidden_part(void *context, int part, int parts) {
    const decoder_work *work = context;
    size_t rows = work->target->rows, end = seq_share_begin(rows, part + 1, parts);
    const float *hidden =
        work->memory->recurrent.tape.hidden + (size_t)work->target->sequences * work->hidden;
    for (size_t row = seq_share_begin(rows, part, parts); row < end; row++)
        memcpy(work->memory->seen + row * work->seen, hidden + row * work->hidden,
               work->hidden * sizeof *hidden);
}

static void forward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    decoder_work work = seq_decoder_work_of(node, pass);
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
    const decoder_memory *memory = run->memory;
    *out_length = (int)(memory->pair[sequence + 1] - memory->pair[sequence]);
    return memory->weights + memory->pair[sequence];
}

// ---- backward

static void clear_input(const decoder_work *work, int input) {
    float *dx = seq_input(work->node, work->pass, input)->gradient;
    size_t width = (size_t)work->node->input_shapes[input].width;
    if (dx && !seq_adds_input(work->node, input))
        memset(dx, 0, work->source->rows * width * sizeof *dx);
}

static void outer(const decoder_work *work, int parameter, size_t m, const float *a, size_t n,
                  size_t first_column, size_t ldc) {
    float *out = seq_parameter_gradient(work->node, work->pass, parameter);
    seq_compute_outer(work->compute, work->target->rows, m, n, a, m,
                      work->memory->recurrent.scratch.packed,
                      seq_adds_parameter(work->node, parameter), out + first_column, ldc);
}

static bool wants(const decoder_work *work, int parameter) {
    return !(work->node->frozen >> parameter & 1);
}

static void pack_before(const decoder_work *work, size_t width, const float *rows) {
    const seq_recurrent_scratch *scratch = &work->memory->recurrent.scratch;
    seq_compute_pack_rows(work->compute, width, work->target->rows, rows, width,
                          seq_tape_rows_before(work->target, scratch->before), scratch->packed);
}

static void fed_gradient(const decoder_work *work) {
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

static void out_gradient(const decoder_work *work) {
    int out = places_of(work->node).out;
    if (!is_luong(work->node) || !wants(work, out)) return;
    seq_compute_pack(work->compute, SEQ_PLAIN, work->seen, work->target->rows, work->memory->seen,
                     work->seen, work->memory->recurrent.scratch.packed);
    outer(work, out, work->hidden, seq_run(work->node, work->pass)->gradient, work->seen, 0,
          work->seen);
}

static void query_gradients(const decoder_work *work) {
    const decoder_memory *memory = work->memory;
    decoder_places at = places_of(work->node);
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
static void begin_backward(const decoder_work *work) {
    const decoder_memory *memory = work->memory;
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
    decoder_work work = seq_decoder_work_of(node, pass);
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
    seq_decoder_add_to_source(&work);
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
             .memory = sizeof(decoder_memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .recurs = true,
    .keeps_values = true,
    .needs_values = true,
    .state = state,
    .attention = attention,
    .begin = seq_decoder_copy_source,
    .forward = forward,
    .backward = backward,
};
