// A data set is made in a folder of its own, TARGET.tmp-PID, which takes the target's name when it
// is whole: by one rename, or, where a data set is replaced, by an exchange of the two. A folder
// that was there before and is empty stays the same folder (a mount point, a current directory, one
// with rights or stripes of its own), and so does one that cannot be renamed: then the data set is
// made in TARGET/.seqprep-PID, the files move up, and dataset.json comes last.
// The living hold locks, on the name and in their folder; what can be locked was left by the dead.
// Only files with names of a data set are ever removed. tests/cli/output_places.sh.
#include "place.h"
#include <seqtrain/data/dataset_format.h>
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/log.h>
#include <seqtrain/storage/folder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK   ".seqprep.lock"
#define INSIDE ".seqprep-"

static bool is_number(const char *text) {
    return *text && text[strspn(text, "0123456789")] == '\0';
}

// PREFIX NAME SUFFIX, of which the first `length` bytes are the file's name.
static bool is_of_vocabulary(const char *name, size_t length, const char *prefix,
                             const char *suffix) {
    size_t begin = strlen(prefix), end = strlen(suffix);
    if (strncmp(name, prefix, begin) != 0) return false;
    size_t letters = strspn(name + begin, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return begin + letters + end == length && strncmp(name + begin + letters, suffix, end) == 0;
}

// A file of a data set, or one that its writer has not come to rename or remove.
static bool is_part(const char *name) {
    static const char *const others[] = {"dataset.json", "vocabulary.tsv", "merges.txt",
                                         "summary.txt"};
    const char *temporary = strstr(name, ".tmp-");
    size_t length =
        temporary && is_number(temporary + 5) ? (size_t)(temporary - name) : strlen(name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == length && strncmp(name, others[i], length) == 0) return true;
    if (is_of_vocabulary(name, length, "vocabulary-", ".tsv") ||
        is_of_vocabulary(name, length, "merges-", ".txt"))
        return true;
    for (int split = 0; split < SEQ_SPLITS; split++) {
        const char *prefix = seq_split_name((seq_split)split);
        size_t size = strlen(prefix);
        if (strncmp(name, prefix, size) != 0 || name[size] != '-') continue;
        size_t digits = strspn(name + size + 1, "0123456789");
        if (digits >= 4 && strcmp(name + size + 1 + digits, ".h5") == 0) return true;
    }
    return strcmp(name, "units.tmp") == 0 || strcmp(name, LOCK) == 0;
}

static bool is_work(const char *name) {
    return strncmp(name, INSIDE, strlen(INSIDE)) == 0 && is_number(name + strlen(INSIDE));
}

// The first entries that are no part of a data set; "": none.
static seq_status list_foreign(const char *folder, char out[200], seq_error *error) {
    char **names = NULL;
    size_t count = 0;
    *out = '\0';
    seq_status status = seq_directory_list(folder, &names, &count, error);
    for (size_t i = 0; i < count && strlen(out) < 100; i++)
        if (!is_part(names[i]) && !is_work(names[i]) && strcmp(names[i], "lost+found") != 0)
            snprintf(out + strlen(out), 200 - strlen(out), "%s%.60s", *out ? ", " : "", names[i]);
    seq_names_free(names, count);
    return status;
}

// What may be written to: nothing, an empty folder, what a killed seqprep left of one, and with
// `force` a data set that holds nothing else.
static seq_status look(const seq_place *place, seq_folder *out, seq_error *error) {
    char foreign[200];
    bool unfinished = seq_path_holds(place->target, LOCK);
    if (seq_folder_look(place->target, out, error) || *out == SEQ_FOLDER_ABSENT ||
        *out == SEQ_FOLDER_EMPTY || list_foreign(place->target, foreign, error))
        return error->status;
    if (*out == SEQ_FOLDER_OTHER && unfinished && !*foreign &&
        !seq_path_holds(place->target, "dataset.json"))
        *out = SEQ_FOLDER_EMPTY;
    if (*out == SEQ_FOLDER_EMPTY || (*out == SEQ_FOLDER_DATASET && place->force && !*foreign))
        return SEQ_OK;
    if (*out == SEQ_FOLDER_DATASET && place->force)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--force: %s holds more than a data set (%s): move that elsewhere, or "
                             "name another --output",
                             place->given, foreign);
    return seq_error_set(error, SEQ_BAD_USAGE, "--output: %s exists and is not empty: it is %s%s",
                         place->given, seq_folder_name(*out),
                         *out == SEQ_FOLDER_DATASET ? "; --force replaces the data set"
                                                    : "; name another folder");
}

