// Loss and gradients of a linear-chain conditional random field. Forward, with one vector of K a
// row: weight(t) = e^(alpha(t) - its maximum), reached(t+1) = weight(t) x e^(transition - most),
// alpha(t+1) = emission + most + ln reached. Maxima are added up in double. Backward there is no
// exponential: p(yt = i, y(t+1) = j) = weight(t, i) factor(i, j) marginal(t+1, j) / reached(t+1,
// j). Invariant: a sum below LEAST could miss terms that had no float left. Its column is computed
// from its own maximum instead, and reached is set to 0. Masks of -inf and scores of 1e4 rely on
// this. A sequence is one thread's; sums over sequences are a product over all rows in their order.
// Tests: tests/unit/nn/test_crf.c (all K^T paths), tests/golden/test_crf.c (PyTorch).
#include "crf_item.h"
#include "natural_log.h"
#include <math.h>

// e^-60. A term that is missing in a sum is below e^-87, so it is less than e^-27 of this.
static const float LEAST = 8.756511e-27F;
// Marginals below this hand nothing on where reached is 0.
static const float NEGLIGIBLE = 1e-12F;

static void take_part(seq_crf *crf, int steps, seq_crf_part *part, seq_arena *arena) {
    size_t labels = (size_t)crf->labels, prefixes = labels * (size_t)crf->best;
    seq_crf_part own = {
        .column = SEQ_ARENA_FLOATS(arena, labels),
        .score = seq_arena_take(arena, labels, sizeof(double)),
        .sum = seq_arena_take(arena, labels, sizeof(double)),
        .current = seq_arena_take(arena, prefixes, sizeof(double)),
        .next = seq_arena_take(arena, prefixes, sizeof(double)),
        .back = seq_arena_take(arena, prefixes * (size_t)steps, sizeof(int32_t)),
    };
    if (part) *part = own;
}

void seq_crf_take(seq_crf *crf, const seq_axis_limit *limit, seq_arena *arena) {
    size_t labels = (size_t)crf->labels, cells = limit->rows * labels, pairs = labels * labels;
    size_t sequences = (size_t)limit->sequences;
    int threads = seq_team_size(crf->compute->team);
    crf->single = *crf->compute;
    crf->single.precision = SEQ_FP32;
    crf->length = seq_arena_take(arena, sequences, sizeof(int32_t));
    crf->place = seq_arena_take(arena, sequences + 1, sizeof(size_t));
    crf->loss = seq_arena_take(arena, sequences, sizeof(double));
    float **const of_labels[] = {&crf->start, &crf->end, &crf->most};
    for (size_t i = 0; i < sizeof of_labels / sizeof *of_labels; i++)
        *of_labels[i] = SEQ_ARENA_FLOATS(arena, labels);
    crf->transitions = SEQ_ARENA_FLOATS(arena, pairs);
    crf->factor = SEQ_ARENA_FLOATS(arena, pairs);
    size_t packed = seq_compute_packed_bytes(&crf->single, labels, labels);
    crf->forward = seq_arena_take(arena, 1, packed);
    crf->backward = seq_arena_take(arena, 1, packed);
    crf->alpha = seq_arena_take(arena, cells, sizeof(double));
    float **const of_rows[] = {&crf->weight, &crf->reached, &crf->marginal};
    for (size_t i = 0; i < sizeof of_rows / sizeof *of_rows; i++)
        *of_rows[i] = SEQ_ARENA_FLOATS(arena, cells);
    if (crf->training) {
        crf->share = SEQ_ARENA_FLOATS(arena, cells);
        crf->pairs = SEQ_ARENA_FLOATS(arena, pairs);
        crf->packed_share =
            seq_arena_take(arena, 1, seq_compute_packed_bytes(&crf->single, labels, limit->rows));
    }
    crf->parts = seq_arena_take(arena, (size_t)threads, sizeof *crf->parts);
    for (int i = 0; i < threads; i++)
        take_part(crf, limit->steps, crf->parts ? &crf->parts[i] : NULL, arena);
}

