// seqtrain --dry-run from its options to its report: the model's sizes, what is
// known of the machine, measurement, prediction. Invariant: what the user gives
// stands above what is measured, and that above what is assumed; the report
// names the source of each. Nothing is written to a run directory. Tests:
// tests/cli/plan.sh, tests/mpi/plan.sh.
#include "plan.h"
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/cores.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/job/cpu_check.h>
#include <seqtrain/data/dataset.h>
#include <seqtrain/scaling/scaling.h>
#include <seqtrain/train/configure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double ASSUMED_HOP = 1e-6, ASSUMED_LATENCY = 20e-6, ASSUMED_BANDWIDTH = 1.25e9;

// ---- what is planned

static seq_status open_data(seq_plan *plan, seq_error *error) {
    const seq_train_options *options = plan->options;
    if (!options->data && !options->plan_vocabulary)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--dry-run: name a data set by --data, or give the size of the "
                             "vocabulary by --plan-vocabulary");
    if (options->data && options->plan_vocabulary)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--plan-vocabulary: the data set of --data has its own");
    return options->data ? seq_dataset_open(options->data, &plan->dataset, error) : SEQ_OK;
}

seq_status seq_plan_create_model(seq_plan *plan, const seq_compute *compute, seq_model **out,
                                 seq_error *error) {
    seq_model_config config;
    if (plan->dataset)
        return seq_train_create_model(plan->parsed, plan->dataset, compute, NULL, &plan->task, out,
                                      error);
    seq_schema tokens; // what a data set without a schema has
    seq_schema_set_tokens(&tokens);
    plan->task = seq_task_find(tokens.task);
    seq_status status =
        seq_train_model_config(plan->options, (int)plan->options->plan_vocabulary, &config, error);
    return status ? status : seq_model_create(&config, compute, out, error);
}

// ---- batches of items

// Reads the batch of the first steps whose rows come nearest to the mean.
static seq_status choose_batch(seq_plan *plan, int axis, seq_error *error) {
    enum { LOOKED_AT = 20 };
    int64_t steps = seq_sampler_steps(plan->sampler), best = 0;
    double least = INFINITY;
    seq_status status = SEQ_OK;
    for (int64_t step = 0; !status && step < steps && step < LOOKED_AT; step++) {
        status = seq_sampler_read(plan->sampler, 1, step, 0, &plan->batch, error);
        double away = fabs((double)plan->batch.axes[axis].rows - plan->size.rows);
        if (!status && away < least) least = away, best = step;
    }
    return status ? status : seq_sampler_read(plan->sampler, 1, best, 0, &plan->batch, error);
}

static seq_status include_validation(seq_plan *plan, seq_sampler_settings settings,
                                     seq_error *error) {
    seq_sampler *sampler = NULL;
    settings.split = SEQ_VALID;
    settings.training = false;
    settings.count = 0;
    if (!seq_dataset_items(plan->dataset, SEQ_VALID)) return SEQ_OK;
    seq_status status =
        seq_sampler_create(plan->task->sampler, plan->dataset, &settings, &sampler, error);
    if (status) return status;
    seq_limits_include(&plan->limits, seq_sampler_limits(sampler));
    plan->size.item_bytes += (double)seq_sampler_bytes(sampler);
    seq_sampler_destroy(sampler);
    return SEQ_OK;
}

// With one replica where there is one a rank: more have somewhat smaller mean batches at the end.
static seq_status plan_items(seq_plan *plan, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(plan->dataset);
    seq_plan_model *size = &plan->size;
    seq_sampler_settings settings = seq_train_sampler_settings(plan->parsed);
    settings.replicas = plan->options->replicas ? (int)plan->options->replicas : 1;
    settings.count = 1;
    seq_status status =
        seq_sampler_create(plan->task->sampler, plan->dataset, &settings, &plan->sampler, error);
    if (status) return status;
    int axis = schema->length_axis,
        counted = schema->target < 0 ? 0 : schema->fields[schema->target].axis;
    plan->limits = *seq_sampler_limits(plan->sampler);
    size->rows = seq_sampler_mean_rows(plan->sampler, axis) / settings.replicas;
    size->units = seq_sampler_mean_rows(plan->sampler, counted) / settings.replicas;
    size->batch_bytes = (double)seq_sampler_batch_bytes(plan->sampler);
    size->item_bytes = (double)seq_sampler_bytes(plan->sampler) - size->batch_bytes;
    status = include_validation(plan, settings, error);
    size->item_bytes += (double)seq_dataset_item_bytes(plan->dataset);
    return status ? status : choose_batch(plan, axis, error);
}

