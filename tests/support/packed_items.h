// A few items on a tree of axes, packed longest first, and a model with all that a pass over them
// needs: what tests of graphs and of builders share.
#ifndef SEQ_TESTS_PACKED_ITEMS_H
#define SEQ_TESTS_PACKED_ITEMS_H

#include <seqtrain/base/settings.h>
#include <seqtrain/model/model.h>

enum { PACKED_AXES = 4, PACKED_ROOM = 64, PACKED_COLUMNS = 6 };

// The item, and the word of it, that a row belongs to.
typedef struct packed_origin {
    int item, word, time;
} packed_origin;

typedef struct packed_items {
    seq_batch batch;
    seq_limits limits;
    seq_axis_room rooms[PACKED_AXES];
    seq_arena arena;
    packed_origin origins[PACKED_AXES][PACKED_ROOM]; // of each row
    int32_t ids[PACKED_COLUMNS][PACKED_ROOM];        // for `columns`
    float numbers[PACKED_ROOM];
} packed_items;

typedef struct packed_rules {
    int axes;                 // the first are the examples
    int parents[PACKED_AXES]; // an axis whose parent is the examples has words
    int longest;
    int (*length)(int axis, const packed_origin *parent);
    void (*columns)(packed_items *out); // fills the columns; axes and origins are there
    seq_limits limits;
} packed_rules;

// The items of the list, in its order. Release with packed_items_drop.
packed_items *packed_items_make(const packed_rules *rules, const int *items, int count);
void packed_items_drop(packed_items *packed);

typedef struct model_case {
    seq_model *model;
    const seq_parameter_table *table;
    seq_workspace *workspace;
    float *parameters, *gradient;
    void *matrices; // packed when the case is opened, and by the functions below
    seq_weights weights;
} model_case;
// Takes the model; parameters are drawn from seed 3.
void model_case_open(model_case *out, seq_model *model, const seq_limits *limits);
void model_case_close(model_case *test);
// Masks of dropout and weight-drop are those of this seed and step.
enum { CASE_SEED = 9, CASE_STEP = 4 };
// Call it when a parameter has
// changed.
void model_case_pack(model_case *test);
// The loss; the gradient goes to `gradient`.
double model_case_train(model_case *test, const packed_items *packed, float *gradient);
// Without masks; model_case_pack must come before the next training. `losses` may be NULL.
double model_case_evaluate(model_case *test, const packed_items *packed, const seq_losses *losses);
// The gradient of each parameter against central differences, within 3e-3 of the largest.
void model_case_check_gradient(model_case *test, const packed_items *packed, const char *name);
// A gradient against one that was added up in another way, within 1e-5 of its norm.
void model_case_check_sum(const model_case *test, const float *gradient, const double *sum,
                          const char *name);
// Options of the groups (NULL-terminated) from words between blanks, without the program's name.
void parse_options(const seq_option_group *const *groups, const char *text, seq_settings *out);

#endif
