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

static seq_status read_tag(seq_labels *labels, const char *text, size_t size, seq_label_tag *out,
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

seq_status seq_labels_of_vocabulary(const seq_vocabulary *vocabulary, seq_labels *out,
                                    seq_error *error) {
    seq_status status = SEQ_OK;
    *out = (seq_labels){0};
    for (int id = 0; !status && id < seq_vocabulary_size(vocabulary); id++) {
        size_t size;
        int32_t added;
        const char *text = seq_vocabulary_text(vocabulary, id, &size);
        status = seq_labels_add(out, text, size, &added, error);
        if (!status && added != id)
            status = seq_error_set(error, SEQ_BAD_INPUT, "the label '%.100s' is there twice", text);
    }
    if (status) seq_labels_clear(out);
    return status;
}

void seq_labels_find_outside(seq_labels *labels, const seq_schema *schema) {
    const char *name = seq_record_text(&schema->reader, "background");
    labels->outside = name ? 1 + seq_strings_find(&labels->names, name, strlen(name)) : 0;
}

seq_status seq_scheme_of_schema(const seq_schema *schema, seq_scheme *out, seq_error *error) {
    const char *name = seq_record_text(&schema->reader, "stored_tag_scheme");
    *out = name && strcmp(name, "bilou") == 0 ? SEQ_SCHEME_IOBES : SEQ_SCHEME_NONE;
    if (!name || *out) return SEQ_OK; // L and U are read as E and S
    for (int i = 0; i < SEQ_SCHEMES; i++)
        if (strcmp(seq_scheme_names[i], name) == 0) {
            *out = (seq_scheme)i;
            return SEQ_OK;
        }
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "stored_tag_scheme '%.100s': expected none, iob1, iob2, iobes or bilou",
                         name);
}
