// Small models, windows and a list of shapes that the tests of nn, model and infer go through.
#ifndef SEQ_TESTS_SMALL_MODEL_H
#define SEQ_TESTS_SMALL_MODEL_H

#include <seqtrain/model/model.h>

// Number of shapes; shape `index` for a cell: one and two layers of different sizes, dense layers,
// tied.
int small_shapes(void);
seq_model_config small_config(const char *cell, int shape);
// Everything a test of one window needs; tokens are drawn at random, some are SEQ_NO_ID.
typedef struct small_case {
    seq_model *model;
    const seq_parameter_table *table;
    seq_workspace *workspace;
    int batch, steps;
    int32_t *inputs, *targets;
    float *parameters, *gradient, *state;
    void *packed;
    seq_weights weights;                  // parameters and packed
    double *wide_parameters, *wide_state; // the same in double
} small_case;
void small_case_create(small_case *out, const seq_model_config *config, int batch, int steps,
                       uint64_t seed);
void small_case_pack(small_case *test); // after a change of the parameters
void small_case_destroy(small_case *test);
seq_window small_window(const small_case *test);
double small_reference_loss(const small_case *test); // from the state at creation
size_t small_heap(void); // bytes that malloc has given away; 0 where the C library does not say

#endif
