// A condition on the fields of an item: which part it belongs to, --test 'index<10'.
#ifndef SEQ_PREP_ITEM_CONDITION_H
#define SEQ_PREP_ITEM_CONDITION_H

#include <seqtrain/prep/prepare_items.h>

enum { SEQ_CONDITION_TERMS = 8 };

typedef struct seq_condition_term {
    const char *field, *sign, *value;
} seq_condition_term;

// Terms that all must hold.
typedef struct seq_condition {
    char *text; // what the terms point to; NULL: no condition
    int count;
    seq_condition_term terms[SEQ_CONDITION_TERMS];
} seq_condition;

// `text` NULL: none. SEQ_BAD_USAGE names --OPTION.
seq_status seq_condition_parse(const char *option, const char *text, seq_condition *out,
                               seq_error *error);
void seq_condition_clear(seq_condition *condition);
// Without a condition nothing holds. SEQ_BAD_INPUT: the item has no such field.
seq_status seq_condition_holds(const seq_condition *condition, const seq_item *item, bool *out,
                               seq_error *error);

#endif
