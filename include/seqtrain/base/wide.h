// Loops that are compiled twice: for every CPU, and with the longer vectors of
// AVX2, which run where the CPU has them. No operation is fused
// (-ffp-contract=off), so both give the same bits.
#ifndef SEQTRAIN_BASE_WIDE_H
#define SEQTRAIN_BASE_WIDE_H

// Declares the loop, a function that returns nothing.
#define SEQ_WIDE_BODY static inline __attribute__((always_inline)) void

// Makes NAME PARAMETERS of BODY, which is called with ARGUMENTS:
// SEQ_WIDE(add, (size_t n, float *x), (n, x), add_body)
#ifdef __x86_64__
#define SEQ_WIDE(name, parameters, arguments, body)                                                \
    __attribute__((target("avx2"))) static void body##_avx2 parameters {                           \
        body arguments;                                                                            \
    }                                                                                              \
    static void name parameters {                                                                  \
        if (__builtin_cpu_supports("avx2"))                                                        \
            body##_avx2 arguments;                                                                 \
        else                                                                                       \
            body arguments;                                                                        \
    }
#else
#define SEQ_WIDE(name, parameters, arguments, body)                                                \
    static void name parameters {                                                                  \
        body arguments;                                                                            \
    }
#endif

#endif
