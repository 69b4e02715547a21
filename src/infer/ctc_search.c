// Best path, and prefix beam search. After each frame the beam holds prefixes with ln p of their
// alignments so far that end in a blank, and in a label. A frame lets each prefix stay (blank, or
// its last label again) or adds a label to it; an addition that is itself in the beam goes there.
// Scores are pruned with what language model and bonus add to the prefix, which is a function of
// the prefix alone. Invariant: a prefix is one node of the tree, so its alignments are added up
// wherever they come from. Tests: tests/unit/infer/test_ctc_search.c (all sequences by brute
// force), test_language.c.
#include "ctc_search_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

int seq_ctc_best_path(const float *log_probabilities, int frames, int symbols, int32_t *labels) {
    int count = 0, before = 0;
    for (int t = 0; t < frames; t++) {
        const float *frame = log_probabilities + (size_t)t * (size_t)symbols;
        int best = 0;
        for (int k = 1; k < symbols; k++)
            if (frame[k] > frame[best]) best = k;
        if (best && best != before) labels[count++] = best;
        before = best;
    }
    return count;
}

// ---- The search, and what it has found.

seq_status seq_ctc_search_create(const seq_ctc_search_config *config, seq_ctc_search **out,
                                 seq_error *error) {
    seq_ctc_search *search = NULL;
    size_t width = (size_t)config->width;
    seq_status status = seq_allocate(&search, 1, sizeof *search, "a CTC search", error);
    if (status) return status;
    search->config = *config;
    search->candidates.width = config->width;
    struct {
        void *array;
        size_t count, size;
    } const wanted[] = {
        {&search->found, (size_t)config->best, sizeof *search->found},
        {&search->candidates.list, width, sizeof *search->candidates.list},
        {&search->live, width, sizeof *search->live},
        {&search->stays, width, sizeof *search->stays},
        {&search->next, width, sizeof *search->next},
        {&search->score, width, sizeof *search->score},
        {&search->covered, width * (size_t)config->symbols, sizeof *search->covered},
        {&search->used, 2 * width, sizeof *search->used},
        {&search->from, width, sizeof *search->from},
        {&search->to, width, sizeof *search->to},
        {&search->read, width, sizeof *search->read},
    };
    for (size_t i = 0; !status && i < sizeof wanted / sizeof *wanted; i++)
        status =
            seq_allocate(wanted[i].array, wanted[i].count, wanted[i].size, "a CTC search", error);
    if (!status) status = seq_best_create(config->best, &search->best, error);
    if (!status && config->language && config->weight > 0)
        status = seq_language_reader_create(config->language, &search->reader, error);
    if (!status && search->reader)
        status = seq_language_reserve(search->reader, 2 * config->width, error);
    if (status)
        seq_ctc_search_destroy(search);
    else
        *out = search;
    return status;
}

