// Softmax and cross-entropy in chunks of rows: -ln p(target) = ln(sum of
// e^logit) - logit of the target. Logits are overwritten by their gradient,
// scale (p - 1 at the target). Invariant: chunks are added in the order of
// rows, so the gradient's bits do not depend on threads. Tests:
// tests/golden/test_models.c (cross_entropy), tests/unit/model/test_output.c.
#include <seqtrain/nn/softmax.h>
#include <math.h>
#include <string.h>

enum { CHUNK_ROWS = 32 }; // rows of a chunk at least

void seq_softmax_take(seq_softmax *softmax, size_t rows, bool training, seq_arena *arena) {
    size_t most = SEQ_CHUNK_LOGITS / softmax->columns;
    most = most < CHUNK_ROWS ? CHUNK_ROWS : most;
    size_t chunks = (rows + most - 1) / most;
    softmax->shared = softmax->columns;
    softmax->chunk = rows ? (rows + chunks - 1) / chunks : 1;
    softmax->logits = SEQ_ARENA_FLOATS(arena, softmax->chunk * softmax->columns);
    softmax->log_sum = SEQ_ARENA_FLOATS(arena, softmax->chunk);
    softmax->target_logit = SEQ_ARENA_FLOATS(arena, softmax->chunk);
    if (softmax->smoothing > 0) softmax->mean_logit = SEQ_ARENA_FLOATS(arena, softmax->chunk);
    if (training)
        softmax->packed_rows = seq_arena_take(
            arena, 1, seq_compute_packed_bytes(softmax->compute, softmax->units, softmax->chunk));
}

void seq_softmax_logits(const seq_softmax *softmax, const seq_softmax_weights *weights, size_t rows,
                        const float *x, float *logits, size_t ld) {
    seq_compute_multiply(softmax->compute, (seq_product){.m = rows,
                                                         .n = softmax->columns,
                                                         .k = softmax->units,
                                                         .a = x,
                                                         .lda = softmax->units,
                                                         .b = weights->forward,
                                                         .bias = weights->bias,
                                                         .c = logits,
                                                         .ldc = ld});
}

// Rows of a chunk, shared by the team.
typedef struct row_work {
    const seq_softmax *softmax;
    size_t rows;
    const int32_t *targets;
    float scale; // training: logits become d(scale * nats)/d(logits) = scale (p - 1 at the target)
    size_t ranked;
    float *kept;
    seq_softmax_row *found;
} row_work;

static float weight_of(const seq_softmax *softmax, int32_t target) {
    return softmax->column_weights ? softmax->column_weights[target] : 1;
}

// The gradient is that of cross-entropy with (1 - smoothing) at the target and smoothing / C
// everywhere (Szegedy et al. 2016).
static void differentiate_row(const row_work *work, size_t i, float *row) {
    const seq_softmax *softmax = work->softmax;
    size_t columns = softmax->columns;
    float everywhere = (float)(softmax->smoothing / (double)columns);
    if (work->targets[i] < 0) {
        memset(row, 0, columns * sizeof *row);
        return;
    }
    for (size_t j = 0; everywhere > 0 && j < columns; j++)
        row[j] -= everywhere;
    row[work->targets[i]] -= (float)(1 - softmax->smoothing);
    softmax->compute->kernels->scale(row, work->scale * weight_of(softmax, work->targets[i]),
                                     columns);
}

static void mask_row(const seq_softmax *softmax, int32_t target, float *row) {
    for (size_t j = softmax->shared; j < softmax->columns; j++)
        if ((int64_t)j != target) row[j] = -INFINITY;
}

static float mean_of(const float *row, size_t count) {
    double sum = 0;
    for (size_t j = 0; j < count; j++)
        sum += (double)row[j];
    return (float)(sum / (double)count);
}

static void differentiate_rows(void *context, int part, int parts) {
    const row_work *work = context;
    const seq_softmax *softmax = work->softmax;
    size_t columns = softmax->columns;
    for (size_t i = seq_share_begin(work->rows, part, parts);
         i < seq_share_begin(work->rows, part + 1, parts); i++) {
        float *row = softmax->logits + i * columns;
        mask_row(softmax, work->targets[i], row);
        softmax->target_logit[i] = work->targets[i] < 0 ? 0 : row[work->targets[i]];
        if (softmax->mean_logit) softmax->mean_logit[i] = mean_of(row, columns);
        softmax->compute->kernels->softmax(row, 1, columns, columns, softmax->log_sum + i);
        differentiate_row(work, i, row);
    }
}

