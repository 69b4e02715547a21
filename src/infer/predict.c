// Items are sorted by length and cut into batches, which the threads of a team take one after the
// other, each with a workspace of its own. A workspace serves the largest batch so far; it is made
// anew for a larger one. Answers are written to the places of their items, so the order of work is
// not seen. Invariant: of an item's answers, no bit depends on its batch (packed rows, longest
// first). Tests: tests/unit/infer/test_predict.c, tests/cli/seqpredict.sh.
#include <seqtrain/infer/predict.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/item_batch.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_ROWS = 1 << 15,      // of the axis of lengths, unless one item has more
    BATCH_MARGINALS = 1 << 24, // rows x labels likewise
    BATCH_SEQUENCES = 1 << 12, // that are decoded side by side likewise
};

// A thread's own: buffers for batches within `limits`.
typedef struct worker {
    seq_limits limits; // zeros: none yet
    seq_workspace *workspace;
    seq_arena arena;
    seq_batch_room room;
    seq_item_packer packer;
    int64_t *numbers;
    int32_t *lengths[SEQ_AXES], *ids[SEQ_COLUMNS];
    float *values[SEQ_COLUMNS];
    seq_prediction answers;
    float *scores, *own; // (rows, classes) of a batch, and of one of its items
} worker;

// Arrays that grow with the items; see seq_predicted.
typedef struct answers {
    size_t *first_row;
    int *found;
    double *probability;
    int32_t *ids;
    float *values, *marginals;
    size_t capacity[6];
} answers;

struct seq_predictor {
    seq_predictor_config config;
    int axis, head_axis; // of the target; of the head
    int worker_count;
    worker *workers;
    answers answers;
    // Of the items that are being predicted.
    const seq_items *items;
    seq_item_table table;
    uint32_t *at[SEQ_AXES];
    size_t at_capacity[SEQ_AXES];
    int64_t *order; // by length, longest first
    size_t order_capacity;
    size_t *cuts; // (batches + 1): places in `order`
    size_t cut_capacity, batches;
    atomic_size_t next; // batch that no thread has taken
};

seq_status seq_predictor_create(const seq_predictor_config *config, seq_predictor **out,
                                seq_error *error) {
    seq_predictor *predictor = NULL;
    seq_status status = seq_allocate(&predictor, 1, sizeof *predictor, "predictions", error);
    if (status) return status;
    predictor->config = *config;
    predictor->axis = config->schema->fields[config->schema->target].axis;
    predictor->head_axis = seq_model_head_axis(config->model);
    predictor->worker_count = seq_team_size(config->team);
    status = seq_allocate(&predictor->workers, (size_t)predictor->worker_count,
                          sizeof *predictor->workers, "predictions", error);
    if (status)
        seq_predictor_destroy(predictor);
    else
        *out = predictor;
    return status;
}

static void clear_worker(worker *worker) {
    seq_workspace_destroy(worker->workspace);
    seq_arena_clear(&worker->arena);
    *worker = (struct worker){0};
}

