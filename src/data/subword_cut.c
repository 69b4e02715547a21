// Words -> units, and back. The merge of a word that is first in the file is made wherever it can
// be, from left to right, then the next: a heap of (merge, place) gives them, so that a word of any
// length costs n log n. Units that are not kept are taken apart again by the merge that made them.
// Invariant: a unit ends in the mark exactly when the word goes on, so joining gives the text back.
// Tests: tests/golden/test_subword.c, tests/cli/subword.sh, tests/fuzz/fuzz_merges.c.
#include "subword_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum {
    REMEMBERED = 1 << 11, // words: a power of two
    SHORT_WORD = 24,      // bytes
    SHORT_UNITS = SHORT_WORD * (1 + SEQ_MARK_SIZE),
};
static const char mark[] = "@@";

typedef struct remembered {
    char word[SHORT_WORD];
    char units[SHORT_UNITS];
    unsigned char ends[SHORT_WORD];
    unsigned char size, count; // size 0: none
} remembered;

// A symbol of the part that is being cut. What was merged into the one before has size 0.
typedef struct node {
    uint32_t symbol; // SEQ_NO_SYMBOL: no merge has it
    uint32_t begin, size;
    uint32_t before, next; // places + 1; 0: none
} node;

typedef struct piece {
    uint32_t symbol, begin, end;
} piece;

struct seq_subword_cutter {
    const seq_subword *subword;
    const seq_string_table *kept;
    int64_t least;
    seq_unit_sink sink;
    void *context;
    char *word; // and a NUL
    size_t size, word_capacity;
    node *nodes;
    size_t node_count, node_capacity;
    uint64_t *heap; // merge << 32 | place
    size_t heap_size, heap_capacity;
    uint32_t *batch; // places
    size_t batch_size, batch_capacity;
    piece *stack;
    size_t stack_size, stack_capacity;
    char *units; // with their marks, one after another
    size_t units_size, units_capacity, *ends, count, ends_capacity;
    char *key; // a unit that is looked up
    size_t key_capacity;
    remembered *memory;
};

seq_status seq_subword_cutter_create(const seq_subword *subword, const seq_string_table *kept,
                                     int64_t least, seq_unit_sink sink, void *context,
                                     seq_subword_cutter **out, seq_error *error) {
    seq_subword_cutter *cutter = NULL;
    seq_status status = seq_allocate(&cutter, 1, sizeof *cutter, "a cutter of words", error);
    if (status) return status;
    *cutter = (seq_subword_cutter){
        .subword = subword, .kept = kept, .least = least, .sink = sink, .context = context};
    status = seq_allocate(&cutter->memory, REMEMBERED, sizeof *cutter->memory, "a cutter of words",
                          error);
    if (status)
        seq_subword_cutter_destroy(cutter);
    else
        *out = cutter;
    return status;
}

