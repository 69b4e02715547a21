// The vocabularies of data of items. Words of training items, most frequent
// first, ties by bytes, behind <unk>, then those of --vocab; letters of their units likewise,
// counted as often as their units; casings are a closed list. A word is its unit, in lower case
// where units are cased. Classes are those of all parts, since a class that training lacks is still
// an answer; numbers come by value. Tests: tests/cli/seqprep_items.sh.
#include "prepare_items_private.h"
#include "prepare_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/casing.h>
#include <stdlib.h>
#include <string.h>

static seq_status count_units(seq_item_work *work, seq_error *error) {
    const seq_item_store *store = &work->store;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < store->count; i++) {
        const seq_stored_item *item = &store->items[i];
        if (item->split != SEQ_TRAIN || item->left) continue;
        status = seq_item_load(work, item, 0, item->length, error);
        for (size_t k = 0; !status && k < item->length; k++)
            store->units.items[work->numbers[k]].count++;
    }
    return status;
}

typedef struct ranked {
    const char *text;
    size_t size, number;
    int64_t count;
} ranked;

static int compare_text(const ranked *a, const ranked *b) {
    size_t size = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->text, b->text, size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

// Most frequent first, ties by bytes.
static int compare_ranks(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return compare_text(x, y);
}

static bool as_number(const ranked *item, double *out) {
    char *end;
    *out = strtod(item->text, &end);
    return item->size && end == item->text + item->size;
}

// By value where both are numbers, numbers before words, words by bytes.
static int compare_labels(const void *a, const void *b) {
    double x, y;
    bool one = as_number(a, &x), other = as_number(b, &y);
    if (one && other && x != y) return x < y ? -1 : 1;
    if (one != other) return one ? -1 : 1;
    return compare_text(a, b);
}

// `letters`: so many are in whatever their count is.
static seq_status rank(const seq_string_table *table, int64_t least, size_t letters,
                       int (*compare)(const void *, const void *), ranked **out, size_t *out_count,
                       seq_error *error) {
    *out_count = 0;
    seq_status status = seq_allocate(out, table->count, sizeof **out, "a vocabulary", error);
    for (size_t i = 0; !status && i < table->count; i++)
        if (table->items[i].count >= least || i < letters)
            (*out)[(*out_count)++] = (ranked){seq_string_table_text(table, i), table->items[i].size,
                                              i, table->items[i].count};
    if (!status && *out_count) qsort(*out, *out_count, sizeof **out, compare);
    return status;
}

static bool is_special(const ranked *item) {
    return strcmp(item->text, seq_unk_text) == 0 || strcmp(item->text, seq_eos_text) == 0;
}

// `ends`: the count of <eos>, which stands behind <unk>; -1: there is none.
static seq_status append_ranked(seq_vocabulary *vocabulary, const ranked *items, size_t count,
                                size_t limit, int64_t ends, seq_error *error) {
    seq_status status = SEQ_OK;
    int64_t unknown = 0;
    size_t first = ends < 0 ? 1 : 2;
    for (size_t i = 0; i < count; i++)
        if (i + first >= limit || is_special(&items[i])) unknown += items[i].count;
    status = seq_vocabulary_append(vocabulary, seq_unk_text, strlen(seq_unk_text), unknown, error);
    if (!status && ends >= 0)
        status = seq_vocabulary_append(vocabulary, seq_eos_text, strlen(seq_eos_text), ends, error);
    for (size_t i = 0; !status && i < count && i + first < limit; i++)
        if (!is_special(&items[i]))
            status = seq_vocabulary_append(vocabulary, items[i].text, items[i].size, items[i].count,
                                           error);
    return status;
}

static seq_status make_bytes(const seq_string_table *table, seq_vocabulary *vocabulary,
                             seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < SEQ_BYTES; i++) {
        char byte = (char)i;
        size_t number = seq_string_table_find(table, &byte, 1);
        status = seq_vocabulary_append(vocabulary, &byte, 1,
                                       number == SIZE_MAX ? 0 : table->items[number].count, error);
    }
    return status;
}

