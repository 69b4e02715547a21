// What the files of seqsample share.
#ifndef SEQ_TOOLS_SEQSAMPLE_PRIVATE_H
#define SEQ_TOOLS_SEQSAMPLE_PRIVATE_H

#include <seqtrain/checkpoint/checkpoint.h>

typedef struct seqsample_options {
    char *prime, *prime_file, *label, *copied;
    int64_t tokens, top_k, count, seed, average;
    double temperature, top_p;
    bool until_eos, greedy, no_unk, newest, echo, quiet;
    int kernels, weights;
    char *blas;
} seqsample_options;

// The prime as ids, released with free(); NULL and 0: none.
seq_status seqsample_prime(const seqsample_options *options, const seq_vocabulary *vocabulary,
                           int32_t **out, size_t *out_count, seq_error *error);
// seqsample_items.c: draws from a model of the task generate.
seq_status seqsample_items(const seqsample_options *options, const seq_loaded *loaded,
                           seq_error *error);

#endif
