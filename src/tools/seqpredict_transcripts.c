// Transcripts of items, as text, a table, JSON lines, CTM and TextGrid files.
// Given transcripts are read as files of answers are (task/answers.h), by the
// model's alphabet. Invariant: what is printed of an item depends on that item
// alone; CTM and TextGrid files are whole or not there. Test:
// tests/cli/transcribe.sh.
#include "seqpredict_transcripts.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/string_table.h>
#include <seqtrain/data/textgrid.h>
#include <seqtrain/task/answers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BEAM = 16 };

#define AT(field) offsetof(seqpredict_transcript_options, field)
static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Transcripts (models of the task transcribe)"},
    {SEQ_OPTION_FLAG, "exact", NULL, AT(exact), "no",
     .help = "Exact search for the most probable transcripts. It gives up where it would take too "
             "long."},
    {SEQ_OPTION_TEXT, "lm", "RUN", AT(lm),
     .help = "A language model whose tokens are the symbols (shallow fusion). score = ln p of the "
             "CTC model + --lm-weight times ln p of the language model + --bonus for each symbol."},
    {SEQ_OPTION_REAL, "lm-weight", "X", AT(lm_weight), "0.5", 0, 1000,
     .help = "Weight of the language model's ln p."},
    {SEQ_OPTION_FLAG, "lm-unknown", NULL, AT(lm_unknown), "no",
     .help = "Read symbols that the language model lacks as its <unk>. Otherwise they are an "
             "error."},
    {SEQ_OPTION_REAL, "bonus", "X", AT(bonus), "0", -1000, 1000,
     .help = "Added to the score for each symbol."},
    {SEQ_OPTION_FLAG, "times", NULL, AT(times), "no",
     .help = "tsv and json: times of each symbol in the best alignment: its begin and end, the "
             "middle of its most probable frame, and the posterior probability there. Times are in "
             "seconds, or in frames if frames have no time."},
    {SEQ_OPTION_TEXT, "ctm", "FILE", AT(ctm),
     .help =
         "Also write the times as CTM lines: NAME 1 BEGIN DURATION SYMBOL POSTERIOR, where NAME "
         "is the name of the input file without folder and ending."},
    {SEQ_OPTION_TEXT, "textgrid", "FOLDER", AT(textgrid),
     .help = "Also write the times as a file NAME.TextGrid for each item, in the tier symbols."},
    {SEQ_OPTION_TEXT, "align", "FILE", AT(align),
     .help = "Align given transcripts instead of searching. FILE has one transcript a line, or the "
             "column gold or label of a table or of JSON lines. Prints their probabilities and, "
             "with --times, --ctm or --textgrid, their times."},
    {.type = SEQ_OPTION_END},
};
const seq_option_group seqpredict_transcript_options_group = {
    options, sizeof(seqpredict_transcript_options)};

bool seqpredict_transcribes(const seq_schema *schema) {
    int axis = schema->target < 0 ? 0 : schema->fields[schema->target].axis;
    return axis && axis != schema->length_axis && schema->axes[axis].parent == 0 &&
           schema->fields[schema->target].kind == SEQ_FIELD_LABEL;
}

struct seqpredict_transcripts {
    seqpredict_transcripts_config config;
    const seqpredict_transcript_options *options;
    seq_beam_options beam;
    const seq_vocabulary *symbols;
    double shift; // seconds; 0: frames have no time
    seq_transcriber *transcriber;
    seq_loaded lm;
    bool has_lm;
    seq_language language;
    seq_answer_tables tables;
    seq_answers given;      // to align
    seq_string_table names; // of TextGrid files that were written
    FILE *ctm;
    char *ctm_text;
    size_t ctm_size;
};

// ---- Beginning.

static seq_status refuse(const seq_parsed *parsed, const char *const *names, const char *why,
                         seq_error *error) {
    for (; *names; names++)
        if (parsed->sources[seq_option_find(parsed->program, *names)] != SEQ_FROM_DEFAULT)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: %s", *names, why);
    return SEQ_OK;
}

