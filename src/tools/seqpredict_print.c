// Answers as text, a table or JSON lines. Tags are converted to the scheme in which they were read
// for training. Invariant: what is printed of an item depends on that item alone, so the outputs of
// parts, one after the other, are the output of the whole. Test: tests/cli/seqpredict.sh.
#include "seqpredict_private.h"
#include <inttypes.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/tag_scheme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seqpredict_tags {
    seq_tag_scheme stored, shown; // that the labels have, and that is printed
    seq_tag *of_label;
    seq_tag *of_item; // that is printed
    seq_tag_span *spans;
    size_t capacity[2];
};

static seq_status find_scheme(const seq_schema *schema, const char *key, seq_tag_scheme *out,
                              seq_error *error) {
    const char *text = seq_record_text(&schema->reader, key);
    if (text && seq_tag_scheme_find(text, out)) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_CHECKPOINT, "the checkpoint's reader: %s '%s' is unknown",
                         key, text ? text : "");
}

seq_status seqpredict_printer_begin(seqpredict_printer *printer, const seq_schema *schema,
                                    const seq_vocabulary *labels, seq_error *error) {
    seq_status status = SEQ_OK;
    printer->labels = labels;
    printer->tags = schema->fields[schema->target].axis != 0;
    if (!printer->tags || !labels) return SEQ_OK;
    size_t count = (size_t)seq_vocabulary_size(labels);
    status = seq_allocate(&printer->tagging, 1, sizeof *printer->tagging, "tags", error);
    struct seqpredict_tags *tags = printer->tagging;
    if (!status) status = find_scheme(schema, "tag_scheme", &tags->shown, error);
    if (!status) status = find_scheme(schema, "stored_tag_scheme", &tags->stored, error);
    if (!status)
        status = seq_allocate(&tags->of_label, count, sizeof *tags->of_label, "tags", error);
    for (size_t i = 0, size; !status && i < count; i++) {
        const char *text = seq_vocabulary_text(labels, (int)i, &size);
        tags->of_label[i] = seq_tag_parse(text, size);
    }
    return status;
}

void seqpredict_printer_end(seqpredict_printer *printer) {
    if (printer->tagging) {
        free(printer->tagging->of_label);
        free(printer->tagging->of_item);
        free(printer->tagging->spans);
    }
    free(printer->tagging);
    free(printer->text);
    free(printer->words);
}

// ---- Words of an answer.

// Tags of `count` labels as texts in printer->words.
static seq_status write_tags(seqpredict_printer *printer, const int32_t *ids, size_t count,
                             seq_error *error) {
    struct seqpredict_tags *tags = printer->tagging;
    size_t used = 0;
    seq_status status = seq_grow(&tags->of_item, &tags->capacity[0], count + 1,
                                 sizeof *tags->of_item, "tags", error);
    if (!status)
        status = seq_grow(&tags->spans, &tags->capacity[1], count + 1, sizeof *tags->spans, "tags",
                          error);
    if (!status)
        status = seq_grow(&printer->words, &printer->capacity[0], count + 1, sizeof *printer->words,
                          "tags", error);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        tags->of_item[i] = tags->of_label[ids[i]];
        used += tags->of_item[i].size + 4;
    }
    seq_tag_convert(tags->stored, tags->shown, tags->of_item, count, tags->spans);
    status = seq_grow(&printer->text, &printer->capacity[1], used, 1, "tags", error);
    for (size_t i = 0, at = 0; !status && i < count; i++) {
        printer->words[i] = printer->text + at;
        at += seq_tag_text(tags->of_item[i], printer->text + at, printer->capacity[1] - at) + 1;
    }
    return status;
}

// The classes of an item, most probable first, in printer->words.
static seq_status write_classes(seqpredict_printer *printer, const seq_predicted *predicted,
                                size_t item, seq_error *error) {
    size_t found = (size_t)predicted->found[item], row = predicted->first_row[item];
    seq_status status = seq_grow(&printer->words, &printer->capacity[0], found + 1,
                                 sizeof *printer->words, "classes", error);
    for (size_t k = 0; !status && k < found; k++)
        printer->words[k] =
            seq_vocabulary_text(printer->labels, predicted->ids[k * predicted->rows + row], NULL);
    return status;
}

// One word on a line, or in a column: what would end it is an escape.
static void print_plain(const char *text) {
    size_t size = strlen(text);
    while (size) {
        char shown[512];
        size_t some = size < 100 ? size : 100;
        while (some < size && some > 97 && ((unsigned char)text[some] & 0xC0) == 0x80)
            some--;
        seq_escape(text, some, false, shown, sizeof shown);
        fputs(shown, stdout);
        text += some;
        size -= some;
    }
}

