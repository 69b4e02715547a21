// Plans strings: shuffles the recordings of a group and cuts the list. Sizes are
// drawn uniformly from 1 to `most`. Then randomly drawn strings gain or lose one
// recording until the sizes add up, so each recording is used once. Joining copies rows;
// gaps take rows of the quietest frames. Invariant: the number of strings does
// not depend on the epoch, and lengths follow from draws and recordings' lengths
// alone. Test: tests/unit/data/test_strings.c.
#include <seqtrain/data/join.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <stdlib.h>
#include <string.h>

enum { DRAW_ORDER, DRAW_SIZE, DRAW_FIT, DRAW_GAP, DRAW_FRAME, QUIET_PART = 20 };

static uint64_t draw_below(uint64_t seed, uint32_t what, int64_t a, int64_t b, int64_t epoch,
                           uint64_t count) {
    uint32_t words[4];
    seq_random_words((seq_random_key){seed, SEQ_RANDOM_STRINGS | what << 16}, (uint32_t)a,
                     (uint32_t)b, (uint32_t)epoch, words);
    return (uint64_t)words[0] * count >> 32;
}

int seq_join_axis(const seq_schema *schema) {
    for (int f = 0; f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        if (field->kind == SEQ_FIELD_VALUES && schema->axes[field->axis].parent == 0)
            return field->axis;
    }
    return -1;
}

int seq_join_tags(const seq_schema *schema) {
    int axis = seq_join_axis(schema);
    for (int f = 0; f < schema->field_count; f++)
        if (schema->fields[f].kind == SEQ_FIELD_LABEL && schema->fields[f].axis == axis) return f;
    return -1;
}

seq_status seq_join_check(const seq_join *strings, const seq_schema *schema, seq_error *error) {
    int axis = seq_join_axis(schema);
    if (!strings->most && (strings->gap_least || strings->gap_most || strings->level))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--gap-least, --gap-most, --gap-level: without effect without "
                             "--strings");
    if (!strings->most) return SEQ_OK;
    if (strings->gap_least > strings->gap_most)
        return seq_error_set(error, SEQ_BAD_USAGE, "--gap-least %d: expected at most --gap-most %d",
                             strings->gap_least, strings->gap_most);
    if (axis < 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "--strings: the data set has no frames");
    if (schema->target < 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "--strings: the data set has no target");
    int target = schema->fields[schema->target].axis;
    if (target && target != axis && !strings->gap_least)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--gap-least 0: expected 1 at least, since equal symbols of two "
                             "transcripts need a frame between them");
    for (int a = 1; a < schema->axis_count; a++)
        if (schema->axes[a].parent != 0)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "--strings: items with the axis %s cannot be joined",
                                 schema->axes[a].name);
    for (int f = 0; f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        bool group = strcmp(field->name, SEQ_GROUP_FIELD) == 0;
        if (field->axis == 0 && !group)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "--strings: items with one %s each cannot be joined", field->name);
        if (field->axis == axis && strings->level > field->width && field->kind == SEQ_FIELD_VALUES)
            return seq_error_set(error, SEQ_BAD_USAGE, "--gap-level %d: frames have %d values",
                                 strings->level, field->width);
    }
    return SEQ_OK;
}

// ---- The plan

static int64_t strings_of(int64_t items, int most) {
    return (2 * items + most) / (most + 1);
}

// Items by group, in each group in their own order: groups[i] is SEQ_NO_ID or below `count` - 1.
static void sort_by_group(seq_join_plan *plan, const int32_t *groups) {
    uint32_t *ends = plan->ends;
    for (int64_t i = 0; i < plan->items; i++)
        ends[groups ? groups[i] + 1 : 0]++;
    for (size_t g = 1; g < plan->group_count; g++)
        ends[g] += ends[g - 1];
    for (int64_t i = plan->items; i-- > 0;)
        plan->grouped[--ends[groups ? groups[i] + 1 : 0]] = (uint32_t)i;
    for (size_t g = 0; g + 1 < plan->group_count; g++)
        ends[g] = ends[g + 1];
    ends[plan->group_count - 1] = (uint32_t)plan->items;
}

