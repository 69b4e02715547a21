// driver TARGET'S-CORPUS [MUTANTS]: runs the linked target over every file of a directory and
// MUTANTS deterministic changes of each: bits, bytes, cuts, repeats and numbers that are often a
// border.
#include "fuzz.h"
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUTANTS = 300, LIMIT = 1 << 20, GROWTH = 4096 };

static uint64_t draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static size_t repeat_part(uint8_t *bytes, size_t size, uint64_t *state) {
    size_t from = draw(state) % size, part = 1 + draw(state) % (size - from);
    if (part > GROWTH / 8) part = GROWTH / 8;
    memmove(bytes + from + part, bytes + from, size - from);
    return size + part;
}

// At most eight changes of at most GROWTH / 8 more bytes each.
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state) {
    static const uint8_t borders[] = {0, 1, 0x7f, 0x80, 0xff, '"', '\n', '=', '{', '['};
    for (uint64_t changes = 1 + draw(state) % 8; changes && size; changes--) {
        size_t at = draw(state) % size;
        switch (draw(state) % 8) {
        case 0:
            size = at;
            break;
        case 1:
            size = repeat_part(bytes, size, state);
            break;
        case 2:
            memmove(bytes + at, bytes + at + 1, size - at - 1);
            size--;
            break;
        case 3:
        case 4:
            bytes[at] = (uint8_t)draw(state);
            break;
        case 5:
            bytes[at] = borders[draw(state) % sizeof borders];
            break;
        default:
            bytes[at] ^= (uint8_t)(1 << draw(state) % 8);
        }
    }
    return size;
}

static long run_file(const char *path, long mutants) {
    char *bytes = NULL;
    size_t size;
    seq_error error = {0};
    if (seq_file_read(path, LIMIT, &bytes, &size, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 0;
    }
    uint8_t *mutant = malloc(size + GROWTH);
    uint64_t state = size;
    if (mutant) LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
    for (long i = 0; mutant && i < mutants; i++) {
        memcpy(mutant, bytes, size);
        LLVMFuzzerTestOneInput(mutant, mutate(mutant, size, &state));
    }
    free(mutant);
    free(bytes);
    return mutants + 1;
}

int main(int argc, char **argv) {
    char **names, path[SEQ_PATH];
    size_t count;
    long runs = 0;
    seq_error error = {0};
    if (argc < 2 || seq_directory_list(argv[1], &names, &count, &error)) {
        fprintf(stderr, "driver: needs a directory of files: %s\n", error.text);
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        if (!seq_path_join(path, argv[1], names[i], &error))
            runs += run_file(path, argc > 2 ? atol(argv[2]) : MUTANTS);
    seq_names_free(names, count);
    printf("%ld executions over %zu files\n", runs, count);
    return runs > 0 ? 0 : 1;
}
