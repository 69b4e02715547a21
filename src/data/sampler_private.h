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

// Checks the options of items, reads the split's table (the data set's) and counts its items.
// SEQ_BAD_INPUT: there are none.
seq_status seq_sampler_begin_items(seq_sampler *sampler, const seq_item_table **out,
                                   seq_error *error);
// Makes the rooms of the own replicas; the limits are set. SEQ_BAD_INPUT when they are not those
// of a batch (rows below 2^31).
seq_status seq_sampler_take_rooms(seq_sampler *sampler, seq_error *error);
seq_batch_room *seq_sampler_room(const seq_sampler *sampler, int replica);
// The place, in the order of dealing, of what a replica gets in a round: forth and back.
static inline int64_t seq_dealt_place(int64_t round, int replica, int replicas) {
    return round * replicas + (round % 2 ? replicas - 1 - replica : replica);
}
// Of stored items, item by item: what is read where a batch is made of something else.
seq_coverage seq_items_cover(const seq_schema *schema, const seq_items *items,
                             const int64_t *numbers);
extern const seq_sampler_kind seq_sampler_strings;
// Frees them and the sampler.
void seq_sampler_free(seq_sampler *sampler);
// Changes a batch that seq_item_pack has made, as the sampler's settings say, keyed
// by the step. Words that are dropped, and words that occur once: <unk> takes their place. Values:
// see seq_augmentation. Letters and targets stay.
typedef struct seq_packed_items {
    const seq_item_packer *packer;
    const seq_items *items;
    const int64_t *numbers;
    seq_batch_room *room;
    int64_t epoch, step; // step: counted over all epochs. For seq_item_augment
} seq_packed_items;
void seq_item_augment(const struct seq_sampler *sampler, const seq_packed_items *packed,
                      const seq_batch *batch);
// SEQ_BAD_USAGE: an option that would have no effect, or that these data do not allow.
seq_status seq_item_augment_check(const seq_schema *schema, const seq_sampler_settings *settings,
                                  seq_error *error);

#endif
