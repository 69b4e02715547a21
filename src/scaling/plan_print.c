// Prints the report of --dry-run, as a table or as JSON, one row for each
// number of ranks. Invariant: both forms take their rows from seq_plan_predict,
// so they never differ in a figure. Tests: tests/cli/plan.sh,
// tests/mpi/plan.sh.
#include "plan.h"
#include <math.h>
#include <seqtrain/nn/cell.h>
#include <stdio.h>

// The network's part of the exchange, between nodes only.
static bool overlaps(const seq_plan *plan) {
    return plan->options->overlap != SEQ_OVERLAP_OFF;
}

static const char *const sources[] = {"assumed", "measured", "given"};

// "950 us", "12.3 ms", "1.23 s"; "-" for nothing.
static void describe_seconds(double seconds, char out[16]) {
    if (seconds <= 0)
        snprintf(out, 16, "-");
    else if (seconds < 1e-3)
        snprintf(out, 16, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(out, 16, "%.3g ms", seconds * 1e3);
    else
        snprintf(out, 16, "%.3g s", seconds);
}

static void describe_bytes(double bytes, char out[16]) {
    if (bytes < 1e9)
        snprintf(out, 16, "%.0f MB", bytes / 1e6);
    else
        snprintf(out, 16, "%.2f GB", bytes / 1e9);
}

static void print_title(const seq_plan *plan) {
    long long replicas = (long long)plan->options->replicas,
              batch = (long long)plan->options->batch;
    const seq_model_config *config = seq_model_get_config(plan->model);
    if (plan->sampler)
        printf("Scaling report: task %s, %s x %d, %.3g million parameters, %.0f rows a replica, "
               "kernels %s\n",
               plan->task->name, config->cell, config->layers, plan->size.values / 1e6,
               plan->size.rows, plan->kernels);
    else
        printf("Scaling report: %s x %d, vocabulary %d, %.3g million parameters, %lld streams a "
               "replica, windows of %lld, kernels %s\n",
               config->cell, config->layers, config->vocabulary, plan->size.values / 1e6, batch,
               (long long)plan->options->window, plan->kernels);
    if (replicas && plan->sampler)
        printf("Strong scaling: %lld replicas, the same batch of %.0f rows, shared by the ranks\n",
               replicas, (double)replicas * plan->size.rows);
    else if (replicas)
        printf("Strong scaling: %lld replicas, the same batch of %lld streams, shared by the "
               "ranks\n",
               replicas, replicas * batch);
    else
        printf("Weak scaling: one replica a rank, so the batch grows with the ranks (strong: "
               "--replicas R)\n");
}

static void print_machine(const seq_plan *plan) {
    const seq_plan_machine *machine = &plan->machine;
    char alone[16], together[16];
    describe_seconds(machine->window.alone, alone);
    describe_seconds(machine->window.together, together);
    printf("Measured: a %s takes %s of processor time (%.1f GFLOP/s)",
           plan->sampler ? "batch" : "window", alone,
           plan->size.flops / machine->window.alone / 1e9);
    if (machine->together > 1)
        printf(", %s when %d ranks compute at once", together, machine->together);
    printf("; a float is added in %.2f ns, updated in %.2f ns\n", 3e9 * machine->stream.together,
           1e9 * machine->update.together);
    printf("Hosts: %d cores for %d ranks of %d thread%s; a message inside takes %.2g us (%s)\n",
           machine->cores, machine->ranks_per_node, plan->size.threads,
           plan->size.threads == 1 ? "" : "s", 1e6 * machine->hop, sources[machine->hop_source]);
    printf("Network: %.3g us a message (%s), %.3g GB/s a host (%s); overlap with backward %s\n",
           1e6 * machine->latency, sources[machine->latency_source], machine->bandwidth / 1e9,
           sources[machine->bandwidth_source], overlaps(plan) ? "counted" : "off (--overlap)");
}

static void print_row(const seq_plan_row *row) {
    char step[16], compute[16], exchange[16], hidden[16], update[16], rank[16], host[16];
    describe_seconds(row->step, step);
    describe_seconds(row->compute, compute);
    describe_seconds(row->sum + row->network + row->reports, exchange);
    describe_seconds(row->hidden, hidden);
    describe_seconds(row->update, update);
    describe_bytes(row->rank_bytes, rank);
    describe_bytes(row->host_bytes, host);
    printf("%6d %5d %5d %9s %9s %9s %9s %9s %10.4g %9.1f%% %9s %9s\n", row->ranks, row->hosts,
           row->replicas, step, compute, exchange, hidden, update, row->tokens_per_second,
           100 * row->efficiency, rank, host);
}

// The ranks of the row, 0 behind the last.
static int row_at(const seq_plan *plan, int index, seq_plan_row *row) {
    int replicas = (int)plan->options->replicas,
        ranks = seq_plan_ranks(index, (int)plan->options->plan_ranks, replicas);
    if (ranks) seq_plan_predict(&plan->size, &plan->machine, ranks, replicas, overlaps(plan), row);
    return ranks;
}

static void print_notes(const seq_plan *plan, const seq_plan_row *last) {
    long long asked = (long long)plan->options->plan_ranks,
              replicas = (long long)plan->options->replicas;
    int per_host = plan->machine.ranks_per_node;
    if (replicas && asked > replicas)
        printf("More than %lld ranks have nothing to do: a replica is a rank's smallest share\n",
               replicas);
    else if (replicas && replicas % asked)
        printf("%lld ranks are left out: they do not divide %lld replicas\n", asked, replicas);
    if (last->nodes > last->hosts)
        printf("%d ranks of a host share memory in blocks of %d, the largest power of two that "
               "divides: each block keeps its own copy of the parameters and sends its own sums\n",
               per_host, last->ranks / last->nodes);
    if (per_host * plan->size.threads > plan->machine.cores)
        printf("Ranks beyond the cores share them: their step is longer by as much, at best\n");
    printf("Memory of the first host counts all its ranks; that of its first rank is what it does "
           "not share.\n");
}

void seq_plan_print(const seq_plan *plan) {
    seq_plan_row row = {0};
    print_title(plan);
    print_machine(plan);
    char rate[40];
    snprintf(rate, sizeof rate, "%ss/s", plan->task->unit);
    printf("\n%6s %5s %5s %9s %9s %9s %9s %9s %10s %10s %9s %9s\n", "ranks", "hosts", "R/P", "step",
           "compute", "exchange", "hidden", "update", rate, "efficiency", "rank", "host");
    for (int index = 0; row_at(plan, index, &row); index++)
        print_row(&row);
    print_notes(plan, &row);
}

static void print_json_pace(const char *name, const seq_plan_pace *pace, double unit) {
    printf("  \"%s_alone\": %.6g,\n  \"%s_together\": %.6g,\n", name, unit * pace->alone, name,
           unit * pace->together);
}

static void print_json_row(const seq_plan *plan, const seq_plan_row *row, bool first) {
    printf("%s\n    {\"ranks\": %d, \"hosts\": %d, \"nodes\": %d, \"replicas_per_rank\": %d, "
           "\"step_seconds\": %.6g, \"compute_seconds\": %.6g, \"sum_seconds\": %.6g, "
           "\"network_seconds\": %.6g, \"report_seconds\": %.6g, \"hidden_seconds\": %.6g, "
           "\"update_seconds\": %.6g, \"%ss_per_second\": %.6g, \"efficiency\": %.6g, "
           "\"rank_bytes\": %.0f, \"host_bytes\": %.0f}",
           first ? "" : ",", row->ranks, row->hosts, row->nodes, row->replicas, row->step,
           row->compute, row->sum, row->network, row->reports, row->hidden, row->update,
           plan->task->unit, row->tokens_per_second, row->efficiency, row->rank_bytes,
           row->host_bytes);
}

void seq_plan_print_json(const seq_plan *plan) {
    const seq_plan_machine *machine = &plan->machine;
    const seq_plan_model *size = &plan->size;
    seq_plan_row row;
    printf("{\n  \"scaling\": \"%s\",\n  \"replicas\": %lld,\n  \"overlap\": %s,\n",
           plan->options->replicas ? "strong" : "weak", (long long)plan->options->replicas,
           overlaps(plan) ? "true" : "false");
    printf("  \"kernels\": \"%s\",\n", plan->kernels);
    printf("  \"parameters\": %.0f,\n  \"flops_per_window\": %.6g,\n  \"%ss_per_window\": "
           "%.0f,\n  \"workspace_bytes\": %.0f,\n  \"process_bytes\": %.0f,\n",
           size->values, size->flops, plan->task->unit, size->units, size->workspace_bytes,
           machine->process_bytes);
    printf("  \"cores_per_node\": %d,\n  \"ranks_per_node\": %d,\n  \"measured_together\": %d,\n",
           machine->cores, machine->ranks_per_node, machine->together);
    print_json_pace("window_seconds", &machine->window, 1);
    print_json_pace("add_seconds_per_float", &machine->stream, 3);
    print_json_pace("update_seconds_per_float", &machine->update, 1);
    print_json_pace("pack_seconds", &machine->pack, 1);
    printf("  \"hop_seconds\": %.6g,\n  \"hop_source\": \"%s\",\n", machine->hop,
           sources[machine->hop_source]);
    printf("  \"network_latency_seconds\": %.6g,\n  \"network_latency_source\": \"%s\",\n",
           machine->latency, sources[machine->latency_source]);
    printf("  \"network_bytes_per_second\": %.6g,\n  \"network_bandwidth_source\": \"%s\",\n",
           machine->bandwidth, sources[machine->bandwidth_source]);
    printf("  \"rows\": [");
    for (int index = 0; row_at(plan, index, &row); index++)
        print_json_row(plan, &row, index == 0);
    printf("\n  ]\n}\n");
}
