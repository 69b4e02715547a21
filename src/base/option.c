// Parses command lines and configuration files by a program's table of options. Sources in order:
// the defaults, --config FILE, the command line; each value remembers where it came from.
// Invariant: a bad name or value is an error that names the option, its source and what is
// expected. Tests: tests/unit/base/test_option.c, tests/cli/options.sh.
#include "option_value.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_LIMIT = 1 << 20 };

int seq_option_find(const seq_program *program, const char *name) {
    for (int i = 0; program->options[i].type != SEQ_OPTION_END; i++)
        if (program->options[i].type != SEQ_OPTION_HEADING &&
            strcmp(program->options[i].name, name) == 0)
            return i;
    return -1;
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

// Insertions, deletions, substitutions and exchanges of neighbours, for names of at most 63 bytes.
static size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][64], length = strlen(b), i = 0;
    if (length > 63 || strlen(a) > 63) return 64;
    for (size_t j = 0; j <= length; j++)
        rows[0][j] = j;
    for (; a[i]; i++) {
        const size_t *before = rows[i % 3], *last = rows[(i + 2) % 3];
        size_t *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            row[j + 1] = smallest(before[j + 1] + 1, row[j] + 1, before[j] + (a[i] != b[j]));
            bool exchanged = i && j && a[i] == b[j - 1] && a[i - 1] == b[j];
            if (exchanged && last[j - 1] + 1 < row[j + 1]) row[j + 1] = last[j - 1] + 1;
        }
    }
    return rows[i % 3][length];
}

typedef struct seq_nearest {
    const char *name;
    size_t distance;
} seq_nearest;

// A name that begins with what was typed is near, however long it is.
static void consider(seq_nearest *nearest, const char *typed, const char *name) {
    bool begins = strlen(typed) >= 3 && strncmp(name, typed, strlen(typed)) == 0;
    size_t distance = begins ? 1 : edit_distance(typed, name);
    if (distance < nearest->distance) *nearest = (seq_nearest){name, distance};
}

// Where the command line has dashes, what every program has is a candidate, too.
// What every program has beside its table.
static const char *const implied[] = {"help", "version", "config", "man", "completion"};

static bool is_implied(const char *name) {
    for (size_t i = 0; i < sizeof implied / sizeof *implied; i++)
        if (strcmp(implied[i], name) == 0) return true;
    return false;
}

static const char *nearest_name(const seq_program *program, const char *typed, bool dashes) {
    seq_nearest nearest = {NULL, strlen(typed) / 3 + 2};
    for (const seq_option *option = program->options; option->type != SEQ_OPTION_END; option++)
        if (option->type != SEQ_OPTION_HEADING) consider(&nearest, typed, option->name);
    for (size_t i = 0; dashes && i < sizeof implied / sizeof *implied; i++)
        consider(&nearest, typed, implied[i]);
    return nearest.name;
}

// "seqtrain has it", "seqtrain and seqsample have it"; "" when no sibling has.
static void name_owners(const seq_program *program, const char *name, char *out, size_t size) {
    char wanted[80];
    const char *last = NULL;
    size_t used = 0;
    snprintf(wanted, sizeof wanted, " %.70s ", name);
    *out = '\0';
    for (const seq_sibling *sibling = program->siblings; sibling && sibling->name; sibling++) {
        if (strcmp(sibling->name, program->name) == 0 || !strstr(sibling->options, wanted))
            continue;
        if (last) used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", last);
        last = sibling->name;
    }
    if (last)
        snprintf(out + used, size - used, "%s%s %s it", used ? " and " : "", last,
                 used ? "have" : "has");
}

static seq_status unknown(const seq_program *program, const char *where, const char *dashes,
                          const char *name, seq_error *error) {
    char owners[200];
    name_owners(program, name, owners, sizeof owners);
    const char *near = *owners ? NULL : nearest_name(program, name, *dashes);
    return seq_error_set(
        error, SEQ_BAD_USAGE, "%s%s%s: unknown option%s%s%s%s%s; %s --help lists those of %s",
        where, dashes, name, *owners ? "; " : "", owners, near ? "; did you mean " : "",
        near && *dashes ? "--" : "", near ? near : "", program->name, program->name);
}

