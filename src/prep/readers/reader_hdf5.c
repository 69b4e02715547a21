// Reader `hdf5`: files of h5py and others, read without HDF5
// (storage/array_file.h). A data set of numbers is an item: (rows, width), or
// (rows) of width 1; (items, rows, width) is many. The field `name` is its path.
// The label is the attribute `label` of the data set (--columns label=NAME
// another one), for many items the data set beside them of that name (or
// `labels`, `y`) with a value for each; else the group's name, else the class
// folder. Other fields of --columns, and --group, are found likewise. Texts,
// arrays of other axes, and single rows of numbers beside many items are passed
// over and counted. Rows that lie in one chunk are read together, so a chunk is
// decoded once. What is packed or comes through a pipe is copied to a temporary
// file. Test: tests/unit/prep/test_reader_hdf5.c.
#include "array_type.h"
#include "reader_private.h"
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MOST = SEQ_ITEM_BYTES / 4, BLOCK_MOST = 1 << 24 }; // values of an item; of a block

typedef struct hdf5_state {
    seq_array_file *file;
    FILE *copy; // of a stream
    size_t set; // the current data set
    bool described;
    seq_array array;
    uint64_t item, items;              // the next of so many of the data set
    uint64_t block_first, block_count; // items that are in `block`
    unsigned char *block;              // as they lie in the file
    size_t block_capacity;
    char parent[4096]; // the group of which `many` is known
    bool many;         // it has data sets of many items
    char text[SEQ_ARRAY_TEXT_MOST];
} hdf5_state;

// ---- The file.

static seq_status copy_stream(seq_reader *reader, FILE *out, seq_error *error) {
    const seq_byte_stream *stream = reader->stream;
    char bytes[1 << 14];
    size_t got = 1;
    seq_status status = SEQ_OK;
    while (!status && got) {
        status = stream->read(stream->context, bytes, sizeof bytes, &got, error);
        if (!status && fwrite(bytes, 1, got, out) != got)
            return seq_error_set_errno(error, "copying %s to a temporary file", reader->name);
    }
    if (!status && fflush(out) != 0)
        return seq_error_set_errno(error, "copying %s to a temporary file", reader->name);
    return status;
}

static seq_status open_file(seq_reader *reader, seq_error *error) {
    hdf5_state *state = reader->state;
    int descriptor = reader->settings->file;
    if (!descriptor) {
        state->copy = tmpfile();
        if (!state->copy)
            return seq_error_set_errno(error, "copying %s to a temporary file", reader->name);
        if (copy_stream(reader, state->copy, error)) return error->status;
        descriptor = fileno(state->copy);
    }
    return seq_array_file_open(descriptor, reader->name, &state->file, error);
}

// ---- Which data sets are items.

static size_t parent_length(const char *path) {
    return (size_t)(strrchr(path, '/') - path);
}

static const char *path_of(const hdf5_state *state) {
    return seq_array_file_path(state->file, state->set);
}

static bool is_numbers(const seq_array *array) {
    return seq_array_type_known(array->type) && array->axes >= 1 && array->axes <= 3;
}

// Whether data set `set` lies in the group of `path`, by `name` if that is not NULL.
static bool is_beside(const hdf5_state *state, size_t set, const char *path, const char *name) {
    const char *other = seq_array_file_path(state->file, set);
    size_t length = parent_length(path);
    return parent_length(other) == length && memcmp(other, path, length) == 0 &&
           (!name || strcmp(other + length + 1, name) == 0);
}

// Whether the group of the data set holds one of three axes.
static seq_status find_many(hdf5_state *state, bool *out, seq_error *error) {
    const char *path = path_of(state);
    size_t length = parent_length(path) + 1, count = seq_array_file_count(state->file);
    seq_array other;
    seq_status status = SEQ_OK;
    if (strlen(state->parent) != length || memcmp(state->parent, path, length) != 0) {
        memcpy(state->parent, path, length);
        state->parent[length] = '\0';
        state->many = false;
        for (size_t i = 0; !status && !state->many && i < count; i++) {
            if (!is_beside(state, i, path, NULL)) continue;
            status = seq_array_file_describe(state->file, i, &other, error);
            state->many = !status && is_numbers(&other) && other.axes == 3;
        }
    }
    *out = state->many;
    return status;
}

