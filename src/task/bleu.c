// Counts of n-grams in one trie: a node is the n-gram of its parent and one more
// unit. Units are code points, or words, which are nodes of the trie themselves.
// From each place of a sequence a walk goes down as many steps as there are
// orders. Pairs (parent, unit) are found by hashing, and compared, so no two
// n-grams are one. Scores add up in sacreBLEU's order. Test:
// tests/unit/task/test_bleu.c.
#include "points.h"
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const seq_bleu_token_names[] = {"13a", "none", "intl", "char", NULL};
const char *const seq_bleu_smoothing_names[] = {"exp", "floor", "add-k", "none", NULL};

enum { GRAMS, WORDS, WORD_GRAMS, ROOTS }; // roots: of n-grams, of words, of chrF's n-grams of words

typedef enum side { OUTPUT, REFERENCE, BEST, SIDES } side; // BEST: the most of any reference

typedef struct node {
    uint32_t parent, unit;
    int order; // depth; WORD_GRAMS begins behind the orders of code points
    uint32_t counts[SIDES];
} node;

struct seq_segment_counter {
    seq_points points, spare;
    uint32_t *words; // of a segment
    size_t word_count, words_capacity;
    node *nodes;
    size_t count, nodes_capacity;
    uint32_t *slots; // of nodes; 0: free. Open addressing
    size_t slot_count, slots_capacity;
};

seq_status seq_segment_counter_create(seq_segment_counter **out, seq_error *error) {
    return seq_allocate(out, 1, sizeof **out, "counts of segments", error);
}

void seq_segment_counter_destroy(seq_segment_counter *counter) {
    if (!counter) return;
    free(counter->points.at);
    free(counter->spare.at);
    free(counter->words);
    free(counter->nodes);
    free(counter->slots);
    free(counter);
}

// ---- The trie.

static size_t find_slot(const seq_segment_counter *counter, uint32_t parent, uint32_t unit) {
    uint64_t hash = ((uint64_t)parent << 32 | unit) * 0x9E3779B97F4A7C15u;
    size_t mask = counter->slot_count - 1, slot = (size_t)(hash >> 32) & mask;
    for (; counter->slots[slot]; slot = (slot + 1) & mask) {
        const node *found = &counter->nodes[counter->slots[slot]];
        if (found->parent == parent && found->unit == unit) break;
    }
    return slot;
}

// Room for so many more nodes.
static seq_status reserve(seq_segment_counter *counter, size_t more, seq_error *error) {
    size_t needed = counter->count + more, slots = counter->slot_count ? counter->slot_count : 64;
    if (needed >= INT32_MAX)
        return seq_error_set(error, SEQ_NO_MEMORY, "a line of more than 2^31 n-grams");
    seq_status status = seq_grow(&counter->nodes, &counter->nodes_capacity, needed,
                                 sizeof *counter->nodes, "n-grams of a segment", error);
    if (status || 2 * needed <= counter->slot_count) return status;
    while (slots < 2 * needed)
        slots *= 2;
    status = seq_grow(&counter->slots, &counter->slots_capacity, slots, sizeof *counter->slots,
                      "n-grams of a segment", error);
    if (status) return status;
    counter->slot_count = slots;
    memset(counter->slots, 0, slots * sizeof *counter->slots);
    for (size_t i = ROOTS; i < counter->count; i++)
        counter->slots[find_slot(counter, counter->nodes[i].parent, counter->nodes[i].unit)] =
            (uint32_t)i;
    return SEQ_OK;
}

static seq_status begin(seq_segment_counter *counter, seq_error *error) {
    counter->count = counter->slot_count = 0;
    seq_status status = reserve(counter, ROOTS, error);
    if (status) return status;
    memset(counter->nodes, 0, ROOTS * sizeof *counter->nodes);
    counter->nodes[WORD_GRAMS].order = SEQ_CHRF_CHARACTERS;
    counter->count = ROOTS;
    return SEQ_OK;
}

