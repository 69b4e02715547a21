// How much time this session has.
#ifndef SEQTRAIN_JOB_TIME_LIMIT_H
#define SEQTRAIN_JOB_TIME_LIMIT_H

#include <stdbool.h>

typedef struct seq_time_limit {
    double seconds;    // from the session's start on; 0: none
    bool of_scheduler; // what comes after seqtrain must end in time, too
    char source[300];  // where it comes from; "" when there is none, or why it is not known
} seq_time_limit;

// --time-limit, or for `auto` what the batch system says. `option`: seconds, or SEQ_DURATION_AUTO;
// `started`: of the session, on the clock of seq_clock_seconds. May ask another program, which can
// take some seconds.
void seq_time_limit_find(double option, double started, seq_time_limit *out);

#endif
