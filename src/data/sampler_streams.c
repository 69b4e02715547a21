// Contiguous streams: replica r reads streams r B to (r + 1) B - 1 of R B, a
// window of T tokens a step, and states go on from window to window. Every axis
// is a rectangle: places that a stream does not have hold SEQ_NO_ID. The windows
// are those of windows.h. Invariant: over an epoch every token of every stream
// is read once. Tests: tests/unit/data/test_sampler.c.
//
// To add a sampler, copy this file, fill the row at its end and register it in
// sampler.c: `create` sets limits, mean rows and bytes and takes the rooms, all
// other functions are pure but `read`.
#include "sampler_private.h"
#include "windows.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>

typedef struct streams {
    struct seq_sampler base;
    seq_batches *batches; // NULL: a plan
    int64_t length;       // of the longest stream
} streams;

enum { TEXT = 1 }; // the axis of the tokens; targets are column 0, inputs column 1

static int64_t count_of(const streams *streams) {
    return (int64_t)streams->base.settings.replicas * streams->base.settings.batch;
}

static void destroy(seq_sampler *sampler) {
    seq_batches_destroy(((streams *)sampler)->batches);
    seq_sampler_free(sampler);
}

static bool same_plan(const seq_sampler_settings *a, const seq_sampler_settings *b) {
    return a->replicas == b->replicas && a->batch == b->batch && a->window == b->window &&
           a->cut == b->cut;
}

static int64_t steps(const seq_sampler *sampler) {
    int64_t window = sampler->settings.window;
    return (((const streams *)sampler)->length + window - 1) / window;
}

static seq_status check(seq_dataset *dataset, const seq_sampler_settings *settings,
                        seq_error *error) {
    int64_t count = (int64_t)settings->replicas * settings->batch,
            tokens = seq_dataset_tokens(dataset, settings->split);
    if (seq_dataset_require_stream(dataset, error)) return error->status;
    if (count > INT32_MAX)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s: %d replicas of %d streams are more than 2^31 - 1 streams",
                             seq_dataset_path(dataset), settings->replicas, settings->batch);
    if (tokens >= count) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "the %s split of %s has %lld tokens, fewer than %lld streams: use a "
                         "smaller --batch or --replicas",
                         seq_split_name(settings->split), seq_dataset_path(dataset),
                         (long long)tokens, (long long)count);
}

static void limit(streams *streams) {
    seq_sampler *base = &streams->base;
    int batch = base->settings.batch;
    int window =
        streams->length < base->settings.window ? (int)streams->length : base->settings.window;
    base->limits.axes[0] = (seq_axis_limit){batch, 1, (size_t)batch};
    base->limits.axes[TEXT] = (seq_axis_limit){batch, window, (size_t)batch * (size_t)window};
    base->limits.longest_pair[TEXT][TEXT] = (size_t)window * (size_t)window;
    base->limits.pairs[TEXT][TEXT] = (size_t)batch * base->limits.longest_pair[TEXT][TEXT];
    base->mean_rows[0] = (double)count_of(streams);
    base->mean_rows[TEXT] = (double)base->units / (double)steps(base);
}

static seq_status create(seq_dataset *dataset, const seq_sampler_settings *settings,
                         seq_sampler **out, seq_error *error) {
    streams *streams = NULL;
    int batch = settings->batch;
    if (check(dataset, settings, error) ||
        seq_allocate(&streams, 1, sizeof *streams, "the sampler", error))
        return error->status;
    seq_sampler *base = &streams->base;
    *base = (seq_sampler){.kind = &seq_sampler_streams,
                          .dataset = dataset,
                          .settings = *settings,
                          .units = seq_dataset_tokens(dataset, settings->split)};
    streams->length = seq_stream_length(base->units, settings->cut, (int)count_of(streams));
    limit(streams);
    seq_status status = seq_sampler_take_rooms(base, error);
    if (!status && settings->count > 0)
        status = seq_batches_create(dataset, settings->split, settings->cut, (int)count_of(streams),
                                    settings->first * batch, settings->count * batch,
                                    &streams->batches, error);
    if (!status && streams->batches) base->bytes = seq_batches_bytes(streams->batches);
    if (status)
        destroy(base);
    else
        *out = base;
    return status;
}

