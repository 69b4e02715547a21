// Training state <-> files. RUN/checkpoints/step-000012000/: shard-0000.h5 ... (slice i of every
// flat vector), model.h5 (views by parameter name), the schema's vocabularies (vocabulary.tsv and,
// where there are more, vocabulary-NAME.tsv), manifest.json (written last = the commit). Knows no
// ranks: the caller says which shards to write or read and votes between the phases. Failures of a
// checkpoint's content are SEQ_NO_CHECKPOINT.
#ifndef SEQTRAIN_CHECKPOINT_CHECKPOINT_H
#define SEQTRAIN_CHECKPOINT_CHECKPOINT_H

#include <seqtrain/base/file.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/data/schema.h>
#include <seqtrain/data/vocabulary.h>
#include <seqtrain/model/model.h>
#include <seqtrain/storage/manifest.h>
#include <seqtrain/storage/vector_file.h>
#include <seqtrain/task/task.h>

enum { SEQ_STATE_VECTORS = 8 };

// One flat vector of the training state: "parameters", "first_moment", ..., "stream_states". Shard
// i of N holds elements [count * i / N, count * (i + 1) / N).
typedef struct seq_state_vector {
    const char *name;
    float *values; // caller's
    size_t count;
} seq_state_vector;

typedef struct seq_state {
    seq_state_vector vectors[SEQ_STATE_VECTORS]; // vectors[0] is "parameters"
    int count;
} seq_state;

// Writing, in phases; the caller agrees after each.
// 1. one process: creates RUN/checkpoints/step-N, removing an uncommitted leftover of the same
// name. A committed one of the same
//    step is SEQ_BAD_USAGE.
seq_status seq_checkpoint_begin(const char *run, int64_t step, char out_directory[SEQ_PATH],
                                seq_error *error);
// 2. shard by shard, any process and thread: writes, syncs and digests one. `slices` holds what
// seq_checkpoint_slice gives for it,
//    in place or copied.
void seq_checkpoint_slice(const seq_state *state, int shard, int shards, seq_state *out_slices);
seq_status seq_checkpoint_write_shard(const char *directory, int shard, const seq_state *slices,
                                      seq_pipeline pipeline, seq_digest *out_digest,
                                      seq_error *error);
// 3. one process: model.h5, the vocabularies, manifest.json with the sections of `description`
// ("model", "schema", "options", "position", "schedule", "data", "program" ... filled by the
// caller), directory syncs (up to RUN and its entry, which are to outlive what is retired next). Of
// `state`, names and counts are used. `vocabularies` are those of the schema that `description`
// has, by its index; without a schema there is one.
seq_status seq_checkpoint_commit(const char *directory, int shards, const seq_digest *digests,
                                 const seq_state *state, const seq_parameter_table *table,
                                 const seq_vocabulary *const *vocabularies,
                                 seq_manifest *description, seq_error *error);

// Which committed checkpoints stay.
typedef struct seq_retention {
    int newest;          // so many of the newest
    int64_t every;       // steps that are a multiple of this, 0: none
    int64_t best_step;   // -1: none
    int64_t target_step; // that a rollback would go back to, -1: none
} seq_retention;

// 4. one process: removes all other committed checkpoints, and uncommitted leftovers that are older
// than the newest. Damaged ones stay.
// Removes the checkpoints after `step`.
seq_status seq_checkpoint_remove_newer(const char *run, int64_t step, seq_error *error);
seq_status seq_checkpoint_prune(const char *run, const seq_retention *rule, seq_error *error);
// Removes one, the manifest first: what is interrupted leaves an uncommitted one. Of a link to one,
// the link.
seq_status seq_checkpoint_remove(const char *directory, seq_error *error);
// One process, at the start: temporary files that a killed process left in RUN and in its committed
// checkpoints go, and so does what a killed --reshard left beside them (named where it may be
// alive).
seq_status seq_checkpoint_tidy(const char *run, seq_error *error);

// Reading. Where files are large, SEQ_STOPPED once a signal has been caught
// (seqtrain/base/signals.h), between two shards. Steps of the committed checkpoints (a manifest is
// there), newest first. Release with free(). A missing directory is an empty list.
seq_status seq_checkpoint_list(const char *run, int64_t **out_steps, size_t *out_count,
                               seq_error *error);
// Steps of the directories without a manifest, likewise: what was being written when a process
// died, or has lost it.
seq_status seq_checkpoint_list_incomplete(const char *run, int64_t **out_steps, size_t *out_count,
                                          seq_error *error);
seq_status seq_checkpoint_directory(const char *run, int64_t step, char out[SEQ_PATH],
                                    seq_error *error);
// Reads and checks the manifest only; in a directory named step-N, it must be of that step.
seq_status seq_checkpoint_read_manifest(const char *directory, seq_manifest *out, seq_error *error);
int seq_checkpoint_shards(const seq_manifest *manifest);

