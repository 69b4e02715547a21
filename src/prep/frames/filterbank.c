// Frames of sound in Kaldi's form. A frame: its mean is removed, then
// pre-emphasis, the window, zeros up to a power of two, the FFT (KISS FFT, float),
// powers, triangles on the mel scale, logarithm, and for cepstra a cosine
// transform and lifter. Sums run in double. Deltas are one filter over the frames,
// clamped at the ends. Invariant: a frame depends on its own samples alone, so a
// prediction computes what the data set holds. Tests:
// tests/unit/prep/test_filterbank.c.
#include <seqtrain/prep/filterbank.h>
#include <float.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#ifdef SEQ_WITH_KISSFFT
#include <kiss_fftr.h>
#endif

enum { REACH = 2, ORDERS = 2 }; // of a regression, in frames; of deltas

typedef struct triangle {
    size_t first, count; // lines of the spectrum
    float *weights;      // in the bank's pool
} triangle;

struct seq_filterbank {
    seq_sound_settings settings;
    int rate, base, width;        // base: values of a frame without deltas
    size_t length, shift, padded; // samples
    bool energy;
    float *window;
    triangle *bins;
    float *weights;  // of all triangles
    double *cosines; // (cepstra, bins), the lifter in them
    double *frame, *mel;
    float *samples, *powers; // padded; padded / 2 + 1
    void *transform, *spectrum;
};

static double mel_of(double hertz) {
    return 1127 * log(1 + hertz / 700);
}

static double hertz_of(double mel) {
    return 700 * (exp(mel / 1127) - 1);
}

// ---- The transform.

#ifdef SEQ_WITH_KISSFFT
static seq_status begin_transform(seq_filterbank *bank, seq_error *error) {
    bank->transform = kiss_fftr_alloc((int)bank->padded, 0, NULL, NULL);
    if (!bank->transform)
        return seq_error_set(error, SEQ_NO_MEMORY, "an FFT of %zu samples", bank->padded);
    return seq_allocate(&bank->spectrum, bank->padded / 2 + 1, sizeof(kiss_fft_cpx), "a spectrum",
                        error);
}

static void end_transform(seq_filterbank *bank) {
    free(bank->transform);
    free(bank->spectrum);
}

static void take_powers(seq_filterbank *bank) {
    kiss_fft_cpx *lines = bank->spectrum;
    kiss_fftr(bank->transform, bank->samples, lines);
    for (size_t i = 0; i <= bank->padded / 2; i++)
        bank->powers[i] = lines[i].r * lines[i].r + lines[i].i * lines[i].i;
}
#else
static seq_status begin_transform(seq_filterbank *bank, seq_error *error) {
    (void)bank;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--features %s: this program was built without KISS FFT: install the "
                         "package libkissfft-dev and build again",
                         bank->settings.features == SEQ_FEATURES_MFCC ? "mfcc" : "fbank");
}

static void end_transform(seq_filterbank *bank) {
    (void)bank;
}

static void take_powers(seq_filterbank *bank) {
    (void)bank;
}
#endif

// ---- Tables.

static double window_at(int kind, double x) { // x from 0 to 1
    double turn = 2 * acos(-1) * x, hann = 0.5 - 0.5 * cos(turn);
    switch ((seq_frame_window)kind) {
    case SEQ_WINDOW_POVEY:
        return pow(hann, 0.85);
    case SEQ_WINDOW_HAMMING:
        return 0.54 - 0.46 * cos(turn);
    case SEQ_WINDOW_HANN:
        return hann;
    case SEQ_WINDOW_BLACKMAN:
        return 0.42 - 0.5 * cos(turn) + 0.08 * cos(2 * turn);
    default:
        return 1;
    }
}

static double weigh(double mel, double left, double centre, double right) {
    if (mel <= left || mel >= right) return 0;
    return mel <= centre ? (mel - left) / (centre - left) : (right - mel) / (right - centre);
}

// One triangle; *used: weights that are taken.
static seq_status fill_bin(seq_filterbank *bank, int64_t bin, double low, double step, size_t *used,
                           seq_error *error) {
    triangle *out = &bank->bins[bin];
    double line = (double)bank->rate / (double)bank->padded, left = low + (double)bin * step,
           right = left + 2 * step;
    size_t i = (size_t)(hertz_of(left) / line);
    out->weights = bank->weights + *used;
    for (; i < bank->padded / 2; i++) {
        double mel = mel_of((double)i * line);
        if (mel >= right) break;
        if (mel <= left) continue;
        if (!out->count) out->first = i;
        out->weights[out->count++] = (float)weigh(mel, left, left + step, right);
    }
    *used += out->count;
    if (out->count) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--mel-bins %lld: bin %lld, from %.1f to %.1f Hz, is empty: at %d Hz the "
                         "lines of a frame's spectrum are %.1f Hz apart; take fewer bins, or "
                         "longer frames",
                         (long long)bank->settings.mel_bins, (long long)bin + 1, hertz_of(left),
                         hertz_of(right), bank->rate, line);
}

