// A resume with another cut of the epochs than the run had: another number of
// replicas, of streams, items or time steps, or other data. The place in the
// epoch is kept as a fraction, to the nearest window; states begin at zero. Of a
// running epoch some tokens or items are then read twice and others not at all.
// Where the data are the same, a second sampler with the old settings tells what
// was read: a bit for each, a part of the split at a time. Test:
// tests/fault/override.sh.
#include "saving.h"
#include "options/options.h"
#include "verify/verify.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/settings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_train_plan_steps(seq_trainer *trainer) {
    const seq_train_options *options = trainer->options;
    trainer->total_steps = trainer->position.origin + options->epochs * trainer->windows;
    if (options->steps && options->steps < trainer->total_steps)
        trainer->total_steps = options->steps;
    seq_train_schedule_config(options, trainer->total_steps, &trainer->schedule);
}

// Those of the run that the checkpoint is of.
static seq_status read_settings(const seq_trainer *trainer, const seq_manifest *manifest,
                                seq_sampler_settings *out, seq_error *error) {
    static const seq_option_group *const groups[] = {&seq_buckets_options, NULL};
    const seq_record *record = seq_manifest_section_find(manifest, "options");
    seq_settings recorded;
    int64_t replicas, batch, window, seed;
    *out = seq_train_sampler_settings(trainer->parsed);
    if (seq_record_get_integer(record, "replicas", 1, INT32_MAX, &replicas, error) ||
        seq_record_get_integer(record, "batch", 1, INT32_MAX, &batch, error) ||
        seq_record_get_integer(record, "window", 1, INT32_MAX, &window, error) ||
        seq_record_get_integer(record, "seed", 0, INT64_MAX, &seed, error) ||
        seq_settings_read(groups, record, &recorded, error))
        return error->status;
    out->replicas = (int)replicas;
    out->batch = (int)batch;
    out->window = (int)window;
    out->seed = (uint64_t)seed;
    seq_buckets_configure(seq_option_values(&recorded.parsed, &seq_buckets_options), out);
    seq_settings_clear(&recorded);
    return SEQ_OK;
}

static bool has_same_data(const seq_trainer *trainer, const seq_manifest *manifest) {
    const char *hash = seq_record_text(seq_manifest_section_find(manifest, "data"), "hash");
    return hash && strcmp(hash, seq_dataset_hash(trainer->dataset)) == 0;
}

// Positions [begin, end) of the split, and which of them were read: bits.
typedef struct part {
    int64_t begin, end;
    uint64_t *bits;
    bool counting; // against the bits; else they are set
    int64_t done, left, twice;
} part;

enum { PART = 1 << 26 }; // positions: 8 MB of bits

static void note_range(void *context, int64_t begin, int64_t end) {
    part *part = context;
    begin = begin > part->begin ? begin - part->begin : 0;
    end = (end < part->end ? end : part->end) - part->begin;
    for (int64_t at = begin, stop; at < end; at = stop) {
        stop = at / 64 * 64 + 64 < end ? at / 64 * 64 + 64 : end;
        uint64_t *word = &part->bits[at / 64], bits = UINT64_MAX >> (64 - (stop - at)) << at % 64;
        if (part->counting)
            part->twice += __builtin_popcountll(*word & bits);
        else
            *word |= bits;
        *(part->counting ? &part->left : &part->done) += stop - at;
    }
}

static void note_plan(const seq_sampler *sampler, int replicas, int64_t epoch, int64_t from,
                      int64_t to, part *part) {
    for (int replica = 0; replica < replicas; replica++)
        seq_sampler_planned(sampler, epoch, from, to, replica, note_range, part);
}

// What becomes of the running epoch: what was read and will be again, and what never is.
static seq_status count_mixture(seq_trainer *trainer, const seq_sampler *old, seq_error *error) {
    const seq_position *position = &trainer->position;
    seq_repartition *repartition = &trainer->repartition;
    int64_t units = seq_sampler_units(old);
    part part = {0};
    seq_status status = seq_allocate(&part.bits, PART / 64, sizeof *part.bits,
                                     "counting what is read twice", error);
    for (; !status && part.begin < units; part.begin = part.end) {
        part.end = units - part.begin < PART ? units : part.begin + PART;
        part.counting = false;
        memset(part.bits, 0, PART / 8);
        note_plan(old, repartition->before.replicas, position->epoch, 0, repartition->from_window,
                  &part);
        part.counting = true;
        note_plan(trainer->sampler, trainer->replicas, position->epoch, position->window,
                  trainer->windows, &part);
    }
    free(part.bits);
    if (status) return status;
    repartition->twice = part.twice;
    repartition->missed = units - (part.done + part.left - part.twice);
    return SEQ_OK;
}

