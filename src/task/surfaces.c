// Entities by their text: F1 on those that training never had, and WNUT17's F1
// over distinct surface forms. A text is the entity's tokens joined by blanks.
// Both read tags as conlleval does. Invariant: an entity of gold and an equal
// one of the prediction have the same text, that of the gold file's tokens.
// Tests: tests/unit/task/test_statistic.c; the systems of WNUT17 in
// tests/cli/compare.sh.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Puts an entity's text into `buffer`, behind its type where that counts, too.
typedef struct text_builder {
    const seq_answer_tables *tables;
    char *bytes;
    size_t size, capacity;
} text_builder;

static seq_status append(text_builder *builder, const char *text, size_t size, char before,
                         seq_error *error) {
    seq_status status = seq_grow(&builder->bytes, &builder->capacity, builder->size + size + 1, 1,
                                 "the text of an entity", error);
    if (status) return status;
    builder->bytes[builder->size] = before;
    memcpy(builder->bytes + builder->size + 1, text, size);
    builder->size += size + 1;
    return SEQ_OK;
}

static seq_status build(text_builder *builder, const int32_t *words, const seq_span *span,
                        bool with_type, seq_error *error) {
    size_t size;
    seq_status status = SEQ_OK;
    builder->size = 0;
    if (with_type) {
        const char *type = seq_strings_text(&builder->tables->labels.types, span->type, &size);
        status = append(builder, type, size, ' ', error);
    }
    for (size_t i = span->begin; !status && i < span->end; i++) {
        const char *word = seq_strings_text(&builder->tables->words, words[i], &size);
        // A line end cannot be part of a type or a token.
        status = append(builder, word, size, i == span->begin ? '\n' : ' ', error);
    }
    return status;
}

// Which text a span has: its number in the set, or -1.
typedef struct surfaces {
    text_builder builder;
    seq_strings set;
    const seq_answers *gold, *predicted;
    bool with_type;
} surfaces;

static void clear(surfaces *surfaces) {
    seq_strings_clear(&surfaces->set);
    free(surfaces->builder.bytes);
}

static bool next_span(const surfaces *surfaces, const seq_answers *side, size_t item, size_t *at,
                      seq_span *out) {
    return seq_span_next(&surfaces->builder.tables->labels, side->scheme, SEQ_READ_LENIENT,
                         side->ids + side->first[item], side->first[item + 1] - side->first[item],
                         at, out);
}

static seq_status add_all(surfaces *surfaces, const seq_answers *side, const seq_answers *texts,
                          seq_error *error) {
    seq_status status = SEQ_OK;
    seq_span span;
    int32_t number;
    for (size_t i = 0; !status && i < side->items; i++)
        for (size_t at = 0; !status && next_span(surfaces, side, i, &at, &span);) {
            status = build(&surfaces->builder, texts->words + texts->first[i], &span,
                           surfaces->with_type, error);
            if (!status)
                status = seq_strings_add(&surfaces->set, surfaces->builder.bytes,
                                         surfaces->builder.size, &number, error);
        }
    return status;
}

static seq_status find(surfaces *surfaces, size_t item, const seq_span *span, int32_t *out,
                       seq_error *error) {
    const seq_answers *gold = surfaces->gold;
    seq_status status = build(&surfaces->builder, gold->words + gold->first[item], span,
                              surfaces->with_type, error);
    *out = seq_strings_find(&surfaces->set, surfaces->builder.bytes, surfaces->builder.size);
    return status;
}

// Whether the gold entities of the item have the same span and type.
static bool is_right(const surfaces *surfaces, size_t item, const seq_span *span) {
    seq_span gold;
    for (size_t at = 0; next_span(surfaces, surfaces->gold, item, &at, &gold);)
        if (gold.begin == span->begin) return gold.end == span->end && gold.type == span->type;
    return false;
}

// Adds to own[3 * place(number)] what the item's entities are; unseen ones have one place for all.
static seq_status add_item(surfaces *surfaces, size_t item, int64_t *own, bool unseen,
                           seq_error *error) {
    const seq_answers *sides[] = {surfaces->predicted, surfaces->gold};
    seq_status status = SEQ_OK;
    for (int side = 0; side < 2; side++) {
        seq_span span;
        int32_t number;
        for (size_t at = 0; !status && next_span(surfaces, sides[side], item, &at, &span);) {
            status = find(surfaces, item, &span, &number, error);
            if (status || (unseen && number >= 0)) continue;
            int64_t *hits = own + (unseen ? 0 : 3 * (size_t)number);
            hits[1 + side]++;
            if (side == 0) hits[0] += is_right(surfaces, item, &span);
        }
    }
    return status;
}

static seq_status count(surfaces *surfaces, int counters, bool unseen, seq_counted *out,
                        seq_error *error) {
    int64_t *own = NULL;
    out->counters = counters;
    seq_status status = seq_allocate(&own, (size_t)counters, sizeof *own, "counters", error);
    for (size_t i = 0; !status && i < surfaces->gold->items; i++) {
        status = add_item(surfaces, i, own, unseen, error);
        if (!status) status = seq_counted_add(out, own, error);
    }
    free(own);
    if (status) seq_counted_clear(out);
    return status;
}

static double f1_of_one(const seq_counted *counted, const int64_t *counters) {
    (void)counted;
    return seq_hits_f1(seq_hits_at(counters, 0));
}

seq_status seq_counted_of_unseen(const seq_answer_tables *tables, const seq_answers *training,
                                 const seq_answers *gold, const seq_answers *predicted,
                                 seq_counted *out, seq_error *error) {
    surfaces surfaces = {.builder.tables = tables, .gold = gold, .predicted = predicted};
    *out = (seq_counted){.labels = &tables->labels, .value = f1_of_one};
    seq_status status = add_all(&surfaces, training, training, error);
    if (!status) status = count(&surfaces, 3, true, out, error);
    clear(&surfaces);
    return status;
}

seq_hits seq_surface_hits(const int64_t *counters, int count) {
    seq_hits all = {0};
    for (int32_t i = 0; i < count / 3; i++) {
        seq_hits hits = seq_hits_at(counters, i);
        all.right += hits.right > 0;
        all.predicted += hits.predicted > 0;
        all.gold += hits.gold > 0;
    }
    return all;
}

static double f1_of_surfaces(const seq_counted *counted, const int64_t *counters) {
    return seq_hits_f1(seq_surface_hits(counters, counted->counters));
}

seq_status seq_counted_of_surfaces(const seq_answer_tables *tables, const seq_answers *gold,
                                   const seq_answers *predicted, seq_counted *out,
                                   seq_error *error) {
    surfaces surfaces = {
        .builder.tables = tables, .gold = gold, .predicted = predicted, .with_type = true};
    *out = (seq_counted){.labels = &tables->labels, .value = f1_of_surfaces};
    seq_status status = add_all(&surfaces, gold, gold, error);
    if (!status) status = add_all(&surfaces, predicted, gold, error);
    if (!status) status = count(&surfaces, 3 * surfaces.set.count, false, out, error);
    clear(&surfaces);
    return status;
}
