// adaptive (Grave et al. 2017): frequent words (below the first cutoff) and one
// entry for each cluster of the others share the head's softmax. A cluster's
// words have a softmax of their own, on rows projected to H / 4, H / 16 ...
// units. Shapes and names are those of PyTorch's AdaptiveLogSoftmaxWithLoss
// with div_value 4 and no bias. Parts: the head; then for each cluster its
// projection and its words. Tests: tests/golden/test_outputs.c,
// tests/unit/model/test_gradient.c, tests/unit/model/test_output.c.
#include "heads.h"
#include <math.h>
#include <seqtrain/nn/embedding.h>
#include <stdio.h>
#include <string.h>

enum { SHRINK = 4 };

typedef struct memory {
    seq_softmax head, tails[SEQ_MAX_CUTOFFS];
    seq_softmax_row *found;             // (N)
    int32_t *targets, *chosen;          // (N)
    float *x, *hidden, *d_hidden, *d_x; // chosen rows: (., W), (., W / 4), (., W / 4), (., W)
    void *packed_rows;                  // (., W)
    float *cluster;                     // (N, clusters): logits of the clusters
    seq_softmax_row *inside;            // of chosen rows
} memory;

static const seq_words_options *options_of(const seq_node *node) {
    return node->options;
}

static int projected_units(const seq_node *node, int cluster) {
    int units = (int)seq_head_units(node);
    for (int i = 0; i <= cluster; i++)
        units /= SHRINK;
    return units;
}

static int words_in(const seq_node *node, int cluster) {
    const seq_words_options *options = options_of(node);
    int end = cluster + 1 < options->cutoff_count ? options->cutoffs[cluster + 1]
                                                  : (int)seq_head_words(node);
    return end - options->cutoffs[cluster];
}

static int cluster_of(const seq_node *node, int word) {
    const seq_words_options *options = options_of(node);
    int cluster = -1;
    while (cluster + 1 < options->cutoff_count && word >= options->cutoffs[cluster + 1])
        cluster++;
    return cluster;
}

static int columns_of_head(const seq_node *node) {
    return options_of(node)->cutoffs[0] + options_of(node)->cutoff_count;
}

static seq_status check(const seq_node *node, seq_error *error) {
    const seq_words_options *options = options_of(node);
    int before = 0, words = (int)seq_head_words(node), units = (int)seq_head_units(node);
    if (options->cutoff_count < 1 || options->cutoff_count > SEQ_MAX_CUTOFFS)
        return seq_error_set(error, SEQ_BAD_USAGE, "--cutoffs: %d numbers: 1 to %d are needed",
                             options->cutoff_count, SEQ_MAX_CUTOFFS);
    for (int i = 0; i < options->cutoff_count; i++) {
        if (options->cutoffs[i] <= before || options->cutoffs[i] >= words)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--cutoffs: %d: must be above %d and below the vocabulary's %d",
                                 options->cutoffs[i], before, words);
        before = options->cutoffs[i];
    }
    if (projected_units(node, options->cutoff_count - 1) >= 1) return SEQ_OK;
    return seq_error_set(
        error, SEQ_BAD_USAGE,
        "--output adaptive: %d clusters leave no unit of %d, the topmost layer's, for "
        "the last: each has a quarter of those of the one before; give fewer "
        "--cutoffs or more units",
        options->cutoff_count, units);
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    seq_status status = seq_head_word_shape(node, out, error);
    return status ? status : check(node, error);
}

// Of the tokens, by Zipf's law.
static double share_of(const seq_node *node, int cluster) {
    int first = options_of(node)->cutoffs[cluster], end = first + words_in(node, cluster);
    return log((end + 1.0) / (first + 1.0)) / log1p((double)seq_head_words(node));
}

static void add_matrix(seq_parameter_list *list, const char *name, int rows, int columns,
                       double share) {
    seq_list_parameter(list, name, rows, columns, 1 / sqrt(columns))->share = share;
}

