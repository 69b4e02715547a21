// Conditions on fields: FIELD, a sign, a value; several with commas between them
// must all hold. Two numbers are compared as numbers, so 07 is 7; anything else
// by bytes. Tests: tests/unit/prep/test_name_fields.c.
#include "item_condition.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static const char *const signs[] = {">=", "<=", "!=", "=", "<", ">"};
enum { SIGNS = sizeof signs / sizeof *signs };

static const char *sign_at(const char *text) {
    for (int i = 0; i < SIGNS; i++)
        if (strncmp(text, signs[i], strlen(signs[i])) == 0) return signs[i];
    return NULL;
}

bool seq_is_condition(const char *text) {
    size_t name = strcspn(text, "<>=!,/");
    return name && sign_at(text + name);
}

seq_status seq_condition_parse(const char *option, const char *text, seq_condition *out,
                               seq_error *error) {
    *out = (seq_condition){0};
    if (!text) return SEQ_OK;
    size_t size = strlen(text) + 1;
    seq_status status = seq_allocate(&out->text, size, 1, "a condition", error);
    if (status) return status;
    memcpy(out->text, text, size);
    for (char *rest = out->text; rest;) {
        char *entry = strsep(&rest, ","), *at = entry + strcspn(entry, "<>=!");
        const char *sign = sign_at(at);
        if (!sign || at == entry || !at[strlen(sign)] || out->count == SEQ_CONDITION_TERMS)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s %s: expected conditions on fields such as index<10 or "
                                 "speaker=ann,index>=5, %d at most",
                                 option, text, SEQ_CONDITION_TERMS);
        *at = '\0';
        out->terms[out->count++] = (seq_condition_term){entry, sign, at + strlen(sign)};
    }
    return SEQ_OK;
}

void seq_condition_clear(seq_condition *condition) {
    free(condition->text);
    *condition = (seq_condition){0};
}

static int compare(const char *one, const char *other) {
    char *one_end, *other_end;
    double x = strtod(one, &one_end), y = strtod(other, &other_end);
    bool numbers = one_end != one && !*one_end && other_end != other && !*other_end;
    return numbers ? (x > y) - (x < y) : strcmp(one, other);
}

static bool holds(const seq_condition_term *term, const char *value) {
    int order = compare(value, term->value);
    if (*term->sign == '!') return order != 0;
    if (*term->sign == '=') return order == 0;
    if (order == 0) return term->sign[1] == '=';
    return (order < 0) == (*term->sign == '<');
}

seq_status seq_condition_holds(const seq_condition *condition, const seq_item *item, bool *out,
                               seq_error *error) {
    *out = condition->text != NULL;
    for (int i = 0; i < condition->count; i++) {
        const seq_condition_term *term = &condition->terms[i];
        const seq_item_field *field = seq_item_find(item, term->field);
        if (!field || field->count != 1)
            return seq_item_refuse(item->file, item->line, 0, error,
                                   "'%s%s%s': the item has no field '%s' of one value", term->field,
                                   term->sign, term->value, term->field);
        *out = *out && holds(term, field->values->bytes);
    }
    return SEQ_OK;
}
