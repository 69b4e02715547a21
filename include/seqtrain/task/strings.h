// Distinct texts with numbers in the order of first appearance: labels, words, surfaces of
// entities.
#ifndef SEQTRAIN_TASK_STRINGS_H
#define SEQTRAIN_TASK_STRINGS_H

#include <seqtrain/data/string_table.h>

// Zero-initialise before use.
typedef struct seq_strings {
    seq_string_table table;
    int32_t count;
} seq_strings;

void seq_strings_clear(seq_strings *strings);
// The number of the text, -1: it is not there.
int32_t seq_strings_find(const seq_strings *strings, const char *text, size_t size);
// The number of the text, which is added where it is not there.
seq_status seq_strings_add(seq_strings *strings, const char *text, size_t size, int32_t *out,
                           seq_error *error);
// Valid until the next text is added. `size` may be NULL.
const char *seq_strings_text(const seq_strings *strings, int32_t number, size_t *size);

#endif
