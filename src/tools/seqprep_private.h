// What the files of seqprep share.
#ifndef SEQ_TOOLS_SEQPREP_PRIVATE_H
#define SEQ_TOOLS_SEQPREP_PRIVATE_H

#include <seqtrain/base/option.h>
#include <seqtrain/prep/prepare_items.h>

typedef struct seqprep_options {
    int unit, punctuation, eos, invalid, long_words, missing, compression;
    bool lower, nfc, reverse, force, quiet, as_is;
    char *output, *valid, *test, *vocab;
    int64_t min_count, max_vocab, shard_tokens, compression_level, threads, max_memory;
    // Items.
    int task, reader, header, separator, blank_lines, missing_values, tag_scheme, stored_scheme;
    int normalise, unseen_groups, infeasible;
    bool quotes, stratify, reverse_complement, letters, casing, bar_position;
    char *columns, *ignore, *delimiter, *comment, *label_pattern, *label_table, *group,
        *group_label, *string_files, *intervals, *background, *folds, *tier, *labels, *numbers,
        *transpose;
    int64_t strings, gap_least, gap_most, gap_level, string_count;
    char *merges, *glossary; // of subwords
    int64_t vocabulary_threshold;
    // Pairs of texts.
    char *source, *target, *valid_source, *valid_target, *test_source, *test_target;
    bool joint, unescape;
    int64_t target_min_count, target_max_vocab;
    int64_t fold, seed, kmer, stride, max_length, overlap;
} seqprep_options;

bool seqprep_interrupted(void);
// A number below 1 is a fraction, one below 100 with a percent sign, too; anything else is a path.
seq_status seqprep_parse_split(const char *name, const char *text, double *fraction,
                               const char **file, seq_error *error);

// seqprep_merges.c: options of subwords; refuses them where units are others.
seq_status seqprep_take_merges(const seq_parsed *parsed, seq_unit unit, seq_merges_wish *out,
                               seq_error *error);

// seqprep_items.c
// Refuses options of items with --task lm.
seq_status seqprep_check_tokens(const seq_parsed *parsed, seq_error *error);
seq_status seqprep_run_items(const seq_parsed *parsed, seq_error *error);

#endif
