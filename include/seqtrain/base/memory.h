// Heap memory with a status, and an arena that is planned once and then never allocates.
#ifndef SEQTRAIN_BASE_MEMORY_H
#define SEQTRAIN_BASE_MEMORY_H

#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdio.h>

enum { SEQ_ALIGNMENT = 64 }; // bytes; a cache line and an AVX-512 register

// Zeroed memory for `count` elements of `size` bytes, aligned to SEQ_ALIGNMENT, released with
// free(). `what` names the purpose in the error message. Overflow of count * size is SEQ_NO_MEMORY.
// A count of 0 gives a valid pointer.
seq_status seq_allocate(void *out_pointer, size_t count, size_t size, const char *what,
                        seq_error *error);

// Grows *pointer (from seq_allocate, or NULL) to hold at least `needed` elements, doubling
// *capacity; the new part is zero.
seq_status seq_grow(void *pointer, size_t *capacity, size_t needed, size_t size, const char *what,
                    seq_error *error);

// Ends a stream from open_memstream, also one that could not be opened (NULL). SEQ_NO_MEMORY: *text
// is not all that was printed; it is released, and NULL. `format`: what was being done, as in
// seq_error_set, without a reason.
seq_status seq_memory_stream_close(FILE *stream, char **text, seq_error *error, const char *format,
                                   ...) __attribute__((format(printf, 4, 5)));

// An arena has two lives. While planning (base == NULL), seq_arena_take only counts and returns
// NULL; after seq_arena_commit the same sequence of calls returns disjoint, zeroed, aligned blocks.
typedef struct seq_arena {
    char *base;
    size_t used; // bytes
    size_t size; // bytes, set by seq_arena_commit
} seq_arena;

void *seq_arena_take(seq_arena *arena, size_t count, size_t size);
#define SEQ_ARENA_FLOATS(arena, count) ((float *)seq_arena_take((arena), (count), sizeof(float)))

// Allocates what was planned and rewinds: repeat the calls to receive the blocks.
seq_status seq_arena_commit(seq_arena *arena, const char *what, seq_error *error);
void seq_arena_clear(seq_arena *arena);

#endif
