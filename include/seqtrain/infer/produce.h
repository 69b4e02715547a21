// Output sequences for items that are at hand: translations of their sources, or texts generated
// from their labels, searched for or drawn (infer/search.h).
//
// What an item gets does not depend on the items beside it, on `batch` or on the team, bit for bit
// (not with the kernels openblas).
#ifndef SEQTRAIN_INFER_PRODUCE_H
#define SEQTRAIN_INFER_PRODUCE_H

#include <seqtrain/infer/predict.h>
#include <seqtrain/infer/search.h>

// All pointers are the caller's and outlive the producer.
typedef struct seq_producer_config {
    const seq_model *model; // its head says what may come next in the schema's target
    const seq_weights *weights;
    const seq_schema *schema; // its axis of lengths is the source, or the target's own: no source
    const seq_vocabulary *const *vocabularies; // by the schema's index; NULL: there is no field
                                               // `bar`, places in the bar that symbols tell
    int batch;                                 // items side by side at most
    seq_team *team;                            // NULL: one thread
    seq_search_config search;                  // but for the kernels, which are the model's
} seq_producer_config;

typedef struct seq_producer seq_producer;
seq_status seq_producer_create(const seq_producer_config *config, seq_producer **out,
                               seq_error *error);
void seq_producer_destroy(seq_producer *producer); // NULL is fine

// What is wanted of the items beside `items`, or NULL: nothing.
typedef struct seq_wanted {
    int64_t first_number;      // of item 0; the others follow. It keys draws.
    const int32_t *prefixes;   // how outputs must begin: of item i from prefix_ends[i - 1] (0) on
    const size_t *prefix_ends; // (items), or NULL: nothing is forced
} seq_wanted;

// Of the items, all fields but the target and all lengths but its are read. *out (items) is the
// producer's until it works again. SEQ_NO_MEMORY, SEQ_BAD_USAGE as seq_search_run.
seq_status seq_produce(seq_producer *producer, const seq_items *items, const seq_wanted *wanted,
                       const seq_found **out, seq_error *error);

// ln p of given outputs, as the search scores them: those of the items' target, which ends with its
// end symbol. `of_row` (rows of all targets) and `of_item` (items) are in nats, in double; of_row
// may be NULL. NaN: the model's answer is no number. An item whose source is empty has ln p = 0 of
// the empty output, -inf of any other.
seq_status seq_score_outputs(const seq_producer_config *config, const seq_items *items,
                             double *of_row, double *of_item, seq_error *error);

#endif
