// seqprep with a task of items: options -> seq_prepare_items. An
// option that would have no effect is refused, on either side. Tests: tests/cli/seqprep_items.sh.
#include "seqprep_private.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/prep/abc_tune.h>
#include <seqtrain/storage/vector_file.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool seqprep_interrupted(void) {
    return seq_signals_caught() != 0;
}

seq_status seqprep_parse_split(const char *name, const char *text, double *fraction,
                               const char **file, seq_error *error) {
    char *end;
    if (!text) return SEQ_OK;
    double value = strtod(text, &end);
    bool percent = end != text && strcmp(end, "%") == 0;
    if (end == text || (*end && !percent)) {
        *file = text;
        if (strcmp(text, "-") == 0 || access(text, F_OK) == 0) return SEQ_OK;
        return seq_error_set_errno(
            error, "--%s %s: neither a fraction (0.1 or 10%%) nor a file that is there", name,
            text);
    }
    if (percent) value /= 100;
    if (!(value > 0 && value < 1))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--%s %s: expected a fraction between 0 and 1 such as 0.1, a "
                             "percentage between 0%% and 100%% such as 10%%, or a file",
                             name, text);
    *fraction = value;
    return SEQ_OK;
}

static bool is_given(const seq_parsed *parsed, const char *name) {
    return parsed->sources[seq_option_find(parsed->program, name)] != SEQ_FROM_DEFAULT;
}

static seq_status refuse_given(const seq_parsed *parsed, const char *const *names, const char *with,
                               seq_error *error) {
    for (; *names; names++)
        if (is_given(parsed, *names))
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: without effect with %s", *names,
                                 with);
    return SEQ_OK;
}

// The first option of the group that was given, or NULL.
static const char *given_of(const seq_parsed *parsed, const seq_option_group *group) {
    for (const seq_option *option = group->options; option->type != SEQ_OPTION_END; option++)
        if (option->type != SEQ_OPTION_HEADING && is_given(parsed, option->name))
            return option->name;
    return NULL;
}

// Options of sound and of frames.
static seq_status refuse_frames(const seq_parsed *parsed, const char *with, seq_error *error) {
    const char *sound = given_of(parsed, &seq_sound_options),
               *const given[] = {sound ? sound : given_of(parsed, &seq_frame_options), NULL};
    return refuse_given(parsed, given, with, error);
}

static const char *const of_pairs[] = {
    "source",      "target",   "valid-source",     "valid-target",     "test-source", "joint",
    "test-target", "unescape", "target-min-count", "target-max-vocab", NULL};

seq_status seqprep_check_tokens(const seq_parsed *parsed, seq_error *error) {
    static const char *const items[] = {"reader",         "columns",
                                        "ignore",         "header",
                                        "separator",      "delimiter",
                                        "quotes",         "comment",
                                        "label-pattern",  "label-table",
                                        "blank-lines",    "group",
                                        "group-label",    "intervals",
                                        "strings",        "gap-least",
                                        "gap-most",       "gap-level",
                                        "string-count",   "string-files",
                                        "background",     "folds",
                                        "fold",           "stratify",
                                        "seed",           "kmer",
                                        "stride",         "reverse-complement",
                                        "max-length",     "overlap",
                                        "letters",        "casing",
                                        "normalise",      "unseen-groups",
                                        "missing-values", "tag-scheme",
                                        "store-tags",     "labels",
                                        "numbers",        "bar-position",
                                        "transpose",      NULL};
    seq_status status = refuse_given(parsed, items, "--task lm", error);
    if (!status) status = refuse_given(parsed, of_pairs, "--task lm", error);
    return status ? status : refuse_frames(parsed, "--task lm", error);
}

static const char *const tags_only[] = {"letters", "tag-scheme", "store-tags", "blank-lines", NULL};
static const char *const texts_only[] = {"kmer",        "stride",   "reverse-complement",
                                         "punctuation", "stratify", NULL};

