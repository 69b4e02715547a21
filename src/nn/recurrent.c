// The loop over time, the same for all cells. Input products and weight
// gradients of all steps are one product each; only W_hh h<t-1> remains inside
// the loop (Appleyard et al. 2016). Sequences are longest first, so a step works
// on a prefix of the rows of the step before. Threads own blocks of 128 units,
// which go from the product straight into the cell's mathematics. Invariant:
// blocks begin at panels of packed columns, so neither blocks nor threads change
// a bit. Tests: tests/unit/nn/test_recurrent.c, tests/unit/nn/test_decoder.c,
// tests/unit/model/test_gradient.c, tests/unit/model/test_compute.c.
#include <seqtrain/nn/recurrent.h>
#include <string.h>

enum {
    UNITS_AT_ONCE = 128
}; // a block of units that stays in the cache from the product to the end of its step

void seq_tape_take(seq_tape *out, const seq_recurrent *layer, const seq_axis_limit *limit,
                   seq_arena *arena) {
    size_t hidden = (size_t)layer->hidden, gates = (size_t)layer->cell->gates;
    size_t states = (limit->rows + (size_t)limit->sequences) * hidden,
           values = limit->rows * hidden;
    out->hidden = SEQ_ARENA_FLOATS(arena, states);
    out->memory = layer->cell->memory ? SEQ_ARENA_FLOATS(arena, states) : NULL;
    out->gates = SEQ_ARENA_FLOATS(arena, values * gates);
    out->auxiliary = layer->cell->auxiliary ? SEQ_ARENA_FLOATS(arena, values) : NULL;
    out->bias = SEQ_ARENA_FLOATS(arena, gates * hidden);
}

void seq_recurrent_scratch_take(seq_recurrent_scratch *out, const seq_compute *compute, int hidden,
                                int widest, const seq_axis_limit *limit, seq_arena *arena) {
    size_t block = (size_t)limit->sequences * (size_t)hidden;
    out->d_hidden = SEQ_ARENA_FLOATS(arena, block);
    out->d_memory = SEQ_ARENA_FLOATS(arena, block);
    out->d_gated = SEQ_ARENA_FLOATS(arena, block);
    out->before = seq_arena_take(arena, limit->rows, sizeof *out->before);
    out->packed =
        seq_arena_take(arena, 1, seq_compute_packed_bytes(compute, (size_t)widest, limit->rows));
}

size_t seq_tape_row_before(const seq_axis *axis, int t) {
    return t ? (size_t)axis->sequences + axis->first_row[t - 1] : 0;
}

size_t seq_tape_last_row(const seq_axis *axis, int sequence) {
    int32_t row = axis->last_row[sequence];
    return row < 0 ? (size_t)sequence : (size_t)axis->sequences + (size_t)row;
}

void seq_recurrent_load(const seq_recurrent *layer, seq_tape *tape, const seq_axis *axis,
                        const float *state) {
    size_t block = (size_t)axis->sequences * (size_t)layer->hidden;
    float *blocks[2] = {tape->hidden, tape->memory};
    for (size_t i = 0; i < 2 && blocks[i]; i++)
        if (state)
            memcpy(blocks[i], state + i * block, block * sizeof *state);
        else
            memset(blocks[i], 0, block * sizeof *state);
}

void seq_recurrent_store(const seq_recurrent *layer, const seq_tape *tape, const seq_axis *axis,
                         float *state) {
    size_t hidden = (size_t)layer->hidden;
    const float *blocks[2] = {tape->hidden, tape->memory};
    for (int i = 0; i < 2 && blocks[i]; i++)
        for (int b = 0; b < axis->sequences; b++, state += hidden)
            memcpy(state, blocks[i] + seq_tape_last_row(axis, b) * hidden, hidden * sizeof *state);
}

// Widths in columns of (., G H): all gates, and those whose recurrent product is W_hh h<t-1> added
// in place.
static size_t all_columns(const seq_recurrent *layer) {
    return (size_t)layer->cell->gates * (size_t)layer->hidden;
}

static size_t plain_columns(const seq_recurrent *layer) {
    bool apart = layer->cell->last_gate != SEQ_LAST_LIKE_OTHERS;
    return all_columns(layer) - (apart ? (size_t)layer->hidden : 0);
}

int seq_recurrent_plain_rows(const seq_recurrent *layer) {
    return (int)plain_columns(layer);
}

