#include "bench.h"
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAINS = 12, MOST_RUNS = 99 };

double bench_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// CHAINS sums that do not wait for each other: enough for two units with a latency of five cycles.
static volatile float sink;

static double portable_loop(long rounds) {
    float sums[CHAINS] = {0};
    for (long i = 0; i < rounds; i++)
        for (int c = 0; c < CHAINS; c++)
            sums[c] = sums[c] * 0.999F + 0.001F;
    for (int c = 0; c < CHAINS; c++)
        sink += sums[c];
    return 2.0 * CHAINS * (double)rounds;
}

#if defined(__x86_64__)
#define FMA_LOOP(name, target_name, type, lanes, set, fma, store)                                  \
    __attribute__((target(target_name))) static double name(long rounds) {                         \
        type a = set(0.999F), b = set(0.001F), s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b,     \
             s6 = b, s7 = b, s8 = b, s9 = b, s10 = b, s11 = b;                                     \
        float out[16];                                                                             \
        for (long i = 0; i < rounds; i++) {                                                        \
            s0 = fma(s0, a, b), s1 = fma(s1, a, b), s2 = fma(s2, a, b), s3 = fma(s3, a, b);        \
            s4 = fma(s4, a, b), s5 = fma(s5, a, b), s6 = fma(s6, a, b), s7 = fma(s7, a, b);        \
            s8 = fma(s8, a, b), s9 = fma(s9, a, b), s10 = fma(s10, a, b), s11 = fma(s11, a, b);    \
        }                                                                                          \
        s0 = fma(s0, s1, s2), s3 = fma(s3, s4, s5), s6 = fma(s6, s7, s8), s9 = fma(s9, s10, s11);  \
        store(out, fma(s0, s3, fma(s6, s9, s0)));                                                  \
        sink += out[0];                                                                            \
        return 2.0 * CHAINS * (lanes) * (double)rounds;                                            \
    }
FMA_LOOP(avx2_loop, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)
FMA_LOOP(avx512_loop, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)
#endif

static double fma_loop(long rounds) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return avx512_loop(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_loop(rounds);
#endif
    return portable_loop(rounds);
}

double bench_peak_flops(void) {
    double begun = bench_seconds(), flops = fma_loop(5000000);
    return flops / (bench_seconds() - begun);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

bench_result bench_measure(const bench *bench, void (*work)(void *context), void *context,
                           double units, double flops) {
    double rates[MOST_RUNS], shares[MOST_RUNS];
    int runs = bench->runs < MOST_RUNS ? bench->runs : MOST_RUNS;
    work(context); // warm
    for (int run = 0; run < runs; run++) {
        double before = bench_peak_flops(), begun = bench_seconds(), spent;
        int calls = 0;
        do {
            work(context);
            calls++;
            spent = bench_seconds() - begun;
        } while (spent < bench->least_seconds);
        double after = bench_peak_flops();
        rates[run] = units * calls / spent;
        shares[run] = rates[run] * flops / ((before + after) / 2);
    }
    return (bench_result){median(rates, runs), median(shares, runs)};
}

void bench_report(bench *bench, const char *part, const char *name, bench_result result,
                  const char *unit) {
    if (bench->rows == 0)
        printf("%-8s %-44s %12s %-10s %9s\n", "part", "name", "median", "unit", "of peak");
    printf("%-8s %-44s %12.4g %-10s", part, name, result.rate, unit);
    if (result.share > 0) printf(" %8.1f%%", 100 * result.share);
    printf("\n");
    fflush(stdout);
    if (bench->json)
        fprintf(bench->json,
                "%s\n  {\"part\": \"%s\", \"name\": \"%s\", \"median\": %.6g, \"unit\": \"%s\", "
                "\"share_of_peak\": %.4f, \"runs\": %d}",
                bench->rows ? "," : "", part, name, result.rate, unit, result.share, bench->runs);
    bench->rows++;
}
