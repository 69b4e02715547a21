// adaptive (Grave et al. 2017): frequent words (below the first cutoff) and one
// entry for each cluster of the others share the head's softmax. A cluster's
// words have a softmax of their own, on rows projected to H / 4, H / 16 ...
// units. Shapes and names are those of PyTorch's AdaptiveLogSoftmaxWithLoss
// with div_value 4 and no bias. Parts: the head; then for each cluster its
// projection and its words. Tests: tests/golden/test_outputs.c,
// tests/unit/model/test_gradient.c, tests/unit/model/test_output.c.
#include "outputs.h"
#include <math.h>
#include <seqtrain/nn/embedding.h>
#include <stdio.h>
#include <string.h>

enum { SHRINK = 4 };

static int projected_units(const seq_output_shape *shape, int cluster) {
    int units = shape->units;
    for (int i = 0; i <= cluster; i++)
        units /= SHRINK;
    return units;
}

static int words_in(const seq_output_shape *shape, int cluster) {
    int end = cluster + 1 < shape->cutoff_count ? shape->cutoffs[cluster + 1] : shape->vocabulary;
    return end - shape->cutoffs[cluster];
}

static int cluster_of(const seq_output_shape *shape, int word) {
    int cluster = -1;
    while (cluster + 1 < shape->cutoff_count && word >= shape->cutoffs[cluster + 1])
        cluster++;
    return cluster;
}

static seq_status check(const seq_output_shape *shape, seq_error *error) {
    if (shape->cutoff_count < 1 || shape->cutoff_count > SEQ_MAX_CUTOFFS)
        return seq_error_set(error, SEQ_BAD_USAGE, "--cutoffs: %d numbers: 1 to %d are needed",
                             shape->cutoff_count, SEQ_MAX_CUTOFFS);
    int before = 0;
    for (int i = 0; i < shape->cutoff_count; i++) {
        if (shape->cutoffs[i] <= before || shape->cutoffs[i] >= shape->vocabulary)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--cutoffs: %d: must be above %d and below the vocabulary's %d",
                                 shape->cutoffs[i], before, shape->vocabulary);
        before = shape->cutoffs[i];
    }
    if (projected_units(shape, shape->cutoff_count - 1) >= 1) return SEQ_OK;
    return seq_error_set(
        error, SEQ_BAD_USAGE,
        "--output adaptive: %d clusters leave no unit of %d, the topmost layer's, for "
        "the last: each has a quarter of those of the one before; give fewer "
        "--cutoffs or more units",
        shape->cutoff_count, shape->units);
}

// Of the tokens, by Zipf's law.
static double share_of(const seq_output_shape *shape, int cluster) {
    int first = shape->cutoffs[cluster], end = first + words_in(shape, cluster);
    return log((end + 1.0) / (first + 1.0)) / log1p(shape->vocabulary);
}

static int list(const seq_output_shape *shape, seq_output_part *parts) {
    int count = 0;
    parts[count++] = (seq_output_part){"output.head.weight",
                                       shape->cutoffs[0] + shape->cutoff_count, shape->units, 1};
    for (int i = 0; i < shape->cutoff_count; i++) {
        double share = share_of(shape, i);
        for (int place = 0; place < 2; place++) {
            seq_output_part *part = &parts[count++];
            *part =
                place ? (seq_output_part){"", words_in(shape, i), projected_units(shape, i), share}
                      : (seq_output_part){"", projected_units(shape, i), shape->units, share};
            snprintf(part->name, sizeof part->name, "output.tail.%d.%d.weight", i, place);
        }
    }
    return count;
}

static const seq_output_weights *projection(const seq_output_rows *rows, int cluster) {
    return &rows->weights[1 + 2 * cluster];
}

static seq_softmax_weights words_of(const seq_output_weights *part) {
    return (seq_softmax_weights){part->forward, part->backward, NULL};
}

// The head and the tails are at work one after the other: their buffers are the same memory.
static void take_softmaxes(seq_output *output, bool training, seq_arena *arena) {
    const seq_output_shape *shape = &output->shape;
    seq_arena last = *arena;
    for (int i = -1; i < shape->cutoff_count; i++) {
        seq_softmax *softmax = i < 0 ? &output->softmax : &output->adaptive.tails[i];
        seq_arena again = *arena;
        *softmax =
            (seq_softmax){.compute = output->compute,
                          .columns = (size_t)(i < 0 ? shape->cutoffs[0] + shape->cutoff_count
                                                    : words_in(shape, i)),
                          .units = (size_t)(i < 0 ? shape->units : projected_units(shape, i))};
        seq_softmax_take(softmax, output->rows, training, &again);
        if (again.used > last.used) last = again;
    }
    *arena = last;
}

