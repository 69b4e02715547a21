// Texts from a model that generates: each begins with the prime, and ends with its
// <eos>. All have the same labels, and are drawn some at a time; a text depends on
// the seed and its number alone. --copied compares each with all training items.
// Invariant: the output is the texts in order. Test: tests/cli/generate.sh.
#include "seqsample_private.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/checkpoint/data_path.h>
#include <seqtrain/data/items.h>
#include <seqtrain/infer/copied.h>
#include <seqtrain/infer/produce.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_BY_SIDE = 64, LONGEST = 10000, SOME = 1024, RUNS = 256 };

typedef struct work {
    const seqsample_options *options;
    const seq_loaded *loaded;
    const seq_schema *schema;
    int32_t *prime;
    size_t prime_count;
    int32_t ids[SEQ_COLUMNS]; // of each field of the examples
    float values[SEQ_COLUMNS];
    bool given[SEQ_COLUMNS];
    seq_producer *producer;
    // --copied: the texts that were drawn, and the longest run of each.
    seq_runs *runs[RUNS];
    int lengths[RUNS], longest[RUNS], runs_count;
    seq_dataset *dataset;
    FILE *copied;
    int64_t first_run; // number of runs[0]
} work;

// ---- Labels

// Fields of the examples that a text depends on.
static bool is_condition(const seq_schema *schema, int f) {
    const seq_field *field = &schema->fields[f];
    return field->axis == 0 && strcmp(field->name, SEQ_GROUP_FIELD) != 0 &&
           f != seq_schema_find_given(schema);
}

static void list_values(const work *work, int f, char *out, size_t size) {
    const seq_vocabulary *vocabulary =
        work->loaded->vocabularies[work->schema->fields[f].vocabulary];
    size_t used = 0;
    int count = seq_vocabulary_size(vocabulary);
    for (int id = 0; id < count && used + 80 < size; id++)
        used += (size_t)snprintf(out + used, size - used, "%s%.60s", id ? ", " : "",
                                 seq_vocabulary_text(vocabulary, id, NULL));
    if (used + 80 >= size) snprintf(out + used, size - used, ", ...");
}

static void list_fields(const work *work, char *out, size_t size) {
    size_t used = 0;
    snprintf(out, size, "none");
    for (int f = 0; f < work->schema->field_count; f++)
        if (is_condition(work->schema, f))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     work->schema->fields[f].name);
}

static seq_status set_label(work *work, int f, const char *value, seq_error *error) {
    char known[600], *end;
    const seq_field *field = &work->schema->fields[f];
    if (field->kind == SEQ_FIELD_NUMBER) {
        work->values[f] = (float)strtod(value, &end);
        if (*value && !*end && isfinite(work->values[f])) return SEQ_OK;
        return seq_error_set(error, SEQ_BAD_USAGE, "--label %s=%s: expected a number", field->name,
                             value);
    }
    work->ids[f] =
        seq_vocabulary_find(work->loaded->vocabularies[field->vocabulary], value, strlen(value));
    if (work->ids[f] != SEQ_NO_ID) return SEQ_OK;
    list_values(work, f, known, sizeof known);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--label %s=%s: the model has learned no such value; it knows %s",
                         field->name, value, known);
}

static seq_status take_label(work *work, char *text, seq_error *error) {
    char fields[400], *equals = strchr(text, '=');
    int f = -1;
    if (equals) *equals = '\0';
    if (equals) f = seq_schema_find_field(work->schema, text);
    if (f < 0 || !is_condition(work->schema, f)) {
        list_fields(work, fields, sizeof fields);
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--label %s: expected FIELD=VALUE; the fields of %s are: %s", text,
                             work->loaded->directory, fields);
    }
    if (work->given[f])
        return seq_error_set(error, SEQ_BAD_USAGE, "--label %s: it is given twice", text);
    work->given[f] = true;
    return set_label(work, f, equals + 1, error);
}

static seq_status take_labels(work *work, seq_error *error) {
    char *list = NULL, known[600] = "a number";
    const char *text = work->options->label ? work->options->label : "";
    seq_status status = seq_allocate(&list, strlen(text) + 1, 1, "labels", error);
    if (status) return status;
    memcpy(list, text, strlen(text));
    for (char *rest = *text ? list : NULL; !status && rest;)
        status = take_label(work, strsep(&rest, ";"), error);
    free(list);
    for (int f = 0; !status && f < work->schema->field_count; f++) {
        if (!is_condition(work->schema, f) || work->given[f]) continue;
        if (work->schema->fields[f].vocabulary >= 0) list_values(work, f, known, sizeof known);
        status = seq_error_set(error, SEQ_BAD_USAGE, "--label %s=VALUE is missing: one of %s",
                               work->schema->fields[f].name, known);
    }
    return status;
}

// ---- What was copied

