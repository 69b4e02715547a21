// TextGrid and CTM. The file becomes UTF-8 first (utf8proc writes what UTF-16
// held). A scanner then hands on numbers, texts and flags, which are the same in
// the long and the short form, and the parser takes them in their fixed order.
// Labels stay where they are in the text: doubled quotes shrink in place.
// Invariant: nothing is taken from behind the text's end, and what is kept grows
// with what was read, never with a count that a file tells. Tests:
// tests/unit/data/test_textgrid.c, tests/fuzz/fuzz_textgrid.c.
#include <seqtrain/data/textgrid.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { FILE_MOST = 1 << 28, SHOWN = 40 };
static const double slack = 1e-6; // seconds that rounded times may overlap by

typedef struct scanner {
    const char *name;
    char *at, *end; // *end is NUL
    int64_t line;   // of `at`, from 1
} scanner;

static seq_status refuse(const scanner *scanner, int64_t line, seq_error *error, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

static seq_status refuse(const scanner *scanner, int64_t line, seq_error *error, const char *format,
                         ...) {
    char why[SEQ_ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return seq_error_set(error, SEQ_BAD_INPUT, "reading %s, line %lld: %s", scanner->name,
                         (long long)line, why);
}

// ---- Bytes to UTF-8

// CRLF is one line, CR alone is one.
static void pass(scanner *scanner) {
    char c = *scanner->at++;
    if (c == '\n' || (c == '\r' && *scanner->at != '\n')) scanner->line++;
}

// UTF-16 as UTF-8; an unpaired half becomes a byte that is not UTF-8, and is refused as one.
static size_t narrow(const unsigned char *bytes, size_t size, bool big, char *out) {
    size_t used = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        utf8proc_int32_t point = bytes[i + !big] << 8 | bytes[i + big];
        if (point >= 0xD800 && point < 0xDC00 && i + 3 < size) {
            utf8proc_int32_t low = bytes[i + 2 + !big] << 8 | bytes[i + 2 + big];
            if (low >= 0xDC00 && low < 0xE000) {
                point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        if (point >= 0xD800 && point < 0xE000)
            out[used++] = '\xFF';
        else
            used += (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out + used);
    }
    if (size % 2) out[used++] = '\xFF';
    return used;
}

static seq_status check_utf8(const scanner *whole, seq_error *error) {
    scanner at = *whole;
    size_t size = (size_t)(at.end - at.at), bad = seq_utf8_invalid(at.at, size);
    const char *nul = memchr(at.at, '\0', bad), *fault = nul ? nul : at.at + bad;
    if (fault == at.end) return SEQ_OK;
    while (at.at < fault)
        pass(&at);
    if (nul) return refuse(whole, at.line, error, "a NUL byte is not text");
    return refuse(whole, at.line, error,
                  "byte 0x%02x is no text: expected UTF-8, or UTF-16 with a BOM",
                  (unsigned char)*fault);
}

// The scanner's text is from malloc: the caller's.
static seq_status begin(scanner *scanner, const char *bytes, size_t size, const char *name,
                        char **out_text, seq_error *error) {
    const unsigned char *raw = (const unsigned char *)bytes;
    bool little = size >= 2 && raw[0] == 0xFF && raw[1] == 0xFE,
         big = size >= 2 && raw[0] == 0xFE && raw[1] == 0xFF;
    size_t mark = little || big ? 2 : size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    // Two bytes of UTF-16 take three of UTF-8 at most.
    char *text = size > FILE_MOST ? NULL : malloc(size * 3 / 2 + 2);
    if (size > FILE_MOST)
        return seq_error_set(error, SEQ_BAD_INPUT, "reading %s: it has %zu bytes, at most %d", name,
                             size, FILE_MOST);
    if (!text) return seq_error_set(error, SEQ_NO_MEMORY, "reading %s: out of memory", name);
    size_t used = size - mark;
    if (mark == 2)
        used = narrow(raw + 2, used, big, text);
    else if (used)
        memcpy(text, bytes + mark, used);
    text[used] = '\0';
    *scanner = (struct scanner){name, text, text + used, 1};
    *out_text = text;
    return check_utf8(scanner, error);
}

// ---- Tokens of a TextGrid

typedef enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_FLAG } token_kind;
static const char *const kinds[] = {"the end of the file", "a number", "a text in quotes",
                                    "a flag as <exists>"};

typedef struct token {
    token_kind kind;
    int64_t line;
    double number;
    char *text; // as it stands there, with a NUL
} token;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void skip_line(scanner *scanner) {
    while (scanner->at < scanner->end && *scanner->at != '\n' && *scanner->at != '\r')
        scanner->at++;
}

static seq_status take_text(scanner *scanner, token *out, seq_error *error) {
    char *to = ++scanner->at;
    *out = (token){.kind = TOKEN_TEXT, .line = scanner->line, .text = to};
    while (scanner->at < scanner->end) {
        char c = *scanner->at;
        if (c == '"' && scanner->at[1] != '"') {
            scanner->at++;
            *to = '\0';
            return SEQ_OK;
        }
        scanner->at += c == '"'; // of two, one stays
        pass(scanner);
        *to++ = c;
    }
    return refuse(scanner, out->line, error, "a quote is opened and never closed");
}

// The whole text is a finite decimal number.
static bool parse_number(const char *text, double *out) {
    const char *at = text + (*text == '-' || *text == '+');
    char *end;
    if (!is_digit(*at) && !(*at == '.' && is_digit(at[1]))) return false;
    if (at[strspn(at, "0123456789.eE+-")]) return false;
    *out = strtod(text, &end);
    return !*end && isfinite(*out);
}

static bool looks_like_number(const char *at) {
    at += *at == '-' || *at == '+';
    return is_digit(*at) || (*at == '.' && is_digit(at[1]));
}

// A word up to a blank: a number, or nothing to us.
static seq_status take_word(scanner *scanner, token *out, bool *out_found, seq_error *error) {
    char *word = scanner->at;
    *out_found = looks_like_number(word);
    while (scanner->at < scanner->end && !is_blank(*scanner->at) && *scanner->at != '"')
        scanner->at++;
    if (!*out_found) return SEQ_OK;
    char *copy = strndup(word, (size_t)(scanner->at - word));
    *out = (token){.kind = TOKEN_NUMBER, .line = scanner->line};
    if (!copy)
        return seq_error_set(error, SEQ_NO_MEMORY, "reading %s: out of memory", scanner->name);
    seq_status status =
        parse_number(copy, &out->number)
            ? SEQ_OK
            : refuse(scanner, scanner->line, error, "%.*s is not a finite number", SHOWN, copy);
    free(copy);
    return status;
}

static seq_status next(scanner *scanner, token *out, seq_error *error) {
    seq_status status = SEQ_OK;
    bool found = false;
    while (!status && !found && scanner->at < scanner->end) {
        char c = *scanner->at;
        if (is_blank(c)) {
            pass(scanner);
        } else if (c == '!') {
            skip_line(scanner);
        } else if (c == '"') {
            found = true;
            status = take_text(scanner, out, error);
        } else if (c == '<') {
            found = true;
            *out = (token){.kind = TOKEN_FLAG, .line = scanner->line, .text = ++scanner->at};
            while (scanner->at < scanner->end && *scanner->at != '>' && !is_blank(*scanner->at))
                scanner->at++;
            if (*scanner->at != '>')
                return refuse(scanner, scanner->line, error, "a flag as <exists> is not closed");
            *scanner->at++ = '\0';
        } else {
            status = take_word(scanner, out, &found, error);
        }
    }
    if (!found) *out = (token){.line = scanner->line};
    return status;
}

static seq_status expect(scanner *scanner, token_kind kind, const char *what, token *out,
                         seq_error *error) {
    seq_status status = next(scanner, out, error);
    if (status || out->kind == kind) return status;
    if (out->kind == TOKEN_TEXT)
        return refuse(scanner, out->line, error, "expected %s: %s, found the text \"%.*s\"", what,
                      kinds[kind], SHOWN, out->text);
    return refuse(scanner, out->line, error, "expected %s: %s, found %s", what, kinds[kind],
                  kinds[out->kind]);
}

// ---- A TextGrid

static seq_status take_times(scanner *scanner, const char *what, double *start, double *end,
                             int64_t *line, seq_error *error) {
    token from, to;
    seq_status status = expect(scanner, TOKEN_NUMBER, what, &from, error);
    if (!status) status = expect(scanner, TOKEN_NUMBER, what, &to, error);
    if (status) return status;
    *start = from.number;
    *end = to.number;
    *line = from.line;
    return *start <= *end ? SEQ_OK
                          : refuse(scanner, to.line, error,
                                   "%s end at %.15g, before they begin "
                                   "at %.15g",
                                   what, *end, *start);
}

static seq_status take_count(scanner *scanner, const char *what, int64_t *out, seq_error *error) {
    token count;
    seq_status status = expect(scanner, TOKEN_NUMBER, what, &count, error);
    if (status) return status;
    if (count.number < 0 || count.number > FILE_MOST || count.number != floor(count.number))
        return refuse(scanner, count.line, error, "%s is %.15g, expected a whole number from 0 on",
                      what, count.number);
    *out = (int64_t)count.number;
    return SEQ_OK;
}

static seq_status take_interval(scanner *scanner, seq_tier *tier, seq_error *error) {
    seq_tier_interval interval = {0};
    token label;
    seq_status status = take_times(scanner, "the times of an interval", &interval.start,
                                   &interval.end, &interval.line, error);
    if (!status) status = expect(scanner, TOKEN_TEXT, "an interval's label", &label, error);
    if (status) return status;
    interval.label = label.text;
    double before = tier->count ? tier->intervals[tier->count - 1].end : tier->start;
    if (interval.start < before - slack)
        return refuse(scanner, interval.line, error,
                      "an interval of the tier \"%.*s\" begins at %.15g, before %.15g, where the "
                      "one before it ends",
                      SHOWN, tier->name, interval.start, before);
    status = seq_grow(&tier->intervals, &tier->capacity, tier->count + 1, sizeof interval,
                      "intervals", error);
    if (!status) tier->intervals[tier->count++] = interval;
    return status;
}

static seq_status take_points(scanner *scanner, int64_t count, seq_error *error) {
    seq_status status = SEQ_OK;
    token ignored;
    for (int64_t i = 0; !status && i < count; i++) {
        status = expect(scanner, TOKEN_NUMBER, "the time of a point", &ignored, error);
        if (!status) status = expect(scanner, TOKEN_TEXT, "a point's label", &ignored, error);
    }
    return status;
}

static seq_status take_tier(scanner *scanner, seq_textgrid *grid, seq_error *error) {
    token class, name;
    seq_tier tier = {0};
    int64_t count = 0, line;
    seq_status status = expect(scanner, TOKEN_TEXT, "a tier's class", &class, error);
    bool points = !status && strcmp(class.text, "TextTier") == 0;
    if (!status && !points && strcmp(class.text, "IntervalTier") != 0)
        return refuse(scanner, class.line, error,
                      "a tier's class is \"%.*s\", expected IntervalTier or TextTier", SHOWN,
                      class.text);
    if (!status) status = expect(scanner, TOKEN_TEXT, "a tier's name", &name, error);
    if (!status)
        status = take_times(scanner, "the times of a tier", &tier.start, &tier.end, &line, error);
    if (!status) status = take_count(scanner, "the size of a tier", &count, error);
    if (!status && points) {
        grid->point_tiers++;
        return take_points(scanner, count, error);
    }
    if (!status)
        status = seq_grow(&grid->tiers, &grid->tier_capacity, grid->tier_count + 1, sizeof tier,
                          "tiers", error);
    if (status) return status;
    tier.name = name.text;
    seq_tier *own = &grid->tiers[grid->tier_count++];
    *own = tier;
    for (int64_t i = 0; !status && i < count; i++)
        status = take_interval(scanner, own, error);
    return status;
}

static seq_status take_header(scanner *scanner, seq_error *error) {
    token token;
    if (strncmp(scanner->at, "ooBinaryFile", strlen("ooBinaryFile")) == 0)
        return refuse(scanner, 1, error,
                      "it is a TextGrid in binary form: save it as a text file with Praat");
    seq_status status = expect(scanner, TOKEN_TEXT, "the file's type", &token, error);
    if (!status && strcmp(token.text, "ooTextFile") != 0 &&
        strcmp(token.text, "ooTextFile short") != 0)
        return refuse(scanner, token.line, error,
                      "it is no TextGrid: its type is \"%.*s\", expected ooTextFile", SHOWN,
                      token.text);
    if (!status) status = expect(scanner, TOKEN_TEXT, "the object's class", &token, error);
    if (!status && strcmp(token.text, "TextGrid") != 0)
        return refuse(scanner, token.line, error,
                      "it is no TextGrid: its class is \"%.*s\", expected TextGrid", SHOWN,
                      token.text);
    return status;
}

static seq_status take_grid(scanner *scanner, seq_textgrid *grid, seq_error *error) {
    token flag, last;
    int64_t count = 0, line;
    seq_status status = take_header(scanner, error);
    if (!status)
        status =
            take_times(scanner, "the times of the file", &grid->start, &grid->end, &line, error);
    if (!status) status = expect(scanner, TOKEN_FLAG, "whether there are tiers", &flag, error);
    if (!status && strcmp(flag.text, "exists") == 0)
        status = take_count(scanner, "the number of tiers", &count, error);
    for (int64_t i = 0; !status && i < count; i++)
        status = take_tier(scanner, grid, error);
    return status ? status
                  : expect(scanner, TOKEN_END, "nothing behind the last tier", &last, error);
}

seq_status seq_textgrid_parse(const char *bytes, size_t size, const char *name, seq_textgrid *out,
                              seq_error *error) {
    scanner scanner = {0};
    *out = (seq_textgrid){0};
    seq_status status = begin(&scanner, bytes, size, name, &out->text, error);
    if (!status) status = take_grid(&scanner, out, error);
    if (status) seq_textgrid_clear(out);
    return status;
}

seq_status seq_textgrid_read(const char *path, seq_textgrid *out, seq_error *error) {
    char *bytes = NULL;
    size_t size = 0;
    *out = (seq_textgrid){0};
    seq_status status = seq_file_read(path, FILE_MOST, &bytes, &size, error);
    if (!status) status = seq_textgrid_parse(bytes, size, path, out, error);
    free(bytes);
    return status;
}

void seq_textgrid_clear(seq_textgrid *grid) {
    for (size_t i = 0; i < grid->tier_count; i++)
        free(grid->tiers[i].intervals);
    free(grid->tiers);
    free(grid->text);
    *grid = (seq_textgrid){0};
}

seq_status seq_textgrid_find(const seq_textgrid *grid, const char *tier, const char *file,
                             const seq_tier **out, seq_error *error) {
    char names[300] = "";
    size_t found = 0, used = 0;
    for (size_t i = 0; i < grid->tier_count; i++) {
        const seq_tier *own = &grid->tiers[i];
        if (!tier || strcmp(own->name, tier) == 0) {
            *out = own;
            found++;
        }
        if (used < sizeof names - 1)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s\"%.*s\"", i ? ", " : "",
                                     SHOWN, own->name);
    }
    if (found == 1) return SEQ_OK;
    const char *has = grid->tier_count ? names : "none";
    if (!tier)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading %s: which interval tier is meant is not told; it has %s",
                             file, has);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading %s: it has %s interval tier \"%.*s\"; it has %s", file,
                         found ? "more than one" : "no", SHOWN, tier, has);
}

