// sacreBLEU's tokenisations. Each is a chain of substitutions on code points; each
// of these goes from left to right over what the one before has made, and begins
// behind its last match, as a regular expression does. Categories are those of
// utf8proc's Unicode. Invariant: only blanks are added, and 13a alone replaces
// text. Test: tests/unit/task/test_bleu.c.
#include "points.h"
#include <seqtrain/base/memory.h>
#include <string.h>
#include <utf8proc.h>

enum { NO_TEXT = 0x110000, CAPITAL_SIGMA = 0x3A3, SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2 };

bool seq_point_is_blank(uint32_t point) {
    return point == ' ' || (point >= 0x09 && point <= 0x0D) || (point >= 0x1C && point <= 0x1F) ||
           point == 0x85 || point == 0xA0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
           point == 0x202F || point == 0x205F || point == 0x3000;
}

static utf8proc_category_t category(uint32_t point) {
    return point < NO_TEXT ? utf8proc_category((utf8proc_int32_t)point) : UTF8PROC_CATEGORY_CN;
}

// ---- Lower case.

// Unicode's Cased and Case_Ignorable, by category; a few marks that are neither are left out.
static bool is_cased(uint32_t point) {
    utf8proc_category_t own = category(point);
    return own >= UTF8PROC_CATEGORY_LU && own <= UTF8PROC_CATEGORY_LT;
}

static bool is_ignored(uint32_t point) {
    utf8proc_category_t own = category(point);
    return own == UTF8PROC_CATEGORY_MN || own == UTF8PROC_CATEGORY_ME ||
           own == UTF8PROC_CATEGORY_CF || own == UTF8PROC_CATEGORY_LM ||
           own == UTF8PROC_CATEGORY_SK || point == '\'' || point == '.' || point == ':' ||
           point == 0xB7 || point == 0x2019;
}

// A sigma is final behind a cased letter and before none (Unicode's Final_Sigma).
static bool is_final(const seq_points *points, size_t at) {
    size_t before = at, after = at + 1;
    while (before && is_ignored(points->at[before - 1]))
        before--;
    while (after < points->count && is_ignored(points->at[after]))
        after++;
    return before && is_cased(points->at[before - 1]) &&
           (after == points->count || !is_cased(points->at[after]));
}

// The only letter with two in lower case is U+0130: an i and a dot.
static seq_status make_lower(seq_points *points, seq_error *error) {
    size_t dotted = 0;
    for (size_t i = 0; i < points->count; i++)
        dotted += points->at[i] == 0x130;
    seq_status status = seq_grow(&points->at, &points->capacity, points->count + dotted,
                                 sizeof *points->at, "a segment", error);
    if (status) return status;
    for (size_t i = 0; i < points->count; i++)
        if (points->at[i] == CAPITAL_SIGMA)
            points->at[i] = is_final(points, i) ? FINAL_SIGMA : SIGMA;
        else if (points->at[i] < NO_TEXT && points->at[i] != 0x130)
            points->at[i] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)points->at[i]);
    size_t to = points->count + dotted;
    for (size_t from = points->count; dotted && from-- > 0;) {
        bool two = points->at[from] == 0x130;
        if (two) points->at[--to] = 0x307;
        points->at[--to] = two ? 'i' : points->at[from];
    }
    points->count += dotted;
    return SEQ_OK;
}

seq_status seq_points_decode(seq_points *points, seq_segment segment, bool lower,
                             seq_error *error) {
    seq_status status = seq_grow(&points->at, &points->capacity, segment.size, sizeof *points->at,
                                 "a segment", error);
    if (status) return status;
    points->count = 0;
    for (size_t at = 0; at < segment.size;) {
        utf8proc_int32_t point;
        const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)segment.text + at;
        utf8proc_ssize_t length =
            utf8proc_iterate(bytes, (utf8proc_ssize_t)(segment.size - at), &point);
        points->at[points->count++] = (uint32_t)(length > 0 ? point : NO_TEXT + *bytes);
        at += length > 0 ? (size_t)length : 1;
    }
    return lower ? make_lower(points, error) : SEQ_OK;
}

void seq_points_drop_blanks(seq_points *points, bool only_at_end) {
    size_t used = 0;
    while (points->count && seq_point_is_blank(points->at[points->count - 1]))
        points->count--;
    for (size_t i = 0; !only_at_end && i < points->count; i++)
        if (!seq_point_is_blank(points->at[i])) points->at[used++] = points->at[i];
    if (!only_at_end) points->count = used;
}

// ---- Substitutions.

static bool is_digit(uint32_t point) {
    return point >= '0' && point <= '9';
}

static bool is_no_digit(uint32_t point) {
    return !is_digit(point);
}

static bool is_period(uint32_t point) {
    return point == '.' || point == ',';
}

static bool is_dash(uint32_t point) {
    return point == '-';
}

