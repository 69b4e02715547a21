// The map of what may be nonzero, a bit for each 64 floats. The search for the
// next run steps over whole words of zeros or ones. Invariant: the runs that
// seq_sparsity_next yields are disjoint, ascending, and cover each live float below
// the limit once. Test: tests/unit/comm/test_sparsity_map.c.
#include <seqtrain/comm/sparsity_map.h>

size_t seq_sparsity_words(size_t count) {
    return (count + SEQ_BLOCK - 1) / SEQ_BLOCK;
}

void seq_sparsity_add(uint64_t *live, size_t begin, size_t end) {
    if (begin >= end) return;
    for (size_t granule = begin / SEQ_GRANULE; granule <= (end - 1) / SEQ_GRANULE; granule++)
        live[granule / 64] |= UINT64_C(1) << granule % 64;
}

static bool is_live(const uint64_t *live, size_t granule) {
    return live[granule / 64] >> granule % 64 & 1;
}

// The first granule from `granule` on that is live (or is not, by `wanted`), or `end`.
static size_t find(const uint64_t *live, size_t granule, size_t end, bool wanted) {
    const uint64_t none = wanted ? 0 : UINT64_MAX;
    while (granule < end) {
        if (granule % 64 == 0 && live[granule / 64] == none)
            granule += 64;
        else if (is_live(live, granule) == wanted)
            return granule;
        else
            granule++;
    }
    return end;
}

bool seq_sparsity_next(const uint64_t *live, size_t limit, seq_range *range) {
    size_t end = (limit + SEQ_GRANULE - 1) / SEQ_GRANULE;
    size_t from = range->end / SEQ_GRANULE; // of a run's last, cut granule: nothing follows it
    if (range->end >= limit) return false;
    size_t first = find(live, from, end, true);
    if (first == end) return false;
    size_t last = find(live, first, end, false);
    range->begin = first * SEQ_GRANULE > range->end ? first * SEQ_GRANULE : range->end;
    range->end = last * SEQ_GRANULE < limit ? last * SEQ_GRANULE : limit;
    return true;
}
