// What the samplers share.
#ifndef SEQ_DATA_SAMPLER_PRIVATE_H
#define SEQ_DATA_SAMPLER_PRIVATE_H

#include <seqtrain/data/item_batch.h>
#include <seqtrain/data/sampler.h>

// A sampler begins with this.
struct seq_sampler {
    const seq_sampler_kind *kind;
    seq_dataset *dataset;
    seq_sampler_settings settings;
    seq_limits limits;
    double mean_rows[SEQ_AXES];
    uint64_t bytes;
    seq_arena arena;
    seq_batch_room *rooms; // (count)
};

// Makes the rooms of the own replicas; the limits are set. SEQ_BAD_INPUT when they are not those
// of a batch (rows below 2^31).
seq_status seq_sampler_take_rooms(seq_sampler *sampler, seq_error *error);
// Frees them and the sampler.
void seq_sampler_free(seq_sampler *sampler);
// Words that are dropped, and words that occur once: <unk> takes their place, as the sampler's
// settings say. Letters and targets stay. Keyed by the step.
void seq_item_augment(const struct seq_sampler *sampler, uint32_t step, const seq_batch *batch,
                      seq_batch_room *room);

#endif
