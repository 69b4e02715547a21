// How seqeval prints a figure, with its interval where there is one, and how it
// writes the table of --per-item. Invariant: a table that could not be made whole
// is not written. Tests: tests/cli/seqeval.sh, seqeval_items.sh, translate.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/file.h>
#include <stdlib.h>

void seq_eval_print_number(const char *name, double value, bool json) {
    if (!json)
        printf("%-22s %.6g\n", name, value);
    else if (isfinite(value))
        printf(", \"%s\": %.9g", name, value);
    else
        printf(", \"%s\": null", name);
}

void seq_eval_print_range(const char *name, double value, seq_interval range, bool json) {
    if (json) {
        printf(", \"%s\": {\"value\": %.9g", name, value);
        if (isfinite(range.low)) printf(", \"low\": %.9g, \"high\": %.9g", range.low, range.high);
        putchar('}');
    } else if (isfinite(range.low)) {
        printf("%-22s %.6g  (95 %%: %.6g to %.6g)\n", name, value, range.low, range.high);
    } else {
        seq_eval_print_number(name, value, false);
    }
}

seq_status seq_eval_write_table(const char *path, seq_eval_table *write, const void *context,
                                seq_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    seq_status status = stream ? write(context, stream, error) : SEQ_OK;
    seq_status closed = seq_memory_stream_close(stream, &text, error, "--per-item %s", path);
    if (!status) status = closed;
    if (!status) status = seq_file_write_output(path, text, size, error);
    free(text);
    return status ? seq_error_add_context(error, "--per-item") : SEQ_OK;
}