// There is room.
static uint32_t child(seq_segment_counter *counter, uint32_t parent, uint32_t unit) {
    size_t slot = find_slot(counter, parent, unit);
    if (!counter->slots[slot]) {
        counter->nodes[counter->count] =
            (node){parent, unit, .order = counter->nodes[parent].order + 1};
        counter->slots[slot] = (uint32_t)counter->count++;
    }
    return counter->slots[slot];
}

static seq_status add_word(seq_segment_counter *counter, const uint32_t *points, size_t count,
                           seq_error *error) {
    uint32_t at = WORDS;
    seq_status status = seq_grow(&counter->words, &counter->words_capacity, counter->word_count + 1,
                                 sizeof *counter->words, "words of a segment", error);
    for (size_t i = 0; !status && i < count; i++)
        at = child(counter, at, points[i]);
    if (!status) counter->words[counter->word_count++] = at;
    return status;
}

static bool is_ascii_punctuation(uint32_t point) {
    return point < 0x7F && point > ' ' && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", (int)point);
}

// Words of the points. `apart`: chrF cuts off a mark at the end, or else at the begin.
static seq_status find_words(seq_segment_counter *counter, bool apart, seq_error *error) {
    const seq_points *points = &counter->points;
    seq_status status = reserve(counter, points->count, error);
    counter->word_count = 0;
    for (size_t i = 0; !status && i < points->count;) {
        if (seq_point_is_blank(points->at[i])) {
            i++;
            continue;
        }
        size_t end = i, cut;
        while (end < points->count && !seq_point_is_blank(points->at[end]))
            end++;
        cut = end;
        if (apart && end - i > 1 && is_ascii_punctuation(points->at[end - 1]))
            cut = end - 1;
        else if (apart && end - i > 1 && is_ascii_punctuation(points->at[i]))
            cut = i + 1;
        status = add_word(counter, points->at + i, cut - i, error);
        if (!status && cut < end) status = add_word(counter, points->at + cut, end - cut, error);
        i = end;
    }
    return status;
}

static seq_status count_grams(seq_segment_counter *counter, uint32_t root, int orders, side side,
                              const uint32_t *units, size_t count, seq_error *error) {
    seq_status status = reserve(counter, (size_t)orders * count, error);
    for (size_t i = 0; !status && i < count; i++) {
        uint32_t at = root;
        for (size_t k = i; k < count && k < i + (size_t)orders; k++) {
            at = child(counter, at, units[k]);
            counter->nodes[at].counts[side]++;
        }
    }
    return status;
}

// ---- Counts of a segment.

static seq_status count_bleu_side(seq_segment_counter *counter, seq_bleu_tokens tokens, bool lower,
                                  seq_segment segment, side side, seq_error *error) {
    seq_status status = seq_points_decode(&counter->points, segment, lower, error);
    if (!status) status = seq_points_cut(&counter->points, &counter->spare, tokens, error);
    if (!status) status = find_words(counter, false, error);
    return status ? status
                  : count_grams(counter, GRAMS, SEQ_BLEU_ORDER, side, counter->words,
                                counter->word_count, error);
}

static void keep_best(seq_segment_counter *counter) {
    for (size_t i = ROOTS; i < counter->count; i++) {
        uint32_t *counts = counter->nodes[i].counts;
        if (counts[REFERENCE] > counts[BEST]) counts[BEST] = counts[REFERENCE];
        counts[REFERENCE] = 0;
    }
}

