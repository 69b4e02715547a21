// A model's answers to the items of a split, judged as files of answers are. The
// right answers, and what a baseline or the count of unseen entities learns from,
// come from the data set; texts of tokens as they came, where it has them.
// Invariant: every figure is a sum in the order of the items, so it does not
// depend on --batch. Test: tests/cli/seqeval_items.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/items.h>
#include <seqtrain/task/task.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOME = 4096,             // items read at once
    PROBABILITIES = 1 << 26, // items x classes at most: beyond, there are no areas
};

typedef struct work {
    const seq_eval_options *options;
    const seq_loaded *loaded;
    seq_dataset *dataset;
    const seq_schema *schema;
    const seq_field *target;
    const seq_vocabulary *text; // of the field whose units are words; NULL: none
    int text_field;
    int32_t never; // a word that no training item has
    seq_answer_kind kind;
    bool probabilities; // of classes are kept
    seq_eval_comparison comparison;
    seq_eval_pass pass;
    // Transcripts as they come, in the order of batches: that of item i has heard[heard_at[i]] and
    // heard_count[i] symbols in all.
    int32_t *heard;
    size_t heard_used, heard_capacity, *heard_at, *heard_count;
} work;

static seq_answer_kind kind_of(const seq_schema *schema) {
    const seq_field *target = &schema->fields[schema->target];
    const seq_metric *first = seq_task_find(schema->task)->metrics[0];
    if (first && first->of_texts) return SEQ_ANSWERS_TEXTS;
    if (target->kind == SEQ_FIELD_NUMBER) return SEQ_ANSWERS_RATINGS;
    if (!target->axis) return SEQ_ANSWERS_CLASSES;
    bool of_rows = target->axis == schema->length_axis;
    return of_rows ? SEQ_ANSWERS_TAGS : SEQ_ANSWERS_TRANSCRIPTS;
}

// ---- The words of items. Units of the text are numbered as in their vocabulary, other words
// behind them.

static seq_status add_vocabulary(work *work, seq_error *error) {
    seq_strings *words = &work->comparison.tables.words;
    seq_status status = SEQ_OK;
    for (int id = 0; !status && id < seq_vocabulary_size(work->text); id++) {
        size_t size;
        int32_t number;
        const char *text = seq_vocabulary_text(work->text, id, &size);
        status = seq_strings_add(words, text, size, &number, error);
    }
    return status ? status : seq_strings_add(words, "", 1, &work->never, error); // a NUL byte
}

// Tags go with the units of their axis, a class with those of the text that it is about.
static seq_status find_words(work *work, seq_error *error) {
    const seq_schema *schema = work->schema;
    bool wanted = work->options->baseline == SEQ_EVAL_BOW || work->kind == SEQ_ANSWERS_TAGS;
    for (int f = 0; wanted && !work->text && f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        bool fits = work->kind == SEQ_ANSWERS_TAGS ? field->axis == work->target->axis
                                                   : schema->axes[field->axis].parent == 0;
        if (!fits || field->kind != SEQ_FIELD_IDS) continue;
        work->text = seq_dataset_vocabulary_at(work->dataset, field->vocabulary);
        work->text_field = f;
    }
    if (work->text) return add_vocabulary(work, error);
    if (work->options->baseline != SEQ_EVAL_BOW) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--baseline bow: the items of %s have no text",
                         seq_dataset_path(work->dataset));
}

// ---- Right answers.

// A split on its way into answers.
typedef struct reading {
    work *work;
    seq_split split;
    seq_answers *out;
    bool judged; // its words are those of the judged items
    const seq_items *items;
    int64_t first;           // number of items[0]
    size_t target_row, word; // in the items' columns: of the next item
    const char *raw;
} reading;

static seq_status damaged(const reading *reading, int64_t item, const char *what,
                          seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT, "data set %s: item %lld of the %s part %s",
                         seq_dataset_path(reading->work->dataset), (long long)item,
                         seq_split_name(reading->split), what);
}