// What would have no effect.
static seq_status check_searches(const seqpredict_transcripts *self, seq_error *error) {
    static const char *const of_searches[] = {"beam",       "margin", "exact",      "lm",
                                              "lm-weight",  "bonus",  "lm-unknown", "min-length",
                                              "max-length", NULL},
                             *const of_beams[] = {"beam", "margin", NULL},
                             *const of_scores[] = {"lm",     "lm-weight",  "lm-unknown", "bonus",
                                                   "margin", "min-length", "max-length", NULL},
                             *const of_models[] = {"lm-weight", "lm-unknown", NULL};
    const seqpredict_transcript_options *options = self->options;
    const seq_parsed *parsed = self->config.parsed;
    if (options->align)
        return refuse(parsed, of_searches, "with --align nothing is searched for", error);
    if (options->exact && refuse(parsed, of_beams, "with --exact there is no beam", error))
        return error->status;
    if (!options->exact && !self->beam.width &&
        refuse(parsed, of_scores, "--beam 0 takes the best path, whatever else", error))
        return error->status;
    return options->lm ? SEQ_OK : refuse(parsed, of_models, "needs --lm", error);
}

static seq_status check_options(const seqpredict_transcripts *self, seq_error *error) {
    const seqpredict_transcript_options *options = self->options;
    const seqpredict_transcripts_config *config = &self->config;
    const char *what = options->ctm ? "ctm" : "textgrid";
    bool searches = !options->align && (options->exact || self->beam.width);
    if (check_searches(self, error)) return error->status;
    if (!searches && config->best > 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "--best %d: %s has one answer", config->best,
                             options->align ? "--align" : "--beam 0");
    if (!options->exact && config->best > 1 && config->best > self->beam.width)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--best %d: expected at most --beam %" PRId64 " answers", config->best,
                             self->beam.width);
    if (options->times && config->format == SEQPREDICT_TEXT)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--times: needs --format tsv or json (or --ctm, --textgrid)");
    if ((options->ctm || options->textgrid) && !(self->shift > 0))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: the model's frames have no time", what);
    return SEQ_OK;
}

static seq_status load_language(seqpredict_transcripts *self, seq_error *error) {
    const seqpredict_transcript_options *options = self->options;
    char what[SEQ_PATH + 8];
    int unknown;
    if (!options->lm) return SEQ_OK;
    snprintf(what, sizeof what, "--lm %s", options->lm);
    tool_model how = *self->config.how;
    how.average = 1; // of the model that is helped
    seq_status status = tool_load_model(options->lm, &how, &self->lm, error);
    if (status) return seq_error_add_context(error, "--lm");
    self->has_lm = true;
    if (!self->lm.schema.streams)
        return seq_error_set(error, SEQ_BAD_USAGE, "%s: no language model, of the task %s", what,
                             self->lm.schema.task);
    status =
        seq_language_create(self->lm.model, &self->lm.weights, self->lm.vocabulary, self->symbols,
                            options->lm_unknown, what, &self->language, &unknown, error);
    if (!status && unknown) seq_log_warning("%s: %d symbols are <unk> to it", what, unknown);
    return status;
}

// "U+0441 's'"; the symbol is one of the tables, which the alphabet has not.
static seq_status refuse_symbol(const seqpredict_transcripts *self, size_t place,
                                seq_error *error) {
    size_t size;
    char shown[80];
    const char *text = seq_strings_text(&self->tables.labels.names, self->given.ids[place], &size);
    seq_escape(text, size, false, shown, sizeof shown);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--align %s line %" PRId64 ": the symbol '%s' is not in the model's "
                         "alphabet",
                         self->given.file, self->given.lines[place], shown);
}

static seq_status read_given(seqpredict_transcripts *self, seq_error *error) {
    static const seq_answer_columns usual = {0};
    seq_answer_file file;
    int count = seq_vocabulary_size(self->symbols);
    if (!self->options->align) return SEQ_OK;
    seq_status status = seq_answer_file_read(self->options->align, &file, error);
    if (status) return seq_error_add_context(error, "--align");
    self->tables.rules = *seq_vocabulary_rules(self->symbols);
    status = seq_labels_of_vocabulary(self->symbols, &self->tables.labels, error);
    if (!status)
        status = seq_answers_read(&file, SEQ_ANSWERS_TRANSCRIPTS, &usual, false, &self->tables,
                                  &self->given, NULL, error);
    seq_answer_file_clear(&file);
    self->given.file = self->options->align;
    for (size_t i = 0; !status && i < self->given.places; i++)
        if (self->given.ids[i] <= 0 || self->given.ids[i] >= count)
            status = refuse_symbol(self, i, error);
    return status;
}

