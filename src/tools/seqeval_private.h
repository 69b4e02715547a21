// The things that seqeval does: a split, lines, files of answers.
#ifndef SEQ_TOOLS_SEQEVAL_PRIVATE_H
#define SEQ_TOOLS_SEQEVAL_PRIVATE_H

#include "tool_program.h"
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/data/dataset.h>
#include <seqtrain/infer/evaluate.h>
#include <seqtrain/infer/score.h>
#include <seqtrain/task/baseline.h>
#include <seqtrain/task/statistic.h>
#include <stdio.h>

typedef enum seq_eval_baseline {
    SEQ_EVAL_NO_BASELINE,
    SEQ_EVAL_MAJORITY,
    SEQ_EVAL_BOW
} seq_eval_baseline;

typedef struct seq_eval_options {
    int split, log_base, kernels, weights, task, scheme, baseline, unit, smooth_method;
    char *data, *score, *target, *blas, *gold, *predictions, *train, *dev, *columns, *per_item;
    int64_t batch, resamples, seed, runs, average;
    double smooth_value;
    bool per_token, carry, newest, json, quiet, lower;
} seq_eval_options;

// seqeval_pass.c: a model over the batches of a split.
typedef struct seq_eval_pass {
    const seq_loaded *loaded;
    seq_sampler *sampler;
    seq_workspace *workspace;
    seq_evaluator *evaluator;
} seq_eval_pass;
// --split and --batch, for data sets of items.
seq_sampler_settings seq_eval_item_settings(const seq_eval_options *options);
// Sets model, data set and sampler of `config`. After a failure, too, seq_eval_end ends the pass.
seq_status seq_eval_begin(seq_eval_pass *pass, const seq_loaded *loaded, seq_dataset *dataset,
                          const seq_sampler_settings *settings, seq_evaluator_config config,
                          seq_error *error);
seq_status seq_eval_step(seq_eval_pass *pass, int64_t step, seq_loss *loss, seq_error *error);
void seq_eval_end(seq_eval_pass *pass);
// Items of --split. SEQ_BAD_INPUT: there are none.
seq_status seq_eval_count_items(const seq_eval_options *options, const seq_dataset *dataset,
                                size_t *out, seq_error *error);
// Of models whose answers are texts: tells -ln p of each target token of --split, those of an item
// in their order.
typedef void seq_eval_token(void *context, size_t item, int32_t id, double nats);
seq_status seq_eval_tokens(const seq_eval_options *options, const seq_loaded *loaded,
                           seq_dataset *dataset, seq_eval_token *token, void *context,
                           int64_t *out_correct, seq_error *error);
// seq_bootstrap with a team of its own.
seq_status seq_eval_resample(const seq_statistic *statistics, size_t count, size_t items,
                             int resamples, int64_t seed, double *samples, seq_error *error);

// seqeval_print.c. In JSON a comma comes before a figure; NaN, Inf: null. Without an interval
// (NaN) a range is its value.
void seq_eval_print_number(const char *name, double value, bool json);
void seq_eval_print_range(const char *name, double value, seq_interval range, bool json);
// --per-item: the file is written when `write` has made it whole.
typedef seq_status seq_eval_table(const void *context, FILE *stream, seq_error *error);
seq_status seq_eval_write_table(const char *path, seq_eval_table *write, const void *context,
                                seq_error *error);

seq_status seq_eval_split(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error);
// The run's data set, or that of --data. SEQ_BAD_INPUT: it is none for the model.
seq_status seq_eval_open_dataset(const seq_eval_options *options, const seq_loaded *loaded,
                                 seq_dataset **out, seq_error *error);
// seqeval_generated.c: whether a model generates; it, and the runs behind it, text by text.
bool seq_eval_is_generated(const seq_loaded *loaded);
seq_status seq_eval_generated(const seq_eval_options *options, const seq_loaded *loaded,
                              const char *const *runs, int count, seq_error *error);
// A model of a task with items; the data set fits it.
seq_status seq_eval_items(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_dataset *dataset, seq_error *error);
// A model whose answers to items are texts: their probabilities. `ends`: so does the JSON object.
seq_status seq_eval_texts(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_dataset *dataset, bool ends, seq_error *error);
seq_status seq_eval_score(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error);
// The same of pairs of texts.
seq_status seq_eval_pairs(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error);
// `others`: files of answers beside --predictions.
seq_status seq_eval_files(const seq_eval_options *options, const char *const *others, int count,
                          seq_error *error);

// What a comparison has found of answers, from files or of a model.
enum { SEQ_EVAL_MEASURES = 8, SEQ_EVAL_RUNS = 32, SEQ_EVAL_SYSTEMS };

typedef struct seq_eval_measure {
    const char *name; // NULL: none from here on
    double value;
    seq_interval interval;
    seq_interval difference;   // of this to the first system's, or to the mean of its runs, paired
    double two_sided, exceeds; // the second of texts
} seq_eval_measure;

typedef struct seq_eval_system {
    seq_answers answers;
    seq_eval_measure measures[SEQ_EVAL_MEASURES];
    int64_t broken;                        // entities whose tags break the scheme
    seq_hits all, strict, surface, unseen; // entities
    int64_t *types, *labels;               // seq_hits of each type and each label, or NULL
    double *auc;                           // (labels), or NULL
    seq_edits edits, *item_edits;          // of transcripts: sums; (items)
    seq_bleu bleu[SEQ_BLEU_TOKENS];        // of texts
    int64_t bleu_counts[SEQ_BLEU_TOKENS][SEQ_BLEU_COUNTS];
    double *item_bleu, *item_chrf; // (items)
    seq_confusion *confusion;      // or NULL
    size_t cells;
} seq_eval_system;

typedef struct seq_eval_comparison {
    seq_answer_tables tables;
    seq_answers gold, training, dev;
    seq_eval_system systems[SEQ_EVAL_SYSTEMS]; // runs of the first system, then the second
    int count, runs;
    // What all runs have: the mean over them, of the whole set and of each resample. With one run,
    // that run's.
    seq_eval_measure first[SEQ_EVAL_MEASURES];
    int resamples;
    int64_t seed, gold_broken;
    size_t references;             // of each text; 0: they differ
    const seq_text_measure *texts; // as the measures, up to one without name; NULL: no texts
    bool has_surfaces, has_unseen, has_bow;
    seq_bow_report bow;
    // Of a model: the split, its items' losses and their sum over the targets.
    const char *split; // NULL: answers of files
    const char *loss_unit;
    double *losses; // (items)
    double loss;    // a target
    // (gold.word_count): words of gold as the training items have them; NULL: gold.words
    int32_t *known_words;
} seq_eval_comparison;
void seq_eval_comparison_clear(seq_eval_comparison *comparison);

// SEQ_BAD_USAGE: no such baseline for these answers.
seq_status seq_eval_check_baseline(seq_eval_baseline baseline, seq_answer_kind kind,
                                   seq_error *error);
// The baseline as one more system; without dev items, every tenth training item chooses its
// penalty.
seq_status seq_eval_add_baseline(seq_eval_comparison *comparison, seq_eval_baseline baseline,
                                 seq_error *error);
// Judges and prints them, and writes the items where that is wanted.
seq_status seq_eval_compare(seq_eval_comparison *comparison, const seq_eval_options *options,
                            seq_error *error);
void seq_eval_print(const seq_eval_comparison *comparison, bool json);
// A line an item, as tab-separated values.
seq_eval_table seq_eval_write_items; // of a seq_eval_comparison

#endif
