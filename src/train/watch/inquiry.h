// How nodes tell each other what their ranks do when the network may not carry messages any more:
// files in RUN/hang.
//   asked     is there while a rank is near the limit
//   node-N    what is known of node N's ranks, renewed for as long as somebody asks
//   verdict   created by the one rank that tells it: the message, then the hosts to blame
// No function fails: what cannot be written or read is an answer that does not come.
#ifndef SEQ_TRAIN_INQUIRY_H
#define SEQ_TRAIN_INQUIRY_H

#include "verdict.h"
#include <seqtrain/base/file.h>

typedef struct seq_inquiry {
    char directory[SEQ_PATH - 64];
    uint64_t session; // files of other sessions are not read
} seq_inquiry;

seq_status seq_inquiry_open(seq_inquiry *inquiry, const char *run, uint64_t session,
                            seq_error *error);
// Before the ranks of a new session look: nothing of an older one stays, and what it told is told
// again: the terminal that it was printed on may have gone with its host.
void seq_inquiry_clear(const seq_inquiry *inquiry);

void seq_inquiry_ask(const seq_inquiry *inquiry);
void seq_inquiry_withdraw(const seq_inquiry *inquiry);
bool seq_inquiry_is_asked(const seq_inquiry *inquiry);

// `beat` grows from answer to answer.
void seq_inquiry_answer(const seq_inquiry *inquiry, int node, uint64_t beat,
                        const seq_watched *ranks, int count);
// Returns the beat of the node's answer, 0: none.
uint64_t seq_inquiry_read(const seq_inquiry *inquiry, int node, seq_watched *ranks, int count);

// True for the one rank of all whose verdict it is. `name`: "verdict", or "lost" for one that does
// not end the job.
bool seq_inquiry_conclude(const seq_inquiry *inquiry, const char *name, const char *text,
                          const char *hosts);
bool seq_inquiry_is_concluded(const seq_inquiry *inquiry, const char *name);

#endif
