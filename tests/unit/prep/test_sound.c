// WAV and FLAC: samples in the scale of 16 bits, whatever the form; headers that
// lie are refused by name. Resampling against sines that are known exactly.
// Checks src/prep/frames/sound.c, src/prep/frames/resample.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <byte_memory.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/sound.h>
#include <stdlib.h>

typedef struct wav {
    unsigned char bytes[4096];
    size_t size;
} wav;

static void put(wav *out, const void *bytes, size_t size) {
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void put_number(wav *out, uint64_t value, int bytes) {
    for (; bytes--; value >>= 8)
        out->bytes[out->size++] = (unsigned char)value;
}

// A header of 44 bytes; then the data follow.
static void begin(wav *out, int tag, int channels, int bits, size_t data) {
    out->size = 0;
    put(out, "RIFF", 4);
    put_number(out, 36 + data, 4);
    put(out, "WAVEfmt ", 8);
    put_number(out, 16, 4);
    put_number(out, (uint64_t)tag, 2);
    put_number(out, (uint64_t)channels, 2);
    put_number(out, 8000, 4);
    put_number(out, (uint64_t)(8000 * channels * bits / 8), 4);
    put_number(out, (uint64_t)(channels * bits / 8), 2);
    put_number(out, (uint64_t)bits, 2);
    put(out, "data", 4);
    put_number(out, data, 4);
}

static seq_status read_bytes(const void *bytes, size_t size, int channel, seq_sound *out,
                             seq_error *error) {
    byte_memory memory = {bytes, size, 0, 7};
    const seq_byte_stream stream = {byte_memory_read, &memory};
    *error = (seq_error){0};
    seq_sound_clear(out);
    return seq_sound_read(&stream, "x.wav", channel, out, error);
}

static bool lacks_library(const seq_error *error) {
    return strstr(error->text, "libsndfile1-dev") != NULL;
}

static void expect(const void *bytes, size_t size, int channel, const float *samples,
                   size_t count) {
    seq_sound sound = {0};
    seq_error error;
    if (read_bytes(bytes, size, channel, &sound, &error)) {
        if (lacks_library(&error)) skip();
        fail_msg("%s", error.text);
    }
    assert_int_equal(sound.rate, 8000);
    assert_int_equal(sound.count, count);
    for (size_t i = 0; i < count; i++)
        if (sound.samples[i] != samples[i])
            fail_msg("sample %zu is %g, not %g", i, (double)sound.samples[i], (double)samples[i]);
    seq_sound_clear(&sound);
}

static void expect_refusal(const void *bytes, size_t size, int channel, seq_status status,
                           const char *text) {
    seq_sound sound = {0};
    seq_error error;
    assert_int_equal(read_bytes(bytes, size, channel, &sound, &error), status);
    if (!strstr(error.text, text)) fail_msg("expected: %s\nfound: %s", text, error.text);
    seq_sound_clear(&sound);
}

static void words_of_each_channel(void **state) {
    static const float left[] = {0, -32768, 5}, right[] = {1, 32767, -6};
    wav wav;
    (void)state;
    begin(&wav, 1, 2, 16, 12);
    for (int i = 0; i < 3; i++) {
        put_number(&wav, (uint16_t)(int16_t)left[i], 2);
        put_number(&wav, (uint16_t)(int16_t)right[i], 2);
    }
    expect(wav.bytes, wav.size, 1, left, 3);
    expect(wav.bytes, wav.size, 2, right, 3);
    expect_refusal(wav.bytes, wav.size, 0, SEQ_BAD_USAGE, "x.wav has 2 channels: --channel");
    expect_refusal(wav.bytes, wav.size, 3, SEQ_BAD_USAGE, "--channel 3: x.wav has 2 channels");
    wav.bytes[40] = wav.bytes[41] = wav.bytes[42] = wav.bytes[43] = 0xFF; // written to a pipe
    expect(wav.bytes, wav.size, 2, right, 3);
}

static void chunks_are_passed_over(void **state) {
    static const float samples[] = {258};
    static const unsigned char guid[] = "\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71";
    wav wav = {.size = 0};
    (void)state;
    put(&wav, "RIFF\xFF\xFF\xFF\xFFWAVELIST", 16);
    put_number(&wav, 3, 4);
    put(&wav, "abc", 4); // with the byte that makes it even
    put(&wav, "fmt ", 4);
    put_number(&wav, 40, 4);
    put_number(&wav, 0xFFFE, 2);
    put_number(&wav, 1, 2);
    put_number(&wav, 8000, 4);
    put_number(&wav, 16000, 4);
    put_number(&wav, 2, 2);
    put_number(&wav, 16, 2);
    put_number(&wav, 22, 2);
    put_number(&wav, 16, 2);
    put_number(&wav, 4, 4);
    put_number(&wav, 1, 2);
    put(&wav, guid, 14);
    put(&wav, "data", 4);
    put_number(&wav, 2, 4);
    put_number(&wav, 258, 2);
    put(&wav, "id3 tail", 8);
    expect(wav.bytes, wav.size, 0, samples, 1);
    wav.bytes[60] = 9;
    expect_refusal(wav.bytes, wav.size, 0, SEQ_BAD_INPUT, "without a known subformat");
}

// The same three values in each form.
static void forms_have_one_scale(void **state) {
    static const float samples[] = {0, -32768, 16384};
    wav wav;
    (void)state;
    begin(&wav, 1, 1, 8, 3);
    put(&wav, "\x80\0\xC0", 3);
    expect(wav.bytes, wav.size, 0, samples, 3);
    begin(&wav, 1, 1, 24, 9);
    put(&wav, "\0\0\0\0\0\x80\0\0\x40", 9);
    expect(wav.bytes, wav.size, 0, samples, 3);
    begin(&wav, 1, 1, 32, 12);
    put(&wav, "\0\0\0\0\0\0\0\x80\0\0\0\x40", 12);
    expect(wav.bytes, wav.size, 0, samples, 3);
    begin(&wav, 3, 1, 32, 12);
    put(&wav, "\0\0\0\0\0\0\x80\xBF\0\0\0\x3F", 12);
    expect(wav.bytes, wav.size, 0, samples, 3);
    memcpy(wav.bytes + 48, "\0\0\xC0\x7F", 4);
    expect_refusal(wav.bytes, wav.size, 0, SEQ_BAD_INPUT, "x.wav: sample 2 is nan");
}

static const unsigned char flac[] = {
    0x66, 0x4c, 0x61, 0x43, 0x80, 0x00, 0x00, 0x22, 0x10, 0x00, 0x10, 0x00, 0x00, 0x00,
    0x18, 0x00, 0x00, 0x18, 0x01, 0xf4, 0x00, 0xf0, 0x00, 0x00, 0x00, 0x08, 0x41, 0x12,
    0x9d, 0xe0, 0xfb, 0x37, 0xba, 0x15, 0xff, 0x52, 0x4f, 0x0e, 0x05, 0x74, 0x21, 0x77,
    0xff, 0xf8, 0x64, 0x08, 0x00, 0x07, 0xf6, 0x10, 0x0c, 0x20, 0x41, 0xa7, 0xd0, 0xa7,
    0xcf, 0xe1, 0xff, 0xfb, 0x87, 0xff, 0xf3, 0x50, 0x25, 0x61};

static void flac_is_read(void **state) {
    static const float samples[] = {0, 1, -1, 1000, -1000, 32767, -32768, 5};
    seq_sound sound = {0};
    seq_error error;
    (void)state;
    expect(flac, sizeof flac, 0, samples, 8);
    for (size_t size = 4; size < sizeof flac; size++) // cut off anywhere
        assert_int_equal(read_bytes(flac, size, 0, &sound, &error), SEQ_BAD_INPUT);
    seq_sound_clear(&sound);
}

typedef struct lie {
    size_t at, bytes;
    uint64_t value;
    size_t size; // of the file; 48 is right
    const char *refusal;
} lie;

static void lies_are_refused(void **state) {
    static const lie lies[] = {
        {22, 2, 0, 48, "x.wav: its header says 0 channels"},
        {24, 4, 0, 48, "x.wav: its header says 0 Hz"},
        {24, 4, 4000000000, 48, "x.wav: its header says 4000000000 Hz"},
        {32, 2, 4, 48, "says 4 bytes for a sample of 1 channels of 16 bits; that would be 2"},
        {32, 2, 0, 48, "says 0 bytes for a sample"},
        {34, 2, 12, 48, "x.wav: WAVE format 0x0001 of 12 bits"},
        {20, 2, 0x55, 48, "x.wav: WAVE format 0x0055 of 16 bits"},
        {40, 4, 100, 48,
         "byte offset 36: the chunk 'data' has 100 bytes by its header, and the "
         "file has 4 more: it is cut off"},
        {40, 4, 3, 48, "3 bytes of data are not whole samples of 2 bytes"},
        {40, 4, 0, 48, "x.wav: it holds no samples"},
        {36, 4, 0, 48, "the file ends without a chunk 'data'"},
        {16, 4, 14, 48, "byte offset 20: the chunk 'fmt ' has less than 16 bytes"},
        {12, 4, 0, 48, "byte offset 36: no chunk 'fmt ' before the data"},
        {16, 4, 0xFFFFFFF0, 48, "byte offset 12: the chunk 'fmt ' has 4294967280"},
        {0, 0, 0, 46, "it is cut off"},
        {0, 0, 0, 40, "byte offset 36: the file is cut off in a chunk's header"},
        {0, 0, 0, 12, "the file ends without a chunk 'data'"},
        {0, 0, 0, 3, "x.wav: it is no sound file; expected WAV or FLAC"},
        {0, 0, 0, 0, "x.wav: it is empty"},
        {0, 4, 0x21726152, 48, "expected WAV or FLAC"},
    };
    wav wav;
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        begin(&wav, 1, 1, 16, 4);
        put_number(&wav, 0x00020001, 4);
        wav.size = lies[i].at;
        put_number(&wav, lies[i].value, (int)lies[i].bytes);
        expect_refusal(wav.bytes, lies[i].size, 0, SEQ_BAD_INPUT, lies[i].refusal);
    }
}

