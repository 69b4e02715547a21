// The table of labels. A tag is O, a prefix, or a prefix, a hyphen and a type;
// a type may hold hyphens. Invariant: a label keeps its number, and its tag is
// cut once, when the label is added. Test: tests/unit/task/test_spans.c.
#include <seqtrain/task/labels.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

void seq_labels_clear(seq_labels *labels) {
    seq_strings_clear(&labels->names);
    seq_strings_clear(&labels->types);
    free(labels->tags);
    *labels = (seq_labels){0};
}

static char read_prefix(const char *text, size_t size) {
    static const char written[] = "BIESOLUM", meant[] = "BIESOESI";
    const char *found = size && *text ? strchr(written, *text) : NULL;
    if (!found || (size > 1 && (text[1] != '-' || *text == 'O'))) return 0;
    return meant[found - written];
}

static seq_status read_tag(seq_labels *labels, const char *text, size_t size, seq_tag *out,
                           seq_error *error) {
    out->prefix = read_prefix(text, size);
    out->type = -1;
    if (!out->prefix || out->prefix == 'O') return SEQ_OK;
    size_t begin = size > 2 ? 2 : size;
    return seq_strings_add(&labels->types, text + begin, size - begin, &out->type, error);
}

seq_status seq_labels_add(seq_labels *labels, const char *text, size_t size, int32_t *out,
                          seq_error *error) {
    int32_t before = labels->names.count;
    seq_status status = seq_grow(&labels->tags, &labels->tags_capacity, (size_t)before + 1,
                                 sizeof *labels->tags, "labels", error);
    if (!status) status = seq_strings_add(&labels->names, text, size, out, error);
    if (!status && *out == before)
        status = read_tag(labels, text, size, &labels->tags[before], error);
    return status;
}
