// seqinfo --reshard: keeps seqtrain off the run by the run's lock, and begins
// again when the checkpoint is replaced meanwhile. Invariant: a checkpoint that
// was replaced during the attempt is never called damaged. Tests:
// tests/fault/reshard.sh, tests/fault/readers.sh.
#include "seqinfo_private.h"
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/file.h>
#include <seqtrain/storage/vector_file.h>
#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

// Keeps seqtrain off the run of a checkpoint (RUN/checkpoints/step-N) until the descriptor is
// closed; -1 where there is no such run, or the file system has no locks.
static int lock_run(const char *checkpoint, seq_error *error) {
    char path[SEQ_PATH];
    if (seq_path_join(path, checkpoint, "../../.lock", error)) return -1;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
    if (errno == EWOULDBLOCK)
        seq_error_set(error, SEQ_BAD_USAGE, "a seqtrain works on the run of %s: wait for its end",
                      checkpoint);
    close(descriptor);
    return -1;
}

// Again when another has taken the place of the checkpoint.
static void reshard_present(const char *source, int shards, const char *output, seq_error *error) {
    seq_presence presence = SEQ_REPLACED;
    for (int attempt = 0; presence == SEQ_REPLACED && attempt < SEQ_READ_ATTEMPTS; attempt++) {
        seq_digest noted;
        *error = (seq_error){0};
        seq_checkpoint_note(source, &noted);
        if (!seq_checkpoint_reshard(source, shards, output, error)) return;
        presence = error->status == SEQ_NO_CHECKPOINT || error->status == SEQ_BAD_INPUT
                       ? seq_checkpoint_presence(source, &noted)
                       : SEQ_PRESENT;
    }
    if (presence != SEQ_PRESENT) seq_checkpoint_tell_moved(source, presence, error);
}

seq_status seq_info_reshard(const seq_info_options *options, const char *path, seq_error *error) {
    char manifest[SEQ_PATH];
    int shards = (int)options->reshard;
    if (seq_path_join(manifest, path, "manifest.json", error)) return error->status;
    if (!seq_path_exists(manifest))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--reshard: %s is not a checkpoint (RUN/checkpoints/step-N)", path);
    seq_signals_catch((const int[]){SIGINT, SIGTERM, SIGHUP, 0}, true);
    char *whole = realpath(path, NULL); // "." cannot change places
    if (!whole) return seq_error_set_errno(error, "opening %s", path);
    int lock = options->output ? -1 : lock_run(whole, error);
    if (!error->status && !seq_storage_begin(error))
        reshard_present(whole, shards, options->output, error);
    if (lock >= 0) close(lock);
    seq_status status = error->status;
    if (status)
        seq_error_add_context(error, "--reshard %d", shards);
    else
        seq_info_say(options, "written    %s with %d shard%s",
                     options->output ? options->output : path, shards, shards == 1 ? "" : "s");
    free(whole);
    return status;
}
