// Tags of data of items. The scheme is told from all tags, or as --tag-scheme
// says; each item's tags are repaired and converted when they are counted and
// again when they are written, by the same pure function. The vocabulary holds a
// whole scheme, so a model may say each tag that is legal. Tests:
// tests/unit/prep/test_tag_scheme.c, tests/cli/seqprep_items.sh.
#include "prepare_items_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static seq_status refuse_mixture(const seq_item_work *work, seq_error *error) {
    const seq_string_table *table = &work->store.tags;
    char shown[80];
    for (size_t i = 0; i < table->count; i++) {
        const char *text = seq_string_table_text(table, i);
        if (seq_tag_parse(text, table->items[i].size).prefix) continue;
        seq_escape(text, table->items[i].size, false, shown, sizeof shown);
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: tag '%s' has no prefix and is not O, and other tags have one: "
                             "mend it, or leave the tags alone with --tag-scheme none",
                             work->store.formless_at, shown);
    }
    return SEQ_OK;
}

static seq_status tell_scheme(seq_item_work *work, seq_error *error) {
    const seq_string_table *table = &work->store.tags;
    work->scheme = work->prepare->scheme;
    if (work->prepare->detect_scheme &&
        !seq_tag_scheme_detect(&work->store.evidence, &work->scheme))
        return refuse_mixture(work, error);
    if (work->scheme != SEQ_TAGS_NONE && work->store.evidence.formless)
        return refuse_mixture(work, error);
    if (work->scheme == SEQ_TAGS_NONE && work->prepare->converts)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--store-tags: the tags have no scheme that could be converted");
    work->stored = work->scheme == SEQ_TAGS_NONE || work->prepare->stored_scheme == SEQ_TAGS_NONE
                       ? work->scheme
                       : work->prepare->stored_scheme;
    seq_status status = seq_allocate(&work->tags, table->count, sizeof *work->tags, "tags", error);
    for (size_t i = 0; !status && i < table->count; i++)
        work->tags[i] = seq_tag_parse(seq_string_table_text(table, i), table->items[i].size);
    return status;
}

seq_status seq_item_convert(seq_item_work *work, size_t count, size_t *out_broken,
                            seq_error *error) {
    seq_status status = seq_grow(&work->item_tags, &work->capacity[1], count,
                                 sizeof *work->item_tags, "an item", error);
    if (!status)
        status = seq_grow(&work->spans, &work->capacity[2], count, sizeof *work->spans, "an item",
                          error);
    for (size_t i = 0; !status && i < count; i++)
        work->item_tags[i] = work->tags[work->numbers[i]];
    *out_broken = 0;
    if (!status)
        *out_broken =
            seq_tag_convert(work->scheme, work->stored, work->item_tags, count, work->spans);
    return status;
}

seq_status seq_item_tag_text(const seq_tag *tag, char out[SEQ_TAG_BYTES], size_t *out_size,
                             seq_error *error) {
    *out_size = seq_tag_text(*tag, out, SEQ_TAG_BYTES);
    return *out_size < SEQ_TAG_BYTES
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT, "a tag is longer than %d bytes",
                               SEQ_TAG_BYTES - 4);
}

static int compare_types(const void *a, const void *b) {
    return strcmp(((const seq_tag *)a)->type, ((const seq_tag *)b)->type);
}

// O, then B, I (and E, S) of each type in the order of bytes, whether or not they occur: what a
// model may say is a whole scheme.
static seq_status add_whole_scheme(seq_item_work *work, seq_string_table *out, seq_error *error) {
    static const char *const letters[SEQ_TAG_SCHEMES] = {"", "BI", "BI", "BIES", "BILU"};
    seq_string_table types = {0};
    seq_tag *items = NULL;
    size_t number, size;
    char text[SEQ_TAG_BYTES];
    seq_status status = seq_string_table_add(out, "O", 1, &number, error);
    for (size_t i = 0; !status && i < work->store.tags.count; i++)
        if (work->tags[i].size)
            status = seq_string_table_add(&types, work->tags[i].type, work->tags[i].size, &number,
                                          error);
    if (!status) status = seq_allocate(&items, types.count, sizeof *items, "tags", error);
    for (size_t i = 0; !status && i < types.count; i++)
        items[i] = (seq_tag){0, seq_string_table_text(&types, i), types.items[i].size};
    if (!status && types.count) qsort(items, types.count, sizeof *items, compare_types);
    for (size_t i = 0; !status && i < types.count; i++)
        for (const char *letter = letters[work->stored]; !status && *letter; letter++) {
            items[i].prefix = *letter;
            status = seq_item_tag_text(&items[i], text, &size, error);
            if (!status) status = seq_string_table_add(out, text, size, &number, error);
        }
    free(items);
    seq_string_table_clear(&types);
    return status;
}

static seq_status count_tags(seq_item_work *work, seq_string_table *tags, seq_error *error) {
    const seq_item_store *store = &work->store;
    char text[SEQ_TAG_BYTES];
    size_t broken, size, number;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < store->count; i++) {
        const seq_stored_item *item = &store->items[i];
        status = seq_item_load_tags(work, item, error);
        if (!status) status = seq_item_convert(work, item->length, &broken, error);
        work->broken += (int64_t)broken;
        for (size_t k = 0; !status && k < item->length; k++) {
            status = seq_item_tag_text(&work->item_tags[k], text, &size, error);
            if (!status) status = seq_string_table_add(tags, text, size, &number, error);
            if (!status) tags->items[number].count += item->split == SEQ_TRAIN;
        }
    }
    return status;
}

seq_status seq_item_tags(seq_item_work *work, seq_error *error) {
    seq_string_table tags = {0};
    seq_status status = tell_scheme(work, error);
    if (!status && work->stored != SEQ_TAGS_NONE) status = add_whole_scheme(work, &tags, error);
    size_t number;
    const char *background = work->prepare->background;
    if (!status && work->store.makes_tags) // it may be nowhere but in strings of recordings
        status = seq_string_table_add(&tags, background, strlen(background), &number, error);
    if (!status) status = count_tags(work, &tags, error);
    if (!status && work->stored == SEQ_TAGS_NONE)
        status = seq_item_append_targets(work, &tags, "tag", error);
    for (size_t i = 0; !status && work->stored != SEQ_TAGS_NONE && i < tags.count; i++)
        status = seq_vocabulary_append(work->targets, seq_string_table_text(&tags, i),
                                       tags.items[i].size, tags.items[i].count, error);
    seq_string_table_clear(&tags);
    return status;
}
