// How programs take up a model: kernels, then the checkpoint, whose name is told.
// Invariant: what is not loaded leaves nothing to release. Tests:
// tests/cli/seqsample.sh, tests/cli/seqeval.sh, tests/cli/seqpredict.sh.
#include "tool_model.h"
#include <seqtrain/base/log.h>
#include <seqtrain/kernels/kernels.h>
#include <string.h>

seq_status tool_load_model(const char *path, const tool_model *how, seq_loaded *out,
                           seq_error *error) {
    seq_compute compute;
    seq_status status = seq_compute_find(seq_kernels_names()[how->kernels],
                                         (seq_precision)how->weights, NULL, &compute, error);
    if (!status) status = seq_compute_reserve(&compute, how->threads, error);
    if (!status && how->average > 1)
        status = seq_checkpoint_load_average(path, (int)how->average, &compute, out, error);
    else if (!status)
        status = seq_checkpoint_load(path, !how->newest, &compute, out, error);
    if (!status && how->average <= 1 && strcmp(path, out->directory) != 0)
        seq_log_info("from %s", out->directory);
    return status;
}
