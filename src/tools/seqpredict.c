// seqpredict's options, and the way of the items: read, wait in a window, are predicted together,
// printed. A window ends when it is full, when the input is at rest (a pipe that stays open), and
// at the end. Invariant: the output does not depend on where windows end. Test:
// tests/cli/seqpredict.sh.
#include "seqpredict_outputs.h"
#include "seqpredict_transcripts.h"
#include "tool_model.h"
#include "tool_program.h"
#include <inttypes.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/model/tagger.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    int64_t best, threads, batch, max_memory, average;
    char *columns, *part, *blas;
    int format, reader, kernels, weights;
    bool as_is, newest, quiet;
} options;

static const char *const formats[] = {"text", "tsv", "json", NULL};

#define AT(field) offsetof(options, field)
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "Input"},
    {SEQ_OPTION_CHOICE, "reader", "NAME", AT(reader), "auto", .registry = seq_reader_choices,
     .help = "Form of the input. auto: that of the training data, with seqprep's options for it. "
             "Another one has the options' defaults. lines: each line is a text, from its first "
             "byte on."},
    {SEQ_OPTION_TEXT, "columns", "FIELD=COLUMN,...", AT(columns),
     .help = "Which columns or keys are read, as for seqprep: text=review, token=2. Default: those "
             "of the training data, or the reader's own with another --reader."},
    {SEQ_OPTION_TEXT, "part", "I/N", AT(part),
     .help = "For array jobs: only part I of N, a block of items that follow each other. The "
             "outputs of parts 1 to N, one behind the other, are that of the whole: items keep "
             "their index, and part 1 alone has the header of tsv. Each part counts the items of "
             "all files first, so standard input has no parts."},
    {SEQ_OPTION_FLAG, "as-is", NULL, AT(as_is), "no",
     .help = "Take the bytes of each file as they are: unpack nothing, refuse no form of file."},
    {SEQ_OPTION_INTEGER, "max-memory", "BYTES", AT(max_memory), "4G", 1, 1e15,
     .help = "Memory that unpacking one input may take."},
    {SEQ_OPTION_HEADING, .help = "Output"},
    {SEQ_OPTION_CHOICE, "format", "NAME", AT(format), "text", .choices = formats,
     .help =
         "text: an answer a line; CoNLL goes out as it came in, with a column of predicted tags "
         "behind the others, CoNLL-U with the tags in their column. tsv: a header and the "
         "columns index, input, output, probability, labels, probabilities, oov, truncated; "
         "lists are separated by blanks. json: an object an item with these keys. Transcripts "
         "have index, input, output, score, log_probability, probability and frames; translations "
         "index, input, output, score (ln p of the output and its end), normalised_score, "
         "greedy_score (normalised, of greedy search), oov and truncated, in JSON also the units "
         "of "
         "both sides and attention."},
    {SEQ_OPTION_INTEGER, "best", "N", AT(best), "1", 0, 100,
     .help =
         "Answers an item, most probable first. Classes: labels and probabilities have N "
         "entries, text has N columns; 0: all classes. Transcripts: N columns, rows or "
         "alternatives. Tags, 10 at most: N rows in tsv, N alternatives in json. Translations: the "
         "same, and text is Moses' list: INDEX ||| OUTPUT ||| F0= SCORE ||| NORMALISED."},
    {SEQ_OPTION_HEADING, .help = "Model"},
    TOOL_MODEL_OPTIONS(AT),
    {SEQ_OPTION_HEADING, .help = "Running"},
    {SEQ_OPTION_INTEGER, "threads", "N", AT(threads), "1", 1, SEQ_MAX_THREADS,
     .help = "Batches that are worked on side by side. Any number gives the same output."},
    {SEQ_OPTION_INTEGER, "batch", "N", AT(batch), "32", 1, 65536,
     .help = "Items of a batch. Any number gives the same output."},
    {SEQ_OPTION_FLAG, "quiet", NULL, AT(quiet), "no",
     .help = "Print nothing but the answers, warnings and errors."},
    {.type = SEQ_OPTION_END},
};

static const seq_option_group *const groups[] = {
    &seq_beam_options_group, &seqpredict_transcript_options_group, &seq_search_options_group,
    &seqpredict_output_options_group, NULL};
