// Features of sound against a plain double reference (a direct DFT, every
// formula written out), against numbers that are known by hand, and against
// files that Kaldi wrote where SEQ_REFERENCES names their folder. Then counts and
// times of frames, refusals, and the record. Checks src/prep/frames/filterbank.c,
// src/prep/frames/sound_settings.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <byte_memory.h>
#include <float.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/filterbank.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 1010, LENGTH = 200, PADDED = 256, MOST = 64 };

static float samples[SAMPLES];

// A sum of sines and some noise, never silent.
static void make_samples(void) {
    uint32_t seed = 7;
    for (int i = 0; i < SAMPLES; i++) {
        seed = seed * 1664525 + 1013904223;
        samples[i] = (float)(3000 * sin(0.11 * i) + 900 * sin(0.0007 * i * i) + 250 +
                             (double)(seed >> 22) - 512);
    }
}

static seq_sound_settings defaults(void) {
    seq_sound_settings settings;
    seq_error error = {0};
    assert_int_equal(seq_sound_settings_read(&settings, NULL, &error), SEQ_OK);
    return settings;
}

// False: the build lacks the FFT, and says so.
static bool compute(const seq_sound_settings *settings, float *values, size_t count, int rate,
                    seq_frames *out) {
    seq_filterbank *bank = NULL;
    seq_error error = {0};
    const seq_sound sound = {.samples = values, .count = count, .rate = rate};
    seq_status status = seq_filterbank_create(settings, rate, &bank, &error);
    if (status && strstr(error.text, "libkissfft-dev")) return false;
    if (!status) status = seq_filterbank_run(bank, &sound, "x", out, &error);
    if (status) fail_msg("%s", error.text);
    assert_int_equal(out->width, seq_filterbank_width(bank));
    seq_filterbank_destroy(bank);
    return true;
}

// ---- The reference: 8 kHz, frames of 200 samples every 80.

static double mel_of(double hertz) {
    return 1127 * log(1 + hertz / 700);
}

static double window_of(int kind, int i) {
    double x = 2 * acos(-1) * i / (LENGTH - 1);
    const double shapes[] = {pow(0.5 - 0.5 * cos(x), 0.85), 0.54 - 0.46 * cos(x),
                             0.5 - 0.5 * cos(x), 0.42 - 0.5 * cos(x) + 0.08 * cos(2 * x), 1};
    return shapes[kind];
}

static void powers_of(const double *frame, double *powers) {
    for (int k = 0; k < PADDED / 2; k++) {
        double real = 0, imaginary = 0;
        for (int i = 0; i < LENGTH; i++) {
            double turn = 2 * acos(-1) * k * i / PADDED;
            real += frame[i] * cos(turn);
            imaginary -= frame[i] * sin(turn);
        }
        powers[k] = real * real + imaginary * imaginary;
    }
}

static void mel_energies(const seq_sound_settings *settings, const double *powers, double *out) {
    double low = mel_of(settings->low), high = mel_of(4000 + settings->high);
    int bins = (int)settings->mel_bins;
    for (int bin = 0; bin < bins; bin++) {
        double sum = 0, step = (high - low) / (bins + 1), centre = low + (bin + 1) * step;
        for (int k = 0; k < PADDED / 2; k++)
            sum += fmax(0, 1 - fabs(mel_of(k * 8000.0 / PADDED) - centre) / step) * powers[k];
        out[bin] = log(fmax(sum, (double)FLT_EPSILON));
    }
}

// The sound goes on before and behind as in a mirror.
static double sample_at(int i) {
    return (double)samples[i < 0 ? -1 - i : i < SAMPLES ? i : 2 * SAMPLES - 1 - i];
}

// Energy in energy[0], mel energies in mel.
static void reference_frame(const seq_sound_settings *settings, int begin, double *energy,
                            double *mel) {
    double frame[LENGTH], shaped[LENGTH], powers[PADDED / 2], mean = 0;
    for (int i = 0; i < LENGTH; i++)
        mean += sample_at(begin + i) / LENGTH;
    *energy = 0;
    for (int i = 0; i < LENGTH; i++) {
        frame[i] = sample_at(begin + i) - mean;
        *energy += frame[i] * frame[i];
    }
    *energy = log(*energy);
    for (int i = 0; i < LENGTH; i++)
        shaped[i] = window_of(settings->window, i) *
                    (frame[i] - settings->pre_emphasis * frame[i ? i - 1 : 0]);
    powers_of(shaped, powers);
    mel_energies(settings, powers, mel);
}

