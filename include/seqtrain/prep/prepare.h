// seqprep's work: raw files -> data set, in bounded memory.
#ifndef SEQTRAIN_PREP_PREPARE_H
#define SEQTRAIN_PREP_PREPARE_H

#include <seqtrain/data/dataset.h>
#include <seqtrain/prep/merges.h>
#include <seqtrain/storage/vector_file.h>

typedef struct seq_prepare {
    seq_text_rules rules;
    const char *output; // must not exist, or be an empty directory, or hold a data set and `force`
                        // is set; not inside an input folder
    bool force;
    const char *const *inputs; // files, folders (read recursively in name order), "-"; their first
                               // bytes say whether and how they are unpacked
    size_t input_count;
    bool reverse;    // units of each line or document from the last to the first, then <eos>; those
                     // of a split where there is no <eos>
    bool as_is;      // bytes as they are: nothing is unpacked, no form of file refused
    uint64_t memory; // bytes that unpacking an input may take; 0: any
    double valid_fraction,
        test_fraction; // of the tokens, from the end of the corpus; 0 when a file is given
    const char *valid_file, *test_file; // NULL: none
    int64_t min_count;                  // a unit seen less often in the training part becomes <unk>
    int64_t max_vocabulary;             // 0: no limit; most frequent first, ties by text
    const char *vocabulary_from;        // data set or vocabulary.tsv to reuse; NULL: build
    seq_merges_wish merges;             // unit subword
    bool drop_missing;   // what neither that nor its <unk> covers is left out; else SEQ_BAD_INPUT
    size_t shard_tokens; // tokens a shard at most
    seq_pipeline pipeline;
    int threads;           // 0: as many as there are processors; the result does not depend on it
    bool (*stopped)(void); // asked now and then: true ends the work with SEQ_STOPPED; NULL: never
} seq_prepare;

// Progress, and warnings of what is odd in the inputs, go to the log. Works in a directory beside
// `output` that takes its place when it is complete, or, where `output` is an empty folder or
// cannot be renamed, in one inside it; removes it when it fails or is stopped, so that `output` is
// what it was before or the whole new data set. (Killed in the last moment of replacing a data set
// that cannot be renamed, it leaves none.) One job at a time on a name: the second is
// SEQ_BAD_USAGE. Links are followed.
seq_status seq_prepare_run(const seq_prepare *prepare, seq_error *error);

#endif
