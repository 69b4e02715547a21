// One layer on a small batch, without a model: what tests of layers share. A
// batch is made of examples; every number of an example is drawn for its place
// in the example, so it is the same in every batch.
#ifndef SEQ_TESTS_LAYER_CASE_H
#define SEQ_TESTS_LAYER_CASE_H

#include <seqtrain/nn/layer.h>

enum { LAYER_EXAMPLES = 8 };

typedef struct layer_case layer_case;
// The layer in double, from its formula: values of `out` (rows, width).
typedef void layer_reference(const layer_case *test, const double *const *inputs,
                             const double *const *parameters, double *out);

typedef struct layer_spec {
    const char *name; // for messages
    const seq_layer_kind *kind;
    const void *options;
    layer_reference *reference;
    int axis_count; // with axes[0], the examples
    struct {
        int parent;
        const int32_t *lengths; // lengths[i % count]: of the sequence in row i of an example
        int count;
    } axes[SEQ_AXES];
    int input_count;
    struct {
        int axis, width;
        unsigned looks_ahead;
    } inputs[SEQ_NODE_INPUTS];
} layer_spec;

struct layer_case {
    const layer_spec *spec;
    seq_compute compute;
    seq_node node;
    seq_batch batch;
    int64_t *keys[SEQ_AXES]; // (rows of the axis): the row's place in its example
    seq_pass pass;
    seq_node_run runs[SEQ_NODE_INPUTS + 1];
    size_t parameter_size; // of the flat vector
    int parameter_rows[SEQ_NODE_PARAMETERS], parameter_columns[SEQ_NODE_PARAMETERS];
    float *parameters, *gradient, *values[SEQ_NODE_INPUTS], *gradients[SEQ_NODE_INPUTS];
    void *packed;
    seq_arena arena, kept, axes[SEQ_AXES];
};

// Checks a layer on LAYER_EXAMPLES examples: values against the reference and
// gradients against its differences, write and add, gradients that are not
// wanted, threads, and each example alone bit for bit. `lengths` of an axis give
// sequences of lengths 0 and 1.
void layer_check(const layer_spec *spec);

#endif