static seq_status open_outputs(seqpredict_transcripts *self, seq_error *error) {
    const seqpredict_transcript_options *options = self->options;
    if (options->ctm && !(self->ctm = open_memstream(&self->ctm_text, &self->ctm_size)))
        return seq_error_set(error, SEQ_NO_MEMORY, "no memory for --ctm");
    if (options->textgrid && mkdir(options->textgrid, 0777) != 0 && errno != EEXIST)
        return seq_error_set_errno(error, "--textgrid: making the folder %s", options->textgrid);
    return SEQ_OK;
}

static seq_status create_transcriber(seqpredict_transcripts *self, seq_error *error) {
    const seqpredict_transcripts_config *config = &self->config;
    const seqpredict_transcript_options *options = self->options;
    const seq_beam_options *beam = &self->beam;
    const seq_transcriber_config own = {
        .model = config->loaded->model,
        .weights = &config->loaded->weights,
        .schema = &config->loaded->schema,
        .batch = config->batch,
        .team = config->team,
        .how = options->align   ? SEQ_TRANSCRIBE_ALIGN
               : options->exact ? SEQ_TRANSCRIBE_EXACT
               : beam->width    ? SEQ_TRANSCRIBE_BEAM
                                : SEQ_TRANSCRIBE_BEST_PATH,
        .search = {.symbols = seq_vocabulary_size(self->symbols),
                   .width = beam->width ? (int)beam->width : 1,
                   .best = config->best,
                   .margin = seq_beam_margin(beam),
                   .bonus = options->bonus,
                   .shortest = (int)beam->shortest,
                   .longest = (int)beam->longest,
                   .work = SEQ_CTC_WORK,
                   .language = self->has_lm ? &self->language : NULL,
                   .weight = options->lm_weight},
        .times = options->times || options->ctm || options->textgrid,
        .frame_shift = self->shift > 0 ? self->shift : 1, // else times are frames
    };
    return seq_transcriber_create(&own, &self->transcriber, error);
}

seq_status seqpredict_transcripts_create(const seqpredict_transcripts_config *config,
                                         seqpredict_transcripts **out, seq_error *error) {
    const seq_loaded *loaded = config->loaded;
    seqpredict_transcripts *self = NULL;
    seq_status status = seq_allocate(&self, 1, sizeof *self, "transcripts", error);
    if (status) return status;
    self->config = *config;
    self->options = seq_option_values(config->parsed, &seqpredict_transcript_options_group);
    self->symbols = loaded->vocabularies[loaded->schema.fields[loaded->schema.target].vocabulary];
    if (seq_record_text(&loaded->schema.reader, "frame_shift"))
        status = seq_record_get_real(&loaded->schema.reader, "frame_shift", &self->shift, error);
    if (!status) status = seq_beam_options_take(config->parsed, BEAM, &self->beam, error);
    if (!status) status = check_options(self, error);
    if (!status) status = load_language(self, error);
    if (!status) status = read_given(self, error);
    if (!status) status = open_outputs(self, error);
    if (!status) status = create_transcriber(self, error);
    if (status)
        seqpredict_transcripts_destroy(self);
    else
        *out = self;
    return status;
}

void seqpredict_transcripts_destroy(seqpredict_transcripts *self) {
    if (!self) return;
    seq_transcriber_destroy(self->transcriber);
    seq_language_clear(&self->language);
    if (self->has_lm) seq_loaded_clear(&self->lm);
    seq_answers_clear(&self->given);
    seq_answer_tables_clear(&self->tables);
    seq_string_table_clear(&self->names);
    if (self->ctm) fclose(self->ctm);
    free(self->ctm_text);
    free(self);
}

