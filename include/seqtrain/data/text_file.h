// Is a file that a program reads as text another form: packed, an archive, UTF-16 ...?
#ifndef SEQTRAIN_DATA_TEXT_FILE_H
#define SEQTRAIN_DATA_TEXT_FILE_H

#include <seqtrain/base/status.h>
#include <stddef.h>

// SEQ_BAD_INPUT with the form's name and what to do, when the first `size` bytes of the file, or
// the end of its name, tell a form that is not UTF-8 text. 4096 bytes tell each form; fewer tell
// most.
seq_status seq_form_check_text(const char *name, const char *bytes, size_t size, seq_error *error);

#endif
