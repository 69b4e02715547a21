// A real number for each row: ratings, measurements.
#ifndef SEQTRAIN_MODEL_REGRESSOR_H
#define SEQTRAIN_MODEL_REGRESSOR_H

#include <seqtrain/model/stack.h>

typedef struct seq_regressor_settings {
    int loss; // a seq_regression_loss, or the one behind them: ordinal
    double huber_delta;
    seq_integers levels; // of ordinal
} seq_regressor_settings;
extern const seq_option_group seq_regressor_options;

// The head, with dropout before it. `target`: a field of one number a row, which
// the batches hold normalised, (x - mean) / deviation. Losses (but ordinal's, in
// nats) and predictions are of such numbers, too.
int seq_graph_regressor(seq_graph *graph, const seq_model_config *config,
                        const seq_parsed *settings, int input, const char *target, double mean,
                        double deviation);

#endif
