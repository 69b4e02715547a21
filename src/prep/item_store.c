// The first pass: every item is read once, cut into units, and its units go to a
// temporary file as numbers of a string table, followed by its tags and, where a
// validation or test part is made, its text as it came. Memory keeps a row an
// item. Keys say which items belong together: equal units, windows and strands
// of one item, an equal group field. Of a sequence and its reverse complement
// the smaller digest is the key when both are trained on. Tests:
// tests/cli/seqprep_items.sh.
#include "item_store.h"
#include "documents.h"
#include "sequence_letters.h"
#include <inttypes.h>
#include <errno.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

// The sink of the cutter.
static seq_status take_units(void *context, const char *text, size_t size, size_t count,
                             seq_error *error) {
    seq_item_store *store = context;
    seq_status status = seq_grow(&store->ids, &store->id_capacity, store->id_count + count,
                                 sizeof *store->ids, "an item", error);
    for (size_t i = 0; !status && i < count; i++) {
        size_t number;
        status = seq_string_table_add(&store->units, text + i * size, size, &number, error);
        if (!status) store->ids[store->id_count++] = (uint32_t)number;
    }
    return status;
}

seq_status seq_item_store_begin(seq_item_store *store, const seq_prepare_items *prepare,
                                const char *folder, seq_error *error) {
    store->prepare = prepare;
    store->settings = prepare->reader;
    seq_item_rules rules = prepare->rules;
    rules.cased = prepare->letters || prepare->casing;
    store->settings.any_bytes = seq_item_takes_any_bytes(&prepare->rules);
    store->keep_raw = prepare->valid_file || prepare->test_file || prepare->folds ||
                      prepare->all_folds || prepare->valid_fraction > 0 ||
                      prepare->test_fraction > 0;
    seq_status status = seq_id_spool_begin(&store->spool, folder, error);
    return status ? status
                  : seq_item_cutter_create(&rules, take_units, store, &store->cutter, error);
}

seq_status seq_item_store_stopped(const seq_item_store *store, seq_error *error) {
    if (!store->prepare->stopped || !store->prepare->stopped()) return SEQ_OK;
    return seq_error_set(error, SEQ_STOPPED, "interrupted: nothing was written");
}

void seq_item_store_end(seq_item_store *store) {
    seq_item_cutter_destroy(store->cutter);
    seq_string_table_clear(&store->units);
    seq_string_table_clear(&store->labels);
    seq_string_table_clear(&store->tags);
    seq_id_spool_end(&store->spool);
    for (int i = 0; i < 3; i++)
        free(store->keys[i]);
    free(store->items);
    free(store->ids);
    free(store->tag_ids);
    free(store->backwards);
    free(store->letters);
    *store = (seq_item_store){0};
}

// --- one item -------------------------------------------------------------------------

static seq_status need(const seq_item *item, const char *name, bool list,
                       const seq_item_field **out, seq_error *error) {
    *out = seq_item_find(item, name);
    if (*out && (*out)->list == list) return SEQ_OK;
    return seq_item_refuse(item->file, item->line, 0, error, "%s '%s'",
                           *out ? list ? "expected a list in field" : "expected no list in field"
                                : "the item has no field",
                           name);
}

static seq_status read_number(const seq_item *item, const seq_value *value, float *out,
                              seq_error *error) {
    char *end, shown[80];
    double number = strtod(value->bytes, &end);
    *out = (float)number;
    if (value->size && *end == '\0' && end == value->bytes + value->size && isfinite(*out))
        return SEQ_OK;
    seq_escape(value->bytes, value->size, false, shown, sizeof shown);
    return seq_item_refuse(item->file, value->line, value->column, error,
                           "'%s' is no number, and --task rate learns numbers (to 3.4e38)", shown);
}

static seq_status take_label(seq_item_store *store, const seq_item *item, seq_stored_item *out,
                             seq_error *error) {
    const seq_item_field *field;
    size_t number;
    if (store->prepare->task == SEQ_TASK_TAG || need(item, "label", false, &field, error))
        return error->status;
    const seq_value *value = field->values;
    if (store->prepare->task == SEQ_TASK_RATE) return read_number(item, value, &out->number, error);
    if (!value->size)
        return seq_item_refuse(item->file, value->line, value->column, error, "the label is empty");
    seq_status status =
        seq_string_table_add(&store->labels, value->bytes, value->size, &number, error);
    out->label = (int32_t)number;
    return status;
}

static seq_status parse_tags(seq_item_store *store, const seq_item *item,
                             const seq_item_field *field, seq_error *error) {
    seq_tag *tags = NULL;
    seq_status status = seq_allocate(&tags, field->count, sizeof *tags, "tags", error);
    for (size_t i = 0; !status && i < field->count; i++) {
        tags[i] = seq_tag_parse(field->values[i].bytes, field->values[i].size);
        if (!tags[i].prefix && !*store->formless_at)
            snprintf(store->formless_at, sizeof store->formless_at, "%.200s line %" PRId64,
                     item->file, field->values[i].line);
    }
    if (!status) seq_tag_evidence_add(&store->evidence, tags, field->count);
    free(tags);
    return status;
}

