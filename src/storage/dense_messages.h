// Links and attributes that are too many for an object header: messages in a fractal heap, listed
// by a B-tree of version 2.
#ifndef SEQ_STORAGE_DENSE_MESSAGES_H
#define SEQ_STORAGE_DENSE_MESSAGES_H

#include "object_header.h"

// `type` is SEQ_MESSAGE_LINK or SEQ_MESSAGE_ATTRIBUTE; heap and tree are the addresses that the
// info message names. Every message in the order of the tree; stops with the first reason. Bytes
// that were read are added to *bytes.
const char *seq_dense_visit(const seq_layout_file *file, unsigned type, uint64_t heap,
                            uint64_t tree, seq_message_visit visit, void *context, uint64_t *bytes);

#endif
