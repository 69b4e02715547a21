// The parts of seqinfo.
#ifndef SEQ_TOOLS_SEQINFO_PRIVATE_H
#define SEQ_TOOLS_SEQINFO_PRIVATE_H

#include "tool_program.h"
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/checkpoint/identity.h>
#include <seqtrain/data/dataset.h>
#include <stdint.h>

typedef struct seq_info_options {
    bool verify, quiet;
    int64_t reshard;
    char *output;
} seq_info_options;

// A line on standard output, unless --quiet: what is no text in it is escaped, and so are
// backslashes.
__attribute__((format(printf, 2, 3))) void seq_info_say(const seq_info_options *options,
                                                        const char *format, ...);

// Print a line for each file that is not what the manifest says, and fail when there is one; then
// read what is in the files. A checkpoint that is not as `noted` any more fails without a line: the
// caller asks what has become of it.
seq_status seq_info_verify_checkpoint(const seq_info_options *options, const char *directory,
                                      const seq_digest *noted, seq_error *error);
seq_status seq_info_verify_dataset(const seq_info_options *options, seq_dataset *dataset,
                                   seq_error *error);
// What to do about a checkpoint that cannot be used. `run` may be NULL; good is the newest step
// that can be, or -1.
void seq_info_advise(const seq_info_options *options, const char *run, int64_t good);

seq_status seq_info_reshard(const seq_info_options *options, const char *path, seq_error *error);

#endif
