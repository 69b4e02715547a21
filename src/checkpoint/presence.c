// Readers beside a run. A run prunes checkpoints (the manifest goes first), sets damaged ones aside
// by renaming, and writes others in their place; seqinfo --reshard exchanges a directory. All of
// this changes the manifest at the checkpoint's path. So a reader notes the manifest's hash before
// it reads, and asks again when reading fails and when it has ended: what has been read counts only
// if the manifest is still the same. Test: tests/fault/readers.sh.
#include "layout.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void seq_checkpoint_note(const char *directory, seq_digest *out) {
    char manifest[SEQ_PATH];
    seq_error ignored = {0};
    *out = (seq_digest){0};
    if (!seq_path_join(manifest, directory, "manifest.json", &ignored) &&
        seq_digest_file(manifest, out, &ignored))
        *out = (seq_digest){0};
}

seq_presence seq_checkpoint_presence(const char *directory, const seq_digest *noted) {
    char manifest[SEQ_PATH];
    struct stat status;
    seq_digest now;
    seq_error ignored = {0};
    if (seq_path_join(manifest, directory, "manifest.json", &ignored)) return SEQ_PRESENT;
    if (lstat(manifest, &status)) // what may not be read is there
        return errno == ENOENT || errno == ENOTDIR ? SEQ_REMOVED : SEQ_PRESENT;
    seq_checkpoint_note(directory, &now);
    return memcmp(&now, noted, sizeof now) == 0 ? SEQ_PRESENT : SEQ_REPLACED;
}

seq_status seq_checkpoint_tell_moved(const char *path, seq_presence presence, seq_error *error) {
    *error = (seq_error){0};
    if (presence == SEQ_REMOVED)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "%s was removed while it was being read, as a run prunes (--keep) or "
                             "sets aside its checkpoints: name a newer one, or the run",
                             path);
    return seq_error_set(error, SEQ_NO_CHECKPOINT,
                         "%s was replaced while it was being read, %d times in a row: its run "
                         "writes faster than it can be read; copy what you need, or keep more "
                         "(--keep)",
                         path, SEQ_READ_ATTEMPTS);
}
