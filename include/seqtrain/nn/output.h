// Output layers: from rows X (N, H) to the probabilities of the words of a vocabulary, and
// cross-entropy. To add one: copy src/nn/output_full.c and add a line in src/nn/output.c.
#ifndef SEQTRAIN_NN_OUTPUT_H
#define SEQTRAIN_NN_OUTPUT_H

#include <seqtrain/nn/softmax.h>

enum { SEQ_MAX_CUTOFFS = 8, SEQ_OUTPUT_PARTS = 1 + 2 * SEQ_MAX_CUTOFFS, SEQ_OUTPUT_NAME = 32 };

typedef struct seq_output_shape {
    int vocabulary, units;                      // V, H
    int samples;                                // sampled: words drawn for a window
    int cutoff_count, cutoffs[SEQ_MAX_CUTOFFS]; // adaptive: the first word of each cluster
} seq_output_shape;

// A parameter of the layer.
typedef struct seq_output_part {
    char name[SEQ_OUTPUT_NAME];
    int rows, columns; // columns 0: a vector
    double share;      // of the matrix, that a token of training is multiplied with, about
} seq_output_part;

// Values of a part and, of a matrix, W^T and W packed.
typedef struct seq_output_weights {
    const float *values;
    const void *forward, *backward;
} seq_output_weights;

// N rows and what is wanted of them.
typedef struct seq_output_rows {
    const seq_output_weights *weights; // by part
    size_t count;                      // N, not 0
    const float *x;                    // (N, H)
    const int32_t *targets;            // (N), -1: not counted
    // Training: L = scale * nats.
    float scale;
    float *dx; // (N, H) = dL/dx, overwritten
    float *const
        *gradients; // by part, overwritten; sampled: only the rows of `words`, the others stay
    uint64_t seed;  // sampled: the words are drawn for (seed, step, first stream)
    uint32_t step, first_stream;
    // Evaluation.
    float *log_probabilities; // (N): ln p(target), 0 where the target is -1; or NULL
} seq_output_rows;

typedef struct seq_output seq_output;
typedef struct seq_output_kind {
    const char *name;
    bool ties;           // part 0 (V, H) may be the embedding
    bool packs_to_train; // training reads packed parts; without, `forward` and `backward` are NULL
                         // there
    seq_status (*check)(const seq_output_shape *shape,
                        seq_error *error); // SEQ_BAD_USAGE, names the option
    int (*list)(const seq_output_shape *shape, seq_output_part parts[SEQ_OUTPUT_PARTS]);
    // Buffers for up to output->rows rows.
    void (*take)(seq_output *output, bool training, seq_arena *arena);
    // NULL where training writes the gradient of all words. Otherwise: the words whose rows `train`
    // writes, to output->sampled.words, from shape and count, targets, seed, step and first_stream
    // of the rows alone.
    void (*choose)(seq_output *output, const seq_output_rows *rows);
    seq_loss (*train)(seq_output *output, const seq_output_rows *rows);
    // Exact for every kind, whether parts are packed or not where packs_to_train is false.
    seq_loss (*evaluate)(const seq_output *output, const seq_output_rows *rows);
    // (count, V): ln p of every word, up to a constant in each row.
    void (*logits)(const seq_output *output, const seq_output_rows *rows, float *logits);
} seq_output_kind;

// NULL-terminated: "full", "sampled", "adaptive".
const char *const *seq_output_names(void);
// By its place in seq_output_names(), and that place by its name or -1.
const seq_output_kind *seq_output_kind_at(int index);
int seq_output_find(const char *name);

// A layer's buffers; the caller sets the first four members, then calls kind->take.
struct seq_output {
    const seq_output_kind *kind;
    const seq_compute *compute;
    seq_output_shape shape;
    size_t rows;
    seq_softmax softmax;    // full: the words; sampled: a window's candidates; adaptive: the head
    seq_softmax_row *found; // of rows, evaluation
    struct {
        double tries;     // draws that give `samples` different words, on average
        int32_t *words;   // the last window's candidates, each once: drawn ones, then targets that
                          // were not drawn
        size_t count;     // of words
        size_t drawn;     // of them the first
        int32_t *column;  // (V): its place in `words` + 1, or 0
        int32_t *targets; // (rows): columns instead of words
        float *weights, *bias; // of the candidates: (., H), then their gradient; (.), less ln Q
        float *d_bias;
        void *forward, *backward;
        seq_softmax block;  // evaluation: some words at once,
        size_t block_rows;  // for so many rows
        void *packed_block; // (H, words of a block)
        double *log_sum;    // (block_rows)
    } sampled;
    struct {
        seq_softmax tails[SEQ_MAX_CUTOFFS];
        int32_t *targets, *chosen;          // (rows)
        float *x, *hidden, *d_hidden, *d_x; // chosen rows: (., H), (., H / 4), (., H / 4), (., H)
        void *packed_rows;                  // (., H)
        float *cluster;                     // (rows, clusters): logits of the clusters
        seq_softmax_row *found;             // of chosen rows
    } adaptive;
};

// Shared by kinds: adds up what was found, rows' log_sum and target being those of the whole
// vocabulary.
seq_loss seq_output_sum(const seq_output_rows *rows, const seq_softmax_row *found);

#endif