seq_status seq_item_append_labels(seq_vocabulary *vocabulary, const seq_string_table *table,
                                  seq_error *error) {
    ranked *items = NULL;
    size_t count;
    seq_status status = rank(table, 1, 0, compare_labels, &items, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        status =
            seq_vocabulary_append(vocabulary, items[i].text, items[i].size, items[i].count, error);
    free(items);
    return status;
}

// The words of all units, each with the occurrences of all its units.
static seq_status count_words(const seq_item_work *work, seq_string_table *out, seq_error *error) {
    const seq_string_table *units = &work->store.units;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < units->count; i++) {
        const char *word;
        size_t size, number;
        status = seq_item_word(work->store.cutter, seq_string_table_text(units, i),
                               units->items[i].size, &word, &size, error);
        if (!status) status = seq_string_table_add(out, word, size, &number, error);
        if (!status) out->items[number].count += units->items[i].count;
    }
    return status;
}

// The units of --vocab that the training part has not. Their count is 0: --singletons is about
// words of the training part.
static seq_status append_known(const char *from, seq_vocabulary *vocabulary, seq_error *error) {
    seq_vocabulary *known = NULL;
    seq_status status = seq_prepare_reuse(from, &known, error);
    if (status) return status;
    const seq_text_rules *own = seq_vocabulary_rules(vocabulary),
                         *its = seq_vocabulary_rules(known);
    if (its->unit != own->unit || its->lower != own->lower)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--vocab %s: its units differ from those of these items in %s", from,
                               its->unit != own->unit ? "--unit" : "--lower");
    for (int id = 0; !status && id < seq_vocabulary_size(known); id++) {
        size_t size;
        const char *text = seq_vocabulary_text(known, id, &size);
        if (id == seq_vocabulary_eos(known) || id == seq_vocabulary_unk(known) ||
            seq_vocabulary_find(vocabulary, text, size) != SEQ_NO_ID)
            continue;
        status = seq_vocabulary_append(vocabulary, text, size, 0, error);
    }
    seq_vocabulary_destroy(known);
    return status;
}

static seq_status make_words(seq_item_work *work, const seq_string_table *table, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    seq_text_rules rules = prepare->rules.text;
    if (prepare->rules.kmer || prepare->task == SEQ_TASK_TAG) rules.unit = SEQ_UNIT_WORD;
    ranked *items = NULL;
    size_t count, limit = prepare->max_vocabulary ? (size_t)prepare->max_vocabulary : INT32_MAX;
    limit -= prepare->task == SEQ_TASK_GENERATE; // <eos>, which comes last
    seq_status status = seq_vocabulary_create(&rules, &work->units, error);
    if (!status && work->subword) seq_vocabulary_set_subword(work->units, work->subword);
    if (!status && rules.unit == SEQ_UNIT_BYTE) return make_bytes(table, work->units, error);
    int64_t least = prepare->min_count > 1 ? prepare->min_count : 1;
    if (!status)
        status = rank(table, least, least > 1 ? 0 : work->words.letters, compare_ranks, &items,
                      &count, error);
    if (!status && count == 0)
        status =
            work->store.shorter
                ? seq_error_set(error, SEQ_BAD_INPUT,
                                "%s: --kmer %d: no item of the training part has so many letters",
                                prepare->inputs[0], prepare->rules.kmer)
                : seq_error_set(error, SEQ_BAD_INPUT,
                                "%s: no unit of the training part is left for the vocabulary",
                                prepare->inputs[0]);
    if (!status) status = append_ranked(work->units, items, count, limit, -1, error);
    free(items);
    if (!status && prepare->vocabulary_from)
        status = append_known(prepare->vocabulary_from, work->units, error);
    return status;
}

static seq_status make_units(seq_item_work *work, seq_error *error) {
    seq_string_table words = {0};
    if (!work->prepare->letters && !work->prepare->casing)
        return make_words(work, &work->store.units, error);
    seq_status status = count_words(work, &words, error);
    if (!status) status = make_words(work, &words, error);
    seq_string_table_clear(&words);
    return status;
}