// A word of a list that blanks separate.
static void print_listed(const char *text, size_t size) {
    for (const char *end = text + size, *blank; text < end; text = blank) {
        blank = memchr(text, ' ', (size_t)(end - text));
        if (!blank) blank = end;
        seq_escape_print(stdout, text, (size_t)(blank - text));
        if (blank < end) {
            fputs("\\x20", stdout);
            blank++;
        }
    }
}

static void print_words(char separator, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i) putchar(separator);
        if (separator == ' ')
            print_listed(words[i], strlen(words[i]));
        else
            print_plain(words[i]);
    }
}

static void print_number(double value) {
    if (isfinite(value))
        printf("%.9g", value);
    else
        fputs("null", stdout);
}

// ---- Text.

static void print_columns(seqpredict_printer *printer, const seqpredict_window *window,
                          const seqpredict_entry *entry) {
    if (!entry->line_count) return;
    const seq_item_line *lines = window->lines + entry->first_line;
    seq_conll_layout layout = entry->layout;
    if (printer->behind) layout.tag = -1;
    if (printer->open) putchar('\n');
    seq_conll_print(stdout, layout, lines, entry->line_count, printer->words);
    printer->open = lines[entry->line_count - 1].token >= 0;
}

static void print_text(const seqpredict_printer *printer, const seq_predicted *predicted,
                       size_t item, const seqpredict_entry *entry) {
    if (!printer->labels)
        print_number((double)predicted->values[predicted->first_row[item]]);
    else if (printer->tags)
        print_words(' ', printer->words, entry->length);
    else
        print_words('\t', printer->words, (size_t)predicted->found[item]);
    putchar('\n');
}

// ---- A table.

void seqpredict_print_header(const seqpredict_printer *printer) {
    if (printer->format == SEQPREDICT_TSV)
        puts("index\tinput\toutput\tprobability\tlabels\tprobabilities\toov\ttruncated");
}

static void print_probabilities(const seqpredict_printer *printer, char separator,
                                const seq_predicted *predicted, size_t item) {
    size_t row = predicted->first_row[item];
    size_t count = !printer->labels ? 0
                   : printer->tags  ? predicted->first_row[item + 1] - row
                                    : (size_t)predicted->found[item];
    for (size_t i = 0; i < count; i++) {
        if (i) putchar(separator);
        print_number(printer->tags ? (double)predicted->marginals[row + i]
                                   : predicted->probability[item * (size_t)printer->best + i]);
    }
}

void seqpredict_print_input(const seqpredict_window *window, const seqpredict_entry *entry) {
    for (size_t i = 0; i < entry->text_count; i++) {
        const seqpredict_text *text = &window->texts[entry->first_text + i];
        if (i) putchar(' ');
        if (entry->list)
            print_listed(window->bytes + text->at, text->size);
        else
            seq_escape_print(stdout, window->bytes + text->at, text->size);
    }
}

// A row for alternative k; for classes the only one, with all of them.
static void print_row(const seqpredict_printer *printer, const seqpredict_window *window,
                      const seqpredict_entry *entry, const seq_predicted *predicted, size_t item,
                      int k) {
    printf("%" PRId64 "\t", entry->index);
    seqpredict_print_input(window, entry);
    putchar('\t');
    if (!printer->labels)
        print_number((double)predicted->values[predicted->first_row[item]]);
    else if (printer->tags)
        print_words(' ', printer->words, entry->length);
    else
        print_plain(printer->words[0]);
    putchar('\t');
    print_number(predicted->probability[item * (size_t)printer->best + (size_t)k]);
    putchar('\t');
    if (printer->labels)
        print_words(' ', printer->words,
                    printer->tags ? entry->length : (size_t)predicted->found[item]);
    putchar('\t');
    if (k == 0) print_probabilities(printer, ' ', predicted, item);
    printf("\t%zu\t%zu\n", entry->unknown, entry->cut);
}

// ---- JSON lines.

static void print_json_words(const char *const *words, size_t count) {
    putchar('[');
    for (size_t i = 0; i < count; i++) {
        if (i) putchar(',');
        seq_json_print(stdout, words[i]);
    }
    putchar(']');
}

void seqpredict_print_json_input(const seqpredict_window *window, const seqpredict_entry *entry) {
    if (entry->list) putchar('[');
    for (size_t i = 0; i < entry->text_count; i++) {
        const seqpredict_text *text = &window->texts[entry->first_text + i];
        if (i) putchar(',');
        seq_json_print_bytes(stdout, window->bytes + text->at, text->size);
    }
    if (entry->list) putchar(']');
}