static seq_status take_tags(seq_item_store *store, const seq_item *item, seq_error *error) {
    const seq_item_field *field;
    if (store->prepare->task != SEQ_TASK_TAG || need(item, "tag", true, &field, error))
        return error->status;
    if (field->count != store->id_count)
        return seq_item_refuse(item->file, item->line, 0, error,
                               "the item has %zu tokens and %zu tags", store->id_count,
                               field->count);
    seq_status status = seq_grow(&store->tag_ids, &store->tag_capacity, field->count,
                                 sizeof *store->tag_ids, "an item", error);
    for (size_t i = 0; !status && i < field->count; i++) {
        const seq_value *value = &field->values[i];
        size_t number;
        if (!value->size)
            return seq_item_refuse(item->file, value->line, value->column, error,
                                   "the tag is empty");
        status = seq_string_table_add(&store->tags, value->bytes, value->size, &number, error);
        store->tag_ids[i] = (uint32_t)number;
    }
    return status ? status : parse_tags(store, item, field, error);
}

static seq_partition_key digest(const void *bytes, size_t size) {
    seq_digest found;
    seq_partition_key key;
    seq_digest_bytes(bytes, size, &found);
    memcpy(key.hash, found.hash, sizeof key.hash);
    return key;
}

static seq_status set_keys(seq_item_store *store, const seq_partition_key keys[3],
                           seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < 3; i++) {
        status = seq_grow(&store->keys[i], &store->key_capacity[i], store->count + 1,
                          sizeof *store->keys[i], "the table of items", error);
        if (!status) store->keys[i][store->count] = keys[i];
    }
    return status;
}

// Text as it came, a byte a number; tokens are joined by line ends, which none of them holds.
static seq_status spool_raw(seq_item_store *store, const seq_item_field *input, size_t from,
                            size_t to, uint32_t *out_size, seq_error *error) {
    seq_status status = SEQ_OK;
    *out_size = 0;
    for (size_t i = from; !status && i < to; i++) {
        uint32_t numbers[1024];
        const seq_value *value = &input->values[i];
        bool joint = i > from;
        size_t size = value->size + joint;
        for (size_t at = 0; !status && at < size;) {
            size_t some = 0;
            for (; some < 1024 && at < size; at++)
                numbers[some++] = joint && at == 0 ? '\n' : (unsigned char)value->bytes[at - joint];
            status = seq_id_spool_append(&store->spool, numbers, some, error);
        }
        *out_size += (uint32_t)size;
    }
    return status;
}

// Units [from, to) of the item as an item of the store; `more` has label, number, split and twin.
static seq_status add_item(seq_item_store *store, const uint32_t *ids, size_t from, size_t to,
                           const seq_item_field *input, seq_stored_item more,
                           const seq_partition_key keys[3], seq_error *error) {
    seq_status status = seq_grow(&store->items, &store->capacity, store->count + 1,
                                 sizeof *store->items, "the table of items", error);
    if (!status) status = set_keys(store, keys, error);
    more.at = store->spool.count;
    more.length = (uint32_t)(to - from);
    if (!status) status = seq_id_spool_append(&store->spool, ids + from, to - from, error);
    if (!status && store->prepare->task == SEQ_TASK_TAG)
        status = seq_id_spool_append(&store->spool, store->tag_ids + from, to - from, error);
    bool whole = !input->list && from == 0; // a text goes with its first window
    if (!status && store->keep_raw && !more.twin && (input->list || whole))
        status =
            spool_raw(store, input, input->list ? from : 0, input->list ? to : 1, &more.raw, error);
    if (!status) store->items[store->count++] = more;
    return status;
}

// Turns the text's letters around and cuts them again; ids and twin ids change places.
static seq_status turn(seq_item_store *store, const seq_item *item, const seq_item_field *input,
                       seq_error *error) {
    const seq_value *value = input->values;
    if (input->list)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--reverse-complement: tokens of a list have no other strand");
    size_t wrong = seq_not_nucleotide(value->bytes, value->size);
    if (wrong < value->size)
        return seq_item_refuse(item->file, value->line, value->column + (int64_t)wrong, error,
                               "--reverse-complement: byte 0x%02x is no nucleotide",
                               (unsigned char)value->bytes[wrong]);
    seq_status status = seq_grow(&store->letters, &store->letter_capacity, value->size + 1, 1,
                                 "the other strand", error);
    if (status) return status;
    memcpy(store->letters, value->bytes, value->size);
    seq_reverse_complement(store->letters, value->size);
    store->letters[value->size] = '\0';
    uint32_t *ids = store->ids;
    size_t capacity = store->id_capacity;
    store->ids = store->backwards;
    store->id_capacity = store->backwards_capacity;
    store->backwards = ids;
    store->backwards_capacity = capacity;
    store->id_count = 0;
    seq_value turned = *value;
    turned.bytes = store->letters;
    const seq_item_field field = {.name = input->name, .values = &turned, .count = 1};
    return seq_item_cut(store->cutter, item->file, &field, error);
}

