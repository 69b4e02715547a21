// Units of text and their numbers: byte, char (Unicode code point), abc (a symbol of ABC notation,
// data/abc.h), word, and subword (parts of a word, data/subword.h).
#ifndef SEQTRAIN_DATA_VOCABULARY_H
#define SEQTRAIN_DATA_VOCABULARY_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>
#include <seqtrain/batch/batch.h> // SEQ_NO_ID
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_unit {
    SEQ_UNIT_BYTE,
    SEQ_UNIT_CHAR,
    SEQ_UNIT_ABC,
    SEQ_UNIT_WORD,
    SEQ_UNIT_SUBWORD
} seq_unit;
typedef enum seq_punctuation {
    SEQ_PUNCTUATION_KEEP,
    SEQ_PUNCTUATION_SPLIT,
    SEQ_PUNCTUATION_DROP
} seq_punctuation;
typedef enum seq_eos { SEQ_EOS_NONE, SEQ_EOS_LINE, SEQ_EOS_DOCUMENT } seq_eos;
typedef enum seq_invalid { SEQ_INVALID_ERROR, SEQ_INVALID_REPLACE } seq_invalid;
typedef enum seq_long_words { SEQ_LONG_ERROR, SEQ_LONG_UNK, SEQ_LONG_DROP } seq_long_words;

// How text becomes units: decided by seqprep, recorded in the data set and in every checkpoint,
// reused for primes and scores.
typedef struct seq_text_rules {
    seq_unit unit;
    seq_punctuation punctuation; // word
    bool lower;                  // char and word: Unicode lower case
    bool nfc;                    // char and word: Unicode normal form C
    seq_eos eos;
    seq_invalid invalid;       // bytes that are not UTF-8, and NUL (char and word)
    seq_long_words long_words; // of more than 64 KB (word)
    // Not recorded, a vocabulary's content says it: made of characters when CR alone and NEL ended
    // no line, so it has CR as a token, or NEL.
    bool keeps_carriage;
} seq_text_rules;
seq_status seq_text_rules_write(const seq_text_rules *rules, seq_record *record, seq_error *error);
seq_status seq_text_rules_read(seq_text_rules *out, const seq_record *record, seq_error *error);

typedef struct seq_vocabulary seq_vocabulary;

void seq_vocabulary_destroy(seq_vocabulary *vocabulary);
const seq_text_rules *seq_vocabulary_rules(const seq_vocabulary *vocabulary);
int seq_vocabulary_size(const seq_vocabulary *vocabulary);
int seq_vocabulary_unk(const seq_vocabulary *vocabulary); // SEQ_NO_ID: none
int seq_vocabulary_eos(const seq_vocabulary *vocabulary); // SEQ_NO_ID: none
// Text of a token, NUL-terminated, owned by the vocabulary; `size` (may be NULL) receives its
// bytes. "<unk>", "<eos>" for those.
const char *seq_vocabulary_text(const seq_vocabulary *vocabulary, int id, size_t *size);
int64_t seq_vocabulary_count(const seq_vocabulary *vocabulary,
                             int id); // occurrences in the training part
// SEQ_NO_ID when unknown.
int seq_vocabulary_find(const seq_vocabulary *vocabulary, const char *text, size_t size);
// The same, but <unk> when unknown; SEQ_NO_ID when there is none.
int seq_vocabulary_find_or_unk(const seq_vocabulary *vocabulary, const char *text, size_t size);
// The merges of unit subword; NULL: none.
struct seq_subword *seq_vocabulary_subword(const seq_vocabulary *vocabulary);
// Number of characters (code points; bytes for unit byte) that a token stands for in running text,
// for bits per character: a word, and the last unit of one, counts one more for the blank after it,
// a mark of a subword none; <eos> counts one (the line end).
int seq_vocabulary_characters(const seq_vocabulary *vocabulary, int id);

// vocabulary.tsv: a header line with rules, then "id <TAB> count <TAB> token" lines, tokens with \n
// \t \r \\ \xHH escapes. Reading is hostile-proof: line numbers in messages; `failure` as in
// seq_manifest_read. Unit subword: merges.txt (of vocabulary-NAME.tsv: merges-NAME.txt) beside it
// is written and read, too; the header has its hash, to which it is held, and the glossaries.
seq_status seq_vocabulary_read(const char *path, seq_status failure, seq_vocabulary **out,
                               seq_error *error);
seq_status seq_vocabulary_write(const seq_vocabulary *vocabulary, const char *path,
                                seq_error *error);

// Text -> ids as seqprep does it for a document of its own, without the final <eos> unless
// `with_eos`; what is unknown becomes <unk>, and is SEQ_BAD_INPUT when the vocabulary has none, as
// is text that is not UTF-8 or holds a NUL byte unless the rules replace it or the unit is byte
// (`what` names the text: "--prime", "FILE line 12"; the message has the byte offset in it).
// *out_ids from malloc; release with free().
seq_status seq_vocabulary_encode(const seq_vocabulary *vocabulary, const char *text, size_t size,
                                 bool with_eos, const char *what, int32_t **out_ids,
                                 size_t *out_count, seq_error *error);

// Ids -> text, piece by piece, for streaming output: words are joined by blanks (when the rules
// split punctuation, none before a closing and none after an opening mark; none after a line end),
// <eos> is a line end, subwords are joined, without their marks, and unit byte is written as is.
// Zero-initialise the state.
typedef struct seq_detokenizer {
    int previous; // id + 1 of the last token, 0 at the start
} seq_detokenizer;
// Appends to out (`capacity` bytes, at least SEQ_DECODED) and returns the bytes written.
enum { SEQ_DECODED = 4096 };
size_t seq_detokenize(seq_detokenizer *decoder, const seq_vocabulary *vocabulary, int id, char *out,
                      size_t capacity);

#endif
