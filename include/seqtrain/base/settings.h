// A program's options and those of its groups, with their values.
#ifndef SEQTRAIN_BASE_SETTINGS_H
#define SEQTRAIN_BASE_SETTINGS_H

#include <seqtrain/base/option.h>
#include <seqtrain/base/record.h>

// Points into itself: stays where it was made.
typedef struct seq_settings {
    seq_program program;
    char *values;
    seq_parsed parsed;
} seq_settings;

// Joins the table of `base`, and parses as seq_options_parse does. Release with seq_settings_clear,
// after a failure, too.
seq_status seq_settings_parse(const seq_program *base, int argc, char **argv, seq_settings *out,
                              seq_error *error);
// The groups without a program or a command line: as a record has them. Options that `record` does
// not name are at their defaults; its other keys are others'. NULL: all defaults. Values pass the
// bounds of the table: SEQ_NO_CHECKPOINT names the option. Release with seq_settings_clear.
seq_status seq_settings_read(const seq_option_group *const *groups, const seq_record *record,
                             seq_settings *out, seq_error *error);
void seq_settings_clear(seq_settings *settings);

#endif
