// Preloaded into a program: its allocation number SEQ_FAIL_AT (from 1) fails. Counted are calls
// from the program's own code, not from libraries: those have ways of their own to deal with it.
// SEQ_FAIL_COUNT=FILE writes how many there were.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long count;
static long fail_at;
static char *begin, *end; // the program's text

static int find_program(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            begin = (char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            end = begin + info->dlpi_phdr[i].p_memsz;
        }
    return 1; // the first is the program
}

__attribute__((constructor)) static void start(void) {
    const char *at = getenv("SEQ_FAIL_AT");
    dl_iterate_phdr(find_program, NULL);
    fail_at = at ? atol(at) : 0;
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("SEQ_FAIL_COUNT");
    char text[32];
    int descriptor = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (descriptor < 0) return;
    int size = snprintf(text, sizeof text, "%ld\n", (long)count);
    if (write(descriptor, text, (size_t)size) != size) _exit(99);
    close(descriptor);
}

static bool fails(void *caller) {
    if ((char *)caller < begin || (char *)caller >= end) return false;
    if (++count != fail_at) return false;
    errno = ENOMEM;
    return true;
}

#ifdef ADDRESS_SANITIZER // it has an allocator of its own, behind ours
#define BEHIND(name) __interceptor_##name
#else
#define BEHIND(name) __libc_##name
#endif
extern void *BEHIND(malloc)(size_t);
extern void *BEHIND(calloc)(size_t, size_t);
extern void *BEHIND(realloc)(void *, size_t);
extern void *BEHIND(memalign)(size_t, size_t);

void *malloc(size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : BEHIND(malloc)(size);
}

void *calloc(size_t items, size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : BEHIND(calloc)(items, size);
}

void *realloc(void *old, size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : BEHIND(realloc)(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : BEHIND(memalign)(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (fails(__builtin_return_address(0))) return ENOMEM;
    *out = BEHIND(memalign)(alignment, size);
    return *out ? 0 : ENOMEM;
}

char *strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = fails(__builtin_return_address(0)) ? NULL : BEHIND(malloc)(size);
    return copy ? memcpy(copy, text, size) : NULL;
}
