// The order of the work for data of items: read everything once into a store,
// join items into groups, deal groups to parts, tell the tag scheme, make the
// vocabularies, write the parts in the order of the inputs. Invariants: a group
// is in one part (parts that are files of their own are told of instead); only
// training items count in the vocabulary of units; labels and tags are closed
// lists in an order that does not depend on the inputs' order. Tests:
// tests/cli/seqprep_items.sh.
#include "item_store.h"
#include <inttypes.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/vocabulary_builder.h>
#include <seqtrain/prep/prepare_items.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_AXIS = 1, LETTER_AXIS = 2 };

typedef struct work {
    const seq_prepare_items *prepare;
    seq_item_store store;
    size_t own; // items of the inputs; behind them those of --valid and --test files
    int64_t groups, folds, repeats, strangers, broken;
    seq_tag_scheme scheme, stored; // of the tags as read, and as written
    seq_tag *tags;                 // by number in store.tags
    int32_t *ids;                  // of units, by number in store.units
    seq_vocabulary *units, *targets, *letters;
    seq_schema schema;
    int text_field, target_field, letter_field;
    // Of the item that is being written.
    uint32_t *numbers;
    int32_t *text, *tag, *letter, *letter_lengths;
    char *raw;
    seq_tag *item_tags;
    seq_tag_span *spans;
    size_t capacity[8];
} work;

// --- parts ----------------------------------------------------------------------------

// Items of valid and test files that also occur in another part; groups that do are refused.
static seq_status check_files(work *work, seq_error *error) {
    seq_item_store *store = &work->store;
    int32_t *group = NULL;
    unsigned char *seen = NULL;
    size_t groups;
    seq_status status = seq_allocate(&group, store->count, sizeof *group, "groups", error);
    if (!status) status = seq_allocate(&seen, store->count, 1, "groups", error);
    for (int k = 0; !status && k <= 2; k += 2) {
        if (k == 2 && !work->prepare->reader.group) break;
        const seq_partition_key *const keys[] = {store->keys[k]};
        status = seq_partition_groups(keys, 1, store->count, group, &groups, error);
        memset(seen, 0, store->count);
        for (size_t i = 0; !status && i < store->count; i++)
            seen[group[i]] |= (unsigned char)(1 << store->items[i].split);
        for (size_t i = 0; !status && i < store->count; i++) {
            unsigned char others = seen[group[i]] & (unsigned char)~(1 << store->items[i].split);
            if (!others) continue;
            if (k == 0) work->strangers += i >= work->own;
            if (k == 2)
                status = seq_error_set(error, SEQ_BAD_INPUT,
                                       "--group %s: items of one group are in two parts, %s and "
                                       "another (item %zu of all)",
                                       work->prepare->reader.group,
                                       seq_split_name((seq_split)store->items[i].split), i + 1);
        }
    }
    free(group);
    free(seen);
    return status;
}

static seq_status deal(work *work, const int32_t *group, const int32_t *classes, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    unsigned char *split = NULL;
    const seq_partition partition = {.seed = prepare->seed,
                                     .valid = prepare->valid_fraction,
                                     .test = prepare->test_fraction,
                                     .folds = prepare->folds,
                                     .fold = prepare->fold,
                                     .all_folds = prepare->all_folds,
                                     .class_of = prepare->stratify ? classes : NULL};
    seq_status status = seq_allocate(&split, work->own, 1, "parts", error);
    if (!status)
        status = seq_partition_items(&partition, group, work->own, split, &work->folds, error);
    for (size_t i = 0; !status && i < work->own; i++)
        work->store.items[i].split = split[i];
    free(split);
    return status;
}

static seq_status divide(work *work, seq_error *error) {
    seq_item_store *store = &work->store;
    int32_t *group = NULL, *classes = NULL;
    size_t groups, distinct;
    const seq_partition_key *const keys[] = {store->keys[0], store->keys[1], store->keys[2]};
    int key_count = work->prepare->reader.group ? 3 : 2;
    seq_status status = seq_allocate(&group, work->own, sizeof *group, "groups", error);
    if (!status) status = seq_allocate(&classes, work->own, sizeof *classes, "classes", error);
    if (!status) status = seq_partition_groups(keys, 1, work->own, group, &distinct, error);
    for (size_t i = 0; !status && i < work->own; i++)
        work->repeats += !store->items[i].twin && group[i] != (int32_t)i;
    if (!status) status = seq_partition_groups(keys, key_count, work->own, group, &groups, error);
    for (size_t i = 0; !status && i < work->own; i++)
        classes[i] = store->items[i].label;
    if (!status) {
        work->groups = (int64_t)groups;
        status = deal(work, group, classes, error);
    }
    if (!status && store->count > work->own) status = check_files(work, error);
    free(group);
    free(classes);
    return status;
}

