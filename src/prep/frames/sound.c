// WAV and FLAC. The whole file is read into memory; its first bytes tell the
// form. The header of a WAV is checked here, chunk by chunk, before anything is
// decoded: what it says must agree with itself and with the bytes that are
// there. Then 16-bit samples are taken as they lie, and other forms go to
// libsndfile, if the build found it, through reads of that memory. Invariant: a
// file that ends too early is refused, never shortened. Tests:
// tests/unit/prep/test_sound.c, tests/fuzz/fuzz_reader.c.
#include <seqtrain/prep/sound.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/forms.h>
#include <stdlib.h>
#include <string.h>
#ifdef SEQ_WITH_SNDFILE
#include <sndfile.h>
#endif

enum { SCALE = 1 << 15 }; // of full scale

typedef struct file {
    const char *name;
    unsigned char *bytes;
    size_t size, capacity;
} file;

static seq_status read_all(file *file, const seq_byte_stream *stream, seq_error *error) {
    enum { PIECE = 1 << 16 };
    seq_status status = SEQ_OK;
    for (size_t got = 1; !status && got;) {
        if (file->size > SEQ_ITEM_BYTES)
            return seq_error_set(error, SEQ_BAD_INPUT, "%s: longer than %d bytes", file->name,
                                 SEQ_ITEM_BYTES);
        status = seq_grow(&file->bytes, &file->capacity, file->size + PIECE, 1, "a sound", error);
        if (status) break;
        status =
            stream->read(stream->context, (char *)file->bytes + file->size, PIECE, &got, error);
        if (!status) file->size += got;
    }
    return status;
}

static seq_status set_length(seq_sound *out, uint64_t count, const char *name, seq_error *error) {
    if (count == 0) return seq_error_set(error, SEQ_BAD_INPUT, "%s: it holds no samples", name);
    if (count > SEQ_SOUND_SAMPLES)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: %llu samples, and a sound has at most %d",
                             name, (unsigned long long)count, SEQ_SOUND_SAMPLES);
    seq_status status = seq_grow(&out->samples, &out->capacity, (size_t)count, sizeof *out->samples,
                                 "a sound", error);
    if (!status) out->count = (size_t)count;
    return status;
}

static seq_status check_channel(const char *name, int channels, int *channel, seq_error *error) {
    if (*channel == 0 && channels > 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s has %d channels: --channel says which one is read", name,
                             channels);
    if (*channel > channels)
        return seq_error_set(error, SEQ_BAD_USAGE, "--channel %d: %s has %d channel%s", *channel,
                             name, channels, channels == 1 ? "" : "s");
    if (*channel == 0) *channel = 1;
    return SEQ_OK;
}

static seq_status check_rate(const char *name, uint32_t rate, seq_error *error) {
    if (rate >= 1 && rate <= SEQ_SOUND_RATE) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s: its header says %u Hz; a sample rate is 1 to %d Hz", name,
                         (unsigned)rate, SEQ_SOUND_RATE);
}

// ---- The header of a WAV.

enum { PCM = 1, FLOATS = 3, A_LAW = 6, MU_LAW = 7, EXTENSIBLE = 0xFFFE };

typedef struct wave {
    unsigned tag, channels, bits, block; // block: bytes of a sample of all channels
    uint32_t rate;
    size_t data, size; // where the samples lie
} wave;

static uint32_t number(const unsigned char *bytes, int count) {
    uint32_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

static seq_status refuse(const file *file, size_t at, seq_error *error, const char *what) {
    return seq_error_set(error, SEQ_BAD_INPUT, "%s, byte offset %zu: %s", file->name, at, what);
}

static seq_status check_format(const file *file, const wave *wave, seq_error *error) {
    const char *name = file->name;
    unsigned bits = wave->bits;
    bool known = wave->tag == PCM      ? bits == 8 || bits == 16 || bits == 24 || bits == 32
                 : wave->tag == FLOATS ? bits == 32 || bits == 64
                                       : (wave->tag == A_LAW || wave->tag == MU_LAW) && bits == 8;
    if (!known)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: WAVE format 0x%04x of %u bits; expected whole numbers of 8, 16, "
                             "24 or 32 bits (1), floats of 32 or 64 (3), A-law (6) or mu-law (7)",
                             name, wave->tag, bits);
    if (!wave->channels)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: its header says 0 channels", name);
    if (wave->block != wave->channels * bits / 8)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: its header says %u bytes for a sample of %u channels of %u bits; "
                             "that would be %u",
                             name, wave->block, wave->channels, bits, wave->channels * bits / 8);
    return check_rate(name, wave->rate, error);
}