// The vocabulary of --vocab, whose merges are taken; NULL: there is none.
static seq_status known_merges(const seq_prepare_items *prepare, seq_vocabulary **out,
                               seq_error *error) {
    if (!prepare->vocabulary_from) return SEQ_OK;
    seq_status status = seq_prepare_reuse(prepare->vocabulary_from, out, error);
    if (status || seq_vocabulary_subword(*out)) return status;
    return seq_error_set(error, SEQ_BAD_USAGE, "--vocab %s: its units are no subwords",
                         prepare->vocabulary_from);
}

// ---- Pairs of texts.

static seq_status count_translations(seq_item_work *work, int64_t *out_pairs, seq_error *error) {
    const seq_item_store *store = &work->store;
    seq_status status = SEQ_OK;
    *out_pairs = 0;
    for (size_t i = 0; !status && i < store->count; i++) {
        const seq_stored_item *item = &store->items[i];
        if (item->split != SEQ_TRAIN || item->left) continue;
        status = seq_item_load_symbols(work, item, error);
        for (size_t k = 0; !status && k < item->symbols; k++)
            store->symbols.table.items[work->numbers[k]].count++;
        ++*out_pairs;
    }
    return status;
}

static seq_status add_counts(seq_string_table *to, const seq_string_table *from, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < from->count; i++) {
        size_t number;
        status = seq_string_table_add(to, seq_string_table_text(from, i), from->items[i].size,
                                      &number, error);
        if (!status) to->items[number].count += from->items[i].count;
    }
    return status;
}

// The vocabulary of a side, or of both; `ends` as in append_ranked.
typedef struct side_words {
    const char *name;
    int64_t least, most, ends; // most 0: no limit
    size_t letters;            // as in rank
    seq_subword *subword;      // NULL: the units are no subwords
} side_words;

static seq_status make_side(const seq_item_work *work, const side_words *side,
                            const seq_string_table *table, seq_vocabulary **out, seq_error *error) {
    seq_text_rules rules = work->prepare->rules.text;
    ranked *items = NULL;
    size_t count = 0, limit = side->most ? (size_t)side->most : INT32_MAX;
    rules.eos = side->ends < 0 ? SEQ_EOS_NONE : SEQ_EOS_LINE;
    seq_status status = seq_vocabulary_create(&rules, out, error);
    if (!status && side->subword) seq_vocabulary_set_subword(*out, side->subword);
    if (!status && rules.unit == SEQ_UNIT_BYTE) {
        status = make_bytes(table, *out, error);
        return status || side->ends < 0
                   ? status
                   : seq_vocabulary_append(*out, seq_eos_text, strlen(seq_eos_text), side->ends,
                                           error);
    }
    if (!status)
        status = rank(table, side->least > 1 ? side->least : 1, side->least > 1 ? 0 : side->letters,
                      compare_ranks, &items, &count, error);
    if (!status && count == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "no unit of the %s side of the training part occurs %lld times: "
                               "--min-count leaves an empty vocabulary",
                               side->name, (long long)side->least);
    if (!status && limit < (side->ends < 0 ? 2 : 3))
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--max-vocab %lld: too few for one unit beside <unk> and <eos>",
                               (long long)side->most);
    if (!status) status = append_ranked(*out, items, count, limit, side->ends, error);
    free(items);
    return status;
}

// A word that is written like a special symbol is unknown: an end is made by seqprep only.
static seq_status map_side(const seq_string_table *table, const seq_vocabulary *vocabulary,
                           int32_t **out, seq_error *error) {
    seq_status status = seq_allocate(out, table->count, sizeof **out, "a vocabulary", error);
    for (size_t i = 0; !status && i < table->count; i++) {
        int32_t id = seq_vocabulary_find_or_unk(vocabulary, seq_string_table_text(table, i),
                                                table->items[i].size);
        (*out)[i] = id == seq_vocabulary_eos(vocabulary) ? seq_vocabulary_unk(vocabulary) : id;
    }
    return status;
}

static seq_status make_joint(seq_item_work *work, int64_t ends, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    const side_words side = {.name = "joint",
                             .least = prepare->min_count,
                             .most = prepare->max_vocabulary,
                             .ends = ends};
    seq_string_table both = {0};
    seq_status status = add_counts(&both, &work->store.units, error);
    if (!status) status = add_counts(&both, &work->store.symbols.table, error);
    if (!status) status = make_side(work, &side, &both, &work->units, error);
    seq_string_table_clear(&both);
    if (!status && prepare->vocabulary_from)
        status = append_known(prepare->vocabulary_from, work->units, error);
    return status;
}

