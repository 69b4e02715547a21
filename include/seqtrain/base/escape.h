// Text of others (a path, a word, a checkpoint's record) as it may be shown in a message or a
// table. Nothing in it moves the cursor, ends the line, begins a column or turns the direction of
// writing.
#ifndef SEQTRAIN_BASE_ESCAPE_H
#define SEQTRAIN_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Line end, tab and CR become \n, \t and \r. Every byte of other control characters (C0, DEL, C1),
// of bidirectional controls, of U+2028, U+2029 and U+FEFF, and of what is not UTF-8 becomes \xHH,
// as in vocabulary.tsv. With `reversible`, a backslash becomes \\, so that the bytes can be had
// back. Writes at most `capacity` bytes, a NUL included, and no part of an escape. Returns what the
// whole takes, without the NUL.
size_t seq_escape(const char *text, size_t size, bool reversible, char *out, size_t capacity);
// The same, reversible, to a stream.
void seq_escape_print(FILE *stream, const char *text, size_t size);
// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD: JSON has no others.
void seq_json_print(FILE *stream, const char *text);
void seq_json_print_bytes(FILE *stream, const char *text, size_t size);
// The first byte that is not part of valid UTF-8 text, or `size`.
size_t seq_utf8_invalid(const char *text, size_t size);

#endif
