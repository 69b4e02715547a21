// Memory that the ranks of a node share: a file that its first rank makes and all of them map.
// A memory file (memfd) first: no mount limits its size, as /dev/shm of a container is limited, and
// it goes with its processes. The others open it as /proc/PID/fd/N. Where that is not possible:
// files in /dev/shm, or on a disk of the host with a warning; never on a network. One choice for
// all ranks of a host, made when the need is known.
// Invariant: every page is there before anybody uses it. Each rank lets the system allocate the
// pages that it works on, which places them next to its cores; what is not there is an error
// now. (A page that is promised only ends in a bus error.)
// Tests: tests/mpi/test_comm.c, tests/fault/shared_memory.sh.
#include "comm_mpi_private.h"
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/free_memory.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE = 1 << 26,                  // bytes allocated between two signs of progress
    MESSAGES = (1 << 22) + (1 << 17), // of MPI's own, a rank: 4 MB and a head (4.3 MB in UCX)
    NAME = 300,
};

// What the ranks of a node must know of a file to map it.
typedef struct file_name {
    dev_t device;
    ino_t inode;
    int failure; // errno
    char path[NAME];
} file_name;

static seq_comm_mpi *own(const seq_comm *comm) {
    return comm->own;
}

// ---- a file

static size_t whole_pages(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

// Returns the descriptor, or -1 with `failure` set.
static int create_file(const seq_comm_mpi *mpi, size_t bytes, file_name *out) {
    struct stat status;
    int file;
    *out = (file_name){0};
    if (mpi->backing == SEQ_BACKING_MEMORY_FILE) {
        file = memfd_create("seqtrain", MFD_CLOEXEC);
        snprintf(out->path, sizeof out->path, "/proc/%ld/fd/%d", (long)getpid(), file);
#ifdef SEQ_FAULT_INJECTION
        if (getenv("SEQ_NO_MEMORY_FILES")) *out->path = '\0'; // the others do not find it
#endif
    } else {
        snprintf(out->path, sizeof out->path, "%s/seqtrain-memory-XXXXXX", mpi->directory);
        file = mkostemp(out->path, O_CLOEXEC);
    }
    if (file >= 0 && (ftruncate(file, (off_t)bytes) || fstat(file, &status))) {
        out->failure = errno;
        if (mpi->backing == SEQ_BACKING_DIRECTORY) unlink(out->path);
        close(file);
        return -1;
    }
    if (file < 0)
        out->failure = errno;
    else
        out->device = status.st_dev, out->inode = status.st_ino;
    return file;
}

// In another namespace of processes the path may lead to another file.
static int open_file(const file_name *name) {
    struct stat status;
    if (name->failure) {
        errno = name->failure;
        return -1;
    }
    int file = open(name->path, O_RDWR | O_CLOEXEC);
    if (file >= 0 && fstat(file, &status) == 0 && status.st_dev == name->device &&
        status.st_ino == name->inode)
        return file;
    if (file >= 0) {
        close(file);
        errno = ESTALE;
    }
    return -1;
}

static bool write_zeros(int file, size_t begin, size_t count) {
    static const char zeros[1 << 16];
    while (count) {
        size_t some = count < sizeof zeros ? count : sizeof zeros;
        ssize_t written = pwrite(file, zeros, some, (off_t)begin);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        begin += (size_t)written;
        count -= (size_t)written;
    }
    return true;
}

// Pages [begin, end) of the file are there afterwards. false: errno says why not.
static bool allocate_pages(seq_comm *comm, int file, size_t begin, size_t end) {
    while (begin < end) {
        size_t some = end - begin < PIECE ? end - begin : PIECE;
        int failed = fallocate(file, 0, (off_t)begin, (off_t)some) ? errno : 0;
        if (failed == EINTR) continue;
        if (failed == EOPNOTSUPP || failed == ENOSYS)
            failed = write_zeros(file, begin, some) ? 0 : errno;
        if (failed) {
            errno = failed;
            return false;
        }
        begin += some;
        seq_comm_charge(comm, seq_comm_begin(comm), SEQ_OK); // it gets on, says the watchdog
    }
    return true;
}

// ---- a block of each rank in one file

// Of the ranks that share one file. Offsets are pages; what one rank has, all of them allocate.
typedef struct layout {
    size_t *offsets; // (M + 1)
    size_t begin, end;
} layout;

static void lay_out(const seq_comm *comm, const size_t *bytes, layout *out) {
    int givers = 0;
    size_t ranks = (size_t)comm->node_size, rank = (size_t)comm->node_rank;
    out->offsets[0] = 0;
    for (int i = 0; i < comm->node_size; i++) {
        out->offsets[i + 1] = out->offsets[i] + whole_pages(bytes[i]);
        givers += bytes[i] > 0;
    }
    size_t total = out->offsets[ranks];
    out->begin = givers > 1 ? out->offsets[rank] : whole_pages(total / ranks * rank);
    out->end = givers > 1          ? out->offsets[rank + 1]
               : rank + 1 == ranks ? total
                                   : whole_pages(total / ranks * (rank + 1));
}

static seq_status keep_mapping(seq_comm_mpi *mpi, void *memory, size_t bytes, const char *what,
                               seq_error *error) {
    if (seq_grow(&mpi->mappings, &mpi->mapping_capacity, mpi->mapping_count + 1,
                 sizeof *mpi->mappings, what, error))
        return error->status;
    mpi->mappings[mpi->mapping_count++] = (seq_mapping){memory, bytes};
    return SEQ_OK;
}

static const char *name_backing(const seq_comm_mpi *mpi) {
    return mpi->backing == SEQ_BACKING_MEMORY_FILE ? "a memory file" : mpi->directory;
}

// Maps the file; errors are this rank's alone.
static void *map_file(seq_comm *comm, int file, const layout *layout, const char *what,
                      seq_error *error) {
    size_t total = layout->offsets[comm->node_size];
    void *memory = MAP_FAILED;
    if (file >= 0 && allocate_pages(comm, file, layout->begin, layout->end))
        memory = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        char needed[24], left[300];
        seq_free_memory free;
        int failure = errno;
        seq_free_memory_read(&free);
        seq_free_memory_describe(&free, left, sizeof left);
        errno = failure;
        seq_error_set_errno(error, "sharing %s for %s among %d ranks in %s (%s%s)",
                            seq_amount(total, needed), what, comm->node_size,
                            name_backing(own(comm)), left,
                            failure == EFBIG ? "; see ulimit -f" : "");
        if (error->status == SEQ_NO_MEMORY) error->status = SEQ_NO_SPACE;
        return NULL;
    }
    if (!keep_mapping(own(comm), memory, total, what, error)) return memory;
    munmap(memory, total);
    return NULL;
}