static const seq_program program = {
    .name = "seqpredict",
    .synopsis = "RUN|CHECKPOINT [FILE...] [options]",
    .summary =
        "Predicts classes, tags, numbers, transcripts or translations for raw input, text or "
        "frames, in one process, in the order of the items. RUN is a run directory (its best "
        "checkpoint is used), CHECKPOINT one "
        "of its "
        "checkpoints. FILE is a file, a folder (read recursively in the order of names) or - for "
        "standard input, the default. The input is read as the training data were, but has no "
        "labels, or columns of labels that are passed over. In a pipe that stays open, items are "
        "answered as soon as they are whole. oov "
        "counts the units of an item that the vocabulary has not. Of frames, input is the name of "
        "their file. truncated counts those behind "
        "seqprep's --max-length, which are not read when an item has one answer.",
    .options = table,
    .examples = "  seqpredict run reviews.txt\n"
                "  echo 'a fine film' | seqpredict run --format json --best 2\n"
                "  seqpredict tagger --threads 8 raw.conll >tagged.conll\n"
                "  seqpredict speech --format json --times recordings/ >said.jsonl\n"
                "  seqpredict speech --align said.txt --ctm said.ctm recordings/\n"
                "  seqpredict translator --beam 5 --threads 2 test.de >test.out\n"
                "  seqpredict translator --best 5 test.de >test.nbest\n"
                "  seqpredict translator --attention-svg pictures --format json test.de\n"
                "  seqpredict run --part 3/8 --format tsv texts/ >part-3.tsv\n",
    .minimum_operands = 1,
    .maximum_operands = -1,
    .size = sizeof(options),
    .groups = groups,
};

typedef struct job {
    const options *options;
    const seq_parsed *parsed;
    const tool_model *how;
    const seq_loaded *loaded;
    seqpredict_window window;
    seqpredict_printer printer;
    seq_team *team;
    seq_predictor *predictor;
    seqpredict_transcripts *transcripts; // in place of the predictor, where the model transcribes,
    seqpredict_outputs *outputs;         // or where it translates
    seq_raw_settings inputs;
    seq_raw_input *input;
    bool first_part, produces;
    int64_t from, to, seen;             // items that are wanted, and that have been read
    int64_t items, units, unknown, cut; // predicted; cut: items of which units were left out
} job;

// Predicts and prints what waits.
static seq_status answer(void *context, seq_error *error) {
    job *job = context;
    seq_predicted predicted;
    if (!job->window.count) return SEQ_OK;
    seq_status status = SEQ_OK;
    if (job->transcripts) {
        status = seqpredict_transcripts_answer(job->transcripts, &job->window, error);
    } else if (job->outputs) {
        status = seqpredict_outputs_answer(job->outputs, &job->window, error);
    } else {
        seq_items items = seqpredict_window_items(&job->window);
        status = seq_predict(job->predictor, &items, &predicted, error);
        if (!status) status = seqpredict_print(&job->printer, &job->window, &predicted, error);
    }
    seq_error written = {0};
    if (seq_standard_flush("writing the predictions", &written) && !status) {
        *error = written;
        status = written.status;
    }
    seqpredict_window_empty(&job->window);
    return status;
}

static seq_status take(job *job, const seq_raw_item *raw, seq_error *error) {
    job->items += raw->is_item;
    job->units += (int64_t)raw->length;
    job->unknown += (int64_t)raw->unknown;
    job->cut += raw->cut > 0;
    seq_status status = seqpredict_window_add(&job->window, raw, job->seen, error);
    if (!status && job->transcripts)
        status = seqpredict_transcripts_give(job->transcripts, &job->window, job->seen, error);
    if (!status && job->outputs)
        status = seqpredict_outputs_give(job->outputs, raw, job->seen, error);
    return !status && seqpredict_window_full(&job->window) ? answer(job, error) : status;
}

// Whether lines behind an item belong to this part: to that of the item.
static bool has_lines(const job *job) {
    return job->seen ? job->from < job->seen && job->seen <= job->to : job->first_part;
}