// --- vocabularies ---------------------------------------------------------------------

static bool is_used(const seq_stored_item *item) {
    return !item->twin || item->split == SEQ_TRAIN;
}

// Reads an item's units into work->numbers.
static seq_status load(work *work, const seq_stored_item *item, size_t skip, size_t count,
                       seq_error *error) {
    seq_status status = seq_grow(&work->numbers, &work->capacity[0], count, sizeof *work->numbers,
                                 "an item", error);
    return status ? status
                  : seq_id_spool_read(&work->store.spool, item->at + (int64_t)skip, count,
                                      work->numbers, error);
}

static seq_status count_units(work *work, seq_error *error) {
    const seq_item_store *store = &work->store;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < store->count; i++) {
        const seq_stored_item *item = &store->items[i];
        if (item->split != SEQ_TRAIN) continue;
        status = load(work, item, 0, item->length, error);
        for (size_t k = 0; !status && k < item->length; k++)
            store->units.items[work->numbers[k]].count++;
    }
    return status;
}

typedef struct ranked {
    const char *text;
    size_t size, number;
    int64_t count;
} ranked;

static int compare_text(const ranked *a, const ranked *b) {
    size_t size = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->text, b->text, size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

// Most frequent first, ties by bytes.
static int compare_ranks(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return compare_text(x, y);
}

static bool as_number(const ranked *item, double *out) {
    char *end;
    *out = strtod(item->text, &end);
    return item->size && end == item->text + item->size;
}

// By value where both are numbers, numbers before words, words by bytes.
static int compare_labels(const void *a, const void *b) {
    double x, y;
    bool one = as_number(a, &x), other = as_number(b, &y);
    if (one && other && x != y) return x < y ? -1 : 1;
    if (one != other) return one ? -1 : 1;
    return compare_text(a, b);
}

static seq_status rank(const seq_string_table *table, int64_t least,
                       int (*compare)(const void *, const void *), ranked **out, size_t *out_count,
                       seq_error *error) {
    *out_count = 0;
    seq_status status = seq_allocate(out, table->count, sizeof **out, "a vocabulary", error);
    for (size_t i = 0; !status && i < table->count; i++)
        if (table->items[i].count >= least)
            (*out)[(*out_count)++] = (ranked){seq_string_table_text(table, i), table->items[i].size,
                                              i, table->items[i].count};
    if (!status && *out_count) qsort(*out, *out_count, sizeof **out, compare);
    return status;
}

static bool is_special(const ranked *item) {
    return strcmp(item->text, seq_unk_text) == 0 || strcmp(item->text, seq_eos_text) == 0;
}

static seq_status append_ranked(seq_vocabulary *vocabulary, const ranked *items, size_t count,
                                size_t limit, seq_error *error) {
    seq_status status = SEQ_OK;
    int64_t unknown = 0;
    for (size_t i = 0; i < count; i++)
        if (i + 1 >= limit || is_special(&items[i])) unknown += items[i].count;
    status = seq_vocabulary_append(vocabulary, seq_unk_text, strlen(seq_unk_text), unknown, error);
    for (size_t i = 0; !status && i < count && i + 1 < limit; i++)
        if (!is_special(&items[i]))
            status = seq_vocabulary_append(vocabulary, items[i].text, items[i].size, items[i].count,
                                           error);
    return status;
}

static seq_status make_bytes(const seq_string_table *table, seq_vocabulary *vocabulary,
                             seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < SEQ_BYTES; i++) {
        char byte = (char)i;
        size_t number = seq_string_table_find(table, &byte, 1);
        status = seq_vocabulary_append(vocabulary, &byte, 1,
                                       number == SIZE_MAX ? 0 : table->items[number].count, error);
    }
    return status;
}