// What has been read of a checkpoint so far. Zero-initialised before; stays where it was made.
typedef struct seq_loaded {
    char directory[SEQ_PATH];
    seq_manifest manifest;
    seq_schema schema;                              // of the data set that it was trained on
    seq_vocabulary *vocabularies[SEQ_VOCABULARIES]; // by the schema's index
    const seq_vocabulary *vocabulary;               // the first of them
    const seq_task *task;
    seq_settings settings; // of seq_task_groups
    seq_model *model;
    float *parameters;   // flat vector
    void *packed;        // its matrices, for forward passes
    seq_weights weights; // both
} seq_loaded;
void seq_loaded_clear(seq_loaded *loaded);

// All that reads a checkpoint goes this way. Each phase trusts what those before it have found, so
// nothing large is read, and no memory taken, for a promise that nobody keeps. Ranks that share the
// work agree after each phase.
// 1. The manifest, and what it says by itself: schema, files, sizes that are worth its numbers. No
//    other file is opened.
seq_status seq_checkpoint_open(const char *directory, seq_loaded *out, seq_error *error);
// 2. Size and hash of model.h5 and of the vocabularies; reads these and makes the model, which has
//    as many parameters as the manifest says.
seq_status seq_checkpoint_build(seq_loaded *loaded, const seq_compute *compute, seq_error *error);
// 3. Size and hash of the shards i with i % of == index.
seq_status seq_checkpoint_verify(const char *directory, const seq_manifest *manifest, int index,
                                 int of, seq_error *error);
// 4. Decodes this reader's range of each vector of `into` (names, and counts as in the manifest):
//    `values` holds the range; NULL: it is decoded in little memory, and looked at only. What
//    hashes cannot tell is checked: lengths as the manifest says, all values finite.
typedef struct seq_vector_range {
    size_t begin, end;
} seq_vector_range;
// Ranges follow each other. Those of all readers but the first have count / of elements, so the
// ranges of a node's ranks are as long as those of another's.
seq_vector_range seq_checkpoint_range(size_t count, int index, int of);
seq_status seq_checkpoint_read(const char *directory, const seq_manifest *manifest,
                               const seq_state *into, int index, int of, seq_error *error);

// Names (the manifest's) and counts of the vectors that a checkpoint has; no values.
seq_status seq_checkpoint_state(const char *directory, const seq_manifest *manifest, seq_state *out,
                                seq_error *error);
// The counts that the manifest gives for the vectors of `state` must be those of `state`.
seq_status seq_checkpoint_check_counts(const char *directory, const seq_manifest *manifest,
                                       const seq_state *state, seq_error *error);

// A run removes and replaces checkpoints while others read them. A reader notes the checkpoint
// before it reads, and asks what has become of it at the end and after any failure. What was read
// counts, and a failure is a fault of the checkpoint, only while that is SEQ_PRESENT. `noted` has
// size 0 for a checkpoint without a manifest.
typedef enum seq_presence {
    SEQ_PRESENT,
    SEQ_REPLACED, // another manifest is in its place: read again
    SEQ_REMOVED   // list again
} seq_presence;
enum { SEQ_READ_ATTEMPTS = 100 }; // a reader that is overtaken so often gives up
void seq_checkpoint_note(const char *directory, seq_digest *out);
seq_presence seq_checkpoint_presence(const char *directory, const seq_digest *noted);
// SEQ_NO_CHECKPOINT: removed, or replaced too often, in place of what `error` says. `path`: a
// checkpoint or a run.
seq_status seq_checkpoint_tell_moved(const char *path, seq_presence presence, seq_error *error);

// Writes the checkpoint `source` with another number of shards to `output`, which must not exist or
// be an empty folder: the bytes that a run with that --shards would have written. Memory holds one
// shard. NULL as output: in place of the source, which stays until the new one is whole and then
// changes places with it at once.
seq_status seq_checkpoint_reshard(const char *source, int shards, const char *output,
                                  seq_error *error);

// For seqsample, seqeval and seqinfo: a RUN directory (its best checkpoint when `prefer_best` and
// one is recorded, else the newest; falls back to the next older one with a warning that says why)
// or one CHECKPOINT directory; verified, loaded, ready to use. Checkpoints that are removed or
// replaced meanwhile are no damage: a run is listed again.
seq_status seq_checkpoint_load(const char *path, bool prefer_best, const seq_compute *compute,
                               seq_loaded *out, seq_error *error);
// The newest checkpoint of a run with the mean of the parameters of its last `count`, in double,
// and rounded once. Says which they are. SEQ_NO_CHECKPOINT: there are fewer, one of them cannot be
// used, or is of another model.
seq_status seq_checkpoint_load_average(const char *run, int count, const seq_compute *compute,
                                       seq_loaded *out, seq_error *error);

#endif