// Each symbol of a transcript is kept, and an item has one transcript.
static const char *const not_of_transcripts[] = {
    "letters", "tag-scheme", "store-tags", "blank-lines",        "kmer",     "stride",
    "casing",  "min-count",  "max-vocab",  "reverse-complement", "stratify", "max-length",
    "overlap", "vocab",      "invalid",    "label-table",        NULL};
static const char *const of_transcripts[] = {"infeasible", NULL};
static const char *const of_tags[] = {"intervals", "background", NULL}, *const tiers[] = {"tier",
                                                                                          NULL};

static const char *const of_texts[] = {"labels", "numbers", "bar-position", "transpose", NULL};
static const char *const not_of_texts[] = {
    "letters", "tag-scheme", "store-tags", "blank-lines",        "kmer",        "stride",
    "casing",  "infeasible", "tier",       "reverse-complement", "stratify",    "max-length",
    "overlap", "strings",    "intervals",  "background",         "group-label", NULL};

// What is one of several things that an item is, a pair has not.
static const char *const not_of_pairs[] = {
    "letters",  "tag-scheme", "store-tags",    "blank-lines", "kmer",
    "stride",   "casing",     "label-pattern", "group-label", "reverse-complement",
    "stratify", "overlap",    "label-table",   "infeasible",  NULL};

static seq_status check_pairs(const seq_parsed *parsed, seq_error *error) {
    static const char *const of_tables[] = {"reader",    "columns",   "ignore", "header",
                                            "separator", "delimiter", "quotes", "comment",
                                            "group",     NULL};
    static const char *const of_files[] = {"target",      "valid-source", "valid-target",
                                           "test-source", "test-target",  NULL};
    static const char *const of_two[] = {"target-min-count", "target-max-vocab", NULL};
    const seqprep_options *options = parsed->values;
    seq_status status = refuse_given(parsed, not_of_pairs, "--task translate", error);
    if (!status) status = refuse_given(parsed, of_tags, "--task translate", error);
    if (!status) status = refuse_given(parsed, tiers, "--task translate", error);
    if (!status) status = refuse_given(parsed, of_texts, "--task translate", error);
    if (!status && options->joint) status = refuse_given(parsed, of_two, "--joint", error);
    if (!status && options->vocab && !options->joint)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--vocab: of one vocabulary, and each side has its own; --joint "
                               "makes one for both");
    if (status) return status;
    return options->source
               ? refuse_given(parsed, of_tables, "--source, whose items are lines", error)
               : refuse_given(parsed, of_files, "no --source", error);
}

static seq_status check_task(const seq_parsed *parsed, seq_item_task task, seq_error *error) {
    if (task == SEQ_TASK_TRANSLATE) return check_pairs(parsed, error);
    if (refuse_given(parsed, of_pairs, "another task than translate", error)) return error->status;
    if (task == SEQ_TASK_GENERATE)
        return refuse_given(parsed, not_of_texts, "--task generate", error);
    if (refuse_given(parsed, of_texts, "another task than generate", error)) return error->status;
    if (task == SEQ_TASK_TRANSCRIBE)
        return refuse_given(parsed, not_of_transcripts, "--task transcribe", error) ||
                       refuse_given(parsed, of_tags, "--task transcribe", error)
                   ? error->status
                   : SEQ_OK;
    bool tag = task == SEQ_TASK_TAG;
    const char *with = tag ? "--task tag" : "--task classify or rate";
    seq_status status = refuse_given(parsed, tag ? texts_only : tags_only, with, error);
    if (!status && !tag) status = refuse_given(parsed, of_tags, with, error);
    if (!status && !tag) status = refuse_given(parsed, tiers, with, error);
    return status ? status : refuse_given(parsed, of_transcripts, with, error);
}

