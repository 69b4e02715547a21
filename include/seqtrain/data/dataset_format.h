// The format of a data set, for its writer and its reader.
#ifndef SEQTRAIN_DATA_DATASET_FORMAT_H
#define SEQTRAIN_DATA_DATASET_FORMAT_H

#include <seqtrain/data/dataset.h>
#include <seqtrain/storage/vector_file.h>

enum { SEQ_DATASET_VERSION = 1, SEQ_TOKEN_CHUNK = 1 << 16 }; // chunk in tokens

void seq_shard_file_name(seq_split split, int64_t shard, char out[32]);
// The narrowest integer that holds every id.
seq_element seq_token_element(int vocabulary);

#endif
