// Tags -> entities -> tags. Reading is lenient and the same for all schemes that
// use B and I: an entity begins at B or S (U), and at I or E (L) where none of
// its type is open; it ends behind E or S (L, U). Writing is strict. So a repair
// is reading and writing in one scheme, and a conversion writes in another.
// Invariant: converting there and back gives well-formed tags again, adjacent
// entities of one type included. Tests: tests/unit/prep/test_tag_scheme.c.
#include <seqtrain/prep/tag_scheme.h>
#include <stdio.h>
#include <string.h>

typedef struct scheme_row {
    const char *name;
    char last, single; // 0: the scheme has no letter for it
} scheme_row;

static const scheme_row rows[SEQ_TAG_SCHEMES] = {
    [SEQ_TAGS_NONE] = {"none", 0, 0},       [SEQ_TAGS_IOB1] = {"iob1", 0, 0},
    [SEQ_TAGS_IOB2] = {"iob2", 0, 0},       [SEQ_TAGS_IOBES] = {"iobes", 'E', 'S'},
    [SEQ_TAGS_BILOU] = {"bilou", 'L', 'U'},
};

const char *seq_tag_scheme_name(seq_tag_scheme scheme) {
    return rows[scheme].name;
}

bool seq_tag_scheme_find(const char *name, seq_tag_scheme *out) {
    for (int i = 0; i < SEQ_TAG_SCHEMES; i++)
        if (strcmp(rows[i].name, name) == 0) {
            *out = (seq_tag_scheme)i;
            return true;
        }
    return false;
}

seq_tag seq_tag_parse(const char *text, size_t size) {
    if (size == 1 && *text == 'O') return (seq_tag){'O', text + 1, 0};
    if (size > 2 && text[1] == '-' && memchr("BIESLU", *text, 6))
        return (seq_tag){*text, text + 2, size - 2};
    return (seq_tag){0, text, size};
}

bool seq_tag_same_type(seq_tag a, seq_tag b) {
    return a.size == b.size && memcmp(a.type, b.type, a.size) == 0;
}

size_t seq_tag_text(seq_tag tag, char *out, size_t capacity) {
    char head[3] = {tag.prefix, tag.size ? '-' : '\0', '\0'};
    int size = snprintf(out, capacity, "%s%.*s", head, (int)tag.size, tag.type);
    return (size_t)size;
}

static bool is_single(seq_tag tag) {
    return tag.prefix == 'S' || tag.prefix == 'U';
}

static bool is_last(seq_tag tag) {
    return is_single(tag) || tag.prefix == 'E' || tag.prefix == 'L';
}

static bool is_inside(seq_tag tag) {
    return tag.prefix != 0 && tag.prefix != 'O';
}

// Whether `tag` continues the entity that `before` belongs to.
static bool continues(const seq_tag *before, seq_tag tag) {
    return before && is_inside(*before) && !is_last(*before) && tag.prefix != 'B' &&
           !is_single(tag) && seq_tag_same_type(*before, tag);
}

void seq_tag_evidence_add(seq_tag_evidence *evidence, const seq_tag *tags, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const seq_tag tag = tags[i], *before = i ? &tags[i - 1] : NULL;
        evidence->tags++;
        evidence->outside += tag.prefix == 'O';
        evidence->formless += tag.prefix == 0;
        evidence->ends += tag.prefix == 'E' || tag.prefix == 'S';
        evidence->lasts += tag.prefix == 'L' || tag.prefix == 'U';
        evidence->loose_inside += tag.prefix == 'I' && !continues(before, tag);
        evidence->loose_begin +=
            tag.prefix == 'B' && !(before && is_inside(*before) && seq_tag_same_type(*before, tag));
    }
}

bool seq_tag_scheme_detect(const seq_tag_evidence *evidence, seq_tag_scheme *out) {
    int64_t formed = evidence->tags - evidence->outside - evidence->formless;
    *out = SEQ_TAGS_NONE;
    if (formed == 0) return true;
    if (evidence->formless) return false;
    if (evidence->lasts > evidence->ends)
        *out = SEQ_TAGS_BILOU;
    else if (evidence->ends)
        *out = SEQ_TAGS_IOBES;
    else
        *out = evidence->loose_inside > evidence->loose_begin ? SEQ_TAGS_IOB1 : SEQ_TAGS_IOB2;
    return true;
}

size_t seq_tag_spans(seq_tag_scheme scheme, const seq_tag *tags, size_t count, seq_tag_span *out) {
    size_t spans = 0;
    if (scheme == SEQ_TAGS_NONE) return 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_inside(tags[i])) continue;
        if (!continues(i ? &tags[i - 1] : NULL, tags[i]))
            out[spans++] = (seq_tag_span){i, i + 1};
        else
            out[spans - 1].end = i + 1;
    }
    return spans;
}

// `adjacent`: an entity of the same type ends right before this one.
static char letter(seq_tag_scheme scheme, seq_tag_span span, size_t at, bool adjacent) {
    bool first = at == span.begin, last = at + 1 == span.end;
    if (rows[scheme].single && first && last) return rows[scheme].single;
    if (rows[scheme].last && last) return rows[scheme].last;
    if (!first) return 'I';
    return scheme == SEQ_TAGS_IOB1 && !adjacent ? 'I' : 'B';
}

size_t seq_tag_convert(seq_tag_scheme from, seq_tag_scheme to, seq_tag *tags, size_t count,
                       seq_tag_span *spans) {
    size_t broken = 0;
    if (from == SEQ_TAGS_NONE || to == SEQ_TAGS_NONE) return 0;
    size_t span_count = seq_tag_spans(from, tags, count, spans);
    for (size_t i = 0; i < span_count; i++) {
        seq_tag_span span = spans[i];
        bool adjacent = i && spans[i - 1].end == span.begin &&
                        seq_tag_same_type(tags[span.begin - 1], tags[span.begin]);
        for (size_t at = span.begin; at < span.end; at++) {
            broken += tags[at].prefix != letter(from, span, at, adjacent);
            tags[at].prefix = letter(to, span, at, adjacent);
        }
    }
    return broken;
}
