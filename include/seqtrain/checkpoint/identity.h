// RUN/identity.txt: whose the checkpoints of a run are. A line for each set of values that has
// decided the numbers of the run since its start (more than one after an --override), FIELD=VALUE
// separated by tabs. A checkpoint that fits to no line was copied from another run.
#ifndef SEQTRAIN_CHECKPOINT_IDENTITY_H
#define SEQTRAIN_CHECKPOINT_IDENTITY_H

#include <seqtrain/base/option.h>
#include <seqtrain/storage/manifest.h>

// One process. Adds the values of `manifest` when they are not there yet: its options named in
// `fields` (ends with NULL), task, schema, vocabulary and data.
seq_status seq_identity_add(const char *run, const char *const *fields,
                            const seq_manifest *manifest, seq_error *error);

// One process, at a session's start: what it computes with (`own`), and what the checkpoint that it
// resumes from (or NULL) was computed with: after --override the two differ. The fields are the
// rows of `options` that are marked SEQ_OPTION_IDENTITY.
seq_status seq_identity_record(const char *run, const seq_option *options,
                               const seq_manifest *resumed, const seq_manifest *own,
                               seq_error *error);

// Whether `manifest`, of the checkpoint `directory`, fits to a line, leaving out the fields listed
// in `excused` (separated by commas, or NULL); SEQ_NO_CHECKPOINT names those that do not fit to the
// last line. A run without identity.txt, of an earlier version, has no say. SEQ_BAD_INPUT:
// identity.txt is not what seqtrain writes.
seq_status seq_identity_check(const char *run, const char *directory, const seq_manifest *manifest,
                              const char *excused, seq_error *error);

#endif
