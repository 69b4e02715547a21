// Writes what a manifest says of a run: model, options, position, data and the
// program with its order of arithmetic. Invariant: nothing of it depends on the
// machine or on the number of ranks, so equal states are equal files.
// Tests: tests/cli/arithmetic.sh, tests/mpi/train_bytes.sh.
#include "saving.h"
#include "initial/initial.h"
#include "options/options.h"
#include "verify/verify.h"
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/log.h>
#include <seqtrain/data/items.h>
#include <seqtrain/nn/head.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>

// Of the best validation; its value is kept of tasks with a metric, else it is the loss.
static const char BEST_LOSS[] = "best_loss", BEST_VALUE[] = "best_value";

static seq_status describe_options(const seq_trainer *trainer, seq_record *record,
                                   seq_error *error) {
    const seq_option *options = trainer->parsed->program->options;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && options[i].type != SEQ_OPTION_END; i++) {
        char text[SEQ_PATH];
        if (options[i].type == SEQ_OPTION_HEADING ||
            options[i].flags & (SEQ_OPTION_ONCE | SEQ_OPTION_SESSION) ||
            seq_option_is_absent(trainer->parsed, i))
            continue;
        seq_option_get_text(trainer->parsed, i, text, sizeof text);
        status = seq_record_set_text(record, options[i].name, text, error);
    }
    if (!status)
        status = seq_record_set_text(
            record, "kernels", seq_train_general_kernels(trainer->compute.kernels->name), error);
    if (!status) // 0 stands for the ranks of the first start
        status = seq_record_set_integer(record, "replicas", trainer->replicas, error);
    return status;
}

static seq_status describe_position(const seq_trainer *trainer, seq_record *record,
                                    seq_error *error) {
    const seq_position *position = &trainer->position;
    const struct {
        const char *key;
        int64_t value;
    } integers[] = {
        {"step", position->step},
        {"epoch", position->epoch},
        {"window", position->window},
        {"validated", position->validated},
        {"best_step", position->best_step},
        {"epoch_tokens", position->epoch_tokens},
        {"epoch_clipped", position->epoch_clipped},
    };
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < sizeof integers / sizeof *integers; i++)
        status = seq_record_set_integer(record, integers[i].key, integers[i].value, error);
    if (!status && position->since_best)
        status = seq_record_set_integer(record, "since_best", position->since_best, error);
    if (!status && trainer->task->metrics[0])
        status = seq_record_set_real(record, BEST_VALUE, position->best_value, error);
    if (!status) status = seq_record_set_real(record, BEST_LOSS, position->best_loss, error);
    if (!status) status = seq_record_set_real(record, "last_loss", position->last_loss, error);
    if (!status) status = seq_record_set_real(record, "epoch_nats", position->epoch_nats, error);
    return status ? status : seq_train_describe_audit(position, record, error);
}

static seq_status describe_data(const seq_trainer *trainer, seq_record *record, seq_error *error) {
    char schema[33];
    seq_status status =
        seq_record_set_text(record, "hash", seq_dataset_hash(trainer->dataset), error);
    if (!status)
        status = seq_record_set_text(record, "vocabulary_hash",
                                     seq_dataset_vocabulary_hash(trainer->dataset), error);
    if (!status) status = seq_schema_hash(seq_dataset_schema(trainer->dataset), schema, error);
    if (!status && *schema) status = seq_record_set_text(record, "schema_hash", schema, error);
    return status;
}

static seq_status describe_program(const seq_trainer *trainer, seq_record *record,
                                   seq_error *error) {
    seq_status status = seq_record_set_text(record, "version", trainer->version, error);
    if (!status)
        status = seq_record_set_text(record, "arithmetic",
                                     seq_compute_arithmetic(&trainer->compute), error);
    if (!status)
        status = seq_record_set_text(record, "denormals", seq_arithmetic_denormals(), error);
    return status ? status : seq_record_set_text(record, "storage", seq_storage_library(), error);
}

static seq_record *section(seq_manifest *manifest, const char *name, seq_error *error) {
    seq_record *record = seq_manifest_section_get(manifest, name);
    if (!record) seq_error_set(error, SEQ_NO_MEMORY, "describing the run: out of memory");
    return record;
}

seq_status seq_train_describe(const seq_trainer *trainer, seq_manifest *out, seq_error *error) {
    seq_record *record;
    if ((record = section(out, "model", error)))
        seq_model_config_write(seq_model_get_config(trainer->model), record, error);
    if (!error->status && (record = section(out, "options", error)))
        describe_options(trainer, record, error);
    if (!error->status) seq_initial_describe(trainer, out, error);
    if (!error->status && (record = section(out, "position", error)))
        describe_position(trainer, record, error);
    if (!error->status && (record = section(out, "schedule", error)))
        seq_schedule_write(&trainer->schedule_state, record, error);
    if (!error->status && (record = section(out, "setbacks", error)))
        seq_recovery_write(&trainer->history, record, error);
    if (!error->status && (record = section(out, "data", error)))
        describe_data(trainer, record, error);
    if (!error->status && (record = section(out, "program", error)))
        describe_program(trainer, record, error);
    if (!error->status && !seq_dataset_schema(trainer->dataset)->streams)
        seq_schema_write(seq_dataset_schema(trainer->dataset), out, error);
    return error->status;
}