static void take(seq_output *output, bool training, seq_arena *arena) {
    size_t rows = output->rows, units = (size_t)output->shape.units;
    size_t projected = (size_t)projected_units(&output->shape, 0),
           clusters = (size_t)output->shape.cutoff_count;
    take_softmaxes(output, training, arena);
    output->found = seq_arena_take(arena, rows, sizeof *output->found);
    output->adaptive.found = seq_arena_take(arena, rows, sizeof *output->found);
    output->adaptive.targets = seq_arena_take(arena, rows, sizeof(int32_t));
    output->adaptive.chosen = seq_arena_take(arena, rows, sizeof(int32_t));
    output->adaptive.x = SEQ_ARENA_FLOATS(arena, rows * units);
    output->adaptive.hidden = SEQ_ARENA_FLOATS(arena, rows * projected);
    output->adaptive.cluster = SEQ_ARENA_FLOATS(arena, rows * clusters);
    if (!training) return;
    output->adaptive.d_hidden = SEQ_ARENA_FLOATS(arena, rows * projected);
    output->adaptive.d_x = SEQ_ARENA_FLOATS(arena, rows * units);
    output->adaptive.packed_rows =
        seq_arena_take(arena, 1, seq_compute_packed_bytes(output->compute, units, rows));
}

// Words of clusters become the cluster's entry in the head.
static void aim_at_head(const seq_output *output, const seq_output_rows *rows) {
    for (size_t i = 0; i < rows->count; i++) {
        int cluster = cluster_of(&output->shape, rows->targets[i]);
        output->adaptive.targets[i] =
            cluster < 0 ? rows->targets[i] : output->shape.cutoffs[0] + cluster;
    }
}

// Y (count, outputs) = X (count, inputs) B.
static void multiply(const seq_output *output, size_t count, const float *x, size_t inputs,
                     const void *packed, float *y, size_t outputs) {
    seq_compute_rows(output->compute, count, inputs, outputs, x, packed, NULL, y);
}

static float *cluster_logit(const seq_output *output, int32_t row, int cluster) {
    return output->adaptive.cluster + row * output->shape.cutoff_count + cluster;
}

// Rows whose target lies in the cluster, or, with `also_likely`, whose best word may: their
// numbers, their inputs and hidden units, and their targets in the cluster.
static size_t choose(const seq_output *output, const seq_output_rows *rows, int cluster,
                     bool also_likely) {
    const seq_output_shape *shape = &output->shape;
    size_t count = 0, units = (size_t)shape->units;
    for (size_t i = 0; i < rows->count; i++) {
        bool inside = cluster_of(shape, rows->targets[i]) == cluster;
        bool likely = also_likely && rows->targets[i] >= 0 &&
                      *cluster_logit(output, (int32_t)i, cluster) > output->found[i].best;
        if (!inside && !likely) continue;
        output->adaptive.targets[count] = inside ? rows->targets[i] - shape->cutoffs[cluster] : -1;
        output->adaptive.chosen[count++] = (int32_t)i;
    }
    if (!count) return 0;
    seq_embedding_forward(rows->x, units, output->adaptive.chosen, count, output->adaptive.x);
    multiply(output, count, output->adaptive.x, units, projection(rows, cluster)->forward,
             output->adaptive.hidden, output->adaptive.tails[cluster].units);
    return count;
}

static void train_projection(const seq_output *output, const seq_output_rows *rows, int cluster,
                             size_t count) {
    size_t units = (size_t)output->shape.units, projected = output->adaptive.tails[cluster].units;
    seq_compute_pack(output->compute, SEQ_PLAIN, units, count, output->adaptive.x, units,
                     output->adaptive.packed_rows);
    seq_compute_outer(output->compute, count, projected, units, output->adaptive.d_hidden,
                      projected, output->adaptive.packed_rows, false,
                      rows->gradients[1 + 2 * cluster]);
    multiply(output, count, output->adaptive.d_hidden, projected,
             projection(rows, cluster)->backward, output->adaptive.d_x, units);
    seq_embedding_backward(output->adaptive.d_x, units, output->adaptive.chosen, count, rows->dx);
}

static double train_cluster(const seq_output *output, const seq_output_rows *rows, int cluster) {
    const seq_softmax *tail = &output->adaptive.tails[cluster];
    float *const *gradients = rows->gradients + 1 + 2 * cluster;
    size_t count = choose(output, rows, cluster, false);
    if (!count) {
        memset(gradients[0], 0, tail->units * (size_t)output->shape.units * sizeof(float));
        memset(gradients[1], 0, tail->columns * tail->units * sizeof(float));
        return 0;
    }
    seq_softmax_weights weights = words_of(projection(rows, cluster) + 1);
    seq_loss loss =
        seq_softmax_train(tail, &weights, count, output->adaptive.hidden, output->adaptive.targets,
                          rows->scale, output->adaptive.d_hidden, gradients[1], NULL);
    train_projection(output, rows, cluster, count);
    return loss.sum;
}

