// Verifies files against a manifest and, where one differs, says how: missing, of another size,
// exchanged, changed. Then reads what hashes cannot tell. Tests: tests/cli/seqinfo.sh,
// tests/fault/damage.sh.
#include "seqinfo_private.h"
#include <seqtrain/base/fault.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/items.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 }; // tokens

typedef struct file_faults {
    size_t count;
    char first[SEQ_ERROR_TEXT];
} file_faults;

// Another file of the manifest that has this content, or NULL.
static const char *owner_of(const seq_manifest *manifest, const seq_digest *digest) {
    for (size_t i = 0; i < manifest->file_count; i++)
        if (manifest->files[i].digest.size == digest->size &&
            memcmp(manifest->files[i].digest.hash, digest->hash, sizeof digest->hash) == 0)
            return manifest->files[i].name;
    return NULL;
}

static void explain_size(const seq_manifest_file *file, uint64_t size, char *out, size_t capacity) {
    uint64_t expected = file->digest.size;
    bool shorter = size < expected;
    snprintf(out, capacity, "%llu bytes, expected %llu: %llu bytes %s", (unsigned long long)size,
             (unsigned long long)expected,
             (unsigned long long)(shorter ? expected - size : size - expected),
             shorter ? "are missing, as after a full disk or an interrupted copy"
                     : "too many: written over, or another file");
}

static void explain_content(const seq_manifest *manifest, const seq_manifest_file *file,
                            const seq_digest *found, char *out, size_t capacity) {
    char expected_text[33], found_text[33];
    const char *owner = owner_of(manifest, found);
    seq_digest_text(&file->digest, expected_text);
    seq_digest_text(found, found_text);
    if (owner)
        snprintf(out, capacity, "holds what belongs into %s: files were exchanged", owner);
    else
        snprintf(out, capacity,
                 "hash %s, expected %s: the size is right, the content is not: changed on the disk "
                 "or in a copy, or of another checkpoint or data set",
                 found_text, expected_text);
}

// False, with the fault in `out`, when a file is not what the manifest says.
static bool explain_file(const seq_manifest *manifest, const char *directory, size_t index,
                         char *out, size_t capacity, seq_error *reason) {
    const seq_manifest_file *file = &manifest->files[index];
    char path[SEQ_PATH];
    seq_digest found;
    *out = '\0';
    if (seq_path_join(path, directory, file->name, reason) || !seq_path_exists(path))
        snprintf(out, capacity, "missing: not copied, or removed");
    else if (seq_file_size(path, &found.size, reason))
        snprintf(out, capacity, "%s", reason->text);
    else if (found.size != file->digest.size)
        explain_size(file, found.size, out, capacity);
    else if (seq_digest_file(path, &found, reason))
        snprintf(out, capacity, "%s", reason->text);
    else if (memcmp(found.hash, file->digest.hash, sizeof found.hash) != 0)
        explain_content(manifest, file, &found, out, capacity);
    return !*out;
}

// Files [begin, end) of the manifest; adds to the count of `faults`. `noted`: of a checkpoint,
// which a run may remove meanwhile; NULL for a data set.
static seq_status verify_files(const seq_info_options *options, const seq_manifest *manifest,
                               const char *directory, const seq_digest *noted, size_t begin,
                               size_t end, file_faults *faults, seq_error *error) {
    char fault[SEQ_ERROR_TEXT];
    for (size_t i = begin; i < end; i++) {
        seq_error reason = {0};
        seq_fault_point("reader.file");
        if (explain_file(manifest, directory, i, fault, sizeof fault, &reason)) continue;
        if (noted && seq_checkpoint_presence(directory, noted) != SEQ_PRESENT)
            return seq_error_set(error, SEQ_NO_CHECKPOINT, "verifying %s: it has gone", directory);
        char path[SEQ_PATH];
        seq_error ignored = {0};
        bool forbidden = reason.status &&
                         !seq_path_join(path, directory, manifest->files[i].name, &ignored) &&
                         seq_path_is_forbidden(path);
        if (reason.status == SEQ_NO_MEMORY || forbidden)
            return seq_error_set(error, reason.status, "verifying %s: %s", directory, fault);
        seq_info_say(options, "  %s: %s", manifest->files[i].name, fault);
        if (!faults->count++)
            snprintf(faults->first, sizeof faults->first, "%s: %.600s", manifest->files[i].name,
                     fault);
    }
    return SEQ_OK;
}

static seq_status judge_files(const seq_manifest *manifest, const char *directory,
                              const file_faults *faults, seq_status failure, seq_error *error) {
    if (!faults->count) return SEQ_OK;
    return seq_error_set(error, failure, "verifying %s: %zu of its %zu files are damaged; %s",
                         directory, faults->count, manifest->file_count, faults->first);
}

