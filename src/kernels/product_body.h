// The body of the products for every instruction set; see seq_product in
// seqtrain/kernels/kernels.h. The including file defines LANES, VECTORS (vectors in a row of a
// panel), ROWS (rows of a tile at most), FOR_ROWS(M) = M(1) .. M(ROWS), the types vector and words,
// FMA(a, b, c), BROADCAST(float), WIDEN_INT8(bytes) and NAME(function); with processors'
// instructions for bf16 also DOT_PAIRS(sums, a, b). Where the compiler's loop over K is not good
// enough, FOUR_STEPS(sums, a, row_stride, b) and FOUR_STEPS_OF_COPY(sums, a, b) add four steps to a
// whole tile of fp32; a has four rows, `row_stride` bytes apart, or is a copy, ROWS side by side.
// No include guard: each instruction set includes it once.
//
// C is made in tiles of up to ROWS x PANEL sums that stay in registers while they run along the
// inner dimension, one fused multiply-add after the other in ascending order. Where a tile lies and
// how K is cut changes nothing in that order, so an element of C depends on its row of A, its
// column of B and K alone: the same bits for every number of rows, of threads and every blocking.
#include "product.h"
#include <stdbool.h>

enum {
    PANEL = VECTORS * LANES,
    WIDE = 4,                // panels side by side when there are few rows
    DEPTH = 768,             // K of a block: longer sums, fewer visits to C; measured
    BLOCK_TILES = 72 / ROWS, // tiles of A at once: with DEPTH, part of the second-level cache
    // Of a copied tile: a line of the cache more, or all tiles would share a few sets of it.
    TILE_FLOATS = (DEPTH + 4) * ROWS,
    BLOCK_FLOATS = BLOCK_TILES * TILE_FLOATS,
    AHEAD = 12, // rows of a transposed A that are fetched before they are copied
#ifdef DOT_PAIRS
    PAIR_WORDS = 1, // of A, for a pair of K
#else
    PAIR_WORDS = 2,
#endif
};

#include "pack_body.h"

// Consecutive tiles of A times all panels, over a part of K.
typedef struct block {
    const seq_product *product;
    size_t rows, longer;               // rows of a tile; the first `longer` have one more
    size_t first, last;                // tiles of the block
    size_t from, depth;                // part of K
    const float *a;                    // a(i, p) of a tile: a[i * row_stride + p * depth_stride]
    size_t row_stride, depth_stride;   // in words; for DOT_PAIRS p counts pairs
    size_t tile_stride;                // 0: tiles follow each other row by row
    size_t panel_bytes, skipped_bytes; // of a panel; before `from` in it
} block;

typedef struct tile_job {
    const float *a;
    size_t row_stride, depth_stride, depth;
    const char *panel, *scale;
    size_t panel_bytes;
    const float *start;  // where the sums begin, or NULL: at zero
    size_t start_stride; // 0 for a bias
    float *c;
    size_t ldc, columns;
    const float *next_c;    // of the tile after this one
    const char *next_panel; // a share of the panels after these, fetched while the tile is summed
    size_t fetch_stride;    // bytes of it a step along K
} tile_job;

typedef struct tile {
    vector sums[ROWS][WIDE * VECTORS];
} tile;

INLINE vector load_part(const float *x, size_t first, size_t columns) {
    float lanes[LANES] = {0};
    if (first + LANES <= columns) return load(x + first);
    if (first < columns) memcpy(lanes, x + first, (columns - first) * sizeof(float));
    return load(lanes);
}

INLINE void store_part(float *x, size_t first, size_t columns, vector value) {
    if (first + LANES <= columns)
        store(x + first, value);
    else if (first < columns)
        memcpy(x + first, &value, (columns - first) * sizeof(float));
}

INLINE void load_tile(const tile_job *job, int rows, int vectors, size_t columns, tile *tile) {
    UNROLL for (int i = 0; i < rows; i++) {
        const float *start = job->start + (size_t)i * job->start_stride;
        UNROLL for (int v = 0; v < vectors; v++) {
            tile->sums[i][v] = load_part(start, (size_t)v * LANES, columns);
        }
    }
}

INLINE void clear_tile(int rows, int vectors, tile *tile) {
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) tile->sums[i][v] = BROADCAST(0.0F);
    }
}