// Packed: all matrices forward, then all back.
static void parameters(const seq_node *node, seq_parameter_list *list) {
    int units = (int)seq_head_units(node);
    add_matrix(list, "head.weight", columns_of_head(node), units, 1);
    for (int i = 0; i < options_of(node)->cutoff_count; i++) {
        char name[SEQ_NAME];
        double share = share_of(node, i);
        snprintf(name, sizeof name, "tail.%d.0.weight", i);
        add_matrix(list, name, projected_units(node, i), units, share);
        snprintf(name, sizeof name, "tail.%d.1.weight", i);
        add_matrix(list, name, words_in(node, i), projected_units(node, i), share);
    }
    for (int back = 0; back < 2; back++)
        for (int i = 0; i < list->parameter_count; i++)
            seq_list_packed(list, seq_whole_matrix(list, i, back));
}

static const void *packed_of(const seq_node *node, const seq_pass *pass, int matrix, bool back) {
    return seq_packed(node, pass, matrix + (back ? node->parameter_count : 0));
}

// Places of a cluster's matrices among the parameters.
static int projection(int cluster) {
    return 1 + 2 * cluster;
}

static seq_softmax_weights weights_of(const seq_node *node, const seq_pass *pass, int matrix) {
    return (seq_softmax_weights){packed_of(node, pass, matrix, false),
                                 packed_of(node, pass, matrix, true), NULL};
}

// The head and the tails are at work one after the other: their buffers are the same memory.
static void take_softmaxes(const seq_node *node, memory *memory, size_t rows, bool training,
                           seq_arena *arena) {
    seq_arena last = *arena;
    for (int i = -1; i < options_of(node)->cutoff_count; i++) {
        seq_softmax *softmax = i < 0 ? &memory->head : &memory->tails[i];
        seq_arena again = *arena;
        *softmax =
            (seq_softmax){.compute = node->compute,
                          .columns = (size_t)(i < 0 ? columns_of_head(node) : words_in(node, i)),
                          .units = i < 0 ? seq_head_units(node) : (size_t)projected_units(node, i)};
        seq_softmax_take(softmax, rows, training, &again);
        if (again.used > last.used) last = again;
    }
    *arena = last;
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    size_t rows = seq_head_rows(node, limits), units = seq_head_units(node);
    size_t projected = (size_t)projected_units(node, 0),
           clusters = (size_t)options_of(node)->cutoff_count;
    (void)kept;
    take_softmaxes(node, memory, rows, training, scratch);
    memory->found = seq_arena_take(scratch, rows, sizeof *memory->found);
    memory->inside = seq_arena_take(scratch, rows, sizeof *memory->inside);
    memory->targets = seq_arena_take(scratch, rows, sizeof(int32_t));
    memory->chosen = seq_arena_take(scratch, rows, sizeof(int32_t));
    memory->x = SEQ_ARENA_FLOATS(scratch, rows * units);
    memory->hidden = SEQ_ARENA_FLOATS(scratch, rows * projected);
    memory->cluster = SEQ_ARENA_FLOATS(scratch, rows * clusters);
    if (!training) return;
    memory->d_hidden = SEQ_ARENA_FLOATS(scratch, rows * projected);
    memory->d_x = SEQ_ARENA_FLOATS(scratch, rows * units);
    memory->packed_rows =
        seq_arena_take(scratch, 1, seq_compute_packed_bytes(node->compute, units, rows));
}

// What the functions below work on.
typedef struct work {
    const seq_node *node;
    seq_pass *pass;
    const memory *memory;
    seq_head_work rows;
} work;

static work work_of(const seq_node *node, seq_pass *pass) {
    return (work){node, pass, seq_run(node, pass)->memory, seq_head_work_of(node, pass)};
}

// Words of clusters become the cluster's entry in the head.
static void aim_at_head(const work *work) {
    for (size_t i = 0; i < work->rows.rows; i++) {
        int cluster = cluster_of(work->node, work->rows.targets[i]);
        work->memory->targets[i] =
            cluster < 0 ? work->rows.targets[i] : options_of(work->node)->cutoffs[0] + cluster;
    }
}

