// The members of the family that output.c registers.
#ifndef SEQ_NN_OUTPUTS_H
#define SEQ_NN_OUTPUTS_H

#include <seqtrain/nn/output.h>

extern const seq_output_kind seq_output_full, seq_output_sampled, seq_output_adaptive;

// Parts of full and sampled: output.weight (V, H), output.bias (V).
int seq_output_list_words(const seq_output_shape *shape, double share, seq_output_part *parts);

#endif
