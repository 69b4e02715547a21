// Lists the vectors of the training state by name. Checkpoints, the replica
// check and a resume walk the same list. Tests: tests/mpi/train_bytes.sh,
// tests/fault/replica_check.sh.
#include "saving.h"
#include <stdio.h>

void seq_train_state(seq_trainer *trainer, seq_state *out) {
    *out = (seq_state){.count = 0};
    out->vectors[out->count++] =
        (seq_state_vector){"parameters", trainer->parameters, trainer->table->size};
    for (int i = 0; i < trainer->optimizer->states; i++)
        out->vectors[out->count++] = (seq_state_vector){trainer->optimizer->state_names[i],
                                                        trainer->moments[i], trainer->table->size};
    size_t states = (size_t)trainer->replicas * trainer->state_size;
    if (!trainer->states) return;
    out->vectors[out->count++] = (seq_state_vector){"stream_states", trainer->states, states};
}