// Y (count, outputs) = X (count, inputs) B.
static void multiply(const work *work, size_t count, const float *x, size_t inputs,
                     const void *packed, float *y, size_t outputs) {
    seq_compute_rows(work->node->compute, count, inputs, outputs, x, packed, NULL, y);
}

static float *cluster_logit(const work *work, int32_t row, int cluster) {
    return work->memory->cluster + row * options_of(work->node)->cutoff_count + cluster;
}

// Rows whose target lies in the cluster, or, with `also_likely`, whose best word may: their
// numbers, their inputs and hidden units, and their targets in the cluster.
static size_t choose(const work *work, int cluster, bool also_likely) {
    const memory *memory = work->memory;
    const int32_t *targets = work->rows.targets;
    size_t count = 0, units = seq_head_units(work->node);
    for (size_t i = 0; i < work->rows.rows; i++) {
        bool inside = cluster_of(work->node, targets[i]) == cluster;
        bool likely = also_likely && targets[i] >= 0 &&
                      *cluster_logit(work, (int32_t)i, cluster) > memory->found[i].best;
        if (!inside && !likely) continue;
        memory->targets[count] =
            inside ? targets[i] - options_of(work->node)->cutoffs[cluster] : -1;
        memory->chosen[count++] = (int32_t)i;
    }
    if (!count) return 0;
    seq_embedding_forward(work->rows.x, units, memory->chosen, count, memory->x);
    multiply(work, count, memory->x, units,
             packed_of(work->node, work->pass, projection(cluster), false), memory->hidden,
             memory->tails[cluster].units);
    return count;
}

static void train_projection(const work *work, int cluster, size_t count) {
    const memory *memory = work->memory;
    const seq_compute *compute = work->node->compute;
    size_t units = seq_head_units(work->node), projected = memory->tails[cluster].units;
    float *d_projection = seq_parameter_gradient(work->node, work->pass, projection(cluster));
    if (d_projection) {
        seq_compute_pack(compute, SEQ_PLAIN, units, count, memory->x, units, memory->packed_rows);
        seq_compute_outer(compute, count, projected, units, memory->d_hidden, projected,
                          memory->packed_rows, false, d_projection, units);
    }
    multiply(work, count, memory->d_hidden, projected,
             packed_of(work->node, work->pass, projection(cluster), true), memory->d_x, units);
    if (work->rows.dx)
        seq_embedding_backward(memory->d_x, units, memory->chosen, count, work->rows.dx);
}

static double train_cluster(const work *work, int cluster, float scale) {
    const memory *memory = work->memory;
    const seq_softmax *tail = &memory->tails[cluster];
    int matrix = projection(cluster);
    float *d_projection = seq_parameter_gradient(work->node, work->pass, matrix),
          *d_words = seq_parameter_gradient(work->node, work->pass, matrix + 1);
    size_t count = choose(work, cluster, false), units = seq_head_units(work->node);
    if (!count) {
        if (d_projection) memset(d_projection, 0, tail->units * units * sizeof(float));
        if (d_words) memset(d_words, 0, tail->columns * tail->units * sizeof(float));
        return 0;
    }
    seq_softmax_weights weights = weights_of(work->node, work->pass, matrix + 1);
    seq_loss loss = seq_softmax_train(tail, &weights, count, memory->hidden, memory->targets, scale,
                                      memory->d_hidden, d_words, NULL);
    train_projection(work, cluster, count);
    return loss.sum;
}

static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    const work work = work_of(node, pass);
    seq_softmax_weights head = weights_of(node, pass, 0);
    aim_at_head(&work);
    seq_loss loss = seq_softmax_train(&work.memory->head, &head, work.rows.rows, work.rows.x,
                                      work.memory->targets, (float)scale, work.rows.dx,
                                      seq_parameter_gradient(node, pass, 0), NULL);
    for (int cluster = 0; cluster < options_of(node)->cutoff_count; cluster++)
        loss.sum += train_cluster(&work, cluster, (float)scale);
    return loss;
}

