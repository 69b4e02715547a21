// Frames -> frames, item by item, in place. Sums are in double. Lost frames are
// marked as missing and filled as missing values are (frames.c). Stacking writes
// into a copy, since a window may overlap the next one. Invariant: what is done
// depends on the item and the settings alone, so a prediction sees what training
// saw. Test: tests/unit/prep/test_frame_transforms.c.
#include <seqtrain/prep/frame_transforms.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 1 << 16, STACK = 64, SUBSAMPLE = 1000, AXES = 3, WIDTH = 1 << 24 };
static const double rate_most = 1e6;

// ---- The steps.

static bool is_lost(const float *frame, size_t width) {
    for (size_t i = 0; i < width; i++)
        if (frame[i] != 0) return false;
    return true;
}

static void fill_lost(seq_frames *frames, seq_frame_counts *counts) {
    size_t width = (size_t)frames->width, lost = 0;
    for (size_t t = 0; t < frames->rows; t++)
        lost += is_lost(frames->values + t * width, width);
    if (!lost || lost == frames->rows) return;
    for (size_t t = 0; t < frames->rows; t++) {
        float *frame = frames->values + t * width;
        if (!is_lost(frame, width)) continue;
        for (size_t i = 0; i < width; i++)
            frame[i] = NAN;
    }
    seq_frames_fill(frames);
    counts->lost += (int64_t)lost;
}

static seq_status check_joint(const seq_frames *frames, const char *option, int joint,
                              seq_error *error) {
    if (frames->width % AXES == 0 && joint <= frames->width / AXES) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--%s: there is no joint %d in frames of %d values (%d values a joint)",
                         option, joint, frames->width, AXES);
}

static void center(seq_frames *frames, int joint) {
    size_t width = (size_t)frames->width;
    for (size_t t = 0; t < frames->rows; t++) {
        float *frame = frames->values + t * width, origin[AXES];
        memcpy(origin, frame + (size_t)(joint - 1) * AXES, sizeof origin);
        for (size_t i = 0; i < width; i++)
            frame[i] -= origin[i % AXES];
    }
}

// Mean over the frames where the joints are apart; 0: there are none.
static double mean_distance(const seq_frames *frames, int from, int to) {
    double sum = 0;
    size_t count = 0;
    for (size_t t = 0; t < frames->rows; t++) {
        const float *frame = frames->values + t * (size_t)frames->width,
                    *a = frame + (size_t)(from - 1) * AXES, *b = frame + (size_t)(to - 1) * AXES;
        double squares = 0;
        for (int k = 0; k < AXES; k++)
            squares += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
        sum += sqrt(squares);
        count += squares > 0;
    }
    return count ? sum / (double)count : 0;
}

static double largest(const seq_frames *frames) {
    double most = 0;
    for (size_t i = 0; i < frames->rows * (size_t)frames->width; i++)
        most = fmax(most, fabs((double)frames->values[i]));
    return most;
}

static void scale(const seq_frame_settings *settings, seq_frames *frames,
                  seq_frame_counts *counts) {
    double extent = settings->scale == SEQ_SCALE_UNIT
                        ? largest(frames)
                        : mean_distance(frames, settings->from, settings->to);
    counts->unscaled += !(extent > 0);
    for (size_t i = 0; extent > 0 && i < frames->rows * (size_t)frames->width; i++)
        frames->values[i] = (float)((double)frames->values[i] / extent);
}

// From the last frame to the first: a frame moves to where no frame lies that is still to be moved.
static seq_status append_velocities(seq_frames *frames, seq_error *error) {
    size_t width = (size_t)frames->width;
    if (frames->width > WIDTH / 2)
        return seq_error_set(error, SEQ_BAD_INPUT, "--velocities: frames of %d values are too wide",
                             frames->width);
    seq_status status = seq_frames_resize(frames, frames->rows, 2 * frames->width, error);
    for (size_t t = frames->rows; !status && t-- > 0;) {
        float *to = frames->values + 2 * t * width;
        const float *from = frames->values + t * width;
        memmove(to, from, width * sizeof *to);
        for (size_t i = 0; i < width; i++)
            to[width + i] = t ? to[i] - frames->values[(t - 1) * width + i] : 0;
    }
    return status;
}

