// Whole items in batches of about equal lengths. Items lie in classes of
// lengths at steps of a tenth, shortest class first. This list is cut once: a
// step takes the next R x B items, or items while the upper bounds of their
// classes stay within R x batch_tokens. An epoch shuffles the items inside their
// classes and the steps (Fisher and Yates, keyed). Items of a step are sorted,
// longest first, and dealt to replicas in serpentine order, so all have equal
// work. Invariant: steps, limits and the length classes of a step's places do
// not depend on the epoch. Test: tests/unit/data/test_sampler.c.
#include "dataset_private.h"
#include "sampler_private.h"
#include <seqtrain/base/background.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = 256, // 1.1^250 is above 2^31
    SHUFFLE_STEPS = CLASSES,
};

typedef struct keyed {
    uint32_t length, item;
} keyed;

typedef struct buckets {
    struct seq_sampler base;
    const seq_item_table *table;
    const seq_schema *schema;
    int class_count;
    uint32_t bounds[CLASSES];    // upper bound of each class
    int64_t begins[CLASSES + 1]; // places of each class in the list
    int64_t step_count, most;    // steps; items of the largest one
    int64_t *cuts;               // (step_count + 1): places where steps begin
    // Of the epoch that was asked for last.
    struct order {
        int64_t epoch;   // -1: none
        uint32_t *items; // (items): by place
        int64_t *steps;  // (step_count): which cut a step is
        bool *sorted;    // (step_count): the items of a cut are in the order of dealing
        keyed *keys;     // (most), scratch
    } * order;
    seq_arena plan, scratch;
    // Reading.
    int64_t *numbers; // (most): items of one replica
    seq_items_room room;
    seq_item_packer packer;
    seq_background *background;
    struct ahead {
        seq_dataset *dataset;
        seq_split split;
        int64_t *numbers, count;
        seq_items_room room;
    } ahead;
} buckets;

static uint32_t length_of(const buckets *buckets, int64_t item) {
    return seq_item_rows(buckets->table, buckets->schema->length_axis, item);
}

// ---- The plan: classes, cut, limits.

static void make_classes(buckets *buckets) {
    uint32_t longest = 0;
    for (int64_t i = 0; i < buckets->table->items; i++)
        if (length_of(buckets, i) > longest) longest = length_of(buckets, i);
    uint64_t bound = 0;
    for (buckets->class_count = 0; buckets->class_count < CLASSES;) {
        buckets->bounds[buckets->class_count++] = bound > INT32_MAX ? INT32_MAX : (uint32_t)bound;
        if (bound >= longest) break;
        bound = bound < 10 ? bound + 1 : bound * 11 / 10;
    }
}

