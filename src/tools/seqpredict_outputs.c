// Prints outputs of a search as text, as an n-best list of Moses, as a table or as JSON lines;
// attention as a table and as pictures. Invariant: an item's output depends on that item alone; the
// attention table and each picture are complete or do not exist. Test:
// tests/cli/translate_search.sh.
#include "seqpredict_outputs.h"
#include "seqpredict_picture.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BEAM = 5 };

#define AT(field) offsetof(seqpredict_output_options, field)
static const seq_option options[] = {
    {SEQ_OPTION_TEXT, "prefix", "FILE", AT(prefix),
     .help = "A line for each item: the forced prefix of its output, or an empty line. It is split "
             "into units as training texts were."},
    {SEQ_OPTION_TEXT, "attention", "FILE", AT(attention),
     .help = "Also write the attention of the best outputs as a table: index, position and text of "
             "the output unit and of the source unit (from 0; the last output unit is <eos>), "
             "weight."},
    {SEQ_OPTION_TEXT, "attention-svg", "FOLDER", AT(pictures),
     .help =
         "Also draw the attention of each best output as INDEX.svg: source units along the top, "
         "output units down the side."},
    {.type = SEQ_OPTION_END},
};
const seq_option_group seqpredict_output_options_group = {options,
                                                          sizeof(seqpredict_output_options)};

bool seqpredict_produces(const seq_schema *schema) {
    return schema->target >= 0 && schema->fields[schema->target].kind == SEQ_FIELD_IDS;
}

struct seqpredict_outputs {
    seqpredict_outputs_config config;
    const seqpredict_output_options *options;
    seq_beam_options beam;
    const seq_vocabulary *source, *target;
    int32_t unk;
    seq_producer *producer;
    // Forced beginnings of the items that wait.
    int32_t *prefixes;
    size_t *prefix_ends;
    size_t prefix_items, prefix_capacity, end_capacity;
    char *text; // of an output
    size_t text_capacity, text_size;
    const char **units; // texts of source and output units, of a picture
    size_t unit_capacity;
    FILE *table;
    char *table_text;
    size_t table_size;
    int64_t items, truncated, gained; // gained: above greedy search's score
    double gain;
};

// ---- Beginning.

static seq_status check_options(const seqpredict_outputs *self, seq_error *error) {
    int best = self->config.best;
    int64_t width = self->beam.width ? self->beam.width : 1;
    if (best < 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--best 0: all outputs are too many; expected 1 to 100");
    if (best > 1 && best > width)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--best %d: expected at most --beam %" PRId64 " outputs", best, width);
    return SEQ_OK;
}

static bool wants_attention(const seqpredict_outputs *self) {
    return self->options->attention || self->options->pictures ||
           self->config.format == SEQPREDICT_JSON;
}

static seq_status create_producer(seqpredict_outputs *self, seq_error *error) {
    const seq_loaded *loaded = self->config.loaded;
    seq_producer_config config = {.model = loaded->model,
                                  .weights = &loaded->weights,
                                  .schema = &loaded->schema,
                                  .batch = self->config.batch,
                                  .team = self->config.team,
                                  .search = {.symbols = seq_vocabulary_size(self->target),
                                             .end = seq_vocabulary_eos(self->target),
                                             .best = self->config.best,
                                             .attention = wants_attention(self),
                                             .greedy = self->config.format != SEQPREDICT_TEXT}};
    seq_search_options_apply(seq_option_values(self->config.parsed, &seq_search_options_group),
                             &self->beam, &self->unk, &config.search);
    return seq_producer_create(&config, &self->producer, error);
}

static seq_status open_outputs(seqpredict_outputs *self, seq_error *error) {
    const seqpredict_output_options *options = self->options;
    if (options->attention && !(self->table = open_memstream(&self->table_text, &self->table_size)))
        return seq_error_set(error, SEQ_NO_MEMORY, "no memory for --attention");
    if (self->table)
        fputs("index\toutput_place\tsource_place\toutput\tsource\tweight\n", self->table);
    if (options->pictures && mkdir(options->pictures, 0777) != 0 && errno != EEXIST)
        return seq_error_set_errno(error, "--attention-svg: making the folder %s",
                                   options->pictures);
    return SEQ_OK;
}

seq_status seqpredict_outputs_create(const seqpredict_outputs_config *config,
                                     seqpredict_outputs **out, seq_error *error) {
    const seq_schema *schema = &config->loaded->schema;
    const seq_vocabulary *const *vocabularies =
        (const seq_vocabulary *const *)config->loaded->vocabularies;
    seqpredict_outputs *self = NULL;
    seq_status status = seq_allocate(&self, 1, sizeof *self, "outputs", error);
    if (status) return status;
    self->config = *config;
    self->options = seq_option_values(config->parsed, &seqpredict_output_options_group);
    self->target = vocabularies[schema->fields[schema->target].vocabulary];
    self->source = vocabularies[schema->fields[seq_schema_find_input(schema)].vocabulary];
    self->unk = seq_vocabulary_unk(self->target);
    if (seq_vocabulary_eos(self->target) == SEQ_NO_ID)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT, "loading %s: the target has no <eos>",
                               config->loaded->directory);
    if (!status) status = seq_beam_options_take(config->parsed, BEAM, &self->beam, error);
    if (!status) status = check_options(self, error);
    if (!status) status = open_outputs(self, error);
    if (!status) status = create_producer(self, error);
    if (status)
        seqpredict_outputs_destroy(self);
    else
        *out = self;
    return status;
}

