// Which labels may follow each other under a tag scheme, as a table that the field and its users
// read. BIO: I-X follows B-X or I-X. IOBES: B-X and I-X stay open until E-X. A sequence may begin
// where an O was before it and end where an O may follow. Test: tests/unit/nn/test_crf_mask.c.
#include <seqtrain/nn/crf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The letter and the type of a label; O and the borders of a sequence have no type.
typedef struct tag {
    char letter;
    const char *type;
} tag;

static const tag border = {'O', ""};

static tag parse(const char *label) {
    size_t skipped = label[1] == '-' ? 2 : 1;
    return (tag){label[0], label + skipped};
}

static bool well_formed(seq_tag_scheme scheme, const char *label) {
    const char *letters = scheme == SEQ_TAGS_BIO ? "BI" : "BIES";
    if (strcmp(label, "O") == 0) return true;
    if (!label[0] || !strchr(letters, label[0])) return false;
    return !label[1] || (label[1] == '-' && label[2]);
}

static bool follows_bio(tag from, tag to) {
    return to.letter != 'I' || (strchr("BI", from.letter) && strcmp(from.type, to.type) == 0);
}

static bool follows_iobes(tag from, tag to) {
    bool open = strchr("BI", from.letter), goes_on = strchr("IE", to.letter);
    return open == goes_on && (!open || strcmp(from.type, to.type) == 0);
}

seq_status seq_crf_allow(seq_tag_scheme scheme, const char *const *labels, int count,
                         unsigned char *allowed, seq_error *error) {
    size_t line = (size_t)count + 1;
    memset(allowed, scheme == SEQ_TAGS_FREE, line * line);
    if (scheme == SEQ_TAGS_FREE) return SEQ_OK;
    for (int i = 0; i < count; i++)
        if (!well_formed(scheme, labels[i]))
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "label %d of %d, \"%s\": expected O or a letter of %s, alone or "
                                 "followed by - and a type",
                                 i + 1, count, labels[i],
                                 scheme == SEQ_TAGS_BIO ? "BIO (B, I)" : "IOBES (B, I, E, S)");
    for (int from = 0; from <= count; from++)
        for (int to = 0; to <= count; to++) {
            tag a = from < count ? parse(labels[from]) : border;
            tag b = to < count ? parse(labels[to]) : border;
            allowed[(size_t)from * line + (size_t)to] =
                scheme == SEQ_TAGS_BIO ? follows_bio(a, b) : follows_iobes(a, b);
        }
    return SEQ_OK;
}

// The labels that a step can have when the one before can have `now`.
static void advance(const unsigned char *allowed, size_t count, const unsigned char *now,
                    unsigned char *next) {
    memset(next, 0, count);
    for (size_t from = 0; from < count; from++)
        for (size_t to = 0; now[from] && to < count; to++)
            next[to] |= allowed[from * (count + 1) + to];
}

static bool can_end(const unsigned char *allowed, size_t count, const unsigned char *now) {
    for (size_t from = 0; from < count; from++)
        if (now[from] && allowed[from * (count + 1) + count]) return true;
    return false;
}

// now and next: (count) each.
static seq_status check_lengths(const unsigned char *allowed, size_t count, int longest,
                                unsigned char *now, unsigned char *next, seq_error *error) {
    memcpy(now, allowed + count * (count + 1), count);
    for (int length = 1; length <= longest; length++) {
        if (!can_end(allowed, count, now))
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "%zu labels: no sequence of length %d is allowed", count, length);
        advance(allowed, count, now, next);
        if (memcmp(now, next, count) == 0) break; // and so for all lengths after it
        memcpy(now, next, count);
    }
    return SEQ_OK;
}

// Marks the labels that are on a way from the start, or, backwards, to the end.
static void reach(const unsigned char *allowed, size_t count, bool backwards,
                  unsigned char *reached) {
    size_t line = count + 1, out = backwards ? 1 : line, in = backwards ? line : 1;
    for (size_t label = 0; label < count; label++)
        reached[label] = allowed[count * out + label * in];
    for (bool more = true; more;) {
        more = false;
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; reached[a] && b < count; b++)
                if (!reached[b] && allowed[a * out + b * in]) {
                    reached[b] = 1;
                    more = true;
                }
    }
}

static seq_status check_labels(const unsigned char *allowed, const char *const *labels,
                               size_t count, unsigned char *reached, unsigned char *ends,
                               seq_error *error) {
    reach(allowed, count, false, reached);
    reach(allowed, count, true, ends);
    for (size_t label = 0; label < count; label++)
        if (!reached[label] || !ends[label])
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "label %zu of %zu, \"%s\": no allowed sequence of labels has it: "
                                 "%s",
                                 label + 1, count, labels[label],
                                 reached[label] ? "it leads to no end" : "no start leads to it");
    return SEQ_OK;
}

seq_status seq_crf_check(const unsigned char *allowed, const char *const *labels, int count,
                         int longest, seq_error *error) {
    unsigned char *marks = NULL;
    size_t size = (size_t)count;
    seq_status status = seq_allocate(&marks, 2 * size, 1, "checking transitions", error);
    if (!status) status = check_labels(allowed, labels, size, marks, marks + size, error);
    if (!status) status = check_lengths(allowed, size, longest, marks, marks + size, error);
    free(marks);
    return status;
}

int seq_crf_first_forbidden(const unsigned char *allowed, int count, const int32_t *labels,
                            int length) {
    size_t before = (size_t)count, line = (size_t)count + 1;
    for (int t = 0; t < length; t++) {
        if (!allowed[before * line + (size_t)labels[t]]) return t;
        before = (size_t)labels[t];
    }
    return length && !allowed[before * line + (size_t)count] ? length : -1;
}
