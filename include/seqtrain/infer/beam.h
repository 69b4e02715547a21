// What searches for the best sequences of symbols are made of: a tree of prefixes, the best
// candidates of a step, and the best sequences found. The searches of infer/ctc_search.h and
// infer/search.h are made of them.
//
// Scores are sums of ln p in double. -inf and NaN are refused everywhere: what has no probability
// is not found. All ties have one answer, so a search has the same bits wherever it runs.
#ifndef SEQTRAIN_INFER_BEAM_H
#define SEQTRAIN_INFER_BEAM_H

#include <math.h>
#include <seqtrain/base/option.h>
#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- What is kept, by options that all searches share.

typedef struct seq_beam_options {
    int64_t width;             // --beam; 0: no beam, the best symbol each time
    double margin;             // --margin; 0: none
    int64_t shortest, longest; // --min-length, --max-length; 0: any
} seq_beam_options;
extern const seq_option_group seq_beam_options_group;
enum { SEQ_BEAM_WIDTHS = 100000 };
// The options of a program with the group; --beam is `width` where it was not given. SEQ_BAD_USAGE:
// the shortest length is above the longest.
seq_status seq_beam_options_take(const seq_parsed *parsed, int64_t width, seq_beam_options *out,
                                 seq_error *error);
static inline double seq_beam_margin(const seq_beam_options *options) {
    return options->margin > 0 ? options->margin : INFINITY;
}

// ---- Prefixes: node 0 is the empty one, each other adds a symbol to its parent's.

typedef struct seq_prefix {
    int32_t parent, symbol; // -1, -1: the empty one
    int32_t length;         // symbols
    int32_t child, sibling; // its newest child; the parent's child before it; -1: none
    int32_t place;          // the search's own: where it is among the live ones; -1: not live
} seq_prefix;

typedef struct seq_prefixes {
    seq_prefix *nodes;
    size_t count, capacity;
} seq_prefixes;

// Leaves the empty prefix alone. SEQ_NO_MEMORY.
seq_status seq_prefixes_reset(seq_prefixes *prefixes, seq_error *error);
void seq_prefixes_clear(seq_prefixes *prefixes);
// The prefix that adds `symbol`, made where there is none yet: one for (parent, symbol), always.
seq_status seq_prefixes_extend(seq_prefixes *prefixes, int32_t parent, int32_t symbol, int32_t *out,
                               seq_error *error);
// Its symbols: `length` of them.
void seq_prefixes_symbols(const seq_prefixes *prefixes, int32_t node, int32_t *symbols);

// ---- Candidates: the `width` best of all that are offered.

typedef struct seq_candidate {
    double score;
    int32_t parent; // place of a live prefix
    int32_t symbol; // that is added; -1: none
} seq_candidate;

typedef struct seq_candidates {
    seq_candidate *list; // (width), the caller's; a heap, the worst first, until it is sorted
    int width, count;
} seq_candidates;

// Larger scores come first, then smaller parents, then smaller symbols.
void seq_candidates_offer(seq_candidates *candidates, seq_candidate candidate);
// Nothing below it can be among the best any more; -inf while there is room.
static inline double seq_candidates_bar(const seq_candidates *candidates) {
    return candidates->count < candidates->width ? -INFINITY : candidates->list[0].score;
}
// Best first, without those that are more than `margin` below the best (INFINITY: all stay).
void seq_candidates_sort(seq_candidates *candidates, double margin);

// ---- The n best sequences, each with the largest score that it was offered with.
//
// The best one's score is never below that of anything offered: a search offers what greedy
// decoding finds, too, and its answer is then never below greedy's.

typedef struct seq_hypothesis {
    double score;
    int32_t *symbols;
    int length;
    size_t capacity;
} seq_hypothesis;

typedef struct seq_best {
    seq_hypothesis *list; // (most + 1): best first, then what is not in use
    int most, count;
} seq_best;

seq_status seq_best_create(int most, seq_best *out, seq_error *error); // most: at least 1
void seq_best_clear(seq_best *best);
static inline void seq_best_reset(seq_best *best) {
    best->count = 0;
}
// Copies the symbols. Of equal scores the sequence that is first in the order of symbols comes
// first. SEQ_NO_MEMORY.
seq_status seq_best_offer(seq_best *best, double score, const int32_t *symbols, int length,
                          seq_error *error);
// Nothing below it can be among the best any more; -inf while there is room. A search is done when
// an upper bound of all that it has not seen is below.
static inline double seq_best_bar(const seq_best *best) {
    return best->count < best->most ? -INFINITY : best->list[best->count - 1].score;
}

#endif
