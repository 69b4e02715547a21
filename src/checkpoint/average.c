// The mean of the last checkpoints of a run, as a model for inference. Parameters
// are added in double from the oldest to the newest, then divided. Invariant: all
// are of one run and one model; none is passed over. Test:
// tests/unit/checkpoint/test_checkpoint.c.
#include "layout.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/checkpoint/identity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct work {
    const char *run;
    const seq_compute *compute;
    double *sums; // of the parameters, NULL before the first
    seq_loaded *out;
} work;

// The shapes of the newest one, which is loaded.
static seq_status check_shapes(const work *work, const seq_loaded *other, seq_error *error) {
    const seq_parameter_table *table = seq_model_parameters(work->out->model),
                              *own = seq_model_parameters(other->model);
    bool same = own->count == table->count && own->size == table->size;
    for (int i = 0; same && i < table->count; i++)
        same = strcmp(own->items[i].name, table->items[i].name) == 0 &&
               own->items[i].rows == table->items[i].rows &&
               own->items[i].columns == table->items[i].columns;
    return same ? SEQ_OK
                : seq_error_set(error, SEQ_NO_CHECKPOINT,
                                "its parameters have other names or shapes than those of %s",
                                work->out->directory);
}

static seq_status load(const work *work, int64_t step, seq_loaded *out, bool *out_removed,
                       seq_error *error) {
    char directory[SEQ_PATH];
    seq_presence presence = SEQ_PRESENT;
    seq_status status = seq_checkpoint_directory(work->run, step, directory, error);
    if (!status)
        status = seq_checkpoint_load_present(directory, work->compute, out, &presence, error);
    *out_removed = presence == SEQ_REMOVED;
    if (!status) status = seq_identity_check(work->run, directory, &out->manifest, NULL, error);
    return status;
}

static seq_status add(work *work, const seq_loaded *loaded, seq_error *error) {
    size_t size = seq_model_parameters(work->out->model)->size;
    seq_status status = check_shapes(work, loaded, error);
    if (!status && !work->sums)
        status = seq_allocate(&work->sums, size, sizeof *work->sums, "the mean", error);
    for (size_t i = 0; !status && i < size; i++)
        work->sums[i] += (double)loaded->parameters[i];
    return status;
}

static void divide(const work *work, int count) {
    const seq_loaded *out = work->out;
    size_t size = seq_model_parameters(out->model)->size;
    for (size_t i = 0; i < size; i++)
        out->parameters[i] = (float)(work->sums[i] / count);
    seq_model_pack(out->model, SEQ_USE_EVALUATION, out->parameters, 0, 1, out->packed);
}

static void tell(const int64_t *steps, int count) {
    char text[512] = "";
    for (int i = count - 1, used = 0; i >= 0 && used < (int)sizeof text; i--)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%lld",
                         i == count - 1 ? ""
                         : i            ? ", "
                                        : " and ",
                         (long long)steps[i]);
    seq_log_info("the mean of %d checkpoints, of the steps %s", count, text);
}

// `steps` are the newest first.
static seq_status average(work *work, const int64_t *steps, int count, bool *out_removed,
                          seq_error *error) {
    seq_status status = load(work, steps[0], work->out, out_removed, error);
    for (int i = count - 1; !status && i > 0; i--) {
        seq_loaded other = {0};
        status = load(work, steps[i], &other, out_removed, error);
        if (!status) status = add(work, &other, error);
        seq_loaded_clear(&other);
        if (status)
            seq_error_add_context(error, "the checkpoint of step %lld", (long long)steps[i]);
    }
    if (!status) status = add(work, work->out, error);
    if (!status) divide(work, count);
    if (!status) tell(steps, count);
    free(work->sums);
    work->sums = NULL;
    if (status) seq_loaded_clear(work->out);
    return status;
}

seq_status seq_checkpoint_load_average(const char *run, int count, const seq_compute *compute,
                                       seq_loaded *out, seq_error *error) {
    work work = {.run = run, .compute = compute, .out = out};
    for (int attempt = 0; attempt < SEQ_READ_ATTEMPTS; attempt++) {
        int64_t *steps = NULL;
        size_t found = 0;
        bool removed = false;
        *error = (seq_error){0};
        *out = (seq_loaded){0};
        seq_status status = seq_checkpoint_list(run, &steps, &found, error);
        if (!status && found < (size_t)count)
            status = seq_error_set(error, SEQ_NO_CHECKPOINT,
                                   "averaging %d checkpoints: %s has %zu (seqtrain --keep says how "
                                   "many of the newest stay; a checkpoint of a run has no others)",
                                   count, run, found);
        if (!status) status = average(&work, steps, count, &removed, error);
        free(steps);
        if (!removed) return status;
    }
    return seq_checkpoint_tell_moved(run, SEQ_REPLACED, error);
}
