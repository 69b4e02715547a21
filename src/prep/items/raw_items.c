// The inputs one after the other, item by item: a reader makes the item, the cutter its units, the
// vocabularies their ids; frames are taken as they are. Everything that decides what an item is
// comes from the schema that seqprep recorded, and from the functions that seqprep calls: a text
// gives the ids that it has in the data set. Tests: tests/unit/prep/test_raw_items.c,
// tests/cli/seqpredict.sh.
#include <seqtrain/prep/raw_items.h>
#include "documents.h"
#include "input_file.h"
#include "item_pairs.h"
#include "item_symbols.h"
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/subword.h>
#include <seqtrain/prep/casing.h>
#include <stdlib.h>
#include <string.h>

struct seq_raw_input {
    seq_raw_settings settings;
    seq_reader_settings reader_settings, file_settings; // recorded; of the file that is open
    seq_byte_reader_rules byte_rules;
    seq_item_rules rules;
    bool tags;        // a target for each unit
    bool transcribes; // a target of its own length
    int width;        // of frames; 0: texts
    const seq_vocabulary *units, *letters, *casing, *groups;
    seq_subword_cutter *subword; // NULL: what the cutter makes are units
    seq_item_cutter *cutter;
    seq_documents documents;
    char *path; // of the file that is open, or NULL
    seq_input_file file;
    seq_item item;
    seq_value file_value; // the name of its file, as a field
    seq_item_field file_field;
    seq_raw_item out; // its arrays grow below
    int32_t *ids, *letter_ids, *letter_lengths, *casings;
    seq_pair_text plain, target; // of a text with references to characters; of the other text
    seq_input_file targets;      // lines beside the items
    seq_reader_settings target_settings;
    seq_byte_reader_rules target_rules;
    int64_t items;
    char *texts;
    size_t *ends, text_size;
    size_t capacity[6];
};

// ---- Units to ids.

static seq_status take_text(seq_raw_input *input, const char *text, size_t size, seq_error *error) {
    size_t place = input->out.length, letters = input->out.letter_count;
    seq_status status = SEQ_OK;
    if (input->tags) {
        status = seq_grow(&input->texts, &input->capacity[1], input->text_size + size + 1, 1,
                          "an item", error);
        if (!status)
            status = seq_grow(&input->ends, &input->capacity[2], place + 1, sizeof *input->ends,
                              "an item", error);
        if (status) return status;
        memcpy(input->texts + input->text_size, text, size);
        input->ends[place] = input->text_size += size;
    }
    if (input->casing) {
        const char *name = seq_casing(text, size);
        status = seq_grow(&input->casings, &input->capacity[5], place + 1, sizeof *input->casings,
                          "an item", error);
        if (status) return status;
        input->casings[place] = seq_vocabulary_find(input->casing, name, strlen(name));
    }
    if (!input->letters) return SEQ_OK;
    status = seq_grow(&input->letter_lengths, &input->capacity[3], place + 1,
                      sizeof *input->letter_lengths, "an item", error);
    if (!status)
        status = seq_item_spell(input->letters, text, size, &input->letter_ids,
                                &input->out.letter_count, &input->capacity[4], error);
    if (!status) input->letter_lengths[place] = (int32_t)(input->out.letter_count - letters);
    return status;
}

// The sink of the cutter.
static seq_status take_units(void *context, const char *text, size_t size, size_t count,
                             seq_error *error) {
    seq_raw_input *input = context;
    size_t most = (size_t)seq_raw_most(input);
    seq_status status = seq_grow(&input->ids, &input->capacity[0], input->out.length + count,
                                 sizeof *input->ids, "an item", error);
    for (size_t i = 0; !status && i < count; i++, text += size) {
        if (most && input->out.length == most) {
            input->out.cut += count - i;
            break;
        }
        status = take_text(input, text, size, error);
        const char *word;
        size_t word_size;
        if (!status) status = seq_item_word(input->cutter, text, size, &word, &word_size, error);
        if (status) break;
        int id = seq_vocabulary_find(input->units, word, word_size);
        input->out.unknown += id == SEQ_NO_ID;
        input->ids[input->out.length++] = id == SEQ_NO_ID ? seq_vocabulary_unk(input->units) : id;
    }
    return status;
}

// ---- What the schema says.

static seq_status refuse_schema(const seq_schema *schema, const char *what, seq_error *error) {
    return seq_error_set(error, SEQ_NO_CHECKPOINT,
                         "its input is no text and no frames that a reader makes (task %s: %s)",
                         schema->task, what);
}

