// Tags of frames from intervals: a frame has the label of the interval that its
// middle lies in, and the background elsewhere. Intervals are lines of a CTM
// file that --intervals names, or a tier of NAME.TextGrid beside NAME; an item
// with a label has it at all its frames. Invariant: lines of a file do not
// overlap, so no frame has two labels. Test: tests/cli/seqprep_groups.sh.
#include "item_store.h"
#include "item_symbols.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static int by_file_and_time(const void *a, const void *b) {
    const seq_ctm_entry *x = a, *y = b;
    int order = strcmp(x->file, y->file);
    if (order) return order;
    return (x->interval.start > y->interval.start) - (x->interval.start < y->interval.start);
}

seq_status seq_item_intervals_begin(seq_item_store *store, seq_error *error) {
    const char *path = store->prepare->intervals;
    seq_ctm *ctm = &store->intervals;
    if (!path || seq_ctm_read(path, ctm, error)) return error->status;
    qsort(ctm->entries, ctm->count, sizeof *ctm->entries, by_file_and_time);
    for (size_t i = 1; i < ctm->count; i++) {
        const seq_ctm_entry *one = &ctm->entries[i - 1], *other = &ctm->entries[i];
        if (strcmp(one->file, other->file) == 0 && other->interval.start < one->interval.end - 1e-6)
            return seq_error_set(error, SEQ_BAD_INPUT, "reading %s: lines %lld and %lld overlap",
                                 path, (long long)one->interval.line,
                                 (long long)other->interval.line);
    }
    return SEQ_OK;
}

// Lines of the file, whose name they have without folder and ending.
static seq_status find_lines(seq_item_store *store, const seq_item *item, const char *file,
                             seq_tier *out, seq_error *error) {
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    size_t size = seq_stem_of(file) - (size_t)(name - file);
    for (size_t i = 0; i < store->intervals.count; i++) {
        const seq_ctm_entry *entry = &store->intervals.entries[i];
        if (strncmp(entry->file, name, size) != 0 || entry->file[size]) continue;
        seq_status status = seq_grow(&out->intervals, &out->capacity, out->count + 1,
                                     sizeof *out->intervals, "intervals", error);
        if (status) return status;
        out->intervals[out->count++] = entry->interval;
    }
    return out->count ? SEQ_OK
                      : seq_item_refuse(item->file, item->line, 0, error,
                                        "--intervals %s: it has no line of %.*s",
                                        store->prepare->intervals, (int)size, name);
}

static seq_status read_tier(seq_item_store *store, const seq_item *item, const char *file,
                            seq_textgrid *grid, const seq_tier **out, seq_error *error) {
    char beside[SEQ_PATH + 16];
    snprintf(beside, sizeof beside, "%.*s.TextGrid", (int)seq_stem_of(file), file);
    if (!seq_path_exists(beside))
        return seq_item_refuse(item->file, item->line, 0, error,
                               "the item has no field 'tag' or 'label', and %s is not there; "
                               "--intervals names a CTM file",
                               beside);
    seq_status status = seq_textgrid_read(beside, grid, error);
    return status ? status : seq_textgrid_find(grid, store->prepare->tier, beside, out, error);
}

static seq_status take_label(seq_item_store *store, const char *label, size_t frame,
                             seq_error *error) {
    size_t number;
    if (!label || !*label) label = store->prepare->background;
    seq_status status = seq_string_table_add(&store->tags, label, strlen(label), &number, error);
    store->tag_ids[frame] = (uint32_t)number;
    return status;
}

seq_status seq_item_intervals_take(seq_item_store *store, const seq_item *item, seq_error *error) {
    char file[SEQ_PATH];
    const seq_frames *frames = item->frames;
    const seq_item_field *label = seq_item_find(item, "label");
    seq_textgrid grid = {0};
    seq_tier lines = {0};
    const seq_tier *tier = &lines;
    size_t at = 0;
    double shift = frames->shift > 0 ? frames->shift : 1; // else times are frames
    bool whole = label && !label->list && !store->prepare->intervals && !store->prepare->tier;
    store->makes_tags = true;
    seq_item_find_file(item, file);
    seq_status status = seq_grow(&store->tag_ids, &store->tag_capacity, frames->rows + 1,
                                 sizeof *store->tag_ids, "an item", error);
    if (!status && store->prepare->intervals)
        status = find_lines(store, item, file, &lines, error);
    else if (!status && !whole)
        status = read_tier(store, item, file, &grid, &tier, error);
    for (size_t t = 0; !status && t < frames->rows; t++)
        status =
            take_label(store,
                       whole ? label->values->bytes
                             : seq_tier_label(tier, frames->first + ((double)t + 0.5) * shift, &at),
                       t, error);
    seq_textgrid_clear(&grid);
    free(lines.intervals);
    return status;
}
