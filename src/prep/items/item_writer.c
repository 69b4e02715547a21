// The schema of the task and the items of each part, in the order of the inputs.
// Ids are made here from the numbers in the store; letters from the texts of the
// units, so a word that is unknown keeps its letters. Tests:
// tests/cli/seqprep_items.sh.
#include "prepare_items_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/casing.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_AXIS = 1, LETTER_AXIS = 2, SYMBOLS_AXIS = 2 };

seq_status seq_item_load(seq_item_work *work, const seq_stored_item *item, size_t skip,
                         size_t count, seq_error *error) {
    seq_status status = seq_grow(&work->numbers, &work->capacity[0], count, sizeof *work->numbers,
                                 "an item", error);
    return status ? status
                  : seq_id_spool_read(&work->store.spool, item->at + (int64_t)skip, count,
                                      work->numbers, error);
}

seq_status seq_item_load_tags(seq_item_work *work, const seq_stored_item *item, seq_error *error) {
    return seq_item_load(work, item, item->length * seq_item_store_step(&work->store), item->length,
                         error);
}

seq_status seq_item_load_symbols(seq_item_work *work, const seq_stored_item *item,
                                 seq_error *error) {
    return seq_item_load(work, item, item->length * seq_item_store_step(&work->store),
                         item->symbols, error);
}

bool seq_item_is_used(const seq_stored_item *item) {
    return !item->left && (!item->twin || item->split == SEQ_TRAIN);
}

// Held-out items are other ones than those that the reader makes.
static seq_status record_strings(const seq_item_work *work, seq_record *record, seq_error *error) {
    const seq_join *strings = &work->prepare->strings;
    char text[120];
    snprintf(text, sizeof text, "%d items, gaps %d to %d, level %d, %lld strings", strings->most,
             strings->gap_least, strings->gap_most, strings->level,
             (long long)work->prepare->string_count);
    return seq_record_set_text(record, "strings", text, error);
}

static seq_status record_reader(seq_item_work *work, seq_error *error) {
    seq_record *record = &work->schema.reader;
    seq_status status = seq_reader_settings_write(&work->store.settings, record, error);
    if (!status) status = seq_item_rules_write(&work->prepare->rules, record, error);
    if (!status && work->prepare->strings.most) status = record_strings(work, record, error);
    if (!status && work->store.makes_tags)
        status = seq_record_set_text(record, "background", work->prepare->background, error);
    if (!status && work->prepare->labels)
        status = seq_record_set_text(record, "labels", work->prepare->labels, error);
    if (!status && work->prepare->numbers)
        status = seq_record_set_text(record, "numbers", work->prepare->numbers, error);
    if (!status && work->prepare->group_label)
        status = seq_record_set_text(record, "group_label", work->prepare->group_label, error);
    if (!status && work->store.shift > 0)
        status = seq_record_set_real(record, "frame_shift", work->store.shift, error);
    if (!status && work->prepare->task == SEQ_TASK_TAG)
        status =
            seq_record_set_text(record, "tag_scheme", seq_tag_scheme_name(work->scheme), error);
    if (!status && work->prepare->task == SEQ_TASK_TAG)
        status = seq_record_set_text(record, "stored_tag_scheme", seq_tag_scheme_name(work->stored),
                                     error);
    return status;
}

static void finish_schema(seq_item_work *work, int length_axis) {
    seq_schema *schema = &work->schema;
    schema->target = work->target_field;
    schema->length_axis = length_axis;
    schema->groups = true;
    schema->raw = work->store.keep_raw;
}

