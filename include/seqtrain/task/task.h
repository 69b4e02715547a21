// Tasks: what a model is trained for. A task is a row: its sampler, its options,
// the nodes of its model, its measures. A data set is prepared for one task
// (seqprep --task), and its schema names it; a language model's data set has no
// schema and its task is lm. To add a task, copy src/task/task_classify.c and
// register it in src/task/task.c.
#ifndef SEQTRAIN_TASK_TASK_H
#define SEQTRAIN_TASK_TASK_H

#include <seqtrain/base/option.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/model/graph.h>
#include <seqtrain/task/metric.h>

// What a model is made from, in training and from a checkpoint.
typedef struct seq_task_input {
    const seq_model_config *config; // what all tasks share: cell, sizes, dropout, initial values
    const seq_parsed *settings;     // holds the values of seq_task_groups
    const seq_schema *schema;       // of the data set or checkpoint
    const seq_vocabulary *const *vocabularies; // by the schema's index
} seq_task_input;

// What has a value of the target.
typedef enum seq_target_place {
    SEQ_TARGET_ITEM,  // each item
    SEQ_TARGET_ROWS,  // each row of the item's sequence (seq_schema_find_input)
    SEQ_TARGET_ITSELF // it is a sequence of its own, beside the item's
} seq_target_place;

// The field that a task predicts.
typedef struct seq_task_target {
    const char *field; // NULL: any schema will do
    seq_field_kind kind;
    seq_target_place place;
    const char *input; // the field of the item's sequence; NULL: text or frames
} seq_task_target;

typedef struct seq_task {
    const char *name, *summary;
    const char *unit; // of a loss: what is predicted, "token", "item"
    bool next_token;  // the loss is -ln p of the next token: perplexity and bits say the same
    bool ties;        // its head may have an embedding's matrix (--tied)
    const seq_sampler_kind *sampler;
    seq_task_target target;
    // Options of its own, NULL-terminated; of others' it takes none but the default.
    const seq_option_group *const *groups;
    // Adds all nodes, the head last. Errors stay in the graph.
    void (*build)(const seq_task_input *input, seq_graph *graph);
    // NULL-terminated. The first chooses the best checkpoint. None: the mean loss of a target does.
    const seq_metric *const *metrics;
} seq_task;

extern const seq_task seq_task_lm, seq_task_classify, seq_task_rate, seq_task_tag,
    seq_task_transcribe, seq_task_translate, seq_task_generate;
const seq_task *seq_task_find(const char *name); // NULL: none
const seq_task *const *seq_tasks(void);          // NULL-terminated
// The options of all tasks, each group once; NULL-terminated.
extern const seq_option_group *const seq_task_groups[];

// The name of the field that holds an item's sequence.
const char *seq_task_sequence(const seq_task_input *input);
// How often each entry of a field's vocabulary occurs in the training part. The graph keeps the
// array; NULL after an error.
const int64_t *seq_task_counts(const seq_task_input *input, seq_graph *graph, const char *field);

// SEQ_BAD_USAGE: an option that the task does not have was given, or is not at its default.
seq_status seq_task_check_options(const seq_task *task, const seq_parsed *settings,
                                  seq_error *error);
// A model over batches with the schema's columns. SEQ_BAD_USAGE names the option that does not fit.
seq_status seq_task_model(const seq_task *task, const seq_task_input *input,
                          const seq_compute *compute, seq_model **out, seq_error *error);

// Factors of the learning rate, by the names of parameters that the model has; 0 freezes one.
typedef struct seq_rates {
    int count;
    struct seq_rate {
        char name[SEQ_PARAMETER_NAME];
        double rate;
    } * items;
} seq_rates;
// The same model, with these rates: longer names behind shorter ones. NULL: all are 1.
seq_status seq_task_model_at_rates(const seq_task *task, const seq_task_input *input,
                                   const seq_rates *rates, const seq_compute *compute,
                                   seq_model **out, seq_error *error);

#endif
