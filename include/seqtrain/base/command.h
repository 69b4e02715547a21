// Asking another program.
#ifndef SEQTRAIN_BASE_COMMAND_H
#define SEQTRAIN_BASE_COMMAND_H

#include <seqtrain/base/status.h>
#include <stddef.h>

// Runs argv[0], looked for in PATH, without a shell and without its standard input and error. `out`
// (size bytes) gets what it prints, cut to fit, without white space at the end. After `seconds` it
// is killed. SEQ_IO: it could not be started, did not end in time or ended with another exit code
// than 0.
seq_status seq_command_ask(char *const argv[], double seconds, char *out, size_t size,
                           seq_error *error);

#endif
