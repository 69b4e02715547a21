// Strings: items that are made of others, such as spoken digits of one speaker
// one after the other with silences between them.
//
// A plan cuts the recordings of each group into strings of 1 to `most`; every
// recording is in one string of an epoch, and the number of strings is the same
// in all epochs. A maker joins recordings: sequences of the examples one after
// the other, and gaps between them on the axis of the frames. Rows of a gap are
// real ones: drawn from the quietest twentieth of the string's own frames. Tags
// there are the background. Everything is a function of (seed, epoch, number of
// the string).
#ifndef SEQTRAIN_DATA_JOIN_H
#define SEQTRAIN_DATA_JOIN_H

#include <seqtrain/data/items.h>

typedef struct seq_join {
    int most;                // recordings of a string; 0: no strings
    int gap_least, gap_most; // frames between two of them
    int level;               // what makes a frame loud: its value of this column, from 1, or 0: the
                             // sum of all, as of log energies
} seq_join;
// SEQ_BAD_USAGE: settings that mean nothing. SEQ_BAD_INPUT: items of this schema cannot be joined
// (no frames, a class an item, letters of words).
seq_status seq_join_check(const seq_join *strings, const seq_schema *schema, seq_error *error);

// Zero-initialise before use.
typedef struct seq_join_plan {
    int64_t items, strings; // recordings; strings of an epoch
    uint64_t seed;
    int64_t epoch;     // that order and begins are of; -1: none
    uint32_t *order;   // (items): the recordings of string 0, of string 1 ...
    uint32_t *begins;  // (strings + 1): places in `order`
    uint32_t *grouped; // (items): group after group
    uint32_t *ends;    // (group_count): places in `grouped` behind each group
    size_t group_count;
    int most;
} seq_join_plan;
// `groups` (items): SEQ_NO_ID is a group, too. NULL: all are one.
seq_status seq_join_plan_create(seq_join_plan *plan, int64_t items, const int32_t *groups, int most,
                                uint64_t seed, seq_error *error);
void seq_join_plan_make(seq_join_plan *plan, int64_t epoch);
void seq_join_plan_clear(seq_join_plan *plan);

// Of the gap behind recording `place` of a string.
int seq_join_gap(const seq_join *strings, uint64_t seed, int64_t epoch, int64_t string, int place);

// A string: `count` recordings that lie one after the other from `first` on.
typedef struct seq_joined {
    int64_t number, first, count;
} seq_joined;
typedef struct seq_joiner seq_joiner;
// `vocabulary`: of tags on the frames, where the schema has them, else NULL. SEQ_BAD_INPUT: it has
// no background (schema.reader "background").
seq_status seq_joiner_create(const seq_join *strings, const seq_schema *schema,
                             const seq_vocabulary *vocabulary, uint64_t seed, seq_joiner **out,
                             seq_error *error);
void seq_joiner_destroy(seq_joiner *maker); // NULL is fine
// Joins items of `from`. The arrays of `out` are the maker's until the next call; it has no raw
// texts. *out_begins: of each recording, its first row on the axis of the frames.
seq_status seq_joiner_make(seq_joiner *maker, int64_t epoch, const seq_items *from,
                           const seq_joined *strings, int64_t count, seq_items *out,
                           const uint32_t **out_begins, seq_error *error);
// The axis of the frames.
int seq_join_axis(const seq_schema *schema);
// The field of tags on it, which get the background in gaps; -1: none.
int seq_join_tags(const seq_schema *schema);

#endif