// Settings that make no sampler, or one of other epochs, are not those of the run: then nothing is
// counted.
static seq_status look_back(seq_trainer *trainer, seq_error *error) {
    seq_repartition *repartition = &trainer->repartition;
    seq_sampler *old = NULL;
    seq_error reason = {0};
    seq_status status = seq_sampler_create(trainer->task->sampler, trainer->dataset,
                                           &repartition->before, &old, &reason);
    if (status == SEQ_NO_MEMORY) return seq_error_set(error, status, "%s", reason.text);
    repartition->counted = !status && repartition->from_windows == seq_sampler_steps(old);
    status = repartition->counted ? count_mixture(trainer, old, error) : SEQ_OK;
    seq_sampler_destroy(old);
    return status;
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
    position->repartition_replicas = repartition->before.replicas;
}

seq_status seq_train_repartition(seq_trainer *trainer, const seq_manifest *manifest,
                                 seq_error *error) {
    seq_repartition *repartition = &trainer->repartition;
    seq_sampler_settings now = seq_train_sampler_settings(trainer->parsed);
    now.replicas = trainer->replicas;
    if (read_settings(trainer, manifest, &repartition->before, error)) return error->status;
    bool same_data = has_same_data(trainer, manifest);
    repartition->active =
        !seq_sampler_same_plan(trainer->task->sampler, &repartition->before, &now) || !same_data;
    if (!repartition->active) return SEQ_OK;
    bool pure = !seq_train_audit_is_mixed(&trainer->position.audit);
    move_position(trainer, repartition);
    if (!same_data || !pure || !repartition->from_window) return SEQ_OK;
    return look_back(trainer, error);
}

enum { NAME = 60 };

// "3 streams, windows of 16," and, in short, "3, 16"; "8 items"; "900 rows".
static void describe_batch(const seq_trainer *trainer, const seq_sampler_settings *settings,
                           bool short_form, char out[NAME]) {
    if (trainer->task->sampler->carries_state)
        snprintf(out, NAME, short_form ? "%d, %d" : "%d streams, windows of %d,", settings->batch,
                 settings->window);
    else if (settings->batch_tokens)
        snprintf(out, NAME, "%lld rows", (long long)settings->batch_tokens);
    else
        snprintf(out, NAME, "%d items", settings->batch);
}

static void warn(const seq_trainer *trainer) {
    const seq_repartition *repartition = &trainer->repartition;
    const seq_sampler_settings now = seq_train_sampler_settings(trainer->parsed);
    const seq_sampler_kind *kind = trainer->task->sampler;
    const seq_position *position = &trainer->position;
    char was[NAME], is[NAME];
    describe_batch(trainer, &repartition->before, false, was);
    describe_batch(trainer, &now, true, is);
    seq_log_warning("%s are cut anew: %d replicas of %s become %d of %s; epoch %lld goes on at "
                    "window %lld of %lld (it was %lld of %lld)%s: equal in statistics, not in bits",
                    kind->name, repartition->before.replicas, was, trainer->replicas, is,
                    (long long)position->epoch, (long long)position->window,
                    (long long)trainer->windows, (long long)repartition->from_window,
                    (long long)repartition->from_windows,
                    kind->carries_state ? ", states at zero" : "");
    if (repartition->counted)
        seq_log_warning("of this epoch's %ss, %lld are read twice and %lld not at all", kind->unit,
                        (long long)repartition->twice, (long long)repartition->missed);
}

void seq_train_print_repartition(seq_trainer *trainer) {
    const seq_repartition *repartition = &trainer->repartition;
    const seq_sampler_settings *before = &repartition->before;
    if (!repartition->active) return;
    warn(trainer);
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, "recut");
    seq_event_integer(events, "step", trainer->position.step);
    seq_event_integer(events, "epoch", trainer->position.epoch);
    seq_event_integer(events, "replicas_before", before->replicas);
    seq_event_integer(events, "batch_before", before->batch);
    seq_event_integer(events, "window_before", before->window);
    seq_event_integer(events, "replicas", trainer->replicas);
    seq_event_integer(events, "batch", trainer->batch);
    seq_event_integer(events, "window", trainer->window);
    if (repartition->counted) {
        char twice[20], missed[20];
        snprintf(twice, sizeof twice, "%ss_twice", trainer->task->sampler->unit);
        snprintf(missed, sizeof missed, "%ss_missed", trainer->task->sampler->unit);
        seq_event_integer(events, twice, repartition->twice);
        seq_event_integer(events, missed, repartition->missed);
    }
    seq_event_end(events);
}
