// A resume with other streams than the run had: another number of replicas, of
// streams or time steps, or other data. The place in the epoch is kept as a
// fraction, to the nearest window; states begin at zero. Of a running epoch
// some tokens are then read twice and others not at all. Where the data are the
// same, both numbers are computed from the two cuts and told. Test:
// tests/fault/override.sh.
#include "saving.h"
#include "options/options.h"
#include "verify/verify.h"
#include <seqtrain/base/log.h>
#include <stdlib.h>
#include <string.h>

void seq_train_plan_steps(seq_trainer *trainer) {
    const seq_train_options *options = trainer->options;
    trainer->total_steps = trainer->position.origin + options->epochs * trainer->windows;
    if (options->steps && options->steps < trainer->total_steps)
        trainer->total_steps = options->steps;
    seq_train_schedule_config(options, trainer->total_steps, &trainer->schedule);
}

static seq_status read_cut(const seq_manifest *manifest, seq_repartition *out, seq_error *error) {
    const seq_record *record = seq_manifest_section_find(manifest, "options");
    const struct {
        const char *key;
        int64_t *value;
    } fields[] = {{"replicas", &out->replicas}, {"batch", &out->batch}, {"window", &out->window}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (seq_record_get_integer(record, fields[i].key, 1, INT32_MAX, fields[i].value, error))
            return error->status;
    return SEQ_OK;
}

static bool has_same_data(const seq_trainer *trainer, const seq_manifest *manifest) {
    const char *hash = seq_record_text(seq_manifest_section_find(manifest, "data"), "hash");
    return hash && strcmp(hash, seq_dataset_hash(trainer->dataset)) == 0;
}

// Every stream of `count` has `length` tokens, and [begin, end) of them are meant.
typedef struct stretches {
    int64_t count, length, begin, end;
} stretches;

static int64_t total_of(const stretches *these) {
    return these->count * (these->end - these->begin);
}

static int64_t overlap_of(const stretches *a, const stretches *b) {
    int64_t common = 0;
    for (int64_t i = 0, j = 0; i < a->count && j < b->count;) {
        int64_t begin_a = i * a->length + a->begin, end_a = i * a->length + a->end;
        int64_t begin_b = j * b->length + b->begin, end_b = j * b->length + b->end;
        int64_t begin = begin_a > begin_b ? begin_a : begin_b, end = end_a < end_b ? end_a : end_b;
        if (begin < end) common += end - begin;
        if (end_a < end_b)
            i++;
        else
            j++;
    }
    return common;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

// What becomes of the running epoch: tokens that were read and will be again, and that never are.
static void count_mixture(const seq_trainer *trainer, seq_repartition *repartition) {
    int64_t tokens = seq_dataset_tokens(trainer->dataset, SEQ_TRAIN);
    int64_t old_streams = repartition->replicas * repartition->batch,
            old_length = tokens / old_streams;
    int64_t length = trainer->stream_length;
    repartition->counted =
        repartition->from_windows == (old_length + repartition->window - 1) / repartition->window;
    if (!repartition->counted) return;
    const stretches done = {old_streams, old_length, 0,
                            least(repartition->from_window * repartition->window, old_length)};
    const stretches left = {(int64_t)trainer->replicas * trainer->batch, length,
                            least(trainer->position.window * trainer->window, length), length};
    repartition->twice = overlap_of(&done, &left);
    repartition->missed = tokens - (total_of(&done) + total_of(&left) - repartition->twice);
}

static int64_t nearest_window(int64_t window, int64_t windows, int64_t new_windows) {
    int64_t place = (int64_t)((double)window / (double)windows * (double)new_windows + 0.5);
    return place < new_windows ? place : new_windows - 1;
}

// At the beginning of an epoch nothing has been read of it: the new cut covers it all.
static void move_position(seq_trainer *trainer, seq_repartition *repartition) {
    seq_position *position = &trainer->position;
    repartition->from_window = position->window;
    repartition->from_windows = position->windows;
    position->window = nearest_window(position->window, position->windows, trainer->windows);
    if (repartition->from_window > 0 && position->window == 0 && trainer->windows > 1)
        position->window = 1;
    position->origin = position->step - (position->epoch - 1) * trainer->windows - position->window;
    position->windows = trainer->windows;
    position->audit.carried = position->audit.read;
    position->audit.carried_window = position->window;
    position->audit.content = 0;
    position->repartition_step = position->step;
    position->repartition_replicas = repartition->replicas;
}

seq_status seq_train_repartition(seq_trainer *trainer, const seq_manifest *manifest,
                                 seq_error *error) {
    seq_repartition *repartition = &trainer->repartition;
    if (read_cut(manifest, repartition, error)) return error->status;
    bool same_data = has_same_data(trainer, manifest);
    repartition->active = repartition->replicas != trainer->replicas ||
                          repartition->batch != trainer->batch ||
                          repartition->window != trainer->window || !same_data;
    if (!repartition->active) return SEQ_OK;
    bool pure = !seq_train_audit_is_mixed(&trainer->position.audit);
    move_position(trainer, repartition);
    if (same_data && pure && repartition->from_window > 0) count_mixture(trainer, repartition);
    return SEQ_OK;
}

void seq_train_print_repartition(seq_trainer *trainer) {
    const seq_repartition *repartition = &trainer->repartition;
    const seq_position *position = &trainer->position;
    if (!repartition->active) return;
    seq_log_warning("streams are cut anew: %lld replicas of %lld streams, windows of %lld, become "
                    "%d of %d, %d; epoch %lld goes on at window %lld of %lld (it was %lld of "
                    "%lld), states at zero: equal in statistics, not in bits",
                    (long long)repartition->replicas, (long long)repartition->batch,
                    (long long)repartition->window, trainer->replicas, trainer->batch,
                    trainer->window, (long long)position->epoch, (long long)position->window,
                    (long long)trainer->windows, (long long)repartition->from_window,
                    (long long)repartition->from_windows);
    if (repartition->counted)
        seq_log_warning("of this epoch's tokens, %lld are read twice and %lld not at all",
                        (long long)repartition->twice, (long long)repartition->missed);
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, "recut");
    seq_event_integer(events, "step", position->step);
    seq_event_integer(events, "epoch", position->epoch);
    seq_event_integer(events, "replicas_before", repartition->replicas);
    seq_event_integer(events, "batch_before", repartition->batch);
    seq_event_integer(events, "window_before", repartition->window);
    seq_event_integer(events, "replicas", trainer->replicas);
    seq_event_integer(events, "batch", trainer->batch);
    seq_event_integer(events, "window", trainer->window);
    if (repartition->counted) {
        seq_event_integer(events, "tokens_twice", repartition->twice);
        seq_event_integer(events, "tokens_missed", repartition->missed);
    }
    seq_event_end(events);
}