static seq_status make_units(work *work, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    seq_text_rules rules = prepare->rules.text;
    if (prepare->rules.kmer || prepare->task == SEQ_TASK_TAG) rules.unit = SEQ_UNIT_WORD;
    const seq_string_table *table = &work->store.units;
    ranked *items = NULL;
    size_t count, limit = prepare->max_vocabulary ? (size_t)prepare->max_vocabulary : INT32_MAX;
    seq_status status = seq_vocabulary_create(&rules, &work->units, error);
    if (!status && rules.unit == SEQ_UNIT_BYTE) return make_bytes(table, work->units, error);
    int64_t least = prepare->min_count > 1 ? prepare->min_count : 1;
    if (!status) status = rank(table, least, compare_ranks, &items, &count, error);
    if (!status && count == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "no unit of the training part is left for the vocabulary");
    if (!status) status = append_ranked(work->units, items, count, limit, error);
    free(items);
    return status;
}

static seq_status map_units(work *work, seq_error *error) {
    const seq_string_table *table = &work->store.units;
    seq_status status =
        seq_allocate(&work->ids, table->count, sizeof *work->ids, "a vocabulary", error);
    for (size_t i = 0; !status && i < table->count; i++) {
        int id =
            seq_vocabulary_find(work->units, seq_string_table_text(table, i), table->items[i].size);
        work->ids[i] = id == SEQ_NO_ID ? seq_vocabulary_unk(work->units) : id;
    }
    return status;
}

static const char *next_letter(const char *at, const char *end) {
    do
        at++;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

static seq_status make_letters(work *work, seq_error *error) {
    const seq_string_table *table = &work->store.units;
    seq_string_table letters = {0};
    seq_text_rules rules = {.unit = SEQ_UNIT_CHAR};
    ranked *items = NULL;
    size_t count, number;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < table->count; i++) {
        const char *at = seq_string_table_text(table, i), *end = at + table->items[i].size;
        while (!status && at < end && table->items[i].count) {
            const char *next = next_letter(at, end);
            status = seq_string_table_add(&letters, at, (size_t)(next - at), &number, error);
            if (!status) letters.items[number].count += table->items[i].count;
            at = next;
        }
    }
    if (!status) status = rank(&letters, 1, compare_ranks, &items, &count, error);
    if (!status) status = seq_vocabulary_create(&rules, &work->letters, error);
    if (!status) status = append_ranked(work->letters, items, count, INT32_MAX, error);
    free(items);
    seq_string_table_clear(&letters);
    return status;
}

static seq_status append_table(seq_vocabulary *vocabulary, const seq_string_table *table,
                               int (*compare)(const void *, const void *), seq_error *error) {
    ranked *items = NULL;
    size_t count;
    seq_status status = rank(table, 0, compare, &items, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        status =
            seq_vocabulary_append(vocabulary, items[i].text, items[i].size, items[i].count, error);
    free(items);
    return status;
}

static void warn_of_unseen(const seq_string_table *table, const char *what) {
    char shown[80];
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].count == 0) {
            seq_escape(seq_string_table_text(table, i), table->items[i].size, false, shown,
                       sizeof shown);
            seq_log_warning("%s '%s' does not occur in the training part", what, shown);
        }
}

static seq_status make_labels(work *work, seq_error *error) {
    seq_string_table *labels = &work->store.labels;
    for (size_t i = 0; i < work->store.count; i++)
        if (work->store.items[i].split == SEQ_TRAIN)
            labels->items[work->store.items[i].label].count++;
    warn_of_unseen(labels, "class");
    return append_table(work->targets, labels, compare_labels, error);
}

// --- tags -----------------------------------------------------------------------------

static seq_status refuse_mixture(const work *work, seq_error *error) {
    const seq_string_table *table = &work->store.tags;
    char shown[80];
    for (size_t i = 0; i < table->count; i++) {
        const char *text = seq_string_table_text(table, i);
        if (seq_tag_parse(text, table->items[i].size).prefix) continue;
        seq_escape(text, table->items[i].size, false, shown, sizeof shown);
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "tag '%s' has no prefix and is not O, and other tags have one: mend "
                             "it, or leave the tags alone with --tag-scheme none",
                             shown);
    }
    return SEQ_OK;
}

static seq_status tell_scheme(work *work, seq_error *error) {
    const seq_string_table *table = &work->store.tags;
    work->scheme = work->prepare->scheme;
    if (work->prepare->detect_scheme &&
        !seq_tag_scheme_detect(&work->store.evidence, &work->scheme))
        return refuse_mixture(work, error);
    if (work->scheme != SEQ_TAGS_NONE && work->store.evidence.formless)
        return refuse_mixture(work, error);
    work->stored = work->scheme == SEQ_TAGS_NONE || work->prepare->stored_scheme == SEQ_TAGS_NONE
                       ? work->scheme
                       : work->prepare->stored_scheme;
    seq_status status = seq_allocate(&work->tags, table->count, sizeof *work->tags, "tags", error);
    for (size_t i = 0; !status && i < table->count; i++)
        work->tags[i] = seq_tag_parse(seq_string_table_text(table, i), table->items[i].size);
    return status;
}

