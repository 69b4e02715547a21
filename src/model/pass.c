// Runs the nodes: forward in order, backward in reverse. Each public function
// sets the floating-point arithmetic and restores the caller's. Invariant: when
// a node's backward has ended, the gradient of the parameters that lie with it
// is final, so the flat vector becomes final from its end to its beginning.
// Tests: tests/unit/model/test_passes.c, tests/unit/model/test_gradient.c,
// tests/unit/model/test_graph.c, tests/unit/model/test_decoder.c,
// tests/golden/test_models.c.
#include "model_private.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/random.h>
#include <string.h>

// Nodes that run: all, or those that do not depend on the head's axis, or the others.
typedef enum part { WHOLE, ONCE, STEPPED } part;

static bool takes_part(const seq_model *model, int node, part part) {
    return part == WHOLE || model->plans[node].stepped == (part == STEPPED);
}

static seq_pass begin(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                      const seq_feed *feed, part part) {
    seq_pass pass = {
        .batch = feed->batch,
        .seed = feed->seed,
        .step = feed->step,
        .parameters = weights->parameters,
        .packed = weights->packed,
        .packed_for_training = weights->use == SEQ_USE_TRAINING,
        .runs = workspace->runs,
    };
    for (int i = 0; i < model->count; i++) {
        if (!takes_part(model, i, part)) continue;
        const seq_node *node = &model->nodes[i];
        seq_node_run *run = &workspace->runs[i];
        const seq_axis_limit *limit = &workspace->limits.axes[node->shape.axis];
        const seq_axis *axis = &feed->batch->axes[node->shape.axis];
        assert(axis->rows <= limit->rows && axis->sequences <= limit->sequences);
        (void)limit;
        (void)axis;
        run->values = run->buffer;
        run->state_before = run->state_after = NULL;
        run->drawn = workspace->drawn[feed->replica * model->count + i];
        if (node->column < 0) continue;
        run->ids = feed->batch->columns[node->column].ids;
        run->values = feed->batch->columns[node->column].values;
    }
    return pass;
}

// Node by node, block by block: what a sequence of the head's axis carries.
static void connect_states(const seq_model *model, seq_pass *pass, const float *before,
                           float *after) {
    const seq_axis *axis = seq_node_axis(&model->nodes[model->head], pass);
    size_t at = 0;
    for (int i = 0; i < model->count; i++) {
        size_t width = seq_model_state_width(model, i);
        if (!width) continue;
        pass->runs[i].state_before = before ? before + at : NULL;
        pass->runs[i].state_after = after ? after + at : NULL;
        at += width * (size_t)axis->sequences;
    }
}

static void forward(const seq_model *model, seq_pass *pass, part part) {
    for (int i = 0; i < model->head; i++) {
        const seq_layer_kind *layer = model->nodes[i].layer;
        if (layer && layer->begin && part != STEPPED) layer->begin(&model->nodes[i], pass);
        if (layer && takes_part(model, i, part)) layer->forward(&model->nodes[i], pass);
    }
}

static void backward(const seq_model *model, seq_pass *pass, const seq_feed *feed) {
    size_t end = model->table.size;
    for (int i = model->head; i >= 0; i--) {
        const seq_node *node = &model->nodes[i];
        const seq_node_plan *plan = &model->plans[i];
        if (node->layer && plan->wanted) node->layer->backward(node, pass);
        if (!plan->has_part) continue;
        if (feed->ready) feed->ready(feed->ready_context, plan->part_begin, end);
        end = plan->part_begin;
    }
}

// The head's gradient, on top of a forward pass.
static seq_loss differentiate(const seq_model *model, seq_pass *pass, double scale) {
    const seq_node *head = &model->nodes[model->head];
    for (int i = 0; i < model->count; i++) {
        const seq_node_kind *kind = seq_kind_of(&model->nodes[i]);
        if (kind && kind->clear) kind->clear(&model->nodes[i], pass);
    }
    return head->head->train(head, pass, scale);
}

static void touch(const seq_model *model, seq_pass *pass, seq_rows_mark *mark, void *context) {
    for (int i = 0; i < model->count; i++) {
        const seq_node_kind *kind = seq_kind_of(&model->nodes[i]);
        if (kind && kind->touched) kind->touched(&model->nodes[i], pass, mark, context);
    }
}

void seq_model_touched(const seq_model *model, seq_workspace *workspace, const seq_feed *feed,
                       seq_rows_mark *mark, void *context) {
    seq_pass pass = begin(model, workspace, &(seq_weights){0}, feed, WHOLE);
    touch(model, &pass, mark, context);
}

static void ignore(void *context, int parameter, int32_t row) {
    (void)context;
    (void)parameter;
    (void)row;
}

// The likeliest word of each row.
static void choose_words(const seq_model *model, const seq_workspace *workspace, seq_pass *pass) {
    const seq_node *head = &model->nodes[model->head];
    size_t rows = seq_node_axis(head, pass)->rows,
           words = (size_t)model->nodes[head->inputs[1]].shape.ids;
    for (size_t first = 0; first < rows; first += SEQ_OWN_ROWS) {
        size_t count = rows - first < SEQ_OWN_ROWS ? rows - first : SEQ_OWN_ROWS;
        head->head->scores(head, pass, first, count, workspace->own_scores);
        for (size_t i = 0; i < count; i++) {
            const float *scores = workspace->own_scores + i * words;
            size_t best = 0;
            for (size_t j = 1; j < words; j++)
                if (scores[j] > scores[best]) best = j;
            workspace->own_words[first + i] = (int32_t)best;
        }
    }
}

