// Keeps the lines of RUN/identity.txt. A line is the values that decided a
// run's numbers at some time; a checkpoint fits when it agrees with all fields
// of any one line. A field that the checkpoint's version did not have counts as
// fitting, but for those that are absent at their default: task, schema, sources
// of first values and options of groups. Invariant: lines are only added, and
// the file is replaced atomically. Tests: tests/unit/checkpoint/test_identity.c,
// tests/fault/run_directory.sh.
#include <seqtrain/checkpoint/identity.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/task/task.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "# What decides the numbers of this run; checkpoints with other "
                             "values are of another run.\n";
enum { LIMIT = 1 << 20, DIFFERENCES = 500 };

// Of a field of identity.txt; NULL when the manifest does not have it.
static const char *value_of(const seq_manifest *manifest, const char *field) {
    const seq_record *data = seq_manifest_section_find(manifest, "data");
    if (strcmp(field, "data") == 0) return seq_record_text(data, "hash");
    if (strcmp(field, "vocabulary") == 0) return seq_record_text(data, "vocabulary_hash");
    if (strcmp(field, "schema") == 0) return seq_record_text(data, "schema_hash");
    if (strcmp(field, "task") == 0)
        return seq_record_text(seq_manifest_section_find(manifest, "schema"), "task");
    if (strcmp(field, "init-from") == 0 || strcmp(field, "embeddings") == 0)
        return seq_record_text(seq_manifest_section_find(manifest, "initial"), field);
    return seq_record_text(seq_manifest_section_find(manifest, "options"), field);
}

// Fields that are there only where they are not at their default: calls `use` for each.
typedef void use_added(void *context, const char *field, const char *standard);
static void walk_added(use_added *use, void *context) {
    seq_schema tokens; // what a manifest without a schema stands for
    seq_schema_set_tokens(&tokens);
    use(context, "task", tokens.task);
    use(context, "schema", "none");
    use(context, "init-from", "");
    use(context, "embeddings", "");
    for (const seq_option_group *const *group = seq_task_groups; *group; group++)
        for (const seq_option *at = (*group)->options; at->type != SEQ_OPTION_END; at++)
            if (at->flags & SEQ_OPTION_IDENTITY)
                use(context, at->name, at->standard ? at->standard : "");
}

// One line or more, and in each nothing but FIELD=VALUE, separated by tabs.
static bool is_whole(const char *lines) {
    if (!*lines) return false;
    while (*lines) {
        size_t length = strcspn(lines, "\t\n");
        if (!lines[length] || !memchr(lines, '=', length)) return false;
        lines += length + 1;
    }
    return lines[-1] == '\n';
}

// *out is NULL where there is no such file. Release with free().
static seq_status read_lines(const char *run, char path[SEQ_PATH], char **out, seq_error *error) {
    size_t size = 0;
    uint64_t listed;
    *out = NULL;
    seq_status status = seq_path_join(path, run, "identity.txt", error);
    if (status || !seq_path_exists(path)) return status;
    status = seq_file_size(path, &listed, error);
    if (!status) status = seq_file_read(path, LIMIT, out, &size, error);
    if (status) return status;
    size_t begin = sizeof header - 1;
    if (strlen(*out) == size && strncmp(*out, header, begin) == 0 && is_whole(*out + begin))
        return SEQ_OK;
    free(*out);
    *out = NULL;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading %s: not as seqtrain writes it; remove it to go on without", path);
}

static void print_field(FILE *stream, const seq_manifest *manifest, const char *field,
                        const char *separator) {
    const char *value = value_of(manifest, field);
    if (value) fprintf(stream, "%s=%s%s", field, value, separator);
}

static void print_line(FILE *stream, const char *const *fields, const seq_manifest *manifest) {
    for (; *fields; fields++)
        print_field(stream, manifest, *fields, "\t");
    print_field(stream, manifest, "task", "\t");
    print_field(stream, manifest, "schema", "\t");
    print_field(stream, manifest, "vocabulary", "\t");
    print_field(stream, manifest, "data", "\n");
}

static bool has_line(const char *lines, const char *line) {
    for (const char *at = strstr(lines, line); at; at = strstr(at + 1, line))
        if (at[-1] == '\n') return true; // the header stands before the first
    return false;
}

static seq_status append_line(const char *path, const char *lines, const char *line,
                              seq_error *error) {
    char *text = NULL;
    int size = asprintf(&text, "%s%s", lines ? lines : header, line);
    if (size < 0) return seq_error_set(error, SEQ_NO_MEMORY, "writing %s: out of memory", path);
    seq_status status = seq_file_write_atomic(path, text, (size_t)size, error);
    free(text);
    return status;
}

seq_status seq_identity_add(const char *run, const char *const *fields,
                            const seq_manifest *manifest, seq_error *error) {
    char path[SEQ_PATH], *lines = NULL, *line = NULL;
    size_t size;
    seq_status status = read_lines(run, path, &lines, error);
    if (status) return status;
    FILE *stream = open_memstream(&line, &size);
    if (stream) print_line(stream, fields, manifest);
    status = seq_memory_stream_close(stream, &line, error, "writing %s", path);
    if (!status && !(lines && has_line(lines, line)))
        status = append_line(path, lines, line, error);
    free(line);
    free(lines);
    return status;
}