const char *seq_tier_label(const seq_tier *tier, double time, size_t *at) {
    if (*at > tier->count || (*at && tier->intervals[*at - 1].end > time)) *at = 0;
    while (*at < tier->count && tier->intervals[*at].end <= time)
        ++*at;
    return *at < tier->count && tier->intervals[*at].start <= time ? tier->intervals[*at].label
                                                                   : NULL;
}

// ---- Writing

static void print_text(FILE *stream, const char *text) {
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputs("\"\n", stream);
}

// What a value is called in the long form; the short form has none of it.
static void print_name(FILE *stream, bool short_form, int depth, const char *name) {
    if (!short_form) fprintf(stream, "%*s%s = ", 4 * depth, "", name);
}

static void print_times(FILE *stream, bool short_form, int depth, double start, double end) {
    print_name(stream, short_form, depth, "xmin");
    fprintf(stream, "%.15g\n", start);
    print_name(stream, short_form, depth, "xmax");
    fprintf(stream, "%.15g\n", end);
}

static void print_interval(FILE *stream, bool short_form, size_t number, double start, double end,
                           const char *label) {
    if (!short_form) fprintf(stream, "        intervals [%zu]:\n", number);
    print_times(stream, short_form, 3, start, end);
    print_name(stream, short_form, 3, "text");
    print_text(stream, label);
}