static int steps_of(const streams *streams, int64_t step) {
    int64_t left = streams->length - step * streams->base.settings.window;
    return left < streams->base.settings.window ? (int)left : streams->base.settings.window;
}

static bool full(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    (void)epoch;
    return steps_of((const streams *)sampler, step) == sampler->settings.window;
}

// The same in the short last window of an epoch: its gradient weighs less.
static double divisor(const seq_sampler *sampler, int64_t epoch, int64_t step) {
    double count = (double)count_of((const streams *)sampler);
    (void)epoch;
    (void)step;
    return sampler->settings.loss_sum ? count : count * sampler->settings.window;
}

static void planned(const seq_sampler *sampler, int64_t epoch, int64_t from, int64_t to,
                    int replica, seq_sampler_range *range, void *context) {
    const streams *streams = (const struct streams *)sampler;
    const seq_sampler_settings *settings = &sampler->settings;
    (void)epoch;
    for (int b = 0; b < settings->batch; b++) {
        int64_t offset, end;
        seq_stream_place(sampler->units, settings->cut, (int)count_of(streams),
                         replica * settings->batch + b, &offset, &end);
        int64_t begin = offset + from * settings->window, stop = offset + to * settings->window;
        stop = stop < end ? stop : end;
        if (begin < stop) range(context, begin, stop);
    }
}

static void shape(const seq_sampler *sampler, seq_batch_room *room, int replica, int steps,
                  seq_batch *out) {
    int batch = sampler->settings.batch;
    // `of` is free until the shapes are made: it holds their lengths.
    int32_t *lengths = room->axes[TEXT].of;
    for (int b = 0; b < batch; b++) {
        room->axes[0].number[b] = room->axes[TEXT].number[b] = (int64_t)replica * batch + b;
        lengths[b] = 1;
    }
    seq_axis_shape(&out->axes[0], &room->axes[0], batch, lengths);
    out->axes[0].parent = -1;
    out->axes[0].of = out->axes[0].at = NULL;
    for (int b = 0; b < batch; b++)
        lengths[b] = steps;
    seq_axis_shape(&out->axes[TEXT], &room->axes[TEXT], batch, lengths);
    for (int b = 0; b < batch; b++)
        room->axes[TEXT].of[b] = room->axes[TEXT].at[b] = b;
}

static seq_status read_batch(seq_sampler *sampler, int64_t epoch, int64_t step, int replica,
                             seq_batch *out, seq_error *error) {
    streams *streams = (struct streams *)sampler;
    int own = replica - sampler->settings.first, batch = sampler->settings.batch;
    seq_batch_room *room = seq_sampler_room(sampler, replica);
    *out = (seq_batch){.divisor = divisor(sampler, epoch, step),
                       .draw_key = (uint32_t)(replica * batch)};
    shape(sampler, room, replica, steps_of(streams, step), out);
    out->axes[TEXT].continues = step > 0;
    seq_batch_set_columns(seq_dataset_schema(sampler->dataset), room, out);
    seq_status status =
        seq_batches_read(streams->batches, own * batch, batch, step * sampler->settings.window,
                         out->axes[TEXT].steps, room->ids[1], room->ids[0], error);
    out->read = seq_batches_served(streams->batches);
    return status;
}

const seq_sampler_kind seq_sampler_streams = {
    .name = "streams",
    .summary = "windows of contiguous streams",
    .unit = "token",
    .carries_state = true,
    .same_plan = same_plan,
    .create = create,
    .destroy = destroy,
    .steps = steps,
    .full = full,
    .divisor = divisor,
    .planned = planned,
    .read = read_batch,
};