static seq_status read_all(job *job, seq_error *error) {
    bool more = true;
    seq_status status = SEQ_OK;
    while (!status && job->seen <= job->to) {
        seq_raw_item raw;
        bool wanted = job->seen >= job->from && job->seen < job->to;
        status = seq_raw_next(job->input, wanted, &raw, &more, error);
        if (status || !more) break;
        if (raw.is_item ? wanted : has_lines(job))
            status = take(job, &raw, error);
        else if (raw.item->line_count && job->seen <= job->from)
            job->printer.open = raw.item->lines[raw.item->line_count - 1].token >= 0;
        job->seen += raw.is_item;
    }
    if (!status && job->to < INT64_MAX && job->seen < job->to)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "--part: the files have fewer items than when they were counted");
    seq_error own = {0}; // what came before a bad line is answered
    if (answer(job, &own) && !status) *error = own;
    return error->status;
}

// ---- Parts.

static seq_status parse_part(const char *text, int64_t *out_part, int64_t *out_parts,
                             seq_error *error) {
    char *slash, *end;
    *out_part = strtoll(text, &slash, 10);
    *out_parts = *slash == '/' ? strtoll(slash + 1, &end, 10) : 0;
    if (slash != text && *slash == '/' && end != slash + 1 && !*end && *out_part >= 1 &&
        *out_part <= *out_parts && *out_parts <= 1000000)
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--part %s: expected I/N, part I of N, such as 1/8 to 8/8", text);
}

static seq_status check_files(const job *job, seq_error *error) {
    for (size_t i = 0; i < job->inputs.input_count; i++) {
        const char *path = job->inputs.inputs[i];
        struct stat found;
        bool standard = strcmp(path, "-") == 0;
        if (standard ||
            (stat(path, &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)))
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--part: the items of %s cannot be counted first: give files",
                                 standard ? "standard input" : path);
    }
    return SEQ_OK;
}

static seq_status count_items(const job *job, int64_t *out, seq_error *error) {
    seq_raw_input *input = NULL;
    seq_raw_settings settings = job->inputs;
    seq_raw_item raw;
    bool more = true;
    settings.idle = NULL;
    settings.targets = NULL;
    *out = 0;
    seq_status status = seq_raw_open(&settings, &input, error);
    while (!status && more) {
        status = seq_raw_next(input, false, &raw, &more, error);
        *out += !status && more && raw.is_item;
    }
    seq_raw_close(input);
    return status;
}

static seq_status choose_part(job *job, seq_error *error) {
    int64_t part, parts, count;
    job->first_part = true;
    job->to = INT64_MAX;
    if (!job->options->part) return SEQ_OK;
    seq_status status = parse_part(job->options->part, &part, &parts, error);
    if (!status) status = check_files(job, error);
    if (!status) status = count_items(job, &count, error);
    if (status) return status;
    job->first_part = part == 1;
    job->from = (int64_t)seq_share_begin((size_t)count, (int)part - 1, (int)parts);
    job->to = (int64_t)seq_share_begin((size_t)count, (int)part, (int)parts);
    seq_log_info("part %" PRId64 " of %" PRId64 ": %" PRId64 " of %" PRId64 " items", part, parts,
                 job->to - job->from, count);
    return SEQ_OK;
}

// ---- Beginning and end.

static seq_status check_task(const seq_loaded *loaded, seq_error *error) {
    if (!loaded->task->next_token) return SEQ_OK;
    return seq_error_set(
        error, SEQ_BAD_USAGE, "%s %s: seqsample draws text from it, seqeval scores text with it",
        loaded->directory, loaded->schema.streams ? "is a language model" : "generates texts");
}

static seq_status check_best(const job *job, seq_error *error) {
    const options *options = job->options;
    if (options->best == 1 || (job->printer.labels && !job->printer.tags)) return SEQ_OK;
    if (!job->printer.labels)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--best %" PRId64 ": the model predicts a number, which has no "
                             "alternatives",
                             options->best);
    if (options->format == SEQPREDICT_TEXT)
        return seq_error_set(
            error, SEQ_BAD_USAGE,
            "--best %" PRId64 ": several tags of a token need --format tsv or json", options->best);
    if (options->best && options->best <= SEQ_TAGGER_BEST) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--best %" PRId64 ": tags have 1 to %d alternatives",
                         options->best, SEQ_TAGGER_BEST);
}

