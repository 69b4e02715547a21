// The benches that need no program but themselves: a table on standard output,
// rows of JSON on request. The function of a part stands one place before its
// name, since "all" is the first name.
#include "bench.h"
#include <seqtrain/base/option.h>
#include <seqtrain/kernels/kernels.h>
#include <stddef.h>

typedef struct options {
    char *rows, *model, *lengths;
    int only;
    int64_t runs, stream_bytes;
    double seconds;
    bool models, batches;
} options;

static const char *const parts[] = {"all",    "peak",  "memory", "kernels", "activations", "steps",
                                    "ragged", "pairs", "ctc",    "stream",  NULL};
enum { PAIRS = 7 };
static void (*const functions[])(bench *) = {bench_peaks,       bench_memory, bench_kernels,
                                             bench_activations, bench_steps,  bench_ragged,
                                             bench_pairs,       bench_ctc,    bench_stream};

static const seq_option table[] = {
    {SEQ_OPTION_TEXT, "rows", "FILE", offsetof(options, rows),
     .help = "Append the figures to FILE, a JSON object a line."},
    {SEQ_OPTION_CHOICE, "only", "PART", offsetof(options, only), "all", .choices = parts,
     .help = "One part of the benches."},
    {SEQ_OPTION_TEXT, "model", "NAME", offsetof(options, model),
     .help = "Products and steps of this model of --models alone."},
    {SEQ_OPTION_FLAG, "models", NULL, offsetof(options, models), "no",
     .help =
         "Print the models and leave: name, cell, V, layers, hidden units, B, T, floating-point "
         "operations of a training step's matrix products per token, parameters."},
    {SEQ_OPTION_TEXT, "lengths", "FILE", offsetof(options, lengths),
     .help =
         "Lengths of sentences for the part ragged, one a line, or of source and target for the "
         "part pairs. Without it they are drawn."},
    {SEQ_OPTION_FLAG, "batches", NULL, offsetof(options, batches), "no",
     .help = "Print the lengths of that part's batches, one batch a line, and leave."},
    {SEQ_OPTION_INTEGER, "stream-bytes", "N", offsetof(options, stream_bytes), "64M", 4096, 1e12,
     .help = "Bytes that the part stream reads again and again."},
    {SEQ_OPTION_INTEGER, "runs", "N", offsetof(options, runs), "5", 1, 99,
     .help = "Runs of which the median is taken; long work gets three."},
    {SEQ_OPTION_REAL, "seconds", "S", offsetof(options, seconds), "0.1", 0, 100,
     .help = "Length of a run at least."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqbench",
    .synopsis = "[options]",
    .summary = "Measures seqtrain's parts on this machine, on one thread. Each run is set beside a "
               "run of independent fused multiply-adds on registers, the machine's peak of that "
               "moment. launch/bench.sh calls this and measures the programs too.",
    .options = table,
};

static seq_status check(const options *options, bench *bench, seq_error *error) {
    *bench = (struct bench){.runs = (int)options->runs,
                            .least_seconds = options->seconds,
                            .model = options->model,
                            .lengths = options->lengths,
                            .stream_bytes = (size_t)options->stream_bytes};
    bool known = bench_ragged_wanted(bench) || bench_pairs_wanted(bench) || bench_ctc_wanted(bench);
    for (const bench_model *model = bench_models; *model->name; model++)
        known |= bench_wants(bench, model);
    if (!known)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--model %s: none of --models, nor of the parts ragged, pairs and ctc",
                             options->model);
    if (options->rows && !(bench->rows = fopen(options->rows, "ae")))
        return seq_error_set_errno(error, "opening %s", options->rows);
    return SEQ_OK;
}

int main(int argc, char **argv) {
    options options;
    bench bench;
    seq_parsed parsed = {0};
    seq_error error = {0};
    seq_status status =
        seq_options_parse(&program, argc, argv, &options, sizeof options, &parsed, &error);
    if (!status && (parsed.finished || parsed.version)) return 0;
    if (!status) status = check(&options, &bench, &error);
    if (status) {
        fprintf(stderr, "seqbench: %s\n", error.text);
        return seq_status_exit_code(status);
    }
    if (options.models)
        bench_print_models();
    else if (options.batches)
        options.only == PAIRS ? bench_print_pairs(&bench) : bench_print_batches(&bench);
    else
        for (int part = 1; parts[part]; part++)
            if (options.only == 0 || options.only == part) functions[part - 1](&bench);
    if (bench.rows && fclose(bench.rows)) perror(options.rows);
    seq_options_clear(&parsed);
    return 0;
}
