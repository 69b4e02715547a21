// Names and numbers of the format that the files of this layer share.
#ifndef SEQ_CHECKPOINT_LAYOUT_H
#define SEQ_CHECKPOINT_LAYOUT_H

#include <seqtrain/checkpoint/checkpoint.h>

enum {
    SEQ_CHECKPOINT_VERSION = 1,
    SEQ_CHECKPOINT_CHUNK = 1 << 18,
    SEQ_MAX_SHARDS = 4096
}; // chunk in elements: 1 MiB of floats

// SEQ_STOPPED: a signal was caught while a large checkpoint was read.
seq_status seq_checkpoint_interrupted(const char *directory, seq_error *error);

// Loads a checkpoint, and again while another takes its place. What is not present in the end is
// not loaded.
seq_status seq_checkpoint_load_present(const char *directory, const seq_compute *compute,
                                       seq_loaded *out, seq_presence *out_presence,
                                       seq_error *error);

// "step-000012000" -> 12000, or -1.
int64_t seq_step_of_name(const char *name);
void seq_shard_name(int shard, char out[32]);
// Of the schema's section: how many symbols vocabulary `index` has. Checkpoints of early versions
// do not say it, nor do those of a language model, whose model section does.
enum { SEQ_SIZE_KEY = SEQ_FIELD_NAME + 24 };
void seq_size_key(const seq_schema *schema, int index, char out[SEQ_SIZE_KEY]);
// Elements of a vector of `count` that shard number `shard` of `shards` holds.
seq_vector_range seq_shard_of(size_t count, int shard, int shards);

#endif
