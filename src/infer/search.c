// Beam search, and its special cases: greedy search and draws are a beam of one path. Each item has
// a tree of prefixes, a heap of candidates and a list of the best that have ended (beam.c); all
// items' unfinished outputs are one step of the model. Only symbols whose logit can reach the
// heap's worst are offered, so a row costs one pass for its sum and one comparison a symbol.
// Invariants: an item's answer depends on that item alone; an output leaves the beam only where its
// bound is below the n-th best. Tests:
// tests/unit/infer/test_search.c, test_search_exact.c (all outputs by brute force).
#include <seqtrain/infer/search.h>
#include <assert.h>
#include <float.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/nn/softmax.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16, GENERATED = 1000 };

// An unfinished output.
typedef struct live {
    int32_t node;   // of the tree
    int32_t row;    // its sequence in the model's step
    int32_t before; // what it reads
    double score;   // ln p
    bool greedy;    // greedy search's path
    bool aside;     // which is not in the beam: it goes on as greedy search does, no other way
} live;

// Of a node of the tree that was stepped.
typedef struct note {
    double end;       // ln p of the output that ends here
    bool truncated;   // if it does
    size_t attention; // place in the beam's
} note;

// The search for an item.
typedef struct beam {
    const seq_search_item *item;
    int shortest, longest;
    double most; // lp of the longest output
    bool not_a_number;
    seq_prefixes prefixes;
    note *notes; // (nodes)
    size_t note_capacity;
    live *live, *next; // (rows)
    int live_count;
    seq_candidates candidates;
    seq_candidate greedy; // how greedy search's path goes on; parent -1: it does not
    double greedy_score;
    seq_best best;
    float *attention;
    size_t attention_count, attention_capacity;
} beam;

struct seq_search {
    seq_search_config config;
    int rows; // of an item
    const seq_stepper *stepper;
    beam *beams;
    size_t beam_capacity;
    double *penalties; // lp of n symbols and end
    size_t penalty_capacity;
    int penalty_count;
    int32_t *item, *from, *before; // (rows of a step)
    size_t row_capacity[3];
    int row_count;
    size_t chunk; // rows whose scores exist at once
    float *scores, *exponentials;
    size_t score_capacity;
    void *drawn;
    // Of one output.
    int32_t *path;
    size_t path_capacity;
    // What an item gets.
    seq_output *outputs; // (best)
    int32_t *symbols;
    float *attention;
    size_t symbol_capacity, attention_capacity;
};

// ---- Formulas.

double seq_log_sum(const seq_kernels *kernels, const float *logits, size_t count, float *scratch) {
    float most = seq_largest(logits, count);
    double lanes[LANES] = {0}, sum = 0;
    size_t i = 0;
    if (!isfinite(most)) return NAN;
    for (size_t k = 0; k < count; k++)
        scratch[k] = logits[k] - most;
    kernels->exp(scratch, count);
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)scratch[i + lane];
    for (; i < count; i++)
        sum += (double)scratch[i];
    for (int lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return (double)most + log(sum);
}

double seq_length_penalty(seq_length_rule rule, double alpha, int places) {
    switch (rule) {
    case SEQ_LENGTH_GNMT:
        return pow((5.0 + places) / 6, alpha);
    case SEQ_LENGTH_MEAN:
        return pow(places, alpha);
    case SEQ_LENGTH_NONE:
        break;
    }
    return 1;
}

// They never fall, whatever the last bits of pow are.
static seq_status extend_penalties(seq_search *search, int longest, seq_error *error) {
    const seq_search_config *config = &search->config;
    if (seq_grow(&search->penalties, &search->penalty_capacity, (size_t)longest + 1,
                 sizeof *search->penalties, "a search", error))
        return error->status;
    for (; search->penalty_count <= longest; search->penalty_count++) {
        int n = search->penalty_count;
        double own = seq_length_penalty(config->rule, config->alpha, n + 1);
        search->penalties[n] = n && search->penalties[n - 1] > own ? search->penalties[n - 1] : own;
    }
    return SEQ_OK;
}