static seq_status make_pair_schema(seq_item_work *work, seq_error *error) {
    seq_schema *schema = &work->schema;
    bool joint = work->prepare->joint;
    seq_schema_begin(schema, "translate");
    int source = seq_schema_add_axis(schema, "source", 0),
        target = seq_schema_add_axis(schema, "target", 0),
        words = seq_schema_add_vocabulary(schema, joint ? "text" : "source"),
        others = joint ? words : seq_schema_add_vocabulary(schema, "target");
    work->input_field = seq_schema_add_field(schema, "source", SEQ_FIELD_IDS, source, words, 1);
    work->target_field = seq_schema_add_field(schema, "target", SEQ_FIELD_IDS, target, others, 1);
    finish_schema(work, source);
    return record_reader(work, error);
}

static seq_status make_schema(seq_item_work *work, seq_error *error) {
    static const char *const tasks[] = {"classify",   "rate",      "tag",
                                        "transcribe", "translate", "generate"};
    seq_schema *schema = &work->schema;
    seq_item_task task = work->prepare->task;
    if (task == SEQ_TASK_TRANSLATE) return make_pair_schema(work, error);
    seq_schema_begin(schema, tasks[task]);
    if (task == SEQ_TASK_GENERATE) {
        seq_item_text_schema(work);
        return record_reader(work, error);
    }
    bool frames = work->store.width > 0;
    const char *input = frames ? "frames" : "text";
    int text = seq_schema_add_axis(schema, input, 0), targets = -1,
        units = frames ? -1 : seq_schema_add_vocabulary(schema, input);
    work->input_field =
        seq_schema_add_field(schema, input, frames ? SEQ_FIELD_VALUES : SEQ_FIELD_IDS, text, units,
                             frames ? work->store.width : 1);
    if (frames) schema->fields[work->input_field].normalise = work->prepare->normalise;
    if (frames) schema->fields[work->input_field].unseen = work->prepare->unseen;
    if (task == SEQ_TASK_CLASSIFY) targets = seq_schema_add_vocabulary(schema, "label");
    if (task == SEQ_TASK_TAG) targets = seq_schema_add_vocabulary(schema, "tag");
    if (task == SEQ_TASK_TAG)
        work->target_field = seq_schema_add_field(schema, "tag", SEQ_FIELD_LABEL, text, targets, 1);
    else if (task == SEQ_TASK_TRANSCRIBE)
        work->target_field = seq_schema_add_field(schema, "symbols", SEQ_FIELD_LABEL,
                                                  seq_schema_add_axis(schema, "labels", 0),
                                                  seq_schema_add_vocabulary(schema, "symbols"), 1);
    else
        work->target_field = seq_schema_add_field(
            schema, "label", task == SEQ_TASK_RATE ? SEQ_FIELD_NUMBER : SEQ_FIELD_LABEL, 0, targets,
            1);
    if (task == SEQ_TASK_RATE) schema->fields[work->target_field].normalise = SEQ_NORMALISE_GLOBAL;
    if (work->prepare->letters) {
        int letters = seq_schema_add_axis(schema, "letters", text);
        work->letter_field = seq_schema_add_field(schema, "letter", SEQ_FIELD_IDS, letters,
                                                  seq_schema_add_vocabulary(schema, "letters"), 1);
    }
    if (work->prepare->casing)
        work->casing_field = seq_schema_add_field(schema, "casing", SEQ_FIELD_IDS, text,
                                                  seq_schema_add_vocabulary(schema, "casing"), 1);
    if (work->prepare->group_label)
        work->group_field =
            seq_schema_add_field(schema, SEQ_GROUP_FIELD, SEQ_FIELD_LABEL, 0,
                                 seq_schema_add_vocabulary(schema, SEQ_GROUP_FIELD), 1);
    finish_schema(work, text);
    return record_reader(work, error);
}

// Where the ids of a side go.
typedef struct id_room {
    int32_t **ids;
    size_t *capacity;
} id_room;