void seq_subword_cutter_destroy(seq_subword_cutter *cutter) {
    if (!cutter) return;
    void *const blocks[] = {cutter->word,   cutter->nodes, cutter->heap, cutter->batch,
                            cutter->stack,  cutter->units, cutter->ends, cutter->key,
                            cutter->memory, cutter};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// ---- The heap of merges that may be made.

static seq_status push(seq_subword_cutter *cutter, uint32_t left, uint32_t right,
                       seq_error *error) {
    if (!left || !right) return SEQ_OK;
    uint32_t merge = seq_subword_find(cutter->subword, cutter->nodes[left - 1].symbol,
                                      cutter->nodes[right - 1].symbol);
    if (merge == SEQ_NO_MERGE) return SEQ_OK;
    seq_status status = seq_grow(&cutter->heap, &cutter->heap_capacity, cutter->heap_size + 1,
                                 sizeof *cutter->heap, "a word", error);
    if (status) return status;
    uint64_t fresh = (uint64_t)merge << 32 | (left - 1), *heap = cutter->heap;
    size_t at = cutter->heap_size++;
    for (; at && heap[(at - 1) / 2] > fresh; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = fresh;
    return SEQ_OK;
}

static uint64_t pop(seq_subword_cutter *cutter) {
    uint64_t *heap = cutter->heap, first = heap[0], last = heap[--cutter->heap_size];
    size_t at = 0, size = cutter->heap_size;
    for (size_t below = 1; below < size; at = below, below = 2 * at + 1) {
        below += below + 1 < size && heap[below + 1] < heap[below];
        if (heap[below] >= last) break;
        heap[at] = heap[below];
    }
    heap[at] = last;
    return first;
}

// ---- Merging.

static seq_status add_node(seq_subword_cutter *cutter, size_t begin, size_t size, const char *text,
                           size_t text_size, seq_error *error) {
    size_t number = seq_string_table_find(&cutter->subword->symbols, text, text_size);
    seq_status status = seq_grow(&cutter->nodes, &cutter->node_capacity, cutter->node_count + 1,
                                 sizeof *cutter->nodes, "a word", error);
    if (status) return status;
    uint32_t place = (uint32_t)cutter->node_count++;
    if (place) cutter->nodes[place - 1].next = place + 1;
    cutter->nodes[place] = (node){number == SIZE_MAX ? SEQ_NO_SYMBOL : (uint32_t)number,
                                  (uint32_t)begin, (uint32_t)size, place, 0};
    return SEQ_OK;
}

static size_t next_character(const char *text, size_t at, size_t end) {
    size_t begin = at++;
    while (at < end && at < begin + 4 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static seq_status make_nodes(seq_subword_cutter *cutter, size_t begin, size_t end,
                             seq_error *error) {
    seq_status status = SEQ_OK;
    cutter->node_count = 0;
    for (size_t at = begin, next; !status && at < end; at = next) {
        char last[4 + SEQ_WORD_END_SIZE];
        next = next_character(cutter->word, at, end);
        bool glued = next == end && !cutter->subword->end_apart;
        memcpy(last, cutter->word + at, next - at);
        memcpy(last + (next - at), SEQ_WORD_END, SEQ_WORD_END_SIZE);
        status = add_node(cutter, at, next - at, last, next - at + (glued ? SEQ_WORD_END_SIZE : 0),
                          error);
    }
    if (!status && cutter->subword->end_apart)
        status = add_node(cutter, end, 0, SEQ_WORD_END, SEQ_WORD_END_SIZE, error);
    return status;
}

// Makes the merge at a place, unless another one has changed it meanwhile.
static bool merge_at(seq_subword_cutter *cutter, const seq_merge *merge, uint32_t place) {
    node *left = &cutter->nodes[place];
    if (!left->next || left->symbol != merge->left) return false;
    node *right = &cutter->nodes[left->next - 1];
    if (right->symbol != merge->right) return false;
    left->symbol = merge->whole;
    left->size += right->size;
    left->next = right->next;
    if (right->next) cutter->nodes[right->next - 1].before = place + 1;
    right->symbol = SEQ_NO_SYMBOL; // nobody comes here any more
    right->next = 0;
    return true;
}

// All places of the first merge there is; then what they make possible.
static seq_status merge_first(seq_subword_cutter *cutter, seq_error *error) {
    uint32_t number = (uint32_t)(cutter->heap[0] >> 32);
    seq_status status = SEQ_OK;
    cutter->batch_size = 0;
    while (!status && cutter->heap_size && cutter->heap[0] >> 32 == number) {
        uint32_t place = (uint32_t)pop(cutter);
        if (!merge_at(cutter, &cutter->subword->merges[number], place)) continue;
        status = seq_grow(&cutter->batch, &cutter->batch_capacity, cutter->batch_size + 1,
                          sizeof *cutter->batch, "a word", error);
        if (!status) cutter->batch[cutter->batch_size++] = place;
    }
    for (size_t i = 0; !status && i < cutter->batch_size; i++) {
        const node *here = &cutter->nodes[cutter->batch[i]];
        status = push(cutter, here->before, cutter->batch[i] + 1, error);
        if (!status) status = push(cutter, cutter->batch[i] + 1, here->next, error);
    }
    return status;
}

// ---- Units.

static seq_status add_unit(seq_subword_cutter *cutter, size_t begin, size_t end, seq_error *error) {
    size_t size = end - begin, marked = end < cutter->size ? SEQ_MARK_SIZE : 0;
    seq_status status = seq_grow(&cutter->units, &cutter->units_capacity,
                                 cutter->units_size + size + SEQ_MARK_SIZE, 1, "units", error);
    if (!status)
        status = seq_grow(&cutter->ends, &cutter->ends_capacity, cutter->count + 1,
                          sizeof *cutter->ends, "units", error);
    if (status) return status;
    memcpy(cutter->units + cutter->units_size, cutter->word + begin, size);
    memcpy(cutter->units + cutter->units_size + size, mark, marked);
    cutter->ends[cutter->count++] = cutter->units_size += size + marked;
    return SEQ_OK;
}

// Whether the last unit of a word would be taken for something else.
static bool misleads(const seq_subword_cutter *cutter, size_t begin, size_t end) {
    const char *text = cutter->word + begin;
    size_t size = end - begin;
    return end == cutter->size && ((size >= SEQ_MARK_SIZE && memcmp(text + size - SEQ_MARK_SIZE,
                                                                    mark, SEQ_MARK_SIZE) == 0) ||
                                   seq_subword_is_special(text, size));
}

static seq_status add_letters(seq_subword_cutter *cutter, size_t begin, size_t end,
                              seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t next; !status && begin < end; begin = next) {
        next = next_character(cutter->word, begin, end);
        status = add_unit(cutter, begin, next, error);
    }
    return status;
}

static seq_status is_kept(seq_subword_cutter *cutter, size_t begin, size_t end, bool *out,
                          seq_error *error) {
    size_t size = end - begin, marked = end < cutter->size ? SEQ_MARK_SIZE : 0;
    *out = true;
    if (!cutter->kept) return SEQ_OK;
    seq_status status =
        seq_grow(&cutter->key, &cutter->key_capacity, size + SEQ_MARK_SIZE, 1, "a unit", error);
    if (status) return status;
    memcpy(cutter->key, cutter->word + begin, size);
    memcpy(cutter->key + size, mark, marked);
    size_t number = seq_string_table_find(cutter->kept, cutter->key, size + marked);
    *out = number != SIZE_MAX && cutter->kept->items[number].count >= cutter->least;
    return SEQ_OK;
}

static seq_status put_aside(seq_subword_cutter *cutter, piece piece, seq_error *error) {
    seq_status status = seq_grow(&cutter->stack, &cutter->stack_capacity, cutter->stack_size + 1,
                                 sizeof *cutter->stack, "a unit", error);
    if (!status) cutter->stack[cutter->stack_size++] = piece;
    return status;
}

static seq_status split(seq_subword_cutter *cutter, piece whole, seq_error *error) {
    const seq_subword *subword = cutter->subword;
    const seq_merge *merge = &subword->merges[subword->made_by[whole.symbol] - 1];
    uint32_t middle = whole.begin + (uint32_t)subword->symbols.items[merge->left].size;
    seq_status status = SEQ_OK;
    if (middle > whole.end) middle = whole.end; // the left symbol has a part of "</w>"
    if (middle < whole.end)                     // else the right symbol is the word's end
        status = put_aside(cutter, (piece){merge->right, middle, whole.end}, error);
    return status ? status : put_aside(cutter, (piece){merge->left, whole.begin, middle}, error);
}

// A symbol as units: whole if it is kept, else what it was merged from.
static seq_status add_symbol(seq_subword_cutter *cutter, const node *node, seq_error *error) {
    bool kept;
    cutter->stack_size = 0;
    seq_status status =
        put_aside(cutter, (piece){node->symbol, node->begin, node->begin + node->size}, error);
    while (!status && cutter->stack_size) {
        piece piece = cutter->stack[--cutter->stack_size];
        if (misleads(cutter, piece.begin, piece.end)) {
            status = add_letters(cutter, piece.begin, piece.end, error);
            continue;
        }
        status = is_kept(cutter, piece.begin, piece.end, &kept, error);
        if (status) break;
        if (kept || piece.symbol == SEQ_NO_SYMBOL || !cutter->subword->made_by[piece.symbol])
            status = add_unit(cutter, piece.begin, piece.end, error);
        else
            status = split(cutter, piece, error);
    }
    return status;
}

static seq_status cut_part(void *context, size_t begin, size_t end, bool matched,
                           seq_error *error) {
    seq_subword_cutter *cutter = context;
    if (matched)
        return misleads(cutter, begin, end) ? add_letters(cutter, begin, end, error)
                                            : add_unit(cutter, begin, end, error);
    seq_status status = make_nodes(cutter, begin, end, error);
    cutter->heap_size = 0;
    for (uint32_t i = 0; !status && i + 1 < cutter->node_count; i++)
        status = push(cutter, i + 1, i + 2, error);
    while (!status && cutter->heap_size)
        status = merge_first(cutter, error);
    for (uint32_t at = 1; !status && at; at = cutter->nodes[at - 1].next)
        if (cutter->nodes[at - 1].size) // else it is the word's end
            status = add_symbol(cutter, &cutter->nodes[at - 1], error);
    return status;
}

static seq_status cut_word(seq_subword_cutter *cutter, const char *text, size_t size,
                           seq_error *error) {
    seq_status status =
        seq_grow(&cutter->word, &cutter->word_capacity, size + 1, 1, "a word", error);
    if (status) return status;
    memcpy(cutter->word, text, size);
    cutter->word[size] = '\0';
    cutter->size = size;
    return seq_subword_is_special(text, size)
               ? add_unit(cutter, 0, size, error)
               : seq_subword_isolate(cutter->subword, cutter->word, size, cut_part, cutter, error);
}

// ---- Words.

static seq_status hand_on(const seq_subword_cutter *cutter, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0, begin = 0; !status && i < cutter->count; begin = cutter->ends[i++])
        status =
            cutter->sink(cutter->context, cutter->units + begin, cutter->ends[i] - begin, 1, error);
    return status;
}

static seq_status recall(const seq_subword_cutter *cutter, const remembered *known,
                         seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0, begin = 0; !status && i < known->count; begin = known->ends[i++])
        status =
            cutter->sink(cutter->context, known->units + begin, known->ends[i] - begin, 1, error);
    return status;
}

static void remember(const seq_subword_cutter *cutter, remembered *out) {
    memcpy(out->word, cutter->word, cutter->size);
    memcpy(out->units, cutter->units, cutter->units_size);
    for (size_t i = 0; i < cutter->count && i < SHORT_WORD; i++)
        out->ends[i] = (unsigned char)cutter->ends[i];
    out->size = (unsigned char)cutter->size;
    out->count = (unsigned char)cutter->count;
}

static seq_status take_word(seq_subword_cutter *cutter, const char *text, size_t size,
                            seq_error *error) {
    remembered *known = &cutter->memory[seq_string_table_hash(text, size) % REMEMBERED];
    if (known->size == size && memcmp(known->word, text, size) == 0)
        return recall(cutter, known, error);
    cutter->units_size = cutter->count = 0;
    seq_status status = cut_word(cutter, text, size, error);
    if (!status && size <= SHORT_WORD) remember(cutter, known);
    return status ? status : hand_on(cutter, error);
}

seq_status seq_subword_take(void *context, const char *text, size_t size, size_t count,
                            seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && size && i < count; i++)
        status = take_word(context, text + i * size, size, error);
    return status;
}

