// Looks up rows of a table, and adds gradients to them. A token that occurs
// again adds to the same row, one after the other in the order of the window.
// Invariant: rows of words that do not occur are neither read nor written; so a
// large vocabulary costs what a window uses. Tests:
// tests/unit/model/test_gradient.c, tests/golden/test_models.c.
#include <seqtrain/nn/embedding.h>
#include <string.h>

void seq_embedding_forward(const float *table, size_t units, const int32_t *tokens, size_t count,
                           float *out) {
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0)
            memset(out + i * units, 0, units * sizeof(float));
        else
            memcpy(out + i * units, table + (size_t)tokens[i] * units, units * sizeof(float));
    }
}

void seq_embedding_clear(size_t units, const int32_t *tokens, size_t count, float *d_table) {
    for (size_t i = 0; i < count; i++)
        if (tokens[i] >= 0) memset(d_table + (size_t)tokens[i] * units, 0, units * sizeof(float));
}

static void add(size_t units, const float *restrict from, float *restrict to) {
    for (size_t j = 0; j < units; j++)
        to[j] += from[j];
}

void seq_embedding_backward(const float *d_out, size_t units, const int32_t *tokens, size_t count,
                            float *d_table) {
    for (size_t i = 0; i < count; i++)
        if (tokens[i] >= 0) add(units, d_out + i * units, d_table + (size_t)tokens[i] * units);
}