// A constant number of columns leaves no branches.
INLINE void begin_tile(const tile_job *job, int rows, int vectors, tile *tile) {
    if (!job->start)
        clear_tile(rows, vectors, tile);
    else if (job->columns >= (size_t)vectors * LANES)
        load_tile(job, rows, vectors, (size_t)vectors * LANES, tile);
    else
        load_tile(job, rows, vectors, job->columns, tile);
}

INLINE void store_columns(const tile_job *job, int rows, int vectors, size_t columns,
                          const tile *tile) {
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            store_part(job->c + (size_t)i * job->ldc, (size_t)v * LANES, columns, tile->sums[i][v]);
        }
    }
}

INLINE void store_tile(const tile_job *job, int rows, int vectors, const tile *tile) {
    if (job->columns >= (size_t)vectors * LANES)
        store_columns(job, rows, vectors, (size_t)vectors * LANES, tile);
    else
        store_columns(job, rows, vectors, job->columns, tile);
}

// The next tile's C comes from far away, and its sums begin with it.
INLINE void fetch_next(const tile_job *job, int rows) {
    UNROLL for (int i = 0; i < rows; i++) {
        const float *row = job->next_c + (size_t)i * job->ldc;
        __builtin_prefetch(row);
        __builtin_prefetch(row + PANEL - 1);
    }
}

// Vector v of a row of panels that lie side by side.
INLINE const char *vector_at(const tile_job *job, const char *row, int v, size_t vector_bytes) {
    return row + (size_t)(v / VECTORS) * job->panel_bytes + (size_t)(v % VECTORS) * vector_bytes;
}

INLINE void multiply_add(int rows, int vectors, const float *a, size_t row_stride, const vector *b,
                         tile *tile) {
    UNROLL for (int i = 0; i < rows; i++) {
        vector x = BROADCAST(a[(size_t)i * row_stride]);
        UNROLL for (int v = 0; v < vectors; v++) tile->sums[i][v] = FMA(x, b[v], tile->sums[i][v]);
    }
}

// One step along K, of bf16 a pair: sums += a(., p) b(p, .).
INLINE void step_fp32(const tile_job *job, const float *a, const char *row, int rows, int vectors,
                      tile *tile) {
    vector b[WIDE * VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) b[v] = load(vector_at(job, row, v, sizeof(vector)));
    multiply_add(rows, vectors, a, job->row_stride, b, tile);
}

INLINE void step_int8(const tile_job *job, const float *a, const char *row, int rows, int vectors,
                      tile *tile) {
    vector b[WIDE * VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) b[v] = WIDEN_INT8(vector_at(job, row, v, LANES));
    multiply_add(rows, vectors, a, job->row_stride, b, tile);
}

// The odd one of a pair first, as the processors' instruction for bf16 has it.
INLINE void step_bf16(const tile_job *job, const float *a, const char *row, int rows, int vectors,
                      tile *tile) {
    words pair[WIDE * VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) pair[v] =
        load_words(vector_at(job, row, v, sizeof(vector)));
#ifdef DOT_PAIRS
    UNROLL for (int i = 0; i < rows; i++) {
        vector x = BROADCAST(a[(size_t)i * job->row_stride]);
        UNROLL for (int v = 0; v < vectors; v++) tile->sums[i][v] =
            DOT_PAIRS(tile->sums[i][v], x, pair[v]);
    }
#else
    vector b[WIDE * VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) b[v] = (vector)(pair[v] & UPPER_HALF);
    multiply_add(rows, vectors, a + job->depth_stride, job->row_stride, b, tile);
    UNROLL for (int v = 0; v < vectors; v++) b[v] = (vector)(pair[v] << 16);
    multiply_add(rows, vectors, a, job->row_stride, b, tile);
#endif
}

INLINE void step_along(seq_precision precision, const tile_job *job, const float *a,
                       const char *row, int rows, int vectors, tile *tile) {
    if (precision == SEQ_FP32)
        step_fp32(job, a, row, rows, vectors, tile);
    else if (precision == SEQ_BF16)
        step_bf16(job, a, row, rows, vectors, tile);
    else
        step_int8(job, a, row, rows, vectors, tile);
}

INLINE size_t row_bytes(seq_precision precision) {
    return precision == SEQ_INT8 ? PANEL : PANEL * sizeof(float);
}