// The first class whose bound is not below the length.
static int class_of(const buckets *buckets, uint32_t length) {
    int low = 0, high = buckets->class_count - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (buckets->bounds[middle] < length)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count_classes(buckets *buckets) {
    memset(buckets->begins, 0, sizeof buckets->begins);
    for (int64_t i = 0; i < buckets->table->items; i++)
        buckets->begins[class_of(buckets, length_of(buckets, i)) + 1]++;
    for (int c = 0; c < buckets->class_count; c++)
        buckets->begins[c + 1] += buckets->begins[c];
}

// Items by class, in each class in their own order.
static void list_items(const buckets *buckets, uint32_t *out) {
    int64_t at[CLASSES + 1];
    memcpy(at, buckets->begins, sizeof at);
    for (int64_t i = 0; i < buckets->table->items; i++)
        out[at[class_of(buckets, length_of(buckets, i))]++] = (uint32_t)i;
}

static int class_at(const buckets *buckets, int64_t place) {
    int low = 0, high = buckets->class_count - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (buckets->begins[middle + 1] <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The place behind the step that begins at `place`.
static int64_t end_of_step(const buckets *buckets, int64_t place) {
    const seq_sampler_settings *settings = &buckets->base.settings;
    int64_t items = buckets->table->items, replicas = settings->replicas;
    if (!settings->batch_tokens) {
        int64_t most = replicas * settings->batch;
        return items - place < most ? items : place + most;
    }
    for (int64_t at = place; at < items; at++) {
        int64_t bound = buckets->bounds[class_at(buckets, at)], count = at - place,
                a_replica = count / replicas + 1;
        // Whole rounds, so that all replicas have as many items.
        if (a_replica > 1 && a_replica * (bound ? bound : 1) > settings->batch_tokens)
            return place + count / replicas * replicas;
    }
    return items;
}

static seq_status cut_steps(buckets *buckets, seq_error *error) {
    size_t capacity = 0;
    int64_t count = 0, place = 0;
    seq_status status =
        seq_grow(&buckets->cuts, &capacity, 1, sizeof *buckets->cuts, "the steps", error);
    while (!status && place < buckets->table->items) {
        int64_t end = end_of_step(buckets, place);
        if (end - place > buckets->most) buckets->most = end - place;
        place = end;
        status = seq_grow(&buckets->cuts, &capacity, (size_t)count + 2, sizeof *buckets->cuts,
                          "the steps", error);
        if (!status) buckets->cuts[++count] = place;
    }
    buckets->step_count = count;
    return status;
}

// Of the j longest items of a step, how many go to a replica: rounds go forth and back.
static int64_t dealt(int64_t j, int replica, int replicas) {
    int64_t both = 2 * (int64_t)replicas, left = j % both;
    return j / both * 2 + (left > replica) + (left > both - 1 - replica);
}

static int descending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

// Rows of the k largest items of a class, for each k: sums[begins[c] + k - 1].
static void add_up_classes(const buckets *buckets, int axis, const uint32_t *items, uint32_t *rows,
                           uint64_t *sums) {
    for (int64_t i = 0; i < buckets->table->items; i++)
        rows[i] = seq_item_rows(buckets->table, axis, items[i]);
    for (int c = 0; c < buckets->class_count; c++) {
        int64_t begin = buckets->begins[c], count = buckets->begins[c + 1] - begin;
        uint64_t sum = 0;
        qsort(rows + begin, (size_t)count, sizeof *rows, descending);
        for (int64_t k = begin; k < begin + count; k++)
            sums[k] = sum += rows[k];
    }
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

// Rows that a replica may get of a step, on one axis: of each class, the largest ones.
static size_t step_rows(const buckets *buckets, int64_t step, int replica, const uint64_t *sums) {
    int64_t begin = buckets->cuts[step], end = buckets->cuts[step + 1];
    int replicas = buckets->base.settings.replicas;
    size_t rows = 0;
    for (int64_t at = begin; at < end;) {
        int c = class_at(buckets, at);
        int64_t stop = buckets->begins[c + 1] < end ? buckets->begins[c + 1] : end;
        // The longest item is the last place.
        int64_t got = dealt(end - at, replica, replicas) - dealt(end - stop, replica, replicas);
        at = stop;
        if (got) rows += sums[buckets->begins[c] + got - 1];
    }
    return rows;
}

static void limit_axis(buckets *buckets, int axis, const uint64_t *sums) {
    seq_axis_limit *limit = &buckets->base.limits.axes[axis];
    int parent = buckets->schema->axes[axis].parent, replicas = buckets->base.settings.replicas;
    for (int64_t step = 0; step < buckets->step_count; step++)
        for (int replica = 0; replica < replicas; replica++) {
            if (replica >= buckets->cuts[step + 1] - buckets->cuts[step]) break;
            limit->rows = larger(limit->rows, step_rows(buckets, step, replica, sums));
        }
    limit->steps = axis ? buckets->table->longest[axis] : 1;
    size_t sequences = axis ? buckets->base.limits.axes[parent].rows : limit->rows;
    limit->sequences = sequences > INT32_MAX ? INT32_MAX : (int)sequences;
}

static void limit_pairs(buckets *buckets) {
    seq_limits *limits = &buckets->base.limits;
    for (int a = 1; a < buckets->schema->axis_count; a++)
        for (int b = 1; b < buckets->schema->axis_count; b++) {
            bool both = !buckets->schema->axes[a].parent && !buckets->schema->axes[b].parent;
            if (!both) continue;
            for (int64_t i = 0; i < buckets->table->items; i++)
                limits->longest_pair[a][b] = larger(
                    limits->longest_pair[a][b], (size_t)seq_item_rows(buckets->table, a, i) *
                                                    (size_t)seq_item_rows(buckets->table, b, i));
            size_t all = (size_t)limits->axes[0].sequences * limits->longest_pair[a][b],
                   bound = limits->axes[a].rows * (size_t)limits->axes[b].steps;
            limits->pairs[a][b] = all < bound ? all : bound;
        }
}

static seq_status make_limits(buckets *buckets, seq_error *error) {
    size_t items = (size_t)buckets->table->items;
    uint32_t *rows = NULL;
    uint64_t *sums = NULL;
    seq_status status = seq_allocate(&rows, items, sizeof *rows, "the plan of batches", error);
    if (!status) status = seq_allocate(&sums, items, sizeof *sums, "the plan of batches", error);
    for (int axis = 0; !status && axis < buckets->schema->axis_count; axis++) {
        add_up_classes(buckets, axis, buckets->order->items, rows, sums);
        limit_axis(buckets, axis, sums);
        buckets->base.mean_rows[axis] =
            (double)buckets->table->rows[axis] / (double)buckets->step_count;
    }
    if (!status) limit_pairs(buckets);
    free(rows);
    free(sums);
    return status;
}

// ---- The order of an epoch.

static uint64_t draw_below(uint64_t seed, int64_t epoch, uint32_t what, int64_t i, uint64_t count) {
    uint32_t words[4];
    seq_random_words((seq_random_key){seed, SEQ_RANDOM_SHUFFLE}, (uint32_t)i, (uint32_t)epoch,
                     what | (uint32_t)(i >> 32) << 16, words);
    uint64_t word = (uint64_t)words[0] << 32 | words[1];
    // The upper half of word x count, count being below 2^32.
    return ((word >> 32) * count + ((word & UINT32_MAX) * count >> 32)) >> 32;
}

static void shuffle_items(uint32_t *items, int64_t count, uint64_t seed, int64_t epoch,
                          uint32_t what) {
    for (int64_t i = count - 1; i > 0; i--) {
        uint64_t j = draw_below(seed, epoch, what, i, (uint64_t)i + 1);
        uint32_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

static void shuffle_steps(int64_t *steps, int64_t count, uint64_t seed, int64_t epoch) {
    for (int64_t i = count - 1; i > 0; i--) {
        uint64_t j = draw_below(seed, epoch, SHUFFLE_STEPS, i, (uint64_t)i + 1);
        int64_t step = steps[i];
        steps[i] = steps[j];
        steps[j] = step;
    }
}

static void order_epoch(const buckets *buckets, int64_t epoch) {
    struct order *order = buckets->order;
    const seq_sampler_settings *settings = &buckets->base.settings;
    if (order->epoch == epoch || (!settings->training && order->epoch >= 0)) return;
    memset(order->sorted, 0, (size_t)buckets->step_count * sizeof *order->sorted);
    order->epoch = epoch;
    list_items(buckets, order->items);
    for (int64_t step = 0; step < buckets->step_count; step++)
        order->steps[step] = step;
    if (!settings->training) return;
    for (int c = 0; c < buckets->class_count; c++)
        shuffle_items(order->items + buckets->begins[c],
                      buckets->begins[c + 1] - buckets->begins[c], settings->seed, epoch,
                      (uint32_t)c);
    shuffle_steps(order->steps, buckets->step_count, settings->seed, epoch);
}

// Longest first; of equal ones the first of the split.
static int by_length(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

// The items of a step in the order of dealing.
static const uint32_t *sort_step(const buckets *buckets, int64_t epoch, int64_t step,
                                 int64_t *out_count) {
    struct order *order = buckets->order;
    order_epoch(buckets, epoch);
    int64_t cut = order->steps[step], begin = buckets->cuts[cut],
            count = buckets->cuts[cut + 1] - begin;
    uint32_t *items = order->items + begin;
    *out_count = count;
    if (order->sorted[cut]) return items;
    for (int64_t i = 0; i < count; i++)
        order->keys[i] = (keyed){length_of(buckets, items[i]), items[i]};
    qsort(order->keys, (size_t)count, sizeof *order->keys, by_length);
    for (int64_t i = 0; i < count; i++)
        items[i] = order->keys[i].item;
    order->sorted[cut] = true;
    return items;
}

static int64_t choose(const buckets *buckets, int64_t epoch, int64_t step, int replica,
                      int64_t *out) {
    int64_t items, count = 0;
    const uint32_t *sorted = sort_step(buckets, epoch, step, &items);
    // Rounds are whole but the last one, so the first place that is missing ends it.
    for (int64_t j; (j = seq_dealt_place(count, replica, buckets->base.settings.replicas)) < items;)
        out[count++] = sorted[j];
    return count;
}

static bool same_plan(const seq_sampler_settings *a, const seq_sampler_settings *b) {
    return a->replicas == b->replicas && a->batch == b->batch &&
           a->batch_tokens == b->batch_tokens && a->strings.most == b->strings.most &&
           a->training == b->training && a->seed == b->seed;
}

static int64_t steps(const seq_sampler *sampler) {
    return ((const buckets *)sampler)->step_count;
}

// By items: the step at the end of the list. By tokens every step may differ, and the last one is
// smaller.
static bool full(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    const buckets *buckets = (const struct buckets *)sampler;
    order_epoch(buckets, epoch);
    int64_t cut = buckets->order->steps[step], count = buckets->cuts[cut + 1] - buckets->cuts[cut];
    if (sampler->settings.batch_tokens) return cut + 1 < buckets->step_count;
    return count == (int64_t)sampler->settings.replicas * sampler->settings.batch;
}

static double divisor(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    const buckets *buckets = (const struct buckets *)sampler;
    const seq_schema *schema = buckets->schema;
    int64_t items;
    const uint32_t *sorted = sort_step(buckets, epoch, step, &items);
    double sum = 0;
    for (int64_t i = 0; i < items; i++) {
        int64_t item = sorted[i];
        sum +=
            sampler->settings.per_item || schema->target < 0 ? 1
            : buckets->table->counted
                ? buckets->table->counted[item]
                : (double)seq_item_rows(buckets->table, schema->fields[schema->target].axis, item);
    }
    return sum < 1 ? 1 : sum;
}

static void planned(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                    int replica, seq_sampler_range *range, void *context) {
    const buckets *buckets = (const struct buckets *)sampler;
    for (int64_t step = from; step < to; step++) {
        int64_t items;
        const uint32_t *sorted = sort_step(buckets, epoch, step, &items);
        for (int64_t round = 0, j;
             (j = seq_dealt_place(round, replica, sampler->settings.replicas)) < items; round++)
            range(context, sorted[j], (int64_t)sorted[j] + 1);
    }
}

// ---- Reading ahead: chunks of the next step come into the data set's cache.

static void fetch_ahead(void *argument) {
    struct ahead *ahead = argument;
    seq_items items;
    seq_error ignored = {0}; // told when the items are read
    for (int64_t i = 0; i < ahead->count && !ignored.status; i++)
        seq_dataset_read_chosen(ahead->dataset, ahead->split, &ahead->numbers[i], 1, &ahead->room,
                                &items, &ignored);
}

static void read_ahead(buckets *buckets, int64_t epoch, int64_t step) {
    const seq_sampler_settings *settings = &buckets->base.settings;
    struct ahead *ahead = &buckets->ahead;
    if (!buckets->background || step >= buckets->step_count ||
        seq_background_is_busy(buckets->background))
        return;
    ahead->count = 0;
    for (int i = 0; i < settings->count; i++)
        ahead->count +=
            choose(buckets, epoch, step, settings->first + i, ahead->numbers + ahead->count);
    seq_background_start(buckets->background, fetch_ahead, ahead);
}

static seq_status read_batch(seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                             seq_batch *out, seq_error *error) {
    buckets *buckets = (struct buckets *)sampler;
    const seq_sampler_settings *settings = &sampler->settings;
    seq_batch_room *room = seq_sampler_room(sampler, replica);
    seq_items items;
    *out = (seq_batch){.divisor = divisor(sampler, epoch, step), .draw_key = (uint32_t)replica};
    int64_t count = choose(buckets, epoch, step, replica, buckets->numbers);
    seq_status status = seq_dataset_read_chosen(sampler->dataset, settings->split, buckets->numbers,
                                                count, &buckets->room, &items, error);
    if (status) return status;
    seq_item_pack(&buckets->packer, &items, buckets->numbers, room, out);
    if (settings->training)
        seq_item_augment(sampler,
                         &(seq_packed_items){.packer = &buckets->packer,
                                             .items = &items,
                                             .numbers = buckets->numbers,
                                             .room = room,
                                             .epoch = epoch,
                                             .step = epoch * buckets->step_count + step},
                         out);
    if (replica + 1 == settings->first + settings->count) read_ahead(buckets, epoch, step + 1);
    return SEQ_OK;
}

// ---- Life.

static void destroy(seq_sampler *sampler) {
    buckets *buckets = (struct buckets *)sampler;
    seq_background_destroy(buckets->background);
    seq_items_room_clear(&buckets->room);
    seq_items_room_clear(&buckets->ahead.room);
    free(buckets->cuts);
    seq_arena_clear(&buckets->plan);
    seq_arena_clear(&buckets->scratch);
    seq_sampler_free(sampler);
}

static void take_order(buckets *buckets) {
    seq_arena *arena = &buckets->plan;
    size_t most = (size_t)buckets->most;
    struct order *order = seq_arena_take(arena, 1, sizeof *order);
    uint32_t *items = seq_arena_take(arena, (size_t)buckets->table->items, sizeof *items);
    int64_t *steps = seq_arena_take(arena, (size_t)buckets->step_count, sizeof *steps);
    bool *sorted = seq_arena_take(arena, (size_t)buckets->step_count, sizeof *sorted);
    keyed *keys = seq_arena_take(arena, most, sizeof *keys);
    buckets->numbers = seq_arena_take(arena, most, sizeof *buckets->numbers);
    buckets->ahead.numbers = seq_arena_take(arena, most, sizeof *buckets->ahead.numbers);
    buckets->order = order;
    if (order)
        *order = (struct order){
            .epoch = -1, .items = items, .steps = steps, .sorted = sorted, .keys = keys};
}

static seq_status make_plan(buckets *buckets, seq_error *error) {
    make_classes(buckets);
    count_classes(buckets);
    seq_status status = cut_steps(buckets, error);
    if (status) return status;
    take_order(buckets);
    status = seq_arena_commit(&buckets->plan, "the plan of batches", error);
    if (status) return status;
    take_order(buckets);
    list_items(buckets, buckets->order->items);
    status = make_limits(buckets, error);
    if (!status) status = seq_sampler_take_rooms(&buckets->base, error);
    buckets->base.bytes = buckets->plan.size;
    return status;
}

// Scratch of packing, and the thread that reads ahead.
static seq_status prepare_to_read(buckets *buckets, seq_error *error) {
    const seq_sampler_settings *settings = &buckets->base.settings;
    seq_dataset *dataset = buckets->base.dataset;
    const seq_limits *limits = &buckets->base.limits;
    buckets->packer = (seq_item_packer){.schema = buckets->schema, .table = buckets->table};
    seq_item_packer_take(&buckets->packer, buckets->most, limits, &buckets->scratch);
    seq_status status = seq_arena_commit(&buckets->scratch, "the plan of batches", error);
    if (status) return status;
    seq_item_packer_take(&buckets->packer, buckets->most, limits, &buckets->scratch);
    buckets->base.bytes += buckets->scratch.size;
    if (!settings->read_ahead && seq_item_store_bytes(dataset) <= (double)SEQ_CHUNK_CACHE)
        return SEQ_OK;
    buckets->ahead.dataset = dataset;
    buckets->ahead.split = settings->split;
    return seq_background_create(&buckets->background, error);
}

static seq_status create(seq_dataset *dataset, const seq_sampler_settings *settings,
                         seq_sampler **out, seq_error *error) {
    buckets *buckets = NULL;
    if (seq_join_check(&settings->strings, seq_dataset_schema(dataset), error))
        return error->status;
    if (settings->strings.most && settings->training)
        return seq_sampler_strings.create(dataset, settings, out, error);
    seq_status status = seq_allocate(&buckets, 1, sizeof *buckets, "the sampler", error);
    if (status) return status;
    buckets->base = (struct seq_sampler){
        .kind = &seq_sampler_buckets, .dataset = dataset, .settings = *settings};
    buckets->schema = seq_dataset_schema(dataset);
    status = seq_sampler_begin_items(&buckets->base, &buckets->table, error);
    if (!status) status = make_plan(buckets, error);
    if (!status && settings->count > 0) status = prepare_to_read(buckets, error);
    if (status)
        destroy(&buckets->base);
    else
        *out = &buckets->base;
    return status;
}

const seq_sampler_kind seq_sampler_buckets = {
    .name = "buckets",
    .summary = "whole items, in batches of about equal lengths",
    .unit = "item",
    .same_plan = same_plan,
    .create = create,
    .destroy = destroy,
    .steps = steps,
    .full = full,
    .divisor = divisor,
    .planned = planned,
    .read = read_batch,
};
