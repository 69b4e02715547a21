// Keeps RUN/identity.txt, see seqtrain/checkpoint/identity.h. A session records
// what it computes with, and what the checkpoint that it resumes from was
// computed with: after --override the two differ. The fields are the options
// that are marked SEQ_OPTION_IDENTITY in the table. Test:
// tests/fault/run_directory.sh.
#include "checkpoints.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/checkpoint/identity.h>
#include <stdlib.h>

static seq_status list_fields(const seq_option *options, const char ***out, seq_error *error) {
    size_t count = 0;
    for (const seq_option *at = options; at->type != SEQ_OPTION_END; at++)
        count += (at->flags & SEQ_OPTION_IDENTITY) != 0;
    seq_status status =
        seq_allocate(out, count + 1, sizeof **out, "the names of the options", error);
    if (status) return status;
    const char **next = *out;
    for (; options->type != SEQ_OPTION_END; options++)
        if (options->flags & SEQ_OPTION_IDENTITY) *next++ = options->name;
    *next = NULL;
    return SEQ_OK;
}

seq_status seq_train_record_identity(const seq_trainer *trainer, const seq_manifest *resumed,
                                     seq_error *error) {
    const char **fields = NULL;
    seq_manifest own = {0};
    seq_status status = list_fields(trainer->parsed->program->options, &fields, error);
    if (!status && resumed) // other than this session's when --override let it pass
        status = seq_identity_add(trainer->options->run, fields, resumed, error);
    if (!status) status = seq_train_describe(trainer, &own, error);
    if (!status) status = seq_identity_add(trainer->options->run, fields, &own, error);
    seq_manifest_clear(&own);
    free(fields);
    return status;
}
