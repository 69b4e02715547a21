// What this machine can do: multiply-adds on registers, and moving bytes.
#include "bench.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Sums that do not wait for each other: enough for two units with a latency of five cycles. They
// start from values that the compiler cannot know, or it would find them equal and compute one for
// all.
enum { CHAINS = 12, PORTABLE_CHAINS = 4 * CHAINS };
static const volatile float starts[CHAINS] = {.01F, .02F, .03F, .04F, .05F, .06F,
                                              .07F, .08F, .09F, .10F, .11F, .12F};
static volatile float sink;

static double portable_loop(long rounds) {
    float sums[PORTABLE_CHAINS], decay = 1 - starts[0], add = starts[1];
    for (int c = 0; c < PORTABLE_CHAINS; c++)
        sums[c] = starts[c % CHAINS] + starts[c / CHAINS];
    for (long i = 0; i < rounds; i++)
        for (int c = 0; c < PORTABLE_CHAINS; c++)
#ifdef __FP_FAST_FMAF
            sums[c] = __builtin_fmaf(sums[c], decay, add);
#else
            sums[c] = sums[c] * decay + add;
#endif
    for (int c = 0; c < PORTABLE_CHAINS; c++)
        sink += sums[c];
    return 2.0 * PORTABLE_CHAINS * (double)rounds;
}

#if defined(__x86_64__)
// STEP(s) is one instruction on the sum s with the operands a and b, of `flops` operations.
#define CHAIN_LOOP(name, target_name, type, set, add, store, operand, a_value, b_value, flops)     \
    __attribute__((target(target_name))) static double name(long rounds) {                         \
        operand a = a_value, b = b_value;                                                          \
        type s0 = set(starts[0]), s1 = set(starts[1]), s2 = set(starts[2]), s3 = set(starts[3]),   \
             s4 = set(starts[4]), s5 = set(starts[5]), s6 = set(starts[6]), s7 = set(starts[7]),   \
             s8 = set(starts[8]), s9 = set(starts[9]), s10 = set(starts[10]),                      \
             s11 = set(starts[11]);                                                                \
        float out[16];                                                                             \
        for (long i = 0; i < rounds; i++) {                                                        \
            s0 = STEP(s0), s1 = STEP(s1), s2 = STEP(s2), s3 = STEP(s3), s4 = STEP(s4);             \
            s5 = STEP(s5), s6 = STEP(s6), s7 = STEP(s7), s8 = STEP(s8), s9 = STEP(s9);             \
            s10 = STEP(s10), s11 = STEP(s11);                                                      \
        }                                                                                          \
        s0 = add(add(add(s0, s1), add(s2, s3)), add(add(s4, s5), add(s6, s7)));                    \
        store(out, add(s0, add(add(s8, s9), add(s10, s11))));                                      \
        sink += out[0];                                                                            \
        return (double)CHAINS * (flops) * (double)rounds;                                          \
    }
#define STEP(s) _mm256_fmadd_ps(s, a, b)
CHAIN_LOOP(avx2_loop, "avx2,fma", __m256, _mm256_set1_ps, _mm256_add_ps, _mm256_storeu_ps, __m256,
           _mm256_set1_ps(0.999F), _mm256_set1_ps(0.001F), 2 * 8)
#undef STEP
#define STEP(s) _mm512_fmadd_ps(s, a, b)
CHAIN_LOOP(avx512_loop, "avx512f", __m512, _mm512_set1_ps, _mm512_add_ps, _mm512_storeu_ps, __m512,
           _mm512_set1_ps(0.999F), _mm512_set1_ps(0.001F), 2 * 16)
#undef STEP
#ifdef SEQ_AVX512BF16
#define STEP(s) _mm512_dpbf16_ps(s, a, b) // two products a lane
CHAIN_LOOP(bf16_loop, "avx512bf16,avx512f", __m512, _mm512_set1_ps, _mm512_add_ps, _mm512_storeu_ps,
           __m512bh, (__m512bh)_mm512_set1_epi32(0x3c003c00),
           (__m512bh)_mm512_set1_epi32(0x3c003c00), 4 * 16)
#undef STEP
#endif

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f");
}

#ifdef SEQ_AVX512BF16
static bool has_bf16(void) {
    return seq_kernels_of("avx512bf16") != NULL;
}
#endif
#endif

static bool always(void) {
    return true;
}

// Best first.
static const struct peak_loop {
    const char *name;
    bench_precision precision;
    bool (*works)(void);
    double (*run)(long rounds); // -> operations done
} loops[] = {
#if defined(__x86_64__)
    {"avx512", BENCH_FP32, has_avx512, avx512_loop},
    {"avx2", BENCH_FP32, has_avx2, avx2_loop},
#ifdef SEQ_AVX512BF16
    {"avx512-bf16", BENCH_BF16, has_bf16, bf16_loop},
#endif
#endif
    {"portable C", BENCH_FP32, always, portable_loop},
};
enum { LOOPS = sizeof loops / sizeof *loops };

