// Makes a data set of items, in bounded memory: a shard of each split, of
// `shard_bytes`, and an item. Order of calls: create, then (when schema and
// vocabularies are known) begin, add for each item, finish; destroy always.
#ifndef SEQTRAIN_PREP_DATASET_WRITER_H
#define SEQTRAIN_PREP_DATASET_WRITER_H

#include <seqtrain/data/items.h>
#include <seqtrain/storage/vector_file.h>

enum { SEQ_SHARD_BYTES = 32 << 20 };

typedef struct seq_dataset_target {
    const char *output; // must not exist, or be an empty directory, or hold a data set and `force`
                        // is set; not inside an input folder
    bool force;
    const char *const *inputs; // files and folders that are read meanwhile
    size_t input_count;
} seq_dataset_target;

typedef struct seq_dataset_writer seq_dataset_writer;
// Takes the target's place as seqprep does and makes a folder beside it to work
// in. SEQ_BAD_USAGE when the target may not be written to, or another job has it.
// Call seq_storage_begin before.
seq_status seq_dataset_writer_create(const seq_dataset_target *target, seq_dataset_writer **out,
                                     seq_error *error);
// The folder: the caller may keep one temporary file "units.tmp" here, and removes it before
// seq_dataset_writer_finish.
const char *seq_dataset_writer_folder(const seq_dataset_writer *writer);
// Copies the schema; `vocabularies` (by the schema's index) stay the caller's and live until
// finish. shard_bytes 0: SEQ_SHARD_BYTES, of columns before compression. A field that is
// normalised globally or by group, and has no statistics yet, gets those of the training part (1
// for a deviation of 0); its `groups` is set here. Items must have ids of SEQ_GROUP_FIELD then.
seq_status seq_dataset_writer_begin(seq_dataset_writer *writer, const seq_schema *schema,
                                    const seq_vocabulary *const *vocabularies, size_t shard_bytes,
                                    seq_pipeline pipeline, seq_error *error);
// Appends items to a split; splits may alternate. SEQ_BAD_INPUT when an id is not in its
// vocabulary, a value is not finite, or a column is missing that the schema has: the message names
// item, field and row.
seq_status seq_dataset_writer_add(seq_dataset_writer *writer, seq_split split,
                                  const seq_items *items, seq_error *error);
// Writes what is left, the vocabularies, summary.txt (fields and counts, then `notes`, lines of the
// caller's; NULL: none) and last the manifest, and puts the data set into its place. Before this
// the target is what it was.
seq_status seq_dataset_writer_finish(seq_dataset_writer *writer, const char *notes,
                                     seq_error *error);
// Removes what was not finished. NULL is fine.
void seq_dataset_writer_destroy(seq_dataset_writer *writer);

#endif
