// Tunes as a walk over symbols. A tune in another key keeps its letters' places in
// the scale: each letter moves by the same number of steps, and an accidental by
// the difference of the two signatures at its letter. So a note without
// accidental needs none, whatever the rule is by which one before it holds on.
// Where a K: inside the tune would have more than seven signs, its part of the
// tune moves by the enharmonic interval. Invariant: all symbols but notes, names
// of chords and keys stay byte by byte. Tests: tests/unit/prep/test_abc_tune.c.
#include <seqtrain/prep/abc_tune.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/abc.h>
#include <seqtrain/storage/manifest.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct cursor {
    const char *at, *end; // of the text that is left
    bool inside_line;
    const char *symbol, *symbol_end; // the one that was taken
} cursor;

static bool next_symbol(cursor *cursor) {
    if (cursor->at == cursor->end) return false;
    cursor->symbol = cursor->at;
    if (*cursor->at == '\n') {
        cursor->symbol_end = cursor->at + 1;
    } else {
        const char *feed = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
        cursor->symbol_end =
            seq_abc_symbol_end(cursor->at, feed ? feed : cursor->end, !cursor->inside_line);
    }
    cursor->at = cursor->symbol_end;
    return true;
}

// Whether the symbol is a field K:, a line or in brackets; *value is what it says.
static bool is_key(const cursor *cursor, const char **value, const char **value_end) {
    const char *at = cursor->symbol, *end = cursor->symbol_end;
    bool brackets = end - at > 4 && *at == '[' && end[-1] == ']';
    if (brackets) {
        at++;
        end--;
    }
    if (end - at < 2 || *at != 'K' || at[1] != ':' || (!brackets && cursor->inside_line))
        return false;
    *value = at + 2;
    *value_end = end;
    return true;
}

static void end_symbol(cursor *cursor) {
    cursor->inside_line = *cursor->symbol != '\n';
}

// ---- The melody

typedef struct melody {
    int32_t *events; // pitches relative to the first one, lengths
    size_t count, capacity;
    int signs[7]; // of the letters in this bar
    int first;
    bool any;
} melody;

static void set_signature(melody *melody, int sharps) {
    for (int letter = 0; letter < 7; letter++)
        melody->signs[letter] = seq_abc_signature(sharps, letter);
}

static seq_status add_note(melody *melody, const seq_abc_note *note, const char *end,
                           seq_abc_survey *out, seq_error *error) {
    if (note->accidental != SEQ_ABC_NO_ACCIDENTAL) melody->signs[note->letter] = note->accidental;
    int pitch = 60 + SEQ_ABC_OCTAVE * note->octave + seq_abc_naturals[note->letter] +
                melody->signs[note->letter];
    seq_status status = seq_grow(&melody->events, &melody->capacity, melody->count + 2,
                                 sizeof *melody->events, "a melody", error);
    if (status) return status;
    if (!melody->any) melody->first = pitch;
    melody->any = true;
    melody->events[melody->count++] = pitch - melody->first;
    melody->events[melody->count++] = seq_abc_length(note->end, end);
    if (pitch < out->lowest) out->lowest = pitch;
    if (pitch > out->highest) out->highest = pitch;
    return SEQ_OK;
}

seq_status seq_abc_survey_tune(const char *text, size_t size, seq_abc_survey *out,
                               seq_error *error) {
    cursor cursor = {.at = text, .end = text + size};
    melody melody = {0};
    int sharps = 0;
    seq_status status = SEQ_OK;
    *out = (seq_abc_survey){.lowest = INT32_MAX, .highest = INT32_MIN, .keyed = true};
    for (; !status && next_symbol(&cursor); end_symbol(&cursor)) {
        const char *value, *value_end;
        seq_abc_note note;
        seq_abc_key key;
        if (is_key(&cursor, &value, &value_end)) {
            if (seq_abc_key_read(value, value_end, &key))
                sharps = key.sharps;
            else
                out->keyed = false;
            if (!melody.any) out->sharps = sharps;
            set_signature(&melody, sharps);
        } else if (*cursor.symbol == '|' || *cursor.symbol == ':') {
            set_signature(&melody, sharps);
        } else if (seq_abc_note_read(cursor.symbol, cursor.symbol_end, &note)) {
            status = add_note(&melody, &note, cursor.symbol_end, out, error);
        }
    }
    seq_digest digest;
    seq_digest_bytes(melody.events, melody.count * sizeof *melody.events, &digest);
    memcpy(out->melody, digest.hash, sizeof out->melody);
    free(melody.events);
    return status;
}