// first[i]: rows of an axis before item i.
static void fill_first(const seq_item_table *table, int axis, size_t *first) {
    first[0] = 0;
    for (int64_t i = 0; i < table->items; i++)
        first[i + 1] =
            first[i] + (axis ? (size_t)(table->at[axis][i + 1] - table->at[axis][i]) : 1);
}

static seq_status begin_answers(const reading *reading, const char *name, seq_error *error) {
    work *work = reading->work;
    seq_answers *out = reading->out;
    const seq_item_table *table;
    size_t *first = NULL;
    seq_status status = seq_dataset_table(work->dataset, reading->split, &table, error);
    if (status) return status;
    if (!table->items)
        return seq_error_set(error, SEQ_BAD_INPUT, "data set %s has no %s split",
                             seq_dataset_path(work->dataset), seq_split_name(reading->split));
    size_t items = (size_t)table->items;
    status = seq_allocate(&first, items + 1, sizeof *first, "items", error);
    if (status) return status;
    fill_first(table, work->target->axis, first);
    status = seq_answers_begin(name, work->kind, items, first, out, error);
    free(first);
    if (status || !work->text) return status;
    fill_first(table, work->schema->fields[work->text_field].axis, out->word_first);
    out->word_count = out->word_first[items];
    status = seq_grow(&out->words, &out->words_capacity, out->word_count, sizeof *out->words,
                      "words", error);
    if (!status && reading->judged)
        status = seq_allocate(&work->comparison.known_words, out->word_count,
                              sizeof *work->comparison.known_words, "words", error);
    return status;
}

static seq_status take_targets(reading *reading, int64_t at, seq_error *error) {
    const work *work = reading->work;
    seq_answers *out = reading->out;
    size_t item = (size_t)(reading->first + at);
    if (out->item_lines) out->item_lines[item] = (int64_t)item;
    for (size_t place = out->first[item]; place < out->first[item + 1]; place++) {
        size_t row = reading->target_row++;
        out->lines[place] = (int64_t)item;
        if (work->kind == SEQ_ANSWERS_RATINGS)
            out->values[place] = (double)reading->items->values[work->schema->target][row];
        else
            out->ids[place] = reading->items->ids[work->schema->target][row];
        if (out->ids[place] < 0)
            return damaged(reading, (int64_t)item, "lacks a right answer", error);
    }
    return SEQ_OK;
}

// Tokens as they came, each on a line of its own.
static seq_status take_raw(reading *reading, int64_t at, seq_error *error) {
    seq_answers *out = reading->out;
    size_t item = (size_t)(reading->first + at), end = out->word_first[item + 1];
    const char *raw = reading->raw, *stop = raw + reading->items->raw_sizes[at];
    seq_status status = SEQ_OK;
    for (size_t word = out->word_first[item]; !status && word < end; word++) {
        const char *next = raw <= stop ? memchr(raw, '\n', (size_t)(stop - raw)) : NULL;
        if ((next == NULL) != (word + 1 == end))
            return damaged(reading, (int64_t)item, "has another number of tokens than of units",
                           error);
        if (!next) next = stop;
        status = seq_strings_add(&reading->work->comparison.tables.words, raw, (size_t)(next - raw),
                                 &out->words[word], error);
        raw = next + 1;
    }
    return status;
}

static seq_status take_words(reading *reading, int64_t at, seq_error *error) {
    work *work = reading->work;
    seq_answers *out = reading->out;
    size_t item = (size_t)(reading->first + at);
    int unk = seq_vocabulary_unk(work->text);
    for (size_t word = out->word_first[item]; word < out->word_first[item + 1]; word++) {
        int32_t id = reading->items->ids[work->text_field][reading->word++];
        out->words[word] = id < 0 ? work->never : id;
        if (reading->judged)
            work->comparison.known_words[word] = id < 0 || id == unk ? work->never : id;
    }
    bool raw = reading->judged && reading->raw && work->kind == SEQ_ANSWERS_TAGS;
    return raw ? take_raw(reading, at, error) : SEQ_OK;
}

