// Samples at another rate. Output i lies at time i / rate; its value is the sum
// of the input around it, weighted by a windowed sinc. The places of outputs
// between two inputs repeat, so weights are made once for each of these phases
// and scaled to sum 1: a constant stays one. Invariant: input outside of the
// sound counts as silence. Test: tests/unit/prep/test_sound.c.
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/sound.h>
#include <stdlib.h>

enum { ZEROS = 32, WEIGHTS = 1 << 22 };

typedef struct plan {
    int64_t in, out;    // the rates, divided by what they share
    int64_t half, taps; // weights on each side; of a phase
    double cutoff;      // in cycles an input sample
    float *weights;     // (out, taps)
} plan;

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// `distance` in input samples.
static double weigh(const plan *plan, double distance) {
    const double pi = acos(-1);
    double turns = 2 * plan->cutoff * distance;
    if (fabs(turns) >= ZEROS) return 0;
    double sinc = turns == 0 ? 1 : sin(pi * turns) / (pi * turns);
    return sinc * (1 + cos(pi * turns / ZEROS)) / 2;
}

static void fill_phase(const plan *plan, int64_t phase) {
    float *weights = plan->weights + phase * plan->taps;
    double offset = (double)phase / (double)plan->out, sum = 0;
    for (int64_t k = 0; k < plan->taps; k++)
        sum += weigh(plan, (double)(k - plan->half + 1) - offset);
    for (int64_t k = 0; k < plan->taps; k++)
        weights[k] = (float)(weigh(plan, (double)(k - plan->half + 1) - offset) / sum);
}

static seq_status make_plan(plan *plan, int from, int to, const char *name, seq_error *error) {
    int64_t shared = common_divisor(from, to);
    plan->in = from / shared;
    plan->out = to / shared;
    plan->cutoff = 0.5 * 0.95 * (from < to ? 1 : (double)to / from);
    plan->half = (int64_t)ceil(ZEROS / (2 * plan->cutoff)) + 1;
    plan->taps = 2 * plan->half;
    if (plan->out > WEIGHTS / plan->taps)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: --resample %d: the ratio to %d Hz needs more than %d weights",
                             name, to, from, WEIGHTS);
    seq_status status = seq_allocate(&plan->weights, (size_t)(plan->out * plan->taps),
                                     sizeof *plan->weights, "weights to resample", error);
    for (int64_t phase = 0; !status && phase < plan->out; phase++)
        fill_phase(plan, phase);
    return status;
}

static float interpolate(const plan *plan, const seq_sound *sound, int64_t i) {
    int64_t begin = i * plan->in / plan->out - plan->half + 1, count = (int64_t)sound->count;
    const float *weights = plan->weights + i * plan->in % plan->out * plan->taps;
    int64_t from = begin < 0 ? -begin : 0,
            to = begin + plan->taps > count ? count - begin : plan->taps;
    double sum = 0;
    for (int64_t k = from; k < to; k++)
        sum += (double)weights[k] * (double)sound->samples[begin + k];
    return (float)sum;
}

seq_status seq_sound_resample(seq_sound *sound, int rate, const char *name, seq_error *error) {
    plan plan = {0};
    seq_sound out = {.rate = rate};
    if (rate == sound->rate) return SEQ_OK;
    int64_t count = ((int64_t)sound->count * rate + sound->rate - 1) / sound->rate;
    if (count > SEQ_SOUND_SAMPLES)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: --resample %d: %lld samples, and a sound has at most %d", name,
                             rate, (long long)count, SEQ_SOUND_SAMPLES);
    seq_status status = make_plan(&plan, sound->rate, rate, name, error);
    if (!status)
        status = seq_grow(&out.samples, &out.capacity, (size_t)count, sizeof *out.samples,
                          "a sound", error);
    for (int64_t i = 0; !status && i < count; i++)
        out.samples[i] = interpolate(&plan, sound, i);
    free(plan.weights);
    if (status) return status;
    out.count = (size_t)count;
    seq_sound_clear(sound);
    *sound = out;
    return SEQ_OK;
}
