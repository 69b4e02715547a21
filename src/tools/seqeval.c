// seqeval's options, and the choice between its three tasks: a split
// (seqeval_split.c), lines (--score), files of answers (--gold). Invariant: an
// option that would have no effect on the task is refused, not ignored. Tests:
// tests/cli/seqeval.sh, tests/cli/scored_lines.sh, tests/cli/compare.sh.
#include "seqeval_private.h"
#include "tool_model.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const *tasks(void) {
    return seq_answer_kind_names;
}
static const char *const splits[] = {"train", "valid", "test", NULL};
static const char *const schemes[] = {"auto", "none", "iob1", "iob2", "iobes", NULL};
static const char *const baselines[] = {"none", "majority", "bow", NULL};
static const char *const units[] = {"word", "char", NULL};
static const char *const *smoothings(void) {
    return seq_bleu_smoothing_names;
}
static const char *const bases[] = {"e", "10", "2", NULL};

#define AT(field) offsetof(seq_eval_options, field)
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "How good"},
    {SEQ_OPTION_CHOICE, "split", "SPLIT", AT(split), "valid", .choices = splits,
     .help = "The part of the data set that is evaluated."},
    {SEQ_OPTION_TEXT, "data", "DATASET", AT(data),
     .help = "Another data set than the run's own; it must have the same vocabulary."},
    {SEQ_OPTION_INTEGER, "batch", "B", AT(batch), "0", 0, 65536,
     .help = "Of a language model, streams read side by side. 1 is the exact protocol, and what 0 "
             "stands for: one stream, its state carried through the whole split. More are faster, "
             "and each begins without a past. Of other tasks, items read side by side, 0: some "
             "thousand steps; the figures do not depend on it."},
    {SEQ_OPTION_HEADING, .help = "Answers to items"},
    {SEQ_OPTION_CHOICE, "baseline", "NAME", AT(baseline), "none", .choices = baselines,
     .help = "A second system to compare with: the most frequent answer, or a linear softmax on "
             "counts of words. Of a run, it learns from the training split; the validation split "
             "chooses its penalty, where that is not the one evaluated. With --gold, it learns "
             "from --train (LABEL TEXT lines), and may stand in place of --predictions."},
    {SEQ_OPTION_INTEGER, "resamples", "N", AT(resamples), "1000", 0, 1000000,
     .help = "Resamples of items for the intervals of 95 %; 0: none."},
    {SEQ_OPTION_INTEGER, "seed", "S", AT(seed), "1", 0, 9007199254740991.0,
     .help = "Of the resamples."},
    {SEQ_OPTION_TEXT, "per-item", "FILE", AT(per_item),
     .help = "Also a line for each item: index, loss (with --gold: line), gold, output, and right "
             "labels, error, or substitutions, deletions and insertions."},
    {SEQ_OPTION_HEADING, .help = "How probable"},
    {SEQ_OPTION_TEXT, "score", "FILE", AT(score),
     .help =
         "Instead: a line for each line of FILE (- is standard input) with its "
         "log-probability, tokens, <unk>s and log-probability per token, separated by tabs, "
         "then the text. <eos> is counted when the model has one. A line that cannot be scored "
         "(not UTF-8, a symbol that the vocabulary lacks where it has no <unk>) has - in place "
         "of its figures; the others are scored, and the exit code is 3. Control characters "
         "and backslashes of the texts are escaped (\\n, \\t, \\x1B, \\\\). Of a model of the task "
         "translate, lines are SOURCE<tab>TARGET, figures are those of the target given its "
         "source, and a line that cannot be scored ends the work."},
    {SEQ_OPTION_TEXT, "target", "FILE", AT(target),
     .help = "With --score and a model of the task translate: line i is the translation of line i "
             "of --score's FILE."},
    {SEQ_OPTION_FLAG, "per-token", NULL, AT(per_token), "no",
     .help = "With --score: also a line for each token, indented."},
    {SEQ_OPTION_FLAG, "carry", NULL, AT(carry), "no",
     .help = "With --score: the state is carried from line to line; otherwise each line begins "
             "without a past."},
    {SEQ_OPTION_CHOICE, "log-base", "BASE", AT(log_base), "e", .choices = bases,
     .help = "Base of the logarithms of --score."},
    {SEQ_OPTION_HEADING, .help = "Without a model"},
    {SEQ_OPTION_TEXT, "gold", "FILE", AT(gold), .flags = SEQ_OPTION_REPEATED,
     .help = "The right answers (- is standard input): compares them with those of --predictions. "
             "CoNLL columns, the last being the tag; CoNLL-U, column 4; a label a line, text may "
             "follow it; a transcript or a translation a line; a table with a header; JSON lines. "
             "Of translations it may be given again, or name a list separated by ;: more "
             "references of the same lines."},
    {SEQ_OPTION_TEXT, "predictions", "FILE", AT(predictions),
     .help =
         "What a system answered, item by item as in --gold. A second file is that of another "
         "system, compared on the same resamples. Without --predictions, --gold holds both: the "
         "last two columns, or what --columns says."},
    {SEQ_OPTION_INTEGER, "runs", "N", AT(runs), "1", 1, SEQ_EVAL_RUNS,
     .help =
         "The first N files of answers are runs of one system with different seeds. Each measure "
         "is then the mean over these runs, also within a resample. A second system is compared "
         "with that mean. The intervals cover the choice of items, not of seeds; the value of "
         "each run is printed. With runs of the task generate as operands, the first N are one "
         "system and the others a second one."},
    {SEQ_OPTION_CHOICE, "task", "TASK", AT(task), "auto", .registry = tasks,
     .help = "What the answers are: tags of tokens, classes, ratings, transcripts, or "
             "translations. auto: JSON by its types; tags where the last column is O or "
             "PREFIX-TYPE on every line; ratings where all are numbers and one has a fraction; "
             "else classes, never transcripts or translations. Of translations, BLEU of four "
             "ways to cut tokens (bleu: sacreBLEU's 13a) and chrF are told, as sacreBLEU "
             "computes them."},
    {SEQ_OPTION_FLAG, "lower", NULL, AT(lower), "no",
     .help = "Of translations: both sides in lower case."},
    {SEQ_OPTION_CHOICE, "smooth-method", "NAME", AT(smooth_method), "exp", .registry = smoothings,
     .help = "Of translations: what stands for a precision of 0 in BLEU."},
    {SEQ_OPTION_REAL, "smooth-value", "V", AT(smooth_value), "-1", -1, 1000,
     .help = "Of floor and add-k; -1: 0.1 and 1."},
    {SEQ_OPTION_CHOICE, "unit", "UNIT", AT(unit), "word", .choices = units,
     .help = "With --task transcribe: what is an error. word: a word, or another symbol between "
             "blanks. char: a character; blanks count."},
    {SEQ_OPTION_TEXT, "columns", "LIST", AT(columns),
     .help = "token=1,gold=4,prediction=5 or text=sentence,gold=label: columns by number, or by "
             "their names in a header or a JSON object. token=0: tokens are not compared."},
    {SEQ_OPTION_CHOICE, "scheme", "SCHEME", AT(scheme), "auto", .choices = schemes,
     .help = "Of tags, for all files. auto: each file's own, by its tags."},
    {SEQ_OPTION_TEXT, "train", "FILE", AT(train),
     .help = "Training items, in the form of --gold: what --baseline learns from, and which "
             "entities were seen."},
    {SEQ_OPTION_TEXT, "dev", "FILE", AT(dev),
     .help =
         "Items that choose the penalty of --baseline bow. Without it, every tenth of --train."},
    {SEQ_OPTION_HEADING, .help = "Model and output"},
    TOOL_MODEL_OPTIONS(AT),
    {SEQ_OPTION_FLAG, "json", NULL, AT(json), "no",
     .help = "Print the figures of a split or of --gold as one JSON object. Not with --score."},
    {SEQ_OPTION_FLAG, "quiet", NULL, AT(quiet), "no",
     .help = "Print results, warnings and errors only."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqeval",
    .synopsis = "RUN|CHECKPOINT [RUN|CHECKPOINT...] [options]\n"
                "       seqeval --gold FILE --predictions FILE [FILE...] [options]",
    .summary =
        "Evaluates a model on a split of its data set: of a language model, loss, "
        "perplexity, bits per token and character, figures without <unk>; of models that "
        "generate, bits per character with an interval, two systems text by text; of other tasks, "
        "their measures with intervals, per class and overall. Or tells the probability of "
        "given sentences, or translations. With --gold, judges files of predictions and compares "
        "two "
        "systems.",
    .options = table,
    .examples = "  seqeval run --split test\n"
                "  seqeval run --split test --baseline bow --per-item items.tsv\n"
                "  seqeval without-label with-label --split test\n"
                "  seqeval run --score sentences.txt --log-base 10\n"
                "  echo 'how probable is this' | seqeval run --score - --per-token\n"
                "  seqeval translator --score test.de --target test.en\n"
                "  seqeval --gold test.conll --predictions ours.conll theirs.conll\n"
                "  seqeval --gold test.txt --runs 3 --predictions one.json two.json three.json "
                "--train train.txt --baseline bow\n"
                "  seqeval --gold test.txt --train train.txt --dev dev.txt --baseline bow\n"
                "  seqeval --task transcribe --gold said.txt --predictions heard.txt\n"
                "  seqeval --task translate --gold test.en --predictions ours.en theirs.en\n",
    .minimum_operands = 0,
    .maximum_operands = SEQ_EVAL_RUNS,
};