static seq_status take_items(reading *reading, const seq_items *items, seq_error *error) {
    seq_status status = SEQ_OK;
    reading->items = items;
    reading->raw = items->raw;
    reading->target_row = reading->word = 0;
    for (int64_t at = 0; !status && at < items->count; at++) {
        status = take_targets(reading, at, error);
        if (!status && reading->work->text) status = take_words(reading, at, error);
        if (reading->raw) reading->raw += items->raw_sizes[at];
    }
    return status;
}

static seq_status read_split(work *work, seq_split split, const char *name, bool judged,
                             seq_answers *out, seq_error *error) {
    reading reading = {.work = work, .split = split, .out = out, .judged = judged};
    seq_items_room room = {0};
    seq_status status = begin_answers(&reading, name, error);
    int64_t count = (int64_t)out->items;
    for (; !status && reading.first < count; reading.first += SOME) {
        seq_items items;
        int64_t some = count - reading.first < SOME ? count - reading.first : SOME;
        status =
            seq_dataset_read_items(work->dataset, split, reading.first, some, &room, &items, error);
        if (!status) status = take_items(&reading, &items, error);
    }
    seq_items_room_clear(&room);
    return status;
}

// What the judged items are compared with: training items, and those that choose a penalty.
static seq_status read_others(work *work, seq_split split, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    int baseline = work->options->baseline;
    bool unseen = work->kind == SEQ_ANSWERS_TAGS && comparison->gold.scheme && work->text;
    seq_status status = SEQ_OK;
    if (baseline || unseen)
        status =
            read_split(work, SEQ_TRAIN, "the training part", false, &comparison->training, error);
    comparison->training.scheme = comparison->gold.scheme;
    int unk = work->text ? seq_vocabulary_unk(work->text) : SEQ_NO_ID;
    if (!status && unseen && unk != SEQ_NO_ID && seq_vocabulary_count(work->text, unk) > 0)
        seq_log_warning("%lld tokens of the training part are <unk>: entities with one of them "
                        "count as never seen",
                        (long long)seq_vocabulary_count(work->text, unk));
    bool chooses = baseline == SEQ_EVAL_BOW && split != SEQ_VALID &&
                   seq_dataset_items(work->dataset, SEQ_VALID) > 0;
    if (!status && chooses)
        status = read_split(work, SEQ_VALID, "the validation part", false, &comparison->dev, error);
    return status;
}

// ---- The model's answers.

static seq_status begin_pass(work *work, const seq_task *task, seq_error *error) {
    const seq_sampler_settings settings = seq_eval_item_settings(work->options);
    size_t classes = (size_t)work->comparison.tables.labels.names.count;
    work->probabilities =
        work->kind == SEQ_ANSWERS_CLASSES && work->comparison.gold.items <= PROBABILITIES / classes;
    return seq_eval_begin(&work->pass, work->loaded, work->dataset, &settings,
                          (seq_evaluator_config){.metrics = task->metrics,
                                                 .split = settings.split,
                                                 .decode = true,
                                                 .marginals = work->probabilities},
                          error);
}

static seq_status hear(work *work, const seq_evaluated *item, seq_error *error) {
    size_t count = item->judged.predicted_count, number = (size_t)item->number;
    seq_status status = seq_grow(&work->heard, &work->heard_capacity, work->heard_used + count + 1,
                                 sizeof *work->heard, "transcripts", error);
    if (status) return status;
    if (count)
        memcpy(work->heard + work->heard_used, item->judged.predicted, count * sizeof *work->heard);
    work->heard_at[number] = work->heard_used;
    work->heard_count[number] = count;
    work->heard_used += count;
    work->comparison.losses[number] = item->loss;
    return SEQ_OK;
}

