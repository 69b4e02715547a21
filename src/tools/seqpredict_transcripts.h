// seqpredict for the task transcribe: searches, given transcripts, and how the answers are printed.
#ifndef SEQ_TOOLS_SEQPREDICT_TRANSCRIPTS_H
#define SEQ_TOOLS_SEQPREDICT_TRANSCRIPTS_H

#include "seqpredict_private.h"
#include "tool_model.h"
#include <seqtrain/base/option.h>
#include <seqtrain/infer/beam.h>
#include <seqtrain/infer/transcribe.h>

typedef struct seqpredict_transcript_options {
    double lm_weight, bonus;
    char *lm, *align, *ctm, *textgrid;
    bool exact, lm_unknown, times;
} seqpredict_transcript_options;
extern const seq_option_group seqpredict_transcript_options_group;

// Whether a model's target is a transcript.
bool seqpredict_transcribes(const seq_schema *schema);

typedef struct seqpredict_transcripts seqpredict_transcripts;
typedef struct seqpredict_transcripts_config {
    const seq_loaded *loaded; // the caller's
    const seq_parsed *parsed; // of a program with the group above
    const tool_model *how;    // of the language model
    seqpredict_format format;
    int best, batch;
    seq_team *team;
    bool part; // of the items only: there may be more transcripts to align
} seqpredict_transcripts_config;
// SEQ_BAD_USAGE: options that do not go together. Reads --align and --lm.
seq_status seqpredict_transcripts_create(const seqpredict_transcripts_config *config,
                                         seqpredict_transcripts **out, seq_error *error);
void seqpredict_transcripts_destroy(seqpredict_transcripts *transcripts); // NULL is fine

void seqpredict_transcripts_header(const seqpredict_transcripts *transcripts);
// With --align: gives the item that was added last, number `index` of all, its labels.
seq_status seqpredict_transcripts_give(const seqpredict_transcripts *transcripts,
                                       seqpredict_window *window, int64_t index, seq_error *error);
// Transcribes and prints what waits. SEQ_BAD_NUMBER, SEQ_BAD_INPUT name the item.
seq_status seqpredict_transcripts_answer(seqpredict_transcripts *transcripts,
                                         seqpredict_window *window, seq_error *error);
// After the last of `items`: writes --ctm. SEQ_BAD_INPUT: --align has more transcripts.
seq_status seqpredict_transcripts_finish(seqpredict_transcripts *transcripts, int64_t items,
                                         seq_error *error);

#endif