static seq_status set(seq_parsed *parsed, size_t index, const char *text, seq_option_source source,
                      const char *where, seq_error *error) {
    char why[512] = "";
    const char *dashes = *where ? "" : "--",
               *quote = text[strcspn(text, " \t\n")] || !*text ? "'" : "";
    bool again = parsed->program->options[index].flags & SEQ_OPTION_REPEATED &&
                 parsed->sources[index] == source;
    seq_status status = seq_option_parse_value(parsed, index, text, again, why, sizeof why);
    if (status)
        return seq_error_set(error, status, "%s%s%s %s%s%s: %s", where, dashes,
                             parsed->program->options[index].name, quote, text, quote, why);
    parsed->sources[index] = (unsigned char)source;
    return SEQ_OK;
}

seq_status seq_option_set(seq_parsed *parsed, const char *name, const char *text,
                          seq_option_source source, seq_error *error) {
    int index = seq_option_find(parsed->program, name);
    if (index < 0) return unknown(parsed->program, "", "", name, error);
    return set(parsed, (size_t)index, text, source, source == SEQ_FROM_COMMAND_LINE ? "" : "key ",
               error);
}

static char *trim(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

// "value" and 'value', in place. Between double quotes \\ \" \n \r \t stand for one character;
// between single ones all stand for themselves. *out_rest is what follows the closing quote, NULL:
// there is no such value.
static char *unquote(char *text, char **out_rest) {
    static const char escapes[] = "\\\\\"\"n\nr\rt\t"; // written, meant
    char quote = *text, *to = text, *at = text + 1;
    *out_rest = NULL;
    for (; *at && *at != quote; at++) {
        if (quote != '"' || *at != '\\') {
            *to++ = *at;
            continue;
        }
        const char *pair = escapes;
        at++;
        while (*pair && *pair != *at)
            pair += 2;
        if (!*pair) return text;
        *to++ = pair[1];
    }
    if (*at != quote) return text;
    *out_rest = at + 1;
    *to = '\0';
    return text;
}

static char *find_comment(char *text) {
    for (char *at = text; *at; at++)
        if (*at == '#' && (at == text || isspace((unsigned char)at[-1]))) return at;
    return NULL;
}

// A line of a configuration: where it stands, and whether seqtrain has written it, which quotes
// values with a # since it reads comments behind values.
typedef struct config_line {
    const char *where, *name;
    bool generated, is_text;
} config_line;

// Quotes and a comment behind it taken off the value. Texts of old files may hold a # of their own:
// what is left out, or not, is told.
static seq_status read_value(const config_line *line, char **value, seq_error *error) {
    char *rest, *comment;
    if (**value == '"' || **value == '\'') {
        char *shown = strdup(*value);
        *value = unquote(*value, &rest);
        bool whole = rest && (rest = trim(rest), !*rest || *rest == '#');
        if (!whole)
            seq_error_set(error, SEQ_BAD_USAGE,
                          "%s%s: %.80s: expected one value in quotes; within double quotes, "
                          "\\\\ and \\\" stand for \\ and \"",
                          line->where, line->name, shown ? shown : "");
        free(shown);
        return error->status;
    }
    comment = find_comment(*value);
    if (!comment) return SEQ_OK;
    if (line->is_text && line->generated) {
        seq_log_warning("%s%s is '%s', with the #: a comment has a line of its own", line->where,
                        line->name, *value);
        return SEQ_OK;
    }
    if (line->is_text)
        seq_log_warning("%s%s: '%s' is a comment; where it belongs to the value, put that into "
                        "double quotes",
                        line->where, line->name, comment);
    *comment = '\0';
    *value = trim(*value);
    return SEQ_OK;
}

static seq_status read_config_line(seq_parsed *parsed, const char *path, int number, char *line,
                                   bool generated, seq_error *error) {
    char where[SEQ_PATH + 32];
    char *name = trim(line);
    if (!*name || *name == '#' || *name == ';') return SEQ_OK;
    snprintf(where, sizeof where, "%s line %d: ", path, number);
    char *equals = strchr(name, '=');
    if (!equals)
        return seq_error_set(error, SEQ_BAD_USAGE, "%sexpected key = value, found %.60s", where,
                             name);
    *equals = '\0';
    name = trim(name);
    char *value = trim(equals + 1);
    int index = seq_option_find(parsed->program, name);
    if (index < 0 ? is_implied(name) : parsed->program->options[index].flags & SEQ_OPTION_ONCE)
        return seq_error_set(
            error, SEQ_BAD_USAGE, "%s%s: for the command line only, as --%s%s", where, name, name,
            strcmp(name, "config") == 0 ? "; a configuration file cannot include another" : "");
    if (index < 0) return unknown(parsed->program, where, "", name, error);
    const seq_option *option = &parsed->program->options[index];
    if (parsed->sources[index] == SEQ_FROM_COMMAND_LINE) return SEQ_OK;
    bool is_text = option->type == SEQ_OPTION_TEXT;
    if (read_value(&(config_line){where, name, generated, is_text}, &value, error))
        return error->status;
    if (!*value && !option->standard && is_text) return SEQ_OK;
    return set(parsed, (size_t)index, value, SEQ_FROM_CONFIG, where, error);
}

static seq_status read_config(seq_parsed *parsed, const char *path, seq_error *error) {
    char *text = NULL;
    size_t size;
    seq_status status = seq_file_read(path, CONFIG_LIMIT, &text, &size, error);
    if (status) return seq_error_add_context(error, "--config");
    if (strlen(text) != size)
        status =
            seq_error_set(error, SEQ_BAD_USAGE, "--config %s: has a NUL byte, is not text", path);
    int number = 0;
    char *begin = text && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
    bool generated = strncmp(begin, SEQ_CONFIG_TITLE, strlen(SEQ_CONFIG_TITLE)) == 0;
    for (char *line = begin; !status && line;) {
        char *next = strchr(line, '\n');
        if (next) *next++ = '\0';
        status = read_config_line(parsed, path, ++number, line, generated, error);
        line = next;
    }
    free(text);
    return status;
}

typedef struct seq_arguments {
    int count, next;
    char **values;
    const char *config;
} seq_arguments;

static bool is_option(const seq_program *program, const char *argument) {
    return strncmp(argument, "--", 2) == 0 && seq_option_find(program, argument + 2) >= 0;
}

static seq_status take_value(const seq_program *program, const seq_option *option,
                             const char *attached, seq_arguments *arguments, const char **out,
                             seq_error *error) {
    const char *next =
        arguments->next < arguments->count ? arguments->values[arguments->next] : NULL;
    if (attached)
        *out = attached;
    else if (option->type == SEQ_OPTION_FLAG)
        *out = "yes";
    else if (next && !is_option(program, next)) {
        *out = next;
        arguments->next++;
    } else
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: needs a value %s%s%s%s", option->name,
                             option->argument, next ? ", found " : "", next ? next : "",
                             next ? ", which is an option (write = before it if it is the value)"
                                  : "");
    if (option->type == SEQ_OPTION_TEXT && !**out && !(option->flags & SEQ_OPTION_EMPTY))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s '': expected %s, the value is empty",
                             option->name, option->argument);
    return SEQ_OK;
}

