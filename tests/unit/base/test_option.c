// Every type of option through every door, bad values, the config file, and
// random input. A message must name the option and what is expected; any text
// but the empty one must come back from the file that it was written to. Checks
// src/base/option.c, option_value.c and option_print.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/option.h>
#include <seqtrain/base/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
    bool flag;
    int64_t integer;
    double real, duration;
    char *text;
    int choice;
    seq_integers integers;
    double limit;
    int64_t seed;
    char *prime, *from;
} options;

static const char *const colours[] = {"red", "green", NULL};
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "Group"},
    {SEQ_OPTION_FLAG, "flag", NULL, offsetof(options, flag), "no", .help = "A flag."},
    {SEQ_OPTION_INTEGER, "integer", "N", offsetof(options, integer), "3", 1, 100000, .letter = 'i',
     .help = "An integer."},
    {SEQ_OPTION_REAL, "real", "X", offsetof(options, real), "0.1", -1, 1, .help = "A number."},
    {SEQ_OPTION_DURATION, "duration", "TIME", offsetof(options, duration), "5m", 0, 1e9,
     .help = "A time."},
    {SEQ_OPTION_TEXT, "text", "TEXT", offsetof(options, text), .help = "A text."},
    {SEQ_OPTION_CHOICE, "choice", "COLOUR", offsetof(options, choice), "green", .choices = colours,
     .help = "A choice."},
    {SEQ_OPTION_INTEGERS, "integers", "N,N", offsetof(options, integers), "1,2", 0, 50,
     .help = "A list."},
    {SEQ_OPTION_DURATION, "limit", "TIME", offsetof(options, limit), "auto", 0, 1e9,
     .flags = SEQ_OPTION_AUTO, .help = "A time that may be found out."},
    {SEQ_OPTION_INTEGER, "seed", "N", offsetof(options, seed), "1", 0, 9e15, .help = "A seed."},
    {SEQ_OPTION_TEXT, "prime", "TEXT", offsetof(options, prime), .flags = SEQ_OPTION_EMPTY,
     .help = "A text that may be empty."},
    {SEQ_OPTION_TEXT, "from", "PLACE", offsetof(options, from), .flags = SEQ_OPTION_REPEATED,
     .help = "A place, and others."},
    {.type = SEQ_OPTION_END},
};
static const seq_sibling siblings[] = {{"test", " flag integer "},
                                       {"trial", " hidden data beta1 "},
                                       {"exam", " data split "},
                                       {"quiz", " data "},
                                       {0}};
static const seq_program program = {.name = "test",
                                    .synopsis = "[options]",
                                    .summary = "A test.",
                                    .options = table,
                                    .maximum_operands = 2,
                                    .siblings = siblings};

static seq_status parse(options *values, seq_parsed *parsed, seq_error *error, int count,
                        const char *const *arguments) {
    char *argv[20] = {(char *)"test"};
    for (int i = 0; i < count; i++)
        argv[i + 1] = (char *)arguments[i];
    *error = (seq_error){0};
    return seq_options_parse(&program, count + 1, argv, values, sizeof *values, parsed, error);
}
#define PARSE(...)                                                                                 \
    parse(&values, &parsed, &error, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
          (const char *[]){__VA_ARGS__})

static void all_forms(void **state) {
    (void)state;
    options values;
    seq_parsed parsed;
    seq_error error;
    assert_int_equal(PARSE("--flag", "--integer=7k", "--real", "-0.5", "one", "--duration",
                           "1-02:00:00", "--text=a=b", "--choice", "red", "--integers", "4,5,6",
                           "--", "--two"),
                     SEQ_OK);
    assert_true(values.flag && values.integer == 7000 && values.real == -0.5 &&
                values.duration == 93600 && values.choice == 0);
    assert_string_equal(values.text, "a=b");
    assert_true(values.integers.count == 3 && values.integers.values[2] == 6);
    assert_int_equal(parsed.operand_count, 2);
    assert_string_equal(parsed.operands[1], "--two");
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("-i=6"), SEQ_OK);
    assert_int_equal(values.integer, 6);
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("-i5", "--no-flag", "--duration=90"), SEQ_OK);
    assert_true(values.integer == 5 && !values.flag && values.duration == 90 && values.choice == 1);
    assert_true(values.limit == SEQ_DURATION_AUTO);
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("--limit", "2m"), SEQ_OK);
    assert_true(values.limit == 120);
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("--limit=auto"), SEQ_OK);
    assert_true(values.limit == SEQ_DURATION_AUTO);
    seq_options_clear(&parsed);
}

