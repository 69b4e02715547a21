// When the symbols of a label sequence are said: from the best alignment to the frames of one item
// (nn/ctc.h), in seconds. For what a search has found, and for transcripts that are given.
#ifndef SEQTRAIN_INFER_SYMBOL_TIMES_H
#define SEQTRAIN_INFER_SYMBOL_TIMES_H

#include <seqtrain/nn/ctc.h>

typedef struct seq_symbol_time {
    int32_t symbol;
    int32_t first_frame, last_frame; // on the best path
    int32_t best_frame;              // the one of them in which the symbol is likeliest
    double begin, end;               // seconds: of the first frame's begin, the last frame's end
    double best;                     // seconds: the middle of the best frame
    double posterior;                // that the symbol is said in the best frame, given all symbols
} seq_symbol_time;

// A thread's own, zero-initialised; it grows with the items.
typedef struct seq_symbol_times {
    seq_symbol_time *list;  // (U): of the last item
    double log_probability; // ln p of its labels, all alignments
    seq_ctc_time *frames;
    void *room;
    size_t list_capacity, frame_capacity, room_capacity;
} seq_symbol_times;
void seq_symbol_times_clear(seq_symbol_times *times);

// The item's logits may be ln p. Frame t begins at first + t * shift seconds; shift 0: frames have
// no time, all seconds are 0. Bits depend on the item alone. SEQ_BAD_INPUT: there is no alignment;
// the message says what it would need. SEQ_BAD_NUMBER: the logits are no numbers. SEQ_NO_MEMORY.
seq_status seq_symbol_times_find(seq_symbol_times *times, const seq_ctc_item *item, double first,
                                 double shift, seq_error *error);

#endif
