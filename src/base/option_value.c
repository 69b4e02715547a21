// Converts one option between text and field. Integers take k, M and G;
// durations take a unit, h:mm:ss or Slurm's days-hh:mm:ss. Reals are printed
// with the fewest digits that strtod reads back as the same double. Invariant:
// a text that is refused leaves the field as it was. Tests:
// tests/unit/base/test_option.c, tests/fuzz/fuzz_config.c.
#include "option_value.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field_of(const seq_parsed *parsed, size_t index) {
    return (char *)parsed->values + parsed->program->options[index].offset;
}

size_t seq_option_count(const seq_option *options) {
    size_t count = 0;
    while (options[count].type != SEQ_OPTION_END)
        count++;
    return count;
}

const char *const *seq_option_choices(const seq_option *option) {
    return option->registry ? option->registry() : option->choices;
}

static bool is_bounded(const seq_option *option) {
    return option->minimum != 0 || option->maximum != 0;
}

static void describe_choices(const seq_option *option, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "one of ");
    const char *const *choices = seq_option_choices(option);
    for (size_t i = 0; choices[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", choices[i]);
}

void seq_option_describe_bounds(const seq_option *option, char *out, size_t size) {
    *out = '\0';
    bool integer = option->type == SEQ_OPTION_INTEGER || option->type == SEQ_OPTION_INTEGERS;
    if (option->type == SEQ_OPTION_CHOICE)
        describe_choices(option, out, size);
    else if (is_bounded(option) && integer)
        snprintf(out, size, "%.0f to %.0f", option->minimum, option->maximum);
    else if (is_bounded(option))
        snprintf(out, size, "%.10g to %.10g", option->minimum, option->maximum);
}

static bool is_within(const seq_option *option, double value) {
    return !is_bounded(option) || (value >= option->minimum && value <= option->maximum);
}

static bool expect_bounds(const seq_option *option, const char *kind, char *why, size_t size) {
    char bounds[200];
    seq_option_describe_bounds(option, bounds, sizeof bounds);
    snprintf(why, size, "expected %s%s%s", kind, *bounds ? ", " : "", bounds);
    return false;
}

static int64_t suffix_factor(char suffix) {
    return suffix == 'k' ? 1000 : suffix == 'M' ? 1000000 : suffix == 'G' ? 1000000000 : 0;
}

// Digits with an optional sign and one of k, M, G; the end is where parsing stopped.
static bool parse_integer(const char *text, const char **end, int64_t *out) {
    char *stop;
    errno = 0;
    long long value = strtoll(text, &stop, 10);
    if (stop == text || errno || isspace((unsigned char)*text)) return false;
    int64_t factor = suffix_factor(*stop);
    if (factor && __builtin_mul_overflow(value, factor, &value)) return false;
    *end = stop + (factor != 0);
    *out = value;
    return true;
}

static bool set_integer(const seq_option *option, void *field, const char *text, char *why,
                        size_t size) {
    int64_t value;
    const char *end;
    if (!parse_integer(text, &end, &value) || *end || !is_within(option, (double)value))
        return expect_bounds(option, "an integer", why, size);
    memcpy(field, &value, sizeof value);
    return true;
}

static bool set_integers(const seq_option *option, void *field, const char *text, char *why,
                         size_t size) {
    seq_integers list = {0};
    for (const char *at = text; *text;) {
        if (list.count == SEQ_INTEGERS || !parse_integer(at, &at, &list.values[list.count]) ||
            !is_within(option, (double)list.values[list.count++]) || (*at && *at != ','))
            return expect_bounds(option, "at most 32 integers separated by commas", why, size);
        if (!*at) break;
        at++;
    }
    memcpy(field, &list, sizeof list);
    return true;
}

// A decimal number, with no blank, sign of hexadecimal, nan or inf about it. Zero has no sign.
static bool parse_real(const char *text, char **end, double *out) {
    static const char digits[] = "0123456789+-.eE";
    *out = strtod(text, end);
    if (*out == 0) *out = 0;
    return *end != text && strspn(text, digits) >= (size_t)(*end - text) && isfinite(*out);
}

static bool set_real(const seq_option *option, void *field, const char *text, char *why,
                     size_t size) {
    char *end;
    double value;
    if (!parse_real(text, &end, &value) || *end || !is_within(option, value))
        return expect_bounds(option, "a number", why, size);
    memcpy(field, &value, sizeof value);
    return true;
}

// "h:mm:ss" or "mm:ss": the parts are summed in base 60, those behind the first lie below it.
static bool parse_clock(const char *text, double *out) {
    double total = 0;
    for (int part = 0; part < 3; part++) {
        char *end;
        if (!isdigit((unsigned char)*text)) return false;
        double value = (double)strtoul(text, &end, 10);
        if (part && value >= 60) return false;
        total = total * 60 + value;
        if (!*end) {
            *out = total;
            return part > 0;
        }
        if (*end != ':') return false;
        text = end + 1;
    }
    return false;
}

bool seq_duration_parse(const char *text, double *out) {
    char *end;
    double number;
    if (!isdigit((unsigned char)*text) && *text != '.') return false;
    if (!parse_real(text, &end, &number)) return false;
    double factor = !*end || strcmp(end, "s") == 0 ? 1
                    : strcmp(end, "m") == 0        ? 60
                    : strcmp(end, "h") == 0        ? 3600
                    : strcmp(end, "d") == 0        ? 86400
                                                   : 0;
    if (factor > 0) {
        *out = number * factor;
        return isfinite(*out);
    }
    if (*end != '-') return parse_clock(text, out);
    if (!parse_clock(end + 1, out)) return false;
    *out += number * 86400;
    return true;
}

static bool set_duration(const seq_option *option, void *field, const char *text, char *why,
                         size_t size) {
    double value;
    bool automatic = option->flags & SEQ_OPTION_AUTO && strcmp(text, "auto") == 0;
    if (automatic)
        value = SEQ_DURATION_AUTO;
    else if (!seq_duration_parse(text, &value) || !is_within(option, value))
        return expect_bounds(
            option,
            option->flags & SEQ_OPTION_AUTO
                ? "auto, or a duration such as 90, 90s, 5m, 2h, 1d, 1:30:00 or 1-12:00:00"
                : "a duration such as 90, 90s, 5m, 2h, 1d, 1:30:00 or 1-12:00:00",
            why, size);
    memcpy(field, &value, sizeof value);
    return true;
}

static bool set_choice(const seq_option *option, void *field, const char *text, char *why,
                       size_t size) {
    const char *const *choices = seq_option_choices(option);
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], text) == 0) {
            memcpy(field, &i, sizeof i);
            return true;
        }
    snprintf(why, size, "expected ");
    describe_choices(option, why + strlen(why), size - strlen(why));
    return false;
}

