// The list of kernel tables. A new library or instruction set is a row of `tables` and of `names`.
#include "blas_library.h"
#include "elementwise.h"
#include "product.h"
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE(products, elements, way)                                                             \
    {                                                                                              \
        .name = #products, .instruction_set = #elements, .order = way,                             \
        .panel_columns = seq_panel_columns_##products, .panel_bytes = seq_panel_bytes_##products,  \
        .pack = seq_pack_##products, .multiply = seq_multiply_##products,                          \
        .sigmoid = seq_sigmoid_##elements, .tanh = seq_tanh_##elements, .exp = seq_exp_##elements, \
        .softmax = seq_softmax_##elements, .sum_squares = seq_sum_squares_##elements,              \
        .find_nonfinite = seq_find_nonfinite_##elements, .add = seq_add_##elements,                \
        .scale = seq_scale_##elements, .add_rows = seq_add_rows_##elements,                        \
        .sum_rows = seq_sum_rows_##elements                                                        \
    }

#ifdef FP_FAST_FMAF
#define PORTABLE_ORDER "fused"
#else
#define PORTABLE_ORDER "unfused"
#endif

// The best first, ours before other libraries.
static const seq_kernels tables[] = {
#ifdef __x86_64__
    TABLE(avx512bf16, avx512, "fused"),
    TABLE(avx512, avx512, "fused"),
    TABLE(avx2, avx2, "fused"),
#endif
    TABLE(portable, portable, PORTABLE_ORDER),
#ifdef __x86_64__
    TABLE(openblas, avx512, "fused"),
    TABLE(openblas, avx2, "fused"),
#endif
    TABLE(openblas, portable, "fused"),
};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };
static const char *const names[] = {"auto",     "avx512bf16", "avx512", "avx2",
                                    "portable", "openblas",   NULL};
static const char *const precisions[] = {
    [SEQ_FP32] = "fp32", [SEQ_BF16] = "bf16", [SEQ_INT8] = "int8", NULL};

const char *const *seq_precision_names(void) {
    return precisions;
}

const char *const *seq_kernels_names(void) {
    return names;
}

static int cpu_has(const char *instruction_set) {
#ifdef SEQ_FAULT_INJECTION
    const char *told = getenv("SEQ_CPU"); // another CPU: what it has, and portable
    if (told && !strstr(told, instruction_set)) return strcmp(instruction_set, "portable") == 0;
#endif
#ifdef __x86_64__
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (strcmp(instruction_set, "avx512bf16") == 0)
        return avx512 && __builtin_cpu_supports("avx512bf16");
    if (strcmp(instruction_set, "avx512") == 0) return avx512;
    if (strcmp(instruction_set, "avx2") == 0) return avx2;
#endif
    return strcmp(instruction_set, "portable") == 0;
}

static bool can_run(const seq_kernels *table) {
    bool products = strcmp(table->name, "openblas") == 0 || cpu_has(table->name);
    return products && cpu_has(table->instruction_set);
}

const seq_kernels *seq_kernels_of(const char *name) {
    bool any = strcmp(name, "auto") == 0;
    for (int i = 0; i < TABLE_COUNT; i++)
        if ((any || strcmp(tables[i].name, name) == 0) && can_run(&tables[i])) return &tables[i];
    return NULL;
}

static bool is_known(const char *name) {
    for (const char *const *known = names; *known; known++)
        if (strcmp(*known, name) == 0) return true;
    return false;
}

seq_status seq_kernels_find(const char *name, seq_precision precision, const seq_kernels **out,
                            seq_error *error) {
    const seq_kernels *kernels = seq_kernels_of(name);
    bool openblas = strcmp(name, "openblas") == 0;
    if (!is_known(name))
        return seq_error_set(error, SEQ_BAD_USAGE, "--kernels %s: there are no such kernels", name);
    if (!kernels)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--kernels %s: this CPU does not have the instructions", name);
    if (openblas && precision != SEQ_FP32)
        return seq_error_set(error, SEQ_BAD_USAGE, "--kernels openblas: it has no products in %s",
                             precisions[precision]);
    if (openblas && seq_blas_load(NULL, error)) return error->status;
    *out = kernels;
    return SEQ_OK;
}

static bool is_library(const seq_kernels *kernels) {
    return strcmp(kernels->name, "openblas") == 0;
}

void seq_kernels_describe(const seq_kernels *kernels, char *out, size_t size) {
    if (is_library(kernels))
        snprintf(out, size, "%s, %s", seq_blas_loaded()->name, kernels->instruction_set);
    else
        snprintf(out, size, "%s", kernels->name);
}

const char *seq_kernels_order(const seq_kernels *kernels, seq_precision precision) {
    const seq_blas *blas = seq_blas_loaded();
    if (is_library(kernels))
        return strcmp(kernels->order, "unfused") == 0 ? blas->unfused : blas->name;
    bool kept = strcmp(seq_arithmetic_denormals(), "kept") == 0; // the instruction flushes always
    bool pairs = precision == SEQ_BF16 && strcmp(kernels->name, "avx512bf16") == 0;
    return pairs && kept ? "fused, pairs flushed" : kernels->order;
}

void seq_kernels_describe_all(char *out, size_t size) {
    const seq_kernels *best = seq_kernels_of("auto");
    size_t used = (size_t)snprintf(out, size, "kernels: %s; also here:", best->name);
    const char *separator = " ";
    for (const char *const *name = names + 1; *name && used < size; name++) {
        const seq_kernels *kernels = seq_kernels_of(*name);
        if (!kernels || kernels == best) continue;
        bool linked = strcmp(*name, "openblas") != 0; // the other is perhaps not installed
        used += (size_t)snprintf(out + used, size - used, "%s%s%s", separator, *name,
                                 linked ? "" : " (loaded when it is asked for)");
        separator = ", ";
    }
}

size_t seq_packed_bytes(const seq_kernels *kernels, seq_precision precision, size_t n, size_t k) {
    size_t columns = kernels->panel_columns();
    return (n + columns - 1) / columns * kernels->panel_bytes(precision, k);
}
