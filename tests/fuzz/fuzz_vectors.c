// Word vectors in text form; what is accepted is finite, and counts add up.
// Checks src/data/word_vectors.c; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/data/word_vectors.h>
#include <string.h>

enum { WORDS = 5, WIDTH = 2 };

static seq_vocabulary *read_words(void) {
    static const char text[] =
        "# seqtrain vocabulary 1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=none"
        "\tinvalid=error\n0\t9\tthe\n1\t8\tThe\n2\t7\tTHE\n3\t2\t2009\n4\t1\tof\n";
    fuzz_file file;
    seq_vocabulary *vocabulary = NULL;
    seq_error error = {0};
    fuzz_file_create(&file, text, strlen(text));
    fuzz_check(seq_vocabulary_read(file.path, SEQ_BAD_INPUT, &vocabulary, &error), &error);
    fuzz_file_destroy(&file);
    return vocabulary;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    seq_vocabulary *vocabulary = read_words();
    float table[WORDS * WIDTH] = {0};
    seq_word_matches matches;
    seq_error error = {0};
    fuzz_file_create(&file, data, size);
    fuzz_check(seq_word_vectors_read(file.path, vocabulary, WIDTH, table, &matches, &error),
               &error);
    for (int i = 0; !error.status && i < WORDS * WIDTH; i++)
        assert(isfinite(table[i]));
    assert(error.status || matches.exact + matches.lowered + matches.missing == WORDS);
    fuzz_file_destroy(&file);
    seq_vocabulary_destroy(vocabulary);
    return 0;
}
