// Opens a file of items: bytes, then the reader over them. Tests:
// tests/unit/prep/test_raw_items.c, tests/cli/seqprep_items.sh.
#include "input_file.h"
#include <string.h>

static seq_status read_stream(void *context, char *out, size_t capacity, size_t *out_size,
                              seq_error *error) {
    return seq_byte_reader_read(context, out, capacity, out_size, error);
}

seq_status seq_input_file_open(seq_input_file *file, const char *path,
                               const seq_reader_settings *settings,
                               const seq_byte_reader_rules *rules, seq_error *error) {
    seq_byte_reader_rules own = *rules;
    own.any_form = seq_reader_takes_bytes(settings->reader);
    own.text = !settings->any_bytes;
    seq_status status = seq_byte_reader_open(path, &own, &file->bytes, error);
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    file->stream = (seq_byte_stream){read_stream, file->bytes};
    file->settings = *settings;
    file->settings.file = status ? 0 : seq_byte_reader_file(file->bytes);
    return status ? status
                  : seq_reader_open(&file->settings, &file->stream, name, &file->reader, error);
}

void seq_input_file_close(seq_input_file *file) {
    seq_reader_close(file->reader);
    seq_byte_reader_close(file->bytes);
    *file = (seq_input_file){0};
}
