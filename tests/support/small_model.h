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
// Streams as a test holds them, and the passes over them.
typedef struct small_window {
    int batch, steps;
    const int32_t *inputs, *targets; // (T, B)
    float *state;                    // before the window in, after it out
    uint64_t seed;
    uint32_t step;
    int64_t first_stream;
    void (*ready)(void *context, size_t begin, size_t end);
    void *ready_context;
} small_window;
small_window small_window_of(const small_case *test);
seq_status small_workspace(const seq_model *model, int batch, int steps, seq_workspace_use use,
                           seq_workspace **out, seq_error *error);
seq_loss small_train(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                     const small_window *window, double scale, float *gradient);
seq_loss small_evaluate(const seq_model *model, seq_workspace *workspace,
                        const seq_weights *weights, const small_window *window,
                        float *log_probabilities);
// One time step: inputs (B) -> logits (B, V).
void small_step(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                int batch, const int32_t *inputs, float *state, float *logits);
void small_flow(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                const small_window *window, float *gradient, double *squares);
// Rows of a parameter that training is going to write, each once, into words; returns their number.
size_t small_touched(const seq_model *model, seq_workspace *workspace, const small_window *window,
                     const char *parameter, int32_t *words);
double small_reference_loss(const small_case *test); // from the state at creation
size_t small_heap(void); // bytes that malloc has given away; 0 where the C library does not say

#endif
