// Loads the sources of --init-from and lists what they offer: parameters by the
// names that they have here. A run's record has a source by the hash of its
// manifest, so its identity does not depend on where it lies. Test:
// tests/fault/init_from.sh.
#include "first_values.h"
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_initial_drop(seq_first_values *initial) {
    for (int i = 0; initial->loaded && i < initial->sources.count; i++)
        seq_loaded_clear(&initial->loaded[i]);
    free(initial->loaded);
    free(initial->offers);
    initial->loaded = NULL;
    initial->offers = NULL;
    initial->offer_count = initial->offer_capacity = 0;
    seq_sources_clear(&initial->sources);
    initial->ready = false;
}

const seq_offer *seq_initial_offer(const seq_first_values *initial, const char *name) {
    for (size_t i = 0; i < initial->offer_count; i++)
        if (strcmp(initial->offers[i].name, name) == 0) return &initial->offers[i];
    return NULL;
}

void seq_initial_list_names(const seq_parameter_table *table, char out[SEQ_NAMES]) {
    size_t length = 0;
    *out = '\0';
    for (int row = 0; row < table->count && length < SEQ_NAMES; row++)
        length += (size_t)snprintf(out + length, SEQ_NAMES - length, "%s%s", row ? ", " : "",
                                   table->items[row].name);
}

// A part that names nothing is a mistake.
static seq_status check_used(const seq_source *source, uint64_t used,
                             const seq_parameter_table *table, seq_error *error) {
    char part[2 * SEQ_PARAMETER_NAME], names[SEQ_NAMES];
    int i = 0;
    while (seq_source_part(source->parts, i, part) && used >> i & 1)
        i++;
    if (!seq_source_part(source->parts, i, part)) return SEQ_OK;
    seq_initial_list_names(table, names);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--init-from %s: part %s names no parameter there; it has %s",
                         source->path, part, names);
}

// Of several sources that offer a parameter, the first counts.
static seq_status list_offers(seq_first_values *initial, int number, seq_error *error) {
    const seq_source *source = &initial->sources.items[number];
    const seq_parameter_table *table = seq_model_parameters(initial->loaded[number].model);
    uint64_t used = 0;
    for (int row = 0; row < table->count; row++) {
        seq_offer offer = {.source = number, .row = row};
        if (!seq_source_rename(source->parts, table->items[row].name, offer.name, &used) ||
            seq_initial_offer(initial, offer.name))
            continue;
        if (seq_grow(&initial->offers, &initial->offer_capacity, initial->offer_count + 1,
                     sizeof offer, "the parameters that are taken", error))
            return error->status;
        initial->offers[initial->offer_count++] = offer;
    }
    return check_used(source, used, table, error);
}

// "HASH[:PARTS][@RATE]", of all sources.
static seq_status name_source(const seq_source *source, const seq_digest *hash, char **text,
                              seq_error *error) {
    char digest[33], rate[40], *longer = NULL;
    seq_digest_text(hash, digest);
    seq_source_print_rate(source->rate, rate);
    if (asprintf(&longer, "%s%s%s%s%s%s", *text ? *text : "", *text ? ";" : "", digest,
                 *source->parts ? ":" : "", source->parts, rate) < 0)
        return seq_error_set(error, SEQ_NO_MEMORY, "--init-from: out of memory");
    free(*text);
    *text = longer;
    return SEQ_OK;
}

// Rank 0. *out_text: what the record is to say of the sources.
static seq_status load_sources(seq_trainer *trainer, char **out_text, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    seq_status status = seq_sources_parse(trainer->options->init_from, &initial->sources, error);
    if (!status)
        status = seq_allocate(&initial->loaded, (size_t)initial->sources.count,
                              sizeof *initial->loaded, "the models of --init-from", error);
    for (int i = 0; !status && i < initial->sources.count; i++) {
        const seq_source *source = &initial->sources.items[i];
        seq_digest hash;
        status =
            seq_checkpoint_load(source->path, true, &trainer->compute, &initial->loaded[i], error);
        if (status) return seq_error_add_context(error, "--init-from");
        seq_checkpoint_note(initial->loaded[i].directory, &hash);
        if (!hash.size) return seq_checkpoint_tell_moved(source->path, SEQ_REMOVED, error);
        status = list_offers(initial, i, error);
        if (!status) status = name_source(source, &hash, out_text, error);
    }
    return status;
}

seq_status seq_initial_name_embeddings(const seq_train_options *options, char out[80],
                                       seq_error *error) {
    char digest[33], rate[40];
    seq_digest hash;
    seq_status status = seq_digest_file(options->embeddings, &hash, error);
    if (status) return seq_error_add_context(error, "--embeddings");
    seq_digest_text(&hash, digest);
    seq_source_print_rate(options->embeddings_rate, rate);
    snprintf(out, 80, "%s%s", digest, rate);
    return SEQ_OK;
}

static seq_status record_rate(seq_record *record, const char *name, double rate, seq_error *error) {
    char key[sizeof SEQ_RATE_KEY + SEQ_PARAMETER_NAME], text[40];
    snprintf(key, sizeof key, "%s%s", SEQ_RATE_KEY, name);
    seq_source_print_rate(rate, text);
    return rate == 1 ? SEQ_OK : seq_record_set_text(record, key, text + 1, error);
}

// Rank 0: the sources, and what the record is to say of them.
seq_status seq_initial_load(seq_trainer *trainer, seq_record *record, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    const seq_train_options *options = trainer->options;
    char *text = NULL, file[80];
    seq_status status = SEQ_OK;
    if (options->init_from) status = load_sources(trainer, &text, error);
    if (!status && text) status = seq_record_set_text(record, "init-from", text, error);
    free(text);
    for (size_t i = 0; !status && i < initial->offer_count; i++)
        status = record_rate(record, initial->offers[i].name,
                             initial->sources.items[initial->offers[i].source].rate, error);
    if (status || !options->embeddings) return status;
    if (seq_initial_offer(initial, SEQ_EMBEDDING))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--embeddings: --init-from takes %s already: leave it out there "
                             "(:%s=)",
                             SEQ_EMBEDDING, SEQ_EMBEDDING);
    status = seq_initial_name_embeddings(options, file, error);
    if (!status) status = seq_record_set_text(record, "embeddings", file, error);
    return status ? status : record_rate(record, SEQ_EMBEDDING, options->embeddings_rate, error);
}

// Rank 0, where sources have been dropped: they must be what they were.
seq_status seq_initial_load_again(seq_trainer *trainer, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    seq_record now = {0};
    seq_status status = seq_initial_load(trainer, &now, error);
    static const char *const keys[] = {"init-from", "embeddings"};
    for (int i = 0; !status && i < 2; i++) {
        const char *before = seq_record_text(&initial->record, keys[i]),
                   *after = seq_record_text(&now, keys[i]);
        if (strcmp(before ? before : "", after ? after : "") != 0)
            status = seq_error_set(error, SEQ_NO_CHECKPOINT,
                                   "back to the start: --%s is not what the run began with (%.60s, "
                                   "now %.60s)",
                                   keys[i], before ? before : "none", after ? after : "none");
    }
    seq_record_clear(&now);
    return status;
}
