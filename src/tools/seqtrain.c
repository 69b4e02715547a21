// The main of seqtrain. Once MPI is open, every rank goes the same way to the agreement on the
// start, whatever it has met before, so that none waits for another that has left. Tests:
// tests/cli/seqtrain.sh, tests/fault/ranks_differ.sh.
#include "tool_program.h"
#include "tool_version.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/launch.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/base/thread.h>
#include <seqtrain/comm/comm.h>
#include <seqtrain/job/death.h>
#include <seqtrain/kernels/kernels.h>
#include <seqtrain/scaling/scaling.h>
#include <seqtrain/storage/vector_file.h>
#include <seqtrain/train/train.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SEQ_WITH_MPI
// Tests make several nodes of one host: SEQ_RANKS_PER_NODE ranks each.
static int most_per_node(void) {
#ifdef SEQ_FAULT_INJECTION
    const char *most = getenv("SEQ_RANKS_PER_NODE");
    if (most) return (int)strtol(most, NULL, 10);
#endif
    return 0;
}
#endif

// Before options are parsed, which ranks do together. What is no value is refused then.
static seq_use_mpi find_use(int argc, char **argv) {
    const char *text = seq_option_peek(seq_train_program(), argc, argv, "mpi");
    if (text && strcmp(text, "yes") == 0) return SEQ_USE_YES;
    return text && strcmp(text, "no") == 0 ? SEQ_USE_NO : SEQ_USE_AUTO;
}

// A process that is alone although more were started must not train their run a second time.
static seq_status refuse_alone(const seq_launch *launch, bool tried, seq_error *error) {
#ifdef SEQ_WITH_MPI
    const char *reason = tried ? "launcher and MPI library do not fit together"
                               : "the launcher offers neither PMIx nor PMI, so MPI was not tried "
                                 "(--mpi yes tries it)";
    const char *remedy = getenv("SLURM_JOB_ID")
                             ? "srun --mpi=pmix (srun --mpi=list names what there is), or inside "
                               "the allocation the mpirun of the MPI library that seqtrain "
                               "--version names"
                             : "the mpirun of the MPI library that seqtrain --version names";
#else
    const char *reason = "this seqtrain was built without MPI (SEQ_MPI=OFF)";
    const char *remedy = "a build with MPI";
    (void)tried;
#endif
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "starting: %s says that %d or more ranks were started together, but this "
                         "one finds itself alone: %s. Use %s. Runs that have nothing to do with "
                         "each other are started with --mpi no",
                         launch->variable, launch->ranks, reason, remedy);
}

static seq_status open_ranks(int *argc, char ***argv, bool with_mpi, seq_comm **out,
                             seq_error *error) {
#ifdef SEQ_WITH_MPI
    if (with_mpi) return seq_comm_open_mpi(argc, argv, most_per_node(), out, error);
#else
    (void)with_mpi;
    (void)argc;
    (void)argv;
#endif
    return seq_comm_open_self(out, error);
}

// Each rank that does not find the others believes to be rank 0; the one that the launcher calls so
// speaks. Where it has not learnt that it is not alone, every other one does.
static seq_status open_comm(int *argc, char ***argv, seq_comm **out, seq_error *error) {
    seq_launch launch;
    seq_use_mpi use = find_use(*argc, *argv);
    seq_launch_read(&launch); // before MPI, which changes the environment
    bool with_mpi = use == SEQ_USE_YES || (use == SEQ_USE_AUTO && launch.mpi);
    seq_status status = open_ranks(argc, argv, with_mpi, out, error);
    if (!status && use != SEQ_USE_NO && launch.ranks > 1 && seq_comm_size(*out) == 1)
        status = refuse_alone(&launch, with_mpi, error);
#ifndef SEQ_WITH_MPI
    if (!status && use == SEQ_USE_YES)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--mpi yes: this seqtrain was built without MPI (cmake "
                               "-DSEQ_MPI=OFF); build it with MPI, or leave the option out");
#endif
    if (status == SEQ_BAD_USAGE && launch.exact && launch.rank > 0)
        seq_log_open(NULL, SEQ_LOG_QUIET, "seqtrain");
    return status;
}