// The transcripts by item.
static seq_status sort_heard(work *work, seq_error *error) {
    const seq_answers *gold = &work->comparison.gold;
    seq_answers *out = &work->comparison.systems[0].answers;
    size_t *first = NULL;
    seq_status status = seq_allocate(&first, gold->items + 1, sizeof *first, "items", error);
    for (size_t i = 0; !status && i < gold->items; i++)
        first[i + 1] = first[i] + work->heard_count[i];
    if (!status)
        status =
            seq_answers_begin(work->loaded->directory, work->kind, gold->items, first, out, error);
    for (size_t i = 0; !status && i < gold->items; i++)
        if (work->heard_count[i])
            memcpy(out->ids + first[i], work->heard + work->heard_at[i],
                   work->heard_count[i] * sizeof *out->ids);
    free(first);
    return status;
}

static void keep_item(work *work, const seq_evaluated *item) {
    seq_answers *out = &work->comparison.systems[0].answers;
    size_t number = (size_t)item->number, first = out->first[number],
           classes = (size_t)work->comparison.tables.labels.names.count;
    for (size_t i = 0; i < item->judged.count; i++)
        if (work->kind == SEQ_ANSWERS_RATINGS)
            out->values[first + i] = item->judged.predicted_values[i];
        else
            out->ids[first + i] = item->judged.predicted[i];
    for (size_t c = 0; item->labels && c < classes; c++)
        out->probabilities[number * classes + c] =
            (seq_probability){(int32_t)c, (double)item->labels[c]};
    work->comparison.losses[number] = item->loss;
}

// One output and one reference an item, which come with the answers.
static seq_status begin_texts(work *work, seq_split split, const char *name, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    size_t *first = NULL, items = (size_t)seq_dataset_items(work->dataset, split);
    if (!items || !work->schema->raw)
        return seq_error_set(error, SEQ_BAD_INPUT, "data set %s has no %s split%s", name,
                             seq_split_name(split), items ? " with its texts" : "");
    seq_status status = seq_allocate(&first, items + 1, sizeof *first, "items", error);
    for (size_t i = 0; !status && i <= items; i++)
        first[i] = i;
    if (!status)
        status = seq_answers_begin(name, work->kind, items, first, &comparison->gold, error);
    if (!status)
        status = seq_answers_begin(work->loaded->directory, work->kind, items, first,
                                   &comparison->systems[0].answers, error);
    free(first);
    if (status) return status;
    comparison->count = 1;
    return seq_allocate(&comparison->losses, items, sizeof *comparison->losses, "losses of items",
                        error);
}

static seq_status keep_texts(work *work, const seq_evaluated *item, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    size_t number = (size_t)item->number;
    seq_strings *words = &comparison->tables.words;
    comparison->losses[number] = item->loss;
    seq_status status = seq_strings_add(words, item->output.text, item->output.size,
                                        &comparison->systems[0].answers.ids[number], error);
    return status ? status
                  : seq_strings_add(words, item->reference.text, item->reference.size,
                                    &comparison->gold.ids[number], error);
}

static seq_status begin_system(work *work, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    const seq_answers *gold = &comparison->gold;
    seq_answers *out = &comparison->systems[comparison->count++].answers;
    size_t classes = (size_t)comparison->tables.labels.names.count;
    seq_status status = SEQ_OK;
    if (work->kind == SEQ_ANSWERS_TRANSCRIPTS) {
        status = seq_allocate(&work->heard_at, gold->items, sizeof(size_t), "transcripts", error);
        if (!status)
            status =
                seq_allocate(&work->heard_count, gold->items, sizeof(size_t), "transcripts", error);
    } else {
        status = seq_answers_begin(work->loaded->directory, work->kind, gold->items, gold->first,
                                   out, error);
    }
    out->scheme = gold->scheme;
    if (!status)
        status = seq_allocate(&comparison->losses, gold->items, sizeof *comparison->losses,
                              "losses of items", error);
    if (status || !work->probabilities) return status;
    out->probability_count = gold->items * classes;
    for (size_t i = 0; i <= gold->items; i++)
        out->probability_first[i] = i * classes;
    return seq_grow(&out->probabilities, &out->probabilities_capacity, out->probability_count,
                    sizeof *out->probabilities, "probabilities", error);
}

