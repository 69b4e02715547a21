// Update rules on flat vectors. A rule is a file and a line in the registry.
#ifndef SEQTRAIN_OPTIM_OPTIMIZER_H
#define SEQTRAIN_OPTIM_OPTIMIZER_H

#include <seqtrain/base/status.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/model/parameters.h>
#include <stdint.h>

enum { SEQ_OPTIMIZER_STATES = 2 };

typedef struct seq_optimizer_config {
    double momentum;     // sgd with momentum (PyTorch form: v = mu v + g; p -= lr v)
    double beta1, beta2; // adam, adamw; rmsprop uses beta2 as its smoothing constant alpha
    double epsilon;
    double weight_decay; // coupled (L2) in sgd, momentum, adagrad, rmsprop, adam; decoupled in
                         // adamw; matrices only
} seq_optimizer_config;

typedef struct seq_update {
    size_t count; // elements of this slice
    float *parameters;
    const float *gradient;
    float *state[SEQ_OPTIMIZER_STATES];
    float scale; // g = scale * gradient: clipping by norm
    double learning_rate;
    double weight_decay; // 0 for parameters without decay
    int64_t step;        // 1 for the first update (bias correction)
    const seq_optimizer_config *config;
} seq_update;

typedef struct seq_optimizer {
    const char *name;
    int states; // flat state vectors it keeps, zero at the start
    const char
        *state_names[SEQ_OPTIMIZER_STATES];  // data set names in a checkpoint, e.g. "first_moment"
    double standard_beta2, standard_epsilon; // defaults as in PyTorch
    int keeps_zeros; // without decay, a zero gradient leaves parameter and state as they are, bit
                     // for bit
    void (*update)(const seq_update *update);
} seq_optimizer;

// NULL-terminated: "sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw".
const char *const *seq_optimizer_names(void);
// NULL for an unknown name.
const seq_optimizer *seq_optimizer_find(const char *name);

// One update of a whole model; the vectors are flat.
typedef struct seq_optimizer_step {
    const seq_optimizer *optimizer;
    const seq_optimizer_config *config;
    const seq_parameter_table *table;
    double learning_rate;
    double scale; // of the gradient, from seq_clip_factor
    int64_t step; // 1 for the first update
    float *parameters;
    const float *gradient;
    float *const *state; // optimizer->states vectors
} seq_optimizer_step;

// Updates floats [begin, end) of the flat vectors, each parameter at its own rate
// (seq_parameter.rate). An element's new value depends on nothing but its own.
void seq_optimizer_apply(const seq_optimizer_step *step, size_t begin, size_t end);
// The same where the gradient is zero; it is not read.
void seq_optimizer_apply_zero(const seq_optimizer_step *step, size_t begin, size_t end);
// True when seq_optimizer_apply_zero would change nothing.
int seq_optimizer_keeps_zeros(const seq_optimizer *optimizer, const seq_optimizer_config *config);

// What scales a gradient of this norm down to `limit`: limit / norm when norm > limit > 0, else 1
// (torch.nn.utils.clip_grad_norm_ without its 1e-6).
double seq_clip_factor(double norm, double limit);

#endif