static void print_version(const seq_comm *comm) {
    char kernels[300];
    seq_kernels_describe_all(kernels, sizeof kernels);
    const char *lines[] = {kernels, seq_comm_library(comm), seq_storage_library(), NULL};
    tool_print_version("seqtrain", lines);
}

static const char *version(void) {
#ifdef SEQ_FAULT_INJECTION
    const char *other = getenv("SEQ_OTHER_VERSION");
    if (other) return other;
#endif
    return SEQ_VERSION;
}

// Collective, and so is all in it until the ranks have agreed to start.
static seq_status run(int argc, char **argv, seq_comm *comm, seq_error *error) {
    seq_program program = *seq_train_program();
    seq_settings settings = {0};
    seq_parsed *parsed = &settings.parsed;
    program.siblings = tool_siblings;
    if (!seq_storage_begin(error) && !seq_settings_parse(&program, argc, argv, &settings, error) &&
        !parsed->finished && !parsed->version)
        tool_load_blas(parsed, error);
    if (!seq_train_agree_to_start(parsed, comm, version(), error)) {
        const seq_train_options *options = parsed->values;
        if (parsed->version)
            print_version(comm);
        else if (!parsed->finished) {
            seq_log_open(seq_comm_rank(comm) == 0 ? stderr : NULL,
                         options->quiet ? SEQ_LOG_WARNING : SEQ_LOG_INFO, "seqtrain");
            if (options->dry_run) seq_signals_release(); // it has nothing to save
            if (options->dry_run)
                seq_scaling_report(parsed, comm, error);
            else
                seq_train_run(parsed, comm, version(), error);
        }
    }
    seq_settings_clear(&settings);
    return error->status;
}

// Only rank 0 speaks; what it says when something fails is everybody's first and gravest failure.
static void silence_other_ranks(const seq_comm *comm) {
    if (seq_comm_rank(comm) != 0 && !freopen("/dev/null", "w", stdout)) fclose(stdout);
    seq_log_open(seq_comm_rank(comm) == 0 ? stderr : NULL, SEQ_LOG_INFO, "seqtrain");
}

// What MPI has told this rank alone, rank 0 may never hear of.
static void speak_of_own_failure(const seq_comm *comm, const seq_error *error) {
    char own[32];
    snprintf(own, sizeof own, "rank %d: ", seq_comm_rank(comm));
    if (error->status == SEQ_RANK_FAILED && strncmp(error->text, own, strlen(own)) == 0)
        seq_log_open(stderr, SEQ_LOG_INFO, "seqtrain");
}

typedef struct invocation {
    int argc;
    char **argv;
    seq_standard standard;
    int code;
} invocation;

// For a checkpoint and an early end.
static void catch_stops(void) {
    seq_signals_catch((const int[]){SIGUSR1, SIGTERM, SIGINT, SIGHUP, 0}, true);
}

static void train(void *argument) {
    invocation *self = argument;
    seq_error error = {0};
    seq_comm *comm = NULL;
    open_comm(&self->argc, &self->argv, &comm, &error);
    catch_stops();                                 // MPI may have loaded UCX, which takes SIGHUP
    if (comm && error.status != SEQ_RANK_FAILED) { // what one rank has met, all must hear
        if (!error.status) silence_other_ranks(comm);
        run(self->argc, self->argv, comm, &error);
    }
    if (!comm || seq_comm_rank(comm) == 0) seq_standard_end(&self->standard, &error);
    if (comm) speak_of_own_failure(comm, &error);
    if (error.status == SEQ_STOPPED)
        seq_log_info("%s", error.text);
    else if (error.status)
        seq_log_error("%s", error.text);
    self->code = seq_status_exit_code(error.status);
    if (comm && error.status == SEQ_RANK_FAILED) seq_comm_abort(comm, self->code);
    seq_comm_close(comm);
}

int main(int argc, char **argv) {
    seq_error error = {0};
    invocation self = {.argc = argc, .argv = argv};
    seq_standard_begin(&self.standard);
    seq_arithmetic_begin();
    catch_stops();
    seq_log_open(stderr, SEQ_LOG_INFO, "seqtrain");
    seq_death_tell_bus_errors();
    if (!seq_thread_run_main(train, &self, &error)) return self.code;
    seq_log_error("%s", error.text);
    return seq_status_exit_code(error.status);
}
