// The lexis of ABC notation, without its layout. A symbol is the longest that its
// first bytes allow, so a text that arrives piece by piece is cut as one that is
// there: a symbol is complete as soon as a byte follows that is none of it.
// Invariant: symbols of a line, joined, are the line, whatever its bytes are.
// Tests: tests/unit/data/test_abc.c, tests/fuzz/fuzz_abc.c.
#include <seqtrain/data/abc.h>
#include <stdio.h>
#include <string.h>

const int seq_abc_naturals[7] = {0, 2, 4, 5, 7, 9, 11};

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_one_of(const char *bytes, char byte) {
    return byte && strchr(bytes, byte);
}

static const char *skip(const char *at, const char *end, const char *bytes) {
    while (at < end && is_one_of(bytes, *at))
        at++;
    return at;
}

static const char *length_end(const char *at, const char *end) {
    return skip(at, end, "0123456789/");
}

// Behind the next `byte`, or the end of the line.
static const char *behind(const char *at, const char *end, char byte) {
    const char *found = at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;
    return found ? found + 1 : end;
}

static const char *pitch_end(const char *at, const char *end) {
    const char *letter = skip(at, end, "^_=");
    if (letter - at > 2 || letter == end || !is_one_of("ABCDEFGabcdefg", *letter)) return NULL;
    return skip(letter + 1, end, ",'");
}

static const char *bracket_end(const char *at, const char *end) {
    if (at + 1 == end) return end;
    if (at[1] == '|' || at[1] == ']') return skip(at + 1, end, "|:]");
    if (is_digit(at[1])) return skip(at + 1, end, "0123456789,-");
    if (at + 2 < end && is_letter(at[1]) && at[2] == ':') return behind(at + 3, end, ']');
    return at + 1;
}

// A bar line with the number of an ending, as in ":|2".
static const char *bar_end(const char *at, const char *end) {
    const char *lines = skip(at, end, "|:]");
    return skip(lines, end, "0123456789");
}

static const char *tuplet_end(const char *at, const char *end) {
    return at + 1 < end && is_digit(at[1]) ? skip(at + 1, end, "0123456789:") : at + 1;
}

