// The table of heads, and what heads over words share: their shape, their
// inputs, the sum of a batch's losses in double. A head is registered by one
// line here. Invariant: the names of a language model's heads keep their order,
// since records from before there was a choice name none and read as 0. Tests:
// tests/unit/model/test_output.c, tests/golden/test_outputs.c.
#include "heads.h"
#include <math.h>
#include <seqtrain/nn/crf.h>
#include <seqtrain/nn/ctc.h>
#include <seqtrain/nn/losses.h>
#include <string.h>

static const seq_head_kind *const table[] = {
    &seq_head_full,       &seq_head_sampled, &seq_head_adaptive, &seq_head_crf,
    &seq_head_regression, &seq_head_ordinal, &seq_head_ctc,      NULL,
};

const seq_head_kind *const *seq_heads(void) {
    return table;
}

static const char *const outputs[] = {"full", "sampled", "adaptive", NULL};

const char *const *seq_output_names(void) {
    return outputs;
}

const seq_head_kind *seq_output_at(int index) {
    int place = 0;
    while (strcmp(table[place]->node.name, outputs[index]) != 0)
        place++;
    return table[place];
}

int seq_output_find(const char *name) {
    for (int i = 0; outputs[i]; i++)
        if (strcmp(outputs[i], name) == 0) return i;
    return -1;
}

size_t seq_head_words(const seq_node *node) {
    return (size_t)node->input_shapes[1].ids;
}

size_t seq_head_units(const seq_node *node) {
    return (size_t)node->input_shapes[0].width;
}

size_t seq_head_rows(const seq_node *node, const seq_limits *limits) {
    return limits->axes[node->shape.axis].rows;
}

seq_status seq_head_word_shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    bool fits = node->input_count == 2 && inputs[0].width > 0 && inputs[1].ids > 0;
    if (!fits || inputs[0].axis != inputs[1].axis)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a head %s reads rows, and a column of ids on the same axis",
                             node->head->node.name);
    const seq_words_options *options = node->options;
    if (node->head != &seq_head_full && (options->smoothing > 0 || options->class_weights))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "label smoothing and class weights need the output full, not %s",
                             node->head->node.name);
    out->width = inputs[1].ids;
    return SEQ_OK;
}

void seq_class_weights(const double *weights, const int64_t *counts, int classes, float *out) {
    double targets = 0, weighted = 0;
    for (int c = 0; c < classes; c++) {
        double count = (double)counts[c];
        double weight = weights ? weights[c] : 1 / (count > 0 ? count : 1);
        targets += count;
        weighted += count * weight;
    }
    for (int c = 0; c < classes; c++) {
        double weight = weights ? weights[c] : 1 / (counts[c] > 0 ? (double)counts[c] : 1);
        out[c] = (float)(weighted > 0 ? weight * targets / weighted : 1);
    }
}

double seq_head_word_chance(const seq_node *node) {
    return log(node->input_shapes[1].ids + 1.0);
}

seq_head_work seq_head_work_of(const seq_node *node, seq_pass *pass) {
    const seq_node_run *below = seq_input(node, pass, 0);
    return (seq_head_work){
        .rows = seq_node_axis(node, pass)->rows,
        .x = below->values,
        .targets = seq_input(node, pass, 1)->ids,
        .dx = below->gradient,
    };
}

seq_loss seq_head_sum(const seq_node *node, const seq_pass *pass, const seq_softmax_row *found,
                      const int32_t *targets, size_t first, size_t rows, const seq_losses *losses) {
    const seq_axis *axis = seq_node_axis(node, pass);
    double *of_sequence = losses ? losses->of_sequence : NULL;
    seq_loss loss = {0};
    int t = 0; // step of the row
    if (of_sequence && first == 0)
        memset(of_sequence, 0, (size_t)axis->sequences * sizeof *of_sequence);
    for (size_t i = 0; i < rows; i++) {
        bool counts = targets[i] >= 0;
        double log_probability = counts ? (double)found[i].target - (double)found[i].log_sum : 0;
        loss.sum -= log_probability;
        loss.count += counts;
        loss.correct += counts && found[i].best_column == targets[i];
        while (first + i >= axis->first_row[t + 1])
            t++;
        if (of_sequence) of_sequence[first + i - axis->first_row[t]] -= log_probability;
        if (losses && losses->of_row) losses->of_row[first + i] = (float)log_probability;
    }
    return loss;
}
