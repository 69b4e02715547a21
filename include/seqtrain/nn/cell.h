// Recurrent cells by name. A cell is a file of src/nn with the element-wise mathematics of one step and a row here.
#ifndef SEQTRAIN_NN_CELL_H
#define SEQTRAIN_NN_CELL_H

typedef struct seq_cell seq_cell;

// NULL-terminated: "lstm", "lstm-peephole", "gru", "gru-reset-after", "gru-simple", "rnn".
const char *const *seq_cell_names(void);
// NULL for an unknown name.
const seq_cell *seq_cell_find(const char *name);

#endif
