#include <seqtrain/nn/softmax.h>
#include <string.h>

enum {
    CHUNK_LOGITS = 1 << 23,
    CHUNK_ROWS = 32
}; // logits of a chunk at most, but at least so many rows

void seq_output_take(seq_output *output, size_t rows, seq_arena *arena) {
    size_t chunk = CHUNK_LOGITS / (size_t)output->vocabulary;
    chunk = chunk < CHUNK_ROWS ? CHUNK_ROWS : chunk;
    output->chunk = chunk < rows ? chunk : rows;
    output->logits = SEQ_ARENA_FLOATS(arena, output->chunk * (size_t)output->vocabulary);
    output->log_sum = SEQ_ARENA_FLOATS(arena, output->chunk);
    output->target_logit = SEQ_ARENA_FLOATS(arena, output->chunk);
}

void seq_output_logits(const seq_output *output, const float *weight, const float *bias,
                       size_t rows, const float *x, float *logits) {
    size_t columns = (size_t)output->vocabulary, units = (size_t)output->units;
    output->kernels->gemm(SEQ_PLAIN, SEQ_TRANSPOSED, rows, columns, units, x, units, weight, units,
                          0, logits, columns);
    output->kernels->add_rows(logits, rows, columns, columns, bias);
}

// Logits of a chunk become probabilities; those of the targets are kept.
static void normalise(const seq_output *output, size_t rows, const int32_t *targets) {
    size_t columns = (size_t)output->vocabulary;
    for (size_t i = 0; i < rows; i++)
        output->target_logit[i] =
            targets[i] < 0 ? 0 : output->logits[i * columns + (size_t)targets[i]];
    output->kernels->softmax(output->logits, rows, columns, columns, output->log_sum);
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

// d(scale * nats)/d(logits) = scale (p - 1 at the target); zero where nothing is counted.
static void differentiate(const seq_output *output, size_t rows, const int32_t *targets,
                          float scale) {
    size_t columns = (size_t)output->vocabulary;
    for (size_t i = 0; i < rows; i++) {
        float *row = output->logits + i * columns;
        if (targets[i] < 0) {
            memset(row, 0, columns * sizeof *row);
            continue;
        }
        row[targets[i]] -= 1;
        output->kernels->scale(row, scale, columns);
    }
}

static void back_propagate(const seq_output *output, const float *weight, size_t rows,
                           const float *x, float *dx, float *d_weight, float *d_bias) {
    size_t columns = (size_t)output->vocabulary, units = (size_t)output->units;
    const seq_kernels *kernels = output->kernels;
    kernels->gemm(SEQ_PLAIN, SEQ_PLAIN, rows, units, columns, output->logits, columns, weight,
                  units, 0, dx, units);
    kernels->gemm(SEQ_TRANSPOSED, SEQ_PLAIN, columns, units, rows, output->logits, columns, x,
                  units, 1, d_weight, units);
    kernels->sum_rows(output->logits, rows, columns, columns, d_bias);
}

seq_output_loss seq_output_train(const seq_output *output, const float *weight, const float *bias,
                                 size_t rows, const float *x, const int32_t *targets, float scale,
                                 float *dx, float *d_weight, float *d_bias) {
    seq_output_loss loss = {0};
    size_t units = (size_t)output->units;
    for (size_t start = 0; start < rows; start += output->chunk) {
        size_t count = rows - start < output->chunk ? rows - start : output->chunk;
        seq_output_logits(output, weight, bias, count, x + start * units, output->logits);
        normalise(output, count, targets + start);
        add_loss(output, count, targets + start, NULL, &loss);
        differentiate(output, count, targets + start, scale);
        back_propagate(output, weight, count, x + start * units, dx + start * units, d_weight,
                       d_bias);
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

seq_output_loss seq_output_evaluate(const seq_output *output, const float *weight,
                                    const float *bias, size_t rows, const float *x,
                                    const int32_t *targets, float *log_probabilities) {
    seq_output_loss loss = {0};
    size_t units = (size_t)output->units, columns = (size_t)output->vocabulary;
    for (size_t start = 0; start < rows; start += output->chunk) {
        size_t count = rows - start < output->chunk ? rows - start : output->chunk;
        seq_output_logits(output, weight, bias, count, x + start * units, output->logits);
        normalise(output, count, targets + start);
        add_loss(output, count, targets + start,
                 log_probabilities ? log_probabilities + start : NULL, &loss);
        for (size_t i = 0; i < count; i++)
            loss.correct +=
                targets[start + i] >= 0 &&
                is_first_maximum(output->logits + i * columns, (int)columns, targets[start + i]);
    }
    return loss;
}
