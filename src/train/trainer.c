// Builds the state of a run on one rank: data, model, samplers, then what the
// ranks of a node share. Replicas are dealt in blocks; where R / P is a power
// of two, these are subtrees of the summation tree. Invariant: the memory of a
// step is taken here, and the shared part is counted before any of it is taken.
// Tests: tests/cli/seqtrain.sh, tests/fault/memory.sh,
// tests/fault/shared_memory.sh.
#include "saving/saving.h"
#include "options/options.h"
#include "verify/verify.h"
#include "fault_injection.h"
#include "initial/initial.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/checkpoint/data_path.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_PER_VALID_STREAM = 32 }; // fewer streams rather than streams too short to warm up

static seq_status lay_out_replicas(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    int size = seq_comm_size(trainer->comm);
    trainer->replicas = options->replicas ? (int)options->replicas : size;
    trainer->batch = (int)options->batch;
    trainer->window = (int)options->window;
    if (trainer->replicas % size) return seq_train_refuse_ranks(trainer, error);
    trainer->own_replicas = trainer->replicas / size;
    trainer->first_replica = seq_comm_rank(trainer->comm) * trainer->own_replicas;
    if ((int64_t)trainer->replicas * trainer->batch > INT32_MAX)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--batch: %d replicas of %d streams: more than 2^31 streams",
                             trainer->replicas, trainer->batch);
    return SEQ_OK;
}

static seq_status create_model(seq_trainer *trainer, seq_error *error) {
    seq_status status = seq_train_create_model(trainer->parsed, trainer->dataset, &trainer->compute,
                                               NULL, &trainer->task, &trainer->model, error);
    if (!status) status = seq_initial_set_rates(trainer, error);
    if (status) return status;
    trainer->table = seq_model_parameters(trainer->model);
    if (trainer->task->sampler->carries_state)
        trainer->state_size = seq_model_state_size(trainer->model, trainer->batch);
    trainer->optimizer = seq_optimizer_find(seq_optimizer_names()[trainer->options->optimizer]);
    seq_train_rule_config(trainer->options, trainer->optimizer, &trainer->rule);
    return SEQ_OK;
}

static seq_sampler_settings training_settings(const seq_trainer *trainer) {
    seq_sampler_settings settings = seq_train_sampler_settings(trainer->parsed);
    settings.replicas = trainer->replicas;
    settings.first = trainer->first_read;
    settings.count = trainer->own_replicas;
    return settings;
}

static seq_status open_training_split(seq_trainer *trainer, seq_error *error) {
    trainer->first_read = seq_inject_first_replica(trainer);
    const seq_sampler_settings settings = training_settings(trainer);
    seq_status status = seq_sampler_create(trainer->task->sampler, trainer->dataset, &settings,
                                           &trainer->sampler, error);
    if (!status)
        status = seq_allocate(&trainer->own_batches, (size_t)trainer->own_replicas,
                              sizeof *trainer->own_batches, "the batches of a step", error);
    if (status) return status;
    trainer->windows = seq_sampler_steps(trainer->sampler);
    seq_train_plan_steps(trainer);
    return seq_schedule_check(&trainer->schedule, error);
}

static int valid_streams(const seq_trainer *trainer, int64_t tokens) {
    int64_t streams = tokens / ((int64_t)trainer->replicas * TOKENS_PER_VALID_STREAM);
    if (streams < 1) return 1;
    return streams < trainer->batch ? (int)streams : trainer->batch;
}

static seq_status create_evaluator(seq_trainer *trainer, seq_error *error) {
    const seq_evaluator_config config = {.model = trainer->model,
                                         .dataset = trainer->dataset,
                                         .sampler = trainer->valid_sampler,
                                         .metrics = trainer->task->metrics,
                                         .split = SEQ_VALID,
                                         .decode = trainer->options->best_by == SEQ_BY_MEASURE};
    size_t counters, metrics = 0;
    seq_status status = seq_evaluator_create(&config, &trainer->evaluator, error);
    if (status) return status;
    seq_evaluator_counters(trainer->evaluator, &counters);
    trainer->metrics = seq_evaluator_metrics(trainer->evaluator);
    while (trainer->metrics[metrics])
        metrics++;
    status = seq_allocate(&trainer->counters, (size_t)seq_comm_size(trainer->comm) * counters,
                          sizeof *trainer->counters, "counters of the validation", error);
    return status ? status
                  : seq_allocate(&trainer->measures, metrics, sizeof *trainer->measures,
                                 "measures of the validation", error);
}