static seq_status fill_bins(seq_filterbank *bank, seq_error *error) {
    const seq_sound_settings *settings = &bank->settings;
    double half = bank->rate / 2.0, high = settings->high + (settings->high > 0 ? 0 : half);
    size_t used = 0;
    if (!(settings->low < high && high <= half))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--mel-low %g, --mel-high %g: expected low < high <= %g Hz, half the "
                             "sample rate",
                             settings->low, high, half);
    double low = mel_of(settings->low),
           step = (mel_of(high) - low) / (double)(settings->mel_bins + 1);
    seq_status status = seq_allocate(&bank->bins, (size_t)settings->mel_bins, sizeof *bank->bins,
                                     "mel bins", error);
    if (!status) // a line lies in two triangles at most
        status = seq_allocate(&bank->weights, bank->padded + 2, sizeof *bank->weights, "mel bins",
                              error);
    for (int64_t bin = 0; !status && bin < settings->mel_bins; bin++)
        status = fill_bin(bank, bin, low, step, &used, error);
    return status;
}

static seq_status fill_cosines(seq_filterbank *bank, seq_error *error) {
    const seq_sound_settings *settings = &bank->settings;
    const double pi = acos(-1);
    int64_t bins = settings->mel_bins;
    if (settings->cepstra > bins)
        return seq_error_set(error, SEQ_BAD_USAGE, "--cepstra %lld: more than --mel-bins %lld",
                             (long long)settings->cepstra, (long long)bins);
    seq_status status = seq_allocate(&bank->cosines, (size_t)(settings->cepstra * bins),
                                     sizeof *bank->cosines, "cepstra", error);
    for (int64_t k = 0; !status && k < settings->cepstra; k++) {
        double lift = settings->lifter > 0
                          ? 1 + settings->lifter / 2 * sin(pi * (double)k / settings->lifter)
                          : 1;
        double scale = lift * sqrt((k ? 2 : 1) / (double)bins);
        for (int64_t bin = 0; bin < bins; bin++)
            bank->cosines[k * bins + bin] =
                scale * cos(pi / (double)bins * ((double)bin + 0.5) * (double)k);
    }
    return status;
}

static seq_status measure(seq_filterbank *bank, seq_error *error) {
    const seq_sound_settings *settings = &bank->settings;
    bank->length = (size_t)(bank->rate * 0.001 * settings->length);
    bank->shift = (size_t)(bank->rate * 0.001 * settings->shift);
    if (bank->length < 2 || bank->shift < 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--frame-length %g, --frame-shift %g: at %d Hz these are %zu and %zu "
                             "samples; expected 2 and 1 at least",
                             settings->length, settings->shift, bank->rate, bank->length,
                             bank->shift);
    for (bank->padded = 2; bank->padded < bank->length;)
        bank->padded *= 2;
    bool mfcc = settings->features == SEQ_FEATURES_MFCC;
    bank->energy = settings->energy ? settings->energy == 1 : mfcc;
    bank->base = mfcc ? (int)settings->cepstra : (int)settings->mel_bins + bank->energy;
    bank->width = bank->base * (1 + (int)settings->deltas);
    return SEQ_OK;
}

static seq_status fill(seq_filterbank *bank, seq_error *error) {
    seq_status status = measure(bank, error);
    if (!status) status = begin_transform(bank, error);
    struct {
        void *place;
        size_t count, size;
    } blocks[] = {
        {&bank->window, bank->length, sizeof *bank->window},
        {&bank->frame, bank->length, sizeof *bank->frame},
        {&bank->mel, (size_t)bank->settings.mel_bins, sizeof *bank->mel},
        {&bank->samples, bank->padded, sizeof *bank->samples},
        {&bank->powers, bank->padded / 2 + 1, sizeof *bank->powers},
    };
    for (size_t i = 0; !status && i < sizeof blocks / sizeof *blocks; i++)
        status = seq_allocate(blocks[i].place, blocks[i].count, blocks[i].size, "features", error);
    for (size_t i = 0; !status && i < bank->length; i++)
        bank->window[i] =
            (float)window_at(bank->settings.window, (double)i / (double)(bank->length - 1));
    if (!status) status = fill_bins(bank, error);
    if (!status && bank->settings.features == SEQ_FEATURES_MFCC) status = fill_cosines(bank, error);
    return status;
}