// work->item_tags from the numbers in work->numbers, in the scheme that is stored.
static seq_status convert(work *work, size_t count, size_t *out_broken, seq_error *error) {
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

enum { TAG_TEXT = 1 << 10 };

static seq_status tag_text(const seq_tag *tag, char out[TAG_TEXT], size_t *out_size,
                           seq_error *error) {
    *out_size = seq_tag_text(*tag, out, TAG_TEXT);
    return *out_size < TAG_TEXT
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT, "a tag is longer than %d bytes", TAG_TEXT - 4);
}

// O, then B, I (and E, S) of each type in the order of bytes, whether or not they occur: what a
// model may say is a whole scheme.
static seq_status add_whole_scheme(work *work, seq_string_table *out, seq_error *error) {
    static const char *const letters[SEQ_TAG_SCHEMES] = {"", "BI", "BI", "BIES", "BILU"};
    seq_string_table types = {0};
    ranked *items = NULL;
    size_t count, number, size;
    char text[TAG_TEXT];
    seq_status status = seq_string_table_add(out, "O", 1, &number, error);
    for (size_t i = 0; !status && i < work->store.tags.count; i++)
        if (work->tags[i].size)
            status = seq_string_table_add(&types, work->tags[i].type, work->tags[i].size, &number,
                                          error);
    if (!status) status = rank(&types, 0, compare_labels, &items, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        for (const char *letter = letters[work->stored]; !status && *letter; letter++) {
            const seq_tag tag = {*letter, items[i].text, items[i].size};
            status = tag_text(&tag, text, &size, error);
            if (!status) status = seq_string_table_add(out, text, size, &number, error);
        }
    free(items);
    seq_string_table_clear(&types);
    return status;
}

static seq_status count_tags(work *work, seq_string_table *tags, seq_error *error) {
    const seq_item_store *store = &work->store;
    char text[TAG_TEXT];
    size_t broken, size, number;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < store->count; i++) {
        const seq_stored_item *item = &store->items[i];
        status = load(work, item, item->length, item->length, error);
        if (!status) status = convert(work, item->length, &broken, error);
        work->broken += (int64_t)broken;
        for (size_t k = 0; !status && k < item->length; k++) {
            status = tag_text(&work->item_tags[k], text, &size, error);
            if (!status) status = seq_string_table_add(tags, text, size, &number, error);
            if (!status) tags->items[number].count += item->split == SEQ_TRAIN;
        }
    }
    return status;
}

static seq_status make_tags(work *work, seq_error *error) {
    seq_string_table tags = {0};
    seq_status status = tell_scheme(work, error);
    if (!status && work->stored != SEQ_TAGS_NONE) status = add_whole_scheme(work, &tags, error);
    if (!status) status = count_tags(work, &tags, error);
    if (!status && work->stored == SEQ_TAGS_NONE) {
        warn_of_unseen(&tags, "tag");
        status = append_table(work->targets, &tags, compare_labels, error);
    }
    for (size_t i = 0; !status && work->stored != SEQ_TAGS_NONE && i < tags.count; i++)
        status = seq_vocabulary_append(work->targets, seq_string_table_text(&tags, i),
                                       tags.items[i].size, tags.items[i].count, error);
    seq_string_table_clear(&tags);
    return status;
}

static seq_status make_vocabularies(work *work, seq_error *error) {
    const seq_text_rules rules = {.unit = SEQ_UNIT_WORD};
    seq_item_task task = work->prepare->task;
    seq_status status = count_units(work, error);
    if (!status) status = make_units(work, error);
    if (!status) status = map_units(work, error);
    if (!status && work->prepare->letters) status = make_letters(work, error);
    if (status || task == SEQ_TASK_RATE) return status;
    status = seq_vocabulary_create(&rules, &work->targets, error);
    if (status) return status;
    return task == SEQ_TASK_TAG ? make_tags(work, error) : make_labels(work, error);
}

// --- writing --------------------------------------------------------------------------

