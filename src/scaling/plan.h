// seqtrain --dry-run: what a step would take on so many ranks. plan.c strings it together,
// plan_measure.c looks at this machine, plan_predict.c is the model (formulas only),
// plan_print.c the report. Legend: R replicas of B streams, T time steps, P ranks, H ranks of a
// host, M ranks that share memory (a "node" of seqtrain/comm/comm.h), N = P / M.
#ifndef SEQ_SCALING_PLAN_H
#define SEQ_SCALING_PLAN_H

#include <seqtrain/comm/comm.h>
#include <seqtrain/kernels/compute.h>
#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <seqtrain/train/configure.h>
#include <seqtrain/train/train.h>

// A layer's gradient, in the order in which backward finishes it.
typedef struct seq_plan_bucket {
    double floats;
    double backward; // share of a window's time that its backward takes
} seq_plan_bucket;
enum {
    SEQ_PLAN_BUCKETS = SEQ_MAX_LAYERS + 2
}; // output and dense layers, recurrent ones, embedding

// The model and how it is trained.
typedef struct seq_plan_model {
    double floats;         // n of a flat vector
    double values;         // without padding
    double row_floats;     // of them in rows that live by the tokens of a window; 0: none
    double table, columns; // rows and columns of that parameter
    double chosen_floats;  // likewise, in rows of the words that a sampled output layer looks at
    double chosen_share;   // of these rows: those that one window's words are
    double wire_bytes;     // of a float between nodes
    double flops;          // of a window's products
    double rows;           // of a replica's batch, where sequences are: B T; of items, the mean
    double units;          // of it, counted as predicted: the task's unit
    double state_floats;   // of one replica's streams
    double moments;        // vectors of optimiser state
    bool updates_all;      // the rule changes what has no gradient
    double packed_bytes, workspace_bytes;
    double batch_bytes;   // of a replica's batch
    double drawn_bytes;   // what a workspace holds more for each replica but the first
    double corpus_tokens; // of streams: training and validation split; 0: unknown
    double item_bytes;    // of a rank: lengths, order, decoded chunks; 0: streams
    double shards;        // of a checkpoint
    bool snapshot;        // it is written beside the training, from a copy
    int threads;          // of a rank
    int bucket_count;
    seq_plan_bucket buckets[SEQ_PLAN_BUCKETS];
} seq_plan_model;

// Seconds of a piece of work on one rank's core: alone on its host, and while all `together` work.
typedef struct seq_plan_pace {
    double alone, together;
} seq_plan_pace;

typedef enum seq_plan_source {
    SEQ_PLAN_ASSUMED,
    SEQ_PLAN_MEASURED,
    SEQ_PLAN_GIVEN
} seq_plan_source;

typedef struct seq_plan_machine {
    int cores;            // of a host
    int ranks_per_node;   // on a host
    int together;         // ranks that were measured at the same time
    seq_plan_pace window; // forward and backward of a replica's window
    seq_plan_pace stream; // a float read or written while gradients are added
    seq_plan_pace update; // a float updated
    seq_plan_pace pack;   // all matrices packed by one thread
    double hop;           // a message between ranks of a host
    seq_plan_source hop_source;
    double latency, bandwidth; // of the network: seconds a message, bytes a second and host
    seq_plan_source latency_source, bandwidth_source;
    double process_bytes; // of a rank before it has allocated anything
} seq_plan_machine;

typedef struct seq_plan_row {
    int ranks, hosts, nodes; // P, of them H on a host; N
    int replicas;            // of a rank
    double compute;          // seconds in a step
    double sum;              // reading the neighbours' gradients, and copies for the network
    double network;          // reduce-scatter and allgather
    double reports;          // the ranks' reports, the map of live rows, barriers
    double hidden;           // of the network's, behind backward
    double update;           // with packing
    double step;
    double tokens_per_second, efficiency; // against one rank
    double rank_bytes, host_bytes;        // private to the first rank; of the first host
} seq_plan_row;

// Every row: how many replicas on how many ranks. `replicas` 0: as many as ranks (weak scaling).
void seq_plan_predict(const seq_plan_model *model, const seq_plan_machine *machine, int ranks,
                      int replicas, bool overlap, seq_plan_row *out);
// The ranks of row `index`: 1, 2, 4 ... and `most`; with `replicas`, those that divide them, and
// themselves. 0 after the last.
int seq_plan_ranks(int index, int most, int replicas);

typedef struct seq_plan {
    const seq_parsed *parsed;
    const seq_train_options *options; // its values
    seq_comm *comm;
    const char *kernels;  // those that the ranks would use
    seq_dataset *dataset; // NULL: a vocabulary of --plan-vocabulary
    const seq_task *task;
    seq_sampler *sampler; // NULL: streams, of synthetic tokens
    seq_batch batch;      // of the sampler, about as large as the mean
    seq_limits limits;    // of all batches
    seq_model *model;
    const seq_optimizer *optimizer;
    seq_optimizer_config rule;
    seq_plan_model size;
    seq_plan_machine machine;
    bool measured_network; // several nodes are here
} seq_plan;

// Another model like plan->model; parsed, dataset and options are set.
seq_status seq_plan_create_model(seq_plan *plan, const seq_compute *compute, seq_model **out,
                                 seq_error *error);
// Collective: some seconds of training steps, on synthetic tokens where streams are trained on.
// Fills plan->machine but for what options give.
seq_status seq_plan_measure(seq_plan *plan, seq_error *error);

// To standard output.
void seq_plan_print(const seq_plan *plan);
void seq_plan_print_json(const seq_plan *plan);

#endif