// ---- Another key

typedef struct transposition {
    int semitones, wanted; // wanted: fifths
    int fifths, steps;     // of this part of the tune
    int from, to;          // signatures
    bool possible;
    char *text;
    size_t size, capacity;
} transposition;

static seq_status put(transposition *out, const char *bytes, size_t size, seq_error *error) {
    seq_status status =
        seq_grow(&out->text, &out->capacity, out->size + size + 1, 1, "a tune", error);
    if (status) return status;
    if (size) memcpy(out->text + out->size, bytes, size);
    out->size += size;
    return SEQ_OK;
}

static int floor_divide(int a, int b) {
    return a / b - (a % b < 0);
}

// The steps of letters that go with an interval.
static int steps_of(int semitones, int fifths) {
    int steps = ((4 * fifths) % 7 + 7) % 7; // up to octaves
    int middle = 7 * semitones;             // twelfths of an octave's seven steps
    while (12 * steps - middle > 42)
        steps -= 7;
    while (middle - 12 * steps > 42)
        steps += 7;
    return steps;
}

static const char *const signs[] = {"__", "_", "=", "^", "^^"};

static seq_status put_note(transposition *out, const seq_abc_note *note, const char *end,
                           seq_error *error) {
    int place = 7 * note->octave + note->letter + out->steps, octave = floor_divide(place, 7),
        letter = place - 7 * octave, accidental = note->accidental;
    char pitch[48];
    size_t used = 0;
    if (accidental != SEQ_ABC_NO_ACCIDENTAL) {
        accidental +=
            seq_abc_signature(out->to, letter) - seq_abc_signature(out->from, note->letter);
        out->possible = out->possible && accidental >= -2 && accidental <= 2;
        if (!out->possible) return SEQ_OK;
        used = strlen(signs[accidental + 2]);
        memcpy(pitch, signs[accidental + 2], used);
    }
    pitch[used++] = "CDEFGABcdefgab"[octave > 0 ? 7 + letter : letter];
    for (int i = 1; i < octave && used < sizeof pitch; i++)
        pitch[used++] = '\'';
    for (int i = 0; i > octave && used < sizeof pitch; i--)
        pitch[used++] = ',';
    seq_status status = put(out, pitch, used, error);
    return status ? status : put(out, note->end, (size_t)(end - note->end), error);
}

// The name of a tone `fifths` from C, as of a chord's root.
static void name_tone(int fifths, char out[4]) {
    int place = fifths + 1, sharps = floor_divide(place, 7); // F is 0
    size_t used = 0;
    out[used++] = "FCGDAEB"[place - 7 * sharps];
    if (sharps) out[used++] = sharps > 0 ? '#' : 'b';
    out[used] = '\0';
}

static bool read_tone(const char **at, const char *end, int *out) {
    static const int fifths[7] = {3, 5, 0, 2, 4, -1, 1}; // of A to G
    if (*at == end || **at < 'A' || **at > 'G') return false;
    *out = fifths[*(*at)++ - 'A'];
    if (*at < end && (**at == '#' || **at == 'b')) *out += *(*at)++ == '#' ? 7 : -7;
    return true;
}

// Tones have at most one sign: beyond it, the enharmonic one.
static seq_status put_tone(transposition *out, int fifths, seq_error *error) {
    char name[4];
    while (fifths > 12)
        fifths -= 12;
    while (fifths < -8)
        fifths += 12;
    name_tone(fifths, name);
    return put(out, name, strlen(name), error);
}

// "F#m7/C#" with its quotes. A text that begins with no tone stays.
static seq_status put_chord(transposition *out, const char *at, const char *end, seq_error *error) {
    int tone;
    seq_status status = put(out, at++, 1, error);
    if (status || !read_tone(&at, end, &tone))
        return status ? status : put(out, at, (size_t)(end - at), error);
    status = put_tone(out, tone + out->fifths, error);
    while (!status && at < end) {
        bool bass = *at == '/';
        status = put(out, at++, 1, error);
        if (!status && bass && read_tone(&at, end, &tone))
            status = put_tone(out, tone + out->fifths, error);
    }
    return status;
}

