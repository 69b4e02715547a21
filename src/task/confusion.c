// The confusion matrix without its zeros: pairs of gold and predicted label are
// sorted, equal ones counted. So many labels cost no more than the pairs that
// occur. Test: tests/unit/task/test_statistic.c.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>

static int by_labels(const void *left, const void *right) {
    const seq_confusion *a = left, *b = right;
    if (a->gold != b->gold) return (a->gold > b->gold) - (a->gold < b->gold);
    return (a->predicted > b->predicted) - (a->predicted < b->predicted);
}

seq_status seq_confusion_find(const seq_answers *gold, const seq_answers *predicted,
                              seq_confusion **out, size_t *out_count, seq_error *error) {
    seq_confusion *cells = NULL;
    size_t used = 0;
    seq_status status =
        seq_allocate(&cells, gold->places, sizeof *cells, "the confusion matrix", error);
    if (status) return status;
    for (size_t i = 0; i < gold->places; i++)
        cells[i] = (seq_confusion){gold->ids[i], predicted->ids[i], 1};
    qsort(cells, gold->places, sizeof *cells, by_labels);
    for (size_t i = 0; i < gold->places; i++) {
        if (used && by_labels(&cells[used - 1], &cells[i]) == 0)
            cells[used - 1].count++;
        else
            cells[used++] = cells[i];
    }
    *out = cells;
    *out_count = used;
    return SEQ_OK;
}