static seq_status refuse(const seq_parsed *parsed, const char *const *names, const char *why,
                         seq_error *error) {
    for (; *names; names++)
        if (parsed->sources[seq_option_find(parsed->program, *names)] == SEQ_FROM_COMMAND_LINE)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: %s", *names, why);
    return SEQ_OK;
}

static const char *const of_texts[] = {"lower", "smooth-method", "smooth-value", NULL};
static const char *const of_items[] = {"baseline", "resamples", "seed", "per-item", NULL};

// What would have no effect.
static seq_status check_options(const seq_parsed *parsed, seq_error *error) {
    static const char *const of_split[] = {"split", "data", "batch", "json", NULL};
    static const char *const of_score[] = {"log-base", NULL};
    static const char *const of_model[] = {"split",     "data",     "batch",   "score",   "carry",
                                           "per-token", "log-base", "newest",  "average", "target",
                                           "kernels",   "blas",     "weights", NULL};
    static const char *const of_files[] = {"predictions", "task",  "unit", "columns",
                                           "scheme",      "train", "dev",  NULL};
    const seq_eval_options *options = parsed->values;
    if (options->gold && options->task != SEQ_ANSWERS_TEXTS &&
        refuse(parsed, of_texts, "of --task translate", error))
        return error->status;
    if (options->smooth_value >= 0 && options->smooth_method != SEQ_BLEU_FLOOR &&
        options->smooth_method != SEQ_BLEU_ADD_K)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--smooth-value: of --smooth-method floor or add-k");
    if (options->gold) return refuse(parsed, of_model, "of a model, not with --gold", error);
    if (refuse(parsed, of_files, "needs --gold", error)) return error->status;
    if (options->score && parsed->operand_count > 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "%s: one RUN|CHECKPOINT is scored at a time",
                             parsed->operands[1]);
    if (options->score && refuse(parsed, of_texts, "of translations, not with --score", error))
        return error->status;
    if (options->score && refuse(parsed, of_items, "of answers to items, not with --score", error))
        return error->status;
    if (parsed->operand_count == 0)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "0 operands given; usage: seqeval RUN|CHECKPOINT [options], or "
                             "seqeval --gold FILE --predictions FILE [FILE] [options]");
    if (!options->score && (options->per_token || options->carry || options->target))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: needs --score",
                             options->carry    ? "carry"
                             : options->target ? "target"
                                               : "per-token");
    return options->score ? refuse(parsed, of_split, "of a split, not with --score", error)
                          : refuse(parsed, of_score, "needs --score", error);
}

