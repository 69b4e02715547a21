// What the samplers share.
#ifndef SEQ_DATA_SAMPLER_PRIVATE_H
#define SEQ_DATA_SAMPLER_PRIVATE_H

#include <seqtrain/data/sampler.h>

// Arrays of a batch within the limits: of one replica.
typedef struct seq_batch_room {
    seq_axis_room axes[SEQ_AXES];
    int32_t *ids[SEQ_COLUMNS];
    float *values[SEQ_COLUMNS];
} seq_batch_room;

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
// Sets the columns of `out` to the room's arrays.
void seq_sampler_set_columns(const seq_sampler *sampler, const seq_batch_room *room,
                             seq_batch *out);

#endif
