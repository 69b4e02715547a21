// seqsample's options, the prime as tokens, and the text of all sequences. The
// first goes out as it is drawn; later ones wait in memory until those before
// them have ended. Invariant: the output is the sequences in order, whatever
// order they end in. Test: tests/cli/seqsample.sh.
#include "seqsample_private.h"
#include "tool_model.h"
#include "tool_program.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/data/text_file.h>
#include <seqtrain/infer/sample.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef seqsample_options options;

enum { STANDARD_TOKENS = 400, PRIME_LIMIT = 1 << 26 };

#define AT(field) offsetof(options, field)
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "What is drawn"},
    {SEQ_OPTION_TEXT, "prime", "TEXT", AT(prime), .flags = SEQ_OPTION_EMPTY,
     .help = "The model reads TEXT first; without it, generation starts from x<1> = 0, a<0> = 0."},
    {SEQ_OPTION_TEXT, "prime-file", "FILE", AT(prime_file),
     .help = "The same from a file (- is standard input)."},
    {SEQ_OPTION_FLAG, "echo", NULL, AT(echo), "yes",
     .help = "Print the prime before what follows it."},
    {SEQ_OPTION_TEXT, "label", "FIELD=VALUE", AT(label), .flags = SEQ_OPTION_REPEATED,
     .help =
         "Task generate: value of a label or number that conditions the text. Give one for each "
         "field."},
    {SEQ_OPTION_INTEGER, "tokens", "N", AT(tokens), "0", 0, 1e15,
     .help =
         "Tokens in a sequence at most. 0: 400, or no limit with --until-eos; 10,000 of a model "
         "that generates, which ends by itself."},
    {SEQ_OPTION_FLAG, "until-eos", NULL, AT(until_eos), "no",
     .help = "A sequence ends with its <eos>."},
    {SEQ_OPTION_INTEGER, "count", "N", AT(count), "1", 1, 1e6,
     .help =
         "Sequences, drawn side by side, printed one after the other with an empty line between."},
    {SEQ_OPTION_INTEGER, "seed", "N", AT(seed), "1", 0, 9e15,
     .help = "The same seed draws the same text."},
    {SEQ_OPTION_TEXT, "copied", "FILE", AT(copied),
     .help =
         "Task generate: also write a line for each sequence: its number of tokens, the longest "
         "substring that it shares with a training item, and the share of it."},
    {SEQ_OPTION_HEADING, .help = "How it is drawn"},
    {SEQ_OPTION_REAL, "temperature", "T", AT(temperature), "1", 0, 1000,
     .help = "Logits are divided by T: below 1 safer, above 1 bolder. 0: as --greedy."},
    {SEQ_OPTION_INTEGER, "top-k", "K", AT(top_k), "0", 0, 1e15,
     .help = "Only the K most probable tokens; 0, or more than the vocabulary has: all."},
    {SEQ_OPTION_REAL, "top-p", "P", AT(top_p), "1", 0.000001, 1,
     .help = "Only the most probable tokens that together reach probability P."},
    {SEQ_OPTION_FLAG, "greedy", NULL, AT(greedy), "no",
     .help = "Always the most probable token, whatever --temperature, --top-k, --top-p and --seed "
             "say."},
    {SEQ_OPTION_FLAG, "no-unk", NULL, AT(no_unk), "no", .help = "Never <unk>."},
    {SEQ_OPTION_HEADING, .help = "Model"},
    TOOL_MODEL_OPTIONS(AT),
    {SEQ_OPTION_FLAG, "quiet", NULL, AT(quiet), "no",
     .help = "Print nothing but the text, warnings and errors."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqsample",
    .synopsis = "RUN|CHECKPOINT [options]",
    .summary = "Draws text from a trained model, in one process. RUN is a run directory (its best "
               "checkpoint is used), CHECKPOINT one of its checkpoints.",
    .options = table,
    .examples = "  seqsample run --prime 'Once ' --tokens 400 --temperature 0.8\n"
                "  seqsample run --until-eos --no-unk --count 10 --top-p 0.95\n"
                "  seqsample tunes --label type=jigs --label key=G --label metre=6/8 --count 100\n",
    .minimum_operands = 1,
    .maximum_operands = 1,
};