// What words of a side are cut into, from what those of both sides are.
static seq_status pick_words(const seq_subword_map *both, const seq_string_table *words,
                             const seq_string_table *side, seq_subword_map *out, seq_error *error) {
    size_t used = 0, capacity = 0;
    seq_status status =
        seq_allocate(&out->ends, side->count, sizeof *out->ends, "the units of words", error);
    for (size_t i = 0; !status && i < side->count; i++) {
        size_t word = seq_string_table_find(words, seq_string_table_text(side, i),
                                            side->items[i].size),
               at = word ? both->ends[word - 1] : 0, count = both->ends[word] - at;
        status = seq_grow(&out->units, &capacity, used + count + 1, sizeof *out->units,
                          "the units of words", error);
        if (!status) memcpy(out->units + used, both->units + at, count * sizeof *out->units);
        out->ends[i] = used += count;
    }
    return status;
}

// Merges and units of a side, or of both.
typedef struct side_units {
    const seq_string_table *words;
    const seq_vocabulary *known; // NULL: none
    seq_subword *subword;
    seq_string_table units;
    seq_subword_map map;
} side_units;

static seq_status cut_side(const seq_item_work *work, side_words *side, side_units *out,
                           seq_vocabulary **out_vocabulary, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    int64_t least =
        prepare->merges.threshold > side->least ? prepare->merges.threshold : side->least;
    seq_status status = seq_merges_make(&prepare->merges, out->words, out->known, prepare->stopped,
                                        &out->subword, error);
    if (!status)
        status = seq_subword_map_words(out->subword, out->words, least, out->known, &out->units,
                                       &out->map, error);
    side->letters = out->map.letters;
    side->subword = out->subword;
    return status ? status : make_side(work, side, &out->units, out_vocabulary, error);
}

static seq_status cut_joint(seq_item_work *work, side_words *side, side_units *units,
                            seq_error *error) {
    const seq_string_table *sources = &work->store.units, *targets = &work->store.symbols.table;
    seq_string_table both = {0};
    seq_vocabulary *known = NULL;
    seq_status status = known_merges(work->prepare, &known, error);
    if (!status) status = add_counts(&both, sources, error);
    if (!status) status = add_counts(&both, targets, error);
    units->words = &both;
    units->known = known;
    if (!status) status = cut_side(work, side, units, &work->units, error);
    if (!status) status = pick_words(&units->map, &both, sources, &work->words, error);
    if (!status) status = pick_words(&units->map, &both, targets, &work->target_words, error);
    if (!status && known) status = append_known(work->prepare->vocabulary_from, work->units, error);
    if (!status) status = map_side(&units->units, work->units, &work->ids, error);
    if (!status) status = map_side(&units->units, work->units, &work->target_ids, error);
    seq_vocabulary_destroy(known);
    seq_string_table_clear(&both);
    return status;
}

// The merges and the vocabularies are those of all training pairs, also of those that turn out to
// be too long.
static seq_status cut_pairs(seq_item_work *work, side_words side[2], seq_error *error) {
    side_units units[2] = {{.words = &work->store.units}, {.words = &work->store.symbols.table}};
    seq_status status = SEQ_OK;
    if (work->prepare->joint) {
        side[0].name = "joint";
        side[0].ends = side[1].ends;
        status = cut_joint(work, &side[0], &units[0], error);
    } else {
        status = cut_side(work, &side[0], &units[0], &work->units, error);
        if (!status) status = cut_side(work, &side[1], &units[1], &work->targets, error);
        if (!status) status = map_side(&units[0].units, work->units, &work->ids, error);
        if (!status) status = map_side(&units[1].units, work->targets, &work->target_ids, error);
        work->words = units[0].map;
        work->target_words = units[1].map;
        units[0].map = units[1].map = (seq_subword_map){0};
    }
    work->subword = seq_subword_share(units[0].subword);
    for (int i = 0; i < 2; i++) {
        seq_subword_destroy(units[i].subword);
        seq_subword_map_clear(&units[i].map);
        seq_string_table_clear(&units[i].units);
    }
    return status ? status : seq_item_leave_long_pairs(work, error);
}