static seq_status record_reader(work *work, seq_error *error) {
    seq_record *record = &work->schema.reader;
    seq_status status = seq_reader_settings_write(&work->store.settings, record, error);
    if (!status) status = seq_item_rules_write(&work->prepare->rules, record, error);
    if (!status && work->prepare->task == SEQ_TASK_TAG)
        status =
            seq_record_set_text(record, "tag_scheme", seq_tag_scheme_name(work->scheme), error);
    if (!status && work->prepare->task == SEQ_TASK_TAG)
        status = seq_record_set_text(record, "stored_tag_scheme", seq_tag_scheme_name(work->stored),
                                     error);
    return status;
}

static seq_status make_schema(work *work, seq_error *error) {
    static const char *const tasks[] = {"classify", "rate", "tag"};
    seq_schema *schema = &work->schema;
    seq_item_task task = work->prepare->task;
    seq_schema_begin(schema, tasks[task]);
    int text = seq_schema_add_axis(schema, "text", 0),
        units = seq_schema_add_vocabulary(schema, "text"), targets = -1;
    work->text_field = seq_schema_add_field(schema, "text", SEQ_FIELD_IDS, text, units, 1);
    if (task == SEQ_TASK_CLASSIFY) targets = seq_schema_add_vocabulary(schema, "label");
    if (task == SEQ_TASK_TAG) targets = seq_schema_add_vocabulary(schema, "tag");
    if (task == SEQ_TASK_TAG)
        work->target_field = seq_schema_add_field(schema, "tag", SEQ_FIELD_LABEL, text, targets, 1);
    else
        work->target_field = seq_schema_add_field(
            schema, "label", task == SEQ_TASK_RATE ? SEQ_FIELD_NUMBER : SEQ_FIELD_LABEL, 0, targets,
            1);
    if (task == SEQ_TASK_RATE) schema->fields[work->target_field].normalise = true;
    if (work->prepare->letters) {
        int letters = seq_schema_add_axis(schema, "letters", text);
        work->letter_field = seq_schema_add_field(schema, "letter", SEQ_FIELD_IDS, letters,
                                                  seq_schema_add_vocabulary(schema, "letters"), 1);
    }
    schema->target = work->target_field;
    schema->length_axis = text;
    schema->groups = true;
    schema->raw = work->store.keep_raw;
    return record_reader(work, error);
}

static seq_status fill_text(work *work, const seq_stored_item *item, seq_items *out,
                            seq_error *error) {
    seq_status status = load(work, item, 0, item->length, error);
    if (!status)
        status = seq_grow(&work->text, &work->capacity[3], item->length + 1, sizeof *work->text,
                          "an item", error);
    for (size_t i = 0; !status && i < item->length; i++)
        work->text[i] = work->ids[work->numbers[i]];
    out->ids[work->text_field] = work->text;
    return status;
}

// From the units' texts, which still lie in work->numbers.
static seq_status fill_letters(work *work, const seq_stored_item *item, seq_items *out,
                               seq_error *error) {
    const seq_string_table *table = &work->store.units;
    size_t used = 0;
    seq_status status = seq_grow(&work->letter_lengths, &work->capacity[4], item->length + 1,
                                 sizeof *work->letter_lengths, "an item", error);
    for (size_t i = 0; !status && i < item->length; i++) {
        const char *at = seq_string_table_text(table, work->numbers[i]),
                   *end = at + table->items[work->numbers[i]].size;
        size_t first = used;
        status = seq_grow(&work->letter, &work->capacity[5], used + (size_t)(end - at) + 1,
                          sizeof *work->letter, "an item", error);
        while (!status && at < end) {
            const char *next = next_letter(at, end);
            int id = seq_vocabulary_find(work->letters, at, (size_t)(next - at));
            work->letter[used++] = id == SEQ_NO_ID ? seq_vocabulary_unk(work->letters) : id;
            at = next;
        }
        work->letter_lengths[i] = (int32_t)(used - first);
    }
    out->ids[work->letter_field] = work->letter;
    out->lengths[LETTER_AXIS] = work->letter_lengths;
    return status;
}

