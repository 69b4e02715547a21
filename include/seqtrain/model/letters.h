// A word from its letters, beside its embedding: both directions of a small
// recurrent layer, and their final states (Ling et al. 2015, Lample et al. 2016).
#ifndef SEQTRAIN_MODEL_LETTERS_H
#define SEQTRAIN_MODEL_LETTERS_H

#include <seqtrain/model/stack.h>

typedef struct seq_letters_settings {
    int64_t embed, hidden; // hidden 0: no letters
} seq_letters_settings;
extern const seq_option_group seq_letters_options;

// `words` with the letters' units beside them, or `words` where --letters-hidden
// is 0. `field`: ids on an axis whose sequences are the rows of `words`. Without
// dropout of its own: the input's comes behind it (seq_graph_input_dropout).
// Parameters: "letters.embedding.weight", "letters.weight_ih_l0" ..., "_reverse".
int seq_graph_letters(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                      const char *field, int words);

#endif
