// Reader `npy`: arrays of NumPy's format, versions 1 to 3. (rows, width) is an
// item, (rows) one of width 1, (items, rows, width) as many as it says; arrays
// may follow one another in a file. The class folder is the label. The header is
// a Python dictionary with three keys, read by a grammar of its own. Invariant:
// room grows with the bytes that are there, not with what the shape claims.
// Source: numpy.lib.format. Test: tests/unit/prep/test_frame_readers.c.
#include "array_type.h"
#include "reader_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 14, HEADER_MOST = 1 << 16, VALUES_MOST = SEQ_ITEM_BYTES / 4 };

typedef struct npy_state {
    seq_array_type type;
    bool fortran, has_type, has_order, has_shape;
    uint64_t items, rows, width; // of the array
    uint64_t item;               // the next one
    size_t array;                // arrays that were begun
    float *whole;                // the array, where its order is Fortran's
    size_t whole_capacity;
    unsigned char bytes[BLOCK * 8];
    char header[HEADER_MOST + 1];
} npy_state;

static seq_status refuse(const seq_reader *reader, seq_error *error, const char *what) {
    const npy_state *state = reader->state;
    if (state->array > 1)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s, array %zu: %s", reader->name, state->array,
                             what);
    return seq_error_set(error, SEQ_BAD_INPUT, "%s: %s", reader->name, what);
}

// *out_size is less than `size` at the end of the file alone.
static seq_status read_bytes(seq_reader *reader, void *out, size_t size, size_t *out_size,
                             seq_error *error) {
    size_t got = 1;
    seq_status status = SEQ_OK;
    for (*out_size = 0; !status && got && *out_size < size; *out_size += got)
        status = reader->stream->read(reader->stream->context, (char *)out + *out_size,
                                      size - *out_size, &got, error);
    return status;
}

// ---- The header.

static const char *skip(const char *at) {
    return at + strspn(at, " \t\n");
}

// A text in quotes; NULL: none.
static const char *take_text(const char *at, const char **out, size_t *out_size) {
    if (*at != '\'' && *at != '"') return NULL;
    const char *end = strchr(at + 1, *at);
    *out = at + 1;
    *out_size = end ? (size_t)(end - at - 1) : 0;
    return end ? end + 1 : NULL;
}

static bool take_type(npy_state *state, const char *text, size_t size) {
    static const char kinds[] = "fiub";
    if (size != 3 || !strchr("<>|=", text[0]) || !strchr(kinds, text[1])) return false;
    state->type = (seq_array_type){text[1] == 'f'   ? SEQ_ARRAY_REAL
                                   : text[1] == 'i' ? SEQ_ARRAY_SIGNED
                                                    : SEQ_ARRAY_UNSIGNED,
                                   text[2] - '0', text[0] == '>'};
    state->has_type = true;
    return seq_array_type_known(state->type) && (text[1] != 'b' || state->type.size == 1);
}

// "(7, 3)", "(7,)"; NULL: none, or not of 1 to 3 axes.
static const char *take_shape(npy_state *state, const char *at) {
    uint64_t sizes[3] = {0};
    int axes = 0;
    if (*at != '(') return NULL;
    for (at = skip(at + 1); *at != ')'; axes++) {
        size_t digits = strspn(at, "0123456789");
        if (axes == 3 || !digits || digits > 18) return NULL;
        sizes[axes] = strtoull(at, NULL, 10);
        at = skip(at + digits + (at[digits] == 'L')); // as Python 2 wrote it
        if (*at == ',')
            at = skip(at + 1);
        else if (*at != ')')
            return NULL;
    }
    if (!axes) return NULL;
    state->items = axes == 3 ? sizes[0] : 1;
    state->rows = sizes[axes == 3];
    state->width = axes == 1 ? 1 : sizes[axes - 1];
    state->has_shape = true;
    return at + 1;
}

static const char *take_entry(npy_state *state, const char *at, const char **out_why) {
    const char *key, *text;
    size_t size;
    *out_why = "its header is damaged";
    if (!(at = take_text(at, &key, &size)) || *(at = skip(at)) != ':') return NULL;
    at = skip(at + 1);
    if (size == 5 && memcmp(key, "descr", 5) == 0) {
        *out_why = "expected elements that are real numbers of 2, 4 or 8 bytes, whole numbers or "
                   "truth values, and no records";
        at = take_text(at, &text, &size);
        return at && take_type(state, text, size) ? at : NULL;
    }
    if (size == 13 && memcmp(key, "fortran_order", 13) == 0) {
        state->fortran = strncmp(at, "True", 4) == 0;
        state->has_order = state->fortran || strncmp(at, "False", 5) == 0;
        return state->has_order ? at + (state->fortran ? 4 : 5) : NULL;
    }
    if (size != 5 || memcmp(key, "shape", 5) != 0) return NULL;
    *out_why = "expected an array of (rows, width), (rows), or (items, rows, width)";
    return take_shape(state, at);
}

