// Labels, and what a tag says: B-person begins an entity of type person. Entities of a sequence of
// tags, in each of the schemes in use.
#ifndef SEQTRAIN_TASK_LABELS_H
#define SEQTRAIN_TASK_LABELS_H

#include <seqtrain/data/schema.h>
#include <seqtrain/data/vocabulary.h>
#include <seqtrain/task/strings.h>
#include <stdbool.h>

typedef struct seq_label_tag {
    char prefix;  // 'B', 'I', 'E', 'S', 'O'; 0: the label is not such a tag
    int32_t type; // index into seq_labels.types; -1 for O and for other labels
} seq_label_tag;

// Zero-initialise before use.
typedef struct seq_labels {
    seq_strings names, types;
    seq_label_tag *tags; // (names.count)
    size_t tags_capacity;
    int32_t outside; // 1 + the label of what lies between segments; 0: there are none
} seq_labels;

void seq_labels_clear(seq_labels *labels);
// The label's id, which is added where it is not there. L-, U- and M- are read as E-, S- and I-.
seq_status seq_labels_add(seq_labels *labels, const char *text, size_t size, int32_t *out,
                          seq_error *error);
// Every label of a closed list, with the id that it has there.
seq_status seq_labels_of_vocabulary(const seq_vocabulary *vocabulary, seq_labels *out,
                                    seq_error *error);

// Sets `outside` to what the schema's tags of frames have between intervals.
void seq_labels_find_outside(seq_labels *labels, const seq_schema *schema);

// IOB1: B only between two entities of one type that touch. IOB2 (BIO): each entity begins with B.
// IOBES: its last tag is E, one of a single token is S.
typedef enum seq_scheme {
    SEQ_SCHEME_NONE, // not tags of entities, such as parts of speech
    SEQ_SCHEME_IOB1,
    SEQ_SCHEME_IOB2,
    SEQ_SCHEME_IOBES,
    SEQ_SCHEMES
} seq_scheme;
extern const char *const seq_scheme_names[SEQ_SCHEMES + 1]; // "none", "iob1", ...; NULL-terminated
// Of the targets that a data set of this schema holds; none where they are no tags. SEQ_BAD_INPUT:
// a scheme that nobody knows.
seq_status seq_scheme_of_schema(const seq_schema *schema, seq_scheme *out, seq_error *error);

// How entities are read from tags that break the scheme. Both are exact spans with type.
typedef enum seq_reading {
    // conlleval of CoNLL-2000: a tag that continues nothing begins an entity, in any scheme; after
    // E or S another one begins.
    SEQ_READ_LENIENT,
    // An entity counts only if all its tags are as the scheme wants them.
    SEQ_READ_STRICT,
} seq_reading;

typedef struct seq_span {
    size_t begin, end; // tokens begin .. end-1
    int32_t type;
} seq_span;

// The next entity of tags[0..count) at or behind *at, which moves behind it. False: there is none.
// Ids that are negative are read as O.
bool seq_span_next(const seq_labels *labels, seq_scheme scheme, seq_reading reading,
                   const int32_t *ids, size_t count, size_t *at, seq_span *out);

// The scheme of sentences first[i] .. first[i+1]-1. A label that is no tag: none. E or S: IOBES. An
// I that begins an entity, and no B where IOB1 has none: IOB1. No entity at all: `usual`. Else
// IOB2.
seq_scheme seq_scheme_detect(const seq_labels *labels, seq_scheme usual, const int32_t *ids,
                             const size_t *first, size_t sentences);
// Entities of SEQ_READ_LENIENT that are none of SEQ_READ_STRICT.
int64_t seq_spans_broken(const seq_labels *labels, seq_scheme scheme, const int32_t *ids,
                         const size_t *first, size_t sentences);

#endif
