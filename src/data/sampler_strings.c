// Strings in place of items: buckets with --strings, in training. A plan cuts
// the recordings anew each epoch (join.c); strings are sorted by length, cut
// into steps of R x B, and the steps are shuffled. Those of a step are dealt to
// replicas longest first, forth and back. Positions are recordings, each read
// once an epoch, and coverage is taken of them as they are stored; lengths of
// strings follow from the plan, without reading. Invariant: steps and limits do
// not depend on the epoch. Test: tests/unit/data/test_strings.c.
#include "items_private.h"
#include "sampler_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/data/join.h>
#include <stdlib.h>
#include <string.h>

typedef struct keyed {
    uint32_t length, string;
} keyed;

typedef struct strings {
    struct seq_sampler base;
    const seq_schema *schema;
    const seq_item_table *table; // of the recordings
    int axis;                    // of the frames
    int64_t step_count;
    seq_join_plan plan;
    // Of the epoch that was asked for last: the strings as items.
    struct order {
        int64_t epoch; // -1: none
        seq_item_table table;
        uint32_t *at[SEQ_AXES]; // (strings + 1)
        int32_t *counted;       // (strings)
        keyed *sorted;          // (strings): longest first
        int64_t *steps;         // (step_count): which cut a step is
    } * order;
    seq_arena scratch;
    seq_joiner *maker;
    seq_items_room room;
    seq_item_packer packer;
    int64_t *numbers, *recordings; // (B), (B x most)
    seq_joined *chosen;            // (B)
} strings;

// ---- The plan of an epoch

static int longest_first(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    return (x->string > y->string) - (x->string < y->string);
}

static int32_t counted_of(const strings *strings, int64_t item) {
    const seq_field *target = &strings->schema->fields[strings->schema->target];
    return strings->table->counted ? strings->table->counted[item]
                                   : (int32_t)seq_item_rows(strings->table, target->axis, item);
}

static void measure_string(const strings *strings, int64_t epoch, int64_t s) {
    const seq_sampler_settings *settings = &strings->base.settings;
    const seq_schema *schema = strings->schema;
    struct order *order = strings->order;
    uint32_t begin = strings->plan.begins[s], end = strings->plan.begins[s + 1], gaps = 0;
    for (uint32_t k = begin; k + 1 < end; k++)
        gaps +=
            (uint32_t)seq_join_gap(&settings->strings, settings->seed, epoch, s, (int)(k - begin));
    for (int axis = 1; axis < schema->axis_count; axis++) {
        uint32_t rows = axis == strings->axis ? gaps : 0;
        for (uint32_t k = begin; k < end; k++)
            rows += seq_item_rows(strings->table, axis, strings->plan.order[k]);
        order->at[axis][s + 1] = order->at[axis][s] + rows;
    }
    bool frames = schema->fields[schema->target].axis == strings->axis;
    order->counted[s] = frames ? (int32_t)gaps : 0; // the background is counted
    for (uint32_t k = begin; k < end; k++)
        order->counted[s] += counted_of(strings, strings->plan.order[k]);
}

static void shuffle(const strings *strings, int64_t epoch) {
    struct order *order = strings->order;
    for (int64_t i = 0; i < strings->step_count; i++)
        order->steps[i] = i;
    for (int64_t i = strings->step_count - 1; i > 0; i--) {
        uint32_t words[4];
        seq_random_words((seq_random_key){strings->base.settings.seed, SEQ_RANDOM_SHUFFLE},
                         (uint32_t)i, (uint32_t)epoch, 0, words);
        int64_t j = (int64_t)((uint64_t)words[0] * (uint64_t)(i + 1) >> 32), step = order->steps[i];
        order->steps[i] = order->steps[j];
        order->steps[j] = step;
    }
}

