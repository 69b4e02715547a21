// The list of kernel tables. A new library or instruction set is a row of `tables` and of `names`.
#include "blas_library.h"
#include "elementwise.h"
#include "product.h"
#include <seqtrain/base/arithmetic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#define TABLE(products, elements, way)                                                             \
    {                                                                                              \
        .name = #products, .instruction_set = #elements, .order = way,                             \
        .panel_columns = seq_panel_columns_##products, .panel_bytes = seq_panel_bytes_##products,  \
        .pack = seq_pack_##products, .multiply = seq_multiply_##products,                          \
        .sigmoid = seq_sigmoid_##elements, .tanh = seq_tanh_##elements, .exp = seq_exp_##elements, \
        .softmax = seq_softmax_##elements, .sum_squares = seq_sum_squares_##elements,              \
        .find_nonfinite = seq_find_nonfinite_##elements, .add = seq_add_##elements,                \
        .scale = seq_scale_##elements, .add_rows = seq_add_rows_##elements,                        \
        .sum_rows = seq_sum_rows_##elements, .dots = seq_dots_##elements,                          \
        .weigh = seq_weigh_##elements                                                              \
    }

#define FUSED   "fused"
#define UNFUSED "unfused"

// The best first, ours before other libraries.
static const seq_kernels tables[] = {
#ifdef __x86_64__
#ifdef SEQ_AVX512BF16
    TABLE(avx512bf16, avx512, FUSED),
#endif
    TABLE(avx512, avx512, FUSED),      TABLE(avx2, avx2, FUSED),
#endif
#ifdef __aarch64__
    TABLE(neon, neon, FUSED),
#endif
#ifdef SEQ_PORTABLE_FUSED
    TABLE(portable, portable, FUSED),
#endif
    TABLE(unfused, unfused, UNFUSED),
#ifdef __x86_64__
    TABLE(openblas, avx512, FUSED),    TABLE(openblas, avx2, FUSED),
#endif
#ifdef __aarch64__
    TABLE(openblas, neon, FUSED),
#endif
#ifdef SEQ_PORTABLE_FUSED
    TABLE(openblas, portable, FUSED),
#endif
    TABLE(openblas, unfused, UNFUSED),
};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };
static const char *const names[] = {"auto",     "avx512bf16", "avx512",   "avx2", "neon",
                                    "portable", "unfused",    "openblas", NULL};
static const char *const precisions[] = {
    [SEQ_FP32] = "fp32", [SEQ_BF16] = "bf16", [SEQ_INT8] = "int8", NULL};

const char *const *seq_precision_names(void) {
    return precisions;
}

const char *const *seq_kernels_names(void) {
    return names;
}

#ifdef __x86_64__
// Asked without __builtin_cpu_supports, which knows it in newer compilers only.
static bool has_bf16(void) {
    unsigned eax = 0, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 5 & 1);
}
#endif

static int cpu_has(const char *instruction_set) {
#ifdef SEQ_FAULT_INJECTION
    const char *told = getenv("SEQ_CPU"); // another CPU: what it has, and unfused
    if (told && !strstr(told, instruction_set)) return strcmp(instruction_set, "unfused") == 0;
#endif
#ifdef __x86_64__
    __builtin_cpu_init();
    int fma = __builtin_cpu_supports("fma"), avx2 = fma && __builtin_cpu_supports("avx2");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (strcmp(instruction_set, "avx512bf16") == 0) return avx512 && has_bf16();
    if (strcmp(instruction_set, "avx512") == 0) return avx512;
    if (strcmp(instruction_set, "avx2") == 0) return avx2;
    if (strcmp(instruction_set, "portable") == 0) return fma;
#endif
    return *instruction_set != '\0'; // every CPU has the others that have a table
}

static bool can_run(const seq_kernels *table) {
    bool products = strcmp(table->name, "openblas") == 0 || cpu_has(table->name);
    return products && cpu_has(table->instruction_set);
}

const seq_kernels *seq_kernels_of(const char *name) {
    bool any = strcmp(name, "auto") == 0;
    for (int i = 0; i < TABLE_COUNT; i++)
        if ((any || strcmp(tables[i].name, name) == 0) && can_run(&tables[i])) return &tables[i];
    return strcmp(name, "portable") == 0 ? seq_kernels_of("unfused") : NULL;
}

static bool is_built(const char *name) {
    for (int i = 0; i < TABLE_COUNT; i++)
        if (strcmp(tables[i].name, name) == 0) return true;
    return strcmp(name, "auto") == 0;
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
    if (!is_built(name))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--kernels %s: this program was built without them: they are for "
                             "another processor, or its compiler does not know them",
                             name);
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
