// Depth-first branch and bound over prefixes. A prefix keeps ln p of the alignments of the first t
// frames, for all t, that end in a blank, and in its last label. The probability that sequences
// begin with a prefix and one more label is the sum over t of the probability that this label
// begins in frame t, times what all symbols of the later frames add up to: it bounds all of them
// (Graves 2006, prefix search decoding). A bonus above 0 counts in each later frame's labels, of
// which a sequence has no more than frames. What the beam search finds is a bar from the start.
// Invariant: a prefix is passed over only when its bound is below the bar by more than rounding.
// Test: tests/unit/infer/test_ctc_search.c (all sequences by brute force).
#include "ctc_search_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>

#define ROUNDING 1e-9 // of a score, far above what sums of doubles lose

// A prefix on the way down, and what may follow it.
typedef struct level {
    int32_t label;                // its last; 0: the empty prefix
    double extra;                 // what language model and bonus add
    double *blank, *said, *total; // (T + 1): ln p behind the first t frames; total: of both
    seq_candidates children;      // labels with their bounds, best first
    int next;                     // child that has not been tried
} level;

typedef struct walk {
    seq_ctc_search *search;
    const float *log_probabilities;
    int frames, deepest;
    double *rest;  // (T + 1): ln of the sum over all paths through frames t .. T - 1, with bonus
    level *levels; // (deepest + 1)
    int depth;     // of the level that is looked at
    double floor;  // score of the n-th best, at least
    double done, prefixes;
} walk;

static double bar(const walk *walk) {
    double found = seq_best_bar(&walk->search->best);
    return (found > walk->floor ? found : walk->floor) - ROUNDING;
}

static seq_status take_level(const walk *walk, level *level, seq_error *error) {
    size_t frames = (size_t)walk->frames + 1, symbols = (size_t)walk->search->config.symbols;
    if (level->blank) return SEQ_OK;
    level->children.width = walk->search->config.symbols;
    seq_status status =
        seq_allocate(&level->blank, 3 * frames, sizeof *level->blank, "an exact search", error);
    if (status) return status;
    level->said = level->blank + frames;
    level->total = level->said + frames;
    return seq_allocate(&level->children.list, symbols, sizeof *level->children.list,
                        "an exact search", error);
}

// Alignments of the prefix that adds level->label to that of the level above (NULL: empty prefix).
static void fill(const walk *walk, const level *above, level *level) {
    int symbols = walk->search->config.symbols;
    level->blank[0] = above ? -INFINITY : 0;
    level->said[0] = -INFINITY;
    for (int t = 0; t < walk->frames; t++) {
        const float *frame = walk->log_probabilities + (size_t)t * (size_t)symbols;
        level->total[t] = seq_log_add(level->blank[t], level->said[t]);
        level->blank[t + 1] = level->total[t] + (double)frame[0];
        level->said[t + 1] = -INFINITY;
        if (!above) continue;
        double reach = above->label == level->label ? above->blank[t] : above->total[t];
        level->said[t + 1] = seq_log_add(level->said[t], reach) + (double)frame[level->label];
    }
    level->total[walk->frames] = seq_log_add(level->blank[walk->frames], level->said[walk->frames]);
}

// ln of the probability that sequences begin with the level's prefix and `label`.
static double begins(const walk *walk, const level *level, int32_t label) {
    const double *reach = label == level->label ? level->blank : level->total;
    size_t symbols = (size_t)walk->search->config.symbols;
    const float *column = walk->log_probabilities + label;
    double most = -INFINITY, sum = 0;
    for (int t = 0; t < walk->frames; t++) {
        double term = reach[t] + (double)column[(size_t)t * symbols] + walk->rest[t + 1];
        if (term > most) most = term;
    }
    for (int t = 0; t < walk->frames && most > -INFINITY; t++)
        sum += exp(reach[t] + (double)column[(size_t)t * symbols] + walk->rest[t + 1] - most);
    return most + log(sum);
}

static void find_children(walk *walk, level *level) {
    const seq_ctc_search_config *config = &walk->search->config;
    const float *next = seq_ctc_next(walk->search, walk->depth);
    bool ends = walk->depth == walk->deepest;
    level->children.count = level->next = 0;
    for (int32_t k = 1; !ends && k < config->symbols; k++) {
        double bound =
            begins(walk, level, k) + (level->extra + seq_ctc_gain(walk->search, next, k));
        if (bound >= bar(walk))
            seq_candidates_offer(&level->children, (seq_candidate){bound, 0, k});
    }
    seq_candidates_sort(&level->children, INFINITY);
    walk->done += (double)walk->frames * config->symbols;
    walk->prefixes++;
}