static bool near(double a, double b) {
    return fabs(a - b) <= slack;
}

// Calls print_interval for intervals and gaps, unless `stream` is NULL. Their number.
static size_t print_intervals(FILE *stream, const seq_tier *tier, bool short_form) {
    double at = tier->start;
    size_t number = 0;
    for (size_t i = 0; i < tier->count; i++) {
        const seq_tier_interval *interval = &tier->intervals[i];
        double start = near(interval->start, at) ? at : interval->start,
               end = near(interval->end, tier->end) ? tier->end : interval->end;
        if (start > at && ++number && stream)
            print_interval(stream, short_form, number, at, start, "");
        if (++number && stream)
            print_interval(stream, short_form, number, start, end, interval->label);
        at = end;
    }
    if (tier->end > at && ++number && stream)
        print_interval(stream, short_form, number, at, tier->end, "");
    return number;
}

static void print_tier(FILE *stream, const seq_tier *tier, size_t number, bool short_form) {
    if (!short_form) fprintf(stream, "    item [%zu]:\n", number);
    print_name(stream, short_form, 2, "class");
    print_text(stream, "IntervalTier");
    print_name(stream, short_form, 2, "name");
    print_text(stream, tier->name);
    print_times(stream, short_form, 2, tier->start, tier->end);
    print_name(stream, short_form, 2, "intervals: size");
    fprintf(stream, "%zu\n", print_intervals(NULL, tier, short_form));
    print_intervals(stream, tier, short_form);
}

