// The communicator under MPI: every rank checks what every collective gives it. Exit code 1 names
// the rank and the numbers.
#include <seqtrain/base/random.h>
#include <seqtrain/comm/comm.h>
#include <seqtrain/comm/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void check(int fine, const seq_comm *comm, const char *what, long long number) {
    if (fine) return;
    failures++;
    fprintf(stderr, "rank %d of %d: %s (%lld)\n", seq_comm_rank(comm), seq_comm_size(comm), what,
            number);
}

static void fill(float *values, int rank, size_t count) {
    seq_random_fill_uniform((seq_random_key){4, SEQ_RANDOM_TEST}, (uint32_t)rank, 1, values, count);
}

static void check_sum(seq_comm *comm, size_t count) {
    seq_error error = {0};
    int size = seq_comm_size(comm);
    float *all = malloc(((size_t)size * count + 1) * sizeof *all),
          *values = malloc((count + 1) * sizeof *values);
    for (int rank = 0; rank < size; rank++)
        fill(all + (size_t)rank * count, rank, count);
    seq_tree_sum(all, size, count, count);
    fill(values, seq_comm_rank(comm), count);
    check(seq_comm_sum(comm, values, count, &error) == SEQ_OK, comm, error.text, 0);
    check(memcmp(values, all, count * sizeof *values) == 0, comm, "another sum than the tree's",
          (long long)count);
    free(all);
    free(values);
}

static void check_agreement(seq_comm *comm) {
    int rank = seq_comm_rank(comm), size = seq_comm_size(comm);
    seq_error error = {0};
    check(seq_comm_agree(comm, &error) == SEQ_OK, comm, "agreed on a failure", error.status);
    if (rank == size - 1) seq_error_set(&error, SEQ_NO_SPACE, "disk full");
    if (rank == 0 && size > 2) seq_error_set(&error, SEQ_BAD_INPUT, "bad file");
    check(seq_comm_agree(comm, &error) == SEQ_NO_SPACE, comm, "did not agree on the gravest",
          error.status);
    check(strstr(error.text, "disk full") != NULL, comm, error.text, 0);
    char prefix[32];
    snprintf(prefix, sizeof prefix, "rank %d: ", size - 1);
    check(size == 1 || strncmp(error.text, prefix, strlen(prefix)) == 0, comm, error.text, 0);
}

static void check_gather(seq_comm *comm) {
    seq_error error = {0};
    int size = seq_comm_size(comm), rank = seq_comm_rank(comm);
    int *blocks = calloc((size_t)size * 3, sizeof *blocks);
    for (int i = 0; i < 3; i++)
        blocks[3 * rank + i] = 10 * rank + i;
    check(seq_comm_gather(comm, blocks, 3 * sizeof *blocks, &error) == SEQ_OK, comm, error.text, 0);
    for (int i = 0; i < 3 * size; i++)
        check(blocks[i] == 10 * (i / 3) + i % 3, comm, "gathered another value", blocks[i]);
    free(blocks);
}

static void check_broadcast(seq_comm *comm) {
    seq_error error = {0};
    for (int root = 0; root < seq_comm_size(comm); root++) {
        char text[] = "nothing";
        if (seq_comm_rank(comm) == root) memcpy(text, "message", sizeof text);
        check(seq_comm_broadcast(comm, text, sizeof text, root, &error) == SEQ_OK, comm, error.text,
              0);
        check(strcmp(text, "message") == 0, comm, "the broadcast did not arrive", root);
    }
}

int main(int argc, char **argv) {
    seq_comm *comm;
    seq_error error = {0};
    if (seq_comm_open_mpi(&argc, &argv, &comm, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    static const size_t counts[] = {0, 1, 2, 7, 1000003};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_sum(comm, counts[i]);
    check_agreement(comm);
    check_gather(comm);
    check_broadcast(comm);
    check(strstr(seq_comm_layout(comm), "on 1 host") != NULL, comm, seq_comm_layout(comm), 0);
    seq_comm_close(comm);
    return failures != 0;
}
