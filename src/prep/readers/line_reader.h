// Lines of a byte stream, whatever ends them: LF, CRLF or CR. A byte order mark
// at the start is dropped. Lines must be UTF-8 without NUL unless any byte may
// come.
#ifndef SEQ_PREP_LINE_READER_H
#define SEQ_PREP_LINE_READER_H

#include <seqtrain/prep/reader.h>

typedef struct seq_line_reader {
    const seq_byte_stream *stream; // the caller's
    const char *name;              // for messages
    bool any_bytes;
    char *buffer;
    size_t used, filled;
    bool at_end, after_carriage, kept;
    char *line;            // the current one, without its end, NUL behind it
    size_t size, capacity; // of it
    int64_t number;        // of it, from 1
} seq_line_reader;

seq_status seq_line_reader_begin(seq_line_reader *lines, const seq_byte_stream *stream,
                                 const char *name, bool any_bytes, seq_error *error);
void seq_line_reader_end(seq_line_reader *lines);
seq_status seq_line_reader_next(seq_line_reader *lines, bool *out_more, seq_error *error);
// The next call gives the current line again.
void seq_line_reader_keep(seq_line_reader *lines);
// SEQ_BAD_INPUT with file, line and column when bytes are not UTF-8 or hold NUL.
seq_status seq_check_text(const char *name, int64_t line, const char *bytes, size_t size,
                          seq_error *error);

#endif
