// Code points of a segment, as BLEU and chrF cut them.
#ifndef SEQ_TASK_POINTS_H
#define SEQ_TASK_POINTS_H

#include <seqtrain/task/bleu.h>

typedef struct seq_points {
    uint32_t *at; // a byte that is not UTF-8 is 0x110000 + byte
    size_t count, capacity;
} seq_points;

bool seq_point_is_blank(uint32_t point); // what Python's str.split() takes for one
// Decodes a segment, in lower case where that is wanted.
seq_status seq_points_decode(seq_points *points, seq_segment segment, bool lower, seq_error *error);
void seq_points_drop_blanks(seq_points *points, bool only_at_end);
// Puts blanks where tokens are to be cut. `spare` changes places with `points`, and back.
seq_status seq_points_cut(seq_points *points, seq_points *spare, seq_bleu_tokens tokens,
                          seq_error *error);

#endif