static void bad_values_are_named(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"--integer=0", "1 to 100000"},
        {"--integer=x", "integer"},
        {"--integer=1M", "100000"},
        {"--integer=99999999999999999999", "integer"},
        {"--real=nan", "number"},
        {"--real=2", "-1 to 1"},
        {"--real=", "number"},
        {"--duration=5x", "duration"},
        {"--duration=1:2:3:4", "dur"},
        {"--choice=blue", "red"},
        {"--integers=1,,2", "inte"},
        {"--integers=1,99", "50"},
        {"--flag=maybe", "yes or no"},
        {"--integr=3", "--integer"},
        {"--nothing", "unknown"},
        {"-x", "unknown"},
        {"--duration=auto", "duration"},
        {"--limit=-1", "auto, or a duration"},
        {"--integer", "value"},
        {"--config=/nonexistent", "/nonexistent"},
        // Numbers as they are written elsewhere.
        {"--integer=1e3", "1 to 100000"},
        {"--integer=0x10", "1 to 100000"},
        {"--integer=5%", "1 to 100000"},
        {"--integer=1,000", "1 to 100000"},
        {"--integer= 5", "--integer ' 5': expected an integer, 1 to 100000"},
        {"--integer=", "--integer '': expected an integer, 1 to 100000"},
        {"--real=0x1p-1", "number, -1 to 1"},
        {"--real=inf", "number, -1 to 1"},
        {"--real= 0", "--real ' 0'"},
        {"--duration=0x10", "0 to 1000000000"},
        {"--duration=nan", "0 to 1000000000"},
        {"--duration=1:75", "duration"},
        {"--duration=1-24:60:00", "duration"},
        // The bound that applies, however large.
        {"--seed=10000000000000000", "an integer, 0 to 9000000000000000"},
        {"--seed=18446744073709551615", "an integer, 0 to 9000000000000000"},
        {"--seed=-1", "an integer, 0 to 9000000000000000"},
        {"--integers=99", "at most 32 integers separated by commas, 0 to 50"},
        // Whose option it is, or what it is near to.
        {"--hidden=3", "--hidden: unknown option; trial has it; test --help lists those of test"},
        {"--split=3", "exam has it"},
        {"--data=3", "trial, exam and quiz have it"},
        {"--betaa1=3", "--betaa1: unknown option; test --help"},
        {"--integer-number=3", "unknown option; test --help"},
        {"--integr", "did you mean --integer;"},
        {"--dur=3", "did you mean --duration;"},
        {"--hlep", "did you mean --help;"},
        {"--help=3", "--help=3: takes no value"},
        {"-integer=5", "-integer: unknown option; did you mean --integer"},
        {"-integer", "-integer: unknown option; did you mean --integer"},
        {"-duration", "-duration: unknown option; did you mean --duration"},
        {"-i=x", "--integer x: expected an integer"},
        {"--text=", "--text '': expected TEXT, the value is empty"},
        {"--config=", "--config: needs a value FILE"},
        {"", "operand 1 is empty"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options values;
        seq_parsed parsed;
        seq_error error;
        seq_status status = PARSE(bad[i][0]);
        if ((status != SEQ_BAD_USAGE && status != SEQ_BAD_INPUT) || !strstr(error.text, bad[i][1]))
            fail_msg("%s: status %d, message '%s' lacks '%s'", bad[i][0], status, error.text,
                     bad[i][1]);
        seq_options_clear(&parsed);
    }
}

static void what_stands_where_a_value_belongs(void **state) {
    (void)state;
    options values;
    seq_parsed parsed;
    seq_error error;
    assert_int_equal(PARSE("--text", "--flag"), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "--text: needs a value TEXT, found --flag"));
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("--text=--flag", "--prime", "", "--real", "-0", "--text", "--other"),
                     SEQ_OK);
    assert_string_equal(values.text, "--other"); // of an option given twice, the last counts
    assert_string_equal(values.prime, "");
    assert_true(!values.flag && values.real == 0);
    char text[40];
    seq_option_get_text(&parsed, (size_t)seq_option_find(&program, "real"), text, sizeof text);
    assert_string_equal(text, "0"); // not -0: a resume compares the texts
    seq_options_clear(&parsed);
}

static void write_file(const char *path, const char *text) {
    seq_error error = {0};
    assert_int_equal(seq_file_write_atomic(path, text, strlen(text), &error), SEQ_OK);
}

