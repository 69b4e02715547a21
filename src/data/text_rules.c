// The rules of a tokenizer as entries of a record, and back. Invariant: a rule
// that was added later stays out where it has its default, so old files keep
// their bytes and are read as before. Tests: tests/unit/data/test_vocabulary.c,
// tests/fuzz/fuzz_vocabulary.c.
#include <seqtrain/data/vocabulary.h>
#include <stddef.h>
#include <string.h>

static const char *const units[] = {"byte", "char", "abc", "word", "subword", NULL};
static const char *const punctuations[] = {"keep", "split", "drop", NULL};
static const char *const ends[] = {"none", "line", "document", NULL};
static const char *const invalids[] = {"error", "replace", NULL};
static const char *const long_words[] = {"error", "unk", "drop", NULL};
static const char *const flags[] = {"no", "yes", NULL};

seq_status seq_text_rules_write(const seq_text_rules *rules, seq_record *record, seq_error *error) {
    seq_status status = seq_record_set_text(record, "unit", units[rules->unit], error);
    if (!status)
        status =
            seq_record_set_text(record, "punctuation", punctuations[rules->punctuation], error);
    if (!status) status = seq_record_set_text(record, "lower", flags[rules->lower], error);
    if (!status) status = seq_record_set_text(record, "nfc", flags[rules->nfc], error);
    if (!status) status = seq_record_set_text(record, "eos", ends[rules->eos], error);
    if (!status) status = seq_record_set_text(record, "invalid", invalids[rules->invalid], error);
    // Where it is the default it stays out: files are those of the programs before it was there.
    if (!status && rules->long_words)
        status = seq_record_set_text(record, "long_words", long_words[rules->long_words], error);
    return status;
}

static seq_status read_choice(const seq_record *record, const char *key, const char *const *choices,
                              int *out, seq_error *error) {
    const char *text = seq_record_text(record, key);
    for (int i = 0; text && choices[i]; i++)
        if (strcmp(text, choices[i]) == 0) {
            *out = i;
            return SEQ_OK;
        }
    return seq_error_set(error, SEQ_BAD_INPUT, "text rules: key %s is %.40s", key,
                         text ? text : "missing");
}

seq_status seq_text_rules_read(seq_text_rules *out, const seq_record *record, seq_error *error) {
    int unit = 0, punctuation = 0, lower = 0, nfc = 0, eos = 0, invalid = 0, longs = 0;
    seq_status status = read_choice(record, "unit", units, &unit, error);
    if (!status) status = read_choice(record, "punctuation", punctuations, &punctuation, error);
    if (!status) status = read_choice(record, "lower", flags, &lower, error);
    if (!status) status = read_choice(record, "nfc", flags, &nfc, error);
    if (!status) status = read_choice(record, "eos", ends, &eos, error);
    if (!status) status = read_choice(record, "invalid", invalids, &invalid, error);
    if (!status && seq_record_text(record, "long_words"))
        status = read_choice(record, "long_words", long_words, &longs, error);
    *out = (seq_text_rules){.unit = (seq_unit)unit,
                            .punctuation = (seq_punctuation)punctuation,
                            .lower = lower,
                            .nfc = nfc,
                            .eos = (seq_eos)eos,
                            .invalid = (seq_invalid)invalid,
                            .long_words = (seq_long_words)longs};
    return status;
}
