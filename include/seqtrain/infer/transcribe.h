// Transcripts of items that are at hand: the model says ln p of each frame's symbols, a search
// finds the best sequences of labels, a forced alignment says when each is said.
//
// What an item gets does not depend on the items beside it, on `batch` or on the team, bit for bit
// (not with the kernels openblas).
#ifndef SEQTRAIN_INFER_TRANSCRIBE_H
#define SEQTRAIN_INFER_TRANSCRIBE_H

#include <seqtrain/infer/ctc_search.h>
#include <seqtrain/infer/predict.h>
#include <seqtrain/infer/symbol_times.h>

typedef enum seq_transcribe_how {
    SEQ_TRANSCRIBE_BEST_PATH, // one answer
    SEQ_TRANSCRIBE_BEAM,
    SEQ_TRANSCRIBE_EXACT,
    SEQ_TRANSCRIBE_ALIGN, // the labels are given
} seq_transcribe_how;

// All pointers are the caller's and outlive the transcriber.
typedef struct seq_transcriber_config {
    const seq_model *model;
    const seq_weights *weights;
    const seq_schema *schema; // its target is a transcript
    int batch;                // items of a batch at most
    seq_team *team;           // NULL: one thread
    seq_transcribe_how how;
    seq_ctc_search_config search;
    bool times;         // of the best answer's labels
    double frame_shift; // seconds from one frame to the next; 0: frames have no time
} seq_transcriber_config;

typedef struct seq_transcriber seq_transcriber;
seq_status seq_transcriber_create(const seq_transcriber_config *config, seq_transcriber **out,
                                  seq_error *error);
void seq_transcriber_destroy(seq_transcriber *transcriber); // NULL is fine

typedef struct seq_transcript {
    double score;           // that alternatives are sorted by
    double log_probability; // ln p of the labels given the frames, all alignments
    size_t length;
    const int32_t *labels;
} seq_transcript;

// The answer to an item.
typedef struct seq_transcribed {
    size_t frames;
    int found;         // alternatives, best first; 0: none has an allowed length, or with
                       // SEQ_TRANSCRIBE_ALIGN, the labels have no probability,
    bool not_a_number; // or the model's answer is none
    const seq_transcript *alternatives;
    const seq_symbol_time *times; // (alternatives[0].length), or NULL: not wanted
} seq_transcribed;

// Of the items, what seq_predict reads; with SEQ_TRANSCRIBE_ALIGN the target's lengths and ids,
// too. `begins` (items): seconds, where the first frame of each begins; NULL: 0. *out (items) is
// the transcriber's until it works again. SEQ_NO_MEMORY; of item *out_failed (else that is -1),
// SEQ_BAD_USAGE: an exact search needs more work than the config allows, SEQ_BAD_INPUT: given
// labels cannot be said in its frames.
seq_status seq_transcribe(seq_transcriber *transcriber, const seq_items *items,
                          const double *begins, const seq_transcribed **out, int64_t *out_failed,
                          seq_error *error);

#endif
