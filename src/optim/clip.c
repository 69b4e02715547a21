#include <seqtrain/optim/optimizer.h>
#include <math.h>

double seq_gradient_norm(const seq_kernels *kernels, const seq_parameter_table *table,
                         const float *gradient) {
    double squares = 0;
    for (int row = 0; row < table->count; row++)
        squares += kernels->sum_squares(gradient + table->items[row].offset,
                                        seq_parameter_size(&table->items[row]));
    return sqrt(squares);
}

int seq_clip_norm(const seq_kernels *kernels, const seq_parameter_table *table, float *gradient,
                  double norm, double limit) {
    if (!(limit > 0) || !(norm > limit)) return 0;
    kernels->scale(gradient, (float)(limit / norm), table->size);
    return 1;
}

size_t seq_clip_elements(const seq_parameter_table *table, float *gradient, double limit) {
    size_t clamped = 0;
    if (!(limit > 0)) return 0;
    const float bound = (float)limit;
    for (size_t i = 0; i < table->size; i++) {
        clamped += fabsf(gradient[i]) > bound;
        gradient[i] = gradient[i] > bound ? bound : gradient[i] < -bound ? -bound : gradient[i];
    }
    return clamped;
}
