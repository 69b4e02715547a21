// Tables whose column `path` names a file an item, relative to the table. The
// end of the name tells the file's reader, which gives the item its frames and
// those fields that the table does not have. Settings that the table's reader
// does not know are the file's reader's, and it refuses what it does not know
// either. Invariant: a file has one item. Tests: tests/unit/prep/test_raw_items.c.
#include "input_file.h"
#include "readers/reader_private.h"
#include <inttypes.h>
#include <seqtrain/base/file.h>
#include <string.h>

static seq_status locate(const seq_reader *reader, const seq_item_field *field, char out[SEQ_PATH],
                         seq_error *error) {
    const char *path = field->values->bytes, *slash = strrchr(reader->name, '/');
    int folder = slash && *path != '/' ? (int)(slash + 1 - reader->name) : 0;
    int size = snprintf(out, SEQ_PATH, "%.*s%s", folder, reader->name, path);
    if (field->values->size && size < SEQ_PATH) return SEQ_OK;
    return seq_item_refuse(reader->name, field->values->line, field->values->column, error,
                           "the path is %s", field->values->size ? "too long" : "empty");
}

// Fields of the file's item that the table does not have.
static seq_status add_fields(seq_reader *reader, const seq_item *item, seq_error *error) {
    int own = reader->field_count;
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < item->field_count; i++) {
        const seq_item_field *field = &item->fields[i];
        bool known = false;
        for (int k = 0; k < own; k++)
            known |= strcmp(reader->fields[k].name, field->name) == 0;
        if (!known) status = seq_build_field(reader, field->name, field->list, error);
        for (size_t k = 0; !status && !known && k < field->count; k++)
            status =
                seq_build_value(reader, field->values[k].bytes, field->values[k].size, 0, 0, error);
    }
    return status;
}

static seq_status take_item(seq_reader *reader, seq_reader *of_file, seq_error *error) {
    seq_item item;
    bool more;
    seq_status status = seq_reader_next(of_file, &item, &more, error);
    if (!status && !more)
        status = seq_item_refuse(of_file->name, 0, 0, error, "the file holds no item");
    if (!status) status = add_fields(reader, &item, error);
    if (status) return status;
    seq_frames frames = of_file->frames;
    of_file->frames = reader->frames;
    reader->frames = frames;
    reader->has_frames = true;
    status = seq_reader_next(of_file, &item, &more, error);
    if (!status && more)
        status = seq_item_refuse(of_file->name, item.line, 0, error,
                                 "the file holds a second item, and a table names a file an item");
    for (int i = 0; i < SEQ_SKIPS; i++)
        reader->skipped[i] += of_file->skipped[i];
    return status;
}

// The first value of a field among those that were built: the pool still moves.
static const seq_item_field *find_path(seq_reader *reader, seq_item_field *room, seq_value *value) {
    const char *at = reader->pool;
    for (int i = 0, first = 0; i < reader->field_count; i++) {
        const seq_item_field *field = &reader->fields[i];
        for (size_t k = 0; k < field->count; k++) {
            *value = reader->values[first++];
            value->bytes = at;
            at += value->size + 1;
        }
        *room = *field;
        room->values = value;
        if (strcmp(field->name, "path") == 0) return room;
    }
    return NULL;
}

seq_status seq_build_table_file(seq_reader *reader, seq_error *error) {
    static const seq_byte_reader_rules plain = {.memory = UINT64_C(4) << 30};
    const seq_byte_reader_rules *rules = reader->settings->files;
    seq_reader_settings settings = seq_reader_settings_of_file(reader);
    seq_input_file file = {0};
    seq_item_field room;
    seq_value value;
    char path[SEQ_PATH];
    const seq_item_field *field = find_path(reader, &room, &value);
    seq_status status = locate(reader, field, path, error);
    settings.reader = status ? NULL : seq_reader_of_item(path);
    if (!status && !settings.reader)
        status = seq_item_refuse(reader->name, value.line, value.column, error,
                                 "%.200s: the end of its name tells no reader of frames", path);
    if (status) return status;
    status = seq_input_file_open(&file, path, &settings, rules ? rules : &plain, error);
    if (!status) status = take_item(reader, file.reader, error);
    if (status == SEQ_BAD_INPUT)
        seq_error_add_context(error, "%s line %" PRId64, reader->name, reader->line);
    seq_input_file_close(&file);
    return status;
}
