// Frames: room grows and keeps what was there; the first value that is not
// finite is named with its frame.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/prep/frames.h>
#include <string.h>

static void room_grows(void **state) {
    (void)state;
    seq_frames frames = {0};
    seq_error error = {0};
    assert_int_equal(seq_frames_resize(&frames, 2, 3, &error), SEQ_OK);
    for (int i = 0; i < 6; i++)
        frames.values[i] = (float)i;
    assert_int_equal(seq_frames_resize(&frames, 500, 3, &error), SEQ_OK);
    for (int i = 0; i < 6; i++)
        assert_true(frames.values[i] == (float)i);
    assert_int_equal(frames.rows, 500);
    assert_int_equal(seq_frames_resize(&frames, SIZE_MAX / 8, 3, &error), SEQ_NO_MEMORY);
    seq_frames_clear(&frames);
    assert_null(frames.values);
}

static void not_finite(void **state) {
    (void)state;
    seq_frames frames = {0};
    seq_error error = {0};
    assert_int_equal(seq_frames_resize(&frames, 3, 2, &error), SEQ_OK);
    assert_int_equal(seq_frames_check(&frames, "a.npy", &error), SEQ_OK);
    frames.values[3] = NAN;
    assert_int_equal(seq_frames_check(&frames, "a.npy", &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "a.npy, frame 2, value 2"));
    const float gaps[] = {NAN, 1, NAN, NAN, 3, 7};
    memcpy(frames.values, gaps, sizeof gaps);
    assert_int_equal(seq_frames_fill(&frames), 3);
    const float filled[] = {3, 1, 3, 4, 3, 7};
    assert_memory_equal(frames.values, filled, sizeof filled);
    seq_frames none = {.width = 2};
    assert_int_equal(seq_frames_fill(&none), 0);
    seq_frames_clear(&frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(room_grows), cmocka_unit_test(not_finite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
