// What the two searches of infer/ctc_search.h share.
#ifndef SEQ_INFER_CTC_SEARCH_PRIVATE_H
#define SEQ_INFER_CTC_SEARCH_PRIVATE_H

#include <seqtrain/infer/beam.h>
#include <seqtrain/infer/ctc_search.h>
#include <seqtrain/nn/ctc.h>
#include <seqtrain/nn/softmax.h>

// A prefix that the beam holds.
typedef struct live_prefix {
    int32_t node;        // of the tree
    int32_t last;        // its last label; 0: the empty prefix
    int32_t place;       // of the language reader
    double blank, label; // ln p of its alignments so far that end in a blank; in the last label
    double extra;        // what language model and bonus add
} live_prefix;

struct seq_ctc_search {
    seq_ctc_search_config config;
    seq_language_reader *reader; // NULL: no language model
    seq_best best;
    seq_ctc_sequence *found; // (best)
    int32_t *labels;         // (T): scratch
    void *room;              // of seq_ctc_loss
    size_t label_capacity, room_capacity;
    double total; // of the item: ln of the sum of all its paths, about 0
    // The beam.
    seq_prefixes prefixes;
    seq_candidates candidates;
    int live_count;
    live_prefix *live;         // (width): after the last frame
    live_prefix *stays, *next; // (width): after this one, those that stay, and all
    double *score;             // (width): ln p of a live prefix, without `extra`
    unsigned char *covered;    // (width, K): prefix and symbol are a live prefix
    bool *used;                // (2 width): places of the reader
    int32_t *from, *to, *read; // (width): what the language model reads next
};

// Both searches begin and end with these. Begin sets *out, whose best_path is NaN if nothing can be
// found, and offers the best path; end takes over what is in `best`.
seq_status seq_ctc_search_begin(seq_ctc_search *search, const float *log_probabilities, int frames,
                                seq_ctc_found *out, seq_error *error);
void seq_ctc_search_end(seq_ctc_search *search, const float *log_probabilities, int frames,
                        seq_ctc_found *out);

// ln p of each symbol behind the prefix in a place; NULL: no language model.
static inline const float *seq_ctc_next(const seq_ctc_search *search, int32_t place) {
    return search->reader ? seq_language_next(search->reader, place) : NULL;
}
// What a symbol adds, and the end.
static inline double seq_ctc_gain(const seq_ctc_search *search, const float *next, int32_t symbol) {
    return search->config.bonus + (next ? search->config.weight * (double)next[symbol] : 0);
}
static inline double seq_ctc_end(const seq_ctc_search *search, int32_t place) {
    const float *next = seq_ctc_next(search, place);
    return next ? search->config.weight * (double)next[0] : 0;
}
static inline bool seq_ctc_length_fits(const seq_ctc_search *search, int length) {
    const seq_ctc_search_config *config = &search->config;
    return length >= config->shortest && (!config->longest || length <= config->longest);
}

#endif
