// The area under the ROC curve as the Mann-Whitney statistic: equal
// probabilities form groups; groups are passed from low to high, and each item
// of the class is paired with all others below it and half of those beside it.
// All in integers up to the last division. Test: tests/unit/task/test_statistic.c.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Probabilities of one class (items), for all classes in turn: entries are sorted by class once.
typedef struct by_class {
    size_t *first; // (classes + 1)
    size_t *item;
    double *value;
} by_class;

static seq_status sort_by_class(const seq_answers *predicted, int32_t classes, by_class *out,
                                seq_error *error) {
    size_t count = predicted->probability_count;
    seq_status status =
        seq_allocate(&out->first, (size_t)classes + 2, sizeof *out->first, "probabilities", error);
    if (!status)
        status = seq_allocate(&out->item, count, sizeof *out->item, "probabilities", error);
    if (!status)
        status = seq_allocate(&out->value, count, sizeof *out->value, "probabilities", error);
    if (status) return status;
    for (size_t k = 0; k < count; k++)
        out->first[predicted->probabilities[k].label + 2]++;
    for (int32_t c = 0; c < classes; c++)
        out->first[c + 2] += out->first[c + 1];
    for (size_t i = 0; i < predicted->items; i++)
        for (size_t k = predicted->probability_first[i]; k < predicted->probability_first[i + 1];
             k++) {
            size_t at = out->first[predicted->probabilities[k].label + 1]++;
            out->item[at] = i;
            out->value[at] = predicted->probabilities[k].value;
        }
    return SEQ_OK;
}

// Entries lie in the order of items: each item has just one when entry i is that of item i.
static bool has_all(const by_class *entries, int32_t label, size_t items) {
    size_t begin = entries->first[label];
    if (entries->first[label + 1] - begin != items) return false;
    for (size_t i = 0; i < items; i++)
        if (entries->item[begin + i] != i) return false;
    return items > 0;
}

seq_status seq_auc_make(const seq_answers *gold, const seq_answers *predicted, int32_t classes,
                        seq_auc *out, seq_error *error) {
    by_class entries = {0};
    *out = (seq_auc){.classes = classes, .items = gold->items, .gold = gold->ids};
    seq_status status =
        seq_allocate(&out->ranks, (size_t)classes, sizeof *out->ranks, "ranks", error);
    if (!status) status = sort_by_class(predicted, classes, &entries, error);
    for (int32_t c = 0; !status && c < classes; c++) {
        if (!has_all(&entries, c, out->items)) continue;
        status =
            seq_ranking_make(entries.value + entries.first[c], out->items, &out->ranks[c], error);
        if (!status && out->ranks[c].groups > out->groups) out->groups = out->ranks[c].groups;
    }
    free(entries.first);
    free(entries.item);
    free(entries.value);
    if (status) seq_auc_clear(out);
    return status;
}

void seq_auc_clear(seq_auc *auc) {
    for (int32_t c = 0; auc->ranks && c < auc->classes; c++)
        seq_ranking_clear(&auc->ranks[c]);
    free(auc->ranks);
    *auc = (seq_auc){0};
}

double seq_auc_of_class(const seq_auc *auc, int32_t label, const int32_t *weights,
                        int64_t *scratch) {
    const seq_ranking *ranks = &auc->ranks[label];
    int64_t *others = scratch + ranks->groups, below = 0, own = 0, twice = 0;
    if (!ranks->count) return NAN;
    memset(scratch, 0, 2 * (size_t)ranks->groups * sizeof *scratch);
    for (size_t i = 0; i < auc->items; i++)
        (auc->gold[i] == label ? scratch : others)[ranks->group[i]] += weights ? weights[i] : 1;
    for (int32_t g = 0; g < ranks->groups; g++) {
        twice += scratch[g] * (2 * below + others[g]);
        below += others[g];
        own += scratch[g];
    }
    return own && below ? (double)twice / (2.0 * (double)own * (double)below) : (double)NAN;
}

static double mean(const void *context, const int32_t *weights, int64_t *scratch) {
    const seq_auc *auc = context;
    double sum = 0;
    int defined = 0;
    for (int32_t c = 0; c < auc->classes; c++) {
        double value = seq_auc_of_class(auc, c, weights, scratch);
        if (isnan(value)) continue;
        sum += value;
        defined++;
    }
    return defined ? sum / defined : (double)NAN;
}

seq_statistic seq_auc_mean(const seq_auc *auc) {
    return (seq_statistic){mean, auc, 2 * (size_t)auc->groups};
}