seq_status seq_train_check_position(const seq_position *position, seq_error *error) {
    bool fits = position->windows > 0 && position->step < INT64_MAX / 4 &&
                position->epoch < (int64_t)1 << 32 &&
                position->audit.carried_window <= position->window;
    if (fits) {
        int64_t done = position->step - position->origin;
        fits = done >= 0 && position->epoch == done / position->windows + 1 &&
               position->window == done % position->windows;
    }
    if (fits) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_CHECKPOINT,
                         "step %lld, epoch %lld, window %lld do not fit to %lld windows an epoch",
                         (long long)position->step, (long long)position->epoch,
                         (long long)position->window, (long long)position->windows);
}

seq_status seq_train_read_position(const seq_manifest *manifest, seq_position *out,
                                   seq_error *error) {
    const seq_record *record = seq_manifest_section_find(manifest, "position");
    struct {
        const char *key;
        int64_t minimum, *value;
    } integers[] = {
        {"step", 0, &out->step},
        {"epoch", 1, &out->epoch},
        {"window", 0, &out->window},
        {"validated", 0, &out->validated},
        {"best_step", -1, &out->best_step},
        {"epoch_tokens", 0, &out->epoch_tokens},
        {"epoch_clipped", 0, &out->epoch_clipped},
    };
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < sizeof integers / sizeof *integers; i++)
        status = seq_record_get_integer(record, integers[i].key, integers[i].minimum, INT64_MAX,
                                        integers[i].value, error);
    out->since_best = 0;
    if (!status && seq_record_text(record, "since_best"))
        status =
            seq_record_get_integer(record, "since_best", 0, INT64_MAX, &out->since_best, error);
    bool measured = seq_record_text(record, BEST_VALUE);
    out->best_loss = NAN;
    if (!status && (!measured || seq_record_text(record, BEST_LOSS)))
        status = seq_record_get_real(record, BEST_LOSS, &out->best_loss, error);
    out->best_value = out->best_loss;
    if (!status && measured)
        status = seq_record_get_real(record, BEST_VALUE, &out->best_value, error);
    if (!status) status = seq_record_get_real(record, "last_loss", &out->last_loss, error);
    if (!status) status = seq_record_get_real(record, "epoch_nats", &out->epoch_nats, error);
    if (!status) status = seq_train_read_audit(record, out, error);
    return status || !out->windows ? status : seq_train_check_position(out, error);
}

static void describe_sizes(const int *sizes, int count, char *out, size_t size) {
    int used = 0;
    for (int i = 0; i < count && (size_t)used < size; i++)
        used += snprintf(out + used, size - (size_t)used, "%s%d", i ? ", " : "", sizes[i]);
}

// Clusters and draws take the ids for an order of frequency; <unk> and <eos> may stand before it.
static bool is_by_frequency(const seq_vocabulary *vocabulary) {
    int first = 0;
    while (first < seq_vocabulary_size(vocabulary) &&
           (first == seq_vocabulary_unk(vocabulary) || first == seq_vocabulary_eos(vocabulary)))
        first++;
    for (int id = first + 1; id < seq_vocabulary_size(vocabulary); id++)
        if (seq_vocabulary_count(vocabulary, id) > seq_vocabulary_count(vocabulary, id - 1))
            return false;
    return true;
}

static void print_output(const seq_trainer *trainer) {
    const seq_model_config *model = seq_model_get_config(trainer->model);
    const char *kind = seq_output_names()[model->output];
    char cutoffs[200] = "";
    if (model->output == 0) return;
    describe_sizes(model->cutoffs, model->cutoff_count, cutoffs, sizeof cutoffs);
    if (model->cutoff_count)
        seq_log_info("output   %s: clusters from words %s on", kind, cutoffs);
    else
        seq_log_info(
            "output   %s: %d words of %d and the targets in a window; the loss of training "
            "is among these",
            kind, model->samples, model->vocabulary);
    if (!is_by_frequency(seq_dataset_vocabulary(trainer->dataset)))
        seq_log_warning(
            "the vocabulary of %s is not in order of frequency, as --output %s takes it "
            "to be: training is slower or learns less from a step; results stay exact",
            seq_dataset_path(trainer->dataset), kind);
}

static void print_model(const seq_trainer *trainer) {
    const seq_model_config *model = seq_model_get_config(trainer->model);
    char hidden[200] = "", dense[200] = "";
    describe_sizes(model->hidden, model->layers, hidden, sizeof hidden);
    describe_sizes(model->dense, model->dense_layers, dense, sizeof dense);
    seq_log_info("task     %s: %s", trainer->task->name, trainer->task->summary);
    seq_log_info("model    %s x %d (%s)%s%s, embedding %d%s, vocabulary %d: %zu parameters, %.1f "
                 "MFLOP a token",
                 model->cell, model->layers, hidden, *dense ? ", dense " : "", dense,
                 model->embedding, model->tied ? " (tied)" : "", model->vocabulary,
                 trainer->table->values, seq_model_training_flops(trainer->model) / 1e6);
}

