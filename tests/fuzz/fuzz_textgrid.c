// TextGrid and CTM; what is accepted as a TextGrid is written in both forms and
// read back. Checks src/data/textgrid.c; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/data/textgrid.h>
#include <stdlib.h>
#include <string.h>

static void check_tier(const seq_tier *tier) {
    size_t at = 0;
    for (size_t i = 0; i < tier->count; i++) {
        const seq_tier_interval *interval = &tier->intervals[i];
        assert(isfinite(interval->start) && isfinite(interval->end));
        assert(interval->start <= interval->end && strlen(interval->label) < SIZE_MAX);
        const char *label = seq_tier_label(tier, interval->start, &at);
        assert(label || interval->start == interval->end);
    }
}

static void write_and_read(const seq_textgrid *grid, bool short_form) {
    char *text = NULL;
    size_t size = 0;
    seq_textgrid again;
    seq_error error = {0};
    FILE *stream = open_memstream(&text, &size);
    assert(stream);
    seq_textgrid_print(stream, grid, short_form);
    assert(!fclose(stream));
    // Where a tier or an interval leaves its place the text may be refused.
    fuzz_check(seq_textgrid_parse(text, size, "written", &again, &error), &error);
    assert(error.status || again.tier_count == grid->tier_count);
    if (!error.status) seq_textgrid_clear(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    seq_textgrid grid;
    seq_ctm ctm;
    seq_error error = {0};
    fuzz_check(seq_textgrid_parse((const char *)data, size, "data", &grid, &error), &error);
    for (size_t i = 0; !error.status && i < grid.tier_count; i++)
        check_tier(&grid.tiers[i]);
    for (int form = 0; !error.status && form < 2; form++)
        write_and_read(&grid, form);
    if (!error.status) seq_textgrid_clear(&grid);
    error = (seq_error){0};
    fuzz_check(seq_ctm_parse((const char *)data, size, "data", &ctm, &error), &error);
    for (size_t i = 0; !error.status && i < ctm.count; i++)
        assert(*ctm.entries[i].file && *ctm.entries[i].channel && *ctm.entries[i].interval.label);
    if (!error.status) seq_ctm_clear(&ctm);
    return 0;
}
