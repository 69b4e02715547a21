// Every rank hashes the parameters and the optimiser's state as it sees them:
// on one node all see one copy, each through a mapping of its own, on several
// nodes there is a copy each. One digest a vector and parameter, so that a
// deviation has a name. Tests: tests/fault/replica_check.sh,
// tests/fault/elastic_hosts.sh.
#include "saving/saving.h"
#include "verify.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST = 64, NAMES = 400 };

// A block a rank: its host's name, then the digests (vectors, rows of the parameter table).
typedef struct seq_replica_check {
    int vectors, rows;
    size_t block; // bytes
    char *blocks; // (P, block)
} replica_check;

static char *block_of(const replica_check *check, int rank) {
    return check->blocks + (size_t)rank * check->block;
}

static const char *digests_of(const replica_check *check, int rank) {
    return block_of(check, rank) + HOST;
}

// The optimiser's vectors follow the parameters; the states of the streams are not alike by nature.
static int vectors_of(const seq_trainer *trainer) {
    return 1 + trainer->optimizer->states;
}

static void fill_block(seq_trainer *trainer, const replica_check *check) {
    char *block = block_of(check, seq_comm_rank(trainer->comm));
    seq_digest *digest = (seq_digest *)(void *)(block + HOST);
    seq_state state;
    seq_train_state(trainer, &state);
    memset(block, 0, check->block);
    gethostname(block, HOST - 1);
    for (int vector = 0; vector < check->vectors; vector++)
        for (int row = 0; row < check->rows; row++) {
            const seq_parameter *parameter = &trainer->table->items[row];
            seq_digest_bytes(state.vectors[vector].values + parameter->offset,
                             seq_parameter_size(parameter) * sizeof(float), digest++);
        }
}

static bool alike(const replica_check *check, int a, int b) {
    return memcmp(digests_of(check, a), digests_of(check, b), check->block - HOST) == 0;
}

// The rank whose copy most ranks have; the lowest of several.
static int most_frequent(const replica_check *check, int ranks) {
    int best = 0, best_votes = 0;
    for (int rank = 0; rank < ranks; rank++) {
        int votes = 0;
        for (int other = 0; other < ranks; other++)
            votes += alike(check, rank, other);
        if (votes > best_votes) {
            best = rank;
            best_votes = votes;
        }
    }
    return best;
}

static int first_other(const replica_check *check, int ranks) {
    for (int rank = 1; rank < ranks; rank++)
        if (!alike(check, 0, rank)) return rank;
    return -1;
}

// "rank 2 on host b, rank 3 on host b": those that differ from `good`.
static int list_others(const replica_check *check, int ranks, int good, char *out, size_t size) {
    size_t used = 0;
    int others = 0;
    for (int rank = 0; rank < ranks; rank++) {
        if (alike(check, good, rank)) continue;
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%srank %d on host %s",
                                     others ? ", " : "", rank, block_of(check, rank));
        others++;
    }
    return others;
}

// The first parameter and vector in which two ranks differ.
static void find_place(seq_trainer *trainer, const replica_check *check, int a, int b,
                       const char **out_vector, const char **out_parameter) {
    int place = 0;
    while (memcmp(digests_of(check, a) + (size_t)place * sizeof(seq_digest),
                  digests_of(check, b) + (size_t)place * sizeof(seq_digest),
                  sizeof(seq_digest)) == 0)
        place++;
    seq_state state;
    seq_train_state(trainer, &state);
    *out_vector = state.vectors[place / check->rows].name;
    *out_parameter = trainer->table->items[place % check->rows].name;
}

// The same on every rank. The message is out before any rank may end the others.
seq_status seq_train_tell_difference(seq_trainer *trainer, seq_error *error) {
    const replica_check *check = trainer->check;
    int ranks = seq_comm_size(trainer->comm), good = most_frequent(check, ranks), bad = 0;
    char names[NAMES];
    const char *vector, *parameter;
    while (alike(check, good, bad))
        bad++;
    int others = list_others(check, ranks, good, names, sizeof names);
    find_place(trainer, check, good, bad, &vector, &parameter);
    seq_log_error("replica check after step %lld: %s differ%s from rank %d on host %s%s, first in "
                  "the %s of %s",
                  (long long)trainer->position.step, names, others == 1 ? "s" : "", good,
                  block_of(check, good),
                  2 * others == ranks ? " (as many say the one as the other)" : "", vector,
                  parameter);
    seq_error_set(error, SEQ_RANK_FAILED,
                  "the ranks' copies of the training state differ after step %lld: nothing of it "
                  "is saved; run again to continue from the last checkpoint",
                  (long long)trainer->position.step);
    return seq_comm_agree(trainer->comm, error);
}

static seq_status compare(seq_trainer *trainer, bool *out_differ, seq_error *error) {
    int ranks = seq_comm_size(trainer->comm);
    replica_check *check = trainer->check;
    fill_block(trainer, check);
    seq_status status = seq_comm_gather(trainer->comm, check->blocks, check->block, error);
    if (status) return status;
    trainer->checked_step = trainer->position.step;
    *out_differ = first_other(check, ranks) >= 0;
    return SEQ_OK;
}

seq_status seq_train_check_create(seq_trainer *trainer, seq_error *error) {
    replica_check *check;
    trainer->checked_step = -1;
    if (!trainer->options->check_replicas) return SEQ_OK;
    const char *what = "the comparison of the replicas";
    seq_status status = seq_allocate(&trainer->check, 1, sizeof *check, what, error);
    if (status) return status;
    check = trainer->check;
    check->vectors = vectors_of(trainer);
    check->rows = trainer->table->count;
    check->block = HOST + (size_t)check->vectors * (size_t)check->rows * sizeof(seq_digest);
    return seq_allocate(&check->blocks, (size_t)seq_comm_size(trainer->comm), check->block, what,
                        error);
}

void seq_train_check_destroy(seq_trainer *trainer) {
    if (trainer->check) free(trainer->check->blocks);
    free(trainer->check);
    trainer->check = NULL;
}

seq_status seq_train_check_replicas(seq_trainer *trainer, bool saving, bool *out_differ,
                                    seq_error *error) {
    int64_t every = trainer->options->check_replicas, step = trainer->position.step;
    *out_differ = false;
    if (!every || trainer->checked_step == step || (!saving && step % every != 0)) return SEQ_OK;
    return compare(trainer, out_differ, error);
}
