// Prints a program's table of options as --help, man page, bash completion and
// configuration file. All four follow from the rows, so a new row appears in
// each; options of a single call stay out of the file. Invariant: a written
// value is quoted where the parser would read it differently, so --config gives
// it back unchanged. Tests: tests/unit/base/test_option.c,
// tests/cli/options.sh.
#include "option_value.h"
#include <ctype.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 26 };

static const char *const implied[][3] = {
    {"config", "FILE",
     "Read options from FILE: lines of key = value, the keys being the names above; # begins a "
     "comment, a value may stand in quotes. The command line wins; of an option given twice, the "
     "last value counts."},
    {"help", NULL, "Print this text (also -h)."},
    {"version", NULL, "Print the versions of the program, its compiler, kernels and libraries."},
    {"man", NULL, "Print the manual page (troff)."},
    {"completion", NULL, "Print the completion for bash."},
};
static const char exit_codes[] =
    "0 done, 2 usage, 3 bad input data, 4 no usable checkpoint, 5 numeric failure, 6 a "
    "rank failed or hung, 7 no space on a disk or for what ranks share in memory, or a failing "
    "disk, 75 stopped early with a checkpoint, 1 anything else.";
enum { IMPLIED = sizeof implied / sizeof *implied };

// Words of text from column `column` on, wrapped below WIDTH and indented by INDENT.
static void print_wrapped(FILE *stream, const char *text, int indent, int column) {
    for (bool first = true; *text; first = false) {
        int length = (int)strcspn(text, " \n");
        if (!first && column + 1 + length > WIDTH) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', stream);
            column++;
        }
        fprintf(stream, "%.*s", length, text);
        column += length;
        text += length;
        text += strspn(text, " \n");
    }
    fputc('\n', stream);
}

static void describe_default(const seq_option *option, char *out, size_t size) {
    char bounds[256];
    seq_option_describe_bounds(option, bounds, sizeof bounds);
    if (option->type == SEQ_OPTION_FLAG && option->standard &&
        strcmp(option->standard, "yes") == 0) {
        snprintf(out, size, " (default yes; --no-%s: no)", option->name);
        return;
    }
    bool shown = option->standard && option->type != SEQ_OPTION_FLAG;
    bool both = shown && *bounds;
    if (shown || *bounds)
        snprintf(out, size, " (%s%s%s%s)", shown ? "default " : "", shown ? option->standard : "",
                 both ? "; " : "", bounds);
    else
        *out = '\0';
}

static void print_row(FILE *stream, const char *head, const char *text) {
    int used = fprintf(stream, "  %s", head);
    if (used > INDENT - 2) {
        fputc('\n', stream);
        used = 0;
    }
    fprintf(stream, "%*s", INDENT - used, "");
    print_wrapped(stream, text, INDENT, INDENT);
}

static void option_head(const seq_option *option, char *out, size_t size) {
    char letter[8] = "";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(out, size, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
}

static void print_option(FILE *stream, const seq_option *option) {
    char head[128], text[2048], standard[400];
    describe_default(option, standard, sizeof standard);
    option_head(option, head, sizeof head);
    snprintf(text, sizeof text, "%s%s", option->help, standard);
    print_row(stream, head, text);
}

void seq_options_print_help(const seq_program *program, FILE *stream) {
    fprintf(stream, "Usage: %s %s\n\n", program->name, program->synopsis);
    print_wrapped(stream, program->summary, 0, 0);
    for (const seq_option *option = program->options; option->type != SEQ_OPTION_END; option++) {
        if (option->type == SEQ_OPTION_HEADING)
            fprintf(stream, "\n%s:\n", option->help);
        else
            print_option(stream, option);
    }
    fprintf(stream, "\nAll programs:\n");
    for (int i = 0; i < IMPLIED; i++) {
        char head[64];
        snprintf(head, sizeof head, "--%s%s%s", implied[i][0], implied[i][1] ? " " : "",
                 implied[i][1] ? implied[i][1] : "");
        print_row(stream, head, implied[i][2]);
    }
    fputs("\nExit codes: ", stream);
    print_wrapped(stream, exit_codes, 0, (int)strlen("Exit codes: "));
    if (program->examples) fprintf(stream, "\nExamples:\n%s", program->examples);
}

// Text for troff: a backslash and a dot or apostrophe at a line's start have a meaning there; a
// hyphen is a minus.
static void print_troff(FILE *stream, const char *text) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", stream);
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else
            fputc(*text, stream);
        start = *text == '\n';
    }
}

static void print_man_row(FILE *stream, const char *head, const char *text, const char *more) {
    fputs(".TP\n.B ", stream);
    print_troff(stream, head);
    fputc('\n', stream);
    print_troff(stream, text);
    print_troff(stream, more);
    fputc('\n', stream);
}

