// Byte-pair learning (Sennrich, Haddow and Birch 2016, algorithm 1, made incremental). Each pair
// has its count and the words that it may stand in. A merge changes those words alone, and the
// counts of the pairs beside it. A heap gives the most frequent pair: counts that grew were pushed
// again, those that fell are noticed when they come up. Invariant: a pair with a count has an entry
// in the heap that is not below it. Tests: tests/golden/test_subword.c, tests/cli/subword.sh.
#include "subword_private.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

typedef struct counted_word {
    size_t at;     // of its symbols
    uint32_t size; // symbols
    int64_t count;
} counted_word;

typedef struct counted_pair {
    uint32_t left, right;
    int64_t count;
    uint32_t places; // the first of its list + 1, 0: none
} counted_pair;

typedef struct place {
    uint32_t word, next; // next + 1
} place;

typedef struct candidate {
    int64_t count;
    uint32_t pair;
} candidate;

typedef struct learner {
    const seq_subword_learning *learning;
    seq_subword *subword;
    seq_string_table parts; // words between glossaries, with their counts
    seq_string_table symbols;
    uint32_t *text; // symbols of all words
    size_t text_size, text_capacity;
    counted_word *words;
    size_t word_count, word_capacity;
    counted_pair *pairs;
    size_t pair_count, pair_capacity;
    uint32_t *slots; // open addressing: pair + 1
    size_t slot_count;
    place *places;
    size_t place_count, place_capacity;
    candidate *heap;
    size_t heap_size, heap_capacity;
    char *word; // whose parts are being counted
    size_t capacity;
    int64_t weight; // its count
} learner;

// ---- The heap.

static int compare_symbols(const learner *learner, uint32_t a, uint32_t b) {
    return a == b ? 0
                  : strcmp(seq_string_table_text(&learner->symbols, a),
                           seq_string_table_text(&learner->symbols, b));
}

// Which of two goes first: by count, then the greater texts. UTF-8 sorts as code points do.
static bool goes_before(const learner *learner, const candidate *a, const candidate *b) {
    const counted_pair *x = &learner->pairs[a->pair], *y = &learner->pairs[b->pair];
    if (a->count != b->count) return a->count > b->count;
    int order = compare_symbols(learner, x->left, y->left);
    return order ? order > 0 : compare_symbols(learner, x->right, y->right) > 0;
}

static seq_status push(learner *learner, uint32_t pair, seq_error *error) {
    seq_status status = seq_grow(&learner->heap, &learner->heap_capacity, learner->heap_size + 1,
                                 sizeof *learner->heap, "pairs", error);
    if (status) return status;
    const candidate fresh = {learner->pairs[pair].count, pair};
    size_t at = learner->heap_size++;
    for (size_t above; at; at = above) {
        above = (at - 1) / 2;
        if (!goes_before(learner, &fresh, &learner->heap[above])) break;
        learner->heap[at] = learner->heap[above];
    }
    learner->heap[at] = fresh;
    return SEQ_OK;
}

static candidate pop(learner *learner) {
    candidate *heap = learner->heap, first = heap[0], last = heap[--learner->heap_size];
    size_t at = 0, size = learner->heap_size;
    for (size_t below = 1; below < size; at = below, below = 2 * at + 1) {
        below += below + 1 < size && goes_before(learner, &heap[below + 1], &heap[below]);
        if (!goes_before(learner, &heap[below], &last)) break;
        heap[at] = heap[below];
    }
    heap[at] = last;
    return first;
}

// ---- Pairs.

static uint32_t *find_slot(const learner *learner, uint32_t left, uint32_t right) {
    size_t mask = learner->slot_count - 1;
    for (size_t at = seq_pair_hash(left, right) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &learner->slots[at];
        if (!*slot) return slot;
        const counted_pair *pair = &learner->pairs[*slot - 1];
        if (pair->left == left && pair->right == right) return slot;
    }
}

static seq_status make_room(learner *learner, seq_error *error) {
    size_t wanted = learner->slot_count ? 2 * learner->slot_count : 1 << 12;
    if (2 * (learner->pair_count + 1) <= learner->slot_count) return SEQ_OK;
    free(learner->slots);
    learner->slots = NULL;
    seq_status status =
        seq_allocate(&learner->slots, wanted, sizeof *learner->slots, "pairs", error);
    if (status) return status;
    learner->slot_count = wanted;
    for (size_t i = 0; i < learner->pair_count; i++)
        *find_slot(learner, learner->pairs[i].left, learner->pairs[i].right) = (uint32_t)i + 1;
    return SEQ_OK;
}

static seq_status find_pair(learner *learner, uint32_t left, uint32_t right, uint32_t *out,
                            seq_error *error) {
    seq_status status = make_room(learner, error);
    if (status) return status;
    uint32_t *slot = find_slot(learner, left, right);
    *out = *slot - 1;
    if (*slot) return SEQ_OK;
    status = seq_grow(&learner->pairs, &learner->pair_capacity, learner->pair_count + 1,
                      sizeof *learner->pairs, "pairs", error);
    if (status) return status;
    *out = (uint32_t)learner->pair_count++;
    *slot = *out + 1;
    learner->pairs[*out] = (counted_pair){.left = left, .right = right};
    return SEQ_OK;
}