void seqpredict_outputs_destroy(seqpredict_outputs *self) {
    if (!self) return;
    seq_producer_destroy(self->producer);
    if (self->table) fclose(self->table);
    free(self->table_text);
    free(self->prefixes);
    free(self->prefix_ends);
    free(self->text);
    free(self->units);
    free(self);
}

seq_status seqpredict_outputs_give(seqpredict_outputs *self, const seq_raw_item *raw, int64_t index,
                                   seq_error *error) {
    char what[SEQ_PATH + 64];
    int32_t *ids = NULL;
    size_t count = 0, used = self->prefix_items ? self->prefix_ends[self->prefix_items - 1] : 0;
    if (!raw->target) return SEQ_OK;
    snprintf(what, sizeof what, "--prefix %s line %" PRId64, self->options->prefix, index + 1);
    seq_status status = seq_vocabulary_encode(self->target, raw->target, raw->target_size, false,
                                              what, &ids, &count, error);
    if (!status && self->beam.longest && count > (size_t)self->beam.longest)
        status =
            seq_error_set(error, SEQ_BAD_INPUT, "%s: %zu units, more than --max-length %" PRId64,
                          what, count, self->beam.longest);
    if (!status)
        status = seq_grow(&self->prefixes, &self->prefix_capacity, used + count + 1,
                          sizeof *self->prefixes, "the beginnings of outputs", error);
    if (!status)
        status = seq_grow(&self->prefix_ends, &self->end_capacity, self->prefix_items + 1,
                          sizeof *self->prefix_ends, "the beginnings of outputs", error);
    if (!status) {
        if (count) memcpy(self->prefixes + used, ids, count * sizeof *ids);
        self->prefix_ends[self->prefix_items++] = used + count;
    }
    free(ids);
    return status;
}

// ---- Texts.

// The text of an output, in self->text. A line stays a line.
static seq_status write_text(seqpredict_outputs *self, const seq_output *output, seq_error *error) {
    seq_detokenizer state = {0};
    self->text_size = 0;
    for (int j = 0; j < output->length; j++) {
        if (seq_grow(&self->text, &self->text_capacity, self->text_size + SEQ_DECODED, 1,
                     "the text of an output", error))
            return error->status;
        self->text_size += seq_detokenize(&state, self->target, output->symbols[j],
                                          self->text + self->text_size, SEQ_DECODED);
    }
    for (size_t i = 0; i < self->text_size; i++)
        if (self->text[i] == '\n' || self->text[i] == '\r') self->text[i] = ' ';
    return SEQ_OK;
}

static void print_number(const char *name, double value) {
    if (isfinite(value))
        printf("%s%.9g", name, value);
    else
        printf("%snull", name);
}

static seq_status print_text(seqpredict_outputs *self, const seqpredict_entry *entry,
                             const seq_found *found, seq_error *error) {
    bool list = self->config.best > 1;
    for (int k = 0; k < found->count; k++) {
        const seq_output *output = &found->outputs[k];
        if (write_text(self, output, error)) return error->status;
        if (list) printf("%" PRId64 " ||| ", entry->index);
        fwrite(self->text, 1, self->text_size, stdout);
        if (list) printf(" ||| F0= %.9g ||| %.9g", output->log_probability, output->score);
        putchar('\n');
    }
    return SEQ_OK;
}