static bool set_flag(void *field, const char *text, char *why, size_t size) {
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool no = strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (yes || no)
        memcpy(field, &yes, sizeof yes);
    else
        snprintf(why, size, "expected yes or no");
    return yes || no;
}

static seq_status set_text(void *field, const char *text, bool behind, char *why, size_t size) {
    char *copy = NULL, *old;
    memcpy(&old, field, sizeof old);
    behind &= old && *old;
    if (asprintf(&copy, "%s%s%s", behind ? old : "", behind ? ";" : "", text) < 0) {
        snprintf(why, size, "out of memory");
        return SEQ_NO_MEMORY;
    }
    free(old);
    memcpy(field, &copy, sizeof copy);
    return SEQ_OK;
}

static bool set_plain(const seq_option *option, void *field, const char *text, char *why,
                      size_t size) {
    switch (option->type) {
    case SEQ_OPTION_FLAG:
        return set_flag(field, text, why, size);
    case SEQ_OPTION_INTEGER:
        return set_integer(option, field, text, why, size);
    case SEQ_OPTION_REAL:
        return set_real(option, field, text, why, size);
    case SEQ_OPTION_CHOICE:
        return set_choice(option, field, text, why, size);
    case SEQ_OPTION_DURATION:
        return set_duration(option, field, text, why, size);
    case SEQ_OPTION_INTEGERS:
        return set_integers(option, field, text, why, size);
    default:
        return false;
    }
}

seq_status seq_option_parse_value(const seq_parsed *parsed, size_t index, const char *text,
                                  bool behind, char *why, size_t size) {
    const seq_option *option = &parsed->program->options[index];
    void *field = field_of(parsed, index);
    if (option->type == SEQ_OPTION_TEXT) return set_text(field, text, behind, why, size);
    return set_plain(option, field, text, why, size) ? SEQ_OK : SEQ_BAD_USAGE;
}

// The shortest decimal that reads back as the same double.
static void print_real(double value, char *out, size_t size) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value) return;
    }
}

static void print_integers(const seq_integers *list, char *out, size_t size) {
    size_t used = 0;
    *out = '\0';
    for (int i = 0; i < list->count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%lld", i ? "," : "",
                                 (long long)list->values[i]);
}

void seq_option_get_text(const seq_parsed *parsed, size_t index, char *out, size_t size) {
    const seq_option *option = &parsed->program->options[index];
    const void *field = field_of(parsed, index);
    switch (option->type) {
    case SEQ_OPTION_FLAG:
        snprintf(out, size, "%s", *(const bool *)field ? "yes" : "no");
        break;
    case SEQ_OPTION_INTEGER:
        snprintf(out, size, "%lld", (long long)*(const int64_t *)field);
        break;
    case SEQ_OPTION_DURATION:
        if (*(const double *)field == SEQ_DURATION_AUTO) {
            snprintf(out, size, "auto");
            break;
        }
        print_real(*(const double *)field, out, size);
        break;
    case SEQ_OPTION_REAL:
        print_real(*(const double *)field, out, size);
        break;
    case SEQ_OPTION_TEXT:
        snprintf(out, size, "%s", *(char *const *)field ? *(char *const *)field : "");
        break;
    case SEQ_OPTION_CHOICE:
        snprintf(out, size, "%s", seq_option_choices(option)[*(const int *)field]);
        break;
    case SEQ_OPTION_INTEGERS:
        print_integers(field, out, size);
        break;
    default:
        *out = '\0';
    }
}
