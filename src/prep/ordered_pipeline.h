// Threads that work through a sequence of blocks: fetched one at a time, worked on side by side,
// committed one at a time in the order in which they were fetched. So the outcome does not depend
// on the number of threads, and memory holds a block a thread.
#ifndef SEQ_PREP_ORDERED_PIPELINE_H
#define SEQ_PREP_ORDERED_PIPELINE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>

typedef struct seq_ordered_pipeline seq_ordered_pipeline;
// `worker` counts from 0 and names the thread that calls, and the block in its hands.
typedef struct seq_ordered_pipeline_job {
    // *out_any false: there are no more blocks. A failure with a block in hand counts after it.
    seq_status (*fetch)(void *context, seq_ordered_pipeline *pipeline, int worker, bool *out_any,
                        seq_error *error);
    seq_status (*work)(void *context, int worker, seq_error *error);
    seq_status (*commit)(void *context, int worker, seq_error *error);
    void *context;
} seq_ordered_pipeline_job;

// The calling thread is worker 0. Ends at the first failure in the order of blocks. When a thread
// cannot be started, those that are there do the work.
seq_status seq_ordered_pipeline_run(int threads, const seq_ordered_pipeline_job *job,
                                    seq_error *error);
// For fetch: waits until all blocks fetched before are committed.
void seq_ordered_pipeline_await(seq_ordered_pipeline *pipeline);

#endif