// A group's options have no effect on other tasks.
static seq_status check_group(const job *job, const seq_option_group *group, const char *tasks,
                              seq_error *error) {
    const seq_parsed *parsed = job->parsed;
    for (const seq_option *option = group->options; option->type != SEQ_OPTION_END; option++)
        if (option->type != SEQ_OPTION_HEADING &&
            parsed->sources[seq_option_find(parsed->program, option->name)] != SEQ_FROM_DEFAULT)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: of %s, and %s is of the task %s",
                                 option->name, tasks, job->loaded->directory,
                                 job->loaded->schema.task);
    return SEQ_OK;
}

static seq_status check_groups(const job *job, seq_error *error) {
    const seq_schema *schema = &job->loaded->schema;
    bool transcribes = seqpredict_transcribes(schema), produces = seqpredict_produces(schema);
    const struct {
        const seq_option_group *group;
        bool applies;
        const char *tasks;
    } rows[] = {
        {&seq_beam_options_group, transcribes || produces, "the tasks transcribe and translate"},
        {&seqpredict_transcript_options_group, transcribes, "the task transcribe"},
        {&seq_search_options_group, produces, "the task translate"},
        {&seqpredict_output_options_group, produces, "the task translate"},
    };
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < sizeof rows / sizeof *rows; i++)
        if (!rows[i].applies) status = check_group(job, rows[i].group, rows[i].tasks, error);
    return status;
}

static seq_status begin_outputs(job *job, seq_error *error) {
    const options *options = job->options;
    const seqpredict_outputs_config config = {
        .loaded = job->loaded,
        .parsed = job->parsed,
        .format = (seqpredict_format)options->format,
        .best = (int)options->best,
        .batch = (int)options->batch,
        .team = job->team,
    };
    return seqpredict_outputs_create(&config, &job->outputs, error);
}

static seq_status begin_transcripts(job *job, seq_error *error) {
    const options *options = job->options;
    const seqpredict_transcripts_config config = {
        .loaded = job->loaded,
        .parsed = job->parsed,
        .how = job->how,
        .format = (seqpredict_format)options->format,
        .best = (int)options->best,
        .batch = (int)options->batch,
        .team = job->team,
        .part = options->part != NULL,
    };
    return seqpredict_transcripts_create(&config, &job->transcripts, error);
}

static seq_status begin_printing(job *job, seq_error *error) {
    const seq_schema *schema = &job->loaded->schema;
    int vocabulary = schema->fields[schema->target].vocabulary;
    const seq_vocabulary *labels = vocabulary < 0 ? NULL : job->loaded->vocabularies[vocabulary];
    seqpredict_printer *printer = &job->printer;
    const char *reader = seq_raw_reader(job->input);
    printer->format = (seqpredict_format)job->options->format;
    printer->best =
        job->options->best || !labels ? (int)job->options->best : seq_vocabulary_size(labels);
    bool transcribes = seqpredict_transcribes(schema), produces = seqpredict_produces(schema);
    seq_status status = check_groups(job, error);
    if (!status && !transcribes && !produces) {
        status = seqpredict_printer_begin(printer, schema, labels, error);
        if (!status) status = check_best(job, error);
    } else if (!status && transcribes && !job->options->best)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--best 0: all transcripts are too many; expected 1 to 100");
    bool text = printer->format == SEQPREDICT_TEXT;
    job->produces = produces;
    printer->columns = text && printer->tags && strncmp(reader, "conll", 5) == 0;
    printer->behind = strcmp(reader, "conll") == 0;
    size_t most = (size_t)(8 * job->options->batch * job->options->threads);
    const seq_field *input = &schema->fields[seq_schema_find_input(schema)];
    job->window = (seqpredict_window){.schema = schema,
                                      .width = input->vocabulary < 0 ? (size_t)input->width : 0,
                                      .transcribes = transcribes,
                                      .keeps_texts = !text || transcribes,
                                      .keeps_lines = printer->columns,
                                      .most_items = most < 4096 ? 4096 : most};
    return status;
}

