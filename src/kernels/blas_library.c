// Loads OpenBLAS or another library with the C interface of BLAS when it is asked for and not
// before: most runs never need it, and a library that is linked starts a thread a core in every
// rank. It gets one thread: the ranks are the parallelism, and the order of sums must not depend on
// a thread count. A library is taken when it multiplies whole numbers without error.
// Invariant: an order of arithmetic has one name everywhere, without the path of a file.
// To add a library: a row of `makers`, where its name and version are found out.
// Tests: tests/unit/kernels/test_openblas.c, tests/cli/blas.sh.
#include "blas_library.h"
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/team.h>
#include <seqtrain/kernels/kernels.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPENBLAS "libopenblas.so.0"
#if defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#elif defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_NONE }; // the loader looks
#endif
enum { PROBE = 96, SHOWN = 200 }; // rows of the products that are tried; bytes of a file's name
// The library and its first buffer. 0.3.29 waits for ever for that buffer while it is loaded.
enum { LOADED = 176 << 20 };

static seq_blas openblas; // a library belongs to the process, and so does this

const seq_blas *seq_blas_loaded(void) {
    return &openblas;
}

static bool look_up(void *library, const char *name, void *out_function) {
    void *function = dlsym(library, name);
    memcpy(out_function, &function, sizeof function);
    return function != NULL;
}

// ---- names and versions

static bool name_openblas(void *library, char *out, size_t size) {
    char *(*config)(void), *(*core)(void);
    if (!look_up(library, "openblas_get_config", &config) ||
        !look_up(library, "openblas_get_corename", &core))
        return false;
    const char *text = config(), *version = strchr(text, ' '); // "OpenBLAS 0.3.21 DYNAMIC_ARCH ..."
    version = version ? version + 1 : text;
    snprintf(out, size, "openblas %.*s %s", (int)strcspn(version, " "), version, core());
    return true;
}

static bool name_mkl(void *library, char *out, size_t size) {
    struct {
        int major, minor, update;
        char *status, *build, *processor, *platform;
    } version = {0};
    void (*get_version)(void *out_version);
    int (*get_branch)(void); // the code that it has chosen for this CPU
    if (!look_up(library, "MKL_Get_Version", &get_version)) return false;
    get_version(&version);
    bool known = look_up(library, "MKL_CBWR_Get_Auto_Branch", &get_branch);
    snprintf(out, size, "mkl %d.%d.%d build %s branch %d", version.major, version.minor,
             version.update, version.build ? version.build : "unknown", known ? get_branch() : 0);
    return true;
}

static bool name_blis(void *library, char *out, size_t size) {
    const char *(*version)(void), *(*architecture)(int id);
    int (*query)(void);
    if (!look_up(library, "bli_info_get_version_str", &version)) return false;
    bool known = look_up(library, "bli_arch_query_id", &query) &&
                 look_up(library, "bli_arch_string", &architecture);
    snprintf(out, size, "blis %s%s%s", version(), known ? " " : "",
             known ? architecture(query()) : "");
    return true;
}

// Any other: the name of its file and FNV-1a of what is in it.
static void name_file(const void *function, const char *asked, char *out, size_t size) {
    Dl_info info = {0};
    const char *path = dladdr(function, &info) && info.dli_fname ? info.dli_fname : asked;
    const char *slash = strrchr(path, '/');
    uint64_t hash = 0xcbf29ce484222325U;
    unsigned char bytes[8192];
    FILE *file = fopen(path, "re");
    for (size_t count; file && (count = fread(bytes, 1, sizeof bytes, file)) > 0;)
        for (size_t i = 0; i < count; i++)
            hash = (hash ^ bytes[i]) * 0x100000001b3U;
    if (file) fclose(file);
    snprintf(out, size, "%.100s %016llx", slash ? slash + 1 : path, (unsigned long long)hash);
}

// ---- one thread

static const char *const thread_variables[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                               "BLIS_NUM_THREADS", "OMP_NUM_THREADS"};

static void set_threads(void *library) {
    void (*set)(int), (*set_wide)(int64_t);
    if (look_up(library, "openblas_set_num_threads", &set)) set(1);
    if (look_up(library, "MKL_Set_Num_Threads", &set)) set(1);
    if (look_up(library, "bli_thread_set_num_threads", &set_wide)) set_wide(1);
}

// MKL's front finds its parts by two choices, to be made before anything else is called: integers
// of 32 bits, and no library of threads.
static void choose_parts(void *library) {
    enum { INTEGERS_32 = 0, SEQUENTIAL = 1 };
    int (*choose)(int);
    if (look_up(library, "MKL_Set_Interface_Layer", &choose)) choose(INTEGERS_32);
    if (look_up(library, "MKL_Set_Threading_Layer", &choose)) choose(SEQUENTIAL);
}

