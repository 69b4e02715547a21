// The table of tasks, the options of all of them, and how a task's model is
// made: columns of the schema, then the nodes of the row. Invariant: an option
// that a task does not have never passes in silence. Tests:
// tests/unit/model/test_builders.c, tests/cli/task_checkpoint.sh.
#include <seqtrain/base/memory.h>
#include <seqtrain/model/casing.h>
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/condition.h>
#include <seqtrain/model/decoder.h>
#include <seqtrain/model/letters.h>
#include <seqtrain/model/pooling.h>
#include <seqtrain/model/regressor.h>
#include <seqtrain/model/tagger.h>
#include <seqtrain/task/task.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const seq_task *const tasks[] = {
    &seq_task_lm,         &seq_task_classify,  &seq_task_rate,     &seq_task_tag,
    &seq_task_transcribe, &seq_task_translate, &seq_task_generate, NULL};
const seq_option_group *const seq_task_groups[] = {&seq_stack_options,
                                                   &seq_pooling_options,
                                                   &seq_classifier_options,
                                                   &seq_regressor_options,
                                                   &seq_tagger_options,
                                                   &seq_letters_options,
                                                   &seq_casing_options,
                                                   &seq_decoder_options,
                                                   &seq_condition_options,
                                                   &seq_buckets_options,
                                                   NULL};

const seq_task *const *seq_tasks(void) {
    return tasks;
}

const seq_task *seq_task_find(const char *name) {
    const seq_task *const *task = tasks;
    while (*task && strcmp((*task)->name, name) != 0)
        task++;
    return *task;
}

// ---- options of other tasks

static bool has_group(const seq_task *task, const seq_option_group *group) {
    for (const seq_option_group *const *own = task->groups; own && *own; own++)
        if (*own == group) return true;
    return false;
}

static seq_status refuse(const seq_task *task, const seq_option_group *group, const char *option,
                         seq_error *error) {
    char others[200] = "";
    size_t used = 0;
    for (const seq_task *const *other = tasks; *other; other++)
        if (has_group(*other, group) && used < sizeof others)
            used += (size_t)snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "",
                                     (*other)->name);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--%s: the data set was prepared for the task %s, which has no such "
                         "option; %s ha%s it",
                         option, task->name, others, strchr(others, ',') ? "ve" : "s");
}

seq_status seq_task_check_options(const seq_task *task, const seq_parsed *settings,
                                  seq_error *error) {
    for (const seq_option_group *const *group = seq_task_groups; *group; group++) {
        if (has_group(task, *group)) continue;
        for (const seq_option *own = (*group)->options; own->type != SEQ_OPTION_END; own++) {
            int index = own->type == SEQ_OPTION_HEADING
                            ? -1
                            : seq_option_find(settings->program, own->name);
            if (index >= 0 && (settings->sources[index] == SEQ_FROM_COMMAND_LINE ||
                               !seq_option_is_absent(settings, (size_t)index)))
                return refuse(task, *group, own->name, error);
        }
    }
    return SEQ_OK;
}

// ---- schemas

// Whether the axis of a target is as a task wants it; `input`: that of the item's sequence.
static bool is_placed(seq_target_place place, const seq_schema *schema, int axis, int input) {
    if (place == SEQ_TARGET_ITSELF) return axis && axis != input && schema->axes[axis].parent == 0;
    return axis == (place == SEQ_TARGET_ROWS ? input : 0);
}

// Why a schema is none of the task's, or NULL. Models, measures and predictions rely on it.
static const char *misfit(const seq_task *task, const seq_schema *schema) {
    const seq_task_target *wanted = &task->target;
    int text = seq_schema_find_input(schema), letter = seq_schema_find_field(schema, "letter");
    if (!wanted->field) return NULL; // its columns are looked for by name
    if (schema->streams) return "it has no items";
    const seq_field *fields = schema->fields,
                    *target = &fields[schema->target < 0 ? 0 : schema->target];
    if (wanted->input && (text < 0 || strcmp(fields[text].name, wanted->input) != 0))
        return strcmp(wanted->input, "frames") == 0   ? "its items have no frames"
               : strcmp(wanted->input, "source") == 0 ? "its items have no source"
                                                      : "its items have no text";
    if (text < 0 || fields[text].kind > SEQ_FIELD_VALUES)
        return "it has no field text of ids or values, and no frames";
    if (strcmp(fields[text].name, "frames") == 0 &&
        (fields[text].kind != SEQ_FIELD_VALUES || seq_schema_find_field(schema, "text") >= 0))
        return "its field frames is none of values, or a text stands beside it";
    int axis = fields[text].axis;
    if (!axis || schema->axes[axis].parent || schema->length_axis != axis)
        return "its field text (or frames) is no sequence of an item, or its items are sorted by "
               "others";
    if (schema->target < 0 || strcmp(target->name, wanted->field) != 0 ||
        target->kind != wanted->kind || !is_placed(wanted->place, schema, target->axis, axis))
        return "its target is none of this task";
    bool vectors = fields[text].kind == SEQ_FIELD_VALUES;
    if (wanted->input && vectors != (strcmp(wanted->input, "frames") == 0))
        return "its items are sequences of another kind";
    if (letter >= 0 && (fields[letter].kind != SEQ_FIELD_IDS || !fields[letter].axis ||
                        schema->axes[fields[letter].axis].parent != axis))
        return "its field letter is no sequence of each row of text";
    return NULL;
}