// cp of the output that ends at a node.
static double coverage_penalty(const beam *beam, int32_t node) {
    double penalty = 0;
    for (int i = 0; i < beam->item->source; i++) {
        double sum = 0;
        for (int32_t at = node; at >= 0; at = beam->prefixes.nodes[at].parent)
            sum += (double)beam->attention[beam->notes[at].attention + (size_t)i];
        penalty -= log(sum > 1 ? 1 : sum > (double)FLT_MIN ? sum : (double)FLT_MIN);
    }
    return penalty;
}

// No output that begins with such a one can be among the best any more.
static bool is_lost(const beam *beam, double log_probability) {
    return log_probability / beam->most < seq_best_bar(&beam->best);
}

// ---- Making and ending.

int seq_search_rows(const seq_search_config *config) {
    return config->draw || config->width == 1 ? 1 : config->width + 1;
}

seq_status seq_search_create(const seq_search_config *config, seq_search **out, seq_error *error) {
    seq_search *search = NULL;
    seq_status status = seq_allocate(&search, 1, sizeof *search, "a search", error);
    if (status) return status;
    size_t symbols = (size_t)config->symbols;
    search->config = *config;
    if (config->draw) search->config.width = search->config.best = 1;
    search->rows = seq_search_rows(&search->config);
    search->chunk = SEQ_CHUNK_LOGITS / symbols ? SEQ_CHUNK_LOGITS / symbols : 1;
    struct {
        void *array;
        size_t count, size;
    } const wanted[] = {
        {&search->exponentials, symbols, sizeof *search->exponentials},
        {&search->outputs, (size_t)search->config.best, sizeof *search->outputs},
        {&search->drawn, config->draw ? seq_sample_scratch(config->symbols) : 0, 1},
    };
    for (size_t i = 0; !status && i < sizeof wanted / sizeof *wanted; i++)
        status = seq_allocate(wanted[i].array, wanted[i].count, wanted[i].size, "a search", error);
    if (status)
        seq_search_destroy(search);
    else
        *out = search;
    return status;
}

