// Reader `ts`: the UEA archive's form. Lines @NAME VALUE, then @data, then an
// item a line: dimensions split by `:`, their values by commas, the label last
// (unless @classLabel false). Dimension d is value d of all frames. The line is
// walked twice: the first time it counts, so that room is taken for values that
// are there. Invariant: dimensions of an item are equally long, items may not
// be. Series with time stamps are refused. Test:
// tests/unit/prep/test_frame_readers.c.
#include "reader_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct ts_state {
    bool in_data, no_label, unequal;
    int64_t dimensions, length; // as the header says, or the first item; 0: not known
    char *classes;              // that the header lists, split by blanks; NULL: any label is one
} ts_state;

static seq_status refuse_here(const seq_reader *reader, const char *at, seq_error *error,
                              const char *what) {
    return seq_item_refuse(reader->name, reader->lines.number, at - reader->lines.line + 1, error,
                           "%s", what);
}

static bool is_name(const char *at, size_t size, const char *name) {
    return size == strlen(name) && strncasecmp(at, name, size) == 0;
}

static seq_status take_count(const seq_reader *reader, const char *value, int64_t *out,
                             seq_error *error) {
    char *end;
    *out = strtoll(value, &end, 10);
    if (end != value && !end[strspn(end, " \t")] && *out >= 1 && *out <= SEQ_ITEM_BYTES)
        return SEQ_OK;
    return refuse_here(reader, value, error, "expected a whole number from 1");
}

static seq_status take_switch(const seq_reader *reader, const char *value, bool *out,
                              seq_error *error) {
    size_t size = strcspn(value, " \t");
    *out = is_name(value, size, "true");
    return *out || is_name(value, size, "false")
               ? SEQ_OK
               : refuse_here(reader, value, error, "expected true or false");
}

static seq_status take_classes(const seq_reader *reader, ts_state *state, const char *value,
                               bool listed, seq_error *error) {
    bool labels;
    seq_status status = take_switch(reader, value, &labels, error);
    const char *list = value + strcspn(value, " \t");
    list += strspn(list, " \t");
    if (status) return status;
    state->no_label = !labels;
    if (!labels || !listed || !*list) return SEQ_OK;
    free(state->classes);
    state->classes = NULL;
    status = seq_allocate(&state->classes, strlen(list) + 1, 1, "names of classes", error);
    if (!status) strcpy(state->classes, list);
    return status;
}

// A line @NAME VALUE; names that say nothing of how to read are passed over.
static seq_status take_header(seq_reader *reader, ts_state *state, const char *at,
                              seq_error *error) {
    size_t size = strcspn(at, " \t");
    const char *value = at + size + strspn(at + size, " \t");
    bool stamps = false, equal = true;
    seq_status status = SEQ_OK;
    if (*at != '@')
        return refuse_here(reader, at, error,
                           "expected @NAME VALUE, a comment (#) or @data; is this a .ts file?");
    if (is_name(at, size, "@data"))
        state->in_data = true;
    else if (is_name(at, size, "@dimensions") || is_name(at, size, "@dimension"))
        status = take_count(reader, value, &state->dimensions, error);
    else if (is_name(at, size, "@seriesLength"))
        status = take_count(reader, value, &state->length, error);
    else if (is_name(at, size, "@classLabel") || is_name(at, size, "@targetLabel"))
        status = take_classes(reader, state, value, is_name(at, size, "@classLabel"), error);
    else if (is_name(at, size, "@timeStamps"))
        status = take_switch(reader, value, &stamps, error);
    else if (is_name(at, size, "@equalLength"))
        status = take_switch(reader, value, &equal, error);
    if (!equal) state->unequal = true;
    if (stamps)
        return refuse_here(reader, at, error,
                           "series with time stamps are not read: expected values at equal steps");
    return status;
}

// Values of a dimension that ends at `end`: none where there is nothing but blanks.
static int64_t count_values(const char *at, const char *end) {
    if (at + strspn(at, " \t") >= end) return 0;
    int64_t count = 1;
    for (; at < end; at++)
        count += *at == ',';
    return count;
}