static seq_status blame_writer(const seq_info_options *options, const char *what,
                               const char *directory, const seq_digest *noted,
                               const seq_error *reason, seq_error *error) {
    if (seq_checkpoint_presence(directory, noted) != SEQ_PRESENT)
        return seq_error_set(error, reason->status, "%s", reason->text);
    seq_info_say(options, "  %s", reason->text);
    seq_info_say(options, "  %s: it was written like that, by a faulty program or by somebody",
                 what);
    return seq_error_set(error, reason->status, "%s", reason->text);
}

// The small files come first: the model that they describe says how much the shards may hold.
static seq_status verify_phases(const seq_info_options *options, const char *directory,
                                seq_loaded *loaded, const seq_digest *noted, seq_error *error) {
    const seq_manifest *manifest = &loaded->manifest;
    file_faults faults = {0};
    seq_compute compute;
    seq_state state;
    seq_error reason = {0};
    if (seq_checkpoint_open(directory, loaded, &reason))
        return blame_writer(options, "the manifest has its hash", directory, noted, &reason, error);
    size_t shards = (size_t)seq_checkpoint_shards(manifest);
    if (seq_compute_find("portable", SEQ_FP32, NULL, &compute, error) ||
        verify_files(options, manifest, directory, noted, shards, manifest->file_count, &faults,
                     error))
        return error->status;
    if (!faults.count && seq_checkpoint_build(loaded, &compute, &reason))
        return blame_writer(options, "the manifest and the small files have their hashes",
                            directory, noted, &reason, error);
    if (verify_files(options, manifest, directory, noted, 0, shards, &faults, error) ||
        judge_files(manifest, directory, &faults, SEQ_NO_CHECKPOINT, error))
        return error->status;
    seq_fault_point("reader.verified");
    if (seq_checkpoint_state(directory, manifest, &state, &reason) ||
        seq_checkpoint_read(directory, manifest, &state, 0, 1, &reason))
        return blame_writer(options, "every file has its size and hash", directory, noted, &reason,
                            error);
    return SEQ_OK;
}

seq_status seq_info_verify_checkpoint(const seq_info_options *options, const char *directory,
                                      const seq_digest *noted, seq_error *error) {
    seq_loaded loaded = {0};
    seq_status status = verify_phases(options, directory, &loaded, noted, error);
    seq_loaded_clear(&loaded);
    return status;
}

static seq_status read_tokens(seq_dataset *dataset, seq_error *error) {
    int32_t *tokens = NULL;
    seq_status status = seq_allocate(&tokens, PIECE, sizeof *tokens, "a piece of tokens", error);
    for (int split = 0; !status && split < SEQ_SPLITS; split++) {
        int64_t count = seq_dataset_tokens(dataset, (seq_split)split);
        for (int64_t at = 0; !status && at < count; at += PIECE)
            status =
                seq_dataset_read(dataset, (seq_split)split, at,
                                 (size_t)(count - at < PIECE ? count - at : PIECE), tokens, error);
    }
    free(tokens);
    return status;
}

static seq_status read_items(seq_dataset *dataset, seq_error *error) {
    enum { SOME = 256 };
    seq_items_room room = {0};
    seq_items items;
    seq_status status = SEQ_OK;
    for (int split = 0; !status && split < SEQ_SPLITS; split++) {
        int64_t count = seq_dataset_items(dataset, (seq_split)split);
        for (int64_t at = 0; !status && at < count; at += SOME)
            status =
                seq_dataset_read_items(dataset, (seq_split)split, at,
                                       count - at < SOME ? count - at : SOME, &room, &items, error);
    }
    seq_items_room_clear(&room);
    return status;
}

seq_status seq_info_verify_dataset(const seq_info_options *options, seq_dataset *dataset,
                                   seq_error *error) {
    const seq_manifest *manifest = seq_dataset_manifest(dataset);
    const char *path = seq_dataset_path(dataset);
    file_faults faults = {0};
    if (verify_files(options, manifest, path, NULL, 0, manifest->file_count, &faults, error) ||
        judge_files(manifest, path, &faults, SEQ_BAD_INPUT, error)) {
        seq_info_say(options, "make it again with seqprep, or copy it again");
        return error->status;
    }
    return seq_dataset_schema(dataset)->streams ? read_tokens(dataset, error)
                                                : read_items(dataset, error);
}

void seq_info_advise(const seq_info_options *options, const char *run, int64_t good) {
    if (run && good >= 0)
        seq_info_say(
            options,
            "seqtrain, seqsample and seqeval pass over what is damaged and take step %lld; "
            "seqtrain keeps it as step-N.damaged-K",
            (long long)good);
    else if (run)
        seq_info_say(options, "no checkpoint of this run can be used: copy the files named above "
                              "again from where they are whole, or start another run");
    else
        seq_info_say(options, "copy the files named above again from where they are whole; a run "
                              "falls back to its checkpoint before this one by itself");
}
