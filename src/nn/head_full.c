// full: logits of all words, W (V, H) x + b, and cross-entropy. Tests:
// tests/golden/test_models.c, tests/unit/model/test_gradient.c,
// tests/unit/model/test_output.c.
//
// To add a head, copy this file:
// 1. Its options, a struct, and `extern const seq_head_kind seq_head_NAME` go
//    to a header include/seqtrain/nn/NAME.h, or to nn/head.h.
// 2. Write the functions that it needs; nn/layer.h says what each does. Input 0
//    is the rows, input 1 the targets. `shape` refuses what does not fit.
// 3. `train` is called with 0 rows, too: its gradients become 0 then. A target
//    of -1 is not counted, and its row of dL/dx is 0.
// 4. A row's (or a sequence's) loss must not depend on others or on threads.
// 5. Fill the row at the end of the file and register it in head.c.
#include "heads.h"
#include <math.h>
#include <string.h>

typedef struct memory {
    seq_softmax softmax;
    seq_softmax_row *found; // (N)
} memory;

static void parameters(const seq_node *node, seq_parameter_list *list) {
    int words = (int)seq_head_words(node), units = (int)seq_head_units(node);
    int vocabulary = node->input_shapes[1].vocabulary;
    seq_list_parameter(list, "weight", words, units, 1 / sqrt(units))->vocabulary = vocabulary;
    seq_list_parameter(list, "bias", words, 0, 0)->vocabulary = vocabulary;
    seq_list_packed(list, seq_whole_matrix(list, 0, false));
    seq_list_packed(list, seq_whole_matrix(list, 0, true));
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    size_t rows = seq_head_rows(node, limits);
    (void)kept;
    const seq_words_options *options = node->options;
    memory->softmax = (seq_softmax){.compute = node->compute,
                                    .columns = seq_head_words(node),
                                    .units = seq_head_units(node),
                                    .smoothing = options->smoothing,
                                    .column_weights = options->class_weights};
    seq_softmax_take(&memory->softmax, rows, training, scratch);
    memory->found = seq_arena_take(scratch, rows, sizeof *memory->found);
}

static seq_softmax_weights weights_of(const seq_node *node, const seq_pass *pass) {
    return (seq_softmax_weights){seq_packed(node, pass, 0), seq_packed(node, pass, 1),
                                 seq_parameter_values(node, pass, 1)};
}

static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_head_work work = seq_head_work_of(node, pass);
    seq_softmax_weights weights = weights_of(node, pass);
    return seq_softmax_train(&memory->softmax, &weights, work.rows, work.x, work.targets,
                             (float)scale, work.dx, seq_parameter_gradient(node, pass, 0),
                             seq_parameter_gradient(node, pass, 1));
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_head_work work = seq_head_work_of(node, pass);
    seq_softmax_weights weights = weights_of(node, pass);
    seq_softmax_survey(&memory->softmax, &weights, work.rows, work.x, work.targets,
                       memory->softmax.columns, NULL, memory->found);
    return seq_head_sum(node, pass, memory->found, work.targets, 0, work.rows, losses);
}

static void scores(const seq_node *node, seq_pass *pass, size_t first, size_t rows, float *scores) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_softmax_weights weights = weights_of(node, pass);
    seq_softmax_logits(&memory->softmax, &weights, rows,
                       seq_input(node, pass, 0)->values + first * memory->softmax.units, scores,
                       memory->softmax.columns);
}

// ---- prediction

// Alternative k of a sequence of one step is its k-th most probable word.
static void take_row(const seq_node *node, const float *log_probabilities, size_t row, int sequence,
                     bool alone, seq_prediction *out) {
    size_t words = seq_head_words(node), place = (size_t)sequence;
    int wanted = alone ? out->best : 1;
    if ((size_t)wanted > words) wanted = (int)words;
    for (int k = 0; k < wanted; k++) {
        int32_t best = -1;
        for (size_t word = 0; word < words; word++) {
            bool taken = false;
            for (int before = 0; before < k; before++)
                taken = taken || out->ids[(size_t)before * out->rows + row] == (int32_t)word;
            if (!taken && (best < 0 || log_probabilities[word] > log_probabilities[best]))
                best = (int32_t)word;
        }
        out->ids[(size_t)k * out->rows + row] = best;
        out->score[(size_t)k * (size_t)out->sequences + place] += (double)log_probabilities[best];
        out->length[(size_t)k * (size_t)out->sequences + place]++;
    }
    out->found[sequence] = wanted;
}

static void begin_prediction(seq_prediction *out) {
    size_t places = (size_t)out->best * (size_t)out->sequences;
    memset(out->found, 0, (size_t)out->axis->sequences * sizeof *out->found);
    memset(out->length, 0, places * sizeof *out->length);
    memset(out->score, 0, places * sizeof *out->score);
}

static void end_prediction(seq_prediction *out) {
    for (int b = 0; b < out->axis->sequences; b++) {
        if (out->axis->last_row[b] < 0) out->found[b] = 1; // the empty sequence is certain
        for (int k = 0; k < out->found[b]; k++) {
            size_t place = (size_t)k * (size_t)out->sequences + (size_t)b;
            out->probability[place] = exp(out->score[place]);
        }
    }
}

// ln p of the rows from logits, in place, in double.
static void normalise(float *logits, size_t words) {
    float most = logits[0];
    double sum = 0;
    for (size_t word = 0; word < words; word++)
        most = logits[word] > most ? logits[word] : most;
    for (size_t word = 0; word < words; word++)
        sum += exp((double)logits[word] - (double)most);
    double log_sum = (double)most + log(sum);
    for (size_t word = 0; word < words; word++)
        logits[word] = (float)((double)logits[word] - log_sum);
}

static void predict(const seq_node *node, seq_pass *pass, seq_prediction *out) {
    const memory *memory = seq_run(node, pass)->memory;
    const seq_axis *axis = seq_node_axis(node, pass);
    size_t words = memory->softmax.columns, chunk = memory->softmax.chunk;
    float *logits = memory->softmax.logits;
    int t = 0;
    out->axis = axis;
    begin_prediction(out);
    for (size_t row = 0; row < axis->rows; row++) {
        float *of_row = logits + row % chunk * words;
        if (row % chunk == 0)
            scores(node, pass, row, axis->rows - row < chunk ? axis->rows - row : chunk, logits);
        while (row >= axis->first_row[t + 1])
            t++;
        int sequence = (int)(row - axis->first_row[t]);
        bool alone = t == 0 && (axis->steps == 1 || axis->rows_at[1] <= sequence);
        normalise(of_row, words);
        take_row(node, of_row, row, sequence, alone, out);
        for (size_t word = 0; out->marginals && word < words; word++)
            out->marginals[row * words + word] = expf(of_row[word]);
    }
    end_prediction(out);
}

// A batch may hold the rarest class alone, so a guess costs its weight.
static double chance(const seq_node *node) {
    const seq_words_options *options = node->options;
    float most = 1;
    for (int c = 0; options->class_weights && c < node->input_shapes[1].ids; c++)
        if (options->class_weights[c] > most) most = options->class_weights[c];
    return (double)most * seq_head_word_chance(node);
}

const seq_head_kind seq_head_full = {
    .node = {.name = "full",
             .options = sizeof(seq_words_options),
             .memory = sizeof(memory),
             .shape = seq_head_word_shape,
             .parameters = parameters,
             .plan = plan},
    .unit = "nats",
    .ties = true,
    .train = train,
    .evaluate = evaluate,
    .scores = scores,
    .predict = predict,
    .chance = chance,
};
