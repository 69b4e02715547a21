// Transforms of frames: values worked out by hand, times, counts, refusals, and
// the record.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/prep/frame_transforms.h>
#include <stdlib.h>
#include <string.h>

static seq_frames make(size_t rows, int width, const float *values) {
    seq_frames frames = {.first = 0.5, .shift = 0.25};
    seq_error error = {0};
    assert_int_equal(seq_frames_resize(&frames, rows, width, &error), SEQ_OK);
    if (rows) memcpy(frames.values, values, rows * (size_t)width * sizeof *values);
    return frames;
}

// The frames after the transforms are these, at this shift.
static seq_frame_counts check(seq_frame_settings settings, size_t rows, int width,
                              const float *values, size_t out_rows, int out_width,
                              const float *expected, double shift) {
    seq_frames frames = make(rows, width, values);
    seq_frame_counts counts = {0};
    seq_error error = {0};
    assert_int_equal(seq_frames_prepare(&settings, &frames, &counts, &error), SEQ_OK);
    assert_int_equal(frames.rows, out_rows);
    assert_int_equal(frames.width, out_width);
    for (size_t i = 0; i < out_rows * (size_t)out_width; i++)
        if (!(fabsf(frames.values[i] - expected[i]) <= 1e-6f))
            fail_msg("value %zu is %g, expected %g", i, (double)frames.values[i],
                     (double)expected[i]);
    assert_true(frames.first == 0.5 && frames.shift == shift);
    seq_frames_clear(&frames);
    return counts;
}

static void refuse(seq_frame_settings settings, int width, const float *values,
                   const char *expected) {
    seq_frames frames = make(1, width, values);
    seq_frame_counts counts = {0};
    seq_error error = {0};
    assert_int_equal(seq_frames_prepare(&settings, &frames, &counts, &error), SEQ_BAD_INPUT);
    if (!strstr(error.text, expected)) fail_msg("%s", error.text);
    seq_frames_clear(&frames);
}

static void lost_frames(void **state) {
    const float with_lost[] = {0, 0, 1, 4, 0, 0, 0, 0, 4, -2, 0, 0},
                filled[] = {1, 4, 1, 4, 2, 2, 3, 0, 4, -2, 4, -2}, zeros[4] = {0};
    const seq_frame_settings settings = {.lost = true};
    (void)state;
    assert_int_equal(check(settings, 6, 2, with_lost, 6, 2, filled, 0.25).lost, 4);
    assert_int_equal(check(settings, 2, 2, zeros, 2, 2, zeros, 0.25).lost, 0);
    assert_int_equal(check(settings, 0, 2, zeros, 0, 2, zeros, 0.25).lost, 0);
    assert_int_equal(check((seq_frame_settings){0}, 6, 2, with_lost, 6, 2, with_lost, 0.25).lost,
                     0);
}

static void joints(void **state) {
    const float body[] = {1, 2, 3, 4, 6, 3, 0, 0, 0, /**/ 1, 1, 1, 1, 1, 2, 5, 5, 5},
                centered[] = {-3, -4, 0, 0, 0, 0, -4, -6, -3, /**/ 0, 0, -1, 0, 0, 0, 4, 4, 3},
                zeros[9] = {0}; // distances of joints 1 and 2: 5, 1
    float scaled[18], unit[18];
    (void)state;
    for (int i = 0; i < 18; i++) {
        scaled[i] = centered[i] / 3;
        unit[i] = body[i] / 6;
    }
    check((seq_frame_settings){.center = 2}, 2, 9, body, 2, 9, centered, 0.25);
    seq_frame_settings both = {.center = 2, .scale = SEQ_SCALE_JOINTS, .from = 1, .to = 2};
    assert_int_equal(check(both, 2, 9, body, 2, 9, scaled, 0.25).unscaled, 0);
    assert_int_equal(check(both, 1, 9, zeros, 1, 9, zeros, 0.25).unscaled, 1);
    check((seq_frame_settings){.scale = SEQ_SCALE_UNIT}, 2, 9, body, 2, 9, unit, 0.25);
    refuse((seq_frame_settings){.center = 4}, 9, body, "--center: there is no joint 4 in frames");
    refuse((seq_frame_settings){.center = 1}, 8, body, "--center: there is no joint 1 in frames");
    both.to = 4;
    refuse(both, 9, body, "--scale: there is no joint 4 in frames of 9 values");
}

