// The group of an item as a label (--group-label): who speaks, whose body it is.
// Its names in the training part are a vocabulary; an item of another group has
// none. Normalisation by group and strings of one speaker use it. Test:
// tests/cli/seqprep_groups.sh.
#include "prepare_items_private.h"
#include <string.h>

seq_status seq_item_take_group(seq_item_store *store, const seq_item *item, seq_stored_item *out,
                               seq_error *error) {
    const char *name = store->prepare->group_label;
    const seq_item_field *field = name ? seq_item_find(item, name) : NULL;
    size_t number;
    if (!name) return SEQ_OK;
    if (!field || field->list || !field->values->size)
        return seq_item_refuse(item->file, item->line, 0, error,
                               "--group-label: the item has no field '%s', or an empty one", name);
    seq_status status = seq_string_table_add(&store->names, field->values->bytes,
                                             field->values->size, &number, error);
    out->name = (int32_t)number;
    return status;
}

seq_status seq_item_name_groups(seq_item_work *work, seq_error *error) {
    const seq_text_rules rules = {.unit = SEQ_UNIT_WORD};
    seq_string_table *names = &work->store.names;
    seq_status status = seq_vocabulary_create(&rules, &work->names, error);
    for (size_t i = 0; i < work->store.count; i++)
        if (work->store.items[i].split == SEQ_TRAIN)
            names->items[work->store.items[i].name].count++;
    for (size_t i = 0; !status && i < names->count; i++)
        if (names->items[i].count)
            status = seq_vocabulary_append(work->names, seq_string_table_text(names, i),
                                           names->items[i].size, names->items[i].count, error);
    return status;
}

int32_t seq_item_group_id(const seq_item_work *work, const seq_stored_item *item) {
    const seq_string_table *names = &work->store.names;
    size_t number = (size_t)item->name;
    return seq_vocabulary_find(work->names, seq_string_table_text(names, number),
                               names->items[number].size);
}
