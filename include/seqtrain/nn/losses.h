// Losses of rows against real and ordered targets: regression and ordinal regression. Pure
// functions over packed rows; a row's loss, gradient and prediction depend on that row alone.
#ifndef SEQTRAIN_NN_LOSSES_H
#define SEQTRAIN_NN_LOSSES_H

#include <seqtrain/nn/layer.h>

// Regression. Outputs and losses are in normalised units: z = (target - mean) / deviation.
//   squared   (output - z)^2
//   absolute  |output - z|
//   huber     (output - z)^2 / 2 up to a distance of delta, delta (|output - z| - delta / 2) beyond
// (PyTorch: MSELoss, L1Loss, HuberLoss.) A target of NaN is missing: not counted.
typedef enum seq_regression_loss {
    SEQ_SQUARED_LOSS,
    SEQ_ABSOLUTE_LOSS,
    SEQ_HUBER_LOSS,
} seq_regression_loss;
const char *const *seq_regression_names(void); // by the enumeration, NULL-terminated

typedef struct seq_regression {
    seq_regression_loss loss;
    float delta;                   // of Huber, above 0
    int width;                     // W values a row
    const float *mean, *deviation; // (W), in the targets' units; deviations above 0
} seq_regression;

// Mean and deviation (population) of each column of values (rows, W), without NaN. A column that
// never changes has deviation 1; one without values has mean 0.
void seq_regression_moments(size_t rows, int width, const float *values, float *mean,
                            float *deviation);
// outputs (N, W), targets (N, W) in their own units. of_row (N), or NULL: the sum over a row's
// values. d_outputs (N, W), or NULL, is overwritten with the gradient of scale * sum.
seq_loss seq_regression_rows(const seq_regression *regression, size_t rows, const float *outputs,
                             const float *targets, float scale, double *of_row, float *d_outputs);
// predictions (N, W) in the targets' units.
void seq_regression_predict(const seq_regression *regression, size_t rows, const float *outputs,
                            float *predictions);

// Ordinal regression by cumulative logits (McCullagh 1980), for C ordered classes: one score x a
// row and C - 1 rising thresholds, P(y >= k) = sigmoid(x - threshold[k]), k = 1 .. C-1.
//
//     threshold[1] = base[1] + cut[0],  threshold[k] = threshold[k-1] + softplus(z[k]),
//     z[k] = base[k] + cut[k-1]
//
// The constants `base` are such that cuts of 0 and a score of 0 make all classes equally likely.
// So thresholds rise for all cuts, class probabilities are positive and add up to 1, and the
// gradient of a row's score lies between -1 and 1. The K-1 binary losses with shared weights have
// the same parameters, but are no likelihood and let thresholds cross while they train.
enum { SEQ_ORDINAL_CLASSES = 1024 }; // at most

typedef struct seq_ordinal {
    const seq_kernels *kernels;
    int classes;         // C, 1 .. SEQ_ORDINAL_CLASSES
    const float *values; // (C): what a class stands for, rising
    const float *cuts;   // (C - 1)
} seq_ordinal;

// scores (N); targets (N): classes, SEQ_NO_ID: not counted. The loss is -ln P(y = target). of_row
// (N), or NULL. d_scores (N) and d_cuts (C - 1), or NULL, are overwritten with the gradient of
// scale * sum; d_cuts is a sum in the order of rows.
seq_loss seq_ordinal_rows(const seq_ordinal *ordinal, size_t rows, const float *scores,
                          const int32_t *targets, float scale, double *of_row, float *d_scores,
                          float *d_cuts);
// expected (N): the mean of `values` over the classes, not rounded. probabilities (N, C), or NULL.
void seq_ordinal_predict(const seq_ordinal *ordinal, size_t rows, const float *scores,
                         float *expected, float *probabilities);

// Head: rows and a column of W values on the same axis. output = x A^T + b. Parameters "weight"
// (W, units), "bias" (W). Predicts values in the targets' units.
typedef struct seq_head_regression_options {
    seq_regression_loss loss;
    float delta;                   // of Huber
    const float *mean, *deviation; // (W), as long as the graph
} seq_head_regression_options;
extern const seq_head_kind seq_head_regression;

// Head: rows and a column of ids, the classes in rising order; or a column of numbers, each of
// which is taken for the class of the nearest value. score = x w. Parameters "weight"
// (1, units), "cuts" (C - 1). Predicts the mean of `values`; marginals are the probabilities of
// classes. Evaluation counts where the likeliest class is right.
typedef struct seq_head_ordinal_options {
    const float *values; // (C), rising, as long as the graph
    int classes;         // C, of a column of numbers; else the column's
} seq_head_ordinal_options;
extern const seq_head_kind seq_head_ordinal;

#endif
