// Judges the answers of one or two systems: all measures, and all intervals from
// the same resamples of items. Of several runs of the first system, a measure is
// the mean over runs, in each resample, too: the interval covers the choice of
// items, for these runs, and not the choice of seeds. Where the answers come from, files or a
// model, is not seen here. Invariant: every figure is a function of the answers and --seed,
// whatever the threads. Test: tests/cli/compare.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static const double ROUNDING = 1e-13; // relative, of a mean over runs: p counts ties

typedef struct work {
    seq_eval_comparison *comparison;
    // Of both systems: what statistics point to.
    struct sources {
        seq_counted counted[SEQ_EVAL_MEASURES];
        seq_ratings ratings;
        seq_auc auc;
        seq_statistic statistics[SEQ_EVAL_MEASURES];
        int count;
    } sources[SEQ_EVAL_SYSTEMS];
    seq_text_measure texts[SEQ_EVAL_MEASURES];
} work;

static void add(work *work, int system, const char *name, seq_statistic statistic) {
    struct sources *sources = &work->sources[system];
    sources->statistics[sources->count] = statistic;
    work->comparison->systems[system].measures[sources->count++] =
        (seq_eval_measure){.name = name,
                           .interval = {(double)NAN, (double)NAN},
                           .difference = {(double)NAN, (double)NAN},
                           .two_sided = (double)NAN,
                           .exceeds = (double)NAN};
}

// The sums of all items; *out is released with free(), NULL where the caller wants `hits` only.
static seq_status sum(const seq_counted *counted, int64_t **out, seq_error *error) {
    seq_status status =
        seq_allocate(out, (size_t)counted->counters, sizeof **out, "counters", error);
    if (!status) seq_counted_sum(counted, NULL, *out);
    return status;
}

static seq_status add_metric(work *work, int system, const seq_metric *metric, int64_t **sums,
                             seq_error *error) {
    struct sources *sources = &work->sources[system];
    seq_counted *counted = &sources->counted[sources->count];
    seq_status status =
        seq_counted_of_metric(metric, &work->comparison->tables.labels, &work->comparison->gold,
                              &work->comparison->systems[system].answers, counted, error);
    if (!status) add(work, system, metric->name, seq_counted_statistic(counted));
    return status || !sums ? status : sum(counted, sums, error);
}

static seq_hits total(const int64_t *counters, int32_t count) {
    seq_hits all = {0};
    for (int32_t i = 0; i < count; i++) {
        seq_hits hits = seq_hits_at(counters, i);
        all.right += hits.right;
        all.predicted += hits.predicted;
        all.gold += hits.gold;
    }
    return all;
}

static seq_status add_surfaces(work *work, int system, bool unseen, seq_error *error) {
    seq_eval_comparison *comparison = work->comparison;
    seq_eval_system *own = &comparison->systems[system];
    struct sources *sources = &work->sources[system];
    seq_counted *counted = &sources->counted[sources->count];
    int64_t *sums = NULL;
    seq_answers gold = comparison->gold;
    if (unseen && comparison->known_words) gold.words = comparison->known_words;
    seq_status status =
        unseen ? seq_counted_of_unseen(&comparison->tables, &comparison->training, &gold,
                                       &own->answers, counted, error)
               : seq_counted_of_surfaces(&comparison->tables, &gold, &own->answers, counted, error);
    if (status) return status;
    add(work, system, unseen ? "entity_f1_unseen" : "entity_f1_surface",
        seq_counted_statistic(counted));
    status = sum(counted, &sums, error);
    if (!status && unseen) own->unseen = seq_hits_at(sums, 0);
    if (!status && !unseen) own->surface = seq_surface_hits(sums, counted->counters);
    free(sums);
    return status;
}

static seq_status add_entities(work *work, int system, seq_error *error) {
    seq_eval_comparison *comparison = work->comparison;
    seq_eval_system *own = &comparison->systems[system];
    int32_t types = comparison->tables.labels.types.count;
    int64_t *strict = NULL;
    seq_status status = add_metric(work, system, &seq_metric_entity_f1, &own->types, error);
    if (!status) status = add_metric(work, system, &seq_metric_entity_f1_strict, &strict, error);
    if (!status) {
        own->all = total(own->types, types);
        own->strict = total(strict, types);
    }
    free(strict);
    comparison->has_surfaces = comparison->gold.word_count > 0;
    comparison->has_unseen = comparison->has_surfaces && comparison->training.word_count > 0;
    if (!status && comparison->has_surfaces) status = add_surfaces(work, system, false, error);
    if (!status && comparison->has_unseen) status = add_surfaces(work, system, true, error);
    return status;
}