// Transitions into a label, less the largest; a column of -inf becomes zeros.
static void set_factors(seq_crf *crf) {
    size_t labels = (size_t)crf->labels;
    for (size_t j = 0; j < labels; j++) {
        float most = -INFINITY;
        for (size_t i = 0; i < labels; i++) {
            float value = crf->transitions[i * labels + j];
            most = value > most ? value : most;
        }
        crf->most[j] = most > -INFINITY ? most : 0;
    }
    for (size_t i = 0; i < labels; i++)
        for (size_t j = 0; j < labels; j++)
            crf->factor[i * labels + j] = crf->transitions[i * labels + j] - crf->most[j];
    crf->compute->kernels->exp(crf->factor, labels * labels);
    seq_compute_pack(&crf->single, SEQ_PLAIN, labels, labels, crf->factor, labels, crf->forward);
    seq_compute_pack(&crf->single, SEQ_TRANSPOSED, labels, labels, crf->factor, labels,
                     crf->backward);
}

static void set_values(seq_crf *crf, const seq_crf_values *values, const unsigned char *allowed) {
    size_t labels = (size_t)crf->labels, line = labels + 1;
    for (size_t i = 0; i < labels; i++) {
        crf->start[i] = !allowed || allowed[labels * line + i] ? values->start[i] : -INFINITY;
        crf->end[i] = !allowed || allowed[i * line + labels] ? values->end[i] : -INFINITY;
        for (size_t j = 0; j < labels; j++)
            crf->transitions[i * labels + j] =
                !allowed || allowed[i * line + j] ? values->transitions[i * labels + j] : -INFINITY;
    }
    set_factors(crf);
}

void seq_crf_begin(seq_crf *crf, const seq_crf_batch *batch) {
    const seq_axis *axis = batch->axis;
    int length = axis->steps;
    set_values(crf, &batch->values, batch->allowed);
    crf->sequences = axis->sequences;
    crf->place[0] = 0;
    for (int b = 0; b < axis->sequences; b++) {
        while (length > 0 && axis->rows_at[length - 1] <= b)
            length--;
        crf->length[b] = length;
        crf->place[b + 1] = crf->place[b] + (size_t)length;
    }
}

seq_crf_item seq_crf_item_of(const seq_crf *crf, const seq_crf_batch *batch, int part, int number) {
    size_t labels = (size_t)crf->labels, begin = crf->place[number] * labels;
    return (seq_crf_item){
        .crf = crf,
        .part = &crf->parts[part],
        .number = number,
        .length = crf->length[number],
        .labels = labels,
        .first_row = batch->axis->first_row,
        .emissions = batch->emissions,
        .alpha = crf->alpha + begin,
        .weight = crf->weight + begin,
        .reached = crf->reached + begin,
        .marginal = crf->marginal + begin,
        .share = crf->training ? crf->share + begin : NULL,
    };
}

