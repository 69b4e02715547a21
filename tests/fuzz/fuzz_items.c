// Columns of items: a data set whose counts and vectors are the fuzzer's, in a
// whole file with a whole manifest, so that the checks of the columns are all
// that stands between them and the reader. It is opened, its table loaded, all
// items read and served as batches. Checks src/data/items.c and
// sampler_buckets.c; run by tests/fault/fuzz.sh and tests/fuzz/run.sh.
//
// Input: items, rows of text, rows of letters, partial, bytes of raw text (a
// byte each), then for each vector of the shard a count and its elements.
#include "fuzz.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/base/file.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 5 };
static const char vocabulary[] =
    "# seqtrain vocabulary "
    "1\tunit=char\tpunctuation=keep\tlower=no\tnfc=no\teos=none\tinvalid=error\n"
    "0\t1\ta\n1\t1\tb\n2\t2\tc\n3\t9\td\n4\t0\t<unk>\n";

typedef struct source {
    const uint8_t *data;
    size_t left;
} source;

static uint8_t next(source *from) {
    if (!from->left) return 0;
    from->left--;
    return *from->data++;
}

static void make_schema(seq_schema *schema) {
    seq_schema_begin(schema, "tag");
    seq_schema_add_axis(schema, "text", 0);
    seq_schema_add_axis(schema, "letters", 1);
    seq_schema_add_vocabulary(schema, "words");
    seq_schema_add_vocabulary(schema, "tags");
    seq_schema_add_field(schema, "text", SEQ_FIELD_IDS, 1, 0, 1);
    seq_schema_add_field(schema, "letter", SEQ_FIELD_IDS, 2, 0, 1);
    schema->target = seq_schema_add_field(schema, "tag", SEQ_FIELD_LABEL, 1, 1, 1);
    seq_schema_add_field(schema, "score", SEQ_FIELD_NUMBER, 0, -1, 1);
    schema->groups = schema->raw = true;
}

static void write_vectors(seq_vector_file *file, source *from) {
    static const struct {
        const char *name;
        seq_element element;
    } vectors[] = {{"text", SEQ_U8},          {"letter", SEQ_U8},        {"tag", SEQ_U8},
                   {"score", SEQ_F32},        {"text.ends", SEQ_U32},    {"letters.ends", SEQ_U32},
                   {"item.group", SEQ_I64},   {"item.counted", SEQ_U32}, {"item.raw", SEQ_U8},
                   {"item.raw-ends", SEQ_U32}};
    seq_error error = {0};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint64_t bytes[256];
        size_t count = next(from), size = seq_element_size(vectors[i].element);
        for (size_t j = 0; j < count * size; j++)
            ((uint8_t *)bytes)[j] = next(from);
        assert(!seq_vector_write(file, vectors[i].name, vectors[i].element, bytes, count,
                                 65536 / size, (seq_pipeline){SEQ_COMPRESS_NONE, 0}, &error));
    }
}

static void add_file(seq_manifest *manifest, const char *directory, const char *name) {
    char path[SEQ_PATH];
    seq_digest digest;
    seq_error error = {0};
    assert(!seq_path_join(path, directory, name, &error) &&
           !seq_digest_file(path, &digest, &error) &&
           !seq_manifest_add_file(manifest, name, &digest, &error));
}

static void set(seq_record *record, const char *key, int64_t value) {
    seq_error error = {0};
    assert(!seq_record_set_integer(record, key, value, &error));
}

