// The report of a step: one gather of a block a rank, with status, wishes,
// audit and losses. Each rank combines them by maximum, or, and sum. Invariant:
// losses of replicas are summed in the order of the tree, so their total has
// the same bits on any number of ranks. Tests: tests/mpi/train_bytes.sh,
// tests/fault/signals.sh.
#include "step.h"
#include <stdlib.h>
#include <string.h>

static char *block_of(const seq_trainer *trainer, int rank) {
    return trainer->reports + (size_t)rank * trainer->report_size;
}

static void combine(seq_rank_report *out, const seq_rank_report *other) {
    out->status = other->status > out->status ? other->status : out->status;
    out->stop = other->stop > out->stop ? other->stop : out->stop;
    out->save |= other->save;
    out->writing |= other->writing;
    seq_coverage_add(&out->read, &other->read);
    out->anomaly |= other->anomaly;
}

seq_status seq_train_share_reports(seq_trainer *trainer, const seq_rank_report *own,
                                   seq_rank_report *out, seq_error *error) {
    char *block = block_of(trainer, seq_comm_rank(trainer->comm));
    size_t losses = (size_t)trainer->own_replicas * sizeof(seq_loss);
    memcpy(block, own, sizeof *own);
    memcpy(block + sizeof *own, trainer->losses + trainer->first_replica, losses);
    seq_status status =
        seq_comm_gather(trainer->comm, trainer->reports, trainer->report_size, error);
    if (status) return status;
    *out = (seq_rank_report){0};
    for (int rank = 0; rank < seq_comm_size(trainer->comm); rank++) {
        seq_rank_report report;
        block = block_of(trainer, rank);
        memcpy(&report, block, sizeof report);
        memcpy(trainer->losses + (size_t)rank * (size_t)trainer->own_replicas,
               block + sizeof report, losses);
        combine(out, &report);
    }
    return out->status ? seq_comm_agree(trainer->comm, error) : SEQ_OK;
}

seq_loss seq_train_total_loss(const seq_trainer *trainer) {
    seq_loss total = {0};
    for (int replica = 0; replica < trainer->replicas; replica++) {
        trainer->nats[replica] = trainer->losses[replica].sum;
        total.count += trainer->losses[replica].count;
        total.correct += trainer->losses[replica].correct;
        total.frames += trainer->losses[replica].frames;
        total.blanks += trainer->losses[replica].blanks;
    }
    total.sum = seq_tree_sum_double(trainer->nats, trainer->replicas);
    return total;
}
