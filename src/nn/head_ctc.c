// ctc: scores of symbols are a product of the rows; connectionist temporal classification (ctc.c)
// gives the loss of an example's labels, which lie on an axis of their own, and the best path gives
// the prediction. Invariant: an item is one thread's, and losses are added in the order of items. A
// loss that is not finite makes the item's gradient NaN: nothing hides it. Test:
// tests/unit/nn/test_heads.c; the arithmetic: tests/unit/nn/test_ctc.c.
#include <seqtrain/nn/ctc.h>
#include "projection.h"
#include <math.h>
#include <string.h>

// What is found of an item.
typedef struct found {
    double loss;
    int32_t labels; // that count; -1: the item does not
    int32_t blanks; // frames
    bool right;     // the best path says the labels
} found;

// A thread's own.
typedef struct part {
    void *room;   // of seq_ctc_bytes
    int32_t *ids; // labels of an item
} part;

typedef struct memory {
    float *scores;            // (N, K); in training, their gradient
    found *items;             // (B)
    int32_t *frames, *labels; // (B): lengths on the axis of the rows and on that of the labels
    part *parts;              // one a thread
    float *row;               // (K)
    void *packed_rows;        // of input 0
} memory;

static size_t symbols_of(const seq_node *node) {
    return (size_t)node->shape.width;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    if (node->input_count != 2 || inputs[0].width < 1 || inputs[1].ids < 2 ||
        inputs[0].axis == inputs[1].axis)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a head ctc reads rows, and a column of labels on another axis, with "
                             "a blank and one symbol more at least");
    out->width = inputs[1].ids;
    out->looks_ahead |= 1U << out->axis;
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    seq_projection_list(list, node->input_shapes[1].ids, node->input_shapes[0].width, true);
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

// Room for the gradient, and for the loss of what the best path says.
static void take_part(const seq_node *node, const seq_limits *limits, bool training, part *out,
                      seq_arena *arena) {
    int frames_axis = node->shape.axis, labels_axis = node->input_shapes[1].axis;
    size_t frames = (size_t)limits->axes[frames_axis].steps;
    size_t labels = (size_t)limits->axes[labels_axis].steps;
    size_t bytes = seq_ctc_bytes(SEQ_CTC_LOSS, frames, symbols_of(node), larger(frames, labels), 0);
    if (training)
        bytes = larger(bytes, seq_ctc_bytes(SEQ_CTC_GRADIENT, frames, symbols_of(node), labels,
                                            limits->longest_pair[frames_axis][labels_axis]));
    part own = {.room = seq_arena_take(arena, 1, bytes),
                .ids = seq_arena_take(arena, larger(frames, labels), sizeof(int32_t))};
    if (out) *out = own;
}

// Memory with pointers is kept: other nodes may not write to it between passes.
static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    const seq_axis_limit *rows = &limits->axes[node->shape.axis];
    const seq_axis_limit *labels = &limits->axes[node->input_shapes[1].axis];
    int threads = seq_team_size(node->compute->team);
    memory->scores = SEQ_ARENA_FLOATS(scratch, rows->rows * symbols_of(node));
    memory->items = seq_arena_take(scratch, (size_t)rows->sequences, sizeof *memory->items);
    memory->frames = seq_arena_take(scratch, (size_t)rows->sequences, sizeof(int32_t));
    memory->labels = seq_arena_take(scratch, (size_t)labels->sequences, sizeof(int32_t));
    memory->row = SEQ_ARENA_FLOATS(scratch, symbols_of(node));
    memory->parts = seq_arena_take(kept, (size_t)threads, sizeof *memory->parts);
    for (int i = 0; i < threads; i++)
        take_part(node, limits, training, memory->parts ? &memory->parts[i] : NULL, scratch);
    if (training) memory->packed_rows = seq_projection_take(node, limits, scratch);
}

static void find_lengths(const seq_axis *axis, int32_t *lengths) {
    int32_t length = axis->steps;
    for (int b = 0; b < axis->sequences; b++) {
        while (length > 0 && axis->rows_at[length - 1] <= b)
            length--;
        lengths[b] = length;
    }
}

