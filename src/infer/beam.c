// Prefixes are a tree whose nodes know their newest child, so a prefix that was dropped and comes
// again is the same node. Candidates are a heap with the worst at its root, sorted in place at the
// end. The n best are a sorted list; each sequence is in it once. Invariant: the order is total
// (score, parent, symbol; score, symbols), so results do not depend on the order of offers. Test:
// tests/unit/infer/test_beam.c.
#include <seqtrain/infer/beam.h>
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(seq_beam_options, field)
static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Search (models of the tasks transcribe and translate)"},
    {SEQ_OPTION_INTEGER, "beam", "N", AT(width), NULL, 0, SEQ_BEAM_WIDTHS,
     .help = "Width of the beam: unfinished outputs, or prefixes of a transcript, that are kept at "
             "each step. 0: greedy, as validation and seqeval do. Default: 5; for transcripts "
             "16."},
    {SEQ_OPTION_REAL, "margin", "X", AT(margin), "0", 0, 1e9,
     .help = "Prune hypotheses that are more than X nats below the best one: faster. 0: keep all."},
    {SEQ_OPTION_INTEGER, "min-length", "N", AT(shortest), "0", 0, 1000000,
     .help = "Least length of an output in units (of a transcript: symbols)."},
    {SEQ_OPTION_INTEGER, "max-length", "N", AT(longest), "0", 0, 1000000,
     .help = "Greatest length of an output in units. 0: no limit for transcripts; for translations "
             "twice the source's length plus 5, at least 10. An output that reaches it before its "
             "end is reported as truncated."},
    {.type = SEQ_OPTION_END},
};
const seq_option_group seq_beam_options_group = {options, sizeof(seq_beam_options)};

seq_status seq_beam_options_take(const seq_parsed *parsed, int64_t width, seq_beam_options *out,
                                 seq_error *error) {
    *out = *(const seq_beam_options *)seq_option_values(parsed, &seq_beam_options_group);
    if (parsed->sources[seq_option_find(parsed->program, "beam")] == SEQ_FROM_DEFAULT)
        out->width = width;
    if (!out->longest || out->shortest <= out->longest) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--min-length %" PRId64 ": above --max-length %" PRId64, out->shortest,
                         out->longest);
}

seq_status seq_prefixes_reset(seq_prefixes *prefixes, seq_error *error) {
    seq_status status = seq_grow(&prefixes->nodes, &prefixes->capacity, 1, sizeof *prefixes->nodes,
                                 "the prefixes of a search", error);
    if (status) return status;
    prefixes->nodes[0] = (seq_prefix){-1, -1, 0, -1, -1, -1};
    prefixes->count = 1;
    return SEQ_OK;
}

void seq_prefixes_clear(seq_prefixes *prefixes) {
    free(prefixes->nodes);
    *prefixes = (seq_prefixes){0};
}

seq_status seq_prefixes_extend(seq_prefixes *prefixes, int32_t parent, int32_t symbol, int32_t *out,
                               seq_error *error) {
    int32_t node = prefixes->nodes[parent].child;
    while (node >= 0 && prefixes->nodes[node].symbol != symbol)
        node = prefixes->nodes[node].sibling;
    if (node < 0) {
        if (prefixes->count == INT32_MAX)
            return seq_error_set(error, SEQ_NO_MEMORY,
                                 "searching: more than %d prefixes; take a smaller width",
                                 INT32_MAX);
        seq_status status = seq_grow(&prefixes->nodes, &prefixes->capacity, prefixes->count + 1,
                                     sizeof *prefixes->nodes,
                                     "the prefixes of a search (a smaller width has fewer)", error);
        if (status) return status;
        seq_prefix *from = &prefixes->nodes[parent];
        node = (int32_t)prefixes->count++;
        prefixes->nodes[node] = (seq_prefix){parent, symbol, from->length + 1, -1, from->child, -1};
        from->child = node;
    }
    *out = node;
    return SEQ_OK;
}