static int count_threads(void) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; tasks && (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    if (tasks) closedir(tasks);
    return count;
}

// ---- whether it can be used

// The loader has other words for these, and opens pipes.
static seq_status check_file(const char *file, seq_error *error) {
    Elf64_Ehdr header = {0};
    struct stat status;
    if (stat(file, &status)) return seq_error_set_errno(error, "--blas %.*s", SHOWN, file);
    if (!S_ISREG(status.st_mode))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--blas %.*s: a shared library was expected, this is no file", SHOWN,
                             file);
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return seq_error_set_errno(error, "--blas %.*s", SHOWN, file);
    ssize_t size = read(descriptor, &header, sizeof header);
    close(descriptor);
    uint64_t end = header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize;
    if (size < (ssize_t)sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return seq_error_set(
            error, SEQ_BAD_USAGE,
            "--blas %.*s: not a shared library: it does not begin like an ELF file", SHOWN, file);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
        (MACHINE != EM_NONE && header.e_machine != MACHINE))
        return seq_error_set(
            error, SEQ_BAD_USAGE,
            "--blas %.*s: a library for another kind of CPU (ELF class %d, machine "
            "%d; expected: %d, %d)",
            SHOWN, file, header.e_ident[EI_CLASS], header.e_machine, ELFCLASS64, MACHINE);
    if (end > (uint64_t)status.st_size)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--blas %.*s: a damaged library: it has %lld bytes, and should have "
                             "%llu",
                             SHOWN, file, (long long)status.st_size, (unsigned long long)end);
    return SEQ_OK;
}

static bool has_room(size_t bytes) {
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return false;
    munmap(room, bytes);
    return true;
}

static seq_status open_library(const char *file, void **out, seq_error *error) {
    if ((!file || strstr(file, "openblas")) && !has_room(LOADED))
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "--kernels openblas: OpenBLAS needs %d MB of address space to be "
                             "loaded, and they are not to be had (ulimit -v)",
                             LOADED >> 20);
    if (file && strchr(file, '/') && check_file(file, error)) {
        error->status = SEQ_BAD_USAGE;
        return error->status;
    }
    for (size_t i = 0; i < sizeof thread_variables / sizeof *thread_variables; i++)
        setenv(thread_variables[i], "1", 1); // threads begin while it is loaded
    *out = dlopen(file ? file : OPENBLAS, RTLD_NOW | RTLD_LOCAL);
    if (*out) return SEQ_OK;
    if (!file)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--kernels openblas: OpenBLAS cannot be loaded: %s (its package in "
                             "Debian is libopenblas0-pthread; --blas FILE takes another library, "
                             "other kernels need none)",
                             dlerror());
    return seq_error_set(
        error, SEQ_BAD_USAGE, "--blas %.*s: cannot be loaded: %s%s", SHOWN, file, dlerror(),
        strchr(file, '/') ? "" : " (a name without / is looked for where libraries are)");
}

// Integers of 64 bits have the same names in some libraries. This count is 1 where 32 bits of it
// are read, and below zero where 64 are: then a sum is empty.
static bool reads_wide_integers(float (*sdot)(int64_t count, const float *x, int64_t step_x,
                                              const float *y, int64_t step_y)) {
    const float x = 2, y = 3;
    return sdot(INT64_MIN + 1, &x, 1, &y, 1) != x * y;
}

// `function` is not there: why?
static seq_status refuse(void *library, const char *what, const char *function, seq_error *error) {
    static const char *const wide[] = {"cblas_sgemm64_", "cblas_sgemm_64", NULL};
    for (const char *const *name = wide; *name; name++)
        if (dlsym(library, *name))
            return seq_error_set(
                error, SEQ_BAD_USAGE,
                "%s: its integers have 64 bits (it has %s, not %s); the build with "
                "integers of 32 bits (LP64) is needed",
                what, *name, function);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%s: it has no function %s, so it is no library with the C interface of "
                         "BLAS%s",
                         what, function,
                         dlsym(library, "sgemm_")
                             ? "; it has that of Fortran: the other may be in a "
                               "file beside it, such as libcblas.so.3"
                             : "");
}

