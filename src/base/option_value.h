// One option's field as text and back.
#ifndef SEQ_BASE_OPTION_VALUE_H
#define SEQ_BASE_OPTION_VALUE_H

#include <seqtrain/base/option.h>

// A file that begins like that was written by seq_options_write_config, by any version of it.
#define SEQ_CONFIG_TITLE "# Options of "

// Parses text into the field of row `index`. On failure (SEQ_BAD_USAGE, SEQ_NO_MEMORY) `why` (size
// bytes) says what was expected and the field is unchanged. `behind`: a TEXT goes behind what is
// there, after a semicolon.
seq_status seq_option_parse_value(const seq_parsed *parsed, size_t index, const char *text,
                                  bool behind, char *why, size_t size);
size_t seq_option_count(const seq_option *options);
// "1 to 10", "at least 0", "one of a, b" ... what a value must be; "" when anything goes.
void seq_option_describe_bounds(const seq_option *option, char *out, size_t size);

#endif
