// What a folder is to seqtrain: a program that writes into one, or replaces one, looks first.
#ifndef SEQTRAIN_STORAGE_FOLDER_H
#define SEQTRAIN_STORAGE_FOLDER_H

#include <seqtrain/base/file.h>
#include <stdbool.h>

typedef enum seq_folder {
    SEQ_FOLDER_ABSENT,
    SEQ_FOLDER_EMPTY, // but for the lost+found of a disk
    SEQ_FOLDER_DATASET,
    SEQ_FOLDER_CHECKPOINT,  // whole, or step-N of a run without its manifest
    SEQ_FOLDER_CHECKPOINTS, // RUN/checkpoints
    SEQ_FOLDER_RUN,
    SEQ_FOLDER_OTHER,
} seq_folder;

// "a data set", "a checkpoint" ...: for messages.
const char *seq_folder_name(seq_folder kind);

// seq_path_resolve for the place that an option names: SEQ_BAD_USAGE where that says
// SEQ_BAD_INPUT, and the message begins with `option`.
seq_status seq_folder_resolve(const char *given, const char *option, char out[SEQ_PATH],
                              seq_error *error);

// SEQ_BAD_INPUT when it is no folder, or may not be read.
seq_status seq_folder_look(const char *path, seq_folder *out, seq_error *error);

bool seq_folder_is_run(const char *path); // whatever else it is

// Data sets and checkpoints are replaced and removed as a whole: nothing else belongs into them.
// SEQ_BAD_USAGE when `path`, without links (seq_path_resolve), lies in one, or, unless it is to be
// a `checkpoint`, in the folder of a run's checkpoints; the message begins with `option` and
// `given`.
seq_status seq_folder_check_above(const char *path, const char *option, const char *given,
                                  bool checkpoint, seq_error *error);

#endif
