// The table of seqtrain's options; all else (parsing, --help, config.ini, the
// record in a checkpoint) follows from it. Flags say what an option is:
// IDENTITY decides a run's numbers, SESSION is no property of the run, LOCAL
// may differ between ranks. Tests: tests/cli/options.sh,
// tests/fault/ranks_differ.sh.
#include "stability/recovery_history.h"
#include <seqtrain/train/train.h>
#include <seqtrain/base/team.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/model/model.h>
#include <seqtrain/nn/cell.h>
#include <seqtrain/nn/head.h>
#include <seqtrain/optim/optimizer.h>
#include <seqtrain/optim/schedule.h>
#include <seqtrain/task/task.h>
#include <stddef.h>

#define AT(field) offsetof(seq_train_options, field)
#define IDENTITY  SEQ_OPTION_IDENTITY
#define SESSION   SEQ_OPTION_SESSION
#define ONCE      SEQ_OPTION_ONCE
#define LOCAL     SEQ_OPTION_LOCAL

static const char *const resume_choices[] = {"auto", "never", "must", NULL};
static const char *const mpi_choices[] = {"auto", "yes", "no", NULL}; // in the order of seq_use_mpi
static const char *const activation_choices[] = {"relu", "tanh", NULL};
static const char *const initialisation_choices[] = {"scaled", "uniform", "orthogonal", NULL};
static const char *const embedding_choices[] = {"auto", "uniform", "scaled", "normal", NULL};
static const char *const loss_scale_choices[] = {"mean", "sum", NULL};
static const char *const precision_choices[] = {"fp32", "bf16", NULL};
static const char *const plan_choices[] = {"table", "json", NULL};
static const char *const best_by_choices[] = {"measure", "loss", NULL}; // as seq_best_by
static const char *const remedies[] = {"stop", "skip", "rollback", NULL};
static const char *const spike_remedies[] = {"ignore", "skip", "rollback", NULL};
static const char *const save_failure_choices[] = {"stop", "continue", NULL};
static const char *const overlap_choices[] = {"auto", "on", "off", NULL};
static const char *const wire_choices[] = {"fp32", "bf16", NULL}; // in the order of seq_wire
static const char *const compression_choices[] = {"zstd", "gzip", "none", NULL};

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Data and run"},
    {SEQ_OPTION_TEXT, "data", "DATASET", AT(data), .flags = SESSION | LOCAL,
     .help = "Data set made by seqprep. A resumed run knows it."},
    {SEQ_OPTION_TEXT, "run", "RUN", AT(run), .flags = SESSION | LOCAL,
     .help = "Run directory: config.ini, metrics.jsonl and checkpoints. Created when missing. "
             "Neither a data set nor a checkpoint, nor inside one."},
    {SEQ_OPTION_CHOICE, "resume", "HOW", AT(resume), "auto", .choices = resume_choices,
     .flags = SESSION,
     .help = "auto: continue from the newest good checkpoint of RUN, if any; refuse a RUN whose "
             "checkpoints are gone. never: refuse a RUN that has checkpoints. must: refuse a RUN "
             "that has none. Options that are not given "
             "come from the checkpoint."},

    {SEQ_OPTION_TEXT, "override", "FIELD[,FIELD...]", AT(override), .flags = SEQ_OPTION_ONCE,
     .help = "Options that may change a resumed run (and data, vocabulary), by name: without it, "
             "another value than the checkpoint's is an error. With replicas, batch, window or "
             "data, the streams are cut anew: the place in the epoch is kept to the nearest "
             "window, the streams' states begin at zero. Results are then equal in statistics, not "
             "in bits. The parameters must keep their shapes. A checkpoint that was copied from "
             "another run differs in such fields, too, and is passed over unless they are named."},

    {SEQ_OPTION_HEADING, .help = "Model"},
    {SEQ_OPTION_CHOICE, "cell", "CELL", AT(cell), "lstm", .registry = seq_cell_names,
     .flags = IDENTITY,
     .help = "Recurrent cell. gru applies the relevance gate before the product, gru-reset-after "
             "behind it (the form of PyTorch and cuDNN), gru-simple has the update gate only."},
    {SEQ_OPTION_INTEGER, "layers", "L", AT(layers), "2", 1, SEQ_MAX_LAYERS, .flags = IDENTITY,
     .help = "Recurrent layers."},
    {SEQ_OPTION_INTEGERS, "hidden", "H[,H...]", AT(hidden), "256", 1, 65536, .flags = IDENTITY,
     .help = "Hidden units: one size for all layers, or one for each layer."},
    {SEQ_OPTION_INTEGER, "embed", "E", AT(embed), "128", 1, 65536, .flags = IDENTITY,
     .help = "Size of a token's embedding."},
    {SEQ_OPTION_INTEGERS, "feedforward", "SIZES", AT(feedforward), NULL, 1, 65536,
     .flags = IDENTITY,
     .help = "Dense layers of these sizes at each time step above the recurrent stack."},
    {SEQ_OPTION_CHOICE, "feedforward-activation", "NAME", AT(feedforward_activation), "relu",
     .choices = activation_choices, .flags = IDENTITY, .help = "Activation of the dense layers."},
    {SEQ_OPTION_CHOICE, "output", "KIND", AT(output), "full", .registry = seq_output_names,
     .flags = IDENTITY,
     .help =
         "Output layer. full: softmax over all words. For vocabularies of tens of thousands and "
         "up: sampled trains on each window's targets and --samples drawn words (the loss "
         "printed in training is that of this choice, and lower); adaptive puts words into "
         "clusters by frequency (--cutoffs), rare ones with fewer units. Validation, seqeval "
         "and seqsample are exact with each."},
    {SEQ_OPTION_INTEGER, "samples", "N", AT(samples), "8192", 1, SEQ_MAX_VOCABULARY,
     .flags = IDENTITY,
     .help = "Words drawn for a window of --output sampled, from Zipf's law over the vocabulary's "
             "order; more than half of the vocabulary: all words."},
    {SEQ_OPTION_INTEGERS, "cutoffs", "A[,B...]", AT(cutoffs), NULL, 1, SEQ_MAX_VOCABULARY,
     .flags = IDENTITY,
     .help = "First words of the clusters of --output adaptive, at most 8, in ascending order; the "
             "words before A stay in the head. Cluster k has H / 4^k units. Default: a twentieth "
             "and a quarter of the vocabulary, a word in each part at least."},
    {SEQ_OPTION_FLAG, "tied", NULL, AT(tied), "no", .flags = IDENTITY,
     .help = "The output layer uses the embedding's weights; the topmost layer must have E units. "
             "Not with --output adaptive."},
    {SEQ_OPTION_REAL, "dropout", "P", AT(dropout), "0", 0, 0.99, .flags = IDENTITY,
     .help = "Dropout probability at all places."},
    {SEQ_OPTION_REAL, "dropout-input", "P", AT(dropout_input), "-1", -1, 0.99, .flags = IDENTITY,
     .help = "Dropout behind the embedding; -1: as --dropout."},
    {SEQ_OPTION_REAL, "dropout-between", "P", AT(dropout_between), "-1", -1, 0.99,
     .flags = IDENTITY, .help = "Dropout between layers; -1: as --dropout."},
    {SEQ_OPTION_REAL, "dropout-output", "P", AT(dropout_output), "-1", -1, 0.99, .flags = IDENTITY,
     .help = "Dropout before the output layer; -1: as --dropout."},
    {SEQ_OPTION_REAL, "forget-bias", "X", AT(forget_bias), "-1", -100, 100, .flags = IDENTITY,
     .help = "Initial bias of the forget gate (LSTM cells). High values keep cells for long and "
             "saturate them; datasets/README.md has the comparison behind the default."},
    {SEQ_OPTION_CHOICE, "init", "HOW", AT(initialisation), "scaled",
     .choices = initialisation_choices, .flags = IDENTITY,
     .help = "scaled: uniform within 1/sqrt(inputs of the unit), 1/sqrt(H) in recurrent layers, "
             "and --embed-init for the embedding. uniform: all parameters within --init-scale. "
             "orthogonal: as scaled, but the recurrent matrix of each gate is orthogonal."},
    {SEQ_OPTION_REAL, "init-scale", "X", AT(init_scale), "0.1", 0, 100, .flags = IDENTITY,
     .help = "Bound of --init uniform."},
    {SEQ_OPTION_CHOICE, "embed-init", "HOW", AT(embedding_init), "auto",
     .choices = embedding_choices, .flags = IDENTITY, .absent = "uniform",
     .help = "Initial embedding. uniform: within 0.1, or --init-scale with --init uniform. scaled: "
             "within 1/sqrt(E). normal: standard normal. auto: normal, but uniform with --tied "
             "or --init uniform."},

    {SEQ_OPTION_HEADING, .help = "First values from elsewhere"},
    {SEQ_OPTION_TEXT, "init-from", "RUN[:FROM=TO,...][@RATE]", AT(init_from),
     .flags = IDENTITY | SESSION | SEQ_OPTION_REPEATED,
     .help =
         "A new run takes the parameters of another RUN (its best checkpoint) or of a CHECKPOINT, "
         "by their names; rows that stand for words, by the words. NAME and FROM=TO "
         "(embedding,rnn=encoder,_l0=_l0_reverse) take what they name, under its name or another; "
         "FROM= leaves out. RATE: factor of the learning rate of what is taken, 0 freezes it. What "
         "does not fit is an error. May be given again, or a list separated by ;: of several "
         "sources that have a parameter, the first counts. A resume does not need the sources."},
    {SEQ_OPTION_TEXT, "embeddings", "FILE", AT(embeddings), .flags = IDENTITY | SESSION,
     .help = "A new run takes its embedding of words from FILE, text as word2vec, GloVe or "
             "fastText write it (a word and --embed numbers a line, or .gz): words as they are, "
             "else in lower case. Words that are not in FILE stay random."},
    {SEQ_OPTION_REAL, "embeddings-rate", "X", AT(embeddings_rate), "1", 0, 1000, .flags = SESSION,
     .help = "Factor of the learning rate of the embedding with --embeddings; 0 freezes it, words "
             "that are not in FILE included."},

    {SEQ_OPTION_HEADING, .help = "Training"},
    {SEQ_OPTION_INTEGER, "replicas", "R", AT(replicas), "0", 0, 65536, .flags = IDENTITY,
     .help =
         "Replicas of the batch whose gradients are summed. 0: the number of ranks at the first "
         "start. The ranks must divide R; R / 2^k ranks and one process give the same bits."},
    {SEQ_OPTION_INTEGER, "batch", "B", AT(batch), "20", 1, 65536, .flags = IDENTITY,
     .help = "Streams in each replica's batch; its items in the tasks classify, rate and tag."},
    {SEQ_OPTION_INTEGER, "window", "T", AT(window), "35", 1, 65536, .flags = IDENTITY,
     .help =
         "Time steps of truncated back-propagation; the state is carried from window to window. "
         "For lm only, as is --loss-scale: items are read whole."},
    {SEQ_OPTION_CHOICE, "loss-scale", "HOW", AT(loss_scale), "mean", .choices = loss_scale_choices,
     .flags = IDENTITY,
     .help =
         "mean: the loss is averaged over streams and time steps. sum: averaged over streams, "
         "summed over time steps (published recipes differ; the gradient is T times larger). Where "
         "the last window of an epoch is shorter than --window, mean divides by --window all "
         "the same: its gradient is smaller, each of its tokens counts as much as any other."},
    {SEQ_OPTION_REAL, "clip-norm", "X", AT(clip_norm), "5", 0, 1e30,
     .help = "Scale the gradient down when its global norm exceeds X; 0: off."},
    {SEQ_OPTION_REAL, "clip-element", "X", AT(clip_element), "0", 0, 1e30,
     .help = "Clamp each gradient element to +-X before the norm is taken; 0: off."},
    {SEQ_OPTION_CHOICE, "optimizer", "NAME", AT(optimizer), "adam", .registry = seq_optimizer_names,
     .flags = IDENTITY, .help = "Update rule."},
    {SEQ_OPTION_REAL, "lr", "X", AT(learning_rate), "0.002", 0, 1e30, .help = "Learning rate."},
    {SEQ_OPTION_REAL, "momentum", "X", AT(momentum), "0.9", 0, 1,
     .help = "Momentum of the rule momentum."},
    {SEQ_OPTION_REAL, "beta1", "X", AT(beta1), "0.9", 0, 0.999999,
     .help = "Adam's smoothing of the gradient."},
    {SEQ_OPTION_REAL, "beta2", "X", AT(beta2), "-1", -1, 0.999999,
     .help = "Smoothing of the squared gradient; -1: the rule's own (0.999; rmsprop 0.99)."},
    {SEQ_OPTION_REAL, "epsilon", "X", AT(epsilon), "-1", -1, 1,
     .help =
         "Added to the denominator of adaptive rules; -1: the rule's own (1e-8; adagrad 1e-10). "
         "Values below 2^-50 (9e-16) count as 2^-50."},
    {SEQ_OPTION_REAL, "weight-decay", "X", AT(weight_decay), "0", 0, 1,
     .help = "Weight decay of matrices; decoupled with adamw."},
    {SEQ_OPTION_CHOICE, "schedule", "NAME", AT(schedule), "constant",
     .registry = seq_schedule_names,
     .help =
         "Learning rate over time. halve: times --decay each epoch after --decay-after. plateau: "
         "times --decay when validation stalls. cosine: down to --min-lr at the last step."},
    {SEQ_OPTION_INTEGER, "warmup", "STEPS", AT(warmup), "0", 0, 1e15,
     .help = "Linear warm-up from zero, with every schedule; cosine falls after it. It should be "
             "shorter than the run."},
    {SEQ_OPTION_REAL, "decay", "X", AT(decay), "0.5", 0, 1,
     .help = "Factor of the schedules halve and plateau."},
    {SEQ_OPTION_INTEGER, "decay-after", "N", AT(decay_after), "4", 0, 1e15,
     .help = "Epochs at the full rate, for halve."},
    {SEQ_OPTION_INTEGER, "patience", "N", AT(patience), "0", 0, 1e15,
     .help = "Validations without improvement that plateau tolerates."},
    {SEQ_OPTION_REAL, "min-lr", "X", AT(minimum_rate), "0", 0, 1e30,
     .help = "Lower bound of the rate, for plateau and cosine."},
    {SEQ_OPTION_INTEGER, "epochs", "N", AT(epochs), "10", 1, 1e9,
     .help = "Passes over the training split."},
    {SEQ_OPTION_INTEGER, "steps", "N", AT(steps), "0", 0, 4e9,
     .help = "Stop after this many updates in all; 0: by --epochs alone. Whichever comes first."},
    {SEQ_OPTION_INTEGER, "validate-every", "STEPS", AT(validate_every), "0", 0, 1e15,
     .help = "Steps between validations; 0: at the end of each epoch."},
    {SEQ_OPTION_INTEGER, "early-stop", "N", AT(early_stop), "0", 0, 1e15, .flags = SEQ_OPTION_ADDED,
     .absent = "0",
     .help = "End when N validations in a row have found none better than the best; 0: never. "
             "Better is what --best-by says."},
    {SEQ_OPTION_CHOICE, "best-by", "WHAT", AT(best_by), "measure", .choices = best_by_choices,
     .flags = IDENTITY | SEQ_OPTION_ADDED, .absent = "measure",
     .help =
         "What the best checkpoint, --early-stop and --schedule plateau depend on. measure: the "
         "task's first measure; ties are decided by the smaller loss. For lm it is the loss, "
         "for translate BLEU of greedy decoding on the validation part. loss: the mean "
         "validation loss; translate then decodes nothing."},
    {SEQ_OPTION_INTEGER, "seed", "N", AT(seed), "1", 0, 9e15, .flags = IDENTITY,
     .help = "Seed of initial values, dropout and the words of --output sampled."},

    {SEQ_OPTION_HEADING, .help = "Checkpoints and limits"},
    {SEQ_OPTION_INTEGER, "checkpoint-every", "STEPS", AT(checkpoint_every), "0", 0, 1e15,
     .help = "Steps between checkpoints, beside one after each validation; 0: none."},
    {SEQ_OPTION_INTEGER, "checkpoint-epochs", "N", AT(checkpoint_epochs), "1", 0, 1e9,
     .flags = SEQ_OPTION_ADDED, .absent = "1",
     .help = "Epochs between checkpoints where there is no validation split; 0: none at the end of "
             "an epoch. The last step of a run and an early end always have one."},
    {SEQ_OPTION_DURATION, "checkpoint-interval", "TIME", AT(checkpoint_interval), "15m", 0, 1e9,
     .help = "Also write one when the last is older than this; 0: never."},
    {SEQ_OPTION_FLAG, "checkpoint-background", NULL, AT(checkpoint_background), "yes",
     .flags = SESSION,
     .help = "Write checkpoints beside the training, from a copy in memory: training stands still "
             "for the copy only. The ranks share a copy of parameters and optimiser state; --no- "
             "saves that memory, and training waits for each checkpoint."},
    {SEQ_OPTION_CHOICE, "on-save-failure", "HOW", AT(on_save_failure), "stop",
     .choices = save_failure_choices, .flags = SESSION,
     .help = "When a checkpoint cannot be written (no space, a quota, a failing disk). stop: leave "
             "with exit code 7; the checkpoints before it are whole. continue: warn, train on, try "
             "again when the next one is due; the last one of a run or before an early end must "
             "succeed. Lines of metrics.jsonl that cannot be written are treated alike."},
    {SEQ_OPTION_INTEGER, "keep", "K", AT(keep), "3", 1, 1e6,
     .help =
         "Newest checkpoints that are kept; besides, the best one and, where rollbacks are on, the "
         "one that the next would go back to. --average N of seqeval, seqpredict and seqsample "
         "needs "
         "N."},
    {SEQ_OPTION_INTEGER, "keep-every", "STEPS", AT(keep_every), "0", 0, 1e15,
     .help = "Also keep the checkpoints whose step is a multiple of this."},
    {SEQ_OPTION_INTEGER, "shards", "N", AT(shards), "4", 1, 4096,
     .help = "Files a checkpoint's vectors are cut into, whatever the number of ranks."},
    {SEQ_OPTION_CHOICE, "compression", "NAME", AT(compression), "zstd",
     .choices = compression_choices,
     .help = "Compression of the shards; gzip and none can be read by any HDF5."},
    {SEQ_OPTION_INTEGER, "compression-level", "N", AT(compression_level), "1", 1, 19,
     .help = "Level of the compression (gzip: to 9)."},
    {SEQ_OPTION_DURATION, "time-limit", "TIME", AT(time_limit), "auto", 0, 1e9,
     .flags = SESSION | SEQ_OPTION_AUTO,
     .help = "Write a checkpoint and leave with exit code 75 before this much time has passed; 0: "
             "none; auto: what is left of the batch job, from SLURM_JOB_END_TIME, squeue or "
             "PBS_WALLTIME (none outside of a job). SIGUSR1, SIGTERM, SIGINT (Ctrl-C) and SIGHUP "
             "do the same at once; a second SIGINT ends without a checkpoint."},
    {SEQ_OPTION_DURATION, "hang-timeout", "TIME", AT(hang_timeout), "10m", 0, 1e9, .flags = SESSION,
     .help =
         "End the job (exit code 6) with a message that names rank, host, step and phase when a "
         "rank makes no progress for this long, does not answer, or all wait for each other. "
         "Longer than the longest window takes; time that the whole job is suspended for does "
         "not count; 0: off."},
    {SEQ_OPTION_REAL, "loss-limit", "NATS", AT(loss_limit), "0", 0, 1e30,
     .help = "A window whose loss per token exceeds this counts as a bad number, or a step whose "
             "loss per item or tag does. 0: four times the loss of a guess, for lm ln(V + 1), of V "
             "tokens in the vocabulary."},

    {SEQ_OPTION_HEADING, .help = "When numbers go wrong"},
    {SEQ_OPTION_CHOICE, "on-bad-numbers", "WHAT", AT(on_bad_numbers), "stop", .choices = remedies,
     .help = "A loss, gradient, state or parameter that is not finite, or a loss above "
             "--loss-limit: stop (exit code 5); skip the step on all ranks, with recurrent states "
             "as before its window; rollback: go on from the last checkpoint (with "
             "--checkpoint-every, the last one that is due by its step: the same whatever signals "
             "and limits of time have added) with a lower learning rate, passing over the window "
             "that did it. Parameters that an update has spoilt can be rolled back, not skipped."},
    {SEQ_OPTION_CHOICE, "on-spike", "WHAT", AT(on_spike), "ignore", .choices = spike_remedies,
     .help = "A step whose loss per token, or logarithm of the gradient's norm, is more than "
             "--spike-sigma standard deviations above its mean over the last --spike-window "
             "updates: ignore, skip or rollback as above. Nothing is judged before there were as "
             "many updates, nor windows at an epoch's end that are shorter than --window."},
    {SEQ_OPTION_REAL, "spike-sigma", "X", AT(spike_sigma), "6", 0.1, 1000,
     .help = "Standard deviations from which on --on-spike acts."},
    {SEQ_OPTION_INTEGER, "spike-window", "N", AT(spike_window), "200", 5, SEQ_ROLLING_LIMIT,
     .help = "Updates that --on-spike compares with; part of the checkpoint."},
    {SEQ_OPTION_INTEGER, "max-skips", "N", AT(max_skips), "10", 0, 1e15,
     .help = "Steps of the run that may be skipped; the next one stops it (exit code 5)."},
    {SEQ_OPTION_INTEGER, "max-rollbacks", "N", AT(max_rollbacks), "3", 0, SEQ_MAX_ROLLBACKS,
     .help = "Times that the run may be rolled back; the next one stops it (exit code 5)."},
    {SEQ_OPTION_REAL, "rollback-factor", "X", AT(rollback_factor), "0.5", 0.001, 1,
     .help = "Each rollback multiplies the learning rate by this, for the rest of the run."},