#if defined FOUR_STEPS || defined SUM_FOURS
// As many steps along K of a tile with whole rows as make fours; *a and *row move on.
INLINE size_t sum_in_fours(const tile_job *job, int rows, bool copied, const float **a,
                           const char **row, tile *tile) {
    const char *next = job->next_panel, *b = *row;
    const float *x = *a;
    const size_t fours = job->depth / 4, fetch_stride = job->fetch_stride,
                 row_stride = job->row_stride * sizeof(float);
#ifdef SUM_FOURS
    if (fours) SUM_FOURS(rows, copied, fours, x, row_stride, b, next, fetch_stride, tile->sums[0]);
    *a = x + fours * (copied ? 4 * ROWS : 4);
    *row = b + fours * 4 * PANEL * sizeof(float);
#else
    (void)rows;
    for (size_t i = 0; i < fours; i++) {
        __builtin_prefetch(next, 0, 2);
        __builtin_prefetch(next + 2 * fetch_stride, 0, 2);
        if (copied)
            FOUR_STEPS_OF_COPY(tile->sums, x, b);
        else
            FOUR_STEPS(tile->sums, x, row_stride, b);
        x += copied ? 4 * ROWS : 4;
        b += 4 * PANEL * sizeof(float);
        next += 4 * fetch_stride;
    }
    *a = x;
    *row = b;
#endif
    return 4 * fours;
}
#endif

INLINE void sum_tile(seq_precision precision, const tile_job *job, int rows, int vectors,
                     tile *tile) {
    size_t steps = precision == SEQ_BF16 ? (job->depth + 1) / 2 : job->depth, done = 0;
    size_t a_stride = job->depth_stride * (precision == SEQ_BF16 ? PAIR_WORDS : 1);
    const float *a = job->a;
    const char *row = job->panel, *next = job->next_panel;
#if defined FOUR_STEPS || defined SUM_FOURS
    if (precision == SEQ_FP32 && rows >= LEAST_ROWS && vectors == VECTORS)
        done = job->depth_stride == 1 ? sum_in_fours(job, rows, false, &a, &row, tile)
                                      : sum_in_fours(job, rows, true, &a, &row, tile);
    next += done * job->fetch_stride;
#endif
    for (size_t i = done; i < steps; i++) {
        __builtin_prefetch(next, 0, 2);
        step_along(precision, job, a, row, rows, vectors, tile);
        a += a_stride;
        row += row_bytes(precision);
        next += job->fetch_stride;
    }
}

// start + scale * sum.
INLINE void scale_tile(const tile_job *job, int rows, int vectors, tile *sums) {
    tile start;
    begin_tile(job, rows, vectors, &start);
    UNROLL for (int v = 0; v < vectors; v++) {
        vector scale = load(vector_at(job, job->scale, v, sizeof(vector)));
        UNROLL for (int i = 0; i < rows; i++) sums->sums[i][v] =
            FMA(scale, sums->sums[i][v], start.sums[i][v]);
    }
}

INLINE void run_tile(const tile_job *job, seq_precision precision, int rows, int vectors) {
    tile sums;
    if (precision == SEQ_INT8)
        clear_tile(rows, vectors, &sums);
    else
        begin_tile(job, rows, vectors, &sums);
    fetch_next(job, rows);
    sum_tile(precision, job, rows, vectors, &sums);
    if (precision == SEQ_INT8) scale_tile(job, rows, vectors, &sums);
    store_tile(job, rows, vectors, &sums);
}

#define TILE(precision, rows, vectors)                                                             \
    static void tile_##precision##_##rows##_##vectors(const tile_job *job) {                       \
        run_tile(job, precision, rows, vectors);                                                   \
    }
#define TILES(precision, rows)                                                                     \
    TILE(precision, rows, 1) TILE(precision, rows, 2) TILE(precision, rows, 3)
#define TILES_FP32(rows) TILES(SEQ_FP32, rows)
#define TILES_BF16(rows) TILES(SEQ_BF16, rows)
#define TILES_INT8(rows) TILES(SEQ_INT8, rows)
FOR_ROWS(TILES_FP32)
FOR_ROWS(TILES_BF16)
FOR_ROWS(TILES_INT8)
#define WIDE_TILES(precision) TILE(precision, 1, 12) TILE(precision, 2, 6)
WIDE_TILES(SEQ_FP32)
WIDE_TILES(SEQ_BF16)
WIDE_TILES(SEQ_INT8)