static bool is_listed(const char *list, const char *field) {
    size_t length = strlen(field);
    for (const char *at = list; at && *at; at += strspn(at, ",")) {
        size_t size = strcspn(at, ",");
        if (size == length && strncmp(at, field, length) == 0) return true;
        at += size;
    }
    return false;
}

// Another vocabulary is another data set.
static bool is_excused(const char *excused, const char *field) {
    return is_listed(excused, field) ||
           (strcmp(field, "data") == 0 && is_listed(excused, "vocabulary"));
}

typedef struct comparison {
    const seq_manifest *manifest;
    const char *line, *excused;
    char differences[DIFFERENCES], names[DIFFERENCES];
    size_t used, named;
    bool final; // among them what no --override can change
} comparison;

static void compare_values(comparison *work, const char *field, const char *here,
                           const char *there) {
    if (strcmp(here, there) == 0 || is_excused(work->excused, field)) return;
    if (work->used < DIFFERENCES)
        work->used += (size_t)snprintf(work->differences + work->used, DIFFERENCES - work->used,
                                       "%s%s %.60s (this run has %.60s)", work->used ? ", " : "",
                                       field, *there ? there : "none", *here ? here : "none");
    work->final |= strcmp(field, "task") == 0 || strcmp(field, "schema") == 0;
    if (work->named < DIFFERENCES)
        work->named += (size_t)snprintf(work->names + work->named, DIFFERENCES - work->named,
                                        "%s%s", work->named ? "," : "", field);
}

// FIELD=VALUE in a line of such, separated by tabs; NULL: it has no such field.
static const char *find_field(const char *line, const char *field, int *out_length) {
    size_t length = strlen(field);
    for (; line; line = strchr(line, '\t') ? strchr(line, '\t') + 1 : NULL)
        if (strncmp(line, field, length) == 0 && line[length] == '=') {
            *out_length = (int)strcspn(line + length + 1, "\t");
            return line + length + 1;
        }
    return NULL;
}

static void compare_added(void *context, const char *field, const char *standard) {
    comparison *work = context;
    int length = 0;
    const char *found = find_field(work->line, field, &length),
               *there = value_of(work->manifest, field);
    char here[DIFFERENCES];
    if (found && there) return; // compared as every field of the line
    snprintf(here, sizeof here, "%.*s", found ? length : (int)strlen(standard),
             found ? found : standard);
    compare_values(work, field, here, there ? there : standard);
}

// What differs goes to work->differences and its fields to work->names. Cuts the line up.
static bool fits(comparison *work, char *line) {
    char *rest;
    work->used = work->named = 0;
    work->final = false;
    *work->differences = *work->names = '\0';
    work->line = line;
    walk_added(compare_added, work);
    for (char *field = strtok_r(line, "\t", &rest); field; field = strtok_r(NULL, "\t", &rest)) {
        char *equals = strchr(field, '=');
        *equals = '\0';
        const char *there = value_of(work->manifest, field);
        if (there) compare_values(work, field, equals + 1, there);
    }
    return work->used == 0;
}

seq_status seq_identity_check(const char *run, const char *directory, const seq_manifest *manifest,
                              const char *excused, seq_error *error) {
    char path[SEQ_PATH], *lines, *rest;
    comparison work = {.manifest = manifest, .excused = excused};
    seq_status status = read_lines(run, path, &lines, error);
    if (status || !lines) return status;
    bool found = false;
    for (char *line = strtok_r(lines + sizeof header - 1, "\n", &rest); line && !found;
         line = strtok_r(NULL, "\n", &rest))
        found = fits(&work, line);
    free(lines);
    if (found) return SEQ_OK;
    if (work.final)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "%s is of another run: %s", directory,
                             work.differences);
    return seq_error_set(error, SEQ_NO_CHECKPOINT,
                         "%s is of another run: %s; seqtrain --override %s takes it nevertheless",
                         directory, work.differences, work.names);
}

static seq_status list_fields(const seq_option *options, const char ***out, seq_error *error) {
    size_t count = 0;
    for (const seq_option *at = options; at->type != SEQ_OPTION_END; at++)
        count += (at->flags & SEQ_OPTION_IDENTITY) != 0;
    seq_status status =
        seq_allocate(out, count + 1, sizeof **out, "the names of the options", error);
    if (status) return status;
    const char **next = *out;
    for (; options->type != SEQ_OPTION_END; options++)
        if (options->flags & SEQ_OPTION_IDENTITY) *next++ = options->name;
    *next = NULL;
    return SEQ_OK;
}

seq_status seq_identity_record(const char *run, const seq_option *options,
                               const seq_manifest *resumed, const seq_manifest *own,
                               seq_error *error) {
    const char **fields = NULL;
    seq_status status = list_fields(options, &fields, error);
    if (!status && resumed) // other than this session's when --override let it pass
        status = seq_identity_add(run, fields, resumed, error);
    if (!status) status = seq_identity_add(run, fields, own, error);
    free(fields);
    return status;
}
