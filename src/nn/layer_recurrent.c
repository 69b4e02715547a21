// One recurrent layer as a node: the time loop of recurrent.c over a tape of
// its own. Its values are the tape's row blocks behind the initial state, which
// comes from the batch before, from a node, or is zero.
// Invariant: the state is read before the tape is written, and written when
// forward has ended, so both may be the same memory. Tests:
// tests/unit/model/test_gradient.c, tests/golden/test_models.c.
#include <seqtrain/base/team.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/weight_drop.h>
#include <math.h>
#include <string.h>

typedef struct memory {
    seq_tape tape;
    seq_recurrent_scratch scratch;
    float *d_start; // (B, H), with input 1
} memory;

enum { INPUT, RECURRENT }; // places of packed matrices; behind them come the backward ones

static const seq_recurrent_options *options_of(const seq_node *node) {
    return node->options;
}

seq_recurrent seq_recurrent_of(const seq_node *node) {
    return (seq_recurrent){options_of(node)->cell, node->compute, node->input_shapes[0].width,
                           options_of(node)->hidden};
}

const seq_tape *seq_recurrent_tape(const seq_node_run *run) {
    return &((const memory *)run->memory)->tape;
}

float *seq_recurrent_unit_scratch(const seq_node_run *run) {
    return ((const memory *)run->memory)->scratch.d_hidden;
}

static bool has_start(const seq_node *node) {
    return node->input_count == 2;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    double drop = options_of(node)->weight_drop;
    const seq_shape *inputs = node->input_shapes;
    int hidden = options_of(node)->hidden;
    if (node->input_count > 2 || inputs[0].width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "a recurrent layer reads rows of one input");
    if (has_start(node) && (inputs[1].width != hidden || inputs[1].axis == inputs[0].axis))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a recurrent layer of %d units begins with a row of %d numbers of the "
                             "axis above its sequences; expected %d",
                             hidden, inputs[1].width, hidden);
    if (!(drop >= 0 && drop < 1))
        return seq_error_set(error, SEQ_BAD_USAGE, "weight-drop: %g: not from 0 to below 1", drop);
    out->width = hidden;
    return SEQ_OK;
}

// ---- parameters

static void add_gates(const seq_node *node, seq_parameter_list *list) {
    int hidden = options_of(node)->hidden;
    for (int gate = 0; gate < options_of(node)->cell->gates; gate++) {
        seq_packed_need need = seq_whole_matrix(list, SEQ_WEIGHT_HH, false);
        need.first = gate * hidden;
        need.rows = hidden;
        need.adjacent = gate > 0;
        seq_list_packed(list, need);
    }
}

static void add_backward(const seq_node *node, seq_parameter_list *list) {
    seq_recurrent layer = seq_recurrent_of(node);
    seq_list_packed(list, seq_whole_matrix(list, SEQ_WEIGHT_IH, true));
    seq_packed_need need = seq_whole_matrix(list, SEQ_WEIGHT_HH, true);
    int all = need.rows, plain = seq_recurrent_plain_rows(&layer);
    need.rows = plain;
    seq_list_packed(list, need);
    need.first = plain;
    need.rows = all - plain;
    if (plain < all) seq_list_packed(list, need);
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    const seq_cell *cell = options_of(node)->cell;
    int hidden = options_of(node)->hidden, rows = cell->gates * hidden;
    double bound = 1 / sqrt(hidden);
    seq_list_parameter(list, "weight_ih", rows, node->input_shapes[0].width, bound);
    seq_parameter_need *weight_hh = seq_list_parameter(list, "weight_hh", rows, hidden, bound);
    if (list->choice.orthogonal) weight_hh->initial = SEQ_INITIAL_ORTHOGONAL;
    weight_hh->drop = options_of(node)->weight_drop;
    seq_parameter_need *bias_ih = seq_list_parameter(list, "bias_ih", rows, 0, bound);
    seq_list_parameter(list, "bias_hh", rows, 0, bound);
    if (cell->peephole) {
        seq_parameter_need *weight_ch = seq_list_parameter(list, "weight_ch", 3, hidden, bound);
        weight_ch->decay = false; // diagonals, not matrices
        weight_ch->share = 0;
    }
    if (cell->forget_gate >= 0) {
        bias_ih->constant_first = (size_t)cell->forget_gate * (size_t)hidden;
        bias_ih->constant_count = (size_t)hidden;
        bias_ih->constant = options_of(node)->forget_bias;
    }
    seq_list_packed(list, seq_whole_matrix(list, SEQ_WEIGHT_IH, false));
    add_gates(node, list);
    add_backward(node, list);
}

static seq_recurrent_weights weights_of(const seq_node *node, const seq_pass *pass) {
    const seq_cell *cell = options_of(node)->cell;
    int back = RECURRENT + cell->gates;
    bool apart = cell->last_gate != SEQ_LAST_LIKE_OTHERS;
    return (seq_recurrent_weights){
        .input = seq_packed(node, pass, INPUT),
        .recurrent = seq_packed(node, pass, RECURRENT),
        .input_back = seq_packed(node, pass, back),
        .recurrent_back = seq_packed(node, pass, back + 1),
        .last_back = apart ? seq_packed(node, pass, back + 2) : NULL,
        .bias_ih = seq_parameter_values(node, pass, SEQ_BIAS_IH),
        .bias_hh = seq_parameter_values(node, pass, SEQ_BIAS_HH),
        .weight_ch = cell->peephole ? seq_parameter_values(node, pass, SEQ_WEIGHT_CH) : NULL,
    };
}

