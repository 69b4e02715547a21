// From the rows of a sequence to one row.
#ifndef SEQTRAIN_MODEL_POOLING_H
#define SEQTRAIN_MODEL_POOLING_H

#include <seqtrain/base/option.h>
#include <seqtrain/model/graph.h>
#include <stdbool.h>

typedef struct seq_pooling_settings {
    int pool; // a seq_pooling, or the one behind them: attention
    bool inputs;
} seq_pooling_settings;
extern const seq_option_group seq_pooling_options;

// Pools `states`, what the stack made of `inputs`; with --pool-inputs the mean of
// `inputs` follows. `axis`: that of the result, the parent of theirs; 0 for the
// text of an example. attention: keys tanh(W h + b), "pool.key.weight" and
// "pool.key.bias", and "pool.query" (Yang et al. 2016).
int seq_graph_pooling(seq_graph *graph, const seq_parsed *settings, int inputs, int states,
                      int axis);

#endif