static seq_status make_pairs(seq_item_work *work, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    const seq_string_table *sources = &work->store.units, *targets = &work->store.symbols.table;
    int64_t pairs, least = prepare->target_min_count, most = prepare->target_max_vocabulary;
    seq_status status = count_units(work, error);
    if (!status) status = count_translations(work, &pairs, error);
    if (status) return status;
    side_words side[2] = {{.name = "source",
                           .least = prepare->min_count,
                           .most = prepare->max_vocabulary,
                           .ends = -1},
                          {.name = "target",
                           .least = least ? least : prepare->min_count,
                           .most = most ? most : prepare->max_vocabulary,
                           .ends = pairs}};
    if (prepare->rules.text.unit == SEQ_UNIT_SUBWORD) return cut_pairs(work, side, error);
    if (prepare->joint) {
        status = make_joint(work, pairs, error);
    } else {
        status = make_side(work, &side[0], sources, &work->units, error);
        if (!status) status = make_side(work, &side[1], targets, &work->targets, error);
    }
    if (!status) status = map_side(sources, work->units, &work->ids, error);
    const seq_vocabulary *of_target = prepare->joint ? work->units : work->targets;
    return status ? status : map_side(targets, of_target, &work->target_ids, error);
}

static seq_status map_units(seq_item_work *work, const seq_string_table *table, seq_error *error) {
    const char *word;
    size_t size;
    seq_status status =
        seq_allocate(&work->ids, table->count, sizeof *work->ids, "a vocabulary", error);
    for (size_t i = 0; !status && i < table->count; i++) {
        status = seq_item_word(work->store.cutter, seq_string_table_text(table, i),
                               table->items[i].size, &word, &size, error);
        if (!status) work->ids[i] = seq_vocabulary_find_or_unk(work->units, word, size);
    }
    return status;
}

// Cuts the words of the store, and makes a vocabulary of what they are cut into.
static seq_status make_subwords(seq_item_work *work, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    seq_string_table units = {0};
    seq_vocabulary *known = NULL;
    int64_t least = prepare->merges.threshold;
    if (prepare->min_count > least) least = prepare->min_count;
    seq_status status = known_merges(prepare, &known, error);
    if (!status)
        status = seq_merges_make(&prepare->merges, &work->store.units, known, prepare->stopped,
                                 &work->subword, error);
    if (!status)
        status = seq_subword_map_words(work->subword, &work->store.units, least, known, &units,
                                       &work->words, error);
    if (!status) status = make_words(work, &units, error);
    if (!status) status = map_units(work, &units, error);
    seq_vocabulary_destroy(known);
    seq_string_table_clear(&units);
    return status;
}

static seq_status make_letters(seq_item_work *work, seq_error *error) {
    const seq_string_table *table = &work->store.units;
    seq_string_table letters = {0};
    seq_text_rules rules = {.unit = SEQ_UNIT_CHAR};
    ranked *items = NULL;
    size_t count, number;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < table->count; i++) {
        const char *at = seq_string_table_text(table, i), *end = at + table->items[i].size;
        while (!status && at < end && table->items[i].count) {
            const char *next = seq_item_next_letter(at, end);
            status = seq_string_table_add(&letters, at, (size_t)(next - at), &number, error);
            if (!status) letters.items[number].count += table->items[i].count;
            at = next;
        }
    }
    if (!status) status = rank(&letters, 1, 0, compare_ranks, &items, &count, error);
    if (!status) status = seq_vocabulary_create(&rules, &work->letters, error);
    if (!status) status = append_ranked(work->letters, items, count, INT32_MAX, -1, error);
    free(items);
    seq_string_table_clear(&letters);
    return status;
}

