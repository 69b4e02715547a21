// What a result has to beat: predictors without a network, trained here, the same on every machine.
#ifndef SEQTRAIN_TASK_BASELINE_H
#define SEQTRAIN_TASK_BASELINE_H

#include <seqtrain/task/answers.h>

// Each fills *out with a prediction for every item of `gold`. SEQ_BAD_INPUT: no training item.

// The most frequent label or rating of `training`; of equally frequent ones, that which comes
// first.
seq_status seq_baseline_majority(const seq_answers *training, const seq_answers *gold,
                                 seq_answers *out, seq_error *error);

typedef struct seq_bow_report {
    double penalty;          // times the number of training items: lambda N
    int64_t right, selected; // of the items that chose it
    int iterations;          // of all penalties
} seq_bow_report;
// A linear softmax on counts of words: minimises the mean of -ln p over training items plus
// lambda / 2 times the sum of squares of the weights (without biases). lambda is that of seven with
// most right answers in `dev`, the largest of equally good ones. Without `dev`, every tenth
// training item takes its part, and the whole of `training` is learnt with the lambda that was
// chosen. Texts are words of `tables`; words that training lacks count for nothing. Probabilities
// are those of all labels that training has.
seq_status seq_baseline_bow(const seq_answers *training, const seq_answers *dev,
                            const seq_answers *gold, const seq_answer_tables *tables,
                            seq_answers *out, seq_bow_report *report, seq_error *error);

#endif
