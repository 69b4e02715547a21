// What the files of first values share.
#ifndef SEQ_TRAIN_FIRST_VALUES_H
#define SEQ_TRAIN_FIRST_VALUES_H

#include "initial.h"
#include "transfer.h"

#define SEQ_RATE_KEY  "rate "            // of the record, followed by the parameter's name
#define SEQ_EMBEDDING "embedding.weight" // what --embeddings fills

// A parameter that a source has for a name of this model, if it has that.
typedef struct seq_offer {
    char name[SEQ_PARAMETER_NAME];
    int source, row;
} seq_offer;

struct seq_first_values {
    seq_record record; // "init-from", "embeddings", "rate NAME": on all ranks
    // Rank 0.
    bool ready; // opened and not filled yet: what follows is there
    seq_sources sources;
    seq_loaded *loaded; // (sources.count)
    seq_offer *offers;  // of a name, one
    size_t offer_count, offer_capacity;
    char *report; // lines to be printed, or NULL
};

static inline bool seq_initial_is_root(const seq_trainer *trainer) {
    return seq_comm_rank(trainer->comm) == 0;
}

// load.c, rank 0: loads all sources, and fills in `record` what a checkpoint says of them.
seq_status seq_initial_load(seq_trainer *trainer, seq_record *record, seq_error *error);
// Again, after seq_initial_drop: SEQ_NO_CHECKPOINT when they are not what they were.
seq_status seq_initial_load_again(seq_trainer *trainer, seq_error *error);
void seq_initial_drop(seq_first_values *initial);
// NULL: no source has a parameter for this name.
const seq_offer *seq_initial_offer(const seq_first_values *initial, const char *name);
// Of all parameters, as far as there is room: for messages.
enum { SEQ_NAMES = 400 };
void seq_initial_list_names(const seq_parameter_table *table, char out[SEQ_NAMES]);
// "HASH[@RATE]" of the file of --embeddings.
seq_status seq_initial_name_embeddings(const seq_train_options *options, char out[80],
                                       seq_error *error);

#endif