static seq_partition_key smaller(seq_partition_key a, seq_partition_key b) {
    return memcmp(a.hash, b.hash, sizeof a.hash) <= 0 ? a : b;
}

static seq_partition_key group_key(const seq_item_store *store, const seq_item *item) {
    const char *name = store->settings.group;
    const seq_item_field *field = name ? seq_item_find(item, name) : NULL;
    if (!field || !field->count) return digest(&store->count, sizeof store->count); // its own
    return digest(field->values->bytes, field->values->size);
}

// The item whose units lie in `ids`, window by window.
static seq_status add_windows(seq_item_store *store, const seq_item_field *input,
                              seq_stored_item more, seq_partition_key keys[3], seq_error *error) {
    const seq_item_rules *rules = &store->prepare->rules;
    bool both = store->prepare->reverse_complement;
    const uint32_t *ids = both ? store->backwards : store->ids; // after `turn`
    int64_t length = (int64_t)store->id_count, windows = seq_item_windows(rules, length);
    seq_status status = SEQ_OK;
    store->windows += windows > 1 ? windows : 0;
    for (int64_t w = 0; !status && w < windows; w++) {
        int64_t from, to;
        seq_item_window(rules, length, w, &from, &to);
        keys[0] = digest(ids + from, (size_t)(to - from) * sizeof *ids);
        if (both && windows == 1)
            keys[0] = smaller(keys[0], digest(store->ids, store->id_count * sizeof *ids));
        status = add_item(store, ids, (size_t)from, (size_t)to, input, more, keys, error);
        if (status || !both) continue;
        seq_stored_item twin = more;
        twin.twin = true;
        store->twins++;
        status = add_item(store, store->ids, (size_t)from, (size_t)to, input, twin, keys, error);
    }
    return status;
}

static seq_status take_item(seq_item_store *store, const seq_item *item, seq_split split,
                            seq_error *error) {
    const seq_item_field *input = seq_item_find_input(item);
    seq_stored_item more = {.label = -1, .split = (unsigned char)split};
    seq_partition_key keys[3];
    if (!input)
        return seq_item_refuse(item->file, item->line, 0, error, "the item has no field 'text'");
    store->id_count = 0;
    seq_status status = seq_item_cut(store->cutter, item->file, input, error);
    if (!status) status = take_label(store, item, &more, error);
    if (!status) status = take_tags(store, item, error);
    if (!status && store->prepare->reverse_complement) status = turn(store, item, input, error);
    if (status) return status;
    store->shorter += store->prepare->rules.kmer && !store->id_count;
    keys[1] = digest(&store->count, sizeof store->count);
    keys[2] = group_key(store, item);
    store->read[split]++;
    return add_windows(store, input, more, keys, error);
}

// --- files ----------------------------------------------------------------------------

static seq_status read_stream(void *context, char *out, size_t capacity, size_t *out_size,
                              seq_error *error) {
    return seq_byte_reader_read(context, out, capacity, out_size, error);
}

static seq_status read_items(seq_item_store *store, seq_reader *reader, seq_split split,
                             seq_error *error) {
    seq_item item;
    bool more = true;
    seq_status status = SEQ_OK;
    while (!status && more) {
        if (seq_item_store_stopped(store, error)) return error->status;
        status = seq_reader_next(reader, &item, &more, error);
        if (!status && more) status = take_item(store, &item, split, error);
    }
    for (int i = 0; i < SEQ_SKIPS; i++)
        store->skipped[i] += seq_reader_skipped(reader)[i];
    return status;
}

static seq_status read_file(seq_item_store *store, seq_split split, const char *path,
                            const char *root, seq_error *error) {
    const seq_byte_reader_rules rules = {.stopped = store->prepare->stopped,
                                         .as_is = store->prepare->as_is,
                                         .any_form = seq_reader_takes_bytes(store->settings.reader),
                                         .text = !store->settings.any_bytes,
                                         .memory = store->prepare->memory};
    seq_byte_reader *bytes = NULL;
    seq_reader *reader = NULL;
    seq_reader_settings settings = store->settings;
    settings.root = root;
    seq_status status = seq_byte_reader_open(path, &rules, &bytes, error);
    const seq_byte_stream stream = {read_stream, bytes};
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    if (!status) status = seq_reader_open(&settings, &stream, name, &reader, error);
    if (!status) status = read_items(store, reader, split, error);
    seq_reader_close(reader);
    seq_byte_reader_close(bytes);
    return status;
}

seq_status seq_item_store_read(seq_item_store *store, seq_split split, const char *const *paths,
                               size_t count, seq_error *error) {
    seq_documents documents;
    char *path = NULL;
    seq_documents_begin(&documents, paths, count);
    seq_status status = seq_documents_next(&documents, &path, error);
    while (!status && path) {
        const char *root = documents.depth ? paths[documents.at - 1] : NULL;
        status = read_file(store, split, path, root, error);
        free(path);
        path = NULL;
        if (!status) status = seq_documents_next(&documents, &path, error);
    }
    free(path);
    seq_documents_end(&documents);
    return status;
}
