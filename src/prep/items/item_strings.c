// Strings of held-out recordings (--strings): items of the validation and test
// parts are joined as training joins them (data/join.h), once and for all. Passes
// over the recordings go on until there are as many strings as are wanted. With
// --string-files each is also a file: NAME.npy, its true intervals in PART.ctm, its group in
// PART.tsv.
// Invariant: the same inputs and seed give the same strings. Test:
// tests/cli/seqprep_groups.sh.
#include "prepare_items_private.h"
#include <math.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/textgrid.h>
#include <stdlib.h>
#include <string.h>

// Recordings of a string, one after the other.
typedef struct gathered {
    seq_items items;
    int32_t *lengths[SEQ_AXES], *ids[SEQ_COLUMNS];
    float *values[SEQ_COLUMNS];
    int64_t *groups;
    int32_t name; // of all their --group-label, in store.names
    size_t capacity[2 * SEQ_COLUMNS + SEQ_AXES + 1];
} gathered;

// A file that grows with the strings; no stream: it is not wanted.
typedef struct listing {
    FILE *stream;
    char *text;
    size_t size;
} listing;

typedef struct part {
    seq_item_work *work;
    seq_dataset_writer *writer;
    seq_split split;
    const int32_t *group; // by item of the store
    size_t *recordings;   // items of the store
    seq_join_plan plan;
    seq_joiner *joiner;
    gathered gathered;
    listing times, groups;
    int64_t made;
} part;

static seq_status append(void *array, size_t *capacity, size_t used, const void *from, size_t count,
                         seq_error *error) {
    char *bytes;
    seq_status status =
        seq_grow(array, capacity, used + count + 1, sizeof(int32_t), "strings", error);
    memcpy(&bytes, array, sizeof bytes);
    if (!status && count) memcpy(bytes + used * sizeof(int32_t), from, count * sizeof(int32_t));
    return status;
}

static seq_status gather(part *part, size_t index, seq_error *error) {
    seq_item_work *work = part->work;
    const seq_schema *schema = &work->schema;
    gathered *to = &part->gathered;
    seq_items item, *all = &to->items;
    size_t *capacity = to->capacity;
    seq_status status =
        seq_item_build(work, &work->store.items[index], part->group[index], &item, error);
    for (int axis = 1; !status && axis < schema->axis_count; axis++)
        status = append(&to->lengths[axis], &capacity[2 * SEQ_COLUMNS + axis], (size_t)all->count,
                        item.lengths[axis], 1, error);
    for (int f = 0; !status && f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        size_t width = (size_t)field->width,
               rows = field->axis ? (size_t)*item.lengths[field->axis] : 1;
        bool ids = field->vocabulary >= 0;
        status = append(ids ? (void *)&to->ids[f] : &to->values[f],
                        &capacity[ids ? f : SEQ_COLUMNS + f], all->rows[field->axis] * width,
                        ids ? (const void *)item.ids[f] : item.values[f], rows * width, error);
    }
    if (!status)
        status = seq_grow(&to->groups, &capacity[2 * SEQ_COLUMNS], (size_t)all->count + 1,
                          sizeof *to->groups, "strings", error);
    if (status) return status;
    to->groups[all->count++] = part->group[index];
    to->name = work->store.items[index].name;
    for (int axis = 0; axis < schema->axis_count; axis++)
        all->rows[axis] += axis ? (size_t)*item.lengths[axis] : 1;
    return SEQ_OK;
}

// ---- Files

static seq_status write_array(const char *path, const float *values, int32_t rows, int width,
                              seq_error *error) {
    char header[128];
    FILE *file = fopen(path, "wbe");
    if (!file) return seq_error_set_errno(error, "creating %s", path);
    const uint16_t one = 1;
    char first;
    memcpy(&first, &one, 1);
    int used = snprintf(header, sizeof header,
                        "\x93NUMPY\x01%c%c%c{'descr': '%cf4', 'fortran_order': False, 'shape': "
                        "(%d, %d), }",
                        0, 118, 0, first ? '<' : '>', (int)rows, width);
    memset(header + used, ' ', sizeof header - (size_t)used);
    header[sizeof header - 1] = '\n';
    fwrite(header, 1, sizeof header, file);
    fwrite(values, sizeof *values, (size_t)rows * (size_t)width, file);
    bool failed = ferror(file) != 0;
    return fclose(file) || failed ? seq_error_set_errno(error, "writing %s", path) : SEQ_OK;
}