// C = A B^T of whole numbers, which every order of sums gives exactly. False: another result.
static bool multiplies(const seq_blas *library) {
    static const float scale = 1;
    float *a = malloc(sizeof *a * PROBE * PROBE), *c = malloc(sizeof *c * PROBE * PROBE);
    bool right = a && c;
    for (int i = 0; right && i < PROBE * PROBE; i++)
        a[i] = (float)(i % 7 - 3), c[i] = 1;
    if (right) {
        library->sgemm(SEQ_BLAS_ROW_MAJOR, SEQ_BLAS_PLAIN, SEQ_BLAS_TRANSPOSED, PROBE, PROBE, PROBE,
                       scale, a, PROBE, a, PROBE, scale, c, PROBE);
        library->sgemv(SEQ_BLAS_ROW_MAJOR, SEQ_BLAS_PLAIN, PROBE, PROBE, scale, a, PROBE, a, 1,
                       scale, c, 1); // the first row a second time
    }
    for (int i = 0; right && i < PROBE * PROBE; i++) {
        int row = i / PROBE, column = i % PROBE, sum = 0;
        for (int k = 0; k < PROBE; k++)
            sum += (int)a[row * PROBE + k] * (int)a[column * PROBE + k];
        right = c[i] == (float)((row ? 1 : 2) * sum + 1);
    }
    free(a);
    free(c);
    return right;
}

static seq_status examine(void *library, const char *what, seq_blas *out, seq_error *error) {
    float (*sdot)(int64_t, const float *, int64_t, const float *, int64_t);
    if (!look_up(library, "cblas_sgemm", &out->sgemm))
        return refuse(library, what, "cblas_sgemm", error);
    if (!look_up(library, "cblas_sgemv", &out->sgemv))
        return refuse(library, what, "cblas_sgemv", error);
    if (!look_up(library, "cblas_sdot", &sdot)) return refuse(library, what, "cblas_sdot", error);
    choose_parts(library);
    if (reads_wide_integers(sdot))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s: its integers have 64 bits (ILP64); the build with integers of 32 "
                             "bits (LP64) is needed",
                             what);
    set_threads(library);
    out->buffers = name_openblas(library, out->name, sizeof out->name);
    if (out->buffers) {
        look_up(library, "blas_memory_alloc", &out->take_buffer);
        look_up(library, "blas_memory_free", &out->return_buffer);
    } else if (!name_mkl(library, out->name, sizeof out->name) &&
               !name_blis(library, out->name, sizeof out->name)) {
        const void *function;
        memcpy(&function, &out->sgemm, sizeof function);
        name_file(function, what, out->name, sizeof out->name);
    }
    return SEQ_OK;
}

static bool is_loaded(const char *file) {
    if (!openblas.sgemm) return false;
    return !file || (openblas.file && strcmp(openblas.file, file) == 0);
}

seq_status seq_blas_load(const char *file, seq_error *error) {
    seq_blas found = {0};
    void *library = NULL;
    char what[SHOWN + 20];
    if (is_loaded(file)) return SEQ_OK;
    int threads = count_threads();
    snprintf(what, sizeof what, file ? "--blas %.*s" : "--kernels openblas: %.*s", SHOWN,
             file ? file : OPENBLAS);
    if (open_library(file, &library, error) || examine(library, what, &found, error)) goto failed;
    if (!found.buffers && !multiplies(&found)) {
        seq_error_set(error, SEQ_BAD_USAGE,
                      "%s: a product of whole numbers is wrong: it cannot be used", what);
        goto failed;
    }
    if (count_threads() > threads)
        seq_log_warning("%s has started %d threads of its own, and takes no order to have one: "
                        "ranks and threads wait for it, and its sums may depend on their number",
                        what, count_threads() - threads);
    if (file && !(found.file = strdup(file))) {
        seq_error_set(error, SEQ_NO_MEMORY, "%s: out of memory", what);
        goto failed;
    }
    snprintf(found.unfused, sizeof found.unfused, "%s, unfused", found.name);
    free(openblas.file);
    openblas = found;
    return SEQ_OK;
failed: // what has been loaded stays: it may have threads
    return error->status;
}

// A product that finds no memory waits for it for ever. So a buffer for each thread is taken now,
// and OpenBLAS keeps them.
seq_status seq_blas_reserve(int threads, seq_error *error) {
    void *buffers[SEQ_MAX_THREADS];
    int count = threads < SEQ_MAX_THREADS ? threads : SEQ_MAX_THREADS;
    if (!openblas.buffers || count <= openblas.reserved) return SEQ_OK;
    size_t bytes = (size_t)(count - openblas.reserved) << 27;
    if (!has_room(bytes))
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "--kernels openblas: OpenBLAS needs 128 MB of address space a thread, "
                             "and %d x 128 MB are not to be had (ulimit -v)",
                             count);
    if (!openblas.take_buffer || !openblas.return_buffer) return SEQ_OK;
    for (int i = 0; i < count; i++)
        buffers[i] = openblas.take_buffer(0);
    for (int i = 0; i < count; i++)
        openblas.return_buffer(buffers[i]);
    openblas.reserved = count;
    return SEQ_OK;
}
