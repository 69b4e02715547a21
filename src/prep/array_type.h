// Elements of arrays in binary files, and how they become float32.
#ifndef SEQ_PREP_ARRAY_TYPE_H
#define SEQ_PREP_ARRAY_TYPE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum seq_array_class {
    SEQ_ARRAY_REAL,
    SEQ_ARRAY_SIGNED,
    SEQ_ARRAY_UNSIGNED
} seq_array_class;

typedef struct seq_array_type {
    seq_array_class class;
    int size; // bytes: reals 2, 4, 8 (IEEE 754); integers 1, 2, 4, 8
    bool big; // the first byte is the highest
} seq_array_type;

// Whether it is one of those above.
bool seq_array_type_known(seq_array_type type);
// `count` elements to the nearest float32; beyond its range they are infinite.
void seq_array_convert(seq_array_type type, const unsigned char *bytes, size_t count, float *out);

#endif