static seq_status beside(const seq_place *place, const char *format, char out[SEQ_PATH],
                         seq_error *error) {
    char above[SEQ_PATH], name[SEQ_PATH + 64];
    const char *own = seq_path_split(place->target, above);
    snprintf(name, sizeof name, strcmp(format, LOCK) == 0 ? ".%s%s" : "%s%s", own, format);
    return seq_path_join(out, above, name, error);
}

static seq_status numbered(const seq_place *place, const char *suffix, char out[SEQ_PATH],
                           seq_error *error) {
    char ending[64];
    snprintf(ending, sizeof ending, ".%s-%ld", suffix, (long)getpid());
    return beside(place, ending, out, error);
}

typedef enum taking {
    TAKEN,
    HELD,
    UNKNOWN,
    FAILED
} taking; // UNKNOWN: without locks, and it exists

static bool is_same_file(int descriptor, const char *path) {
    struct stat open_file, named;
    return fstat(descriptor, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static void write_holder(int descriptor) {
    char host[128] = "unknown", text[200];
    gethostname(host, sizeof host - 1);
    int size = snprintf(text, sizeof text, "host %s, process %ld\n", host, (long)getpid());
    if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, (size_t)size, 0) < 0)
        return; // only for the message of another
}

static int open_lock(const char *path, bool *out_created) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *out_created = descriptor >= 0;
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
    descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == EACCES) // another user's
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT) errno = EAGAIN; // it has just gone
    return descriptor;
}

// FAILED leaves errno. Who ends removes the file, so what was locked may have no name any more.
static taking take_lock(seq_place_lock *lock) {
    for (;;) {
        bool created;
        int descriptor = open_lock(lock->path, &created);
        if (descriptor < 0 && errno == EAGAIN) continue;
        if (descriptor < 0) return FAILED;
        int failed = flock(descriptor, LOCK_EX | LOCK_NB) ? errno : 0;
        if (!failed && !is_same_file(descriptor, lock->path)) {
            close(descriptor);
            continue;
        }
        if (failed && (failed == EWOULDBLOCK || !created)) {
            close(descriptor);
            return failed == EWOULDBLOCK ? HELD : UNKNOWN;
        }
        write_holder(descriptor);
        lock->descriptor = descriptor + 1;
        return TAKEN;
    }
}

static void release_lock(seq_place_lock *lock) {
    if (!lock->descriptor) return;
    if (is_same_file(lock->descriptor - 1, lock->path)) unlink(lock->path);
    close(lock->descriptor - 1);
    lock->descriptor = 0;
}

static seq_status refuse(const seq_place *place, const seq_place_lock *lock, taking how,
                         seq_error *error) {
    char *text = NULL;
    size_t size;
    seq_error ignored = {0};
    if (how == FAILED)
        return seq_error_set_errno(error, "--output %s: locking %s", place->given, lock->path);
    if (how == UNKNOWN)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--output: another seqprep is making %s, or one was killed, and this "
                             "file system cannot tell: when none is, remove %s",
                             place->given, lock->path);
    seq_file_read(lock->path, 1000, &text, &size, &ignored);
    seq_error_set(error, SEQ_BAD_USAGE, "--output: another seqprep is making %s (%.*s)",
                  place->given, text ? (int)strcspn(text, "\n") : 15,
                  text ? text : "it ends just now");
    free(text);
    return error->status;
}

static seq_status lock_name(seq_place *place, bool exists, seq_error *error) {
    seq_status status = exists ? seq_path_join(place->name.path, place->target, LOCK, error)
                               : beside(place, LOCK, place->name.path, error);
    if (status) return status;
    taking how = take_lock(&place->name);
    return how == TAKEN ? SEQ_OK : refuse(place, &place->name, how, error);
}

