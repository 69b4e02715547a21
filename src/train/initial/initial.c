// --init-from and --embeddings: what a run records of its sources, and what a
// resume asks of the record. Invariant: nothing of the sources is needed once a
// checkpoint is there. Tests: tests/fault/init_from.sh,
// tests/unit/checkpoint/test_identity.c.
#include "first_values.h"
#include "options/options.h"
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_initial_close(seq_trainer *trainer) {
    seq_first_values *initial = trainer->initial;
    if (!initial) return;
    seq_initial_drop(initial);
    seq_record_clear(&initial->record);
    free(initial->report);
    free(initial);
    trainer->initial = NULL;
}

// ---- the record

// Rank 0's record to all: keys and texts, each ended by a NUL.
static seq_status share_record(seq_trainer *trainer, seq_error *error) {
    seq_record *record = &trainer->initial->record;
    char *text = NULL;
    size_t length = 0;
    uint64_t size = 0;
    if (seq_initial_is_root(trainer)) {
        FILE *stream = open_memstream(&text, &length);
        for (size_t i = 0; stream && i < record->count; i++)
            fprintf(stream, "%s%c%s%c", record->entries[i].key, 0, record->entries[i].text, 0);
        seq_memory_stream_close(stream, &text, error, "sharing the record of first values");
        size = length;
    }
    if (seq_comm_agree(trainer->comm, error)) goto out;
    if (seq_comm_broadcast(trainer->comm, &size, sizeof size, 0, error)) goto out;
    if (!seq_initial_is_root(trainer))
        seq_allocate(&text, size + 1, 1, "the record of first values", error);
    if (seq_comm_agree(trainer->comm, error)) goto out;
    if (seq_comm_broadcast(trainer->comm, text, size, 0, error)) goto out;
    for (const char *key = text; !error->status && key < text + size;) {
        const char *value = key + strlen(key) + 1;
        seq_record_set_text(record, key, value, error);
        key = value + strlen(value) + 1;
    }
    seq_comm_agree(trainer->comm, error);
out:
    free(text);
    return error->status;
}

static double rate_of(const seq_first_values *initial, const char *name) {
    char key[sizeof SEQ_RATE_KEY + SEQ_PARAMETER_NAME];
    double rate = 1;
    seq_error ignored = {0}; // checked when it was read
    snprintf(key, sizeof key, "%s%s", SEQ_RATE_KEY, name);
    if (seq_record_text(&initial->record, key))
        seq_record_get_real(&initial->record, key, &rate, &ignored);
    return rate;
}

static int by_length(const void *a, const void *b) {
    const struct seq_rate *x = a, *y = b;
    size_t one = strlen(x->name), other = strlen(y->name);
    return one < other ? -1 : one > other;
}

seq_status seq_initial_set_rates(seq_trainer *trainer, seq_error *error) {
    const seq_parameter_table *table = seq_model_parameters(trainer->model);
    seq_rates rates = {0};
    bool own = false, trains = false;
    if (!trainer->initial) return SEQ_OK;
    seq_status status = seq_allocate(&rates.items, (size_t)table->count, sizeof *rates.items,
                                     "the rates of parameters", error);
    for (; !status && rates.count < table->count; rates.count++) {
        struct seq_rate *item = &rates.items[rates.count];
        snprintf(item->name, sizeof item->name, "%s", table->items[rates.count].name);
        item->rate = rate_of(trainer->initial, item->name);
        own |= item->rate != 1;
        trains |= item->rate > 0;
    }
    if (!status && !trains)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--init-from: every parameter is frozen, there is nothing to train");
    if (!status && own) {
        qsort(rates.items, (size_t)rates.count, sizeof *rates.items, by_length);
        seq_model_destroy(trainer->model);
        trainer->model = NULL;
        status = seq_train_create_model(trainer->parsed, trainer->dataset, &trainer->compute,
                                        &rates, &trainer->task, &trainer->model, error);
    }
    free(rates.items);
    return status;
}

static seq_status read_record(seq_first_values *initial, const seq_record *recorded,
                              seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < recorded->count; i++) {
        const seq_record_entry *entry = &recorded->entries[i];
        double rate = 0;
        if (strncmp(entry->key, SEQ_RATE_KEY, strlen(SEQ_RATE_KEY)) == 0)
            status = seq_record_get_real(recorded, entry->key, &rate, error);
        if (!status && !(rate >= 0 && rate <= 1000))
            status = seq_error_set(error, SEQ_NO_CHECKPOINT,
                                   "record: key %s is %.60s, expected a number from 0 to 1000",
                                   entry->key, entry->text);
        if (!status) status = seq_record_set_text(&initial->record, entry->key, entry->text, error);
    }
    return status ? seq_error_add_context(error, "resuming") : SEQ_OK;
}

// ---- a resume