static void survey_head(const work *work, const int32_t *targets) {
    seq_softmax_weights head = weights_of(work->node, work->pass, 0);
    seq_softmax_survey(&work->memory->head, &head, work->rows.rows, work->rows.x, targets,
                       (size_t)options_of(work->node)->cutoffs[0], work->memory->cluster,
                       work->memory->found);
}

// What a cluster says about its rows, on the scale of the head's logits. Its words can be best only
// where the cluster as a whole is more probable than the best word so far.
static void survey_cluster(const work *work, int cluster) {
    const memory *memory = work->memory;
    const seq_softmax *tail = &memory->tails[cluster];
    seq_softmax_weights weights = weights_of(work->node, work->pass, projection(cluster) + 1);
    size_t count = choose(work, cluster, true);
    seq_softmax_survey(tail, &weights, count, memory->hidden, memory->targets, tail->columns, NULL,
                       memory->inside);
    for (size_t j = 0; j < count; j++) {
        const seq_softmax_row *inside = &memory->inside[j];
        int32_t row = memory->chosen[j];
        seq_softmax_row *found = &memory->found[row];
        float base = *cluster_logit(work, row, cluster) - inside->log_sum;
        if (memory->targets[j] >= 0) found->target = base + inside->target;
        if (base + inside->best <= found->best) continue;
        found->best = base + inside->best;
        found->best_column = options_of(work->node)->cutoffs[cluster] + inside->best_column;
    }
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    const work work = work_of(node, pass);
    aim_at_head(&work);
    survey_head(&work, work.memory->targets);
    for (int cluster = 0; cluster < options_of(node)->cutoff_count; cluster++)
        survey_cluster(&work, cluster);
    return seq_head_sum(node, pass, work.memory->found, work.rows.targets, 0, work.rows.rows,
                        losses);
}

// Logits of all words of a cluster, on the scale of the head's.
static void log_cluster(const work *work, int cluster, float *logits) {
    const memory *memory = work->memory;
    const seq_softmax *tail = &memory->tails[cluster];
    size_t vocabulary = seq_head_words(work->node);
    seq_softmax_weights weights = weights_of(work->node, work->pass, projection(cluster) + 1);
    multiply(work, work->rows.rows, work->rows.x, seq_head_units(work->node),
             packed_of(work->node, work->pass, projection(cluster), false), memory->hidden,
             tail->units);
    seq_softmax_logits(tail, &weights, work->rows.rows, memory->hidden, logits, vocabulary);
    for (size_t i = 0; i < work->rows.rows; i++) {
        float *row = logits + i * vocabulary, log_sum;
        memcpy(tail->logits, row, tail->columns * sizeof *row);
        work->node->compute->kernels->softmax(tail->logits, 1, tail->columns, tail->columns,
                                              &log_sum);
        float shift = *cluster_logit(work, (int32_t)i, cluster) - log_sum;
        for (size_t j = 0; j < tail->columns; j++)
            row[j] += shift;
    }
}

static void scores(const seq_node *node, seq_pass *pass, size_t first, size_t rows, float *scores) {
    work work = work_of(node, pass);
    const memory *memory = work.memory;
    const seq_words_options *options = options_of(node);
    work.rows.rows = rows;
    work.rows.x += first * seq_head_units(node);
    for (size_t i = 0; i < rows; i++)
        memory->targets[i] = -1;
    survey_head(&work, memory->targets);
    seq_softmax frequent = memory->head;
    frequent.columns = (size_t)options->cutoffs[0];
    seq_softmax_weights head = weights_of(node, pass, 0);
    seq_softmax_logits(&frequent, &head, rows, work.rows.x, scores, seq_head_words(node));
    for (int cluster = 0; cluster < options->cutoff_count; cluster++)
        log_cluster(&work, cluster, scores + options->cutoffs[cluster]);
}

const seq_head_kind seq_head_adaptive = {
    .node = {.name = "adaptive",
             .options = sizeof(seq_words_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .unit = "nats",
    .train = train,
    .evaluate = evaluate,
    .scores = scores,
    .chance = seq_head_word_chance,
};