// ---- All words of a table.

typedef struct mapping {
    seq_string_table *units;
    seq_subword_map *map; // NULL: units are counted only
    size_t count, capacity, end_capacity;
    int64_t weight; // of the word that is being cut
} mapping;

static seq_status take_unit(void *context, const char *text, size_t size, size_t count,
                            seq_error *error) {
    mapping *mapping = context;
    size_t number;
    (void)count; // 1
    seq_status status = seq_string_table_add(mapping->units, text, size, &number, error);
    if (status) return status;
    mapping->units->items[number].count += mapping->weight;
    if (!mapping->map) return SEQ_OK;
    status = seq_grow(&mapping->map->units, &mapping->capacity, mapping->count + 1,
                      sizeof *mapping->map->units, "the units of words", error);
    if (!status) mapping->map->units[mapping->count++] = (uint32_t)number;
    return status;
}

static seq_status cut_all(seq_subword_cutter *cutter, const seq_string_table *words,
                          mapping *mapping, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < words->count; i++) {
        mapping->weight = words->items[i].count;
        if (!mapping->map && !mapping->weight) continue;
        status = seq_subword_take(cutter, seq_string_table_text(words, i), words->items[i].size, 1,
                                  error);
        if (!status && mapping->map)
            status = seq_grow(&mapping->map->ends, &mapping->end_capacity, i + 1,
                              sizeof *mapping->map->ends, "the units of words", error);
        if (!status && mapping->map) mapping->map->ends[i] = mapping->count;
    }
    return status;
}