static seq_status add_transcripts(work *work, int system, seq_error *error) {
    seq_eval_system *own = &work->comparison->systems[system];
    int64_t *sums = NULL;
    seq_status status = add_metric(work, system, &seq_metric_label_error_rate, &sums, error);
    if (!status)
        own->edits = (seq_edits){sums[SEQ_LABEL_SUBSTITUTIONS], sums[SEQ_LABEL_DELETIONS],
                                 sums[SEQ_LABEL_INSERTIONS]};
    free(sums);
    if (!status) status = add_metric(work, system, &seq_metric_sentence_error_rate, NULL, error);
    return status
               ? status
               : seq_answers_edits(&work->comparison->gold, &own->answers, &own->item_edits, error);
}

// BLEU of all tokens, chrF and chrF++.
static void begin_texts(work *work, const seq_eval_options *options) {
    static const char *const names[] = {"bleu",      "bleu_none", "bleu_intl",
                                        "bleu_char", "chrf",      "chrf++"};
    seq_eval_comparison *comparison = work->comparison;
    const seq_answers *gold = &comparison->gold;
    for (int i = 0; i < SEQ_BLEU_TOKENS + 2; i++)
        work->texts[i] = (seq_text_measure){
            .name = names[i],
            .chrf = i >= SEQ_BLEU_TOKENS,
            .words = i > SEQ_BLEU_TOKENS,
            .tokens = (seq_bleu_tokens)(i % SEQ_BLEU_TOKENS),
            .lower = options->lower,
            .bleu = {(seq_bleu_smoothing)options->smooth_method, options->smooth_value, false}};
    comparison->texts = work->texts;
    comparison->references = gold->first[1];
    for (size_t i = 0; i < gold->items; i++)
        if (gold->first[i + 1] - gold->first[i] != gold->first[1]) comparison->references = 0;
}

static seq_status add_texts(work *work, int system, seq_error *error) {
    seq_eval_system *own = &work->comparison->systems[system];
    struct sources *sources = &work->sources[system];
    seq_status status = SEQ_OK;
    for (int i = 0; !status && work->texts[i].name; i++) {
        seq_counted *counted = &sources->counted[i];
        int64_t *sums = NULL;
        status = seq_counted_of_texts(work->texts[i], &work->comparison->tables.words,
                                      &work->comparison->gold, &own->answers, counted, error);
        if (!status) status = sum(counted, &sums, error);
        if (status) break;
        add(work, system, work->texts[i].name, seq_counted_statistic(counted));
        if (!work->texts[i].chrf) {
            memcpy(own->bleu_counts[i], sums, sizeof own->bleu_counts[i]);
            own->bleu[i] = seq_bleu_of(sums, work->texts[i].bleu);
        }
        free(sums);
    }
    if (!status) status = seq_counted_each(&sources->counted[0], &own->item_bleu, error);
    return status ? status
                  : seq_counted_each(&sources->counted[SEQ_BLEU_TOKENS], &own->item_chrf, error);
}

static seq_status add_auc(work *work, int system, seq_error *error) {
    seq_eval_system *own = &work->comparison->systems[system];
    seq_auc *auc = &work->sources[system].auc;
    int32_t labels = work->comparison->tables.labels.names.count;
    int64_t *scratch = NULL;
    if (!own->answers.probability_count) return SEQ_OK;
    seq_status status = seq_auc_make(&work->comparison->gold, &own->answers, labels, auc, error);
    if (!status) status = seq_allocate(&own->auc, (size_t)labels, sizeof *own->auc, "areas", error);
    if (!status)
        status = seq_allocate(&scratch, 2 * (size_t)auc->groups, sizeof *scratch, "sums", error);
    for (int32_t i = 0; !status && i < labels; i++)
        own->auc[i] = seq_auc_of_class(auc, i, NULL, scratch);
    free(scratch);
    if (!status) add(work, system, "auc", seq_auc_mean(auc));
    return status;
}

static seq_status add_labels(work *work, int system, seq_error *error) {
    seq_eval_system *own = &work->comparison->systems[system];
    seq_status status = add_metric(work, system, &seq_metric_accuracy, NULL, error);
    if (!status) status = add_metric(work, system, &seq_metric_macro_f1, &own->labels, error);
    if (!status) status = add_metric(work, system, &seq_metric_weighted_f1, NULL, error);
    if (!status && work->comparison->tables.labels.outside)
        status = add_metric(work, system, &seq_metric_segment_f1, NULL, error);
    if (!status) status = add_auc(work, system, error);
    return status ? status
                  : seq_confusion_find(&work->comparison->gold, &own->answers, &own->confusion,
                                       &own->cells, error);
}