static seq_status check_given(const seq_parsed *parsed, seq_error *error) {
    static const char *const tokens[] = {"eos",          "missing", "reverse",
                                         "shard-tokens", "threads", NULL};
    const seqprep_options *options = parsed->values;
    seq_status status = refuse_given(parsed, tokens, "a task of items", error);
    bool tag = options->task - 1 == SEQ_TASK_TAG;
    if (!status) status = check_task(parsed, (seq_item_task)(options->task - 1), error);
    if (!status && options->task - 1 == SEQ_TASK_RATE && options->stratify)
        status = seq_error_set(error, SEQ_BAD_USAGE, "--stratify: --task rate has no classes");
    if (!status && tag && is_given(parsed, "unit") && options->unit == SEQ_UNIT_SUBWORD)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--unit subword: a tag of --task tag belongs to a whole token; "
                               "--letters reads the parts of a token");
    if (!status && tag && is_given(parsed, "unit") && options->unit != SEQ_UNIT_WORD)
        status = seq_error_set(error, SEQ_BAD_USAGE, "--unit: the units of --task tag are words");
    if (!status && options->task - 1 == SEQ_TASK_TRANSCRIBE && is_given(parsed, "unit") &&
        options->unit != SEQ_UNIT_CHAR && options->unit != SEQ_UNIT_WORD)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--unit: symbols of --task transcribe are characters or words");
    if (!status && options->kmer && is_given(parsed, "unit"))
        status = seq_error_set(error, SEQ_BAD_USAGE, "--unit: the units of --kmer are its letters");
    if (!status && !options->kmer && is_given(parsed, "stride"))
        status = seq_error_set(error, SEQ_BAD_USAGE, "--stride: without effect without --kmer");
    if (!status && options->overlap && options->overlap >= options->max_length)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--overlap %" PRId64 ": expected less than --max-length %" PRId64,
                               options->overlap, options->max_length);
    return status;
}

static bool is_sequence_reader(const char *name) {
    return strcmp(name, "fasta") == 0 || strcmp(name, "arff") == 0 ||
           strcmp(name, "promoters") == 0;
}

static seq_unit unit_of(const seq_parsed *parsed, const char *reader) {
    const seqprep_options *options = parsed->values;
    if (is_given(parsed, "unit")) return (seq_unit)options->unit;
    if (options->task - 1 == SEQ_TASK_TRANSLATE) return SEQ_UNIT_WORD;
    const char *named = seq_reader_of_file(parsed->operands[0]);
    if (options->kmer || options->task - 1 == SEQ_TASK_TAG) return SEQ_UNIT_WORD;
    if (options->task - 1 == SEQ_TASK_TRANSCRIBE || options->task - 1 == SEQ_TASK_GENERATE)
        return SEQ_UNIT_CHAR;
    if (!reader) reader = named ? named : "lines";
    return is_sequence_reader(reader) ? SEQ_UNIT_CHAR : SEQ_UNIT_WORD;
}

static seq_status parse_folds(const seq_parsed *parsed, seq_prepare_items *out, seq_error *error) {
    const seqprep_options *options = parsed->values;
    char *end;
    out->fold = options->fold;
    if (!options->folds && options->fold)
        return seq_error_set(error, SEQ_BAD_USAGE, "--fold: --folds says how many there are");
    if (!options->folds) return SEQ_OK;
    out->all_folds = strcmp(options->folds, "all") == 0;
    out->folds = out->all_folds ? 0 : strtoll(options->folds, &end, 10);
    if (!out->all_folds && (*end || out->folds < 2 || out->folds > INT32_MAX))
        return seq_error_set(error, SEQ_BAD_USAGE, "--folds %s: expected 2 or more, or all",
                             options->folds);
    if (!options->fold)
        return seq_error_set(error, SEQ_BAD_USAGE, "--folds: --fold I says which fold is tested");
    if (options->test)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--test: with --folds the fold is the test split");
    return SEQ_OK;
}

