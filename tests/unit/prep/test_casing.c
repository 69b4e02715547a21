// Each class of casing has its words, in several scripts. Checks src/prep/items/casing.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/prep/casing.h>
#include <string.h>

static void words_have_their_casing(void **state) {
    static const char *const cases[][2] = {
        {"apple", "lower"},
        {"o'clock", "lower"},
        {"\xC3\xA9t\xC3\xA9", "lower"},
        {"Apple", "title"},
        {"\xCE\x91\xCE\xB8\xCE\xAE\xCE\xBD\xCE\xB1", "title"}, // Athens in Greek
        {"#Apple", "title"},
        {"E\xCC\x81t\xC3\xA9", "title"}, // with a combining accent
        {"I", "upper"},
        {"U.N.", "upper"},
        {"\xD0\x9C\xD0\x93\xD0\xA3", "upper"}, // Cyrillic
        {"iPhone", "mixed"},
        {"McDonald", "mixed"},
        {"2024", "digits"},
        {"\xD9\xA3\xD9\xA4", "digits"}, // Arabic-Indic
        {"1,000", "digits-in"},
        {"B2B", "digits-in"},
        {"...", "punctuation"},
        {"\xC2\xAB", "punctuation"},
        {"$", "other"},
        {"\xE6\x9D\xB1\xE4\xBA\xAC", "other"}, // Tokyo
        {"", "other"},
        {"\xFF", "other"},
        {"a\xFF\xC3", "lower"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(seq_casing(cases[i][0], strlen(cases[i][0])), cases[i][1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_have_their_casing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