void seqpredict_outputs_header(const seqpredict_outputs *self) {
    if (self->config.format == SEQPREDICT_TSV)
        puts("index\tinput\toutput\tscore\tnormalised_score\tgreedy_score\toov\ttruncated");
}

static seq_status print_rows(seqpredict_outputs *self, const seqpredict_window *window,
                             const seqpredict_entry *entry, const seq_found *found,
                             seq_error *error) {
    for (int k = 0; k < found->count; k++) {
        const seq_output *output = &found->outputs[k];
        if (write_text(self, output, error)) return error->status;
        printf("%" PRId64 "\t", entry->index);
        seqpredict_print_input(window, entry);
        putchar('\t');
        seq_escape_print(stdout, self->text, self->text_size);
        printf("\t%.9g\t%.9g", output->log_probability, output->score);
        print_number("\t", found->greedy);
        printf("\t%zu\t%d\n", entry->unknown, output->truncated);
    }
    return SEQ_OK;
}

// ---- JSON lines.

static seq_status print_json_output(seqpredict_outputs *self, const seq_output *output,
                                    seq_error *error) {
    seq_status status = write_text(self, output, error);
    if (status) return status;
    fputs("\"output\":", stdout);
    seq_json_print_bytes(stdout, self->text, self->text_size);
    print_number(",\"score\":", output->log_probability);
    print_number(",\"normalised_score\":", output->score);
    printf(",\"truncated\":%s", output->truncated ? "true" : "false");
    return SEQ_OK;
}

static void print_json_units(const char *name, const seq_vocabulary *vocabulary, const int32_t *ids,
                             size_t count) {
    printf(",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *text = seq_vocabulary_text(vocabulary, ids[i], &size);
        if (i) putchar(',');
        seq_json_print_bytes(stdout, text, size);
    }
    putchar(']');
}

static void print_json_attention(const seq_output *output, size_t source) {
    fputs(",\"attention\":[", stdout);
    for (size_t j = 0; j <= (size_t)output->length; j++) {
        fputs(j ? ",[" : "[", stdout);
        for (size_t i = 0; i < source; i++)
            printf(i ? ",%.6g" : "%.6g", (double)output->attention[j * source + i]);
        putchar(']');
    }
    putchar(']');
}

static seq_status print_json(seqpredict_outputs *self, const seqpredict_window *window,
                             const seqpredict_entry *entry, const int32_t *source,
                             const seq_found *found, seq_error *error) {
    const seq_output *best = &found->outputs[0];
    printf("{\"index\":%" PRId64 ",\"input\":", entry->index);
    seqpredict_print_json_input(window, entry);
    putchar(',');
    seq_status status = print_json_output(self, best, error);
    print_number(",\"greedy_score\":", found->greedy);
    printf(",\"oov\":%zu", entry->unknown);
    print_json_units("source", self->source, source, entry->length);
    print_json_units("target", self->target, best->symbols, (size_t)best->length);
    if (best->attention) print_json_attention(best, entry->length);
    if (self->config.best > 1) {
        fputs(",\"alternatives\":[", stdout);
        for (int k = 0; !status && k < found->count; k++) {
            fputs(k ? ",{" : "{", stdout);
            status = print_json_output(self, &found->outputs[k], error);
            putchar('}');
        }
        putchar(']');
    }
    puts("}");
    return status;
}

// ---- Attention.

static void print_table(const seqpredict_outputs *self, const seqpredict_entry *entry,
                        const seq_output *output, const char *const *rows,
                        const char *const *columns) {
    for (size_t j = 0; j <= (size_t)output->length; j++)
        for (size_t i = 0; i < entry->length; i++) {
            fprintf(self->table, "%" PRId64 "\t%zu\t%zu\t", entry->index, j, i);
            seq_escape_print(self->table, rows[j], strlen(rows[j]));
            fputc('\t', self->table);
            seq_escape_print(self->table, columns[i], strlen(columns[i]));
            fprintf(self->table, "\t%.6g\n", (double)output->attention[j * entry->length + i]);
        }
}

static seq_status draw(const seqpredict_outputs *self, const attention_picture *picture,
                       seq_error *error) {
    char path[SEQ_PATH], name[64], *text = NULL;
    size_t size = 0;
    snprintf(name, sizeof name, "%s.svg", picture->title);
    if (seq_path_join(path, self->options->pictures, name, error)) return error->status;
    FILE *stream = open_memstream(&text, &size);
    if (stream) attention_picture_print(stream, picture);
    seq_status status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status ? seq_error_add_context(error, "--attention-svg") : SEQ_OK;
}