static void order_epoch(strings *strings, int64_t epoch) {
    struct order *order = strings->order;
    if (order->epoch == epoch) return;
    order->epoch = epoch;
    seq_join_plan_make(&strings->plan, epoch);
    for (int64_t s = 0; s < strings->plan.strings; s++) {
        measure_string(strings, epoch, s);
        const uint32_t *at = order->at[strings->schema->length_axis];
        order->sorted[s] = (keyed){at[s + 1] - at[s], (uint32_t)s};
    }
    qsort(order->sorted, (size_t)strings->plan.strings, sizeof *order->sorted, longest_first);
    shuffle(strings, epoch);
}

// Strings of a step, longest first.
static const keyed *find_step(const seq_sampler *sampler, int64_t epoch, int64_t step,
                              int64_t *out_count) {
    strings *strings = (struct strings *)sampler;
    order_epoch(strings, epoch);
    int64_t most = (int64_t)sampler->settings.replicas * sampler->settings.batch,
            first = strings->order->steps[step] * most;
    *out_count = strings->plan.strings - first < most ? strings->plan.strings - first : most;
    return strings->order->sorted + first;
}

// Strings of a replica, in the order of dealing.
static int64_t choose(const seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                      int64_t *out) {
    int64_t count, chosen = 0;
    const keyed *sorted = find_step(sampler, epoch, step, &count);
    for (int64_t j; (j = seq_dealt_place(chosen, replica, sampler->settings.replicas)) < count;)
        out[chosen++] = sorted[j].string;
    return chosen;
}

// ---- Limits, over all epochs

static int descending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

// Rows of the `count` longest recordings.
static size_t add_longest(const uint32_t *sorted, int64_t items, int64_t count) {
    size_t sum = 0;
    for (int64_t i = 0; i < count && i < items; i++)
        sum += sorted[i];
    return sum;
}

static void limit_pairs(strings *strings) {
    seq_limits *limits = &strings->base.limits;
    for (int a = 1; a < strings->schema->axis_count; a++)
        for (int b = 1; b < strings->schema->axis_count; b++) {
            limits->longest_pair[a][b] =
                (size_t)limits->axes[a].steps * (size_t)limits->axes[b].steps;
            limits->pairs[a][b] = limits->axes[a].rows * (size_t)limits->axes[b].steps;
        }
}

static seq_status make_limits(strings *strings, seq_error *error) {
    const seq_sampler_settings *settings = &strings->base.settings;
    int64_t items = strings->table->items, batch = settings->batch, most = settings->strings.most;
    seq_axis_limit *axes = strings->base.limits.axes;
    uint32_t *rows = NULL;
    int64_t a_replica = strings->plan.strings < batch ? strings->plan.strings : batch;
    seq_status status = seq_allocate(&rows, (size_t)items, sizeof *rows, "the plan", error);
    axes[0] = (seq_axis_limit){(int)a_replica, 1, (size_t)a_replica};
    for (int axis = 1; !status && axis < strings->schema->axis_count; axis++) {
        size_t gap = axis == strings->axis ? (size_t)settings->strings.gap_most : 0;
        for (int64_t i = 0; i < items; i++)
            rows[i] = seq_item_rows(strings->table, axis, i);
        qsort(rows, (size_t)items, sizeof *rows, descending);
        size_t steps = add_longest(rows, items, most) + (size_t)(most - 1) * gap;
        if (steps > INT32_MAX)
            status =
                seq_error_set(error, SEQ_BAD_INPUT, "--strings: a string may have %zu rows", steps);
        axes[axis] = (seq_axis_limit){.sequences = (int)a_replica,
                                      .steps = (int)steps,
                                      .rows = add_longest(rows, items, a_replica * most) +
                                              (size_t)(a_replica * (most - 1)) * gap};
        strings->base.mean_rows[axis] =
            ((double)strings->table->rows[axis] +
             (double)(items - strings->plan.strings) *
                 (axis == strings->axis
                      ? 0.5 * (settings->strings.gap_least + settings->strings.gap_most)
                      : 0)) /
            (double)strings->step_count;
    }
    strings->base.mean_rows[0] = (double)strings->plan.strings / (double)strings->step_count;
    if (!status) limit_pairs(strings);
    free(rows);
    return status;
}

// ---- Reading

static int64_t steps(const seq_sampler *sampler) {
    return ((const strings *)sampler)->step_count;
}

