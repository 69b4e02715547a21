// References to characters of HTML, XML and Moses.
#ifndef SEQ_PREP_UNESCAPE_H
#define SEQ_PREP_UNESCAPE_H

#include <stddef.h>

// In place; returns the bytes that are left, `size` at most.
size_t seq_unescape(char *text, size_t size);

#endif
