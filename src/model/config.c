// Checks a model's configuration, and converts it to and from a record. The
// number of parameters is estimated in double before any sizes are multiplied
// as integers, so no product overflows. Invariant: a record that is read is as
// valid as options are, since both pass the same check. Tests:
// tests/unit/model/test_config.c, tests/fuzz/fuzz_manifest.c.
#include "model_private.h"
#include <seqtrain/nn/cell.h>
#include <stdio.h>
#include <string.h>

enum { MAX_UNITS = 65536 };

static seq_status check_size(const char *option, int64_t value, int64_t maximum, seq_error *error) {
    if (value >= 1 && value <= maximum) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "%s: %lld is not within 1 to %lld", option,
                         (long long)value, (long long)maximum);
}

static seq_status check_fraction(const char *option, double value, seq_error *error) {
    if (value >= 0 && value < 1) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "%s: %g is not a probability below 1", option,
                         value);
}

static int top_width(const seq_model_config *config) {
    return config->dense_layers ? config->dense[config->dense_layers - 1]
                                : config->hidden[config->layers - 1];
}

static seq_status check_sizes(const seq_model_config *config, seq_error *error) {
    seq_status status = check_size("vocabulary", config->vocabulary, SEQ_MAX_VOCABULARY, error);
    if (!status) status = check_size("--embed", config->embedding, MAX_UNITS, error);
    if (!status) status = check_size("--layers", config->layers, SEQ_MAX_LAYERS, error);
    for (int layer = 0; !status && layer < config->layers; layer++)
        status = check_size("--hidden", config->hidden[layer], MAX_UNITS, error);
    if (!status && (config->dense_layers < 0 || config->dense_layers > SEQ_MAX_LAYERS))
        status = seq_error_set(error, SEQ_BAD_USAGE, "--feedforward: %d layers are more than %d",
                               config->dense_layers, SEQ_MAX_LAYERS);
    for (int layer = 0; !status && layer < config->dense_layers; layer++)
        status = check_size("--feedforward", config->dense[layer], MAX_UNITS, error);
    return status;
}

// Before any product of sizes is taken in integers.
static seq_status check_total(const seq_model_config *config, seq_error *error) {
    double total = (double)config->vocabulary * (config->embedding + top_width(config));
    double below = config->embedding;
    for (int layer = 0; layer < config->layers; layer++) {
        total += 4.0 * config->hidden[layer] * (below + config->hidden[layer] + 2);
        below = config->hidden[layer];
    }
    for (int layer = 0; layer < config->dense_layers; layer++) {
        total += config->dense[layer] * (below + 1);
        below = config->dense[layer];
    }
    if (total < SEQ_MAX_PARAMETERS) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "the model would have %.3g parameters, more than %.3g", total,
                         SEQ_MAX_PARAMETERS);
}

// The head checks its options when it is added to the graph. What it is tied to is the task's.
static seq_status check_head(const seq_model_config *config, seq_error *error) {
    const seq_head_kind *kind = seq_output_at(config->output);
    seq_model_config untied = *config;
    seq_graph *graph = NULL;
    if (config->tied && !kind->ties)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--tied: --output %s has no matrix of the embedding's shape",
                             kind->node.name);
    untied.tied = 0;
    seq_status status = seq_model_graph(&untied, &graph, error);
    if (!status && graph->error.status) {
        *error = graph->error;
        status = error->status;
    }
    seq_graph_destroy(graph);
    return status;
}

seq_status seq_model_config_check(const seq_model_config *config, seq_error *error) {
    seq_status status = SEQ_OK;
    if (!seq_cell_find(config->cell))
        status = seq_error_set(error, SEQ_BAD_USAGE, "--cell: %s is no cell", config->cell);
    if (!status) status = check_sizes(config, error);
    if (!status) status = check_total(config, error);
    if (!status) status = check_fraction("--dropout-input", config->dropout_input, error);
    if (!status) status = check_fraction("--dropout-between", config->dropout_between, error);
    if (!status) status = check_fraction("--dropout-output", config->dropout_output, error);
    return status ? status : check_head(config, error);
}

static seq_status write_output(const seq_model_config *config, seq_record *record,
                               seq_error *error) {
    seq_status status =
        seq_record_set_text(record, "output", seq_output_at(config->output)->node.name, error);
    if (!status && config->samples)
        status = seq_record_set_integer(record, "samples", config->samples, error);
    if (!status && config->cutoff_count)
        status = seq_record_set_integers(record, "cutoffs", config->cutoffs, config->cutoff_count,
                                         error);
    return status;
}