// A character that training has is a unit, also where merges always join it to another.
static seq_status add_characters(const seq_string_table *words, seq_string_table *units,
                                 seq_error *error) {
    char unit[4 + SEQ_MARK_SIZE];
    size_t number;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < words->count; i++) {
        const char *text = seq_string_table_text(words, i);
        size_t end = words->items[i].size;
        if (words->items[i].count < 1 || seq_subword_is_special(text, end)) continue;
        for (size_t at = 0, next, size; !status && at < end; at = next) {
            next = next_character(text, at, end);
            size = next - at;
            memcpy(unit, text + at, size);
            memcpy(unit + size, mark, SEQ_MARK_SIZE);
            status = seq_string_table_add(units, unit, size + SEQ_MARK_SIZE, &number, error);
            if (!status) status = seq_string_table_add(units, unit, size, &number, error);
        }
    }
    return status;
}

static seq_status keep_known(seq_string_table *units, const seq_vocabulary *known, int64_t least,
                             seq_error *error) {
    seq_status status = SEQ_OK;
    for (int id = 0; !status && id < seq_vocabulary_size(known); id++) {
        size_t size, number;
        const char *text = seq_vocabulary_text(known, id, &size);
        status = seq_string_table_add(units, text, size, &number, error);
        if (!status && units->items[number].count < least) units->items[number].count = least;
    }
    return status;
}

