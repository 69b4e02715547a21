// Where the time of a session goes. A rank is in one phase at a time; what enters another one goes
// back to the phase it found: seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_DATA); ...
// seq_phase_enter(trainer, was). A reading of the clock each, a handful a step. Nothing of it goes
// into a checkpoint.
#ifndef SEQ_TRAIN_PHASES_H
#define SEQ_TRAIN_PHASES_H

typedef enum seq_phase {
    SEQ_PHASE_OTHER,      // reports, metrics, start and end
    SEQ_PHASE_DATA,       // reading tokens to train on
    SEQ_PHASE_COMPUTE,    // forward and backward, the sum over the rank's own replicas
    SEQ_PHASE_EXCHANGE,   // waiting for other ranks, summing gradients
    SEQ_PHASE_UPDATE,     // of this rank's slice, packing
    SEQ_PHASE_VALIDATION, // all of it
    SEQ_PHASE_SAVING,     // checkpoints and going back to them, while the loop stands still
    SEQ_PHASES
} seq_phase;

typedef struct seq_phases {
    seq_phase now;
    double since; // seconds on the monotonic clock
    double seconds[SEQ_PHASES];
} seq_phases;

struct seq_trainer;
const char *seq_phase_name(seq_phase phase); // "other", "data" ...
// All sums begin at zero, in SEQ_PHASE_OTHER.
void seq_phases_begin(struct seq_trainer *trainer);
// Returns the phase that it ends.
seq_phase seq_phase_enter(struct seq_trainer *trainer, seq_phase phase);

#endif