static seq_status open_validation_split(seq_trainer *trainer, seq_error *error) {
    int64_t tokens = seq_dataset_tokens(trainer->dataset, SEQ_VALID);
    trainer->metrics = trainer->task->metrics;
    seq_sampler_settings settings = training_settings(trainer);
    if (!tokens && !seq_dataset_items(trainer->dataset, SEQ_VALID))
        return trainer->options->early_stop
                   ? seq_error_set(error, SEQ_BAD_USAGE,
                                   "--early-stop: data set %s has no validation split",
                                   seq_dataset_path(trainer->dataset))
                   : SEQ_OK;
    int epochs = seq_option_find(trainer->parsed->program, "checkpoint-epochs");
    if (trainer->options->checkpoint_epochs != 1 &&
        trainer->parsed->sources[epochs] != SEQ_FROM_RECORD)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--checkpoint-epochs: data set %s has a validation split: there is a "
                             "checkpoint after each validation, see --validate-every",
                             seq_dataset_path(trainer->dataset));
    settings.split = SEQ_VALID;
    settings.training = false;
    settings.cut = SEQ_CUT_ALL;
    settings.first = trainer->first_replica;
    if (trainer->task->sampler->carries_state) settings.batch = valid_streams(trainer, tokens);
    seq_status status = seq_sampler_create(trainer->task->sampler, trainer->dataset, &settings,
                                           &trainer->valid_sampler, error);
    return status ? status : create_evaluator(trainer, error);
}

// Of sparse parameters a batch touches some rows, of frozen ones none; all others may always be
// nonzero.
static void mark_always_live(seq_trainer *trainer) {
    for (int row = 0; row < trainer->table->count; row++) {
        const seq_parameter *parameter = &trainer->table->items[row];
        if (!parameter->sparse && parameter->rate > 0)
            seq_sparsity_add(trainer->always_live, parameter->offset,
                             parameter->offset + seq_parameter_size(parameter));
    }
}

static seq_status allocate_vectors(seq_trainer *trainer, seq_error *error) {
    seq_limits limits = *seq_sampler_limits(trainer->sampler);
    if (trainer->valid_sampler)
        seq_limits_include(&limits, seq_sampler_limits(trainer->valid_sampler));
    seq_status status =
        seq_allocate(&trainer->always_live, seq_sparsity_words(trainer->table->size),
                     sizeof(uint64_t), "the gradient's map", error);
    if (!status) mark_always_live(trainer);
    if (!status)
        status = seq_workspace_create(trainer->model, &limits, trainer->own_replicas,
                                      SEQ_USE_TRAINING, &trainer->workspace, error);
    return status;
}

static seq_status allocate_flow(seq_trainer *trainer, seq_error *error) {
    if (!trainer->options->gradient_flow) return SEQ_OK;
    size_t squares = (size_t)trainer->options->layers * (size_t)trainer->window;
    seq_status status = seq_allocate(&trainer->flow_gradient, trainer->table->size, sizeof(float),
                                     "the gradient-flow report", error);
    return status ? status
                  : seq_allocate(&trainer->flow_squares, squares, sizeof(double),
                                 "the gradient-flow report", error);
}

