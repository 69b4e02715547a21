// Fields of a file's name. A pattern is literals with fields between them; the
// ways in which a name fits are counted from its end (a table of one number a
// part and place, 2 standing for more), so no name takes longer than another.
// Invariant: a name that fits in two ways is nobody's guess, it is refused.
// Tests: tests/unit/prep/test_name_fields.c.
#include "name_fields.h"
#include "readers/reader_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static seq_status refuse_pattern(const char *text, const char *what, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--label-pattern '%s': %s: expected the name of a file with fields in "
                         "it, such as {label}_{group}_{index}.wav",
                         text, what);
}

static const char *fault_of(const seq_name_pattern *pattern, const char *field) {
    static const char *const taken[] = {"", "file", "frames", "path"};
    if (strspn(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
        strlen(field))
        return "a field has a name of letters, digits, - and _";
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(field, taken[i]) == 0) return "a field has no name, or one that is taken";
    for (int i = 0; i < pattern->count; i++)
        if (strcmp(pattern->fields[i], field) == 0) return "a field stands there twice";
    if (pattern->count == SEQ_NAME_FIELDS) return "it has more than 8 fields";
    return pattern->count && !*pattern->literals[pattern->count] ? "two fields follow each other"
                                                                 : NULL;
}

seq_status seq_name_pattern_parse(const char *text, seq_name_pattern *out, seq_error *error) {
    size_t size = strlen(text) + 1;
    *out = (seq_name_pattern){0};
    seq_status status = seq_allocate(&out->text, size, 1, "--label-pattern", error);
    if (status) return status;
    memcpy(out->text, text, size);
    out->literals[0] = out->text;
    for (char *at = out->text; (at = strchr(at, '{'));) {
        char *end = strchr(at, '}');
        if (!end) return refuse_pattern(text, "a { is never closed", error);
        *at = *end = '\0';
        const char *fault = fault_of(out, at + 1);
        if (fault) return refuse_pattern(text, fault, error);
        out->fields[out->count++] = at + 1;
        out->literals[out->count] = at = end + 1;
    }
    if (!out->count) return refuse_pattern(text, "it has no field", error);
    for (int i = 0; i <= out->count; i++)
        for (const char *at = out->literals[i]; *at; at++)
            out->slashes += *at == '/';
    return SEQ_OK;
}

void seq_name_pattern_clear(seq_name_pattern *pattern) {
    free(pattern->text);
    *pattern = (seq_name_pattern){0};
}

// Behind the slash that has `slashes` others behind it.
static const char *end_of_path(const char *path, int slashes) {
    const char *at = path + strlen(path);
    while (at > path && (at[-1] != '/' || slashes-- > 0))
        at--;
    return at;
}

enum { NAME = 1024 }; // bytes of a name that can be cut

int seq_name_pattern_match(const seq_name_pattern *pattern, const char *path,
                           seq_name_part out[SEQ_NAME_FIELDS]) {
    const char *name = end_of_path(path, pattern->slashes);
    size_t size = strlen(name), last = strlen(pattern->literals[pattern->count]);
    // ways[k][i]: how literal k and all behind it fit what begins at i.
    unsigned char ways[SEQ_NAME_FIELDS + 1][NAME + 1] = {{0}};
    if (size > NAME || size < last) return 0;
    ways[pattern->count][size - last] =
        strcmp(name + size - last, pattern->literals[pattern->count]) == 0;
    for (int k = pattern->count - 1; k >= 0; k--) {
        size_t literal = strlen(pattern->literals[k]);
        for (size_t i = 0; i + literal < size; i++) {
            int sum = 0;
            if (strncmp(name + i, pattern->literals[k], literal) != 0) continue;
            for (size_t end = i + literal + 1; end <= size && name[end - 1] != '/'; end++)
                sum += ways[k + 1][end];
            ways[k][i] = (unsigned char)(sum > 2 ? 2 : sum);
        }
    }
    if (ways[0][0] != 1) return ways[0][0];
    for (size_t k = 0, i = 0; k < (size_t)pattern->count; k++) {
        size_t begin = i + strlen(pattern->literals[k]), end = begin + 1;
        while (!ways[k + 1][end])
            end++;
        out[k] = (seq_name_part){name + begin, end - begin};
        i = end;
    }
    return 1;
}

// The part of the path below the input, or NULL when the file is the input itself.
static const char *below(const seq_reader *reader) {
    const char *root = reader->settings->root;
    size_t size = root ? strlen(root) : 0;
    if (!root || strncmp(reader->name, root, size) != 0) return NULL;
    const char *rest = reader->name + size;
    if (*rest != '/' && !(size && root[size - 1] == '/')) return NULL;
    return rest + strspn(rest, "/");
}

seq_status seq_build_class(seq_reader *reader, bool *out_found, seq_error *error) {
    const seq_name_pattern *pattern = &reader->pattern;
    seq_name_part parts[SEQ_NAME_FIELDS];
    seq_status status = SEQ_OK;
    if (!pattern->count) {
        const char *path = below(reader), *slash = path ? strchr(path, '/') : NULL;
        *out_found = slash != NULL;
        return slash ? seq_build_text(reader, "label", path, (size_t)(slash - path), 0, 0, error)
                     : SEQ_OK;
    }
    int ways = seq_name_pattern_match(pattern, reader->name, parts);
    *out_found = ways == 1;
    if (ways != 1 && reader->settings->unlabelled) return SEQ_OK;
    if (ways != 1)
        return seq_item_refuse(reader->name, 0, 0, error, "the name fits --label-pattern '%s' %s",
                               reader->settings->label_pattern,
                               ways ? "in more than one way" : "in no way");
    for (int i = 0; !status && i < pattern->count; i++) {
        for (int k = 0; k < reader->field_count; k++)
            if (strcmp(reader->fields[k].name, pattern->fields[i]) == 0)
                return seq_item_refuse(reader->name, reader->line, 0, error,
                                       "the field '%s' stands in the file and in its name by "
                                       "--label-pattern",
                                       pattern->fields[i]);
        status =
            seq_build_text(reader, pattern->fields[i], parts[i].at, parts[i].size, 0, 0, error);
    }
    return status;
}
