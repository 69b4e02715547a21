// Threads that work together on one thing after another: a fork and a join cost about a microsecond
// while they are warm.
#ifndef SEQTRAIN_BASE_TEAM_H
#define SEQTRAIN_BASE_TEAM_H

#include <seqtrain/base/status.h>
#include <stddef.h>

enum { SEQ_MAX_THREADS = 256 };

typedef struct seq_team seq_team;
typedef void seq_team_work(void *context, int part, int parts);

// A team of `threads` (1 .. SEQ_MAX_THREADS), the caller among them. Idle threads spin for a
// moment, then sleep.
seq_status seq_team_create(int threads, seq_team **out, seq_error *error);
void seq_team_destroy(seq_team *team);
int seq_team_size(const seq_team *team); // 1 for NULL

// Runs work(context, part, size) once on each thread, part 0 on the caller, and returns when all
// are done. NULL is a team of one.
void seq_team_run(seq_team *team, seq_team_work *work, void *context);

// Part `part` of `parts` of 0 .. count-1 is begin .. end-1, as even as can be.
static inline size_t seq_share_begin(size_t count, int part, int parts) {
    return count * (size_t)part / (size_t)parts;
}

#endif