// The data set NAME beside the current one, with a value for each item; *out_found false: none.
static seq_status find_beside(const seq_reader *reader, const char *name, size_t *out,
                              bool *out_found, seq_error *error) {
    const hdf5_state *state = reader->state;
    const char *path = path_of(state);
    size_t count = seq_array_file_count(state->file);
    seq_array other;
    *out = 0;
    while (*out < count && !is_beside(state, *out, path, name))
        ++*out;
    *out_found = *out < count;
    if (!*out_found || seq_array_file_describe(state->file, *out, &other, error))
        return error->status;
    if (other.axes == 1 && other.sizes[0] == state->items) return SEQ_OK;
    return seq_item_refuse(reader->name, 0, 0, error,
                           "data set %s: expected one axis of %" PRIu64
                           " values, one for each item of %s",
                           seq_array_file_path(state->file, *out), state->items, path);
}

// ---- Fields.

// A text for the item: an attribute, or of many items a value of the data set beside them.
static seq_status find_text(seq_reader *reader, const char *name, bool *out_found,
                            seq_error *error) {
    hdf5_state *state = reader->state;
    const seq_array *array = &state->array;
    size_t beside;
    seq_status status =
        seq_array_file_attribute(state->file, state->set, name, state->text, out_found, error);
    if (status || *out_found || array->axes != 3) return status;
    status = find_beside(reader, name, &beside, out_found, error);
    if (!status && *out_found)
        status = seq_array_file_text(state->file, beside, state->item, state->text, error);
    return status;
}

static seq_status build_text(seq_reader *reader, const char *field, const char *text, size_t size,
                             seq_error *error) {
    if (seq_check_text(reader->name, 0, text, size, error)) return error->status;
    return seq_build_text(reader, field, text, size, 0, 0, error);
}

static seq_status build_named(seq_reader *reader, const char *field, const char *name,
                              bool optional, seq_error *error) {
    hdf5_state *state = reader->state;
    bool found;
    seq_status status = find_text(reader, name, &found, error);
    if (status || (!found && optional)) return status;
    if (!found)
        return seq_item_refuse(
            reader->name, 0, 0, error, "data set %s has no attribute '%s'%s (--columns %s=NAME)",
            path_of(state), name,
            state->array.axes == 3 ? ", and no data set of that name is beside it" : "", field);
    return build_text(reader, field, state->text, strlen(state->text), error);
}

static seq_status build_label(seq_reader *reader, seq_error *error) {
    static const char *const names[] = {"label", "labels", "y"};
    hdf5_state *state = reader->state;
    const char *path = path_of(state);
    size_t end = parent_length(path), begin = end;
    bool found = false;
    seq_status status = SEQ_OK;
    for (int i = 0; !status && !found && i < 3; i++)
        status = find_text(reader, names[i], &found, error);
    if (status) return status;
    while (begin && path[begin - 1] != '/')
        begin--;
    if (found)
        status = build_text(reader, "label", state->text, strlen(state->text), error);
    else if (end)
        status = build_text(reader, "label", path + begin, end - begin, error);
    bool named = reader->pattern.count || (!found && !end);
    return status || !named ? status : seq_build_class(reader, &found, error);
}

static seq_status build_fields(seq_reader *reader, seq_error *error) {
    hdf5_state *state = reader->state;
    const char *target = reader->kind->target, *group = reader->settings->group;
    char name[4200];
    int size = state->array.axes == 3
                   ? snprintf(name, sizeof name, "%s[%" PRIu64 "]", path_of(state), state->item)
                   : snprintf(name, sizeof name, "%s", path_of(state));
    seq_status status = build_text(reader, "name", name, (size_t)size, error);
    for (int i = 0; !status && i < reader->choice_count; i++) {
        const seq_column_choice *choice = &reader->choices[i];
        bool optional = reader->settings->unlabelled && strcmp(choice->field, target) == 0;
        status = build_named(reader, choice->field, choice->name, optional, error);
    }
    if (!status && !seq_reader_choice(reader, target)) status = build_label(reader, error);
    if (!status && group && strcmp(group, "file") != 0 && strcmp(group, "name") != 0 &&
        strcmp(group, target) != 0 && !seq_reader_choice(reader, group))
        status = build_named(reader, group, group, false, error);
    return status;
}

// ---- Values.

