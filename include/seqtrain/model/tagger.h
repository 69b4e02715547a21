// A label for each row of a sequence: a conditional random field, or a softmax.
#ifndef SEQTRAIN_MODEL_TAGGER_H
#define SEQTRAIN_MODEL_TAGGER_H

#include <seqtrain/model/classifier.h>

enum { SEQ_TAGGER_BEST = 10 }; // label sequences that a prediction may ask for, at most

typedef struct seq_tagger_settings {
    int head; // 0: crf, 1: softmax
} seq_tagger_settings;
extern const seq_option_group seq_tagger_options;

// The head, with dropout before it. `allowed`: which labels may follow each
// other, of seq_crf_allow; NULL: all. The field's decoding keeps to it. `counts`
// as in seq_graph_classifier, whose group the softmax needs.
int seq_graph_tagger(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                     int input, const char *target, const unsigned char *allowed,
                     const int64_t *counts);

#endif
