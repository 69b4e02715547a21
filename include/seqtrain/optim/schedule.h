// Learning-rate schedules. A schedule is a file-local row of the registry; linear warm-up goes with
// each of them.
#ifndef SEQTRAIN_OPTIM_SCHEDULE_H
#define SEQTRAIN_OPTIM_SCHEDULE_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>
#include <stdint.h>

typedef struct seq_schedule_config {
    const char *name;     // "constant", "halve", "plateau", "cosine"
    double learning_rate; // the base rate
    int64_t warmup_steps; // rate * (step + 1) / warmup while step < warmup
    double decay; // halve: factor per epoch after `decay_after`; plateau: factor when validation
                  // stalls
    int64_t decay_after; // halve: epochs 1 .. decay_after run at the full rate
    int64_t patience;    // plateau: validations without improvement that are tolerated
    double minimum;      // plateau and cosine: the rate never falls below
    int64_t total_steps; // cosine: reaches `minimum` here
} seq_schedule_config;

// What a schedule remembers; travels in the checkpoint. Zero-initialise with seq_schedule_begin.
typedef struct seq_schedule_state {
    double factor;   // plateau: product of the decays so far
    double best;     // best validation loss, +inf at the start
    int64_t stalled; // validations since the best
} seq_schedule_state;

const char *const *seq_schedule_names(void);
seq_status seq_schedule_check(const seq_schedule_config *config, seq_error *error); // SEQ_BAD_USAGE
void seq_schedule_begin(seq_schedule_state *state);
// Rate for update number `step` (0-based) in epoch `epoch` (1-based).
double seq_schedule_rate(const seq_schedule_config *config, const seq_schedule_state *state,
                         int64_t step, int64_t epoch);
// After each validation (mean nats per token).
void seq_schedule_observe(const seq_schedule_config *config, seq_schedule_state *state,
                          double validation_loss);
seq_status seq_schedule_write(const seq_schedule_state *state, seq_record *record,
                              seq_error *error);
seq_status seq_schedule_read(seq_schedule_state *out, const seq_record *record, seq_error *error);

#endif
