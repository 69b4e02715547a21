// Reads the files that tests/golden/generate.py writes: a name, a count, so
// many numbers. A name that is absent or has another count ends the test at
// once, so no comparison is passed over in silence.
#include "golden.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 512 };

struct golden {
    int count;
    char names[MOST][64];
    size_t counts[MOST];
    double *values[MOST];
};

static void stop(const char *what, const char *name) {
    fprintf(stderr, "golden values: %s: %s\n", what, name);
    exit(1);
}

golden *golden_open(const char *path) {
    golden *file = calloc(1, sizeof *file);
    FILE *stream = fopen(path, "r");
    if (!stream || !file) stop("cannot read", path);
    while (file->count < MOST &&
           fscanf(stream, "%63s %zu", file->names[file->count], &file->counts[file->count]) == 2) {
        double *values = calloc(file->counts[file->count] + 1, sizeof *values);
        for (size_t i = 0; i < file->counts[file->count]; i++)
            if (fscanf(stream, "%lf", &values[i]) != 1) stop("cut off", file->names[file->count]);
        file->values[file->count++] = values;
    }
    fclose(stream);
    return file;
}

void golden_close(golden *file) {
    for (int i = 0; i < file->count; i++)
        free(file->values[i]);
    free(file);
}

const double *golden_get(const golden *file, const char *name, size_t count) {
    for (int i = 0; i < file->count; i++)
        if (strcmp(file->names[i], name) == 0) {
            if (file->counts[i] != count) stop("another count", name);
            return file->values[i];
        }
    stop("absent", name);
    return NULL;
}
