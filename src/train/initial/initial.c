// --init-from and --embeddings: rank 0 loads the sources and fills parameters,
// all ranks get the same bytes. A run's record has the sources by the hashes of
// their manifests, so its identity does not depend on where they lie. Invariant:
// nothing of the sources is needed once a checkpoint is there. Tests:
// tests/cli/init_from.sh, tests/mpi/init_from.sh.
#include "initial.h"
#include "options/options.h"
#include "transfer.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/word_vectors.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rate_key[] = "rate ";             // followed by the parameter's name
static const char embedding[] = "embedding.weight"; // what --embeddings fills

// A parameter that a source has for a name of this model, if it has that.
typedef struct offer {
    char name[SEQ_PARAMETER_NAME];
    int source, row;
} offer;

struct seq_first_values {
    seq_record record; // "init-from", "embeddings", "rate NAME": on all ranks
    // Rank 0.
    bool ready; // opened and not filled yet: what follows is there
    seq_sources sources;
    seq_loaded *loaded; // (sources.count); NULL: not loaded
    offer *offers;
    size_t offer_count, offer_capacity;
    char *report; // lines to be printed, or NULL
};

static bool is_root(const seq_trainer *trainer) {
    return seq_comm_rank(trainer->comm) == 0;
}

static void drop_sources(seq_first_values *initial) {
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

void seq_initial_close(seq_trainer *trainer) {
    seq_first_values *initial = trainer->initial;
    if (!initial) return;
    drop_sources(initial);
    seq_record_clear(&initial->record);
    free(initial->report);
    free(initial);
    trainer->initial = NULL;
}

// ---- loading

static const offer *find_offer(const seq_first_values *initial, const char *name) {
    for (size_t i = 0; i < initial->offer_count; i++)
        if (strcmp(initial->offers[i].name, name) == 0) return &initial->offers[i];
    return NULL;
}

// A part that names nothing is a mistake.
static seq_status check_used(const seq_source *source, uint64_t used,
                             const seq_parameter_table *table, seq_error *error) {
    char part[2 * SEQ_PARAMETER_NAME], names[400] = "";
    size_t length = 0;
    for (int i = 0; seq_source_part(source->parts, i, part); i++) {
        if (used >> i & 1) continue;
        for (int row = 0; row < table->count && length < sizeof names; row++)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                       row ? ", " : "", table->items[row].name);
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--init-from %s: part %s names no parameter there; it has %s",
                             source->path, part, names);
    }
    return SEQ_OK;
}

// Of several sources that offer a parameter, the first counts.
static seq_status list_offers(seq_first_values *initial, int number, seq_error *error) {
    const seq_source *source = &initial->sources.items[number];
    const seq_parameter_table *table = seq_model_parameters(initial->loaded[number].model);
    uint64_t used = 0;
    for (int row = 0; row < table->count; row++) {
        offer offer = {.source = number, .row = row};
        if (!seq_source_rename(source->parts, table->items[row].name, offer.name, &used) ||
            find_offer(initial, offer.name))
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
        status = list_offers(initial, i, error);
        if (!status) status = name_source(source, &hash, out_text, error);
    }
    return status;
}

static seq_status name_embeddings(const seq_train_options *options, char out[80],
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
    char key[sizeof rate_key + SEQ_PARAMETER_NAME], text[40];
    snprintf(key, sizeof key, "%s%s", rate_key, name);
    seq_source_print_rate(rate, text);
    return rate == 1 ? SEQ_OK : seq_record_set_text(record, key, text + 1, error);
}

// Rank 0: the sources, and what the record is to say of them.
static seq_status load_all(seq_trainer *trainer, seq_record *record, seq_error *error) {
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
    if (find_offer(initial, embedding))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--embeddings: --init-from takes %s already: leave it out there "
                             "(:%s=)",
                             embedding, embedding);
    status = name_embeddings(options, file, error);
    if (!status) status = seq_record_set_text(record, "embeddings", file, error);
    return status ? status : record_rate(record, embedding, options->embeddings_rate, error);
}

// ---- the record

