// Preloaded into a program of MPI, by its profiling interface:
//   SEQ_MPI_LEVEL=N  MPI_Init_thread provides no more than this level (0 single
//                    ... 3 multiple)
//   SEQ_MPI_HANGS=N  the N-th MPI_Alltoallv, the gradient's, never returns
//   SEQ_MPI_FAILS=N  it fails
//   SEQ_MPI_STAYS=1  MPI_Finalize never returns
//   SEQ_MPI_SILENT=1 the first message of a start is never answered, as by an
//                    older program
//   SEQ_MPI_HANGUP=1 takes SIGHUP as it is loaded, before main, and again in
//                    MPI_Init_thread, as UCX does
//   SEQ_MPI_RANK=R   on that rank only
#include <seqtrain/base/launch.h>
#include <mpi.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_long exchanges;

static bool is_this_rank(void) {
    const char *wanted = getenv("SEQ_MPI_RANK");
    seq_launch launch;
    seq_launch_read(&launch);
    return !wanted || strtol(wanted, NULL, 10) == launch.rank;
}

static long setting(const char *name, long otherwise) {
    const char *value = getenv(name);
    return value && is_this_rank() ? strtol(value, NULL, 10) : otherwise;
}

static void swallow(int signal) {
    (void)signal;
}

static __attribute__((constructor)) void take_hangup(void) {
    if (setting("SEQ_MPI_HANGUP", 0)) signal(SIGHUP, swallow);
}

int MPI_Init_thread(int *count, char ***arguments, int required, int *provided) {
    long level = setting("SEQ_MPI_LEVEL", MPI_THREAD_MULTIPLE);
    int code =
        PMPI_Init_thread(count, arguments, required < level ? required : (int)level, provided);
    take_hangup();
    if (*provided > level) *provided = (int)level; // Open MPI gives more than it is asked for
    return code;
}

int MPI_Finalize(void) {
    while (setting("SEQ_MPI_STAYS", 0))
        pause();
    return PMPI_Finalize();
}

int MPI_Allgather(const void *sent, int send_count, MPI_Datatype send_type, void *received,
                  int receive_count, MPI_Datatype receive_type, MPI_Comm comm) {
    while (receive_count == 64 && setting("SEQ_MPI_SILENT", 0))
        pause();
    return PMPI_Allgather(sent, send_count, send_type, received, receive_count, receive_type, comm);
}

int MPI_Alltoallv(const void *sent, const int *send_counts, const int *send_offsets,
                  MPI_Datatype send_type, void *received, const int *receive_counts,
                  const int *receive_offsets, MPI_Datatype receive_type, MPI_Comm comm) {
    long number = ++exchanges;
    while (number == setting("SEQ_MPI_HANGS", 0))
        pause();
    if (number == setting("SEQ_MPI_FAILS", 0)) return MPI_ERR_OTHER;
    return PMPI_Alltoallv(sent, send_counts, send_offsets, send_type, received, receive_counts,
                          receive_offsets, receive_type, comm);
}