// A fraction, a file, or a condition on fields.
static seq_status parse_part(const char *name, const char *text, double *fraction,
                             const char **file, const char **condition, seq_error *error) {
    if (!text || !seq_is_condition(text) || access(text, F_OK) == 0)
        return seqprep_parse_split(name, text, fraction, file, error);
    *condition = text;
    return SEQ_OK;
}

// What is said of words where there are frames, and of frames where there are words.
static seq_status check_kind(const seq_parsed *parsed, const seq_prepare_items *prepare,
                             seq_error *error) {
    static const char *const of_words[] = {"unit",
                                           "punctuation",
                                           "lower",
                                           "nfc",
                                           "invalid",
                                           "long-words",
                                           "min-count",
                                           "max-vocab",
                                           "vocab",
                                           "kmer",
                                           "stride",
                                           "reverse-complement",
                                           "letters",
                                           "casing",
                                           "blank-lines",
                                           "merges",
                                           "vocabulary-threshold",
                                           "glossary",
                                           NULL};
    bool transcribe = prepare->task == SEQ_TASK_TRANSCRIBE;
    static const char *const of_frames[] = {
        "strings",   "gap-least", "gap-most",   "gap-level",     "string-count", "string-files",
        "normalise", "intervals", "background", "unseen-groups", "group-label",  NULL};
    const char *reader = seq_prepare_items_reader(prepare);
    bool frames = seq_reader_makes_frames(reader, prepare->reader.columns);
    char with[80];
    snprintf(with, sizeof with, "--reader %s, whose items %s", reader,
             frames ? "are frames and not text" : "are text and not frames");
    if (transcribe && !frames)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--task transcribe: needs frames, %s: expected another --reader, or "
                             "--columns path=...,text=...",
                             with);
    if (transcribe) return SEQ_OK; // its text is the transcript
    if (frames && prepare->task == SEQ_TASK_GENERATE)
        return seq_error_set(error, SEQ_BAD_USAGE, "--task generate: needs texts, %s", with);
    seq_status status = refuse_given(parsed, frames ? of_words : of_frames, with, error);
    return status || frames ? status : refuse_frames(parsed, with, error);
}

// What is said of tunes.
static seq_status describe_texts(const seq_parsed *parsed, seq_prepare_items *out,
                                 seq_error *error) {
    static const char *const of_tunes[] = {"bar-position", "transpose", NULL};
    const seqprep_options *options = parsed->values;
    const char *reader = seq_prepare_items_reader(out);
    char with[80];
    if (out->task != SEQ_TASK_GENERATE) return SEQ_OK;
    out->rules.text.eos = SEQ_EOS_DOCUMENT;
    out->labels = options->labels;
    out->numbers = options->numbers;
    out->bar_position = options->bar_position;
    out->transposes = options->transpose != NULL;
    snprintf(with, sizeof with, "--reader %s, whose items are no tunes", reader);
    if (strcmp(reader, "abc") != 0) return refuse_given(parsed, of_tunes, with, error);
    if (out->rules.text.unit >= SEQ_UNIT_WORD)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--unit: the units of tunes are characters (char, byte) or symbols "
                             "(abc)");
    if (options->lower)
        return seq_error_set(error, SEQ_BAD_USAGE, "--lower: it would change the notes of tunes");
    return options->transpose ? seq_abc_range_parse("transpose", options->transpose, &out->lowest,
                                                    &out->highest, error)
                              : SEQ_OK;
}

// Strings are joined from what --subsample and the like have made of the frames.
static void warn_of_string_files(seq_frame_settings frames) {
    frames.rate = 0; // changes no frame
    const char *option = seq_frame_settings_given(&frames);
    if (option)
        seq_log_warning("--string-files: the frames in these files have been through --%s, which "
                        "seqpredict will do again to any frames that it reads",
                        option);
}

