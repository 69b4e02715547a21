// One table per program: it yields parsing, bounds, --help, config-file keys, the record in a
// checkpoint, the man page and the shell completion. Precedence: command line, then --config FILE,
// then default.
#ifndef SEQTRAIN_BASE_OPTION_H
#define SEQTRAIN_BASE_OPTION_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum seq_option_type {
    SEQ_OPTION_FLAG,     // bool field; --name, --name=yes|no, --no-name
    SEQ_OPTION_INTEGER,  // int64_t field; suffixes k, M, G are powers of 1000
    SEQ_OPTION_REAL,     // double field
    SEQ_OPTION_TEXT,     // char * field, owned by the options
    SEQ_OPTION_CHOICE,   // int field: index into `choices`
    SEQ_OPTION_DURATION, // double field, seconds; accepts 90, 90s, 5m, 2h, 1d, h:mm:ss, d-hh:mm:ss
                         // (as Slurm)
    SEQ_OPTION_INTEGERS, // seq_integers field; comma-separated list
    SEQ_OPTION_HEADING,  // no field: starts a group in --help; `help` is its title
    SEQ_OPTION_END,
} seq_option_type;

enum { SEQ_INTEGERS = 32 };
typedef struct seq_integers {
    int count;
    int64_t values[SEQ_INTEGERS];
} seq_integers;

// Flags of an option.
enum {
    SEQ_OPTION_REQUIRED = 1, // must be given on the command line or in the config file
    SEQ_OPTION_IDENTITY = 2, // decides the numbers of a run: a resume takes it from the checkpoint
                             // and refuses another value
    SEQ_OPTION_SESSION = 8,  // of one session (paths, limits, reports): a config key, but not part
                             // of a checkpoint's record
    SEQ_OPTION_ONCE =
        4, // command line only: neither config key nor part of the record (--config, --help ...)
    SEQ_OPTION_LOCAL = 64, // of one process of a job: paths, output, what changes no number
    SEQ_OPTION_AUTO = 16,  // DURATION: the word auto is a value, too, stored as SEQ_DURATION_AUTO
    SEQ_OPTION_EMPTY = 32, // TEXT: '' on the command line is a value, not a forgotten one
    SEQ_OPTION_REPEATED = 256, // TEXT: given again, it goes behind the first, after a semicolon
    SEQ_OPTION_ADDED = 128,    // there were records before it: recorded only where it differs from
                               // `absent`, which a record without it stands for
};
enum { SEQ_DURATION_AUTO = -1 };

typedef struct seq_option {
    seq_option_type type;
    const char *name;     // long name without dashes; also the config key
    const char *argument; // placeholder in --help, e.g. "N", "FILE"; NULL for flags
    size_t offset;        // of the field in the options struct
    const char *standard; // default, as text the parser accepts; NULL: unset (zero, NULL)
    double minimum,
        maximum; // inclusive bounds for INTEGER, REAL, DURATION and each of INTEGERS; both 0: none
    const char *const *choices; // NULL-terminated, for CHOICE
    const char *const *(*registry)(
        void);          // gives the choices when they are a registry of another layer
    const char *absent; // what a record without this key stands for, when that is not the default
    int flags;
    char letter;      // short option such as 'o' for -o VALUE; 0: none
    const char *help; // one or two sentences, wrapped by --help
} seq_option;

// The NULL-terminated choices of a CHOICE option, from `choices` or `registry`.
const char *const *seq_option_choices(const seq_option *option);

// Options declared where they are used: a layer's, a task's, a sampler's. Offsets are those of a
// struct of their own, which a program's table gives a place behind its own options' (below).
typedef struct seq_option_group {
    const seq_option *options; // a heading first; ends with SEQ_OPTION_END
    size_t size;               // bytes of the struct
} seq_option_group;

// Another program, and the names of its options, each with a blank before and behind it.
typedef struct seq_sibling {
    const char *name, *options;
} seq_sibling;

