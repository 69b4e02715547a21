// The live line, the plain lines of a pipe, and the step and validation events of metrics.jsonl.
#ifndef SEQ_TRAIN_PROGRESS_H
#define SEQ_TRAIN_PROGRESS_H

#include <seqtrain/model/model.h>
#include <stdbool.h>
#include <stdint.h>

// Sums since the last line of metrics.jsonl, and since the session began.
typedef struct seq_progress {
    double session_began, line_began, shown; // seconds on the monotonic clock
    double session_cpu;                      // processor seconds of this process by then
    int64_t session_steps, session_updates, session_tokens, session_clipped;
    double nats;
    int64_t tokens, updates, clipped, clamped, frames, blanks;
} seq_progress;

// What a checkpoint has cost.
typedef struct seq_save_figures {
    int64_t step;
    double stood_still; // seconds that the loop did not train
    double seconds;     // from the beginning to the manifest
    uint64_t bytes;     // of the files
} seq_save_figures;

// "0:01:30", "2d 03:00:00"
void seq_describe_duration(double seconds, char *out, size_t size);

struct seq_trainer;
struct seq_step_result;
void seq_progress_begin(struct seq_trainer *trainer);
// The sums of the next line begin anew: after a rollback.
void seq_progress_restart(struct seq_trainer *trainer);
void seq_progress_step(struct seq_trainer *trainer, const struct seq_step_result *result);
void seq_progress_validation(struct seq_trainer *trainer, seq_loss total,
                             const seq_saturation *layers, double seconds);
// The layers' part of a validation's report, in a run that has no validation split.
void seq_progress_saturation(struct seq_trainer *trainer, const seq_saturation *layers);
void seq_progress_checkpoint(struct seq_trainer *trainer, const char *directory,
                             const seq_save_figures *figures);

#endif