// Items of one chunk are read at once, as far as they fit.
static seq_status read_block(seq_reader *reader, uint64_t of_item, seq_error *error) {
    hdf5_state *state = reader->state;
    const seq_array *array = &state->array;
    uint64_t together = array->axes == 3 ? array->together : array->sizes[0],
             behind = together - state->item % (together ? together : 1),
             fits = of_item ? BLOCK_MOST / of_item : 1;
    size_t size = (size_t)array->type.size;
    if (array->axes != 3) { // an item is the whole
        state->block_first = 0;
        state->block_count = array->sizes[0];
    } else {
        uint64_t count = behind < fits ? behind : fits;
        if (!count) count = 1;
        if (count > array->sizes[0] - state->item) count = array->sizes[0] - state->item;
        state->block_first = state->item;
        state->block_count = count;
    }
    uint64_t values = array->axes == 3 ? state->block_count * of_item : of_item;
    seq_status status = seq_grow(&state->block, &state->block_capacity, (size_t)values * size + 1,
                                 1, "frames", error);
    return status ? status
                  : seq_array_file_read(state->file, state->set, state->block_first,
                                        state->block_count, state->block, error);
}

static seq_status build_values(seq_reader *reader, seq_error *error) {
    hdf5_state *state = reader->state;
    const seq_array *array = &state->array;
    int axes = array->axes;
    uint64_t rows = array->sizes[axes == 3], width = axes == 1 ? 1 : array->sizes[axes - 1];
    if (!width || (axes == 3 && !rows))
        return seq_item_refuse(reader->name, 0, 0, error, "data set %s: its items hold no values",
                               path_of(state));
    if (width > VALUES_MOST || rows > VALUES_MOST / width)
        return seq_item_refuse(reader->name, 0, 0, error,
                               "data set %s: an item has more than %d bytes of values",
                               path_of(state), SEQ_ITEM_BYTES);
    uint64_t values = rows * width;
    bool here = axes == 3 && state->item >= state->block_first &&
                state->item - state->block_first < state->block_count;
    seq_status status = here ? SEQ_OK : read_block(reader, values, error);
    seq_build_frames(reader, (int)width);
    if (!status) status = seq_frames_resize(&reader->frames, (size_t)rows, (int)width, error);
    if (status) return status;
    size_t at = axes == 3 ? (size_t)((state->item - state->block_first) * values) : 0;
    seq_array_convert(array->type, state->block + at * (size_t)array->type.size, (size_t)values,
                      reader->frames.values);
    return SEQ_OK;
}

// The next data set that is one item or many; *out_more false: there is none.
static seq_status next_set(seq_reader *reader, bool *out_more, seq_error *error) {
    hdf5_state *state = reader->state;
    seq_array *array = &state->array;
    for (;; state->set++) {
        bool many = false;
        *out_more = state->set < seq_array_file_count(state->file);
        if (!*out_more) return SEQ_OK;
        seq_status status = seq_array_file_describe(state->file, state->set, array, error);
        if (!status && array->axes == 1) status = find_many(state, &many, error);
        if (status) return status;
        if (is_numbers(array) && !many) break;
        reader->skipped[SEQ_SKIP_DATA]++;
    }
    state->described = true;
    state->item = state->block_count = 0;
    state->items = array->axes == 3 ? array->sizes[0] : 1;
    return SEQ_OK;
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    hdf5_state *state = reader->state;
    *out_more = true;
    if (!state->file && open_file(reader, error)) return error->status;
    while (!state->described || state->item == state->items) {
        state->set += state->described;
        state->described = false;
        if (next_set(reader, out_more, error) || !*out_more) return error->status;
    }
    seq_build_item(reader, 0);
    seq_status status = build_values(reader, error);
    if (!status) status = build_fields(reader, error);
    state->item++;
    return status;
}

static seq_status open_hdf5(seq_reader *reader, seq_error *error) {
    for (int i = 0; i < reader->choice_count; i++)
        if (!reader->choices[i].name)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--columns %s=%d: HDF5 has attributes and data sets with names, "
                                 "not numbered columns",
                                 reader->choices[i].field, reader->choices[i].from);
    return SEQ_OK;
}

static void close_hdf5(seq_reader *reader) {
    hdf5_state *state = reader->state;
    seq_array_file_close(state->file);
    if (state->copy) fclose(state->copy);
    free(state->block);
}

const seq_reader_kind seq_reader_hdf5 = {
    .name = "hdf5",
    .summary = "data sets of HDF5: (rows, width) is an item, (items, rows, width) are many",
    .input = "frames",
    .target = "label",
    .suffixes = ".h5 .hdf5 .hdf ",
    .uses = SEQ_USES_COLUMNS | SEQ_USES_MISSING | SEQ_USES_NAME,
    .bytes = true,
    .state = sizeof(hdf5_state),
    .open = open_hdf5,
    .next = next,
    .close = close_hdf5,
};