void seq_predictor_destroy(seq_predictor *predictor) {
    if (!predictor) return;
    for (int i = 0; predictor->workers && i < predictor->worker_count; i++)
        clear_worker(&predictor->workers[i]);
    for (int axis = 0; axis < SEQ_AXES; axis++)
        free(predictor->at[axis]);
    const answers *answers = &predictor->answers;
    void *const blocks[] = {
        predictor->workers,   predictor->order, predictor->cuts, answers->first_row, answers->found,
        answers->probability, answers->ids,     answers->values, answers->marginals, predictor};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// ---- The plan of a call: where items begin, which batch has which.

static size_t rows_of(const seq_predictor *predictor, int axis, int64_t item) {
    return seq_item_rows(&predictor->table, axis, item);
}

static seq_status make_table(seq_predictor *predictor, seq_error *error) {
    const seq_schema *schema = predictor->config.schema;
    const seq_items *items = predictor->items;
    predictor->table = (seq_item_table){.items = items->count};
    for (int axis = 1; axis < schema->axis_count; axis++) {
        int parent = schema->axes[axis].parent;
        size_t sequence = 0;
        if (seq_grow(&predictor->at[axis], &predictor->at_capacity[axis], (size_t)items->count + 1,
                     sizeof *predictor->at[axis], "predictions", error))
            return error->status;
        uint32_t *at = predictor->at[axis], row = 0;
        for (int64_t i = 0; i < items->count; i++) {
            at[i] = row;
            for (size_t n = rows_of(predictor, parent, i); n > 0; n--)
                row += (uint32_t)items->lengths[axis][sequence++];
        }
        at[items->count] = row;
        predictor->table.at[axis] = at;
    }
    return SEQ_OK;
}

typedef struct keyed {
    uint32_t length;
    int64_t item;
} keyed;

static int by_length(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

static seq_status sort_items(seq_predictor *predictor, seq_error *error) {
    size_t count = (size_t)predictor->items->count;
    int axis = predictor->config.schema->length_axis;
    keyed *keys = NULL;
    seq_status status = seq_allocate(&keys, count, sizeof *keys, "predictions", error);
    if (!status)
        status = seq_grow(&predictor->order, &predictor->order_capacity, count,
                          sizeof *predictor->order, "predictions", error);
    for (size_t i = 0; !status && i < count; i++)
        keys[i] = (keyed){(uint32_t)rows_of(predictor, axis, (int64_t)i), (int64_t)i};
    if (!status) qsort(keys, count, sizeof *keys, by_length);
    for (size_t i = 0; !status && i < count; i++)
        predictor->order[i] = keys[i].item;
    free(keys);
    return status;
}

static seq_status cut_batches(seq_predictor *predictor, seq_error *error) {
    const seq_predictor_config *config = &predictor->config;
    size_t count = (size_t)predictor->items->count, most = BATCH_ROWS, rows = 0, begin = 0,
           batch = (size_t)config->batch;
    if (config->sequences && BATCH_SEQUENCES / (size_t)config->sequences < batch)
        batch = BATCH_SEQUENCES / (size_t)config->sequences;
    if ((config->marginals || config->search) && BATCH_MARGINALS / (size_t)config->classes < most)
        most = BATCH_MARGINALS / (size_t)config->classes;
    seq_status status = seq_grow(&predictor->cuts, &predictor->cut_capacity, count + 1,
                                 sizeof *predictor->cuts, "predictions", error);
    if (status) return status;
    predictor->batches = 0;
    for (size_t i = 0; i < count; i++) {
        size_t own = rows_of(predictor, config->schema->length_axis, predictor->order[i]);
        bool full = i - begin == (batch ? batch : 1) || (i > begin && rows + own > most);
        if (full || i == 0) {
            predictor->cuts[predictor->batches++] = begin = i;
            rows = 0;
        }
        rows += own;
    }
    predictor->cuts[predictor->batches] = count;
    return SEQ_OK;
}

// ---- Memory for the batches of this call.

static void widen(seq_axis_limit *limit, size_t sequences, size_t steps, size_t rows) {
    if ((size_t)limit->sequences < sequences) limit->sequences = (int)sequences;
    if ((size_t)limit->steps < steps) limit->steps = (int)steps;
    if (limit->rows < rows) limit->rows = rows;
}

static int32_t longest(const seq_predictor *predictor, int axis) {
    int parent = predictor->config.schema->axes[axis].parent;
    size_t sequences =
        parent ? predictor->at[parent][predictor->items->count] : (size_t)predictor->items->count;
    int32_t most = 1;
    for (size_t i = 0; i < sequences; i++)
        if (predictor->items->lengths[axis][i] > most) most = predictor->items->lengths[axis][i];
    return most;
}

static void add_pairs(const seq_schema *schema, seq_limits *limits) {
    for (int a = 1; a < schema->axis_count; a++)
        for (int b = 1; b < schema->axis_count; b++) {
            if (schema->axes[a].parent || schema->axes[b].parent) continue;
            limits->pairs[a][b] = limits->axes[a].rows * (size_t)limits->axes[b].steps;
            limits->longest_pair[a][b] =
                (size_t)limits->axes[a].steps * (size_t)limits->axes[b].steps;
        }
}

// The smallest limits that serve all batches, and those before.
static void find_limits(const seq_predictor *predictor, seq_limits *limits) {
    const seq_schema *schema = predictor->config.schema;
    int32_t steps[SEQ_AXES] = {1};
    for (int axis = 1; axis < schema->axis_count; axis++)
        steps[axis] = longest(predictor, axis);
    for (size_t batch = 0; batch < predictor->batches; batch++) {
        size_t begin = predictor->cuts[batch], end = predictor->cuts[batch + 1];
        size_t rows[SEQ_AXES] = {end - begin};
        for (int axis = 0; axis < schema->axis_count; axis++) {
            for (size_t i = begin; axis && i < end; i++)
                rows[axis] += rows_of(predictor, axis, predictor->order[i]);
            size_t sequences = axis ? rows[schema->axes[axis].parent] : end - begin;
            widen(&limits->axes[axis], sequences ? sequences : 1, (size_t)steps[axis],
                  rows[axis] ? rows[axis] : 1);
        }
        size_t decoded = (end - begin) * (size_t)predictor->config.sequences;
        if (decoded) widen(&limits->axes[predictor->head_axis], decoded, 1, decoded);
    }
    add_pairs(schema, limits);
}

static void take_answers(const seq_predictor *predictor, worker *worker) {
    const seq_predictor_config *config = &predictor->config;
    const seq_axis_limit *limit = &worker->limits.axes[predictor->axis];
    size_t best = (size_t)config->best, sequences = (size_t)limit->sequences;
    seq_arena *arena = &worker->arena;
    worker->answers = (seq_prediction){
        .best = config->best,
        .rows = limit->rows,
        .sequences = limit->sequences,
        .found = seq_arena_take(arena, sequences, sizeof(int)),
        .length = seq_arena_take(arena, best * sequences, sizeof(int32_t)),
        .score = seq_arena_take(arena, best * sequences, sizeof(double)),
        .probability = seq_arena_take(arena, best * sequences, sizeof(double)),
    };
    if (config->classes)
        worker->answers.ids = seq_arena_take(arena, best * limit->rows, sizeof(int32_t));
    else
        worker->answers.values = SEQ_ARENA_FLOATS(arena, best * limit->rows);
    if (config->marginals)
        worker->answers.marginals = SEQ_ARENA_FLOATS(arena, limit->rows * (size_t)config->classes);
}

static void take_scores(const seq_predictor *predictor, worker *worker) {
    const seq_predictor_config *config = &predictor->config;
    const seq_axis_limit *limit = &worker->limits.axes[predictor->head_axis];
    size_t classes = (size_t)config->classes;
    worker->scores = SEQ_ARENA_FLOATS(&worker->arena, limit->rows * classes);
    worker->own = SEQ_ARENA_FLOATS(&worker->arena, (size_t)limit->steps * classes);
}

static void take(const seq_predictor *predictor, worker *worker) {
    const seq_schema *schema = predictor->config.schema;
    const seq_axis_limit *limits = worker->limits.axes;
    seq_arena *arena = &worker->arena;
    int most = limits[0].sequences;
    worker->packer = (seq_item_packer){.schema = schema, .table = &predictor->table};
    seq_item_packer_take(&worker->packer, most, &worker->limits, arena);
    seq_batch_room_take(&worker->room, schema, &worker->limits, arena);
    worker->numbers = seq_arena_take(arena, (size_t)most, sizeof *worker->numbers);
    for (int axis = 1; axis < schema->axis_count; axis++)
        worker->lengths[axis] =
            seq_arena_take(arena, limits[schema->axes[axis].parent].rows, sizeof(int32_t));
    for (int f = 0; f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        size_t rows = limits[field->axis].rows;
        if (field->vocabulary >= 0)
            worker->ids[f] = seq_arena_take(arena, rows, sizeof(int32_t));
        else
            worker->values[f] = SEQ_ARENA_FLOATS(arena, rows * (size_t)field->width);
    }
    if (predictor->config.search)
        take_scores(predictor, worker);
    else if (!predictor->config.decode)
        take_answers(predictor, worker);
}

static seq_status prepare_worker(const seq_predictor *predictor, worker *worker, seq_error *error) {
    seq_limits needed = worker->limits;
    find_limits(predictor, &needed);
    if (memcmp(&needed, &worker->limits, sizeof needed) == 0) return SEQ_OK;
    clear_worker(worker);
    worker->limits = needed;
    seq_status status = seq_workspace_create(predictor->config.model, &needed, 1,
                                             SEQ_USE_EVALUATION, &worker->workspace, error);
    take(predictor, worker);
    if (!status) status = seq_arena_commit(&worker->arena, "a batch of predictions", error);
    if (!status) take(predictor, worker);
    if (status) clear_worker(worker);
    return status;
}

static seq_status prepare_answers(seq_predictor *predictor, seq_error *error) {
    const seq_predictor_config *config = &predictor->config;
    answers *answers = &predictor->answers;
    size_t items = (size_t)predictor->items->count, best = (size_t)config->best;
    seq_status status = seq_grow(&answers->first_row, &answers->capacity[0], items + 1,
                                 sizeof *answers->first_row, "predictions", error);
    if (status) return status;
    answers->first_row[0] = 0;
    for (size_t i = 0; i < items; i++)
        answers->first_row[i + 1] =
            answers->first_row[i] + rows_of(predictor, predictor->axis, (int64_t)i);
    size_t rows = answers->first_row[items];
    struct {
        void *array;
        size_t count, size;
    } const wanted[] = {
        {&answers->found, items, sizeof *answers->found},
        {&answers->probability, items * best, sizeof *answers->probability},
        {&answers->ids, config->classes ? rows * best : 0, sizeof *answers->ids},
        {&answers->values, config->classes ? 0 : rows, sizeof *answers->values},
        {&answers->marginals, config->marginals ? rows : 0, sizeof *answers->marginals},
    };
    for (size_t i = 0; !status && i < sizeof wanted / sizeof *wanted; i++)
        if (wanted[i].count)
            status = seq_grow(wanted[i].array, &answers->capacity[i + 1], wanted[i].count,
                              wanted[i].size, "predictions", error);
    return status;
}

// ---- A batch.

// Appends a field of an item to the worker's column, whose row `to` it begins in; a target that is
// not given is missing.
static void copy_field(const seq_predictor *predictor, worker *worker, int f, int64_t item,
                       size_t to) {
    const seq_field *field = &predictor->config.schema->fields[f];
    const seq_items *from = predictor->items;
    size_t width = (size_t)field->width, count = rows_of(predictor, field->axis, item);
    size_t first = field->axis ? predictor->at[field->axis][item] : (size_t)item;
    bool target = f == predictor->config.schema->target && !predictor->config.given,
         ids = field->vocabulary >= 0;
    for (size_t k = to; target && k < to + count; k++)
        if (ids)
            worker->ids[f][k] = SEQ_NO_ID;
        else
            worker->values[f][k] = NAN;
    if (!target && count && ids)
        memcpy(worker->ids[f] + to, from->ids[f] + first, count * sizeof(int32_t));
    if (!target && count && !ids)
        memcpy(worker->values[f] + to * width, from->values[f] + first * width,
               count * width * sizeof(float));
}

// The chosen items, one after the other.
static void gather(const seq_predictor *predictor, worker *worker, size_t count, seq_items *out) {
    const seq_schema *schema = predictor->config.schema;
    size_t rows[SEQ_AXES] = {0};
    *out = (seq_items){.count = (int64_t)count};
    for (size_t i = 0; i < count; i++) {
        int64_t item = worker->numbers[i];
        for (int axis = 1; axis < schema->axis_count; axis++) {
            int parent = schema->axes[axis].parent;
            size_t first = parent ? predictor->at[parent][item] : (size_t)item,
                   sequences = rows_of(predictor, parent, item);
            if (sequences)
                memcpy(worker->lengths[axis] + rows[parent],
                       predictor->items->lengths[axis] + first, sequences * sizeof(int32_t));
        }
        for (int f = 0; f < schema->field_count; f++)
            copy_field(predictor, worker, f, item, rows[schema->fields[f].axis]);
        for (int axis = 0; axis < schema->axis_count; axis++)
            rows[axis] += rows_of(predictor, axis, item);
    }
    memcpy(out->rows, rows, sizeof rows);
    for (int axis = 0; axis < SEQ_AXES; axis++)
        out->lengths[axis] = worker->lengths[axis];
    for (int f = 0; f < SEQ_COLUMNS; f++) {
        out->ids[f] = worker->ids[f];
        out->values[f] = worker->values[f];
    }
}

static float in_units(const seq_field *field, float value) {
    return field->mean ? (float)((double)value * *field->deviation + *field->mean) : value;
}

// Answers of sequence b of the target's axis, to the places of `item`.
static void scatter(seq_predictor *predictor, const seq_prediction *from, int b, int64_t item) {
    const seq_predictor_config *config = &predictor->config;
    const seq_field *field = &config->schema->fields[config->schema->target];
    answers *to = &predictor->answers;
    size_t first = to->first_row[item], count = to->first_row[item + 1] - first,
           rows = to->first_row[predictor->items->count];
    int found = from->found[b] < config->best ? from->found[b] : config->best;
    for (int k = 0; k < found; k++) {
        double probability = from->probability[(size_t)k * (size_t)from->sequences + (size_t)b];
        to->probability[(size_t)item * (size_t)config->best + (size_t)k] = probability;
        if (config->classes && !isfinite(probability)) found = k;
    }
    for (size_t t = 0; t < count; t++) {
        size_t row = from->axis->first_row[t] + (size_t)b, place = first + t;
        for (int k = 0; config->classes && k < found; k++)
            to->ids[(size_t)k * rows + place] = from->ids[(size_t)k * from->rows + row];
        if (!config->classes) {
            to->values[place] = in_units(field, from->values[row]);
            if (!isfinite(to->values[place])) found = 0;
        }
        if (config->marginals && found)
            to->marginals[place] =
                from->marginals[row * (size_t)config->classes + (size_t)to->ids[place]];
    }
    to->found[item] = found;
}

// Hands the scores of each item on, row behind row.
static void hand_on(const seq_predictor *predictor, worker *worker, const seq_feed *feed) {
    const seq_predictor_config *config = &predictor->config;
    const seq_axis *axis = &feed->batch->axes[predictor->head_axis];
    size_t classes = (size_t)config->classes;
    seq_model_scores(config->model, worker->workspace, config->weights, feed, 0, axis->rows,
                     worker->scores);
    for (int b = 0; b < axis->sequences; b++) {
        size_t rows = 0;
        for (; rows < (size_t)axis->steps && b < axis->rows_at[rows]; rows++)
            memcpy(worker->own + rows * classes,
                   worker->scores + (axis->first_row[rows] + (size_t)b) * classes,
                   classes * sizeof(float));
        config->search(config->search_context, (int)(worker - predictor->workers),
                       worker->numbers[axis->of[b]], worker->own, rows);
    }
}

static void run_batch(seq_predictor *predictor, worker *worker, size_t batch) {
    const seq_predictor_config *config = &predictor->config;
    size_t begin = predictor->cuts[batch], count = predictor->cuts[batch + 1] - begin;
    seq_items items;
    seq_batch packed = {.divisor = 1};
    memcpy(worker->numbers, predictor->order + begin, count * sizeof *worker->numbers);
    gather(predictor, worker, count, &items);
    seq_item_pack(&worker->packer, &items, worker->numbers, &worker->room, &packed);
    const seq_feed feed = {.batch = &packed};
    if (config->decode) {
        config->decode(config->search_context, (int)(worker - predictor->workers),
                       worker->workspace, &packed, worker->numbers);
        return;
    }
    seq_model_forward(config->model, worker->workspace, config->weights, &feed);
    if (config->search) {
        hand_on(predictor, worker, &feed);
        return;
    }
    seq_model_predict(config->model, worker->workspace, config->weights, &feed, &worker->answers);
    for (int b = 0; b < worker->answers.axis->sequences; b++)
        scatter(predictor, &worker->answers, b,
                worker->numbers[predictor->axis ? worker->answers.axis->of[b] : b]);
}

static void run_batches(void *context, int part, int parts) {
    seq_predictor *predictor = context;
    (void)parts;
    for (size_t batch; (batch = atomic_fetch_add(&predictor->next, 1)) < predictor->batches;)
        run_batch(predictor, &predictor->workers[part], batch);
}

seq_status seq_predict(seq_predictor *predictor, const seq_items *items, seq_predicted *out,
                       seq_error *error) {
    const answers *answers = &predictor->answers;
    predictor->items = items;
    seq_status status = make_table(predictor, error);
    if (!status) status = sort_items(predictor, error);
    if (!status) status = cut_batches(predictor, error);
    bool answers_here = !predictor->config.search && !predictor->config.decode;
    if (!status && answers_here) status = prepare_answers(predictor, error);
    bool alone = predictor->batches == 1; // the caller's thread does it
    for (int i = 0; !status && i < (alone ? 1 : predictor->worker_count); i++)
        status = prepare_worker(predictor, &predictor->workers[i], error);
    if (status) return status;
    atomic_store(&predictor->next, 0);
    seq_team_run(alone ? NULL : predictor->config.team, run_batches, predictor);
    if (!answers_here) return SEQ_OK;
    *out = (seq_predicted){.rows = answers->first_row[items->count],
                           .first_row = answers->first_row,
                           .found = answers->found,
                           .probability = answers->probability,
                           .ids = predictor->config.classes ? answers->ids : NULL,
                           .values = predictor->config.classes ? NULL : answers->values,
                           .marginals = predictor->config.marginals ? answers->marginals : NULL};
    return SEQ_OK;
}