seq_status seq_bleu_count(seq_segment_counter *counter, seq_bleu_tokens tokens, bool lower,
                          seq_segment output, const seq_segment *references, size_t count,
                          int64_t out[SEQ_BLEU_COUNTS], seq_error *error) {
    memset(out, 0, SEQ_BLEU_COUNTS * sizeof *out);
    seq_status status = begin(counter, error);
    if (!status) status = count_bleu_side(counter, tokens, lower, output, OUTPUT, error);
    int64_t length = (int64_t)counter->word_count, nearest = 0;
    for (size_t i = 0; !status && i < count; i++) {
        status = count_bleu_side(counter, tokens, lower, references[i], REFERENCE, error);
        keep_best(counter);
        int64_t own = (int64_t)counter->word_count, off = llabs(own - length),
                best = llabs(nearest - length);
        if (i == 0 || off < best || (off == best && own < nearest)) nearest = own;
    }
    if (status) return status;
    out[SEQ_BLEU_OUTPUT] = length;
    out[SEQ_BLEU_REFERENCE] = nearest;
    for (size_t i = ROOTS; i < counter->count; i++) {
        const node *gram = &counter->nodes[i];
        if (!gram->counts[OUTPUT]) continue;
        uint32_t own = gram->counts[OUTPUT], best = gram->counts[BEST];
        out[SEQ_BLEU_TOTALS + gram->order - 1] += own;
        out[SEQ_BLEU_MATCHES + gram->order - 1] += own < best ? own : best;
    }
    return SEQ_OK;
}

static seq_status count_chrf_side(seq_segment_counter *counter, bool words, bool lower,
                                  seq_segment segment, side side, seq_error *error) {
    seq_status status = seq_points_decode(&counter->points, segment, lower, error);
    if (!status && words) status = find_words(counter, true, error);
    if (!status && words)
        status = count_grams(counter, WORD_GRAMS, SEQ_CHRF_WORDS, side, counter->words,
                             counter->word_count, error);
    if (status) return status;
    seq_points_drop_blanks(&counter->points, false);
    return count_grams(counter, GRAMS, SEQ_CHRF_CHARACTERS, side, counter->points.at,
                       counter->points.count, error);
}

// Of one reference, whose counts are then 0 again. An order that the reference is too short for
// has no n-grams of the output either.
static void sum_chrf(seq_segment_counter *counter, int orders, int64_t *out) {
    memset(out, 0, 3 * (size_t)orders * sizeof *out);
    for (size_t i = ROOTS; i < counter->count; i++) {
        uint32_t *counts = counter->nodes[i].counts, own = counts[OUTPUT],
                 other = counts[REFERENCE];
        if (!own && !other) continue;
        int64_t *sums = out + 3 * (counter->nodes[i].order - 1);
        sums[0] += own;
        sums[1] += other;
        sums[2] += own < other ? own : other;
        counts[REFERENCE] = 0;
    }
    for (int i = 0; i < orders; i++)
        if (!out[3 * i + 1]) out[3 * i] = 0;
}

seq_status seq_chrf_count(seq_segment_counter *counter, bool words, bool lower, seq_segment output,
                          const seq_segment *references, size_t count, int64_t *out,
                          seq_error *error) {
    int orders = words ? SEQ_CHRF_ORDERS : SEQ_CHRF_CHARACTERS;
    double best = -1;
    seq_status status = begin(counter, error);
    if (!status) status = count_chrf_side(counter, words, lower, output, OUTPUT, error);
    for (size_t i = 0; !status && i < count; i++) {
        int64_t own[SEQ_CHRF_COUNTS];
        status = count_chrf_side(counter, words, lower, references[i], REFERENCE, error);
        if (status) break;
        sum_chrf(counter, orders, own);
        double score = seq_chrf_of(own, orders);
        if (score > best) memcpy(out, own, 3 * (size_t)orders * sizeof *out);
        if (score > best) best = score;
    }
    return status;
}

// ---- Scores.

static double smoothing_value(seq_bleu_settings settings) {
    double usual = settings.smoothing == SEQ_BLEU_FLOOR ? 0.1 : 1;
    return settings.value < 0 ? usual : settings.value;
}

static double log_of(double precision) {
    return precision == 0 ? -9999999999.0 : log(precision);
}