static seq_status fill_tags(work *work, const seq_stored_item *item, seq_items *out,
                            seq_error *error) {
    char text[TAG_TEXT];
    size_t broken, size;
    seq_status status = load(work, item, item->length, item->length, error);
    if (!status) status = convert(work, item->length, &broken, error);
    if (!status)
        status = seq_grow(&work->tag, &work->capacity[6], item->length + 1, sizeof *work->tag,
                          "an item", error);
    for (size_t i = 0; !status && i < item->length; i++) {
        status = tag_text(&work->item_tags[i], text, &size, error);
        if (!status) work->tag[i] = seq_vocabulary_find(work->targets, text, size);
    }
    out->ids[work->target_field] = work->tag;
    return status;
}

static seq_status fill_raw(work *work, const seq_stored_item *item, seq_items *out,
                           seq_error *error) {
    size_t skip = item->length * (work->prepare->task == SEQ_TASK_TAG ? 2u : 1u);
    seq_status status = load(work, item, skip, item->raw, error);
    if (!status)
        status =
            seq_grow(&work->raw, &work->capacity[7], (size_t)item->raw + 1, 1, "an item", error);
    for (size_t i = 0; !status && i < item->raw; i++)
        work->raw[i] = (char)work->numbers[i];
    out->raw = work->raw;
    return status;
}

static seq_status write_item(work *work, seq_dataset_writer *writer, const seq_stored_item *item,
                             int64_t group, seq_error *error) {
    const int32_t length = (int32_t)item->length, raw_size = (int32_t)item->raw;
    const seq_string_table *labels = &work->store.labels;
    int32_t label = 0;
    seq_items items = {.count = 1, .groups = &group, .raw_sizes = &raw_size};
    items.lengths[TEXT_AXIS] = &length;
    seq_status status = fill_text(work, item, &items, error);
    if (!status && work->prepare->letters) status = fill_letters(work, item, &items, error);
    if (!status && work->prepare->task == SEQ_TASK_TAG)
        status = fill_tags(work, item, &items, error);
    if (!status && work->store.keep_raw && item->split != SEQ_TRAIN)
        status = fill_raw(work, item, &items, error);
    if (status) return status;
    if (work->prepare->task == SEQ_TASK_CLASSIFY) {
        size_t number = (size_t)item->label;
        label = seq_vocabulary_find(work->targets, seq_string_table_text(labels, number),
                                    labels->items[number].size);
        items.ids[work->target_field] = &label;
    }
    if (work->prepare->task == SEQ_TASK_RATE) items.values[work->target_field] = &item->number;
    return seq_dataset_writer_add(writer, (seq_split)item->split, &items, error);
}

static seq_status write_parts(work *work, seq_dataset_writer *writer, seq_error *error) {
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES] = {work->units};
    const seq_item_store *store = &work->store;
    int32_t *group = NULL;
    size_t groups;
    int count = 1;
    if (work->targets) vocabularies[count++] = work->targets;
    if (work->letters) vocabularies[count++] = work->letters;
    const seq_partition_key *const keys[] = {store->keys[0], store->keys[1], store->keys[2]};
    seq_status status = seq_allocate(&group, store->count, sizeof *group, "groups", error);
    if (!status)
        status = seq_partition_groups(keys, work->prepare->reader.group ? 3 : 2, store->count,
                                      group, &groups, error);
    if (!status)
        status = seq_dataset_writer_begin(writer, &work->schema, vocabularies, 0,
                                          work->prepare->pipeline, error);
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        for (size_t i = 0; !status && i < store->count; i++)
            if (store->items[i].split == split && is_used(&store->items[i]))
                status = write_item(work, writer, &store->items[i], group[i], error);
    free(group);
    return status;
}

// --- the whole ------------------------------------------------------------------------

static void print_notes(const work *work, FILE *stream) {
    const seq_item_store *store = &work->store;
    int64_t total = store->read[0] + store->read[1] + store->read[2];
    fprintf(stream, "reader     %s: %" PRId64 " items", store->settings.reader, total);
    for (int i = 0; i < SEQ_SKIPS; i++)
        if (store->skipped[i])
            fprintf(stream, ", %" PRId64 " %s passed over", store->skipped[i], seq_skip_names[i]);
    fprintf(stream, "\ngroups     %" PRId64 " of the inputs' items, %" PRId64 " repeat another\n",
            work->groups, work->repeats);
    if (work->folds)
        fprintf(stream, "fold       %" PRId64 " of %" PRId64 "\n", work->prepare->fold,
                work->folds);
    if (work->prepare->task == SEQ_TASK_TAG)
        fprintf(stream, "tags       read as %s, stored as %s, %" PRId64 " were broken\n",
                seq_tag_scheme_name(work->scheme), seq_tag_scheme_name(work->stored), work->broken);
    if (store->windows)
        fprintf(stream, "windows    %" PRId64 ", of items that are too long\n", store->windows);
    if (store->twins)
        fprintf(stream, "strands    training items stand twice, the second time as reverse "
                        "complements\n");
}