// Both biases where they meet in one sum; bias_ih alone where the recurrent product stays apart.
static void merge_biases(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                         float *bias) {
    size_t merged =
        layer->cell->last_gate == SEQ_LAST_APART ? plain_columns(layer) : all_columns(layer);
    memcpy(bias, weights->bias_ih, all_columns(layer) * sizeof *bias);
    layer->compute->kernels->add(bias, weights->bias_hh, merged);
}

static seq_cell_step step_at(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                             const seq_tape *tape, const seq_axis *axis, int t) {
    size_t hidden = (size_t)layer->hidden, at = axis->first_row[t] * hidden;
    size_t before = seq_tape_row_before(axis, t) * hidden,
           after = (size_t)axis->sequences * hidden + at;
    return (seq_cell_step){
        .kernels = layer->compute->kernels,
        .batch = axis->rows_at[t],
        .hidden = layer->hidden,
        .count = layer->hidden,
        .gates = tape->gates + at * (size_t)layer->cell->gates,
        .auxiliary = tape->auxiliary ? tape->auxiliary + at : NULL,
        .hidden_before = tape->hidden + before,
        .hidden_after = tape->hidden + after,
        .memory_before = tape->memory ? tape->memory + before : NULL,
        .memory_after = tape->memory ? tape->memory + after : NULL,
        .weight_ch = weights->weight_ch,
    };
}

// A phase of a time step: what can be done without a look at other units' results of the same
// phase.
typedef struct phase phase;
struct phase {
    void (*work)(const phase *phase, const seq_cell_step *units);
    const seq_recurrent *layer;
    const seq_recurrent_weights *weights;
    const seq_cell_step *step;
    const seq_cell_step *later; // backward: the step after, or NULL at the end
    float *d_hidden;            // backward: complete by this phase
    const float *fed;           // forward: rows of the feed, or NULL
    size_t fed_stride;
};

// The columns of packed matrices with K = depth that belong to the units.
static const void *columns_of(const phase *phase, const void *packed, size_t depth, int first) {
    const seq_kernels *kernels = phase->layer->compute->kernels;
    return (const char *)packed +
           seq_packed_bytes(kernels, phase->layer->compute->precision, (size_t)first, depth);
}

// C (rows, units) = start + A (rows, depth) times the units' columns of a packed matrix.
static void multiply(const phase *phase, const seq_cell_step *units, int rows, const float *a,
                     size_t lda, size_t depth, const void *packed, const float *bias, float *c,
                     size_t ldc) {
    seq_product product = {
        .precision = phase->layer->compute->precision,
        .m = (size_t)rows,
        .n = (size_t)units->count,
        .k = depth,
        .a = a,
        .lda = lda,
        .b = columns_of(phase, packed, depth, units->first),
        .accumulate = !bias,
        .bias = bias ? bias + units->first : NULL,
        .c = c + units->first,
        .ldc = ldc,
    };
    phase->layer->compute->kernels->multiply(&product);
}

// Blocks begin where panels of packed columns do.
static void run_units(const phase *phase, int begin, int end) {
    int columns = (int)phase->layer->compute->kernels->panel_columns();
    int at_once = columns == 1 ? end : (UNITS_AT_ONCE + columns - 1) / columns * columns;
    for (int first = begin; first < end; first += at_once) {
        seq_cell_step units = *phase->step;
        units.first = first;
        units.count = end - first < at_once ? end - first : at_once;
        phase->work(phase, &units);
    }
}

static void run_part(void *context, int part, int parts) {
    const phase *phase = context;
    size_t columns = phase->layer->compute->kernels->panel_columns();
    size_t hidden = (size_t)phase->layer->hidden, panels = (hidden + columns - 1) / columns;
    size_t begin = seq_share_begin(panels, part, parts) * columns,
           end = seq_share_begin(panels, part + 1, parts) * columns;
    run_units(phase, (int)begin, (int)(end < hidden ? end : hidden));
}

static void run(phase *phase) {
    seq_team_run(phase->layer->compute->team, run_part, phase);
}

// One gate's recurrent product.
static void multiply_gate(const phase *phase, const seq_cell_step *units, int gate, const float *a,
                          const float *bias, float *c, size_t ldc) {
    const seq_recurrent *layer = phase->layer;
    size_t hidden = (size_t)layer->hidden;
    size_t matrix = seq_compute_packed_bytes(layer->compute, hidden, hidden);
    multiply(phase, units, units->batch, a, hidden, hidden,
             (const char *)phase->weights->recurrent + (size_t)gate * matrix, bias, c, ldc);
}

