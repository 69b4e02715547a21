// RUN/data-path.txt: where the data set of the run's last session lies. It stands beside the
// checkpoints, so that these are equal files wherever the data is. One line, an absolute path.
#ifndef SEQTRAIN_CHECKPOINT_DATA_PATH_H
#define SEQTRAIN_CHECKPOINT_DATA_PATH_H

#include <seqtrain/base/status.h>
#include <seqtrain/data/dataset.h>
#include <seqtrain/storage/manifest.h>

seq_status seq_data_path_write(const char *run, const char *dataset, seq_error *error);
// The data set of a run, or that in the record of a checkpoint, where earlier versions have it.
// *out NULL: neither says. Release it with free(). SEQ_NO_MEMORY is the only failure.
seq_status seq_data_path_find(const char *run, const seq_manifest *manifest, char **out,
                              seq_error *error);
// Opens it. Where it is gone, the message says whose it was, and that --data names another place.
seq_status seq_data_path_open(const char *run, const char *path, seq_dataset **out,
                              seq_error *error);

#endif