static const char *parse(npy_state *state) {
    static const char damaged[] = "its header is damaged";
    const char *at = skip(state->header), *why = damaged;
    state->has_type = state->has_order = state->has_shape = false;
    if (*at++ != '{') return damaged;
    for (at = skip(at); *at != '}';) {
        if (!(at = take_entry(state, at, &why))) return why;
        at = skip(at);
        if (*at == ',')
            at = skip(at + 1);
        else if (*at != '}')
            return damaged;
    }
    if (*skip(at + 1) || !state->has_type || !state->has_order || !state->has_shape) return damaged;
    if (!state->width) return "its frames have a width of 0";
    if (state->items > 1 && !state->rows) return "its items have no frames";
    if (state->width > VALUES_MOST || state->rows > VALUES_MOST / state->width)
        return "an item has more than 268435456 bytes of values";
    return NULL;
}

// *out_more false: the file has ended.
static seq_status begin_array(seq_reader *reader, bool *out_more, seq_error *error) {
    static const char magic[] = "\x93NUMPY";
    npy_state *state = reader->state;
    unsigned char start[12];
    size_t got, size, wanted = 10;
    seq_status status = read_bytes(reader, start, wanted, &got, error);
    *out_more = got > 0 || state->array == 0;
    if (status || !*out_more) return status;
    state->array++;
    if (got < wanted || memcmp(start, magic, 6) != 0)
        return refuse(reader, error,
                      state->array > 1 ? "other bytes follow the array before"
                      : got > 1 && memcmp(start, "PK", 2) == 0
                          ? "it is a zip archive and no .npy file: unzip an .npz file first"
                          : "it is no NumPy array (.npy)");
    if (start[6] < 1 || start[6] > 3)
        return refuse(reader, error, "expected NumPy's format 1, 2 or 3");
    size = start[8] | (size_t)start[9] << 8;
    if (start[6] > 1) {
        status = read_bytes(reader, start + 10, 2, &got, error);
        if (status) return status;
        size |= got == 2 ? (size_t)start[10] << 16 | (size_t)start[11] << 24 : SIZE_MAX;
    }
    if (size > HEADER_MOST) return refuse(reader, error, "its header is damaged");
    status = read_bytes(reader, state->header, size, &got, error);
    if (status) return status;
    state->header[got] = '\0';
    const char *why =
        got < size || strlen(state->header) < size ? "its header is damaged" : parse(state);
    if (why) return refuse(reader, error, why);
    state->item = 0;
    return SEQ_OK;
}

// ---- Values.

// Values onto *out, which has room for *capacity.
static seq_status read_values(seq_reader *reader, uint64_t count, float **out, size_t *capacity,
                              seq_error *error) {
    npy_state *state = reader->state;
    size_t done = 0, got, element = (size_t)state->type.size;
    seq_status status = seq_grow(out, capacity, 1, sizeof **out, "frames", error);
    while (!status && done < count) {
        size_t some = count - done < BLOCK ? (size_t)(count - done) : BLOCK;
        status = read_bytes(reader, state->bytes, some * element, &got, error);
        if (!status && got < some * element)
            return refuse(reader, error, "the file ends inside of the array");
        if (!status) status = seq_grow(out, capacity, done + some, sizeof **out, "frames", error);
        if (!status) seq_array_convert(state->type, state->bytes, some, *out + done);
        done += some;
    }
    return status;
}

// The array as it lies there, once; then each item takes its part.
static seq_status take_fortran(seq_reader *reader, seq_error *error) {
    npy_state *state = reader->state;
    seq_frames *frames = &reader->frames;
    uint64_t of_item = state->rows * state->width, item = state->item;
    if (of_item && state->items > VALUES_MOST / of_item)
        return refuse(reader, error,
                      "an array in Fortran's order has 268435456 bytes of values at most: "
                      "numpy.ascontiguousarray turns it");
    seq_status status = SEQ_OK;
    if (item == 0)
        status = read_values(reader, state->items * of_item, &state->whole, &state->whole_capacity,
                             error);
    if (!status) status = seq_frames_resize(frames, (size_t)state->rows, (int)state->width, error);
    for (uint64_t t = 0; !status && t < state->rows; t++)
        for (uint64_t i = 0; i < state->width; i++)
            frames->values[t * state->width + i] =
                state->whole[item + state->items * (t + state->rows * i)];
    return status;
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    npy_state *state = reader->state;
    seq_frames *frames = &reader->frames;
    bool found;
    *out_more = true;
    while (state->item == state->items)
        if (begin_array(reader, out_more, error) || !*out_more) return error->status;
    seq_build_item(reader, 0);
    seq_build_frames(reader, (int)state->width);
    seq_status status = state->fortran ? take_fortran(reader, error)
                                       : read_values(reader, state->rows * state->width,
                                                     &frames->values, &frames->capacity, error);
    frames->rows = status ? 0 : (size_t)state->rows;
    state->item++;
    return status ? status : seq_build_class(reader, &found, error);
}

static void close_npy(seq_reader *reader) {
    npy_state *state = reader->state;
    free(state->whole);
}

const seq_reader_kind seq_reader_npy = {
    .name = "npy",
    .summary = "NumPy arrays: (rows, width) is an item, (items, rows, width) are many",
    .input = "frames",
    .target = "label",
    .suffixes = ".npy ",
    .uses = SEQ_USES_MISSING | SEQ_USES_NAME,
    .bytes = true,
    .state = sizeof(npy_state),
    .next = next,
    .close = close_npy,
};