static double reference_cepstrum(const seq_sound_settings *settings, const double *mel, int k) {
    int bins = (int)settings->mel_bins;
    double sum = 0, lifter = settings->lifter;
    for (int i = 0; i < bins; i++)
        sum += mel[i] * cos(acos(-1) * k * (i + 0.5) / bins) * sqrt((k ? 2.0 : 1.0) / bins);
    return lifter > 0 ? sum * (1 + lifter / 2 * sin(acos(-1) * k / lifter)) : sum;
}

static int reference_row(const seq_sound_settings *settings, int begin, double *out) {
    double energy, mel[MOST];
    int width = 0;
    bool cepstra = settings->features == SEQ_FEATURES_MFCC,
         use = settings->energy == 1 || (settings->energy == 0 && cepstra);
    reference_frame(settings, begin, &energy, mel);
    double first = use ? energy : reference_cepstrum(settings, mel, 0);
    if (cepstra && settings->htk_order && !use) first *= sqrt(2);
    if ((cepstra || use) && !settings->htk_order) out[width++] = first;
    for (int i = cepstra; i < (cepstra ? settings->cepstra : settings->mel_bins); i++)
        out[width++] = cepstra ? reference_cepstrum(settings, mel, i) : mel[i];
    if ((cepstra || use) && settings->htk_order) out[width++] = first;
    return width;
}

static void compare(const seq_sound_settings *settings, const char *what) {
    seq_frames frames = {0};
    if (!compute(settings, samples, SAMPLES, 8000, &frames)) skip();
    bool whole = settings->snip_edges;
    assert_int_equal(frames.rows, whole ? 1 + (SAMPLES - LENGTH) / 80 : (SAMPLES + 40) / 80);
    for (size_t row = 0; row < frames.rows; row++) {
        double wanted[MOST];
        int begin = (int)row * 80 + (whole ? 0 : 40 - LENGTH / 2);
        assert_int_equal(reference_row(settings, begin, wanted), frames.width);
        for (int i = 0; i < frames.width; i++) {
            double found = (double)frames.values[row * (size_t)frames.width + (size_t)i];
            if (!(fabs(found - wanted[i]) < 2e-4))
                fail_msg("%s: frame %zu, value %d is %.6f, not %.6f", what, row, i, found,
                         wanted[i]);
        }
    }
    seq_frames_clear(&frames);
}

static void agrees_with_direct_sums(void **state) {
    seq_sound_settings settings = defaults();
    (void)state;
    make_samples();
    compare(&settings, "defaults");
    settings.energy = 1;
    compare(&settings, "energy");
    settings.htk_order = true;
    settings.mel_bins = 31;
    settings.low = 60;
    settings.high = -200;
    settings.pre_emphasis = 0.5;
    compare(&settings, "energy last, other bins");
    for (settings.window = 0; settings.window < 5; settings.window++)
        compare(&settings, "a window");
    settings = defaults();
    settings.snip_edges = false;
    compare(&settings, "edges");
    settings = defaults();
    settings.features = SEQ_FEATURES_MFCC;
    compare(&settings, "mfcc");
    settings.energy = 2;
    compare(&settings, "mfcc with C0");
    settings.htk_order = true;
    settings.lifter = 0;
    settings.cepstra = 20;
    compare(&settings, "mfcc with C0 last, not liftered");
}

// ---- Numbers that are known.

static void silence_is_at_the_floor(void **state) {
    float silence[400] = {0};
    seq_sound_settings settings = defaults();
    seq_frames frames = {0};
    (void)state;
    settings.energy = 1;
    if (!compute(&settings, silence, 400, 8000, &frames)) skip();
    for (int i = 0; i < frames.width; i++) // ln(2^-23)
        assert_true(fabs((double)frames.values[i] + 15.9423847) < 1e-5);
    settings.energy_floor = exp(2);
    assert_true(compute(&settings, silence, 400, 8000, &frames));
    assert_true(fabs((double)frames.values[0] - 2) < 1e-6);
    seq_frames_clear(&frames);
}