// `letter` and `casing`, beside a text.
static seq_status find_word_fields(seq_raw_input *input, int text, int letter, int casing,
                                   seq_error *error) {
    const seq_schema *schema = input->settings.schema;
    const seq_vocabulary *const *vocabularies = input->settings.vocabularies;
    int axis = schema->fields[text].axis;
    if (letter >= 0 && (input->width || schema->fields[letter].kind != SEQ_FIELD_IDS ||
                        schema->axes[schema->fields[letter].axis].parent != axis))
        return refuse_schema(schema, "letters of another field", error);
    if (casing >= 0 && (input->width || schema->fields[casing].kind != SEQ_FIELD_IDS ||
                        schema->fields[casing].axis != axis))
        return refuse_schema(schema, "the casing of another field", error);
    if (!input->width) input->units = vocabularies[schema->fields[text].vocabulary];
    if (input->units && input->tags && seq_vocabulary_subword(input->units))
        return refuse_schema(schema, "tags of parts of words", error);
    if (letter >= 0) input->letters = vocabularies[schema->fields[letter].vocabulary];
    if (casing >= 0) input->casing = vocabularies[schema->fields[casing].vocabulary];
    return SEQ_OK;
}

// The field `text`, perhaps `letter` and `casing`, or `frames`; and the target: what seqprep makes
// of items.
static seq_status find_fields(seq_raw_input *input, seq_error *error) {
    const seq_schema *schema = input->settings.schema;
    int text = seq_schema_find_input(schema), letter = seq_schema_find_field(schema, "letter"),
        casing = seq_schema_find_field(schema, "casing");
    if (text < 0 || schema->axes[schema->fields[text].axis].parent != 0)
        return refuse_schema(schema, "it has no field 'text', 'source' or 'frames'", error);
    bool frames = strcmp(schema->fields[text].name, "frames") == 0,
         source = strcmp(schema->fields[text].name, "source") == 0;
    if (schema->fields[text].kind != (frames ? SEQ_FIELD_VALUES : SEQ_FIELD_IDS))
        return refuse_schema(schema, "its sequence is of another kind", error);
    if (schema->target < 0 || schema->target == text)
        return refuse_schema(schema, "it has no target", error);
    int group = seq_schema_find_field(schema, SEQ_GROUP_FIELD);
    if (group >= 0 && (schema->fields[group].kind != SEQ_FIELD_LABEL || schema->fields[group].axis))
        return refuse_schema(schema, "a group that is no label of the item", error);
    if (group >= 0) input->groups = input->settings.vocabularies[schema->fields[group].vocabulary];
    for (int f = 0; f < schema->field_count; f++)
        if (f != text && f != letter && f != casing && f != group && f != schema->target)
            return refuse_schema(schema, schema->fields[f].name, error);
    int axis = schema->fields[text].axis, target = schema->fields[schema->target].axis;
    bool other = target != 0 && target != axis && schema->axes[target].parent == 0;
    if (source ? !other : target != 0 && target != axis && !(other && frames))
        return refuse_schema(schema, "a target on another axis", error);
    input->tags = target == axis;
    input->transcribes = other && frames;
    input->width = frames ? schema->fields[text].width : 0;
    return find_word_fields(input, text, letter, casing, error);
}

static seq_status read_settings(seq_raw_input *input, seq_error *error) {
    const seq_schema *schema = input->settings.schema;
    seq_reader_settings *settings = &input->reader_settings;
    seq_status status = seq_reader_settings_read(settings, &schema->reader, error);
    if (!status) status = seq_item_rules_read(&input->rules, &schema->reader, error);
    if (status) {
        error->status = SEQ_NO_CHECKPOINT;
        return seq_error_add_context(error, "the checkpoint's reader");
    }
    if (input->settings.reader && strcmp(input->settings.reader, settings->reader) != 0)
        *settings = input->width ? seq_reader_settings_for(settings, input->settings.reader)
                                 : (seq_reader_settings){.reader = input->settings.reader};
    if (input->settings.columns) settings->columns = input->settings.columns;
    if (!input->width == seq_reader_makes_frames(settings->reader, settings->columns))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--reader %s: its items are %s, the model takes %s", settings->reader,
                             input->width ? "text" : "frames", input->width ? "frames" : "text");
    if (input->units) input->rules.text = *seq_vocabulary_rules(input->units);
    input->rules.cased = input->letters || input->casing;
    settings->unlabelled = settings->keep_lines = true;
    settings->pairs = seq_schema_find_field(input->settings.schema, "source") >= 0;
    if (input->settings.has_targets) {
        settings->unlabelled = false;
        settings->raw_quotes = true;
        settings->header = SEQ_HEADER_NO;
    }
    settings->blank_items = strcmp(settings->reader, "lines") == 0; // a line, an answer
    settings->any_bytes = seq_item_takes_any_bytes(&input->rules);
    return SEQ_OK;
}

int64_t seq_raw_most(const seq_raw_input *input) {
    return input->tags ? 0 : input->rules.max_length;
}

