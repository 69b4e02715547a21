// Merges files; what is accepted cuts words, whole and with few units kept, and the units joined
// again are the words. Checks src/data/subword.c and subword_cut.c; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/data/subword.h>
#include <stdlib.h>
#include <string.h>

static const char words[] = "lower aaaaaaaab erst\xC3\xBC 19a@@ x<unk> </w> aaa";

typedef struct units {
    char text[4 * sizeof words];
    size_t size;
} units;

static seq_status take(void *context, const char *text, size_t size, size_t count,
                       seq_error *error) {
    units *out = context;
    (void)error;
    assert(count == 1 && size && out->size + size + 1 <= sizeof out->text);
    memcpy(out->text + out->size, text, size);
    out->size += size;
    out->text[out->size++] = ' ';
    return SEQ_OK;
}

static void use(const seq_subword *subword, const seq_string_table *kept) {
    units out = {.size = 0};
    seq_error error = {0};
    seq_subword_cutter *cutter = NULL;
    if (seq_subword_cutter_create(subword, kept, 1, take, &out, &cutter, &error)) return;
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        fuzz_check(seq_subword_take(cutter, at, size, 1, &error), &error);
        at += size;
    }
    seq_subword_cutter_destroy(cutter);
    if (error.status) return;
    size_t joined = seq_subword_join(out.text, out.size - 1);
    assert(joined == strlen(words) && memcmp(out.text, words, joined) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    seq_subword *subword = NULL;
    seq_string_table kept = {0};
    seq_error error = {0};
    fuzz_file_create(&file, data, size);
    fuzz_check(seq_subword_read(file.path, "[0-9]+", SEQ_BAD_INPUT, &subword, &error), &error);
    if (!error.status) {
        use(subword, NULL);
        use(subword, &kept);
        seq_subword_destroy(subword);
    }
    fuzz_file_destroy(&file);
    return 0;
}
