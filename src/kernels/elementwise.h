// The element-wise kernels of one instruction set; a body for each is made from elementwise_body.h.
#ifndef SEQ_KERNELS_ELEMENTWISE_H
#define SEQ_KERNELS_ELEMENTWISE_H

#include <stddef.h>

#define SEQ_ELEMENTWISE_DECLARE(isa)                                                               \
    void seq_sigmoid_##isa(float *x, size_t count);                                                \
    void seq_tanh_##isa(float *x, size_t count);                                                   \
    void seq_exp_##isa(float *x, size_t count);                                                    \
    void seq_softmax_##isa(float *logits, size_t rows, size_t columns, size_t ld,                  \
                           float *log_sum_exp);                                                    \
    double seq_sum_squares_##isa(const float *x, size_t count);                                    \
    size_t seq_find_nonfinite_##isa(const float *x, size_t count);                                 \
    void seq_add_##isa(float *restrict y, const float *restrict x, size_t count);                  \
    void seq_scale_##isa(float *x, float factor, size_t count);                                    \
    void seq_add_rows_##isa(float *c, size_t rows, size_t columns, size_t ld, const float *bias);  \
    void seq_sum_rows_##isa(const float *c, size_t rows, size_t columns, size_t ld, float *bias);  \
    void seq_dots_##isa(const float *x, const float *rows, size_t count, size_t ld, size_t width,  \
                        float *out);                                                               \
    void seq_weigh_##isa(float *y, const float *weights, size_t stride, const float *rows,         \
                         size_t count, size_t ld, size_t width);

SEQ_ELEMENTWISE_DECLARE(unfused)
SEQ_ELEMENTWISE_DECLARE(portable)
#ifdef __aarch64__
SEQ_ELEMENTWISE_DECLARE(neon)
#endif
#ifdef __x86_64__
SEQ_ELEMENTWISE_DECLARE(avx2)
SEQ_ELEMENTWISE_DECLARE(avx512)
#endif

#endif