seq_status seq_filterbank_create(const seq_sound_settings *settings, int rate, seq_filterbank **out,
                                 seq_error *error) {
    seq_filterbank *bank = NULL;
    seq_status status = seq_allocate(&bank, 1, sizeof *bank, "features", error);
    if (status) return status;
    bank->settings = *settings;
    bank->rate = rate;
    bank->base = bank->width = 1;
    if (settings->features != SEQ_FEATURES_NONE) status = fill(bank, error);
    if (status)
        seq_filterbank_destroy(bank);
    else
        *out = bank;
    return status;
}

void seq_filterbank_destroy(seq_filterbank *bank) {
    if (!bank) return;
    end_transform(bank);
    void *const blocks[] = {bank->window, bank->bins,    bank->weights, bank->cosines, bank->frame,
                            bank->mel,    bank->samples, bank->powers,  bank};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

int seq_filterbank_width(const seq_filterbank *bank) {
    return bank->width;
}

// ---- One frame.

static size_t count_frames(const seq_filterbank *bank, size_t samples) {
    if (!bank->settings.snip_edges) return (samples + bank->shift / 2) / bank->shift;
    return samples < bank->length ? 0 : 1 + (samples - bank->length) / bank->shift;
}

// Where a frame begins; before the sound, perhaps.
static int64_t begin_of(const seq_filterbank *bank, size_t frame) {
    int64_t begin = (int64_t)(frame * bank->shift);
    return bank->settings.snip_edges
               ? begin
               : begin + (int64_t)(bank->shift / 2) - (int64_t)(bank->length / 2);
}

// The sound goes on beyond its ends as in a mirror.
static float mirrored(const seq_sound *sound, int64_t at) {
    int64_t count = (int64_t)sound->count, period = 2 * count;
    at %= period;
    if (at < 0) at += period;
    return sound->samples[at < count ? at : period - 1 - at];
}

static void load(seq_filterbank *bank, const seq_sound *sound, size_t frame, bool padded) {
    int64_t begin = padded ? 0 : begin_of(bank, frame), length = (int64_t)bank->length,
            count = (int64_t)sound->count;
    for (int64_t i = 0; i < length; i++) {
        int64_t at = begin + i;
        bank->frame[i] = at >= 0 && at < count ? (double)sound->samples[at]
                         : padded              ? 0
                                               : (double)mirrored(sound, at);
    }
}

// Returns the logarithm of the frame's energy.
static double shape(seq_filterbank *bank) {
    double mean = 0, energy = 0, *frame = bank->frame;
    size_t length = bank->length;
    for (size_t i = 0; i < length; i++)
        mean += frame[i];
    mean /= (double)length;
    for (size_t i = 0; i < length; i++) {
        frame[i] -= mean;
        energy += frame[i] * frame[i];
    }
    double emphasis = bank->settings.pre_emphasis;
    for (size_t i = length; i-- > 0;) {
        double emphasised = frame[i] - emphasis * frame[i ? i - 1 : 0];
        bank->samples[i] = (float)(emphasised * (double)bank->window[i]);
    }
    double floor = bank->settings.energy_floor;
    return log(fmax(fmax(energy, (double)FLT_EPSILON), floor));
}

static void sum_bins(seq_filterbank *bank) {
    for (int64_t bin = 0; bin < bank->settings.mel_bins; bin++) {
        const triangle *triangle = &bank->bins[bin];
        const float *powers = bank->powers + triangle->first;
        double sum = 0;
        for (size_t i = 0; i < triangle->count; i++)
            sum += (double)triangle->weights[i] * (double)powers[i];
        bank->mel[bin] = log(fmax(sum, (double)FLT_EPSILON));
    }
}

static void put_fbank(const seq_filterbank *bank, double energy, float *out) {
    bool last = bank->settings.htk_order;
    if (bank->energy && !last) *out++ = (float)energy;
    for (int64_t bin = 0; bin < bank->settings.mel_bins; bin++)
        *out++ = (float)bank->mel[bin];
    if (bank->energy && last) *out = (float)energy;
}

static double cepstrum(const seq_filterbank *bank, int64_t k) {
    const double *cosines = bank->cosines + k * bank->settings.mel_bins;
    double sum = 0;
    for (int64_t bin = 0; bin < bank->settings.mel_bins; bin++)
        sum += cosines[bin] * bank->mel[bin];
    return sum;
}

static void put_mfcc(const seq_filterbank *bank, double energy, float *out) {
    bool last = bank->settings.htk_order;
    double first = bank->energy ? energy : cepstrum(bank, 0) * (last ? sqrt(2) : 1);
    if (!last) *out++ = (float)first;
    for (int64_t k = 1; k < bank->settings.cepstra; k++)
        *out++ = (float)cepstrum(bank, k);
    if (last) *out = (float)first;
}

// ---- Deltas.

// The filter of order n is the one of order n - 1 run through the regression once more. Frames
// beyond the ends are the first and the last one.
static void add_deltas(const seq_filterbank *bank, seq_frames *frames) {
    double taps[ORDERS + 1][2 * ORDERS * REACH + 1] = {{[ORDERS * REACH] = 1}};
    int64_t rows = (int64_t)frames->rows, width = bank->width;
    for (int64_t order = 1; order <= bank->settings.deltas; order++)
        for (int64_t at = -(order - 1) * REACH; at <= (order - 1) * REACH; at++)
            for (int64_t j = -REACH; j <= REACH; j++)
                taps[order][ORDERS * REACH + at + j] +=
                    (double)j * taps[order - 1][ORDERS * REACH + at] / (2.0 * (1 + 4));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t order = 1; order <= bank->settings.deltas; order++)
            for (int64_t i = 0; i < bank->base; i++) {
                double sum = 0;
                for (int64_t at = -order * REACH; at <= order * REACH; at++) {
                    int64_t from = row + at < 0 ? 0 : row + at >= rows ? rows - 1 : row + at;
                    sum +=
                        taps[order][ORDERS * REACH + at] * (double)frames->values[from * width + i];
                }
                frames->values[row * width + order * bank->base + i] = (float)sum;
            }
}

