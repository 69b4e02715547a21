// What the programs that read a model have in common.
#ifndef SEQ_TOOLS_PROGRAM_H
#define SEQ_TOOLS_PROGRAM_H

#include <seqtrain/base/option.h>
#include <seqtrain/base/status.h>

// All programs; made from their tables of options by cmake/Layers.cmake.
extern const seq_sibling tool_siblings[];

// A main without MPI: parses, answers --version, opens the log, runs, prints the
// error, returns the exit code. `values` is the program's options struct, NULL where the program
// has groups of options: then it is made here. `run` gets it through parsed->values. Messages go to
// standard error. Where `run` was stopped by a signal that it had caught (SEQ_STOPPED), the process
// ends by that signal.
int tool_main(const seq_program *program, int argc, char **argv, void *values, size_t values_size,
              seq_status (*run)(const seq_parsed *parsed, seq_error *error));

// --blas FILE, where the program has that option: loads the library, and --kernels is openblas
// then. SEQ_BAD_USAGE where --kernels is another, or where the library cannot be used.
seq_status tool_load_blas(seq_parsed *parsed, seq_error *error);

#endif
