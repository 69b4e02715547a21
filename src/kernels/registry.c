// The list of kernel tables. A new library or instruction set is a row of `tables` and of `names`.
#include "elementwise.h"
#include "product.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#define TABLE(products, elements)                                                                  \
    {                                                                                              \
        .name = #products, .instruction_set = #elements,                                           \
        .panel_columns = seq_panel_columns_##products, .panel_bytes = seq_panel_bytes_##products,  \
        .pack = seq_pack_##products, .multiply = seq_multiply_##products,                          \
        .sigmoid = seq_sigmoid_##elements, .tanh = seq_tanh_##elements, .exp = seq_exp_##elements, \
        .softmax = seq_softmax_##elements, .sum_squares = seq_sum_squares_##elements,              \
        .find_nonfinite = seq_find_nonfinite_##elements, .add = seq_add_##elements,                \
        .scale = seq_scale_##elements, .add_rows = seq_add_rows_##elements,                        \
        .sum_rows = seq_sum_rows_##elements                                                        \
    }

// The best first, ours before other libraries.
static const seq_kernels tables[] = {
#ifdef __x86_64__
#ifdef SEQ_AVX512BF16
    TABLE(avx512bf16, avx512),
#endif
    TABLE(avx512, avx512),     TABLE(avx2, avx2),
#endif
    TABLE(portable, portable),
#ifdef __x86_64__
    TABLE(openblas, avx512),   TABLE(openblas, avx2),
#endif
    TABLE(openblas, portable),
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

#ifdef __x86_64__
// Asked without __builtin_cpu_supports, which knows it in newer compilers only.
static bool has_bf16(void) {
    unsigned eax = 0, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 5 & 1);
}
#endif

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
    if (strcmp(instruction_set, "avx512bf16") == 0) return avx512 && has_bf16();
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
    if (openblas && seq_openblas_load(error)) return error->status;
    *out = kernels;
    return SEQ_OK;
}

void seq_kernels_describe(const seq_kernels *kernels, char *out, size_t size) {
    char library[128];
    if (strcmp(kernels->name, "openblas") != 0) {
        snprintf(out, size, "%s", kernels->name);
        return;
    }
    seq_openblas_describe(library, sizeof library);
    snprintf(out, size, "%s, %s", library, kernels->instruction_set);
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
