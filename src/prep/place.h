// Where a data set is made, and how it comes to stand under its name.
#ifndef SEQ_PREP_PLACE_H
#define SEQ_PREP_PLACE_H

#include <seqtrain/base/file.h>

// A lock file that lives as long as its job; what a killed job leaves can be locked.
typedef struct seq_place_lock {
    char path[SEQ_PATH];
    int descriptor; // + 1; 0: none
} seq_place_lock;

// Zero-initialise before use.
typedef struct seq_place {
    const char *given; // the caller's
    bool force;
    char target[SEQ_PATH]; // without links
    char work[SEQ_PATH];   // the data set is made in here; empty before seq_place_take
    bool inside;           // `work` lies in the target
    seq_place_lock name, made;
} seq_place;

// Follows links, removes or names what killed jobs have left, and refuses what seqprep may not
// write to: SEQ_BAD_USAGE, nothing is changed. The target is not there, an empty folder, or a data
// set and `force` is set.
seq_status seq_place_find(seq_place *place, const char *output, bool force, seq_error *error);
// SEQ_BAD_USAGE when the target lies in `input`, if that is a folder.
seq_status seq_place_check_outside(const seq_place *place, const char *input, seq_error *error);
// Locks the name and makes `work`. SEQ_BAD_USAGE when another seqprep has the name.
seq_status seq_place_take(seq_place *place, seq_error *error);
// The complete data set in `work` takes its place, after another look at what is there.
seq_status seq_place_commit(seq_place *place, seq_error *error);
// Always, at the end: removes `work`, if it is still there, and the locks.
void seq_place_release(seq_place *place);

#endif