// The pair stands in the word once more.
static seq_status count_pair(learner *learner, const uint32_t *at, uint32_t word, uint32_t *out,
                             seq_error *error) {
    seq_status status = find_pair(learner, at[0], at[1], out, error);
    if (status) return status;
    counted_pair *pair = &learner->pairs[*out];
    pair->count += learner->words[word].count;
    if (pair->places && learner->places[pair->places - 1].word == word) return SEQ_OK;
    if (learner->place_count >= UINT32_MAX - 1)
        return seq_error_set(error, SEQ_BAD_INPUT, "learning merges: more than 2^32 characters");
    status = seq_grow(&learner->places, &learner->place_capacity, learner->place_count + 1,
                      sizeof *learner->places, "pairs", error);
    if (status) return status;
    learner->places[learner->place_count++] = (place){word, pair->places};
    pair->places = (uint32_t)learner->place_count;
    return SEQ_OK;
}

static seq_status discount_pair(learner *learner, const uint32_t *at, uint32_t word,
                                seq_error *error) {
    uint32_t number = 0;
    seq_status status = find_pair(learner, at[0], at[1], &number, error);
    if (!status) learner->pairs[number].count -= learner->words[word].count;
    return status;
}

// ---- Words.

static seq_status take_part(void *context, size_t begin, size_t end, bool matched,
                            seq_error *error) {
    learner *learner = context;
    size_t number;
    if (matched) return SEQ_OK;
    seq_status status =
        seq_string_table_add(&learner->parts, learner->word + begin, end - begin, &number, error);
    if (!status) learner->parts.items[number].count += learner->weight;
    return status;
}

// Tokens of a list may hold blanks, which a merges file cannot.
static bool is_word(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F) return false;
    return !seq_subword_is_special(text, size);
}

// Counts what lies between glossaries: that alone is cut.
static seq_status find_parts(learner *learner, const seq_string_table *words, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < words->count; i++) {
        const char *text = seq_string_table_text(words, i);
        size_t size = words->items[i].size;
        if (words->items[i].count < 1 || !is_word(text, size)) continue;
        status = seq_grow(&learner->word, &learner->capacity, size + 1, 1, "a word", error);
        if (status) return status;
        memcpy(learner->word, text, size + 1);
        learner->weight = words->items[i].count;
        status =
            seq_subword_isolate(learner->subword, learner->word, size, take_part, learner, error);
    }
    return status;
}

static seq_status add_symbol(learner *learner, const char *text, size_t size, bool last,
                             seq_error *error) {
    char symbol[8 + SEQ_WORD_END_SIZE];
    size_t number;
    memcpy(symbol, text, size);
    if (last) memcpy(symbol + size, SEQ_WORD_END, SEQ_WORD_END_SIZE);
    seq_status status = seq_string_table_add(&learner->symbols, symbol,
                                             size + (last ? SEQ_WORD_END_SIZE : 0), &number, error);
    if (!status)
        status = seq_grow(&learner->text, &learner->text_capacity, learner->text_size + 1,
                          sizeof *learner->text, "the words' characters", error);
    if (!status) learner->text[learner->text_size++] = (uint32_t)number;
    return status;
}

static seq_status add_word(learner *learner, const seq_string *part, seq_error *error) {
    const char *text = learner->parts.pool + part->offset, *end = text + part->size;
    counted_word word = {.at = learner->text_size, .count = part->count};
    seq_status status = SEQ_OK;
    for (const char *next; !status && text < end; text = next) {
        next = text + 1;
        while (next < end && next < text + 4 && ((unsigned char)*next & 0xC0) == 0x80)
            next++;
        status = add_symbol(learner, text, (size_t)(next - text), next == end, error);
    }
    if (!status)
        status = seq_grow(&learner->words, &learner->word_capacity, learner->word_count + 1,
                          sizeof *learner->words, "words", error);
    if (status) return status;
    word.size = (uint32_t)(learner->text_size - word.at);
    learner->words[learner->word_count++] = word;
    return SEQ_OK;
}

static seq_status begin(learner *learner, const seq_string_table *words, seq_error *error) {
    uint32_t pair;
    seq_status status = find_parts(learner, words, error);
    for (size_t i = 0; !status && i < learner->parts.count; i++)
        status = add_word(learner, &learner->parts.items[i], error);
    for (size_t w = 0; !status && w < learner->word_count; w++)
        for (uint32_t i = 0; !status && i + 1 < learner->words[w].size; i++)
            status = count_pair(learner, learner->text + learner->words[w].at + i, (uint32_t)w,
                                &pair, error);
    for (size_t i = 0; !status && i < learner->pair_count; i++)
        status = push(learner, (uint32_t)i, error);
    return status;
}

// ---- Merging.