static seq_status begin(job *job, seq_error *error) {
    const options *options = job->options;
    job->inputs.schema = &job->loaded->schema;
    job->inputs.vocabularies = (const seq_vocabulary *const *)job->loaded->vocabularies;
    job->inputs.reader = options->reader ? seq_reader_choices()[options->reader] : NULL;
    job->inputs.columns = options->columns;
    job->inputs.as_is = options->as_is;
    job->inputs.memory = (uint64_t)options->max_memory;
    job->inputs.idle = answer;
    job->inputs.idle_context = job;
    job->inputs.targets = ((const seqpredict_output_options *)seq_option_values(
                               job->parsed, &seqpredict_output_options_group))
                              ->prefix;
    seq_status status = seq_raw_open(&job->inputs, &job->input, error);
    if (!status) status = begin_printing(job, error);
    if (status == SEQ_NO_CHECKPOINT)
        seq_error_add_context(error, "loading %s", job->loaded->directory);
    if (!status) status = choose_part(job, error);
    if (!status) status = seq_team_create((int)options->threads, &job->team, error);
    if (status) return status;
    if (job->window.transcribes) return begin_transcripts(job, error);
    if (job->produces) return begin_outputs(job, error);
    const seq_vocabulary *labels = job->printer.labels;
    const seq_predictor_config config = {.model = job->loaded->model,
                                         .weights = &job->loaded->weights,
                                         .schema = &job->loaded->schema,
                                         .classes = labels ? seq_vocabulary_size(labels) : 0,
                                         .best = job->printer.best,
                                         .marginals = labels && job->printer.tags &&
                                                      options->format != SEQPREDICT_TEXT,
                                         .batch = (int)options->batch,
                                         .team = job->team};
    return seq_predictor_create(&config, &job->predictor, error);
}

static void tell(const job *job) {
    const char *units = job->window.width ? "frames" : "units";
    if (job->window.width)
        seq_log_info("%" PRId64 " items, %" PRId64 " frames", job->items, job->units);
    else
        seq_log_info("%" PRId64 " items, %" PRId64 " units, %" PRId64 " of them unknown",
                     job->items, job->units, job->unknown);
    if (job->cut)
        seq_log_warning("%" PRId64 " items are longer than the %" PRId64 " %s of seqprep's "
                        "--max-length: what is behind them was not read",
                        job->cut, seq_raw_most(job->input), units);
}

static void end(job *job) {
    seq_predictor_destroy(job->predictor);
    seqpredict_transcripts_destroy(job->transcripts);
    seqpredict_outputs_destroy(job->outputs);
    seq_team_destroy(job->team);
    seq_raw_close(job->input);
    seqpredict_printer_end(&job->printer);
    seqpredict_window_clear(&job->window);
}

static seq_status predict(const seq_parsed *parsed, const tool_model *how, const seq_loaded *loaded,
                          seq_error *error) {
    static const char *const standard_input[] = {"-"};
    job job = {.options = parsed->values, .parsed = parsed, .how = how, .loaded = loaded};
    bool files = parsed->operand_count > 1;
    job.inputs.inputs = files ? parsed->operands + 1 : standard_input;
    job.inputs.input_count = files ? (size_t)parsed->operand_count - 1 : 1;
    seq_status status = check_task(loaded, error);
    if (!status) status = begin(&job, error);
    if (!status && job.first_part) {
        if (job.transcripts)
            seqpredict_transcripts_header(job.transcripts);
        else if (job.outputs)
            seqpredict_outputs_header(job.outputs);
        else
            seqpredict_print_header(&job.printer);
    }
    if (!status) status = read_all(&job, error);
    if (!status && job.transcripts)
        status = seqpredict_transcripts_finish(job.transcripts, job.items, error);
    if (!status && job.outputs) status = seqpredict_outputs_finish(job.outputs, error);
    if (!status) status = seq_standard_flush("writing the predictions", error);
    if (!status) tell(&job);
    end(&job);
    return status;
}

static seq_status run(const seq_parsed *parsed, seq_error *error) {
    const options *options = parsed->values;
    const tool_model how = {options->newest, options->kernels, options->weights,
                            (int)options->threads, options->average};
    seq_loaded loaded;
    seq_log_open(stderr, options->quiet ? SEQ_LOG_WARNING : SEQ_LOG_INFO, "seqpredict");
    seq_status status = tool_load_model(parsed->operands[0], &how, &loaded, error);
    if (status) return status;
    status = predict(parsed, &how, &loaded, error);
    seq_loaded_clear(&loaded);
    return status;
}

int main(int argc, char **argv) {
    return tool_main(&program, argc, argv, NULL, 0, run);
}