// A batch, shared by the team.
typedef struct work {
    const memory *memory;
    const seq_axis *axis, *labels_axis;
    const int32_t *targets;
    size_t symbols; // K
    bool training;
    double scale;
    seq_prediction *out;
} work;

// Fills the scores, too.
static work begin(const seq_node *node, seq_pass *pass) {
    const memory *memory = seq_run(node, pass)->memory;
    work work = {.memory = memory,
                 .axis = seq_node_axis(node, pass),
                 .labels_axis = seq_input_axis(node, pass, 1),
                 .targets = seq_input(node, pass, 1)->ids,
                 .symbols = symbols_of(node)};
    find_lengths(work.axis, memory->frames);
    find_lengths(work.labels_axis, memory->labels);
    seq_projection_forward(node, pass, true, memory->scores);
    return work;
}

static float *scores_at(const work *work, int b, int32_t t) {
    return work->memory->scores + (work->axis->first_row[t] + (size_t)b) * work->symbols;
}

// The likeliest symbol, of equal ones the first.
static int32_t likeliest(const work *work, int b, int32_t t) {
    const float *scores = scores_at(work, b, t);
    size_t best = 0;
    for (size_t k = 1; k < work->symbols; k++)
        best = scores[k] > scores[best] ? k : best;
    return (int32_t)best;
}

// Item b with its labels, gathered into the part's ids.
static seq_ctc_item gather(const work *work, int b, const part *part) {
    const seq_axis *labels = work->labels_axis;
    int own = labels->at[work->axis->of[b]];
    int32_t count = work->memory->labels[own];
    for (int32_t u = 0; u < count; u++)
        part->ids[u] = work->targets[labels->first_row[u] + (size_t)own];
    return (seq_ctc_item){.frames = (size_t)work->memory->frames[b],
                          .symbols = work->symbols,
                          .labels = (size_t)count,
                          .logits = work->memory->scores + (size_t)b * work->symbols,
                          .rows = work->axis->first_row,
                          .ids = part->ids};
}

static bool counts(const seq_ctc_item *item) {
    for (size_t u = 0; u < item->labels; u++)
        if (item->ids[u] == SEQ_NO_ID) return false;
    return true;
}

// Of the best path: how many frames are blank, and whether it says the item's labels.
static void follow_best_path(const work *work, int b, const seq_ctc_item *item, found *out) {
    int32_t before = SEQ_CTC_BLANK;
    size_t said = 0;
    out->right = true;
    for (int32_t t = 0; t < (int32_t)item->frames; t++) {
        int32_t symbol = likeliest(work, b, t);
        out->blanks += symbol == SEQ_CTC_BLANK;
        if (symbol != SEQ_CTC_BLANK && symbol != before) {
            out->right &= said < item->labels && item->ids[said] == symbol;
            said++;
        }
        before = symbol;
    }
    out->right &= said == item->labels;
}

static void lose_item(const work *work, int b, const part *part) {
    seq_ctc_item item = gather(work, b, part);
    found *found = &work->memory->items[b];
    *found = (struct found){.labels = (int32_t)item.labels};
    follow_best_path(work, b, &item, found);
    if (!counts(&item)) {
        found->labels = -1;
        for (int32_t t = 0; work->training && t < (int32_t)item.frames; t++)
            memset(scores_at(work, b, t), 0, work->symbols * sizeof(float));
    } else if (work->training) {
        float *gradient = work->memory->scores + (size_t)b * work->symbols;
        found->loss = seq_ctc_gradient(&item, work->scale, gradient, part->room);
    } else {
        found->loss = seq_ctc_loss(&item, part->room);
    }
}

// Sequences are longest first: dealt in turn, threads get about the same.
static void lose_items(void *context, int part, int parts) {
    const work *work = context;
    for (int b = part; b < work->axis->sequences; b += parts)
        lose_item(work, b, &work->memory->parts[part]);
}

