// Room for predictions.
#ifndef SEQ_TASK_BASELINE_PRIVATE_H
#define SEQ_TASK_BASELINE_PRIVATE_H

#include <seqtrain/task/baseline.h>

// A place for every place of gold, with its line; labels are 0. Sets the error when there is no
// training item.
seq_status seq_baseline_begin(const char *name, const seq_answers *training,
                              const seq_answers *gold, seq_answers *out, seq_error *error);

#endif