seq_status seq_join_plan_create(seq_join_plan *plan, int64_t items, const int32_t *groups, int most,
                                uint64_t seed, seq_error *error) {
    int32_t greatest = SEQ_NO_ID;
    for (int64_t i = 0; groups && i < items; i++)
        if (groups[i] > greatest) greatest = groups[i];
    *plan = (seq_join_plan){.items = items,
                            .most = most,
                            .seed = seed,
                            .epoch = -1,
                            .group_count = (size_t)(greatest + 2)};
    seq_status status =
        seq_allocate(&plan->grouped, (size_t)items, sizeof(uint32_t), "the plan of strings", error);
    if (!status)
        status = seq_allocate(&plan->ends, plan->group_count, sizeof(uint32_t),
                              "the plan of strings", error);
    if (status) return status;
    sort_by_group(plan, groups);
    for (size_t g = 0; g < plan->group_count; g++)
        plan->strings += strings_of(plan->ends[g] - (g ? plan->ends[g - 1] : 0), most);
    status =
        seq_allocate(&plan->order, (size_t)items, sizeof(uint32_t), "the plan of strings", error);
    return status ? status
                  : seq_allocate(&plan->begins, (size_t)plan->strings + 1, sizeof(uint32_t),
                                 "the plan of strings", error);
}

void seq_join_plan_clear(seq_join_plan *plan) {
    free(plan->order);
    free(plan->begins);
    free(plan->grouped);
    free(plan->ends);
    *plan = (seq_join_plan){0};
}

// Sizes of strings [first, first + count), which are to add up to `items`, in sizes[0 .. count).
static void draw_sizes(const seq_join_plan *plan, int64_t first, int64_t count, int64_t items,
                       uint32_t *sizes) {
    uint32_t most = (uint32_t)plan->most;
    int64_t sum = 0;
    for (int64_t s = 0; s < count; s++)
        sum += sizes[s] =
            1 + (uint32_t)draw_below(plan->seed, DRAW_SIZE, first + s, 0, plan->epoch, most);
    for (int64_t i = 0; sum != items; i++) {
        int64_t s =
            (int64_t)draw_below(plan->seed, DRAW_FIT, first, i, plan->epoch, (uint64_t)count);
        bool more = sum < items;
        while (sizes[s] == (more ? most : 1))
            s = (s + 1) % count;
        sizes[s] += more ? 1 : UINT32_MAX;
        sum += more ? 1 : -1;
    }
}

void seq_join_plan_make(seq_join_plan *plan, int64_t epoch) {
    if (plan->epoch == epoch) return;
    plan->epoch = epoch;
    memcpy(plan->order, plan->grouped, (size_t)plan->items * sizeof *plan->order);
    int64_t string = 0;
    for (size_t g = 0; g < plan->group_count; g++) {
        int64_t begin = g ? plan->ends[g - 1] : 0, items = plan->ends[g] - begin,
                count = strings_of(items, plan->most);
        uint32_t *order = plan->order + begin, *sizes = plan->begins + string, at = (uint32_t)begin;
        for (int64_t i = items - 1; i > 0; i--) {
            uint64_t j = draw_below(plan->seed, DRAW_ORDER, begin + i, 0, epoch, (uint64_t)i + 1);
            uint32_t item = order[i];
            order[i] = order[j];
            order[j] = item;
        }
        draw_sizes(plan, string, count, items, sizes);
        for (int64_t s = 0; s < count; s++) {
            uint32_t size = sizes[s];
            sizes[s] = at;
            at += size;
        }
        string += count;
    }
    plan->begins[plan->strings] = (uint32_t)plan->items;
}

int seq_join_gap(const seq_join *strings, uint64_t seed, int64_t epoch, int64_t string, int place) {
    return strings->gap_least +
           (int)draw_below(seed, DRAW_GAP, string, place, epoch,
                           (uint64_t)(strings->gap_most - strings->gap_least) + 1);
}

// ---- The maker

typedef struct level {
    double loud;
    uint32_t row;
} level;

struct seq_joiner {
    seq_join strings;
    const seq_schema *schema;
    uint64_t seed;
    int axis, tags, loud; // of the frames; -1: none; the field whose values tell how loud
    int32_t background;
    int32_t *lengths[SEQ_AXES], *ids[SEQ_COLUMNS];
    float *values[SEQ_COLUMNS];
    int64_t *groups;
    uint32_t *begins;
    level *levels;
    size_t capacity[SEQ_AXES + SEQ_COLUMNS + 4];
};

