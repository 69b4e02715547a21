#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const splits[] = {"train", "valid", "test", NULL};
static const char *const bases[] = {"e", "10", "2", NULL};

#define AT(field) offsetof(seq_eval_options, field)
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "How good"},
    {SEQ_OPTION_CHOICE, "split", "SPLIT", AT(split), "valid", .choices = splits,
     .help = "The part of the data set that is evaluated."},
    {SEQ_OPTION_TEXT, "data", "DATASET", AT(data),
     .help = "Another data set than the run's own; it must have the same vocabulary."},
    {SEQ_OPTION_INTEGER, "batch", "B", AT(batch), "1", 1, 65536,
     .help = "Streams read side by side. 1 is the exact protocol: one stream, its state carried "
             "through the whole split. More are faster, and each begins without a past."},
    {SEQ_OPTION_HEADING, .help = "How probable"},
    {SEQ_OPTION_TEXT, "score", "FILE", AT(score),
     .help = "Instead: a line for each line of FILE (- is standard input) with its "
             "log-probability, tokens, <unk>s and log-probability per token, separated by tabs, "
             "then the text. <eos> is counted when the model has one. A line that cannot be scored "
             "(not UTF-8, a symbol that the vocabulary lacks where it has no <unk>) has - in place "
             "of its figures; the others are scored, and the exit code is 3. Control characters "
             "and backslashes of the texts are escaped (\\n, \\t, \\x1B, \\\\)."},
    {SEQ_OPTION_FLAG, "per-token", NULL, AT(per_token), "no",
     .help = "With --score: also a line for each token, indented."},
    {SEQ_OPTION_FLAG, "carry", NULL, AT(carry), "no",
     .help = "With --score: the state is carried from line to line; otherwise each line begins "
             "without a past."},
    {SEQ_OPTION_CHOICE, "log-base", "BASE", AT(log_base), "e", .choices = bases,
     .help = "Base of the logarithms of --score."},
    {SEQ_OPTION_HEADING, .help = "Model and output"},
    {SEQ_OPTION_FLAG, "newest", NULL, AT(newest), "no",
     .help = "The newest checkpoint of RUN instead of the best."},
    {SEQ_OPTION_CHOICE, "kernels", "NAME", AT(kernels), "auto", .registry = seq_kernels_names,
     .help = "Matrix products: our own for an instruction set (auto: the best of this CPU; "
             "unfused: multiply and add are rounded apart), or OpenBLAS."},
    {SEQ_OPTION_TEXT, "blas", "FILE", AT(blas),
     .help =
         "With --kernels openblas, which it implies: the shared library for matrix products, by "
         "its path or by a name that the system finds (MKL: libmkl_rt.so.2, BLIS: "
         "libblis.so.4). It needs the C interface of BLAS and integers of 32 bits."},
    {SEQ_OPTION_CHOICE, "weights", "PRECISION", AT(weights), "fp32",
     .registry = seq_precision_names,
     .help = "How the weights are held: fp32; bf16, half of the memory traffic, inputs of products "
             "rounded likewise; "
             "int8, a quarter, with a scale for each unit."},
    {SEQ_OPTION_FLAG, "json", NULL, AT(json), "no",
     .help = "Print the figures of a split as one JSON object. Not with --score."},
    {SEQ_OPTION_FLAG, "quiet", NULL, AT(quiet), "no",
     .help = "Print results, warnings and errors only."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqeval",
    .synopsis = "RUN|CHECKPOINT [options]",
    .summary = "Evaluates a model on a split of its data set (loss, perplexity, bits per token and "
               "character, figures without <unk>), or tells the probability of given sentences.",
    .options = table,
    .examples = "  seqeval run --split test\n"
                "  seqeval run --score sentences.txt --log-base 10\n"
                "  echo 'how probable is this' | seqeval run --score - --per-token\n",
    .minimum_operands = 1,
    .maximum_operands = 1,
};

// What would have no effect with --score.
static seq_status refuse_options_of_split(const seq_parsed *parsed, seq_error *error) {
    static const char *const names[] = {"split", "data", "batch", "json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parsed->sources[seq_option_find(parsed->program, names[i])] == SEQ_FROM_COMMAND_LINE)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: of a split, not with --score",
                                 names[i]);
    return SEQ_OK;
}

static seq_status run(const seq_parsed *parsed, seq_error *error) {
    const seq_eval_options *options = parsed->values;
    seq_compute compute;
    seq_loaded loaded;
    seq_log_open(stderr, options->quiet ? SEQ_LOG_WARNING : SEQ_LOG_INFO, "seqeval");
    if (!options->score && (options->per_token || options->carry))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: needs --score",
                             options->carry ? "carry" : "per-token");
    if (options->score && refuse_options_of_split(parsed, error)) return error->status;
    seq_status status = seq_compute_find(seq_kernels_names()[options->kernels],
                                         (seq_precision)options->weights, NULL, &compute, error);
    if (!status)
        status =
            seq_checkpoint_load(parsed->operands[0], !options->newest, &compute, &loaded, error);
    if (status) return status;
    if (strcmp(parsed->operands[0], loaded.directory) != 0)
        seq_log_info("from %s", loaded.directory);
    status = options->score ? seq_eval_score(options, &loaded, error)
                            : seq_eval_split(options, &loaded, error);
    seq_loaded_clear(&loaded);
    return status;
}

int main(int argc, char **argv) {
    seq_eval_options options;
    return tool_main(&program, argc, argv, &options, sizeof options, run);
}