void seq_textgrid_print(FILE *stream, const seq_textgrid *grid, bool short_form) {
    fputs("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n", stream);
    print_times(stream, short_form, 0, grid->start, grid->end);
    fputs(short_form ? "<exists>\n" : "tiers? <exists>\n", stream);
    print_name(stream, short_form, 0, "size");
    fprintf(stream, "%zu\n", grid->tier_count);
    if (!short_form) fputs("item []:\n", stream);
    for (size_t i = 0; i < grid->tier_count; i++)
        print_tier(stream, &grid->tiers[i], i + 1, short_form);
}

// ---- CTM

enum { CTM_FIELDS = 6 };

// Cuts the line at the scanner into fields; ends it with NUL and stands behind it.
static int cut_line(scanner *scanner, char *fields[CTM_FIELDS]) {
    int count = 0;
    char *at = scanner->at;
    skip_line(scanner);
    char *end = scanner->at;
    if (end < scanner->end) pass(scanner);
    if (at[0] == ';' && at[1] == ';') return 0;
    *end = '\0';
    while (at < end) {
        char *stop = at + strcspn(at, " \t");
        if (stop > at && count++ < CTM_FIELDS) fields[count - 1] = at;
        *stop = '\0';
        at = stop + 1;
    }
    return count;
}