static seq_status apply(seq_parsed *parsed, size_t index, const char *attached,
                        seq_arguments *arguments, seq_error *error) {
    const char *text = NULL;
    const seq_program *program = parsed->program;
    seq_status status =
        take_value(program, &program->options[index], attached, arguments, &text, error);
    return status ? status : set(parsed, index, text, SEQ_FROM_COMMAND_LINE, "", error);
}

// --help, --man, --completion, --version, --config: every program has them.
static bool apply_implied(seq_parsed *parsed, const char *name, const char *attached,
                          seq_arguments *arguments, seq_error *error) {
    const seq_program *program = parsed->program;
    if (strcmp(name, "config") == 0) {
        if (attached ? !*attached : arguments->next >= arguments->count)
            seq_error_set(error, SEQ_BAD_USAGE, "--config: needs a value FILE");
        else
            arguments->config = attached ? attached : arguments->values[arguments->next++];
        return true;
    }
    bool known = strcmp(name, "help") == 0 || strcmp(name, "man") == 0 ||
                 strcmp(name, "completion") == 0 || strcmp(name, "version") == 0;
    if (known && attached)
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s=%s: takes no value", name, attached) != 0;
    if (strcmp(name, "version") == 0) return parsed->version = true;
    if (strcmp(name, "help") == 0)
        seq_options_print_help(program, stdout);
    else if (strcmp(name, "man") == 0)
        seq_options_print_man(program, stdout);
    else if (strcmp(name, "completion") == 0)
        seq_options_print_completion(program, stdout);
    else
        return false;
    return parsed->finished = true;
}