// Texts of the recording's labels, one after the other; of tags the first one.
static void print_label(const part *part, int64_t recording, char *out, size_t capacity) {
    const seq_item_work *work = part->work;
    const seq_field *target = &work->schema.fields[work->target_field];
    const gathered *from = &part->gathered;
    size_t row = 0, used = 0;
    for (int64_t k = 0; k < recording; k++)
        row += (size_t)from->lengths[target->axis][k];
    int32_t count = seq_join_tags(&work->schema) >= 0 ? 1 : from->lengths[target->axis][recording];
    *out = '\0';
    for (int32_t i = 0; i < count && used < capacity - 1; i++) {
        size_t size;
        const char *text = seq_vocabulary_text(
            work->targets, from->ids[work->target_field][row + (size_t)i], &size);
        used += (size_t)snprintf(out + used, capacity - used, "%.*s", (int)size, text);
    }
}

static seq_status write_files(part *part, const seq_items *string, const uint32_t *begins,
                              seq_error *error) {
    const seq_item_work *work = part->work;
    const seq_field *frames = &work->schema.fields[work->input_field];
    char name[40], path[SEQ_PATH], label[256];
    double shift = work->store.shift > 0 ? work->store.shift : 1;
    snprintf(name, sizeof name, "%s-%05lld", seq_split_name(part->split),
             (long long)part->made + 1);
    for (int64_t k = 0; k < part->gathered.items.count; k++) {
        int32_t rows = part->gathered.lengths[frames->axis][k];
        print_label(part, k, label, sizeof label);
        const seq_tier_interval interval = {begins[k] * shift, (begins[k] + (uint32_t)rows) * shift,
                                            label, 0};
        seq_ctm_print(part->times.stream, &(seq_ctm_entry){name, "1", interval, NAN});
    }
    if (part->groups.stream)
        fprintf(part->groups.stream, "%s.npy\t%s\n", name,
                seq_string_table_text(&work->store.names, (size_t)part->gathered.name));
    snprintf(path, sizeof path, "%s/%s.npy", work->prepare->string_files, name);
    return write_array(path, string->values[work->input_field], *string->lengths[frames->axis],
                       frames->width, error);
}

// ---- A part

static seq_status write_string(part *part, int64_t s, seq_error *error) {
    const seq_join_plan *plan = &part->plan;
    const seq_schema *schema = &part->work->schema;
    gathered *from = &part->gathered;
    const uint32_t *begins;
    seq_items string;
    seq_status status = SEQ_OK;
    if (seq_item_store_stopped(&part->work->store, error)) return error->status;
    from->items = (seq_items){0};
    for (uint32_t k = plan->begins[s]; !status && k < plan->begins[s + 1]; k++)
        status = gather(part, part->recordings[plan->order[k]], error);
    for (int axis = 0; axis < schema->axis_count; axis++)
        from->items.lengths[axis] = from->lengths[axis];
    for (int f = 0; f < schema->field_count; f++) {
        from->items.ids[f] = from->ids[f];
        from->items.values[f] = from->values[f];
    }
    from->items.groups = from->groups;
    const seq_joined whole = {s, 0, from->items.count};
    if (!status)
        status = seq_joiner_make(part->joiner, plan->epoch, &from->items, &whole, 1, &string,
                                 &begins, error);
    if (!status) status = seq_dataset_writer_add(part->writer, part->split, &string, error);
    if (!status && part->times.stream) status = write_files(part, &string, begins, error);
    part->made++;
    return status;
}

