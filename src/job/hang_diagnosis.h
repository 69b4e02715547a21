// Who hangs? Decided from what is known of all ranks, and told in one line.
#ifndef SEQ_JOB_HANG_DIAGNOSIS_H
#define SEQ_JOB_HANG_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_watched {
    bool alive; // its watchdog has answered
    bool known; // what follows is true, as last seen (by itself or by a rank of its node)
    bool left;  // has ended in good order
    bool dead;
    bool waiting; // in a collective
    double age;   // seconds without progress
    int64_t step; // updates done
    int stage;    // seq_stage
    int signal;   // of its death, as it has noted itself; 0: none noted (SIGKILL leaves no time)
} seq_watched;

typedef struct seq_rank_place {
    char host[64];
    int64_t process;
} seq_rank_place;

typedef struct seq_hang_case {
    int size;                     // P
    const seq_watched *ranks;     // (P)
    const seq_rank_place *places; // (P)
    int judge;                    // the rank that decides
    double limit, grace;          // seconds; who waits is stuck `grace` before the limit
} seq_hang_case;

// Marks the ranks to blame in `guilty` (P) and returns their number; 0: nobody yet, a rank still
// gets on. Dead ranks, those that do not answer, and those that work on one thing for longer than
// the limit; when all wait for each other, those that are furthest behind.
int seq_hang_find(const seq_hang_case *facts, bool *guilty);
// "step 13, reading data". `step`: updates done.
void seq_hang_place(int64_t step, int stage, char *out, size_t size);
// "rank 2 (host b, process 99) hangs in step 13, reading data"; several are named one after the
// other.
void seq_hang_describe(const seq_hang_case *facts, const bool *guilty, char *out, size_t size);
// The hosts of the guilty ranks, each once, separated by spaces; none when all ranks only wait.
void seq_hang_hosts(const seq_hang_case *facts, const bool *guilty, char *out, size_t size);

#endif
