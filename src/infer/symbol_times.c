// Forced alignment of an item's symbols to its frames, and their times in seconds: frame t lasts
// from first + t * shift to first + (t + 1) * shift. Invariant: symbols follow each other in time
// and do not overlap. Test: tests/unit/infer/test_symbol_times.c.
#include <seqtrain/infer/symbol_times.h>
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdlib.h>

void seq_symbol_times_clear(seq_symbol_times *times) {
    free(times->list);
    free(times->frames);
    free(times->room);
    *times = (seq_symbol_times){0};
}

static seq_status refuse(const seq_ctc_item *item, double loss, seq_error *error) {
    size_t least = seq_ctc_least_frames(item->labels, item->ids);
    if (isnan(loss))
        return seq_error_set(
            error, SEQ_BAD_NUMBER,
            "aligning %zu symbols: the model's scores of the frames are no numbers", item->labels);
    if (item->frames < least)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "aligning %zu symbols: they need %zu frames, with one between equal "
                             "neighbours; the item has %zu",
                             item->labels, least, item->frames);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "aligning %zu symbols with %zu frames: their probability is 0",
                         item->labels, item->frames);
}

seq_status seq_symbol_times_find(seq_symbol_times *times, const seq_ctc_item *item, double first,
                                 double shift, seq_error *error) {
    const char *what = "aligning symbols with frames";
    size_t bytes = seq_ctc_bytes(SEQ_CTC_ALIGNMENT, item->frames, item->symbols, item->labels,
                                 item->frames * item->labels);
    seq_status status = seq_grow(&times->room, &times->room_capacity, bytes, 1, what, error);
    if (!status)
        status = seq_grow(&times->list, &times->list_capacity, item->labels, sizeof *times->list,
                          what, error);
    if (!status)
        status = seq_grow(&times->frames, &times->frame_capacity, item->labels,
                          sizeof *times->frames, what, error);
    if (status) return status;
    double loss = seq_ctc_align(item, times->frames, NULL, times->room);
    if (!isfinite(loss)) return refuse(item, loss, error);
    times->log_probability = -loss;
    for (size_t u = 0; u < item->labels; u++) {
        const seq_ctc_time *from = &times->frames[u];
        times->list[u] = (seq_symbol_time){.symbol = item->ids[u],
                                           .first_frame = from->first,
                                           .last_frame = from->last,
                                           .best_frame = from->best,
                                           .begin = first + shift * from->first,
                                           .end = first + shift * (from->last + 1),
                                           .best = first + shift * (from->best + 0.5),
                                           .posterior = (double)from->posterior};
        if (!(shift > 0)) times->list[u].begin = times->list[u].end = times->list[u].best = 0;
    }
    return SEQ_OK;
}
