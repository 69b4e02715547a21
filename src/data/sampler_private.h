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
    int64_t units; // of the split
    double mean_rows[SEQ_AXES];
    uint64_t bytes;
    seq_arena arena;
    int room_count; // each own replica's, or one for all
    seq_batch_room *rooms;
};

// Makes the rooms of the own replicas; the limits are set. SEQ_BAD_INPUT when they are not those
// of a batch (rows below 2^31).
seq_status seq_sampler_take_rooms(seq_sampler *sampler, seq_error *error);
seq_batch_room *seq_sampler_room(const seq_sampler *sampler, int replica);
// Frees them and the sampler.
void seq_sampler_free(seq_sampler *sampler);
// Words that are dropped, and words that occur once: <unk> takes their place, as the sampler's
// settings say. Letters and targets stay. Keyed by the step.
void seq_item_augment(const struct seq_sampler *sampler, uint32_t step, const seq_batch *batch,
                      seq_batch_room *room);

#endif