// The sequence whose turn it is goes out as it is drawn; later ones wait in memory.
typedef struct printer {
    const seq_vocabulary *vocabulary;
    seq_detokenizer *decoders; // one a sequence
    FILE **waiting;            // memory streams, or NULL
    char **texts;              // what they hold
    size_t *sizes;
    bool *ended;
    int count, current;
} printer;

static seq_status put(FILE *stream, const char *bytes, size_t size, seq_error *error) {
    bool whole = fwrite(bytes, 1, size, stream) == size;
    if (stream == stdout) return seq_standard_flush("writing the text", error);
    if (whole && fflush(stream) == 0) return SEQ_OK;
    return seq_error_set_errno(error, "keeping the text of a later sequence");
}

// The next sequence's turn: what it has so far, and so on while it has ended already.
static seq_status advance(printer *printer, seq_error *error) {
    seq_status status = SEQ_OK;
    while (!status && printer->current < printer->count && printer->ended[printer->current]) {
        int next = ++printer->current;
        if (next == printer->count) break;
        status = put(stdout, "\n", 1, error);
        if (!status && printer->texts[next])
            status = put(stdout, printer->texts[next], printer->sizes[next], error);
    }
    return status;
}

static FILE *stream_of(printer *printer, int sequence) {
    if (sequence == printer->current) return stdout;
    if (!printer->waiting[sequence])
        printer->waiting[sequence] =
            open_memstream(&printer->texts[sequence], &printer->sizes[sequence]);
    return printer->waiting[sequence];
}

static seq_status print_token(void *context, int sequence, int id, bool last, seq_error *error) {
    printer *printer = context;
    char text[SEQ_DECODED + 1];
    size_t size =
        seq_detokenize(&printer->decoders[sequence], printer->vocabulary, id, text, SEQ_DECODED);
    if (last && (size == 0 || text[size - 1] != '\n')) text[size++] = '\n';
    FILE *stream = stream_of(printer, sequence);
    if (!stream)
        return seq_error_set(error, SEQ_NO_MEMORY, "keeping sequence %d: out of memory", sequence);
    printer->ended[sequence] = last;
    seq_status status = put(stream, text, size, error);
    return status ? status : advance(printer, error);
}

static seq_status open_printer(printer *printer, const seq_vocabulary *vocabulary, int count,
                               seq_error *error) {
    *printer = (struct printer){.vocabulary = vocabulary, .count = count};
    seq_status status = seq_allocate(&printer->decoders, (size_t)count, sizeof *printer->decoders,
                                     "the samples", error);
    if (!status)
        status = seq_allocate(&printer->waiting, (size_t)count, sizeof *printer->waiting,
                              "the samples", error);
    if (!status)
        status = seq_allocate(&printer->texts, (size_t)count, sizeof *printer->texts, "the samples",
                              error);
    if (!status)
        status = seq_allocate(&printer->ended, (size_t)count, sizeof *printer->ended, "the samples",
                              error);
    return status ? status
                  : seq_allocate(&printer->sizes, (size_t)count, sizeof *printer->sizes,
                                 "the samples", error);
}

static void close_printer(printer *printer) {
    for (int i = 0; i < printer->count && printer->sizes; i++) {
        if (printer->waiting[i]) fclose(printer->waiting[i]);
        free(printer->texts[i]);
    }
    free(printer->decoders);
    free(printer->waiting);
    free(printer->texts);
    free(printer->sizes);
    free(printer->ended);
}

static void warn_of_prime(const seq_vocabulary *vocabulary, const char *what, const int32_t *ids,
                          size_t count) {
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++)
        unknown += ids[i] == seq_vocabulary_unk(vocabulary);
    if (count == 0)
        seq_log_warning("%s: it holds no token: the text begins without it", what);
    else if (unknown)
        seq_log_warning(
            "%s: %zu of its %zu tokens are not in the vocabulary: the model reads <unk>", what,
            unknown, count);
}

