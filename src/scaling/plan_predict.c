// The model of a step, formulas alone. What is counted, with the place in the
// code that it is taken from. Left out: reading tokens (data/windows.c reads far
// ahead) and waiting for ranks that are slower than others. Messages cost
// latency + bytes / bandwidth (Hockney 1994). Test:
// tests/unit/scaling/test_plan.c.
#include "plan.h"
#include <seqtrain/comm/exchange.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/train/rank_report.h>
#include <math.h>

enum {
    BARRIERS = 3,      // of a node in a step: one in seq_exchange_finish, one behind the update,
                       // one behind packing
    WRITER = 22000000, // bytes that stay with a rank that has written a shard of any size: HDF5's
                       // and the encoder's buffers, as measured
};

// How P ranks lie on hosts.
typedef struct layout {
    double ranks, per_host, hosts; // P, H
    double node, nodes;            // M, N
    double blocks;                 // nodes of a host
    double share;                  // ranks that share a core
    double busy;                   // ranks that compute at the same time on a host
} layout;

static int power_of_two_in(int number) {
    return number & -number;
}

// As choose_node_size of comm/nodes_mpi.c: all ranks of one host, or aligned powers of two.
static layout lay_out(const seq_plan_machine *machine, int threads, int ranks) {
    int per_host = ranks < machine->ranks_per_node ? ranks : machine->ranks_per_node;
    int a = power_of_two_in(ranks), b = power_of_two_in(per_host);
    int node = ranks == per_host ? ranks : a < b ? a : b;
    double room = machine->cores > threads ? (double)machine->cores / threads : 1;
    return (layout){.ranks = ranks,
                    .per_host = per_host,
                    .hosts = ceil((double)ranks / per_host),
                    .node = node,
                    .nodes = (double)ranks / node,
                    .blocks = ceil((double)per_host / node),
                    .share = per_host > room ? per_host / room : 1,
                    .busy = per_host < room ? per_host : room};
}

// Between what was measured alone and together, by the number of ranks at work; beyond, as
// together.
static double pace(const seq_plan_pace *pace, const layout *layout, int together) {
    double part = together > 1 ? (layout->busy - 1) / (together - 1) : 0;
    part = part < 1 ? part : 1;
    return (pace->alone + part * (pace->together - pace->alone)) * layout->share;
}

// What so many draws of a share each are expected to reach together.
static double reached(double share, double draws) {
    return share < 1 ? -expm1(draws * log1p(-share)) : 1;
}

// Expected distinct rows of so many words, all words being as frequent: no text has more.
static double live_floats(const seq_plan_model *model, double windows) {
    double rows = windows * model->rows, live = model->floats;
    if (model->row_floats > 0)
        live += model->columns * model->table * reached(1 / fmax(model->table, 2), rows) -
                model->row_floats;
    return live + model->chosen_floats * (reached(model->chosen_share, windows) - 1);
}

// seq_model_train for each replica; seq_tree_add (comm/tree.c) reads two vectors, writes one.
static double compute_seconds(const seq_plan_model *model, const seq_plan_machine *machine,
                              const layout *layout, double own) {
    double add = 3 * live_floats(model, own) * pace(&machine->stream, layout, machine->together);
    return own * pace(&machine->window, layout, machine->together) + (own - 1) * add;
}

// comm/exchange_bucket.c: a rank reads its slice of M gradients and writes the sum. With several
// nodes the slice is packed, added and unpacked (a reading and a writing each), and read once more.
static double sum_seconds(const seq_plan_model *model, const seq_plan_machine *machine,
                          const layout *layout, double own) {
    double here = live_floats(model, own * layout->node) / layout->node,
           everywhere = live_floats(model, own * layout->ranks) / layout->node,
           floats = here * (layout->node + 1) + (layout->nodes > 1 ? 7 * everywhere : 0);
    return floats * pace(&machine->stream, layout, machine->together);
}

// comm/sum_mpi.c, sum_segment: for each segment MPI_Alltoallv and MPI_Allgatherv, N - 1 messages
// each (pairwise, ring). A node sends 2 (N-1)/N of the vector; what goes to other nodes of the same
// host does not cross the network. The ranks of a host share its link.
static double network_seconds(const seq_plan_model *model, const seq_plan_machine *machine,
                              const layout *layout, double own) {
    if (layout->nodes <= 1) return 0;
    double floats = live_floats(model, own * layout->ranks), nodes = layout->nodes;
    double segments = ceil(floats / layout->node / SEQ_SEGMENT),
           away = fmax(nodes - layout->blocks, 0) / nodes,
           bytes = 2 * away * floats * model->wire_bytes * layout->blocks;
    return segments * 2 * (nodes - 1) * machine->latency + bytes / machine->bandwidth;
}

static double rounds(double ranks) {
    return ceil(log2(ranks));
}

// Allgather of the reports by recursive doubling among P ranks (train/step/rank_status.c),
// Allreduce of the map among nodes (seq_comm_or_nodes: its vector is sent log2 N times), barriers
// of a node.
static double report_seconds(const seq_plan_model *model, const seq_plan_machine *machine,
                             const layout *layout, double own) {
    double local = rounds(layout->node), far = rounds(layout->nodes),
           report = sizeof(seq_rank_report) + sizeof(seq_loss) * own,
           map = model->floats / SEQ_BLOCK * 8;
    double seconds = (1 + BARRIERS) * local * machine->hop;
    if (layout->nodes > 1)
        seconds += 2 * far * machine->latency +
                   (layout->ranks * report * layout->per_host + far * map * layout->blocks) /
                       machine->bandwidth;
    return seconds;
}