// The words that the second pass reads: of its own, those chosen one place before.
static void mix_words(const seq_model *model, seq_workspace *workspace, seq_pass *pass) {
    const seq_axis *axis = seq_node_axis(&model->nodes[model->head], pass);
    seq_node_run *before = &workspace->runs[model->graph->own_words];
    const seq_random_key key = {pass->seed, SEQ_RANDOM_OWN_WORDS};
    int32_t *out = workspace->own_words;
    choose_words(model, workspace, pass);
    for (int t = axis->steps - 1; t >= 0; t--)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = axis->first_row[t] + (size_t)b;
            uint32_t coin[4];
            seq_random_words(key, pass->step, (uint32_t)axis->number[b], (uint32_t)t, coin);
            bool own = t > 0 && seq_random_unit_double(coin[0], coin[1]) < model->graph->own_share;
            out[row] = own ? out[axis->first_row[t - 1] + (size_t)b] : before->ids[row];
        }
    before->ids = out;
}

seq_loss seq_model_train(const seq_model *model, seq_workspace *workspace,
                         const seq_weights *weights, const seq_feed *feed, double scale,
                         float *gradient) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = begin(model, workspace, weights, feed, WHOLE);
    connect_states(model, &pass, feed->state, feed->state);
    pass.training = pass.dropping = true;
    pass.gradient = gradient;
    if (!feed->touched) touch(model, &pass, ignore, NULL);
    forward(model, &pass, WHOLE);
    if (model->graph->own_share > 0) {
        mix_words(model, workspace, &pass);
        forward(model, &pass, STEPPED);
    }
    seq_loss loss = differentiate(model, &pass, scale);
    backward(model, &pass, feed);
    seq_arithmetic_end(before);
    return loss;
}

void seq_model_forward(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                       const seq_feed *feed) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = begin(model, workspace, weights, feed, WHOLE);
    connect_states(model, &pass, feed->state, feed->state);
    forward(model, &pass, WHOLE);
    seq_arithmetic_end(before);
}

void seq_model_begin(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                     const seq_feed *feed) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = begin(model, workspace, weights, feed, ONCE);
    forward(model, &pass, ONCE);
    seq_arithmetic_end(before);
}

void seq_model_step(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                    const seq_feed *feed) {
    const seq_axis *axis = &feed->batch->axes[model->nodes[model->head].shape.axis];
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = begin(model, workspace, weights, feed, STEPPED);
    assert(axis->steps <= 1);
    connect_states(model, &pass, axis->continues ? feed->state : NULL, feed->state);
    forward(model, &pass, STEPPED);
    seq_arithmetic_end(before);
}

const float *seq_model_attention(const seq_model *model, const seq_workspace *workspace,
                                 int sequence, int *out_length) {
    *out_length = 0;
    for (int i = model->head - 1; i >= 0; i--) {
        const seq_layer_kind *layer = model->nodes[i].layer;
        if (layer && layer->attention && model->plans[i].stepped)
            return layer->attention(&workspace->runs[i], sequence, out_length);
    }
    return NULL;
}

seq_loss seq_model_evaluate(const seq_model *model, seq_workspace *workspace,
                            const seq_weights *weights, const seq_feed *feed,
                            const seq_losses *losses) {
    const seq_node *head = &model->nodes[model->head];
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = begin(model, workspace, weights, feed, WHOLE);
    connect_states(model, &pass, feed->state, feed->state);
    forward(model, &pass, WHOLE);
    seq_loss loss = head->head->evaluate(head, &pass, losses);
    seq_arithmetic_end(before);
    return loss;
}

// A pass over the same batch, whose values are there.
static seq_pass again(const seq_workspace *workspace, const seq_weights *weights,
                      const seq_feed *feed) {
    return (seq_pass){
        .batch = feed->batch,
        .parameters = weights->parameters,
        .packed = weights->packed,
        .packed_for_training = weights->use == SEQ_USE_TRAINING,
        .runs = workspace->runs,
    };
}

void seq_model_scores(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                      const seq_feed *feed, size_t first, size_t rows, float *scores) {
    const seq_node *head = &model->nodes[model->head];
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = again(workspace, weights, feed);
    head->head->scores(head, &pass, first, rows, scores);
    seq_arithmetic_end(before);
}

void seq_model_predict(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                       const seq_feed *feed, seq_prediction *out) {
    const seq_node *head = &model->nodes[model->head];
    seq_arithmetic before = seq_arithmetic_begin();
    seq_pass pass = again(workspace, weights, feed);
    head->head->predict(head, &pass, out);
    seq_arithmetic_end(before);
}

void seq_model_gradient_flow(const seq_model *model, seq_workspace *workspace,
                             const seq_weights *weights, const seq_feed *feed,
                             float *gradient_scratch, double *squares) {
    const seq_node *head = &model->nodes[model->head];
    const seq_axis *axis = &feed->batch->axes[head->shape.axis];
    int targets = model->nodes[head->inputs[1]].column;
    seq_batch batch = *feed->batch;
    seq_feed last = *feed;
    seq_arithmetic before = seq_arithmetic_begin();
    for (size_t row = 0; row < axis->rows; row++)
        workspace->last_targets[row] = row < axis->first_row[axis->steps - 1]
                                           ? SEQ_NO_ID
                                           : feed->batch->columns[targets].ids[row];
    batch.columns[targets].ids = workspace->last_targets;
    last.batch = &batch;
    last.ready = NULL;
    seq_pass pass = begin(model, workspace, weights, &last, WHOLE);
    connect_states(model, &pass, feed->state, NULL);
    pass.training = true;
    pass.gradient = gradient_scratch;
    pass.squares = squares;
    touch(model, &pass, ignore, NULL);
    forward(model, &pass, WHOLE);
    differentiate(model, &pass, 1);
    backward(model, &pass, &last);
    seq_arithmetic_end(before);
}