// The ids of `count` numbers in work->numbers; `words` says what units they are cut into, where
// units are subwords. There is room for one id more.
static seq_status fill_ids(seq_item_work *work, size_t count, const int32_t *ids,
                           const seq_subword_map *words, id_room out, int32_t *out_length,
                           seq_error *error) {
    size_t used = 0;
    seq_status status =
        seq_grow(out.ids, out.capacity, count + 2, sizeof **out.ids, "an item", error);
    for (size_t i = 0; !status && i < count; i++) {
        size_t number = work->numbers[i], at = number, end = number + 1;
        if (work->subword) {
            at = number ? words->ends[number - 1] : 0;
            end = words->ends[number];
            status = seq_grow(out.ids, out.capacity, used + (end - at) + 2, sizeof **out.ids,
                              "an item", error);
        }
        for (; !status && at < end; at++)
            (*out.ids)[used++] = ids[work->subword ? words->units[at] : at];
    }
    if (!status && used >= INT32_MAX)
        status = seq_error_set(error, SEQ_BAD_INPUT, "an item of %zu units", used);
    *out_length = (int32_t)used;
    return status;
}

seq_status seq_item_fill_text(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                              seq_error *error) {
    seq_status status = seq_item_load(work, item, 0, item->length, error);
    if (!status)
        status = fill_ids(work, item->length, work->ids, &work->words,
                          (id_room){&work->text, &work->capacity[3]}, &work->length, error);
    out->ids[work->input_field] = work->text;
    return status;
}

static seq_status fill_frames(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                              seq_error *error) {
    size_t count = item->length * seq_item_store_step(&work->store);
    seq_status status = seq_item_load(work, item, 0, count, error);
    if (!status)
        status = seq_grow(&work->values, &work->capacity[9], count, sizeof *work->values, "an item",
                          error);
    if (!status) memcpy(work->values, work->numbers, count * sizeof *work->values);
    out->values[work->input_field] = work->values;
    return status;
}

// From the units' texts, which still lie in work->numbers.
static seq_status fill_letters(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                               seq_error *error) {
    const seq_string_table *table = &work->store.units;
    size_t used = 0;
    seq_status status = seq_grow(&work->letter_lengths, &work->capacity[4], item->length + 1,
                                 sizeof *work->letter_lengths, "an item", error);
    for (size_t i = 0; !status && i < item->length; i++) {
        size_t first = used;
        status = seq_item_spell(work->letters, seq_string_table_text(table, work->numbers[i]),
                                table->items[work->numbers[i]].size, &work->letter, &used,
                                &work->capacity[5], error);
        work->letter_lengths[i] = (int32_t)(used - first);
    }
    out->ids[work->letter_field] = work->letter;
    out->lengths[LETTER_AXIS] = work->letter_lengths;
    return status;
}

// As fill_letters does.
static seq_status fill_casing(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                              seq_error *error) {
    const seq_string_table *table = &work->store.units;
    seq_status status = seq_grow(&work->casing, &work->capacity[8], item->length + 1,
                                 sizeof *work->casing, "an item", error);
    for (size_t i = 0; !status && i < item->length; i++) {
        const char *name = seq_casing(seq_string_table_text(table, work->numbers[i]),
                                      table->items[work->numbers[i]].size);
        work->casing[i] = seq_vocabulary_find(work->casings, name, strlen(name));
    }
    out->ids[work->casing_field] = work->casing;
    return status;
}

static seq_status fill_tags(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                            seq_error *error) {
    char text[SEQ_TAG_BYTES];
    size_t broken, size;
    seq_status status = seq_item_load_tags(work, item, error);
    if (!status) status = seq_item_convert(work, item->length, &broken, error);
    if (!status)
        status = seq_grow(&work->tag, &work->capacity[6], item->length + 1, sizeof *work->tag,
                          "an item", error);
    for (size_t i = 0; !status && i < item->length; i++) {
        status = seq_item_tag_text(&work->item_tags[i], text, &size, error);
        if (!status) work->tag[i] = seq_vocabulary_find(work->targets, text, size);
    }
    out->ids[work->target_field] = work->tag;
    return status;
}

