// Tunes in other keys: the text, and the pitches that abc2midi makes of it (that
// part is skipped where abc2midi and mftext are not installed); melodies that are
// equal but for their key. Checks src/prep/abc_tune.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/prep/abc_tune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *move(const char *text, int semitones, int fifths) {
    seq_error error = {0};
    char *out;
    size_t size;
    if (seq_abc_transpose(text, strlen(text), semitones, fifths, &out, &size, &error))
        fail_msg("%s", error.text);
    if (out) assert_int_equal(strlen(out), size);
    return out;
}

static void texts_move(void **state) {
    static const struct {
        const char *from, *to;
        int semitones, fifths;
    } cases[] = {
        {"K:G\nGAB cde|fga b2|", "K:A\nABc def|gab c'2|", 2, 2},
        {"K:G\nGAB cde|fga b2|", "K:F\nFGA Bcd|efg a2|", -2, -2},
        {"K:C\nc^c_d=e", "K:D\nd^d_e=f", 2, 2},
        {"K:F\nB=B_B", "K:G\nc^c=c", 2, 2},
        {"K:D\n\"F#m7/C#\"f2\"^slow\"z(3def", "K:C\n\"Em7/B\"e2\"^slow\"z(3cde", -2, -2},
        {"K:G\nG\nK:Em\nE,e'|[K:D]d|", "K:Bb\nB\nK:Gm\nG,g'|[K:F]f|", 3, -3},
        {"K:Am clef=treble\nA3/2B/2|", "K:Bm clef=treble\nB3/2c/2|", 2, 2},
        {"K:E\nE\nK:B\nB", "K:F\nF\nK:C\nc", 1, -5},
        {"K:C\nC,,C", "K:B\nB,,,B,", -1, 5},
        {"K:Ddor\nD\"Dm\"F", "K:Gdor\nG\"Gm\"B", 5, -1},
        {"M:6/8\nL:1/8\nw:Bad lines\nK:C\n\"A\"A", "M:6/8\nL:1/8\nw:Bad lines\nK:D\n\"B\"B", 2, 2},
        {"K:none\nA", NULL, 2, 2},
        {"K:C\n^^C", NULL, 1, 7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *found = move(cases[i].from, cases[i].semitones, cases[i].fifths);
        if (!found || !cases[i].to)
            assert_true(!found == !cases[i].to);
        else
            assert_string_equal(found, cases[i].to);
        free(found);
    }
}

static void survey(const char *text, seq_abc_survey *out) {
    seq_error error = {0};
    assert_int_equal(seq_abc_survey_tune(text, strlen(text), out, &error), SEQ_OK);
}

static void melodies_are_equal_but_for_the_key(void **state) {
    seq_abc_survey one, other;
    const char *tune = "K:G\n\"G\"GAB ^c=c|_b2 f>e|";
    (void)state;
    survey(tune, &one);
    assert_int_equal(one.lowest, 67);
    assert_int_equal(one.highest, 82);
    assert_int_equal(one.sharps, 1);
    assert_true(one.keyed);
    for (int up = 1; up < 12; up++) {
        int fifths = 7 * up % 12 - (1 + 7 * up % 12 > 6 ? 12 : 0);
        char *moved = move(tune, up, fifths);
        assert_non_null(moved);
        survey(moved, &other);
        assert_int_equal(other.lowest, one.lowest + up);
        assert_int_equal(other.highest, one.highest + up);
        assert_memory_equal(other.melody, one.melody, sizeof one.melody);
        free(moved);
    }
    survey("K:G\nGAB ^c=c|_b2 f>e2|", &other);
    assert_memory_not_equal(other.melody, one.melody, sizeof one.melody);
    survey("K:none\nz4|", &other);
    assert_true(other.lowest > other.highest);
    assert_false(other.keyed);
}

static void ranges_are_parsed(void **state) {
    int low, high;
    seq_error error = {0};
    static const char *const wrong[] = {"", "G", "G-", "d-G", "G,-d' ", "1-2", "G,d"};
    (void)state;
    assert_int_equal(seq_abc_range_parse("transpose", "G,-^d'", &low, &high, &error), SEQ_OK);
    assert_int_equal(low, 55);
    assert_int_equal(high, 87);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(seq_abc_range_parse("transpose", wrong[i], &low, &high, &error),
                         SEQ_BAD_USAGE);
}

enum { NOTES = 4096 };
typedef struct midi {
    int pitch[NOTES], channel[NOTES], count;
    long time[NOTES];
} midi;

// What abc2midi makes of a tune.
static void play(const char *folder, const char *tune, midi *out) {
    char path[200], command[600], line[200];
    snprintf(path, sizeof path, "%s/tune.abc", folder);
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    fprintf(stream, "X:1\nT:t\nM:4/4\n%s\n", tune);
    assert_int_equal(fclose(stream), 0);
    snprintf(command, sizeof command,
             "abc2midi %s -o %s/tune.mid >%s/log 2>&1; mftext %s/tune.mid; rm -f %s %s/tune.mid "
             "%s/log",
             path, folder, folder, folder, path, folder, folder);
    stream = popen(command, "r");
    assert_non_null(stream);
    out->count = 0;
    while (fgets(line, sizeof line, stream)) {
        // "Time=480  Note on, chan=1 pitch=67 vol=105" in some form.
        const char *time = strstr(line, "Time="), *on = strstr(line, "Note on, chan="),
                   *pitch = strstr(line, "pitch=");
        if (!time || !on || !pitch || out->count == NOTES) continue;
        out->time[out->count] = atol(time + 5);
        out->channel[out->count] = atoi(on + 14);
        out->pitch[out->count++] = atoi(pitch + 6);
    }
    pclose(stream);
}

static const char *const tunes[] = {
    "K:D\n\"D\"f2fd|\"Bm\"d^cd^d|\"A7\"=c2_B>A|[DFA]2(3gab|\nK:G\n\"G/B\"G2_Bc|\"F#m7\"^f^e=f2|]",
    "K:Gm\n\"Gm\"GABc|\"D7\"d^f=f_e|\"Eb\"[K:Bb]b2\"F7\"a2|\"Bb\"B4|]",
    "K:Amix\n|:\"A\"c2ec|\"G\"=gfe^d:|[K:Edor]\"Em\"e^c=cB|]",
};

// Notes of the melody move by so many semitones; a chord's notes may move by an octave more.
static void midi_moves(void **state) {
    static midi before, after;
    char folder[] = "/tmp/seq-abc-XXXXXX";
    (void)state;
    if (system("command -v abc2midi >/dev/null 2>&1 && command -v mftext >/dev/null 2>&1") != 0) {
        print_message("skipped: abc2midi and mftext (Debian: abcmidi) are not installed\n");
        skip();
    }
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof tunes / sizeof *tunes; i++) {
        play(folder, tunes[i], &before);
        assert_true(before.count > 16);
        for (int up = 1; up < 12; up += 2) {
            int fifths = 7 * up % 12 > 4 ? 7 * up % 12 - 12 : 7 * up % 12;
            char *moved = move(tunes[i], up - (up > 6 ? 12 : 0), fifths);
            assert_non_null(moved);
            play(folder, moved, &after);
            assert_int_equal(after.count, before.count);
            for (int n = 0; n < before.count; n++) {
                int by = after.pitch[n] - before.pitch[n] - up;
                assert_int_equal(after.time[n], before.time[n]);
                assert_int_equal(((by % 12) + 12) % 12, 0);
                if (before.channel[n] == 1) assert_int_equal(by, up > 6 ? -12 : 0);
            }
            free(moved);
        }
    }
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_move),
        cmocka_unit_test(melodies_are_equal_but_for_the_key),
        cmocka_unit_test(ranges_are_parsed),
        cmocka_unit_test(midi_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
