// Configuration file (--config) against a table that has an option of every
// type, and each value back as text. Invariant: what was accepted is written as
// text that is accepted again. Checks src/base/option.c and option_value.c; run
// by tests/fault/fuzz.sh and tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/base/option.h>
#include <string.h>

typedef struct options {
    bool flag;
    int64_t integer;
    double real, duration;
    char *text;
    int choice;
    seq_integers integers;
} options;

static const char *const choices[] = {"one", "two", NULL};
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "All types"},
    {SEQ_OPTION_FLAG, "flag", NULL, offsetof(options, flag), "no", .help = "A flag."},
    {SEQ_OPTION_INTEGER, "integer", "N", offsetof(options, integer), "1", 1, 1e15, .help = "N."},
    {SEQ_OPTION_REAL, "real", "X", offsetof(options, real), "0.5", 0, 1e30, .help = "X."},
    {SEQ_OPTION_DURATION, "duration", "TIME", offsetof(options, duration), "1h", 0, 1e9,
     .help = "TIME."},
    {SEQ_OPTION_TEXT, "text", "TEXT", offsetof(options, text), .help = "TEXT."},
    {SEQ_OPTION_CHOICE, "choice", "ONE", offsetof(options, choice), "one", .choices = choices,
     .help = "ONE."},
    {SEQ_OPTION_INTEGERS, "integers", "N[,N...]", offsetof(options, integers), "1,2", 1, 65536,
     .help = "N."},
    {.type = SEQ_OPTION_END},
};
static const seq_program program = {
    .name = "fuzz", .synopsis = "", .summary = "", .options = table};

// What was accepted is written as text that is accepted again.
static void write_back(seq_parsed *parsed) {
    for (size_t i = 1; table[i].type != SEQ_OPTION_END; i++) {
        char text[256];
        seq_error error = {0};
        seq_option_get_text(parsed, i, text, sizeof text);
        if (table[i].type == SEQ_OPTION_TEXT) continue;
        seq_option_set(parsed, table[i].name, text, SEQ_FROM_RECORD, &error);
        assert(!error.status);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    options options;
    seq_parsed parsed;
    seq_error error = {0};
    fuzz_file_create(&file, data, size);
    char *arguments[] = {"fuzz", "--config", file.path, NULL};
    seq_status status =
        seq_options_parse(&program, 3, arguments, &options, sizeof options, &parsed, &error);
    fuzz_check(status, &error);
    if (!status) write_back(&parsed);
    seq_options_clear(&parsed);
    fuzz_file_destroy(&file);
    return 0;
}