static seq_status fill_symbols(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                               seq_error *error) {
    seq_status status = seq_item_load_symbols(work, item, error);
    if (!status)
        status = seq_grow(&work->tag, &work->capacity[6], item->symbols + 1, sizeof *work->tag,
                          "an item", error);
    for (size_t i = 0; !status && i < item->symbols; i++)
        work->tag[i] = work->ids[work->numbers[i]];
    out->ids[work->target_field] = work->tag;
    return status;
}

static size_t count_unknown(const int32_t *ids, size_t count, int unk) {
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++)
        unknown += ids[i] == unk;
    return unknown;
}

// The units of the target, then <eos>; and counts of what is unknown on both sides.
static seq_status fill_target(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                              seq_error *error) {
    const seq_vocabulary *words = work->targets ? work->targets : work->units;
    int32_t length = 0;
    seq_status status = seq_item_load_symbols(work, item, error);
    if (!status)
        status = fill_ids(work, item->symbols, work->target_ids, &work->target_words,
                          (id_room){&work->tag, &work->capacity[6]}, &length, error);
    if (status) return status;
    work->tag[length] = seq_vocabulary_eos(words);
    work->symbols = length + 1;
    out->ids[work->target_field] = work->tag;
    int64_t *written = work->written[item->split], *unknown = work->unknown[item->split];
    written[0] += work->length;
    written[1] += length;
    unknown[0] +=
        (int64_t)count_unknown(work->text, (size_t)work->length, seq_vocabulary_unk(work->units));
    unknown[1] += (int64_t)count_unknown(work->tag, (size_t)length, seq_vocabulary_unk(words));
    return SEQ_OK;
}

static seq_status fill_raw(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                           seq_error *error) {
    size_t skip = item->length * (work->prepare->task == SEQ_TASK_TAG ? 2u : 1u) + item->symbols;
    if (work->prepare->task == SEQ_TASK_GENERATE)
        skip += seq_item_context_size(&work->store.context);
    seq_status status = seq_item_load(work, item, skip, item->raw, error);
    if (!status)
        status =
            seq_grow(&work->raw, &work->capacity[7], (size_t)item->raw + 1, 1, "an item", error);
    for (size_t i = 0; !status && i < item->raw; i++)
        work->raw[i] = (char)work->numbers[i];
    out->raw = work->raw;
    return status;
}

seq_status seq_item_build(seq_item_work *work, const seq_stored_item *item, int64_t group,
                          seq_items *out, seq_error *error) {
    const seq_string_table *labels = &work->store.labels;
    work->length = (int32_t)item->length;
    work->raw_size = (int32_t)item->raw;
    work->symbols = (int32_t)item->symbols;
    work->group = group;
    *out = (seq_items){.count = 1, .groups = &work->group, .raw_sizes = &work->raw_size};
    out->lengths[TEXT_AXIS] = &work->length;
    seq_status status = work->prepare->task == SEQ_TASK_GENERATE
                            ? seq_item_text_build(work, item, out, error)
                        : work->store.width ? fill_frames(work, item, out, error)
                                            : seq_item_fill_text(work, item, out, error);
    if (!status && work->prepare->letters) status = fill_letters(work, item, out, error);
    if (!status && work->prepare->casing) status = fill_casing(work, item, out, error);
    if (!status && work->prepare->task == SEQ_TASK_TAG) status = fill_tags(work, item, out, error);
    if (!status && work->prepare->task == SEQ_TASK_TRANSCRIBE) {
        out->lengths[SYMBOLS_AXIS] = &work->symbols;
        status = fill_symbols(work, item, out, error);
    }
    if (!status && work->prepare->task == SEQ_TASK_TRANSLATE) {
        out->lengths[SYMBOLS_AXIS] = &work->symbols;
        status = fill_target(work, item, out, error);
    }
    if (!status && work->store.keep_raw && item->split != SEQ_TRAIN)
        status = fill_raw(work, item, out, error);
    if (status) return status;
    if (work->prepare->task == SEQ_TASK_CLASSIFY) {
        size_t number = (size_t)item->label;
        work->label = seq_vocabulary_find(work->targets, seq_string_table_text(labels, number),
                                          labels->items[number].size);
        out->ids[work->target_field] = &work->label;
    }
    if (work->prepare->task == SEQ_TASK_RATE) out->values[work->target_field] = &item->number;
    if (work->names) {
        work->name = seq_item_group_id(work, item);
        out->ids[work->group_field] = &work->name;
    }
    return SEQ_OK;
}

