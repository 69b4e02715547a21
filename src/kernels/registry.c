// The list of kernel tables: product libraries x instruction sets. A new library is a row of
// `libraries` and of TABLES.
#include "elementwise.h"
#include "gemm.h"
#include <stdio.h>
#include <string.h>

#define TABLE(library, isa)                                                                        \
    {                                                                                              \
        .name = #library, .instruction_set = #isa, .gemm = seq_gemm_##library,                     \
        .sigmoid = seq_sigmoid_##isa, .tanh = seq_tanh_##isa, .exp = seq_exp_##isa,                \
        .softmax = seq_softmax_##isa, .sum_squares = seq_sum_squares_##isa,                        \
        .find_nonfinite = seq_find_nonfinite_##isa, .add = seq_add_##isa,                          \
        .scale = seq_scale_##isa, .add_rows = seq_add_rows_##isa, .sum_rows = seq_sum_rows_##isa   \
    }

#ifdef __x86_64__
#define TABLES(library) TABLE(library, avx512), TABLE(library, avx2), TABLE(library, portable)
#else
#define TABLES(library) TABLE(library, portable)
#endif

// Best instruction set first.
static const seq_kernels tables[] = {TABLES(openblas), TABLES(portable)};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };
static const char *const libraries[] = {"auto", "openblas", "portable", NULL};

const char *const *seq_kernels_names(void) {
    return libraries;
}

static int cpu_has(const char *instruction_set) {
#ifdef __x86_64__
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(instruction_set, "avx512") == 0)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (strcmp(instruction_set, "avx2") == 0) return avx2;
#endif
    return strcmp(instruction_set, "portable") == 0;
}

const seq_kernels *seq_kernels_with_instruction_set(const char *name, const char *instruction_set) {
    for (int i = 0; i < TABLE_COUNT; i++)
        if (strcmp(tables[i].name, name) == 0 &&
            strcmp(tables[i].instruction_set, instruction_set) == 0)
            return cpu_has(instruction_set) ? &tables[i] : NULL;
    return NULL;
}

seq_status seq_kernels_find(const char *name, const seq_kernels **out, seq_error *error) {
    const char *library = strcmp(name, "auto") == 0 ? libraries[1] : name;
    for (int i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(tables[i].name, library) != 0 || !cpu_has(tables[i].instruction_set)) continue;
        seq_gemm_openblas_prepare();
        *out = &tables[i];
        return SEQ_OK;
    }
    return seq_error_set(error, SEQ_BAD_USAGE, "--kernels %s: expected auto, openblas or portable",
                         name);
}

void seq_kernels_describe(const seq_kernels *kernels, char *out, size_t size) {
    char library[128];
    if (strcmp(kernels->name, "openblas") == 0)
        seq_gemm_openblas_describe(library, sizeof library);
    else
        snprintf(library, sizeof library, "%s", kernels->name);
    snprintf(out, size, "%s, %s", library, kernels->instruction_set);
}
