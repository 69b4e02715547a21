// The files under a list of files, folders and "-", in the order of names; hidden ones are left
// out, and so are pipes and devices in a folder, with a warning.
#ifndef SEQ_PREP_DOCUMENTS_H
#define SEQ_PREP_DOCUMENTS_H

#include <seqtrain/base/status.h>
#include <stddef.h>

typedef struct seq_documents_folder {
    char *path;
    char **names;
    size_t count, at;
} seq_documents_folder;

typedef struct seq_documents {
    const char *const *inputs; // the caller's
    size_t count, at;
    seq_documents_folder *folders; // open ones, each inside the one before
    size_t depth, capacity;
} seq_documents;

void seq_documents_begin(seq_documents *documents, const char *const *inputs, size_t count);
// *out from malloc; NULL at the end.
seq_status seq_documents_next(seq_documents *documents, char **out, seq_error *error);
void seq_documents_end(seq_documents *documents);

#endif