// An item of subwords, cut where it is too long. The store has cut the others.
static seq_status write_windows(seq_item_work *work, seq_dataset_writer *writer, seq_split split,
                                seq_items items, seq_error *error) {
    const seq_item_rules *rules = &work->prepare->rules;
    int64_t length = work->length, windows = seq_item_windows(rules, length), from, to;
    seq_status status = SEQ_OK;
    work->store.windows += windows > 1 ? windows : 0;
    for (int64_t w = 0; !status && w < windows; w++) {
        seq_item_window(rules, length, w, &from, &to);
        work->length = (int32_t)(to - from);
        items.ids[work->input_field] = work->text + from;
        status = seq_dataset_writer_add(writer, split, &items, error);
    }
    return status;
}

static seq_status write_item(seq_item_work *work, seq_dataset_writer *writer,
                             const seq_stored_item *item, int64_t group, seq_error *error) {
    seq_items items;
    if (seq_item_store_stopped(&work->store, error)) return error->status;
    seq_status status = seq_item_build(work, item, group, &items, error);
    return status ? status
           : work->subword && work->prepare->rules.max_length
               ? write_windows(work, writer, (seq_split)item->split, items, error)
               : seq_dataset_writer_add(writer, (seq_split)item->split, &items, error);
}

static seq_status write_part(seq_item_work *work, seq_dataset_writer *writer, seq_split split,
                             const int32_t *group, seq_error *error) {
    const seq_item_store *store = &work->store;
    seq_status status = SEQ_OK;
    if (work->prepare->strings.most && split != SEQ_TRAIN)
        return seq_item_write_strings(work, writer, split, group, error);
    for (size_t i = 0; !status && i < store->count; i++)
        if (store->items[i].split == (unsigned char)split && seq_item_is_used(&store->items[i]))
            status = write_item(work, writer, &store->items[i], group[i], error);
    return status;
}

seq_status seq_item_write(seq_item_work *work, seq_dataset_writer *writer, seq_error *error) {
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    const seq_item_store *store = &work->store;
    int32_t *group = NULL;
    size_t groups;
    int count = 0;
    if (work->units) vocabularies[count++] = work->units;
    if (work->targets) vocabularies[count++] = work->targets;
    if (work->letters) vocabularies[count++] = work->letters;
    if (work->casings) vocabularies[count++] = work->casings;
    if (work->prepare->group_label && seq_item_name_groups(work, error)) return error->status;
    if (work->names) vocabularies[count++] = work->names;
    for (int i = 0; i < SEQ_CONTEXT_LABELS && work->contexts[i]; i++)
        vocabularies[count++] = work->contexts[i];
    if (work->bars) vocabularies[count++] = work->bars;
    const seq_partition_key *const keys[] = {store->keys[0], store->keys[1], store->keys[2]};
    seq_status status = seq_allocate(&group, store->count, sizeof *group, "groups", error);
    if (!status)
        status = seq_partition_groups(keys, work->prepare->reader.group ? 3 : 2, store->count,
                                      group, &groups, error);
    if (!status) status = make_schema(work, error);
    if (!status) status = seq_join_check(&work->prepare->strings, &work->schema, error);
    if (!status)
        status = seq_dataset_writer_begin(writer, &work->schema, vocabularies, 0,
                                          work->prepare->pipeline, error);
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        status = write_part(work, writer, (seq_split)split, group, error);
    free(group);
    return status;
}