static const char *character_end(const char *at, const char *end) {
    do
        at++;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

const char *seq_abc_symbol_end(const char *at, const char *end, bool line_start) {
    const char *pitch = pitch_end(at, end);
    bool field = line_start && at + 1 < end && is_letter(*at) && at[1] == ':';
    if (field && (at + 2 == end || !is_one_of("|:", at[2]))) return end; // not "e:|"
    if (pitch) return length_end(pitch, end);
    switch (*at) {
    case '"':
        return behind(at + 1, end, '"');
    case '%':
        return end;
    case '[':
        return bracket_end(at, end);
    case ']':
        return at + 1 < end && (is_digit(at[1]) || at[1] == '/') ? length_end(at + 1, end)
                                                                 : bar_end(at, end);
    case '|':
    case ':':
        return bar_end(at, end);
    case '(':
        return tuplet_end(at, end);
    case 'z':
    case 'x':
    case 'Z':
        return length_end(at + 1, end);
    case ' ':
    case '\t':
        return skip(at, end, " \t");
    case '<':
    case '>':
        return skip(at, end, "<>");
    default:
        return is_digit(*at) || *at == '/' ? length_end(at, end) : character_end(at, end);
    }
}

// ---- Notes and keys

bool seq_abc_note_read(const char *at, const char *end, seq_abc_note *out) {
    static const char letters[] = "CDEFGABcdefgab";
    const char *pitch = pitch_end(at, end);
    if (!pitch || (pitch < end && *pitch == ':')) return false; // "B: a book" is a field
    *out = (seq_abc_note){.accidental = SEQ_ABC_NO_ACCIDENTAL, .end = pitch};
    for (; is_one_of("^_=", *at); at++) {
        int sum = out->accidental == SEQ_ABC_NO_ACCIDENTAL ? 0 : out->accidental;
        out->accidental = *at == '^' ? sum + 1 : *at == '_' ? sum - 1 : sum;
    }
    int letter = (int)(strchr(letters, *at) - letters);
    out->letter = letter % 7;
    out->octave = letter / 7;
    for (at++; at < pitch && out->octave > -16 && out->octave < 16; at++)
        out->octave += *at == '\'' ? 1 : -1;
    return true;
}

int seq_abc_length(const char *at, const char *end) {
    enum { MOST = 1 << 24 };
    long long number = 0, divisor = 1;
    bool given = at < end && is_digit(*at);
    for (; at < end && is_digit(*at); at++)
        if (number < MOST) number = 10 * number + (*at - '0');
    if (!given) number = 1;
    while (at < end && *at == '/') {
        long long by = 0;
        for (at++; at < end && is_digit(*at); at++)
            if (by < MOST) by = 10 * by + (*at - '0');
        divisor *= by ? by : 2;
        if (divisor > MOST) divisor = MOST;
    }
    long long length = number * SEQ_ABC_UNIT / divisor;
    return length > MOST ? MOST : (int)length;
}

int seq_abc_signature(int sharps, int letter) {
    static const int order[7] = {1, 3, 5, 0, 2, 4, 6}; // of C to B among F C G D A E B
    int place = order[letter];
    return sharps > place ? 1 : -sharps > 6 - place ? -1 : 0;
}

typedef struct mode {
    const char *name, *shown;
    int sharps; // of the signature beside the tonic's own
} mode;

static const mode modes[] = {{"maj", "", 0},     {"min", "m", -3},   {"dor", "dor", -2},
                             {"mix", "mix", -1}, {"phr", "phr", -4}, {"lyd", "lyd", 1},
                             {"loc", "loc", -5}, {"aeo", "aeo", -3}, {"ion", "ion", 0}};

static char lower(char byte) {
    return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

static const mode *find_mode(const char *at, const char *end) {
    for (size_t i = 0; i < sizeof modes / sizeof *modes && end - at >= 3; i++)
        if (lower(at[0]) == modes[i].name[0] && lower(at[1]) == modes[i].name[1] &&
            lower(at[2]) == modes[i].name[2])
            return &modes[i];
    return end - at == 1 && *at == 'm' ? &modes[1] : NULL;
}

bool seq_abc_key_read(const char *at, const char *end, seq_abc_key *out) {
    static const int fifths[7] = {3, 5, 0, 2, 4, -1, 1}; // of A to G
    char sign = '\0';
    at = skip(at, end, " \t");
    if (at == end || *at < 'A' || *at > 'G') return false;
    const char *tonic = at++;
    *out = (seq_abc_key){.tonic = fifths[*tonic - 'A']};
    if (at < end && (*at == '#' || *at == 'b')) sign = *at++;
    if (sign) out->tonic += sign == '#' ? 7 : -7;
    const char *word = skip(at, end, " \t"), *word_end = word;
    while (word_end < end && is_letter(*word_end))
        word_end++;
    const mode *own = find_mode(word, word_end);
    if (!own && word == at && word_end > word) return false; // as in "Flat"
    out->rest = own ? word_end : at;
    out->sharps = out->tonic + (own ? own->sharps : 0);
    snprintf(out->name, sizeof out->name, "%c%s%s", *tonic,
             sign == '#'   ? "#"
             : sign == 'b' ? "b"
                           : "",
             own ? own->shown : "");
    return out->sharps >= -7 && out->sharps <= 7;
}

// ---- The place in the bar

enum { LONGEST = 24 };

static void add_length(seq_abc_place *place, int length) {
    if (place->grace) return;
    if (place->tuplet_left) {
        length = (int)((long long)length * place->tuplet_to / place->tuplet_from);
        place->tuplet_left -= place->chord == 0;
    }
    if (place->position < LONGEST * SEQ_ABC_UNIT) place->position += length;
}

static void take_chord(seq_abc_place *place, int length) {
    if (place->chord == 1) {
        place->chord_length = length;
        place->chord = 2;
        add_length(place, length);
    }
}

static void end_chord(seq_abc_place *place, const char *at, const char *end) {
    int factor = seq_abc_length(at, end);
    if (!place->chord) return;
    if (place->chord == 2 && factor > SEQ_ABC_UNIT)
        add_length(place,
                   (int)((long long)place->chord_length * (factor - SEQ_ABC_UNIT) / SEQ_ABC_UNIT));
    place->tuplet_left -= place->tuplet_left > 0;
    place->chord = 0;
}

// "(3", "(p:q:r": p notes in the time of q, for the next r notes.
static void begin_tuplet(seq_abc_place *place, const char *at, const char *end) {
    static const int times[] = {1, 1, 3, 2, 3, 2, 2, 2, 3, 2};
    int numbers[3] = {0};
    for (int i = 0; i < 3 && at < end; i++, at++)
        for (; at < end && is_digit(*at); at++)
            if (numbers[i] < 100) numbers[i] = 10 * numbers[i] + (*at - '0');
    if (numbers[0] < 2 || numbers[0] > 9) return;
    place->tuplet_from = numbers[0];
    place->tuplet_to = numbers[1] ? numbers[1] : times[numbers[0]];
    place->tuplet_left = numbers[2] ? numbers[2] : numbers[0];
}

static void begin_bar(seq_abc_place *place) {
    place->position = place->tuplet_left = place->chord = 0;
    place->grace = false;
}

static void take_symbol(seq_abc_place *place, const char *at, const char *end) {
    seq_abc_note note;
    bool first = !place->inside_line,
         field = first && end - at > 1 && is_letter(*at) && at[1] == ':';
    place->inside_line = true;
    if (field) return;
    if (seq_abc_note_read(at, end, &note)) {
        int length = seq_abc_length(note.end, end);
        if (place->chord)
            take_chord(place, length);
        else
            add_length(place, length);
        return;
    }
    switch (*at) {
    case 'z':
    case 'x':
        add_length(place, seq_abc_length(at + 1, end));
        return;
    case '|':
    case ':':
        begin_bar(place);
        return;
    case '[':
        if (end - at == 1) place->chord = 1;
        if (end - at > 1 && at[1] == '|') begin_bar(place);
        return;
    case ']':
        end_chord(place, at + 1, end);
        return;
    case '(':
        begin_tuplet(place, at + 1, end);
        return;
    case '{':
    case '}':
        place->grace = *at == '{';
        return;
    default:
        return;
    }
}

void seq_abc_place_feed(seq_abc_place *place, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const char *at = place->symbol, *next;
        bool ends = text[i] == '\n';
        if (place->size == sizeof place->symbol) place->size--; // as of a long comment
        if (!ends) place->symbol[place->size++] = text[i];
        while (place->size) {
            const char *end = at + place->size;
            next = seq_abc_symbol_end(at, end, !place->inside_line);
            if (next == end && !ends) break;
            take_symbol(place, at, next);
            place->size = (size_t)(end - next);
            memmove(place->symbol, next, place->size);
        }
        if (ends) place->inside_line = false;
    }
}

static int common_divisor(int a, int b) {
    while (b) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void seq_abc_place_text(const seq_abc_place *place, char out[SEQ_ABC_PLACE]) {
    seq_abc_place so_far = *place;
    if (so_far.size) take_symbol(&so_far, so_far.symbol, so_far.symbol + so_far.size);
    int divisor = common_divisor(so_far.position, SEQ_ABC_UNIT),
        below = divisor ? SEQ_ABC_UNIT / divisor : 1;
    if (so_far.position >= LONGEST * SEQ_ABC_UNIT)
        snprintf(out, SEQ_ABC_PLACE, "long");
    else if (below == 1)
        snprintf(out, SEQ_ABC_PLACE, "%d", so_far.position / SEQ_ABC_UNIT);
    else
        snprintf(out, SEQ_ABC_PLACE, "%d/%d", so_far.position / divisor, below);
}
