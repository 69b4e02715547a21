// Groups of options: each has a struct of its own, and a program's table gives
// it a place behind the program's own. Places follow from the list of groups
// alone, so a group's values are found without a search by name. Invariant: an
// option of a group that is at its default is in no record, so records of
// versions before it stay equal. Test: tests/unit/base/test_settings.c.
#include "option_value.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/base/settings.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_ALIGNMENT = 16 };

// Where the values of group `wanted` begin; without it, where those of all groups end.
static size_t begin_of(const seq_program *program, const seq_option_group *wanted,
                       bool *out_found) {
    size_t begin = program->size;
    *out_found = false;
    for (const seq_option_group *const *group = program->groups; group && *group; group++) {
        begin = (begin + GROUP_ALIGNMENT - 1) / GROUP_ALIGNMENT * GROUP_ALIGNMENT;
        *out_found = *group == wanted;
        if (*out_found) break;
        begin += (*group)->size;
    }
    return begin;
}

size_t seq_program_values_size(const seq_program *program) {
    bool found;
    return begin_of(program, NULL, &found);
}

const void *seq_option_values(const seq_parsed *parsed, const seq_option_group *group) {
    bool found;
    size_t begin = begin_of(parsed->program, group, &found);
    return found ? (const char *)parsed->values + begin : NULL;
}

bool seq_option_is_absent(const seq_parsed *parsed, size_t index) {
    char text[SEQ_OPTION_ABSENT];
    const seq_option *option = &parsed->program->options[index];
    if (!(option->flags & SEQ_OPTION_ADDED)) return false;
    seq_option_get_text(parsed, index, text, sizeof text);
    return strcmp(text, option->absent) == 0;
}

static void join_group(const seq_program *base, const seq_option_group *group, seq_option *next) {
    bool found;
    size_t begin = begin_of(base, group, &found), count = seq_option_count(group->options);
    for (size_t i = 0; i < count; i++) {
        next[i] = group->options[i];
        if (next[i].type == SEQ_OPTION_HEADING) continue;
        next[i].offset += begin;
        next[i].flags |= SEQ_OPTION_ADDED;
        next[i].absent = next[i].standard ? next[i].standard : "";
    }
}

seq_status seq_program_join(const seq_program *base, seq_program *out, seq_error *error) {
    size_t count = seq_option_count(base->options), total = count + 1;
    seq_option *options = NULL;
    for (const seq_option_group *const *group = base->groups; group && *group; group++)
        total += seq_option_count((*group)->options);
    *out = *base;
    out->options = NULL;
    seq_status status = seq_allocate(&options, total, sizeof *options, "the options", error);
    if (status) return status;
    memcpy(options, base->options, count * sizeof *options);
    for (const seq_option_group *const *group = base->groups; group && *group; group++) {
        join_group(base, *group, options + count);
        count += seq_option_count((*group)->options);
    }
    options[count].type = SEQ_OPTION_END;
    out->options = options;
    return SEQ_OK;
}

void seq_program_clear(seq_program *joined) {
    free((void *)joined->options);
    joined->options = NULL;
}

// ---- settings

seq_status seq_settings_parse(const seq_program *base, int argc, char **argv, seq_settings *out,
                              seq_error *error) {
    size_t size = seq_program_values_size(base);
    *out = (seq_settings){0};
    seq_status status = seq_program_join(base, &out->program, error);
    if (!status) status = seq_allocate(&out->values, size, 1, "the options", error);
    return status ? status
                  : seq_options_parse(&out->program, argc, argv, out->values, size, &out->parsed,
                                      error);
}

// What the record has of these options.
static seq_status take(const seq_record *record, seq_settings *settings, seq_error *error) {
    const seq_option *option = settings->program.options;
    seq_error reason = {0};
    for (; !reason.status && option->type != SEQ_OPTION_END; option++) {
        const char *text =
            option->type == SEQ_OPTION_HEADING ? NULL : seq_record_text(record, option->name);
        if (text) seq_option_set(&settings->parsed, option->name, text, SEQ_FROM_RECORD, &reason);
    }
    if (!reason.status) return SEQ_OK;
    return seq_error_set(error, reason.status == SEQ_BAD_USAGE ? SEQ_NO_CHECKPOINT : reason.status,
                         "the recorded options: %s", reason.text);
}

seq_status seq_settings_read(const seq_option_group *const *groups, const seq_record *record,
                             seq_settings *out, seq_error *error) {
    static const seq_option none[] = {{.type = SEQ_OPTION_END}};
    const seq_program base = {
        .name = "a record", .synopsis = "", .options = none, .groups = groups};
    char *arguments[] = {"", NULL};
    seq_status status = seq_settings_parse(&base, 1, arguments, out, error);
    if (!status && record) status = take(record, out, error);
    if (status) seq_settings_clear(out);
    return status;
}

void seq_settings_clear(seq_settings *settings) {
    seq_options_clear(&settings->parsed);
    free(settings->values);
    seq_program_clear(&settings->program);
    *settings = (seq_settings){0};
}