static void add_fed(const phase *phase, const seq_cell_step *units) {
    const seq_recurrent *layer = phase->layer;
    const seq_recurrent_feed *feed = layer->feed;
    size_t hidden = (size_t)layer->hidden, all = all_columns(layer);
    size_t matrix = seq_compute_packed_bytes(layer->compute, hidden, feed->width);
    for (size_t gate = 0; gate < (size_t)layer->cell->gates; gate++)
        multiply(phase, units, units->batch, phase->fed, phase->fed_stride, feed->width,
                 (const char *)feed->packed + gate * matrix, NULL, units->gates + gate * hidden,
                 all);
}

static void add_plain_gates(const phase *phase, const seq_cell_step *units) {
    size_t hidden = (size_t)phase->layer->hidden, all = all_columns(phase->layer);
    int plain = (int)(plain_columns(phase->layer) / hidden);
    for (int gate = 0; gate < plain; gate++)
        multiply_gate(phase, units, gate, units->hidden_before, NULL,
                      units->gates + (size_t)gate * hidden, all);
}

static void forward_units(const phase *phase, const seq_cell_step *units) {
    const seq_recurrent *layer = phase->layer;
    size_t plain = plain_columns(layer);
    if (phase->fed) add_fed(phase, units);
    add_plain_gates(phase, units);
    if (layer->cell->last_gate == SEQ_LAST_APART)
        multiply_gate(phase, units, layer->cell->gates - 1, units->hidden_before,
                      phase->weights->bias_hh + plain, units->auxiliary, (size_t)layer->hidden);
    if (layer->cell->last_gate == SEQ_LAST_GATED)
        layer->cell->prepare(units);
    else
        layer->cell->forward(units);
}

static void forward_gated_units(const phase *phase, const seq_cell_step *units) {
    const seq_recurrent *layer = phase->layer;
    multiply_gate(phase, units, layer->cell->gates - 1, units->auxiliary, NULL,
                  units->gates + plain_columns(layer), all_columns(layer));
    layer->cell->forward(units);
}

void seq_recurrent_forward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                           seq_tape *tape, const seq_axis *axis, const float *inputs) {
    const seq_recurrent_feed *feed = layer->feed;
    merge_biases(layer, weights, tape->bias);
    seq_compute_rows(layer->compute, axis->rows, (size_t)layer->inputs, all_columns(layer), inputs,
                     weights->input, tape->bias, tape->gates);
    for (int t = 0; t < axis->steps; t++) {
        seq_cell_step step = step_at(layer, weights, tape, axis, t);
        phase phase = {.work = forward_units, .layer = layer, .weights = weights, .step = &step};
        if (feed) phase.fed = feed->before(feed->context, t, &phase.fed_stride);
        run(&phase);
        phase.work = forward_gated_units;
        if (layer->cell->last_gate == SEQ_LAST_GATED) run(&phase);
        if (feed && feed->after) feed->after(feed->context, t);
    }
}

// dL/dh<t> of the units: what came from above, and what flows back from the later step, which has
// no more rows than this one.
static void complete_d_hidden(const phase *phase, const seq_cell_step *units) {
    const seq_recurrent *layer = phase->layer;
    const seq_cell_step *later = phase->later;
    size_t hidden = (size_t)layer->hidden, plain = plain_columns(layer);
    if (!later) return;
    for (int b = 0; b < later->batch; b++) {
        size_t row = (size_t)b * hidden + (size_t)units->first;
        units->kernels->add(phase->d_hidden + row, units->d_hidden_before + row,
                            (size_t)units->count);
    }
    multiply(phase, units, later->batch, later->gates, all_columns(layer), plain,
             phase->weights->recurrent_back, NULL, phase->d_hidden, hidden);
    if (layer->cell->last_gate == SEQ_LAST_APART)
        multiply(phase, units, later->batch, later->auxiliary, hidden, hidden,
                 phase->weights->last_back, NULL, phase->d_hidden, hidden);
}

static void backward_units(const phase *phase, const seq_cell_step *units) {
    complete_d_hidden(phase, units);
    phase->layer->cell->backward(units);
}

