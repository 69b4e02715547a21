// The language model: embedding -> recurrent stack -> per-time-step dense layers -> softmax over
// the vocabulary. Legend: B streams in a batch, T time steps, I inputs, H hidden units, G gates, V
// vocabulary, L layers.
#ifndef SEQTRAIN_MODEL_MODEL_H
#define SEQTRAIN_MODEL_MODEL_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>
#include <seqtrain/kernels/compute.h>
#include <seqtrain/model/parameters.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/output.h>
#include <seqtrain/nn/saturation.h>
#include <stdint.h>

enum {
    SEQ_MAX_LAYERS = 32,
    SEQ_MAX_VOCABULARY = 1 << 24,
};

typedef enum seq_initialisation {
    SEQ_INITIALISE_SCALED,
    SEQ_INITIALISE_UNIFORM,
    SEQ_INITIALISE_ORTHOGONAL
} seq_initialisation;
typedef enum seq_dense_activation { SEQ_DENSE_RELU, SEQ_DENSE_TANH } seq_dense_activation;

typedef struct seq_model_config {
    int vocabulary;                          // V
    int embedding;                           // E
    char cell[24];                           // a name of seq_cell_names() in seqtrain/nn/cell.h
    int layers, hidden[SEQ_MAX_LAYERS];      // L, H of each layer
    int dense_layers, dense[SEQ_MAX_LAYERS]; // --feedforward
    seq_dense_activation dense_activation;
    int output;  // place in seq_output_names() of seqtrain/nn/output.h; 0: full
    int samples; // sampled
    int cutoff_count, cutoffs[SEQ_MAX_CUTOFFS]; // adaptive
    int tied; // output.weight is embedding.weight (top size must be E)
    double dropout_input, dropout_between,
        dropout_output; // after the embedding; between layers (recurrent and dense); before the
                        // output product
    double forget_bias; // initial value of the forget gate's bias_ih (lstm cells)
    seq_initialisation initialisation; // scaled: U(+-1/sqrt(H)) recurrent, U(+-1/sqrt(fan in))
                                       // dense and output, biases of dense/output 0; uniform:
                                       // all U(+-init_scale); orthogonal: as scaled, but each
                                       // gate's weight_hh is a random orthogonal matrix
    double init_scale;
    seq_embedding_initialisation embedding_initialisation;
} seq_model_config;

// SEQ_BAD_USAGE with the option's name when sizes are out of bounds or do not fit together.
seq_status seq_model_config_check(const seq_model_config *config, seq_error *error);
seq_status seq_model_config_write(const seq_model_config *config, seq_record *record,
                                  seq_error *error);
// Values come from a file: every one is checked; SEQ_NO_CHECKPOINT otherwise.
seq_status seq_model_config_read(seq_model_config *out, const seq_record *record, seq_error *error);

typedef struct seq_model seq_model;
// The model holds shapes and what it computes with, no parameter values; it is immutable after
// creation. The team of `compute` stays the caller's and works in every pass.
seq_status seq_model_create(const seq_model_config *config, const seq_compute *compute,
                            seq_model **out, seq_error *error);
void seq_model_destroy(seq_model *model);
const seq_model_config *seq_model_get_config(const seq_model *model);
const seq_parameter_table *seq_model_parameters(const seq_model *model);
// Floating-point operations of the matrix products per token of a training step (forward and
// backward).
double seq_model_training_flops(const seq_model *model);

// Initial values into the flat vector `parameters`; parameter i draws from stream i of
// SEQ_RANDOM_INIT.
void seq_model_initialise(const seq_model *model, uint64_t seed, float *parameters);

// Recurrent state of `batch` streams: layer by layer h (B, H), then c (B, H) for cells with memory.
// Zero is a<0>.
size_t seq_model_state_size(const seq_model *model, int batch);

typedef enum seq_workspace_use { SEQ_USE_TRAINING, SEQ_USE_EVALUATION } seq_workspace_use;

// What the passes read: the flat parameter vector, and its matrices packed in the order and
// precision of the products for that use. Packed for training they serve every pass; where training
// does without (sampled), evaluation packs a window at a time.
typedef struct seq_weights {
    const float *parameters;
    const void *packed;
    seq_workspace_use use;
} seq_weights;
size_t seq_model_packed_bytes(const seq_model *model, seq_workspace_use use);
// Packs share `part` of `parts`, after each change of the parameters; any division gives the same
// bytes. `packed` is aligned to SEQ_ALIGNMENT.
void seq_model_pack(const seq_model *model, seq_workspace_use use, const float *parameters,
                    int part, int parts, void *packed);