typedef void tile_function(const tile_job *job);
#define ROW(precision, rows)                                                                       \
    {tile_##precision##_##rows##_1, tile_##precision##_##rows##_2, tile_##precision##_##rows##_3},
#define ROW_FP32(rows) ROW(SEQ_FP32, rows)
#define ROW_BF16(rows) ROW(SEQ_BF16, rows)
#define ROW_INT8(rows) ROW(SEQ_INT8, rows)
static tile_function *const tiles[][ROWS][VECTORS] = {
    [SEQ_FP32] = {FOR_ROWS(ROW_FP32)},
    [SEQ_BF16] = {FOR_ROWS(ROW_BF16)},
    [SEQ_INT8] = {FOR_ROWS(ROW_INT8)},
};

// Few rows, several panels at once: enough sums that do not wait for each other.
#define WIDE_ROW(precision)                                                                        \
    { tile_##precision##_1_12, tile_##precision##_2_6 }
static tile_function *const wide_tiles[][2] = {
    [SEQ_FP32] = WIDE_ROW(SEQ_FP32),
    [SEQ_BF16] = WIDE_ROW(SEQ_BF16),
    [SEQ_INT8] = WIDE_ROW(SEQ_INT8),
};
static const size_t wide_panels[2] = {4, 2};

// The first row of a tile: as even as can be.
static size_t first_row(const block *block, size_t tile) {
    return tile * block->rows + (tile < block->longer ? tile : block->longer);
}

static size_t panels_at_once(const block *block, size_t column) {
    size_t rows = first_row(block, block->last) - first_row(block, block->first);
    if (rows > 2) return 1;
    size_t panels = wide_panels[rows - 1];
    return block->product->n - column >= panels * PANEL ? panels : 1;
}

// Where the sums of a tile begin: see seq_product.
static void set_start(const block *block, size_t column, tile_job *job) {
    const seq_product *product = block->product;
    bool go_on = block->from > 0 || product->accumulate;
    job->start = go_on ? job->c : product->bias ? product->bias + column : NULL;
    job->start_stride = go_on ? product->ldc : 0;
}

static tile_job first_job(const block *block, size_t column, size_t columns) {
    const seq_product *product = block->product;
    const char *panel = (const char *)product->b + column / PANEL * block->panel_bytes;
    tile_job job = {
        .a = block->a,
        .row_stride = block->row_stride,
        .depth_stride = block->depth_stride,
        .depth = block->depth,
        .panel = panel + block->skipped_bytes,
        .scale = panel,
        .panel_bytes = block->panel_bytes,
        .c = product->c + first_row(block, block->first) * product->ldc + column,
        .ldc = product->ldc,
        .columns = columns,
    };
    set_start(block, column, &job);
    size_t tiles = block->last - block->first;
    job.next_panel = job.panel + (columns + PANEL - 1) / PANEL * block->panel_bytes;
    job.fetch_stride = row_bytes(product->precision) / tiles;
    return job;
}

static void advance(const block *block, size_t rows, tile_job *job) {
    job->a += block->tile_stride ? block->tile_stride : rows * block->row_stride;
    job->c += rows * job->ldc;
    if (job->start) job->start += rows * job->start_stride;
    job->next_panel += block->depth * job->fetch_stride;
}

// One column of tiles.
static void multiply_panels(const block *block, size_t column, size_t panels, size_t columns) {
    seq_precision precision = block->product->precision;
    tile_job job = first_job(block, column, columns);
    for (size_t tile = block->first; tile < block->last; tile++) {
        size_t rows = block->rows + (tile < block->longer);
        job.next_c = job.c + (tile + 1 < block->last ? rows * job.ldc : 0);
        if (panels > 1)
            wide_tiles[precision][rows - 1](&job);
        else
            tiles[precision][rows - 1][(columns - 1) / LANES](&job);
        advance(block, rows, &job);
    }
}

static void multiply_block(const block *block) {
    size_t n = block->product->n, panels;
    for (size_t column = 0; column < n; column += panels * PANEL) {
        panels = panels_at_once(block, column);
        size_t width = panels * PANEL, left = n - column;
        multiply_panels(block, column, panels, left < width ? left : width);
    }
}

static void fetch(const float *x, size_t count) {
    for (size_t i = 0; i < count; i += 64 / sizeof *x)
        __builtin_prefetch(x + i);
}

// A stored (K, M) becomes tiles of (depth, ROWS); beyond a tile's rows lies what comes next.
static void copy_transposed(block *block, float *out) {
    const seq_product *product = block->product;
    size_t origin = first_row(block, block->first), end = first_row(block, block->last);
    for (size_t p = 0; p < block->depth; p++) {
        const float *from = product->a + (block->from + p) * product->lda;
        if (p + AHEAD < block->depth) fetch(from + AHEAD * product->lda + origin, end - origin);
        for (size_t tile = block->first; tile < block->last; tile++) {
            size_t row = first_row(block, tile);
            float *to = out + (tile - block->first) * TILE_FLOATS + p * ROWS;
            if (end - row >= ROWS)
                memcpy(to, from + row, ROWS * sizeof *to);
            else
                memcpy(to, from + row, (end - row) * sizeof *to);
        }
    }
    block->a = out;
    block->row_stride = 1;
    block->depth_stride = ROWS;
    block->tile_stride = TILE_FLOATS;
}

#ifdef DOT_PAIRS
static void narrow_tile(float *values, size_t depth) {
    for (size_t p = 0; p < depth; p += 2)
        for (size_t i = 0; i < ROWS; i++) {
            uint32_t pair = pair_bf16(values + p * ROWS + i, values + (p + 1) * ROWS + i);
            memcpy(values + p / 2 * ROWS + i, &pair, sizeof pair);
        }
}

static void narrow_row(const float *from, size_t depth, float *to) {
    for (size_t p = 0; p + 1 < depth; p += 2) {
        uint32_t pair = pair_bf16(from + p, from + p + 1);
        memcpy(to + p / 2, &pair, sizeof pair);
    }
    const float zero = 0;
    uint32_t last = pair_bf16(from + depth - 1, &zero);
    if (depth % 2) memcpy(to + depth / 2, &last, sizeof last);
}
#else
// Numbers of bf16 in single precision.
static void narrow_row(const float *from, size_t depth, float *to) {
    for (size_t p = 0; p < depth; p++) {
        uint32_t bits;
        memcpy(&bits, from + p, sizeof bits);
        bits = nearest_bf16(bits);
        memcpy(to + p, &bits, sizeof bits);
    }
    if (depth % 2) to[depth] = 0;
}

static void narrow_tile(float *values, size_t depth) {
    narrow_row(values, depth * ROWS, values);
}
#endif

static void narrow_transposed(block *block, float *values) {
    for (size_t tile = block->first; tile < block->last; tile++) {
        float *own = values + (tile - block->first) * TILE_FLOATS;
        if (block->depth % 2) memset(own + block->depth * ROWS, 0, ROWS * sizeof *own);
        narrow_tile(own, block->depth);
    }
}

static void narrow_plain(block *block, float *out) {
    const seq_product *product = block->product;
    size_t origin = first_row(block, block->first), end = first_row(block, block->last);
    for (size_t row = origin; row < end; row++)
        narrow_row(product->a + row * product->lda + block->from, block->depth,
                   out + (row - origin) * DEPTH);
    block->a = out;
    block->row_stride = DEPTH;
    block->depth_stride = 1;
}

// Where the tiles find A: in place, or a copy in `scratch`.
static void prepare(block *block, float *scratch) {
    const seq_product *product = block->product;
    if (product->op_a == SEQ_TRANSPOSED) {
        copy_transposed(block, scratch);
        if (product->precision == SEQ_BF16) narrow_transposed(block, scratch);
    } else if (product->precision == SEQ_BF16) {
        narrow_plain(block, scratch);
    } else {
        block->a = product->a + first_row(block, block->first) * product->lda + block->from;
        block->row_stride = product->lda;
        block->depth_stride = 1;
    }
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

void NAME(seq_multiply)(const seq_product *product) {
    float scratch[BLOCK_FLOATS] __attribute__((aligned(64)));
    size_t depths = product->k / DEPTH + (product->k % DEPTH > 0);
    size_t depth =
        depths ? (product->k + 2 * depths - 1) / (2 * depths) * 2 : 0; // even: bf16 pairs
    size_t from = 0, count = (product->m + ROWS - 1) / ROWS;           // of tiles
    if (product->m == 0 || product->n == 0) return;
    do {
        block block = {
            .product = product,
            .rows = product->m / count,
            .longer = product->m % count,
            .from = from,
            .depth = least(depth, product->k - from),
            .panel_bytes = NAME(seq_panel_bytes)(product->precision, product->k),
            .skipped_bytes = NAME(seq_panel_bytes)(product->precision, from),
        };
        for (size_t first = 0; first < count; first = block.last) {
            block.first = first;
            block.last = least(first + BLOCK_TILES, count);
            prepare(&block, scratch);
            multiply_block(&block);
        }
        from += depth;
    } while (from < product->k);
}
