// What the files of the decoder share: its memory in a workspace, and what it
// works with in a pass. decoder.c is the node and its steps, decoder_attention.c
// what goes item by item.
#ifndef SEQ_NN_DECODER_PRIVATE_H
#define SEQ_NN_DECODER_PRIVATE_H

#include "recurrent_node.h"
#include <seqtrain/nn/decoder.h>

enum { INPUTS, VALUES, KEYS, START };

typedef struct decoder_memory {
    seq_recurrent_memory recurrent; // the first
    float *values, *keys;           // (M, W), (M, A): item by item
    size_t *first;                  // (S + 1): an item's first row in them
    size_t *pair;                   // (B + 1): where a sequence's weights begin, step by step
    float *weights;                 // (pairs)
    float *queries;                 // additive: (N, A)
    float *seen;                    // (N, H + W): h<t>, c<t>
    float *out;                     // luong: (B + N, H), in the order of a tape
    float *squashed;                // additive: (threads, PIECE, A)
    // Backward.
    float *slopes;    // (pairs): dL/d(score)
    float *d_hidden;  // (N, H): dL/dh<t>
    float *d_context; // luong: (N, W)
    float *d_queries; // additive: (N, A)
    float *d_keys;    // additive: (M, A), item by item
    float *d_v;       // additive: (S, A)
    float *d_first;   // bahdanau: (B, H), dL/dh<0> of the queries
    float *gathered;  // (threads, T, widest): rows of one item
    size_t steps, widest;
} decoder_memory;

// Rows of keys whose tanh is made at once.
enum { PIECE = 8 };

static inline const seq_decoder_layer_options *options_of(const seq_node *node) {
    return node->options;
}

static inline bool is_additive(const seq_node *node) {
    return options_of(node)->score == SEQ_ATTENTION_ADDITIVE;
}

static inline bool is_luong(const seq_node *node) {
    return options_of(node)->order == SEQ_ORDER_LUONG;
}

static inline int hidden_of(const seq_node *node) {
    return options_of(node)->recurrent.hidden;
}

// Columns of weight_ih behind the inputs'.
static inline int fed_of(const seq_node *node) {
    return is_luong(node) ? hidden_of(node) : node->input_shapes[VALUES].width;
}

static inline int seen_of(const seq_node *node) {
    return hidden_of(node) + node->input_shapes[VALUES].width;
}

// Places among the parameters and the packed matrices, behind those of a recurrent layer.
typedef struct decoder_places {
    int out, query, v; // parameters
    int fed, out_forward, query_forward;
    int fed_back, hidden_back, context_back, query_back;
} decoder_places;

static inline decoder_places places_of(const seq_node *node) {
    const seq_cell *cell = options_of(node)->recurrent.cell;
    decoder_places at = {.out = cell->peephole ? SEQ_RECURRENT_PARAMETERS : SEQ_WEIGHT_CH};
    at.query = at.out + is_luong(node);
    at.v = at.query + 1;
    // W_ih, the gates of W_hh, then back: W_ih, W_hh and perhaps its last gate.
    at.fed = 1 + cell->gates + 2 + (cell->last_gate != SEQ_LAST_LIKE_OTHERS);
    at.fed_back = at.fed + cell->gates;
    at.out_forward = at.fed_back + 1;
    at.hidden_back = at.out_forward + 1;
    at.context_back = at.hidden_back + 1;
    at.query_forward = is_luong(node) ? at.context_back + 1 : at.out_forward;
    at.query_back = at.query_forward + 1;
    return at;
}

// A node's work in one pass.
typedef struct decoder_work {
    const seq_node *node;
    seq_pass *pass;
    const seq_compute *compute;
    decoder_memory *memory;
    seq_recurrent layer;
    const seq_axis *target, *source;
    size_t hidden, width, units, seen; // H, W, A, H + W
    const float *v;                    // additive
    float scale;                       // of scores
    int step;
    const float *rows; // of the step: states that ask
    const float *d_context;
    size_t d_stride;
    float *d_rows; // of the step: gradients of the states that ask
} decoder_work;

// The row of a sequence in the step at work.
static inline size_t row_of(const decoder_work *work, int sequence) {
    return work->target->first_row[work->step] + (size_t)sequence;
}

// States after and before step t.
static inline const float *hidden_after(const decoder_work *work, int t) {
    return work->memory->recurrent.tape.hidden +
           ((size_t)work->target->sequences + work->target->first_row[t]) * work->hidden;
}

static inline const float *hidden_before(const decoder_work *work, int t) {
    return work->memory->recurrent.tape.hidden +
           seq_tape_row_before(work->target, t) * work->hidden;
}

// decoder_attention.c
decoder_work seq_decoder_work_of(const seq_node *node, seq_pass *pass);
// out[b + 1] becomes the length of sequence b; out[0] = 0.
void seq_decoder_lengths(const seq_axis *axis, size_t *out);
// Copies values and keys, item by item.
void seq_decoder_copy_source(const seq_node *node, seq_pass *pass);
// c<t> of all sequences of the step, asked for by `rows` (., H), into `seen`.
void seq_decoder_attend(decoder_work *work, int t, const float *rows);
// From dL/dc<t> (work->d_context) to what asked: `d_rows` is added to.
void seq_decoder_attend_back(decoder_work *work, int t, const float *rows, float *d_rows);
// When all steps are done: the gradients of values and keys.
void seq_decoder_add_to_source(decoder_work *work);

#endif
