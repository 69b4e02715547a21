// Data augmentation of a training batch, after its coverage was digested: words
// become <unk>; sequences of values are rotated, get noise and masks (SpecAugment,
// Park et al. 2019, without warping). Invariant: lengths, counts and targets stay
// the same. A draw depends on seed, field, number of the sequence and step (words) or
// epoch (values) only. Tests:
// tests/unit/data/test_sampler.c, test_item_values.c.
#include "item_values.h"
#include <seqtrain/base/random.h>

static void drop_words(const seq_sampler *sampler, int f, uint32_t step, const seq_batch *batch,
                       int32_t *ids) {
    const seq_sampler_settings *settings = &sampler->settings;
    const seq_field *field = &seq_dataset_schema(sampler->dataset)->fields[f];
    const seq_vocabulary *vocabulary =
        seq_dataset_vocabulary_at(sampler->dataset, field->vocabulary);
    const seq_axis *axis = &batch->axes[field->axis];
    seq_random_key key = {settings->seed, SEQ_RANDOM_AUGMENT | (uint32_t)f << 16};
    int unk = seq_vocabulary_unk(vocabulary); // SEQ_NO_ID: none
    if (unk == SEQ_NO_ID && seq_vocabulary_rules(vocabulary)->unit >= SEQ_UNIT_WORD)
        return; // a closed list, as of casing: no words
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            int32_t *id = &ids[axis->first_row[t] + (size_t)b];
            uint32_t words[4];
            if (*id == SEQ_NO_ID) continue;
            seq_random_words(key, (uint32_t)axis->number[b], (uint32_t)t, step, words);
            bool once = unk != SEQ_NO_ID && seq_vocabulary_count(vocabulary, *id) == 1;
            if (seq_random_unit(words[0]) < settings->word_dropout ||
                (once && seq_random_unit(words[1]) < settings->singletons))
                *id = unk;
        }
}

// Counters of an item's draws, in the second place: masks from 0 on.
enum { MASKS_MOST = 100, DRAW_FEATURES = MASKS_MOST, DRAW_TURN = 2 * MASKS_MOST };

static uint32_t draw_below(uint32_t word, size_t count) {
    return (uint32_t)((uint64_t)word * count >> 32);
}

typedef struct drawing {
    const seq_augmentation *wanted;
    seq_random_key key, noise;
    uint32_t number, epoch;
} drawing;

static void turn_rows(const drawing *drawing, const seq_item_values *values) {
    uint32_t words[4];
    seq_random_words(drawing->key, drawing->number, DRAW_TURN, drawing->epoch, words);
    double part = 2 * seq_random_unit_double(words[0], words[1]) - 1;
    seq_turn turn = seq_turn_make(drawing->wanted->vertical, part * drawing->wanted->rotation);
    seq_item_values_put(values, &turn);
}

static void add_noise(const drawing *drawing, const seq_item_values *values) {
    uint32_t width = (uint32_t)values->field->width, blocks = (width + 3) / 4, words[4];
    for (size_t row = 0; row < values->rows; row++) {
        float *to = values->to + (size_t)values->packed[row] * width;
        for (uint32_t i = 0; i < width; i++) {
            if (i % 4 == 0)
                seq_random_words(drawing->noise, drawing->number, (uint32_t)row * blocks + i / 4,
                                 drawing->epoch, words);
            to[i] += (float)(drawing->wanted->noise * seq_random_normal(words[i % 4]));
        }
    }
}

typedef struct mask {
    size_t begin, end;
} mask;

// Of `size` places, up to `most`, at most half of them.
static mask draw_mask(const drawing *drawing, uint32_t which, size_t size, int most) {
    uint32_t words[4];
    size_t widest = (size_t)most < size / 2 ? (size_t)most : size / 2;
    seq_random_words(drawing->key, drawing->number, which, drawing->epoch, words);
    size_t width = draw_below(words[0], widest + 1), begin = draw_below(words[1], size - width + 1);
    return (mask){begin, begin + width};
}

// What a mask leaves is the mean: 0 of normalised values.
static void cover_up(const seq_item_values *values, mask rows, mask columns) {
    size_t width = (size_t)values->field->width;
    bool normal = values->field->normalise || values->field->mean;
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t i = columns.begin; i < columns.end; i++)
            values->to[values->packed[row] * width + i] = normal ? 0 : (float)values->moments[i];
}