// dL/d(r h<t-1>), from the gradients of the last gate of all units.
static void backward_gated_units(const phase *phase, const seq_cell_step *units) {
    const seq_recurrent *layer = phase->layer;
    size_t hidden = (size_t)layer->hidden;
    for (int b = 0; b < units->batch; b++)
        memset(units->d_gated + (size_t)b * hidden + units->first, 0,
               (size_t)units->count * sizeof(float));
    multiply(phase, units, units->batch, units->gates + plain_columns(layer), all_columns(layer),
             hidden, phase->weights->last_back, NULL, units->d_gated, hidden);
    layer->cell->finish(units);
}

// dL/dh<0> and dL/dc<0>, where they are wanted. A sequence without a step has zeros.
static void gradients_of_start(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                               const seq_axis *axis, const seq_cell_step *first,
                               const seq_recurrent_gradients *gradients,
                               const seq_recurrent_scratch *scratch) {
    size_t bytes = (size_t)axis->sequences * (size_t)layer->hidden * sizeof(float);
    seq_cell_step start = {.kernels = layer->compute->kernels,
                           .hidden = layer->hidden,
                           .d_hidden_before = scratch->d_hidden};
    phase phase = {.work = complete_d_hidden,
                   .layer = layer,
                   .weights = weights,
                   .step = &start,
                   .later = first,
                   .d_hidden = gradients->hidden};
    if (gradients->memory) memcpy(gradients->memory, scratch->d_memory, bytes);
    if (!gradients->hidden) return;
    memset(gradients->hidden, 0, bytes);
    run(&phase);
}

// Gate gradients of all rows, into tape->gates and auxiliary.
static void backward_in_time(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                             seq_tape *tape, const seq_axis *axis,
                             const seq_recurrent_gradients *gradients,
                             const seq_recurrent_scratch *scratch, double *squares) {
    size_t hidden = (size_t)layer->hidden;
    float *weight_ch = gradients->parameters[SEQ_WEIGHT_CH];
    const seq_recurrent_feed *feed = layer->feed;
    seq_cell_step later;
    memset(scratch->d_memory, 0, (size_t)axis->sequences * hidden * sizeof(float));
    for (int t = axis->steps - 1; t >= 0; t--) {
        seq_cell_step step = step_at(layer, weights, tape, axis, t);
        phase phase = {.work = backward_units,
                       .layer = layer,
                       .weights = weights,
                       .step = &step,
                       .later = t + 1 < axis->steps ? &later : NULL,
                       .d_hidden = gradients->outputs + axis->first_row[t] * hidden};
        step.d_hidden = phase.d_hidden;
        step.d_memory = scratch->d_memory;
        step.d_hidden_before = scratch->d_hidden;
        step.d_weight_ch = weight_ch ? weight_ch : tape->bias;
        step.d_gated = scratch->d_gated;
        if (feed && feed->after_back) feed->after_back(feed->context, t);
        run(&phase);
        phase.work = backward_gated_units;
        if (layer->cell->last_gate == SEQ_LAST_GATED) run(&phase);
        if (feed) feed->before_back(feed->context, t);
        if (squares)
            squares[axis->steps - 1 - t] =
                layer->compute->kernels->sum_squares(phase.d_hidden, (size_t)step.batch * hidden);
        later = step;
    }
    gradients_of_start(layer, weights, axis, axis->steps ? &later : NULL, gradients, scratch);
}

static bool adds(const seq_recurrent_gradients *gradients, int parameter) {
    return gradients->adds_parameter >> parameter & 1;
}

const int32_t *seq_tape_rows_before(const seq_axis *axis, int32_t *out) {
    size_t row = 0;
    if (axis->rows == (size_t)axis->sequences * (size_t)axis->steps) return NULL;
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++)
            out[row++] = (int32_t)seq_tape_row_before(axis, t) + b;
    return out;
}