seq_status seqsample_prime(const options *options, const seq_vocabulary *vocabulary, int32_t **out,
                           size_t *out_count, seq_error *error) {
    char *text = NULL;
    size_t size = 0;
    seq_status status = SEQ_OK;
    if (options->prime && options->prime_file)
        return seq_error_set(error, SEQ_BAD_USAGE, "--prime and --prime-file: give one of them");
    if (!options->prime && !options->prime_file) return SEQ_OK;
    const char *path = options->prime_file;
    if (path && strcmp(path, "-") == 0) path = "/dev/stdin";
    if (path && (status = seq_file_read(path, PRIME_LIMIT, &text, &size, error)))
        return seq_error_add_context(error, "--prime-file");
    const char *what = options->prime ? "--prime" : "--prime-file";
    if (!text) size = strlen(options->prime);
    if (text && seq_vocabulary_rules(vocabulary)->unit != SEQ_UNIT_BYTE &&
        (status = seq_form_check_text(options->prime_file, text, size, error)))
        seq_error_add_context(error, "--prime-file");
    if (!status)
        status = seq_vocabulary_encode(vocabulary, text ? text : options->prime, size, false, what,
                                       out, out_count, error);
    free(text);
    if (!status && size) warn_of_prime(vocabulary, what, *out, *out_count);
    return status;
}

static seq_status echo_prime(printer *printer, const int32_t *prime, size_t count,
                             seq_error *error) {
    seq_status status = SEQ_OK;
    for (int sequence = 0; !status && sequence < printer->count; sequence++)
        for (size_t i = 0; !status && i < count; i++)
            status = print_token(printer, sequence, prime[i], false, error);
    return status;
}

static seq_status sample(const options *options, const seq_loaded *loaded, seq_error *error) {
    int32_t *prime = NULL;
    size_t prime_count = 0;
    printer printer;
    int64_t tokens = options->tokens || options->until_eos ? options->tokens : STANDARD_TOKENS;
    seq_sample_config config = {
        options->temperature, options->top_k,     options->top_p, options->greedy,
        options->no_unk,      options->until_eos, tokens,         (uint64_t)options->seed};
    if (options->until_eos && seq_vocabulary_eos(loaded->vocabulary) == SEQ_NO_ID)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--until-eos: the model has no <eos>; use --tokens");
    if (options->top_k > seq_vocabulary_size(loaded->vocabulary))
        seq_log_info("--top-k %lld: the vocabulary has %d tokens: all of them",
                     (long long)options->top_k, seq_vocabulary_size(loaded->vocabulary));
    seq_status status = seqsample_prime(options, loaded->vocabulary, &prime, &prime_count, error);
    if (status) return status;
    status = open_printer(&printer, loaded->vocabulary, (int)options->count, error);
    if (!status && options->echo) status = echo_prime(&printer, prime, prime_count, error);
    if (!status)
        status = seq_sample_run(loaded->model, &loaded->weights, loaded->vocabulary, &config, prime,
                                prime_count, (int)options->count, print_token, &printer, error);
    close_printer(&printer);
    free(prime);
    return status;
}

// What one kind of model has, and the other has not.
static seq_status check_options(const seq_parsed *parsed, const seq_loaded *loaded,
                                seq_error *error) {
    const options *options = parsed->values;
    bool items = !loaded->schema.streams;
    if (!loaded->task->next_token)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s: it was trained for the task %s; texts are drawn from a "
                             "language model (lm), or from one that generates (generate)",
                             loaded->directory, loaded->task->name);
    if (!items && (options->label || options->copied))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: %s is a language model, which has none",
                             options->label ? "label" : "copied", loaded->directory);
    return SEQ_OK;
}

static seq_status run(const seq_parsed *parsed, seq_error *error) {
    const options *options = parsed->values;
    const tool_model how = {options->newest, options->kernels, options->weights, 1,
                            options->average};
    seq_loaded loaded;
    seq_log_open(stderr, options->quiet ? SEQ_LOG_WARNING : SEQ_LOG_INFO, "seqsample");
    seq_status status = tool_load_model(parsed->operands[0], &how, &loaded, error);
    if (status) return status;
    status = check_options(parsed, &loaded, error);
    if (!status)
        status = loaded.schema.streams ? sample(options, &loaded, error)
                                       : seqsample_items(options, &loaded, error);
    seq_loaded_clear(&loaded);
    return status;
}

int main(int argc, char **argv) {
    options options;
    return tool_main(&program, argc, argv, &options, sizeof options, run);
}
