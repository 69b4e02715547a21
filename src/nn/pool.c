// Pools the steps of each sequence into the row that it belongs to. A sequence's
// steps are taken in their order, so its result does not depend on the others.
// max keeps the place of each unit's first maximum for backward; a NaN is a
// maximum, so it is found later. Invariant: every row of the parent is written,
// with zeros where its sequence is empty. Test: tests/unit/nn/test_pool.c.
#include <seqtrain/nn/pool.h>
#include <math.h>
#include <string.h>

typedef struct memory {
    int32_t *place; // (rows of the parent, W): the row of each maximum, -1 without; training
} memory;

static const char *const names[] = {"last", "ends", "mean", "max", "max-mean", NULL};

const char *const *seq_pooling_names(void) {
    return names;
}

static seq_pooling pooling_of(const seq_node *node) {
    return ((const seq_pool_options *)node->options)->pooling;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_pool_options *options = node->options;
    const seq_shape *input = &node->input_shapes[0];
    if (node->input_count != 1 || input->width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "pooling needs one input of numbers");
    bool both = input->width % 2 == 0 && input->looks_ahead >> input->axis & 1;
    if (options->pooling == SEQ_POOL_ENDS && !both)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--pool ends takes the final states of both directions: it needs "
                             "--bidirectional");
    out->axis = options->axis;
    out->looks_ahead |= 1U << input->axis;
    if (options->pooling == SEQ_POOL_MAX_MEAN) out->width *= 2;
    return SEQ_OK;
}

static bool has_max(const seq_node *node) {
    return pooling_of(node) == SEQ_POOL_MAX || pooling_of(node) == SEQ_POOL_MAX_MEAN;
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    (void)training;
    (void)scratch;
    if (has_max(node))
        memory->place = seq_arena_take(
            kept, limits->axes[node->shape.axis].rows * (size_t)node->input_shapes[0].width,
            sizeof *memory->place);
}

// One pass at work. Rows of y and dy begin at stride W or 2 W.
typedef struct work {
    const seq_axis *axis; // of the steps
    size_t rows;          // of the parent
    size_t width, stride; // of the input, of the result
    const seq_kernels *kernels;
    int32_t *place;
} work;

static work work_of(const seq_node *node, seq_pass *pass) {
    const memory *memory = seq_run(node, pass)->memory;
    const seq_axis *axis = seq_input_axis(node, pass, 0);
    assert(axis->parent == node->shape.axis);
    return (work){axis,
                  seq_node_axis(node, pass)->rows,
                  (size_t)node->input_shapes[0].width,
                  (size_t)node->shape.width,
                  node->compute->kernels,
                  has_max(node) ? memory->place : NULL};
}

// ---- one step of each sequence

// Units first .. first + count - 1 of the last or first step. Sequences without a step come last.
static void copy_end(const work *work, bool last, size_t first, size_t count, const float *x,
                     float *y) {
    for (int b = 0; work->axis->steps && b < work->axis->rows_at[0]; b++) {
        size_t row = last ? (size_t)work->axis->last_row[b] : (size_t)b;
        memcpy(y + (size_t)work->axis->of[b] * work->stride + first, x + row * work->width + first,
               count * sizeof *y);
    }
}

static void add_end(const work *work, bool last, size_t first, size_t count, const float *dy,
                    float *dx) {
    for (int b = 0; work->axis->steps && b < work->axis->rows_at[0]; b++) {
        size_t row = last ? (size_t)work->axis->last_row[b] : (size_t)b;
        work->kernels->add(dx + row * work->width + first,
                           dy + (size_t)work->axis->of[b] * work->stride + first, count);
    }
}

// ---- mean

static float share(const work *work, int b) {
    const seq_axis *axis = work->axis;
    int length = 0;
    while (length < axis->steps && axis->rows_at[length] > b)
        length++;
    return length ? 1 / (float)length : 0;
}

static void mean(const work *work, const float *x, float *y) {
    const seq_axis *axis = work->axis;
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++, x += work->width)
            work->kernels->add(y + (size_t)axis->of[b] * work->stride, x, work->width);
    for (int b = 0; b < axis->sequences; b++)
        work->kernels->scale(y + (size_t)axis->of[b] * work->stride, share(work, b), work->width);
}