bench_precision bench_precision_of(seq_precision precision) {
    bool native = precision == SEQ_BF16 && bench_peak_flops(BENCH_BF16) > 0;
    return native ? BENCH_BF16 : BENCH_FP32;
}

const char *bench_precision_name(bench_precision precision) {
    return precision == BENCH_BF16 ? "bf16" : "fp32";
}

static double rate(const struct peak_loop *loop, long rounds) {
    double begun = bench_seconds(), flops = loop->run(rounds);
    return flops / (bench_seconds() - begun);
}

double bench_peak_flops(bench_precision precision) {
    for (int i = 0; i < LOOPS; i++)
        if (loops[i].precision == precision && loops[i].works()) return rate(&loops[i], 2000000);
    return 0;
}

static void spin(void *context) {
    const struct peak_loop *loop = context;
    loop->run(1000000);
}

void bench_peaks(bench *bench) {
    for (int i = 0; i < LOOPS; i++) {
        if (!loops[i].works()) continue;
        char name[64];
        const char *precision = bench_precision_name(loops[i].precision);
        double flops = loops[i].run(1);
        bench_result result =
            bench_measure(bench, spin, (void *)&loops[i], 1e6 * flops / 1e9, 1e9, BENCH_FP32);
        snprintf(name, sizeof name, "multiply-add %s, %s", precision, loops[i].name);
        bench_report(bench, &(bench_row){"machine", name, "GFLOP/s", result.rate, result.share,
                                         "fp32 peak", result.runs});
    }
}

// ---- bytes

typedef struct buffers {
    double *to, *from, *other;
    size_t count; // of doubles in each
} buffers;

static inline __attribute__((always_inline)) void read_body(const buffers *buffers) {
    enum { LANES = 32 };
    uint64_t sums[LANES] = {0};
    const uint64_t *values = (const uint64_t *)(const void *)buffers->from;
    for (size_t i = 0; i + LANES <= buffers->count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += values[i + lane];
    for (size_t lane = 1; lane < LANES; lane++)
        sums[0] ^= sums[lane];
    sink += (float)sums[0];
}

static inline __attribute__((always_inline)) void triad_body(const buffers *buffers) {
    double *restrict to = buffers->to;
    const double *restrict from = buffers->from, *restrict other = buffers->other;
    for (size_t i = 0; i < buffers->count; i++)
        to[i] = from[i] + 3 * other[i];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void read_avx2(const buffers *buffers) {
    read_body(buffers);
}

__attribute__((target("avx2"))) static void triad_avx2(const buffers *buffers) {
    triad_body(buffers);
}
#else
#define has_avx2() false
#define read_avx2  read_body
#define triad_avx2 triad_body
#endif

static void read_all(void *context) {
    if (has_avx2())
        read_avx2(context);
    else
        read_body(context);
}

static void triad_all(void *context) {
    if (has_avx2())
        triad_avx2(context);
    else
        triad_body(context);
}

static void copy_all(void *context) {
    const buffers *buffers = context;
    memcpy(buffers->to, buffers->from, buffers->count * sizeof *buffers->to);
}

static const struct move {
    const char *name;
    void (*work)(void *context);
    int streams; // buffers that the work touches; the bytes counted
} moves[] = {{"read", read_all, 1}, {"copy", copy_all, 2}, {"triad", triad_all, 3}};

// `bytes` are those of all buffers of the work together.
static bench_result measure_move(const bench *bench, const struct move *move, size_t bytes) {
    size_t count = bytes / sizeof(double) / (size_t)move->streams, each = count * sizeof(double);
    buffers buffers = {bench_allocate(each), bench_allocate(each), bench_allocate(each), count};
    bench_result result = bench_measure(
        bench, move->work, &buffers, (double)(each * (size_t)move->streams) / 1e9, 0, BENCH_FP32);
    free(buffers.to);
    free(buffers.from);
    free(buffers.other);
    return result;
}

void bench_memory(bench *bench) {
    static const size_t sizes[] = {(size_t)8 << 20, (size_t)256 << 20};
    double near = 0;
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++)
        for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
            char name[64];
            bench_result result = measure_move(bench, &moves[i], sizes[size]);
            if (size == 0 && i == 0) near = result.rate;
            snprintf(name, sizeof name, "%s %zu MiB", moves[i].name, sizes[size] >> 20);
            bench_report(bench, &(bench_row){"machine", name, "GB/s", result.rate,
                                             result.rate / near, "read 8 MiB", result.runs});
        }
}

void bench_stream(bench *bench) {
    char name[64];
    bench_result result = measure_move(bench, &moves[0], bench->stream_bytes);
    snprintf(name, sizeof name, "read %.1f MB again and again", (double)bench->stream_bytes / 1e6);
    bench_report(bench, &(bench_row){"machine", name, "GB/s", result.rate, 0, NULL, result.runs});
}