enum { NAME_LIMIT = 64 };

// NAME=VALUE, without dashes: the value or NULL.
static const char *split(const char *argument, char name[NAME_LIMIT]) {
    const char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    snprintf(name, NAME_LIMIT, "%.*s", (int)(length < 63 ? length : 63), argument);
    return equals ? equals + 1 : NULL;
}

static seq_status parse_long(seq_parsed *parsed, const char *argument, seq_arguments *arguments,
                             seq_error *error) {
    char name[NAME_LIMIT];
    const char *attached = split(argument, name);
    int index = seq_option_find(parsed->program, name);
    if (index >= 0) return apply(parsed, (size_t)index, attached, arguments, error);
    index =
        strncmp(name, "no-", 3) == 0 && !attached ? seq_option_find(parsed->program, name + 3) : -1;
    if (index >= 0 && parsed->program->options[index].type == SEQ_OPTION_FLAG)
        return apply(parsed, (size_t)index, "no", arguments, error);
    if (apply_implied(parsed, name, attached, arguments, error)) return error->status;
    return unknown(parsed->program, "", "--", name, error);
}

static seq_status parse_short(seq_parsed *parsed, const char *argument, seq_arguments *arguments,
                              seq_error *error) {
    const seq_option *options = parsed->program->options;
    if (strcmp(argument, "-h") == 0) {
        apply_implied(parsed, "help", NULL, arguments, error);
        return SEQ_OK;
    }
    char name[64]; // -output is no -o utput
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 1, "="), argument + 1);
    bool is_long = name[1] && seq_option_find(parsed->program, name) >= 0;
    const char *attached = argument[2] == '=' ? argument + 3 : argument[2] ? argument + 2 : NULL;
    for (size_t i = 0; !is_long && options[i].type != SEQ_OPTION_END; i++)
        if (options[i].type != SEQ_OPTION_HEADING && options[i].letter &&
            options[i].letter == argument[1])
            return apply(parsed, i, attached, arguments, error);
    return unknown(parsed->program, "", "-", name, error);
}

static seq_status parse_arguments(seq_parsed *parsed, seq_arguments *arguments, seq_error *error) {
    bool options_end = false;
    while (arguments->next < arguments->count && !error->status && !parsed->finished &&
           !parsed->version) {
        const char *argument = arguments->values[arguments->next++];
        if (!options_end && strcmp(argument, "--") == 0)
            options_end = true;
        else if (!options_end && strncmp(argument, "--", 2) == 0)
            parse_long(parsed, argument + 2, arguments, error);
        else if (!options_end && argument[0] == '-' && argument[1])
            parse_short(parsed, argument, arguments, error);
        else
            parsed->operands[parsed->operand_count++] = argument;
    }
    return error->status;
}

