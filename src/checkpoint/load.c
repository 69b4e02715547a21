// Loads a model for inference: from a checkpoint, or from the newest (or best) usable one of a run.
// Invariant: what was loaded has one manifest throughout; when that changes meanwhile, loading
// begins again (presence.c). Tests: tests/unit/checkpoint/test_checkpoint.c,
// tests/fault/readers.sh.
#include "layout.h"
#include <errno.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/checkpoint/identity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_loaded_clear(seq_loaded *loaded) {
    seq_manifest_clear(&loaded->manifest);
    seq_schema_clear(&loaded->schema);
    seq_settings_clear(&loaded->settings);
    for (int i = 0; i < SEQ_VOCABULARIES; i++)
        seq_vocabulary_destroy(loaded->vocabularies[i]);
    seq_model_destroy(loaded->model);
    free(loaded->parameters);
    free(loaded->packed);
    *loaded = (seq_loaded){0};
}

static seq_status read_parameters(seq_loaded *loaded, seq_error *error) {
    size_t count = seq_model_parameters(loaded->model)->size;
    seq_status status =
        seq_allocate(&loaded->parameters, count, sizeof(float), "the parameters", error);
    const seq_state state = {.vectors = {{"parameters", loaded->parameters, count}}, .count = 1};
    return status ? status
                  : seq_checkpoint_read(loaded->directory, &loaded->manifest, &state, 0, 1, error);
}

static seq_status pack_parameters(seq_loaded *loaded, seq_error *error) {
    size_t bytes = seq_model_packed_bytes(loaded->model, SEQ_USE_EVALUATION);
    seq_status status = seq_allocate(&loaded->packed, bytes, 1, "the packed weights", error);
    if (status) return status;
    seq_model_pack(loaded->model, SEQ_USE_EVALUATION, loaded->parameters, 0, 1, loaded->packed);
    loaded->weights = (seq_weights){loaded->parameters, loaded->packed, SEQ_USE_EVALUATION};
    return SEQ_OK;
}

static seq_status load_directory(const char *directory, const seq_compute *compute, seq_loaded *out,
                                 seq_error *error) {
    seq_status status = seq_checkpoint_open(directory, out, error);
    seq_fault_point("reader.manifest");
    if (!status) status = seq_checkpoint_build(out, compute, error);
    seq_fault_point("reader.vocabulary");
    if (!status) status = seq_checkpoint_verify(directory, &out->manifest, 0, 1, error);
    seq_fault_point("reader.verified");
    if (!status) status = read_parameters(out, error);
    seq_fault_point("reader.parameters");
    if (!status) status = pack_parameters(out, error);
    if (status) seq_loaded_clear(out);
    return status;
}

seq_status seq_checkpoint_load_present(const char *directory, const seq_compute *compute,
                                       seq_loaded *out, seq_presence *out_presence,
                                       seq_error *error) {
    for (int attempt = 0; attempt < SEQ_READ_ATTEMPTS; attempt++) {
        seq_digest noted;
        *error = (seq_error){0};
        seq_checkpoint_note(directory, &noted);
        seq_status status = load_directory(directory, compute, out, error);
        *out_presence = seq_checkpoint_presence(directory, &noted);
        if (*out_presence == SEQ_PRESENT) return status;
        seq_loaded_clear(out);
        if (*out_presence == SEQ_REMOVED) break;
    }
    return seq_checkpoint_tell_moved(directory, *out_presence, error);
}

// The best step that the newest readable manifest knows, or -1.
static int64_t best_step(const char *run, const int64_t *steps, size_t count) {
    int64_t best = -1;
    for (size_t i = 0; i < count; i++) {
        char directory[SEQ_PATH];
        seq_manifest manifest = {0};
        seq_error ignored = {0};
        bool readable = !seq_checkpoint_directory(run, steps[i], directory, &ignored) &&
                        !seq_checkpoint_read_manifest(directory, &manifest, &ignored) &&
                        !seq_identity_check(run, directory, &manifest, NULL, &ignored);
        if (readable)
            seq_record_get_integer(seq_manifest_section_find(&manifest, "position"), "best_step",
                                   -1, INT64_MAX, &best, &ignored);
        seq_manifest_clear(&manifest);
        if (readable) break;
    }
    return best;
}