typedef struct seq_program {
    const char *name;
    const char *synopsis;      // after the name, e.g. "--data DATASET --run RUN [options]"
    const char *summary;       // what it does, a paragraph
    const seq_option *options; // ends with SEQ_OPTION_END; --help, --version, --config, --man,
                               // --completion are implied
    const char *examples;      // printed last by --help; may be NULL
    int minimum_operands, maximum_operands; // maximum -1: any number
    const seq_sibling *siblings; // end with a NULL name; told of where an option is theirs; or NULL
    // Of a program that has groups beside its own options: bytes of its own struct, and the groups
    // (NULL-terminated). seq_program_join makes one table of them.
    size_t size;
    const seq_option_group *const *groups;
} seq_program;

// A copy of `base` whose table holds its own options, then those of its groups. An option of a
// group is SEQ_OPTION_ADDED, absent means its default. SEQ_NO_MEMORY. Release with
// seq_program_clear.
seq_status seq_program_join(const seq_program *base, seq_program *out, seq_error *error);
void seq_program_clear(seq_program *joined);
// Bytes of the values of a program with groups.
size_t seq_program_values_size(const seq_program *program);

// Where a value came from, per option index.
typedef enum seq_option_source {
    SEQ_FROM_DEFAULT,
    SEQ_FROM_CONFIG,
    SEQ_FROM_COMMAND_LINE,
    SEQ_FROM_RECORD
} seq_option_source;

typedef struct seq_parsed {
    const seq_program *program;
    void *values;           // the caller's options struct
    unsigned char *sources; // seq_option_source per table row
    int operand_count;
    const char **operands; // point into argv
    bool finished;         // --help, --man or --completion was printed: leave with exit code 0
    bool version;          // --version was given: the caller prints it and leaves with exit code 0
} seq_parsed;

// Fills `values` (zero-initialised by this call, `values_size` bytes). An unknown option or key, a
// value out of bounds or of another type, a text that is empty and a missing required option are
// SEQ_BAD_USAGE with a message that names the option, the value, what was expected and, for an
// unknown one, the sibling that has it or the nearest name. Of an option given twice, the last
// counts. --help goes to stdout. Required options and operand counts are not checked when finished
// or version is set.
seq_status seq_options_parse(const seq_program *program, int argc, char **argv, void *values,
                             size_t values_size, seq_parsed *out, seq_error *error);
// What `--name` says on a command line that is still to be parsed; NULL: nothing. Nothing is
// checked or printed, and no configuration file is read.
const char *seq_option_peek(const seq_program *program, int argc, char **argv, const char *name);
void seq_options_clear(seq_parsed *parsed); // also frees TEXT fields
// An option that a record leaves out because it says no more than its absence does.
enum { SEQ_OPTION_ABSENT = 1024 }; // bytes of such a text, at most
bool seq_option_is_absent(const seq_parsed *parsed, size_t index);
// The struct of a group of the program; NULL: the program does not have it.
const void *seq_option_values(const seq_parsed *parsed, const seq_option_group *group);

// Sets one option from text as the config file does (record keys of a checkpoint, tests).
seq_status seq_option_set(seq_parsed *parsed, const char *name, const char *text,
                          seq_option_source source, seq_error *error);
// The value as text that the parser accepts again; NULL text fields give "". `out` holds `size`
// bytes.
void seq_option_get_text(const seq_parsed *parsed, size_t index, char *out, size_t size);
// A duration in any of the forms of SEQ_OPTION_DURATION; false: it is none.
bool seq_duration_parse(const char *text, double *out);
// Index of an option by name, or -1.
int seq_option_find(const seq_program *program, const char *name);
// "key = value" lines with the help as comments: config.ini, readable by --config again. Without
// SEQ_OPTION_ONCE rows.
seq_status seq_options_write_config(const seq_parsed *parsed, FILE *stream, seq_error *error);

void seq_options_print_help(const seq_program *program, FILE *stream);
void seq_options_print_man(const seq_program *program, FILE *stream);        // troff, section 1
void seq_options_print_completion(const seq_program *program, FILE *stream); // bash

#endif
