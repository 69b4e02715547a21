// Measures work by repeated runs on one thread and takes the median. Time is
// the thread's processor time, so a busy machine disturbs less. Invariant: each
// run stands between two measurements of the machine's peak, and its share is
// of their mean; so a clock that changes in between does not distort the ratio.
#include "bench.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RUNS = 99, LEAST_RUNS = 3 };
static const double LONG_ENOUGH = 8; // seconds of measuring after which LEAST_RUNS are enough

double bench_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void *bench_allocate(size_t bytes) {
    size_t whole = (bytes + 63) / 64 * 64;
    void *memory = aligned_alloc(64, whole ? whole : 64);
    if (!memory) abort();
    return memset(memory, 0, whole);
}

void bench_die(const seq_error *error) {
    fprintf(stderr, "seqbench: %s\n", error->text);
    exit(1);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

// Calls a second of one run.
static double run_once(const bench *bench, void (*work)(void *context), void *context) {
    double begun = bench_seconds(), spent;
    int calls = 0;
    do {
        work(context);
        calls++;
        spent = bench_seconds() - begun;
    } while (spent < bench->least_seconds);
    return calls / spent;
}

bench_result bench_measure(const bench *bench, void (*work)(void *context), void *context,
                           double units, double flops, bench_precision precision) {
    double rates[MOST_RUNS], shares[MOST_RUNS];
    int wanted = bench->runs < MOST_RUNS ? bench->runs : MOST_RUNS, runs = 0;
    work(context); // warm
    double begun = bench_seconds();
    while (runs < wanted && (runs < LEAST_RUNS || bench_seconds() - begun < LONG_ENOUGH)) {
        double before = bench_peak_flops(precision);
        rates[runs] = units * run_once(bench, work, context);
        double peak = (before + bench_peak_flops(precision)) / 2;
        shares[runs] = peak > 0 ? rates[runs] * flops / peak : 0;
        runs++;
    }
    return (bench_result){bench_median(rates, runs), bench_median(shares, runs), runs};
}

static void write_row(FILE *rows, const bench_row *row) {
    fprintf(rows, "{\"part\": \"%s\", \"name\": \"%s\", \"median\": %.6g, \"unit\": \"%s\"",
            row->part, row->name, row->median, row->unit);
    if (row->ratio > 0) fprintf(rows, ", \"ratio\": %.5g, \"of\": \"%s\"", row->ratio, row->of);
    fprintf(rows, ", \"runs\": %d}\n", row->runs);
    fflush(rows);
}

void bench_report(bench *bench, const bench_row *row) {
    if (bench->printed++ == 0)
        printf("%-11s %-52s %11s %-9s %7s\n", "part", "name", "median", "unit", "ratio");
    printf("%-11s %-52s %11.4g %-9s", row->part, row->name, row->median, row->unit);
    if (row->ratio > 0) printf(" %7.3f of %s", row->ratio, row->of);
    printf("\n");
    fflush(stdout);
    if (bench->rows) write_row(bench->rows, row);
}
