// The first pass: every item is read once, cut into units, and its units go to a
// temporary file as numbers of a string table, followed by its tags and, where a
// validation or test part is made, its text as it came. Frames go there as the
// bits of their values. Memory keeps a row an item. Keys say which items belong
// together: equal units, windows and strands of one item, an equal group field.
// Of a sequence and its reverse complement the smaller digest is the key when
// both are trained on. Tests: tests/cli/seqprep_items.sh,
// tests/unit/prep/test_prepare_items.c.
#include "item_store.h"
#include "documents.h"
#include "readers/sequence_letters.h"
#include <inttypes.h>
#include <errno.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdarg.h>
#include <stdio.h>
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
    store->settings.reader = seq_prepare_items_reader(prepare);
    store->settings.any_bytes = seq_item_takes_any_bytes(&prepare->rules);
    store->keep_raw = prepare->valid_file || prepare->test_file || prepare->folds ||
                      prepare->all_folds || prepare->valid_fraction > 0 ||
                      prepare->test_fraction > 0 || prepare->pairs[SEQ_VALID].source ||
                      prepare->pairs[SEQ_TEST].source;
    seq_status status = seq_id_spool_begin(&store->spool, folder, error);
    if (!status && !store->settings.sound.mel_bins)
        status = seq_sound_settings_read(&store->settings.sound, NULL, error);
    if (!status)
        status = seq_condition_parse("valid", prepare->valid_condition,
                                     &store->conditions[SEQ_VALID], error);
    if (!status)
        status = seq_condition_parse("test", prepare->test_condition, &store->conditions[SEQ_TEST],
                                     error);
    if (!status) status = seq_item_intervals_begin(store, error);
    store->symbols.tier = prepare->tier;
    bool translate = prepare->task == SEQ_TASK_TRANSLATE;
    store->settings.pairs = translate;
    store->settings.unlabelled =
        prepare->task == SEQ_TASK_TRANSCRIBE || prepare->pairs[SEQ_TRAIN].source;
    store->settings.blank_items |= prepare->pairs[SEQ_TRAIN].source != NULL;
    if (!status && prepare->task == SEQ_TASK_GENERATE) {
        status = seq_item_context_begin(&store->context, prepare, error);
        store->settings.unlabelled = !seq_item_context_has(&store->context, "label");
    }
    if (!status && (translate || prepare->task == SEQ_TASK_TRANSCRIBE))
        status = seq_item_symbols_begin(&store->symbols, &rules, error);
    return status ? status
                  : seq_item_cutter_create(&rules, take_units, store, &store->cutter, error);
}

size_t seq_item_store_step(const seq_item_store *store) {
    return store->width ? (size_t)store->width : 1;
}

seq_status seq_item_store_sort(seq_item_store *store, size_t *out_own, seq_error *error) {
    seq_stored_item *items = NULL;
    seq_partition_key *keys = NULL;
    size_t count = store->count, own = 0, at[2] = {0};
    for (size_t i = 0; i < count; i++)
        own += store->items[i].split == SEQ_TRAIN;
    *out_own = own;
    if (own == count) return SEQ_OK;
    seq_status status = seq_allocate(&items, count, sizeof *items, "the table of items", error);
    if (!status) status = seq_allocate(&keys, count, sizeof *keys, "the table of items", error);
    for (int k = 0; !status && k < 3; k++) {
        at[0] = 0;
        at[1] = own;
        for (size_t i = 0; i < count; i++)
            keys[at[store->items[i].split != SEQ_TRAIN]++] = store->keys[k][i];
        memcpy(store->keys[k], keys, count * sizeof *keys);
    }
    at[0] = 0;
    at[1] = own;
    for (size_t i = 0; !status && i < count; i++)
        items[at[store->items[i].split != SEQ_TRAIN]++] = store->items[i];
    if (!status) memcpy(store->items, items, count * sizeof *items);
    free(items);
    free(keys);
    return status;
}

seq_status seq_item_store_stopped(const seq_item_store *store, seq_error *error) {
    if (!store->prepare->stopped || !store->prepare->stopped()) return SEQ_OK;
    return seq_error_set(error, SEQ_STOPPED, "interrupted: nothing was written");
}

