// Reader `promoters`: `class,name,sequence` lines, the form of the promoter and
// splice files of the UCI archive. Blanks around the three are dropped, letters
// become upper case, and a letter of no sequence is refused. Tests:
// tests/unit/prep/test_readers.c.
#include "reader_private.h"
#include "sequence_letters.h"
#include <ctype.h>
#include <string.h>

static seq_status build_part(seq_reader *reader, const char *field, const char *at, size_t size,
                             seq_error *error) {
    seq_trim(&at, &size);
    return seq_build_text(reader, field, at, size, reader->lines.number,
                          at - reader->lines.line + 1, error);
}

static seq_status build_sequence(seq_reader *reader, char *at, seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    const char *from = at;
    size_t size = lines->size - (size_t)(at - lines->line);
    seq_trim(&from, &size);
    at += from - at;
    for (size_t i = 0; i < size; i++) {
        if (!seq_is_sequence_letter(at[i]))
            return seq_item_refuse(reader->name, lines->number, at + i - lines->line + 1, error,
                                   "byte 0x%02x is no letter of a sequence", (unsigned char)at[i]);
        at[i] = (char)toupper((unsigned char)at[i]);
    }
    return seq_build_text(reader, "text", at, size, lines->number, at - lines->line + 1, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        if (lines->line[strspn(lines->line, " \t")]) break;
        reader->skipped[SEQ_SKIP_BLANK]++;
    }
    char *first = memchr(lines->line, ',', lines->size),
         *second = first ? strchr(first + 1, ',') : NULL;
    seq_build_item(reader, lines->number);
    if (!second)
        return seq_item_refuse(reader->name, lines->number, (int64_t)lines->size + 1, error,
                               "expected CLASS,NAME,SEQUENCE");
    seq_status status =
        build_part(reader, "label", lines->line, (size_t)(first - lines->line), error);
    if (!status) status = build_part(reader, "id", first + 1, (size_t)(second - first - 1), error);
    return status ? status : build_sequence(reader, second + 1, error);
}

const seq_reader_kind seq_reader_promoters = {
    .name = "promoters",
    .summary = "class,name,sequence lines, as in the UCI promoter file",
    .input = "text",
    .target = "label",
    .next = next,
};
