// Numbers of labels, tags and words: a string table whose numbers are int32, as in
// batches. Invariant: -1 stands for a text that the table lacks, and for nothing
// else. Test: tests/unit/task/test_spans.c.
#include <seqtrain/task/strings.h>

void seq_strings_clear(seq_strings *strings) {
    seq_string_table_clear(&strings->table);
    strings->count = 0;
}

const char *seq_strings_text(const seq_strings *strings, int32_t number, size_t *size) {
    if (size) *size = strings->table.items[number].size;
    return seq_string_table_text(&strings->table, (size_t)number);
}

int32_t seq_strings_find(const seq_strings *strings, const char *text, size_t size) {
    size_t number = seq_string_table_find(&strings->table, text, size);
    return number == SIZE_MAX ? -1 : (int32_t)number;
}

seq_status seq_strings_add(seq_strings *strings, const char *text, size_t size, int32_t *out,
                           seq_error *error) {
    size_t number = 0;
    if (strings->count == INT32_MAX && seq_strings_find(strings, text, size) < 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "more than 2^31 distinct texts");
    seq_status status = seq_string_table_add(&strings->table, text, size, &number, error);
    if (status) return status;
    strings->count = (int32_t)strings->table.count;
    *out = (int32_t)number;
    return SEQ_OK;
}