static void add_loss(const seq_softmax *softmax, size_t rows, const int32_t *targets,
                     seq_loss *loss) {
    for (size_t i = 0; i < rows; i++) {
        if (targets[i] < 0) continue;
        double nats = (double)softmax->log_sum[i] - (double)softmax->target_logit[i];
        if (softmax->mean_logit)
            nats += softmax->smoothing *
                    ((double)softmax->target_logit[i] - (double)softmax->mean_logit[i]);
        loss->sum += (double)weight_of(softmax, targets[i]) * nats;
        loss->count++;
    }
}

static void weight_gradients(const seq_softmax *softmax, size_t rows, const float *x,
                             bool accumulate, float *d_weight) {
    size_t columns = softmax->columns, units = softmax->units;
    seq_compute_pack(softmax->compute, SEQ_PLAIN, units, rows, x, units, softmax->packed_rows);
    seq_compute_outer(softmax->compute, rows, columns, units, softmax->logits, columns,
                      softmax->packed_rows, accumulate, d_weight, units);
}

static void input_gradients(const seq_softmax *softmax, const seq_softmax_weights *weights,
                            size_t rows, float *dx) {
    size_t columns = softmax->columns, units = softmax->units;
    seq_compute_rows(softmax->compute, rows, columns, units, softmax->logits, weights->backward,
                     NULL, dx);
}

seq_loss seq_softmax_train(const seq_softmax *softmax, const seq_softmax_weights *weights,
                           size_t rows, const float *x, const int32_t *targets, float scale,
                           float *dx, float *d_weight, float *d_bias) {
    seq_loss loss = {0};
    size_t units = softmax->units, columns = softmax->columns;
    if (d_bias) memset(d_bias, 0, columns * sizeof *d_bias);
    if (d_weight && rows == 0) memset(d_weight, 0, columns * units * sizeof *d_weight);
    for (size_t start = 0; start < rows; start += softmax->chunk) {
        size_t count = rows - start < softmax->chunk ? rows - start : softmax->chunk;
        row_work work = {
            .softmax = softmax, .rows = count, .targets = targets + start, .scale = scale};
        seq_softmax_logits(softmax, weights, count, x + start * units, softmax->logits, columns);
        seq_team_run(softmax->compute->team, differentiate_rows, &work);
        add_loss(softmax, count, targets + start, &loss);
        if (dx) input_gradients(softmax, weights, count, dx + start * units);
        if (d_weight) weight_gradients(softmax, count, x + start * units, start > 0, d_weight);
        if (d_bias)
            softmax->compute->kernels->sum_rows(softmax->logits, count, columns, columns, d_bias);
    }
    return loss;
}

// In lanes, so that compilers can use vectors.
float seq_largest(const float *x, size_t count) {
    enum { LANES = 32 };
    float lanes[LANES], most = x[0];
    size_t i = 0;
    for (int lane = 0; lane < LANES; lane++)
        lanes[lane] = x[0];
    for (; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            lanes[lane] = x[i + (size_t)lane] > lanes[lane] ? x[i + (size_t)lane] : lanes[lane];
    for (int lane = 0; lane < LANES; lane++)
        most = lanes[lane] > most ? lanes[lane] : most;
    for (; i < count; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

static void survey_row(const row_work *work, size_t i, float *row) {
    size_t columns = work->softmax->columns, kept = columns - work->ranked;
    seq_softmax_row *found = &work->found[i];
    found->target = work->targets[i] < 0 ? 0 : row[work->targets[i]];
    found->best = seq_largest(row, work->ranked);
    found->best_column = 0;
    while ((size_t)found->best_column + 1 < work->ranked && row[found->best_column] < found->best)
        found->best_column++;
    if (kept) memcpy(work->kept + i * kept, row + work->ranked, kept * sizeof *row);
    work->softmax->compute->kernels->softmax(row, 1, columns, columns, &found->log_sum);
}

static void survey_rows(void *context, int part, int parts) {
    const row_work *work = context;
    for (size_t i = seq_share_begin(work->rows, part, parts);
         i < seq_share_begin(work->rows, part + 1, parts); i++)
        survey_row(work, i, work->softmax->logits + i * work->softmax->columns);
}

void seq_softmax_survey(const seq_softmax *softmax, const seq_softmax_weights *weights, size_t rows,
                        const float *x, const int32_t *targets, size_t ranked, float *kept,
                        seq_softmax_row *out) {
    for (size_t start = 0; start < rows; start += softmax->chunk) {
        size_t count = rows - start < softmax->chunk ? rows - start : softmax->chunk;
        row_work work = {.softmax = softmax,
                         .rows = count,
                         .targets = targets + start,
                         .ranked = ranked,
                         .kept = kept ? kept + start * (softmax->columns - ranked) : NULL,
                         .found = out + start};
        seq_softmax_logits(softmax, weights, count, x + start * softmax->units, softmax->logits,
                           softmax->columns);
        seq_team_run(softmax->compute->team, survey_rows, &work);
    }
}