static double largest(const double *x, size_t count) {
    double most = -INFINITY;
    for (size_t i = 0; i < count; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

double seq_crf_column(const seq_crf_item *item, int t, size_t label) {
    const seq_crf *crf = item->crf;
    size_t labels = item->labels;
    const double *alpha = item->alpha + (size_t)(t - 1) * labels;
    double *sum = item->part->sum, most;
    float *column = item->part->column, log_sum;
    for (size_t i = 0; i < labels; i++)
        sum[i] = alpha[i] + (double)crf->transitions[i * labels + label];
    most = largest(sum, labels);
    if (!(most > -INFINITY)) {
        memset(column, 0, labels * sizeof *column);
        return most;
    }
    for (size_t i = 0; i < labels; i++)
        column[i] = (float)(sum[i] - most);
    crf->compute->kernels->softmax(column, 1, labels, labels, &log_sum);
    return most + (double)log_sum;
}

// Takes the maximum off and writes e^x of the rest. Returns the maximum.
static double normalise(const seq_crf *crf, const double *score, double *alpha, float *weight) {
    size_t labels = (size_t)crf->labels;
    double most = largest(score, labels), shift = most > -INFINITY ? most : 0;
    for (size_t j = 0; j < labels; j++) {
        alpha[j] = score[j] - shift;
        weight[j] = (float)alpha[j];
    }
    crf->compute->kernels->exp(weight, labels);
    return most;
}

static void multiply(const seq_crf *crf, const float *row, const void *packed, float *out) {
    size_t labels = (size_t)crf->labels;
    crf->compute->kernels->multiply(&(seq_product){.m = 1,
                                                   .n = labels,
                                                   .k = labels,
                                                   .a = row,
                                                   .lda = labels,
                                                   .b = packed,
                                                   .c = out,
                                                   .ldc = labels});
}

// score (K) of step t, before its maximum is taken off.
static void step(const seq_crf_item *item, int t, double *score) {
    const seq_crf *crf = item->crf;
    size_t labels = item->labels, few = 0;
    const float *emission = item->emissions + seq_crf_row(item, t) * labels;
    float *reached = item->reached + (size_t)t * labels;
    multiply(crf, item->weight + (size_t)(t - 1) * labels, crf->forward, reached);
    for (size_t j = 0; j < labels; j++) {
        few += !(reached[j] >= LEAST);
        score[j] = (double)emission[j] + (double)crf->most[j] + seq_natural_log(reached[j]);
    }
    for (size_t j = 0; few && j < labels; j++) {
        if (reached[j] >= LEAST) continue;
        reached[j] = 0;
        score[j] = (double)emission[j] + seq_crf_column(item, t, j);
    }
}

double seq_crf_forward(const seq_crf_item *item) {
    const seq_crf *crf = item->crf;
    size_t labels = item->labels;
    double *score = item->part->score, log_sum = 0, sum = 0;
    if (!item->length) return 0;
    for (int t = 0; t < item->length; t++) {
        const float *emission = item->emissions + seq_crf_row(item, t) * labels;
        size_t row = (size_t)t * labels;
        if (t)
            step(item, t, score);
        else
            for (size_t j = 0; j < labels; j++)
                score[j] = (double)crf->start[j] + (double)emission[j];
        log_sum += normalise(crf, score, item->alpha + row, item->weight + row);
    }
    const double *alpha = item->alpha + (size_t)(item->length - 1) * labels;
    float *last = item->marginal + (size_t)(item->length - 1) * labels;
    for (size_t j = 0; j < labels; j++)
        score[j] = alpha[j] + (double)crf->end[j];
    log_sum += normalise(crf, score, score, last);
    for (size_t j = 0; j < labels; j++)
        sum += (double)last[j];
    return log_sum + log(sum);
}

static void normalise_sum(float *marginal, size_t labels) {
    double sum = 0;
    for (size_t j = 0; j < labels; j++)
        sum += (double)marginal[j];
    float factor = (float)(1 / sum);
    for (size_t j = 0; j < labels; j++)
        marginal[j] *= factor;
}

// marginal (t - 1) from marginal (t); the share of step t is left in `share`.
static void step_back(const seq_crf_item *item, int t, float *share) {
    size_t labels = item->labels, few = 0;
    const float *reached = item->reached + (size_t)t * labels;
    const float *marginal = item->marginal + (size_t)t * labels;
    const float *weight = item->weight + (size_t)(t - 1) * labels;
    float *before = item->marginal + (size_t)(t - 1) * labels;
    for (size_t j = 0; j < labels; j++) {
        bool none = reached[j] == 0;
        few += none && marginal[j] > NEGLIGIBLE;
        share[j] = none ? 0 : marginal[j] / reached[j];
    }
    multiply(item->crf, share, item->crf->backward, before);
    for (size_t i = 0; i < labels; i++)
        before[i] *= weight[i];
    for (size_t j = 0; few && j < labels; j++) {
        if (reached[j] != 0 || !(marginal[j] > NEGLIGIBLE)) continue;
        seq_crf_column(item, t, j);
        for (size_t i = 0; i < labels; i++)
            before[i] += marginal[j] * item->part->column[i];
    }
    normalise_sum(before, labels);
}

void seq_crf_smooth(const seq_crf_item *item) {
    size_t labels = item->labels;
    if (!item->length) return;
    size_t last = (size_t)(item->length - 1) * labels;
    normalise_sum(item->marginal + last, labels);
    if (item->share) memset(item->share + last, 0, labels * sizeof(float));
    for (int t = item->length - 1; t > 0; t--)
        step_back(item, t,
                  item->share ? item->share + (size_t)(t - 1) * labels : item->part->column);
}

// Training or evaluation of a batch, shared by the team.
typedef struct loss_work {
    seq_crf *crf;
    const seq_crf_batch *batch;
    float scale;
    float *d_emissions; // may be the emissions; NULL: the loss only
} loss_work;

static bool counts(const seq_crf_item *item, const int32_t *targets) {
    for (int t = 0; t < item->length; t++)
        if (targets[seq_crf_row(item, t)] < 0) return false;
    return item->length > 0;
}

static double target_score(const seq_crf_item *item, const int32_t *targets) {
    const seq_crf *crf = item->crf;
    size_t labels = item->labels, before = 0;
    double score = 0;
    for (int t = 0; t < item->length; t++) {
        size_t row = seq_crf_row(item, t), label = (size_t)targets[row];
        score += (double)(t ? crf->transitions[before * labels + label] : crf->start[label]);
        score += (double)item->emissions[row * labels + label];
        before = label;
    }
    return score + (double)crf->end[before];
}

static double loss_of(const seq_crf_item *item, const int32_t *targets) {
    double log_sum = seq_crf_forward(item), score = target_score(item, targets);
    if (isnan(log_sum) || isnan(score)) return NAN;
    if (isinf(log_sum) || isinf(score)) return INFINITY;
    // Rounding may leave less than nothing of a probability of 1.
    return log_sum > score ? log_sum - score : 0;
}

// A sequence that does not count takes part in no sum.
static void clear_gradient(const seq_crf_item *item, float *d_emissions) {
    size_t labels = item->labels, count = (size_t)item->length * labels;
    memset(item->weight, 0, count * sizeof(float));
    memset(item->share, 0, count * sizeof(float));
    for (int t = 0; t < item->length; t++)
        memset(d_emissions + seq_crf_row(item, t) * labels, 0, labels * sizeof(float));
}

static void emission_gradient(const seq_crf_item *item, const loss_work *work) {
    size_t labels = item->labels;
    for (int t = 0; t < item->length; t++) {
        size_t row = seq_crf_row(item, t);
        const float *marginal = item->marginal + (size_t)t * labels;
        float *out = work->d_emissions + row * labels;
        memcpy(out, marginal, labels * sizeof *out);
        out[work->batch->targets[row]] -= 1;
        for (size_t j = 0; j < labels; j++)
            out[j] *= work->scale;
    }
}

// crf->loss of a sequence that is not counted is -1.
static void lose_item(const loss_work *work, const seq_crf_item *item) {
    double *loss = &work->crf->loss[item->number];
    *loss = counts(item, work->batch->targets) ? loss_of(item, work->batch->targets) : -1;
    if (!work->d_emissions) return;
    if (!isfinite(*loss) || *loss < 0) {
        clear_gradient(item, work->d_emissions);
    } else {
        seq_crf_smooth(item);
        emission_gradient(item, work);
    }
}

// Sequences are longest first: dealt in turn, threads get about the same.
static void lose_items(void *context, int part, int parts) {
    const loss_work *work = context;
    for (int b = part; b < work->crf->sequences; b += parts) {
        seq_crf_item item = seq_crf_item_of(work->crf, work->batch, part, b);
        lose_item(work, &item);
    }
}

static seq_loss lose_batch(const loss_work *work, double *of_sequence) {
    seq_crf *crf = work->crf;
    seq_loss total = {0};
    seq_crf_begin(crf, work->batch);
    seq_team_run(crf->compute->team, lose_items, (void *)work);
    for (int b = 0; b < crf->sequences; b++) {
        bool counted = !(crf->loss[b] < 0);
        if (of_sequence) of_sequence[b] = counted ? crf->loss[b] : 0;
        if (!counted) continue;
        total.sum += crf->loss[b];
        total.count += crf->length[b];
        if (!isfinite(crf->loss[b]) && !total.bad) total.bad = 1 + work->batch->axis->number[b];
    }
    return total;
}

seq_loss seq_crf_evaluate(seq_crf *crf, const seq_crf_batch *batch, double *of_sequence) {
    return lose_batch(&(loss_work){.crf = crf, .batch = batch}, of_sequence);
}

// The pairs of steps whose sum was computed from its own maximum, less the pairs of the targets.
static void finish_pairs(const seq_crf_item *item, const int32_t *targets) {
    size_t labels = item->labels;
    float *pairs = item->crf->pairs;
    for (int t = 1; t < item->length; t++) {
        const float *reached = item->reached + (size_t)t * labels;
        const float *marginal = item->marginal + (size_t)t * labels;
        for (size_t j = 0; j < labels; j++) {
            if (reached[j] != 0 || !(marginal[j] > NEGLIGIBLE)) continue;
            seq_crf_column(item, t, j);
            for (size_t i = 0; i < labels; i++)
                pairs[i * labels + j] += marginal[j] * item->part->column[i];
        }
        size_t from = (size_t)targets[seq_crf_row(item, t - 1)];
        pairs[from * labels + (size_t)targets[seq_crf_row(item, t)]] -= 1;
    }
}

static bool has_gradient(const seq_crf *crf, int b) {
    return isfinite(crf->loss[b]) && crf->loss[b] >= 0;
}

static void transition_gradient(seq_crf *crf, const seq_crf_batch *batch, float scale, float *out) {
    size_t labels = (size_t)crf->labels, rows = crf->place[crf->sequences];
    memset(crf->pairs, 0, labels * labels * sizeof(float));
    if (rows) {
        seq_compute_pack(&crf->single, SEQ_PLAIN, labels, rows, crf->share, labels,
                         crf->packed_share);
        seq_compute_outer(&crf->single, rows, labels, labels, crf->weight, labels,
                          crf->packed_share, false, crf->pairs, labels);
    }
    for (size_t i = 0; i < labels * labels; i++)
        crf->pairs[i] *= crf->factor[i];
    for (int b = 0; b < crf->sequences; b++) {
        seq_crf_item item = seq_crf_item_of(crf, batch, 0, b);
        if (has_gradient(crf, b)) finish_pairs(&item, batch->targets);
    }
    for (size_t i = 0; i < labels * labels; i++)
        out[i] = scale * crf->pairs[i];
}

// Of start (the first rows) or end (the last rows).
static void border_gradient(seq_crf *crf, const seq_crf_batch *batch, bool end, float scale,
                            float *out) {
    size_t labels = (size_t)crf->labels;
    float *sum = crf->parts[0].column;
    memset(sum, 0, labels * sizeof *sum);
    for (int b = 0; b < crf->sequences; b++) {
        if (!has_gradient(crf, b)) continue;
        int t = end ? crf->length[b] - 1 : 0;
        const float *marginal = crf->marginal + (crf->place[b] + (size_t)t) * labels;
        for (size_t j = 0; j < labels; j++)
            sum[j] += marginal[j];
        sum[batch->targets[batch->axis->first_row[t] + (size_t)b]] -= 1;
    }
    for (size_t j = 0; j < labels; j++)
        out[j] = scale * sum[j];
}

seq_loss seq_crf_train(seq_crf *crf, const seq_crf_batch *batch, float scale, double *of_sequence,
                       float *d_emissions, const seq_crf_gradients *gradients) {
    loss_work work = {crf, batch, scale, d_emissions};
    seq_loss total = lose_batch(&work, of_sequence);
    if (gradients->transitions) transition_gradient(crf, batch, scale, gradients->transitions);
    if (gradients->start) border_gradient(crf, batch, false, scale, gradients->start);
    if (gradients->end) border_gradient(crf, batch, true, scale, gradients->end);
    return total;
}
