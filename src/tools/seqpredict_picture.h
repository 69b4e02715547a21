// Attention as a picture: SVG with a square for each pair of an output unit and a source unit.
#ifndef SEQ_TOOLS_SEQPREDICT_PICTURE_H
#define SEQ_TOOLS_SEQPREDICT_PICTURE_H

#include <stddef.h>
#include <stdio.h>

typedef struct attention_picture {
    const char *title;
    const char *const *columns, *const *rows; // texts of source and output units
    size_t column_count, row_count;
    const float *weights; // (rows, columns), 0 .. 1
} attention_picture;

void attention_picture_print(FILE *stream, const attention_picture *picture);

#endif
