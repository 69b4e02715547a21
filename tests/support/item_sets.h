// A data set of items with every kind of column, drawn by number, for tests.
#ifndef SEQ_TESTS_ITEM_SETS_H
#define SEQ_TESTS_ITEM_SETS_H

#include <seqtrain/prep/dataset_writer.h>

enum {
    ITEM_TEXT,   // fields: ids on text
    ITEM_LETTER, // ids on letters
    ITEM_TAG,    // label on text: the target; some are SEQ_NO_ID
    ITEM_SOUND,  // values on frames
    ITEM_SCORE,  // number on example
    ITEM_FIELDS,
    ITEM_AXIS_TEXT = 1,
    ITEM_AXIS_LETTERS,
    ITEM_AXIS_FRAMES,
    ITEM_WORDS = 300,
    ITEM_LETTERS = 30,
    ITEM_TAGS = 5,
    ITEM_WIDTH = 3,
    ITEM_ROWS = 64, // of an item on an axis, at most
};

// Item `number` of split `split`: the same at every call. Its arrays stay here.
typedef struct drawn_item {
    int32_t words[ITEM_ROWS], letters[ITEM_ROWS * 8], tags[ITEM_ROWS];
    int32_t text_length, frame_length, word_lengths[ITEM_ROWS], raw_size;
    float sound[ITEM_ROWS * ITEM_WIDTH], score;
    int64_t group;
    char raw[32];
    int32_t counted;
    seq_items items;
} drawn_item;
void draw_item(drawn_item *out, int split, int64_t number);

void item_schema(seq_schema *out); // with groups and raw; seq_schema_clear it
// A vocabulary of `size` words "w0", "w1" ..., the odd ones `count` times, the even ones once, with
// <unk> as its last.
seq_vocabulary *make_vocabulary(const char *directory, int size, int count);
// Writes `items` of each split to `output`; shards of `shard_bytes`. After seq_storage_begin.
void write_item_set(const char *directory, const char *output, const int64_t items[SEQ_SPLITS],
                    size_t shard_bytes);
// A training part of pairs of ids on two axes, of one vocabulary; the second is the target. Id t of
// side i is (number + 3 t + i) % PAIR_WORDS.
enum { PAIR_WORDS = 50 };
void write_pairs(const char *directory, const char *output, int64_t items,
                 void (*lengths)(int64_t number, int32_t out[2]));

#endif
