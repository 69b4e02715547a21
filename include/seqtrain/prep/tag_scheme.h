// Tag schemes: how the tags of tokens say which tokens form an entity.
//
//   IOB1   I-x inside; B-x only where an entity follows another of its type
//   IOB2   B-x the first token of an entity, I-x the others
//   IOBES  B-x first, I-x inside, E-x last, S-x an entity of one token
//   BILOU  the same with L for E and U for S
//   none   tags mean nothing but themselves (part of speech): left alone
//
// Pure functions of plain data. Broken tags are read as conlleval reads them: an
// I-x that continues nothing begins an entity.
#ifndef SEQTRAIN_PREP_TAG_SCHEME_H
#define SEQTRAIN_PREP_TAG_SCHEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_tag_scheme {
    SEQ_TAGS_NONE,
    SEQ_TAGS_IOB1,
    SEQ_TAGS_IOB2,
    SEQ_TAGS_IOBES,
    SEQ_TAGS_BILOU,
    SEQ_TAG_SCHEMES
} seq_tag_scheme;
const char *seq_tag_scheme_name(seq_tag_scheme scheme); // "none", "iob1", "iob2", "iobes", "bilou"
bool seq_tag_scheme_find(const char *name, seq_tag_scheme *out);

// A tag cut in two: 'O' and no type, or a letter of BIESLU and a type. A tag of
// another form has prefix 0 and is all type. The type points into the text.
typedef struct seq_tag {
    char prefix;
    const char *type;
    size_t size;
} seq_tag;
seq_tag seq_tag_parse(const char *text, size_t size);
bool seq_tag_same_type(seq_tag a, seq_tag b);
// "O", "B-person", or the type alone, NUL-terminated. Returns the size without
// the NUL, whether it fits or not.
size_t seq_tag_text(seq_tag tag, char *out, size_t capacity);

// Counts from which the scheme is told. Zero-initialise, add every sentence.
typedef struct seq_tag_evidence {
    int64_t tags, outside, formless; // all; O; of another form
    int64_t ends;                    // E- and S-
    int64_t lasts;                   // L- and U-
    int64_t loose_inside;            // I- that continues nothing: no IOB2
    int64_t loose_begin;             // B- with no entity of its type before it: no IOB1
} seq_tag_evidence;
void seq_tag_evidence_add(seq_tag_evidence *evidence, const seq_tag *tags, size_t count);
// The scheme that breaks the fewest tags; none when no tag has a prefix. False: tags with a prefix
// and tags of no form (other than O) are mixed, so no scheme can be told.
bool seq_tag_scheme_detect(const seq_tag_evidence *evidence, seq_tag_scheme *out);

// Tokens [begin, end) of one entity.
typedef struct seq_tag_span {
    size_t begin, end;
} seq_tag_span;
// At most `count` spans, in order. A scheme of none has no spans.
size_t seq_tag_spans(seq_tag_scheme scheme, const seq_tag *tags, size_t count, seq_tag_span *out);
// Rewrites tags from one scheme to another in place; types point where they pointed. `spans` has
// room for `count`. Returns how many tags were broken: those that `from` writes otherwise. With
// `none` on either side nothing changes.
size_t seq_tag_convert(seq_tag_scheme from, seq_tag_scheme to, seq_tag *tags, size_t count,
                       seq_tag_span *spans);

#endif