#ifdef SEQ_FAULT_INJECTION
    {SEQ_OPTION_TEXT, "inject", "FAULTS", AT(inject), .flags = SESSION,
     .help = "Test builds only: FAULT:step=N and, where it applies, ,until=N ,replica=R "
             ",layer=PARAMETER ,by=X; several faults are separated by semicolons. nan-loss, "
             "inf-loss, spike-loss (times X, 3); "
             "nan-gradient, inf-gradient (of PARAMETER, rnn.weight_hh_l0), spike-norm (gradient "
             "times X, 1000); nan-state (carried into the window), nan-final-state (handed on by "
             "it): of one replica, 0. nan-parameter: of PARAMETER, with the update. "
             "nan-validation: after step N. kill: SIGKILL as step N begins."},
#endif

    {SEQ_OPTION_INTEGER, "check-replicas", "STEPS", AT(check_replicas), "0", 0, 1e15,
     .flags = SESSION,
     .help = "Every so many steps, and before each checkpoint, all ranks compare a hash of the "
             "parameters and the optimiser's state; one that differs is named with its host, and "
             "the run ends with exit code 6 before that state is saved. 0: off."},

    {SEQ_OPTION_HEADING, .help = "Reports and machine"},
    {SEQ_OPTION_INTEGER, "log-every", "STEPS", AT(log_every), "50", 1, 1e15,
     .flags = SESSION | LOCAL,
     .help =
         "Steps between lines of metrics.jsonl (and of the output, when it is not a terminal)."},
    {SEQ_OPTION_INTEGER, "report-gradient-flow", "STEPS", AT(gradient_flow), "0", 0, 1e15,
     .flags = SESSION | LOCAL,
     .help = "Every so many steps, report the norm of dL/dh at each distance back in time for each "
             "layer, L being the loss of a window's last step: vanishing and exploding gradients "
             "made visible. 0: off."},
    {SEQ_OPTION_CHOICE, "kernels", "NAME", AT(kernels), "auto", .registry = seq_kernels_names,
     .flags = LOCAL, // compared apart: auto goes with every other
     .help =
         "Matrix products and element-wise functions: our own for an instruction set (auto: the "
         "best that the CPU of every rank has), or products of OpenBLAS. neon, avx2, avx512 and "
         "portable give the same bits; portable is unfused where the CPU cannot fuse multiply and "
         "add."},
    {SEQ_OPTION_TEXT, "blas", "FILE", AT(blas), .flags = SESSION,
     .help =
         "With --kernels openblas, which it implies: the shared library for matrix products, by "
         "its path or by a name that the system finds (MKL: libmkl_rt.so.2, BLIS: "
         "libblis.so.4). It needs the C interface of BLAS and integers of 32 bits. Checkpoints "
         "record its name and version, not FILE: give it again on resume."},
    {SEQ_OPTION_CHOICE, "precision", "PRECISION", AT(precision), "fp32",
     .choices = precision_choices, .flags = IDENTITY,
     .help = "Operands of the matrix products: fp32, or bf16 (rounded to nearest even; sums, "
             "cells, parameters and "
             "optimiser stay fp32). Twice as fast where the CPU multiplies bf16, computed with the "
             "same rounding elsewhere."},
    {SEQ_OPTION_INTEGER, "threads", "N", AT(threads), "1", 1, SEQ_MAX_THREADS,
     .flags = SESSION | LOCAL, .help = "Threads of each rank. Any number gives the same bits."},
    {SEQ_OPTION_CHOICE, "mpi", "WHEN", AT(mpi), "auto", .choices = mpi_choices,
     .flags = ONCE | LOCAL,
     .help = "Whether this process joins others through MPI. auto: when variables of a launcher "
             "say so (mpirun, mpiexec, srun --mpi=pmix and others). yes: always. no: never; it "
             "runs alone, whatever has started it."},
    {SEQ_OPTION_CHOICE, "overlap", "WHEN", AT(overlap), "auto", .choices = overlap_choices,
     .flags = SESSION,
     .help =
         "Exchange the gradients of upper layers, by a thread of its own, while lower layers are "
         "still in backward. auto: where ranks live on several nodes; on one, summing takes the "
         "cores that compute. The same bits in any case."},
    {SEQ_OPTION_INTEGER, "bucket", "FLOATS", AT(bucket), "1M", 1, 1e12, .flags = SESSION,
     .help = "Gradients that --overlap exchanges at a time, at least: smaller layers are taken "
             "together with the next. Any number gives the same bits."},
    {SEQ_OPTION_CHOICE, "wire", "PRECISION", AT(wire), "fp32", .choices = wire_choices,
     .flags = IDENTITY,
     .help = "Gradients between nodes. bf16: half the bytes; each node's sum and the total are "
             "rounded to nearest even, and added in fp32. Ranks on one node round nothing, so the "
             "bits of a run then depend on the number of nodes."},
    {SEQ_OPTION_FLAG, "quiet", NULL, AT(quiet), "no", .flags = SESSION | LOCAL,
     .help = "Print warnings and errors only."},

    {SEQ_OPTION_HEADING, .help = "Scaling report"},
    {SEQ_OPTION_FLAG, "dry-run", NULL, AT(dry_run), "no", .flags = ONCE,
     .help = "Train nothing and write nothing (--run is not needed and not looked at): measure "
             "this machine for some seconds by training steps on synthetic words, and print what a "
             "step of this model would take on 1, 2, 4 ... ranks: its parts, tokens a second, "
             "efficiency against one rank, memory. One replica a rank (the batch grows with the "
             "ranks); with --replicas R, R replicas shared by the ranks. Under mpirun, the ranks "
             "measure what they cost each other and, on several hosts, the network."},
    {SEQ_OPTION_INTEGER, "plan-ranks", "P", AT(plan_ranks), "1024", 1, 65536, .flags = ONCE,
     .help = "The most ranks in the report."},
    {SEQ_OPTION_INTEGER, "plan-vocabulary", "V", AT(plan_vocabulary), NULL, 2, SEQ_MAX_VOCABULARY,
     .flags = ONCE, .help = "Size of the vocabulary, where there is no --data yet."},
    {SEQ_OPTION_INTEGER, "ranks-per-node", "H", AT(ranks_per_node), NULL, 1, 65536, .flags = ONCE,
     .help = "Ranks on each host. Default: as many as this machine has cores for, or as are here "
             "under mpirun on several hosts. What is no power of two shares memory in smaller "
             "blocks."},
    {SEQ_OPTION_INTEGER, "cores-per-node", "N", AT(cores_per_node), NULL, 1, 65536, .flags = ONCE,
     .help = "Cores of each host, which its ranks and their threads share. Default: those of this "
             "machine."},
    {SEQ_OPTION_REAL, "network-latency", "US", AT(network_latency), NULL, 0.001, 1e6, .flags = ONCE,
     .help = "Microseconds that a short message takes between hosts. Default: measured when mpirun "
             "has started this on several hosts, else 20 is assumed."},
    {SEQ_OPTION_REAL, "network-bandwidth", "GB/S", AT(network_bandwidth), NULL, 0.0001, 1e6,
     .flags = ONCE,
     .help = "10^9 bytes a second that a host sends while it receives as many. Default: measured "
             "as the latency, else 1.25 is assumed (10 Gbit/s)."},
    {SEQ_OPTION_CHOICE, "plan-format", "FORMAT", AT(plan_format), "table", .choices = plan_choices,
     .flags = ONCE | LOCAL,
     .help = "The report on standard output: a table, or JSON with all its parts."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqtrain",
    .synopsis = "--data DATASET --run RUN [options]\n       mpirun -np P seqtrain --data DATASET "
                "--run RUN [options]\n       seqtrain --dry-run --data DATASET [options]",
    .summary =
        "Trains a recurrent network, alone or on many MPI ranks, with the same result. The task is "
        "the data set's: a language model (lm) learns by truncated back-propagation through time; "
        "classify, rate and tag learn an item's class, its number, or a tag for each of its "
        "tokens. The same command line continues a run that was stopped or killed.",
    .options = options,
    .size = sizeof(seq_train_options),
    .groups = seq_task_groups,
    .examples =
        "  seqprep --unit char --valid 0.1 -o data book.txt\n"
        "  mpirun -np 2 seqtrain --data data --run run --layers 2 --hidden 256 --dropout 0.2\n"
        "  seqsample run --prime 'Once ' --tokens 400\n",
};

const seq_program *seq_train_program(void) {
    return &program;
}
