// seqpredict for models whose answer is a text of its own length: searches, forced beginnings, and
// how outputs and attention are printed.
#ifndef SEQ_TOOLS_SEQPREDICT_OUTPUTS_H
#define SEQ_TOOLS_SEQPREDICT_OUTPUTS_H

#include "seqpredict_private.h"
#include <seqtrain/base/option.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/infer/produce.h>

typedef struct seqpredict_output_options {
    char *prefix, *attention, *pictures;
} seqpredict_output_options;
extern const seq_option_group seqpredict_output_options_group;

// Whether a model's target is such a text.
bool seqpredict_produces(const seq_schema *schema);

typedef struct seqpredict_outputs seqpredict_outputs;
typedef struct seqpredict_outputs_config {
    const seq_loaded *loaded; // the caller's
    const seq_parsed *parsed; // of a program with the group above, and those of infer/search.h
    seqpredict_format format;
    int best, batch;
    seq_team *team;
} seqpredict_outputs_config;
// SEQ_BAD_USAGE: options that do not go together.
seq_status seqpredict_outputs_create(const seqpredict_outputs_config *config,
                                     seqpredict_outputs **out, seq_error *error);
void seqpredict_outputs_destroy(seqpredict_outputs *outputs); // NULL is fine

void seqpredict_outputs_header(const seqpredict_outputs *outputs);
// With --prefix: takes the beginning of the item that was added last, number `index` of all.
seq_status seqpredict_outputs_give(seqpredict_outputs *outputs, const seq_raw_item *raw,
                                   int64_t index, seq_error *error);
// Searches and prints what waits. SEQ_BAD_NUMBER, SEQ_BAD_USAGE name the item.
seq_status seqpredict_outputs_answer(seqpredict_outputs *outputs, seqpredict_window *window,
                                     seq_error *error);
// After the last item: writes --attention, and tells what was cut and what beams have gained.
seq_status seqpredict_outputs_finish(seqpredict_outputs *outputs, seq_error *error);

#endif