seq_status seq_model_config_write(const seq_model_config *config, seq_record *record,
                                  seq_error *error) {
    const struct {
        const char *key;
        int64_t value;
    } integers[] = {{"vocabulary", config->vocabulary},
                    {"embedding", config->embedding},
                    {"tied", config->tied},
                    {"dense_activation", config->dense_activation},
                    {"initialisation", config->initialisation},
                    {"embedding_initialisation", config->embedding_initialisation}};
    const struct {
        const char *key;
        double value;
    } reals[] = {{"dropout_input", config->dropout_input},
                 {"dropout_between", config->dropout_between},
                 {"dropout_output", config->dropout_output},
                 {"forget_bias", config->forget_bias},
                 {"init_scale", config->init_scale}};
    seq_status status = seq_record_set_text(record, "cell", config->cell, error);
    for (size_t i = 0; !status && i < sizeof integers / sizeof *integers; i++)
        status = seq_record_set_integer(record, integers[i].key, integers[i].value, error);
    for (size_t i = 0; !status && i < sizeof reals / sizeof *reals; i++)
        status = seq_record_set_real(record, reals[i].key, reals[i].value, error);
    if (!status) status = write_output(config, record, error);
    if (!status)
        status = seq_record_set_integers(record, "hidden", config->hidden, config->layers, error);
    return status ? status
                  : seq_record_set_integers(record, "dense", config->dense, config->dense_layers,
                                            error);
}

static seq_status read_integers(seq_model_config *out, const seq_record *record, seq_error *error) {
    int64_t vocabulary, embedding, tied, activation, initialisation, rows = SEQ_EMBEDDING_UNIFORM;
    seq_status status =
        seq_record_get_integer(record, "vocabulary", 1, SEQ_MAX_VOCABULARY, &vocabulary, error);
    if (!status)
        status = seq_record_get_integer(record, "embedding", 1, MAX_UNITS, &embedding, error);
    if (!status) status = seq_record_get_integer(record, "tied", 0, 1, &tied, error);
    if (!status)
        status = seq_record_get_integer(record, "dense_activation", 0, SEQ_DENSE_TANH, &activation,
                                        error);
    if (!status)
        status = seq_record_get_integer(record, "initialisation", 0, SEQ_INITIALISE_ORTHOGONAL,
                                        &initialisation, error);
    if (!status && seq_record_text(record, "embedding_initialisation")) // older: uniform
        status = seq_record_get_integer(record, "embedding_initialisation", 0, SEQ_EMBEDDING_NORMAL,
                                        &rows, error);
    if (status) return status;
    out->vocabulary = (int)vocabulary;
    out->embedding = (int)embedding;
    out->tied = (int)tied;
    out->dense_activation = (seq_dense_activation)activation;
    out->initialisation = (seq_initialisation)initialisation;
    out->embedding_initialisation = (seq_embedding_initialisation)rows;
    return SEQ_OK;
}

// Records from before there was a choice have no "output".
static seq_status read_output(seq_model_config *out, const seq_record *record, seq_error *error) {
    const char *name = seq_record_text(record, "output");
    int64_t samples = 0;
    out->output = name ? seq_output_find(name) : 0;
    if (out->output < 0)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "record: key output is %.40s, expected an output layer", name);
    seq_status status = SEQ_OK;
    if (seq_record_text(record, "samples"))
        status = seq_record_get_integer(record, "samples", 1, SEQ_MAX_VOCABULARY, &samples, error);
    if (!status && seq_record_text(record, "cutoffs"))
        status = seq_record_get_integers(record, "cutoffs", 1, SEQ_MAX_VOCABULARY, out->cutoffs,
                                         SEQ_MAX_CUTOFFS, &out->cutoff_count, error);
    out->samples = (int)samples;
    return status;
}

seq_status seq_model_config_read(seq_model_config *out, const seq_record *record,
                                 seq_error *error) {
    *out = (seq_model_config){0};
    const char *cell = seq_record_text(record, "cell");
    if (!cell || !seq_cell_find(cell))
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "record: key cell is %.40s, expected a cell",
                             cell ? cell : "missing");
    snprintf(out->cell, sizeof out->cell, "%s", cell);
    double *const reals[] = {&out->dropout_input, &out->dropout_between, &out->dropout_output,
                             &out->forget_bias, &out->init_scale};
    static const char *const keys[] = {"dropout_input", "dropout_between", "dropout_output",
                                       "forget_bias", "init_scale"};
    seq_status status = read_integers(out, record, error);
    if (!status) status = read_output(out, record, error);
    for (size_t i = 0; !status && i < sizeof reals / sizeof *reals; i++)
        status = seq_record_get_real(record, keys[i], reals[i], error);
    if (!status)
        status = seq_record_get_integers(record, "hidden", 1, MAX_UNITS, out->hidden,
                                         SEQ_MAX_LAYERS, &out->layers, error);
    if (!status)
        status = seq_record_get_integers(record, "dense", 1, MAX_UNITS, out->dense, SEQ_MAX_LAYERS,
                                         &out->dense_layers, error);
    seq_error unfit = {0};
    if (!status && seq_model_config_check(out, &unfit))
        status =
            seq_error_set(error, unfit.status == SEQ_NO_MEMORY ? SEQ_NO_MEMORY : SEQ_NO_CHECKPOINT,
                          "record: %s", unfit.text);
    return status;
}
