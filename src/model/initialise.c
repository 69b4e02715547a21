// Initial values of a model's parameters, drawn as the parameter table says.
//
// Each parameter draws from a stream of its own, so its values depend on the
// seed, its place in the table and its shape only. An orthogonal matrix comes
// from a normal one by the Gram-Schmidt process, which makes it uniformly
// distributed (Haar measure); two passes keep it orthogonal to rounding.
// Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep
// linear neural networks", 2013. Test: tests/unit/model/test_initialise.c.
#include "model_private.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <string.h>

// Eight sums, so that compilers may add eight products at a time.
static double dot(const float *a, const float *b, size_t count) {
    double sums[8] = {0}, sum = 0;
    for (size_t i = 0; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; j++)
            sums[j] += (double)a[i + j] * (double)b[i + j];
    for (size_t i = count / 8 * 8; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    for (size_t j = 0; j < 8; j++)
        sum += sums[j];
    return sum;
}

// Rows of a square matrix, made orthonormal in order.
static void orthonormalise(float *matrix, size_t size) {
    for (size_t row = 0; row < size; row++) {
        float *values = matrix + row * size;
        for (size_t before = 0; before < 2 * row; before++) { // twice each
            const float *done = matrix + before % row * size;
            float share = (float)dot(values, done, size);
            for (size_t i = 0; i < size; i++)
                values[i] -= share * done[i];
        }
        float scale = (float)(1 / sqrt(dot(values, values, size)));
        for (size_t i = 0; i < size; i++)
            values[i] *= scale;
    }
}

static void draw(const seq_parameter *parameter, seq_random_key key, uint32_t stream,
                 float *values) {
    size_t count = seq_parameter_size(parameter);
    switch (parameter->initial) {
    case SEQ_INITIAL_ZERO:
        break;
    case SEQ_INITIAL_UNIFORM:
        seq_random_fill_uniform(key, stream, parameter->scale, values, count);
        break;
    case SEQ_INITIAL_NORMAL:
        seq_random_fill_normal(key, stream, parameter->scale, values, count);
        break;
    case SEQ_INITIAL_ORTHOGONAL:
        seq_random_fill_normal(key, stream, 1, values, count);
        for (size_t row = 0; row < parameter->rows; row += parameter->columns)
            orthonormalise(values + row * parameter->columns, parameter->columns);
        break;
    }
}

void seq_model_initialise(const seq_model *model, uint64_t seed, float *parameters) {
    memset(parameters, 0, model->table.size * sizeof *parameters);
    seq_random_key key = {seed, SEQ_RANDOM_INIT};
    for (int row = 0; row < model->table.count; row++) {
        const seq_parameter *parameter = &model->table.items[row];
        float *values = parameters + parameter->offset;
        draw(parameter, key, (uint32_t)row, values);
        for (size_t i = 0; i < parameter->constant_count; i++)
            values[parameter->constant_first + i] = parameter->constant;
    }
}
