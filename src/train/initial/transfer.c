// Copies a parameter of another model. Where rows stand for words, each row here
// asks for its word there; what that vocabulary does not have stays. Invariant:
// nothing is copied whose numbers would mean something else here. Test:
// tests/unit/train/test_transfer.c.
#include "transfer.h"
#include <string.h>

static bool is_label_list(const seq_schema *schema, int vocabulary) {
    for (int i = 0; i < schema->field_count; i++)
        if (schema->fields[i].vocabulary == vocabulary && schema->fields[i].kind == SEQ_FIELD_LABEL)
            return true;
    return false;
}

static bool same_list(const seq_vocabulary *a, const seq_vocabulary *b) {
    bool same = seq_vocabulary_size(a) == seq_vocabulary_size(b);
    for (int id = 0; same && id < seq_vocabulary_size(a); id++) {
        size_t one, other;
        const char *text = seq_vocabulary_text(a, id, &one), *with;
        with = seq_vocabulary_text(b, id, &other);
        same = one == other && memcmp(text, with, one) == 0;
    }
    return same;
}

static void copy_rows(const seq_vocabulary *there, const float *values, const seq_vocabulary *here,
                      float *parameters, size_t columns, seq_transfer *out) {
    out->rows = (size_t)seq_vocabulary_size(here);
    for (int id = 0; id < seq_vocabulary_size(here); id++) {
        size_t size;
        const char *text = seq_vocabulary_text(here, id, &size);
        int found = seq_vocabulary_find(there, text, size);
        out->total += seq_vocabulary_count(here, id);
        if (found == SEQ_NO_ID) continue;
        out->matched++;
        out->covered += seq_vocabulary_count(here, id);
        memcpy(parameters + (size_t)id * columns, values + (size_t)found * columns,
               columns * sizeof *values);
    }
}

static bool depends_on_list(const seq_parameter *parameter) {
    return parameter->vocabulary < 0 && parameter->predicts >= 0;
}

// Why the meanings of two parameters of one shape do not fit; NULL: they do.
static const char *why_not(const seq_meaning *there, const seq_parameter *a,
                           const seq_meaning *here, const seq_parameter *b) {
    if (a->vocabulary >= 0 && b->vocabulary >= 0) {
        bool labels = is_label_list(there->schema, a->vocabulary);
        return labels == is_label_list(here->schema, b->vocabulary)
                   ? NULL
                   : "stands for words on one side, for labels on the other";
    }
    if (depends_on_list(a) != depends_on_list(b)) return "predicts something else";
    if (!depends_on_list(a)) return NULL;
    return same_list(there->vocabularies[a->predicts], here->vocabularies[b->predicts])
               ? NULL
               : "belongs to another list of words or labels, or another order of it";
}

seq_status seq_transfer_parameter(const seq_meaning *there, int from, const float *values,
                                  const seq_meaning *here, int to, float *parameters,
                                  seq_transfer *out, seq_error *error) {
    const seq_parameter *a = &there->table->items[from], *b = &here->table->items[to];
    bool by_symbol = a->vocabulary >= 0 && b->vocabulary >= 0;
    *out = (seq_transfer){.by_symbol = by_symbol};
    if (a->dimensions != b->dimensions || a->columns != b->columns ||
        (!by_symbol && a->rows != b->rows))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s has %zu x %zu values, %s here %zu x %zu: give the model these "
                             "sizes, or leave it out (:%s=)",
                             a->name, a->rows, a->columns, b->name, b->rows, b->columns, a->name);
    const char *why = why_not(there, a, here, b);
    if (why)
        return seq_error_set(error, SEQ_BAD_USAGE, "%s %s: leave it out (:%s=)", a->name, why,
                             a->name);
    if (by_symbol)
        copy_rows(there->vocabularies[a->vocabulary], values + a->offset,
                  here->vocabularies[b->vocabulary], parameters + b->offset, b->columns, out);
    else
        memcpy(parameters + b->offset, values + a->offset, seq_parameter_size(b) * sizeof *values);
    return SEQ_OK;
}
