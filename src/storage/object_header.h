// Object headers of HDF5, versions 1 and 2: what a group or a data set is, as a row of messages.
#ifndef SEQ_STORAGE_OBJECT_HEADER_H
#define SEQ_STORAGE_OBJECT_HEADER_H

#include "layout.h"

enum { // types of messages
    SEQ_MESSAGE_DATASPACE = 0x01,
    SEQ_MESSAGE_LINK_INFO = 0x02,
    SEQ_MESSAGE_DATATYPE = 0x03,
    SEQ_MESSAGE_LINK = 0x06,
    SEQ_MESSAGE_EXTERNAL = 0x07,
    SEQ_MESSAGE_LAYOUT = 0x08,
    SEQ_MESSAGE_FILTERS = 0x0b,
    SEQ_MESSAGE_ATTRIBUTE = 0x0c,
    SEQ_MESSAGE_ATTRIBUTE_INFO = 0x15,
    SEQ_MESSAGE_SYMBOLS = 0x11,
};

typedef struct seq_message {
    unsigned type;
    const unsigned char *bytes;
    size_t size;
} seq_message;

// Looks at a message; NULL, or why not.
typedef const char *(*seq_message_visit)(void *context, const seq_layout_file *file,
                                         const seq_message *message);

extern const char seq_object_damaged[]; // a reason that many have

// Every message of the object in its order; stops with the first reason. The bytes that were read
// are added to *bytes (NULL: nobody counts).
const char *seq_object_visit(const seq_layout_file *file, uint64_t address, seq_message_visit visit,
                             void *context, uint64_t *bytes);

// A link message of version 1 that is taken apart.
typedef struct seq_object_link {
    const char *name; // `length` bytes, in the message
    size_t length;
    bool hard;
    uint64_t address; // of the object, if hard
} seq_object_link;
const char *seq_object_link_take(const seq_message *message, seq_object_link *out);

// Filters of a chunk in their order, each at most once: shuffle, zstd or deflate, Fletcher32.
typedef struct seq_object_filters {
    seq_compression compression;
    bool shuffled, checksum;
    int places[3]; // in the pipeline: of shuffle, compression, checksum
} seq_object_filters;
const char *seq_object_filters_take(const seq_message *message, seq_object_filters *out);

#endif
