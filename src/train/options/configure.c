// Options -> configurations of the model, the optimiser and the checkpoints'
// compression, with the checks that concern several options at once. Invariant:
// -1 is the only negative value that stands for another one, and messages name
// the bounds that the table has. Tests: tests/cli/seqtrain.sh,
// tests/cli/advice.sh.
#include "options.h"
#include <seqtrain/nn/cell.h>
#include <seqtrain/nn/head.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static seq_status layer_sizes(const seq_train_options *options, seq_model_config *out,
                              seq_error *error) {
    const seq_integers *hidden = &options->hidden;
    if (hidden->count != 1 && hidden->count != options->layers)
        return seq_error_set(
            error, SEQ_BAD_USAGE,
            "--hidden: %d sizes for %lld layers: give one size, or one for each of the --layers",
            hidden->count, (long long)options->layers);
    out->layers = (int)options->layers;
    for (int layer = 0; layer < out->layers; layer++)
        out->hidden[layer] = (int)hidden->values[hidden->count == 1 ? 0 : layer];
    out->dense_layers = options->feedforward.count;
    for (int layer = 0; layer < out->dense_layers; layer++)
        out->dense[layer] = (int)options->feedforward.values[layer];
    return SEQ_OK;
}

// A twentieth and a quarter of the vocabulary, unless given; below 20 words, the first places that
// leave a word in each part.
static void take_cutoffs(const seq_integers *given, int vocabulary, seq_model_config *out) {
    int first = vocabulary < 20 ? 1 : vocabulary / 20;
    int second = vocabulary / 4 > first ? vocabulary / 4 : first + 1;
    out->cutoff_count = given->count ? given->count : second < vocabulary ? 2 : 1;
    out->cutoffs[0] = first;
    out->cutoffs[1] = out->cutoff_count > 1 ? second : 0;
    for (int i = 0; i < given->count && i < SEQ_MAX_CUTOFFS; i++)
        out->cutoffs[i] = (int)given->values[i];
}

static seq_status output_layer(const seq_train_options *options, seq_model_config *out,
                               seq_error *error) {
    const char *kind = seq_output_names()[options->output];
    bool adaptive = strcmp(kind, "adaptive") == 0;
    out->output = options->output;
    if (strcmp(kind, "sampled") == 0) out->samples = (int)options->samples;
    if (adaptive && out->vocabulary < 2)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--output adaptive: the vocabulary has %d word, 2 are the least",
                             out->vocabulary);
    if (adaptive) take_cutoffs(&options->cutoffs, out->vocabulary, out);
    if (adaptive || !options->cutoffs.count) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--cutoffs: only --output adaptive has any, not %s",
                         kind);
}

static double own_or_common(double own, double common) {
    return own < 0 ? common : own;
}

// --embed-init: auto, then the choices of the model. Standard normal rows would make the first
// logits of a tied output large.
static seq_embedding_initialisation embedding_initialisation(const seq_train_options *options) {
    if (options->embedding_init > 0)
        return (seq_embedding_initialisation)(options->embedding_init - 1);
    bool plain = options->tied || options->initialisation == SEQ_INITIALISE_UNIFORM;
    return plain ? SEQ_EMBEDDING_UNIFORM : SEQ_EMBEDDING_NORMAL;
}

// The only negative value of some options is -1, which stands for another.
static seq_status check_standing_for(const seq_train_options *options, seq_error *error) {
    const struct {
        const char *name;
        double value, minimum, maximum;
    } checks[] = {{"dropout-input", options->dropout_input, 0, 0.99},
                  {"dropout-between", options->dropout_between, 0, 0.99},
                  {"dropout-output", options->dropout_output, 0, 0.99},
                  {"beta2", options->beta2, 0, 0.999999},
                  {"epsilon", options->epsilon, 1e-30, 1}}; // 0 / 0 where there is no gradient
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].value < checks[i].minimum && checks[i].value != -1)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s %g: expected -1, or %g to %g",
                                 checks[i].name, checks[i].value, checks[i].minimum,
                                 checks[i].maximum);
    return SEQ_OK;
}

seq_status seq_train_model_config(const seq_train_options *options, int vocabulary,
                                  seq_model_config *out, seq_error *error) {
    *out = (seq_model_config){
        .vocabulary = vocabulary,
        .embedding = (int)options->embed,
        .dense_activation = (seq_dense_activation)options->feedforward_activation,
        .tied = options->tied,
        .dropout_input = own_or_common(options->dropout_input, options->dropout),
        .dropout_between = own_or_common(options->dropout_between, options->dropout),
        .dropout_output = own_or_common(options->dropout_output, options->dropout),
        .forget_bias = options->forget_bias,
        .initialisation = (seq_initialisation)options->initialisation,
        .init_scale = options->init_scale,
        .embedding_initialisation = embedding_initialisation(options),
    };
    snprintf(out->cell, sizeof out->cell, "%s", seq_cell_names()[options->cell]);
    seq_status status = check_standing_for(options, error);
    if (!status) status = layer_sizes(options, out, error);
    if (!status) status = output_layer(options, out, error);
    return status ? status : seq_model_config_check(out, error);
}

// A config file has all options of its run: there, only another value than the default counts.
static bool is_asked_for(const seq_parsed *parsed, size_t row) {
    char text[SEQ_OPTION_ABSENT];
    const char *standard = parsed->program->options[row].standard;
    if (parsed->sources[row] != SEQ_FROM_CONFIG)
        return parsed->sources[row] == SEQ_FROM_COMMAND_LINE;
    seq_option_get_text(parsed, row, text, sizeof text);
    return strcmp(text, standard ? standard : "") != 0;
}

