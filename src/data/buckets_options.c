// Options of the buckets sampler, for the tables of programs. Invariant: values
// that no program has read are the defaults, those of the table. Test:
// tests/unit/data/test_sampler.c.
#include <seqtrain/data/sampler.h>

typedef struct values {
    int64_t batch_tokens;
    int normalize;
    double word_dropout, singletons;
    int64_t time_masks, time_width, feature_masks, feature_width;
    double noise, rotation;
    int vertical;
    int64_t strings, gap_least, gap_most, gap_level;
} values;

enum { IDENTITY = SEQ_OPTION_IDENTITY };
#define AT(field) offsetof(values, field)

static const char *const normalize_choices[] = {"targets", "items", NULL};
static const char *const vertical_choices[] = {"y", "z", "x", NULL};

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Batches of items"},
    {SEQ_OPTION_INTEGER, "batch-tokens", "N", AT(batch_tokens), "0", 0, 1e9, .flags = IDENTITY,
     .help = "A step takes items of about equal lengths until a replica has N rows (words, letters "
             "or frames, whichever lengths the task sorts by), in place of --batch items. A longer "
             "item is a batch by itself. 0: by --batch."},
    {SEQ_OPTION_CHOICE, "normalize", "BY", AT(normalize), "targets", .choices = normalize_choices,
     .flags = IDENTITY,
     .help = "What the loss of a step is divided by: its targets, or its items, so that each item "
             "has the same weight however long it is."},
    {SEQ_OPTION_REAL, "word-dropout", "P", AT(word_dropout), "0", 0, 0.999, .flags = IDENTITY,
     .help = "Probability that a word of the input becomes <unk> in training; letters and targets "
             "stay."},
    {SEQ_OPTION_REAL, "singletons", "P", AT(singletons), "0", 0, 1, .flags = IDENTITY,
     .help = "Probability that a word which occurs once in the training part becomes <unk> in "
             "training (0.5 is usual): what <unk> stands for is learnt from such words."},
    {SEQ_OPTION_INTEGER, "time-masks", "N", AT(time_masks), "0", 0, 100, .flags = IDENTITY,
     .help = "In training, mask up to --time-mask-width consecutive frames of an item, N times, at "
             "most half of its frames. Masked values become the mean."},
    {SEQ_OPTION_INTEGER, "time-mask-width", "W", AT(time_width), "0", 0, 1e6, .flags = IDENTITY,
     .help = "Width of a mask of --time-masks in frames, drawn from 0 to W."},
    {SEQ_OPTION_INTEGER, "feature-masks", "N", AT(feature_masks), "0", 0, 100, .flags = IDENTITY,
     .help = "In training, mask up to --feature-mask-width neighbouring features in all frames of "
             "an item, N times, at most half of the features."},
    {SEQ_OPTION_INTEGER, "feature-mask-width", "W", AT(feature_width), "0", 0, 65536,
     .flags = IDENTITY,
     .help = "Width of a mask of --feature-masks in features, drawn from 0 to W."},
    {SEQ_OPTION_REAL, "input-noise", "X", AT(noise), "0", 0, 100, .flags = IDENTITY,
     .help = "Standard deviation of normal noise that is added to frames in training, in units of "
             "the normalised values."},
    {SEQ_OPTION_REAL, "rotate", "DEGREES", AT(rotation), "0", 0, 180, .flags = IDENTITY,
     .help = "In training, rotate each item about the --vertical axis by a random angle from "
             "-DEGREES to DEGREES. Frames must be triples x y z, as the joints of skeletons and "
             "their velocities are."},
    {SEQ_OPTION_CHOICE, "vertical", "AXIS", AT(vertical), "y", .choices = vertical_choices,
     .flags = IDENTITY, .help = "The axis of --rotate."},
    {SEQ_OPTION_INTEGER, "strings", "N", AT(strings), "0", 0, 100, .flags = IDENTITY,
     .help = "Train on concatenations (strings) of 1 to N items of one group (seqprep "
             "--group-label), such as spoken digits. Each epoch draws new strings and uses each "
             "item once. Gaps between items are drawn from the quietest twentieth of the string's "
             "frames. --batch counts strings."},
    {SEQ_OPTION_INTEGER, "gap-least", "FRAMES", AT(gap_least), "0", 0, 1e6, .flags = IDENTITY,
     .help = "--strings: least number of frames between two items; for transcripts 1 or more."},
    {SEQ_OPTION_INTEGER, "gap-most", "FRAMES", AT(gap_most), "0", 0, 1e6, .flags = IDENTITY,
     .help = "--strings: greatest number of frames between two items; all numbers are equally "
             "likely."},
    {SEQ_OPTION_INTEGER, "gap-level", "COLUMN", AT(gap_level), "0", 0, 65536, .flags = IDENTITY,
     .help = "--strings: the feature, from 1, that measures loudness. 0: the sum of all features, "
             "for log-mel energies."},
    {.type = SEQ_OPTION_END},
};

const seq_option_group seq_buckets_options = {options, sizeof(values)};

void seq_buckets_configure(const void *from, seq_sampler_settings *out) {
    const values *values = from;
    if (!values) return;
    out->batch_tokens = values->batch_tokens;
    out->per_item = values->normalize == 1;
    out->word_dropout = values->word_dropout;
    out->singletons = values->singletons;
    out->augmentation = (seq_augmentation){.time_masks = (int)values->time_masks,
                                           .time_width = (int)values->time_width,
                                           .feature_masks = (int)values->feature_masks,
                                           .feature_width = (int)values->feature_width,
                                           .noise = values->noise,
                                           .rotation = values->rotation,
                                           .vertical = values->vertical};
    out->strings = (seq_join){.most = (int)values->strings,
                              .gap_least = (int)values->gap_least,
                              .gap_most = (int)values->gap_most,
                              .level = (int)values->gap_level};
}
