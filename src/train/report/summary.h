// What a session was like: printed by rank 0 at its end and kept in the events "end" and "stop" of
// metrics.jsonl. The figures are those of this session, also when the run was resumed.
#ifndef SEQ_TRAIN_SUMMARY_H
#define SEQ_TRAIN_SUMMARY_H

#include "phases.h"
#include <seqtrain/base/status.h>
#include <stdint.h>

enum { SEQ_SUMMARY_HOST = 64 };

typedef struct seq_summary {
    int ranks;
    const char *unit;               // of what is called tokens here: the task's
    int64_t steps, updates, tokens; // updates: steps that were not skipped or passed over
    int64_t clipped;                // updates that --clip-norm scaled down
    double seconds;                 // of the session, mean over ranks
    double shares[SEQ_PHASES];      // of it, mean over ranks
    double step_seconds;            // of all training steps: without validation, saving, other
    double tokens_per_second;       // in training steps, all ranks
    // Mean over ranks of the time in data, compute and update, over the wall time of the training
    // steps: 1 when no rank ever waits for or exchanges anything. What ranks on one node cost each
    // other by sharing its memory or its cores is inside compute: seqtrain --dry-run measures that.
    double efficiency;
    int slowest;      // rank with the most seconds in compute,
    double imbalance; // and these over the mean of all ranks
    char slowest_host[SEQ_SUMMARY_HOST];
} seq_summary;

// A rank's part.
typedef struct seq_summary_part {
    double seconds[SEQ_PHASES];
    char host[SEQ_SUMMARY_HOST];
} seq_summary_part;

// The figures of `ranks` parts; steps, updates, tokens and clipped are the caller's. Those that a
// session without a step has not are NaN.
void seq_summary_add_up(const seq_summary_part *parts, int ranks, seq_summary *out);

struct seq_trainer;
struct seq_event_log;
// Collective: gathers the ranks' phases.
seq_status seq_train_summarise(struct seq_trainer *trainer, seq_summary *out, seq_error *error);
void seq_summary_print(const seq_summary *summary);
// Members of the event that has been begun.
void seq_summary_write(const seq_summary *summary, struct seq_event_log *events);

#endif
