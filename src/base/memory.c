// Blocks of 4 MB and more are aligned to 2 MB and asked for as huge pages
// (madvise): products walk through them in strides. An arena counts on its
// first pass and hands out on its second. Invariant: a product of count and
// size that overflows is an error, never a short block. Tests:
// tests/fault/memory.sh makes each allocation fail; tests/unit/base/test_file.c
// has the arena and memory streams.
#include <seqtrain/base/memory.h>
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static size_t round_up(size_t bytes) {
    return (bytes + SEQ_ALIGNMENT - 1) / SEQ_ALIGNMENT * SEQ_ALIGNMENT;
}

static bool overflows(size_t count, size_t size) {
    return size && count > (SIZE_MAX / 2 - SEQ_ALIGNMENT) / size;
}

enum { HUGE_PAGE = 1 << 21 };

// Large blocks lie on huge pages where the system grants them: products walk through them in
// strides.
static void *take_memory(size_t bytes) {
    if (bytes < 2 * (size_t)HUGE_PAGE)
        return aligned_alloc(SEQ_ALIGNMENT, round_up(bytes + (bytes == 0)));
    size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *memory = aligned_alloc(HUGE_PAGE, whole);
#ifdef MADV_HUGEPAGE
    if (memory) madvise(memory, whole, MADV_HUGEPAGE);
#endif
    return memory;
}

seq_status seq_allocate(void *out_pointer, size_t count, size_t size, const char *what,
                        seq_error *error) {
    size_t bytes = overflows(count, size) ? SIZE_MAX : count * size;
    void *memory = bytes == SIZE_MAX ? NULL : take_memory(bytes);
    if (!memory)
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "allocating %zu x %zu bytes for %s: out of memory", count, size, what);
    memset(memory, 0, bytes);
    memcpy(out_pointer, &memory, sizeof memory);
    return SEQ_OK;
}

seq_status seq_grow(void *pointer, size_t *capacity, size_t needed, size_t size, const char *what,
                    seq_error *error) {
    if (needed <= *capacity) return SEQ_OK;
    size_t wanted = *capacity > SIZE_MAX / 2 ? needed : *capacity * 2;
    wanted = wanted < needed ? needed : wanted;
    void *old, *grown;
    memcpy(&old, pointer, sizeof old);
    seq_status status = seq_allocate(&grown, wanted, size, what, error);
    if (status) return status;
    if (old) memcpy(grown, old, *capacity * size);
    free(old);
    memcpy(pointer, &grown, sizeof grown);
    *capacity = wanted;
    return SEQ_OK;
}

// Where the C library cannot shrink the text at last, it loses it and says nothing.
seq_status seq_memory_stream_close(FILE *stream, char **text, seq_error *error, const char *format,
                                   ...) {
    char doing[SEQ_ERROR_TEXT];
    bool failed = !stream || ferror(stream);
    va_list arguments;
    if (stream) failed |= fclose(stream) != 0;
    if (!failed && *text) return SEQ_OK;
    if (stream) free(*text);
    *text = NULL;
    va_start(arguments, format);
    vsnprintf(doing, sizeof doing, format, arguments);
    va_end(arguments);
    return seq_error_set(error, SEQ_NO_MEMORY, "%s: out of memory", doing);
}

void *seq_arena_take(seq_arena *arena, size_t count, size_t size) {
    assert(!overflows(count, size));
    char *block = arena->base ? arena->base + arena->used : NULL;
    arena->used += round_up(count * size);
    assert(!arena->base || arena->used <= arena->size);
    return block;
}

seq_status seq_arena_commit(seq_arena *arena, const char *what, seq_error *error) {
    assert(!arena->base);
    seq_status status = seq_allocate(&arena->base, arena->used, 1, what, error);
    if (status) return status;
    arena->size = arena->used;
    arena->used = 0;
    return SEQ_OK;
}

void seq_arena_clear(seq_arena *arena) {
    free(arena->base);
    *arena = (seq_arena){0};
}
