// Compares files of answers: reads gold, runs of a system, a second one and what a
// baseline learns from, and checks that they have the same items. Needs no model.
// Invariant: every figure is a function of the files' content and --seed. Test:
// tests/cli/compare.sh.
#include "seqeval_private.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/transcript.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REFERENCES = 64 };
enum { GOLD, FIRST, TRAINING = FIRST + SEQ_EVAL_SYSTEMS, DEV, FILES };

typedef struct work {
    const seq_eval_options *options;
    seq_eval_comparison comparison;
    seq_answer_columns columns;
    seq_answer_file files[FILES];
    seq_answer_kind kind;
    const char *const *others; // files beside --predictions
    int other_count;
    char *golds; // the files of --gold, each ended by a NUL
    int more;    // of them, behind the first
    seq_answer_file more_files[MOST_REFERENCES - 1];
} work;

static seq_status read_bytes(work *work, seq_error *error) {
    const seq_eval_options *options = work->options;
    const char *paths[FILES] = {[GOLD] = work->golds,
                                [FIRST] = options->predictions,
                                [TRAINING] = options->train,
                                [DEV] = options->dev};
    bool standard = false;
    for (int i = 0; i < work->other_count; i++)
        paths[FIRST + 1 + i] = work->others[i];
    for (int i = 0; i < FILES; i++) {
        if (!paths[i]) continue;
        if (strcmp(paths[i], "-") == 0 && standard)
            return seq_error_set(error, SEQ_BAD_USAGE, "-: standard input holds one file only");
        standard |= strcmp(paths[i], "-") == 0;
        seq_status status = seq_answer_file_read(paths[i], &work->files[i], error);
        if (status) return status;
    }
    return SEQ_OK;
}

static seq_status read_answers(work *work, int file, seq_answers *gold, seq_answers *predicted,
                               seq_error *error) {
    if (!work->files[file].name) return SEQ_OK;
    bool texts = work->options->baseline == SEQ_EVAL_BOW && gold;
    return seq_answers_read(&work->files[file], work->kind, &work->columns, texts,
                            &work->comparison.tables, gold, predicted, error);
}

// One file, or a list of references.
static seq_status cut_golds(work *work, seq_error *error) {
    size_t size = strlen(work->options->gold) + 1;
    seq_status status = seq_allocate(&work->golds, size, 1, "names of files", error);
    if (status) return status;
    memcpy(work->golds, work->options->gold, size);
    char *at = strchr(work->golds, ';');
    if (at && work->options->task != SEQ_ANSWERS_TEXTS && !seq_path_exists(work->golds))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--gold %s: several files are references of --task translate",
                             work->golds);
    for (; at && work->options->task == SEQ_ANSWERS_TEXTS; at = strchr(at, ';')) {
        if (work->more + 2 > MOST_REFERENCES)
            return seq_error_set(error, SEQ_BAD_USAGE, "--gold: more than %d files",
                                 MOST_REFERENCES);
        *at++ = '\0';
        work->more++;
    }
    return SEQ_OK;
}

static seq_status read_more_references(work *work, seq_error *error) {
    const char *path = work->golds;
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < work->more; i++) {
        seq_answers more = {0};
        path += strlen(path) + 1;
        status = seq_answer_file_read(path, &work->more_files[i], error);
        if (!status)
            status = seq_answers_read(&work->more_files[i], work->kind, &work->columns, false,
                                      &work->comparison.tables, &more, NULL, error);
        if (!status) status = seq_answers_add_references(&work->comparison.gold, &more, error);
        seq_answers_clear(&more);
    }
    return status;
}

// Training comes first: a baseline's labels are then the lowest.
static seq_status read_all(work *work, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    seq_answers *first = &comparison->systems[0].answers;
    comparison->tables.rules =
        seq_transcript_rules(work->options->unit ? SEQ_UNIT_CHAR : SEQ_UNIT_WORD);
    bool alone = !work->files[FIRST].name && !work->options->baseline;
    work->kind = (seq_answer_kind)work->options->task;
    if (work->kind == SEQ_ANSWERS_AUTO)
        work->kind = seq_answers_find_kind(
            work->files, FIRST + (work->files[FIRST].name != NULL) + work->other_count,
            &work->columns);
    seq_status status = read_answers(work, TRAINING, &comparison->training, NULL, error);
    if (!status) status = read_answers(work, DEV, &comparison->dev, NULL, error);
    if (!status) status = read_answers(work, GOLD, &comparison->gold, alone ? first : NULL, error);
    if (!status) status = read_more_references(work, error);
    comparison->count = alone;
    for (int i = FIRST; !status && i < TRAINING; i++)
        if (work->files[i].name)
            status = read_answers(work, i, NULL, &comparison->systems[comparison->count++].answers,
                                  error);
    if (!status && comparison->gold.items == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: no item", work->files[GOLD].name);
    return status;
}

static void find_scheme(const work *work, seq_answers *answers, seq_scheme usual) {
    answers->scheme = work->options->scheme
                          ? (seq_scheme)(work->options->scheme - 1)
                          : seq_scheme_detect(&work->comparison.tables.labels, usual, answers->ids,
                                              answers->first, answers->items);
}

static seq_status check_tags(const seq_answers *answers, const seq_labels *labels,
                             seq_error *error) {
    for (size_t i = 0; answers->scheme && i < answers->places; i++)
        if (!labels->tags[answers->ids[i]].prefix)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "%s line %lld: --scheme %s: the tag '%.100s' is neither O nor "
                                 "PREFIX-TYPE",
                                 answers->file, (long long)answers->lines[i],
                                 seq_scheme_names[answers->scheme],
                                 seq_strings_text(&labels->names, answers->ids[i], NULL));
    return SEQ_OK;
}

