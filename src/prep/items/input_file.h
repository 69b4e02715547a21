// A file of items that is open: its bytes, unpacked, and the reader that cuts them.
#ifndef SEQ_PREP_INPUT_FILE_H
#define SEQ_PREP_INPUT_FILE_H

#include "byte_reader.h"
#include <seqtrain/prep/reader.h>

// Zero-initialise before use.
typedef struct seq_input_file {
    seq_byte_reader *bytes;
    seq_byte_stream stream;
    seq_reader_settings settings; // with the descriptor of a plain file
    seq_reader *reader;
} seq_input_file;

// `path` "-" is standard input. The texts of the settings and the path outlive the file, and `file`
// stays where it is. rules->text and any_form follow from the reader.
seq_status seq_input_file_open(seq_input_file *file, const char *path,
                               const seq_reader_settings *settings,
                               const seq_byte_reader_rules *rules, seq_error *error);
void seq_input_file_close(seq_input_file *file);

#endif
