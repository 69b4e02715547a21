// Ratings: mean absolute error and root mean square in double precision, and
// Spearman's correlation. Ranks are doubled, so that the mean rank of equal
// values is an integer. Equal values form a group once; a resample only adds up
// the weights of groups. Invariant: integer weights give what the resampled list
// itself would. Test: tests/unit/task/test_statistic.c.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct numbered {
    double value;
    int32_t place;
} numbered;

static int ascending(const void *left, const void *right) {
    double a = ((const numbered *)left)->value, b = ((const numbered *)right)->value;
    return (a > b) - (a < b);
}

seq_status seq_ranking_make(const double *values, size_t count, seq_ranking *out,
                            seq_error *error) {
    numbered *sorted = NULL;
    *out = (seq_ranking){.count = count};
    seq_status status = seq_allocate(&sorted, count, sizeof *sorted, "an order of values", error);
    if (!status) status = seq_allocate(&out->group, count, sizeof(int32_t), "ranks", error);
    if (!status) {
        for (size_t i = 0; i < count; i++)
            sorted[i] = (numbered){values[i], (int32_t)i};
        qsort(sorted, count, sizeof *sorted, ascending);
        for (size_t i = 0; i < count; i++) {
            if (i && sorted[i].value > sorted[i - 1].value) out->groups++;
            out->group[sorted[i].place] = out->groups;
        }
        out->groups += count > 0;
    }
    free(sorted);
    return status;
}

void seq_ranking_clear(seq_ranking *ranking) {
    free(ranking->group);
    *ranking = (seq_ranking){0};
}

seq_status seq_ratings_make(const seq_answers *gold, const seq_answers *predicted, seq_ratings *out,
                            seq_error *error) {
    *out =
        (seq_ratings){.count = gold->items, .gold = gold->values, .predicted = predicted->values};
    seq_status status = seq_ranking_make(out->gold, out->count, &out->ranks[0], error);
    if (!status) status = seq_ranking_make(out->predicted, out->count, &out->ranks[1], error);
    if (status) seq_ratings_clear(out);
    return status;
}

void seq_ratings_clear(seq_ratings *ratings) {
    seq_ranking_clear(&ratings->ranks[0]);
    seq_ranking_clear(&ratings->ranks[1]);
}

static double mean_power(const seq_ratings *ratings, const int32_t *weights, bool square) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < ratings->count; i++) {
        double weight = weights ? weights[i] : 1;
        double difference = fabs(ratings->predicted[i] - ratings->gold[i]);
        sum += weight * (square ? difference * difference : difference);
        count += weight;
    }
    return count > 0 ? sum / count : (double)NAN;
}

static double mean_absolute(const void *context, const int32_t *weights, int64_t *scratch) {
    (void)scratch;
    return mean_power(context, weights, false);
}

static double root_mean(const void *context, const int32_t *weights, int64_t *scratch) {
    (void)scratch;
    return sqrt(mean_power(context, weights, true));
}

// Twice the mean rank of each group, from 2.
static void double_ranks(const seq_ranking *ranking, const int32_t *weights, int64_t *out) {
    int64_t before = 0;
    memset(out, 0, (size_t)ranking->groups * sizeof *out);
    for (size_t i = 0; i < ranking->count; i++)
        out[ranking->group[i]] += weights ? weights[i] : 1;
    for (int32_t g = 0; g < ranking->groups; g++) {
        int64_t own = out[g];
        out[g] = 2 * before + own + 1;
        before += own;
    }
}

static double spearman(const void *context, const int32_t *weights, int64_t *scratch) {
    const seq_ratings *ratings = context;
    const seq_ranking *x = &ratings->ranks[0], *y = &ratings->ranks[1];
    int64_t *ranks_y = scratch + x->groups;
    double count = 0, xx = 0, yy = 0, xy = 0;
    double_ranks(x, weights, scratch);
    double_ranks(y, weights, ranks_y);
    for (size_t i = 0; i < ratings->count; i++)
        count += weights ? weights[i] : 1;
    for (size_t i = 0; i < ratings->count; i++) {
        double weight = weights ? weights[i] : 1;
        // The mean of all doubled ranks is count + 1.
        double a = (double)scratch[x->group[i]] - count - 1;
        double b = (double)ranks_y[y->group[i]] - count - 1;
        xx += weight * a * a;
        yy += weight * b * b;
        xy += weight * a * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

seq_statistic seq_mean_absolute_error(const seq_ratings *ratings) {
    return (seq_statistic){mean_absolute, ratings, 0};
}

seq_statistic seq_root_mean_square(const seq_ratings *ratings) {
    return (seq_statistic){root_mean, ratings, 0};
}

seq_statistic seq_spearman(const seq_ratings *ratings) {
    return (seq_statistic){spearman, ratings,
                           (size_t)(ratings->ranks[0].groups + ratings->ranks[1].groups)};
}
