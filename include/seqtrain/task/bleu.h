// BLEU (Papineni and others 2002) and chrF (Popovic 2015, 2017) as sacreBLEU 2 computes them (Post
// 2018): the same tokens, counts, smoothing and order of operations, so the same numbers. Counts of
// a segment, a line of text, are integers; those of a corpus are their sums, in any order.
#ifndef SEQTRAIN_TASK_BLEU_H
#define SEQTRAIN_TASK_BLEU_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// UTF-8; a byte that is none stands for itself and matches such a byte only.
typedef struct seq_segment {
    const char *text;
    size_t size;
} seq_segment;

typedef enum seq_bleu_tokens {
    SEQ_BLEU_13A,  // mteval-v13a: ASCII punctuation is cut off, but . and , between digits
    SEQ_BLEU_NONE, // what blanks separate
    SEQ_BLEU_INTL, // mteval-v14: Unicode's punctuation, but between numbers, and symbols
    SEQ_BLEU_CHAR, // code points
    SEQ_BLEU_TOKENS
} seq_bleu_tokens;
extern const char *const seq_bleu_token_names[SEQ_BLEU_TOKENS + 1]; // "13a" ...; NULL-terminated

// What stands for a precision of 0. exp: halves of 100 / total, one more for each such order.
// floor: the value / total. add-k: the value is added to counts and totals but of single tokens.
typedef enum seq_bleu_smoothing {
    SEQ_BLEU_EXP,
    SEQ_BLEU_FLOOR,
    SEQ_BLEU_ADD_K,
    SEQ_BLEU_UNSMOOTHED,
    SEQ_BLEU_SMOOTHINGS
} seq_bleu_smoothing;
extern const char *const seq_bleu_smoothing_names[SEQ_BLEU_SMOOTHINGS + 1]; // NULL-terminated

typedef struct seq_bleu_settings {
    seq_bleu_smoothing smoothing;
    double value;         // of floor and add-k; negative: sacreBLEU's, 0.1 and 1
    bool effective_order; // orders that the output is too short for are left out, as for sentences
} seq_bleu_settings;

enum {
    SEQ_BLEU_ORDER = 4,
    // Counts of BLEU: tokens of the output, of the closest reference (the shorter of two), matches
    // by order, n-grams of the output by order.
    SEQ_BLEU_OUTPUT = 0,
    SEQ_BLEU_REFERENCE,
    SEQ_BLEU_MATCHES,
    SEQ_BLEU_TOTALS = SEQ_BLEU_MATCHES + SEQ_BLEU_ORDER,
    SEQ_BLEU_COUNTS = SEQ_BLEU_TOTALS + SEQ_BLEU_ORDER,
    // Counts of chrF by order, first of code points, then of words: n-grams of the output, of the
    // reference that gives the best score, matches.
    SEQ_CHRF_CHARACTERS = 6,
    SEQ_CHRF_WORDS = 2, // chrF++; chrF has none
    SEQ_CHRF_ORDERS = SEQ_CHRF_CHARACTERS + SEQ_CHRF_WORDS,
    SEQ_CHRF_COUNTS = 3 * SEQ_CHRF_ORDERS,
    SEQ_CHRF_PLAIN_COUNTS = 3 * SEQ_CHRF_CHARACTERS,
};

// Memory that counting needs, which grows with the longest segment. One user at a time.
typedef struct seq_segment_counter seq_segment_counter;
seq_status seq_segment_counter_create(seq_segment_counter **out, seq_error *error);
void seq_segment_counter_destroy(seq_segment_counter *counter); // NULL is fine

// Counts of a segment against its references (at least one). `lower`: of both in lower case.
// SEQ_NO_MEMORY.
seq_status seq_bleu_count(seq_segment_counter *counter, seq_bleu_tokens tokens, bool lower,
                          seq_segment output, const seq_segment *references, size_t count,
                          int64_t out[SEQ_BLEU_COUNTS], seq_error *error);
// Likewise with words as well, or code points alone: SEQ_CHRF_PLAIN_COUNTS are written then.
seq_status seq_chrf_count(seq_segment_counter *counter, bool words, bool lower, seq_segment output,
                          const seq_segment *references, size_t count, int64_t *out,
                          seq_error *error);

// BLEU from 0 to 100, and what it is made of.
typedef struct seq_bleu {
    double score, precisions[SEQ_BLEU_ORDER], penalty; // precisions in percent
} seq_bleu;
seq_bleu seq_bleu_of(const int64_t counts[SEQ_BLEU_COUNTS], seq_bleu_settings settings);
// chrF of beta 2 from 0 to 100, of `orders` orders.
double seq_chrf_of(const int64_t *counts, int orders);

// What a figure depends on, in sacreBLEU's form, cut at `size` bytes:
// "nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:2". `references` 0: segments have not as many.
void seq_bleu_signature(seq_bleu_tokens tokens, seq_bleu_settings settings, bool lower,
                        size_t references, const char *version, char *out, size_t size);
void seq_chrf_signature(bool words, bool lower, size_t references, const char *version, char *out,
                        size_t size);

// Whether a text still has marks of subwords: "@@" before a blank or the end, or U+2581. *out_mark
// then names the one found.
bool seq_segment_has_marks(seq_segment segment, const char **out_mark);

#endif