static void config_file_stands_between(void **state) {
    (void)state;
    options values;
    seq_parsed parsed;
    seq_error error;
    char path[] = "/tmp/seq-option-XXXXXX";
    close(mkstemp(path));
    write_file(path, "# comment\n\ninteger = 9\n real=0.25\ntext =  two words \n");
    assert_int_equal(PARSE("--config", path, "--real=0.75"), SEQ_OK);
    assert_true(values.integer == 9 && values.real == 0.75);
    assert_string_equal(values.text, "two words");
    assert_int_equal(parsed.sources[seq_option_find(&program, "integer")], SEQ_FROM_CONFIG);
    seq_options_clear(&parsed);
    write_file(path, "integer = 9\nintegre = 9\n");
    assert_int_equal(PARSE("--config", path), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "line 2"));
    seq_options_clear(&parsed);
    unlink(path);
}

static void written_config_reads_back(void **state) {
    (void)state;
    options values, again;
    seq_parsed parsed, parsed_again;
    seq_error error;
    char path[] = "/tmp/seq-option-XXXXXX";
    assert_int_equal(PARSE("--flag", "--integer=77", "--real=0.1234567890123", "--duration=12.5",
                           "--text=x y", "--choice=red", "--integers=7"),
                     SEQ_OK);
    FILE *stream = fdopen(mkstemp(path), "w");
    assert_int_equal(seq_options_write_config(&parsed, stream, &error), SEQ_OK);
    fclose(stream);
    assert_int_equal(parse(&again, &parsed_again, &error, 2, (const char *[]){"--config", path}),
                     SEQ_OK);
    for (size_t i = 1; table[i].type != SEQ_OPTION_END; i++) {
        char first[200], second[200];
        seq_option_get_text(&parsed, i, first, sizeof first);
        seq_option_get_text(&parsed_again, i, second, sizeof second);
        assert_string_equal(first, second);
    }
    seq_options_clear(&parsed);
    seq_options_clear(&parsed_again);
    unlink(path);
}

// The text option as it comes back from a file with this line; NULL: refused.
static const char *text_of(const char *path, const char *content, char out[100]) {
    options values;
    seq_parsed parsed;
    seq_error error;
    FILE *stream = fopen(path, "w"); // not to the disk, many times
    assert_true(fputs(content, stream) >= 0 && fclose(stream) == 0);
    seq_status status = PARSE("--config", path);
    if (!status) snprintf(out, 100, "%s", values.text ? values.text : "(unset)");
    seq_options_clear(&parsed);
    return status ? NULL : out;
}

// Given again, it goes behind the first; the command line takes the place of a file's.
static void some_texts_are_lists(void **state) {
    (void)state;
    options values;
    seq_parsed parsed;
    seq_error error;
    char path[] = "/tmp/seqtrain-option-XXXXXX";
    close(mkstemp(path));
    write_file(path, "from = one\nfrom = two\n");
    assert_int_equal(PARSE("--from", "a", "--text", "t", "--text=u", "--from=b;c"), SEQ_OK);
    assert_string_equal(values.from, "a;b;c");
    assert_string_equal(values.text, "u");
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("--config", path), SEQ_OK);
    assert_string_equal(values.from, "one;two");
    seq_options_clear(&parsed);
    assert_int_equal(PARSE("--from", "a", "--config", path), SEQ_OK);
    assert_string_equal(values.from, "a");
    assert_int_equal(seq_option_set(&parsed, "from", "recorded", SEQ_FROM_RECORD, &error), SEQ_OK);
    assert_string_equal(values.from, "recorded");
    seq_options_clear(&parsed);
    unlink(path);
}

static void quotes_and_comments_are_read(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"text = data # my corpus", "data"},
        {"text = data#1 x", "data#1 x"},
        {"text = \"data\"", "data"},
        {"text = 'data'  # mine", "data"},
        {"text = \" a # b \" # c", " a # b "},
        {"text = \"a\\n\\\"\\\\\"", "a\n\"\\"},
        {"text = 'a\\n'", "a\\n"},
        {"text = # none", "(unset)"},
        {"text = \"\"", "(unset)"},
        {"text = it's \"so\"", "it's \"so\""},
        {"\xef\xbb\xbftext = data\r\n; a note", "data"},
        {"# Options of test; read again by --config.\ntext = C # primer", "C # primer"},
        {"text = \"data", NULL},
        {"text = \"data\" more", NULL},
        {"text = \"\\d\"", NULL},
        {"integer = 5 # five\ntext = x", "x"},
        {"integer = \"5\"\ntext = x", "x"},
        {"integer = 5# five\ntext = x", NULL},
    };
    char path[] = "/tmp/seq-option-XXXXXX", out[100];
    close(mkstemp(path));
    seq_log_open(NULL, SEQ_LOG_QUIET, "test");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = text_of(path, cases[i][0], out);
        if (!found != !cases[i][1] || (found && strcmp(found, cases[i][1]) != 0))
            fail_msg("%s: '%s', expected '%s'", cases[i][0], found ? found : "refused",
                     cases[i][1] ? cases[i][1] : "refused");
    }
    unlink(path);
}