// A label that gold never has is often the same label, written in another way.
static void warn_of_strange_labels(const work *work, const seq_answers *answers) {
    const seq_labels *labels = &work->comparison.tables.labels;
    const seq_answers *gold = &work->comparison.gold;
    int64_t strange = 0;
    size_t first = 0;
    bool *known = NULL;
    seq_error none = {0};
    if (seq_allocate(&known, (size_t)labels->names.count, sizeof *known, "labels", &none)) return;
    for (size_t i = 0; i < gold->places; i++)
        known[gold->ids[i]] = true;
    for (size_t i = 0; i < answers->places; i++)
        if (!known[answers->ids[i]] && !strange++) first = i;
    free(known);
    if (strange)
        seq_log_warning("%s: %lld predicted labels never occur in %s, the first is '%s' (line "
                        "%lld)",
                        answers->file, (long long)strange, gold->file,
                        seq_strings_text(&labels->names, answers->ids[first], NULL),
                        (long long)answers->lines[first]);
}

static seq_status check_all(work *work, seq_error *error) {
    seq_eval_comparison *comparison = &work->comparison;
    seq_answers *gold = &comparison->gold;
    const seq_labels *labels = &comparison->tables.labels;
    seq_status status = SEQ_OK;
    if (work->kind == SEQ_ANSWERS_TAGS) {
        find_scheme(work, gold, SEQ_SCHEME_IOB2);
        find_scheme(work, &comparison->training, gold->scheme);
        status = check_tags(gold, labels, error);
        comparison->gold_broken =
            seq_spans_broken(labels, gold->scheme, gold->ids, gold->first, gold->items);
    }
    for (int i = 0; !status && i < comparison->count; i++) {
        seq_answers *answers = &comparison->systems[i].answers;
        status = seq_answers_check(gold, answers, &comparison->tables, error);
        if (status) break;
        if (work->kind == SEQ_ANSWERS_TAGS) {
            find_scheme(work, answers, gold->scheme);
            comparison->systems[i].broken = seq_spans_broken(labels, answers->scheme, answers->ids,
                                                             answers->first, answers->items);
        }
        if (work->kind == SEQ_ANSWERS_TAGS || work->kind == SEQ_ANSWERS_CLASSES)
            warn_of_strange_labels(work, answers);
    }
    return status;
}

static seq_status check_options(const work *work, seq_error *error) {
    const seq_eval_options *options = work->options;
    int files = (options->predictions != NULL) + work->other_count, runs = (int)options->runs;
    const char *last = work->other_count ? work->others[work->other_count - 1] : NULL;
    if (last && !options->predictions)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--predictions FILE: missing: with --gold, %s is the file of a second "
                             "system",
                             work->others[0]);
    if (runs > 1 && files < runs)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--runs %d: --predictions and the operands name %d files", runs,
                             files);
    if (files > runs && options->baseline)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--baseline: it is the second system, so %s would be a third", last);
    if (files > runs + 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s: would be a third system; --runs says how many of the %d files "
                             "are runs of the first",
                             last, files);
    if (options->baseline && !options->train)
        return seq_error_set(error, SEQ_BAD_USAGE, "--baseline: needs --train FILE to learn from");
    if (options->dev && options->baseline != SEQ_EVAL_BOW)
        return seq_error_set(error, SEQ_BAD_USAGE, "--dev: of --baseline bow");
    return SEQ_OK;
}

seq_status seq_eval_files(const seq_eval_options *options, const char *const *others, int count,
                          seq_error *error) {
    work work = {.options = options, .others = others, .other_count = count};
    seq_status status = check_options(&work, error);
    if (!status) status = seq_answer_columns_parse(options->columns, &work.columns, error);
    if (!status) status = cut_golds(&work, error);
    if (!status) status = read_bytes(&work, error);
    if (!status) status = read_all(&work, error);
    if (!status && options->train && !options->baseline && work.kind != SEQ_ANSWERS_TAGS)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--train: of --baseline, or of --task tag for unseen entities");
    if (!status && options->unit && work.kind != SEQ_ANSWERS_TRANSCRIPTS)
        status = seq_error_set(error, SEQ_BAD_USAGE, "--unit: of --task transcribe");
    if (!status && options->scheme && work.kind != SEQ_ANSWERS_TAGS)
        status = seq_error_set(error, SEQ_BAD_USAGE, "--scheme: of --task tag");
    if (!status)
        status = seq_eval_check_baseline((seq_eval_baseline)options->baseline, work.kind, error);
    if (!status)
        status =
            seq_eval_add_baseline(&work.comparison, (seq_eval_baseline)options->baseline, error);
    if (!status) status = check_all(&work, error);
    if (!status) status = seq_eval_compare(&work.comparison, options, error);
    for (int i = 0; i < FILES; i++)
        seq_answer_file_clear(&work.files[i]);
    for (int i = 0; i < work.more; i++)
        seq_answer_file_clear(&work.more_files[i]);
    seq_eval_comparison_clear(&work.comparison);
    free(work.golds);
    return status;
}
