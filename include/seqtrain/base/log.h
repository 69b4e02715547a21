// The program's messages to the person at the terminal, a line each: control characters and bytes
// that are not UTF-8 are escaped (escape.h). None waits for its reader longer than a second: what
// cannot be written is dropped, counted and told when it reads again. The sink is a mutable global,
// one of six (src/DECISIONS.md).
#ifndef SEQTRAIN_BASE_LOG_H
#define SEQTRAIN_BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

typedef enum seq_log_level {
    SEQ_LOG_QUIET,
    SEQ_LOG_ERROR,
    SEQ_LOG_WARNING,
    SEQ_LOG_INFO
} seq_log_level;

// stream NULL silences everything (ranks other than 0 do this). `program` prefixes errors and
// warnings.
void seq_log_open(FILE *stream, seq_log_level level, const char *program);
void seq_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void seq_log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void seq_log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A live line: on a terminal it replaces the previous live line (and is cut to the terminal's
// width); when piped it is printed as a plain line only if `landmark`. Any other message first ends
// the live line.
void seq_log_live(bool landmark, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