static seq_status show_attention(seqpredict_outputs *self, const seqpredict_entry *entry,
                                 const int32_t *source, const seq_output *output,
                                 seq_error *error) {
    size_t columns = entry->length, rows = (size_t)output->length + 1;
    char index[32];
    if (!self->table && !self->options->pictures) return SEQ_OK;
    if (!output->attention && columns)
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: the model has no attention",
                             self->table ? "attention" : "attention-svg");
    if (!output->attention) return SEQ_OK;
    if (seq_grow(&self->units, &self->unit_capacity, rows + columns, sizeof *self->units,
                 "attention", error))
        return error->status;
    for (size_t i = 0; i < columns; i++)
        self->units[i] = seq_vocabulary_text(self->source, source[i], NULL);
    for (size_t j = 0; j < rows; j++)
        self->units[columns + j] = seq_vocabulary_text(
            self->target, j + 1 < rows ? output->symbols[j] : seq_vocabulary_eos(self->target),
            NULL);
    if (self->table) print_table(self, entry, output, self->units + columns, self->units);
    if (!self->options->pictures) return SEQ_OK;
    snprintf(index, sizeof index, "%" PRId64, entry->index);
    return draw(self,
                &(attention_picture){index, self->units, self->units + columns, columns, rows,
                                     output->attention},
                error);
}

// ---- All of it.

static void count(seqpredict_outputs *self, const seq_found *found) {
    const seq_output *best = &found->outputs[0];
    self->items++;
    self->truncated += best->truncated;
    if (!(best->score > found->greedy)) return;
    self->gained++;
    self->gain += best->score - found->greedy;
}

static seq_status print_item(seqpredict_outputs *self, const seqpredict_window *window,
                             const seqpredict_entry *entry, const int32_t *source,
                             const seq_found *found, seq_error *error) {
    if (!found->count)
        return seq_error_set(error, found->not_a_number ? SEQ_BAD_NUMBER : SEQ_BAD_USAGE,
                             "%s line %" PRId64 ": %s", window->bytes + entry->file, entry->line,
                             found->not_a_number
                                 ? "the model's answer to this item is no number"
                                 : "no output keeps to all of --min-length, --max-length, "
                                   "--no-repeat-ngram, --no-unk and --prefix");
    count(self, found);
    seq_status status = show_attention(self, entry, source, &found->outputs[0], error);
    if (status) return status;
    if (self->config.format == SEQPREDICT_TSV) return print_rows(self, window, entry, found, error);
    if (self->config.format == SEQPREDICT_JSON)
        return print_json(self, window, entry, source, found, error);
    return print_text(self, entry, found, error);
}

seq_status seqpredict_outputs_answer(seqpredict_outputs *self, seqpredict_window *window,
                                     seq_error *error) {
    seq_items items = seqpredict_window_items(window);
    const seq_wanted wanted = {.prefixes = self->prefixes, .prefix_ends = self->prefix_ends};
    const seq_found *found;
    seq_status status =
        seq_produce(self->producer, &items, self->options->prefix ? &wanted : NULL, &found, error);
    size_t item = 0, row = 0;
    for (size_t i = 0; !status && i < window->count; i++) {
        const seqpredict_entry *entry = &window->entries[i];
        if (!entry->is_item) continue;
        status = print_item(self, window, entry, window->ids + row, &found[item++], error);
        row += entry->length;
    }
    self->prefix_items = 0;
    return status;
}

seq_status seqpredict_outputs_finish(seqpredict_outputs *self, seq_error *error) {
    seq_status status = SEQ_OK;
    if (self->truncated)
        seq_log_warning("%" PRId64 " outputs were ended by --max-length", self->truncated);
    if (self->gained)
        seq_log_info("%" PRId64 " of %" PRId64 " outputs score above greedy search's, by %.4f in "
                     "the mean",
                     self->gained, self->items, self->gain / (double)self->gained);
    if (!self->table) return SEQ_OK;
    status = seq_memory_stream_close(self->table, &self->table_text, error, "--attention");
    self->table = NULL;
    if (!status)
        status = seq_file_write_output(self->options->attention, self->table_text, self->table_size,
                                       error);
    return status ? seq_error_add_context(error, "--attention") : SEQ_OK;
}
