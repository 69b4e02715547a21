// Reader `lines`: one item a line, `label<TAB>text` or `label text`.
//
// How to add a reader: copy this file to reader_NAME.c and add its row to
// reader.c, in `kinds` and in `seq_reader_choices`. `next` makes one item: call
// seq_build_item with its line, then seq_build_field and seq_build_value, or
// seq_build_text for a field of one value. Refuse with seq_item_refuse, and
// count what is left out in reader->skipped. Set *out_more to false at the end.
// `uses` names the settings that the reader knows; open need not check others.
// State of your own goes to reader->state (size in the row; released for you
// after `close`). A reader of real vectors has the input field `frames`: `next`
// calls seq_build_frames with the width, then seq_build_frame for each frame, and
// builds its other fields as above, a class folder's label by seq_build_class
// (copy reader_skeleton.c; reader_npy.c where the file is no text). reader.c
// fills missing values and refuses what is not finite. tests/fuzz/fuzz_reader.c and the hostile
// inputs of tests/unit/prep/test_readers.c find the new row by themselves; add its right answers
// there.
//
// Tests: tests/unit/prep/test_readers.c, tests/cli/seqprep_items.sh.
#include "reader_private.h"
#include <string.h>

typedef struct lines_state {
    seq_separator separator; // AUTO: not known yet
} lines_state;

// The first blank, or the line's end: a label alone has an empty text.
static const char *find_blank(const char *at, const char *end) {
    while (at < end && *at != ' ' && *at != '\t')
        at++;
    return at;
}

static seq_status split(seq_reader *reader, seq_separator separator, seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    const char *at = lines->line, *end = at + lines->size;
    const char *cut =
        separator == SEQ_SEPARATOR_TAB ? memchr(at, '\t', lines->size) : find_blank(at, end);
    if (!cut)
        return seq_item_refuse(reader->name, lines->number, (int64_t)lines->size + 1, error,
                               "expected label<TAB>text, and the line has no tab (--separator "
                               "blank: a blank ends the label)");
    if (cut == at)
        return seq_item_refuse(reader->name, lines->number, 1, error,
                               "the line begins with no label");
    const char *text = cut + (cut < end);
    seq_status status =
        seq_build_text(reader, "label", at, (size_t)(cut - at), lines->number, 1, error);
    return status ? status
                  : seq_build_text(reader, "text", text, (size_t)(end - text), lines->number,
                                   text - at + 1, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    lines_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        if (lines->size || reader->settings->blank_items) break;
        reader->skipped[SEQ_SKIP_BLANK]++;
    }
    seq_build_item(reader, lines->number);
    if (reader->settings->unlabelled || !lines->size)
        return seq_build_text(reader, "text", lines->line, lines->size, lines->number, 1, error);
    if (!state->separator) state->separator = reader->settings->separator;
    if (!state->separator)
        state->separator =
            memchr(lines->line, '\t', lines->size) ? SEQ_SEPARATOR_TAB : SEQ_SEPARATOR_BLANK;
    return split(reader, state->separator, error);
}

const seq_reader_kind seq_reader_lines = {
    .name = "lines",
    .summary = "an item a line: label<TAB>text, or label text",
    .input = "text",
    .target = "label",
    .uses = SEQ_USES_SEPARATOR,
    .binary = true,
    .state = sizeof(lines_state),
    .next = next,
};
