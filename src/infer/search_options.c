// Options of how outputs are ranked and restricted, for the tables of programs, and
// how they become a search's configuration. Invariant: <unk> is forbidden only with
// --no-unk and where the vocabulary has it. Test: tests/cli/translate_search.sh.
#include <seqtrain/infer/search.h>

static const char *const rules[] = {"gnmt", "mean", "none", NULL};
#define AT(field) offsetof(seq_search_options, field)
static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Outputs (models of the task translate)"},
    {SEQ_OPTION_CHOICE, "length-penalty", "NAME", AT(rule), "gnmt", .choices = rules,
     .help = "Length normalisation: ln p of an output of n units, its end included, is divided by "
             "((5 + n) / 6)^ALPHA (gnmt), n^ALPHA (mean) or 1 (none)."},
    {SEQ_OPTION_REAL, "length-alpha", "ALPHA", AT(alpha), "1", 0, 10,
     .help = "Exponent of the length normalisation; larger values favour longer outputs."},
    {SEQ_OPTION_REAL, "coverage", "BETA", AT(coverage), "0", 0, 1000,
     .help = "Coverage penalty: subtract BETA times the sum over source units of -ln(min(attention "
             "that the unit received, 1))."},
    {SEQ_OPTION_INTEGER, "no-repeat-ngram", "N", AT(no_repeat), "0", 0, 1000,
     .help = "No n-gram of N units occurs twice in an output. 0: no such limit."},
    {SEQ_OPTION_FLAG, "no-unk", NULL, AT(no_unk), "no", .help = "Never output <unk>."},
    {.type = SEQ_OPTION_END},
};
const seq_option_group seq_search_options_group = {options, sizeof(seq_search_options)};

void seq_search_options_apply(const seq_search_options *options, const seq_beam_options *beam,
                              const int32_t *unk, seq_search_config *out) {
    out->width = beam->width ? (int)beam->width : 1;
    out->margin = seq_beam_margin(beam);
    out->shortest = (int)beam->shortest;
    out->longest = (int)beam->longest;
    out->rule = (seq_length_rule)options->rule;
    out->alpha = options->alpha;
    out->coverage = options->coverage;
    out->no_repeat = (int)options->no_repeat;
    out->forbidden = unk;
    out->forbidden_count = options->no_unk && *unk != SEQ_NO_ID;
}
