// Log-probabilities of given token sequences.
#ifndef SEQTRAIN_INFER_SCORE_H
#define SEQTRAIN_INFER_SCORE_H

#include <seqtrain/data/vocabulary.h>
#include <seqtrain/model/model.h>

typedef struct seq_scorer seq_scorer;
// Scores one sequence at a time in windows of bounded memory; the state begins at zero and, with
// `carry`, goes on from one sequence to the next (the input of a first token is then the last token
// of the sequence before).
seq_status seq_scorer_create(const seq_model *model, const seq_weights *weights, bool carry,
                             seq_scorer **out, seq_error *error);
void seq_scorer_destroy(seq_scorer *scorer);
// log_probabilities[i] = ln p(ids[i] | what came before), `count` of them.
void seq_scorer_run(seq_scorer *scorer, const int32_t *ids, size_t count, float *log_probabilities);

// Sums over a sequence or a split: everything seqeval prints is derived from these.
typedef struct seq_score {
    double nats; // -sum of ln p
    int64_t tokens;
    int64_t correct;
    double nats_unk; // the part of targets that are <unk>
    int64_t tokens_unk;
    int64_t characters; // seq_vocabulary_characters over the targets
    int64_t words;      // of unit subword: those that end in a target, and <eos>; else 0
} seq_score;
void seq_score_add(seq_score *score, const seq_vocabulary *vocabulary, const int32_t *ids,
                   const float *log_probabilities, size_t count);

#endif
