// OpenBLAS, loaded when it is asked for and not before: most runs never need it, and a library that
// is linked starts a thread a core in every rank, each with 128 MB. It gets one thread: the ranks
// are the parallelism, and the order of sums must not depend on a thread count. "Packed" is B
// transposed, (n, k), a panel being a column; OpenBLAS packs it again at every call. Single
// precision only. Another library with the C interface of BLAS could be loaded by seq_openblas_load
// in the same way. Tests: tests/unit/kernels/test_openblas.c, test_product.c.
#include "product.h"
#include <dlfcn.h>
#include <seqtrain/base/team.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LIBRARY "libopenblas.so.0"

// Of cblas.h, where integers have 32 bits.
enum { ROW_MAJOR = 101, AS_IT_IS = 111, TRANSPOSED = 112 };
typedef void sgemm(int order, int op_a, int op_b, int m, int n, int k, float alpha, const float *a,
                   int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void sgemv(int order, int op_a, int m, int n, float alpha, const float *a, int lda,
                   const float *x, int step_x, float beta, float *y, int step_y);

// A library that has been loaded belongs to the process, and so does this: set once, by the thread
// that chooses the kernels, before there are products.
static struct {
    sgemm *sgemm;
    sgemv *sgemv;
    char *(*config)(void), *(*core)(void);
    void *(*take_buffer)(int kind); // of one product at a time; or NULL
    void (*return_buffer)(void *buffer);
    int reserved; // buffers
} openblas;
size_t seq_panel_columns_openblas(void) {
    return 1;
}

size_t seq_panel_bytes_openblas(seq_precision precision, size_t k) {
    (void)precision;
    return k * sizeof(float);
}

void seq_pack_openblas(const seq_packing *packing) {
    size_t k = packing->k;
    for (size_t column = packing->first_panel; column < packing->last_panel; column++) {
        float *out = (float *)packing->packed + column * k;
        if (packing->op_b == SEQ_TRANSPOSED)
            memcpy(out, packing->b + column * packing->ldb, k * sizeof *out);
        else
            for (size_t row = 0; row < k; row++)
                out[row] = packing->b[row * packing->ldb + column];
    }
}

static void start_rows(const seq_product *product) {
    for (size_t row = 0; row < product->m; row++) {
        float *c = product->c + row * product->ldc;
        if (product->bias)
            memcpy(c, product->bias, product->n * sizeof *c);
        else
            memset(c, 0, product->n * sizeof *c);
    }
}

void seq_multiply_openblas(const seq_product *product) {
    int m = (int)product->m, n = (int)product->n, k = (int)product->k, lda = (int)product->lda;
    bool transposed = product->op_a == SEQ_TRANSPOSED;
    if (m == 0 || n == 0) return;
    if (!product->accumulate) start_rows(product);
    if (k == 0) return;
    if (m == 1)
        openblas.sgemv(ROW_MAJOR, AS_IT_IS, n, k, 1.0F, product->b, k, product->a,
                       transposed ? lda : 1, 1.0F, product->c, 1);
    else
        openblas.sgemm(ROW_MAJOR, transposed ? TRANSPOSED : AS_IT_IS, TRANSPOSED, m, n, k, 1.0F,
                       product->a, lda, product->b, k, 1.0F, product->c, (int)product->ldc);
}

static seq_status find(void *library, const char *name, void *out_function, seq_error *error) {
    void *function = dlsym(library, name);
    memcpy(out_function, &function, sizeof function);
    return function ? SEQ_OK
                    : seq_error_set(error, SEQ_BAD_USAGE,
                                    "--kernels openblas: %s has no function %s: is it OpenBLAS?",
                                    LIBRARY, name);
}

seq_status seq_openblas_load(seq_error *error) {
    void (*set_threads)(int);
    if (openblas.sgemm) return SEQ_OK;
    setenv("OPENBLAS_NUM_THREADS", "1", 1); // threads begin while it is loaded
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--kernels openblas: OpenBLAS cannot be loaded: %s (its package in "
                             "Debian is libopenblas0-pthread; other kernels need no library)",
                             dlerror());
    if (find(library, "openblas_set_num_threads", &set_threads, error) ||
        find(library, "openblas_get_config", &openblas.config, error) ||
        find(library, "openblas_get_corename", &openblas.core, error) ||
        find(library, "cblas_sgemv", &openblas.sgemv, error) ||
        find(library, "cblas_sgemm", &openblas.sgemm, error))
        return error->status;
    find(library, "blas_memory_alloc", &openblas.take_buffer, &(seq_error){0});
    find(library, "blas_memory_free", &openblas.return_buffer, &(seq_error){0});
    set_threads(1); // a build with OpenMP, and one that the program had loaded before
    return SEQ_OK;
}

// A product that finds no memory waits for it for ever. So a buffer for each thread is taken now,
// and OpenBLAS keeps them.
seq_status seq_openblas_reserve(int threads, seq_error *error) {
    void *buffers[SEQ_MAX_THREADS];
    int count = threads < SEQ_MAX_THREADS ? threads : SEQ_MAX_THREADS;
    if (count <= openblas.reserved) return SEQ_OK;
    size_t bytes = (size_t)(count - openblas.reserved) << 27;
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "--kernels openblas: OpenBLAS needs 128 MB of address space a thread, "
                             "and %d x 128 MB are not to be had (ulimit -v)",
                             count);
    munmap(room, bytes);
    if (!openblas.take_buffer || !openblas.return_buffer) return SEQ_OK;
    for (int i = 0; i < count; i++)
        buffers[i] = openblas.take_buffer(0);
    for (int i = 0; i < count; i++)
        openblas.return_buffer(buffers[i]);
    openblas.reserved = count;
    return SEQ_OK;
}

// openblas_get_config reads "OpenBLAS 0.3.21 DYNAMIC_ARCH ...".
void seq_openblas_describe(char *out, size_t size) {
    const char *config = openblas.config();
    const char *version = strchr(config, ' ');
    version = version ? version + 1 : config;
    snprintf(out, size, "openblas %.*s %s", (int)strcspn(version, " "), version, openblas.core());
}
