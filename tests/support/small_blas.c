// A library with the C interface of BLAS as far as seqtrain needs it, for tests/cli/blas.sh. With
// WIDE its integers have 64 bits, with RENAMED they say so in their names; with WRONG its products
// are wrong; with THREADED it starts a thread of its own.
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#ifdef WIDE
typedef int64_t integer;
#else
typedef int integer;
#endif
#ifdef RENAMED
#define NAME(function) function##64_
#else
#define NAME(function) function
#endif
enum { TRANSPOSED = 112 };

void NAME(cblas_sgemm)(int order, int op_a, int op_b, integer m, integer n, integer k, float alpha,
                       const float *a, integer lda, const float *b, integer ldb, float beta,
                       float *c, integer ldc);
void NAME(cblas_sgemv)(int order, int op_a, integer m, integer n, float alpha, const float *a,
                       integer lda, const float *x, integer step_x, float beta, float *y,
                       integer step_y);
float NAME(cblas_sdot)(integer n, const float *x, integer step_x, const float *y, integer step_y);

static float element(const float *matrix, integer ld, int op, integer row, integer column) {
    return op == TRANSPOSED ? matrix[column * ld + row] : matrix[row * ld + column];
}

void NAME(cblas_sgemm)(int order, int op_a, int op_b, integer m, integer n, integer k, float alpha,
                       const float *a, integer lda, const float *b, integer ldb, float beta,
                       float *c, integer ldc) {
    (void)order; // by rows
    for (integer i = 0; i < m; i++)
        for (integer j = 0; j < n; j++) {
            float sum = 0;
            for (integer p = 0; p < k; p++)
                sum += element(a, lda, op_a, i, p) * element(b, ldb, op_b, p, j);
#ifdef WRONG
            sum += 1;
#endif
            c[i * ldc + j] = alpha * sum + beta * c[i * ldc + j];
        }
}

void NAME(cblas_sgemv)(int order, int op_a, integer m, integer n, float alpha, const float *a,
                       integer lda, const float *x, integer step_x, float beta, float *y,
                       integer step_y) {
    (void)order;
    for (integer i = 0; i < m; i++) {
        float sum = 0;
        for (integer p = 0; p < n; p++)
            sum += element(a, lda, op_a, i, p) * x[p * step_x];
        y[i * step_y] = alpha * sum + beta * y[i * step_y];
    }
}

float NAME(cblas_sdot)(integer n, const float *x, integer step_x, const float *y, integer step_y) {
    float sum = 0;
    for (integer i = 0; i < n; i++)
        sum += x[i * step_x] * y[i * step_y];
    return sum;
}

#ifdef THREADED
static void *wait_for_ever(void *argument) {
    for (;;)
        pause();
    return argument;
}

__attribute__((constructor)) static void start(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
}
#endif