void seq_search_destroy(seq_search *search) {
    if (!search) return;
    for (size_t i = 0; i < search->beam_capacity; i++) {
        beam *beam = &search->beams[i];
        seq_prefixes_clear(&beam->prefixes);
        seq_best_clear(&beam->best);
        free(beam->notes);
        free(beam->live);
        free(beam->next);
        free(beam->candidates.list);
        free(beam->attention);
    }
    void *const blocks[] = {
        search->beams,   search->penalties,    search->item,  search->from, search->before,
        search->scores,  search->exponentials, search->drawn, search->path, search->outputs,
        search->symbols, search->attention,    search};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// ---- The beginning of an item.

static seq_status make_beam(const seq_search *search, beam *beam, seq_error *error) {
    size_t rows = (size_t)search->rows;
    seq_status status = seq_allocate(&beam->live, rows, sizeof *beam->live, "a search", error);
    if (!status) status = seq_allocate(&beam->next, rows, sizeof *beam->next, "a search", error);
    if (!status)
        status = seq_allocate(&beam->candidates.list, (size_t)search->config.width,
                              sizeof *beam->candidates.list, "a search", error);
    if (!status) status = seq_best_create(search->config.best, &beam->best, error);
    beam->candidates.width = search->config.width;
    return status;
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static seq_status begin_beam(seq_search *search, beam *beam, const seq_search_item *item,
                             seq_error *error) {
    const seq_search_config *config = &search->config;
    bool has_source = item->source != SEQ_NO_SOURCE;
    int usual = has_source ? larger(10, 2 * item->source + 5) : GENERATED;
    if (!beam->best.list && make_beam(search, beam, error)) return error->status;
    beam->item = item;
    beam->shortest = has_source ? larger(config->shortest, 1) : config->shortest;
    beam->longest = larger(config->longest ? config->longest : usual, beam->shortest);
    beam->longest = larger(beam->longest, item->prefix_count);
    beam->not_a_number = false;
    beam->greedy_score = NAN;
    beam->attention_count = 0;
    beam->live[0] = (live){.before = SEQ_NO_ID, .greedy = true, .aside = search->rows == 1};
    beam->live_count = item->source != 0;
    seq_best_reset(&beam->best);
    if (extend_penalties(search, beam->longest, error) ||
        seq_prefixes_reset(&beam->prefixes, error) ||
        seq_grow(&beam->notes, &beam->note_capacity, 1, sizeof *beam->notes, "a search", error) ||
        seq_grow(&search->path, &search->path_capacity, (size_t)beam->longest + 1,
                 sizeof *search->path, "a search", error))
        return error->status;
    beam->most = search->penalties[beam->longest];
    return SEQ_OK;
}

// ---- One row of scores.

// -inf where a symbol may not come next. The end is looked at by itself.
static void mask(const seq_search *search, const beam *beam, int32_t node, float *logits) {
    const seq_search_config *config = &search->config;
    int length = beam->prefixes.nodes[node].length, behind = config->no_repeat - 1;
    const int32_t *path = search->path;
    logits[config->end] = -INFINITY;
    for (int i = 0; i < config->forbidden_count; i++)
        logits[config->forbidden[i]] = -INFINITY;
    if (behind < 0 || length <= behind) return;
    seq_prefixes_symbols(&beam->prefixes, node, search->path);
    for (int i = 0; i + behind < length; i++)
        if (memcmp(path + i, path + length - behind, (size_t)behind * sizeof *path) == 0)
            logits[path[i + behind]] = -INFINITY;
}

static int32_t first_largest(const float *logits, int symbols) {
    float most = seq_largest(logits, (size_t)symbols);
    int32_t k = 0;
    while (k + 1 < symbols && logits[k] != most)
        k++;
    return k;
}

// A logit that is below it, less the sum, cannot reach the candidates; a little too low.
static float threshold(const beam *beam, double score, double log_sum) {
    double bar = seq_candidates_bar(&beam->candidates),
           best = seq_best_bar(&beam->best) * beam->most;
    if (best > bar) bar = best;
    double least = bar - score + log_sum;
    return (float)(least - 1e-5 * (1 + fabs(least) + fabs(log_sum) + fabs(score)));
}

static void offer_all(const seq_search *search, beam *beam, int i, const float *logits,
                      double log_sum) {
    int symbols = search->config.symbols;
    double score = beam->live[i].score;
    float least = threshold(beam, score, log_sum);
    for (int32_t first = 0; first < symbols; first += LANES) {
        int32_t end = symbols - first < LANES ? symbols : first + LANES;
        int hit = 0;
        for (int32_t k = first; k < end; k++)
            hit |= logits[k] >= least;
        if (!hit) continue;
        for (int32_t k = first; k < end; k++)
            if (logits[k] >= least)
                seq_candidates_offer(&beam->candidates,
                                     (seq_candidate){score + ((double)logits[k] - log_sum), i, k});
        least = threshold(beam, score, log_sum);
    }
}

// Offers the output that ends here; returns its score.
static double end_output(seq_search *search, beam *beam, int32_t node, double log_probability,
                         bool truncated, seq_error *error) {
    int length = beam->prefixes.nodes[node].length;
    note *note = &beam->notes[node];
    note->end = log_probability;
    note->truncated = truncated;
    double score = log_probability / search->penalties[length];
    if (search->config.coverage > 0)
        score -= search->config.coverage * coverage_penalty(beam, node);
    seq_prefixes_symbols(&beam->prefixes, node, search->path);
    seq_best_offer(&beam->best, score, search->path, length, error);
    return score;
}

static double unit_of(const seq_search *search, const beam *beam, int length) {
    return seq_sample_unit(search->config.draw, length - beam->item->prefix_count,
                           (uint32_t)beam->item->number);
}

// What greedy search takes of masked logits, or what is drawn; -1: nothing is allowed.
static int32_t choose(const seq_search *search, const beam *beam, int length, bool may_end,
                      float end, float *logits) {
    const seq_search_config *config = &search->config;
    if (may_end) logits[config->end] = end;
    int32_t chosen = first_largest(logits, config->symbols);
    if (!(logits[chosen] > -INFINITY))
        chosen = -1;
    else if (config->draw)
        chosen = seq_sample_draw(config->draw, logits, config->symbols, SEQ_NO_ID,
                                 unit_of(search, beam, length), search->drawn);
    logits[config->end] = -INFINITY;
    return chosen;
}

static void follow_prefix(beam *beam, int i, int32_t symbol, const float *logits, double log_sum) {
    const live *live = &beam->live[i];
    const seq_candidate only = {live->score + ((double)logits[symbol] - log_sum), i, symbol};
    if (live->greedy) beam->greedy = only;
    if (!live->aside) seq_candidates_offer(&beam->candidates, only);
}

static seq_status expand(seq_search *search, beam *beam, int i, float *logits, seq_error *error) {
    const seq_search_config *config = &search->config;
    const live *live = &beam->live[i];
    int length = beam->prefixes.nodes[live->node].length;
    bool may_end = length >= beam->shortest, must_end = length >= beam->longest;
    double log_sum =
        seq_log_sum(config->kernels, logits, (size_t)config->symbols, search->exponentials);
    if (isnan(log_sum)) {
        beam->not_a_number = true;
        return SEQ_OK;
    }
    if (length < beam->item->prefix_count) {
        follow_prefix(beam, i, beam->item->prefix[length], logits, log_sum);
        return SEQ_OK;
    }
    float end = logits[config->end];
    mask(search, beam, live->node, logits);
    int32_t chosen =
        live->greedy || must_end ? choose(search, beam, length, may_end, end, logits) : -1;
    bool ends = may_end && (must_end || chosen == config->end);
    if (may_end && (ends || !live->aside)) {
        double score = end_output(search, beam, live->node, live->score + ((double)end - log_sum),
                                  must_end && chosen != config->end, error);
        if (live->greedy && ends) beam->greedy_score = score;
    }
    if (must_end) return error->status;
    if (live->greedy && !ends && chosen >= 0)
        beam->greedy = (seq_candidate){live->score + ((double)logits[chosen] - log_sum), i, chosen};
    if (!live->aside) offer_all(search, beam, i, logits, log_sum);
    return error->status;
}

// ---- A step.

static void add_rows(seq_search *search, beam *beam, int32_t number) {
    for (int i = 0; i < beam->live_count; i++) {
        int row = search->row_count++;
        search->item[row] = number;
        search->from[row] = beam->live[i].row;
        search->before[row] = beam->live[i].before;
        beam->live[i].row = row;
    }
    beam->candidates.count = 0;
    beam->greedy.parent = -1;
}

static seq_status keep_attention(seq_search *search, beam *beam, seq_error *error) {
    const seq_stepper *stepper = search->stepper;
    for (int i = 0; i < beam->live_count; i++) {
        int length = 0;
        const float *weights = stepper->attention(stepper->context, beam->live[i].row, &length);
        size_t at = beam->attention_count, size = weights ? (size_t)length : 0;
        if (!weights && search->config.coverage > 0)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "coverage: the model has no attention to measure it by");
        if (!weights) return SEQ_OK;
        assert(length == beam->item->source);
        if (seq_grow(&beam->attention, &beam->attention_capacity, at + size,
                     sizeof *beam->attention, "attention", error))
            return error->status;
        memcpy(beam->attention + at, weights, size * sizeof *weights);
        beam->notes[beam->live[i].node].attention = at;
        beam->attention_count += size;
    }
    return SEQ_OK;
}

static seq_status add_live(beam *beam, const seq_candidate *candidate, bool aside,
                           seq_error *error) {
    const live *from = &beam->live[candidate->parent];
    live *to = &beam->next[beam->live_count];
    *to = (live){
        .row = from->row, .before = candidate->symbol, .score = candidate->score, .aside = aside};
    to->greedy =
        beam->greedy.parent == candidate->parent && beam->greedy.symbol == candidate->symbol;
    if (to->greedy) beam->greedy.parent = -1;
    if (seq_prefixes_extend(&beam->prefixes, from->node, candidate->symbol, &to->node, error) ||
        seq_grow(&beam->notes, &beam->note_capacity, beam->prefixes.count, sizeof *beam->notes,
                 "a search", error))
        return error->status;
    beam->live_count++;
    return SEQ_OK;
}

// The best candidates that can still win are what is stepped next, and greedy search's path.
static seq_status go_on(const seq_search *search, beam *beam, seq_error *error) {
    live *before = beam->live;
    seq_status status = SEQ_OK;
    seq_candidates_sort(&beam->candidates, search->config.margin);
    beam->live_count = 0;
    for (int c = 0; !status && c < beam->candidates.count && !beam->not_a_number; c++)
        if (!is_lost(beam, beam->candidates.list[c].score))
            status = add_live(beam, &beam->candidates.list[c], false, error);
    const seq_candidate greedy = beam->greedy;
    bool wanted = greedy.parent >= 0 && greedy.score > -INFINITY && !beam->not_a_number;
    if (!status && wanted && (search->config.greedy || !is_lost(beam, greedy.score)))
        status = add_live(beam, &greedy, true, error);
    beam->live = beam->next;
    beam->next = before;
    return status;
}

static seq_status expand_all(seq_search *search, seq_error *error) {
    size_t symbols = (size_t)search->config.symbols;
    int chunk = (int)search->chunk, count = search->row_count;
    seq_status status = SEQ_OK;
    for (int first = 0, i = 0; !status && first < count; first += chunk) {
        int rows = count - first < chunk ? count - first : chunk;
        search->stepper->scores(search->stepper->context, first, rows, search->scores);
        for (int row = first; !status && row < first + rows; row++) {
            i = row && search->item[row] == search->item[row - 1] ? i + 1 : 0;
            status = expand(search, &search->beams[search->item[row]], i,
                            search->scores + (size_t)(row - first) * symbols, error);
        }
    }
    return status;
}

// ---- The end of an item.

static seq_status write_attention(seq_search *search, const beam *beam, int32_t node, size_t *used,
                                  seq_output *out, seq_error *error) {
    size_t width = (size_t)beam->item->source;
    if (seq_grow(&search->attention, &search->attention_capacity,
                 *used + ((size_t)out->length + 1) * width, sizeof *search->attention, "attention",
                 error))
        return error->status;
    for (int j = out->length; j >= 0; j--, node = beam->prefixes.nodes[node].parent)
        memcpy(search->attention + *used + (size_t)j * width,
               beam->attention + beam->notes[node].attention, width * sizeof(float));
    *used += ((size_t)out->length + 1) * width;
    return SEQ_OK;
}

static int32_t node_of(const beam *beam, const seq_hypothesis *of) {
    const seq_prefix *nodes = beam->prefixes.nodes;
    int32_t node = 0;
    for (int j = 0; j < of->length; j++) {
        node = nodes[node].child;
        while (nodes[node].symbol != of->symbols[j])
            node = nodes[node].sibling;
    }
    return node;
}

static seq_status take_best(seq_search *search, const beam *beam, seq_error *error) {
    bool attends = search->config.attention && beam->attention_count;
    size_t used = 0;
    seq_status status = SEQ_OK;
    for (int k = 0; !status && k < beam->best.count; k++) {
        const seq_hypothesis *from = &beam->best.list[k];
        int32_t node = node_of(beam, from);
        search->outputs[k] = (seq_output){.score = from->score,
                                          .log_probability = beam->notes[node].end,
                                          .length = from->length,
                                          .symbols = from->symbols,
                                          .truncated = beam->notes[node].truncated};
        if (attends)
            status = write_attention(search, beam, node, &used, &search->outputs[k], error);
    }
    // They lie one behind another; the array has moved while it grew.
    used = 0;
    for (int k = 0; !status && attends && k < beam->best.count; k++) {
        search->outputs[k].attention = search->attention + used;
        used += ((size_t)search->outputs[k].length + 1) * (size_t)beam->item->source;
    }
    return status;
}

static seq_status finish(seq_search *search, const beam *beam, seq_found_sink sink, void *context,
                         seq_error *error) {
    int number = (int)(beam - search->beams);
    seq_found found = {.outputs = search->outputs,
                       .greedy = search->config.draw ? NAN : beam->greedy_score,
                       .not_a_number = beam->not_a_number};
    if (beam->item->source == 0) {
        search->outputs[0] = (seq_output){0};
        found.count = 1;
        found.greedy = 0;
    } else if (!beam->not_a_number) {
        if (take_best(search, beam, error)) return error->status;
        found.count = beam->best.count;
    }
    return sink(context, number, &found, error);
}

// ---- All of it.

static seq_status step(seq_search *search, bool first, int count, seq_error *error) {
    const seq_search_config *config = &search->config;
    const seq_stepper *stepper = search->stepper;
    seq_status status = SEQ_OK;
    search->row_count = 0;
    for (int i = 0; i < count; i++)
        add_rows(search, &search->beams[i], i);
    if (!search->row_count) return SEQ_OK;
    stepper->step(stepper->context, search->row_count, search->item, first ? NULL : search->from,
                  search->before);
    for (int i = 0; !status && i < count && (config->attention || config->coverage > 0); i++)
        status = keep_attention(search, &search->beams[i], error);
    return status ? status : expand_all(search, error);
}

static seq_status prepare(seq_search *search, const seq_search_item *items, int count,
                          seq_error *error) {
    size_t most = (size_t)count * (size_t)search->rows;
    int32_t **const arrays[] = {&search->item, &search->from, &search->before};
    seq_status status = seq_grow(&search->beams, &search->beam_capacity, (size_t)count,
                                 sizeof *search->beams, "a search", error);
    for (int i = 0; !status && i < 3; i++)
        status = seq_grow(arrays[i], &search->row_capacity[i], most, sizeof **arrays[i], "a search",
                          error);
    if (!status)
        status =
            seq_grow(&search->scores, &search->score_capacity,
                     (most < search->chunk ? most : search->chunk) * (size_t)search->config.symbols,
                     sizeof *search->scores, "the scores of a search", error);
    for (int i = 0; !status && i < count; i++)
        status = begin_beam(search, &search->beams[i], &items[i], error);
    return status;
}

seq_status seq_search_run(seq_search *search, const seq_stepper *stepper,
                          const seq_search_item *items, int count, seq_found_sink sink,
                          void *context, seq_error *error) {
    search->stepper = stepper;
    seq_status status = prepare(search, items, count, error);
    for (int i = 0; !status && i < count; i++)
        if (!search->beams[i].live_count)
            status = finish(search, &search->beams[i], sink, context, error);
    for (bool first = true, more = true; !status && more; first = false) {
        status = step(search, first, count, error);
        more = false;
        for (int i = 0; !status && i < count; i++) {
            beam *beam = &search->beams[i];
            if (!beam->live_count) continue;
            status = go_on(search, beam, error);
            more = more || beam->live_count;
            if (!status && !beam->live_count) status = finish(search, beam, sink, context, error);
        }
    }
    return status;
}