static bool full(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    int64_t count;
    find_step(sampler, epoch, step, &count);
    return count == (int64_t)sampler->settings.replicas * sampler->settings.batch;
}

static double divisor(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    const strings *strings = (const struct strings *)sampler;
    int64_t count;
    const keyed *sorted = find_step(sampler, epoch, step, &count);
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += sampler->settings.per_item ? 1 : strings->order->counted[sorted[i].string];
    return sum < 1 ? 1 : sum;
}

static void planned(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                    int replica, seq_sampler_range *range, void *context) {
    const seq_join_plan *plan = &((const strings *)sampler)->plan;
    for (int64_t step = from; step < to; step++) {
        int64_t count;
        const keyed *sorted = find_step(sampler, epoch, step, &count);
        for (int64_t round = 0, j;
             (j = seq_dealt_place(round, replica, sampler->settings.replicas)) < count; round++)
            for (uint32_t k = plan->begins[sorted[j].string];
                 k < plan->begins[sorted[j].string + 1]; k++)
                range(context, plan->order[k], (int64_t)plan->order[k] + 1);
    }
}

static seq_status read_strings(strings *strings, int64_t epoch, int64_t count, seq_items *out,
                               seq_coverage *covered, seq_error *error) {
    const seq_join_plan *plan = &strings->plan;
    int64_t recordings = 0;
    seq_items items;
    const uint32_t *begins;
    for (int64_t i = 0; i < count; i++) {
        int64_t s = strings->numbers[i];
        strings->chosen[i] =
            (seq_joined){s, recordings, (int64_t)plan->begins[s + 1] - plan->begins[s]};
        for (uint32_t k = plan->begins[s]; k < plan->begins[s + 1]; k++)
            strings->recordings[recordings++] = plan->order[k];
    }
    seq_status status =
        seq_dataset_read_chosen(strings->base.dataset, strings->base.settings.split,
                                strings->recordings, recordings, &strings->room, &items, error);
    if (status) return status;
    *covered = seq_items_cover(strings->schema, &items, strings->recordings);
    return seq_joiner_make(strings->maker, epoch, &items, strings->chosen, count, out, &begins,
                           error);
}

static seq_status read_batch(seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                             seq_batch *out, seq_error *error) {
    strings *strings = (struct strings *)sampler;
    seq_batch_room *room = seq_sampler_room(sampler, replica);
    seq_coverage covered = {0};
    seq_items items;
    *out = (seq_batch){.divisor = divisor(sampler, epoch, step), .draw_key = (uint32_t)replica};
    int64_t count = choose(sampler, epoch, step, replica, strings->numbers);
    seq_status status = read_strings(strings, epoch, count, &items, &covered, error);
    if (status) return status;
    seq_item_pack(&strings->packer, &items, strings->numbers, room, out);
    out->read = covered;
    seq_item_augment(sampler,
                     &(seq_packed_items){.packer = &strings->packer,
                                         .items = &items,
                                         .numbers = strings->numbers,
                                         .room = room,
                                         .epoch = epoch,
                                         .step = epoch * strings->step_count + step},
                     out);
    return SEQ_OK;
}

// ---- Life

static void destroy(seq_sampler *sampler) {
    strings *strings = (struct strings *)sampler;
    seq_joiner_destroy(strings->maker);
    seq_join_plan_clear(&strings->plan);
    seq_items_room_clear(&strings->room);
    seq_arena_clear(&strings->scratch);
    seq_sampler_free(sampler);
}