// The prefix of the levels down to walk->depth, whose last one is new.
static seq_status visit(walk *walk, seq_error *error) {
    seq_ctc_search *search = walk->search;
    level *level = &walk->levels[walk->depth], *above = walk->depth ? level - 1 : NULL;
    if (take_level(walk, level, error)) return error->status;
    fill(walk, above, level);
    if (above)
        level->extra = above->extra +
                       seq_ctc_gain(search, seq_ctc_next(search, walk->depth - 1), level->label);
    if (search->reader)
        seq_language_read(search->reader, 1, &(int32_t){walk->depth - 1}, &(int32_t){walk->depth},
                          &level->label);
    double score = level->total[walk->frames] + (level->extra + seq_ctc_end(search, walk->depth));
    for (int i = 0; i < walk->depth; i++)
        search->labels[i] = walk->levels[i + 1].label;
    find_children(walk, level);
    return seq_ctc_length_fits(search, walk->depth)
               ? seq_best_offer(&search->best, score, search->labels, walk->depth, error)
               : SEQ_OK;
}

// The largest bound of what has not been tried.
static double open_bound(const walk *walk) {
    double bound = -INFINITY;
    for (int i = 0; i <= walk->depth; i++) {
        const level *level = &walk->levels[i];
        if (level->next < level->children.count && level->children.list[level->next].score > bound)
            bound = level->children.list[level->next].score;
    }
    return bound;
}

static seq_status refuse(const walk *walk, seq_error *error) {
    const seq_ctc_search_config *config = &walk->search->config;
    return seq_error_set(
        error, SEQ_BAD_USAGE,
        "exact search of %d frames and %d symbols: after %.0f prefixes the best score is %.5f, and "
        "sequences that were not tried have up to %.5f; this is too large for it, the beam search "
        "is not",
        walk->frames, config->symbols, walk->prefixes,
        walk->search->best.count ? walk->search->best.list[0].score : -INFINITY, open_bound(walk));
}

static void add_up_rest(walk *walk) {
    size_t symbols = (size_t)walk->search->config.symbols;
    double bonus = walk->search->config.bonus > 0 ? walk->search->config.bonus : 0;
    walk->rest[walk->frames] = 0;
    for (int t = walk->frames - 1; t >= 0; t--) {
        const float *frame = walk->log_probabilities + (size_t)t * symbols;
        double sum = (double)frame[0];
        for (size_t k = 1; k < symbols; k++)
            sum = seq_log_add(sum, (double)frame[k] + bonus);
        walk->rest[t] = walk->rest[t + 1] + sum;
    }
}

static seq_status search_all(walk *walk, seq_error *error) {
    add_up_rest(walk);
    seq_status status = visit(walk, error);
    while (!status && walk->depth >= 0) {
        level *level = &walk->levels[walk->depth];
        bool ends = level->next == level->children.count ||
                    level->children.list[level->next].score < bar(walk);
        if (!ends && walk->done >= walk->search->config.work) return refuse(walk, error);
        if (ends) {
            walk->depth--;
        } else {
            level[1].label = level->children.list[level->next++].symbol;
            walk->depth++;
            status = visit(walk, error);
        }
    }
    return status;
}

seq_status seq_ctc_search_exact(seq_ctc_search *search, const float *log_probabilities, int frames,
                                seq_ctc_found *out, seq_error *error) {
    walk walk = {.search = search, .log_probabilities = log_probabilities, .frames = frames};
    int longest = search->config.longest;
    walk.deepest = longest && longest < frames ? longest : frames;
    seq_status status = seq_ctc_search_beam(search, log_probabilities, frames, out, error);
    if (status || isnan(out->best_path)) return status;
    walk.floor =
        out->count == search->config.best ? search->found[out->count - 1].score : -INFINITY;
    status = seq_ctc_search_begin(search, log_probabilities, frames, out, error);
    if (!status && search->reader)
        status = seq_language_reserve(search->reader, walk.deepest + 1, error);
    if (!status)
        status = seq_allocate(&walk.levels, (size_t)walk.deepest + 1, sizeof *walk.levels,
                              "an exact search", error);
    if (!status)
        status = seq_allocate(&walk.rest, (size_t)frames + 1, sizeof *walk.rest, "an exact search",
                              error);
    if (!status) status = search_all(&walk, error);
    if (!status) seq_ctc_search_end(search, log_probabilities, frames, out);
    for (int i = 0; walk.levels && i <= walk.deepest; i++) {
        free(walk.levels[i].blank);
        free(walk.levels[i].children.list);
    }
    free(walk.levels);
    free(walk.rest);
    return status;
}