// ---- The whole.

static seq_status make_room(const seq_filterbank *bank, size_t rows, const char *name,
                            seq_frames *out, seq_error *error) {
    if (rows > SEQ_ITEM_BYTES / sizeof(float) / (size_t)bank->width)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: %zu frames of %d values, and an item has at most %d bytes", name,
                             rows, bank->width, SEQ_ITEM_BYTES);
    return seq_frames_resize(out, rows, bank->width, error);
}

static void put_frame(seq_filterbank *bank, float *out) {
    double energy = shape(bank);
    take_powers(bank);
    sum_bins(bank);
    if (bank->settings.features == SEQ_FEATURES_MFCC)
        put_mfcc(bank, energy, out);
    else
        put_fbank(bank, energy, out);
}

seq_status seq_filterbank_run(seq_filterbank *bank, const seq_sound *sound, const char *name,
                              seq_frames *out, seq_error *error) {
    bool plain = bank->settings.features == SEQ_FEATURES_NONE;
    size_t rows = plain ? sound->count : count_frames(bank, sound->count);
    out->padded = rows == 0;
    if (out->padded) rows = 1;
    seq_status status = make_room(bank, rows, name, out, error);
    if (status) return status;
    out->rate = bank->rate;
    out->first = 0;
    out->shift = (plain ? 1.0 : (double)bank->shift) / bank->rate;
    if (plain) {
        memcpy(out->values, sound->samples, rows * sizeof *out->values);
        return SEQ_OK;
    }
    if (!out->padded) out->first = (double)begin_of(bank, 0) / bank->rate;
    for (size_t row = 0; row < rows; row++) {
        load(bank, sound, row, out->padded);
        put_frame(bank, out->values + row * (size_t)bank->width);
    }
    add_deltas(bank, out);
    return SEQ_OK;
}

static seq_status check_rate(const seq_sound_settings *settings, int rate, const char *name,
                             seq_error *error) {
    if (!settings->rate || rate == settings->rate) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s: %d Hz, and the data set's sound has %d Hz; seqprep --resample %d "
                         "takes sound of any rate",
                         name, rate, settings->rate, settings->rate);
}

seq_status seq_sound_frames(const seq_sound_settings *settings, const seq_byte_stream *stream,
                            const char *name, seq_frames *out, seq_error *error) {
    seq_sound sound = {0};
    seq_filterbank *bank = NULL;
    seq_status status = seq_sound_read(stream, name, (int)settings->channel, &sound, error);
    if (!status && settings->resample)
        status = seq_sound_resample(&sound, (int)settings->resample, name, error);
    if (!status) status = check_rate(settings, sound.rate, name, error);
    if (!status) status = seq_filterbank_create(settings, sound.rate, &bank, error);
    if (!status) status = seq_filterbank_run(bank, &sound, name, out, error);
    seq_filterbank_destroy(bank);
    seq_sound_clear(&sound);
    return status;
}
