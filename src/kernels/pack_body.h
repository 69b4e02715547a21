// Packing for every instruction set. Panels of PANEL columns of B lie one after the other, zero
// beyond n. In a panel, row by row of K:
//   fp32  PANEL floats
//   bf16  pairs of rows: PANEL words, the even K in the low half, the odd one in the high half
//   int8  first PANEL scales (floats), then PANEL bytes a row
#include "vector_body.h"
#include <math.h>

enum { STRIP = 64 }; // rows of K that are narrowed at once

typedef float quad __attribute__((vector_size(16)));

size_t NAME(seq_panel_columns)(void) {
    return PANEL;
}

size_t NAME(seq_panel_bytes)(seq_precision precision, size_t k) {
    switch (precision) {
    case SEQ_BF16:
        return (k + 1) / 2 * PANEL * sizeof(uint32_t);
    case SEQ_INT8:
        return PANEL * (sizeof(float) + k);
    default:
        return k * PANEL * sizeof(float);
    }
}

static inline quad load_quad(const float *x) {
    quad out;
    memcpy(&out, x, sizeof out);
    return out;
}

// Four rows of `from` (stride ld) become four columns of `to` (stride PANEL).
static inline void transpose_quads(const float *from, size_t ld, float *to) {
    quad a = load_quad(from), b = load_quad(from + ld), c = load_quad(from + 2 * ld),
         d = load_quad(from + 3 * ld);
    quad ab_low = SHUFFLE(a, b, 0, 4, 1, 5), ab_high = SHUFFLE(a, b, 2, 6, 3, 7),
         cd_low = SHUFFLE(c, d, 0, 4, 1, 5), cd_high = SHUFFLE(c, d, 2, 6, 3, 7);
    quad rows[4] = {SHUFFLE(ab_low, cd_low, 0, 1, 4, 5), SHUFFLE(ab_low, cd_low, 2, 3, 6, 7),
                    SHUFFLE(ab_high, cd_high, 0, 1, 4, 5), SHUFFLE(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < 4; i++)
        memcpy(to + i * PANEL, &rows[i], sizeof rows[i]);
}

// Columns of B that are rows in memory.
static void pack_transposed(const seq_packing *p, size_t column, size_t columns, size_t row,
                            size_t depth, float *out) {
    const float *from = p->b + column * p->ldb + row;
    size_t whole_depth = depth / 4 * 4, whole_columns = columns / 4 * 4;
    if (columns < PANEL) memset(out, 0, depth * PANEL * sizeof *out);
    for (size_t k = 0; k < whole_depth; k += 4)
        for (size_t j = 0; j < whole_columns; j += 4)
            transpose_quads(from + j * p->ldb + k, p->ldb, out + k * PANEL + j);
    for (size_t j = 0; j < columns; j++)
        for (size_t k = j < whole_columns ? whole_depth : 0; k < depth; k++)
            out[k * PANEL + j] = from[j * p->ldb + k];
}

static inline const float *plain_row(const seq_packing *p, size_t row) {
    return p->b + (p->rows ? (size_t)p->rows[row] : row) * p->ldb;
}

static void pack_plain(const seq_packing *p, size_t column, size_t columns, size_t row,
                       size_t depth, float *out) {
    for (size_t k = 0; k < depth; k++, out += PANEL) {
        const float *from = plain_row(p, row + k) + column;
        if (columns == PANEL) {
            memcpy(out, from, PANEL * sizeof *out);
        } else {
            memset(out, 0, PANEL * sizeof *out);
            memcpy(out, from, columns * sizeof *out);
        }
    }
}

// Rows `row` .. `row + depth` of a panel as floats.
static void pack_floats(const seq_packing *p, size_t column, size_t row, size_t depth, float *out) {
    size_t columns = p->n - column < PANEL ? p->n - column : PANEL;
    if (p->op_b == SEQ_TRANSPOSED)
        pack_transposed(p, column, columns, row, depth, out);
    else
        pack_plain(p, column, columns, row, depth, out);
}

static void pack_bf16(const seq_packing *p, size_t column, char *out) {
    float strip[(STRIP + 1) * PANEL];
    for (size_t row = 0; row < p->k; row += STRIP) {
        size_t depth = p->k - row < STRIP ? p->k - row : STRIP;
        pack_floats(p, column, row, depth, strip);
        memset(strip + depth * PANEL, 0, PANEL * sizeof *strip); // the partner of an odd last row
        for (size_t k = 0; k < depth; k += 2, out += PANEL * sizeof(uint32_t)) {
            uint32_t pairs[PANEL];
            for (size_t j = 0; j < PANEL; j++)
                pairs[j] = pair_bf16(strip + k * PANEL + j, strip + (k + 1) * PANEL + j);
            memcpy(out, pairs, sizeof pairs);
        }
    }
}

static float largest(const seq_packing *p, size_t column) {
    float most = 0;
    for (size_t k = 0; k < p->k; k++) {
        float x =
            fabsf(p->op_b == SEQ_TRANSPOSED ? p->b[column * p->ldb + k] : plain_row(p, k)[column]);
        most = x > most ? x : most;
    }
    return most;
}

// Symmetric: a column's largest magnitude becomes 127.
static void pack_int8(const seq_packing *p, size_t column, char *out) {
    float strip[STRIP * PANEL], scales[PANEL] = {0}, factors[PANEL] = {0};
    for (size_t j = 0; j < PANEL && column + j < p->n; j++) {
        scales[j] = largest(p, column + j) / 127;
        factors[j] = scales[j] > 0 ? 1 / scales[j] : 0;
    }
    memcpy(out, scales, sizeof scales);
    out += sizeof scales;
    for (size_t row = 0; row < p->k; row += STRIP) {
        size_t depth = p->k - row < STRIP ? p->k - row : STRIP;
        pack_floats(p, column, row, depth, strip);
        for (size_t i = 0; i < depth * PANEL; i++)
            *out++ = (char)(int8_t)lrintf(strip[i] * factors[i % PANEL]);
    }
}

void NAME(seq_pack)(const seq_packing *p) {
    size_t bytes = NAME(seq_panel_bytes)(p->precision, p->k);
    for (size_t panel = p->first_panel; panel < p->last_panel; panel++) {
        char *out = (char *)p->packed + panel * bytes;
        if (p->precision == SEQ_BF16)
            pack_bf16(p, panel * PANEL, out);
        else if (p->precision == SEQ_INT8)
            pack_int8(p, panel * PANEL, out);
        else
            pack_floats(p, panel * PANEL, 0, p->k, (float *)(void *)out);
    }
}