static seq_status set_defaults(seq_parsed *parsed, seq_error *error) {
    const seq_option *options = parsed->program->options;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && options[i].type != SEQ_OPTION_END; i++)
        if (options[i].type != SEQ_OPTION_HEADING && options[i].standard)
            status = set(parsed, i, options[i].standard, SEQ_FROM_DEFAULT, "", error);
    return status;
}

static seq_status check_required(const seq_parsed *parsed, seq_error *error) {
    const seq_program *program = parsed->program;
    for (size_t i = 0; program->options[i].type != SEQ_OPTION_END; i++)
        if (program->options[i].flags & SEQ_OPTION_REQUIRED &&
            parsed->sources[i] == SEQ_FROM_DEFAULT)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s %s: missing; %s --help says more",
                                 program->options[i].name,
                                 program->options[i].argument ? program->options[i].argument : "",
                                 program->name);
    int count = parsed->operand_count, synopsis = (int)strcspn(program->synopsis, "\n");
    for (int i = 0; i < count; i++)
        if (!*parsed->operands[i])
            return seq_error_set(error, SEQ_BAD_USAGE, "operand %d is empty; usage: %s %.*s", i + 1,
                                 program->name, synopsis, program->synopsis);
    if (count < program->minimum_operands ||
        (program->maximum_operands >= 0 && count > program->maximum_operands))
        return seq_error_set(error, SEQ_BAD_USAGE, "%d operands given%s%s; usage: %s %.*s", count,
                             count ? ", the last is " : "",
                             count ? parsed->operands[count - 1] : "", program->name, synopsis,
                             program->synopsis);
    return SEQ_OK;
}

seq_status seq_options_parse(const seq_program *program, int argc, char **argv, void *values,
                             size_t values_size, seq_parsed *out, seq_error *error) {
    seq_arguments arguments = {.count = argc, .next = 1, .values = argv};
    memset(values, 0, values_size);
    *out = (seq_parsed){.program = program, .values = values};
    seq_status status =
        seq_allocate(&out->sources, seq_option_count(program->options), 1, "the options", error);
    if (!status)
        status = seq_allocate(&out->operands, (size_t)argc + 1, sizeof *out->operands,
                              "the operands", error);
    if (!status) status = set_defaults(out, error);
    if (!status) status = parse_arguments(out, &arguments, error);
    if (status || out->finished || out->version) return status;
    if (arguments.config) status = read_config(out, arguments.config, error);
    return status ? status : check_required(out, error);
}

const char *seq_option_peek(const seq_program *program, int argc, char **argv, const char *name) {
    seq_arguments arguments = {.count = argc, .next = 1, .values = argv};
    const char *found = NULL, *value = NULL;
    while (arguments.next < argc && strcmp(argv[arguments.next], "--") != 0) {
        char typed[NAME_LIMIT];
        seq_error ignored = {0};
        const char *argument = argv[arguments.next++];
        if (strncmp(argument, "--", 2) != 0) continue;
        const char *attached = split(argument + 2, typed);
        int index = seq_option_find(program, typed);
        if (index < 0)
            arguments.next += strcmp(typed, "config") == 0 && !attached;
        else if (!take_value(program, &program->options[index], attached, &arguments, &value,
                             &ignored) &&
                 strcmp(typed, name) == 0)
            found = value;
    }
    return found;
}

void seq_options_clear(seq_parsed *parsed) {
    const seq_option *options = parsed->program ? parsed->program->options : NULL;
    for (size_t i = 0; options && options[i].type != SEQ_OPTION_END; i++) {
        if (options[i].type != SEQ_OPTION_TEXT) continue;
        char **field = (char **)((char *)parsed->values + options[i].offset);
        free(*field);
        *field = NULL;
    }
    free(parsed->sources);
    free(parsed->operands);
    *parsed = (seq_parsed){0};
}
