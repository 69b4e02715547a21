// Entities of a sequence of tags. One scan, no memory: a reader of spans stands
// at a token and looks for the next entity that its rules accept. The rules of
// the lenient reading are those of conlleval, except that what follows an E or
// S always begins a new entity (conlleval joins E and B). Invariant: spans come
// in order and do not overlap. Test: tests/unit/task/test_spans.c.
#include <seqtrain/task/labels.h>

const char *const seq_scheme_names[SEQ_SCHEMES + 1] = {"none", "iob1", "iob2", "iobes", NULL};

static seq_label_tag tag_of(const seq_labels *labels, int32_t id) {
    return id < 0 || !labels->tags[id].prefix ? (seq_label_tag){'O', -1} : labels->tags[id];
}

// Whether `tag` goes on with the entity that `before` belongs to.
static bool continues(seq_label_tag before, seq_label_tag tag) {
    return (tag.prefix == 'I' || tag.prefix == 'E') && before.prefix != 'O' &&
           before.prefix != 'E' && before.prefix != 'S' && before.type == tag.type;
}

static size_t end_of_chunk(const seq_labels *labels, const int32_t *ids, size_t count, size_t at) {
    while (++at < count && continues(tag_of(labels, ids[at - 1]), tag_of(labels, ids[at])))
        ;
    return at;
}

// Whether the chunk begin .. end-1 of the lenient reading is written as the scheme wants it.
static bool is_strict(const seq_labels *labels, seq_scheme scheme, const int32_t *ids,
                      const seq_span *span) {
    seq_label_tag first = tag_of(labels, ids[span->begin]),
                  last = tag_of(labels, ids[span->end - 1]);
    seq_label_tag before =
        span->begin ? tag_of(labels, ids[span->begin - 1]) : (seq_label_tag){'O', -1};
    if (scheme == SEQ_SCHEME_IOBES) {
        bool single = span->end - span->begin == 1;
        return single ? first.prefix == 'S' : first.prefix == 'B' && last.prefix == 'E';
    }
    if (last.prefix == 'E' || last.prefix == 'S') return false;
    if (scheme == SEQ_SCHEME_IOB1)
        return first.prefix == 'I' || (first.prefix == 'B' && before.type == first.type);
    return first.prefix == 'B';
}

bool seq_span_next(const seq_labels *labels, seq_scheme scheme, seq_reading reading,
                   const int32_t *ids, size_t count, size_t *at, seq_span *out) {
    while (*at < count) {
        seq_label_tag tag = tag_of(labels, ids[*at]);
        if (tag.prefix == 'O') {
            ++*at;
            continue;
        }
        *out = (seq_span){*at, end_of_chunk(labels, ids, count, *at), tag.type};
        *at = out->end;
        if (reading == SEQ_READ_LENIENT || is_strict(labels, scheme, ids, out)) return true;
    }
    return false;
}

// What there is in the tags: a bit each.
enum { SEEN_TAG = 1, SEEN_E_OR_S = 2, SEEN_OTHER = 4, BEGINS_WITH_I = 8, NOT_IOB1 = 16 };

static unsigned look_at_sentence(const seq_labels *labels, const int32_t *ids, size_t count) {
    unsigned seen = 0;
    seq_label_tag before = {'O', -1};
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= 0 && !labels->tags[ids[i]].prefix) seen |= SEEN_OTHER;
        seq_label_tag tag = tag_of(labels, ids[i]);
        bool begins = tag.prefix != 'O' && !continues(before, tag);
        seen |= tag.prefix != 'O' ? SEEN_TAG : 0;
        seen |= tag.prefix == 'E' || tag.prefix == 'S' ? SEEN_E_OR_S : 0;
        seen |= tag.prefix == 'I' && begins ? BEGINS_WITH_I : 0;
        seen |= tag.prefix == 'B' && before.type != tag.type ? NOT_IOB1 : 0;
        before = tag;
    }
    return seen;
}

seq_scheme seq_scheme_detect(const seq_labels *labels, seq_scheme usual, const int32_t *ids,
                             const size_t *first, size_t sentences) {
    unsigned seen = 0;
    for (size_t i = 0; i < sentences; i++)
        seen |= look_at_sentence(labels, ids + first[i], first[i + 1] - first[i]);
    if (seen & SEEN_OTHER) return SEQ_SCHEME_NONE;
    if (seen & SEEN_E_OR_S) return SEQ_SCHEME_IOBES;
    if (!(seen & SEEN_TAG)) return usual;
    if ((seen & BEGINS_WITH_I) && !(seen & NOT_IOB1)) return SEQ_SCHEME_IOB1;
    return SEQ_SCHEME_IOB2;
}

int64_t seq_spans_broken(const seq_labels *labels, seq_scheme scheme, const int32_t *ids,
                         const size_t *first, size_t sentences) {
    int64_t broken = 0;
    seq_span span;
    for (size_t i = 0; i < sentences; i++)
        for (size_t at = 0; seq_span_next(labels, scheme, SEQ_READ_LENIENT, ids + first[i],
                                          first[i + 1] - first[i], &at, &span);)
            broken += !is_strict(labels, scheme, ids + first[i], &span);
    return broken;
}