// Energies that grow by a factor e^2 a frame: their logarithm has slope 2.
static void deltas_are_slopes(void **state) {
    enum { FRAMES = 12, BINS = 4 };
    static float sound[FRAMES * 80];
    static const float first[] = {1.0F, 1.6F, 2, 2, 2, 2, 2, 2, 2, 2, 1.6F, 1.0F};
    seq_sound_settings settings = defaults();
    seq_frames frames = {0};
    (void)state;
    for (int i = 0; i < FRAMES * 80; i++)
        sound[i] = (float)((i % 2 ? 1 : -1) * exp(i / 80));
    settings.length = 10;
    settings.mel_bins = BINS;
    settings.energy = 1;
    settings.deltas = 2;
    if (!compute(&settings, sound, FRAMES * 80, 8000, &frames)) skip();
    assert_int_equal(frames.width, 3 * (BINS + 1));
    assert_int_equal(frames.rows, FRAMES);
    for (size_t row = 0; row < FRAMES; row++) {
        const float *values = frames.values + row * 3 * (BINS + 1);
        assert_true(fabs((double)(values[BINS + 1] - first[row])) < 1e-4);
        if (row >= 4 && row < FRAMES - 4) assert_true(fabs((double)values[2 * (BINS + 1)]) < 1e-4);
    }
    // Of 0 2 4 6 8 ... with the first value before it: sum of taps times values, by hand. The taps
    // of order 2 are those of order 1, (-2 -1 0 1 2) / 10, run through themselves.
    const float *values = frames.values;
    assert_true(fabs((double)values[2 * (BINS + 1)] - 2 * (4 * 4 + 4 * 3 + 1 * 2 - 4 * 1) / 100.0) <
                1e-4);
    seq_frames_clear(&frames);
}

static void frames_have_counts_and_times(void **state) {
    seq_sound_settings settings = defaults();
    seq_frames frames = {0};
    (void)state;
    make_samples();
    if (!compute(&settings, samples, 279, 8000, &frames)) skip();
    assert_int_equal(frames.rows, 1);
    assert_false(frames.padded);
    assert_true(frames.first == 0 && frames.shift == 0.01);
    assert_int_equal(frames.rate, 8000);
    compute(&settings, samples, 280, 8000, &frames);
    assert_int_equal(frames.rows, 2);
    compute(&settings, samples, 199, 8000, &frames);
    assert_int_equal(frames.rows, 1);
    assert_true(frames.padded);
    settings.snip_edges = false;
    compute(&settings, samples, 279, 8000, &frames);
    assert_int_equal(frames.rows, 3); // 3.49
    assert_true(fabs(frames.first - (40 - 100) / 8000.0) < 1e-12);
    compute(&settings, samples, 39, 8000, &frames);
    assert_int_equal(frames.rows, 1);
    assert_true(frames.padded && frames.first == 0);
    seq_frames_clear(&frames);
}

static void samples_can_be_the_frames(void **state) {
    seq_sound_settings settings = defaults();
    seq_frames frames = {0};
    (void)state;
    make_samples();
    settings.features = SEQ_FEATURES_NONE;
    assert_true(compute(&settings, samples, SAMPLES, 8000, &frames));
    assert_int_equal(frames.rows, SAMPLES);
    assert_int_equal(frames.width, 1);
    assert_true(frames.shift == 1.0 / 8000);
    assert_memory_equal(frames.values, samples, sizeof samples);
    seq_frames_clear(&frames);
}

// ---- Refusals and the record.

static void expect_refusal(const seq_sound_settings *settings, const char *text) {
    seq_filterbank *bank = NULL;
    seq_error error = {0};
    seq_status status = seq_filterbank_create(settings, 8000, &bank, &error);
    if (strstr(error.text, "libkissfft-dev")) skip();
    assert_int_equal(status, SEQ_BAD_USAGE);
    if (!strstr(error.text, text)) fail_msg("expected: %s\nfound: %s", text, error.text);
}

static void impossible_settings_are_refused(void **state) {
    seq_sound_settings settings = defaults();
    (void)state;
    settings.mel_bins = 100;
    expect_refusal(&settings, "--mel-bins 100: bin 2, from ");
    settings = defaults();
    settings.low = 3000;
    settings.high = 2000;
    expect_refusal(&settings, "--mel-low 3000, --mel-high 2000: expected low < high <= 4000 Hz");
    settings.high = 5000;
    expect_refusal(&settings, "--mel-high 5000");
    settings = defaults();
    settings.features = SEQ_FEATURES_MFCC;
    settings.cepstra = 24;
    expect_refusal(&settings, "--cepstra 24: more than --mel-bins 23");
    settings = defaults();
    settings.shift = 0.1;
    expect_refusal(&settings, "--frame-shift 0.1: at 8000 Hz these are 200 and 0 samples");
}