static seq_status stack(seq_frames *frames, int count, int step, seq_error *error) {
    size_t width = (size_t)frames->width, stacked = (size_t)count,
           rows = frames->rows / (size_t)step + (frames->rows % (size_t)step > 0);
    seq_frames out = *frames; // but for the room
    out.values = NULL;
    out.capacity = 0;
    out.shift *= step;
    if (width > WIDTH / stacked)
        return seq_error_set(error, SEQ_BAD_INPUT, "--stack %d: frames of %d values are too wide",
                             count, frames->width);
    seq_status status = seq_frames_resize(&out, rows, (int)(width * stacked), error);
    if (status) return status;
    for (size_t row = 0; row < rows * stacked; row++) {
        size_t from = row / stacked * (size_t)step + row % stacked;
        if (from >= frames->rows) from = frames->rows - 1;
        memcpy(out.values + row * width, frames->values + from * width, width * sizeof *out.values);
    }
    seq_frames_clear(frames);
    *frames = out;
    return SEQ_OK;
}

static seq_status take_rate(double rate, seq_frames *frames, seq_error *error) {
    if (!(rate > 0)) return SEQ_OK;
    if (frames->shift > 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "--frame-rate %g: the frames have their times",
                             rate);
    frames->shift = 1 / rate;
    return SEQ_OK;
}

seq_status seq_frames_prepare(const seq_frame_settings *settings, seq_frames *frames,
                              seq_frame_counts *counts, seq_error *error) {
    int count = settings->stack ? settings->stack : 1,
        step = settings->subsample ? settings->subsample : count;
    bool joints = settings->scale == SEQ_SCALE_JOINTS;
    seq_status status = take_rate(settings->rate, frames, error);
    if (!status && settings->center)
        status = check_joint(frames, "center", settings->center, error);
    if (!status && joints) status = check_joint(frames, "scale", settings->from, error);
    if (!status && joints) status = check_joint(frames, "scale", settings->to, error);
    if (status) return status;
    if (settings->lost) fill_lost(frames, counts);
    if (settings->center) center(frames, settings->center);
    if (settings->scale) scale(settings, frames, counts);
    if (settings->velocities) status = append_velocities(frames, error);
    if (!status && (count > 1 || step > 1)) status = stack(frames, count, step, error);
    return status ? status : seq_frames_check(frames, "after the transforms of frames", error);
}

// ---- Options.

typedef struct values {
    double rate;
    int lost;
    int64_t center, stack, subsample;
    char *scale;
    bool velocities;
} values;
#define AT(field) offsetof(values, field)

static const char *const lost_choices[] = {"keep", "interpolate", NULL};

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Frames"},
    {SEQ_OPTION_REAL, "frame-rate", "HZ", AT(rate), "0", 0, 1e6,
     .help =
         "Frames a second, where the files do not say it: then predictions and tags have times."},
    {SEQ_OPTION_CHOICE, "lost-frames", "HOW", AT(lost), "keep", .choices = lost_choices,
     .help = "Frames of zeros alone, as trackers write them that have lost the body: keep them, or "
             "interpolate them between the frames before and behind (they are counted)."},
    {SEQ_OPTION_INTEGER, "center", "JOINT", AT(center), "0", 0, JOINTS,
     .help = "Move the origin to this joint, from 1, in each frame; a joint is three values. 0: do "
             "not."},
    {SEQ_OPTION_TEXT, "scale", "WHAT", AT(scale),
     .help = "A-B: divide an item by the mean distance of two joints, from 1. unit: divide it by "
             "its largest absolute value."},
    {SEQ_OPTION_FLAG, "velocities", NULL, AT(velocities), "no",
     .help = "Append to each frame what has changed since the frame before."},
    {SEQ_OPTION_INTEGER, "stack", "N", AT(stack), "1", 1, STACK,
     .help = "Join N frames to one; the last frame is repeated where there are fewer."},
    {SEQ_OPTION_INTEGER, "subsample", "N", AT(subsample), "0", 0, SUBSAMPLE,
     .help = "Keep one frame of N; with --stack, begin a stack at every N-th frame. 0: as many as "
             "are stacked, so that no frame is left out or occurs twice."},
    {.type = SEQ_OPTION_END},
};

const seq_option_group seq_frame_options = {options, sizeof(values)};