static seq_status plan_streams(seq_plan *plan, seq_error *error) {
    int batch = (int)plan->options->batch, window = (int)plan->options->window;
    seq_plan_model *size = &plan->size;
    seq_rectangle rectangle;
    plan->limits = seq_rectangle_limits(batch, window);
    size->rows = size->units = (double)batch * window;
    if (plan->dataset)
        size->corpus_tokens = (double)seq_dataset_tokens(plan->dataset, SEQ_TRAIN) +
                              (double)seq_dataset_tokens(plan->dataset, SEQ_VALID);
    size->state_floats = (double)seq_model_state_size(plan->model, batch);
    seq_status status = seq_rectangle_create(batch, window, &rectangle, error);
    if (status) return status;
    size->batch_bytes = (double)seq_rectangle_bytes(&rectangle);
    seq_rectangle_clear(&rectangle);
    return SEQ_OK;
}

// ---- the model

// Place of a parameter's layer among the buckets: what backward finishes first comes first.
static int bucket_of(const seq_model_config *config, const seq_parameter *parameter) {
    if (strncmp(parameter->name, "embedding.", 10) == 0) return config->layers + 1;
    bool outside = parameter->layer < 0 || parameter->layer >= config->layers;
    return outside ? 0 : config->layers - parameter->layer;
}

// Backward takes four of the six operations of a weight (seq_model_training_flops); the embedding
// has no product.
static void fill_buckets(const seq_model *model, seq_plan_model *size) {
    const seq_model_config *config = seq_model_get_config(model);
    const seq_parameter_table *table = seq_model_parameters(model);
    double weights = 0;
    size->bucket_count = config->layers + 2;
    for (int row = 0; row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        double floats = (double)seq_parameter_size(parameter);
        int place = bucket_of(config, parameter);
        size->buckets[place].floats += floats;
        if (place > config->layers) continue;
        size->buckets[place].backward += floats;
        weights += floats;
    }
    if (config->tied) weights += (double)config->vocabulary * config->embedding;
    for (int i = 0; i < size->bucket_count; i++)
        size->buckets[i].backward *= 4.0 / 6 / weights;
}

static seq_status measure_workspace(const seq_plan *plan, int replicas, double *out,
                                    seq_error *error) {
    seq_workspace *workspace = NULL;
    seq_status status = seq_workspace_create(plan->model, &plan->limits, replicas, SEQ_USE_TRAINING,
                                             &workspace, error);
    if (status) return status;
    *out = (double)seq_workspace_bytes(workspace);
    seq_workspace_destroy(workspace);
    return SEQ_OK;
}

// Of a rank with one replica, and what each further one adds.
static seq_status measure_memory(seq_plan *plan, seq_error *error) {
    seq_plan_model *size = &plan->size;
    double two = 0;
    seq_status status = measure_workspace(plan, 1, &size->workspace_bytes, error);
    if (!status) status = measure_workspace(plan, 2, &two, error);
    size->drawn_bytes = two - size->workspace_bytes;
    return status;
}

// Sparse matrices: rows that are only looked up live by the tokens of a window. Of a sampled head,
// rows live by its share of the words and the targets; tied, by the inputs, too.
static void fill_rows(const seq_model *model, seq_plan_model *size) {
    const seq_parameter_table *table = seq_model_parameters(model);
    for (int row = 0; row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        double floats = (double)seq_parameter_size(parameter), rows = (double)parameter->rows;
        if (!parameter->sparse || parameter->dimensions < 2) continue;
        if (parameter->share == 0 && floats > size->row_floats) { // of several, the largest
            size->row_floats = floats;
            size->table = rows;
            size->columns = (double)parameter->columns;
        } else if (parameter->share > 0 && parameter->share < 1) {
            int users = seq_model_get_config(model)->tied ? 2 : 1;
            size->chosen_floats = floats;
            size->chosen_share = fmin(1, parameter->share + users * size->rows / rows);
        }
    }
}

static seq_status fill_size(seq_plan *plan, seq_error *error) {
    const seq_train_options *options = plan->options;
    const seq_model *model = plan->model;
    const seq_parameter_table *table = seq_model_parameters(model);
    seq_plan_model *size = &plan->size;
    size->floats = (double)table->size;
    size->values = (double)table->values;
    if (plan->task->sampler->carries_state ? plan_streams(plan, error) : plan_items(plan, error))
        return error->status;
    size->wire_bytes = options->wire == SEQ_WIRE_BF16 ? 2 : sizeof(float);
    fill_rows(model, size);
    size->flops = seq_model_training_flops(model) * size->rows;
    size->moments = plan->optimizer->states;
    size->updates_all = !seq_optimizer_keeps_zeros(plan->optimizer, &plan->rule);
    size->packed_bytes = (double)seq_model_packed_bytes(model, SEQ_USE_TRAINING);
    size->shards = (double)options->shards;
    size->snapshot = options->checkpoint_background;
    size->threads = (int)options->threads;
    fill_buckets(model, size);
    return measure_memory(plan, error);
}