// A part's two files, which come together.
static seq_status pair_up(const char *option, const char *source, const char *target,
                          const char *part, seq_pair_files *out, seq_error *error) {
    *out = (seq_pair_files){source, target};
    if (!source != !target)
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s%s: needs --%s%s", option,
                             source ? "source" : "target", option, source ? "target" : "source");
    if (source && strcmp(source, "-") == 0 && strcmp(target, "-") == 0)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--%ssource -, --%starget -: standard input is one of them", option,
                             option);
    if (source && part)
        return seq_error_set(error, SEQ_BAD_USAGE, "--%ssource: the part is that of --%.*s already",
                             option, (int)strlen(option) - 1, option);
    return SEQ_OK;
}

static seq_status describe_pairs(const seq_parsed *parsed, seq_prepare_items *out,
                                 seq_error *error) {
    const seqprep_options *options = parsed->values;
    out->joint = options->joint;
    out->target_min_count = options->target_min_count;
    out->target_max_vocabulary = options->target_max_vocab;
    out->longest_pair = out->rules.max_length;
    out->rules.max_length = 0;
    out->rules.unescape = options->unescape;
    if (!options->source) return SEQ_OK;
    if (parsed->operand_count)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "%s: the pairs are those of --source and --target",
                             parsed->operands[0]);
    seq_status status =
        pair_up("", options->source, options->target, NULL, &out->pairs[SEQ_TRAIN], error);
    if (!status)
        status = pair_up("valid-", options->valid_source, options->valid_target, options->valid,
                         &out->pairs[SEQ_VALID], error);
    if (!status)
        status =
            pair_up("test-", options->test_source, options->test_target,
                    options->test ? options->test : options->folds, &out->pairs[SEQ_TEST], error);
    const char *part = out->valid_file || out->valid_condition ? "valid"
                       : out->test_file || out->test_condition ? "test"
                                                               : NULL;
    if (!status && part)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--%s: with --source it is a fraction; --%s-source and "
                               "--%s-target name files",
                               part, part, part);
    return status;
}

static seq_prepare_items settings_of(const seq_parsed *parsed) {
    const seqprep_options *options = parsed->values;
    const char *reader = options->reader ? seq_reader_choices()[options->reader] : NULL;
    bool grouped = options->normalise == SEQ_NORMALISE_GROUP;
    return (seq_prepare_items){
        .task = (seq_item_task)(options->task - 1),
        .reader = {.reader = options->source ? "lines" : reader,
                   .columns = options->columns,
                   .ignore = options->ignore,
                   .header = (seq_header)options->header,
                   .separator = (seq_separator)options->separator,
                   .delimiter = options->delimiter,
                   .raw_quotes = !options->quotes,
                   .comment = options->comment,
                   .missing = (seq_missing_values)options->missing_values,
                   .label_pattern = options->label_pattern,
                   .label_table = options->label_table,
                   .group = options->group,
                   .blank_items = options->blank_lines != 0},
        .rules = {.text = {.unit = unit_of(parsed, reader),
                           .punctuation = (seq_punctuation)options->punctuation,
                           .lower = options->lower,
                           .nfc = options->nfc || options->task - 1 == SEQ_TASK_TRANSCRIBE,
                           .eos = SEQ_EOS_NONE,
                           .invalid = (seq_invalid)options->invalid,
                           .long_words = (seq_long_words)options->long_words},
                  .kmer = (int)options->kmer,
                  .stride = (int)options->stride,
                  .max_length = options->max_length,
                  .overlap = options->overlap},
        .output = options->output,
        .force = options->force,
        .inputs = parsed->operands,
        .input_count = (size_t)parsed->operand_count,
        .stratify = options->stratify,
        .seed = (uint64_t)options->seed,
        .min_count = options->min_count,
        .max_vocabulary = options->max_vocab,
        .vocabulary_from = options->vocab,
        .letters = options->letters,
        .casing = options->casing,
        .detect_scheme = options->tag_scheme == 0,
        .scheme = (seq_tag_scheme)(options->tag_scheme ? options->tag_scheme - 1 : 0),
        .stored_scheme = (seq_tag_scheme)options->stored_scheme,
        .converts = is_given(parsed, "store-tags") && options->stored_scheme,
        .normalise = (seq_normalise)options->normalise,
        .tier = options->tier,
        .skips_infeasible = options->infeasible != 0,
        .unseen = grouped ? options->unseen_groups ? SEQ_NORMALISE_GLOBAL : SEQ_NORMALISE_ITEM
                          : SEQ_NORMALISE_NONE,
        .intervals = options->intervals,
        .background = options->background,
        .group_label = options->group_label,
        .strings = {.most = (int)options->strings,
                    .gap_least = (int)options->gap_least,
                    .gap_most = (int)options->gap_most,
                    .level = (int)options->gap_level},
        .string_count = options->string_count,
        .string_files = options->string_files,
        .reverse_complement = options->reverse_complement,
        .as_is = options->as_is,
        .memory = (uint64_t)options->max_memory,
        .pipeline = {(seq_compression)options->compression, (int)options->compression_level},
        .stopped = seqprep_interrupted,
    };
}

