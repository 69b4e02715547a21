// Whether the run directory is one, at the start, and still the same one, while the run goes on.
// Rank 0 looks, at most once a second, before each checkpoint in any case, and what it finds is
// everybody's with the report of the step. A path that cannot be looked at just now is no finding:
// a server may come back. tests/fault/names.sh.
#include "saving.h"
#include <errno.h>
#include <seqtrain/base/log.h>
#include <seqtrain/storage/folder.h>
#include <sys/stat.h>

enum { PAUSE = 1 }; // seconds between two looks

seq_status seq_train_check_place(const char *run, seq_error *error) {
    char place[SEQ_PATH];
    seq_folder kind = SEQ_FOLDER_ABSENT;
    seq_error reason = {0};
    if (seq_folder_resolve(run, "--run", place, error)) return error->status;
    // What is there and no directory is told by the lock.
    if (seq_path_is_directory(place) && seq_folder_look(place, &kind, error))
        return seq_error_add_context(error, "--run");
    if (kind == SEQ_FOLDER_DATASET || kind == SEQ_FOLDER_CHECKPOINT ||
        kind == SEQ_FOLDER_CHECKPOINTS)
        seq_error_set(&reason, SEQ_BAD_USAGE,
                      "--run: %s is %s: name a folder of its own for the run", run,
                      seq_folder_name(kind));
    else
        seq_folder_check_above(place, "--run", run, false, &reason);
    if (!reason.status) return SEQ_OK;
    if (!seq_folder_is_run(place)) return seq_error_set(error, reason.status, "%s", reason.text);
    seq_log_warning("%s; this run is there already and goes on: move it before the folder around "
                    "it is removed or replaced",
                    reason.text);
    return SEQ_OK;
}

// At the lock that rank 0 holds: without it, another job may begin on what has its path.
static bool look_at(const char *run, struct stat *out) {
    char path[SEQ_PATH];
    seq_error ignored = {0};
    return !seq_path_join(path, run, ".lock", &ignored) && stat(path, out) == 0;
}

void seq_train_note_place(seq_trainer *trainer) {
    struct stat found;
    if (seq_comm_rank(trainer->comm) != 0 || !look_at(trainer->options->run, &found)) return;
    trainer->place = (seq_run_place){.known = true,
                                     .device = (uint64_t)found.st_dev,
                                     .node = (uint64_t)found.st_ino,
                                     .looked = seq_clock_seconds()};
}

// The directory that was there at the start has left its path.
static bool is_gone(const seq_trainer *trainer) {
    struct stat found;
    if (!look_at(trainer->options->run, &found)) return errno == ENOENT || errno == ENOTDIR;
    return (uint64_t)found.st_dev != trainer->place.device ||
           (uint64_t)found.st_ino != trainer->place.node;
}

static seq_status check_metrics(seq_trainer *trainer, seq_error *error) {
    bool renewed = false;
    seq_status status =
        seq_event_log_renew(&trainer->events, trainer->options->run, &renewed, error);
    if (!status && renewed) {
        seq_log_warning("%s was removed or replaced: its lines go into a new file from step %lld "
                        "on",
                        trainer->events.path, (long long)trainer->position.step);
        seq_event_begin(&trainer->events, "begun_anew");
        seq_event_integer(&trainer->events, "step", trainer->position.step);
        seq_event_end(&trainer->events);
    }
    return status;
}

seq_status seq_train_check_presence(seq_trainer *trainer, bool to_save, seq_error *error) {
    seq_run_place *place = &trainer->place;
    double now = seq_clock_seconds();
    if (!place->known || (!to_save && now - place->looked < PAUSE)) return SEQ_OK;
    place->looked = now;
    bool gone = is_gone(trainer), told = place->gone;
    place->gone = gone;
    if (!gone) return check_metrics(trainer, error);
    seq_error reason = {0};
    seq_error_set(
        &reason, SEQ_NO_SPACE,
        "%s: the run directory, or its .lock, has been removed, renamed or replaced since the run "
        "began; noticed after step %lld",
        trainer->options->run, (long long)trainer->position.step);
    if (to_save || trainer->options->on_save_failure == SEQ_SAVE_OR_STOP)
        return seq_error_set(error, reason.status, "%s", reason.text);
    if (!told) seq_log_warning("%s; training goes on (--on-save-failure continue)", reason.text);
    return SEQ_OK;
}