// Collective on the node. What comes after a rank's failure is done all the same: the others wait.
static seq_status share_file(seq_comm *comm, const layout *layout, void **blocks, const char *what,
                             seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    file_name name = {0};
    int file = -1;
    bool first = comm->node_rank == 0;
    if (first) file = create_file(mpi, layout->offsets[comm->node_size], &name);
    int code = MPI_Bcast(&name, (int)sizeof name, MPI_BYTE, 0, mpi->node);
    if (code == MPI_SUCCESS && !first) file = open_file(&name);
    if (file < 0 && name.failure) errno = name.failure;
    char *memory = code == MPI_SUCCESS ? map_file(comm, file, layout, what, error) : NULL;
    double begun = seq_comm_begin(comm);
    if (code == MPI_SUCCESS) code = MPI_Barrier(mpi->node); // all have opened it
    seq_comm_charge(comm, begun, SEQ_OK);
    if (first && file >= 0 && mpi->backing == SEQ_BACKING_DIRECTORY) unlink(name.path);
    if (file >= 0) close(file);
    for (int rank = 0; memory && rank < comm->node_size; rank++)
        blocks[rank] = memory + layout->offsets[rank];
    seq_mpi_check(comm, code, "sharing memory", error);
    return error->status;
}

// A node of one rank.
static seq_status share_alone(seq_comm_mpi *mpi, size_t bytes, void **block, const char *what,
                              seq_error *error) {
    if (seq_allocate(block, bytes, 1, what, error)) return error->status;
    if (keep_mapping(mpi, *block, 0, what, error)) free(*block);
    return error->status;
}

