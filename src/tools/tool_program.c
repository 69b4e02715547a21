#include "tool_program.h"
#include "tool_version.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/log.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/storage/vector_file.h>
#include <signal.h>
#include <stdio.h>

static void print_version(const char *program) {
    char kernels[300];
    seq_kernels_describe_all(kernels, sizeof kernels);
    const char *lines[] = {kernels, seq_storage_library(), NULL};
    tool_print_version(program, lines);
}

int tool_main(const seq_program *program, int argc, char **argv, void *values, size_t values_size,
              seq_status (*run)(const seq_parsed *parsed, seq_error *error)) {
    seq_parsed parsed = {0};
    seq_error error = {0};
    seq_arithmetic_begin();
    seq_program own = *program;
    own.siblings = tool_siblings;
    signal(SIGXFSZ, SIG_IGN); // a file size limit becomes an error that can be told
    seq_log_open(stderr, SEQ_LOG_INFO, program->name);
    if (!seq_options_parse(&own, argc, argv, values, values_size, &parsed, &error)) {
        if (parsed.version)
            print_version(program->name);
        else if (!parsed.finished && !seq_storage_begin(&error))
            run(&parsed, &error);
    }
    if (!error.status && fflush(stdout)) seq_error_set_errno(&error, "writing to standard output");
    if (error.status) seq_log_error("%s", error.text);
    seq_options_clear(&parsed);
    return seq_status_exit_code(error.status);
}