static void print_json_output(const seqpredict_printer *printer, const seqpredict_entry *entry,
                              const seq_predicted *predicted, size_t item) {
    if (!printer->labels)
        print_number((double)predicted->values[predicted->first_row[item]]);
    else if (printer->tags)
        print_json_words(printer->words, entry->length);
    else
        seq_json_print(stdout, printer->words[0]);
}

static seq_status print_alternatives(seqpredict_printer *printer, const seqpredict_entry *entry,
                                     const seq_predicted *predicted, size_t item,
                                     seq_error *error) {
    seq_status status = SEQ_OK;
    fputs(",\"alternatives\":[", stdout);
    for (size_t k = 0; !status && k < (size_t)predicted->found[item]; k++) {
        const int32_t *ids = predicted->ids + k * predicted->rows + predicted->first_row[item];
        status = write_tags(printer, ids, entry->length, error);
        if (status) break;
        fputs(k ? ",{\"output\":" : "{\"output\":", stdout);
        print_json_words(printer->words, entry->length);
        fputs(",\"probability\":", stdout);
        print_number(predicted->probability[item * (size_t)printer->best + k]);
        putchar('}');
    }
    putchar(']');
    return status;
}

static seq_status print_json(seqpredict_printer *printer, const seqpredict_window *window,
                             const seqpredict_entry *entry, const seq_predicted *predicted,
                             size_t item, seq_error *error) {
    seq_status status = SEQ_OK;
    printf("{\"index\":%" PRId64 ",\"input\":", entry->index);
    seqpredict_print_json_input(window, entry);
    fputs(",\"output\":", stdout);
    print_json_output(printer, entry, predicted, item);
    fputs(",\"probability\":", stdout);
    print_number(predicted->probability[item * (size_t)printer->best]);
    fputs(",\"labels\":", stdout);
    print_json_words(printer->words, !printer->labels ? 0
                                     : printer->tags  ? entry->length
                                                      : (size_t)predicted->found[item]);
    fputs(",\"probabilities\":[", stdout);
    print_probabilities(printer, ',', predicted, item);
    putchar(']');
    if (printer->tags && printer->best > 1)
        status = print_alternatives(printer, entry, predicted, item, error);
    printf(",\"oov\":%zu,\"truncated\":%zu}\n", entry->unknown, entry->cut);
    return status;
}

// ---- All of it.

// Alternative k of an item as words.
static seq_status write_words(seqpredict_printer *printer, const seqpredict_entry *entry,
                              const seq_predicted *predicted, size_t item, int k,
                              seq_error *error) {
    if (!printer->labels) return SEQ_OK;
    if (!printer->tags) return write_classes(printer, predicted, item, error);
    size_t first = (size_t)k * predicted->rows + predicted->first_row[item];
    return write_tags(printer, predicted->ids + first, entry->length, error);
}

static seq_status print_rows(seqpredict_printer *printer, const seqpredict_window *window,
                             const seqpredict_entry *entry, const seq_predicted *predicted,
                             size_t item, seq_error *error) {
    int rows = printer->tags ? predicted->found[item] : 1;
    seq_status status = SEQ_OK;
    for (int k = 0; !status && k < rows; k++) {
        status = write_words(printer, entry, predicted, item, k, error);
        if (!status) print_row(printer, window, entry, predicted, item, k);
    }
    return status;
}

static seq_status print_item(seqpredict_printer *printer, const seqpredict_window *window,
                             const seqpredict_entry *entry, const seq_predicted *predicted,
                             size_t item, seq_error *error) {
    if (!predicted->found[item])
        return seq_error_set(error, SEQ_BAD_NUMBER,
                             "%s line %" PRId64 ": the model's answer to this item is no number",
                             window->bytes + entry->file, entry->line);
    if (printer->format == SEQPREDICT_TSV)
        return print_rows(printer, window, entry, predicted, item, error);
    seq_status status = write_words(printer, entry, predicted, item, 0, error);
    if (status) return status;
    if (printer->format == SEQPREDICT_JSON)
        return print_json(printer, window, entry, predicted, item, error);
    if (printer->columns)
        print_columns(printer, window, entry);
    else
        print_text(printer, predicted, item, entry);
    return SEQ_OK;
}

seq_status seqpredict_print(seqpredict_printer *printer, const seqpredict_window *window,
                            const seq_predicted *predicted, seq_error *error) {
    seq_status status = SEQ_OK;
    size_t item = 0;
    for (size_t i = 0; !status && i < window->count; i++) {
        const seqpredict_entry *entry = &window->entries[i];
        if (entry->is_item)
            status = print_item(printer, window, entry, predicted, item++, error);
        else if (printer->columns)
            print_columns(printer, window, entry);
    }
    return status;
}
