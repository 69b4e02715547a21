// Pairs of texts become items of the store: the source is cut into units, the
// target into symbols. A table gives both in a record; two files are read line by
// line, side by side (item_pairs.c). Invariant: the item keeps both texts as they
// are cut, so measures compare with what the user gave. Tests:
// tests/unit/prep/test_pairs.c, tests/cli/seqprep_pairs.sh.
#include "item_store.h"
#include <string.h>

static seq_status cut_side(seq_item_store *store, const seq_item *item, int side,
                           const seq_item_field *field, seq_error *error) {
    const char *file = side && store->target_file ? store->target_file : item->file;
    seq_pair_text *text = &store->sides[side];
    seq_status status =
        seq_pair_text_take(text, field->values, store->prepare->rules.unescape, error);
    if (status) return status;
    seq_value value = *field->values;
    value.bytes = text->bytes;
    value.size = text->size;
    const seq_item_field plain = {.name = field->name, .values = &value, .count = 1};
    return side ? seq_item_symbols_cut(&store->symbols, file, &plain, error)
                : seq_item_cut(store->cutter, file, &plain, error);
}

// Training leaves out pairs with an empty side; validation and test keep every line.
seq_status seq_item_take_pair(seq_item_store *store, const seq_item *item, seq_split split,
                              seq_error *error) {
    const seq_item_field *fields[2];
    seq_partition_key keys[3];
    store->id_count = 0;
    seq_status status = seq_pair_find(item, fields, error);
    for (int side = 0; !status && side < 2; side++)
        status = cut_side(store, item, side, fields[side], error);
    if (status) return status;
    const seq_pair_text *sides = store->sides;
    bool empty = !store->id_count || !store->symbols.count || seq_pair_text_is_blank(&sides[0]) ||
                 seq_pair_text_is_blank(&sides[1]);
    store->empty[split] += empty;
    store->read[split]++;
    if (empty && split == SEQ_TRAIN) return SEQ_OK;
    keys[0] = seq_item_digest(store->ids, store->id_count * sizeof *store->ids);
    keys[1] = seq_item_digest(&store->count, sizeof store->count);
    keys[2] = seq_item_group_key(store, item);
    const seq_value values[2] = {{.bytes = sides[0].bytes, .size = sides[0].size},
                                 {.bytes = sides[1].bytes, .size = sides[1].size}};
    const seq_item_field texts = {.values = values, .count = 2, .list = true};
    const seq_stored_item more = {
        .label = -1, .split = (unsigned char)split, .symbols = (uint32_t)store->symbols.count};
    return seq_item_store_add(store, &texts, more, keys, error);
}

static seq_status read_lines(seq_item_store *store, seq_split split, seq_pair_lines *lines,
                             seq_error *error) {
    seq_item item;
    bool more = true;
    seq_status status = SEQ_OK;
    while (!status && more) {
        if (seq_item_store_stopped(store, error)) return error->status;
        status = seq_pair_lines_next(lines, &item, &more, error);
        if (!status && more) status = seq_item_take_pair(store, &item, split, error);
    }
    return status;
}

seq_status seq_item_store_read_pairs(seq_item_store *store, seq_split split,
                                     const seq_pair_files *files, seq_error *error) {
    const seq_byte_reader_rules rules = {.stopped = store->prepare->stopped,
                                         .as_is = store->prepare->as_is,
                                         .memory = store->prepare->memory};
    seq_input_file sides[2] = {{0}, {0}};
    seq_pair_lines lines = {.names = {files->source, files->target}};
    seq_status status =
        seq_input_file_open(&sides[0], files->source, &store->settings, &rules, error);
    if (!status)
        status = seq_input_file_open(&sides[1], files->target, &store->settings, &rules, error);
    lines.readers[0] = sides[0].reader;
    lines.readers[1] = sides[1].reader;
    store->target_file = files->target;
    if (!status) status = read_lines(store, split, &lines, error);
    store->target_file = NULL;
    seq_input_file_close(&sides[0]);
    seq_input_file_close(&sides[1]);
    return status;
}
