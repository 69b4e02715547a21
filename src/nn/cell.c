// The registry of cells: names in the order in which options and messages list
// them. Invariant: `names` and `cells` hold the same cells; checkpoints record
// the name, so an entry may be added and never renamed. Test:
// tests/unit/model/test_gradient.c differentiates every cell.
#include "cells.h"
#include <string.h>

static const seq_cell *const cells[] = {
    &seq_cell_lstm, &seq_cell_lstm_peephole,   &seq_cell_lstm_peephole_current,
    &seq_cell_gru,  &seq_cell_gru_reset_after, &seq_cell_gru_simple,
    &seq_cell_rnn,
};
static const char *const names[] = {
    "lstm", "lstm-peephole", "lstm-peephole-current", "gru", "gru-reset-after", "gru-simple", "rnn",
    NULL,
};

const char *const *seq_cell_names(void) {
    return names;
}

const seq_cell *seq_cell_find(const char *name) {
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (strcmp(cells[i]->name, name) == 0) return cells[i];
    return NULL;
}
