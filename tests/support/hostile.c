// Makes an attacker's files out of good ones; the manifest's hashes then fit
// again.
//   vector KIND FILE NAME  replaces a vector of an HDF5 file (kinds: the table)
//   element FILE NAME INDEX VALUE  changes an element of a vector; -1: the last
//   file KIND FILE         changes the file around it
//   set DIRECTORY MANIFEST SECTION KEY TEXT  changes an entry of a manifest
//   seal DIRECTORY MANIFEST  sizes and hashes of the files listed, as they are
//   sign FILE              appends the own hash to the beginning of a manifest
//   run FILE COMMAND...    runs it, 20 s at most; "exit code, seconds, KiB at
//                          most" go to FILE
#include <assert.h>
#include <hdf5.h>
#include <math.h>
#include <seqtrain/base/file.h>
#include <seqtrain/data/dataset_format.h>
#include <seqtrain/storage/manifest.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

enum { ZSTD_FILTER = 32015, FOREIGN_FILTER = 40000, HANG = 20 };

// The vector that is being replaced.
typedef struct vector {
    hid_t file;
    const char *name;
    hsize_t length;
    void *values; // as they were
    size_t bytes;
    hid_t type, properties; // for its successor
} vector;

static void create(const vector *v, hid_t type, int dimensions, const hsize_t *sizes) {
    const hsize_t unlimited = H5S_UNLIMITED; // as our writer does
    bool chunked = H5Pget_layout(v->properties) == H5D_CHUNKED;
    hid_t space = H5Screate_simple(dimensions, sizes, chunked ? &unlimited : NULL);
    hid_t set = H5Dcreate2(v->file, v->name, type, space, H5P_DEFAULT, v->properties, H5P_DEFAULT);
    assert(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void write_values(const vector *v) {
    hid_t set = H5Dopen2(v->file, v->name, H5P_DEFAULT);
    assert(H5Dwrite(set, v->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, v->values) >= 0);
    H5Dclose(set);
}

// The vector with one chunk, whose bytes are these.
static void create_chunk(const vector *v, const void *bytes, size_t size) {
    const hsize_t start = 0;
    H5Pset_chunk(v->properties, 1, &v->length);
    create(v, v->type, 1, &v->length);
    hid_t set = H5Dopen2(v->file, v->name, H5P_DEFAULT);
    assert(H5Dwrite_chunk(set, H5P_DEFAULT, 0, &start, size, bytes) >= 0);
    H5Dclose(set);
}

static void external_link(const vector *v) {
    assert(H5Lcreate_external("/etc/passwd", "x", v->file, v->name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void soft_loop(const vector *v) {
    H5Lcreate_soft("loop", v->file, v->name, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft(v->name, v->file, "loop", H5P_DEFAULT, H5P_DEFAULT);
}

static void soft_link(const vector *v) {
    H5Lcreate_soft("twin", v->file, v->name, H5P_DEFAULT, H5P_DEFAULT);
    vector twin = *v;
    twin.name = "twin";
    create(&twin, v->type, 1, &v->length);
    write_values(&twin);
}

static void external_storage(const vector *v) {
    H5Pset_external(v->properties, "/etc/passwd", 0, v->bytes);
    create(v, v->type, 1, &v->length);
}

static void virtual_elsewhere(const vector *v) {
    hid_t space = H5Screate_simple(1, &v->length, NULL);
    H5Pset_virtual(v->properties, space, "/etc/passwd", "x", space);
    H5Sclose(space);
    create(v, v->type, 1, &v->length);
}

static void huge_length(const vector *v) {
    const hsize_t chunk = 1024, length = (hsize_t)1 << 60;
    H5Pset_chunk(v->properties, 1, &chunk);
    create(v, v->type, 1, &length);
}

static void huge_chunk(const vector *v) {
    const hsize_t chunk = 1 << 29;
    const hsize_t limit = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(1, &v->length, &limit);
    H5Pset_chunk(v->properties, 1, &chunk);
    hid_t set =
        H5Dcreate2(v->file, v->name, v->type, space, H5P_DEFAULT, v->properties, H5P_DEFAULT);
    assert(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void many_chunks(const vector *v) {
    const hsize_t chunk = 1, length = 1 << 20;
    H5Pset_chunk(v->properties, 1, &chunk);
    create(v, v->type, 1, &length);
}

static void no_chunks(const vector *v) {
    H5Pset_chunk(v->properties, 1, &v->length);
    create(v, v->type, 1, &v->length);
}

static size_t pass(unsigned flags, size_t count, const unsigned *values, size_t size,
                   size_t *capacity, void **bytes) {
    (void)flags, (void)count, (void)values, (void)capacity, (void)bytes;
    return size;
}

static void unknown_filter(const vector *v) {
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, FOREIGN_FILTER, 1,    1,
                                 "foreign",        NULL,           NULL, pass};
    H5Zregister(&filter);
    H5Pset_chunk(v->properties, 1, &v->length);
    H5Pset_filter(v->properties, FOREIGN_FILTER, 0, 0, NULL);
    create(v, v->type, 1, &v->length);
    write_values(v);
}

static void repeated_filter(const vector *v) {
    H5Pset_chunk(v->properties, 1, &v->length);
    for (int i = 0; i < 20; i++)
        H5Pset_deflate(v->properties, 9);
    create(v, v->type, 1, &v->length);
    write_values(v);
}

static void wrong_type(const vector *v) {
    create(v, H5T_STD_I16BE, 1, &v->length);
}

static void string_type(const vector *v) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    create(v, type, 1, &v->length);
    H5Tclose(type);
}

static void wrong_rank(const vector *v) {
    hsize_t sizes[32] = {v->length};
    for (int i = 1; i < 32; i++)
        sizes[i] = 1;
    create(v, v->type, 32, sizes);
}

static void no_rank(const vector *v) {
    create(v, v->type, 0, NULL);
}

static void wrong_length(const vector *v) {
    hsize_t less = v->length - 1;
    H5Pset_chunk(v->properties, 1, &v->length);
    create(v, v->type, 1, &less);
    hid_t set = H5Dopen2(v->file, v->name, H5P_DEFAULT);
    H5Dwrite(set, v->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, v->values);
    H5Dclose(set);
}

static void is_group(const vector *v) {
    hid_t group = H5Gcreate2(v->file, v->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int depth = 0; depth < 3000; depth++) {
        hid_t inner = H5Gcreate2(group, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Gclose(group);
        group = inner;
    }
    H5Gclose(group);
}

static void missing(const vector *v) {
    (void)v;
}

static void not_finite(const vector *v) {
    ((float *)v->values)[v->length / 2] = NAN;
    H5Pset_chunk(v->properties, 1, &v->length);
    create(v, v->type, 1, &v->length);
    write_values(v);
}

static void infinite(const vector *v) {
    ((float *)v->values)[v->length / 3] = -INFINITY;
    H5Pset_chunk(v->properties, 1, &v->length);
    create(v, v->type, 1, &v->length);
    write_values(v);
}

static void great_token(const vector *v) {
    ((unsigned char *)v->values)[v->length / 2] = 255;
    H5Pset_chunk(v->properties, 1, &v->length);
    create(v, v->type, 1, &v->length);
    write_values(v);
}

// zstd frames of the values: what is wrong with them is the kind's.
enum frame_fault { NO_SIZE, HUGE_SIZE, BAD_CHECKSUM, TRUNCATED, TRAILING, SKIPPABLE, BOMB };

static void zstd_frame(const vector *v, enum frame_fault fault) {
    enum { BOMB_BYTES = 1 << 28 };
    const unsigned level = 1;
    size_t content = fault == BOMB ? BOMB_BYTES : v->bytes,
           capacity = ZSTD_compressBound(content) + 64;
    unsigned char *frame = calloc(1, capacity);
    void *plain = fault == BOMB ? calloc(1, content) : v->values;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, fault != NO_SIZE);
    size_t size = ZSTD_compress2(context, frame, capacity, plain, content);
    assert(!ZSTD_isError(size));
    if (fault == BAD_CHECKSUM) frame[size - 1] ^= 0x40;
    if (fault == TRUNCATED) size -= 9;
    if (fault == TRAILING) size += 7;
    if (fault == SKIPPABLE) {
        const unsigned char skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f};
        memmove(frame + sizeof skippable, frame, size);
        memcpy(frame, skippable, sizeof skippable);
        size += sizeof skippable;
    }
    if (fault == HUGE_SIZE) { // single segment, a size of eight bytes
        const unsigned char head[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe4, 0, 0, 0, 0, 0, 0, 0, 0x40};
        memcpy(frame, head, sizeof head);
    }
    H5Pset_filter(v->properties, ZSTD_FILTER, 0, 1, &level);
    create_chunk(v, frame, size);
    ZSTD_freeCCtx(context);
    if (fault == BOMB) free(plain);
    free(frame);
}

static void frame_no_size(const vector *v) {
    zstd_frame(v, NO_SIZE);
}
static void frame_huge_size(const vector *v) {
    zstd_frame(v, HUGE_SIZE);
}
static void frame_bad_checksum(const vector *v) {
    zstd_frame(v, BAD_CHECKSUM);
}
static void frame_truncated(const vector *v) {
    zstd_frame(v, TRUNCATED);
}
static void frame_trailing(const vector *v) {
    zstd_frame(v, TRAILING);
}
static void frame_skippable(const vector *v) {
    zstd_frame(v, SKIPPABLE);
}
static void frame_bomb(const vector *v) {
    zstd_frame(v, BOMB);
}

// 64 MiB of zeros, deflated, where a few KiB belong.
static void deflate_bomb(const vector *v) {
    enum { BYTES = 1 << 26 };
    size_t capacity = BYTES / 256;
    float *zeros = calloc(1, BYTES);
    unsigned char *packed = malloc(capacity);
    hid_t aside = H5Fcreate("bomb.tmp", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t length = BYTES / 4, start = 0;
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &length);
    H5Pset_deflate(properties, 9);
    const vector large = {.file = aside,
                          .name = "v",
                          .type = H5T_IEEE_F32LE,
                          .values = zeros,
                          .length = length,
                          .properties = properties};
    create(&large, large.type, 1, &length);
    write_values(&large);
    hid_t set = H5Dopen2(aside, "v", H5P_DEFAULT);
    hsize_t size;
    uint32_t mask;
    assert(H5Dget_chunk_storage_size(set, &start, &size) >= 0 && size <= capacity);
    assert(H5Dread_chunk(set, H5P_DEFAULT, &start, &mask, packed) >= 0);
    H5Dclose(set);
    H5Fclose(aside);
    unlink("bomb.tmp");
    H5Pset_deflate(v->properties, 9);
    create_chunk(v, packed, size);
    H5Pclose(properties);
    free(packed);
    free(zeros);
}

static void fletcher(const vector *v) {
    unsigned char *bytes = calloc(1, v->bytes + 4);
    memcpy(bytes, v->values, v->bytes); // and a checksum of zero
    H5Pset_fletcher32(v->properties);
    create_chunk(v, bytes, v->bytes + 4);
    free(bytes);
}

static const struct {
    const char *kind;
    void (*make)(const vector *vector);
} kinds[] = {{"external-link", external_link},
             {"external-storage", external_storage},
             {"virtual-elsewhere", virtual_elsewhere},
             {"soft-link", soft_link},
             {"soft-loop", soft_loop},
             {"huge-length", huge_length},
             {"huge-chunk", huge_chunk},
             {"many-chunks", many_chunks},
             {"no-chunks", no_chunks},
             {"unknown-filter", unknown_filter},
             {"repeated-filter", repeated_filter},
             {"wrong-type", wrong_type},
             {"string-type", string_type},
             {"wrong-rank", wrong_rank},
             {"no-rank", no_rank},
             {"wrong-length", wrong_length},
             {"deep-groups", is_group},
             {"missing", missing},
             {"nan", not_finite},
             {"infinity", infinite},
             {"zstd-no-size", frame_no_size},
             {"zstd-huge-size", frame_huge_size},
             {"zstd-bad-checksum", frame_bad_checksum},
             {"zstd-truncated", frame_truncated},
             {"zstd-trailing", frame_trailing},
             {"zstd-skippable", frame_skippable},
             {"zstd-bomb", frame_bomb},
             {"deflate-bomb", deflate_bomb},
             {"fletcher32", fletcher},
             {"great-token", great_token}};

static int print_kinds(void) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, "great-token") != 0) puts(kinds[i].kind);
    return 0;
}

static int make_vector(const char *kind, const char *path, const char *name) {
    vector v = {.name = name};
    seq_error error = {0};
    size_t at = 0, count = sizeof kinds / sizeof *kinds;
    while (at < count && strcmp(kinds[at].kind, kind) != 0)
        at++;
    if (at == count || seq_storage_begin(&error)) return 2;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    v.file = H5Fopen(path, H5F_ACC_RDWR, access);
    hid_t old = H5Dopen2(v.file, name, H5P_DEFAULT), space = H5Dget_space(old);
    H5Sget_simple_extent_dims(space, &v.length, NULL);
    v.type = H5Dget_type(old);
    v.bytes = v.length * H5Tget_size(v.type);
    v.values = malloc(v.bytes);
    if (H5Dread(old, v.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, v.values) < 0) return 2;
    H5Dclose(old);
    H5Ldelete(v.file, name, H5P_DEFAULT);
    v.properties = H5Pcreate(H5P_DATASET_CREATE);
    kinds[at].make(&v);
    free(v.values);
    return H5Fclose(v.file) < 0;
}

static int change_element(const char *path, const char *name, long index, double value) {
    seq_error error = {0};
    hsize_t length = 0;
    if (seq_storage_begin(&error)) return 2;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, access), set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0 || H5Sget_simple_extent_dims(H5Dget_space(set), &length, NULL) < 0) return 2;
    double *values = calloc(length + 1, sizeof *values);
    hsize_t at = index < 0 ? length - 1 : (hsize_t)index;
    if (at >= length || H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return 2;
    values[at] = value;
    int failed = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0;
    free(values);
    H5Dclose(set);
    return H5Fclose(file) < 0 || failed;
}

static void put_before(const char *path, size_t size) {
    char *bytes;
    size_t old;
    seq_error error = {0};
    assert(!seq_file_read(path, SIZE_MAX / 2, &bytes, &old, &error));
    FILE *stream = fopen(path, "w");
    for (size_t i = 0; i < size; i++)
        fputc(0, stream);
    fwrite(bytes, 1, old, stream);
    fclose(stream);
    free(bytes);
}

static int make_file(const char *kind, const char *path) {
    struct stat status;
    if (strcmp(kind, "user-block") == 0)
        put_before(path, 512);
    else if (strcmp(kind, "not-hdf5") == 0 || strcmp(kind, "empty") == 0) {
        FILE *stream = fopen(path, "w");
        if (*kind == 'n') fputs("This is no HDF5 file.\n", stream);
        fclose(stream);
    } else if (strcmp(kind, "sparse") == 0) {
        return truncate(path, (off_t)1 << 42) != 0;
    } else if (strcmp(kind, "half") == 0) {
        return stat(path, &status) || truncate(path, status.st_size / 2);
    } else {
        return 2;
    }
    return 0;
}

static int seal(seq_manifest *manifest, const char *directory, const char *name, seq_error *error) {
    for (size_t i = 0; i < manifest->file_count; i++) {
        char path[SEQ_PATH];
        struct stat status;
        seq_path_join(path, directory, manifest->files[i].name, error);
        // What is too large to be hashed, or no file, has its size and any hash.
        if (stat(path, &status)) continue;
        manifest->files[i].digest.size = (uint64_t)status.st_size;
        if (S_ISREG(status.st_mode) && status.st_size < 1 << 28)
            seq_digest_file(path, &manifest->files[i].digest, error);
    }
    return seq_manifest_write(manifest, directory, name, error) != SEQ_OK;
}

static int change_manifest(char **arguments, int count) {
    const char *directory = arguments[0], *name = arguments[1];
    seq_manifest manifest = {0};
    seq_error error = {0};
    bool is_data = strcmp(name, "dataset.json") == 0;
    int failed =
        seq_manifest_read(&manifest, directory, name,
                          is_data ? "seqtrain dataset" : "seqtrain checkpoint",
                          is_data ? SEQ_ITEMS_VERSION : 1, SEQ_BAD_INPUT, &error) != SEQ_OK;
    if (!failed && count == 5)
        seq_record_set_text(seq_manifest_section_get(&manifest, arguments[2]), arguments[3],
                            arguments[4], &error);
    if (!failed) failed = seal(&manifest, directory, name, &error);
    if (failed) fprintf(stderr, "hostile: %s\n", error.text);
    seq_manifest_clear(&manifest);
    return failed;
}

static int sign(const char *path) {
    char *text, hash[33];
    size_t size;
    seq_error error = {0};
    seq_digest digest;
    if (seq_file_read(path, SIZE_MAX / 2, &text, &size, &error)) return 2;
    seq_digest_bytes(text, size, &digest);
    seq_digest_text(&digest, hash);
    FILE *stream = fopen(path, "a");
    fprintf(stream, "  \"hash\": \"%s\"\n}\n", hash);
    free(text);
    return fclose(stream);
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

static int run(const char *path, char **command) {
    int status = 0;
    struct rusage usage;
    pid_t child = fork();
    if (child == 0) {
        alarm(HANG); // stays through exec
        execv(command[0], command);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) return 2;
    FILE *stream = fopen(path, "w");
    fprintf(stream, "%d %.3f %ld\n",
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
    return fclose(stream);
}

int main(int argc, char **argv) {
    const char *action = argc > 1 ? argv[1] : "";
    if (strcmp(action, "kinds") == 0) return print_kinds();
    if (strcmp(action, "vector") == 0 && argc == 5) return make_vector(argv[2], argv[3], argv[4]);
    if (strcmp(action, "element") == 0 && argc == 6)
        return change_element(argv[2], argv[3], atol(argv[4]), atof(argv[5]));
    if (strcmp(action, "file") == 0 && argc == 4) return make_file(argv[2], argv[3]);
    if (strcmp(action, "seal") == 0 && argc == 4) return change_manifest(argv + 2, 2);
    if (strcmp(action, "set") == 0 && argc == 7) return change_manifest(argv + 2, 5);
    if (strcmp(action, "sign") == 0 && argc == 3) return sign(argv[2]);
    if (strcmp(action, "run") == 0 && argc > 3) return run(argv[2], argv + 3);
    fputs("hostile: see the top of tests/support/hostile.c\n", stderr);
    return 2;
}
