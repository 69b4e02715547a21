// Puts what was taken in the place of initial values, on rank 0; all ranks get
// the same bytes. Invariant: all that a source has is either taken or told.
// Test: tests/fault/init_from.sh.
#include "first_values.h"
#include <seqtrain/base/log.h>
#include <seqtrain/data/word_vectors.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/train/configure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    const char *name = there.table->items[row].name, *why;
    char renamed[SEQ_PARAMETER_NAME];
    uint64_t used = 0;
    seq_transfer transfer = {0};
    bool asked = seq_source_rename(initial->sources.items[source].parts, name, renamed, &used);
    const seq_offer *offer = asked ? seq_initial_offer(initial, renamed) : NULL;
    const seq_parameter *to = asked ? seq_parameter_find(here->table, renamed) : NULL;
    bool first = offer && offer->source == source && offer->row == row;
    if (!to || !first) {
        why = !asked ? "not asked for" : !to ? "no such parameter here" : "taken already";
        fprintf(taking->left, "%s%s (%s)", ftell(taking->left) ? ", " : "", name, why);
        return SEQ_OK;
    }
    if (seq_transfer_parameter(&there, row, loaded->parameters, here,
                               (int)(to - here->table->items), trainer->parameters, &transfer,
                               error))
        return seq_error_add_context(error, "--init-from %s", initial->sources.items[source].path);
    taking->taken++;
    if (transfer.by_symbol)
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
    if (!error->status && !taking.taken) {
        char names[SEQ_NAMES];
        seq_initial_list_names(here->table, names);
        seq_error_set(
            error, SEQ_BAD_USAGE,
            "--init-from %s: nothing of it fits to this model, which has %s; there: %.400s",
            source->path, names, left);
    }
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
    const seq_parameter *table = seq_parameter_find(here->table, SEQ_EMBEDDING);
    seq_word_matches matches;
    if (!table || table->vocabulary < 0)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--embeddings: this model has no %s, an embedding of words",
                             SEQ_EMBEDDING);
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
    print_matched(report, SEQ_EMBEDDING, (size_t)(matches.exact + matches.lowered), table->rows,
                  matches.covered, matches.total);
    return SEQ_OK;
}

static void print_own(const seq_first_values *initial, const seq_meaning *here, bool embeddings,
                      FILE *report) {
    int count = 0;
    for (int row = 0; row < here->table->count; row++) {
        const char *name = here->table->items[row].name;
        if (seq_initial_offer(initial, name) || (embeddings && strcmp(name, SEQ_EMBEDDING) == 0))
            continue;
        fprintf(report, "%s%s", count++ ? ", " : "initial  drawn at random: ", name);
    }
    if (count) fputc('\n', report);
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
    if (seq_initial_is_root(trainer)) {
        if (initial->ready || !seq_initial_load_again(trainer, error)) fill(trainer, error);
        seq_initial_drop(initial);
    }
    seq_status status = seq_comm_agree(trainer->comm, error);
    return status ? status
                  : seq_comm_broadcast_shared(trainer->comm, trainer->parameters,
                                              trainer->table->size * sizeof(float), error);
}

void seq_initial_print(seq_trainer *trainer) {
    const seq_first_values *initial = trainer->initial;
    const char *line = initial ? initial->report : NULL;
    for (; line && *line; line += strcspn(line, "\n") + 1)
        seq_log_info("%.*s", (int)strcspn(line, "\n"), line);
    for (int row = 0; initial && !initial->report && row < trainer->table->count; row++) {
        const seq_parameter *parameter = &trainer->table->items[row];
        if (parameter->rate != 1)
            seq_log_info("initial  %s: %g of the learning rate", parameter->name, parameter->rate);
    }
}

// A trainer with what the steps above ask for, and a vector of this process's own.
seq_status seq_train_preview_initial(const seq_parsed *parsed, seq_comm *comm,
                                     const seq_compute *compute, seq_dataset *dataset,
                                     seq_error *error) {
    seq_trainer trainer = {.parsed = (seq_parsed *)parsed,
                           .options = parsed->values,
                           .comm = comm,
                           .compute = *compute,
                           .dataset = dataset};
    if (seq_initial_open(&trainer, NULL, error)) goto out;
    if (trainer.initial && !dataset)
        seq_error_set(error, SEQ_BAD_USAGE,
                      "--%s: what is taken depends on the vocabulary: name a data set by --data",
                      trainer.options->init_from ? "init-from" : "embeddings");
    if (!trainer.initial || error->status || !seq_initial_is_root(&trainer)) goto out;
    seq_status status = seq_train_create_model(parsed, dataset, compute, NULL, &trainer.task,
                                               &trainer.model, error);
    if (!status) status = seq_initial_set_rates(&trainer, error);
    if (status) goto out;
    trainer.table = seq_model_parameters(trainer.model);
    if (!seq_allocate(&trainer.parameters, trainer.table->size, sizeof *trainer.parameters,
                      "the parameters", error) &&
        !fill(&trainer, error))
        seq_initial_print(&trainer);
out:
    free(trainer.parameters);
    seq_model_destroy(trainer.model);
    seq_initial_close(&trainer);
    return seq_comm_agree(comm, error);
}
