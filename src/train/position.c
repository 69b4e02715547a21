// The place of a run in its data, from its position. Invariant: the last window
// of an epoch is the only one that may be shorter than --window. Test:
// tests/mpi/train_bytes.sh.
#include "trainer.h"

int seq_train_window_steps(const seq_trainer *trainer) {
    int64_t left = trainer->stream_length - trainer->position.window * trainer->window;
    return left < trainer->window ? (int)left : trainer->window;
}
