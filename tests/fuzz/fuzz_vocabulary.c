// vocabulary.tsv; what is accepted is used: each token is found by its text and
// decoded, and a line is encoded. Checks src/data/vocabulary_file.c and
// vocabulary.c; run by tests/fault/fuzz.sh and tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/data/vocabulary.h>
#include <stdlib.h>
#include <string.h>

static void use(const seq_vocabulary *vocabulary) {
    seq_detokenizer decoder = {0};
    static char out[SEQ_DECODED];
    for (int id = 0; id < seq_vocabulary_size(vocabulary); id++) {
        size_t size;
        const char *text = seq_vocabulary_text(vocabulary, id, &size);
        assert(seq_vocabulary_find(vocabulary, text, size) == id);
        assert(seq_vocabulary_characters(vocabulary, id) >= 0);
        assert(seq_detokenize(&decoder, vocabulary, id, out, sizeof out) <= sizeof out);
    }
    int32_t *ids = NULL;
    size_t count = 0;
    seq_error error = {0};
    fuzz_check(
        seq_vocabulary_encode(vocabulary, "a B, c.\n", 8, true, "text", &ids, &count, &error),
        &error);
    if (!error.status) free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    seq_vocabulary *vocabulary = NULL;
    seq_error error = {0};
    fuzz_file_create(&file, data, size);
    fuzz_check(seq_vocabulary_read(file.path, SEQ_BAD_INPUT, &vocabulary, &error), &error);
    if (!error.status) {
        use(vocabulary);
        seq_vocabulary_destroy(vocabulary);
    }
    fuzz_file_destroy(&file);
    return 0;
}