void seq_item_store_end(seq_item_store *store) {
    seq_item_cutter_destroy(store->cutter);
    seq_item_symbols_end(&store->symbols);
    seq_item_context_end(&store->context);
    for (int i = 0; i < SEQ_SPLITS; i++)
        seq_condition_clear(&store->conditions[i]);
    seq_string_table_clear(&store->units);
    seq_string_table_clear(&store->labels);
    seq_string_table_clear(&store->tags);
    seq_string_table_clear(&store->names);
    seq_ctm_clear(&store->intervals);
    seq_id_spool_end(&store->spool);
    for (int i = 0; i < 3; i++)
        free(store->keys[i]);
    free(store->items);
    free(store->ids);
    free(store->tag_ids);
    free(store->backwards);
    free(store->letters);
    for (int i = 0; i < 2; i++)
        free(store->sides[i].bytes);
    *store = (seq_item_store){0};
}

// --- one item -------------------------------------------------------------------------

static seq_status need(const seq_item *item, const char *name, bool list,
                       const seq_item_field **out, seq_error *error) {
    *out = seq_item_find(item, name);
    if (*out && (*out)->list == list) return SEQ_OK;
    bool label = !*out && item->frames && strcmp(name, "label") == 0;
    return seq_item_refuse(item->file, item->line, 0, error, "%s '%s'%s",
                           *out ? list ? "expected a list in field" : "expected no list in field"
                                : "the item has no field",
                           name,
                           label ? ": a class folder above the file, its name by --label-pattern, "
                                   "or a table with a column path gives one"
                                 : "");
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
    if (store->prepare->task >= SEQ_TASK_TAG || need(item, "label", false, &field, error))
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
    if (store->prepare->task != SEQ_TASK_TAG) return SEQ_OK;
    if (item->frames && !seq_item_find(item, "tag"))
        return seq_item_intervals_take(store, item, error);
    if (need(item, "tag", true, &field, error)) return error->status;
    if (field->count != store->id_count)
        return seq_item_refuse(item->file, item->line, 0, error, "the item has %zu %s and %zu tags",
                               store->id_count, store->width ? "frames" : "tokens", field->count);
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

seq_partition_key seq_item_digest(const void *bytes, size_t size) {
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

// The original text, a byte a number. Values are joined by line ends, which none of them contains.
static seq_status spool_raw(seq_item_store *store, const seq_item_field *raw, uint32_t *out_size,
                            seq_error *error) {
    seq_status status = SEQ_OK;
    *out_size = 0;
    for (size_t i = 0; !status && i < raw->count; i++) {
        uint32_t numbers[1024];
        const seq_value *value = &raw->values[i];
        bool joint = i > 0;
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

// Units [from, to) of the item as an item of the store; `more` has label, number, split, symbols
// and twin.
static seq_status add_item(seq_item_store *store, const uint32_t *ids, size_t from, size_t to,
                           const seq_item_field *raw, seq_stored_item more,
                           const seq_partition_key keys[3], seq_error *error) {
    seq_status status = seq_grow(&store->items, &store->capacity, store->count + 1,
                                 sizeof *store->items, "the table of items", error);
    if (!status) status = set_keys(store, keys, error);
    more.at = store->spool.count;
    more.length = (uint32_t)(to - from);
    size_t step = seq_item_store_step(store);
    if (!status)
        status = seq_id_spool_append(&store->spool, ids + from * step, (to - from) * step, error);
    if (!status && store->prepare->task == SEQ_TASK_TAG)
        status = seq_id_spool_append(&store->spool, store->tag_ids + from, to - from, error);
    if (!status && more.symbols)
        status = seq_id_spool_append(&store->spool, store->symbols.ids, more.symbols, error);
    if (!status && store->prepare->task == SEQ_TASK_GENERATE)
        status = seq_id_spool_append(&store->spool, store->context.values,
                                     seq_item_context_size(&store->context), error);
    if (!status && store->keep_raw && !more.twin && raw)
        status = spool_raw(store, raw, &more.raw, error);
    if (!status) store->items[store->count++] = more;
    return status;
}

seq_status seq_item_store_add(seq_item_store *store, const seq_item_field *raw,
                              seq_stored_item more, const seq_partition_key keys[3],
                              seq_error *error) {
    return add_item(store, store->ids, 0, store->id_count, raw, more, keys, error);
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

seq_partition_key seq_item_group_key(const seq_item_store *store, const seq_item *item) {
    const char *name = store->settings.group;
    const seq_item_field *field = name ? seq_item_find(item, name) : NULL;
    if (!field || !field->count)
        return seq_item_digest(&store->count, sizeof store->count); // its own
    return seq_item_digest(field->values->bytes, field->values->size);
}

// What a window keeps of the input: its tokens of a list; a text goes with its first window.
static const seq_item_field *raw_of(const seq_item_field *input, size_t from, size_t to,
                                    seq_item_field *room) {
    if (!input || !input->list) return from == 0 ? input : NULL;
    *room = *input;
    room->values += from;
    room->count = to - from;
    return room;
}

// The item whose units lie in `ids`, window by window.
static seq_status add_windows(seq_item_store *store, const seq_item_field *input,
                              seq_stored_item more, seq_partition_key keys[3], seq_error *error) {
    seq_item_rules rules = store->prepare->rules;
    if (rules.text.unit == SEQ_UNIT_SUBWORD) rules.max_length = 0; // of units, which come later
    bool both = store->prepare->reverse_complement;
    const uint32_t *ids = both ? store->backwards : store->ids; // after `turn`
    int64_t length = (int64_t)store->id_count, windows = seq_item_windows(&rules, length);
    size_t step = seq_item_store_step(store);
    seq_status status = SEQ_OK;
    store->windows += windows > 1 ? windows : 0;
    for (int64_t w = 0; !status && w < windows; w++) {
        int64_t from, to;
        seq_item_field room;
        seq_item_window(&rules, length, w, &from, &to);
        const seq_item_field *raw = raw_of(input, (size_t)from, (size_t)to, &room);
        keys[0] =
            seq_item_digest(ids + (size_t)from * step, (size_t)(to - from) * step * sizeof *ids);
        if (both && windows == 1)
            keys[0] = smaller(keys[0], seq_item_digest(store->ids, store->id_count * sizeof *ids));
        status = add_item(store, ids, (size_t)from, (size_t)to, raw, more, keys, error);
        if (status || !both) continue;
        seq_stored_item twin = more;
        twin.twin = true;
        store->twins++;
        status = add_item(store, store->ids, (size_t)from, (size_t)to, raw, twin, keys, error);
    }
    return status;
}

// The part that a condition puts an item of the inputs into.
static seq_status choose_part(const seq_item_store *store, const seq_item *item, seq_split *split,
                              seq_error *error) {
    bool valid, test;
    if (*split != SEQ_TRAIN) return SEQ_OK;
    seq_status status = seq_condition_holds(&store->conditions[SEQ_VALID], item, &valid, error);
    if (!status) status = seq_condition_holds(&store->conditions[SEQ_TEST], item, &test, error);
    if (!status) *split = test ? SEQ_TEST : valid ? SEQ_VALID : SEQ_TRAIN;
    return status;
}

static seq_status refuse_frames(const seq_item *item, seq_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Names the file that a table names, too.
static seq_status refuse_frames(const seq_item *item, seq_error *error, const char *format, ...) {
    char what[200];
    const seq_item_field *path = seq_item_find(item, "path");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return seq_item_refuse(item->file, item->line, 0, error, "%.1000s%s%s",
                           path ? path->values->bytes : "", path ? ": " : "", what);
}

// All items are texts, or all have frames, like the first one.
static seq_status check_kind(seq_item_store *store, const seq_item *item, seq_error *error) {
    const seq_frames *frames = item->frames;
    int width = frames ? frames->width : 0;
    if (frames && (!frames->rows || frames->rows > INT32_MAX / 2 || width > SEQ_WIDTH_MOST))
        return refuse_frames(item, error,
                             "%zu frames of %d values: expected 1 to 2^30 frames of at most %d",
                             frames->rows, width, SEQ_WIDTH_MOST);
    if (!store->read[SEQ_TRAIN] && !store->read[SEQ_VALID] && !store->read[SEQ_TEST]) {
        store->width = width;
        store->shift = frames ? frames->shift : 0;
        store->keep_raw = store->keep_raw && !frames;
        store->settings.sound.rate = frames ? frames->rate : 0;
    }
    if (!frames && store->prepare->task == SEQ_TASK_TRANSCRIBE)
        return seq_item_refuse(item->file, item->line, 0, error,
                               "--task transcribe: the item has no frames");
    if (!width != !store->width)
        return refuse_frames(item, error, "the item %s, and those before %s",
                             width ? "has frames" : "is a text",
                             width ? "are texts" : "have frames");
    if (width != store->width)
        return refuse_frames(item, error,
                             "frames of %d values, and those of the items before have %d", width,
                             store->width);
    if (!frames) return SEQ_OK;
    int rate = store->settings.sound.rate;
    if (frames->rate != rate)
        return refuse_frames(item, error,
                             "sound of %d Hz, and that of the items before has %d Hz; --resample "
                             "%d makes it one rate",
                             frames->rate, rate, rate);
    if (frames->shift == store->shift) return SEQ_OK;
    return refuse_frames(item, error, "frames are %g s apart, and those of the items before %g s",
                         frames->shift, store->shift);
}

static seq_status take_frames(seq_item_store *store, const seq_frames *frames, seq_error *error) {
    size_t count = frames->rows * (size_t)frames->width;
    seq_status status =
        seq_grow(&store->ids, &store->id_capacity, count, sizeof *store->ids, "an item", error);
    if (!status) memcpy(store->ids, frames->values, count * sizeof *store->ids);
    store->id_count = frames->rows;
    return status;
}

// *out_left: the item is left out, its labels need more frames than it has.
static seq_status take_symbols(seq_item_store *store, const seq_item *item, seq_split split,
                               seq_stored_item *out, bool *out_left, seq_error *error) {
    seq_item_symbols *symbols = &store->symbols;
    size_t frames = store->id_count;
    seq_status status = seq_item_symbols_take(symbols, item, error);
    if (status) return status;
    *out_left = store->prepare->skips_infeasible && seq_item_symbols_need(symbols) > frames;
    if (*out_left) {
        store->infeasible[split]++;
        return SEQ_OK;
    }
    out->symbols = (uint32_t)symbols->count;
    status = seq_item_symbols_check(symbols, frames, error);
    return status ? status : seq_item_symbols_keep(symbols, error);
}

static seq_status take_text(seq_item_store *store, const seq_item *item,
                            const seq_item_field *input, seq_error *error) {
    if (!input)
        return seq_item_refuse(item->file, item->line, 0, error, "the item has no field 'text'");
    seq_status status = seq_item_cut(store->cutter, item->file, input, error);
    store->shorter += store->prepare->rules.kmer && !store->id_count;
    return status;
}

// --- items --------------------------------------------------------------------------

static seq_status take_item(seq_item_store *store, const seq_item *item, seq_split split,
                            seq_error *error) {
    const seq_item_field *input = item->frames ? NULL : seq_item_find_input(item);
    seq_stored_item more = {.label = -1};
    seq_partition_key keys[3];
    bool left = false;
    store->id_count = 0;
    seq_status status = choose_part(store, item, &split, error);
    if (!status && store->prepare->task == SEQ_TASK_TRANSLATE)
        return seq_item_take_pair(store, item, split, error);
    if (!status) status = check_kind(store, item, error);
    if (!status && store->prepare->task == SEQ_TASK_GENERATE)
        return seq_item_take_text(store, item, split, error);
    if (!status)
        status = item->frames ? take_frames(store, item->frames, error)
                              : take_text(store, item, input, error);
    if (!status && store->prepare->task == SEQ_TASK_TRANSCRIBE)
        status = take_symbols(store, item, split, &more, &left, error);
    if (status || left) return status;
    status = take_label(store, item, &more, error);
    if (!status) status = take_tags(store, item, error);
    if (!status) status = seq_item_take_group(store, item, &more, error);
    if (!status && store->prepare->reverse_complement) status = turn(store, item, input, error);
    if (status) return status;
    more.split = (unsigned char)split;
    keys[1] = seq_item_digest(&store->count, sizeof store->count);
    keys[2] = seq_item_group_key(store, item);
    store->read[split]++;
    return add_windows(store, input, more, keys, error);
}

// --- files ----------------------------------------------------------------------------

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
                                         .memory = store->prepare->memory};
    seq_input_file file = {0};
    seq_reader_settings settings = store->settings;
    settings.root = root;
    settings.files = store->symbols.files = &rules;
    seq_status status = seq_input_file_open(&file, path, &settings, &rules, error);
    if (!status) status = read_items(store, file.reader, split, error);
    seq_input_file_close(&file);
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
        const char *reader = store->settings.reader;
        bool transcribes = store->prepare->task == SEQ_TASK_TRANSCRIBE;
        bool passed_over = root && (!seq_reader_takes(reader, path) ||
                                    (transcribes && seq_is_transcript(path, reader)));
        if (!passed_over) status = read_file(store, split, path, root, error);
        free(path);
        path = NULL;
        if (!status) status = seq_documents_next(&documents, &path, error);
    }
    free(path);
    seq_documents_end(&documents);
    return status;
}
