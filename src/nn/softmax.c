#include <seqtrain/nn/softmax.h>
#include <string.h>

enum {
    CHUNK_LOGITS = 1 << 22, // logits of a chunk at most, a part of the last-level cache,
    CHUNK_ROWS = 32,        // but at least so many rows
};

void seq_output_take(seq_output *output, size_t rows, bool training, seq_arena *arena) {
    size_t most = CHUNK_LOGITS / (size_t)output->vocabulary;
    most = most < CHUNK_ROWS ? CHUNK_ROWS : most;
    size_t chunks = (rows + most - 1) / most;
    output->chunk = (rows + chunks - 1) / chunks;
    output->logits = SEQ_ARENA_FLOATS(arena, output->chunk * (size_t)output->vocabulary);
    output->log_sum = SEQ_ARENA_FLOATS(arena, output->chunk);
    output->target_logit = SEQ_ARENA_FLOATS(arena, output->chunk);
    if (training)
        output->packed_rows = seq_arena_take(
            arena, 1,
            seq_compute_packed_bytes(output->compute, (size_t)output->units, output->chunk));
}

void seq_output_logits(const seq_output *output, const seq_output_weights *weights, size_t rows,
                       const float *x, float *logits) {
    size_t columns = (size_t)output->vocabulary, units = (size_t)output->units;
    seq_compute_multiply(output->compute, (seq_product){.m = rows,
                                                        .n = columns,
                                                        .k = units,
                                                        .a = x,
                                                        .lda = units,
                                                        .b = weights->forward,
                                                        .bias = weights->bias,
                                                        .c = logits,
                                                        .ldc = columns});
}

// Rows of a chunk, shared by the team: logits become probabilities, those of the targets are kept.
typedef struct row_work {
    const seq_output *output;
    size_t rows;
    const int32_t *targets;
    bool differentiate; // then: d(scale * nats)/d(logits) = scale (p - 1 at the target)
    float scale;
} row_work;

static void differentiate_row(const row_work *work, size_t i, float *row) {
    size_t columns = (size_t)work->output->vocabulary;
    if (work->targets[i] < 0) {
        memset(row, 0, columns * sizeof *row);
        return;
    }
    row[work->targets[i]] -= 1;
    work->output->compute->kernels->scale(row, work->scale, columns);
}

static void normalise_rows(void *context, int part, int parts) {
    const row_work *work = context;
    const seq_output *output = work->output;
    size_t columns = (size_t)output->vocabulary;
    for (size_t i = seq_share_begin(work->rows, part, parts);
         i < seq_share_begin(work->rows, part + 1, parts); i++) {
        float *row = output->logits + i * columns;
        output->target_logit[i] = work->targets[i] < 0 ? 0 : row[work->targets[i]];
        output->compute->kernels->softmax(row, 1, columns, columns, output->log_sum + i);
        if (work->differentiate) differentiate_row(work, i, row);
    }
}

static void normalise(row_work *work) {
    seq_team_run(work->output->compute->team, normalise_rows, work);
}

static void add_loss(const seq_output *output, size_t rows, const int32_t *targets,
                     float *log_probabilities, seq_output_loss *loss) {
    for (size_t i = 0; i < rows; i++) {
        double log_probability =
            targets[i] < 0 ? 0 : (double)output->target_logit[i] - (double)output->log_sum[i];
        loss->nats -= log_probability;
        loss->tokens += targets[i] >= 0;
        if (log_probabilities) log_probabilities[i] = (float)log_probability;
    }
}

static void weight_gradients(const seq_output *output, size_t rows, const float *x, bool accumulate,
                             float *d_weight) {
    size_t columns = (size_t)output->vocabulary, units = (size_t)output->units;
    seq_compute_pack(output->compute, SEQ_PLAIN, units, rows, x, units, output->packed_rows);
    seq_compute_multiply(output->compute, (seq_product){.op_a = SEQ_TRANSPOSED,
                                                        .m = columns,
                                                        .n = units,
                                                        .k = rows,
                                                        .a = output->logits,
                                                        .lda = columns,
                                                        .b = output->packed_rows,
                                                        .accumulate = accumulate,
                                                        .c = d_weight,
                                                        .ldc = units});
}

static void input_gradients(const seq_output *output, const seq_output_weights *weights,
                            size_t rows, float *dx) {
    size_t columns = (size_t)output->vocabulary, units = (size_t)output->units;
    seq_compute_multiply(output->compute, (seq_product){.m = rows,
                                                        .n = units,
                                                        .k = columns,
                                                        .a = output->logits,
                                                        .lda = columns,
                                                        .b = weights->backward,
                                                        .c = dx,
                                                        .ldc = units});
}

seq_output_loss seq_output_train(const seq_output *output, const seq_output_weights *weights,
                                 size_t rows, const float *x, const int32_t *targets, float scale,
                                 float *dx, float *d_weight, float *d_bias) {
    seq_output_loss loss = {0};
    size_t units = (size_t)output->units, columns = (size_t)output->vocabulary;
    memset(d_bias, 0, columns * sizeof *d_bias);
    for (size_t start = 0; start < rows; start += output->chunk) {
        size_t count = rows - start < output->chunk ? rows - start : output->chunk;
        row_work work = {output, count, targets + start, true, scale};
        seq_output_logits(output, weights, count, x + start * units, output->logits);
        normalise(&work);
        add_loss(output, count, targets + start, NULL, &loss);
        input_gradients(output, weights, count, dx + start * units);
        weight_gradients(output, count, x + start * units, start > 0, d_weight);
        output->compute->kernels->sum_rows(output->logits, count, columns, columns, d_bias);
    }
    return loss;
}

// Is the target the first maximum of its row?
static int is_first_maximum(const float *row, int columns, int target) {
    int beaten = 0;
    for (int j = 0; j < target; j++)
        beaten |= row[j] >= row[target];
    for (int j = target + 1; j < columns; j++)
        beaten |= row[j] > row[target];
    return !beaten;
}

seq_output_loss seq_output_evaluate(const seq_output *output, const seq_output_weights *weights,
                                    size_t rows, const float *x, const int32_t *targets,
                                    float *log_probabilities) {
    seq_output_loss loss = {0};
    size_t units = (size_t)output->units, columns = (size_t)output->vocabulary;
    for (size_t start = 0; start < rows; start += output->chunk) {
        size_t count = rows - start < output->chunk ? rows - start : output->chunk;
        row_work work = {output, count, targets + start, false, 0};
        seq_output_logits(output, weights, count, x + start * units, output->logits);
        normalise(&work);
        add_loss(output, count, targets + start,
                 log_probabilities ? log_probabilities + start : NULL, &loss);
        for (size_t i = 0; i < count; i++)
            loss.correct +=
                targets[start + i] >= 0 &&
                is_first_maximum(output->logits + i * columns, (int)columns, targets[start + i]);
    }
    return loss;
}