// Whether a note might become a field in another key, as "d,:(" does with "E:(" and "[A':" with
// "[b:". Repeats (":|", "::") are none at the begin of a line.
static bool is_near_field(const cursor *cursor, const char *text) {
    const char *at = cursor->symbol_end;
    bool chord = cursor->symbol > text && cursor->symbol[-1] == '[';
    return at < cursor->end && *at == ':' &&
           (chord || at + 1 == cursor->end || (at[1] != '|' && at[1] != ':'));
}

static seq_status put_key(transposition *out, const cursor *cursor, const char *value,
                          const char *end, seq_error *error) {
    seq_abc_key key;
    char name[4];
    out->possible = out->possible && seq_abc_key_read(value, end, &key);
    if (!out->possible) return SEQ_OK;
    out->fifths = out->wanted;
    if (key.sharps + out->fifths > 7) out->fifths -= 12;
    if (key.sharps + out->fifths < -7) out->fifths += 12;
    out->steps = steps_of(out->semitones, out->fifths);
    out->from = key.sharps;
    out->to = key.sharps + out->fifths;
    while (*value == ' ' || *value == '\t')
        value++;
    int tone = 0;
    const char *mode = value;
    read_tone(&mode, end, &tone);
    if (tone + out->fifths < -8 || tone + out->fifths > 12) out->possible = false;
    name_tone(tone + out->fifths, name);
    seq_status status = put(out, cursor->symbol, (size_t)(value - cursor->symbol), error);
    if (!status) status = put(out, name, strlen(name), error);
    return status ? status : put(out, mode, (size_t)(cursor->symbol_end - mode), error);
}

seq_status seq_abc_transpose(const char *text, size_t size, int semitones, int fifths, char **out,
                             size_t *out_size, seq_error *error) {
    cursor cursor = {.at = text, .end = text + size};
    transposition work = {.semitones = semitones,
                          .wanted = fifths,
                          .fifths = fifths,
                          .steps = steps_of(semitones, fifths),
                          .to = fifths,
                          .possible = true};
    seq_status status = put(&work, "", 0, error);
    for (; !status && work.possible && next_symbol(&cursor); end_symbol(&cursor)) {
        const char *value, *value_end, *at = cursor.symbol, *end = cursor.symbol_end;
        seq_abc_note note;
        if (is_key(&cursor, &value, &value_end))
            status = put_key(&work, &cursor, value, value_end, error);
        else if (*at == '"')
            status = put_chord(&work, at, end, error);
        else if (seq_abc_note_read(at, end, &note)) {
            work.possible = !is_near_field(&cursor, text);
            if (work.possible) status = put_note(&work, &note, end, error);
        } else
            status = put(&work, at, (size_t)(end - at), error);
    }
    *out = NULL;
    *out_size = work.size;
    if (!status && work.possible) {
        work.text[work.size] = '\0';
        *out = work.text;
    } else
        free(work.text);
    return status;
}

void seq_abc_head_key(const char *head, size_t size, char out[SEQ_ABC_KEY]) {
    cursor cursor = {.at = head, .end = head + size};
    snprintf(out, SEQ_ABC_KEY, "none");
    for (; next_symbol(&cursor); end_symbol(&cursor)) {
        const char *value, *value_end;
        seq_abc_key key;
        if (is_key(&cursor, &value, &value_end) && seq_abc_key_read(value, value_end, &key))
            snprintf(out, SEQ_ABC_KEY, "%s", key.name);
    }
}

// ---- The range

static const char *read_pitch(const char *at, int *out) {
    seq_abc_note note;
    const char *end = at + strlen(at);
    if (!seq_abc_note_read(at, end, &note)) return NULL;
    int sign = note.accidental == SEQ_ABC_NO_ACCIDENTAL ? 0 : note.accidental;
    *out = 60 + SEQ_ABC_OCTAVE * note.octave + seq_abc_naturals[note.letter] + sign;
    return note.end;
}

seq_status seq_abc_range_parse(const char *option, const char *text, int *out_lowest,
                               int *out_highest, seq_error *error) {
    const char *at = read_pitch(text, out_lowest);
    at = at && *at == '-' ? read_pitch(at + 1, out_highest) : NULL;
    if (at && !*at && *out_lowest < *out_highest) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--%s %s: expected the lowest and the highest note in ABC, such as G,-d'",
                         option, text);
}
