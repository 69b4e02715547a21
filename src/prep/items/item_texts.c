// Columns of generate: texts that end with <eos>, and their labels and numbers. A
// label or position in the bar that no training item has gets SEQ_NO_ID.
// Invariant: positions in the bar are a function of the previous units
// (data/abc.h), so sampling computes the same ones. Tests: tests/cli/generate.sh.
#include "prepare_items_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/abc.h>
#include <seqtrain/data/tokenizer.h>
#include <string.h>

static const uint32_t *context_of(seq_item_work *work, const seq_stored_item *item,
                                  seq_error *error) {
    size_t count = seq_item_context_size(&work->store.context);
    return seq_item_load(work, item, item->length, count, error) ? NULL : work->numbers;
}

// The place before unit `i`, and behind it.
static void pass_unit(const seq_item_work *work, size_t i, seq_abc_place *place,
                      char text[SEQ_ABC_PLACE]) {
    const seq_string_table *units = &work->store.units;
    seq_abc_place_text(place, text);
    seq_abc_place_feed(place, seq_string_table_text(units, work->numbers[i]),
                       units->items[work->numbers[i]].size);
}

static seq_status count_bars(seq_item_work *work, const seq_stored_item *item,
                             seq_string_table *bars, seq_error *error) {
    seq_abc_place place = {0};
    char text[SEQ_ABC_PLACE];
    seq_status status = seq_item_load(work, item, 0, item->length, error);
    for (size_t i = 0; !status && i < item->length; i++) {
        size_t number;
        pass_unit(work, i, &place, text);
        status = seq_string_table_add(bars, text, strlen(text), &number, error);
        if (!status) bars->items[number].count++;
    }
    return status;
}

static seq_status make_bars(seq_item_work *work, seq_error *error) {
    const seq_item_store *store = &work->store;
    const seq_text_rules rules = {.unit = SEQ_UNIT_WORD};
    seq_string_table bars = {0};
    seq_status status = seq_vocabulary_create(&rules, &work->bars, error);
    for (size_t i = 0; !status && i < store->count; i++)
        if (store->items[i].split == SEQ_TRAIN && !store->items[i].left)
            status = count_bars(work, &store->items[i], &bars, error);
    if (!status) status = seq_item_append_labels(work->bars, &bars, error);
    seq_string_table_clear(&bars);
    return status;
}

static seq_status make_labels(seq_item_work *work, int64_t *items, seq_error *error) {
    seq_item_context *context = &work->store.context;
    const seq_text_rules rules = {.unit = SEQ_UNIT_WORD};
    seq_status status = SEQ_OK;
    *items = 0;
    for (size_t i = 0; !status && i < work->store.count; i++) {
        const seq_stored_item *item = &work->store.items[i];
        if (item->split != SEQ_TRAIN || item->left) continue;
        const uint32_t *own = context_of(work, item, error);
        if (!own) return error->status;
        for (int k = 0; k < context->labels; k++)
            context->tables[k].items[own[k]].count++;
        ++*items;
    }
    for (int k = 0; !status && k < context->labels; k++) {
        status = seq_vocabulary_create(&rules, &work->contexts[k], error);
        if (!status) status = seq_item_append_labels(work->contexts[k], &context->tables[k], error);
    }
    return status;
}

seq_status seq_item_text_vocabularies(seq_item_work *work, seq_error *error) {
    int64_t items;
    seq_status status = make_labels(work, &items, error);
    if (!status)
        status =
            seq_vocabulary_append(work->units, seq_eos_text, strlen(seq_eos_text), items, error);
    return status || !work->prepare->bar_position ? status : make_bars(work, error);
}

void seq_item_text_schema(seq_item_work *work) {
    const seq_item_context *context = &work->store.context;
    seq_schema *schema = &work->schema;
    int text = seq_schema_add_axis(schema, "text", 0);
    work->input_field = work->target_field = schema->target = seq_schema_add_field(
        schema, "text", SEQ_FIELD_IDS, text, seq_schema_add_vocabulary(schema, "text"), 1);
    work->context_field = schema->field_count;
    for (int i = 0; i < context->labels; i++)
        seq_schema_add_field(schema, context->names[i], SEQ_FIELD_LABEL, 0,
                             seq_schema_add_vocabulary(schema, context->names[i]), 1);
    for (int i = context->labels; i < context->count; i++) {
        int field = seq_schema_add_field(schema, context->names[i], SEQ_FIELD_NUMBER, 0, -1, 1);
        schema->fields[field].normalise = SEQ_NORMALISE_GLOBAL;
    }
    if (work->bars)
        work->bar_field = seq_schema_add_field(schema, "bar", SEQ_FIELD_IDS, text,
                                               seq_schema_add_vocabulary(schema, "bar"), 1);
    if (context->heads)
        work->given_field =
            seq_schema_add_field(schema, SEQ_GIVEN_FIELD, SEQ_FIELD_NUMBER, 0, -1, 1);
    schema->length_axis = text;
    schema->groups = true;
    schema->raw = work->store.keep_raw;
}

static seq_status fill_bars(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                            seq_error *error) {
    seq_abc_place place = {0};
    char text[SEQ_ABC_PLACE];
    seq_status status = seq_grow(&work->bar, &work->capacity[10], item->length + 1,
                                 sizeof *work->bar, "an item", error);
    for (size_t i = 0; !status && i <= item->length; i++) {
        if (i < item->length)
            pass_unit(work, i, &place, text);
        else
            seq_abc_place_text(&place, text);
        work->bar[i] = seq_vocabulary_find(work->bars, text, strlen(text));
    }
    out->ids[work->bar_field] = work->bar;
    return status;
}

// Labels, numbers, and how much is given, which training learns like the rest.
static void fill_context(seq_item_work *work, const seq_stored_item *item, const uint32_t *own,
                         seq_items *out) {
    const seq_item_context *context = &work->store.context;
    for (int i = 0; i < context->count; i++) {
        int field = work->context_field + i;
        if (i < context->labels) {
            const seq_string_table *table = &context->tables[i];
            work->context_ids[i] = seq_vocabulary_find(
                work->contexts[i], seq_string_table_text(table, own[i]), table->items[own[i]].size);
            out->ids[field] = &work->context_ids[i];
        } else {
            memcpy(&work->context_numbers[i], &own[i], sizeof own[i]);
            out->values[field] = &work->context_numbers[i];
        }
    }
    work->given = item->split == SEQ_TRAIN ? 0 : (float)own[context->count];
    if (context->heads) out->values[work->given_field] = &work->given;
}

seq_status seq_item_text_build(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                               seq_error *error) {
    seq_status status = seq_item_fill_text(work, item, out, error);
    if (!status) work->text[work->length++] = seq_vocabulary_eos(work->units);
    if (!status && work->bars) status = fill_bars(work, item, out, error);
    const uint32_t *own = status ? NULL : context_of(work, item, error);
    if (own) fill_context(work, item, own, out);
    return error->status;
}