static seq_status share_blocks(seq_comm *comm, size_t own_bytes, void **blocks, const char *what,
                               seq_error *error) {
    size_t *bytes = NULL, ranks = (size_t)comm->node_size;
    if (comm->node_rank == 0 && own_bytes == 0) own_bytes = 1; // a file has a page
    layout layout = {0};
    seq_allocate(&bytes, ranks, sizeof *bytes, what, error);
    if (!error->status)
        seq_allocate(&layout.offsets, ranks + 1, sizeof *layout.offsets, what, error);
    int failed = error->status != SEQ_OK, anywhere = 0;
    double begun = seq_comm_begin(comm);
    int code = MPI_Allreduce(&failed, &anywhere, 1, MPI_INT, MPI_MAX, own(comm)->node);
    seq_comm_charge(comm, begun, SEQ_OK);
    if (code != MPI_SUCCESS || anywhere) goto out;
    code = MPI_Allgather(&own_bytes, (int)sizeof own_bytes, MPI_BYTE, bytes, (int)sizeof own_bytes,
                         MPI_BYTE, own(comm)->node);
    if (code != MPI_SUCCESS) goto out;
    lay_out(comm, bytes, &layout);
    share_file(comm, &layout, blocks, what, error);
out:
    seq_mpi_check(comm, code, "sharing memory", error);
    free(bytes);
    free(layout.offsets);
    return error->status;
}

// ---- where

// The memory of a host as its first rank sees it, and what it decides.
typedef struct decision {
    seq_backing backing;
    char directory[256];
    bool is_disk;
    seq_error error;
} decision;

static const char *candidate(int place) {
    const char *temporary = getenv("TMPDIR");
    const char *const directories[] = {"", "/dev/shm", temporary ? temporary : "/tmp", "/tmp",
                                       "/var/tmp"};
    return place < (int)(sizeof directories / sizeof *directories) ? directories[place] : NULL;
}

// Room for `need` bytes in files of the directory ("": memory files). MPI's own memory counts, too,
// as far as it has not been touched.
static bool has_room(const char *directory, uint64_t need, int ranks, uint64_t *out_left,
                     bool *out_disk) {
    seq_free_memory memory;
    *out_disk = false;
    seq_free_memory_read(&memory);
    *out_left = seq_free_memory_least(&memory);
    if (need > *out_left) return false;
    if (!*directory) return true;
    uint64_t space, messages = (uint64_t)ranks * MESSAGES;
    seq_file_system kind = seq_free_space_read(directory, &space);
    space -= messages < space ? messages : space;
    if (strlen(directory) >= sizeof((decision *)0)->directory || kind == SEQ_FS_NONE ||
        kind == SEQ_FS_OTHER)
        space = 0;
    *out_disk = kind == SEQ_FS_DISK;
    if (space < *out_left) *out_left = space;
    return need <= space;
}

static void unmap_from(seq_comm_mpi *mpi, size_t first) {
    while (mpi->mapping_count > first) {
        seq_mapping *last = &mpi->mappings[--mpi->mapping_count];
        if (last->bytes)
            munmap(last->memory, last->bytes);
        else
            free(last->memory);
    }
}

// Whether the ranks of the host can share a page in files of this kind.
static seq_status try_out(seq_comm *comm, void **blocks, bool *out_works, seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    seq_error ignored = {0};
    size_t first = mpi->mapping_count;
    int works = comm->node_size == 1 || !share_blocks(comm, 0, blocks, "a trial", &ignored);
    int everywhere = 0, code = MPI_Allreduce(&works, &everywhere, 1, MPI_INT, MPI_MIN, mpi->host);
    unmap_from(mpi, first);
    *out_works = everywhere;
    return seq_mpi_check(comm, code, "sharing memory", error);
}

// The first rank of the host: the next kind of file, from *place on, that has room.
static void propose(uint64_t need, int ranks, int *place, decision *out) {
    uint64_t left, most = 0;
    const char *roomiest = "";
    *out = (decision){.backing = SEQ_BACKING_UNKNOWN};
    for (const char *directory; (directory = candidate(*place)); ++*place) {
        bool disk, fits = has_room(directory, need, ranks, &left, &disk);
        if (left > most) most = left, roomiest = directory;
        if (!fits) continue;
        out->backing = *directory ? SEQ_BACKING_DIRECTORY : SEQ_BACKING_MEMORY_FILE;
        snprintf(out->directory, sizeof out->directory, "%s", directory);
        out->is_disk = disk;
        ++*place;
        return;
    }
    char where[300] = "";
    if (*roomiest) snprintf(where, sizeof where, " in %s", roomiest);
    seq_comm_refuse_memory(ranks, need, most, where, &out->error);
}