// Whether one of the checkpoints of `path`, a run or a checkpoint, has this manifest; true also
// where there is none any more.
static bool may_be(const char *path, const char *hash) {
    int64_t *steps = NULL;
    size_t count = 0;
    char directory[SEQ_PATH], text[33];
    seq_digest noted;
    seq_error ignored = {0};
    bool any = false, found = false;
    seq_checkpoint_note(path, &noted);
    if (noted.size) {
        seq_digest_text(&noted, text);
        return strcmp(text, hash) == 0;
    }
    seq_checkpoint_list(path, &steps, &count, &ignored);
    for (size_t i = 0; i < count && !found; i++) {
        if (seq_checkpoint_directory(path, steps[i], directory, &ignored)) continue;
        seq_checkpoint_note(directory, &noted);
        seq_digest_text(&noted, text);
        any |= noted.size > 0;
        found = strcmp(text, hash) == 0;
    }
    free(steps);
    return found || !any;
}

static seq_status refuse_other(const char *option, const char *given, const char *recorded,
                               const char *why, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "resuming: --%s %.200s: %s (the run has %.100s); leave it out, since it "
                         "acts at a run's first start only, use another --run, or name it in "
                         "--override",
                         option, given, why, recorded ? recorded : "none");
}

static seq_status compare_sources(const char *given, const char *recorded, seq_error *error) {
    seq_sources now = {0}, then = {0};
    seq_status status = seq_sources_parse(given, &now, error);
    if (!status) status = seq_sources_parse(recorded ? recorded : "none", &then, error);
    bool same = recorded && now.count == then.count;
    for (int i = 0; !status && same && i < now.count; i++)
        same = strcmp(now.items[i].parts, then.items[i].parts) == 0 &&
               now.items[i].rate == then.items[i].rate;
    if (!status && !same)
        status = refuse_other("init-from", given, recorded,
                              "other sources, parts or rates than the run began with", error);
    for (int i = 0; !status && i < now.count; i++)
        if (!may_be(now.items[i].path, then.items[i].path))
            status = refuse_other("init-from", given, recorded,
                                  "the source has other checkpoints than the one that the run "
                                  "began with",
                                  error);
    seq_sources_clear(&now);
    seq_sources_clear(&then);
    return status;
}

static seq_status compare_embeddings(const seq_train_options *options, const char *recorded,
                                     seq_error *error) {
    char now[80];
    if (recorded && !seq_path_exists(options->embeddings)) {
        seq_source_print_rate(options->embeddings_rate, now);
        if (strcmp(recorded + strcspn(recorded, "@"), now) == 0) return SEQ_OK;
    } else if (seq_initial_name_embeddings(options, now, error)) {
        return error->status;
    } else if (recorded && strcmp(recorded, now) == 0) {
        return SEQ_OK;
    }
    return refuse_other("embeddings", options->embeddings, recorded,
                        "another file or rate than the run began with", error);
}

// Rank 0: what was given again must be what the run began with.
static seq_status compare_given(const seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    const seq_record *record = &trainer->initial->record;
    seq_status status = SEQ_OK;
    if (options->init_from && !seq_train_overrides(options, "init-from"))
        status = compare_sources(options->init_from, seq_record_text(record, "init-from"), error);
    if (!status && options->embeddings && !seq_train_overrides(options, "embeddings"))
        status = compare_embeddings(options, seq_record_text(record, "embeddings"), error);
    return status;
}

seq_status seq_initial_open(seq_trainer *trainer, const seq_manifest *resumed, seq_error *error) {
    const seq_train_options *options = trainer->options;
    static const seq_manifest none;
    const seq_record *recorded = seq_manifest_section_find(resumed ? resumed : &none, "initial");
    if (!options->embeddings && options->embeddings_rate != 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--embeddings-rate: has a meaning with --embeddings only, which is "
                             "missing");
    if (!options->init_from && !options->embeddings && !recorded->count) return SEQ_OK;
    seq_allocate(&trainer->initial, 1, sizeof *trainer->initial, "the first values", error);
    if (seq_comm_agree(trainer->comm, error)) return error->status;
    if (resumed && !read_record(trainer->initial, recorded, error) && seq_initial_is_root(trainer))
        compare_given(trainer, error);
    if (!resumed && seq_initial_is_root(trainer))
        trainer->initial->ready = !seq_initial_load(trainer, &trainer->initial->record, error);
    if (seq_comm_agree(trainer->comm, error)) return error->status;
    return resumed ? SEQ_OK : share_record(trainer, error);
}

seq_status seq_initial_describe(const seq_trainer *trainer, seq_manifest *out, seq_error *error) {
    const seq_record *record = trainer->initial ? &trainer->initial->record : NULL;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && record && i < record->count; i++) {
        const seq_record_entry *entry = &record->entries[i];
        bool rate = strncmp(entry->key, SEQ_RATE_KEY, strlen(SEQ_RATE_KEY)) == 0;
        if (rate && !seq_parameter_find(trainer->table, entry->key + strlen(SEQ_RATE_KEY)))
            continue;
        seq_record *section = seq_manifest_section_get(out, "initial");
        if (!section)
            return seq_error_set(error, SEQ_NO_MEMORY, "describing the run: out of memory");
        status = seq_record_set_text(section, entry->key, entry->text, error);
    }
    return status;
}