void seq_ctc_search_destroy(seq_ctc_search *search) {
    if (!search) return;
    seq_language_reader_destroy(search->reader);
    seq_best_clear(&search->best);
    seq_prefixes_clear(&search->prefixes);
    void *const blocks[] = {search->found,
                            search->labels,
                            search->room,
                            search->live,
                            search->stays,
                            search->next,
                            search->score,
                            search->covered,
                            search->used,
                            search->from,
                            search->to,
                            search->read,
                            search->candidates.list,
                            search};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// ln of what all symbols of all frames add up to, about 0. Not finite: nothing can be found.
static double total(const float *log_probabilities, int frames, int symbols) {
    double sum = 0;
    for (int t = 0; t < frames; t++) {
        const float *frame = log_probabilities + (size_t)t * (size_t)symbols;
        double of_frame = 0;
        for (int k = 0; k < symbols; k++)
            of_frame += exp((double)frame[k]);
        sum += log(of_frame);
    }
    return sum;
}

// ln p of labels, summed over all alignments. The loss is one of frames whose symbols add up to 1.
static double sequence_log_probability(seq_ctc_search *search, const float *log_probabilities,
                                       int frames, const int32_t *labels, int count) {
    const seq_ctc_item item = {.frames = (size_t)frames,
                               .symbols = (size_t)search->config.symbols,
                               .labels = (size_t)count,
                               .logits = log_probabilities,
                               .ids = labels};
    return search->total - seq_ctc_loss(&item, search->room);
}

// What language model and bonus add to a whole sequence.
static double sequence_extra(seq_ctc_search *search, const int32_t *labels, int count) {
    double extra = 0;
    int32_t from = 0, to = 1, begin = 0;
    if (search->reader) seq_language_read(search->reader, 1, &to, &from, &begin);
    for (int u = 0; u < count; u++, from = to, to = 1 - from) {
        extra += seq_ctc_gain(search, seq_ctc_next(search, from), labels[u]);
        if (search->reader) seq_language_read(search->reader, 1, &from, &to, &labels[u]);
    }
    return extra + seq_ctc_end(search, from);
}

// For the item, and sequences of up to `longest` labels.
static seq_status prepare(seq_ctc_search *search, const float *log_probabilities, int frames,
                          int longest, seq_ctc_found *out, seq_error *error) {
    size_t labels = (size_t)longest;
    *out = (seq_ctc_found){.sequences = search->found, .best_path = NAN};
    seq_best_reset(&search->best);
    search->total = total(log_probabilities, frames, search->config.symbols);
    seq_status status = seq_grow(&search->labels, &search->label_capacity, labels,
                                 sizeof *search->labels, "a CTC search", error);
    return status ? status
                  : seq_grow(&search->room, &search->room_capacity,
                             seq_ctc_bytes(SEQ_CTC_LOSS, (size_t)frames,
                                           (size_t)search->config.symbols, labels,
                                           (size_t)frames * labels),
                             1, "a CTC search", error);
}

seq_status seq_ctc_search_begin(seq_ctc_search *search, const float *log_probabilities, int frames,
                                seq_ctc_found *out, seq_error *error) {
    seq_status status = prepare(search, log_probabilities, frames, frames, out, error);
    if (status || !isfinite(search->total)) return status;
    int count =
        seq_ctc_best_path(log_probabilities, frames, search->config.symbols, search->labels);
    out->best_path =
        sequence_log_probability(search, log_probabilities, frames, search->labels, count) +
        sequence_extra(search, search->labels, count);
    return seq_ctc_length_fits(search, count)
               ? seq_best_offer(&search->best, out->best_path, search->labels, count, error)
               : SEQ_OK;
}

void seq_ctc_search_end(seq_ctc_search *search, const float *log_probabilities, int frames,
                        seq_ctc_found *out) {
    out->count = search->best.count;
    for (int i = 0; i < out->count; i++) {
        const seq_hypothesis *from = &search->best.list[i];
        search->found[i] =
            (seq_ctc_sequence){from->score,
                               sequence_log_probability(search, log_probabilities, frames,
                                                        from->symbols, from->length),
                               from->length, from->symbols};
    }
}

seq_status seq_ctc_search_greedy(seq_ctc_search *search, const float *log_probabilities, int frames,
                                 seq_ctc_found *out, seq_error *error) {
    seq_status status = seq_ctc_search_begin(search, log_probabilities, frames, out, error);
    if (!status) seq_ctc_search_end(search, log_probabilities, frames, out);
    return status;
}

seq_status seq_ctc_search_given(seq_ctc_search *search, const float *log_probabilities, int frames,
                                const int32_t *labels, int count, seq_ctc_found *out,
                                seq_error *error) {
    seq_status status = prepare(search, log_probabilities, frames, count, out, error);
    if (status || !isfinite(search->total)) return status;
    double score = sequence_log_probability(search, log_probabilities, frames, labels, count) +
                   sequence_extra(search, labels, count);
    status = seq_best_offer(&search->best, score, labels, count, error);
    if (!status) seq_ctc_search_end(search, log_probabilities, frames, out);
    return status;
}

// ---- A frame of the beam.

// Prefixes that get no new label: their alignments go on, and those of a live parent come in.
static void stay(seq_ctc_search *search, const float *frame) {
    const seq_prefix *nodes = search->prefixes.nodes;
    size_t symbols = (size_t)search->config.symbols;
    memset(search->covered, 0, (size_t)search->live_count * symbols);
    for (int i = 0; i < search->live_count; i++) {
        const live_prefix *prefix = &search->live[i];
        search->score[i] = seq_log_add(prefix->blank, prefix->label);
        search->stays[i] = *prefix;
        search->stays[i].blank = search->score[i] + (double)frame[0];
        search->stays[i].label = prefix->label + (double)frame[prefix->last];
    }
    for (int i = 0; i < search->live_count; i++) {
        int32_t last = search->live[i].last, parent = nodes[search->live[i].node].parent,
                place = parent < 0 ? -1 : nodes[parent].place;
        if (place >= 0) {
            double reach =
                last == search->live[place].last ? search->live[place].blank : search->score[place];
            search->stays[i].label =
                seq_log_add(search->stays[i].label, reach + (double)frame[last]);
            search->covered[(size_t)place * symbols + (size_t)last] = 1;
        }
        double score = seq_log_add(search->stays[i].blank, search->stays[i].label);
        seq_candidates_offer(&search->candidates,
                             (seq_candidate){score + search->live[i].extra, i, -1});
    }
}

// ln p of the alignments in which `symbol` follows prefix i.
static double extended(const seq_ctc_search *search, int i, int32_t symbol, const float *frame) {
    const live_prefix *prefix = &search->live[i];
    return (symbol == prefix->last ? prefix->blank : search->score[i]) + (double)frame[symbol];
}

// Offers prefix i with each label behind it. No label's score is above the first one here, which
// is rounded in the same order.
static void extend(seq_ctc_search *search, int i, const float *frame, float largest) {
    const seq_ctc_search_config *config = &search->config;
    const live_prefix *prefix = &search->live[i];
    const float *next = seq_ctc_next(search, prefix->place);
    const unsigned char *covered = search->covered + (size_t)i * (size_t)config->symbols;
    double most = search->score[i] + (double)largest + (prefix->extra + config->bonus);
    if (most < seq_candidates_bar(&search->candidates) ||
        (config->longest && search->prefixes.nodes[prefix->node].length == config->longest))
        return;
    for (int32_t k = 1; k < config->symbols; k++)
        if (!covered[k]) {
            double score =
                extended(search, i, k, frame) + (prefix->extra + seq_ctc_gain(search, next, k));
            if (score >= seq_candidates_bar(&search->candidates))
                seq_candidates_offer(&search->candidates, (seq_candidate){score, i, k});
        }
}

// The candidates that are left become the live prefixes.
static seq_status go_on(seq_ctc_search *search, const float *frame, seq_error *error) {
    live_prefix *next = search->next;
    int32_t place = 0; // the next one that may be free
    int reads = 0;
    memset(search->used, 0, 2 * (size_t)search->config.width * sizeof *search->used);
    for (int i = 0; i < search->live_count; i++) {
        search->used[search->live[i].place] = true;
        search->prefixes.nodes[search->live[i].node].place = -1;
    }
    for (int c = 0; c < search->candidates.count; c++) {
        const seq_candidate *candidate = &search->candidates.list[c];
        const live_prefix *from = &search->live[candidate->parent];
        int32_t k = candidate->symbol;
        next[c] = search->stays[candidate->parent];
        if (k >= 0) {
            while (search->used[place])
                place++;
            next[c] = (live_prefix){
                .last = k,
                .place = place,
                .blank = -INFINITY,
                .label = extended(search, candidate->parent, k, frame),
                .extra = from->extra + seq_ctc_gain(search, seq_ctc_next(search, from->place), k)};
            search->from[reads] = from->place;
            search->to[reads] = place++;
            search->read[reads++] = k;
            if (seq_prefixes_extend(&search->prefixes, from->node, k, &next[c].node, error))
                return error->status;
        }
        search->prefixes.nodes[next[c].node].place = c;
    }
    if (search->reader && reads)
        seq_language_read(search->reader, reads, search->from, search->to, search->read);
    search->next = search->live;
    search->live = next;
    search->live_count = search->candidates.count;
    return SEQ_OK;
}

static seq_status step(seq_ctc_search *search, const float *frame, seq_error *error) {
    float largest = -INFINITY;
    for (int k = 1; k < search->config.symbols; k++)
        if (frame[k] > largest) largest = frame[k];
    search->candidates.count = 0;
    stay(search, frame);
    for (int i = 0; i < search->live_count; i++)
        extend(search, i, frame, largest);
    seq_candidates_sort(&search->candidates, search->config.margin);
    return go_on(search, frame, error);
}

static seq_status finish(seq_ctc_search *search, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < search->live_count; i++) {
        const live_prefix *prefix = &search->live[i];
        int length = search->prefixes.nodes[prefix->node].length;
        double score = seq_log_add(prefix->blank, prefix->label) +
                       (prefix->extra + seq_ctc_end(search, prefix->place));
        if (!seq_ctc_length_fits(search, length) || score < seq_best_bar(&search->best)) continue;
        seq_prefixes_symbols(&search->prefixes, prefix->node, search->labels);
        status = seq_best_offer(&search->best, score, search->labels, length, error);
    }
    return status;
}

seq_status seq_ctc_search_beam(seq_ctc_search *search, const float *log_probabilities, int frames,
                               seq_ctc_found *out, seq_error *error) {
    seq_status status = seq_ctc_search_begin(search, log_probabilities, frames, out, error);
    if (status || isnan(out->best_path)) return status;
    int32_t begin = 0;
    if (seq_prefixes_reset(&search->prefixes, error)) return error->status;
    search->prefixes.nodes[0].place = 0;
    search->live[0] = (live_prefix){.label = -INFINITY};
    search->live_count = 1;
    if (search->reader) seq_language_read(search->reader, 1, &begin, &begin, &begin);
    for (int t = 0; !status && t < frames; t++)
        status =
            step(search, log_probabilities + (size_t)t * (size_t)search->config.symbols, error);
    if (!status) status = finish(search, error);
    if (!status) seq_ctc_search_end(search, log_probabilities, frames, out);
    return status;
}
