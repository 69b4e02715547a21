// Samplers: which examples a step reads, and how they become batches. The plan
// of an epoch (steps, who reads what, divisors) is a pure function of (settings,
// epoch, step, replica): every rank and every program knows it without reading
// data or asking others. To add a sampler, copy sampler_streams.c and register
// it in sampler.c.
#ifndef SEQTRAIN_DATA_SAMPLER_H
#define SEQTRAIN_DATA_SAMPLER_H

#include <seqtrain/base/option.h>
#include <seqtrain/batch/batch.h>
#include <seqtrain/data/join.h>

// How a split is cut into streams.
typedef enum seq_cut {
    SEQ_CUT_EQUAL, // training: every stream has floor(tokens / streams) tokens, the remainder is
                   // left out
    SEQ_CUT_ALL,   // evaluation: every token is in a stream; lengths differ by at most one, missing
                   // places are -1
} seq_cut;

enum { SEQ_STREAM_MEMORY = 1 << 28 }; // bytes that all streams of a sampler read ahead into

// What training changes in sequences of values: fields of values on an axis below the examples.
// Each draw is keyed by (seed, field, number of the item, epoch). In this order: rotation of the
// stored values, normalisation, noise, masks.
typedef struct seq_augmentation {
    int time_masks, time_width; // rows: each mask has 0 to time_width, at most half of the item's
    int feature_masks, feature_width; // columns, at all rows of the item: likewise
    double noise;                     // standard deviation, of normalised values
    double rotation; // degrees: values are triples x y z, turned by up to so much either way
    int vertical;    // what of a triple stays: 0 y, 1 z, 2 x
} seq_augmentation;

typedef struct seq_sampler_settings {
    seq_split split;
    bool training; // epochs are shuffled and inputs augmented; else items come in order of length,
                   // and one batch at a time is in memory
    uint64_t seed;
    int replicas;     // R, of all ranks
    int first, count; // this rank's: first .. first + count - 1; count 0: a plan, nothing is read
    int batch;        // B: streams, or items, of a replica
    // Streams.
    seq_cut cut;
    int window;    // T: steps
    bool loss_sum; // the divisor is R B, not R B T
    // Buckets.
    int64_t batch_tokens; // rows of the axis of lengths a replica, by the upper bounds of the
                          // length classes; 0: `batch` items. A longer item is a batch by itself.
    bool per_item;        // the divisor counts items, not targets
    double word_dropout;  // probability that an input word becomes <unk> (-1 without one)
    double singletons;    // that one which occurs once in the training part does
    seq_augmentation augmentation;
    seq_join strings; // in training: buckets of strings
    bool read_ahead;  // also where the data set's cache holds all chunks
} seq_sampler_settings;

typedef struct seq_sampler seq_sampler;
typedef void seq_sampler_range(void *context, int64_t begin, int64_t end);

typedef struct seq_sampler_kind {
    const char *name, *summary;
    const char *unit;   // what positions of `planned` and seq_batch.read count: "token", "item"
    bool carries_state; // a batch goes on where the one before ended
    bool (*same_plan)(const seq_sampler_settings *a, const seq_sampler_settings *b);
    seq_status (*create)(seq_dataset *dataset, const seq_sampler_settings *settings,
                         seq_sampler **out, seq_error *error);
    void (*destroy)(seq_sampler *sampler);
    int64_t (*steps)(const seq_sampler *sampler);
    bool (*full)(const seq_sampler *sampler, int64_t epoch, int64_t step);
    double (*divisor)(const seq_sampler *sampler, int64_t epoch, int64_t step);
    void (*planned)(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                    int replica, seq_sampler_range *range, void *context);
    seq_status (*read)(seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                       seq_batch *out, seq_error *error);
} seq_sampler_kind;
extern const seq_sampler_kind seq_sampler_streams, seq_sampler_buckets;
// Options of buckets, for a program's table. `values` is the group's struct, or NULL: a program
// without them leaves the settings as they are.
extern const seq_option_group seq_buckets_options;
void seq_buckets_configure(const void *values, seq_sampler_settings *out);
const seq_sampler_kind *seq_sampler_find(const char *name); // NULL: none of that name
const seq_sampler_kind *const *seq_samplers(void);          // NULL-terminated

// The data set stays the caller's and outlives the sampler. SEQ_BAD_INPUT when it
// has not what the sampler needs (items or a stream, enough tokens), or when a
// batch would have 2^31 rows; SEQ_NO_MEMORY.
seq_status seq_sampler_create(const seq_sampler_kind *kind, seq_dataset *dataset,
                              const seq_sampler_settings *settings, seq_sampler **out,
                              seq_error *error);
void seq_sampler_destroy(seq_sampler *sampler); // NULL is fine
const seq_sampler_kind *seq_sampler_get_kind(const seq_sampler *sampler);

// Whether epochs of one data set are cut alike: nothing else decides who reads what.
bool seq_sampler_same_plan(const seq_sampler_kind *kind, const seq_sampler_settings *a,
                           const seq_sampler_settings *b);
// Of the split, tokens or items: what is planned lies below.
int64_t seq_sampler_units(const seq_sampler *sampler);
// Of every epoch; at least 1. Epochs are told apart by their number, any one.
int64_t seq_sampler_steps(const seq_sampler *sampler);
// Upper bounds over all epochs, steps and replicas.
const seq_limits *seq_sampler_limits(const seq_sampler *sampler);
// False for a step that is smaller than the others: neither judged nor counted as a spike.
bool seq_sampler_full(const seq_sampler *sampler, int64_t epoch, int64_t step);
// Of the loss: counted targets (or items) of the step over all replicas, at least 1.
double seq_sampler_divisor(const seq_sampler *sampler, int64_t epoch, int64_t step);
// Calls `range` for what `replica` reads in steps [from, to): positions [begin, end) of the split,
// tokens or items, in no order. May be any replica's.
void seq_sampler_planned(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                         int replica, seq_sampler_range *range, void *context);
// The same as a digest: what seq_batch.read must add up to.
seq_coverage seq_sampler_plan(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                              int replica);
// Mean rows of an axis a step, over all replicas.
double seq_sampler_mean_rows(const seq_sampler *sampler, int axis);
// Bytes of tables and batches of this rank, without the data set's own.
uint64_t seq_sampler_bytes(const seq_sampler *sampler);
uint64_t seq_sampler_batch_bytes(const seq_sampler *sampler); // of one batch, 0: of a plan

// Fills the batch of one of this rank's replicas. A replica that a step leaves
// empty gets axes without sequences. The arrays are the sampler's. In training
// each own replica has its own, valid until it is read again; else all share
// one. Axes and columns are those of
// the schema, in its order; where the target is a text of ids (SEQ_FIELD_IDS), one
// more column holds its ids one place later, the input of a decoder. Numbers of
// sequences: streams: replica x B + b; items: the index in the split; an axis
// below: the parent's row in the split. Values are normalised. `read` is taken of
// the columns before inputs are changed (word_dropout, singletons, augmentation); ids of axes
// below words and targets are not changed. draw_key: the replica's first stream, or
// the replica. Not for two threads at once.
seq_status seq_sampler_read(seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                            seq_batch *out, seq_error *error);
// Columns of a batch of this schema, and the one of the target's ids one place later; -1: none.
int seq_schema_columns(const seq_schema *schema);
int seq_schema_before_column(const seq_schema *schema);

#endif
