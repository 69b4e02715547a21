// Reader `sound`: a WAV or FLAC file is an item, its frames are features. The
// label comes from the class folder or the file's name (name_fields.c). Tests:
// tests/unit/prep/test_frame_readers.c, tests/cli/seqprep_sound.sh,
// tests/fuzz/fuzz_reader.c.
#include "reader_private.h"
#include <seqtrain/prep/filterbank.h>

typedef struct sound_state {
    bool done;
    seq_sound_settings settings;
} sound_state;

static seq_status open_sound(seq_reader *reader, seq_error *error) {
    sound_state *state = reader->state;
    state->settings = reader->settings->sound;
    return state->settings.mel_bins ? SEQ_OK
                                    : seq_sound_settings_read(&state->settings, NULL, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    sound_state *state = reader->state;
    bool found;
    *out_more = !state->done;
    if (state->done) return SEQ_OK;
    state->done = true;
    seq_build_item(reader, 0);
    seq_status status =
        seq_sound_frames(&state->settings, reader->stream, reader->name, &reader->frames, error);
    reader->has_frames = true;
    reader->skipped[SEQ_SKIP_SHORT] += reader->frames.padded;
    return status ? status : seq_build_class(reader, &found, error);
}

const seq_reader_kind seq_reader_sound = {
    .name = "sound",
    .summary = "WAV or FLAC, a file an item",
    .input = "frames",
    .target = "label",
    .suffixes = ".wav .flac ",
    .uses = SEQ_USES_SOUND | SEQ_USES_NAME,
    .bytes = true,
    .state = sizeof(sound_state),
    .open = open_sound,
    .next = next,
};
