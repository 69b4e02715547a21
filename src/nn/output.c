// The registry of output layers, and what they share: the list of word matrices
// and the sum of a window's losses in double. Invariant: `full` stays first,
// since records from before there was a choice name no kind and read as 0.
// Tests: tests/unit/model/test_output.c, tests/golden/test_outputs.c.
#include "outputs.h"
#include <stdio.h>
#include <string.h>

static const seq_output_kind *const kinds[] = {&seq_output_full, &seq_output_sampled,
                                               &seq_output_adaptive};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *const *seq_output_names(void) {
    static const char *const names[KINDS + 1] = {"full", "sampled", "adaptive"};
    return names;
}

const seq_output_kind *seq_output_kind_at(int index) {
    return kinds[index];
}

int seq_output_find(const char *name) {
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i]->name, name) == 0) return i;
    return -1;
}

int seq_output_list_words(const seq_output_shape *shape, double share, seq_output_part *parts) {
    parts[0] = (seq_output_part){"output.weight", shape->vocabulary, shape->units, share};
    parts[1] = (seq_output_part){"output.bias", shape->vocabulary, 0, 0};
    return 2;
}

seq_loss seq_output_sum(const seq_output_rows *rows, const seq_softmax_row *found) {
    seq_loss loss = {0};
    for (size_t i = 0; i < rows->count; i++) {
        bool counts = rows->targets[i] >= 0;
        double log_probability = counts ? (double)found[i].target - (double)found[i].log_sum : 0;
        loss.sum -= log_probability;
        loss.count += counts;
        loss.correct += counts && found[i].best_column == rows->targets[i];
        if (rows->log_probabilities) rows->log_probabilities[i] = (float)log_probability;
    }
    return loss;
}