seq_status seq_subword_map_words(const seq_subword *subword, const seq_string_table *words,
                                 int64_t threshold, const seq_vocabulary *known,
                                 seq_string_table *units, seq_subword_map *out, seq_error *error) {
    seq_string_table whole = {0}; // units before any is split again
    seq_subword_cutter *first = NULL, *second = NULL;
    int64_t least = threshold > 1 ? threshold : 1;
    mapping counting = {.units = &whole}, mapping = {.units = units, .map = out};
    *out = (seq_subword_map){0};
    seq_status status =
        seq_subword_cutter_create(subword, NULL, 0, take_unit, &counting, &first, error);
    if (!status) status = cut_all(first, words, &counting, error);
    if (!status && known) status = keep_known(&whole, known, least, error);
    if (!status)
        status =
            seq_subword_cutter_create(subword, &whole, least, take_unit, &mapping, &second, error);
    if (!status) status = add_characters(words, units, error);
    out->letters = units->count;
    if (!status) status = cut_all(second, words, &mapping, error);
    seq_subword_cutter_destroy(first);
    seq_subword_cutter_destroy(second);
    seq_string_table_clear(&whole);
    if (status) seq_subword_map_clear(out);
    return status;
}

void seq_subword_map_clear(seq_subword_map *map) {
    free(map->units);
    free(map->ends);
    *map = (seq_subword_map){0};
}

// ---- Text.

bool seq_subword_continues(const char *unit, size_t *size) {
    if (*size < SEQ_MARK_SIZE || memcmp(unit + *size - SEQ_MARK_SIZE, mark, SEQ_MARK_SIZE) != 0)
        return false;
    *size -= SEQ_MARK_SIZE;
    return true;
}

size_t seq_subword_join(char *text, size_t size) {
    size_t used = 0;
    for (size_t at = 0; at < size; at++) {
        size_t end = at + SEQ_MARK_SIZE;
        bool marked = end <= size && memcmp(text + at, mark, SEQ_MARK_SIZE) == 0 &&
                      (end == size || text[end] == '\n' || text[end] == ' ');
        if (!marked) {
            text[used++] = text[at];
            continue;
        }
        at = end < size && text[end] == ' ' ? end : end - 1;
    }
    return used;
}
