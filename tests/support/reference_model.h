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

#endif
