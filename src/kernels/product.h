// The products of one instruction set or library; see seq_kernels in seqtrain/kernels/kernels.h. To
// add a library: write its file and a row in registry.c. To add an instruction set: a file like
// product_avx2.c.
#ifndef SEQ_KERNELS_PRODUCT_H
#define SEQ_KERNELS_PRODUCT_H

#include <seqtrain/kernels/kernels.h>

#define SEQ_PRODUCT_DECLARE(isa)                                                                   \
    size_t seq_panel_columns_##isa(void);                                                          \
    size_t seq_panel_bytes_##isa(seq_precision precision, size_t k);                               \
    void seq_pack_##isa(const seq_packing *packing);                                               \
    void seq_multiply_##isa(const seq_product *product);

SEQ_PRODUCT_DECLARE(openblas)
SEQ_PRODUCT_DECLARE(portable)
#ifdef __x86_64__
SEQ_PRODUCT_DECLARE(avx2)
SEQ_PRODUCT_DECLARE(avx512)
#endif
#ifdef SEQ_AVX512BF16
SEQ_PRODUCT_DECLARE(avx512bf16)
#endif

// SEQ_BAD_USAGE when the library is not there. Before this, no other function of it may be called.
seq_status seq_openblas_load(seq_error *error);
// Address space for products of so many threads at the same time, or SEQ_NO_MEMORY.
seq_status seq_openblas_reserve(int threads, seq_error *error);
void seq_openblas_describe(char *out, size_t size);

#endif