static seq_status add_ratings(work *work, int system, seq_error *error) {
    seq_ratings *ratings = &work->sources[system].ratings;
    seq_status status = seq_ratings_make(
        &work->comparison->gold, &work->comparison->systems[system].answers, ratings, error);
    if (status) return status;
    add(work, system, seq_metric_mean_absolute_error.name, seq_mean_absolute_error(ratings));
    add(work, system, seq_metric_root_mean_square.name, seq_root_mean_square(ratings));
    add(work, system, "spearman", seq_spearman(ratings));
    return SEQ_OK;
}

static seq_status measure(work *work, int system, seq_error *error) {
    struct sources *sources = &work->sources[system];
    size_t scratch_size = 0;
    int64_t *scratch = NULL;
    seq_status status = SEQ_OK;
    seq_answer_kind kind = work->comparison->gold.kind;
    if (kind == SEQ_ANSWERS_RATINGS) status = add_ratings(work, system, error);
    if (kind == SEQ_ANSWERS_TRANSCRIPTS) status = add_transcripts(work, system, error);
    if (kind == SEQ_ANSWERS_TEXTS) status = add_texts(work, system, error);
    if (work->comparison->gold.scheme) status = add_entities(work, system, error);
    if (!status && (kind == SEQ_ANSWERS_TAGS || kind == SEQ_ANSWERS_CLASSES))
        status = add_labels(work, system, error);
    for (int i = 0; i < sources->count; i++)
        if (sources->statistics[i].scratch > scratch_size)
            scratch_size = sources->statistics[i].scratch;
    if (!status) status = seq_allocate(&scratch, scratch_size, sizeof *scratch, "sums", error);
    for (int i = 0; !status && i < sources->count; i++)
        work->comparison->systems[system].measures[i].value =
            sources->statistics[i].value(sources->statistics[i].context, NULL, scratch);
    free(scratch);
    return status;
}

// The place of a measure in a list, -1: it has none of that name.
static int find_measure(const seq_eval_measure list[SEQ_EVAL_MEASURES], const char *name) {
    for (int i = 0; i < SEQ_EVAL_MEASURES && list[i].name; i++)
        if (strcmp(list[i].name, name) == 0) return i;
    return -1;
}

// Measures that all runs have, and the means of their values.
static void average_values(seq_eval_comparison *comparison) {
    const seq_eval_system *systems = comparison->systems;
    int count = 0;
    for (int i = 0; i < SEQ_EVAL_MEASURES && systems[0].measures[i].name; i++) {
        seq_eval_measure mean = systems[0].measures[i];
        bool all = true;
        for (int run = 1; run < comparison->runs; run++) {
            int place = find_measure(systems[run].measures, mean.name);
            all = all && place >= 0;
            if (all) mean.value += systems[run].measures[place].value;
        }
        mean.value /= comparison->runs;
        if (all) comparison->first[count++] = mean;
    }
}

// (resamples) values of measure `place` of a system.
static double *samples_of(const work *work, double *samples, int system, int place) {
    size_t row = (size_t)place;
    for (int before = 0; before < system; before++)
        row += (size_t)work->sources[before].count;
    return samples + row * (size_t)work->comparison->resamples;
}

static void average_samples(const work *work, double *samples, const char *name, double *out) {
    const seq_eval_comparison *comparison = work->comparison;
    int resamples = comparison->resamples, runs = comparison->runs;
    for (int run = 0; run < runs; run++) {
        const double *own =
            samples_of(work, samples, run, find_measure(comparison->systems[run].measures, name));
        for (int r = 0; r < resamples; r++)
            out[r] = run ? out[r] + own[r] : own[r];
    }
    for (int r = 0; r < resamples; r++)
        out[r] /= runs;
}

// `mean` and `differences`: (resamples) each. Intervals sort their samples, so those of single
// systems come last.
static void summarise(const work *work, double *samples, double *mean, double *differences) {
    seq_eval_comparison *comparison = work->comparison;
    int resamples = comparison->resamples, other = comparison->runs;
    for (int i = 0; i < SEQ_EVAL_MEASURES && comparison->first[i].name; i++) {
        seq_eval_measure *first = &comparison->first[i], *second;
        int place = other < comparison->count
                        ? find_measure(comparison->systems[other].measures, first->name)
                        : -1;
        average_samples(work, samples, first->name, mean);
        if (place >= 0) {
            const double *own = samples_of(work, samples, other, place);
            for (int r = 0; r < resamples; r++) {
                double difference = own[r] - mean[r];
                bool tie = comparison->runs > 1 && fabs(difference) <= ROUNDING * fabs(mean[r]);
                differences[r] = tie ? 0 : difference;
            }
            second = &comparison->systems[other].measures[place];
            second->two_sided = seq_interval_two_sided(differences, resamples);
            if (comparison->texts)
                second->exceeds =
                    seq_interval_exceeds(differences, resamples, second->value - first->value);
            second->difference = seq_interval_find(differences, resamples);
        }
        first->interval = seq_interval_find(mean, resamples);
    }
    for (int system = 0; system < comparison->count; system++)
        for (int i = 0; i < work->sources[system].count; i++)
            comparison->systems[system].measures[i].interval =
                seq_interval_find(samples_of(work, samples, system, i), resamples);
}