static seq_loss lose(const seq_node *node, work *work) {
    const seq_axis *axis = work->axis;
    seq_loss total = {.frames = (int64_t)axis->rows};
    seq_team_run(node->compute->team, lose_items, work);
    for (int b = 0; b < axis->sequences; b++) {
        const found *found = &work->memory->items[b];
        total.blanks += found->blanks;
        if (found->labels < 0) continue;
        total.sum += found->loss;
        total.count += found->labels;
        total.correct += !work->training && found->right ? found->labels : 0;
        if (!isfinite(found->loss) && !total.bad) total.bad = 1 + axis->number[b];
    }
    return total;
}

static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    work work = begin(node, pass);
    work.training = true;
    work.scale = scale;
    seq_loss loss = lose(node, &work);
    seq_projection_backward(node, pass, true, work.memory->scores, work.memory->packed_rows);
    return loss;
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    work work = begin(node, pass);
    const seq_axis *axis = work.axis;
    seq_loss loss = lose(node, &work);
    if (losses && losses->of_row) memset(losses->of_row, 0, axis->rows * sizeof(float));
    for (int b = 0; losses && b < axis->sequences; b++) {
        double own = work.memory->items[b].loss;
        if (losses->of_sequence) losses->of_sequence[b] = own;
        if (losses->of_row && axis->last_row[b] >= 0)
            losses->of_row[axis->last_row[b]] = -(float)own;
    }
    return loss;
}

static void scores(const seq_node *node, seq_pass *pass, size_t first, size_t rows, float *scores) {
    const memory *memory = seq_run(node, pass)->memory;
    size_t symbols = symbols_of(node), units = (size_t)node->input_shapes[0].width;
    seq_compute_rows(node->compute, rows, units, symbols,
                     seq_input(node, pass, 0)->values + first * units, seq_packed(node, pass, 0),
                     seq_parameter_values(node, pass, 1), scores);
    for (size_t row = 0; row < rows; row++) {
        float log_sum, *own = scores + row * symbols;
        memcpy(memory->row, own, symbols * sizeof(float));
        node->compute->kernels->softmax(memory->row, 1, symbols, symbols, &log_sum);
        for (size_t k = 0; k < symbols; k++)
            own[k] -= log_sum;
    }
}

// The best path without its blanks and repeats. An entry's time is the last frame of its run.
static int32_t collapse(const work *work, int b, int32_t *ids) {
    seq_prediction *out = work->out;
    int32_t before = SEQ_CTC_BLANK, count = 0;
    for (int32_t t = 0; t < work->memory->frames[b]; t++) {
        int32_t symbol = likeliest(work, b, t);
        if (symbol != SEQ_CTC_BLANK) {
            count += symbol != before;
            size_t row = work->axis->first_row[count - 1] + (size_t)b;
            ids[count - 1] = out->ids[row] = symbol;
            if (out->times) out->times[row] = t;
        }
        before = symbol;
    }
    return count;
}

static void predict_items(void *context, int part, int parts) {
    const work *work = context;
    const struct part *own = &work->memory->parts[part];
    for (int b = part; b < work->axis->sequences; b += parts) {
        seq_ctc_item item = gather(work, b, own);
        work->out->length[b] = collapse(work, b, own->ids);
        item.labels = (size_t)work->out->length[b];
        work->out->score[b] = -seq_ctc_loss(&item, own->room);
        work->out->probability[b] = exp(work->out->score[b]);
    }
}

static void predict(const seq_node *node, seq_pass *pass, seq_prediction *out) {
    work work = begin(node, pass);
    float log_sum;
    work.out = out;
    seq_projection_begin_values(node, pass, out);
    seq_team_run(node->compute->team, predict_items, &work);
    if (!out->marginals) return;
    memcpy(out->marginals, work.memory->scores, work.axis->rows * work.symbols * sizeof(float));
    for (size_t row = 0; row < work.axis->rows; row++)
        node->compute->kernels->softmax(out->marginals + row * work.symbols, 1, work.symbols,
                                        work.symbols, &log_sum);
}

// A guess's loss grows with the frames of a label, which no model knows.
static double chance(const seq_node *node) {
    (void)node;
    return INFINITY;
}

const seq_head_kind seq_head_ctc = {
    .node = {.name = "ctc",
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .unit = "nats",
    .train = train,
    .evaluate = evaluate,
    .scores = scores,
    .predict = predict,
    .chance = chance,
};