static seq_status read_format(const file *file, size_t at, size_t size, wave *wave,
                              seq_error *error) {
    static const unsigned char guid[] = "\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71";
    const unsigned char *from = file->bytes + at;
    if (size < 16) return refuse(file, at, error, "the chunk 'fmt ' has less than 16 bytes");
    wave->tag = number(from, 2);
    wave->channels = number(from + 2, 2);
    wave->rate = number(from + 4, 4);
    wave->block = number(from + 12, 2);
    wave->bits = number(from + 14, 2);
    if (wave->tag == EXTENSIBLE) {
        if (size < 40 || memcmp(from + 26, guid, sizeof guid - 1) != 0)
            return refuse(file, at, error, "WAVE_FORMAT_EXTENSIBLE without a known subformat");
        wave->tag = number(from + 24, 2);
    }
    return check_format(file, wave, error);
}

// Programs that write to a pipe do not know the size: they leave one of these (ffmpeg, SoX).
static bool is_unknown(size_t size) {
    return size == UINT32_MAX || (size >= 0x7FFFF000 && size <= INT32_MAX);
}

static seq_status refuse_size(const file *file, size_t at, size_t size, size_t left,
                              seq_error *error) {
    char name[32];
    seq_escape((const char *)file->bytes + at, 4, false, name, sizeof name);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s, byte offset %zu: the chunk '%s' has %zu bytes by its header, and the "
                         "file has %zu more: it is cut off",
                         file->name, at, name, size, left);
}

static seq_status read_chunks(const file *file, wave *wave, seq_error *error) {
    enum { HEAD = 8 };
    for (size_t at = 12; at < file->size;) {
        size_t left = file->size - at;
        if (left < HEAD) return refuse(file, at, error, "the file is cut off in a chunk's header");
        const unsigned char *head = file->bytes + at;
        size_t size = number(head + 4, 4);
        bool data = memcmp(head, "data", 4) == 0;
        at += HEAD;
        left -= HEAD;
        if (data && is_unknown(size) && size > left) size = left;
        if (size > left) return refuse_size(file, at - HEAD, size, left, error);
        if (memcmp(head, "fmt ", 4) == 0 && read_format(file, at, size, wave, error))
            return error->status;
        if (data) {
            wave->data = at;
            wave->size = size;
            return wave->block ? SEQ_OK
                               : refuse(file, at - HEAD, error, "no chunk 'fmt ' before the data");
        }
        at += size + size % 2;
    }
    return refuse(file, file->size, error, "the file ends without a chunk 'data'");
}

static seq_status check_whole(const file *file, const wave *wave, seq_error *error) {
    if (wave->size % wave->block == 0) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s: %zu bytes of data are not whole samples of %u bytes", file->name,
                         wave->size, wave->block);
}

// ---- Samples.

static seq_status take_words(const file *file, const wave *wave, int channel, seq_sound *out,
                             seq_error *error) {
    const unsigned char *from = file->bytes + wave->data + (size_t)(channel - 1) * 2;
    seq_status status = set_length(out, wave->size / wave->block, file->name, error);
    for (size_t i = 0; !status && i < out->count; i++, from += wave->block)
        out->samples[i] = (int16_t)number(from, 2);
    return status;
}

#ifdef SEQ_WITH_SNDFILE
typedef struct memory_file {
    const file *file;
    sf_count_t at;
} memory_file;

static sf_count_t length_of(void *context) {
    return (sf_count_t)((memory_file *)context)->file->size;
}

static sf_count_t place_of(void *context) {
    return ((memory_file *)context)->at;
}

static sf_count_t seek(sf_count_t offset, int whence, void *context) {
    memory_file *memory = context;
    sf_count_t size = length_of(context);
    sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->at : size;
    if (offset < -base || offset > size - base) return -1;
    return memory->at = base + offset;
}

static sf_count_t read_memory(void *out, sf_count_t count, void *context) {
    memory_file *memory = context;
    sf_count_t left = length_of(context) - memory->at;
    if (count > left) count = left;
    if (count > 0) memcpy(out, memory->file->bytes + memory->at, (size_t)count);
    memory->at += count;
    return count;
}

