#include <seqtrain/base/fault.h>

#ifdef SEQ_FAULT_INJECTION
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Of the one point that SEQ_CRASH_AT names.
static atomic_long seq_fault_passed;

static bool is_this_rank(const char *rank) {
    const char *own = getenv("OMPI_COMM_WORLD_RANK");
    return strtol(rank, NULL, 10) == (own ? strtol(own, NULL, 10) : 0);
}

void seq_fault_point(const char *name) {
    const char *wanted = getenv("SEQ_CRASH_AT");
    size_t length = strlen(name);
    if (!wanted || strncmp(wanted, name, length) != 0) return;
    const char *rest = wanted + length;
    if (*rest && *rest != ':') return;
    char *end = NULL;
    long count = *rest ? strtol(rest + 1, &end, 10) : 1;
    if (end && *end == ':' && !is_this_rank(end + 1)) return;
    if (atomic_fetch_add(&seq_fault_passed, 1) + 1 == count) raise(SIGKILL);
}
#endif
