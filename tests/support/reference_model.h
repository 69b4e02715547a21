// The language model once more, in double, loop by loop from the formulas of the texts; shares
// nothing with src/nn and src/model but the parameter table (names and offsets).
#ifndef SEQ_TESTS_REFERENCE_MODEL_H
#define SEQ_TESTS_REFERENCE_MODEL_H

#include <seqtrain/model/model.h>

// Summed -ln p(target) over a window. parameters: flat, as the table says. state: as
// seq_model_state_size, in and out. log_probabilities (T, B) may be NULL.
double reference_loss(const seq_model_config *config, const seq_parameter_table *table,
                      const double *parameters, int batch, int steps, const int32_t *inputs,
                      const int32_t *targets, double *state, double *log_probabilities);

// One step of a cell on one sequence: h, and c of cells with memory, become h_new and c_new.
// Parameters are weight_ih, weight_hh, bias_ih, bias_hh and, of cells with peepholes, weight_ch.
void reference_step(const char *cell, const double *const parameters[5], int inputs, int hidden,
                    const double *x, const double *h, const double *c, double *h_new,
                    double *c_new);

#endif