static bool parse_scale(const char *text, seq_frame_settings *out) {
    int used = 0;
    if (strcmp(text, "unit") == 0) {
        out->scale = SEQ_SCALE_UNIT;
        return true;
    }
    if (*text < '0' || *text > '9' || strlen(text) > 11 ||
        sscanf(text, "%5d-%5d%n", &out->from, &out->to, &used) != 2 || text[used])
        return false;
    out->scale = SEQ_SCALE_JOINTS;
    return out->from >= 1 && out->to >= 1 && out->from <= JOINTS && out->to <= JOINTS &&
           out->from != out->to;
}

seq_status seq_frame_configure(const void *from, seq_frame_settings *out, seq_error *error) {
    const values *values = from;
    *out = (seq_frame_settings){0};
    if (!values) return SEQ_OK;
    out->rate = values->rate;
    out->lost = values->lost == 1;
    out->center = (int)values->center;
    out->velocities = values->velocities;
    out->stack = values->stack == 1 ? 0 : (int)values->stack;
    out->subsample = (int)values->subsample;
    if (!values->scale || parse_scale(values->scale, out)) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--scale %s: expected unit, or two joints from 1 such as 3-4",
                         values->scale);
}

const char *seq_frame_settings_given(const seq_frame_settings *settings) {
    const struct {
        const char *option;
        bool given;
    } all[] = {{"frame-rate", settings->rate > 0},    {"lost-frames", settings->lost},
               {"center", settings->center > 0},      {"scale", settings->scale != SEQ_SCALE_NONE},
               {"velocities", settings->velocities},  {"stack", settings->stack > 1},
               {"subsample", settings->subsample > 0}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].given) return all[i].option;
    return NULL;
}

// ---- The record.

typedef struct whole_setting {
    const char *key;
    int *value, most;
} whole_setting;
enum { WHOLE = 5 };

// A truth value is a number, too.
static void list_whole(seq_frame_settings *settings, int truths[2], whole_setting out[WHOLE]) {
    const whole_setting all[WHOLE] = {{"lost_frames", &truths[0], 1},
                                      {"center", &settings->center, JOINTS},
                                      {"velocities", &truths[1], 1},
                                      {"stack", &settings->stack, STACK},
                                      {"subsample", &settings->subsample, SUBSAMPLE}};
    memcpy(out, all, sizeof all);
}

seq_status seq_frame_settings_write(const seq_frame_settings *settings, seq_record *record,
                                    seq_error *error) {
    seq_frame_settings copy = *settings;
    int truths[2] = {settings->lost, settings->velocities};
    whole_setting whole[WHOLE];
    char scale[32] = "unit";
    seq_status status = SEQ_OK;
    list_whole(&copy, truths, whole);
    if (settings->rate > 0)
        status = seq_record_set_real(record, "frame_rate", settings->rate, error);
    for (int i = 0; !status && i < WHOLE; i++)
        if (*whole[i].value)
            status = seq_record_set_integer(record, whole[i].key, *whole[i].value, error);
    if (settings->scale == SEQ_SCALE_JOINTS)
        snprintf(scale, sizeof scale, "%d-%d", settings->from, settings->to);
    return status || !settings->scale ? status : seq_record_set_text(record, "scale", scale, error);
}

seq_status seq_frame_settings_read(seq_frame_settings *out, const seq_record *record,
                                   seq_error *error) {
    int truths[2] = {0};
    whole_setting whole[WHOLE];
    seq_status status = SEQ_OK;
    *out = (seq_frame_settings){0};
    list_whole(out, truths, whole);
    for (int i = 0; !status && i < WHOLE; i++) {
        int64_t value = 0;
        if (!seq_record_text(record, whole[i].key)) continue;
        status = seq_record_get_integer(record, whole[i].key, 0, whole[i].most, &value, error);
        *whole[i].value = (int)value;
    }
    out->lost = truths[0];
    out->velocities = truths[1];
    if (!status && seq_record_text(record, "frame_rate"))
        status = seq_record_get_real(record, "frame_rate", &out->rate, error);
    const char *scale = seq_record_text(record, "scale");
    if (!status && !(out->rate >= 0 && out->rate <= rate_most))
        return seq_error_set(error, SEQ_BAD_INPUT, "reader settings: frame_rate %g", out->rate);
    if (!status && scale && !parse_scale(scale, out))
        return seq_error_set(error, SEQ_BAD_INPUT, "reader settings: scale '%s'", scale);
    return status;
}
