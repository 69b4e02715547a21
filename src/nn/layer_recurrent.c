// One recurrent layer as a node: the time loop of recurrent.c over a tape of
// its own. Its values are the tape's row blocks behind the initial state, which
// comes from the batch before, from a node, or is zero.
// Invariant: the state is read before the tape is written, and written when
// forward has ended, so both may be the same memory. Tests:
// tests/unit/model/test_gradient.c, tests/golden/test_models.c.
#include "recurrent_node.h"
#include <seqtrain/base/team.h>
#include <seqtrain/nn/weight_drop.h>
#include <math.h>
#include <string.h>

enum { START = 1 };        // the input
enum { INPUT, RECURRENT }; // places of packed matrices; behind them come the backward ones

static const seq_recurrent_options *options_of(const seq_node *node) {
    return node->options;
}

seq_recurrent seq_recurrent_of(const seq_node *node) {
    return (seq_recurrent){.cell = options_of(node)->cell,
                           .compute = node->compute,
                           .inputs = node->input_shapes[0].width,
                           .hidden = options_of(node)->hidden};
}

const seq_tape *seq_recurrent_tape(const seq_node_run *run) {
    return &((const seq_recurrent_memory *)run->memory)->tape;
}

float *seq_recurrent_unit_scratch(const seq_node_run *run) {
    return ((const seq_recurrent_memory *)run->memory)->scratch.d_hidden;
}

seq_status seq_recurrent_check(const seq_node *node, int start, seq_error *error) {
    double drop = options_of(node)->weight_drop;
    const seq_shape *inputs = node->input_shapes;
    int hidden = options_of(node)->hidden;
    if (node->input_count > start + 1 || inputs[0].width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "a recurrent layer reads rows of one input");
    if (node->input_count > start &&
        (inputs[start].width != hidden || inputs[start].axis == inputs[0].axis))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a recurrent layer of %d units begins with a row of %d numbers of the "
                             "axis above its sequences; expected %d",
                             hidden, inputs[start].width, hidden);
    if (!(drop >= 0 && drop < 1))
        return seq_error_set(error, SEQ_BAD_USAGE, "weight-drop: %g: not from 0 to below 1", drop);
    return SEQ_OK;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    out->width = options_of(node)->hidden;
    return seq_recurrent_check(node, START, error);
}

// ---- parameters

// The columns of weight_ih that the inputs meet.
static seq_packed_need of_inputs(const seq_node *node, const seq_parameter_list *list, bool back) {
    seq_packed_need need = seq_whole_matrix(list, SEQ_WEIGHT_IH, back);
    need.columns = node->input_shapes[0].width;
    return need;
}

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
    seq_list_packed(list, of_inputs(node, list, true));
    seq_packed_need need = seq_whole_matrix(list, SEQ_WEIGHT_HH, true);
    int all = need.rows, plain = seq_recurrent_plain_rows(&layer);
    need.rows = plain;
    seq_list_packed(list, need);
    need.first = plain;
    need.rows = all - plain;
    if (plain < all) seq_list_packed(list, need);
}

void seq_recurrent_needs(const seq_node *node, int fed, seq_parameter_list *list) {
    const seq_cell *cell = options_of(node)->cell;
    int hidden = options_of(node)->hidden, rows = cell->gates * hidden;
    double bound = 1 / sqrt(hidden);
    seq_list_parameter(list, "weight_ih", rows, node->input_shapes[0].width + fed, bound);
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
    seq_list_packed(list, of_inputs(node, list, false));
    add_gates(node, list);
    add_backward(node, list);
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    seq_recurrent_needs(node, 0, list);
}

