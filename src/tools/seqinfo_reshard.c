#include "seqinfo_private.h"
#include <seqtrain/base/file.h>
#include <stdlib.h>

seq_status seq_info_reshard(const seq_info_options *options, const char *path, seq_error *error) {
    char manifest[SEQ_PATH];
    int shards = (int)options->reshard;
    if (seq_path_join(manifest, path, "manifest.json", error)) return error->status;
    if (!seq_path_exists(manifest))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--reshard: %s is not a checkpoint (RUN/checkpoints/step-N)", path);
    char *whole = realpath(path, NULL); // "." cannot change places
    if (!whole) return seq_error_set_errno(error, "opening %s", path);
    seq_status status = seq_checkpoint_reshard(whole, shards, options->output, error);
    if (status)
        seq_error_add_context(error, "--reshard %d", shards);
    else
        seq_info_say(options, "written    %s with %d shard%s\n",
                     options->output ? options->output : path, shards, shards == 1 ? "" : "s");
    free(whole);
    return status;
}