static uint32_t draw(uint32_t index, uint32_t below);

// Any text but the empty one comes back from the file that it was written to.
static void any_text_reads_back(void **state) {
    (void)state;
    static const char pieces[] = "\"'# \n\r\t\\=a;\xc3\v\f[";
    char path[] = "/tmp/seq-option-XXXXXX", argument[40], *written = NULL, out[100];
    size_t size;
    uint32_t index = 1000000;
    close(mkstemp(path));
    seq_log_open(NULL, SEQ_LOG_QUIET, "test");
    for (int round = 0; round < 3000; round++) {
        options values;
        seq_parsed parsed;
        seq_error error;
        size_t length = 1 + draw(index++, 8);
        strcpy(argument, "--text=");
        for (size_t i = 0; i < length; i++)
            argument[7 + i] = pieces[draw(index++, sizeof pieces - 1)];
        argument[7 + length] = '\0';
        assert_int_equal(PARSE(argument), SEQ_OK);
        FILE *stream = open_memstream(&written, &size);
        assert_int_equal(seq_options_write_config(&parsed, stream, &error), SEQ_OK);
        fclose(stream);
        const char *found = text_of(path, written, out);
        if (!found || strcmp(found, argument + 7) != 0)
            fail_msg("'%s' comes back as '%s'", argument + 7, found ? found : "(refused)");
        free(written);
        seq_options_clear(&parsed);
    }
    unlink(path);
}

static void help_names_everything(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    void (*const printers[])(const seq_program *, FILE *) = {
        seq_options_print_help, seq_options_print_man, seq_options_print_completion};
    for (int p = 0; p < 3; p++) {
        FILE *stream = open_memstream(&text, &size);
        printers[p](&program, stream);
        fclose(stream);
        for (size_t i = 1; table[i].type != SEQ_OPTION_END; i++)
            assert_non_null(strstr(text, table[i].name));
        for (char *line = strtok(text, "\n"); p == 0 && line; line = strtok(NULL, "\n"))
            assert_true(strlen(line) <= 80);
        free(text);
        text = NULL;
    }
}

static uint32_t draw(uint32_t index, uint32_t below) {
    uint32_t words[4];
    seq_random_words((seq_random_key){3, SEQ_RANDOM_TEST}, index, 0, 0, words);
    return words[0] % below;
}

// Random bytes as arguments and as a config file end in a status, nothing else.
static void random_input_is_survived(void **state) {
    (void)state;
    static const char pieces[] = "--integer=real,9:.kd-h#\n yes";
    char path[] = "/tmp/seq-option-XXXXXX";
    close(mkstemp(path));
    uint32_t index = 0;
    for (int round = 0; round < 3000; round++) {
        options values;
        seq_parsed parsed;
        seq_error error;
        char argument[40] = "--", file[200];
        size_t length = draw(index++, 30), size = draw(index++, 190);
        for (size_t i = 2; i < 2 + length; i++)
            argument[i] = pieces[draw(index++, sizeof pieces - 1)], argument[i + 1] = '\0';
        PARSE(argument, "--choice=red");
        seq_options_clear(&parsed);
        if (round % 10) continue;
        for (size_t i = 0; i < size; i++)
            file[i] = draw(index++, 4) ? pieces[draw(index++, sizeof pieces - 1)]
                                       : (char)draw(index++, 256);
        seq_error ignored = {0};
        seq_file_write_atomic(path, file, size, &ignored);
        PARSE("--config", path);
        seq_options_clear(&parsed);
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(what_stands_where_a_value_belongs),
        cmocka_unit_test(config_file_stands_between),
        cmocka_unit_test(written_config_reads_back),
        cmocka_unit_test(some_texts_are_lists),
        cmocka_unit_test(quotes_and_comments_are_read),
        cmocka_unit_test(any_text_reads_back),
        cmocka_unit_test(help_names_everything),
        cmocka_unit_test(random_input_is_survived),
    };
    if (!freopen("/dev/null", "w", stdout)) // --help among the random input
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
