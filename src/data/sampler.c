// The table of samplers, and what they share: the memory of batches, planned
// from the limits when a sampler is created, so a step allocates nothing here.
// Tests: tests/unit/data/test_sampler.c.
#include "sampler_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static const seq_sampler_kind *const kinds[] = {&seq_sampler_streams, &seq_sampler_buckets, NULL};

const seq_sampler_kind *seq_sampler_find(const char *name) {
    const seq_sampler_kind *const *kind = kinds;
    while (*kind && strcmp((*kind)->name, name) != 0)
        kind++;
    return *kind;
}

const seq_sampler_kind *const *seq_samplers(void) {
    return kinds;
}

seq_status seq_sampler_create(const seq_sampler_kind *kind, seq_dataset *dataset,
                              const seq_sampler_settings *settings, seq_sampler **out,
                              seq_error *error) {
    return kind->create(dataset, settings, out, error);
}

void seq_sampler_destroy(seq_sampler *sampler) {
    if (sampler) sampler->kind->destroy(sampler);
}

const seq_sampler_kind *seq_sampler_get_kind(const seq_sampler *sampler) {
    return sampler->kind;
}

bool seq_sampler_same_plan(const seq_sampler_kind *kind, const seq_sampler_settings *a,
                           const seq_sampler_settings *b) {
    return kind->same_plan(a, b);
}

int64_t seq_sampler_units(const seq_sampler *sampler) {
    return sampler->units;
}

int64_t seq_sampler_steps(const seq_sampler *sampler) {
    return sampler->kind->steps(sampler);
}

const seq_limits *seq_sampler_limits(const seq_sampler *sampler) {
    return &sampler->limits;
}

bool seq_sampler_full(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    return sampler->kind->full(sampler, epoch, step);
}

double seq_sampler_divisor(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    return sampler->kind->divisor(sampler, epoch, step);
}

void seq_sampler_planned(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                         int replica, seq_sampler_range *range, void *context) {
    sampler->kind->planned(sampler, epoch, from, to, replica, range, context);
}

static void add_range(void *context, int64_t begin, int64_t end) {
    seq_coverage_add_range(context, begin, end);
}

seq_coverage seq_sampler_plan(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                              int replica) {
    seq_coverage plan = {0};
    seq_sampler_planned(sampler, epoch, from, to, replica, add_range, &plan);
    return plan;
}

double seq_sampler_mean_rows(const seq_sampler *sampler, int axis) {
    return sampler->mean_rows[axis];
}

uint64_t seq_sampler_bytes(const seq_sampler *sampler) {
    return sampler->bytes + sampler->arena.size;
}

uint64_t seq_sampler_batch_bytes(const seq_sampler *sampler) {
    return sampler->room_count ? sampler->arena.size / (uint64_t)sampler->room_count : 0;
}

seq_status seq_sampler_read(seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                            seq_batch *out, seq_error *error) {
    return sampler->kind->read(sampler, epoch, step, replica, out, error);
}

seq_status seq_sampler_take_rooms(seq_sampler *sampler, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(sampler->dataset);
    int own = sampler->settings.count, count = own > 1 && !sampler->settings.training ? 1 : own;
    if (seq_schema_columns(schema) > SEQ_COLUMNS)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "data set %s: it has %d fields, and one of them is needed twice: at "
                             "most %d columns are read",
                             seq_dataset_path(sampler->dataset), schema->field_count, SEQ_COLUMNS);
    for (int axis = 0; axis < schema->axis_count; axis++)
        if (sampler->limits.axes[axis].rows > INT32_MAX)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "data set %s: a batch may have %zu rows of the axis %s, at most "
                                 "2^31 - 1 are possible: use a smaller --batch or --batch-tokens",
                                 seq_dataset_path(sampler->dataset),
                                 sampler->limits.axes[axis].rows, schema->axes[axis].name);
    sampler->room_count = count;
    seq_status status =
        seq_allocate(&sampler->rooms, (size_t)count, sizeof *sampler->rooms, "the batches", error);
    for (int i = 0; !status && i < count; i++)
        seq_batch_room_take(&sampler->rooms[i], schema, &sampler->limits, &sampler->arena);
    if (!status) status = seq_arena_commit(&sampler->arena, "the batches", error);
    for (int i = 0; !status && i < count; i++)
        seq_batch_room_take(&sampler->rooms[i], schema, &sampler->limits, &sampler->arena);
    return status;
}

seq_status seq_sampler_begin_items(seq_sampler *sampler, const seq_item_table **out,
                                   seq_error *error) {
    const seq_sampler_settings *settings = &sampler->settings;
    seq_dataset *dataset = sampler->dataset;
    seq_status status = seq_item_augment_check(seq_dataset_schema(dataset), settings, error);
    if (!status) status = seq_dataset_table(dataset, settings->split, out, error);
    if (status) return status;
    sampler->units = (*out)->items;
    if (sampler->units) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT, "data set %s: its %s part has no items",
                         seq_dataset_path(dataset), seq_split_name(settings->split));
}

seq_batch_room *seq_sampler_room(const seq_sampler *sampler, int replica) {
    int own = replica - sampler->settings.first;
    return &sampler->rooms[own < sampler->room_count ? own : 0];
}

void seq_sampler_free(seq_sampler *sampler) {
    seq_arena_clear(&sampler->arena);
    free(sampler->rooms);
    free(sampler);
}
