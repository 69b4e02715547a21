// The products of one instruction set or library; see seq_kernels in seqtrain/kernels/kernels.h. To
// add a library: write its file and a row in registry.c. To add an instruction set: a file like
// product_avx2.c.
#ifndef SEQ_KERNELS_PRODUCT_H
#define SEQ_KERNELS_PRODUCT_H

#include <math.h>
#include <seqtrain/kernels/kernels.h>

// The portable body with fused multiply-adds can be compiled; whether an x86 CPU can run it is
// asked at run time.
#if defined __x86_64__ || defined __aarch64__ || defined FP_FAST_FMAF
#define SEQ_PORTABLE_FUSED
#endif

#define SEQ_PRODUCT_DECLARE(isa)                                                                   \
    size_t seq_panel_columns_##isa(void);                                                          \
    size_t seq_panel_bytes_##isa(seq_precision precision, size_t k);                               \
    void seq_pack_##isa(const seq_packing *packing);                                               \
    void seq_multiply_##isa(const seq_product *product);

SEQ_PRODUCT_DECLARE(openblas)
SEQ_PRODUCT_DECLARE(unfused)
#ifdef SEQ_PORTABLE_FUSED
SEQ_PRODUCT_DECLARE(portable)
#endif
#ifdef __aarch64__
SEQ_PRODUCT_DECLARE(neon)
#endif
#ifdef __x86_64__
SEQ_PRODUCT_DECLARE(avx2)
SEQ_PRODUCT_DECLARE(avx512)
#endif
#ifdef SEQ_AVX512BF16
SEQ_PRODUCT_DECLARE(avx512bf16)
#endif

#endif
