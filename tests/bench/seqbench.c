// The benches: a table on standard output, JSON on request.
#include "bench.h"
#include <seqtrain/base/option.h>
#include <seqtrain/kernels/kernels.h>
#include <stddef.h>

typedef struct options {
    char *json;
    int only;
    int64_t runs;
    double seconds;
} options;

static const char *const parts[] = {"all", "peak", "kernels", "steps", NULL};
static const seq_option table[] = {
    {SEQ_OPTION_TEXT, "json", "FILE", offsetof(options, json),
     .help = "Also write the figures to FILE."},
    {SEQ_OPTION_CHOICE, "only", "PART", offsetof(options, only), "all", .choices = parts,
     .help = "One part of the benches."},
    {SEQ_OPTION_INTEGER, "runs", "N", offsetof(options, runs), "5", 1, 99,
     .help = "Runs of which the median is taken."},
    {SEQ_OPTION_REAL, "seconds", "S", offsetof(options, seconds), "0.3", 0, 100,
     .help = "Length of a run at least."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqbench",
    .synopsis = "[options]",
    .summary = "Measures seqtrain on this machine, on one thread. Each run is set beside a run of "
               "independent fused multiply-adds on "
               "registers, the machine's peak of that moment.",
    .options = table,
};

static void bench_peak(bench *bench) {
    double best = 0;
    for (int run = 0; run < bench->runs; run++) {
        double now = bench_peak_flops();
        best = now > best ? now : best;
    }
    bench_report(bench, "peak", "fused multiply-add, fp32, best run", (bench_result){best / 1e9, 0},
                 "GFLOP/s");
}

int main(int argc, char **argv) {
    options options;
    seq_parsed parsed = {0};
    seq_error error = {0};
    if (seq_options_parse(&program, argc, argv, &options, sizeof options, &parsed, &error)) {
        fprintf(stderr, "seqbench: %s\n", error.text);
        return seq_status_exit_code(error.status);
    }
    if (parsed.finished || parsed.version) return 0;
    static void (*const functions[])(bench *) = {bench_peak, bench_kernels, bench_steps};
    bench bench = {.runs = (int)options.runs,
                   .least_seconds = options.seconds,
                   .json = options.json ? fopen(options.json, "w") : NULL};
    if (options.json && !bench.json) {
        perror(options.json);
        return 3;
    }
    if (bench.json) fprintf(bench.json, "[");
    for (int part = 1; parts[part]; part++)
        if (options.only == 0 || options.only == part) functions[part - 1](&bench);
    if (bench.json) {
        fprintf(bench.json, "\n]\n");
        fclose(bench.json);
    }
    seq_options_clear(&parsed);
    return 0;
}
