// A softmax over the labels of a field, for each row.
#ifndef SEQTRAIN_MODEL_CLASSIFIER_H
#define SEQTRAIN_MODEL_CLASSIFIER_H

#include <seqtrain/model/stack.h>

typedef struct seq_classifier_settings {
    double smoothing;
    int class_weights; // 0: none, 1: balanced
} seq_classifier_settings;
extern const seq_option_group seq_classifier_options;

// The head, on rows of the target's axis; parameters "output.weight" and
// "output.bias". `counts`: of each label in the training part. A target with a
// field TARGET.before is predicted item by item, and no later one may be read.
int seq_graph_classifier(seq_graph *graph, const seq_model_config *config,
                         const seq_parsed *settings, int input, const char *target,
                         const int64_t *counts);

#endif