static void a_record_gives_the_settings_back(void **state) {
    seq_sound_settings settings = defaults(), read;
    seq_record record = {0};
    seq_error error = {0};
    (void)state;
    assert_int_equal(seq_sound_settings_write(&settings, &record, &error), SEQ_OK);
    assert_int_equal(record.count, 0);
    settings.features = SEQ_FEATURES_MFCC;
    settings.shift = 12.5;
    settings.snip_edges = false;
    settings.deltas = 2;
    settings.rate = 8000;
    assert_int_equal(seq_sound_settings_write(&settings, &record, &error), SEQ_OK);
    assert_int_equal(record.count, 5);
    assert_string_equal(seq_record_text(&record, "features"), "mfcc");
    assert_int_equal(seq_sound_settings_read(&read, &record, &error), SEQ_OK);
    assert_memory_equal(&read, &settings, sizeof read);
    assert_int_equal(seq_record_set_text(&record, "deltas", "3", &error), SEQ_OK);
    assert_int_equal(seq_sound_settings_read(&read, &record, &error), SEQ_NO_CHECKPOINT);
    seq_record_clear(&record);
}

static seq_status read_file(void *context, char *out, size_t capacity, size_t *out_size,
                            seq_error *error) {
    (void)error;
    *out_size = fread(out, 1, capacity, context);
    return SEQ_OK;
}

static void another_rate_is_refused_or_resampled(void **state) {
    static const unsigned char wav[] =
        "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3E\0\0\0\x7D\0\0\2\0\x10"
        "\0data\x8\0\0\0\1\0\2\0\3\0\4";
    byte_memory memory = {wav, sizeof wav, 0, 4096};
    const seq_byte_stream stream = {byte_memory_read, &memory};
    seq_sound_settings settings = defaults();
    seq_frames frames = {0};
    seq_error error = {0};
    (void)state;
    settings.features = SEQ_FEATURES_NONE;
    settings.rate = 8000;
    assert_int_equal(seq_sound_frames(&settings, &stream, "a.wav", &frames, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "a.wav: 16000 Hz, and the data set's sound has 8000 Hz"));
    error = (seq_error){0};
    memory.at = 0;
    settings.resample = 8000;
    assert_int_equal(seq_sound_frames(&settings, &stream, "a.wav", &frames, &error), SEQ_OK);
    assert_int_equal(frames.rows, 2);
    assert_int_equal(frames.rate, 8000);
    seq_frames_clear(&frames);
}

// ---- Kaldi's files.

// A text archive of one utterance. Its spectra come from an FFT in single precision that multiplies
// its way round the circle, so that a line gets some millionths of the line at half the sample rate
// minus its frequency: what lies 70 dB below the frame's strongest value is known to some
// hundredths only. From a DFT in double test.txt differs by 0.018 at most, and ours by 0.0024.
typedef struct archive {
    double *values;
    size_t rows;
    int width;
} archive;

static archive read_archive(const char *folder, const char *name, int width) {
    char path[4096];
    archive out = {.width = width};
    size_t count = 0, capacity = 0;
    double value;
    seq_error error = {0};
    snprintf(path, sizeof path, "%s/fbank/%s", folder, name);
    FILE *stream = fopen(path, "r");
    if (!stream || fscanf(stream, "1 [") != 0) fail_msg("%s: no archive", path);
    for (; fscanf(stream, "%lf", &value) == 1; out.values[count++] = value)
        if (seq_grow(&out.values, &capacity, count + 1, sizeof value, "", &error))
            fail_msg("%s", error.text);
    fclose(stream);
    out.rows = count / (size_t)width;
    assert_int_equal(count, out.rows * (size_t)width);
    return out;
}

