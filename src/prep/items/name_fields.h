// Fields of an item that its file's name holds: --label-pattern, or the class folder.
#ifndef SEQ_PREP_NAME_FIELDS_H
#define SEQ_PREP_NAME_FIELDS_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>

enum { SEQ_NAME_FIELDS = 8 };

// "{label}_{group}_{index}.wav": literal[0], field[0], literal[1] ... literal[count].
typedef struct seq_name_pattern {
    char *text; // what the others point to
    int count, slashes;
    const char *fields[SEQ_NAME_FIELDS], *literals[SEQ_NAME_FIELDS + 1];
} seq_name_pattern;

typedef struct seq_name_part {
    const char *at;
    size_t size;
} seq_name_part;

// SEQ_BAD_USAGE names the option and what is wrong.
seq_status seq_name_pattern_parse(const char *text, seq_name_pattern *out, seq_error *error);
void seq_name_pattern_clear(seq_name_pattern *pattern);
// Cuts the end of a path, as many folders as the pattern has slashes and the file's name, into
// `count` parts of at least a byte without a slash. Returns how many ways there are: 0, 1, or 2 for
// more. With one `out` holds it.
int seq_name_pattern_match(const seq_name_pattern *pattern, const char *path,
                           seq_name_part out[SEQ_NAME_FIELDS]);

#endif
