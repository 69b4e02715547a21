// The two things that seqeval does.
#ifndef SEQ_TOOLS_SEQEVAL_PRIVATE_H
#define SEQ_TOOLS_SEQEVAL_PRIVATE_H

#include "tool_program.h"
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/infer/score.h>

typedef struct seq_eval_options {
    int split, log_base, kernels, weights;
    char *data, *score, *blas;
    int64_t batch;
    bool per_token, carry, newest, json, quiet;
} seq_eval_options;

seq_status seq_eval_split(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error);
seq_status seq_eval_score(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error);

#endif