static void print_data(const seq_trainer *trainer) {
    const seq_dataset *dataset = trainer->dataset;
    long long train = seq_dataset_tokens(dataset, SEQ_TRAIN),
              valid = seq_dataset_tokens(dataset, SEQ_VALID);
    if (seq_dataset_schema(dataset)->streams)
        seq_log_info("data     %s: %lld tokens to train on, %lld to validate",
                     seq_dataset_path(dataset), train, valid);
    else
        seq_log_info("data     %s: %lld items (%lld rows) to train on, %lld (%lld) to validate",
                     seq_dataset_path(dataset), (long long)seq_dataset_items(dataset, SEQ_TRAIN),
                     train, (long long)seq_dataset_items(dataset, SEQ_VALID), valid);
    if (!trainer->valid_sampler)
        seq_log_warning("%s has no validation split: no validation loss, no best checkpoint",
                        seq_dataset_path(trainer->dataset));
}

static void describe_batch(const seq_trainer *trainer, char *out, size_t size) {
    if (seq_dataset_schema(trainer->dataset)->streams)
        snprintf(out, size, "%d streams, windows of %d", trainer->batch, trainer->window);
    else
        snprintf(out, size, "%.1f items (%.1f rows) on average",
                 seq_sampler_mean_rows(trainer->sampler, 0) / trainer->replicas,
                 seq_sampler_mean_rows(trainer->sampler,
                                       seq_dataset_schema(trainer->dataset)->length_axis) /
                     trainer->replicas);
}

// Of items: lengths, order, batches and decoded chunks. Bytes.
static double item_memory(const seq_trainer *trainer) {
    uint64_t bytes = seq_sampler_bytes(trainer->sampler);
    if (seq_dataset_schema(trainer->dataset)->streams) return 0;
    if (trainer->valid_sampler) bytes += seq_sampler_bytes(trainer->valid_sampler);
    return (double)(bytes + seq_dataset_item_bytes(trainer->dataset));
}

static void print_layout(const seq_trainer *trainer, size_t snapshot_bytes) {
    int size = seq_comm_size(trainer->comm);
    double vector = (double)trainer->table->size * sizeof(float) / 1e6,
           workspace = (double)seq_workspace_bytes(trainer->workspace) / 1e6,
           snapshot = (double)snapshot_bytes / 1e6, items = item_memory(trainer) / 1e6;
    seq_log_info("layout   %s", seq_comm_layout(trainer->comm));
    char batch[100], data[40] = "";
    describe_batch(trainer, batch, sizeof batch);
    if (items > 0) snprintf(data, sizeof data, ", items %.1f", items);
    seq_log_info("batch    %d replicas (%d a rank) of %s: %lld updates an epoch, %lld in all",
                 trainer->replicas, trainer->own_replicas, batch, (long long)trainer->windows,
                 (long long)trainer->total_steps);
    double packed = (double)seq_model_packed_bytes(trainer->model, SEQ_USE_TRAINING) / 1e6;
    seq_log_info("memory   %.1f MB a rank (workspace %.1f, snapshot of a checkpoint %.1f%s); %.1f "
                 "MB shared by the %d rank%s of a node",
                 vector + workspace + snapshot + items, workspace, snapshot, data,
                 vector * (1 + trainer->optimizer->states) + packed,
                 seq_comm_node_size(trainer->comm),
                 seq_comm_node_size(trainer->comm) == 1 ? "" : "s");
    if (trainer->options->wire == SEQ_WIRE_BF16 && seq_comm_nodes(trainer->comm) > 1)
        seq_log_warning("--wire bf16: sums between %d nodes are rounded: another number of nodes "
                        "gives results equal in statistics, not in bits",
                        seq_comm_nodes(trainer->comm));
    if (!seq_tree_same_bits(trainer->replicas, size))
        seq_log_warning("%d replicas on %d ranks are added in another order than on one rank: "
                        "results are equal in statistics, not in bits "
                        "(R / 2^k ranks and one rank give the same bits)",
                        trainer->replicas, size);
}

static void print_schedule(const seq_trainer *trainer) {
    const seq_schedule_config *schedule = &trainer->schedule;
    int64_t warmup = schedule->warmup_steps, steps = trainer->total_steps;
    if (warmup == 0 || warmup < steps) return;
    seq_log_warning("--warmup %lld: the run has %lld steps: the learning rate rises to its end, to "
                    "%.3g of --lr %.3g",
                    (long long)warmup, (long long)steps,
                    schedule->learning_rate * (double)steps / (double)warmup,
                    schedule->learning_rate);
}

void seq_train_print_start(const seq_trainer *trainer, size_t snapshot_bytes) {
    char kernels[200];
    seq_kernels_describe(trainer->compute.kernels, kernels, sizeof kernels);
    seq_log_info("seqtrain %s, kernels %s, %s, %s", trainer->version, kernels,
                 seq_comm_library(trainer->comm), seq_storage_library());
    print_model(trainer);
    print_output(trainer);
    print_data(trainer);
    print_layout(trainer, snapshot_bytes);
    print_schedule(trainer);
}
