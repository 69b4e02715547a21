// Models: immutable graphs of nodes, their parameters, and passes over batches.
//
// A model is made by seq_graph_finish (model/graph.h). The language model is
// made here from its configuration: embedding -> recurrent stack -> dense
// layers on each time step -> a softmax over the vocabulary.
// Legend: B sequences, T time steps, N rows of an axis, H hidden units, V
// vocabulary, L layers.
#ifndef SEQTRAIN_MODEL_MODEL_H
#define SEQTRAIN_MODEL_MODEL_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>
#include <seqtrain/batch/batch.h>
#include <seqtrain/kernels/compute.h>
#include <seqtrain/model/parameters.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/head.h>
#include <seqtrain/nn/saturation.h>
#include <stdint.h>

enum {
    SEQ_MAX_LAYERS = 32,
    SEQ_MAX_RECURRENT = 2 * SEQ_MAX_LAYERS + 2, // both directions of each layer, and of the letters
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
    int output;  // place in seq_output_names() of seqtrain/nn/head.h; 0: full
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

// SEQ_BAD_USAGE with the option's name when sizes are out of bounds or do not fit together. That
// the topmost layer fits a tied embedding is found where the model is made.
seq_status seq_model_config_check(const seq_model_config *config, seq_error *error);
seq_status seq_model_config_write(const seq_model_config *config, seq_record *record,
                                  seq_error *error);
// Values come from a file: every one is checked; SEQ_NO_CHECKPOINT otherwise.
seq_status seq_model_config_read(seq_model_config *out, const seq_record *record, seq_error *error);

// Axis and columns of a language model's batches: streams of tokens.
enum { SEQ_LM_AXIS = 1, SEQ_LM_TARGETS = 0, SEQ_LM_INPUTS = 1 };

typedef struct seq_model seq_model;
// A language model. It holds shapes and what it computes with, no parameter
// values; it is immutable after creation. The team of `compute` stays the
// caller's and works in every pass.
seq_status seq_model_create(const seq_model_config *config, const seq_compute *compute,
                            seq_model **out, seq_error *error);
void seq_model_destroy(seq_model *model);
// What a model was made from. A maker of other models than seq_model_create's sets it, once.
const seq_model_config *seq_model_get_config(const seq_model *model);
void seq_model_set_config(seq_model *model, const seq_model_config *config);
const seq_parameter_table *seq_model_parameters(const seq_model *model);
const seq_compute *seq_model_compute(const seq_model *model); // that it was made with
// Floating-point operations of the matrix products per row of a training step
// (forward and backward).
double seq_model_training_flops(const seq_model *model);
// Of the head, in the batch: predictions lie in its rows.
int seq_model_head_axis(const seq_model *model);
// Loss of a guess, a target: the head's.
double seq_model_chance(const seq_model *model);
const char *seq_model_loss_unit(const seq_model *model); // "nats", "squared error"
// Recurrent layers, each direction by itself; at most SEQ_MAX_RECURRENT.
int seq_model_recurrent_layers(const seq_model *model);
enum { SEQ_STATE_NAME = 40 };
// "layer 0", "layer 0 reverse", "letters layer 0", by seq_saturation's order.
void seq_model_recurrent_name(const seq_model *model, int layer, char out[SEQ_STATE_NAME]);

// Initial values into the flat vector `parameters`; parameter i draws from stream i of
// SEQ_RANDOM_INIT.
void seq_model_initialise(const seq_model *model, uint64_t seed, float *parameters);

// What `sequences` of the head's axis carry from a batch to the next: node by
// node h (B, H), then c (B, H) for cells with memory. Floats; zeros are a<0>.
size_t seq_model_state_size(const seq_model *model, int sequences);
// Copies what sequence `from_place` of `from_sequences` carries to another such vector: search
// selects states by it.
void seq_model_state_copy(const seq_model *model, const float *from, int from_sequences,
                          int from_place, float *to, int to_sequences, int to_place);
// The layer that holds float `index` of such a state: "recurrent layer 0".
void seq_model_state_name(const seq_model *model, int sequences, size_t index,
                          char out[SEQ_STATE_NAME]);

typedef enum seq_workspace_use { SEQ_USE_TRAINING, SEQ_USE_EVALUATION } seq_workspace_use;

// What the passes read: the flat parameter vector, and its matrices packed in the order and
// precision of the products for that use. Packed for training they serve every pass; where training
// does without (sampled), evaluation packs a block of words at a time.
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
// Weight-drop: parameters whose elements are dropped as they are packed, by one mask for (seed,
// step) that all replicas share. Such a model is packed for each training step, by the seed and
// step of its feeds; and for evaluation by seq_model_pack.
bool seq_model_drops_weights(const seq_model *model);
void seq_model_pack_dropped(const seq_model *model, uint64_t seed, uint32_t step,
                            const float *parameters, int part, int parts, void *packed);

// Everything a batch within the limits needs, allocated once. `replicas`: for
// how many batches at once it keeps what seq_model_touched draws.
typedef struct seq_workspace seq_workspace;
seq_status seq_workspace_create(const seq_model *model, const seq_limits *limits, int replicas,
                                seq_workspace_use use, seq_workspace **out, seq_error *error);
void seq_workspace_destroy(seq_workspace *workspace);
size_t seq_workspace_bytes(const seq_workspace *workspace);

// What a pass is fed.
typedef struct seq_feed {
    const seq_batch *batch; // within the workspace's limits
    float *state;           // seq_model_state_size floats: before the batch in, after it out; NULL:
                            // zeros, and not wanted
    uint64_t seed; // training: dropout is drawn for (seed, step, place, number of the sequence,
                   // time, unit), words for (seed, step, the batch's draw_key)
    uint32_t step;
    int replica;  // of the workspace's
    bool touched; // seq_model_touched has seen this batch, and nothing since with this replica
    // Training: told when floats begin .. end-1 of the gradient are final, from the end of the
    // vector to its beginning, in the parts of seq_model_gradient_parts. Or NULL.
    void (*ready)(void *context, size_t begin, size_t end);
    void *ready_context;
} seq_feed;

enum { SEQ_MAX_GRADIENT_PARTS = 256 };
// Where in the flat gradient the parts begin that become final one after the other: head, layers
// downwards, embedding (the last begins at 0). Returns their number.
size_t seq_model_gradient_parts(const seq_model *model, size_t begins[SEQ_MAX_GRADIENT_PARTS]);

// Reports, before training, the rows of sparse parameters (seq_parameter.sparse)
// that seq_model_train will write for this batch: `mark` is called with the row
// of the table and the row of the parameter, once or oftener. What is drawn for
// the batch stays in the workspace until seq_model_train.
void seq_model_touched(const seq_model *model, seq_workspace *workspace, const seq_feed *feed,
                       seq_rows_mark *mark, void *context);

// Forward and backward of one batch. `gradient` is overwritten with scale * d(loss)/d(parameters),
// but of sparse parameters only the rows that seq_model_touched reports: the others, whose gradient
// is zero, and the padding between parameters are left as they are. Gradients stop at the batch's
// start (truncated back-propagation). Allocates nothing.
seq_loss seq_model_train(const seq_model *model, seq_workspace *workspace,
                         const seq_weights *weights, const seq_feed *feed, double scale,
                         float *gradient);

// Forward only, no dropout; exact for every head. `losses` may be NULL.
seq_loss seq_model_evaluate(const seq_model *model, seq_workspace *workspace,
                            const seq_weights *weights, const seq_feed *feed,
                            const seq_losses *losses);

// Forward without loss; then scores of rows, or predictions, of the same feed.
void seq_model_forward(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                       const seq_feed *feed);
// The same in steps, for search. seq_model_begin runs what does not depend on the head's axis; it
// does not look at that axis. Then each seq_model_step runs the rest on one step of the head's
// axis: any number of sequences, several of one row of the parent (`of`; `at` is NULL). The feed's
// other axes and columns are those of seq_model_begin. axis->continues: feed->state is what each
// sequence carries, as seq_model_state_copy selected it; otherwise sequences begin, as their
// `start` or zeros say. What they carry then goes to feed->state. After a step come its scores.
// Limits: of the head's axis one step; pairs and longest pairs of it with other axes likewise.
// Values are bit for bit those of seq_model_forward.
void seq_model_begin(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                     const seq_feed *feed);
void seq_model_step(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                    const seq_feed *feed);
// Weights of the last step's sequence over the steps of its source, of the topmost layer that
// attends; they sum to 1, but for a source of length 0. NULL: no layer attends. The workspace's.
const float *seq_model_attention(const seq_model *model, const seq_workspace *workspace,
                                 int sequence, int *out_length);
// ln p up to a constant in each row: (rows, V). The head must have scores.
void seq_model_scores(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                      const seq_feed *feed, size_t first, size_t rows, float *scores);
// The head must have predictions.
void seq_model_predict(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                       const seq_feed *feed, seq_prediction *out);

// Adds, for each recurrent layer, the values of the batch that seq_model_evaluate saw last; those
// that a state of `sequences` carries; the units of the batch that seq_model_train saw last.
// `sums` holds seq_model_recurrent_layers entries.
void seq_model_count_saturated(const seq_model *model, const seq_workspace *workspace,
                               const seq_batch *batch, seq_saturation *sums);
void seq_model_count_carried(const seq_model *model, const float *state, int sequences,
                             seq_saturation *sums);
void seq_model_count_idle(const seq_model *model, seq_workspace *workspace, const seq_batch *batch,
                          seq_saturation *sums);

// How the gradient flows back in time: with L = the loss of the *last* step only,
// squares[l * T + k] = sum over sequences and units of (dL / dh_l<T-k>)^2, k = 0 .. T-1 steps back.
// The state is left unchanged, no dropout, `gradient_scratch` (one flat vector) is overwritten.
// With a sampled head, L is the sampled loss.
void seq_model_gradient_flow(const seq_model *model, seq_workspace *workspace,
                             const seq_weights *weights, const seq_feed *feed,
                             float *gradient_scratch, double *squares);

#endif
