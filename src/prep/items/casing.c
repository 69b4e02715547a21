// The casing of a word, from counts of its code points by Unicode category.
// Marks, symbols and letters without case count for nothing but the length.
// Test: tests/unit/prep/test_casing.c.
#include <seqtrain/prep/casing.h>
#include <stdbool.h>
#include <utf8proc.h>

enum casing { OTHER, LOWER, TITLE, UPPER, MIXED, DIGITS, DIGITS_IN, PUNCTUATION };

const char *const seq_casings[] = {"other",  "lower",     "title",       "upper", "mixed",
                                   "digits", "digits-in", "punctuation", NULL};

typedef struct counts {
    size_t points, upper, lower, digits, punctuation;
    bool upper_first; // the first letter with a case is upper
} counts;

static void count(counts *counts, utf8proc_category_t category) {
    bool upper = category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
    counts->points++;
    counts->upper_first |= upper && counts->upper + counts->lower == 0;
    counts->upper += upper;
    counts->lower += category == UTF8PROC_CATEGORY_LL;
    counts->digits += category == UTF8PROC_CATEGORY_ND;
    counts->punctuation += category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static enum casing casing_of(const counts *counts) {
    if (counts->digits) return counts->digits == counts->points ? DIGITS : DIGITS_IN;
    if (counts->points && counts->punctuation == counts->points) return PUNCTUATION;
    if (!counts->upper) return counts->lower ? LOWER : OTHER;
    if (!counts->lower) return UPPER;
    return counts->upper == 1 && counts->upper_first ? TITLE : MIXED;
}

const char *seq_casing(const char *text, size_t size) {
    counts counts = {0};
    for (size_t at = 0; at < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(size - at), &point);
        count(&counts, length > 0 ? utf8proc_category(point) : UTF8PROC_CATEGORY_CN);
        at += length > 0 ? (size_t)length : 1;
    }
    return seq_casings[casing_of(&counts)];
}