// Rank 0's record to all: keys and texts, each ended by a NUL.
static seq_status share_record(seq_trainer *trainer, seq_error *error) {
    seq_record *record = &trainer->initial->record;
    char *text = NULL;
    size_t length = 0;
    uint64_t size = 0;
    if (is_root(trainer)) {
        FILE *stream = open_memstream(&text, &length);
        for (size_t i = 0; stream && i < record->count; i++)
            fprintf(stream, "%s%c%s%c", record->entries[i].key, 0, record->entries[i].text, 0);
        seq_memory_stream_close(stream, &text, error, "sharing the record of first values");
        size = length;
    }
    if (seq_comm_agree(trainer->comm, error)) goto out;
    if (seq_comm_broadcast(trainer->comm, &size, sizeof size, 0, error)) goto out;
    if (!is_root(trainer)) seq_allocate(&text, size + 1, 1, "the record of first values", error);
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

double seq_initial_rate(const seq_trainer *trainer, const char *name) {
    char key[sizeof rate_key + SEQ_PARAMETER_NAME];
    double rate = 1;
    seq_error ignored = {0}; // checked when it was read
    snprintf(key, sizeof key, "%s%s", rate_key, name);
    if (trainer->initial && seq_record_text(&trainer->initial->record, key))
        seq_record_get_real(&trainer->initial->record, key, &rate, &ignored);
    return rate;
}

static seq_status read_record(seq_first_values *initial, const seq_record *recorded,
                              seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < recorded->count; i++) {
        const seq_record_entry *entry = &recorded->entries[i];
        double rate = 0;
        if (strncmp(entry->key, rate_key, strlen(rate_key)) == 0)
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
    } else if (name_embeddings(options, now, error)) {
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
    if (resumed && !read_record(trainer->initial, recorded, error) && is_root(trainer))
        compare_given(trainer, error);
    if (!resumed && is_root(trainer))
        trainer->initial->ready = !load_all(trainer, &trainer->initial->record, error);
    if (seq_comm_agree(trainer->comm, error)) return error->status;
    return resumed ? SEQ_OK : share_record(trainer, error);
}

// ---- filling

static void print_names(FILE *stream, const char *what, const char *names) {
    if (names && *names) fprintf(stream, "initial  %s: %s\n", what, names);
}

static void print_matched(FILE *stream, const char *name, size_t matched, size_t rows,
                          int64_t covered, int64_t total) {
    fprintf(stream, "initial  %s: %zu of %zu rows", name, matched, rows);
    if (total)
        fprintf(stream, ", %.2f %% of the training tokens",
                100.0 * (double)covered / (double)total);
    fputc('\n', stream);
}

static void print_rate(FILE *stream, double rate) {
    if (rate == 0)
        fprintf(stream, ", frozen");
    else if (rate != 1)
        fprintf(stream, ", at %g of the learning rate", rate);
}

static seq_meaning meaning_of(const seq_loaded *loaded) {
    return (seq_meaning){seq_model_parameters(loaded->model), &loaded->schema,
                         (const seq_vocabulary *const *)loaded->vocabularies};
}

// Sums up a source while it is taken from.
typedef struct taking {
    FILE *rows, *left; // lines on matched rows; names with the reasons
    int taken;
} taking;

static seq_status take_row(seq_trainer *trainer, int source, int row, const seq_meaning *here,
                           taking *taking, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    const seq_loaded *loaded = &initial->loaded[source];
    const seq_meaning there = meaning_of(loaded);
    const char *name = there.table->items[row].name, *why = "not asked for";
    char renamed[SEQ_PARAMETER_NAME];
    uint64_t used = 0;
    seq_transfer transfer = {0};
    bool asked = seq_source_rename(initial->sources.items[source].parts, name, renamed, &used);
    const offer *offer = asked ? find_offer(initial, renamed) : NULL;
    const seq_parameter *to = asked ? seq_parameter_find(here->table, renamed) : NULL;
    if (asked && !to) why = "no such parameter here";
    if (asked && to && (offer->source != source || offer->row != row)) why = "taken already";
    if (asked && to && offer->source == source && offer->row == row) {
        if (seq_transfer_parameter(&there, row, loaded->parameters, here,
                                   (int)(to - here->table->items), trainer->parameters, &transfer,
                                   error))
            return seq_error_add_context(error, "--init-from %s",
                                         initial->sources.items[source].path);
        why = transfer.why;
    }
    taking->taken += transfer.taken;
    if (!transfer.taken)
        fprintf(taking->left, "%s%s (%s)", ftell(taking->left) ? ", " : "", name, why);
    else if (transfer.by_symbol)
        print_matched(taking->rows, to->name, transfer.matched, transfer.rows, transfer.covered,
                      transfer.total);
    else if (strcmp(name, to->name) != 0)
        fprintf(taking->rows, "initial  %s: from %s\n", to->name, name);
    return SEQ_OK;
}

// Rank 0.
static seq_status take_source(seq_trainer *trainer, int number, const seq_meaning *here,
                              FILE *report, seq_error *error) {
    const seq_source *source = &trainer->initial->sources.items[number];
    const seq_loaded *loaded = &trainer->initial->loaded[number];
    int rows = seq_model_parameters(loaded->model)->count;
    char *lines = NULL, *left = NULL;
    size_t size, left_size;
    taking taking = {.rows = open_memstream(&lines, &size),
                     .left = open_memstream(&left, &left_size)};
    seq_status status = SEQ_OK;
    for (int row = 0; taking.rows && taking.left && !status && row < rows; row++)
        status = take_row(trainer, number, row, here, &taking, error);
    seq_memory_stream_close(taking.rows, &lines, error, "--init-from");
    seq_memory_stream_close(taking.left, &left, error, "--init-from");
    if (!error->status && !taking.taken)
        seq_error_set(error, SEQ_BAD_USAGE, "--init-from %s: nothing of it fits to this model: %s",
                      source->path, left);
    if (!error->status) {
        fprintf(report, "initial  %s: %d of %d parameters", loaded->directory, taking.taken, rows);
        print_rate(report, source->rate);
        fprintf(report, "\n%s", lines);
        print_names(report, "not taken", left);
    }
    free(lines);
    free(left);
    return error->status;
}

// Rank 0.
static seq_status take_embeddings(seq_trainer *trainer, const seq_meaning *here, FILE *report,
                                  seq_error *error) {
    const seq_train_options *options = trainer->options;
    const seq_parameter *table = seq_parameter_find(here->table, embedding);
    seq_word_matches matches;
    if (!table || table->vocabulary < 0)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--embeddings: this model has no %s, an embedding of words",
                             embedding);
    seq_status status =
        seq_word_vectors_read(options->embeddings, here->vocabularies[table->vocabulary],
                              table->columns, trainer->parameters + table->offset, &matches, error);
    if (status) return seq_error_add_context(error, "--embeddings");
    if (!matches.exact && !matches.lowered)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--embeddings %s: none of its %lld words is in the vocabulary",
                             options->embeddings, (long long)matches.lines);
    fprintf(report, "initial  %s: %lld words", options->embeddings, (long long)matches.lines);
    if (matches.duplicates)
        fprintf(report, ", %lld of them again (the first counts)", (long long)matches.duplicates);
    print_rate(report, options->embeddings_rate);
    fprintf(report,
            "\ninitial  words: %lld as they are, %lld in lower case, %lld not in the file\n",
            (long long)matches.exact, (long long)matches.lowered, (long long)matches.missing);
    print_matched(report, embedding, (size_t)(matches.exact + matches.lowered), table->rows,
                  matches.covered, matches.total);
    return SEQ_OK;
}

