// How words are written, beside their embedding: a small embedding of classes
// such as lower, title and digits (Collobert et al. 2011, section 4.5).
#ifndef SEQTRAIN_MODEL_CASING_H
#define SEQTRAIN_MODEL_CASING_H

#include <seqtrain/model/stack.h>

typedef struct seq_casing_settings {
    int64_t embed; // units; 0: none
} seq_casing_settings;
extern const seq_option_group seq_casing_options;

// `words` with the units of their casing beside them. `field`: ids on the axis of
// `words`; `words` alone where --casing-embed is 0 or the data have no such
// field. SEQ_BAD_USAGE: --casing-embed was chosen and they have none.
// Parameter: "casing.weight".
int seq_graph_casing(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                     const char *field, int words);

#endif
