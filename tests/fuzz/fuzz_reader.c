// Every reader of items: the first byte chooses the reader and how it cuts
// columns, the second its other settings, the rest is the file. The environment
// variable FUZZ_READER names one reader, for all of the time. Values must lie in
// memory and end in NUL; lines are written back. Checks src/prep/reader*.c; run
// by tests/fault/fuzz.sh and tests/fuzz/run.sh.
#include "fuzz.h"
#include "byte_memory.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/prep/reader.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS = 1 << 20 };

static void use(const seq_item *item) {
    for (int i = 0; i < item->field_count; i++)
        for (size_t k = 0; k < item->fields[i].count; k++) {
            const seq_value *value = &item->fields[i].values[k];
            assert(value->bytes[value->size] == '\0');
            assert(value->line >= 0 && value->column >= 0);
        }
    for (size_t i = 0; i < item->line_count; i++)
        assert(strlen(item->lines[i].bytes) == item->lines[i].size);
    const seq_frames *frames = item->frames;
    for (size_t i = 0; frames && i < frames->rows * (size_t)frames->width; i++)
        assert(isfinite(frames->values[i]));
}

static void print(FILE *stream, const seq_reader *reader, const seq_item *item) {
    size_t tokens = 0;
    for (size_t i = 0; i < item->line_count; i++)
        tokens += item->lines[i].token >= 0;
    if (tokens > TAGS || !item->line_count) return;
    const char **tags = calloc(tokens + 1, sizeof *tags);
    assert(tags);
    for (size_t i = 0; i < tokens; i++)
        tags[i] = "X";
    seq_conll_print(stream, seq_conll_layout_of(reader), item->lines, item->line_count, tags);
    free(tags);
}

// Whether the name is one of those that stand between blanks.
static bool is(const char *reader, const char *names) {
    size_t size = strlen(reader);
    for (const char *at = names; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == size && strncmp(at, reader, size) == 0) return true;
    return false;
}

// What the reader knows of the settings, so that few inputs end in a refused option.
static seq_reader_settings settings_of(const char *reader, int cutting, int flags) {
    static const char *const columns[] = {NULL, "label=1", "text=a,label=b", "token=2,tag=1"};
    seq_reader_settings out = {.reader = reader,
                               .unlabelled = flags >> 3 & 1,
                               .blank_items = flags >> 4 & 1,
                               .keep_lines = is(reader, "conll conllu"),
                               .any_bytes = flags >> 7 & 1,
                               .root = ""};
    if (is(reader, "csv tsv jsonl conll conllu arff csv-frames"))
        out.columns = columns[flags >> 1 & 3];
    if (is(reader, "csv tsv csv-frames")) out.header = (seq_header)(cutting % 3);
    if (is(reader, "csv tsv")) out.raw_quotes = cutting / 3 % 2;
    if (is(reader, "csv csv-frames") && cutting / 6 % 2) out.delimiter = ";";
    if (is(reader, "sound")) {
        seq_error error = {0};
        fuzz_check(seq_sound_settings_read(&out.sound, NULL, &error), &error);
        out.sound.features = cutting % 3;
        out.sound.channel = cutting / 3 % 2;
        out.sound.resample = cutting / 6 % 2 ? 8000 : 0;
        out.sound.deltas = cutting / 6;
    } else if (strcmp(seq_reader_input_field(reader), "frames") == 0)
        out.missing = (seq_missing_values)(flags >> 5 & 1);
    if (is(reader, "csv tsv arff csv-frames") && cutting / 12 % 2) out.ignore = "a,2";
    if (is(reader, "lines conll")) out.separator = (seq_separator)(cutting % 3);
    if (is(reader, "conll") && flags >> 5 & 1) out.comment = "#";
    if (is(reader, "fasta") && !(flags >> 1 & 1)) out.label_pattern = "c=([^ ]+)";
    if (is(reader, "folder csv-frames npy ts hdf5 sound") && flags >> 5 & 1)
        out.label_pattern = flags >> 1 & 1 ? "{label}" : "{who}/f{label}e";
    if (flags >> 6 & 1) out.group = is(reader, "conll conllu") ? "document" : "file";
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *only = getenv("FUZZ_READER");
    int count = 0;
    if (size < 2) return 0;
    while (seq_reader_names()[count])
        count++;
    const uint8_t flags = data[1];
    byte_memory memory = {data + 2, size - 2, 0, flags % 3 ? 7 : 4096};
    const seq_byte_stream stream = {byte_memory_read, &memory};
    const char *name = only ? only : seq_reader_names()[data[0] % count];
    seq_reader_settings settings = settings_of(name, data[0] / count, flags);
    fuzz_file table = {0};
    if (is(name, "fasta") && !settings.label_pattern) { // a table of labels: the same bytes
        fuzz_file_create(&table, data + 2, size - 2);
        settings.label_table = table.path;
    }
    seq_reader *reader = NULL;
    seq_item item;
    seq_error error = {0};
    bool more = true;
    FILE *sink = fopen("/dev/null", "we");
    assert(sink);
    seq_status status = seq_reader_open(&settings, &stream, "d/file", &reader, &error);
    while (!status && more) {
        status = seq_reader_next(reader, &item, &more, &error);
        if (status) break;
        use(&item);
        print(sink, reader, &item);
    }
    fuzz_check(status, &error);
    seq_reader_close(reader);
    if (settings.label_table) fuzz_file_destroy(&table);
    fclose(sink);
    return 0;
}
