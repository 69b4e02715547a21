// Numbers of a set of items that may count several times each, and their bootstrap intervals
// (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13: percentiles). Two systems
// are compared on the same resamples of items (paired).
#ifndef SEQTRAIN_TASK_STATISTIC_H
#define SEQTRAIN_TASK_STATISTIC_H

#include <seqtrain/base/team.h>
#include <seqtrain/task/answers.h>
#include <seqtrain/task/metric.h>

// A pure function of how often each item counts (weights (items); NULL: once). NaN: undefined.
// `scratch` holds that many integers of any content.
typedef struct seq_statistic {
    double (*value)(const void *context, const int32_t *weights, int64_t *scratch);
    const void *context;
    size_t scratch;
} seq_statistic;

// samples[s * resamples + r]: statistic s of resample r, which draws `items` items by the key
// (seed, r, draw). The same for any team.
seq_status seq_bootstrap(const seq_statistic *statistics, size_t count, size_t items, int resamples,
                         uint64_t seed, seq_team *team, double *samples, seq_error *error);
typedef struct seq_interval {
    double low, high; // 2.5 and 97.5 percentiles; NaN: undefined in more than half of the resamples
} seq_interval;
// Sorts the samples; NaNs are left out.
seq_interval seq_interval_find(double *samples, int resamples);
// Twice the lesser share of differences on one side of 0 (those at 0 on both), at most 1; NaN as
// above.
double seq_interval_two_sided(const double *differences, int resamples);
// The p that sacreBLEU's paired bootstrap reports for a difference of that size between whole sets:
// how often |difference| exceeds its mean over the resamples by more; both counts plus 1.
double seq_interval_exceeds(const double *differences, int resamples, double found);

// A figure of texts: BLEU of one way to cut tokens, or chrF.
typedef struct seq_text_measure {
    const char *name;
    bool chrf, words; // chrF; chrF++
    bool lower;       // in lower case
    seq_bleu_tokens tokens;
    seq_bleu_settings bleu;
} seq_text_measure;

// Counters of each item, those that are not 0: what a metric, or another sum over items, is made
// of. Zero-initialise before use.
typedef struct seq_counted {
    size_t items;
    int counters;
    size_t *first; // (items + 1)
    struct seq_count {
        int32_t index;
        int64_t amount;
    } * counts;
    size_t first_capacity, counts_capacity;
    const seq_labels *labels;
    const seq_metric *metric; // or NULL:
    double (*value)(const struct seq_counted *counted, const int64_t *counters);
    seq_text_measure text; // of texts
} seq_counted;
void seq_counted_clear(seq_counted *counted);
// Adds an item whose counters are `own` (counters), and zeroes those.
seq_status seq_counted_add(seq_counted *counted, int64_t *own, seq_error *error);
// Sums (counters) over the items.
void seq_counted_sum(const seq_counted *counted, const int32_t *weights, int64_t *sums);
seq_statistic seq_counted_statistic(const seq_counted *counted);
// Both have the same items (seq_answers_check). The tables stay as they are while it is used.
seq_status seq_counted_of_metric(const seq_metric *metric, const seq_labels *labels,
                                 const seq_answers *gold, const seq_answers *predicted,
                                 seq_counted *out, seq_error *error);

// Of texts; `measure` says which figure, `words` are the tables'.
seq_status seq_counted_of_texts(seq_text_measure measure, const seq_strings *words,
                                const seq_answers *gold, const seq_answers *predicted,
                                seq_counted *out, seq_error *error);
// Of each item, as sacreBLEU has it for sentences (BLEU of effective order); *out is released with
// free().
seq_status seq_counted_each(const seq_counted *texts, double **out, seq_error *error);

// Of each item of two sets of transcripts; *out is released with free().
seq_status seq_answers_edits(const seq_answers *gold, const seq_answers *predicted, seq_edits **out,
                             seq_error *error);

// Entities (lenient reading) that were never seen: those whose text is that of no entity of
// `training`, whatever its type. One seq_hits.
seq_status seq_counted_of_unseen(const seq_answer_tables *tables, const seq_answers *training,
                                 const seq_answers *gold, const seq_answers *predicted,
                                 seq_counted *out, seq_error *error);
// The surface forms of WNUT17: distinct pairs of text and type, case kept. Right: those of entities
// that are right in place. Predicted and gold: those of all predicted and gold entities. A seq_hits
// for each pair; the hits of the whole are how many pairs have each at least once.
seq_status seq_counted_of_surfaces(const seq_answer_tables *tables, const seq_answers *gold,
                                   const seq_answers *predicted, seq_counted *out,
                                   seq_error *error);
seq_hits seq_surface_hits(const int64_t *counters, int count);

// Numbers with their order, for statistics of ranks.
typedef struct seq_ranking {
    size_t count;
    int32_t *group; // (count): of equal values, numbered by size
    int32_t groups;
} seq_ranking;
seq_status seq_ranking_make(const double *values, size_t count, seq_ranking *out, seq_error *error);
void seq_ranking_clear(seq_ranking *ranking);

// Two numbers an item. Errors in double precision; Spearman's rank correlation is Pearson's of the
// mean ranks of equal values, undefined where one side has one value only.
typedef struct seq_ratings {
    size_t count;
    const double *gold, *predicted;
    seq_ranking ranks[2];
} seq_ratings;
seq_status seq_ratings_make(const seq_answers *gold, const seq_answers *predicted, seq_ratings *out,
                            seq_error *error);
void seq_ratings_clear(seq_ratings *ratings);
seq_statistic seq_mean_absolute_error(const seq_ratings *ratings);
seq_statistic seq_root_mean_square(const seq_ratings *ratings);
seq_statistic seq_spearman(const seq_ratings *ratings);

// Area under the ROC curve of each class against all others: the share of pairs of an item of the
// class and another one in which the first has the higher probability; equal ones count half.
// Undefined for a class that some item has no probability of, or that has no such pair.
typedef struct seq_auc {
    int32_t classes;
    size_t items;
    const int32_t *gold; // (items)
    seq_ranking *ranks;  // (classes); count 0: undefined
    int32_t groups;      // of the class with most
} seq_auc;
seq_status seq_auc_make(const seq_answers *gold, const seq_answers *predicted, int32_t classes,
                        seq_auc *out, seq_error *error);
void seq_auc_clear(seq_auc *auc);
// `scratch` (2 * groups) as in seq_statistic.
double seq_auc_of_class(const seq_auc *auc, int32_t label, const int32_t *weights,
                        int64_t *scratch);
seq_statistic seq_auc_mean(const seq_auc *auc); // over classes where it is defined

// How often each label was predicted for each gold label; cells with 0 are left out. Sorted by
// gold, then predicted.
typedef struct seq_confusion {
    int32_t gold, predicted;
    int64_t count;
} seq_confusion;
// *out is from malloc; release with free().
seq_status seq_confusion_find(const seq_answers *gold, const seq_answers *predicted,
                              seq_confusion **out, size_t *out_count, seq_error *error);

#endif
