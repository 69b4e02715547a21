#include "tool_program.h"
#include "tool_version.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/storage/vector_file.h>
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
    seq_standard standard;
    seq_standard_begin(&standard);
    seq_log_open(stderr, SEQ_LOG_INFO, program->name);
    if (!seq_options_parse(program, argc, argv, values, values_size, &parsed, &error)) {
        if (parsed.version)
            print_version(program->name);
        else if (!parsed.finished && !seq_storage_begin(&error))
            run(&parsed, &error);
    }
    seq_standard_end(&standard, &error);
    if (error.status) seq_log_error("%s", error.text);
    seq_options_clear(&parsed);
    if (error.status == SEQ_STOPPED) seq_signals_end(seq_signals_caught());
    return seq_status_exit_code(error.status);
}