// The recordings of the part, and their groups.
static seq_status list_recordings(part *part, int32_t *groups, size_t *out_count,
                                  seq_error *error) {
    const seq_item_store *store = &part->work->store;
    size_t count = 0;
    seq_status status =
        seq_allocate(&part->recordings, store->count, sizeof *part->recordings, "strings", error);
    for (size_t i = 0; !status && i < store->count; i++) {
        if (store->items[i].split != (unsigned char)part->split || store->items[i].twin) continue;
        groups[count] = store->items[i].name;
        part->recordings[count++] = i;
    }
    *out_count = count;
    return status;
}

static seq_status begin_listing(listing *listing, seq_error *error) {
    listing->stream = open_memstream(&listing->text, &listing->size);
    return listing->stream ? SEQ_OK : seq_error_set(error, SEQ_NO_MEMORY, "strings: out of memory");
}

// Writes it as PART.ENDING, unless `status` is a failure.
static seq_status end_listing(const part *part, listing *listing, const char *ending,
                              seq_status status, seq_error *error) {
    char path[SEQ_PATH];
    if (!listing->stream) return status;
    seq_status closed =
        seq_memory_stream_close(listing->stream, &listing->text, error, "listing the strings");
    snprintf(path, sizeof path, "%s/%s.%s", part->work->prepare->string_files,
             seq_split_name(part->split), ending);
    if (!status && !closed)
        closed = seq_file_write_atomic(path, listing->text, listing->size, error);
    free(listing->text);
    return status ? status : closed;
}

static seq_status begin_part(part *part, seq_error *error) {
    const seq_prepare_items *prepare = part->work->prepare;
    const seq_schema *schema = &part->work->schema;
    int32_t *groups = NULL;
    size_t count = 0;
    seq_status status =
        seq_allocate(&groups, part->work->store.count, sizeof *groups, "strings", error);
    if (!status) status = list_recordings(part, groups, &count, error);
    if (!status)
        status =
            seq_join_plan_create(&part->plan, (int64_t)count, prepare->group_label ? groups : NULL,
                                 prepare->strings.most, prepare->seed, error);
    if (!status)
        status = seq_joiner_create(&prepare->strings, schema,
                                   seq_join_tags(schema) < 0 ? NULL : part->work->targets,
                                   prepare->seed, &part->joiner, error);
    free(groups);
    if (status || !prepare->string_files || !count) return status;
    status = begin_listing(&part->times, error);
    if (!status && prepare->group_label) status = begin_listing(&part->groups, error);
    if (status) return status;
    if (part->groups.stream) fprintf(part->groups.stream, "path\t%s\n", prepare->group_label);
    return seq_directory_create(prepare->string_files, error);
}

static seq_status end_part(part *part, seq_status status, seq_error *error) {
    status = end_listing(part, &part->times, "ctm", status, error);
    status = end_listing(part, &part->groups, "tsv", status, error);
    for (int i = 0; i < SEQ_COLUMNS; i++) {
        free(part->gathered.ids[i]);
        free(part->gathered.values[i]);
    }
    for (int axis = 0; axis < SEQ_AXES; axis++)
        free(part->gathered.lengths[axis]);
    free(part->gathered.groups);
    free(part->recordings);
    seq_joiner_destroy(part->joiner);
    seq_join_plan_clear(&part->plan);
    return status;
}

seq_status seq_item_write_strings(seq_item_work *work, seq_dataset_writer *writer, seq_split split,
                                  const int32_t *group, seq_error *error) {
    part part = {.work = work, .writer = writer, .split = split, .group = group};
    int64_t wanted = work->prepare->string_count;
    seq_status status = begin_part(&part, error);
    if (!wanted) wanted = part.plan.strings;
    for (int64_t pass = 0; !status && part.plan.items && part.made < wanted; pass++) {
        seq_join_plan_make(&part.plan, pass);
        for (int64_t s = 0; !status && s < part.plan.strings && part.made < wanted; s++)
            status = write_string(&part, s, error);
    }
    return end_part(&part, status, error);
}
