#include "trainer.h"
#include <seqtrain/base/signals.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_RESERVE = 5 }; // seconds kept for leaving in good order

static char *block_of(const seq_trainer *trainer, int rank) {
    return trainer->reports + (size_t)rank * trainer->report_size;
}

static void combine(seq_rank_report *out, const seq_rank_report *other) {
    out->status = other->status > out->status ? other->status : out->status;
    out->stop = other->stop > out->stop ? other->stop : out->stop;
    out->save |= other->save;
    out->writing |= other->writing;
    out->trouble |= other->trouble;
}

seq_status seq_train_exchange(seq_trainer *trainer, const seq_rank_report *own,
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
        trainer->nats[replica] = trainer->losses[replica].nats;
        total.tokens += trainer->losses[replica].tokens;
        total.correct += trainer->losses[replica].correct;
    }
    total.nats = seq_tree_sum_double(trainer->nats, trainer->replicas);
    return total;
}

static bool time_is_up(const seq_trainer *trainer) {
    double limit = trainer->options->time_limit;
    if (limit <= 0 || seq_comm_rank(trainer->comm) != 0) return false;
    double reserve = TIME_RESERVE + seq_train_save_reserve(trainer) + trainer->longest_step;
    if (reserve > limit / 2) reserve = limit / 2;
    return seq_train_seconds() - trainer->started > limit - reserve;
}

seq_stop_reason seq_train_stop_reason(const seq_trainer *trainer) {
    if (seq_signals_caught()) return SEQ_STOP_SIGNAL;
    return time_is_up(trainer) ? SEQ_STOP_TIME : SEQ_RUN_ON;
}