static bool stands_at(const counted_pair *pair, const uint32_t *text, uint32_t i, uint32_t size) {
    return i + 1 < size && text[i] == pair->left && text[i + 1] == pair->right;
}

// Takes the pairs beside those that are merged from their counts.
static seq_status discount(learner *learner, const counted_pair *pair, uint32_t word,
                           seq_error *error) {
    uint32_t *text = learner->text + learner->words[word].at, size = learner->words[word].size;
    seq_status status = SEQ_OK;
    for (uint32_t i = 0; !status && i < size;) {
        if (!stands_at(pair, text, i, size)) {
            i++;
            continue;
        }
        if (i) status = discount_pair(learner, text + i - 1, word, error);
        if (!status && i + 2 < size && !stands_at(pair, text, i + 2, size))
            status = discount_pair(learner, text + i + 1, word, error);
        i += 2;
    }
    return status;
}

static void replace(learner *learner, const counted_pair *pair, uint32_t word, uint32_t whole) {
    uint32_t *text = learner->text + learner->words[word].at, size = learner->words[word].size,
             left = 0;
    for (uint32_t i = 0; i < size; left++) {
        bool here = stands_at(pair, text, i, size);
        text[left] = here ? whole : text[i];
        i += here ? 2 : 1;
    }
    learner->words[word].size = left;
}

// Counts the pairs beside the new symbol. Where the same text was made another way before, its
// pairs count again, as they do in subword-nmt.
static seq_status recount(learner *learner, uint32_t word, uint32_t whole, seq_error *error) {
    uint32_t size = learner->words[word].size, pair;
    const uint32_t *text = learner->text + learner->words[word].at;
    seq_status status = SEQ_OK;
    for (uint32_t i = 0; !status && i < size; i++) {
        if (text[i] != whole) continue;
        if (i) {
            status = count_pair(learner, text + i - 1, word, &pair, error);
            if (!status) status = push(learner, pair, error);
        }
        if (status || i + 1 >= size || text[i + 1] == whole) continue;
        status = count_pair(learner, text + i, word, &pair, error);
        if (!status) status = push(learner, pair, error);
    }
    return status;
}

static seq_status merge(learner *learner, uint32_t number, seq_error *error) {
    const counted_pair pair = learner->pairs[number];
    seq_subword *subword = learner->subword;
    const seq_string *left = &learner->symbols.items[pair.left],
                     *right = &learner->symbols.items[pair.right];
    const char *pool = learner->symbols.pool;
    size_t whole = 0;
    seq_status status = seq_subword_add(subword, pool + left->offset, left->size,
                                        pool + right->offset, right->size, error);
    if (status) return status;
    const char *text =
        seq_string_table_text(&subword->symbols, subword->merges[subword->count - 1].whole);
    status = seq_string_table_add(&learner->symbols, text, left->size + right->size, &whole, error);
    learner->pairs[number].places = 0;
    for (uint32_t next = pair.places; !status && next; next = learner->places[next - 1].next) {
        uint32_t word = learner->places[next - 1].word, before = learner->words[word].size;
        status = discount(learner, &pair, word, error);
        replace(learner, &pair, word, (uint32_t)whole);
        if (!status && learner->words[word].size < before)
            status = recount(learner, word, (uint32_t)whole, error);
    }
    learner->pairs[number].count = 0;
    return status;
}

static seq_status learn(learner *learner, seq_error *error) {
    const seq_subword_learning *learning = learner->learning;
    while ((int64_t)learner->subword->count < learning->merges && learner->heap_size) {
        candidate best = pop(learner);
        int64_t count = learner->pairs[best.pair].count;
        seq_status status = SEQ_OK;
        if (learning->stopped && learning->stopped())
            return seq_error_set(error, SEQ_STOPPED, "interrupted: nothing was written");
        if (count == best.count && count < learning->least) return SEQ_OK;
        if (count == best.count)
            status = merge(learner, best.pair, error);
        else if (count > 0 && count < best.count)
            status = push(learner, best.pair, error);
        if (status) return status;
        if (count == best.count && learner->subword->count % 1000 == 0)
            seq_log_live(false, "learning merges: %zu", learner->subword->count);
    }
    return SEQ_OK;
}

seq_status seq_subword_learn(const seq_subword_learning *learning, const seq_string_table *words,
                             seq_subword **out, seq_error *error) {
    learner learner = {.learning = learning};
    seq_status status = seq_subword_create(learning->glossaries, &learner.subword, error);
    if (!status) status = begin(&learner, words, error);
    if (!status) status = learn(&learner, error);
    if (!status && !learner.subword->count)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "learning merges: no two characters stand together %lld times",
                               (long long)learning->least);
    seq_string_table_clear(&learner.parts);
    seq_string_table_clear(&learner.symbols);
    void *const blocks[] = {learner.text,   learner.words, learner.pairs, learner.slots,
                            learner.places, learner.heap,  learner.word};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    if (status)
        seq_subword_destroy(learner.subword);
    else
        *out = learner.subword;
    return status;
}
