// The message that ranks exchange once a step. Its size enters the predictions of --dry-run.
#ifndef SEQTRAIN_TRAIN_RANK_REPORT_H
#define SEQTRAIN_TRAIN_RANK_REPORT_H

#include <seqtrain/batch/coverage.h>

typedef enum seq_stop_reason { SEQ_RUN_ON, SEQ_STOP_SIGNAL, SEQ_STOP_TIME } seq_stop_reason;

// What each rank tells all others after its part of a step, so that all take the same branch.
typedef struct seq_rank_report {
    int32_t status;    // seq_status of this rank
    int32_t stop;      // seq_stop_reason
    int32_t save;      // rank 0: the last checkpoint is older than --checkpoint-interval
    int32_t writing;   // this rank's part of a checkpoint is being written
    int32_t anomaly;   // this rank found a NaN or an infinity
    seq_coverage read; // tokens of this rank's windows
} seq_rank_report;

#endif