// dataset.json first: without it a folder is no data set, whatever interrupts the rest.
static seq_status remove_dataset(const char *folder, seq_error *error) {
    char manifest[SEQ_PATH];
    seq_status status = seq_path_join(manifest, folder, "dataset.json", error);
    if (!status && unlink(manifest) && errno != ENOENT)
        status = seq_error_set_errno(error, "removing %s", manifest);
    if (!status) status = seq_directory_sync(folder, error);
    seq_fault_point("prepare.decommitted");
    return status ? status : seq_directory_remove(folder, error);
}

// A folder with the name of one that a job works in. Removed when its job is dead and nothing in it
// is of use to anybody; named otherwise, unless its job is alive.
static void clear_leftover(const char *folder, bool inside) {
    char foreign[200];
    seq_error reason = {0};
    seq_place_lock lock = {0};
    if (!seq_path_is_directory(folder) || rmdir(folder) == 0) return; // empty
    bool is_locked = seq_path_holds(folder, LOCK),
         whole = !inside && seq_path_holds(folder, "dataset.json");
    if (is_locked && !seq_path_join(lock.path, folder, LOCK, &reason)) {
        taking how = take_lock(&lock);
        if (how == HELD) return;
        is_locked = how == TAKEN;
    }
    if (!list_foreign(folder, foreign, &reason) && is_locked && !*foreign && !whole) {
        if (!seq_directory_remove(folder, &reason))
            seq_log_info("removed %s, which a killed seqprep had left", folder);
    } else if (seq_path_exists(folder)) {
        seq_log_warning("%s looks like what a killed seqprep leaves: %s", folder,
                        whole ? "a whole data set; rename it, or remove it"
                              : "remove it when no seqprep works on it");
    }
    if (reason.status) seq_log_warning("%s", reason.text);
    release_lock(&lock);
}

static bool is_left_beside(const char *entry, const char *name) {
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 &&
           (strncmp(entry + length, ".tmp-", 5) == 0 || strncmp(entry + length, ".old-", 5) == 0) &&
           is_number(entry + length + 5);
}

// Whether a job that lives, or of which nobody can tell, has the lock. One of a dead job goes with
// `drop`; in a target that is no data set it stays, to tell that one was not finished.
static bool is_held(const char *path, bool drop) {
    seq_place_lock lock = {0};
    snprintf(lock.path, sizeof lock.path, "%s", path);
    if (!seq_path_exists(path)) return false;
    taking how = take_lock(&lock);
    if (how == TAKEN && drop) release_lock(&lock);
    if (lock.descriptor) close(lock.descriptor - 1);
    return how == HELD || how == UNKNOWN;
}

static bool is_being_made(const seq_place *place) {
    char lock[SEQ_PATH];
    seq_error ignored = {0};
    bool held = !beside(place, LOCK, lock, &ignored) && is_held(lock, true);
    if (!held && !seq_path_join(lock, place->target, LOCK, &ignored))
        held = is_held(lock, seq_path_holds(place->target, "dataset.json"));
    return held;
}

// `name`: of the target beside it, or NULL: what lies inside it. A job locks the name before it
// makes its folder: so what was listed before the name was seen free belongs to no living job.
static void clear_leftovers(const seq_place *place, const char *folder, const char *name) {
    char **names = NULL, path[SEQ_PATH];
    size_t count = 0;
    seq_error ignored = {0};
    if (seq_directory_list(folder, &names, &count, &ignored)) return;
    bool spare = is_being_made(place);
    for (size_t i = 0; !spare && i < count; i++)
        if ((name ? is_left_beside(names[i], name) : is_work(names[i])) &&
            !seq_path_join(path, folder, names[i], &ignored))
            clear_leftover(path, !name);
    seq_names_free(names, count);
}

static void tidy(const seq_place *place) {
    char above[SEQ_PATH];
    const char *name = seq_path_split(place->target, above);
    clear_leftovers(place, above, name);
    clear_leftovers(place, place->target, NULL);
}