static seq_status take_frames(SNDFILE *from, const SF_INFO *info, const char *name, int channel,
                              seq_sound *out, seq_error *error) {
    enum { BLOCK = 1 << 16 };
    size_t channels = (size_t)info->channels, block = BLOCK / channels + 1;
    float *values = NULL;
    bool known = info->frames >= 0 && info->frames <= SEQ_SOUND_SAMPLES;
    seq_status status = seq_allocate(&values, block * channels, sizeof *values, "a sound", error);
    out->count = 0;
    for (sf_count_t got = 1; !status && got > 0;) {
        got = sf_readf_float(from, values, (sf_count_t)block);
        size_t at = out->count;
        if (got > 0) status = set_length(out, at + (uint64_t)got, name, error);
        for (size_t i = 0; !status && i < (size_t)got; i++)
            out->samples[at + i] = values[i * channels + (size_t)channel - 1] * (float)SCALE;
    }
    free(values);
    if (status) return status;
    if (sf_error(from))
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: libsndfile, after %zu samples: %s", name,
                             out->count, sf_strerror(from));
    if (known && out->count != (size_t)info->frames)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s: %lld samples by its header, and there are %zu: it is cut off",
                             name, (long long)info->frames, out->count);
    return set_length(out, out->count, name, error);
}

static seq_status decode(const file *file, int channel, seq_sound *out, seq_error *error) {
    SF_VIRTUAL_IO calls = {length_of, seek, read_memory, NULL, place_of};
    memory_file memory = {file, 0};
    SF_INFO info = {0};
    SNDFILE *from = sf_open_virtual(&calls, SFM_READ, &info, &memory);
    if (!from)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: libsndfile: %s", file->name,
                             sf_strerror(NULL));
    seq_status status = check_rate(file->name, (uint32_t)info.samplerate, error);
    if (!status) status = check_channel(file->name, info.channels, &channel, error);
    if (!status) status = take_frames(from, &info, file->name, channel, out, error);
    out->rate = info.samplerate;
    sf_close(from);
    return status;
}
#else
static seq_status decode(const file *file, int channel, seq_sound *out, seq_error *error) {
    (void)channel;
    (void)out;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s: it is %s, and this program was built without libsndfile: make it a "
                         "WAV of 16 bits, or install the package libsndfile1-dev and build again",
                         file->name,
                         memcmp(file->bytes, "fLaC", 4) == 0 ? "FLAC" : "no WAV of 16 bits");
}
#endif

static seq_status decode_wave(const file *file, int channel, seq_sound *out, seq_error *error) {
    wave wave = {0};
    seq_status status = read_chunks(file, &wave, error);
    if (!status) status = check_whole(file, &wave, error);
    if (!status) status = check_channel(file->name, (int)wave.channels, &channel, error);
    if (status) return status;
    if (wave.tag != PCM || wave.bits != 16) {
        status = decode(file, channel, out, error);
        if (!status && out->count != wave.size / wave.block)
            status = seq_error_set(error, SEQ_BAD_INPUT,
                                   "%s: %zu samples by its header, and libsndfile finds %zu",
                                   file->name, wave.size / wave.block, out->count);
        return status;
    }
    out->rate = (int)wave.rate;
    return take_words(file, &wave, channel, out, error);
}

static seq_status decode_any(const file *file, int channel, seq_sound *out, seq_error *error) {
    const char *bytes = (const char *)file->bytes;
    if (file->size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0)
        return decode_wave(file, channel, out, error);
    if (file->size >= 4 && memcmp(bytes, "fLaC", 4) == 0) return decode(file, channel, out, error);
    const seq_form *form =
        seq_form_find(bytes, file->size < SEQ_FORM_BYTES ? file->size : SEQ_FORM_BYTES);
    return seq_error_set(error, SEQ_BAD_INPUT, "%s: it is %s; expected WAV or FLAC", file->name,
                         file->size == 0 ? "empty"
                         : form          ? form->name
                                         : "no sound file");
}

seq_status seq_sound_read(const seq_byte_stream *stream, const char *name, int channel,
                          seq_sound *out, seq_error *error) {
    file file = {.name = name};
    seq_status status = read_all(&file, stream, error);
    if (!status) status = decode_any(&file, channel, out, error);
    free(file.bytes);
    for (size_t i = 0; !status && i < out->count; i++)
        if (!isfinite(out->samples[i]))
            status = seq_error_set(error, SEQ_BAD_INPUT,
                                   "%s: sample %zu is %g: expected a finite number", name, i + 1,
                                   (double)out->samples[i]);
    return status;
}

void seq_sound_clear(seq_sound *sound) {
    free(sound->samples);
    *sound = (seq_sound){0};
}