// Everything a window of up to `steps` x `batch` tokens needs, allocated once.
typedef struct seq_workspace seq_workspace;
seq_status seq_workspace_create(const seq_model *model, int batch, int steps, seq_workspace_use use,
                                seq_workspace **out, seq_error *error);
void seq_workspace_destroy(seq_workspace *workspace);
size_t seq_workspace_bytes(const seq_workspace *workspace);

typedef struct seq_window {
    int batch, steps;       // at most the workspace's
    const int32_t *inputs;  // (T, B), 0 .. V-1 or SEQ_NO_ID
    const int32_t *targets; // (T, B), 0 .. V-1 or SEQ_NO_ID
    float *state;           // seq_model_state_size floats: before the window in, after it out
    uint64_t seed; // training: dropout is drawn for (seed, step, stream, layer, time, unit), words
                   // for (seed, step, first_stream)
    uint32_t step;
    uint32_t first_stream; // global number of the window's stream 0
    // Training: told when floats begin .. end-1 of the gradient are final, from the end of the
    // vector to its beginning, in the parts of seq_model_gradient_parts. Or NULL.
    void (*ready)(void *context, size_t begin, size_t end);
    void *ready_context;
} seq_window;

enum { SEQ_MAX_GRADIENT_PARTS = 2 + 2 * SEQ_MAX_LAYERS };
// Where in the flat gradient the parts begin that become final one after the other: output, layers
// downwards, embedding (which is last at 0). Returns their number.
size_t seq_model_gradient_parts(const seq_model *model, size_t begins[SEQ_MAX_GRADIENT_PARTS]);

// Forward and backward of one window. `gradient` is overwritten with gradient_scale * d(sum of
// nats)/d(parameters), but of an embedding only the rows of the window's input tokens (and of the
// output's words, when tied), and of a sampled output layer only the rows of its words: the others,
// whose gradient is zero, and the padding between parameters are left as they are. But a tied
// embedding under a full output layer is overwritten as a whole. Gradients stop at the window's
// start (truncated back-propagation). Allocates nothing.
seq_loss seq_model_train(const seq_model *model, seq_workspace *workspace,
                         const seq_weights *weights, seq_window *window, float gradient_scale,
                         float *gradient);

// The words, each once, in no order, whose rows of output.weight and output.bias the last
// seq_model_train with this workspace wrote (of embedding.weight, when tied: beside the window's
// inputs). NULL: all rows.
const int32_t *seq_workspace_output_words(const seq_workspace *workspace, size_t *out_count);
// The same before seq_model_train: the words whose rows it is going to write for this window.
const int32_t *seq_model_output_words(const seq_model *model, seq_workspace *workspace,
                                      const seq_window *window, size_t *out_count);

// Forward only, no dropout; exact for every output layer. log_probabilities (T, B): ln p(target) or
// 0 where not counted; may be NULL.
seq_loss seq_model_evaluate(const seq_model *model, seq_workspace *workspace,
                            const seq_weights *weights, seq_window *window,
                            float *log_probabilities);

// One time step for generation: inputs (B) -> logits (B, V) (ln p up to a constant in each row);
// state in and out.
void seq_model_step(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                    int batch, const int32_t *inputs, float *state, float *logits);

// Adds, for each recurrent layer, the values of the window that seq_model_evaluate saw last; those
// that a state of `batch` streams carries; the units of the window that seq_model_train saw last.
// `sums` holds L entries.
void seq_model_count_saturated(const seq_model *model, const seq_workspace *workspace, int batch,
                               int steps, seq_saturation *sums);
void seq_model_count_carried(const seq_model *model, const float *state, int batch,
                             seq_saturation *sums);
void seq_model_count_idle(const seq_model *model, seq_workspace *workspace, int batch, int steps,
                          seq_saturation *sums);

// How the gradient flows back in time: with L = the summed nats of the window's *last* step only,
// squares[l * T + k] = sum over streams and units of (dL / dh_l<T-k>)^2, k = 0 .. T-1 steps back.
// The state is left unchanged, no dropout, `gradient_scratch` (one flat vector) is overwritten.
// With a sampled output layer, L is the sampled loss.
void seq_model_gradient_flow(const seq_model *model, seq_workspace *workspace,
                             const seq_weights *weights, const seq_window *window,
                             float *gradient_scratch, double *squares);

#endif
