// The loop over time, the same for all cells. Input products and weight
// gradients of all steps are one product each; only W_hh h<t-1> remains inside
// the loop (Appleyard et al. 2016). Threads own blocks of 128 units, which go
// from the product straight into the cell's mathematics. Invariant: blocks
// begin at panels of packed columns, so neither blocks nor threads change a
// bit. Tests: tests/unit/model/test_gradient.c,
// tests/unit/model/test_compute.c.
#include <seqtrain/nn/recurrent.h>
#include <string.h>

enum {
    UNITS_AT_ONCE = 128
}; // a block of units that stays in the cache from the product to the end of its step

void seq_tape_take(seq_tape *out, const seq_recurrent *layer, int batch, int steps,
                   seq_arena *arena) {
    size_t block = (size_t)batch * (size_t)layer->hidden, gates = (size_t)layer->cell->gates;
    out->hidden = SEQ_ARENA_FLOATS(arena, ((size_t)steps + 1) * block);
    out->memory = layer->cell->memory ? SEQ_ARENA_FLOATS(arena, ((size_t)steps + 1) * block) : NULL;
    out->gates = SEQ_ARENA_FLOATS(arena, (size_t)steps * block * gates);
    out->auxiliary = layer->cell->auxiliary ? SEQ_ARENA_FLOATS(arena, (size_t)steps * block) : NULL;
    out->bias = SEQ_ARENA_FLOATS(arena, gates * (size_t)layer->hidden);
}