// A closed list: each class has its place, whether or not it occurs.
static seq_status make_casings(seq_item_work *work, seq_error *error) {
    const seq_string_table *table = &work->store.units;
    const seq_text_rules rules = {.unit = SEQ_UNIT_WORD};
    seq_string_table casings = {0};
    size_t number;
    seq_status status = SEQ_OK;
    for (const char *const *name = seq_casings; !status && *name; name++)
        status = seq_string_table_add(&casings, *name, strlen(*name), &number, error);
    for (size_t i = 0; !status && i < table->count; i++) {
        const char *name = seq_casing(seq_string_table_text(table, i), table->items[i].size);
        status = seq_string_table_add(&casings, name, strlen(name), &number, error);
        if (!status) casings.items[number].count += table->items[i].count;
    }
    if (!status) status = seq_vocabulary_create(&rules, &work->casings, error);
    for (size_t i = 0; !status && i < casings.count; i++)
        status = seq_vocabulary_append(work->casings, seq_string_table_text(&casings, i),
                                       casings.items[i].size, casings.items[i].count, error);
    seq_string_table_clear(&casings);
    return status;
}

seq_status seq_item_append_targets(seq_item_work *work, const seq_string_table *table,
                                   const char *what, seq_error *error) {
    ranked *items = NULL;
    size_t count, trained = 0;
    char shown[80];
    seq_status status = rank(table, 0, 0, compare_labels, &items, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        status = seq_vocabulary_append(work->targets, items[i].text, items[i].size, items[i].count,
                                       error);
        trained += items[i].count > 0;
        if (items[i].count) continue;
        seq_escape(items[i].text, items[i].size, false, shown, sizeof shown);
        seq_log_warning("%s '%s' does not occur in the training part", what, shown);
    }
    if (!status && trained == 1)
        seq_log_warning("the training part has one %s only: there is nothing to learn", what);
    free(items);
    return status;
}

static seq_status make_labels(seq_item_work *work, seq_error *error) {
    seq_string_table *labels = &work->store.labels;
    for (size_t i = 0; i < work->store.count; i++)
        if (work->store.items[i].split == SEQ_TRAIN)
            labels->items[work->store.items[i].label].count++;
    return seq_item_append_targets(work, labels, "class", error);
}

// The alphabet, and work->ids: the id of each symbol of the store.
static seq_status make_symbols(seq_item_work *work, seq_error *error) {
    seq_item_store *store = &work->store;
    seq_string_table *table = &store->symbols.table;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < store->count; i++) {
        if (store->items[i].split != SEQ_TRAIN) continue;
        status = seq_item_load_symbols(work, &store->items[i], error);
        for (size_t k = 0; !status && k < store->items[i].symbols; k++)
            table->items[work->numbers[k]].count++;
    }
    if (!status)
        status = seq_item_symbols_vocabulary(&store->symbols, &work->prepare->rules.text,
                                             &work->targets, error);
    if (!status)
        status = seq_allocate(&work->ids, table->count, sizeof *work->ids, "the alphabet", error);
    for (size_t i = 0; !status && i < table->count; i++)
        work->ids[i] = seq_vocabulary_find(work->targets, seq_string_table_text(table, i),
                                           table->items[i].size);
    return status;
}

seq_status seq_item_vocabularies(seq_item_work *work, seq_error *error) {
    const seq_text_rules rules = {.unit = SEQ_UNIT_WORD};
    seq_item_task task = work->prepare->task;
    seq_status status = SEQ_OK;
    if (task == SEQ_TASK_TRANSCRIBE) return make_symbols(work, error);
    if (task == SEQ_TASK_TRANSLATE) return make_pairs(work, error);
    if (!work->store.width) {
        status = count_units(work, error);
        bool cuts = work->prepare->rules.text.unit == SEQ_UNIT_SUBWORD;
        if (!status) status = cuts ? make_subwords(work, error) : make_units(work, error);
        if (!status && !cuts) status = map_units(work, &work->store.units, error);
    }
    if (!status && work->prepare->letters) status = make_letters(work, error);
    if (!status && work->prepare->casing) status = make_casings(work, error);
    if (status || task == SEQ_TASK_RATE) return status;
    if (task == SEQ_TASK_GENERATE) return seq_item_text_vocabularies(work, error);
    status = seq_vocabulary_create(&rules, &work->targets, error);
    if (status) return status;
    return task == SEQ_TASK_TAG ? seq_item_tags(work, error) : make_labels(work, error);
}
