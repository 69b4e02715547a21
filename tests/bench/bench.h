// Measuring: several runs of a piece of work, each beside a run of the machine's peak; medians; a
// table on standard output and rows of JSON.
#ifndef SEQ_TESTS_BENCH_H
#define SEQ_TESTS_BENCH_H

#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct bench {
    int runs;
    double least_seconds; // of one run
    const char *model;    // name of the only model to measure, or NULL
    size_t stream_bytes;  // of the part "stream"
    const char *lengths;  // of the parts "ragged" and "pairs": a file, or NULL
    FILE *rows;           // a JSON object a line, or NULL
    int printed;
} bench;

// Processor time of this thread: what others take of the core does not count.
double bench_seconds(void);
void *bench_allocate(size_t bytes); // zeroed, 64-byte aligned; aborts when there is none
double bench_median(double *values, int count);
_Noreturn void bench_die(const seq_error *error); // says it and exits

// ---- the machine (bench_machine.c)

typedef enum bench_precision { BENCH_FP32, BENCH_BF16 } bench_precision;
const char *bench_precision_name(bench_precision precision);
// The peak to compare with: that of single precision where the CPU does not multiply bf16.
bench_precision bench_precision_of(seq_precision precision);
// Floating-point operations a second of one core: independent fused multiply-adds on registers by
// the best instruction set. 0: the CPU has no instruction for this precision.
double bench_peak_flops(bench_precision precision);

// ---- the models of the training steps (bench_models.c)

typedef struct bench_model {
    const char *name, *cell;
    int vocabulary, layers, hidden, batch, steps;
} bench_model;
extern const bench_model bench_models[]; // ends with an empty name
bool bench_wants(const bench *bench, const bench_model *model);
// Its embedding has H columns.
seq_model *bench_create_model(const bench_model *model, const seq_compute *compute);
// A line a model: name, cell, V, L, H, B, T, FLOPs of the matrix products a token, parameters.
void bench_print_models(void);

// ---- a model in training (bench_trainer.c)

typedef struct bench_trainer {
    seq_model *model;
    const seq_parameter_table *table;
    const seq_kernels *kernels; // of the norm
    seq_workspace *workspace;
    const seq_optimizer *optimizer;
    seq_optimizer_config config;
    float *parameters, *gradient, *moments[SEQ_OPTIMIZER_STATES];
    void *packed;
    const seq_parameter *sparse; // the embedding, or NULL
    unsigned char *live;         // (its rows)
    uint32_t steps;              // done
} bench_trainer;
// Takes the model. It has one sparse parameter at most.
void bench_trainer_create(bench_trainer *out, seq_model *model, const seq_limits *limits,
                          const char *rule);
void bench_trainer_destroy(bench_trainer *trainer);
// A whole step, with clipping to a norm of 5. `state` may be NULL.
void bench_trainer_step(bench_trainer *trainer, const seq_batch *batch, double scale, float *state);

// ---- measuring and reporting (bench.c)

typedef struct bench_result {
    double rate;  // median of the runs: work units a second
    double share; // median of (rate * flops) / peak measured next to it; 0 when flops is 0 or there
                  // is no peak
    int runs;
} bench_result;
// Calls `work` as often as a run needs. One call does `units` of work with `flops` operations a
// unit. Long work gets fewer runs, three at least (or as many as the user wants, if less).
bench_result bench_measure(const bench *bench, void (*work)(void *context), void *context,
                           double units, double flops, bench_precision precision);

typedef struct bench_row {
    const char *part, *name, *unit;
    double median;
    double ratio; // to what `of` says; 0: none
    const char *of;
    int runs;
} bench_row;
// One line of the table, one object of the rows.
void bench_report(bench *bench, const bench_row *row);

void bench_peaks(bench *bench);
void bench_memory(bench *bench);
void bench_stream(bench *bench);
void bench_kernels(bench *bench);
void bench_activations(bench *bench);
void bench_steps(bench *bench);
void bench_ragged(bench *bench);
bool bench_ragged_wanted(const bench *bench); // it has a model that bench->model names
void bench_print_batches(const bench *bench); // of bench_ragged: lengths, a batch a line
int bench_length_class(int32_t length);       // classes at steps of a tenth, as of the sampler
void bench_pairs(bench *bench);
bool bench_pairs_wanted(const bench *bench);
void bench_print_pairs(const bench *bench); // lengths of source and target, a batch a line
void bench_ctc(bench *bench);
bool bench_ctc_wanted(const bench *bench);

#endif
