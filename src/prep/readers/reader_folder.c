// Reader `folder`: a file is an item, its text the whole file; line ends stay, as
// LF. The label is the first folder below the input, so `reviews/pos/1.txt` is of
// class `pos` when the input is `reviews`, or comes from the file's name
// (name_fields.c). Tests: tests/unit/prep/test_readers.c, tests/cli/seqprep_items.sh.
#include "reader_private.h"

typedef struct folder_state {
    bool done;
} folder_state;

static seq_status build_label(seq_reader *reader, seq_error *error) {
    bool found;
    if (seq_build_class(reader, &found, error) || found || reader->settings->unlabelled)
        return error->status;
    return seq_item_refuse(reader->name, 0, 0, error,
                           "the file lies in no class folder: expected INPUT/CLASS/FILE");
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    folder_state *state = reader->state;
    bool more = true, first = true;
    *out_more = false;
    if (state->done) return SEQ_OK;
    state->done = *out_more = true;
    seq_build_item(reader, 1);
    seq_status status = build_label(reader, error);
    if (!status) status = seq_build_text(reader, "text", "", 0, 1, 1, error);
    while (!status && !(status = seq_line_reader_next(&reader->lines, &more, error)) && more) {
        if (!first) status = seq_build_more(reader, "\n", 1, error);
        first = false;
        if (!status) status = seq_build_more(reader, reader->lines.line, reader->lines.size, error);
    }
    return status;
}

const seq_reader_kind seq_reader_folder = {
    .name = "folder",
    .summary = "a folder a class, a file an item",
    .input = "text",
    .target = "label",
    .uses = SEQ_USES_NAME,
    .binary = true,
    .state = sizeof(folder_state),
    .next = next,
};
