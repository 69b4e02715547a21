// golden_digest CHECKPOINT: a line for each tensor of model.h5, each vector of the shards and the
// fields of the manifest, with the XXH3-64 of what is decoded. golden_digest - : the digest of
// standard input. HDF5 itself reads the files, none of our readers: of these only the filter for
// zstd is used. Invariant: names in order, vectors joined over the shards, so the digests depend on
// neither compression nor number of shards. Fields of the manifest are lines SECTION.KEY=VALUE.
// Used by check.sh; compiled in with the tests.
#include <hdf5.h>
#include <inttypes.h>
#include <jansson.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NAMES = 256, LENGTH = 512 };

typedef struct digests {
    char names[NAMES][64];
    XXH3_state_t *states[NAMES];
    int count;
} digests;

static int fail(const char *what, const char *path) {
    fprintf(stderr, "golden_digest: cannot read %s %s\n", what, path);
    return 1;
}

// The state of the data set NAME; NULL when there are too many.
static XXH3_state_t *state_of(digests *all, const char *name) {
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->names[i], name) == 0) return all->states[i];
    if (all->count == NAMES || strlen(name) >= sizeof all->names[0]) return NULL;
    XXH3_state_t *state = XXH3_createState();
    if (!state) return NULL;
    XXH3_64bits_reset(state);
    strcpy(all->names[all->count], name);
    all->states[all->count++] = state;
    return state;
}

// Adds the values of one data set, as little-endian numbers of the type that is stored.
static int add_dataset(digests *all, hid_t file, const char *name) {
    int failed = 1;
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t space = set < 0 ? -1 : H5Dget_space(set);
    hid_t type = set < 0 ? -1 : H5Dget_type(set);
    hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    void *values = NULL;
    XXH3_state_t *state = state_of(all, name);
    if (type < 0 || count < 0 || !state) goto done;
    size_t size = (size_t)count * H5Tget_size(type);
    values = malloc(size ? size : 1);
    if (!values || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) goto done;
    XXH3_64bits_update(state, values, size);
    failed = 0;
done:
    free(values);
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (set >= 0) H5Dclose(set);
    return failed;
}

// All data sets of a file, in the order of their names.
static int add_file(digests *all, const char *path) {
    int failed = 1;
    H5G_info_t info;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0 || H5Gget_info(file, &info) < 0) goto done;
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[64];
        ssize_t length = H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                            sizeof name, H5P_DEFAULT);
        if (length < 0 || (size_t)length >= sizeof name || add_dataset(all, file, name)) goto done;
    }
    failed = 0;
done:
    if (file >= 0) H5Fclose(file);
    return failed ? fail("the data sets of", path) : 0;
}

// Prints "WORD NAME DIGEST" for all, and begins anew.
static void print_digests(digests *all, const char *word) {
    for (int i = 0; i < all->count; i++) {
        printf("%s %s %016" PRIx64 "\n", word, all->names[i],
               (uint64_t)XXH3_64bits_digest(all->states[i]));
        XXH3_freeState(all->states[i]);
    }
    all->count = 0;
}

static int print_fields(const char *path, int *out_shards) {
    int failed = 1;
    json_t *manifest = json_load_file(path, 0, NULL), *record, *value;
    const char *section, *key;
    if (!manifest) goto done;
    json_object_foreach(json_object_get(manifest, "sections"), section, record) {
        json_object_foreach(record, key, value) {
            const char *text = json_string_value(value);
            if (!text) goto done;
            printf("field %s.%s=%s\n", section, key, text);
            if (strcmp(section, "state") == 0 && strcmp(key, "shards") == 0)
                *out_shards = atoi(text);
        }
    }
    failed = 0;
done:
    json_decref(manifest);
    return failed ? fail("the fields of", path) : 0;
}

static int digest_checkpoint(const char *directory) {
    static digests all;
    char path[LENGTH];
    int shards = 0;
    snprintf(path, sizeof path, "%s/manifest.json", directory);
    if (print_fields(path, &shards)) return 1;
    snprintf(path, sizeof path, "%s/model.h5", directory);
    if (add_file(&all, path)) return 1;
    print_digests(&all, "tensor");
    for (int i = 0; i < shards; i++) {
        snprintf(path, sizeof path, "%s/shard-%04d.h5", directory, i);
        if (add_file(&all, path)) return 1;
    }
    print_digests(&all, "vector");
    return 0;
}

static int digest_input(void) {
    digests all = {.count = 0};
    XXH3_state_t *state = state_of(&all, "-");
    unsigned char bytes[65536];
    size_t size;
    if (!state) return fail("standard input", "");
    while ((size = fread(bytes, 1, sizeof bytes, stdin)) > 0)
        XXH3_64bits_update(state, bytes, size);
    if (ferror(stdin)) return fail("standard input", "");
    printf("%016" PRIx64 "\n", (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return 0;
}

int main(int count, char **arguments) {
    seq_error error = {0};
    if (count != 2) {
        fprintf(stderr, "usage: golden_digest CHECKPOINT|-\n");
        return 2;
    }
    if (strcmp(arguments[1], "-") == 0) return digest_input();
    if (seq_storage_begin(&error)) return fail("HDF5 files", "at all");
    return digest_checkpoint(arguments[1]);
}
