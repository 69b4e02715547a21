// Reader `skeleton`: joints of bodies, the text form of MSR Action3D. An item
// is a line `action subject instance used frames width`, all whole numbers, then
// `frames` lines of `width` numbers. Fields are label (the action), subject
// (--group subject) and instance. An item with `used` 0 is passed over and
// counted. Invariant: all items have the width of the first one. Test:
// tests/unit/prep/test_frame_readers.c.
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

enum { ACTION, SUBJECT, INSTANCE, USED, FRAMES, WIDTH, WORDS, WIDTH_MOST = 1 << 16 };

typedef struct word {
    const char *at;
    size_t size;
} word;

typedef struct skeleton_state {
    int width; // 0: not known yet
} skeleton_state;

static size_t words_of(const char *line, word *out, size_t most) {
    size_t count = 0;
    for (const char *at = line + strspn(line, " \t"); *at; at += strspn(at, " \t")) {
        size_t size = strcspn(at, " \t");
        if (count < most) out[count] = (word){at, size};
        count++;
        at += size;
    }
    return count;
}

// A line that is not blank.
static seq_status next_line(seq_reader *reader, bool *out_more, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    while (!seq_line_reader_next(lines, out_more, error) && *out_more &&
           !lines->line[strspn(lines->line, " \t")])
        reader->skipped[SEQ_SKIP_BLANK]++;
    return error->status;
}

static seq_status whole_number(const seq_reader *reader, word word, int64_t most, int64_t *out,
                               seq_error *error) {
    bool digits = word.size <= 18 && strspn(word.at, "0123456789") >= word.size;
    *out = digits ? strtoll(word.at, NULL, 10) : -1;
    if (digits && *out <= most) return SEQ_OK;
    return seq_item_refuse(reader->name, reader->lines.number, word.at - reader->lines.line + 1,
                           error, "expected a whole number to %lld", (long long)most);
}

static seq_status take_header(seq_reader *reader, skeleton_state *state,
                              int64_t numbers[static WORDS], seq_error *error) {
    static const int64_t most[WORDS] = {INT32_MAX, INT32_MAX, INT32_MAX, 1, INT32_MAX, WIDTH_MOST};
    static const char *const fields[] = {"label", "subject", "instance"};
    const seq_line_reader *lines = &reader->lines;
    word words[WORDS];
    seq_status status = SEQ_OK;
    if (words_of(lines->line, words, WORDS) != WORDS)
        return seq_item_refuse(reader->name, lines->number, 1, error,
                               "expected a header of six whole numbers: action subject instance "
                               "used frames width");
    for (int i = 0; !status && i < WORDS; i++)
        status = whole_number(reader, words[i], most[i], &numbers[i], error);
    if (status) return status;
    if (!numbers[WIDTH] || (state->width && numbers[WIDTH] != state->width))
        return seq_item_refuse(reader->name, lines->number, words[WIDTH].at - lines->line + 1,
                               error, "frames of width %d, and those before have %d",
                               (int)numbers[WIDTH], state->width);
    state->width = (int)numbers[WIDTH];
    seq_build_item(reader, lines->number);
    seq_build_frames(reader, state->width);
    for (int i = 0; !status && i < USED; i++)
        status = seq_build_text(reader, fields[i], words[i].at, words[i].size, lines->number,
                                words[i].at - lines->line + 1, error);
    return status;
}

static seq_status take_frame(seq_reader *reader, seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    float *values;
    seq_status status = seq_build_frame(reader, &values, error);
    const char *at = lines->line;
    for (int i = 0; !status && i < reader->frames.width; i++) {
        at += strspn(at, " \t");
        size_t size = strcspn(at, " \t");
        if (!size)
            return seq_item_refuse(reader->name, lines->number, (int64_t)lines->size + 1, error,
                                   "the frame has %d values, and the header says %d", i,
                                   reader->frames.width);
        status = seq_build_number(reader, at, size, at - lines->line + 1, &values[i], error);
        at += size;
    }
    at += strspn(at, " \t");
    if (!status && *at)
        return seq_item_refuse(reader->name, lines->number, at - lines->line + 1, error,
                               "the frame has more than %d values", reader->frames.width);
    return status;
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    int64_t numbers[WORDS];
    bool more = true;
    for (;;) {
        if (next_line(reader, out_more, error) || !*out_more) return error->status;
        seq_status status = take_header(reader, reader->state, numbers, error);
        for (int64_t i = 0; !status && i < numbers[FRAMES]; i++) {
            if (next_line(reader, &more, error)) return error->status;
            status = more ? take_frame(reader, error)
                          : seq_item_refuse(reader->name, reader->line, 0, error,
                                            "the file ends after %lld of %lld frames of this item",
                                            (long long)i, (long long)numbers[FRAMES]);
        }
        if (status || numbers[USED]) return status;
        reader->skipped[SEQ_SKIP_UNUSED]++;
    }
}

const seq_reader_kind seq_reader_skeleton = {
    .name = "skeleton",
    .summary = "joints as in MSR Action3D: action subject instance used frames width, then frames",
    .input = "frames",
    .target = "label",
    .uses = SEQ_USES_MISSING,
    .state = sizeof(skeleton_state),
    .next = next,
};
