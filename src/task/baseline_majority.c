// The baseline that looks at no input. Ratings are counted as labels of equal
// value. Invariant: a function of the training file alone. Test:
// tests/unit/task/test_baseline.c.
#include "baseline_private.h"
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

seq_status seq_baseline_begin(const char *name, const seq_answers *training,
                              const seq_answers *gold, seq_answers *out, seq_error *error) {
    *out = (seq_answers){0};
    if (training->places == 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: no item to train a baseline on",
                             training->file);
    seq_status status = seq_answers_begin(name, gold->kind, gold->items, gold->first, out, error);
    if (!status && gold->places) memcpy(out->lines, gold->lines, gold->places * sizeof *out->lines);
    return status;
}

// Of the classes 0 .. classes-1, the place in `ids` where the most frequent one occurs first.
static seq_status find_most_frequent(const int32_t *ids, size_t count, int32_t classes, size_t *out,
                                     seq_error *error) {
    int64_t *counts = NULL;
    seq_status status = seq_allocate(&counts, (size_t)classes, sizeof *counts, "counts", error);
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        counts[ids[i]]++;
    *out = 0;
    for (size_t i = 1; i < count; i++)
        if (counts[ids[i]] > counts[ids[*out]]) *out = i;
    free(counts);
    return SEQ_OK;
}

seq_status seq_baseline_majority(const seq_answers *training, const seq_answers *gold,
                                 seq_answers *out, seq_error *error) {
    bool ratings = training->kind == SEQ_ANSWERS_RATINGS;
    seq_ranking ranking = {0};
    int32_t classes = 0;
    size_t place = 0;
    seq_status status = seq_baseline_begin("baseline majority", training, gold, out, error);
    if (!status && ratings)
        status = seq_ranking_make(training->values, training->places, &ranking, error);
    for (size_t i = 0; !status && !ratings && i < training->places; i++)
        if (training->ids[i] >= classes) classes = training->ids[i] + 1;
    if (!status)
        status = find_most_frequent(ratings ? ranking.group : training->ids, training->places,
                                    ratings ? ranking.groups : classes, &place, error);
    for (size_t i = 0; !status && i < out->places; i++) {
        out->ids[i] = training->ids[place];
        if (ratings) out->values[i] = training->values[place];
    }
    seq_ranking_clear(&ranking);
    if (status) seq_answers_clear(out);
    return status;
}