// The greatest difference among values at most `level` (natural logarithm of a power) below the
// frame's greatest one; counts them.
static double difference(const seq_frames *frames, const archive *wanted, double level,
                         size_t *out_count) {
    double worst = 0;
    *out_count = 0;
    for (size_t row = 0; row < wanted->rows; row++) {
        const double *values = wanted->values + row * (size_t)wanted->width;
        double strongest = -INFINITY;
        for (int i = 0; i < wanted->width; i++)
            strongest = fmax(strongest, values[i]);
        for (int i = 0; i < wanted->width; i++) {
            if (values[i] < strongest - level) continue;
            double found = (double)frames->values[row * (size_t)wanted->width + (size_t)i];
            worst = fmax(worst, fabs(found - values[i]));
            ++*out_count;
        }
    }
    return worst;
}

static void compare_with_file(const char *folder, const char *name,
                              const seq_sound_settings *settings, double near, double all) {
    char path[4096];
    seq_frames frames = {0};
    seq_error error = {0};
    snprintf(path, sizeof path, "%s/fbank/test.wav", folder);
    FILE *sound = fopen(path, "rb");
    if (!sound) fail_msg("%s: not there", path);
    const seq_byte_stream stream = {read_file, sound};
    seq_status status = seq_sound_frames(settings, &stream, "test.wav", &frames, &error);
    fclose(sound);
    if (status && strstr(error.text, "libkissfft-dev")) skip();
    if (status) fail_msg("%s", error.text);
    archive wanted = read_archive(folder, name, frames.width);
    assert_int_equal(wanted.rows, frames.rows);
    size_t strong, total;
    double of_strong = difference(&frames, &wanted, log(1e7), &strong), // 70 dB
        of_all = difference(&frames, &wanted, INFINITY, &total);
    print_message("%s: %zu of %zu values within 70 dB: off by %.2g at most, all by %.2g\n", name,
                  strong, total, of_strong, of_all);
    assert_true(of_strong < near);
    assert_true(of_all < all);
    free(wanted.values);
    seq_frames_clear(&frames);
}

// Kaldi's cepstra are those of Kaldi's mel energies: the weak bins' errors go into all cepstra, so
// they are compared by the reference's formula.
static void cepstra_are_kaldis(const char *folder) {
    seq_sound_settings settings = defaults();
    archive mel = read_archive(folder, "test.txt", 23),
            cepstra = read_archive(folder, "test-mfcc.txt", 13);
    assert_int_equal(mel.rows, cepstra.rows);
    for (size_t row = 0; row < mel.rows; row++)
        for (int k = 1; k < 13; k++)
            assert_true(fabs(reference_cepstrum(&settings, mel.values + row * 23, k) -
                             cepstra.values[row * 13 + (size_t)k]) < 1e-3);
    free(mel.values);
    free(cepstra.values);
}

static void agrees_with_kaldi(void **state) {
    const char *folder = getenv("SEQ_REFERENCES");
    seq_sound_settings settings = defaults();
    (void)state;
    if (!folder) {
        print_message("not tested: SEQ_REFERENCES names no folder with Kaldi's files\n");
        skip();
    }
    compare_with_file(folder, "test.txt", &settings, 1e-3, 0.04);
    settings.mel_bins = 40;
    compare_with_file(folder, "test-40.txt", &settings, 1e-3, 0.04);
    settings.snip_edges = false;
    compare_with_file(folder, "test-40-no-snip-edges.txt", &settings, 1e-3, 0.04);
    settings = defaults();
    settings.energy = 1;
    compare_with_file(folder, "test-with-energy.txt", &settings, 1e-3, 0.04);
    settings.htk_order = true;
    compare_with_file(folder, "test-htk.txt", &settings, 1e-3, 0.04);
    settings = defaults();
    settings.features = SEQ_FEATURES_MFCC;
    cepstra_are_kaldis(folder);
    compare_with_file(folder, "test-mfcc.txt", &settings, 0.1, 0.1);
    settings.snip_edges = false;
    compare_with_file(folder, "test-mfcc-no-snip-edges.txt", &settings, 0.1, 0.1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_direct_sums),
        cmocka_unit_test(silence_is_at_the_floor),
        cmocka_unit_test(deltas_are_slopes),
        cmocka_unit_test(frames_have_counts_and_times),
        cmocka_unit_test(samples_can_be_the_frames),
        cmocka_unit_test(impossible_settings_are_refused),
        cmocka_unit_test(a_record_gives_the_settings_back),
        cmocka_unit_test(another_rate_is_refused_or_resampled),
        cmocka_unit_test(agrees_with_kaldi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