seq_bleu seq_bleu_of(const int64_t counts[SEQ_BLEU_COUNTS], seq_bleu_settings settings) {
    double output = (double)counts[SEQ_BLEU_OUTPUT], reference = (double)counts[SEQ_BLEU_REFERENCE];
    double value = smoothing_value(settings), halves = 1, sum = 0;
    int orders = SEQ_BLEU_ORDER;
    bool any = false;
    seq_bleu out = {.penalty = 1};
    if (output < reference) out.penalty = output > 0 ? exp(1 - reference / output) : 0;
    for (int n = 0; n < SEQ_BLEU_ORDER; n++)
        any |= counts[SEQ_BLEU_MATCHES + n] != 0;
    if (!any) return out;
    for (int n = 0; n < SEQ_BLEU_ORDER; n++) {
        bool adds = settings.smoothing == SEQ_BLEU_ADD_K && n > 0;
        double matches = (double)counts[SEQ_BLEU_MATCHES + n] + (adds ? value : 0);
        double total = (double)counts[SEQ_BLEU_TOTALS + n] + (adds ? value : 0);
        if (total == 0) break;
        if (settings.effective_order) orders = n + 1;
        if (matches != 0)
            out.precisions[n] = 100 * matches / total;
        else if (settings.smoothing == SEQ_BLEU_EXP)
            out.precisions[n] = 100 / ((halves *= 2) * total);
        else if (settings.smoothing == SEQ_BLEU_FLOOR)
            out.precisions[n] = 100 * value / total;
    }
    for (int n = 0; n < orders; n++)
        sum += log_of(out.precisions[n]);
    out.score = out.penalty * exp(sum / orders);
    return out;
}

double seq_chrf_of(const int64_t *counts, int orders) {
    const double factor = 4; // beta^2
    double precision = 0, recall = 0;
    int used = 0;
    for (int i = 0; i < orders; i++, counts += 3) {
        if (!counts[0] || !counts[1]) continue;
        precision += (double)counts[2] / (double)counts[0];
        recall += (double)counts[2] / (double)counts[1];
        used++;
    }
    if (precision + recall == 0) return 0;
    precision /= used;
    recall /= used;
    return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

void seq_bleu_signature(seq_bleu_tokens tokens, seq_bleu_settings settings, bool lower,
                        size_t references, const char *version, char *out, size_t size) {
    char value[40] = "";
    if (settings.smoothing == SEQ_BLEU_FLOOR || settings.smoothing == SEQ_BLEU_ADD_K)
        snprintf(value, sizeof value, "[%.2f]", smoothing_value(settings));
    char count[24] = "var";
    if (references) snprintf(count, sizeof count, "%zu", references);
    snprintf(out, size, "nrefs:%s|case:%s|eff:%s|tok:%s|smooth:%s%s|version:%s", count,
             lower ? "lc" : "mixed", settings.effective_order ? "yes" : "no",
             seq_bleu_token_names[tokens], seq_bleu_smoothing_names[settings.smoothing], value,
             version);
}

void seq_chrf_signature(bool words, bool lower, size_t references, const char *version, char *out,
                        size_t size) {
    char count[24] = "var";
    if (references) snprintf(count, sizeof count, "%zu", references);
    snprintf(out, size, "nrefs:%s|case:%s|eff:yes|nc:%d|nw:%d|space:no|version:%s", count,
             lower ? "lc" : "mixed", SEQ_CHRF_CHARACTERS, words ? SEQ_CHRF_WORDS : 0, version);
}

bool seq_segment_has_marks(seq_segment segment, const char **out_mark) {
    static const char block[] = "\xE2\x96\x81";
    for (size_t i = 0; i + 1 < segment.size; i++) {
        const char *at = segment.text + i;
        bool joins = at[0] == '@' && at[1] == '@' && (i + 2 == segment.size || at[2] == ' ');
        if (joins) *out_mark = "@@";
        if (joins) return true;
        if (i + 2 < segment.size && memcmp(at, block, 3) == 0) {
            *out_mark = "U+2581";
            return true;
        }
    }
    return false;
}
