// The stages of seqprep: documents -> stream of provisional numbers in a temporary file ->
// vocabulary -> shards.
#ifndef SEQ_PREP_PREPARE_PRIVATE_H
#define SEQ_PREP_PREPARE_PRIVATE_H

#include <seqtrain/data/tokenizer.h>
#include "byte_reader.h"
#include <seqtrain/data/string_table.h>
#include "id_spool.h"
#include <seqtrain/data/vocabulary_builder.h>
#include <seqtrain/base/file.h>
#include <seqtrain/prep/prepare.h>

// Units of the whole corpus in order, as numbers of `types`, in one temporary file: the corpus is
// cut into units once, and memory holds the distinct ones only.
typedef struct seq_unit_stream {
    seq_string_table types; // counts are those of all units that were read
    seq_id_spool file;
    int threads;
    seq_text_counts counts;
    int64_t bytes; // read, unpacked
    int64_t documents;
    seq_byte_reader_rules packing;
    // Units that it lacks are left out; NULL: none are.
    const seq_vocabulary *cover;
    unsigned char *covered; // by number of a type: 0 not looked up yet, 1 yes, 2 no
    size_t covered_count, covered_capacity;
    int64_t missing; // left out
    size_t letters;  // of `types`, unit subword: see seq_subword_map
    char *notes;     // lines about what was changed in the inputs, or NULL
} seq_unit_stream;

typedef struct seq_unit_range {
    int64_t begin, end; // units of the stream
} seq_unit_range;

// read_units.c
seq_status seq_units_begin(seq_unit_stream *stream, const seq_prepare *prepare,
                           const char *directory, seq_error *error);
// All documents under these files and folders; "-" is standard input.
seq_status seq_units_read(seq_unit_stream *stream, const seq_text_rules *rules,
                          const char *const *paths, size_t count, seq_error *error);
void seq_units_end(seq_unit_stream *stream);
seq_status seq_units_check_stopped(const seq_unit_stream *stream, seq_error *error);
// Calls `take` with consecutive pieces of a range.
typedef seq_status (*seq_piece_sink)(void *context, const uint32_t *numbers, size_t count,
                                     seq_error *error);
seq_status seq_units_visit(const seq_unit_stream *stream, seq_unit_range range, seq_piece_sink take,
                           void *context, seq_error *error);

// reverse_units.c: turns the units of each line or document around, <eos> stays behind them; a
// split without any as a whole.
seq_status seq_units_reverse(seq_unit_stream *stream, const seq_unit_range ranges[SEQ_SPLITS],
                             const char *directory, seq_error *error);

// cut_words.c: unit subword: words become their units, and `ranges` those of units. `vocabulary`:
// the one that is used again; NULL: none. *out is the caller's.
seq_status seq_prepare_cut_words(const seq_prepare *prepare, seq_unit_stream *stream,
                                 seq_unit_range ranges[SEQ_SPLITS],
                                 const seq_vocabulary *vocabulary, const char *directory,
                                 seq_subword **out, seq_error *error);

// input_notes.c: warns of what is odd in the inputs, and fills stream->notes. Counts of types are
// those of the training range.
seq_status seq_prepare_notes(const seq_prepare *prepare, seq_unit_stream *stream,
                             const seq_vocabulary *vocabulary, seq_error *error);

// build_vocabulary.c: the vocabulary that is used again; *out NULL: none.
seq_status seq_prepare_reuse(const char *from, seq_vocabulary **out, seq_error *error);
// Takes the units of a range out of types.items[].count.
seq_status seq_units_discount(seq_unit_stream *stream, seq_unit_range range, seq_error *error);
// Leaves the training range alone in types.items[].count and builds the vocabulary, unless *out is
// one already. `subword`: its merges, or NULL.
seq_status seq_prepare_vocabulary(const seq_prepare *prepare, seq_unit_stream *stream,
                                  const seq_unit_range ranges[SEQ_SPLITS], seq_subword *subword,
                                  seq_vocabulary **out, seq_error *error);

// write_dataset.c: shards, vocabulary, summary and manifest into `directory`.
seq_status seq_prepare_write(const seq_prepare *prepare, const seq_unit_stream *stream,
                             const seq_unit_range ranges[SEQ_SPLITS],
                             const seq_vocabulary *vocabulary, const char *directory,
                             seq_error *error);

#endif