static void warn(const work *work) {
    if (work->strangers)
        seq_log_warning("%" PRId64 " items of the validation and test files are equal to items of "
                        "another part",
                        work->strangers);
    if (work->broken)
        seq_log_warning("%" PRId64 " tags were not as %s has them and were repaired", work->broken,
                        seq_tag_scheme_name(work->scheme));
    if (work->store.shorter)
        seq_log_warning("%" PRId64 " items are shorter than --kmer and have length 0",
                        work->store.shorter);
}

// By the name of the first input, else by what the task mostly has.
static const char *choose_reader(const seq_prepare_items *prepare) {
    const char *input = prepare->inputs[0], *named = seq_reader_of_file(input);
    if (prepare->reader.reader) return prepare->reader.reader;
    if (named) return named;
    if (prepare->task == SEQ_TASK_TAG) return "conll";
    return seq_path_is_directory(input) ? "folder" : "lines";
}

static seq_status read_all(work *work, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    seq_item_store *store = &work->store;
    seq_status status =
        seq_item_store_read(store, SEQ_TRAIN, prepare->inputs, prepare->input_count, error);
    work->own = store->count;
    if (!status && work->own == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: there are no items to train on",
                               prepare->inputs[0]);
    if (!status && prepare->valid_file)
        status = seq_item_store_read(store, SEQ_VALID, &prepare->valid_file, 1, error);
    if (!status && prepare->valid_file && !store->read[SEQ_VALID])
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: holds no items", prepare->valid_file);
    if (!status && prepare->test_file)
        status = seq_item_store_read(store, SEQ_TEST, &prepare->test_file, 1, error);
    if (!status && prepare->test_file && !store->read[SEQ_TEST])
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: holds no items", prepare->test_file);
    return status;
}

static seq_status prepare_with(work *work, seq_dataset_writer *writer, seq_error *error) {
    char *notes = NULL;
    size_t size;
    seq_status status =
        seq_item_store_begin(&work->store, work->prepare, seq_dataset_writer_folder(writer), error);
    work->store.settings.reader = choose_reader(work->prepare);
    if (!status) status = read_all(work, error);
    if (!status) status = divide(work, error);
    if (!status) status = make_vocabularies(work, error);
    if (!status) status = make_schema(work, error);
    if (!status) status = write_parts(work, writer, error);
    if (status) return status;
    seq_id_spool_end(&work->store.spool); // its file lies in the data set's folder
    FILE *stream = open_memstream(&notes, &size);
    if (stream) print_notes(work, stream);
    status = seq_memory_stream_close(stream, &notes, error, "describing the data set");
    if (!status) status = seq_dataset_writer_finish(writer, notes, error);
    free(notes);
    if (!status) warn(work);
    return status;
}

static void clear(work *work) {
    seq_item_store_end(&work->store);
    seq_schema_clear(&work->schema);
    seq_vocabulary_destroy(work->units);
    seq_vocabulary_destroy(work->targets);
    seq_vocabulary_destroy(work->letters);
    void *const blocks[] = {work->tags,      work->ids,    work->numbers,        work->text,
                            work->tag,       work->letter, work->letter_lengths, work->raw,
                            work->item_tags, work->spans};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

seq_status seq_prepare_items_run(const seq_prepare_items *prepare, seq_error *error) {
    work work = {.prepare = prepare, .store.spool.descriptor = -1};
    seq_dataset_writer *writer = NULL;
    const char **inputs = NULL;
    size_t count = prepare->input_count;
    seq_status status = seq_allocate(&inputs, count + 2, sizeof *inputs, "the inputs", error);
    if (status) return status;
    memcpy(inputs, prepare->inputs, count * sizeof *inputs);
    if (prepare->valid_file) inputs[count++] = prepare->valid_file;
    if (prepare->test_file) inputs[count++] = prepare->test_file;
    const seq_dataset_target target = {prepare->output, prepare->force, inputs, count};
    status = seq_dataset_writer_create(&target, &writer, error);
    if (!status) status = prepare_with(&work, writer, error);
    seq_dataset_writer_destroy(writer);
    clear(&work);
    free(inputs);
    return status;
}
