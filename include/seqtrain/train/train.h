// The training loop: data set -> run directory with checkpoints and metrics.
#ifndef SEQTRAIN_TRAIN_TRAIN_H
#define SEQTRAIN_TRAIN_TRAIN_H

#include <seqtrain/base/option.h>
#include <seqtrain/base/status.h>
#include <seqtrain/comm/comm.h>

// The values behind the option table of seqtrain; --help says what each one means.
typedef struct seq_train_options {
    char *data, *run;
    int resume; // seq_resume
    int cell;
    int64_t layers;
    seq_integers hidden;
    int64_t embed;
    seq_integers feedforward;
    int feedforward_activation;
    int output; // place in seq_output_names()
    int64_t samples;
    seq_integers cutoffs;
    bool tied;
    double dropout, dropout_input, dropout_between, dropout_output;
    double forget_bias;
    int initialisation;
    double init_scale;
    int embedding_init; // auto, then seq_embedding_initialisation
    char *init_from, *embeddings;
    double embeddings_rate;
    int64_t replicas, batch, window;
    int loss_scale; // seq_loss_scale
    double clip_norm, clip_element;
    int optimizer;
    double learning_rate, momentum, beta1, beta2, epsilon, weight_decay;
    int schedule;
    int64_t warmup;
    double decay;
    int64_t decay_after, patience;
    double minimum_rate;
    int64_t epochs, steps, seed, validate_every, early_stop;
    int best_by; // seq_best_by
    int64_t checkpoint_every;
    int64_t checkpoint_epochs;
    double checkpoint_interval;
    bool checkpoint_background;
    int on_save_failure; // seq_save_policy
    int64_t keep, keep_every, shards;
    int compression;
    int64_t compression_level;
    double time_limit;
    double hang_timeout;
    double loss_limit;
    int on_bad_numbers, on_spike; // seq_remedy
    int64_t max_skips, max_rollbacks;
    double rollback_factor, spike_sigma;
    int64_t spike_window;
#ifdef SEQ_FAULT_INJECTION
    char *inject;
#endif
    int kernels, precision; // seq_precision
    char *blas;
    int64_t threads;
    int mpi;     // seq_use_mpi
    int overlap; // seq_overlap
    int64_t bucket;
    int wire; // seq_wire
    int64_t log_every, gradient_flow;
    bool quiet;
    char *override;
    int64_t check_replicas;
    bool dry_run;
    int64_t plan_ranks, plan_vocabulary;
    int plan_format; // seq_plan_format
    int64_t ranks_per_node, cores_per_node;
    double network_latency, network_bandwidth; // microseconds, GB/s; 0: not given
} seq_train_options;

typedef enum seq_plan_format { SEQ_PLAN_TABLE, SEQ_PLAN_JSON } seq_plan_format;

typedef enum seq_resume { SEQ_RESUME_AUTO, SEQ_RESUME_NEVER, SEQ_RESUME_MUST } seq_resume;
typedef enum seq_use_mpi { SEQ_USE_AUTO, SEQ_USE_YES, SEQ_USE_NO } seq_use_mpi;
typedef enum seq_save_policy { SEQ_SAVE_OR_STOP, SEQ_SAVE_OR_CONTINUE } seq_save_policy;
typedef enum seq_best_by { SEQ_BY_MEASURE, SEQ_BY_LOSS } seq_best_by;
typedef enum seq_overlap { SEQ_OVERLAP_AUTO, SEQ_OVERLAP_ON, SEQ_OVERLAP_OFF } seq_overlap;
typedef enum seq_loss_scale { SEQ_LOSS_MEAN, SEQ_LOSS_SUM } seq_loss_scale;

// Its own options, and the groups of all tasks: seq_program_join makes the table.
const seq_program *seq_train_program(void);

// Collective, agreed upon, before anything else and whatever `error` holds already: a failure of
// one rank becomes everybody's. All ranks compare version, data set and the options that decide
// numbers or messages, --help and --version included; SEQ_BAD_USAGE names rank, host, field and
// both values. `parsed` is not looked at where there is an error.
seq_status seq_train_agree_to_start(const seq_parsed *parsed, seq_comm *comm, const char *version,
                                    seq_error *error);

// Collective. Trains until the end, a signal that the caller has told to catch
// (seqtrain/base/signals.h), the time limit or a failure. `parsed` holds seq_train_options and the
// groups, and may be changed: on a resume, what was not given is taken from the checkpoint's
// record. SEQ_OK: finished; SEQ_STOPPED: stopped early with a checkpoint. `version` is recorded in
// checkpoints.
seq_status seq_train_run(seq_parsed *parsed, seq_comm *comm, const char *version, seq_error *error);

#endif