seq_status seq_joiner_create(const seq_join *strings, const seq_schema *schema,
                             const seq_vocabulary *vocabulary, uint64_t seed, seq_joiner **out,
                             seq_error *error) {
    seq_joiner *maker = NULL;
    const char *name = seq_record_text(&schema->reader, "background");
    seq_status status = seq_join_check(strings, schema, error);
    if (!status) status = seq_allocate(&maker, 1, sizeof *maker, "strings", error);
    if (status) return status;
    *maker = (seq_joiner){.strings = *strings,
                          .schema = schema,
                          .seed = seed,
                          .axis = seq_join_axis(schema),
                          .tags = seq_join_tags(schema),
                          .background = SEQ_NO_ID};
    while (schema->fields[maker->loud].axis != maker->axis ||
           schema->fields[maker->loud].kind != SEQ_FIELD_VALUES)
        maker->loud++;
    if (name && vocabulary) maker->background = seq_vocabulary_find(vocabulary, name, strlen(name));
    *out = maker;
    if (maker->tags < 0 || maker->background != SEQ_NO_ID) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--strings: the tags of the data set have no label for the background: "
                         "make it with seqprep --background");
}

void seq_joiner_destroy(seq_joiner *maker) {
    if (!maker) return;
    for (int axis = 0; axis < SEQ_AXES; axis++)
        free(maker->lengths[axis]);
    for (int f = 0; f < SEQ_COLUMNS; f++) {
        free(maker->ids[f]);
        free(maker->values[f]);
    }
    void *const blocks[] = {maker->groups, maker->begins, maker->levels, maker};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// What a call works on: strings, and where their recordings begin in `from`.
typedef struct making {
    seq_joiner *maker;
    int64_t epoch;
    const seq_items *from;
    const seq_joined *strings;
    int64_t count;
} making;

// Rows of `axis` that all recordings before `item` have.
static size_t rows_before(const seq_items *from, int axis, int64_t item) {
    size_t rows = axis ? 0 : (size_t)item;
    for (int64_t i = 0; axis && i < item; i++)
        rows += (size_t)from->lengths[axis][i];
    return rows;
}

static int gap_behind(const making *making, const seq_joined *string, int64_t k) {
    const seq_joiner *maker = making->maker;
    return k + 1 < string->count
               ? seq_join_gap(&maker->strings, maker->seed, making->epoch, string->number, (int)k)
               : 0;
}

static seq_status measure(const making *making, seq_items *out, seq_error *error) {
    seq_joiner *maker = making->maker;
    seq_status status = SEQ_OK;
    out->count = making->count;
    out->rows[0] = (size_t)making->count;
    for (int axis = 1; !status && axis < maker->schema->axis_count; axis++) {
        status = seq_grow(&maker->lengths[axis], &maker->capacity[axis], (size_t)making->count + 1,
                          sizeof(int32_t), "strings", error);
        for (int64_t s = 0; !status && s < making->count; s++) {
            const seq_joined *string = &making->strings[s];
            int64_t rows = 0;
            for (int64_t k = 0; k < string->count; k++)
                rows += making->from->lengths[axis][string->first + k] +
                        (axis == maker->axis ? gap_behind(making, string, k) : 0);
            if (rows > INT32_MAX)
                return seq_error_set(error, SEQ_BAD_INPUT,
                                     "--strings: a string would have %lld rows", (long long)rows);
            maker->lengths[axis][s] = (int32_t)rows;
            out->rows[axis] += (size_t)rows;
        }
        out->lengths[axis] = maker->lengths[axis];
    }
    return status;
}

static int by_loudness(const void *a, const void *b) {
    const level *x = a, *y = b;
    if (x->loud != y->loud) return x->loud < y->loud ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

// The quietest rows of the string, among rows [first, first + rows) of `from`, come first in
// maker->levels. Their number, at least 1.
static seq_status find_quiet(const making *making, size_t first, size_t rows, uint64_t *out_count,
                             seq_error *error) {
    seq_joiner *maker = making->maker;
    size_t width = (size_t)maker->schema->fields[maker->loud].width;
    if (!rows)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "--strings: recordings without frames, so nothing can fill the gaps");
    seq_status status = seq_grow(&maker->levels, &maker->capacity[SEQ_AXES + SEQ_COLUMNS], rows + 1,
                                 sizeof *maker->levels, "strings", error);
    if (status) return status;
    for (size_t row = 0; row < rows; row++) {
        const float *values = making->from->values[maker->loud] + (first + row) * width;
        double sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += (double)values[i];
        maker->levels[row] = (level){
            maker->strings.level ? (double)values[maker->strings.level - 1] : sum, (uint32_t)row};
    }
    qsort(maker->levels, rows, sizeof *maker->levels, by_loudness);
    *out_count = rows < QUIET_PART ? 1 : rows / QUIET_PART;
    return SEQ_OK;
}

// Copies a row of every field on the frames' axis; `tag`: the background in place of its own.
static void copy_row(const seq_joiner *maker, const seq_items *from, size_t row, size_t to,
                     bool gap) {
    for (int f = 0; f < maker->schema->field_count; f++) {
        const seq_field *field = &maker->schema->fields[f];
        size_t width = (size_t)field->width;
        if (field->axis != maker->axis) continue;
        if (field->vocabulary >= 0)
            maker->ids[f][to] =
                gap ? f == maker->tags ? maker->background : SEQ_NO_ID : from->ids[f][row];
        else
            memcpy(maker->values[f] + to * width, from->values[f] + row * width,
                   width * sizeof(float));
    }
}

// Frames of a string, from row *to on.
static seq_status join_frames(const making *making, const seq_joined *string, size_t *to,
                              seq_error *error) {
    seq_joiner *maker = making->maker;
    const seq_items *from = making->from;
    const int32_t *lengths = from->lengths[maker->axis] + string->first;
    size_t first = rows_before(from, maker->axis, string->first), row = first, begin = *to;
    uint64_t quiet = 0;
    size_t rows = rows_before(from, maker->axis, string->first + string->count) - first;
    seq_status status = string->count > 1 ? find_quiet(making, first, rows, &quiet, error) : SEQ_OK;
    for (int64_t k = 0; !status && k < string->count; k++) {
        maker->begins[string->first + k] = (uint32_t)(*to - begin);
        for (int32_t t = 0; t < lengths[k]; t++)
            copy_row(maker, from, row++, (*to)++, false);
        int gap = gap_behind(making, string, k);
        for (int t = 0; t < gap; t++) {
            uint64_t which = draw_below(maker->seed, DRAW_FRAME, string->number, (k << 20) + t,
                                        making->epoch, quiet);
            copy_row(maker, from, first + maker->levels[which].row, (*to)++, true);
        }
    }
    return status;
}

// Fields of the other axes, and of the examples: those of the first recording.
static void join_others(const making *making, int f) {
    seq_joiner *maker = making->maker;
    const seq_field *field = &maker->schema->fields[f];
    const seq_items *from = making->from;
    size_t width = (size_t)field->width, to = 0;
    for (int64_t s = 0; s < making->count; s++) {
        const seq_joined *string = &making->strings[s];
        size_t row = rows_before(from, field->axis, string->first),
               count = field->axis
                           ? rows_before(from, field->axis, string->first + string->count) - row
                           : 1;
        if (count && field->vocabulary >= 0)
            memcpy(maker->ids[f] + to, from->ids[f] + row, count * sizeof(int32_t));
        else if (count)
            memcpy(maker->values[f] + to * width, from->values[f] + row * width,
                   count * width * sizeof(float));
        to += count;
    }
}

static seq_status take_room(const making *making, const seq_items *out, seq_error *error) {
    seq_joiner *maker = making->maker;
    size_t *capacity = maker->capacity + SEQ_AXES + SEQ_COLUMNS, count = (size_t)making->count;
    seq_status status = SEQ_OK;
    for (int f = 0; !status && f < maker->schema->field_count; f++) {
        const seq_field *field = &maker->schema->fields[f];
        size_t size = out->rows[field->axis] * (size_t)field->width + 1;
        void *array = field->vocabulary >= 0 ? (void *)&maker->ids[f] : &maker->values[f];
        status = seq_grow(array, &maker->capacity[SEQ_AXES + f], size, sizeof(int32_t), "strings",
                          error);
    }
    if (!status)
        status = seq_grow(&maker->begins, &capacity[1], (size_t)making->from->count + 1,
                          sizeof *maker->begins, "strings", error);
    if (!status)
        status = seq_grow(&maker->groups, &capacity[2], count + 1, sizeof *maker->groups, "strings",
                          error);
    return status;
}

seq_status seq_joiner_make(seq_joiner *maker, int64_t epoch, const seq_items *from,
                           const seq_joined *strings, int64_t count, seq_items *out,
                           const uint32_t **out_begins, seq_error *error) {
    const making making = {maker, epoch, from, strings, count};
    size_t to = 0;
    *out = (seq_items){0};
    seq_status status = measure(&making, out, error);
    if (!status) status = take_room(&making, out, error);
    for (int64_t s = 0; !status && s < count; s++)
        status = join_frames(&making, &strings[s], &to, error);
    for (int f = 0; !status && f < maker->schema->field_count; f++) {
        if (maker->schema->fields[f].axis != maker->axis) join_others(&making, f);
        out->ids[f] = maker->ids[f];
        out->values[f] = maker->values[f];
    }
    for (int64_t s = 0; !status && s < count; s++)
        maker->groups[s] = from->groups ? from->groups[strings[s].first] : 0;
    out->groups = maker->groups;
    *out_begins = maker->begins;
    return status;
}
