// Measuring: several runs of a piece of work, each beside a run of the machine's peak, medians, a
// table and JSON.
#ifndef SEQ_TESTS_BENCH_H
#define SEQ_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct bench {
    int runs;
    double least_seconds; // of one run
    FILE *json;
    int rows;
} bench;

double bench_seconds(void);

// Floating-point operations a second of one core: independent fused multiply-adds on registers, the
// best instruction set.
double bench_peak_flops(void);

typedef struct bench_result {
    double rate;  // median of the runs: work units a second
    double share; // median of (rate * flops) / peak measured next to it; 0 when flops is 0
} bench_result;
// Calls `work` as often as a run needs. One call does `units` of work with `flops` operations a
// unit.
bench_result bench_measure(const bench *bench, void (*work)(void *context), void *context,
                           double units, double flops);

// One line of the table, one object of the JSON.
void bench_report(bench *bench, const char *part, const char *name, bench_result result,
                  const char *unit);

void bench_kernels(bench *bench);
void bench_steps(bench *bench);

#endif