seq_status seq_place_find(seq_place *place, const char *output, bool force, seq_error *error) {
    seq_folder kind;
    *place = (seq_place){.given = output, .force = force};
    if (seq_folder_resolve(output, "--output", place->target, error)) return error->status;
    if (seq_path_exists(place->target) && !seq_path_is_directory(place->target))
        return seq_error_set(error, SEQ_BAD_USAGE, "--output: %s exists and is not a folder",
                             output);
    tidy(place);
    seq_status status = look(place, &kind, error);
    return status ? status
                  : seq_folder_check_above(place->target, "--output", output, false, error);
}

seq_status seq_place_check_outside(const seq_place *place, const char *input, seq_error *error) {
    if (!seq_path_is_directory(input)) return SEQ_OK;
    char *folder = realpath(input, NULL);
    const char *target = place->target; // without links, and may not be there yet
    size_t length = folder ? strlen(folder) : 0;
    if (folder && strncmp(target, folder, length) == 0 &&
        (target[length] == 0 || target[length] == '/' || folder[length - 1] == '/'))
        seq_error_set(error, SEQ_BAD_USAGE, "--output: %s lies inside the input folder %s",
                      place->given, input);
    free(folder);
    return error->status;
}

// Nobody's current directory is ours to know but our own; a mount point cannot be renamed.
static bool must_stay(const char *target) {
    char above[SEQ_PATH];
    struct stat own, parent, current;
    seq_path_split(target, above);
    if (stat(target, &own) || stat(above, &parent) || own.st_dev != parent.st_dev) return true;
    if (stat(".", &current) == 0 && current.st_dev == own.st_dev && current.st_ino == own.st_ino)
        return true;
#ifdef STATX_TYPE
#ifndef STATX_ATTR_MOUNT_ROOT // of Linux 5.8, in the headers of glibc from 2.32 on
    enum { STATX_ATTR_MOUNT_ROOT = 0x2000 };
#endif
    struct statx more;
    if (statx(AT_FDCWD, target, 0, STATX_TYPE, &more) == 0)
        return (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#endif
    return false;
}

static seq_status make_work(seq_place *place, seq_folder kind, seq_error *error) {
    char name[64];
    place->inside =
        kind == SEQ_FOLDER_EMPTY || (kind == SEQ_FOLDER_DATASET && must_stay(place->target));
    if (!place->inside) {
        if (numbered(place, "tmp", place->work, error)) return error->status;
        if (mkdir(place->work, 0777) == 0) return SEQ_OK;
        bool forbidden = errno == EACCES || errno == EPERM || errno == EROFS;
        if (kind == SEQ_FOLDER_ABSENT || !forbidden)
            return seq_error_set_errno(error, "creating directory %s", place->work);
        place->inside = true;
    }
    snprintf(name, sizeof name, INSIDE "%ld", (long)getpid());
    if (seq_path_join(place->work, place->target, name, error)) return error->status;
    return mkdir(place->work, 0777)
               ? seq_error_set_errno(error, "creating directory %s", place->work)
               : SEQ_OK;
}

seq_status seq_place_take(seq_place *place, seq_error *error) {
    char above[SEQ_PATH];
    seq_folder kind;
    seq_path_split(place->target, above);
    if (look(place, &kind, error) || seq_directory_create(above, error) ||
        lock_name(place, kind != SEQ_FOLDER_ABSENT, error) || look(place, &kind, error))
        return error->status;
    if (make_work(place, kind, error)) {
        *place->work = '\0';
        return error->status;
    }
    seq_fault_point("prepare.folder-made");
    if (seq_path_join(place->made.path, place->work, LOCK, error)) return error->status;
    return take_lock(&place->made) == FAILED
               ? seq_error_set_errno(error, "creating %s", place->made.path)
               : SEQ_OK;
}

static seq_status move_up(const seq_place *place, const char *name, seq_error *error) {
    char from[SEQ_PATH], to[SEQ_PATH];
    seq_status status = seq_path_join(from, place->work, name, error);
    if (!status) status = seq_path_join(to, place->target, name, error);
    if (!status && rename(from, to))
        status = seq_error_set_errno(error, "renaming %s to %s", from, to);
    return status;
}

// What was there before goes first, so that at no time files of two data sets make one.
static seq_status clear_target(const seq_place *place, seq_error *error) {
    char **names = NULL, path[SEQ_PATH];
    size_t count = 0;
    seq_status status = seq_path_join(path, place->target, "dataset.json", error);
    if (!status && unlink(path) && errno != ENOENT)
        status = seq_error_set_errno(error, "removing %s", path);
    if (!status) status = seq_directory_sync(place->target, error);
    seq_fault_point("prepare.inside-decommitted");
    if (!status) status = seq_directory_list(place->target, &names, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        if (!is_part(names[i]) || strcmp(names[i], LOCK) == 0) continue;
        status = seq_path_join(path, place->target, names[i], error);
        if (!status && unlink(path)) status = seq_error_set_errno(error, "removing %s", path);
    }
    seq_names_free(names, count);
    return status;
}

static seq_status move_inside(const seq_place *place, seq_error *error) {
    char **names = NULL;
    size_t count = 0;
    seq_status status = clear_target(place, error);
    if (!status) status = seq_directory_list(place->work, &names, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        if (strcmp(names[i], "dataset.json") != 0 && strcmp(names[i], LOCK) != 0)
            status = move_up(place, names[i], error);
    seq_names_free(names, count);
    if (!status) status = seq_directory_sync(place->target, error);
    seq_fault_point("prepare.inside-moved");
    if (!status) status = move_up(place, "dataset.json", error);
    return status ? status : seq_directory_sync(place->target, error);
}

static seq_status appear(seq_place *place, seq_error *error) {
    char above[SEQ_PATH];
    seq_path_split(place->target, above);
    if (rename(place->work, place->target)) {
        bool occupied = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR;
        return occupied
                   ? seq_error_set(error, SEQ_BAD_USAGE,
                                   "--output: something else has taken the name %s while the "
                                   "data set was made: nothing was replaced",
                                   place->given)
                   : seq_error_set_errno(error, "renaming %s to %s", place->work, place->target);
    }
    *place->work = '\0';
    seq_fault_point("prepare.renamed");
    seq_place_lock *lock = &place->made; // has moved along
    seq_status status = seq_path_join(lock->path, place->target, LOCK, error);
    return status ? status : seq_directory_sync(above, error);
}

// A file system that cannot exchange two names: there is a moment without a data set.
static seq_status replace_in_turn(seq_place *place, char old[SEQ_PATH], seq_error *error) {
    seq_status status = numbered(place, "old", old, error);
    if (!status && rename(place->target, old))
        status = seq_error_set_errno(error, "renaming %s", place->target);
    if (status || !appear(place, error)) return status;
    if (rename(old, place->target)) seq_log_warning("the former data set is now %s", old);
    *old = '\0';
    return error->status;
}

static seq_status replace(seq_place *place, seq_error *error) {
    char old[SEQ_PATH], above[SEQ_PATH];
    seq_error late = {0};
    seq_path_split(place->target, above);
    if (seq_path_exchange(place->work, place->target)) {
        snprintf(old, sizeof old, "%s", place->work);
        *place->work = '\0';
        seq_fault_point("prepare.exchanged");
        if (seq_path_join(place->made.path, place->target, LOCK, error) ||
            seq_directory_sync(above, error))
            return error->status;
    } else if (errno != EINVAL && errno != ENOSYS) {
        return move_inside(place, error);
    } else if (replace_in_turn(place, old, error)) {
        return error->status;
    }
    if (remove_dataset(old, &late) && seq_path_exists(old))
        seq_log_warning("the former data set is still there: %s", late.text);
    return SEQ_OK;
}

seq_status seq_place_commit(seq_place *place, seq_error *error) {
    seq_folder kind;
    seq_fault_point("prepare.complete");
    if (look(place, &kind, error)) return seq_error_add_context(error, "looking again");
    if (place->inside) return move_inside(place, error);
    return kind == SEQ_FOLDER_DATASET ? replace(place, error) : appear(place, error);
}

void seq_place_release(seq_place *place) {
    seq_error reason = {0};
    if (*place->work && seq_directory_remove(place->work, &reason))
        seq_log_warning("%s", reason.text);
    release_lock(&place->made);
    release_lock(&place->name);
}
