// From the rows of a sequence to one row.
#ifndef SEQTRAIN_MODEL_POOLING_H
#define SEQTRAIN_MODEL_POOLING_H

#include <seqtrain/base/option.h>
#include <seqtrain/model/graph.h>

typedef struct seq_pooling_settings {
    int pool; // a seq_pooling, or the one behind them: attention
} seq_pooling_settings;
extern const seq_option_group seq_pooling_options;

// `axis`: that of the result, the parent of the input's; 0 for the text of an
// example. attention: keys tanh(W h + b), "pool.key.weight" and "pool.key.bias",
// and "pool.query" (Yang et al. 2016).
int seq_graph_pooling(seq_graph *graph, const seq_parsed *settings, int input, int axis);

#endif