static void recurrent_gradients(const seq_recurrent *layer, const seq_tape *tape,
                                const seq_axis *axis, const seq_recurrent_gradients *gradients,
                                const seq_recurrent_scratch *scratch) {
    const seq_compute *compute = layer->compute;
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden,
           rows = axis->rows;
    bool add = adds(gradients, SEQ_WEIGHT_HH);
    float *weight = gradients->parameters[SEQ_WEIGHT_HH], *last_weight = weight + plain * hidden;
    seq_compute_pack_rows(compute, hidden, rows, tape->hidden, hidden,
                          seq_tape_rows_before(axis, scratch->before), scratch->packed);
    seq_compute_outer(compute, rows, plain, hidden, tape->gates, all, scratch->packed, add, weight,
                      hidden);
    if (layer->cell->last_gate == SEQ_LAST_APART)
        seq_compute_outer(compute, rows, hidden, hidden, tape->auxiliary, hidden, scratch->packed,
                          add, last_weight, hidden);
    if (layer->cell->last_gate == SEQ_LAST_GATED) {
        seq_compute_pack(compute, SEQ_PLAIN, hidden, rows, tape->auxiliary, hidden,
                         scratch->packed);
        seq_compute_outer(compute, rows, hidden, hidden, tape->gates + plain, all, scratch->packed,
                          add, last_weight, hidden);
    }
}

static void input_gradients(const seq_recurrent *layer, const seq_tape *tape, size_t rows,
                            const float *inputs, const seq_recurrent_gradients *gradients,
                            void *packed) {
    size_t all = all_columns(layer), width = (size_t)layer->inputs;
    size_t columns = width + (layer->feed ? layer->feed->width : 0);
    seq_compute_pack(layer->compute, SEQ_PLAIN, width, rows, inputs, width, packed);
    seq_compute_outer(layer->compute, rows, all, width, tape->gates, all, packed,
                      adds(gradients, SEQ_WEIGHT_IH), gradients->parameters[SEQ_WEIGHT_IH],
                      columns);
}

// bias[j] = or += sum over rows of c[., j].
static void sum_rows(const seq_recurrent *layer, const float *c, size_t rows, size_t columns,
                     size_t ld, bool add, float *bias) {
    if (add)
        layer->compute->kernels->sum_rows(c, rows, columns, ld, bias);
    else
        seq_compute_sum_rows(layer->compute, c, rows, columns, ld, bias);
}

static void bias_gradients(const seq_recurrent *layer, const seq_tape *tape, size_t rows,
                           const seq_recurrent_gradients *gradients) {
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden;
    float *bias_ih = gradients->parameters[SEQ_BIAS_IH],
          *bias_hh = gradients->parameters[SEQ_BIAS_HH];
    bool apart = layer->cell->last_gate == SEQ_LAST_APART, add = adds(gradients, SEQ_BIAS_HH);
    if (bias_ih)
        sum_rows(layer, tape->gates, rows, all, all, adds(gradients, SEQ_BIAS_IH), bias_ih);
    if (!bias_hh) return;
    if (bias_ih && !gradients->adds_parameter)
        memcpy(bias_hh, bias_ih, (apart ? plain : all) * sizeof(float));
    else
        sum_rows(layer, tape->gates, rows, apart ? plain : all, all, add, bias_hh);
    if (apart) sum_rows(layer, tape->auxiliary, rows, hidden, hidden, add, bias_hh + plain);
}

static void clear_peepholes(const seq_recurrent *layer, const seq_recurrent_gradients *gradients) {
    float *weight_ch = gradients->parameters[SEQ_WEIGHT_CH];
    if (weight_ch && !adds(gradients, SEQ_WEIGHT_CH))
        memset(weight_ch, 0, 3 * (size_t)layer->hidden * sizeof *weight_ch);
}

void seq_recurrent_backward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                            seq_tape *tape, const seq_axis *axis, const float *inputs,
                            const seq_recurrent_gradients *gradients,
                            const seq_recurrent_scratch *scratch, double *squares) {
    size_t all = all_columns(layer), width = (size_t)layer->inputs;
    clear_peepholes(layer, gradients);
    backward_in_time(layer, weights, tape, axis, gradients, scratch, squares);
    if (gradients->parameters[SEQ_WEIGHT_HH])
        recurrent_gradients(layer, tape, axis, gradients, scratch);
    bias_gradients(layer, tape, axis->rows, gradients);
    if (gradients->parameters[SEQ_WEIGHT_IH])
        input_gradients(layer, tape, axis->rows, inputs, gradients, scratch->packed);
    if (gradients->inputs)
        seq_compute_multiply(layer->compute, (seq_product){.m = axis->rows,
                                                           .n = width,
                                                           .k = all,
                                                           .a = tape->gates,
                                                           .lda = all,
                                                           .b = weights->input_back,
                                                           .accumulate = gradients->adds_inputs,
                                                           .c = gradients->inputs,
                                                           .ldc = width});
}
