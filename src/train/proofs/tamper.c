// Faults for tests of the proofs, in test builds only: a rank that reads
// another's streams, and a bit that flips in one copy of the state. Tests:
// tests/fault/audit.sh, tests/fault/replica_check.sh.
#include "tamper.h"

#ifdef SEQ_FAULT_INJECTION
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int seq_tamper_first_stream(const seq_trainer *trainer, int first) {
    const char *rank = getenv("SEQ_MISREAD");
    if (!rank || strtol(rank, NULL, 10) != seq_comm_rank(trainer->comm)) return first;
    int streams = trainer->own_replicas * trainer->batch;
    return (first + streams) % (trainer->replicas * trainer->batch);
}

void seq_tamper_vectors(const seq_trainer *trainer) {
    const char *wanted = getenv("SEQ_FLIP");
    int vector = 0, rank = -1;
    long long step = -1;
    if (!wanted || sscanf(wanted, "%d:%lld:%d", &vector, &step, &rank) != 3) return;
    if (rank != seq_comm_rank(trainer->comm) || step != trainer->position.step) return;
    float *place = vector ? trainer->moments[vector - 1] : trainer->parameters;
    uint32_t bits;
    place += trainer->table->size / 2;
    memcpy(&bits, place, sizeof bits);
    bits ^= 1u << 16;
    memcpy(place, &bits, sizeof bits);
}
#endif