// ---- passes

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    seq_recurrent layer = seq_recurrent_of(node);
    const seq_axis_limit *limit = &limits->axes[node->shape.axis];
    int widest = layer.inputs > layer.hidden ? layer.inputs : layer.hidden;
    seq_tape_take(&memory->tape, &layer, limit, kept);
    if (!training) return;
    seq_recurrent_scratch_take(&memory->scratch, node->compute, layer.hidden, widest, limit,
                               scratch);
    if (has_start(node))
        memory->d_start =
            SEQ_ARENA_FLOATS(scratch, (size_t)limit->sequences * (size_t)layer.hidden);
}

static int state(const seq_node *node, size_t widths[SEQ_STATES]) {
    widths[0] = widths[1] = (size_t)options_of(node)->hidden;
    return options_of(node)->cell->memory ? 2 : 1;
}

// h<0> of each sequence is its row of input 1; c<0> is zero.
static void load_start(const seq_node *node, seq_pass *pass, const seq_axis *axis) {
    const memory *memory = seq_run(node, pass)->memory;
    const float *start = seq_input(node, pass, 1)->values;
    size_t hidden = (size_t)node->shape.width;
    assert(axis->parent == node->input_shapes[1].axis);
    for (int b = 0; b < axis->sequences; b++)
        memcpy(memory->tape.hidden + (size_t)b * hidden, start + (size_t)axis->of[b] * hidden,
               hidden * sizeof *start);
}

static void add_start_gradient(const seq_node *node, seq_pass *pass, const seq_axis *axis) {
    const memory *memory = seq_run(node, pass)->memory;
    float *d_start = seq_input(node, pass, 1)->gradient;
    size_t hidden = (size_t)node->shape.width;
    if (!seq_adds_input(node, 1))
        memset(d_start, 0, seq_input_axis(node, pass, 1)->rows * hidden * sizeof *d_start);
    for (int b = 0; b < axis->sequences; b++)
        node->compute->kernels->add(d_start + (size_t)axis->of[b] * hidden,
                                    memory->d_start + (size_t)b * hidden, hidden);
}

static void forward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    memory *memory = run->memory;
    seq_recurrent layer = seq_recurrent_of(node);
    seq_recurrent_weights weights = weights_of(node, pass);
    const seq_axis *axis = seq_node_axis(node, pass);
    bool continues = axis->continues || !has_start(node);
    seq_recurrent_load(&layer, &memory->tape, axis, continues ? run->state_before : NULL);
    if (!continues) load_start(node, pass, axis);
    seq_recurrent_forward(&layer, &weights, &memory->tape, axis, seq_input(node, pass, 0)->values);
    if (run->state_after) seq_recurrent_store(&layer, &memory->tape, axis, run->state_after);
    run->values = memory->tape.hidden + (size_t)axis->sequences * (size_t)layer.hidden;
}

typedef struct masking {
    seq_weight_drop drop;
    size_t count;
    float *gradient;
} masking;

static void mask_part(void *context, int part, int parts) {
    const masking *work = context;
    size_t begin = seq_share_begin(work->count, part, parts),
           end = seq_share_begin(work->count, part + 1, parts);
    seq_weight_drop_apply(&work->drop, begin, end - begin, work->gradient + begin,
                          work->gradient + begin);
}

// The gradient of the elements themselves, from that of the elements with
// weight-drop: once, when all users have added to it.
static void mask_gradient(const seq_node *node, const seq_pass *pass) {
    const seq_recurrent_options *options = options_of(node);
    float *gradient = seq_parameter_gradient(node, pass, SEQ_WEIGHT_HH);
    bool owned = node->owned >> SEQ_WEIGHT_HH & 1;
    if (options->weight_drop == 0 || !pass->dropping || !owned || !gradient) return;
    masking work = {
        {options->weight_drop, pass->seed, pass->step, (uint32_t)node->parameters[SEQ_WEIGHT_HH]},
        (size_t)options->cell->gates * (size_t)options->hidden * (size_t)options->hidden,
        gradient};
    seq_team_run(node->compute->team, mask_part, &work);
}

static void backward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    memory *memory = run->memory;
    seq_recurrent layer = seq_recurrent_of(node);
    seq_recurrent_weights weights = weights_of(node, pass);
    const seq_axis *axis = seq_node_axis(node, pass);
    seq_recurrent_gradients gradients = {
        .outputs = run->gradient,
        .inputs = seq_input(node, pass, 0)->gradient,
        .adds_inputs = seq_adds_input(node, 0),
        .adds_parameter = node->adds_parameter,
    };
    for (int i = 0; i < node->parameter_count; i++)
        gradients.parameters[i] = seq_parameter_gradient(node, pass, i);
    bool starts = has_start(node) && seq_input(node, pass, 1)->gradient;
    if (starts) gradients.hidden = memory->d_start;
    double *squares =
        pass->squares ? pass->squares + (size_t)node->recurrent * (size_t)axis->steps : NULL;
    seq_recurrent_backward(&layer, &weights, &memory->tape, axis, seq_input(node, pass, 0)->values,
                           &gradients, &memory->scratch, squares);
    mask_gradient(node, pass);
    if (starts && axis->continues)
        memset(memory->d_start, 0,
               (size_t)axis->sequences * (size_t)layer.hidden * sizeof *memory->d_start);
    if (starts) add_start_gradient(node, pass, axis);
}

const seq_layer_kind seq_layer_recurrent = {
    .node = {.name = "recurrent",
             .options = sizeof(seq_recurrent_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .keeps_values = true,
    .needs_values = true,
    .state = state,
    .forward = forward,
    .backward = backward,
};
