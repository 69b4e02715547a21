// Standard input, output and error, as a program finds and leaves them. Messages (log.h) that
// cannot be written are lost, and the work goes on. Results that cannot be written are a failure.
#ifndef SEQTRAIN_BASE_STANDARD_H
#define SEQTRAIN_BASE_STANDARD_H

#include <seqtrain/base/status.h>
#include <stdbool.h>

typedef struct seq_standard {
    bool ends_by_pipe; // SIGPIPE was not ignored when the program began
} seq_standard;

// The first call of a main, before any file is opened. Descriptors 0 to 2 that are closed lead to
// /dev/null from now on, so that no other file gets these numbers; using one fails as before. A
// pipe whose reader has left and a file size limit become failures of writes.
void seq_standard_begin(seq_standard *standard);

// Writes out what standard output holds. SEQ_NO_SPACE when this or an earlier write has failed,
// whatever the reason: "what: reason".
seq_status seq_standard_flush(const char *what, seq_error *error);

// The last call of a main before it tells its failure: standard output is written out. Where its
// reader has left, the process ends here by SIGPIPE and without a word, like other Unix programs;
// with SEQ_NO_SPACE where SIGPIPE was ignored from the beginning.
void seq_standard_end(const seq_standard *standard, seq_error *error);

#endif