const char *seq_raw_reader(const seq_raw_input *input) {
    return input->reader_settings.reader;
}

static seq_status open_targets(seq_raw_input *input, seq_error *error) {
    input->target_settings =
        (seq_reader_settings){.reader = "lines", .unlabelled = true, .blank_items = true};
    input->target_rules =
        (seq_byte_reader_rules){.as_is = input->settings.as_is, .memory = input->settings.memory};
    return seq_input_file_open(&input->targets, input->settings.targets, &input->target_settings,
                               &input->target_rules, error);
}

static seq_status create_cutters(seq_raw_input *input, seq_error *error) {
    const seq_vocabulary *units = input->units;
    if (!units || !seq_vocabulary_subword(units))
        return seq_item_cutter_create(&input->rules, take_units, input, &input->cutter, error);
    seq_status status = seq_subword_cutter_for(units, take_units, input, &input->subword, error);
    return status ? status
                  : seq_item_cutter_create(&input->rules, seq_subword_take, input->subword,
                                           &input->cutter, error);
}

seq_status seq_raw_open(const seq_raw_settings *settings, seq_raw_input **out, seq_error *error) {
    seq_raw_input *input = NULL;
    seq_status status = seq_allocate(&input, 1, sizeof *input, "the inputs", error);
    if (status) return status;
    input->settings = *settings;
    seq_documents_begin(&input->documents, settings->inputs, settings->input_count);
    status = find_fields(input, error);
    if (!status) status = read_settings(input, error);
    if (!status) status = create_cutters(input, error);
    if (!status && settings->targets) status = open_targets(input, error);
    if (status)
        seq_raw_close(input);
    else
        *out = input;
    return status;
}

// ---- Files.

static void close_file(seq_raw_input *input) {
    seq_input_file_close(&input->file);
    free(input->path);
    input->path = NULL;
}