static void times(void **state) {
    const float five[] = {1, -1, 2, -2, 4, -4, 8, -8, 16, -16};
    const float velocities[] = {1, -1, 0, 0,  2, -2, 1,  -1,  4, -4,
                                2, -2, 8, -8, 4, -4, 16, -16, 8, -8};
    const float third[] = {1, -1, 8, -8};
    const float pairs[] = {1, -1, 2, -2, 4, -4, 8, -8, 16, -16, 16, -16};
    const float windows[] = {1,  -1,  2,  -2,  4,  -4, /**/ 4, -4, 8, -8, 16, -16, /**/
                             16, -16, 16, -16, 16, -16};
    (void)state;
    check((seq_frame_settings){.velocities = true}, 5, 2, five, 5, 4, velocities, 0.25);
    check((seq_frame_settings){.subsample = 3}, 5, 2, five, 2, 2, third, 0.75);
    check((seq_frame_settings){.stack = 2}, 5, 2, five, 3, 4, pairs, 0.5);
    check((seq_frame_settings){.stack = 3, .subsample = 2}, 5, 2, five, 3, 6, windows, 0.5);
    check((seq_frame_settings){.stack = 3}, 0, 2, five, 0, 6, windows, 0.75);
    refuse((seq_frame_settings){.rate = 30}, 2, five,
           "--frame-rate 30: the frames have their times");
    const float far[] = {3e38f};
    seq_frames frames = make(1, 1, far);
    frames.shift = 0;
    seq_frame_counts counts = {0};
    seq_error error = {0};
    const seq_frame_settings rate = {.rate = 8, .subsample = 2};
    assert_int_equal(seq_frames_prepare(&rate, &frames, &counts, &error), SEQ_OK);
    assert_true(frames.shift == 0.25);
    const float apart[] = {3e38f, -3e38f};
    assert_int_equal(seq_frames_resize(&frames, 2, 1, &error), SEQ_OK);
    memcpy(frames.values, apart, sizeof apart);
    const seq_frame_settings overflow = {.velocities = true};
    assert_int_equal(seq_frames_prepare(&overflow, &frames, &counts, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "frame 2, value 2 is -inf"));
    seq_frames_clear(&frames);
}

static seq_status configure(char *text, seq_frame_settings *out, seq_error *error) {
    const seq_option_group *const groups[] = {&seq_frame_options, NULL};
    static const seq_option none[] = {{.type = SEQ_OPTION_END}};
    const seq_program base = {.name = "x",
                              .synopsis = "x",
                              .options = none,
                              .maximum_operands = -1,
                              .size = 8,
                              .groups = groups};
    seq_program program;
    seq_parsed parsed = {0};
    char *arguments[20] = {(char *)"x"};
    int count = 1;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        arguments[count++] = word;
    assert_int_equal(seq_program_join(&base, &program, error), SEQ_OK);
    void *values = calloc(1, seq_program_values_size(&program));
    assert_non_null(values);
    seq_status status = seq_options_parse(&program, count, arguments, values,
                                          seq_program_values_size(&program), &parsed, error);
    if (!status)
        status = seq_frame_configure(seq_option_values(&parsed, &seq_frame_options), out, error);
    seq_options_clear(&parsed);
    seq_program_clear(&program);
    free(values);
    return status;
}

static void options_and_record(void **state) {
    char all[] = "--frame-rate 29.97 --lost-frames interpolate --center 3 --scale 3-4 --velocities "
                 "--stack 2 --subsample 5";
    char nothing[] = "", stacked[] = "--stack 1 --scale unit";
    seq_frame_settings settings, read;
    seq_record record = {0};
    seq_error error = {0};
    (void)state;
    assert_int_equal(configure(nothing, &settings, &error), SEQ_OK);
    assert_null(seq_frame_settings_given(&settings));
    assert_int_equal(seq_frame_settings_write(&settings, &record, &error), SEQ_OK);
    assert_int_equal(record.count, 0);
    assert_int_equal(configure(stacked, &settings, &error), SEQ_OK);
    assert_true(settings.scale == SEQ_SCALE_UNIT && settings.stack == 0);
    assert_string_equal(seq_frame_settings_given(&settings), "scale");
    assert_int_equal(configure(all, &settings, &error), SEQ_OK);
    assert_string_equal(seq_frame_settings_given(&settings), "frame-rate");
    assert_int_equal(seq_frame_settings_write(&settings, &record, &error), SEQ_OK);
    assert_int_equal(record.count, 7);
    assert_int_equal(seq_frame_settings_read(&read, &record, &error), SEQ_OK);
    assert_true(read.rate == 29.97 && read.lost && read.center == 3 && read.velocities);
    assert_true(read.scale == SEQ_SCALE_JOINTS && read.from == 3 && read.to == 4);
    assert_true(read.stack == 2 && read.subsample == 5);
    static const struct {
        const char *key, *text;
    } wrong[] = {{"stack", "65"},      {"subsample", "-1"},  {"center", "70000"},
                 {"lost_frames", "2"}, {"scale", "3-3"},     {"scale", "0-1"},
                 {"scale", "3"},       {"scale", "1-2x"},    {"scale", "-1-2"},
                 {"scale", "99999-1"}, {"frame_rate", "-1"}, {"frame_rate", "nan"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        seq_record bad = {0};
        error = (seq_error){0};
        assert_int_equal(seq_record_set_text(&bad, wrong[i].key, wrong[i].text, &error), SEQ_OK);
        if (!seq_frame_settings_read(&read, &bad, &error))
            fail_msg("%s = %s", wrong[i].key, wrong[i].text);
        seq_record_clear(&bad);
    }
    static char no_scale[] = "--scale hand";
    error = (seq_error){0};
    assert_int_equal(configure(no_scale, &settings, &error), SEQ_BAD_USAGE);
    seq_record_clear(&record);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lost_frames), cmocka_unit_test(joints),
                                       cmocka_unit_test(times),
                                       cmocka_unit_test(options_and_record)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