void seq_prefixes_symbols(const seq_prefixes *prefixes, int32_t node, int32_t *symbols) {
    for (const seq_prefix *at = &prefixes->nodes[node]; at->length > 0;
         at = &prefixes->nodes[at->parent])
        symbols[at->length - 1] = at->symbol;
}

static bool is_better(const seq_candidate *a, const seq_candidate *b) {
    if (a->score != b->score) return a->score > b->score;
    return a->parent != b->parent ? a->parent < b->parent : a->symbol < b->symbol;
}

// Puts a candidate at `place` or below it, in a heap of `count`.
static void sift(seq_candidate *heap, int count, int place, seq_candidate candidate) {
    for (int child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && is_better(&heap[child], &heap[child + 1])) child++;
        if (!is_better(&candidate, &heap[child])) break;
        heap[place] = heap[child];
    }
    heap[place] = candidate;
}

void seq_candidates_offer(seq_candidates *candidates, seq_candidate candidate) {
    seq_candidate *heap = candidates->list;
    if (!(candidate.score > -INFINITY)) return;
    if (candidates->count == candidates->width) {
        if (is_better(&candidate, &heap[0])) sift(heap, candidates->count, 0, candidate);
        return;
    }
    int place = candidates->count++;
    for (; place && is_better(&heap[(place - 1) / 2], &candidate); place = (place - 1) / 2)
        heap[place] = heap[(place - 1) / 2];
    heap[place] = candidate;
}

void seq_candidates_sort(seq_candidates *candidates, double margin) {
    seq_candidate *heap = candidates->list;
    for (int last = candidates->count - 1; last > 0; last--) {
        seq_candidate worst = heap[0];
        sift(heap, last, 0, heap[last]);
        heap[last] = worst;
    }
    while (candidates->count && heap[candidates->count - 1].score < heap[0].score - margin)
        candidates->count--;
}

seq_status seq_best_create(int most, seq_best *out, seq_error *error) {
    *out = (seq_best){.most = most};
    return seq_allocate(&out->list, (size_t)most + 1, sizeof *out->list, "the best sequences",
                        error);
}

void seq_best_clear(seq_best *best) {
    for (int i = 0; best->list && i <= best->most; i++)
        free(best->list[i].symbols);
    free(best->list);
    *best = (seq_best){0};
}

static bool comes_before(const seq_hypothesis *a, const seq_hypothesis *b) {
    if (a->score != b->score) return a->score > b->score;
    for (int i = 0; i < a->length && i < b->length; i++)
        if (a->symbols[i] != b->symbols[i]) return a->symbols[i] < b->symbols[i];
    return a->length < b->length;
}

static int find(const seq_best *best, const int32_t *symbols, int length) {
    int i = 0;
    while (i < best->count && (best->list[i].length != length ||
                               (length && memcmp(best->list[i].symbols, symbols,
                                                 (size_t)length * sizeof *symbols) != 0)))
        i++;
    return i;
}

seq_status seq_best_offer(seq_best *best, double score, const int32_t *symbols, int length,
                          seq_error *error) {
    if (!(score > -INFINITY) || score < seq_best_bar(best)) return SEQ_OK;
    int place = find(best, symbols, length);
    bool known = place < best->count;
    if (known && score <= best->list[place].score) return SEQ_OK;
    seq_hypothesis hypothesis = best->list[place];
    if (!known && seq_grow(&hypothesis.symbols, &hypothesis.capacity, (size_t)length + 1,
                           sizeof *symbols, "the best sequences", error))
        return error->status;
    if (!known && length) memcpy(hypothesis.symbols, symbols, (size_t)length * sizeof *symbols);
    hypothesis.score = score;
    hypothesis.length = length;
    for (; place && comes_before(&hypothesis, &best->list[place - 1]); place--)
        best->list[place] = best->list[place - 1];
    best->list[place] = hypothesis;
    if (!known && best->count < best->most) best->count++;
    return SEQ_OK;
}
