// seqprep's options of subwords -> seq_merges_wish. One that would have no effect is refused.
// Tests: tests/cli/subword.sh.
#include "seqprep_private.h"
#include <stdlib.h>
#include <string.h>

static bool is_given(const seq_parsed *parsed, const char *name) {
    return parsed->sources[seq_option_find(parsed->program, name)] != SEQ_FROM_DEFAULT;
}

static seq_status refuse_given(const seq_parsed *parsed, const char *const *names, const char *why,
                               seq_error *error) {
    for (; *names; names++)
        if (is_given(parsed, *names))
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: %s", *names, why);
    return SEQ_OK;
}

// A number, also as 8k; anything else is a file.
static seq_status parse_merges(const char *text, seq_merges_wish *out, seq_error *error) {
    size_t digits = strspn(text, "0123456789");
    bool thousands = strcmp(text + digits, "k") == 0;
    if (!digits || (text[digits] && !thousands)) {
        out->file = text;
        return SEQ_OK;
    }
    double number = strtod(text, NULL) * (thousands ? 1000 : 1);
    if (number < 1 || number > SEQ_MERGES_MOST)
        return seq_error_set(error, SEQ_BAD_USAGE, "--merges %s: expected 1 to %d, or a file", text,
                             SEQ_MERGES_MOST);
    out->count = (int64_t)number;
    return SEQ_OK;
}

seq_status seqprep_take_merges(const seq_parsed *parsed, seq_unit unit, seq_merges_wish *out,
                               seq_error *error) {
    static const char *const all[] = {"merges", "vocabulary-threshold", "glossary", NULL};
    static const char *const own[] = {"merges", "glossary", NULL}, *const limits[] = {
                                                                       "max-vocab",
                                                                       "target-max-vocab", NULL};
    const seqprep_options *options = parsed->values;
    *out = (seq_merges_wish){.glossaries = options->glossary,
                             .threshold = options->vocabulary_threshold};
    if (unit != SEQ_UNIT_SUBWORD)
        return refuse_given(parsed, all, "without effect without --unit subword", error);
    if (options->vocab)
        return refuse_given(parsed, own, "--vocab brings merges and glossaries", error);
    if (refuse_given(parsed, limits, "--merges decides how many units there are", error))
        return error->status;
    return options->merges ? parse_merges(options->merges, out, error)
                           : seq_error_set(error, SEQ_BAD_USAGE,
                                           "--unit subword: --merges N says how many pairs are "
                                           "joined, or --merges FILE has them");
}