static seq_status allocate_exchange(seq_trainer *trainer, seq_error *error) {
    size_t replicas = (size_t)trainer->replicas;
    trainer->report_size =
        sizeof(seq_rank_report) + (size_t)trainer->own_replicas * sizeof(seq_loss);
    seq_status status =
        seq_allocate(&trainer->losses, replicas, sizeof(seq_loss), "the replicas' losses", error);
    if (!status)
        status =
            seq_allocate(&trainer->nats, replicas, sizeof(double), "the replicas' losses", error);
    if (!status)
        status = seq_allocate(&trainer->saturation,
                              (size_t)seq_comm_size(trainer->comm) *
                                  (size_t)seq_model_recurrent_layers(trainer->model),
                              sizeof(seq_saturation), "the layers' saturation", error);
    if (!status)
        status = seq_allocate(&trainer->reports, (size_t)seq_comm_size(trainer->comm),
                              trainer->report_size, "the ranks' reports", error);
    return status;
}

static seq_status open_dataset(seq_trainer *trainer, seq_error *error) {
    const char *path = trainer->options->data;
    int option = seq_option_find(trainer->parsed->program, "data");
    return trainer->parsed->sources[option] == SEQ_FROM_RECORD
               ? seq_data_path_open(trainer->options->run, path, &trainer->dataset, error)
               : seq_dataset_open(path, &trainer->dataset, error);
}

seq_status seq_trainer_create(seq_trainer *trainer, seq_error *error) {
    trainer->saved_step = trainer->altered_step = -1;
    seq_status status = open_dataset(trainer, error);
    if (!status) status = lay_out_replicas(trainer, error);
    if (!status) status = create_model(trainer, error);
    if (!status) status = open_training_split(trainer, error);
    if (!status) status = open_validation_split(trainer, error);
    if (!status) status = allocate_vectors(trainer, error);
    if (!status) status = allocate_exchange(trainer, error);
    if (!status) status = allocate_flow(trainer, error);
    if (!status) status = seq_train_check_create(trainer, error);
    if (!status) status = seq_train_stability_create(trainer, error);
    return status;
}

// All ranks of a node and their threads share the work.
typedef struct packing {
    const seq_trainer *trainer;
    bool dropped; // with the step's weight-drop
    int first, parts;
} packing;

static void pack_part(void *context, int part, int threads) {
    const packing *packing = context;
    const seq_trainer *trainer = packing->trainer;
    (void)threads;
    if (packing->dropped)
        seq_model_pack_dropped(trainer->model, (uint64_t)trainer->options->seed,
                               (uint32_t)trainer->position.step, trainer->parameters,
                               packing->first + part, packing->parts, trainer->packed);
    else
        seq_model_pack(trainer->model, SEQ_USE_TRAINING, trainer->parameters, packing->first + part,
                       packing->parts, trainer->packed);
}

static seq_status pack(seq_trainer *trainer, bool dropped, seq_error *error) {
    int threads = seq_team_size(trainer->compute.team);
    packing packing = {trainer, dropped, seq_comm_node_rank(trainer->comm) * threads,
                       seq_comm_node_size(trainer->comm) * threads};
    seq_team_run(trainer->compute.team, pack_part, &packing);
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_EXCHANGE); // waiting
    seq_status status = seq_comm_node_barrier(trainer->comm, error);
    seq_phase_enter(trainer, was);
    return status;
}

seq_status seq_trainer_pack(seq_trainer *trainer, seq_error *error) {
    bool later = seq_model_drops_weights(trainer->model);
    return later ? seq_comm_node_barrier(trainer->comm, error) : pack(trainer, false, error);
}

seq_status seq_trainer_pack_for(seq_trainer *trainer, bool training, seq_error *error) {
    if (!seq_model_drops_weights(trainer->model)) return SEQ_OK;
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_UPDATE);
    seq_status status = pack(trainer, training, error);
    seq_phase_enter(trainer, was);
    return status;
}

seq_weights seq_trainer_weights(const seq_trainer *trainer) {
    return (seq_weights){trainer->parameters, trainer->packed, SEQ_USE_TRAINING};
}

static bool overlaps(const seq_trainer *trainer) {
    bool several = seq_comm_nodes(trainer->comm) > 1;
    int wanted = trainer->options->overlap;
    if (wanted == SEQ_OVERLAP_OFF || (wanted == SEQ_OVERLAP_AUTO && !several)) return false;
    if (!several || seq_comm_is_concurrent(trainer->comm)) return true;
    seq_log_warning("--overlap: %s does not serve several threads (MPI_THREAD_MULTIPLE): gradients "
                    "are exchanged after backward",
                    seq_comm_library(trainer->comm));
    return false;
}