void seq_options_print_man(const seq_program *program, FILE *stream) {
    char upper[64];
    size_t length = 0;
    for (; program->name[length] && length + 1 < sizeof upper; length++)
        upper[length] = (char)toupper((unsigned char)program->name[length]);
    upper[length] = '\0';
    fprintf(stream, ".TH %s 1\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n", upper, program->name,
            "part of seqtrain, a trainer of recurrent sequence models");
    fprintf(stream, ".B %s\n", program->name);
    print_troff(stream, program->synopsis);
    fprintf(stream, "\n.fi\n.SH DESCRIPTION\n");
    print_troff(stream, program->summary);
    fprintf(stream, "\n.SH OPTIONS\n");
    for (const seq_option *option = program->options; option->type != SEQ_OPTION_END; option++) {
        char head[128], standard[400];
        if (option->type == SEQ_OPTION_HEADING) {
            fprintf(stream, ".SS %s\n", option->help);
            continue;
        }
        option_head(option, head, sizeof head);
        describe_default(option, standard, sizeof standard);
        print_man_row(stream, head, option->help, standard);
    }
    fprintf(stream, ".SS All programs\n");
    for (int i = 0; i < IMPLIED; i++) {
        char head[64];
        snprintf(head, sizeof head, "--%s%s%s", implied[i][0], implied[i][1] ? " " : "",
                 implied[i][1] ? implied[i][1] : "");
        print_man_row(stream, head, implied[i][2], "");
    }
    fprintf(stream, ".SH EXIT STATUS\n%s\n", exit_codes);
    if (program->examples) {
        fprintf(stream, ".SH EXAMPLES\n.nf\n");
        print_troff(stream, program->examples);
        fprintf(stream, ".fi\n");
    }
}

static void print_choice_case(const seq_option *option, FILE *stream) {
    const char *const *choices = seq_option_choices(option);
    fprintf(stream, "  --%s) COMPREPLY=($(compgen -W '", option->name);
    for (int i = 0; choices[i]; i++)
        fprintf(stream, "%s%s", i ? " " : "", choices[i]);
    fprintf(stream, "' -- \"$word\")); return ;;\n");
}

void seq_options_print_completion(const seq_program *program, FILE *stream) {
    fprintf(stream,
            "_%s() {\n  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n  "
            "case $before in\n",
            program->name);
    for (const seq_option *option = program->options; option->type != SEQ_OPTION_END; option++)
        if (option->type == SEQ_OPTION_CHOICE) print_choice_case(option, stream);
    fprintf(stream, "  esac\n  if [[ $word == -* ]]; then\n    COMPREPLY=($(compgen -W '");
    for (const seq_option *option = program->options; option->type != SEQ_OPTION_END; option++)
        if (option->type != SEQ_OPTION_HEADING) fprintf(stream, "--%s ", option->name);
    for (int i = 0; i < IMPLIED; i++)
        fprintf(stream, "--%s%s", implied[i][0], i + 1 < IMPLIED ? " " : "");
    fprintf(stream,
            "' -- \"$word\"))\n  else\n    COMPREPLY=($(compgen -f -- \"$word\"))\n  "
            "fi\n}\ncomplete -o filenames -F _%s %s\n",
            program->name, program->name);
}

static void write_comment(FILE *stream, const seq_option *option) {
    char standard[400];
    describe_default(option, standard, sizeof standard);
    fprintf(stream, "\n# %s%s\n", option->help, standard);
}

// In quotes where it would not be read as it is.
static void write_value(FILE *stream, const seq_option *option, const char *text) {
    size_t length = strlen(text);
    bool plain =
        option->type != SEQ_OPTION_TEXT || !length ||
        (!strpbrk(text, "#\n\r\t\v\f") && !strchr("\"' ", *text) && text[length - 1] != ' ');
    if (plain) {
        fprintf(stream, "%s =%s%s\n", option->name, length ? " " : "", text);
        return;
    }
    fprintf(stream, "%s = \"", option->name);
    for (; *text; text++) {
        const char *escaped = *text == '\n'   ? "\\n"
                              : *text == '\r' ? "\\r"
                              : *text == '"'  ? "\\\""
                              : *text == '\\' ? "\\\\"
                                              : NULL;
        if (escaped)
            fputs(escaped, stream);
        else
            fputc(*text, stream);
    }
    fputs("\"\n", stream);
}

seq_status seq_options_write_config(const seq_parsed *parsed, FILE *stream, seq_error *error) {
    const seq_option *options = parsed->program->options;
    fprintf(stream, SEQ_CONFIG_TITLE "%s; read again by --config.\n", parsed->program->name);
    for (size_t i = 0; options[i].type != SEQ_OPTION_END; i++) {
        char text[4096];
        if (options[i].type == SEQ_OPTION_HEADING) {
            fprintf(stream, "\n# ---- %s ----\n", options[i].help);
            continue;
        }
        if (options[i].flags & SEQ_OPTION_ONCE) continue;
        seq_option_get_text(parsed, i, text, sizeof text);
        write_comment(stream, &options[i]);
        write_value(stream, &options[i], text);
    }
    return ferror(stream) ? seq_error_set_errno(error, "writing the configuration") : SEQ_OK;
}