static seq_status draw_intervals(work *work, seq_error *error) {
    seq_statistic all[SEQ_EVAL_SYSTEMS * SEQ_EVAL_MEASURES];
    seq_eval_comparison *comparison = work->comparison;
    size_t count = 0, resamples = (size_t)comparison->resamples;
    double *samples = NULL;
    if (!resamples) return SEQ_OK;
    for (int system = 0; system < comparison->count; system++)
        for (int i = 0; i < work->sources[system].count; i++)
            all[count++] = work->sources[system].statistics[i];
    seq_status status =
        seq_allocate(&samples, (count + 2) * resamples, sizeof *samples, "resamples", error);
    if (!status)
        status = seq_eval_resample(all, count, comparison->gold.items, comparison->resamples,
                                   comparison->seed, samples, error);
    double *rest = samples ? samples + count * resamples : NULL;
    if (!status) summarise(work, samples, rest, rest + resamples);
    free(samples);
    return status;
}

seq_status seq_eval_check_baseline(seq_eval_baseline baseline, seq_answer_kind kind,
                                   seq_error *error) {
    bool fits = !baseline || kind == SEQ_ANSWERS_CLASSES ||
                (kind == SEQ_ANSWERS_RATINGS && baseline == SEQ_EVAL_MAJORITY);
    if (fits) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--baseline: not for --task %s",
                         seq_answer_kind_names[kind]);
}

seq_status seq_eval_add_baseline(seq_eval_comparison *comparison, seq_eval_baseline baseline,
                                 seq_error *error) {
    if (!baseline) return SEQ_OK;
    seq_answers *out = &comparison->systems[comparison->count++].answers;
    if (baseline == SEQ_EVAL_MAJORITY)
        return seq_baseline_majority(&comparison->training, &comparison->gold, out, error);
    comparison->has_bow = true;
    return seq_baseline_bow(&comparison->training, comparison->dev.file ? &comparison->dev : NULL,
                            &comparison->gold, &comparison->tables, out, &comparison->bow, error);
}

static seq_status measure_all(work *work, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < work->comparison->count; i++)
        status = measure(work, i, error);
    if (!status) average_values(work->comparison);
    if (!status) status = draw_intervals(work, error);
    for (int i = 0; i < SEQ_EVAL_SYSTEMS; i++) {
        for (int k = 0; k < SEQ_EVAL_MEASURES; k++)
            seq_counted_clear(&work->sources[i].counted[k]);
        seq_ratings_clear(&work->sources[i].ratings);
        seq_auc_clear(&work->sources[i].auc);
    }
    return status;
}

seq_status seq_eval_compare(seq_eval_comparison *comparison, const seq_eval_options *options,
                            seq_error *error) {
    work work = {.comparison = comparison};
    comparison->resamples = (int)options->resamples;
    comparison->seed = options->seed;
    comparison->runs = (int)options->runs;
    if (comparison->gold.kind == SEQ_ANSWERS_TEXTS) begin_texts(&work, options);
    seq_status status = measure_all(&work, error);
    if (!status && options->per_item)
        status = seq_eval_write_table(options->per_item, seq_eval_write_items, comparison, error);
    if (!status) seq_eval_print(comparison, options->json);
    return status;
}

void seq_eval_comparison_clear(seq_eval_comparison *comparison) {
    for (int i = 0; i < SEQ_EVAL_SYSTEMS; i++) {
        seq_eval_system *system = &comparison->systems[i];
        seq_answers_clear(&system->answers);
        free(system->types);
        free(system->labels);
        free(system->auc);
        free(system->item_edits);
        free(system->item_bleu);
        free(system->item_chrf);
        free(system->confusion);
    }
    seq_answers_clear(&comparison->gold);
    seq_answers_clear(&comparison->training);
    seq_answers_clear(&comparison->dev);
    seq_answer_tables_clear(&comparison->tables);
    free(comparison->known_words);
    free(comparison->losses);
}