// Equal symbols have equal ids.
static seq_status check_vocabulary(const work *work, seq_error *error) {
    char differences[500];
    if (seq_schema_compare(seq_dataset_schema(work->dataset), work->schema, differences,
                           sizeof differences, error))
        return error->status;
    int own = seq_vocabulary_size(work->loaded->vocabulary);
    if (!*differences && seq_vocabulary_size(seq_dataset_vocabulary(work->dataset)) == own)
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT, "--copied: data set %s is not the model's: %s",
                         seq_dataset_path(work->dataset),
                         *differences ? differences : "another vocabulary");
}

static seq_status open_copied(work *work, seq_error *error) {
    char run[SEQ_PATH + 8], *found = NULL;
    const char *path = work->options->copied;
    if (!path) return SEQ_OK;
    snprintf(run, sizeof run, "%s/../..", work->loaded->directory);
    seq_status status = seq_data_path_find(run, &work->loaded->manifest, &found, error);
    if (!status && !found)
        status =
            seq_error_set(error, SEQ_BAD_USAGE,
                          "--copied: neither the checkpoint nor data-path.txt of its run names "
                          "the data set");
    if (!status) status = seq_data_path_open(work->loaded->directory, found, &work->dataset, error);
    free(found);
    if (!status) status = check_vocabulary(work, error);
    if (status) return status;
    work->copied = fopen(path, "we");
    if (!work->copied) return seq_error_set_errno(error, "opening %s", path);
    fputs("sequence\ttokens\tcopied\tshare\n", work->copied);
    return SEQ_OK;
}

static void compare(work *work, const seq_items *items) {
    int text = work->schema->target, axis = work->schema->fields[text].axis;
    for (int r = 0; r < work->runs_count; r++) {
        const int32_t *at = items->ids[text];
        for (int64_t i = 0; i < items->count; i++) {
            int own = seq_runs_longest(work->runs[r], at, items->lengths[axis][i]);
            if (own > work->longest[r]) work->longest[r] = own;
            at += items->lengths[axis][i];
        }
    }
}

// The training items once, for all texts that wait.
static seq_status tell_copied(work *work, seq_error *error) {
    int64_t count = seq_dataset_items(work->dataset, SEQ_TRAIN);
    seq_items_room room = {0};
    seq_items items;
    seq_status status = SEQ_OK;
    for (int64_t first = 0; !status && first < count; first += SOME) {
        int64_t some = count - first < SOME ? count - first : SOME;
        status =
            seq_dataset_read_items(work->dataset, SEQ_TRAIN, first, some, &room, &items, error);
        if (!status) compare(work, &items);
    }
    seq_items_room_clear(&room);
    for (int r = 0; r < work->runs_count; r++) {
        double share = work->lengths[r] ? (double)work->longest[r] / work->lengths[r] : 0;
        if (!status)
            fprintf(work->copied, "%lld\t%d\t%d\t%.4f\n", (long long)work->first_run + r,
                    work->lengths[r], work->longest[r], share);
        seq_runs_destroy(work->runs[r]);
        work->longest[r] = 0;
    }
    work->first_run += work->runs_count;
    work->runs_count = 0;
    return status;
}

static seq_status close_copied(work *work, seq_error *error) {
    FILE *stream = work->copied;
    if (!stream) return SEQ_OK;
    seq_status status = error->status ? error->status : tell_copied(work, error);
    bool failed = ferror(stream) != 0;
    if ((fclose(stream) != 0 || failed) && !status)
        status = seq_error_set_errno(error, "writing %s", work->options->copied);
    return status;
}

// ---- Texts

static seq_status print_text(work *work, int64_t number, const seq_output *output,
                             seq_error *error) {
    const seq_vocabulary *vocabulary = work->loaded->vocabulary;
    size_t from = work->options->echo ? 0 : work->prime_count;
    seq_detokenizer decoder = {0};
    char text[SEQ_DECODED];
    if (number) putchar('\n');
    for (size_t i = from; i < (size_t)output->length; i++) {
        size_t size = seq_detokenize(&decoder, vocabulary, output->symbols[i], text, sizeof text);
        fwrite(text, 1, size, stdout);
    }
    putchar('\n');
    return seq_standard_flush("writing the text", error);
}

static seq_status take_text(work *work, int64_t number, const seq_found *found, seq_error *error) {
    if (!found->count)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: the model's answer is no number",
                             work->loaded->directory);
    const seq_output *output = &found->outputs[0];
    if (output->truncated)
        seq_log_warning("text %lld has more than %d tokens: it is cut", (long long)number,
                        output->length);
    seq_status status = print_text(work, number, output, error);
    if (status || !work->copied) return status;
    work->lengths[work->runs_count] = output->length;
    status = seq_runs_create(output->symbols, output->length,
                             seq_vocabulary_size(work->loaded->vocabulary),
                             &work->runs[work->runs_count], error);
    if (!status && ++work->runs_count == RUNS) status = tell_copied(work, error);
    return status;
}