static seq_status check_schema(const seq_task *task, const seq_schema *schema, seq_error *error) {
    const char *why = misfit(task, schema);
    return why ? seq_error_set(error, SEQ_BAD_INPUT, "schema of the task %s: %s", task->name, why)
               : SEQ_OK;
}

// ---- models

static seq_graph_field field_of(const seq_task_input *input, const seq_field *field,
                                const char *name) {
    bool ids = field->vocabulary >= 0;
    return (seq_graph_field){
        .name = name,
        .axis = field->axis,
        .ids = ids ? seq_vocabulary_size(input->vocabularies[field->vocabulary]) : 0,
        .width = ids ? 0 : field->width,
        .vocabulary = field->vocabulary,
    };
}

const char *seq_task_sequence(const seq_task_input *input) {
    int field = seq_schema_find_input(input->schema);
    return field < 0 ? "text" : input->schema->fields[field].name; // told as a column
}

const int64_t *seq_task_counts(const seq_task_input *input, seq_graph *graph, const char *field) {
    int index = seq_schema_find_field(input->schema, field);
    if (index < 0 || input->schema->fields[index].vocabulary < 0) return NULL; // told as a column
    const seq_vocabulary *vocabulary = input->vocabularies[input->schema->fields[index].vocabulary];
    int size = seq_vocabulary_size(vocabulary);
    int64_t *counts = NULL;
    const void *kept = NULL;
    if (!seq_allocate(&counts, (size_t)size, sizeof *counts, "counts of labels",
                      seq_graph_error(graph))) {
        for (int id = 0; id < size; id++)
            counts[id] = seq_vocabulary_count(vocabulary, id);
        kept = seq_graph_keep(graph, counts, (size_t)size * sizeof *counts);
    }
    free(counts);
    return kept;
}

enum { BEFORE = SEQ_FIELD_NAME + 8 };

// `before`: room for a name; it stays as long as nodes are added.
static seq_status create_graph(const seq_task_input *input, char before[BEFORE], seq_graph **out,
                               seq_error *error) {
    const seq_schema *schema = input->schema;
    seq_graph_field fields[SEQ_COLUMNS + 1];
    for (int i = 0; i < schema->field_count; i++)
        fields[i] = field_of(input, &schema->fields[i], schema->fields[i].name);
    int column = seq_schema_before_column(schema);
    if (column >= 0) {
        const seq_field *target = &schema->fields[schema->target];
        snprintf(before, BEFORE, "%s.before", target->name);
        fields[column] = field_of(input, target, before);
    }
    const seq_initial_choice choice = seq_model_initial_choice(input->config);
    return seq_graph_create(fields, seq_schema_columns(schema), &choice, out, error);
}

seq_status seq_task_model_at_rates(const seq_task *task, const seq_task_input *input,
                                   const seq_rates *rates, const seq_compute *compute,
                                   seq_model **out, seq_error *error) {
    seq_graph *graph = NULL;
    char before[BEFORE];
    seq_status status = check_schema(task, input->schema, error);
    if (!status) status = seq_task_check_options(task, input->settings, error);
    if (!status) status = seq_model_config_check(input->config, error);
    if (!status) status = create_graph(input, before, &graph, error);
    if (status) return status;
    task->build(input, graph);
    for (int i = 0; rates && i < rates->count; i++)
        seq_graph_rate(graph, rates->items[i].name, rates->items[i].rate);
    status = seq_graph_finish(graph, compute, out, error);
    if (!status) seq_model_set_config(*out, input->config);
    return status;
}

seq_status seq_task_model(const seq_task *task, const seq_task_input *input,
                          const seq_compute *compute, seq_model **out, seq_error *error) {
    return seq_task_model_at_rates(task, input, NULL, compute, out, error);
}