void seq_recurrent_scratch_take(seq_recurrent_scratch *out, const seq_compute *compute, int hidden,
                                int widest, int batch, int steps, seq_arena *arena) {
    size_t block = (size_t)batch * (size_t)hidden, rows = (size_t)batch * (size_t)steps;
    out->d_hidden = SEQ_ARENA_FLOATS(arena, block);
    out->d_memory = SEQ_ARENA_FLOATS(arena, block);
    out->d_gated = SEQ_ARENA_FLOATS(arena, block);
    out->packed = seq_arena_take(arena, 1, seq_compute_packed_bytes(compute, (size_t)widest, rows));
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
                             const seq_tape *tape, int batch, int t) {
    size_t block = (size_t)batch * (size_t)layer->hidden, at = (size_t)t * block;
    return (seq_cell_step){
        .kernels = layer->compute->kernels,
        .batch = batch,
        .hidden = layer->hidden,
        .count = layer->hidden,
        .gates = tape->gates + at * (size_t)layer->cell->gates,
        .auxiliary = tape->auxiliary ? tape->auxiliary + at : NULL,
        .hidden_before = tape->hidden + at,
        .hidden_after = tape->hidden + at + block,
        .memory_before = tape->memory ? tape->memory + at : NULL,
        .memory_after = tape->memory ? tape->memory + at + block : NULL,
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
    const seq_cell_step *later; // backward: the step after, or NULL at the window's end
    float *d_hidden;            // backward: complete by this phase
};

// The columns of packed matrices with K = depth that belong to the units.
static const void *columns_of(const phase *phase, const void *packed, size_t depth, int first) {
    const seq_kernels *kernels = phase->layer->compute->kernels;
    return (const char *)packed +
           seq_packed_bytes(kernels, phase->layer->compute->precision, (size_t)first, depth);
}

// C (B, units) = start + A (B, depth) times the units' columns of a packed matrix.
static void multiply(const phase *phase, const seq_cell_step *units, const float *a, size_t lda,
                     size_t depth, const void *packed, const float *bias, float *c, size_t ldc) {
    seq_product product = {
        .precision = phase->layer->compute->precision,
        .m = (size_t)units->batch,
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
    multiply(phase, units, a, hidden, hidden,
             (const char *)phase->weights->recurrent + (size_t)gate * matrix, bias, c, ldc);
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
                           seq_tape *tape, int batch, int steps, const float *inputs) {
    size_t rows = (size_t)steps * (size_t)batch, all = all_columns(layer),
           width = (size_t)layer->inputs;
    merge_biases(layer, weights, tape->bias);
    seq_compute_rows(layer->compute, rows, width, all, inputs, weights->input, tape->bias,
                     tape->gates);
    for (int t = 0; t < steps; t++) {
        seq_cell_step step = step_at(layer, weights, tape, batch, t);
        phase phase = {.work = forward_units, .layer = layer, .weights = weights, .step = &step};
        run(&phase);
        phase.work = forward_gated_units;
        if (layer->cell->last_gate == SEQ_LAST_GATED) run(&phase);
    }
}

// dL/dh<t> of the units: what came from above, and what flows back from the later step.
static void complete_d_hidden(const phase *phase, const seq_cell_step *units) {
    const seq_recurrent *layer = phase->layer;
    const seq_cell_step *later = phase->later;
    size_t hidden = (size_t)layer->hidden, plain = plain_columns(layer);
    if (!later) return;
    for (int b = 0; b < units->batch; b++) {
        size_t row = (size_t)b * hidden + (size_t)units->first;
        units->kernels->add(phase->d_hidden + row, units->d_hidden_before + row,
                            (size_t)units->count);
    }
    multiply(phase, units, later->gates, all_columns(layer), plain, phase->weights->recurrent_back,
             NULL, phase->d_hidden, hidden);
    if (layer->cell->last_gate == SEQ_LAST_APART)
        multiply(phase, units, later->auxiliary, hidden, hidden, phase->weights->last_back, NULL,
                 phase->d_hidden, hidden);
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
    multiply(phase, units, units->gates + plain_columns(layer), all_columns(layer), hidden,
             phase->weights->last_back, NULL, units->d_gated, hidden);
    layer->cell->finish(units);
}

// Gate gradients of the whole window, into tape->gates and auxiliary.
static void backward_in_time(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                             seq_tape *tape, int batch, int steps, float *d_outputs,
                             const seq_recurrent_gradients *gradients,
                             const seq_recurrent_scratch *scratch, double *squares) {
    size_t block = (size_t)batch * (size_t)layer->hidden;
    seq_cell_step later;
    memset(scratch->d_memory, 0, block * sizeof(float));
    for (int t = steps - 1; t >= 0; t--) {
        seq_cell_step step = step_at(layer, weights, tape, batch, t);
        phase phase = {.work = backward_units,
                       .layer = layer,
                       .weights = weights,
                       .step = &step,
                       .later = t + 1 < steps ? &later : NULL,
                       .d_hidden = d_outputs + (size_t)t * block};
        step.d_hidden = phase.d_hidden;
        step.d_memory = scratch->d_memory;
        step.d_hidden_before = scratch->d_hidden;
        step.d_weight_ch = gradients->weight_ch;
        step.d_gated = scratch->d_gated;
        run(&phase);
        phase.work = backward_gated_units;
        if (layer->cell->last_gate == SEQ_LAST_GATED) run(&phase);
        if (squares)
            squares[steps - 1 - t] = layer->compute->kernels->sum_squares(phase.d_hidden, block);
        later = step;
    }
}

static void recurrent_gradients(const seq_recurrent *layer, const seq_tape *tape, size_t rows,
                                const seq_recurrent_gradients *gradients, void *packed) {
    const seq_compute *compute = layer->compute;
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden;
    float *last_weight = gradients->weight_hh + plain * hidden;
    seq_compute_pack(compute, SEQ_PLAIN, hidden, rows, tape->hidden, hidden, packed);
    seq_compute_outer(compute, rows, plain, hidden, tape->gates, all, packed, false,
                      gradients->weight_hh);
    if (layer->cell->last_gate == SEQ_LAST_APART)
        seq_compute_outer(compute, rows, hidden, hidden, tape->auxiliary, hidden, packed, false,
                          last_weight);
    if (layer->cell->last_gate == SEQ_LAST_GATED) {
        seq_compute_pack(compute, SEQ_PLAIN, hidden, rows, tape->auxiliary, hidden, packed);
        seq_compute_outer(compute, rows, hidden, hidden, tape->gates + plain, all, packed, false,
                          last_weight);
    }
}

static void bias_gradients(const seq_recurrent *layer, const seq_tape *tape, size_t rows,
                           const seq_recurrent_gradients *gradients) {
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden;
    seq_compute_sum_rows(layer->compute, tape->gates, rows, all, all, gradients->bias_ih);
    memcpy(gradients->bias_hh, gradients->bias_ih, all * sizeof(float));
    if (layer->cell->last_gate == SEQ_LAST_APART)
        seq_compute_sum_rows(layer->compute, tape->auxiliary, rows, hidden, hidden,
                             gradients->bias_hh + plain);
}

void seq_recurrent_backward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                            seq_tape *tape, int batch, int steps, const float *inputs,
                            float *d_outputs, float *d_inputs,
                            const seq_recurrent_gradients *gradients,
                            const seq_recurrent_scratch *scratch, double *squares) {
    size_t rows = (size_t)steps * (size_t)batch, all = all_columns(layer),
           width = (size_t)layer->inputs;
    if (gradients->weight_ch)
        memset(gradients->weight_ch, 0, 3 * (size_t)layer->hidden * sizeof(float));
    backward_in_time(layer, weights, tape, batch, steps, d_outputs, gradients, scratch, squares);
    recurrent_gradients(layer, tape, rows, gradients, scratch->packed);
    bias_gradients(layer, tape, rows, gradients);
    seq_compute_pack(layer->compute, SEQ_PLAIN, width, rows, inputs, width, scratch->packed);
    seq_compute_outer(layer->compute, rows, all, width, tape->gates, all, scratch->packed, false,
                      gradients->weight_ih);
    if (d_inputs)
        seq_compute_rows(layer->compute, rows, all, width, tape->gates, weights->input_back, NULL,
                         d_inputs);
}
