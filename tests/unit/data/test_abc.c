// ABC notation: symbols of a line, keys, and places in the bar in any pieces.
// Checks src/data/abc.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/data/abc.h>
#include <stdio.h>
#include <string.h>

// Symbols with ~ between them; line ends are symbols.
static void cut(const char *text, char out[400]) {
    size_t used = 0;
    bool start = true;
    for (const char *at = text; *at;) {
        const char *feed = strchr(at, '\n'), *end = feed ? feed : at + strlen(at),
                   *next = *at == '\n' ? at + 1 : seq_abc_symbol_end(at, end, start);
        assert_true(next > at && (next <= end || *at == '\n'));
        used += (size_t)snprintf(out + used, 400 - used, "%s%.*s", used ? "~" : "",
                                 (int)(next - at), at);
        start = *at == '\n';
        at = next;
    }
}

static void lines_are_cut(void **state) {
    static const struct {
        const char *text, *symbols;
    } cases[] = {
        {"f|\"A\"ecc c2f|", "f~|~\"A\"~e~c~c~ ~c2~f~|"},
        {"M:6/8\nK:A minor\n", "M:6/8~\n~K:A minor~\n"},
        {"[1\"A\"Ace a2:|\n [2A2||", "[1~\"A\"~A~c~e~ ~a2~:|~\n~ ~[2~A2~||"},
        {"d:|", "d~:|"},
        {"ed:|2_e'3/2^^F,,=g//z2x/", "e~d~:|2~_e'3/2~^^F,,~=g//~z2~x/"},
        {"(3def (ab) (5:2:3A", "(3~d~e~f~ ~(~a~b~)~ ~(5:2:3~A"},
        {"[ace]2[K:D][|]|", "[~a~c~e~]2~[K:D]~[|]|"},
        {"{g}A>>B<c-~u.a \\\n", "{~g~}~A~>>~B~<~c~-~~~u~.~a~ ~\\~\n"},
        {"\"open\nA% what", "\"open~\n~A~% what"},
        {"::|:A:|:\xC3\xA9", "::|:~A~:|:~\xC3\xA9"},
        {"^x^^^A", "^~x~^~^^A"},
        {"12/3|12", "12/3~|12"},
        {"[", "["},
    };
    char found[400];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cut(cases[i].text, found);
        assert_string_equal(found, cases[i].symbols);
    }
}

static void notes_have_pitches_and_lengths(void **state) {
    seq_abc_note note;
    const char *text = "_b'3/2";
    (void)state;
    assert_true(seq_abc_note_read(text, text + strlen(text), &note));
    assert_int_equal(note.letter, 6);
    assert_int_equal(note.octave, 2);
    assert_int_equal(note.accidental, -1);
    assert_string_equal(note.end, "3/2");
    static const struct {
        const char *text;
        int length; // in twelfths
    } lengths[] = {{"", 12}, {"2", 24}, {"/", 6}, {"//", 3}, {"3/2", 18}, {"/3", 4}, {"0", 0}};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_int_equal(seq_abc_length(lengths[i].text, lengths[i].text + strlen(lengths[i].text)),
                         lengths[i].length * (SEQ_ABC_UNIT / 12));
    text = "99999999999999";
    assert_int_equal(seq_abc_length(text, text + strlen(text)), 1 << 24);
    text = "zA";
    assert_false(seq_abc_note_read(text, text + 2, &note));
    text = "B: a book"; // a field
    assert_false(seq_abc_note_read(text, text + strlen(text), &note));
}

static void keys_are_read(void **state) {
    static const struct {
        const char *text, *name, *rest;
        int tonic, sharps;
    } cases[] = {
        {" G", "G", "", 1, 1},       {"Am", "Am", "", 3, 0},
        {"A minor", "Am", "", 3, 0}, {"Ddor clef=bass", "Ddor", " clef=bass", 2, 0},
        {"F#m", "F#m", "", 6, 3},    {"Bb Major", "Bb", "", -2, -2},
        {"E mix", "Emix", "", 4, 3}, {"C % home", "C", " % home", 0, 0},
        {"A =c", "A", " =c", 3, 3},  {"EbLyd", "Eblyd", "", -3, -2},
    };
    static const char *const none[] = {"none", "HP", "", "Hp", "Flat", "G#", "Fbm", "H"};
    seq_abc_key key;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(seq_abc_key_read(cases[i].text, cases[i].text + strlen(cases[i].text), &key));
        assert_string_equal(key.name, cases[i].name);
        assert_string_equal(key.rest, cases[i].rest);
        assert_int_equal(key.tonic, cases[i].tonic);
        assert_int_equal(key.sharps, cases[i].sharps);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(seq_abc_key_read(none[i], none[i] + strlen(none[i]), &key));
    for (int letter = 0; letter < 7; letter++) // D: F# and C#
        assert_int_equal(seq_abc_signature(2, letter), letter == 0 || letter == 3);
    for (int letter = 0; letter < 7; letter++) // Bb: Bb and Eb
        assert_int_equal(seq_abc_signature(-2, letter), letter == 2 || letter == 6 ? -1 : 0);
}

// The places before each byte, and behind the last one.
static void places_of(const char *text, size_t piece, char out[400]) {
    seq_abc_place place = {0};
    char own[SEQ_ABC_PLACE];
    size_t size = strlen(text), used = 0;
    for (size_t at = 0; at < size; at += piece) {
        size_t some = size - at < piece ? size - at : piece;
        seq_abc_place_feed(&place, text + at, some);
    }
    seq_abc_place_text(&place, own);
    snprintf(out + used, 400, "%s", own);
}

static void places_are_told(void **state) {
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"", "0"},
        {"A", "1"},
        {"A2", "2"},
        {"A3/2", "3/2"},
        {"A3/", "3/2"},
        {"M:4/4\nK:D\n", "0"},
        {"AB|", "0"},
        {"AB|c", "1"},
        {"A|\"Em\"B2 c", "3"},
        {"(3def", "2"},
        {"(3de", "4/3"},
        {"(3def g", "3"},
        {"[ace]2", "2"},
        {"[a2c2]d", "3"},
        {"{gfe}A", "1"},
        {"A>B", "2"},
        {"z2x", "3"},
        {"A\nB", "2"},
        {"A\nP:B\nc", "2"},
        {"e:|f", "1"},
        {"A24", "long"},
        {"A12A12A", "long"},
        {"% a comment that is much longer than what is kept of a symbol, ABCDEFG ABCDEFG\nA", "1"},
        {"W:words that are much longer than what is kept of a symbol, ABCDEFG ABCDEFGABC\nA", "1"},
        {"                                                                              A", "1"},
    };
    char found[400];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece < 5; piece++) {
            places_of(cases[i].text, piece, found);
            if (strcmp(found, cases[i].place) != 0)
                fail_msg("%s in pieces of %zu: %s, expected %s", cases[i].text, piece, found,
                         cases[i].place);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut),
        cmocka_unit_test(notes_have_pitches_and_lengths),
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(places_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