// Puts `step` first, if it is there.
static void prefer(int64_t *steps, size_t count, int64_t step) {
    for (size_t i = 0; i < count; i++) {
        if (steps[i] != step) continue;
        memmove(steps + 1, steps, i * sizeof *steps);
        steps[0] = step;
    }
}

static const char *why_none(const char *path) {
    if (!seq_path_is_directory(path))
        return "it is a file: name a run directory or a checkpoint in it";
    if (seq_path_holds(path, "dataset.json")) return "it is a data set: name a run or a checkpoint";
    if (seq_path_holds(path, "config.ini"))
        return "it has no checkpoint yet: seqtrain writes the first after --checkpoint-every "
               "steps, a validation or an epoch";
    return "it has no checkpoint";
}

// The first of these that can be used. SEQ_NO_CHECKPOINT with *out_removed: one has been removed
// before another could be loaded.
static seq_status load_listed(const char *run, const int64_t *steps, size_t count,
                              const seq_compute *compute, seq_loaded *out, bool *out_removed,
                              seq_error *error) {
    *out_removed = false;
    for (size_t i = 0; i < count; i++) {
        char directory[SEQ_PATH];
        seq_presence presence = SEQ_PRESENT;
        seq_error reason = {0};
        if (!seq_checkpoint_directory(run, steps[i], directory, &reason) &&
            !seq_checkpoint_load_present(directory, compute, out, &presence, &reason)) {
            if (!seq_identity_check(run, directory, &out->manifest, NULL, &reason)) return SEQ_OK;
            seq_loaded_clear(out);
        }
        *out_removed = presence == SEQ_REMOVED;
        if (*out_removed || reason.status != SEQ_NO_CHECKPOINT)
            return seq_error_set(error, reason.status, "%s", reason.text);
        seq_log_warning("the checkpoint of step %lld cannot be used: %s", (long long)steps[i],
                        reason.text);
    }
    return seq_error_set(error, SEQ_NO_CHECKPOINT, "loading %s: %s", run,
                         count ? "none of its checkpoints can be used" : why_none(run));
}

static seq_status load_run(const char *run, bool prefer_best, const seq_compute *compute,
                           seq_loaded *out, seq_error *error) {
    for (int attempt = 0; attempt < SEQ_READ_ATTEMPTS; attempt++) {
        int64_t *steps = NULL;
        size_t count = 0;
        bool removed = false;
        *error = (seq_error){0};
        seq_status status = seq_checkpoint_list(run, &steps, &count, error);
        seq_fault_point("reader.listed");
        if (!status && prefer_best) prefer(steps, count, best_step(run, steps, count));
        if (!status) status = load_listed(run, steps, count, compute, out, &removed, error);
        free(steps);
        if (!removed) return status;
    }
    return seq_checkpoint_tell_moved(run, SEQ_REPLACED, error);
}

seq_status seq_checkpoint_load(const char *path, bool prefer_best, const seq_compute *compute,
                               seq_loaded *out, seq_error *error) {
    const char *slash = strrchr(path, '/');
    seq_presence presence;
    *out = (seq_loaded){0};
    char manifest[SEQ_PATH];
    if (seq_path_join(manifest, path, "manifest.json", error)) return error->status;
    seq_error reason = {0};
    if (!seq_path_check(path, &reason) && seq_path_is_forbidden(path)) {
        errno = EACCES;
        seq_error_set_errno(&reason, "%s", path);
    }
    if (reason.status && seq_path_is_forbidden(path))
        return seq_error_set(error, reason.status, "loading %s", reason.text);
    if (reason.status)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "loading %s: no such run or checkpoint%s",
                             path,
                             seq_path_exists(path) ? ": it is a link that leads nowhere" : "");
    if (seq_path_exists(manifest))
        return seq_checkpoint_load_present(path, compute, out, &presence, error);
    if (seq_step_of_name(slash ? slash + 1 : path) >= 0)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "loading %s: it has no manifest.json: being written or being removed "
                             "by a run, not finished, or the manifest is lost",
                             path);
    return load_run(path, prefer_best, compute, out, error);
}