seq_status seqpredict_transcripts_give(const seqpredict_transcripts *self,
                                       seqpredict_window *window, int64_t index, seq_error *error) {
    const seq_answers *given = &self->given;
    if (!self->options->align) return SEQ_OK;
    if ((size_t)index >= given->items)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "--align %s: %zu transcripts, and there are more items", given->file,
                             given->items);
    return seqpredict_window_give(window, given->ids + given->first[index],
                                  given->first[index + 1] - given->first[index], error);
}

// ---- Texts.

static void print_symbol(FILE *stream, const seqpredict_transcripts *self, int32_t symbol,
                         bool json) {
    size_t size;
    const char *text = seq_vocabulary_text(self->symbols, symbol, &size);
    if (json)
        seq_json_print_bytes(stream, text, size);
    else
        seq_escape_print(stream, text, size);
}

// Words are joined by blanks.
static void print_text(const seqpredict_transcripts *self, const seq_transcript *transcript) {
    bool words = seq_vocabulary_rules(self->symbols)->unit == SEQ_UNIT_WORD;
    for (size_t i = 0; i < transcript->length; i++) {
        if (i && words) putchar(' ');
        print_symbol(stdout, self, transcript->labels[i], false);
    }
}

static seq_status print_json_text(const seqpredict_transcripts *self,
                                  const seq_transcript *transcript, seq_error *error) {
    bool words = seq_vocabulary_rules(self->symbols)->unit == SEQ_UNIT_WORD;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; stream && i < transcript->length; i++) {
        size_t length;
        const char *symbol = seq_vocabulary_text(self->symbols, transcript->labels[i], &length);
        if (i && words) fputc(' ', stream);
        fwrite(symbol, 1, length, stream);
    }
    seq_status status = seq_memory_stream_close(stream, &text, error, "printing a transcript");
    if (!status) seq_json_print_bytes(stdout, text, size);
    free(text);
    return status;
}

static void print_scores(const seq_transcript *transcript, const char *format) {
    printf(format, transcript->score, transcript->log_probability,
           exp(transcript->log_probability));
}

static void print_list(const seqpredict_transcripts *self, const seq_transcribed *answer,
                       int column) {
    putchar('\t');
    for (size_t i = 0; i < answer->alternatives[0].length; i++) {
        const seq_symbol_time *time = &answer->times[i];
        const double values[] = {time->begin, time->end, time->best, time->posterior};
        if (i) putchar(' ');
        if (column)
            printf("%.9g", values[column - 1]);
        else {
            size_t size;
            const char *text = seq_vocabulary_text(self->symbols, time->symbol, &size);
            if (size == 1 && *text == ' ')
                fputs("\\x20", stdout);
            else
                seq_escape_print(stdout, text, size);
        }
    }
}

void seqpredict_transcripts_header(const seqpredict_transcripts *self) {
    if (self->config.format != SEQPREDICT_TSV) return;
    printf("index\tinput\toutput\tscore\tlog_probability\tprobability\tframes%s\n",
           self->options->times ? "\tsymbols\tbegins\tends\tbests\tposteriors" : "");
}

static const char *name_of(const seqpredict_window *window, const seqpredict_entry *entry) {
    const char *name = window->bytes + window->texts[entry->first_text].at;
    return entry->text_count ? name : window->bytes + entry->file;
}

static void print_rows(const seqpredict_transcripts *self, const seqpredict_window *window,
                       const seqpredict_entry *entry, const seq_transcribed *answer) {
    const char *name = name_of(window, entry);
    for (int k = 0; k < answer->found; k++) {
        printf("%" PRId64 "\t", entry->index);
        seq_escape_print(stdout, name, strlen(name));
        putchar('\t');
        print_text(self, &answer->alternatives[k]);
        print_scores(&answer->alternatives[k], "\t%.9g\t%.9g\t%.9g");
        printf("\t%zu", answer->frames);
        for (int column = 0; self->options->times && column < 5; column++)
            if (k == 0)
                print_list(self, answer, column);
            else
                putchar('\t');
        putchar('\n');
    }
}

