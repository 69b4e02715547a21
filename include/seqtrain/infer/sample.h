// Drawing tokens from a model, one process, batched.
#ifndef SEQTRAIN_INFER_SAMPLE_H
#define SEQTRAIN_INFER_SAMPLE_H

#include <seqtrain/data/vocabulary.h>
#include <seqtrain/model/model.h>

typedef struct seq_sample_config {
    double temperature; // logits are divided by it; 0: as greedy
    int64_t top_k;      // 0: off
    double top_p;       // 1: off; smallest set of most probable tokens whose mass reaches it
    bool greedy;        // the first maximum, overrides the above
    bool no_unk;        // <unk> is never drawn
    bool until_eos;     // a sequence ends after its <eos>
    int64_t tokens;     // at most this many drawn tokens a sequence; 0 with until_eos: no limit
    uint64_t seed;      // draw number n of sequence s depends on (seed, s, n) and the model only
} seq_sample_config;

// Called for every drawn token as it is drawn; `sequence` 0 .. count-1; `last` marks a sequence's
// end. A status other than SEQ_OK stops the sampling and is returned.
typedef seq_status (*seq_token_sink)(void *context, int sequence, int id, bool last,
                                     seq_error *error);

// Draws `count` sequences side by side, each starting from a<0> = 0 and x<1> = 0, or after reading
// `prime`.
seq_status seq_sample_run(const seq_model *model, const seq_weights *weights,
                          const seq_vocabulary *vocabulary, const seq_sample_config *config,
                          const int32_t *prime, size_t prime_count, int count, seq_token_sink sink,
                          void *context, seq_error *error);

// One draw from logits (V): the index. `unit` is uniform in [0, 1). `scratch` holds
// seq_sample_scratch(V) bytes. Exposed for tests.
int seq_sample_draw(const seq_sample_config *config, const float *logits, int vocabulary,
                    int excluded, double unit, void *scratch);
size_t seq_sample_scratch(int vocabulary);
// The `unit` of a draw of a sequence.
double seq_sample_unit(const seq_sample_config *config, int64_t draw, uint32_t sequence);

#endif