// Columns of `count` equal items.
static seq_status make_items(const work *work, int count, seq_items *out, void *blocks[SEQ_COLUMNS],
                             seq_error *error) {
    seq_status status = SEQ_OK;
    *out = (seq_items){.count = count};
    for (int axis = 0; axis < work->schema->axis_count; axis++)
        out->rows[axis] = axis ? 0 : (size_t)count;
    for (int f = 0; !status && f < work->schema->field_count; f++) {
        const seq_field *field = &work->schema->fields[f];
        int32_t *ids = NULL;
        float *values = NULL;
        if (field->vocabulary >= 0) {
            status = seq_allocate(&ids, (size_t)count, sizeof *ids, "labels", error);
            for (int i = 0; !status && i < count; i++)
                ids[i] = work->ids[f];
        } else {
            status = seq_allocate(&values, (size_t)count, sizeof *values, "labels", error);
            for (int i = 0; !status && i < count; i++)
                values[i] = work->values[f];
        }
        out->ids[f] = ids;
        out->values[f] = values;
        blocks[f] = ids ? (void *)ids : values;
    }
    return status;
}

static seq_status draw(work *work, int64_t first, int count, seq_error *error) {
    seq_items items;
    void *blocks[SEQ_COLUMNS] = {NULL};
    int32_t *prefixes = NULL;
    size_t ends[SIDE_BY_SIDE], size = work->prime_count;
    const seq_found *found = NULL;
    seq_status status = make_items(work, count, &items, blocks, error);
    if (!status)
        status = seq_allocate(&prefixes, (size_t)count * size, sizeof *prefixes, "primes", error);
    for (int i = 0; !status && i < count; i++) {
        if (size) memcpy(prefixes + (size_t)i * size, work->prime, size * sizeof *prefixes);
        ends[i] = ((size_t)i + 1) * size;
    }
    const seq_wanted wanted = {.first_number = first, .prefixes = prefixes, .prefix_ends = ends};
    if (!status) status = seq_produce(work->producer, &items, &wanted, &found, error);
    for (int i = 0; !status && i < count; i++)
        status = take_text(work, first + i, &found[i], error);
    for (int f = 0; f < SEQ_COLUMNS; f++)
        free(blocks[f]);
    free(prefixes);
    return status;
}

static seq_status draw_all(work *work, seq_error *error) {
    const seqsample_options *options = work->options;
    const seq_vocabulary *vocabulary = work->loaded->vocabulary;
    const int32_t unknown = seq_vocabulary_unk(vocabulary);
    const seq_sample_config how = {.temperature = options->temperature,
                                   .top_k = options->top_k,
                                   .top_p = options->top_p,
                                   .greedy = options->greedy,
                                   .seed = (uint64_t)options->seed};
    const seq_producer_config config = {
        .model = work->loaded->model,
        .weights = &work->loaded->weights,
        .schema = work->schema,
        .vocabularies = (const seq_vocabulary *const *)work->loaded->vocabularies,
        .batch = SIDE_BY_SIDE,
        .search = {.symbols = seq_vocabulary_size(vocabulary),
                   .end = seq_vocabulary_eos(vocabulary),
                   .width = 1,
                   .best = 1,
                   .margin = INFINITY,
                   .rule = SEQ_LENGTH_NONE,
                   .longest = options->tokens ? (int)options->tokens : LONGEST,
                   .forbidden = &unknown,
                   .forbidden_count = options->no_unk && unknown != SEQ_NO_ID,
                   .draw = &how}};
    if (options->tokens > INT32_MAX / 4)
        return seq_error_set(error, SEQ_BAD_USAGE, "--tokens: at most %d of a model that generates",
                             INT32_MAX / 4);
    seq_status status = seq_producer_create(&config, &work->producer, error);
    for (int64_t first = 0; !status && first < options->count; first += SIDE_BY_SIDE) {
        int64_t left = options->count - first;
        status = draw(work, first, left < SIDE_BY_SIDE ? (int)left : SIDE_BY_SIDE, error);
    }
    seq_producer_destroy(work->producer);
    return status;
}

seq_status seqsample_items(const seqsample_options *options, const seq_loaded *loaded,
                           seq_error *error) {
    work work = {.options = options, .loaded = loaded, .schema = &loaded->schema};
    for (int f = 0; f < SEQ_COLUMNS; f++)
        work.ids[f] = SEQ_NO_ID;
    if (seq_vocabulary_eos(loaded->vocabulary) == SEQ_NO_ID)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: its vocabulary has no <eos>",
                             loaded->directory);
    seq_status status = take_labels(&work, error);
    if (!status)
        status =
            seqsample_prime(options, loaded->vocabulary, &work.prime, &work.prime_count, error);
    if (!status) status = open_copied(&work, error);
    if (!status) status = draw_all(&work, error);
    if (work.copied) status = close_copied(&work, error);
    for (int r = 0; r < work.runs_count; r++)
        seq_runs_destroy(work.runs[r]);
    seq_dataset_close(work.dataset);
    free(work.prime);
    return status;
}
