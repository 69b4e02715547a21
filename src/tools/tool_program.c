// The main of all programs but seqtrain: stdio, signals, arithmetic and stack first, then options,
// then the program's own work, whose status becomes the exit code. Tests: tests/fault/streams.sh,
// tests/cli/limits.sh.
#include "tool_program.h"
#include "tool_version.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/base/thread.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <string.h>

static void print_version(const char *program) {
    char kernels[300];
    seq_kernels_describe_all(kernels, sizeof kernels);
    const char *lines[] = {kernels, seq_storage_library(), NULL};
    tool_print_version(program, lines);
}

seq_status tool_load_blas(seq_parsed *parsed, seq_error *error) {
    char file[SEQ_PATH] = "", kernels[64];
    int index = seq_option_find(parsed->program, "blas"),
        chosen = seq_option_find(parsed->program, "kernels");
    if (index >= 0) seq_option_get_text(parsed, (size_t)index, file, sizeof file);
    if (!*file) return SEQ_OK;
    seq_option_get_text(parsed, (size_t)chosen, kernels, sizeof kernels);
    if (strcmp(kernels, "auto") != 0 && strcmp(kernels, "openblas") != 0)
        return seq_error_set(
            error, SEQ_BAD_USAGE,
            "--blas %.200s: a library for --kernels openblas, not for --kernels %s", file, kernels);
    seq_status status = seq_blas_load(file, error);
    return status ? status
                  : seq_option_set(parsed, "kernels", "openblas", SEQ_FROM_COMMAND_LINE, error);
}

typedef struct invocation {
    const seq_program *program;
    int argc;
    char **argv;
    void *values;
    size_t values_size;
    seq_status (*run)(const seq_parsed *parsed, seq_error *error);
    seq_error error;
} invocation;

static void work(invocation *self, seq_parsed *parsed) {
    if (parsed->version)
        print_version(self->program->name);
    else if (!parsed->finished && !tool_load_blas(parsed, &self->error))
        self->run(parsed, &self->error);
}

static void invoke(void *argument) {
    invocation *self = argument;
    seq_parsed parsed = {0};
    if (!seq_options_parse(self->program, self->argc, self->argv, self->values, self->values_size,
                           &parsed, &self->error))
        work(self, &parsed);
    seq_options_clear(&parsed);
}

// Of a program with groups of options.
static void invoke_joined(void *argument) {
    invocation *self = argument;
    seq_settings settings;
    if (!seq_settings_parse(self->program, self->argc, self->argv, &settings, &self->error))
        work(self, &settings.parsed);
    seq_settings_clear(&settings);
}

int tool_main(const seq_program *program, int argc, char **argv, void *values, size_t values_size,
              seq_status (*run)(const seq_parsed *parsed, seq_error *error)) {
    seq_program own = *program;
    own.siblings = tool_siblings;
    invocation self = {&own, argc, argv, values, values_size, run, {0}};
    seq_standard standard;
    seq_standard_begin(&standard);
    seq_arithmetic_begin();
    seq_log_open(stderr, SEQ_LOG_INFO, program->name);
    seq_thread_run_main(values ? invoke : invoke_joined, &self, &self.error);
    seq_standard_end(&standard, &self.error);
    if (self.error.status) seq_log_error("%s", self.error.text);
    if (self.error.status == SEQ_STOPPED) seq_signals_end(seq_signals_caught());
    return seq_status_exit_code(self.error.status);
}