static void make_set(const char *directory, source *from) {
    static const char *const splits[] = {"train", "valid", "test"};
    char path[SEQ_PATH];
    seq_schema schema;
    seq_manifest manifest = {.kind = SEQ_DATASET_KIND, .version = 2};
    seq_vector_file *file = NULL;
    seq_error error = {0};
    int items = next(from), text = next(from), letters = next(from), partial = next(from) % 2,
        raw = next(from);
    make_schema(&schema);
    assert(!seq_schema_write(&schema, &manifest, &error));
    seq_record *record = seq_manifest_section_get(&manifest, "data");
    for (int i = 0; i < 3; i++) {
        const struct {
            const char *ending;
            int64_t value;
        } keys[] = {
            {"items", items}, {"rows.text", text}, {"rows.letters", letters}, {"raw_bytes", raw}};
        char key[64];
        for (int k = 0; k < 4; k++) {
            snprintf(key, sizeof key, "%s_%s", splits[i], keys[k].ending);
            set(record, key, i == 1 ? keys[k].value : 0);
        }
        snprintf(key, sizeof key, "%s_shards", splits[i]);
        seq_record_set_integers(record, key, &items, i == 1, &error);
        snprintf(key, sizeof key, "%s_partial", splits[i]);
        seq_record_set_integers(record, key, &partial, i == 1, &error);
    }
    assert(!seq_path_join(path, directory, "valid-0000.h5", &error) &&
           !seq_vector_file_create_wide(path, 10, &file, &error));
    write_vectors(file, from);
    assert(!seq_vector_file_close(file, &error));
    add_file(&manifest, directory, "valid-0000.h5");
    static const char *const names[] = {"vocabulary.tsv", "vocabulary-tags.tsv"};
    for (int i = 0; i < 2; i++) {
        assert(!seq_path_join(path, directory, names[i], &error) &&
               !seq_file_write_atomic(path, vocabulary, sizeof vocabulary - 1, &error));
        add_file(&manifest, directory, names[i]);
    }
    assert(!seq_manifest_write(&manifest, directory, "dataset.json", &error));
    seq_manifest_clear(&manifest);
    seq_schema_clear(&schema);
}

static void check_ids(const int32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert(ids[i] >= SEQ_NO_ID && ids[i] < WORDS);
}

static void use(seq_dataset *dataset) {
    seq_items_room room = {0};
    seq_items items;
    seq_sampler *sampler = NULL;
    seq_error error = {0};
    int64_t count = seq_dataset_items(dataset, SEQ_VALID);
    fuzz_check(seq_dataset_read_items(dataset, SEQ_VALID, 0, count, &room, &items, &error), &error);
    if (!error.status) {
        check_ids(items.ids[0], items.rows[1]);
        check_ids(items.ids[1], items.rows[2]);
        for (int64_t i = 0; i < count; i++)
            assert(isfinite(items.values[3][i]) && items.raw_sizes[i] >= 0);
    }
    seq_items_room_clear(&room);
    if (error.status) return;
    seq_sampler_settings settings = {
        .split = SEQ_VALID, .replicas = 2, .count = 2, .batch = 3, .batch_tokens = count % 2 * 20};
    fuzz_check(seq_sampler_create(&seq_sampler_buckets, dataset, &settings, &sampler, &error),
               &error);
    for (int64_t step = 0; sampler && step < seq_sampler_steps(sampler); step++)
        for (int replica = 0; replica < 2; replica++) {
            seq_batch batch;
            assert(!seq_sampler_read(sampler, 0, step, replica, &batch, &error));
            check_ids(batch.columns[0].ids, batch.axes[1].rows);
        }
    seq_sampler_destroy(sampler);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool begun;
    char directory[64];
    seq_dataset *dataset = NULL;
    seq_error error = {0}, ignored = {0};
    source from = {data, size};
    if (!begun) assert(!seq_storage_begin(&ignored));
    begun = true;
    snprintf(directory, sizeof directory, "%s/seqtrain-fuzz-XXXXXX",
             access("/dev/shm", W_OK) ? P_tmpdir : "/dev/shm");
    assert(mkdtemp(directory));
    make_set(directory, &from);
    fuzz_check(seq_dataset_open(directory, &dataset, &error), &error);
    if (dataset) use(dataset);
    seq_dataset_close(dataset);
    assert(!seq_directory_remove(directory, &ignored));
    return 0;
}
