// The element-wise kernels: time an element beside the C library's function, and the worst error.
#include "bench.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/kernels/kernels.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS = 1 << 12, SWEEP_STRIDE = 509 };

static float libm_sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

static double exact_sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static const struct activation {
    const char *name;
    float (*libm)(float x);
    double (*exact)(double x);
    size_t at; // of the function in seq_kernels
} activations[] = {
    {"sigmoid", libm_sigmoid, exact_sigmoid, offsetof(seq_kernels, sigmoid)},
    {"tanh", tanhf, tanh, offsetof(seq_kernels, tanh)},
    {"exp", expf, exp, offsetof(seq_kernels, exp)},
};

typedef void element_function(float *x, size_t count);

typedef struct element_case {
    element_function *vectorised;
    float (*scalar)(float x);
    const float *from;
    float *x;
} element_case;

static void apply(void *context) {
    const element_case *test = context;
    memcpy(test->x, test->from, ELEMENTS * sizeof *test->x);
    if (test->vectorised)
        test->vectorised(test->x, ELEMENTS);
    else
        for (size_t i = 0; i < ELEMENTS; i++)
            test->x[i] = test->scalar(test->x[i]);
}

static double error_in_ulp(float found, double exact) {
    float rounded = (float)exact;
    if (rounded == 0 || !isfinite(rounded)) return found == rounded ? 0 : INFINITY;
    double ulp = (double)nextafterf(fabsf(rounded), INFINITY) - fabs((double)rounded);
    return fabs((double)found - exact) / ulp;
}

// Every SWEEP_STRIDE-th float of [-87, 87] (where exp neither vanishes nor overflows), both signs.
static double worst_error(const struct activation *activation, element_function *function,
                          float *x) {
    double worst = 0;
    float before[ELEMENTS], last = 87;
    uint32_t end, bits = 0;
    memcpy(&end, &last, sizeof end);
    while (bits < end) {
        size_t count = 0;
        for (; count < ELEMENTS && bits < end; bits += SWEEP_STRIDE, count += 2) {
            memcpy(&before[count], &bits, sizeof bits);
            before[count + 1] = -before[count];
        }
        memcpy(x, before, count * sizeof *x);
        function(x, count);
        for (size_t i = 0; i < count; i++)
            worst = fmax(worst, error_in_ulp(x[i], activation->exact(before[i])));
    }
    return worst;
}

static void measure(bench *bench, const seq_kernels *kernels, const struct activation *activation,
                    element_case *test) {
    char name[64];
    memcpy(&test->vectorised, (const char *)kernels + activation->at, sizeof test->vectorised);
    test->scalar = activation->libm;
    bench_result fast = bench_measure(bench, apply, test, ELEMENTS / 1e9, 0, BENCH_FP32);
    double worst = worst_error(activation, test->vectorised, test->x);
    test->vectorised = NULL;
    bench_result slow = bench_measure(bench, apply, test, ELEMENTS / 1e9, 0, BENCH_FP32);
    snprintf(name, sizeof name, "%s %s", kernels->instruction_set, activation->name);
    bench_report(bench, &(bench_row){"kernels", name, "ns/value", 1 / fast.rate,
                                     fast.rate / slow.rate, "libm's speed", fast.runs});
    snprintf(name, sizeof name, "%s %s, worst error", kernels->instruction_set, activation->name);
    bench_report(bench, &(bench_row){"kernels", name, "ULP", worst, 0, NULL, 1});
}

void bench_activations(bench *bench) {
    static const char *const sets[] = {"avx512", "avx2", "neon", "portable", "unfused"};
    float *from = bench_allocate(ELEMENTS * sizeof *from),
          *x = bench_allocate(ELEMENTS * sizeof *x);
    element_case test = {.from = from, .x = x};
    seq_random_fill_uniform((seq_random_key){1, SEQ_RANDOM_TEST}, 0, 5, from, ELEMENTS);
    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++) {
        const seq_kernels *kernels = seq_kernels_of(sets[set]);
        for (size_t i = 0; kernels && i < sizeof activations / sizeof *activations; i++)
            measure(bench, kernels, &activations[i], &test);
    }
    free(from);
    free(x);
}
