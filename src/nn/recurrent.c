#include <seqtrain/nn/recurrent.h>
#include <string.h>

void seq_tape_take(seq_tape *out, const seq_recurrent *layer, int batch, int steps,
                   seq_arena *arena) {
    size_t block = (size_t)batch * (size_t)layer->hidden, gates = (size_t)layer->cell->gates;
    out->hidden = SEQ_ARENA_FLOATS(arena, ((size_t)steps + 1) * block);
    out->memory = layer->cell->memory ? SEQ_ARENA_FLOATS(arena, ((size_t)steps + 1) * block) : NULL;
    out->gates = SEQ_ARENA_FLOATS(arena, (size_t)steps * block * gates);
    out->auxiliary = layer->cell->auxiliary ? SEQ_ARENA_FLOATS(arena, (size_t)steps * block) : NULL;
    out->bias = SEQ_ARENA_FLOATS(arena, gates * (size_t)layer->hidden);
}

void seq_recurrent_scratch_take(seq_recurrent_scratch *out, int hidden, int batch,
                                seq_arena *arena) {
    size_t block = (size_t)batch * (size_t)hidden;
    out->d_hidden = SEQ_ARENA_FLOATS(arena, block);
    out->d_memory = SEQ_ARENA_FLOATS(arena, block);
    out->d_gated = SEQ_ARENA_FLOATS(arena, block);
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

// Both biases where they meet in one sum; bias_ih alone where the recurrent product stays apart.
static void merge_biases(const seq_recurrent *layer, const seq_recurrent_parameters *parameters,
                         float *bias) {
    size_t merged =
        layer->cell->last_gate == SEQ_LAST_APART ? plain_columns(layer) : all_columns(layer);
    memcpy(bias, parameters->bias_ih, all_columns(layer) * sizeof *bias);
    layer->kernels->add(bias, parameters->bias_hh, merged);
}

static seq_cell_step step_at(const seq_recurrent *layer, const seq_recurrent_parameters *parameters,
                             const seq_tape *tape, int batch, int t) {
    size_t block = (size_t)batch * (size_t)layer->hidden, at = (size_t)t * block;
    return (seq_cell_step){
        .kernels = layer->kernels,
        .batch = batch,
        .hidden = layer->hidden,
        .gates = tape->gates + at * (size_t)layer->cell->gates,
        .auxiliary = tape->auxiliary ? tape->auxiliary + at : NULL,
        .hidden_before = tape->hidden + at,
        .hidden_after = tape->hidden + at + block,
        .memory_before = tape->memory ? tape->memory + at : NULL,
        .memory_after = tape->memory ? tape->memory + at + block : NULL,
        .weight_ch = parameters->weight_ch,
    };
}

// C (B, columns) = A (B, H) W^T + beta C, W being rows of weight_hh.
static void recur(const seq_recurrent *layer, int batch, const float *a, const float *weight,
                  size_t columns, float beta, float *c, size_t ldc) {
    size_t hidden = (size_t)layer->hidden;
    layer->kernels->gemm(SEQ_PLAIN, SEQ_TRANSPOSED, (size_t)batch, columns, hidden, a, hidden,
                         weight, hidden, beta, c, ldc);
}

static void forward_step(const seq_recurrent *layer, const seq_recurrent_parameters *parameters,
                         const seq_cell_step *step) {
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden;
    const float *last_weight = parameters->weight_hh + plain * hidden;
    recur(layer, step->batch, step->hidden_before, parameters->weight_hh, plain, 1, step->gates,
          all);
    if (layer->cell->last_gate == SEQ_LAST_APART) {
        recur(layer, step->batch, step->hidden_before, last_weight, hidden, 0, step->auxiliary,
              hidden);
        layer->kernels->add_rows(step->auxiliary, (size_t)step->batch, hidden, hidden,
                                 parameters->bias_hh + plain);
    }
    if (layer->cell->last_gate == SEQ_LAST_GATED) {
        layer->cell->prepare(step);
        recur(layer, step->batch, step->auxiliary, last_weight, hidden, 1, step->gates + plain,
              all);
    }
    layer->cell->forward(step);
}

void seq_recurrent_forward(const seq_recurrent *layer, const seq_recurrent_parameters *parameters,
                           seq_tape *tape, int batch, int steps, const float *inputs) {
    size_t rows = (size_t)steps * (size_t)batch, all = all_columns(layer),
           width = (size_t)layer->inputs;
    merge_biases(layer, parameters, tape->bias);
    layer->kernels->gemm(SEQ_PLAIN, SEQ_TRANSPOSED, rows, all, width, inputs, width,
                         parameters->weight_ih, width, 0, tape->gates, all);
    layer->kernels->add_rows(tape->gates, rows, all, all, tape->bias);
    for (int t = 0; t < steps; t++) {
        seq_cell_step step = step_at(layer, parameters, tape, batch, t);
        forward_step(layer, parameters, &step);
    }
}

// C (B, H) = A (B, rows) W + beta C, W being `rows` rows of weight_hh.
static void recur_back(const seq_recurrent *layer, int batch, const float *a, size_t lda,
                       const float *weight, size_t rows, float beta, float *c) {
    size_t hidden = (size_t)layer->hidden;
    layer->kernels->gemm(SEQ_PLAIN, SEQ_PLAIN, (size_t)batch, hidden, rows, a, lda, weight, hidden,
                         beta, c, hidden);
}

// From dL/dh<t> to the gate gradients and dL/dh<t-1>.
static void backward_step(const seq_recurrent *layer, const seq_recurrent_parameters *parameters,
                          seq_cell_step *step, float *d_gated) {
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden;
    const float *last_weight = parameters->weight_hh + plain * hidden;
    layer->cell->backward(step);
    if (layer->cell->last_gate == SEQ_LAST_GATED) {
        recur_back(layer, step->batch, step->gates + plain, all, last_weight, hidden, 0, d_gated);
        step->d_gated = d_gated;
        layer->cell->finish(step);
    }
    recur_back(layer, step->batch, step->gates, all, parameters->weight_hh, plain, 1,
               step->d_hidden_before);
    if (layer->cell->last_gate == SEQ_LAST_APART)
        recur_back(layer, step->batch, step->auxiliary, hidden, last_weight, hidden, 1,
                   step->d_hidden_before);
}

// C (m, n) += A (rows, m)^T B (rows, n).
static void outer_products(const seq_kernels *kernels, size_t rows, size_t m, const float *a,
                           size_t lda, size_t n, const float *b, float *c) {
    kernels->gemm(SEQ_TRANSPOSED, SEQ_PLAIN, m, n, rows, a, lda, b, n, 1, c, n);
}

// Gate gradients of the whole window lie in tape->gates.
static void recurrent_gradients(const seq_recurrent *layer, const seq_tape *tape, size_t rows,
                                const seq_recurrent_gradients *gradients) {
    const seq_kernels *kernels = layer->kernels;
    size_t all = all_columns(layer), plain = plain_columns(layer), hidden = (size_t)layer->hidden;
    float *last_weight = gradients->weight_hh + plain * hidden;
    outer_products(kernels, rows, plain, tape->gates, all, hidden, tape->hidden,
                   gradients->weight_hh);
    kernels->sum_rows(tape->gates, rows, plain, all, gradients->bias_hh);
    if (layer->cell->last_gate == SEQ_LAST_APART) {
        outer_products(kernels, rows, hidden, tape->auxiliary, hidden, hidden, tape->hidden,
                       last_weight);
        kernels->sum_rows(tape->auxiliary, rows, hidden, hidden, gradients->bias_hh + plain);
    } else if (layer->cell->last_gate == SEQ_LAST_GATED) {
        outer_products(kernels, rows, hidden, tape->gates + plain, all, hidden, tape->auxiliary,
                       last_weight);
        kernels->sum_rows(tape->gates + plain, rows, hidden, all, gradients->bias_hh + plain);
    }
}

void seq_recurrent_backward(const seq_recurrent *layer, const seq_recurrent_parameters *parameters,
                            seq_tape *tape, int batch, int steps, const float *inputs,
                            float *d_outputs, float *d_inputs,
                            const seq_recurrent_gradients *gradients,
                            const seq_recurrent_scratch *scratch, double *squares) {
    const seq_kernels *kernels = layer->kernels;
    size_t block = (size_t)batch * (size_t)layer->hidden, rows = (size_t)steps * (size_t)batch;
    size_t all = all_columns(layer), width = (size_t)layer->inputs;
    float *from_later = scratch->d_hidden;
    memset(from_later, 0, block * sizeof(float));
    memset(scratch->d_memory, 0, block * sizeof(float));
    for (int t = steps - 1; t >= 0; t--) {
        seq_cell_step step = step_at(layer, parameters, tape, batch, t);
        float *d_hidden = d_outputs + (size_t)t * block;
        kernels->add(d_hidden, from_later, block);
        if (squares) squares[steps - 1 - t] = kernels->sum_squares(d_hidden, block);
        step.d_hidden = d_hidden;
        step.d_memory = scratch->d_memory;
        step.d_hidden_before = from_later;
        step.d_weight_ch = gradients->weight_ch;
        backward_step(layer, parameters, &step, scratch->d_gated);
    }
    recurrent_gradients(layer, tape, rows, gradients);
    outer_products(kernels, rows, all, tape->gates, all, width, inputs, gradients->weight_ih);
    kernels->sum_rows(tape->gates, rows, all, all, gradients->bias_ih);
    if (d_inputs)
        kernels->gemm(SEQ_PLAIN, SEQ_PLAIN, rows, width, all, tape->gates, all,
                      parameters->weight_ih, width, 0, d_inputs, width);
}
