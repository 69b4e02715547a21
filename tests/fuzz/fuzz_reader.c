// Every reader of items: the first byte chooses the reader, the second its
// settings, the rest is the file. Values must lie in memory and end in NUL; lines
// are written back. Checks src/prep/reader*.c; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include "byte_memory.h"
#include <assert.h>
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const columns[] = {NULL, "label=1", "text=a,label=b", "token=2,tag=1"};
    int count = 0;
    if (size < 2) return 0;
    while (seq_reader_names()[count])
        count++;
    const uint8_t flags = data[1];
    byte_memory memory = {data + 2, size - 2, 0, flags % 3 ? 7 : 4096};
    const seq_byte_stream stream = {byte_memory_read, &memory};
    seq_reader_settings settings = {.reader = seq_reader_names()[data[0] % count],
                                    .columns = columns[flags >> 1 & 3],
                                    .unlabelled = flags >> 3 & 1,
                                    .blank_items = flags >> 4 & 1,
                                    .root = ""};
    bool conll = strncmp(settings.reader, "conll", 5) == 0;
    if (strcmp(settings.reader, "fasta") == 0) settings.label_pattern = "c=([^ ]+)";
    if (strcmp(settings.reader, "conll") == 0 && flags >> 5 & 1) settings.comment = "#";
    if (flags >> 6 & 1) settings.group = conll ? "document" : "file";
    settings.keep_lines = conll;
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
    fclose(sink);
    return 0;
}