static seq_status check_groups_and_strings(const seq_parsed *parsed, seq_error *error) {
    const seqprep_options *options = parsed->values;
    bool grouped = options->normalise == SEQ_NORMALISE_GROUP;
    if (grouped && !options->group_label)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--normalise group: --group-label says what the groups are");
    if (!options->strings && (options->string_count || options->string_files))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--string-count, --string-files: without effect without --strings");
    if (options->strings && !options->valid && !options->test && !options->folds)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--strings: without effect without a validation or test part");
    if (!grouped && is_given(parsed, "unseen-groups"))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--unseen-groups: without effect without --normalise group");
    return SEQ_OK;
}

static seq_status describe_parts(const seq_parsed *parsed, seq_prepare_items *out,
                                 seq_error *error) {
    const seqprep_options *options = parsed->values;
    seq_status status = parse_folds(parsed, out, error);
    if (!status)
        status = parse_part("valid", options->valid, &out->valid_fraction, &out->valid_file,
                            &out->valid_condition, error);
    if (!status)
        status = parse_part("test", options->test, &out->test_fraction, &out->test_file,
                            &out->test_condition, error);
    if (!status && out->valid_fraction + out->test_fraction >= 1)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--valid %s, --test %s: nothing is left to train on", options->valid,
                               options->test);
    return status;
}

static seq_status describe(const seq_parsed *parsed, seq_prepare_items *out, seq_error *error) {
    const seqprep_options *options = parsed->values;
    *out = settings_of(parsed);
    out->reader.sound = *(const seq_sound_settings *)seq_option_values(parsed, &seq_sound_options);
    out->reader.sound.given = given_of(parsed, &seq_sound_options);
    seq_status status = seq_frame_configure(seq_option_values(parsed, &seq_frame_options),
                                            &out->reader.frames, error);
    if (!status) status = check_kind(parsed, out, error);
    if (!status) status = describe_texts(parsed, out, error);
    if (!status) status = check_groups_and_strings(parsed, error);
    if (!status) status = seqprep_take_merges(parsed, out->rules.text.unit, &out->merges, error);
    if (!status && options->string_files) warn_of_string_files(out->reader.frames);
    if (!status && out->casing && (out->rules.kmer || out->rules.text.unit != SEQ_UNIT_WORD))
        status = seq_error_set(error, SEQ_BAD_USAGE, "--casing: the units are no words");
    if (!status) status = describe_parts(parsed, out, error);
    return status || out->task != SEQ_TASK_TRANSLATE ? status : describe_pairs(parsed, out, error);
}

seq_status seqprep_run_items(const seq_parsed *parsed, seq_error *error) {
    seq_prepare_items prepare;
    seq_status status = check_given(parsed, error);
    if (!status) status = describe(parsed, &prepare, error);
    if (!status) status = seq_storage_begin(error);
    return status ? status : seq_prepare_items_run(&prepare, error);
}
