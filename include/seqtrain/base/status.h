// Status codes and error text: every function that can fail returns a seq_status and takes a
// seq_error.
#ifndef SEQTRAIN_BASE_STATUS_H
#define SEQTRAIN_BASE_STATUS_H

// Ordered by severity: when several ranks fail at once, the greatest status is everybody's.
typedef enum seq_status {
    SEQ_OK = 0,
    SEQ_STOPPED,       // stopped early with a checkpoint, run again to continue
    SEQ_BAD_USAGE,     // an option or a combination of options
    SEQ_BAD_INPUT,     // a file given by the user is not what it should be
    SEQ_NO_CHECKPOINT, // no usable checkpoint
    SEQ_BAD_NUMBER,    // NaN, infinity, loss explosion
    SEQ_NO_SPACE,      // the disk, the quota or the file size limit is full; a checkpoint cannot be
                       // written; a host has too little memory for what its ranks share
    SEQ_NO_MEMORY,     // an allocation of this process has failed
    SEQ_IO,            // a system call failed for another reason
    SEQ_RANK_FAILED,   // a rank failed or hung
} seq_status;

enum { SEQ_ERROR_TEXT = 1024 };

// The first failure wins: its status and its message. Zero-initialise before use.
typedef struct seq_error {
    seq_status status;
    char text[SEQ_ERROR_TEXT];
} seq_error;

// Records a failure unless one is recorded already; returns the recorded status. The message reads
// "what I was doing: why it failed", names path, line, option or rank, and has no final newline.
// One that is too long loses its middle.
seq_status seq_error_set(seq_error *error, seq_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Like seq_error_set for a failed system call: appends strerror(errno) and derives the status from
// errno (ENOSPC, EDQUOT, EFBIG: SEQ_NO_SPACE; ENOMEM: SEQ_NO_MEMORY; ENOENT, EACCES, EISDIR,
// ENOTDIR, EPERM, ELOOP, ENAMETOOLONG: SEQ_BAD_INPUT; else SEQ_IO).
seq_status seq_error_set_errno(seq_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Puts "context: " before the recorded message while a failure unwinds; returns the recorded
// status.
seq_status seq_error_add_context(seq_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The exit code of a program that ends with this status: 0 done; 2 usage; 3 bad input data; 4 no
// usable checkpoint; 5 numeric failure; 6 a rank failed or hung; 7 no space, or a disk that fails;
// 75 stopped early; 1 otherwise, as for SEQ_NO_MEMORY.
int seq_status_exit_code(seq_status status);

#endif
