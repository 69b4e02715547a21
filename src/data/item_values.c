// Values of an item: rotated if training asks for it, then normalised by
// statistics of all training rows, of its group's, or of its own rows. One
// function serves training, evaluation and prediction. Invariant: an item's
// values do not depend on the batch; its own statistics are summed row by row, in double,
// with basic arithmetic. Test: tests/unit/data/test_item_values.c.
#include "item_values.h"
#include <math.h>
#include <string.h>

bool seq_item_next_values(const seq_packed_items *packed, int f, seq_item_values *at) {
    const seq_item_packer *packer = packed->packer;
    const seq_field *field = &packer->schema->fields[f];
    int group = seq_schema_find_field(packer->schema, SEQ_GROUP_FIELD);
    if (at->field) {
        at->from += at->rows * (size_t)field->width;
        at->packed += at->rows;
        at->item++;
    } else {
        *at = (seq_item_values){.field = field,
                                .from = packed->items->values[f],
                                .to = packed->room->values[f],
                                .packed = packer->packed[field->axis],
                                .moments = packer->moments};
    }
    if (at->item == packed->items->count) return false;
    at->rows = seq_item_rows(packer->table, field->axis, packed->numbers[at->item]);
    at->group = group < 0 ? SEQ_NO_ID : packed->items->ids[group][at->item];
    return true;
}

seq_turn seq_turn_make(int vertical, double degrees) {
    double angle = degrees * (3.14159265358979323846 / 180), term = 1;
    seq_turn turn = {.vertical = vertical};
    for (int n = 1; n <= 32; n++) { // Taylor: the last term is below pi^31 / 31! = 3e-19
        double *sum = n % 2 ? &turn.cosine : &turn.sine;
        *sum += (n - 1) % 4 < 2 ? term : -term;
        term *= angle / n;
    }
    return turn;
}

// A row as doubles, in the scratch.
static const double *load(const seq_item_values *values, const seq_turn *turn, size_t row) {
    int width = values->field->width;
    double *out = values->moments + 2 * (size_t)width;
    const float *from = values->from + row * (size_t)width;
    for (int i = 0; i < width; i++)
        out[i] = from[i];
    for (int i = 0; turn && i + 2 < width; i += 3) {
        int a = i + (turn->vertical + 2) % 3, b = i + turn->vertical % 3;
        double x = out[a], y = out[b];
        out[a] = turn->cosine * x - turn->sine * y;
        out[b] = turn->sine * x + turn->cosine * y;
    }
    return out;
}

static void average(const seq_item_values *values, const seq_turn *turn) {
    int width = values->field->width;
    double *mean = values->moments;
    memset(mean, 0, (size_t)width * sizeof *mean);
    for (size_t row = 0; row < values->rows; row++) {
        const double *from = load(values, turn, row);
        for (int i = 0; i < width; i++)
            mean[i] += from[i];
    }
    for (int i = 0; values->rows && i < width; i++)
        mean[i] /= (double)values->rows;
}

void seq_item_values_average(const seq_item_values *values) {
    average(values, NULL);
}

static void deviate(const seq_item_values *values, const seq_turn *turn) {
    int width = values->field->width;
    const double *mean = values->moments;
    double *deviation = values->moments + width;
    memset(deviation, 0, (size_t)width * sizeof *deviation);
    for (size_t row = 0; row < values->rows; row++) {
        const double *from = load(values, turn, row);
        for (int i = 0; i < width; i++)
            deviation[i] += (from[i] - mean[i]) * (from[i] - mean[i]);
    }
    for (int i = 0; i < width; i++) {
        double square = values->rows ? deviation[i] / (double)values->rows : 0;
        deviation[i] = square > 0 ? sqrt(square) : 1;
    }
}

// Row 0 of the statistics: of all; 1 + g: of group g. SEQ_NORMALISE_ITEM: the item's own.
typedef struct scale {
    const double *mean, *deviation; // NULL: none
} scale;

static scale find_scale(const seq_item_values *values, const seq_turn *turn) {
    const seq_field *field = values->field;
    size_t width = (size_t)field->width, at = 0;
    bool own = field->normalise == SEQ_NORMALISE_ITEM;
    if (field->normalise == SEQ_NORMALISE_GROUP) {
        bool known = values->group >= 0 && values->group < field->groups;
        at = known ? (size_t)(1 + values->group) * width : 0;
        if (!known || !(field->deviation[at] > 0)) {
            at = 0;
            own = field->unseen == SEQ_NORMALISE_ITEM;
        }
    }
    if (own) {
        average(values, turn);
        deviate(values, turn);
        return (scale){values->moments, values->moments + width};
    }
    return field->mean ? (scale){field->mean + at, field->deviation + at} : (scale){NULL, NULL};
}

void seq_item_values_put(const seq_item_values *values, const seq_turn *turn) {
    scale scale = find_scale(values, turn);
    int width = values->field->width;
    for (size_t row = 0; row < values->rows; row++) {
        const double *from = load(values, turn, row);
        float *to = values->to + (size_t)values->packed[row] * (size_t)width;
        for (int i = 0; i < width; i++)
            to[i] = (float)(scale.mean ? (from[i] - scale.mean[i]) / scale.deviation[i] : from[i]);
    }
}
