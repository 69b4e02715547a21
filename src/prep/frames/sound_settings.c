// The options of sound, and how a data set records them: those that are not at
// their defaults, by name, so that a prediction computes the same frames. What is
// read back passes the bounds of the table. Test:
// tests/unit/prep/test_filterbank.c.
#include <seqtrain/base/settings.h>
#include <seqtrain/prep/sound_settings.h>
#include <string.h>

static const char *const features[] = {"fbank", "mfcc", "none", NULL};
static const char *const windows[] = {"povey", "hamming", "hann", "blackman", "rectangular", NULL};
static const char *const energies[] = {"auto", "yes", "no", NULL};

#define AT(field) offsetof(seq_sound_settings, field)
static const seq_option options[] = {
    {SEQ_OPTION_HEADING,
     .help = "Sound (WAV and FLAC: --reader sound, or the column path of a table)"},
    {SEQ_OPTION_CHOICE, "features", "KIND", AT(features), "fbank", .choices = features,
     .help = "Frames of sound, as Kaldi makes them without dither. fbank: logarithms of energies "
             "in mel bins. mfcc: cepstra. none: the samples themselves."},
    {SEQ_OPTION_INTEGER, "channel", "N", AT(channel), "0", 0, 65535,
     .help = "Which channel is read, from 1. 0: the only one."},
    {SEQ_OPTION_INTEGER, "resample", "HZ", AT(resample), "0", 0, SEQ_SOUND_RATE,
     .help = "Make sound of any rate this one. 0: never; then all files have one rate, which is "
             "part of the data set."},
    {SEQ_OPTION_INTEGER, "mel-bins", "N", AT(mel_bins), "23", 1, 1024, .help = "Mel bins."},
    {SEQ_OPTION_REAL, "mel-low", "HZ", AT(low), "20", 0, SEQ_SOUND_RATE,
     .help = "Lower edge of the first mel bin."},
    {SEQ_OPTION_REAL, "mel-high", "HZ", AT(high), "0", -SEQ_SOUND_RATE, SEQ_SOUND_RATE,
     .help = "Upper edge of the last mel bin. 0 or less: relative to half the sample rate."},
    {SEQ_OPTION_REAL, "frame-length", "MS", AT(length), "25", 0.01, 1000,
     .help = "Length of a frame."},
    {SEQ_OPTION_REAL, "frame-shift", "MS", AT(shift), "10", 0.01, 1000,
     .help = "Time from one frame to the next."},
    {SEQ_OPTION_CHOICE, "frame-window", "SHAPE", AT(window), "povey", .choices = windows,
     .help = "Window function of a frame. povey: the Hann window to the power of 0.85."},
    {SEQ_OPTION_REAL, "pre-emphasis", "X", AT(pre_emphasis), "0.97", 0, 1,
     .help = "Subtract X times the previous sample from each sample."},
    {SEQ_OPTION_CHOICE, "energy", "HOW", AT(energy), "auto", .choices = energies,
     .help = "Log energy of a frame: an additional value for fbank, in place of C0 for mfcc. auto: "
             "for mfcc only."},
    {SEQ_OPTION_REAL, "energy-floor", "X", AT(energy_floor), "0", 0, 1e30,
     .help = "Lower bound of a frame's energy, before the logarithm."},
    {SEQ_OPTION_FLAG, "htk-order", NULL, AT(htk_order), "no",
     .help = "Put energy or C0 last, as HTK does."},
    {SEQ_OPTION_FLAG, "snip-edges", NULL, AT(snip_edges), "yes",
     .help =
         "Keep only frames that lie inside the sound. no: one frame for each shift; the sound is "
         "mirrored beyond its ends."},
    {SEQ_OPTION_INTEGER, "cepstra", "N", AT(cepstra), "13", 1, 1024,
     .help = "mfcc: number of cepstra."},
    {SEQ_OPTION_REAL, "lifter", "X", AT(lifter), "22", 0, 1000,
     .help = "mfcc: scale cepstrum i by 1 + X / 2 sin(pi i / X). 0: no liftering."},
    {SEQ_OPTION_INTEGER, "deltas", "ORDER", AT(deltas), "0", 0, 2,
     .help = "Append first (1), or first and second (2), deltas, by regression over two frames on "
             "each side."},
    {.type = SEQ_OPTION_END},
};
const seq_option_group seq_sound_options = {options, sizeof(seq_sound_settings)};
static const seq_option_group *const groups[] = {&seq_sound_options, NULL};

static seq_sound_settings *values_of(const seq_settings *settings) {
    return (seq_sound_settings *)seq_option_values(&settings->parsed, &seq_sound_options);
}

seq_status seq_sound_settings_write(const seq_sound_settings *settings, seq_record *record,
                                    seq_error *error) {
    seq_settings own;
    char text[SEQ_OPTION_ABSENT];
    seq_status status = seq_settings_read(groups, NULL, &own, error);
    if (status) return status;
    *values_of(&own) = *settings;
    const seq_option *option = own.program.options;
    for (size_t i = 0; !status && option[i].type != SEQ_OPTION_END; i++) {
        if (option[i].type == SEQ_OPTION_HEADING || seq_option_is_absent(&own.parsed, i)) continue;
        seq_option_get_text(&own.parsed, i, text, sizeof text);
        status = seq_record_set_text(record, option[i].name, text, error);
    }
    if (!status && settings->rate)
        status = seq_record_set_integer(record, "rate", settings->rate, error);
    seq_settings_clear(&own);
    return status;
}

seq_status seq_sound_settings_read(seq_sound_settings *out, const seq_record *record,
                                   seq_error *error) {
    seq_settings own;
    int64_t rate = 0;
    seq_status status = seq_settings_read(groups, record, &own, error);
    if (status) return status;
    *out = *values_of(&own);
    seq_settings_clear(&own);
    if (record && seq_record_text(record, "rate"))
        status = seq_record_get_integer(record, "rate", 1, SEQ_SOUND_RATE, &rate, error);
    out->rate = (int)rate;
    return status;
}