static void add_scaled(size_t count, float factor, const float *restrict from, float *restrict to) {
    for (size_t j = 0; j < count; j++)
        to[j] += factor * from[j];
}

static void add_mean(const work *work, const float *dy, float *dx) {
    const seq_axis *axis = work->axis;
    for (int b = 0; b < axis->sequences; b++) {
        float factor = share(work, b);
        for (int t = 0; t < axis->steps && axis->rows_at[t] > b; t++)
            add_scaled(work->width, factor, dy + (size_t)axis->of[b] * work->stride,
                       dx + (axis->first_row[t] + (size_t)b) * work->width);
    }
}

// ---- max

static void max_row(size_t count, int32_t row, const float *restrict x, float *restrict y,
                    int32_t *restrict place) {
    for (size_t j = 0; j < count; j++) {
        bool more = place[j] < 0 || x[j] > y[j] || (isnan(x[j]) && !isnan(y[j]));
        y[j] = more ? x[j] : y[j];
        place[j] = more ? row : place[j];
    }
}

static void max(const work *work, const float *x, float *y) {
    const seq_axis *axis = work->axis;
    for (size_t i = 0; i < work->rows * work->width; i++)
        work->place[i] = -1;
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = axis->first_row[t] + (size_t)b, to = (size_t)axis->of[b];
            max_row(work->width, (int32_t)row, x + row * work->width, y + to * work->stride,
                    work->place + to * work->width);
        }
}

static void add_max(const work *work, const float *dy, float *dx) {
    for (size_t row = 0; row < work->rows; row++)
        for (size_t j = 0; j < work->width; j++) {
            int32_t from = work->place[row * work->width + j];
            if (from >= 0) dx[(size_t)from * work->width + j] += dy[row * work->stride + j];
        }
}

// ---- passes

static void forward(const seq_node *node, seq_pass *pass) {
    work work = work_of(node, pass);
    const float *x = seq_input(node, pass, 0)->values;
    float *y = seq_run(node, pass)->buffer;
    size_t half = work.width / 2;
    memset(y, 0, work.rows * work.stride * sizeof *y);
    switch (pooling_of(node)) {
    case SEQ_POOL_LAST:
        copy_end(&work, true, 0, work.width, x, y);
        break;
    case SEQ_POOL_ENDS:
        copy_end(&work, true, 0, half, x, y);
        copy_end(&work, false, half, half, x, y);
        break;
    case SEQ_POOL_MEAN:
        mean(&work, x, y);
        break;
    case SEQ_POOL_MAX_MEAN:
        mean(&work, x, y + work.width);
        max(&work, x, y);
        break;
    case SEQ_POOL_MAX:
        max(&work, x, y);
        break;
    }
}

static void backward(const seq_node *node, seq_pass *pass) {
    work work = work_of(node, pass);
    const float *dy = seq_run(node, pass)->gradient;
    float *dx = seq_input(node, pass, 0)->gradient;
    size_t half = work.width / 2;
    if (!dx) return;
    if (!seq_adds_input(node, 0)) memset(dx, 0, work.axis->rows * work.width * sizeof *dx);
    switch (pooling_of(node)) {
    case SEQ_POOL_LAST:
        add_end(&work, true, 0, work.width, dy, dx);
        break;
    case SEQ_POOL_ENDS:
        add_end(&work, true, 0, half, dy, dx);
        add_end(&work, false, half, half, dy, dx);
        break;
    case SEQ_POOL_MEAN:
        add_mean(&work, dy, dx);
        break;
    case SEQ_POOL_MAX_MEAN:
        add_mean(&work, dy + work.width, dx);
        add_max(&work, dy, dx);
        break;
    case SEQ_POOL_MAX:
        add_max(&work, dy, dx);
        break;
    }
}

const seq_layer_kind seq_layer_pool = {
    .node = {.name = "pool",
             .options = sizeof(seq_pool_options),
             .memory = sizeof(memory),
             .shape = shape,
             .plan = plan},
    .forward = forward,
    .backward = backward,
};
