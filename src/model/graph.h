// What the files of this layer share: the stages of the network and the memory of a window.
// Stage i (0 .. S-1, S = recurrent + dense layers) maps rows of width `width(i - 1)` to rows of
// `width(i)`; what it feeds to the next consumer is its raw output, or a copy with dropout.
#ifndef SEQ_MODEL_GRAPH_H
#define SEQ_MODEL_GRAPH_H

#include <seqtrain/model/model.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/dropout.h>
#include <seqtrain/nn/recurrent.h>
#include <seqtrain/nn/output.h>

enum { SEQ_MAX_STAGES = 2 * SEQ_MAX_LAYERS };

// Rows of the parameter table, and of the list of packed matrices.
typedef struct seq_layer_parameters {
    int weight_ih, weight_hh, bias_ih, bias_hh, weight_ch; // weight_ch: -1 without peepholes
    struct {
        int input, recurrent, input_back, recurrent_back, last_back; // last_back: -1 for most cells
    } packed;
} seq_layer_parameters;

// B (k, n) of a product: rows of a parameter, transposed or (back) as they are.
typedef struct seq_packed_matrix {
    int parameter;
    bool back;
    size_t first, n, k;
    size_t offset; // bytes
} seq_packed_matrix;
enum { SEQ_MAX_PACKED = SEQ_MAX_LAYERS * (4 + 4 + 2) + 2 * SEQ_OUTPUT_PARTS };

struct seq_model {
    seq_model_config config;
    seq_compute compute;
    const seq_cell *cell;
    seq_parameter_table table;
    int embedding; // row of the table
    seq_layer_parameters layers[SEQ_MAX_LAYERS];
    int dense_weight[SEQ_MAX_LAYERS], dense_bias[SEQ_MAX_LAYERS];
    seq_recurrent recurrent[SEQ_MAX_LAYERS];
    seq_dense dense[SEQ_MAX_LAYERS];
    seq_packed_matrix packed[SEQ_MAX_PACKED];
    int packed_count,
        packed_forward;  // the forward ones come first, the output layer's at their end
    int packed_to_train; // of the forward ones, those that training packs
    size_t packed_bytes, packed_forward_bytes;
    int dense_forward[SEQ_MAX_LAYERS], dense_back[SEQ_MAX_LAYERS];
    const seq_output_kind *output;
    seq_output_shape output_shape;
    int output_parts;
    struct {
        int row, forward, back; // of the table, of `packed` or -1
        double share;           // see seq_output_part
    } output_part[SEQ_OUTPUT_PARTS];
};

struct seq_workspace {
    const seq_model *model;
    int batch, steps;
    seq_axis_room room;
    int32_t *lengths; // (B), all the steps of a window
    seq_axis axis;    // of the last window
    seq_arena arena;
    float *embedded; // (T, B, E), dropped in place
    seq_tape tapes[SEQ_MAX_LAYERS];
    float *dense_out[SEQ_MAX_LAYERS]; // (T, B, O)
    seq_output output;
    // Training only.
    float *dropped[SEQ_MAX_STAGES]; // copy of a stage's output with dropout, or NULL
    float *gradient[2];             // (T, B, widest)
    seq_recurrent_scratch scratch;
};

// Where the part of a stage begins in the flat gradient: -1 the embedding, S the output layer. Tied
// weights are the embedding's.
size_t seq_model_part_begin(const seq_model *model, int stage);
// The gradient of the stage is final.
void seq_model_tell_ready(const seq_model *model, const seq_window *window, int stage);

// packing.c. A matrix that `weights` holds not is NULL.
void seq_model_list_packed(seq_model *model);
const void *seq_model_packed(const seq_model *model, const seq_weights *weights, int item);

int seq_model_stages(const seq_model *model);
int seq_model_width(const seq_model *model, int stage); // -1: the embedding
double seq_model_dropout(const seq_model *model, int stage);

// config.c
seq_output_shape seq_model_output_shape(const seq_model_config *config);

// parameters.c
seq_status seq_model_build_table(seq_model *model, seq_error *error);

// forward.c. With `dropping`, dropout is drawn for window->seed ... . The state is read from
// window->state.
void seq_model_forward(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                       const seq_window *window, bool dropping);
void seq_model_store_state(const seq_model *model, const seq_workspace *workspace,
                           const seq_window *window);
// What the next consumer of a stage sees: (T, B, width).
const float *seq_model_fed(const seq_model *model, const seq_workspace *workspace, int batch,
                           int stage, bool dropping);
seq_dropout seq_model_dropout_at(const seq_model *model, const seq_window *window, int stage);
seq_recurrent_weights seq_model_layer(const seq_model *model, const seq_weights *weights,
                                      int layer);
const float *seq_model_parameter(const seq_model *model, const seq_weights *weights, int row);

// backward.c. From dL/d(fed top) in workspace->gradient[0] down to the embedding; squares (L, T) or
// NULL.
void seq_model_backward(const seq_model *model, seq_workspace *workspace,
                        const seq_weights *weights, const seq_window *window, bool dropping,
                        float *gradient, double *squares);

#endif
