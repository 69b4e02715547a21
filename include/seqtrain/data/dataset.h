// A prepared data set: a directory with dataset.json (manifest, written last), vocabulary.tsv and
// vocabulary-NAME.tsv, summary.txt and HDF5 shards train-0000.h5, valid-0000.h5, test-0000.h5 ...
// That of a language model has one vector "tokens" a shard, a stream. One with a schema has items
// (data/items.h): a vector a field, AXIS.ends, and item.group, item.counted, item.raw where needed.
#ifndef SEQTRAIN_DATA_DATASET_H
#define SEQTRAIN_DATA_DATASET_H

#include <seqtrain/data/schema.h>
#include <seqtrain/data/vocabulary.h>

typedef enum seq_split { SEQ_TRAIN, SEQ_VALID, SEQ_TEST, SEQ_SPLITS } seq_split;
const char *seq_split_name(seq_split split); // "train", "valid", "test"

typedef struct seq_dataset seq_dataset;
// Reads and checks manifest and vocabulary (hash included); token shards are hashed when they are
// read first. Every failure is SEQ_BAD_INPUT unless it is one of the system.
seq_status seq_dataset_open(const char *path, seq_dataset **out, seq_error *error);
void seq_dataset_close(seq_dataset *dataset);
const char *seq_dataset_path(const seq_dataset *dataset);
const seq_manifest *seq_dataset_manifest(const seq_dataset *dataset);
const seq_schema *seq_dataset_schema(const seq_dataset *dataset);
// Values and numbers are normalised as in `schema`, a schema of the same hash: that of the data set
// that a model was trained on.
seq_status seq_dataset_normalise_as(seq_dataset *dataset, const seq_schema *schema,
                                    seq_error *error);
// The first one (an empty one where the schema has none); all by the schema's index.
const seq_vocabulary *seq_dataset_vocabulary(const seq_dataset *dataset);
const seq_vocabulary *seq_dataset_vocabulary_at(const seq_dataset *dataset, int index);
// Hex XXH3-128 of the vocabulary file, of several the hash of their hashes: a run and a data set
// fit together when these are equal.
const char *seq_dataset_vocabulary_hash(const seq_dataset *dataset);
// Hex hash of the manifest: identifies the data of a run.
const char *seq_dataset_hash(const seq_dataset *dataset);
// Of streams; of items, the rows of the axis of lengths. 0: the split is absent.
int64_t seq_dataset_tokens(const seq_dataset *dataset, seq_split split);
seq_status seq_dataset_verify(seq_dataset *dataset,
                              seq_error *error); // every file against its hash

// SEQ_BAD_INPUT for a data set of items: language models are trained on a stream of tokens.
seq_status seq_dataset_require_stream(const seq_dataset *dataset, seq_error *error);
// Tokens [offset, offset + count) of a split of streams; ids are checked against the vocabulary's
// size, shards against their hashes. SEQ_BAD_INPUT when the data set has been replaced since it was
// opened.
seq_status seq_dataset_read(seq_dataset *dataset, seq_split split, int64_t offset, size_t count,
                            int32_t *out, seq_error *error);

#endif