static seq_status create_model(seq_plan *plan, const seq_compute *compute, seq_error *error) {
    const seq_train_options *options = plan->options;
    if (seq_plan_create_model(plan, compute, &plan->model, error)) return error->status;
    plan->optimizer = seq_optimizer_find(seq_optimizer_names()[options->optimizer]);
    seq_train_rule_config(options, plan->optimizer, &plan->rule);
    return fill_size(plan, error);
}

// ---- where

// All of the host: under mpirun a rank is bound to some, also when it is the only one.
static int count_cores(const seq_comm *comm) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (!seq_comm_launched(comm)) return seq_cores_usable();
    return online > 0 ? (int)online : 1;
}

// The share of this process in the memory of its host, as long as it has nothing of its own.
static double process_bytes(void) {
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lf kB", &kilobytes) == 1) break;
    fclose(file);
    return kilobytes * 1024;
}

static int most_ranks(const seq_plan *plan) {
    int64_t most = plan->options->plan_ranks, replicas = plan->options->replicas;
    return (int)(replicas && replicas < most ? replicas : most);
}

static void look_around(seq_plan *plan) {
    const seq_train_options *options = plan->options;
    seq_plan_machine *machine = &plan->machine;
    int cores = count_cores(plan->comm), room = cores / plan->size.threads,
        here = seq_comm_node_size(plan->comm);
    room = room < 1 ? 1 : room;
    plan->measured_network = seq_comm_nodes(plan->comm) > 1;
    machine->cores = cores;
    machine->ranks_per_node = plan->measured_network || here > room ? here : room;
    machine->hop = ASSUMED_HOP;
    machine->latency = ASSUMED_LATENCY;
    machine->bandwidth = ASSUMED_BANDWIDTH;
    machine->process_bytes = process_bytes();
    if (options->ranks_per_node) machine->ranks_per_node = (int)options->ranks_per_node;
    machine->together = room < machine->ranks_per_node ? room : machine->ranks_per_node;
    if (machine->together > most_ranks(plan)) machine->together = most_ranks(plan);
    // Threads of one rank that mpirun has bound would wait for each other.
    if (seq_comm_size(plan->comm) == 1 && seq_cores_usable() < cores) machine->together = 1;
}

// What was given stands above what was measured.
static void take_given(seq_plan *plan) {
    const seq_train_options *options = plan->options;
    seq_plan_machine *machine = &plan->machine;
    if (options->cores_per_node) machine->cores = (int)options->cores_per_node;
    if (options->network_latency > 0) {
        machine->latency = options->network_latency * 1e-6;
        machine->latency_source = SEQ_PLAN_GIVEN;
    }
    if (options->network_bandwidth > 0) {
        machine->bandwidth = options->network_bandwidth * 1e9;
        machine->bandwidth_source = SEQ_PLAN_GIVEN;
    }
}

static seq_status check_streams(const seq_train_options *options, seq_error *error) {
    int64_t replicas = options->replicas ? options->replicas : options->plan_ranks;
    if (replicas * options->batch <= INT32_MAX) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--batch: %lld replicas of %lld streams: more than 2^31 streams",
                         (long long)replicas, (long long)options->batch);
}

static seq_status report(const seq_parsed *parsed, seq_comm *comm, seq_error *error) {
    const seq_train_options *options = parsed->values;
    seq_plan plan = {.parsed = parsed, .options = options, .comm = comm};
    seq_compute compute;
    check_streams(options, error);
    if (seq_cpu_choose_kernels(comm, options->kernels, &plan.kernels, error)) return error->status;
    if (!open_data(&plan, error) &&
        !seq_compute_find(plan.kernels, (seq_precision)options->precision, NULL, &compute, error))
        create_model(&plan, &compute, error);
    if (seq_comm_agree(comm, error) ||
        seq_train_preview_initial(parsed, comm, &compute, plan.dataset, error))
        goto out;
    look_around(&plan);
    if (seq_plan_measure(&plan, error)) goto out;
    take_given(&plan);
    if (seq_comm_rank(comm) != 0) goto out;
    if (options->plan_format == SEQ_PLAN_JSON)
        seq_plan_print_json(&plan);
    else
        seq_plan_print(&plan);
    seq_standard_flush("writing the report", error);
out:
    if (plan.model) seq_model_destroy(plan.model);
    seq_sampler_destroy(plan.sampler);
    if (plan.dataset) seq_dataset_close(plan.dataset);
    return seq_comm_agree(comm, error);
}

seq_status seq_scaling_report(const seq_parsed *parsed, seq_comm *comm, seq_error *error) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_status status = report(parsed, comm, error);
    seq_arithmetic_end(before);
    return status;
}