static seq_status take_line(scanner *scanner, seq_ctm *ctm, seq_error *error) {
    char *fields[CTM_FIELDS] = {0};
    double start, duration, confidence = NAN;
    int64_t line = scanner->line;
    int count = cut_line(scanner, fields);
    if (count == 0) return SEQ_OK;
    if (count < CTM_FIELDS - 1 || count > CTM_FIELDS)
        return refuse(scanner, line, error,
                      "%d fields, expected FILE CHANNEL START DURATION LABEL [CONFIDENCE]", count);
    if (!parse_number(fields[2], &start) || !parse_number(fields[3], &duration) || duration < 0)
        return refuse(scanner, line, error,
                      "START and DURATION are %.*s and %.*s, expected seconds, the second not "
                      "below 0",
                      SHOWN, fields[2], SHOWN, fields[3]);
    if (count == CTM_FIELDS && !parse_number(fields[5], &confidence))
        return refuse(scanner, line, error, "CONFIDENCE is %.*s, expected a number", SHOWN,
                      fields[5]);
    seq_status status = seq_grow(&ctm->entries, &ctm->capacity, ctm->count + 1,
                                 sizeof *ctm->entries, "CTM lines", error);
    if (!status)
        ctm->entries[ctm->count++] = (seq_ctm_entry){
            fields[0], fields[1], {start, start + duration, fields[4], line}, confidence};
    return status;
}

seq_status seq_ctm_parse(const char *bytes, size_t size, const char *name, seq_ctm *out,
                         seq_error *error) {
    scanner scanner = {0};
    *out = (seq_ctm){0};
    seq_status status = begin(&scanner, bytes, size, name, &out->text, error);
    while (!status && scanner.at < scanner.end)
        status = take_line(&scanner, out, error);
    if (status) seq_ctm_clear(out);
    return status;
}

seq_status seq_ctm_read(const char *path, seq_ctm *out, seq_error *error) {
    char *bytes = NULL;
    size_t size = 0;
    *out = (seq_ctm){0};
    seq_status status = seq_file_read(path, FILE_MOST, &bytes, &size, error);
    if (!status) status = seq_ctm_parse(bytes, size, path, out, error);
    free(bytes);
    return status;
}

void seq_ctm_clear(seq_ctm *ctm) {
    free(ctm->entries);
    free(ctm->text);
    *ctm = (seq_ctm){0};
}

static void print_word(FILE *stream, const char *text) {
    for (; *text; text++)
        if (is_blank(*text))
            fputs("<space>", stream);
        else
            fputc(*text, stream);
}

void seq_ctm_print(FILE *stream, const seq_ctm_entry *entry) {
    const seq_tier_interval *interval = &entry->interval;
    if (!*interval->label) return;
    print_word(stream, entry->file);
    fputc(' ', stream);
    print_word(stream, entry->channel);
    fprintf(stream, " %.3f %.3f ", interval->start, interval->end - interval->start);
    print_word(stream, interval->label);
    if (isfinite(entry->confidence)) fprintf(stream, " %.3f", entry->confidence);
    fputc('\n', stream);
}