static seq_loss train(seq_output *output, const seq_output_rows *rows) {
    seq_softmax_weights head = words_of(&rows->weights[0]);
    aim_at_head(output, rows);
    seq_loss loss =
        seq_softmax_train(&output->softmax, &head, rows->count, rows->x, output->adaptive.targets,
                          rows->scale, rows->dx, rows->gradients[0], NULL);
    for (int cluster = 0; cluster < output->shape.cutoff_count; cluster++)
        loss.sum += train_cluster(output, rows, cluster);
    return loss;
}

static void survey_head(const seq_output *output, const seq_output_rows *rows) {
    seq_softmax_weights head = words_of(&rows->weights[0]);
    aim_at_head(output, rows);
    seq_softmax_survey(&output->softmax, &head, rows->count, rows->x, output->adaptive.targets,
                       (size_t)output->shape.cutoffs[0], output->adaptive.cluster, output->found);
}

// What a cluster says about its rows, on the scale of the head's logits. Its words can be best only
// where the cluster as a whole is more probable than the best word so far.
static void survey_cluster(const seq_output *output, const seq_output_rows *rows, int cluster) {
    const seq_softmax *tail = &output->adaptive.tails[cluster];
    seq_softmax_weights weights = words_of(projection(rows, cluster) + 1);
    size_t count = choose(output, rows, cluster, true);
    seq_softmax_survey(tail, &weights, count, output->adaptive.hidden, output->adaptive.targets,
                       tail->columns, NULL, output->adaptive.found);
    for (size_t j = 0; j < count; j++) {
        const seq_softmax_row *inside = &output->adaptive.found[j];
        int32_t row = output->adaptive.chosen[j];
        seq_softmax_row *found = &output->found[row];
        float base = *cluster_logit(output, row, cluster) - inside->log_sum;
        if (output->adaptive.targets[j] >= 0) found->target = base + inside->target;
        if (base + inside->best <= found->best) continue;
        found->best = base + inside->best;
        found->best_column = output->shape.cutoffs[cluster] + inside->best_column;
    }
}

static seq_loss evaluate(const seq_output *output, const seq_output_rows *rows) {
    survey_head(output, rows);
    for (int cluster = 0; cluster < output->shape.cutoff_count; cluster++)
        survey_cluster(output, rows, cluster);
    return seq_output_sum(rows, output->found);
}

// Logits of all words of a cluster, on the scale of the head's.
static void log_cluster(const seq_output *output, const seq_output_rows *rows, int cluster,
                        float *logits) {
    const seq_softmax *tail = &output->adaptive.tails[cluster];
    size_t vocabulary = (size_t)output->shape.vocabulary;
    seq_softmax_weights weights = words_of(projection(rows, cluster) + 1);
    multiply(output, rows->count, rows->x, (size_t)output->shape.units,
             projection(rows, cluster)->forward, output->adaptive.hidden, tail->units);
    seq_softmax_logits(tail, &weights, rows->count, output->adaptive.hidden, logits, vocabulary);
    for (size_t i = 0; i < rows->count; i++) {
        float *row = logits + i * vocabulary, log_sum;
        memcpy(tail->logits, row, tail->columns * sizeof *row);
        output->compute->kernels->softmax(tail->logits, 1, tail->columns, tail->columns, &log_sum);
        float shift = *cluster_logit(output, (int32_t)i, cluster) - log_sum;
        for (size_t j = 0; j < tail->columns; j++)
            row[j] += shift;
    }
}

static void logits(const seq_output *output, const seq_output_rows *rows, float *logits) {
    seq_output_rows without_targets = *rows;
    without_targets.targets = output->adaptive.targets;
    for (size_t i = 0; i < rows->count; i++)
        output->adaptive.targets[i] = -1;
    survey_head(output, &without_targets);
    seq_softmax frequent = output->softmax;
    frequent.columns = (size_t)output->shape.cutoffs[0];
    seq_softmax_weights head = words_of(&rows->weights[0]);
    seq_softmax_logits(&frequent, &head, rows->count, rows->x, logits,
                       (size_t)output->shape.vocabulary);
    for (int cluster = 0; cluster < output->shape.cutoff_count; cluster++)
        log_cluster(output, rows, cluster, logits + output->shape.cutoffs[cluster]);
}

const seq_output_kind seq_output_adaptive = {.name = "adaptive",
                                             .ties = false,
                                             .packs_to_train = true,
                                             .check = check,
                                             .list = list,
                                             .take = take,
                                             .train = train,
                                             .evaluate = evaluate,
                                             .logits = logits};