// ---- Resampling.

enum { SECONDS = 1 };

static void make_sine(seq_sound *out, int rate, double hertz) {
    seq_error error = {0};
    const double pi = acos(-1);
    seq_sound_clear(out);
    out->rate = rate;
    out->count = (size_t)(rate * SECONDS);
    assert_int_equal(
        seq_grow(&out->samples, &out->capacity, out->count, sizeof *out->samples, "", &error),
        SEQ_OK);
    for (size_t i = 0; i < out->count; i++)
        out->samples[i] = (float)(10000 * sin(2 * pi * hertz * (double)i / rate));
}

// The greatest difference to `gain` times the sine, away from the ends.
static double error_of(const seq_sound *sound, double hertz, double gain) {
    const double pi = acos(-1);
    double worst = 0;
    for (size_t i = sound->count / 4; i < sound->count * 3 / 4; i++) {
        double wanted = gain * 10000 * sin(2 * pi * hertz * (double)i / sound->rate);
        worst = fmax(worst, fabs((double)sound->samples[i] - wanted));
    }
    return worst;
}

static void sines_keep_their_values(void **state) {
    static const struct {
        int from, to;
        double hertz, gain;
    } cases[] = {
        {8000, 16000, 1000, 1},  {16000, 8000, 1000, 1}, {16000, 8000, 3500, 1},
        {44100, 16000, 6000, 1}, {8000, 11025, 3000, 1}, {16000, 8000, 4400, 0},
        {48000, 8000, 9000, 0},
    };
    seq_sound sound = {0};
    seq_error error = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_sine(&sound, cases[i].from, cases[i].hertz);
        assert_int_equal(seq_sound_resample(&sound, cases[i].to, "x", &error), SEQ_OK);
        assert_int_equal(sound.rate, cases[i].to);
        assert_int_equal(sound.count, cases[i].to * SECONDS);
        double worst = error_of(&sound, cases[i].hertz, cases[i].gain);
        if (worst > 10) // of 10,000: 60 dB
            fail_msg("%d to %d Hz, a sine of %g Hz: off by %g", cases[i].from, cases[i].to,
                     cases[i].hertz, worst);
    }
    seq_sound_clear(&sound);
}

static void lengths_are_rounded_up(void **state) {
    seq_sound sound = {0};
    seq_error error = {0};
    (void)state;
    make_sine(&sound, 8000, 1000);
    sound.count = 5;
    assert_int_equal(seq_sound_resample(&sound, 6000, "x", &error), SEQ_OK);
    assert_int_equal(sound.count, 4); // 3.75
    make_sine(&sound, 8000, 1000);
    sound.count = 1;
    assert_int_equal(seq_sound_resample(&sound, 1, "x", &error), SEQ_OK);
    assert_int_equal(sound.count, 1);
    assert_int_equal(seq_sound_resample(&sound, SEQ_SOUND_RATE - 1, "x", &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "x: --resample 767999: the ratio to 1 Hz needs more than"));
    seq_sound_clear(&sound);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_each_channel),  cmocka_unit_test(chunks_are_passed_over),
        cmocka_unit_test(forms_have_one_scale),   cmocka_unit_test(flac_is_read),
        cmocka_unit_test(lies_are_refused),       cmocka_unit_test(sines_keep_their_values),
        cmocka_unit_test(lengths_are_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
