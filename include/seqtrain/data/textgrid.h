// Intervals in time: the tiers of a Praat TextGrid, and lines of CTM.
//
// A TextGrid is read in its long and its short text form (Praat's manual,
// "TextGrid file formats"): whatever is no free-standing number, quoted text or
// flag is passed over, as Praat does. Text is UTF-8, with a BOM or without one,
// or UTF-16 with a BOM. Point tiers are counted and passed over.
//
// A CTM line is FILE CHANNEL START DURATION LABEL [CONFIDENCE]; fields are
// separated by blanks, and a line that begins with ;; is a comment.
//
// Times are seconds. Labels are UTF-8 without NUL; the label "" is an interval
// that nobody named, in most corpora a silence. Faults of a file are
// SEQ_BAD_INPUT: "reading FILE, line N: ...".
#ifndef SEQTRAIN_DATA_TEXTGRID_H
#define SEQTRAIN_DATA_TEXTGRID_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct seq_tier_interval {
    double start, end; // start <= end
    const char *label;
    int64_t line; // of the file, where its numbers begin; ignored by writers
} seq_tier_interval;

// Intervals rise and do not overlap by more than a microsecond; there may be gaps between them.
typedef struct seq_tier {
    const char *name;
    double start, end;
    seq_tier_interval *intervals;
    size_t count, capacity;
} seq_tier;

// Zero-initialise. After a reading, seq_textgrid_clear releases all that it points to.
typedef struct seq_textgrid {
    double start, end;
    seq_tier *tiers;
    size_t tier_count, tier_capacity;
    size_t point_tiers; // that were passed over
    char *text;         // labels and names of a reading lie here
} seq_textgrid;

seq_status seq_textgrid_read(const char *path, seq_textgrid *out, seq_error *error);
// The same of a file's bytes; `name` is for messages.
seq_status seq_textgrid_parse(const char *bytes, size_t size, const char *name, seq_textgrid *out,
                              seq_error *error);
void seq_textgrid_clear(seq_textgrid *grid);
// The interval tier of that name, or the only one for NULL. SEQ_BAD_INPUT names the tiers of `file`
// when there is no such tier, or more than one.
seq_status seq_textgrid_find(const seq_textgrid *grid, const char *tier, const char *file,
                             const seq_tier **out, seq_error *error);
// UTF-8 without BOM, 15 digits. Intervals have start < end, and lie within their tier. Gaps are
// filled with intervals "", since Praat wants none. Failures stay in the stream's error flag.
void seq_textgrid_print(FILE *stream, const seq_textgrid *grid, bool short_form);

// The label at a time, start <= time < end; NULL: there is none. *at is where the search begins and
// where it ended: times that rise cost one pass. Begin with 0.
const char *seq_tier_label(const seq_tier *tier, double time, size_t *at);

typedef struct seq_ctm_entry {
    const char *file, *channel;
    seq_tier_interval interval;
    double confidence; // NAN: none
} seq_ctm_entry;

typedef struct seq_ctm {
    seq_ctm_entry *entries; // in the order of the file
    size_t count, capacity;
    char *text; // their names and labels lie here
} seq_ctm;

seq_status seq_ctm_read(const char *path, seq_ctm *out, seq_error *error);
seq_status seq_ctm_parse(const char *bytes, size_t size, const char *name, seq_ctm *out,
                         seq_error *error);
void seq_ctm_clear(seq_ctm *ctm);
// A line, with 3 decimals. A blank in file, channel or label becomes <space>, which keeps the
// fields apart. An interval with the label "" is not written.
void seq_ctm_print(FILE *stream, const seq_ctm_entry *entry);

#endif
