#include "trainer.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_train_state(seq_trainer *trainer, seq_state *out) {
    *out = (seq_state){.count = 0};
    out->vectors[out->count++] =
        (seq_state_vector){"parameters", trainer->parameters, trainer->table->size};
    for (int i = 0; i < trainer->optimizer->states; i++)
        out->vectors[out->count++] = (seq_state_vector){trainer->optimizer->state_names[i],
                                                        trainer->moments[i], trainer->table->size};
    size_t states = (size_t)trainer->replicas * trainer->state_size;
    out->vectors[out->count++] = (seq_state_vector){"stream_states", trainer->states, states};
}

static bool is_root(const seq_trainer *trainer) {
    return seq_comm_rank(trainer->comm) == 0;
}

static seq_status begin(const seq_trainer *trainer, char directory[SEQ_PATH], seq_error *error) {
    seq_status status =
        seq_checkpoint_directory(trainer->options->run, trainer->position.step, directory, error);
    if (!status && is_root(trainer))
        status =
            seq_checkpoint_begin(trainer->options->run, trainer->position.step, directory, error);
    (void)status;
    return seq_comm_agree(trainer->comm, error);
}

// Rank r writes shards r, r + P ...; digests lie rank by rank in `blocks`, `per_rank` each.
static void write_own_shards(seq_trainer *trainer, const char *directory, seq_digest *blocks,
                             int per_rank, seq_error *error) {
    int rank = seq_comm_rank(trainer->comm), size = seq_comm_size(trainer->comm),
        shards = (int)trainer->options->shards;
    seq_state state;
    seq_train_state(trainer, &state);
    for (int shard = rank, i = 0; shard < shards && !error->status; shard += size, i++)
        seq_checkpoint_write_shard(directory, shard, shards, &state,
                                   seq_train_pipeline(trainer->options),
                                   &blocks[rank * per_rank + i], error);
}

static seq_status write_shards(seq_trainer *trainer, const char *directory, seq_digest *digests,
                               seq_error *error) {
    int size = seq_comm_size(trainer->comm), shards = (int)trainer->options->shards;
    int per_rank = (shards + size - 1) / size;
    seq_digest *blocks = NULL;
    seq_allocate(&blocks, (size_t)size * (size_t)per_rank, sizeof *blocks,
                 "the digests of a checkpoint", error);
    if (!error->status) write_own_shards(trainer, directory, blocks, per_rank, error);
    seq_status status = seq_comm_agree(trainer->comm, error);
    if (!status)
        status = seq_comm_gather(trainer->comm, blocks, (size_t)per_rank * sizeof *blocks, error);
    for (int shard = 0; !status && shard < shards; shard++)
        digests[shard] = blocks[(shard % size) * per_rank + shard / size];
    free(blocks);
    return status;
}

static seq_status commit(seq_trainer *trainer, const char *directory, const seq_digest *digests,
                         seq_error *error) {
    if (is_root(trainer)) {
        seq_manifest description = {0};
        seq_state state;
        seq_train_state(trainer, &state);
        if (!seq_train_describe(trainer, &description, error))
            seq_checkpoint_commit(directory, (int)trainer->options->shards, digests, &state,
                                  trainer->table, seq_dataset_vocabulary(trainer->dataset),
                                  &description, error);
        seq_manifest_clear(&description);
    }
    return seq_comm_agree(trainer->comm, error);
}

static seq_status retain(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    if (is_root(trainer))
        seq_checkpoint_retain(options->run, (int)options->keep, options->keep_every,
                              trainer->position.best_step, error);
    return seq_comm_agree(trainer->comm, error);
}

static void remove_unfinished(const seq_trainer *trainer, const char *directory) {
    seq_error ignored = {0};
    if (is_root(trainer) && *directory) seq_directory_remove(directory, &ignored);
}

static seq_status write_checkpoint(seq_trainer *trainer, char directory[SEQ_PATH],
                                   seq_error *error) {
    seq_digest *digests = NULL;
    size_t shards = (size_t)trainer->options->shards;
    bool begun = false;
    seq_allocate(&digests, shards, sizeof *digests, "the digests of a checkpoint", error);
    seq_status status = begin(trainer, directory, error); // agrees on the allocation, too
    if (status) goto out;
    begun = true;
    status = seq_comm_gather_shared(
        trainer->comm, trainer->states,
        (size_t)trainer->own_replicas * trainer->state_size * sizeof(float), error);
    if (!status) status = write_shards(trainer, directory, digests, error);
    if (!status) status = commit(trainer, directory, digests, error);
out:
    if (status && begun) remove_unfinished(trainer, directory);
    free(digests);
    return status;
}

// Validation has changed the position, nothing else: a new manifest replaces the old one in one
// atomic step.
static seq_status renew_manifest(seq_trainer *trainer, char directory[SEQ_PATH], seq_error *error) {
    seq_manifest manifest = {0};
    seq_status status =
        seq_checkpoint_directory(trainer->options->run, trainer->position.step, directory, error);
    if (!status && is_root(trainer)) {
        if (!seq_checkpoint_read_manifest(directory, &manifest, error) &&
            !seq_train_describe(trainer, &manifest, error))
            seq_manifest_write(&manifest, directory, "manifest.json", error);
    }
    seq_manifest_clear(&manifest);
    return seq_comm_agree(trainer->comm, error);
}

seq_status seq_train_save(seq_trainer *trainer, seq_error *error) {
    char directory[SEQ_PATH] = "";
    double begun = seq_train_seconds();
    bool renew = trainer->saved_step == trainer->position.step;
    seq_status status = renew ? renew_manifest(trainer, directory, error)
                              : write_checkpoint(trainer, directory, error);
    if (status)
        return seq_error_add_context(error, "writing the checkpoint of step %lld",
                                     (long long)trainer->position.step);
    trainer->saved_step = trainer->position.step;
    trainer->last_save = seq_train_seconds();
    trainer->save_seconds = trainer->last_save - begun;
    seq_progress_checkpoint(trainer, directory, trainer->save_seconds);
    return retain(trainer, error);
}
