// How nodes tell each other what their ranks do when the network may not carry messages any more:
// files in RUN/hang.
//   asked     is there while a rank is near the limit
//   node-N    what is known of node N's ranks, renewed for as long as somebody asks
//   verdict   created by the one rank that tells it: the message, then the hosts to blame
// No function fails: what cannot be written or read is an answer that does not come.
#ifndef SEQ_JOB_HANG_REPORT_H
#define SEQ_JOB_HANG_REPORT_H

#include "hang_diagnosis.h"
#include <seqtrain/base/file.h>

typedef struct seq_hang_report {
    char directory[SEQ_PATH - 64];
    uint64_t session; // files of other sessions are not read
} seq_hang_report;

seq_status seq_hang_report_open(seq_hang_report *report, const char *run, uint64_t session,
                                seq_error *error);
// Before the ranks of a new session look: nothing of an older one stays, and what it told is told
// again: the terminal that it was printed on may have gone with its host.
void seq_hang_report_clear(const seq_hang_report *report);

void seq_hang_report_ask(const seq_hang_report *report);
void seq_hang_report_withdraw(const seq_hang_report *report);
bool seq_hang_report_is_asked(const seq_hang_report *report);

// `beat` grows from answer to answer.
void seq_hang_report_answer(const seq_hang_report *report, int node, uint64_t beat,
                            const seq_watched *ranks, int count);
// Returns the beat of the node's answer, 0: none.
uint64_t seq_hang_report_read(const seq_hang_report *report, int node, seq_watched *ranks,
                              int count);

// True for the one rank of all whose verdict it is. `name`: "verdict", or "lost" for one that does
// not end the job.
bool seq_hang_report_conclude(const seq_hang_report *report, const char *name, const char *text,
                              const char *hosts);
bool seq_hang_report_is_concluded(const seq_hang_report *report, const char *name);

#endif