static seq_status count_item(const seq_reader *reader, ts_state *state, const char *end,
                             int64_t *out_length, seq_error *error) {
    const char *at = reader->lines.line;
    int64_t dimensions = 0, length = 0;
    char what[160];
    for (;; at++) {
        const char *stop = at + strcspn(at, ":");
        if (stop > end) stop = end;
        int64_t values = count_values(at, stop);
        if (dimensions++ == 0) length = values;
        snprintf(what, sizeof what, "dimension %lld has %lld values, and the first one has %lld",
                 (long long)dimensions, (long long)values, (long long)length);
        if (values != length) return refuse_here(reader, at, error, what);
        if ((at = stop) == end) break;
    }
    if (!state->dimensions) state->dimensions = dimensions;
    snprintf(what, sizeof what, "the item has %lld dimensions, expected %lld",
             (long long)dimensions, (long long)state->dimensions);
    if (dimensions != state->dimensions)
        return refuse_here(reader, reader->lines.line, error, what);
    *out_length = length;
    snprintf(what, sizeof what, "the item has %lld values a dimension, and @seriesLength is %lld",
             (long long)length, (long long)state->length);
    return state->length && !state->unequal && length != state->length
               ? refuse_here(reader, reader->lines.line, error, what)
               : SEQ_OK;
}

static seq_status take_values(seq_reader *reader, int64_t length, const char *end,
                              seq_error *error) {
    const ts_state *state = reader->state;
    const char *at = reader->lines.line;
    float *frame;
    seq_status status = SEQ_OK;
    seq_build_frames(reader, (int)state->dimensions);
    for (int64_t t = 0; !status && t < length; t++)
        status = seq_build_frame(reader, &frame, error);
    for (int64_t d = 0; !status && d < state->dimensions; d++) {
        float *value = reader->frames.values + d;
        for (int64_t t = 0; !status && t < length; t++, value += state->dimensions) {
            const char *stop = at + strcspn(at, ",:");
            if (stop > end) stop = end;
            status = seq_build_number(reader, at, (size_t)(stop - at), at - reader->lines.line + 1,
                                      value, error);
            at = stop + (stop < end);
        }
        if (!length) at += strcspn(at, ":") + 1;
    }
    return status;
}

static bool is_class(const char *classes, const char *at, size_t size) {
    for (; *classes; classes += strspn(classes, " \t")) {
        size_t length = strcspn(classes, " \t");
        if (length == size && memcmp(classes, at, size) == 0) return true;
        classes += length;
    }
    return false;
}

static seq_status take_label(seq_reader *reader, const ts_state *state, const char *at,
                             seq_error *error) {
    size_t size = strlen(at);
    char shown[80], what[160];
    seq_trim(&at, &size);
    seq_escape(at, size, false, shown, sizeof shown);
    snprintf(what, sizeof what, "'%s' is none of the labels that @classLabel lists", shown);
    if (state->classes && !reader->settings->unlabelled && !is_class(state->classes, at, size))
        return refuse_here(reader, at, error, what);
    return seq_build_text(reader, "label", at, size, reader->lines.number,
                          at - reader->lines.line + 1, error);
}

static seq_status take_item(seq_reader *reader, ts_state *state, seq_error *error) {
    const char *line = reader->lines.line, *end = line + reader->lines.size,
               *colon = strrchr(line, ':');
    int64_t length = 0;
    bool found;
    seq_build_item(reader, reader->lines.number);
    if (!state->no_label && !colon)
        return refuse_here(reader, end, error, "expected VALUES:LABEL, and there is no colon");
    if (!state->no_label) end = colon;
    seq_status status = count_item(reader, state, end, &length, error);
    if (!status) status = take_values(reader, length, end, error);
    if (!status && !state->no_label) status = take_label(reader, state, colon + 1, error);
    return status || (!state->no_label && !reader->pattern.count)
               ? status
               : seq_build_class(reader, &found, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    ts_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error)) return error->status;
        if (!*out_more && !state->in_data)
            return seq_item_refuse(reader->name, lines->number, 0, error,
                                   "the file ends before @data; is this a .ts file?");
        if (!*out_more) return SEQ_OK;
        const char *at = lines->line + strspn(lines->line, " \t");
        if (!*at)
            reader->skipped[SEQ_SKIP_BLANK]++;
        else if (*at == '#')
            reader->skipped[SEQ_SKIP_COMMENT]++;
        else if (state->in_data)
            return take_item(reader, state, error);
        else if (take_header(reader, state, at, error))
            return error->status;
    }
}

static void close_ts(seq_reader *reader) {
    ts_state *state = reader->state;
    free(state->classes);
}

const seq_reader_kind seq_reader_ts = {
    .name = "ts",
    .summary = "an item a line, dimensions split by :, the label last, as in the UEA archive",
    .input = "frames",
    .target = "label",
    .suffixes = ".ts ",
    .uses = SEQ_USES_MISSING | SEQ_USES_NAME,
    .state = sizeof(ts_state),
    .next = next,
    .close = close_ts,
};