seq_status seq_trainer_share(seq_trainer *trainer, seq_error *error) {
    seq_comm *comm = trainer->comm;
    size_t size = trainer->table->size, bytes = size * sizeof(float), shared, each;
    size_t packed = seq_model_packed_bytes(trainer->model, SEQ_USE_TRAINING);
    size_t states = (size_t)trainer->replicas * trainer->state_size * sizeof(float);
    size_t parts[SEQ_MAX_GRADIENT_PARTS];
    const seq_exchange_config config = {
        .count = size,
        .overlap = overlaps(trainer),
        .parts = parts,
        .part_count = seq_model_gradient_parts(trainer->model, parts),
        .bucket = (size_t)trainer->options->bucket,
        .wire = (seq_wire)trainer->options->wire,
    };
    seq_exchange_memory(&config, &shared, &each);
    shared += bytes + packed + (size_t)trainer->optimizer->states * bytes + states;
    seq_status status = seq_comm_reserve(comm, shared, each, error);
    if (!status)
        status = seq_comm_share(comm, bytes, &trainer->parameters, "the parameters", error);
    if (!status)
        status = seq_comm_share(comm, packed, &trainer->packed, "the packed weights", error);
    for (int i = 0; !status && i < trainer->optimizer->states; i++)
        status = seq_comm_share(comm, bytes, &trainer->moments[i], "the optimiser's state", error);
    if (!status && states)
        status = seq_comm_share(comm, states, &trainer->states, "the state of the streams", error);
    if (!status)
        status =
            seq_exchange_create(comm, trainer->compute.kernels, &config, &trainer->exchange, error);
    if (status) return status;
    if (!seq_tree_create(trainer->own_replicas, size, seq_exchange_gradient(trainer->exchange),
                         &trainer->tree, error))
        seq_train_saving_create(trainer, error);
    return seq_comm_agree(comm, error);
}

seq_status seq_trainer_initialise(seq_trainer *trainer, seq_error *error) {
    trainer->position =
        (seq_position){.epoch = 1,
                       .best_step = -1,
                       .best_value = seq_train_prefers_more(trainer) ? -INFINITY : INFINITY,
                       .best_loss = INFINITY,
                       .last_loss = NAN};
    trainer->position.windows = trainer->windows;
    seq_schedule_begin(&trainer->schedule_state);
    seq_recovery_begin(&trainer->history);
    if (seq_comm_node_rank(trainer->comm) == 0)
        seq_model_initialise(trainer->model, (uint64_t)trainer->options->seed, trainer->parameters);
    seq_status status = seq_comm_node_barrier(trainer->comm, error);
    return status ? status : seq_initial_fill(trainer, error);
}

void seq_trainer_clear(seq_trainer *trainer) {
    seq_train_saving_destroy(trainer);
    seq_train_forget(&trainer->kept);
    seq_train_check_destroy(trainer);
    seq_train_stability_clear(trainer);
    seq_initial_close(trainer);
    seq_event_log_close(&trainer->events);
    seq_sampler_destroy(trainer->valid_sampler);
    seq_sampler_destroy(trainer->sampler);
    seq_workspace_destroy(trainer->workspace);
    seq_tree_destroy(trainer->tree);
    seq_evaluator_destroy(trainer->evaluator);
    free(trainer->counters);
    free(trainer->measures);
    seq_exchange_destroy(trainer->exchange);
    free(trainer->always_live);
    free(trainer->own_batches);
    free(trainer->reports);
    free(trainer->saturation);
    free(trainer->losses);
    free(trainer->nats);
    free(trainer->flow_gradient);
    free(trainer->flow_squares);
    seq_model_destroy(trainer->model);
    seq_dataset_close(trainer->dataset);
    seq_team_destroy(trainer->compute.team);
}
