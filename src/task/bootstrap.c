// Bootstrap over items. Resample r draws `items` items with replacement: draw i
// is word i % 4 of the Philox block (i / 4, r). Threads share resamples, each
// with its own weights and scratch, and write each number to its own place.
// Invariant: a sample depends on the seed, r and the statistic only. Test:
// tests/unit/task/test_statistic.c.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct resampling {
    const seq_statistic *statistics;
    size_t count, items, scratch_size;
    int resamples;
    uint64_t seed;
    int32_t *weights; // (threads, items)
    int64_t *scratch; // (threads, scratch_size)
    double *samples;
} resampling;

static void draw(const resampling *self, int resample, int32_t *weights) {
    seq_random_key key = {self->seed, SEQ_RANDOM_BOOTSTRAP};
    memset(weights, 0, self->items * sizeof *weights);
    for (size_t i = 0; i < self->items; i += 4) {
        uint32_t words[4];
        seq_random_words(key, (uint32_t)(i / 4), (uint32_t)resample, 0, words);
        for (size_t k = 0; k < 4 && i + k < self->items; k++)
            weights[(uint64_t)words[k] * self->items >> 32]++;
    }
}

static void resample(void *context, int part, int parts) {
    resampling *self = context;
    int32_t *weights = self->weights + (size_t)part * self->items;
    int64_t *scratch = self->scratch + (size_t)part * self->scratch_size;
    size_t resamples = (size_t)self->resamples;
    for (size_t r = seq_share_begin(resamples, part, parts);
         r < seq_share_begin(resamples, part + 1, parts); r++) {
        draw(self, (int)r, weights);
        for (size_t s = 0; s < self->count; s++)
            self->samples[s * resamples + r] =
                self->statistics[s].value(self->statistics[s].context, weights, scratch);
    }
}

seq_status seq_bootstrap(const seq_statistic *statistics, size_t count, size_t items, int resamples,
                         uint64_t seed, seq_team *team, double *samples, seq_error *error) {
    resampling self = {.statistics = statistics,
                       .count = count,
                       .items = items,
                       .resamples = resamples,
                       .seed = seed,
                       .samples = samples};
    size_t threads = (size_t)seq_team_size(team);
    for (size_t s = 0; s < count; s++)
        if (statistics[s].scratch > self.scratch_size) self.scratch_size = statistics[s].scratch;
    seq_status status = seq_allocate(&self.weights, threads * items, sizeof *self.weights,
                                     "weights of items", error);
    if (!status)
        status = seq_allocate(&self.scratch, threads * self.scratch_size, sizeof *self.scratch,
                              "sums of resamples", error);
    if (!status) seq_team_run(team, resample, &self);
    free(self.weights);
    free(self.scratch);
    return status;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

// Between the two samples that are nearest to the place.
static double percentile(const double *sorted, int count, double share) {
    double place = share * (count - 1);
    int below = (int)place, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

seq_interval seq_interval_find(double *samples, int resamples) {
    int defined = 0;
    for (int r = 0; r < resamples; r++)
        if (!isnan(samples[r])) samples[defined++] = samples[r];
    if (defined == 0 || 2 * defined < resamples) return (seq_interval){(double)NAN, (double)NAN};
    qsort(samples, (size_t)defined, sizeof *samples, ascending);
    return (seq_interval){percentile(samples, defined, 0.025), percentile(samples, defined, 0.975)};
}

double seq_interval_two_sided(const double *differences, int resamples) {
    int above = 0, below = 0, defined = 0;
    for (int r = 0; r < resamples; r++) {
        above += differences[r] >= 0;
        below += differences[r] <= 0;
        defined += !isnan(differences[r]);
    }
    if (defined == 0 || 2 * defined < resamples) return NAN;
    double share = 2.0 * (above < below ? above : below) / defined;
    return share < 1 ? share : 1;
}

double seq_interval_exceeds(const double *differences, int resamples, double found) {
    double mean = 0;
    int more = 0;
    for (int r = 0; r < resamples; r++)
        mean += fabs(differences[r]) / resamples;
    if (isnan(mean) || isnan(found)) return NAN;
    for (int r = 0; r < resamples; r++)
        more += fabs(differences[r]) - mean > fabs(found);
    return (more + 1.0) / (resamples + 1.0);
}