static bool is_of_pairs(const seq_schema *schema) {
    int source = seq_schema_find_field(schema, "source");
    return source >= 0 && schema->target >= 0 &&
           schema->fields[schema->target].kind == SEQ_FIELD_IDS;
}

// The same of a language model, and of others: known once the checkpoint has been read.
static seq_status check_task(const seq_parsed *parsed, const seq_loaded *loaded, seq_error *error) {
    const seq_eval_options *options = parsed->values;
    static const char *const of_streams[] = {"carry", NULL}, *const of_pairs[] = {"target", NULL};
    static const char *const of_answers[] = {"baseline", NULL}, *const of_several[] = {"runs",
                                                                                       NULL};
    const seq_metric *first = loaded->task->metrics[0];
    if (!(first && first->of_texts) && refuse(parsed, of_texts, "of translations", error))
        return error->status;
    if (!options->score && seq_eval_is_generated(loaded))
        return refuse(parsed, of_answers,
                      "of answers to items, and a model that generates gives "
                      "none",
                      error);
    if (refuse(parsed, of_several, "needs --gold, or runs of models that generate", error))
        return error->status;
    if (parsed->operand_count > 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s: one RUN|CHECKPOINT is evaluated at a time, but for those that "
                             "generate; --gold compares files",
                             parsed->operands[1]);
    if (loaded->schema.streams)
        return refuse(parsed, of_items, "of answers to items, and a language model gives none",
                      error)
                   ? error->status
                   : refuse(parsed, of_pairs, "of pairs, and a language model reads texts", error);
    if (options->score && !is_of_pairs(&loaded->schema))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--score: needs a language model or one of pairs of texts, %s is of "
                             "the task %s",
                             loaded->directory, loaded->schema.task);
    return options->score ? refuse(parsed, of_streams, "of a language model", error) : SEQ_OK;
}

static seq_status run(const seq_parsed *parsed, seq_error *error) {
    const seq_eval_options *options = parsed->values;
    const tool_model how = {options->newest, options->kernels, options->weights, 1,
                            options->average};
    seq_loaded loaded;
    seq_log_open(stderr, options->quiet ? SEQ_LOG_WARNING : SEQ_LOG_INFO, "seqeval");
    seq_status status = check_options(parsed, error);
    if (!status && options->gold)
        return seq_eval_files(options, parsed->operands, parsed->operand_count, error);
    if (!status) status = tool_load_model(parsed->operands[0], &how, &loaded, error);
    if (status) return status;
    status = check_task(parsed, &loaded, error);
    if (!status)
        status = options->score && loaded.schema.streams ? seq_eval_score(options, &loaded, error)
                 : options->score                        ? seq_eval_pairs(options, &loaded, error)
                 : seq_eval_is_generated(&loaded)
                     ? seq_eval_generated(options, &loaded, parsed->operands, parsed->operand_count,
                                          error)
                     : seq_eval_split(options, &loaded, error);
    seq_loaded_clear(&loaded);
    return status;
}

int main(int argc, char **argv) {
    seq_eval_options options;
    return tool_main(&program, argc, argv, &options, sizeof options, run);
}
