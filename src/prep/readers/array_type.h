// Elements of arrays in binary files, and how they become float32.
#ifndef SEQ_PREP_ARRAY_TYPE_H
#define SEQ_PREP_ARRAY_TYPE_H

#include <seqtrain/storage/array_file.h>

// Reals of 2, 4 and 8 bytes, integers of 1, 2, 4 and 8.
bool seq_array_type_known(seq_array_type type);
// `count` elements to the nearest float32; beyond its range they are infinite.
void seq_array_convert(seq_array_type type, const unsigned char *bytes, size_t count, float *out);

#endif