void seq_raw_close(seq_raw_input *input) {
    if (!input) return;
    close_file(input);
    seq_input_file_close(&input->targets);
    seq_documents_end(&input->documents);
    seq_item_cutter_destroy(input->cutter);
    seq_subword_cutter_destroy(input->subword);
    void *const blocks[] = {input->ids,         input->letter_ids,   input->letter_lengths,
                            input->texts,       input->ends,         input->casings,
                            input->plain.bytes, input->target.bytes, input};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// A file beside a recorded table of files is read as the table's files are.
static void choose_settings(seq_raw_input *input) {
    const char *named = input->settings.reader ? NULL : seq_reader_of_file(input->path),
               *recorded = input->reader_settings.reader;
    input->file_settings = input->reader_settings;
    if (named && input->width && seq_reader_names_files(recorded) &&
        seq_reader_makes_frames(named, NULL))
        input->file_settings = seq_reader_settings_for(&input->reader_settings, named);
    input->file_settings.root =
        input->documents.depth ? input->settings.inputs[input->documents.at - 1] : NULL;
    input->file_settings.files = &input->byte_rules;
}

// The next file, if there is one: else input->path stays NULL.
static seq_status open_file(seq_raw_input *input, seq_error *error) {
    const seq_raw_settings *settings = &input->settings;
    seq_byte_reader_rules rules = {.as_is = settings->as_is, .memory = settings->memory};
    seq_status status = SEQ_OK;
    const char *reader = input->reader_settings.reader;
    do { // in a folder, other files than those of items are passed over
        free(input->path);
        input->path = NULL;
        status = seq_documents_next(&input->documents, &input->path, error);
    } while (!status && input->path && input->documents.depth &&
             (!seq_reader_takes(reader, input->path) ||
              (input->transcribes && seq_is_transcript(input->path, reader))));
    if (status || !input->path) return status;
    input->byte_rules = rules;
    rules.idle = settings->idle;
    rules.idle_context = settings->idle_context;
    choose_settings(input);
    return seq_input_file_open(&input->file, input->path, &input->file_settings, &rules, error);
}

// The next item, or the lines behind the last one of a file: then *out_item is false.
static seq_status read_item(seq_raw_input *input, bool *out_item, bool *out_more,
                            seq_error *error) {
    for (;; close_file(input)) {
        if (!input->path && open_file(input, error)) return error->status;
        *out_more = input->path != NULL;
        if (!*out_more || seq_reader_next(input->file.reader, &input->item, out_item, error))
            return error->status;
        if (*out_item || input->item.line_count) return SEQ_OK;
    }
}

static seq_status cut(seq_raw_input *input, seq_error *error) {
    const seq_item *item = &input->item;
    const seq_item_field *field = input->out.input;
    if (!field)
        return seq_item_refuse(item->file, item->line, 0, error, "the item has no field 'text'");
    if (!input->rules.unescape || field->list)
        return seq_item_cut(input->cutter, item->file, field, error);
    seq_value value = *field->values;
    seq_status status = seq_pair_text_take(&input->plain, &value, true, error);
    if (status) return status;
    value.bytes = input->plain.bytes;
    value.size = input->plain.size;
    const seq_item_field plain = {.name = field->name, .values = &value, .count = 1};
    return seq_item_cut(input->cutter, item->file, &plain, error);
}

static seq_status take_frames(seq_raw_input *input, seq_error *error) {
    const seq_item *item = &input->item;
    const seq_frames *frames = item->frames;
    size_t most = (size_t)seq_raw_most(input);
    if (!frames || frames->width != input->width || !frames->rows)
        return seq_item_refuse(item->file, item->line, 0, error,
                               "%zu frames of %d values: the model takes frames of %d values",
                               frames ? frames->rows : 0, frames ? frames->width : 0, input->width);
    input->out.length = most && frames->rows > most ? most : frames->rows;
    input->out.cut = frames->rows - input->out.length;
    input->out.values = frames->values;
    return SEQ_OK;
}

// The sequence as a text; of frames the name of their file.
static const seq_item_field *name_input(seq_raw_input *input) {
    const seq_item *item = &input->item;
    if (!input->width) return seq_item_find_input(item);
    const seq_item_field *path = seq_item_find(item, "path");
    if (path) return path;
    input->file_value = (seq_value){.bytes = item->file, .size = strlen(item->file)};
    input->file_field = (seq_item_field){.name = "file", .values = &input->file_value, .count = 1};
    return &input->file_field;
}

// The next line beside the items; *out_more is that of the items.
static seq_status read_target_line(seq_raw_input *input, bool is_item, bool more, seq_item *out,
                                   seq_error *error) {
    const char *file = input->settings.targets;
    bool line = false;
    if (more && !is_item) return SEQ_OK;
    seq_status status = seq_reader_next(input->targets.reader, out, &line, error);
    if (status || line == more) return status;
    return more ? seq_error_set(error, SEQ_BAD_INPUT,
                                "%s has %" PRId64 " lines, and there are more items: expected one "
                                "for each",
                                file, input->items)
                : seq_error_set(error, SEQ_BAD_INPUT,
                                "%s line %" PRId64 ": there are %" PRId64 " items: expected one "
                                "line for each",
                                file, out->line, input->items);
}

// The other text of the item, as far as the settings want one.
static seq_status take_target(seq_raw_input *input, bool is_item, bool more, seq_error *error) {
    const seq_raw_settings *settings = &input->settings;
    seq_item line = {0};
    const seq_item *from = settings->targets ? &line : &input->item;
    seq_status status = SEQ_OK;
    if (settings->targets) status = read_target_line(input, is_item, more, &line, error);
    input->items += more && is_item;
    if (status || !more || !is_item || (!settings->targets && !settings->has_targets))
        return status;
    const seq_item_field *field = seq_item_find(from, settings->targets ? "text" : "target");
    if (!field || field->list)
        return seq_item_refuse(from->file, from->line, 0, error,
                               "the item has no field 'target' with a text");
    status = seq_pair_text_take(&input->target, field->values, input->rules.unescape, error);
    input->out.target = input->target.bytes;
    input->out.target_size = input->target.size;
    return status;
}

static int32_t group_of(const seq_raw_input *input) {
    const char *name = seq_record_text(&input->settings.schema->reader, "group_label");
    const seq_item_field *field = name && input->groups ? seq_item_find(&input->item, name) : NULL;
    return field && !field->list
               ? seq_vocabulary_find(input->groups, field->values->bytes, field->values->size)
               : SEQ_NO_ID;
}

seq_status seq_raw_next(seq_raw_input *input, bool wanted, seq_raw_item *out, bool *out_more,
                        seq_error *error) {
    bool is_item = false;
    seq_status status = read_item(input, &is_item, out_more, error);
    if (status) return status;
    if (!*out_more) return take_target(input, false, false, error);
    input->text_size = 0;
    input->out = (seq_raw_item){.item = &input->item,
                                .layout = seq_conll_layout_of(input->file.reader),
                                .input = is_item ? name_input(input) : NULL,
                                .is_item = is_item};
    if (is_item && wanted) status = input->width ? take_frames(input, error) : cut(input, error);
    if (!status) status = take_target(input, is_item, true, error);
    *out = input->out;
    out->group = is_item ? group_of(input) : SEQ_NO_ID;
    out->ids = input->ids;
    out->casings = input->casing ? input->casings : NULL;
    out->units = input->texts;
    out->unit_ends = input->ends;
    out->letters = input->letter_ids;
    out->letter_lengths = input->letter_lengths;
    return status;
}
