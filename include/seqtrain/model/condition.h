// What a generated sequence depends on beside the symbols before: labels and numbers of its
// example, and features that the symbols before it tell, such as the place in the bar.
#ifndef SEQTRAIN_MODEL_CONDITION_H
#define SEQTRAIN_MODEL_CONDITION_H

#include <seqtrain/model/stack.h>

enum { SEQ_CONDITIONS = SEQ_COLUMNS };

typedef struct seq_condition_settings {
    int where;          // 0: each step, 1: the first one
    int64_t embed, bar; // units
} seq_condition_settings;
extern const seq_option_group seq_condition_options;

// `rows` with the conditions beside them: `fields` (count) on the parent of the axis of `rows`,
// each label as an embedding and numbers as they are, at each step or at a sequence's first one.
// `rows` alone where there are none. Parameters: "condition.FIELD.weight".
// SEQ_BAD_USAGE: an option of conditions was chosen and there are none.
int seq_graph_condition(seq_graph *graph, const seq_model_config *config,
                        const seq_parsed *settings, const char *const *fields, int count, int rows);
// `rows` with an embedding of `field` beside them, ids on their axis; `rows` alone where
// --bar-embed is 0 or the data have no such field. Parameter: "bar.weight". SEQ_BAD_USAGE as above.
int seq_graph_bar(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                  const char *field, int rows);

#endif