seq_recurrent_weights seq_recurrent_weights_of(const seq_node *node, const seq_pass *pass) {
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

void seq_recurrent_plan(const seq_node *node, const seq_limits *limits, bool training, int widest,
                        bool starts, seq_recurrent_memory *memory, seq_arena *kept,
                        seq_arena *scratch) {
    seq_recurrent layer = seq_recurrent_of(node);
    const seq_axis_limit *limit = &limits->axes[node->shape.axis];
    if (widest < layer.inputs) widest = layer.inputs;
    if (widest < layer.hidden) widest = layer.hidden;
    seq_tape_take(&memory->tape, &layer, limit, kept);
    if (!training) return;
    seq_recurrent_scratch_take(&memory->scratch, node->compute, layer.hidden, widest, limit,
                               scratch);
    if (starts)
        memory->d_start =
            SEQ_ARENA_FLOATS(scratch, (size_t)limit->sequences * (size_t)layer.hidden);
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    seq_recurrent_plan(node, limits, training, 0, node->input_count > START, out, kept, scratch);
}

static int state(const seq_node *node, size_t widths[SEQ_STATES]) {
    widths[0] = widths[1] = (size_t)options_of(node)->hidden;
    return options_of(node)->cell->memory ? 2 : 1;
}

// h<0> of each sequence is its row of the input; c<0> is zero.
static void load_start(const seq_node *node, seq_pass *pass, int input) {
    const seq_recurrent_memory *memory = seq_run(node, pass)->memory;
    const seq_axis *axis = seq_node_axis(node, pass);
    const float *start = seq_input(node, pass, input)->values;
    size_t hidden = (size_t)options_of(node)->hidden;
    assert(axis->parent == node->input_shapes[input].axis);
    for (int b = 0; b < axis->sequences; b++)
        memcpy(memory->tape.hidden + (size_t)b * hidden, start + (size_t)axis->of[b] * hidden,
               hidden * sizeof *start);
}

void seq_recurrent_add_start(const seq_node *node, seq_pass *pass, int input) {
    const seq_recurrent_memory *memory = seq_run(node, pass)->memory;
    const seq_axis *axis = seq_node_axis(node, pass);
    float *d_start = seq_input(node, pass, input)->gradient;
    size_t hidden = (size_t)options_of(node)->hidden;
    if (!seq_adds_input(node, input))
        memset(d_start, 0, seq_input_axis(node, pass, input)->rows * hidden * sizeof *d_start);
    for (int b = 0; !axis->continues && b < axis->sequences; b++)
        node->compute->kernels->add(d_start + (size_t)axis->of[b] * hidden,
                                    memory->d_start + (size_t)b * hidden, hidden);
}

void seq_recurrent_begin(const seq_node *node, seq_pass *pass, int start) {
    seq_node_run *run = seq_run(node, pass);
    seq_recurrent_memory *memory = run->memory;
    seq_recurrent layer = seq_recurrent_of(node);
    const seq_axis *axis = seq_node_axis(node, pass);
    bool continues = axis->continues || node->input_count <= start;
    seq_recurrent_load(&layer, &memory->tape, axis, continues ? run->state_before : NULL);
    if (!continues) load_start(node, pass, start);
}

static void forward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    seq_recurrent_memory *memory = run->memory;
    seq_recurrent layer = seq_recurrent_of(node);
    seq_recurrent_weights weights = seq_recurrent_weights_of(node, pass);
    const seq_axis *axis = seq_node_axis(node, pass);
    seq_recurrent_begin(node, pass, START);
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
void seq_recurrent_mask_gradient(const seq_node *node, const seq_pass *pass) {
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

seq_recurrent_gradients seq_recurrent_gradients_of(const seq_node *node, seq_pass *pass,
                                                   float *outputs) {
    int count = options_of(node)->cell->peephole ? SEQ_RECURRENT_PARAMETERS : SEQ_WEIGHT_CH;
    seq_recurrent_gradients gradients = {
        .outputs = outputs,
        .inputs = seq_input(node, pass, 0)->gradient,
        .adds_inputs = seq_adds_input(node, 0),
        .adds_parameter = node->adds_parameter & ((1U << count) - 1),
    };
    for (int i = 0; i < count; i++)
        gradients.parameters[i] = seq_parameter_gradient(node, pass, i);
    return gradients;
}

static void backward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    seq_recurrent_memory *memory = run->memory;
    seq_recurrent layer = seq_recurrent_of(node);
    seq_recurrent_weights weights = seq_recurrent_weights_of(node, pass);
    const seq_axis *axis = seq_node_axis(node, pass);
    seq_recurrent_gradients gradients = seq_recurrent_gradients_of(node, pass, run->gradient);
    bool starts = node->input_count > START && seq_input(node, pass, START)->gradient;
    if (starts) gradients.hidden = memory->d_start;
    double *squares =
        pass->squares ? pass->squares + (size_t)node->recurrent * (size_t)axis->steps : NULL;
    seq_recurrent_backward(&layer, &weights, &memory->tape, axis, seq_input(node, pass, 0)->values,
                           &gradients, &memory->scratch, squares);
    seq_recurrent_mask_gradient(node, pass);
    if (starts) seq_recurrent_add_start(node, pass, START);
}

const seq_layer_kind seq_layer_recurrent = {
    .node = {.name = "recurrent",
             .options = sizeof(seq_recurrent_options),
             .memory = sizeof(seq_recurrent_memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .recurs = true,
    .keeps_values = true,
    .needs_values = true,
    .state = state,
    .forward = forward,
    .backward = backward,
};
