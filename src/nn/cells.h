// The cells, one file each.
#ifndef SEQ_NN_CELLS_H
#define SEQ_NN_CELLS_H

#include <seqtrain/nn/cell.h>

extern const seq_cell seq_cell_lstm, seq_cell_lstm_peephole, seq_cell_gru, seq_cell_gru_reset_after,
    seq_cell_gru_simple, seq_cell_rnn;

#endif
