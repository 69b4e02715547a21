// A model as search steps it (seq_stepper): a batch of one step is made of what the search wants,
// and states are selected.
#ifndef SEQ_INFER_STEPPER_H
#define SEQ_INFER_STEPPER_H

#include <seqtrain/data/abc.h>
#include <seqtrain/data/schema.h>
#include <seqtrain/data/vocabulary.h>
#include <seqtrain/infer/search.h>

typedef struct seq_model_stepper {
    // The caller's.
    const seq_model *model;
    const seq_weights *weights;
    const seq_schema *schema;
    const seq_vocabulary *const *vocabularies; // by the schema's index, where it has a field `bar`
    // Its own.
    seq_workspace *workspace;
    seq_batch batch; // a step's
    float *state[2]; // after the last step, and before it
    int most, count; // sequences: at most, and of the last step
    int rows_at[1];
    size_t first_row[2];
    int32_t *of, *last_row, *before, *targets, *reversed;
    int64_t *number;
    seq_abc_place *places[2]; // in the bar, as the states; empty where the schema has none
    int32_t *bars;
} seq_model_stepper;

// Room for steps of up to `most` sequences. SEQ_NO_MEMORY.
seq_status seq_model_stepper_reserve(seq_model_stepper *stepper, int most, seq_error *error);
void seq_model_stepper_clear(seq_model_stepper *stepper);
// Runs what does not depend on outputs. The workspace serves the batch, and steps of it.
seq_stepper seq_model_stepper_begin(seq_model_stepper *stepper, seq_workspace *workspace,
                                    const seq_batch *batch);

#endif
