// The cells, one file each.
#ifndef SEQ_NN_CELLS_H
#define SEQ_NN_CELLS_H

#include <seqtrain/nn/cell.h>

// Where row b of the step's units begins in a block (B, H), and in the gates (B, G H): gate g is at
// + g H.
static inline size_t seq_cell_row(const seq_cell_step *step, int b) {
    return (size_t)b * (size_t)step->hidden + (size_t)step->first;
}

static inline float *seq_cell_gates(const seq_cell_step *step, int gates, int b) {
    return step->gates + (size_t)gates * (size_t)b * (size_t)step->hidden + step->first;
}

extern const seq_cell seq_cell_lstm, seq_cell_lstm_peephole, seq_cell_lstm_peephole_current,
    seq_cell_gru, seq_cell_gru_reset_after, seq_cell_gru_simple, seq_cell_rnn;

#endif