// Collective on the host.
static seq_status decide(seq_comm *comm, uint64_t need, decision *out, seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    void **blocks = NULL;
    int rank, ranks, place = 0, failed, anywhere = 0;
    bool works = false;
    MPI_Comm_rank(mpi->host, &rank);
    MPI_Comm_size(mpi->host, &ranks);
    failed = seq_allocate(&blocks, (size_t)comm->node_size, sizeof *blocks, "sharing memory",
                          error) != SEQ_OK;
    int code = MPI_Allreduce(&failed, &anywhere, 1, MPI_INT, MPI_MAX, mpi->host);
    while (code == MPI_SUCCESS && !anywhere && !works && !error->status) {
        if (rank == 0) propose(need, ranks, &place, out);
        code = MPI_Bcast(out, (int)sizeof *out, MPI_BYTE, 0, mpi->host);
        if (code != MPI_SUCCESS) break;
        if (out->error.status) *error = out->error;
        if (error->status) break;
        mpi->backing = out->backing;
        memcpy(mpi->directory, out->directory, sizeof mpi->directory);
        try_out(comm, blocks, &works, error);
    }
    free(blocks);
    seq_mpi_check(comm, code, "sharing memory", error);
    return error->status;
}

// Only rank 0 speaks; the hosts of all say the same as the first of them.
static seq_status warn_of_disks(const seq_comm *comm, const decision *decision, uint64_t need,
                                seq_error *error) {
    char host[64] = "", needed[24], text[600];
    int mine = decision->is_disk ? comm->rank : comm->size, first = comm->size;
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text,
             "neither memory files nor /dev/shm can hold the %s that the ranks of host %s share: "
             "they lie in files on a disk, in %s, and training may be slow; a container gets more "
             "of /dev/shm by --shm-size",
             seq_amount(need, needed), host, decision->directory);
    int code = MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, own(comm)->world);
    if (code == MPI_SUCCESS && first < comm->size) {
        code = MPI_Bcast(text, (int)sizeof text, MPI_CHAR, first, own(comm)->world);
        if (code == MPI_SUCCESS && comm->rank == 0) seq_log_warning("%s", text);
    }
    return seq_mpi_check(comm, code, "sharing memory", error);
}

seq_status seq_mpi_reserve(seq_comm *comm, size_t own_bytes, seq_error *error) {
    decision decision = {0};
    uint64_t mine = own_bytes, need = 0;
    int code = MPI_Allreduce(&mine, &need, 1, MPI_UINT64_T, MPI_SUM, own(comm)->host);
    comm->host_reserved = need;
    if (!seq_mpi_check(comm, code, "sharing memory", error)) decide(comm, need, &decision, error);
    if (error->status != SEQ_RANK_FAILED) warn_of_disks(comm, &decision, need, error);
    return error->status;
}

seq_status seq_mpi_share(seq_comm *comm, size_t own_bytes, void **blocks, const char *what,
                         seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    if (mpi->backing == SEQ_BACKING_UNKNOWN && seq_mpi_reserve(comm, own_bytes, error))
        return error->status;
    if (comm->node_size == 1) return share_alone(mpi, own_bytes, blocks, what, error);
    return share_blocks(comm, own_bytes, blocks, what, error);
}

void seq_mpi_unmap(seq_comm_mpi *mpi) {
    unmap_from(mpi, 0);
    free(mpi->mappings);
}

// ---- MPI's own

// MPI libraries keep messages between ranks of a host in files of 4 MB a rank, in /dev/shm whatever
// its size: in Open MPI a full one is a bus error in the middle of a message (btl vader, named sm
// from version 5 on), in UCX, which MPICH uses as well, MPI_Init fails. Where the ranks of this
// host do not fit, the files go to a disk of the host, or messages through the loopback network or
// System V memory. What the user has set stands; what a library does not know, it ignores.
void seq_mpi_place_messages(const seq_launch *launch) {
    static const char *const directories[] = {"OMPI_MCA_btl_vader_backing_directory",
                                              "OMPI_MCA_btl_sm_backing_directory", "UCX_POSIX_DIR"};
    enum { DIRECTORIES = sizeof directories / sizeof *directories };
    uint64_t space, need = (uint64_t)(launch->local_ranks ? launch->local_ranks : 1) * MESSAGES;
    for (int i = 0; i < DIRECTORIES; i++)
        if (getenv(directories[i])) return;
    if (getenv("OMPI_MCA_btl") || getenv("UCX_TLS")) return;
    seq_free_space_read("/dev/shm", &space);
    if (need <= space) return;
    for (int place = 2; candidate(place); place++)
        if (seq_free_space_read(candidate(place), &space) == SEQ_FS_DISK && need <= space &&
            access(candidate(place), W_OK) == 0) {
            for (int i = 0; i < DIRECTORIES; i++)
                setenv(directories[i], candidate(place), 0);
            return;
        }
    setenv("OMPI_MCA_btl", "^vader,sm", 0);
    setenv("UCX_TLS", "^posix", 0);
}
