// The parameter table: everything about a parameter in one place. Initialisation, exchange,
// optimiser, checkpoint, export, gradient check and printing are one loop each over it.
#ifndef SEQTRAIN_MODEL_PARAMETERS_H
#define SEQTRAIN_MODEL_PARAMETERS_H

#include <seqtrain/nn/layer.h>

enum { SEQ_PARAMETER_NAME = 48 };

typedef struct seq_parameter {
    char name[SEQ_PARAMETER_NAME]; // PyTorch's: "embedding.weight", "rnn.weight_ih_l0",
                                   // "output.bias" ...
    int dimensions;                // 1 or 2
    size_t rows, columns;          // columns is 1 when dimensions is 1
    size_t offset;  // in the flat vectors, in floats; a multiple of 16, the gap holds zeros
    int layer;      // recurrent layer 0 .. L-1, or -1
    bool decay;     // weight decay applies (matrices, not biases)
    bool sparse;    // training writes only the rows that seq_model_touched reports
    int vocabulary; // what its rows stand for, or -1
    int predicts;   // of a head: the vocabulary of its targets, which other values depend on as a
                    // whole; else -1
    double share;   // of the matrix, that a row in training is multiplied with, about
    seq_initial initial;
    float scale;
    size_t constant_first,
        constant_count; // elements set to `constant` after drawing (forget-gate bias)
    float constant;
    double rate; // factor of the learning rate; 0: frozen. Its gradient is not computed, summed or
                 // counted in the norm, and no update changes it.
    double drop; // weight-drop: probability of a zero when it is packed for a training step
} seq_parameter;

typedef struct seq_parameter_table {
    seq_parameter *items;
    int count;
    size_t size;   // floats in a flat vector, padding included
    size_t values; // without padding: the number of parameters of the model
} seq_parameter_table;

static inline size_t seq_parameter_size(const seq_parameter *parameter) {
    return parameter->rows * parameter->columns;
}

// The parameter that holds flat index `index` (the one before it, for padding); NULL beyond the
// end.
const seq_parameter *seq_parameter_at(const seq_parameter_table *table, size_t index);
const seq_parameter *seq_parameter_find(const seq_parameter_table *table, const char *name);

#endif
