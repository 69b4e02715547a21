// Label sequences from what a CTC model says of the frames of one item.
//
// Legend: T frames, K symbols, of which 0 is the blank, U labels. `log_probabilities` (T, K) holds
// ln p of each frame, whose symbols add up to 1, about; -inf is a probability of 0. The probability
// of a label sequence is the sum over all its alignments (Graves et al. 2006). Everything is done
// by the calling thread, in double; results have the same bits in any batch and on any number of
// threads.
#ifndef SEQTRAIN_INFER_CTC_SEARCH_H
#define SEQTRAIN_INFER_CTC_SEARCH_H

#include <seqtrain/infer/language.h>

// The best symbol of each frame (the first of equal ones), repetitions merged, blanks left out.
// labels holds up to T; returns their number.
int seq_ctc_best_path(const float *log_probabilities, int frames, int symbols, int32_t *labels);

// Sequences are ranked by
//     score = ln p + weight * (ln p of the language model, with its <eos>) + bonus * U.
typedef struct seq_ctc_search_config {
    int symbols;   // K, at least 1
    int width;     // prefixes that are kept after each frame, at least 1
    int best;      // sequences wanted, at least 1
    double margin; // prefixes that are more than this below the best one are dropped, too;
                   // INFINITY: none
    double bonus;  // of each label
    int shortest;  // U at least
    int longest;   // U at most; 0: any
    double work;   // seq_ctc_search_exact gives up behind so many (prefix, frame, symbol)
    const seq_language *language; // or NULL. The caller's, outlives the search.
    double weight;                // of the language model, at least 0
} seq_ctc_search_config;
#define SEQ_CTC_WORK 2e8 // a few seconds

typedef struct seq_ctc_search seq_ctc_search; // a thread's own
seq_status seq_ctc_search_create(const seq_ctc_search_config *config, seq_ctc_search **out,
                                 seq_error *error);
void seq_ctc_search_destroy(seq_ctc_search *search); // NULL is fine

// Valid until the search runs again.
typedef struct seq_ctc_sequence {
    double score;           // beam: with the alignments that the search has kept; exact: all
    double log_probability; // ln p by the frames alone, all alignments
    int length;             // U
    const int32_t *labels;
} seq_ctc_sequence;

// Best first; of equal scores, that which is first in the order of labels. There is none when no
// sequence of an allowed length has a probability above 0, or a frame does not add up to a number.
typedef struct seq_ctc_found {
    int count;
    const seq_ctc_sequence *sequences; // (count)
    double best_path;                  // score of the best path's labels, all alignments
} seq_ctc_found;

// The labels of the best path; and labels that are given, of any length, without best_path. One
// sequence, whose score has all its alignments, or none. SEQ_NO_MEMORY.
seq_status seq_ctc_search_greedy(seq_ctc_search *search, const float *log_probabilities, int frames,
                                 seq_ctc_found *out, seq_error *error);
seq_status seq_ctc_search_given(seq_ctc_search *search, const float *log_probabilities, int frames,
                                const int32_t *labels, int count, seq_ctc_found *out,
                                seq_error *error);

// Prefix beam search (Hannun et al. 2014): each prefix has the probability of its alignments that
// end in a blank, and of those that do not. Of equal scores a smaller place of the parent wins,
// then a smaller symbol. The first sequence's score is never below best_path, as long as the best
// path's labels have an allowed length. SEQ_NO_MEMORY.
seq_status seq_ctc_search_beam(seq_ctc_search *search, const float *log_probabilities, int frames,
                               seq_ctc_found *out, seq_error *error);

// The true n best: prefixes are tried deepest first, likeliest first, as long as an upper bound of
// all that they begin (the probability of the prefix, Graves 2006) is not below the n-th best.
// SEQ_BAD_USAGE: the work is not enough; the message has the best score so far and the bound.
seq_status seq_ctc_search_exact(seq_ctc_search *search, const float *log_probabilities, int frames,
                                seq_ctc_found *out, seq_error *error);

#endif