static void print_json_times(const seqpredict_transcripts *self, const seq_transcribed *answer) {
    fputs(",\"times\":[", stdout);
    for (size_t i = 0; i < answer->alternatives[0].length; i++) {
        const seq_symbol_time *time = &answer->times[i];
        fputs(i ? ",{\"symbol\":" : "{\"symbol\":", stdout);
        print_symbol(stdout, self, time->symbol, true);
        printf(",\"begin\":%.9g,\"end\":%.9g,\"best\":%.9g,\"posterior\":%.9g,"
               "\"first_frame\":%d,\"last_frame\":%d,\"best_frame\":%d}",
               time->begin, time->end, time->best, time->posterior, time->first_frame,
               time->last_frame, time->best_frame);
    }
    putchar(']');
}

static seq_status print_json(const seqpredict_transcripts *self, const seqpredict_window *window,
                             const seqpredict_entry *entry, const seq_transcribed *answer,
                             seq_error *error) {
    const char *scores = ",\"score\":%.9g,\"log_probability\":%.9g,\"probability\":%.9g";
    const seq_transcript *best = &answer->alternatives[0];
    printf("{\"index\":%" PRId64 ",\"input\":", entry->index);
    seq_json_print(stdout, name_of(window, entry));
    fputs(",\"output\":", stdout);
    seq_status status = print_json_text(self, best, error);
    fputs(",\"symbols\":[", stdout);
    for (size_t i = 0; i < best->length; i++) {
        if (i) putchar(',');
        print_symbol(stdout, self, best->labels[i], true);
    }
    putchar(']');
    print_scores(best, scores);
    printf(",\"frames\":%zu", answer->frames);
    if (self->options->times) print_json_times(self, answer);
    if (self->config.best > 1) fputs(",\"alternatives\":[", stdout);
    for (int k = 0; !status && self->config.best > 1 && k < answer->found; k++) {
        fputs(k ? ",{\"output\":" : "{\"output\":", stdout);
        status = print_json_text(self, &answer->alternatives[k], error);
        print_scores(&answer->alternatives[k], scores);
        putchar('}');
    }
    puts(self->config.best > 1 ? "]}" : "}");
    return status;
}

// ---- CTM and TextGrid.

// The input's name without folder and ending, in `out`.
static void stem_of(const char *name, char out[SEQ_PATH]) {
    const char *slash = strrchr(name, '/'), *begin = slash ? slash + 1 : name,
               *point = strrchr(begin, '.');
    size_t size = point && point > begin ? (size_t)(point - begin) : strlen(begin);
    snprintf(out, SEQ_PATH, "%.*s", (int)(size < SEQ_PATH ? size : SEQ_PATH - 1), begin);
}

static seq_tier_interval interval_of(const seqpredict_transcripts *self,
                                     const seq_symbol_time *time) {
    return (seq_tier_interval){.start = time->begin,
                               .end = time->end,
                               .label = seq_vocabulary_text(self->symbols, time->symbol, NULL)};
}

static void add_ctm(const seqpredict_transcripts *self, const char *stem,
                    const seq_transcribed *answer) {
    for (size_t i = 0; i < answer->alternatives[0].length; i++) {
        const seq_symbol_time *time = &answer->times[i];
        const seq_ctm_entry entry = {.file = stem,
                                     .channel = "1",
                                     .interval = interval_of(self, time),
                                     .confidence = time->posterior};
        seq_ctm_print(self->ctm, &entry);
    }
}

static seq_status check_name(seqpredict_transcripts *self, const char *stem, seq_error *error) {
    size_t before = self->names.count, number;
    seq_status status = seq_string_table_add(&self->names, stem, strlen(stem), &number, error);
    if (status || number == before) return status;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--textgrid: two items would be %s.TextGrid; --ctm takes them", stem);
}

