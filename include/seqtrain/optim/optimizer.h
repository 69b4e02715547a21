// Update rules on flat vectors. A rule is a file and a line in the registry.
#ifndef SEQTRAIN_OPTIM_OPTIMIZER_H
#define SEQTRAIN_OPTIM_OPTIMIZER_H

#include <seqtrain/base/status.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/model/parameters.h>
#include <stdint.h>

enum { SEQ_OPTIMIZER_STATES = 2 };

typedef struct seq_optimizer_config {
    double momentum;      // sgd with momentum (PyTorch form: v = mu v + g; p -= lr v)
    double beta1, beta2;  // adam, adamw; rmsprop uses beta2 as its smoothing constant alpha
    double epsilon;
    double weight_decay;  // coupled (L2) in sgd, momentum, adagrad, rmsprop, adam; decoupled in adamw; matrices only
} seq_optimizer_config;

typedef struct seq_update {
    size_t count;            // elements of this slice
    float *parameters;
    const float *gradient;
    float *state[SEQ_OPTIMIZER_STATES];
    double learning_rate;
    double weight_decay;     // 0 for parameters without decay
    int64_t step;            // 1 for the first update (bias correction)
    const seq_optimizer_config *config;
} seq_update;

typedef struct seq_optimizer {
    const char *name;
    int states;                                  // flat state vectors it keeps, zero at the start
    const char *state_names[SEQ_OPTIMIZER_STATES]; // data set names in a checkpoint, e.g. "first_moment"
    double standard_beta2, standard_epsilon;     // defaults as in PyTorch
    void (*update)(const seq_update *update);
} seq_optimizer;

// NULL-terminated: "sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw".
const char *const *seq_optimizer_names(void);
// NULL for an unknown name.
const seq_optimizer *seq_optimizer_find(const char *name);

// One loop over the table. `state` holds optimizer->states flat vectors.
void seq_optimizer_apply(const seq_optimizer *optimizer, const seq_optimizer_config *config, const seq_parameter_table *table,
                         double learning_rate, int64_t step, float *parameters, const float *gradient, float *const *state);

// Norm of the flat gradient, summed parameter by parameter in table order in double: same bits everywhere.
double seq_gradient_norm(const seq_kernels *kernels, const seq_parameter_table *table, const float *gradient);
// Scales by limit / norm when norm > limit > 0 (torch.nn.utils.clip_grad_norm_ without its 1e-6); true if it did.
int seq_clip_norm(const seq_kernels *kernels, const seq_parameter_table *table, float *gradient, double norm, double limit);
// Clamps each element to [-limit, limit] when limit > 0; returns how many were clamped.
size_t seq_clip_elements(const seq_parameter_table *table, float *gradient, double limit);

#endif