// What 13a cuts off everywhere.
static bool is_mark(uint32_t point) {
    return (point >= '{' && point <= '~') || (point >= '[' && point <= '`') ||
           (point >= ' ' && point <= '&') || (point >= '(' && point <= '+') ||
           (point >= ':' && point <= '@') || point == '/';
}

static bool is_no_number(uint32_t point) {
    utf8proc_category_t own = category(point);
    return own < UTF8PROC_CATEGORY_ND || own > UTF8PROC_CATEGORY_NO;
}

static bool is_punctuation(uint32_t point) {
    utf8proc_category_t own = category(point);
    return own >= UTF8PROC_CATEGORY_PC && own <= UTF8PROC_CATEGORY_PO;
}

static bool is_symbol(uint32_t point) {
    utf8proc_category_t own = category(point);
    return own >= UTF8PROC_CATEGORY_SM && own <= UTF8PROC_CATEGORY_SO;
}

static bool is_anything(uint32_t point) {
    (void)point;
    return true;
}

typedef enum form {
    AROUND, // " A "
    BEHIND, // "A B ", B is the mark
    BEFORE, // " A B", A is the mark
} form;

typedef struct rule {
    form form;
    bool (*first)(uint32_t point), (*second)(uint32_t point);
} rule;

static const rule rules_13a[] = {{AROUND, is_mark, NULL},
                                 {BEHIND, is_no_digit, is_period},
                                 {BEFORE, is_period, is_no_digit},
                                 {BEHIND, is_digit, is_dash}};
static const rule rules_intl[] = {{BEHIND, is_no_number, is_punctuation},
                                  {BEFORE, is_punctuation, is_no_number},
                                  {AROUND, is_symbol, NULL}};
static const rule rules_char[] = {{AROUND, is_anything, NULL}};

static const struct {
    const rule *rules;
    size_t count;
} chains[SEQ_BLEU_TOKENS] = {
    [SEQ_BLEU_13A] = {rules_13a, sizeof rules_13a / sizeof *rules_13a},
    [SEQ_BLEU_INTL] = {rules_intl, sizeof rules_intl / sizeof *rules_intl},
    [SEQ_BLEU_CHAR] = {rules_char, sizeof rules_char / sizeof *rules_char},
};

static seq_status apply(const rule *rule, seq_points *points, seq_points *spare, seq_error *error) {
    size_t used = 0;
    seq_status status = seq_grow(&spare->at, &spare->capacity, 3 * points->count, sizeof *spare->at,
                                 "a segment", error);
    if (status) return status;
    uint32_t *out = spare->at;
    for (size_t i = 0; i < points->count; i++) {
        uint32_t point = points->at[i];
        bool pair = rule->form != AROUND, first = rule->first(point);
        if (!first || (pair && (i + 1 == points->count || !rule->second(points->at[i + 1])))) {
            out[used++] = point;
            continue;
        }
        if (rule->form != BEHIND) out[used++] = ' ';
        out[used++] = point;
        out[used++] = ' ';
        if (pair) out[used++] = points->at[++i];
        if (rule->form == BEHIND) out[used++] = ' ';
    }
    spare->count = used;
    const seq_points other = *points;
    *points = *spare;
    *spare = other;
    return SEQ_OK;
}

// Each `from` becomes one code point; 0: none.
static void replace(seq_points *points, const char *from, uint32_t to) {
    size_t size = strlen(from), used = 0;
    for (size_t i = 0; i < points->count;) {
        size_t same = 0;
        while (same < size && i + same < points->count &&
               points->at[i + same] == (unsigned char)from[same])
            same++;
        if (same == size && to) points->at[used++] = to;
        if (same < size) points->at[used++] = points->at[i];
        i += same == size ? size : 1;
    }
    points->count = used;
}

// The line stands between blanks.
static seq_status begin_13a(seq_points *points, seq_error *error) {
    replace(points, "<skipped>", 0);
    replace(points, "-\n", 0);
    replace(points, "\n", ' ');
    replace(points, "&quot;", '"');
    replace(points, "&amp;", '&');
    replace(points, "&lt;", '<');
    replace(points, "&gt;", '>');
    size_t count = points->count;
    seq_status status =
        seq_grow(&points->at, &points->capacity, count + 2, sizeof *points->at, "a segment", error);
    if (status) return status;
    memmove(points->at + 1, points->at, count * sizeof *points->at);
    points->at[0] = points->at[count + 1] = ' ';
    points->count += 2;
    return SEQ_OK;
}

seq_status seq_points_cut(seq_points *points, seq_points *spare, seq_bleu_tokens tokens,
                          seq_error *error) {
    seq_points_drop_blanks(points, true);
    seq_status status = tokens == SEQ_BLEU_13A ? begin_13a(points, error) : SEQ_OK;
    for (size_t i = 0; !status && i < chains[tokens].count; i++)
        status = apply(&chains[tokens].rules[i], points, spare, error);
    return status;
}