static seq_status write_textgrid(seqpredict_transcripts *self, const char *stem, double begin,
                                 const seq_transcribed *answer, seq_error *error) {
    size_t count = answer->alternatives[0].length, size = 0;
    double end = begin + (double)answer->frames * self->shift;
    seq_tier_interval *intervals = NULL;
    char path[2 * SEQ_PATH], *text = NULL;
    seq_status status = check_name(self, stem, error);
    if (!status) status = seq_allocate(&intervals, count, sizeof *intervals, "intervals", error);
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        intervals[i] = interval_of(self, &answer->times[i]);
    seq_tier tier = {
        .name = "symbols", .start = begin, .end = end, .intervals = intervals, .count = count};
    const seq_textgrid grid = {.start = begin, .end = end, .tiers = &tier, .tier_count = 1};
    snprintf(path, sizeof path, "%s/%s.TextGrid", self->options->textgrid, stem);
    FILE *stream = open_memstream(&text, &size);
    if (stream) seq_textgrid_print(stream, &grid, false);
    status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    free(intervals);
    return status ? seq_error_add_context(error, "--textgrid") : SEQ_OK;
}

// ---- All of it.

static seq_status print_item(seqpredict_transcripts *self, const seqpredict_window *window,
                             const seqpredict_entry *entry, size_t item,
                             const seq_transcribed *answer, seq_error *error) {
    char stem[SEQ_PATH];
    seq_status status = SEQ_OK;
    if (!answer->found && answer->not_a_number)
        return seq_error_set(error, SEQ_BAD_NUMBER,
                             "%s (item %" PRId64 "): the model's answer is no number",
                             name_of(window, entry), entry->index);
    if (!answer->found)
        return seq_error_set(
            error, SEQ_BAD_INPUT, "%s (item %" PRId64 "): %s", name_of(window, entry), entry->index,
            self->options->align ? "its frames cannot say the given labels"
                                 : "no transcript with --min-length and --max-length was found");
    if (self->config.format == SEQPREDICT_TSV)
        print_rows(self, window, entry, answer);
    else if (self->config.format == SEQPREDICT_JSON)
        status = print_json(self, window, entry, answer, error);
    else {
        for (int k = 0; k < answer->found; k++) {
            if (k) putchar('\t');
            print_text(self, &answer->alternatives[k]);
        }
        putchar('\n');
    }
    stem_of(name_of(window, entry), stem);
    if (self->ctm) add_ctm(self, stem, answer);
    if (!status && self->options->textgrid)
        status = write_textgrid(self, stem, window->begins[item], answer, error);
    return status;
}

// Names the item that a search has failed for.
static seq_status explain(const seqpredict_window *window, int64_t failed, seq_error *error) {
    int64_t item = 0;
    for (size_t i = 0; failed >= 0 && i < window->count; i++)
        if (window->entries[i].is_item && item++ == failed)
            return seq_error_add_context(error, "%s (item %" PRId64 ")",
                                         name_of(window, &window->entries[i]),
                                         window->entries[i].index);
    return error->status;
}

seq_status seqpredict_transcripts_answer(seqpredict_transcripts *self, seqpredict_window *window,
                                         seq_error *error) {
    const seq_transcribed *answers;
    seq_items items = seqpredict_window_items(window);
    int64_t failed = -1;
    size_t item = 0;
    seq_status status =
        seq_transcribe(self->transcriber, &items, window->begins, &answers, &failed, error);
    if (status) return explain(window, failed, error);
    for (size_t i = 0; !status && i < window->count; i++) {
        const seqpredict_entry *entry = &window->entries[i];
        if (!entry->is_item) continue;
        status = print_item(self, window, entry, item, &answers[item], error);
        item++;
    }
    return status;
}

seq_status seqpredict_transcripts_finish(seqpredict_transcripts *self, int64_t items,
                                         seq_error *error) {
    const seqpredict_transcript_options *options = self->options;
    seq_status status = SEQ_OK;
    if (options->align && !self->config.part && (size_t)items < self->given.items)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "--align %s: %zu transcripts, and there are %" PRId64 " items",
                               self->given.file, self->given.items, items);
    if (status || !self->ctm) return status;
    status = seq_memory_stream_close(self->ctm, &self->ctm_text, error, "--ctm");
    self->ctm = NULL;
    if (!status)
        status = seq_file_write_output(options->ctm, self->ctm_text, self->ctm_size, error);
    return status ? seq_error_add_context(error, "--ctm") : SEQ_OK;
}