// train/step/update.c and seq_trainer_pack: the ranks of a node share both.
static double update_seconds(const seq_plan_model *model, const seq_plan_machine *machine,
                             const layout *layout, double own) {
    double floats = model->updates_all ? model->floats : live_floats(model, own * layout->ranks);
    return (floats * pace(&machine->update, layout, machine->together) +
            pace(&machine->pack, layout, machine->together) / model->threads) /
           layout->node;
}

// Buckets by layer (--bucket, which joins small ones, is left out), sent one after the other as
// backward of the last replica finishes them: one is ready when its layer is done, and waits for
// those before it. Only the network's time can hide; the sum over a node is work for the cores that
// compute.
static double hidden_seconds(const seq_plan_model *model, double window, double network) {
    double ready = 0, sent = 0, floats = 0;
    for (int i = 0; i < model->bucket_count; i++)
        floats += model->buckets[i].floats;
    for (int i = 0; i < model->bucket_count; i++) {
        if (i > 0) ready += model->buckets[i].backward * window;
        sent = fmax(sent, ready) + network * model->buckets[i].floats / floats;
    }
    return fmax(0, network - (sent - ready));
}

// What data/windows.c holds of the streams of a rank: all, or so much as is read ahead. Of items, a
// rank keeps the lengths of all, and the chunks that it has decoded.
static double data_bytes(const seq_plan_model *model, const layout *layout) {
    double all = model->corpus_tokens / layout->ranks * sizeof(int32_t);
    return fmin(all, SEQ_STREAM_MEMORY) + model->item_bytes;
}

// trainer.c (allocate_vectors, allocate_exchange), comm/tree.c (levels, when a rank has several
// replicas); with several nodes comm/exchange.c (packed) and comm/sum_mpi.c (received; two halves
// of a segment for bf16).
static double own_bytes(const seq_plan_model *model, const seq_plan_machine *machine,
                        const layout *layout, int own) {
    double vectors = own > 1 ? 2 + log2(power_of_two_in(own)) : 1,
           segments = layout->nodes > 1 ? 2 + (model->wire_bytes < 4) : 0;
    return machine->process_bytes + model->workspace_bytes + data_bytes(model, layout) +
           own * model->batch_bytes + (own - 1) * model->drawn_bytes +
           sizeof(float) * (vectors * model->floats + segments * SEQ_SEGMENT) +
           layout->ranks * (sizeof(seq_rank_report) + 2 * sizeof(seq_loss) * own);
}

// Of a rank that writes shards of checkpoints: snapshot.c, its part of them, and the writer's own.
static double writer_bytes(const seq_plan_model *model, const layout *layout, double own) {
    double state = model->floats * (1 + model->moments) + own * layout->ranks * model->state_floats;
    double part = model->snapshot ? ceil(model->shards / layout->ranks) / model->shards : 0;
    return WRITER + sizeof(float) * part * state;
}

// seq_trainer_share: parameters, optimiser state, packed weights, states of the streams.
static double node_bytes(const seq_plan_model *model, const layout *layout, double own) {
    return sizeof(float) *
               (model->floats * (1 + model->moments) + own * layout->ranks * model->state_floats) +
           model->packed_bytes;
}

// Seconds and bytes; returns tokens a second.
static double predict(const seq_plan_model *model, const seq_plan_machine *machine, int ranks,
                      int replicas, bool overlap, seq_plan_row *out) {
    layout layout = lay_out(machine, model->threads, ranks);
    int own = replicas ? replicas / ranks : 1;
    *out = (seq_plan_row){
        .ranks = ranks,
        .hosts = (int)layout.hosts,
        .nodes = (int)layout.nodes,
        .replicas = own,
        .compute = compute_seconds(model, machine, &layout, own),
        .sum = sum_seconds(model, machine, &layout, own),
        .network = network_seconds(model, machine, &layout, own),
        .reports = report_seconds(model, machine, &layout, own),
        .update = update_seconds(model, machine, &layout, own),
    };
    double window = pace(&machine->window, &layout, machine->together);
    out->hidden = overlap ? hidden_seconds(model, window, out->network) : 0;
    out->step = out->compute + out->sum + out->network + out->reports + out->update - out->hidden;
    double bytes = own_bytes(model, machine, &layout, own),
           writer = writer_bytes(model, &layout, own),
           writers = fmin(layout.per_host, model->shards);
    out->rank_bytes = bytes + writer;
    out->host_bytes = layout.per_host * bytes + writers * writer +
                      layout.blocks * node_bytes(model, &layout, own);
    return model->units * own * ranks / out->step;
}

void seq_plan_predict(const seq_plan_model *model, const seq_plan_machine *machine, int ranks,
                      int replicas, bool overlap, seq_plan_row *out) {
    double one = predict(model, machine, 1, replicas, overlap, out);
    out->tokens_per_second = predict(model, machine, ranks, replicas, overlap, out);
    out->efficiency = out->tokens_per_second / ranks / one;
}

int seq_plan_ranks(int index, int most, int replicas) {
    int ranks = 1;
    if (replicas && most > replicas) most = replicas;
    int last = !replicas || replicas % most == 0 ? most : 0;
    for (; ranks < most; ranks *= 2) {
        if (replicas && replicas % ranks) break;
        if (index-- == 0) return ranks;
    }
    return index == 0 ? last : 0;
}