static void print_own(const seq_first_values *initial, const seq_meaning *here, bool embeddings,
                      FILE *report) {
    int count = 0;
    for (int row = 0; row < here->table->count; row++) {
        const char *name = here->table->items[row].name;
        if (find_offer(initial, name) || (embeddings && strcmp(name, embedding) == 0)) continue;
        fprintf(report, "%s%s", count++ ? ", " : "initial  drawn at random: ", name);
    }
    if (count) fputc('\n', report);
}

// Rank 0, where sources have been dropped: they must be what they were.
static seq_status load_again(seq_trainer *trainer, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    seq_record now = {0};
    seq_status status = load_all(trainer, &now, error);
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

static seq_status fill(seq_trainer *trainer, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    const seq_train_options *options = trainer->options;
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    const seq_meaning here = {trainer->table, seq_dataset_schema(trainer->dataset), vocabularies};
    for (int i = 0; i < here.schema->vocabulary_count; i++)
        vocabularies[i] = seq_dataset_vocabulary_at(trainer->dataset, i);
    char *report = NULL;
    size_t size;
    FILE *stream = open_memstream(&report, &size);
    seq_status status = SEQ_OK;
    for (int i = 0; stream && !status && i < initial->sources.count; i++)
        status = take_source(trainer, i, &here, stream, error);
    if (stream && !status && options->embeddings)
        status = take_embeddings(trainer, &here, stream, error);
    if (stream && !status) print_own(initial, &here, options->embeddings != NULL, stream);
    seq_memory_stream_close(stream, &report, error, "the first values");
    free(initial->report);
    initial->report = report;
    return error->status;
}

seq_status seq_initial_fill(seq_trainer *trainer, seq_error *error) {
    seq_first_values *initial = trainer->initial;
    if (!initial) return SEQ_OK;
    if (is_root(trainer)) {
        if (initial->ready || !load_again(trainer, error)) fill(trainer, error);
        drop_sources(initial);
    }
    seq_status status = seq_comm_agree(trainer->comm, error);
    return status ? status
                  : seq_comm_broadcast_shared(trainer->comm, trainer->parameters,
                                              trainer->table->size * sizeof(float), error);
}

void seq_initial_print(seq_trainer *trainer) {
    char *report = trainer->initial ? trainer->initial->report : NULL, *line;
    while ((line = strsep(&report, "\n")))
        if (*line) seq_log_info("%s", line);
}

seq_status seq_initial_describe(const seq_trainer *trainer, seq_manifest *out, seq_error *error) {
    const seq_record *record = trainer->initial ? &trainer->initial->record : NULL;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && record && i < record->count; i++) {
        const seq_record_entry *entry = &record->entries[i];
        bool rate = strncmp(entry->key, rate_key, strlen(rate_key)) == 0;
        if (rate && !seq_parameter_find(trainer->table, entry->key + strlen(rate_key))) continue;
        seq_record *section = seq_manifest_section_get(out, "initial");
        if (!section)
            return seq_error_set(error, SEQ_NO_MEMORY, "describing the run: out of memory");
        status = seq_record_set_text(section, entry->key, entry->text, error);
    }
    return status;
}