static void put_masks(const drawing *drawing, const seq_item_values *values) {
    const seq_augmentation *wanted = drawing->wanted;
    const mask all_rows = {0, values->rows}, all_columns = {0, (size_t)values->field->width};
    seq_item_values_average(values);
    for (int i = 0; i < wanted->time_masks; i++)
        cover_up(values, draw_mask(drawing, (uint32_t)i, all_rows.end, wanted->time_width),
                 all_columns);
    for (int i = 0; i < wanted->feature_masks; i++)
        cover_up(values, all_rows,
                 draw_mask(drawing, DRAW_FEATURES + (uint32_t)i, all_columns.end,
                           wanted->feature_width));
}

static void change_values(const seq_sampler *sampler, const seq_packed_items *packed, int f,
                          uint32_t epoch) {
    const seq_augmentation *wanted = &sampler->settings.augmentation;
    uint64_t seed = sampler->settings.seed;
    drawing drawing = {.wanted = wanted,
                       .key = {seed, SEQ_RANDOM_AUGMENT | (uint32_t)f << 16},
                       .noise = {seed, SEQ_RANDOM_NOISE | (uint32_t)f << 16},
                       .epoch = epoch};
    for (seq_item_values at = {0}; seq_item_next_values(packed, f, &at);) {
        drawing.number = (uint32_t)packed->numbers[at.item];
        if (wanted->rotation > 0) turn_rows(&drawing, &at);
        if (wanted->noise > 0) add_noise(&drawing, &at);
        if (wanted->time_masks || wanted->feature_masks) put_masks(&drawing, &at);
    }
}

// Fields that are changed: inputs below the examples.
static bool is_changed(const seq_schema *schema, int f, seq_field_kind kind) {
    return schema->fields[f].kind == kind && f != schema->target &&
           schema->axes[schema->fields[f].axis].parent == 0;
}

static bool has_values(const seq_schema *schema) {
    int f = 0;
    while (f < schema->field_count && !is_changed(schema, f, SEQ_FIELD_VALUES))
        f++;
    return f < schema->field_count;
}

static bool changes_values(const seq_augmentation *wanted) {
    return wanted->time_masks || wanted->feature_masks || wanted->noise > 0 || wanted->rotation > 0;
}

void seq_item_augment(const seq_sampler *sampler, const seq_packed_items *packed,
                      const seq_batch *batch) {
    const seq_sampler_settings *settings = &sampler->settings;
    const seq_schema *schema = packed->packer->schema;
    bool words = settings->word_dropout > 0 || settings->singletons > 0,
         values = changes_values(&settings->augmentation);
    for (int f = 0; (words || values) && f < schema->field_count; f++) {
        if (words && is_changed(schema, f, SEQ_FIELD_IDS))
            drop_words(sampler, f, (uint32_t)packed->step, batch, packed->room->ids[f]);
        if (values && is_changed(schema, f, SEQ_FIELD_VALUES))
            change_values(sampler, packed, f, (uint32_t)packed->epoch);
    }
    int before = seq_schema_before_column(schema); // the target as an input
    if (words && before >= 0)
        drop_words(sampler, schema->target, (uint32_t)packed->step, batch,
                   packed->room->ids[before]);
}

// An option that needs another one.
static const char *find_alone(const seq_augmentation *wanted) {
    if (wanted->time_masks && !wanted->time_width) return "--time-masks needs --time-mask-width";
    if (!wanted->time_masks && wanted->time_width) return "--time-mask-width needs --time-masks";
    if (wanted->feature_masks && !wanted->feature_width)
        return "--feature-masks needs --feature-mask-width";
    if (!wanted->feature_masks && wanted->feature_width)
        return "--feature-mask-width needs --feature-masks";
    if (wanted->vertical && !(wanted->rotation > 0)) return "--vertical needs --rotate";
    return NULL;
}

seq_status seq_item_augment_check(const seq_schema *schema, const seq_sampler_settings *settings,
                                  seq_error *error) {
    const seq_augmentation *wanted = &settings->augmentation;
    const char *values = wanted->time_masks      ? "--time-masks"
                         : wanted->feature_masks ? "--feature-masks"
                         : wanted->noise > 0     ? "--input-noise"
                         : wanted->rotation > 0  ? "--rotate"
                                                 : NULL;
    const char *alone = find_alone(wanted);
    if (alone) return seq_error_set(error, SEQ_BAD_USAGE, "%s", alone);
    if (values && !has_values(schema))
        return seq_error_set(error, SEQ_BAD_USAGE, "%s: the data set has no frames to change",
                             values);
    for (int f = 0; wanted->rotation > 0 && f < schema->field_count; f++)
        if (is_changed(schema, f, SEQ_FIELD_VALUES) && schema->fields[f].width % 3)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--rotate: a row of the field %s has %d values, expected triples "
                                 "x y z",
                                 schema->fields[f].name, schema->fields[f].width);
    return SEQ_OK;
}