// A language model's own among the options that every task has a value for.
static seq_status check_language_model_only(const seq_parsed *parsed, const seq_task *task,
                                            seq_error *error) {
    static const char *const own[] = {
        "tied", "output", "samples", "cutoffs", "window", "loss-scale", "report-gradient-flow",
        NULL};
    // What predicts the next token of items has all but those of streams.
    for (const char *const *name = own + (task->next_token ? 4 : task->ties); *name; name++) {
        const char *have = name == own      ? ", generate and translate have"
                           : name < own + 4 ? " and generate have"
                                            : " has";
        if (is_asked_for(parsed, (size_t)seq_option_find(parsed->program, *name)))
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s: the data set was prepared for the task %s; only lm%s it",
                                 *name, task->name, have);
    }
    return SEQ_OK;
}

// What is said of words where an item is a sequence of real vectors.
static seq_status check_words_only(const seq_parsed *parsed, const seq_schema *schema,
                                   seq_error *error) {
    static const char *const words[] = {"embed",
                                        "embed-init",
                                        "embedding-dropout",
                                        "embeddings",
                                        "embeddings-rate",
                                        "word-dropout",
                                        "singletons",
                                        "letters-hidden",
                                        "letters-embed",
                                        "casing-embed",
                                        NULL};
    int input = seq_schema_find_input(schema);
    if (input < 0 || schema->fields[input].vocabulary >= 0) return SEQ_OK;
    for (const char *const *name = words; *name; name++)
        if (is_asked_for(parsed, (size_t)seq_option_find(parsed->program, *name)))
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s: the items of the data set are sequences of vectors of %d "
                                 "values, which have no words",
                                 *name, schema->fields[input].width);
    return SEQ_OK;
}

seq_status seq_train_create_model(const seq_parsed *parsed, const seq_dataset *dataset,
                                  const seq_compute *compute, const seq_rates *rates,
                                  const seq_task **out_task, seq_model **out, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    const seq_task *task = *out_task = seq_task_find(schema->task);
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    seq_model_config config;
    if (!task)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "data set %s: it was prepared for the task %s, which this seqtrain "
                             "does not have",
                             seq_dataset_path(dataset), schema->task);
    if (schema->streams != task->sampler->carries_state)
        return seq_error_set(error, SEQ_BAD_INPUT, "data set %s: schema of %s, of the task %s",
                             seq_dataset_path(dataset), schema->streams ? "running text" : "items",
                             task->name);
    for (int i = 0; i < schema->vocabulary_count; i++)
        vocabularies[i] = seq_dataset_vocabulary_at(dataset, i);
    // Of features there is no vocabulary: one word, which no node reads.
    int words = schema->vocabulary_count ? seq_vocabulary_size(vocabularies[0]) : 1;
    seq_status status = schema->streams ? SEQ_OK : check_language_model_only(parsed, task, error);
    if (!status) status = check_words_only(parsed, schema, error);
    if (!status) status = seq_train_model_config(parsed->values, words, &config, error);
    const seq_task_input input = {&config, parsed, schema, vocabularies};
    if (!status) status = seq_task_model_at_rates(task, &input, rates, compute, out, error);
    return status == SEQ_BAD_INPUT
               ? seq_error_add_context(error, "data set %s", seq_dataset_path(dataset))
               : status;
}

void seq_train_rule_config(const seq_train_options *options, const seq_optimizer *optimizer,
                           seq_optimizer_config *out) {
    *out = (seq_optimizer_config){
        .momentum = options->momentum,
        .beta1 = options->beta1,
        .beta2 = own_or_common(options->beta2, optimizer->standard_beta2),
        .epsilon = own_or_common(options->epsilon, optimizer->standard_epsilon),
        .weight_decay = options->weight_decay,
    };
}

void seq_train_schedule_config(const seq_train_options *options, int64_t total_steps,
                               seq_schedule_config *out) {
    *out = (seq_schedule_config){
        .name = seq_schedule_names()[options->schedule],
        .learning_rate = options->learning_rate,
        .warmup_steps = options->warmup,
        .decay = options->decay,
        .decay_after = options->decay_after,
        .patience = options->patience,
        .minimum = options->minimum_rate,
        .total_steps = total_steps,
    };
}

seq_pipeline seq_train_pipeline(const seq_train_options *options) {
    int level = (int)options->compression_level;
    bool gzip = options->compression == SEQ_COMPRESS_GZIP;
    return (seq_pipeline){(seq_compression)options->compression, gzip && level > 9 ? 9 : level};
}

double seq_train_loss_limit(const seq_trainer *trainer) {
    if (trainer->options->loss_limit > 0) return trainer->options->loss_limit;
    return 4 * seq_model_chance(trainer->model);
}

seq_sampler_settings seq_train_sampler_settings(const seq_parsed *parsed) {
    const seq_train_options *options = parsed->values;
    seq_sampler_settings out = {.split = SEQ_TRAIN,
                                .training = true,
                                .seed = (uint64_t)options->seed,
                                .batch = (int)options->batch,
                                .cut = SEQ_CUT_EQUAL,
                                .window = (int)options->window,
                                .loss_sum = options->loss_scale == SEQ_LOSS_SUM};
    seq_buckets_configure(seq_option_values(parsed, &seq_buckets_options), &out);
    return out;
}