static void take(strings *strings) {
    seq_arena *arena = &strings->scratch;
    size_t count = (size_t)strings->plan.strings, batch = (size_t)strings->base.settings.batch,
           most = (size_t)strings->base.settings.strings.most;
    struct order *order = seq_arena_take(arena, 1, sizeof *order);
    uint32_t *at[SEQ_AXES] = {NULL};
    for (int axis = 1; axis < strings->schema->axis_count; axis++)
        at[axis] = seq_arena_take(arena, count + 1, sizeof **at);
    int32_t *counted = seq_arena_take(arena, count, sizeof *counted);
    keyed *sorted = seq_arena_take(arena, count, sizeof *sorted);
    int64_t *steps = seq_arena_take(arena, (size_t)strings->step_count, sizeof *steps);
    strings->numbers = seq_arena_take(arena, batch, sizeof(int64_t));
    strings->recordings = seq_arena_take(arena, batch * most, sizeof(int64_t));
    strings->chosen = seq_arena_take(arena, batch, sizeof *strings->chosen);
    strings->order = order;
    if (order) {
        *order = (struct order){.epoch = -1,
                                .table = {.items = strings->plan.strings, .counted = counted},
                                .counted = counted,
                                .sorted = sorted,
                                .steps = steps};
        memcpy(order->at, at, sizeof at);
        for (int axis = 0; axis < SEQ_AXES; axis++)
            order->table.at[axis] = at[axis];
    }
    strings->packer =
        (seq_item_packer){.schema = strings->schema, .table = order ? &order->table : NULL};
    seq_item_packer_take(&strings->packer, (int64_t)batch, &strings->base.limits, arena);
}

static seq_status make_plan(strings *strings, seq_error *error) {
    const seq_sampler_settings *settings = &strings->base.settings;
    int64_t items = strings->table->items, a_step = (int64_t)settings->replicas * settings->batch;
    int32_t *groups = NULL;
    int field = seq_schema_find_field(strings->schema, SEQ_GROUP_FIELD);
    seq_status status = SEQ_OK;
    if (field >= 0) status = seq_allocate(&groups, (size_t)items, sizeof *groups, "groups", error);
    if (!status && field >= 0)
        status =
            seq_dataset_read_labels(strings->base.dataset, settings->split, field, groups, error);
    if (!status)
        status = seq_join_plan_create(&strings->plan, items, groups, settings->strings.most,
                                      settings->seed, error);
    free(groups);
    if (status) return status;
    strings->step_count = (strings->plan.strings + a_step - 1) / a_step;
    status = make_limits(strings, error);
    if (!status) status = seq_sampler_take_rooms(&strings->base, error);
    if (status) return status;
    take(strings);
    status = seq_arena_commit(&strings->scratch, "the plan of strings", error);
    if (!status) take(strings);
    strings->base.bytes = strings->scratch.size + 12 * (uint64_t)items;
    return status;
}

static seq_status make_maker(strings *strings, seq_error *error) {
    const seq_sampler_settings *settings = &strings->base.settings;
    int tags = seq_join_tags(strings->schema);
    const seq_vocabulary *vocabulary =
        tags < 0 ? NULL
                 : seq_dataset_vocabulary_at(strings->base.dataset,
                                             strings->schema->fields[tags].vocabulary);
    return seq_joiner_create(&settings->strings, strings->schema, vocabulary, settings->seed,
                             &strings->maker, error);
}

static seq_status create(seq_dataset *dataset, const seq_sampler_settings *settings,
                         seq_sampler **out, seq_error *error) {
    strings *strings = NULL;
    seq_status status = seq_allocate(&strings, 1, sizeof *strings, "the sampler", error);
    if (status) return status;
    strings->base = (struct seq_sampler){
        .kind = &seq_sampler_strings, .dataset = dataset, .settings = *settings};
    strings->schema = seq_dataset_schema(dataset);
    strings->axis = seq_join_axis(strings->schema);
    if (settings->batch_tokens)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--batch-tokens: --strings are cut into batches by --batch");
    if (!status) status = seq_sampler_begin_items(&strings->base, &strings->table, error);
    if (!status) status = make_maker(strings, error);
    if (!status) status = make_plan(strings, error);
    if (status)
        destroy(&strings->base);
    else
        *out = &strings->base;
    return status;
}

const seq_sampler_kind seq_sampler_strings = {
    .name = "strings",
    .summary = "strings of whole items of a group, made anew each epoch",
    .unit = "item",
    .create = create,
    .destroy = destroy,
    .steps = steps,
    .full = full,
    .divisor = divisor,
    .planned = planned,
    .read = read_batch,
};