static seq_status answer(work *work, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    int64_t steps = seq_sampler_steps(work->pass.sampler);
    seq_status status = SEQ_OK;
    seq_loss loss = {0};
    for (int64_t step = 0; !status && step < steps; step++) {
        status = seq_eval_step(&work->pass, step, &loss, error);
        if (status) break;
        int rows = (int)seq_evaluator_batch(work->pass.evaluator)->axes[0].rows;
        for (int row = 0; !status && row < rows; row++) {
            const seq_evaluated item = seq_evaluator_item(work->pass.evaluator, row);
            if (work->kind == SEQ_ANSWERS_TRANSCRIPTS)
                status = hear(work, &item, error);
            else if (work->kind == SEQ_ANSWERS_TEXTS)
                status = keep_texts(work, &item, error);
            else
                keep_item(work, &item);
        }
        seq_log_live(false, "%lld of %lld batches", (long long)step + 1, (long long)steps);
    }
    if (!status && work->kind == SEQ_ANSWERS_TRANSCRIPTS) status = sort_heard(work, error);
    for (size_t i = 0; !status && i < comparison->gold.items; i++)
        comparison->loss += comparison->losses[i];
    comparison->loss /= (double)loss.count; // 0 / 0: no target
    return status;
}

static void count_broken(seq_eval_comparison *comparison) {
    const seq_labels *labels = &comparison->tables.labels;
    const seq_answers *gold = &comparison->gold;
    if (gold->kind != SEQ_ANSWERS_TAGS) return;
    comparison->gold_broken =
        seq_spans_broken(labels, gold->scheme, gold->ids, gold->first, gold->items);
    comparison->systems[0].broken = seq_spans_broken(
        labels, gold->scheme, comparison->systems[0].answers.ids, gold->first, gold->items);
}

static seq_status read_gold(work *work, seq_split split, const char *name, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    seq_status status = find_words(work, error);
    if (!status && work->target->vocabulary >= 0) {
        const seq_vocabulary *labels =
            seq_dataset_vocabulary_at(work->dataset, work->target->vocabulary);
        comparison->tables.rules = *seq_vocabulary_rules(labels);
        status = seq_labels_of_vocabulary(labels, &comparison->tables.labels, error);
    }
    if (!status) seq_labels_find_outside(&comparison->tables.labels, work->schema);
    if (!status) status = read_split(work, split, name, true, &comparison->gold, error);
    return status ? status : seq_scheme_of_schema(work->schema, &comparison->gold.scheme, error);
}

seq_status seq_eval_items(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_dataset *dataset, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    const seq_task *task = seq_task_find(schema->task);
    seq_split split = (seq_split)options->split;
    work work = {.options = options,
                 .loaded = loaded,
                 .dataset = dataset,
                 .schema = schema,
                 .target = &schema->fields[schema->target],
                 .comparison = {.split = seq_split_name(split),
                                .loss_unit = seq_model_loss_unit(loaded->model)}};
    work.kind = kind_of(schema);
    seq_status status =
        seq_eval_check_baseline((seq_eval_baseline)options->baseline, work.kind, error);
    if (!status) status = seq_dataset_normalise_as(dataset, &loaded->schema, error);
    if (!status && work.kind == SEQ_ANSWERS_TEXTS) {
        status = begin_texts(&work, split, seq_dataset_path(dataset), error);
        if (!status) status = begin_pass(&work, task, error);
    } else if (!status) {
        status = read_gold(&work, split, seq_dataset_path(dataset), error);
        if (!status) status = read_others(&work, split, error);
        if (!status) status = begin_pass(&work, task, error);
        if (!status) status = begin_system(&work, error);
    }
    if (!status) status = answer(&work, error);
    if (!status) count_broken(&work.comparison);
    if (!status)
        status =
            seq_eval_add_baseline(&work.comparison, (seq_eval_baseline)options->baseline, error);
    if (!status) status = seq_eval_compare(&work.comparison, options, error);
    seq_eval_end(&work.pass);
    free(work.heard);
    free(work.heard_at);
    free(work.heard_count);
    seq_eval_comparison_clear(&work.comparison);
    return status;
}
