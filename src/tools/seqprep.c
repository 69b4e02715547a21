// seqprep's options, and from them the order of work for prepare.h. Options
// that would have no effect are warned of. --vocab brings its own rules for
// text; a given rule that differs from them is an error. Tests:
// tests/cli/seqprep.sh, tests/cli/seqprep_text.sh, tests/cli/seqprep_files.sh.
#include "seqprep_private.h"
#include "tool_program.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/option.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/prep/prepare.h>
#include <seqtrain/storage/vector_file.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EOS_AUTO, EOS_NONE, EOS_LINE, EOS_DOCUMENT };
static const char *const units[] = {"byte", "char", "abc", "word", "subword", NULL};
static const char *const punctuations[] = {"keep", "split", "drop", NULL};
static const char *const ends[] = {"auto", "none", "line", "document", NULL};
static const char *const invalids[] = {"error", "replace", NULL};
static const char *const long_words[] = {"error", "unk", "drop", NULL};
static const char *const missings[] = {"error", "drop", NULL};
static const char *const compressions[] = {"zstd", "gzip", "none", NULL};
static const char *const tasks[] = {"lm",         "classify",  "rate",     "tag",
                                    "transcribe", "translate", "generate", NULL};
static const char *const infeasibles[] = {"error", "skip", NULL};
static const char *const headers[] = {"auto", "yes", "no", NULL};
static const char *const separators[] = {"auto", "tab", "blank", NULL};
static const char *const blank_lines[] = {"skip", "item", NULL};
static const char *const normalisations[] = {"none", "global", "item", "group",
                                             NULL}; // seq_normalise
static const char *const unseen_groups[] = {"item", "global", NULL};
static const char *const missing_values[] = {"refuse", "interpolate", NULL};
static const char *const schemes[] = {"auto", "none", "iob1", "iob2", "iobes", "bilou", NULL};
static const char *const stored_schemes[] = {"keep", "iob1", "iob2", "iobes", "bilou", NULL};

typedef seqprep_options options;
#define AT(field) offsetof(options, field)
static const seq_option table[] = {
    {SEQ_OPTION_HEADING, .help = "Input and output"},
    {SEQ_OPTION_TEXT, "output", "DATASET", AT(output), .letter = 'o', .flags = SEQ_OPTION_REQUIRED,
     .help = "Directory of the data set: new, or an empty folder (a mount point, say). Filled when "
             "the data set is complete. Links are followed."},
    {SEQ_OPTION_FLAG, "force", NULL, AT(force), "no",
     .help = "Replace the data set that is there. A folder that holds anything else is refused."},
    {SEQ_OPTION_TEXT, "valid", "FRACTION|FILE|CONDITION", AT(valid),
     .help = "Validation split: this part (0.1 or 10%) of the units from the end of the inputs "
             "(before the test split; words are cut at a line end), or a file or folder of its "
             "own. Of items: this part of the groups, drawn by --seed, or the items of the inputs "
             "whose fields are so: 'index<15', 'speaker=ann,index>=5' (<, <=, >, >=, =, !=; two "
             "numbers are compared as numbers, and a comma means and)."},
    {SEQ_OPTION_TEXT, "test", "FRACTION|FILE|CONDITION", AT(test),
     .help = "Test split, likewise. An item that matches both conditions is a test item."},
    {SEQ_OPTION_FLAG, "as-is", NULL, AT(as_is), "no",
     .help = "Take the bytes of each input as they are: nothing is unpacked, and no kind of file "
             "is refused. Useful with --unit byte."},
    {SEQ_OPTION_HEADING,
     .help = "Items (--task classify, rate, tag, transcribe, translate, generate)"},
    {SEQ_OPTION_CHOICE, "task", "TASK", AT(task), "lm", .choices = tasks,
     .help =
         "lm: running text for a language model. classify: one class an item. rate: one number "
         "an item. tag: one tag a token. transcribe: frames and their transcript without "
         "alignment, such as speech. The transcript is the field text of an item, or NAME.txt or "
         "the intervals of NAME.TextGrid beside its file. Runs of blanks become one, blanks at "
         "its ends are dropped, and it is converted to NFC. --unit word: words, phones or other "
         "symbols between blanks; char (default): characters. A symbol that no training "
         "transcript has is refused. translate: a text and its translation, from --source and "
         "--target or from the columns source and target of a table. generate: texts that end with "
         "<eos>, conditioned on --labels and --numbers. Without these a line is an item."},
    {SEQ_OPTION_TEXT, "source", "FILE", AT(source),
     .help = "translate: file of source lines, in place of INPUT. Pairs with an empty side are "
             "skipped and counted."},
    {SEQ_OPTION_TEXT, "target", "FILE", AT(target),
     .help = "translate: file of target lines; line i is the translation of line i of --source. "
             "Both must have equally many lines."},
    {SEQ_OPTION_TEXT, "valid-source", "FILE", AT(valid_source),
     .help =
         "translate: source lines of the validation split. It keeps every pair, also pairs with "
         "an empty side or longer than --max-length."},
    {SEQ_OPTION_TEXT, "valid-target", "FILE", AT(valid_target),
     .help = "translate: target lines of the validation split."},
    {SEQ_OPTION_TEXT, "test-source", "FILE", AT(test_source),
     .help = "translate: source lines of the test split, likewise."},
    {SEQ_OPTION_TEXT, "test-target", "FILE", AT(test_target),
     .help = "translate: target lines of the test split."},
    {SEQ_OPTION_TEXT, "labels", "FIELDS", AT(labels),
     .help = "generate: fields of an item that condition its text, such as type,key,metre. If key, "
             "metre or length of a tune is a label, its field is removed from the tune's header. "
             "type is the name of the file up to its first dot; rhythm is R:."},
    {SEQ_OPTION_TEXT, "numbers", "FIELDS", AT(numbers),
     .help = "generate: fields with numbers that condition the text."},
    {SEQ_OPTION_FLAG, "bar-position", NULL, AT(bar_position), "no",
     .help = "generate, tunes in ABC: store the position in the bar before each unit, in multiples "
             "of L:, for an embedding beside the unit's. It follows from the previous units."},
    {SEQ_OPTION_TEXT, "transpose", "LOWEST-HIGHEST", AT(transpose),
     .help = "generate, tunes in ABC: add each training tune in every other key in which its notes "
             "stay in this range, such as G,-d'. Chord names and key changes are transposed, too."},
    {SEQ_OPTION_CHOICE, "infeasible", "HOW", AT(infeasible), "error", .choices = infeasibles,
     .help = "transcribe: an item whose labels need more frames than it has. They need one each, "
             "and one between two that are equal. error: the item is named. skip: it is left out "
             "and counted."},
    {SEQ_OPTION_TEXT, "tier", "NAME", AT(tier),
     .help = "transcribe, and tag of frames: the interval tier of NAME.TextGrid, where there are "
             "several."},
    {SEQ_OPTION_TEXT, "intervals", "FILE", AT(intervals),
     .help = "tag of frames: a CTM file; a frame whose middle lies in an interval of its file has "
             "the interval's label as tag. Without it NAME.TextGrid beside NAME has the "
             "intervals, or all frames have the item's label."},
    {SEQ_OPTION_TEXT, "background", "LABEL", AT(background), "sil",
     .help = "tag of frames: the tag of frames in no interval."},
    {SEQ_OPTION_CHOICE, "reader", "NAME", AT(reader), "auto", .registry = seq_reader_choices,
     .help =
         "Form of the inputs. lines: label<TAB>text, or label text. folder: a folder a class, a "
         "file an item. csv, tsv: tables. jsonl: a JSON object a line. conll: a token and its "
         "tag a line. conllu: the ten columns. fasta: sequences. arff: Weka's tables. "
         "promoters: class,name,sequence lines. Frames, real vectors: csv-frames: a file an item, "
         "a frame a line. npy: NumPy arrays. hdf5: data sets. ts: the UEA archive's form. "
         "skeleton: joints as in MSR Action3D. sound: WAV or FLAC, a file an item. kaldi: a folder "
         "of Kaldi's with "
         "wav.scp (lines ID PATH, paths relative to it) and, beside it, text and utt2spk (field "
         "speaker). auto: by "
         "--label-pattern or the first input's name; else conll for tag, kaldi or folder for a "
         "folder, "
         "and lines."},
    {SEQ_OPTION_TEXT, "columns", "FIELD=COLUMN,...", AT(columns),
     .help = "Where fields stand, by name or by number from 1: label=1,text=3-4 for tables, "
             "text=review,label=stars for JSON lines, token=1,tag=4 for CoNLL. path=1,label=2: csv "
             "and tsv tables that name a file of frames an item, relative to the table."},
    {SEQ_OPTION_TEXT, "ignore", "COLUMN,...", AT(ignore),
     .help = "Columns of a table that are no part of the text. Without --columns text=... the text "
             "is all columns that have no other use."},
    {SEQ_OPTION_CHOICE, "header", "HOW", AT(header), "auto", .choices = headers,
     .help = "Whether the first record of a table names the columns. auto: if names are used."},
    {SEQ_OPTION_CHOICE, "separator", "WHAT", AT(separator), "auto", .choices = separators,
     .help = "Between label and text (lines) or columns (conll). auto: a tab if the first line has "
             "one."},
    {SEQ_OPTION_TEXT, "delimiter", "CHARACTER", AT(delimiter),
     .help = "Between the columns of csv, if that is no comma, and of csv-frames, if it is none of "
             "tab, semicolon, comma and blank."},
    {SEQ_OPTION_FLAG, "quotes", NULL, AT(quotes), "yes",
     .help = "Tables: a cell in quotes may hold delimiters and line ends. no: a quote is a "
             "character like others."},
    {SEQ_OPTION_TEXT, "comment", "PREFIX", AT(comment),
     .help = "Lines of conll that begin so are comments."},
    {SEQ_OPTION_CHOICE, "missing-values", "HOW", AT(missing_values), "refuse",
     .choices = missing_values,
     .help = "Values of frames that are missing (?, NaN, NA or nothing): refuse them, or "
             "interpolate each between the frames before and behind it that have it."},
    {SEQ_OPTION_TEXT, "label-pattern", "PATTERN", AT(label_pattern),
     .help = "Readers of a file an item: fields of the file's name, such as "
             "{label}_{group}_{index}.wav, for --group and the conditions of --valid and --test. A "
             "pattern with slashes has folders, too. fasta: a POSIX extended expression; what its "
             "first group matches in the header is the label."},
    {SEQ_OPTION_TEXT, "label-table", "FILE", AT(label_table),
     .help = "fasta: lines of ID<TAB>LABEL."},
    {SEQ_OPTION_CHOICE, "blank-lines", "HOW", AT(blank_lines), "skip", .choices = blank_lines,
     .help =
         "conll: a blank line that ends no sentence is skipped and counted, or is a sentence of "
         "length 0."},
    {SEQ_OPTION_TEXT, "group", "FIELD", AT(group),
     .help = "Items with an equal FIELD (a field, a column, file, document for CoNLL) are never in "
             "two parts. Equal inputs never are, in any case. --valid, --test and --folds count "
             "groups."},
    {SEQ_OPTION_TEXT, "group-label", "FIELD", AT(group_label),
     .help = "Store FIELD (a speaker, a subject) as the group of each item. --normalise group and "
             "--strings use it. Parts may share groups."},
    {SEQ_OPTION_TEXT, "folds", "K|all", AT(folds),
     .help = "Cut the groups into K folds; all: one fold a group (leave one out). The fold of "
             "--fold is the test split, the others are training, and validation with --valid."},
    {SEQ_OPTION_INTEGER, "fold", "I", AT(fold), "0", 0, 2147483647, .help = "Which fold, from 1."},
    {SEQ_OPTION_FLAG, "stratify", NULL, AT(stratify), "no",
     .help = "classify: each class has its share in every part."},
    {SEQ_OPTION_INTEGER, "seed", "N", AT(seed), "1", 0, 9007199254740992,
     .help = "Of the draw that deals groups to parts."},
    {SEQ_OPTION_INTEGER, "kmer", "K", AT(kmer), "0", 0, 32,
     .help = "Units are K letters of a sequence each. 0: no k-mers."},
    {SEQ_OPTION_INTEGER, "stride", "N", AT(stride), "1", 1, 32,
     .help = "Letters from the start of a k-mer to that of the next."},
    {SEQ_OPTION_FLAG, "reverse-complement", NULL, AT(reverse_complement), "no",
     .help = "Add the other strand of each training item, IUPAC letters included, with the same "
             "label."},
    {SEQ_OPTION_INTEGER, "max-length", "N", AT(max_length), "0", 0, 2147483647,
     .help = "Cut an item of more units or frames into windows of N, each an item with the same "
             "label. translate: leave out training pairs with more units on a side, and count "
             "them. 0: never."},
    {SEQ_OPTION_INTEGER, "overlap", "N", AT(overlap), "0", 0, 2147483647,
     .help = "Units or frames that two windows share."},
    {SEQ_OPTION_FLAG, "letters", NULL, AT(letters), "no",
     .help = "tag: keep the letters of each token, too, for a character encoder. They keep their "
             "case, whatever --lower does to words."},
    {SEQ_OPTION_FLAG, "casing", NULL, AT(casing), "no",
     .help = "Keep how each word is written, before --lower, for an embedding beside the word's: "
             "lower, title, upper, mixed, digits, digits-in (some), punctuation, other."},
    {SEQ_OPTION_CHOICE, "normalise", "HOW", AT(normalise), "global", .choices = normalisations,
     .help = "Frames: subtract the mean of each feature and divide by its standard deviation. "
             "global: computed on the training part. item: on the item's own frames. group: on the "
             "training frames of its --group-label. none: no change. The data set stores raw "
             "values; checkpoints keep means and deviations for predictions."},
    {SEQ_OPTION_CHOICE, "unseen-groups", "HOW", AT(unseen_groups), "item", .choices = unseen_groups,
     .help = "--normalise group: how to normalise an item whose group is not in the training part: "
             "by its own frames, or as global does."},
    {SEQ_OPTION_INTEGER, "strings", "N", AT(strings), "0", 0, 100,
     .help = "transcribe, and tag of frames: concatenate items of the validation and test parts "
             "into strings of 1 to N items of one --group-label, all lengths equally likely. Use "
             "it with seqtrain --strings. Gaps are drawn from the quietest twentieth of the "
             "string's frames."},
    {SEQ_OPTION_INTEGER, "gap-least", "FRAMES", AT(gap_least), "0", 0, 1e6,
     .help = "--strings: least number of frames between two items; for transcripts 1 or more."},
    {SEQ_OPTION_INTEGER, "gap-most", "FRAMES", AT(gap_most), "0", 0, 1e6,
     .help = "--strings: greatest number of frames between two items."},
    {SEQ_OPTION_INTEGER, "gap-level", "COLUMN", AT(gap_level), "0", 0, 65536,
     .help = "--strings: the feature, from 1, that measures loudness. 0: the sum of all features."},
    {SEQ_OPTION_INTEGER, "string-count", "N", AT(string_count), "0", 0, 1e9,
     .help = "--strings: how many strings each part gets. 0: each item is used once."},
    {SEQ_OPTION_TEXT, "string-files", "FOLDER", AT(string_files),
     .help =
         "--strings: write each as FOLDER/PART-NUMBER.npy, too, and the true intervals of its "
         "items to FOLDER/PART.ctm; with --group-label G also the table FOLDER/PART.tsv of files "
         "and groups, for seqpredict --reader tsv --columns path=path,G=G."},
    {SEQ_OPTION_CHOICE, "tag-scheme", "NAME", AT(tag_scheme), "auto", .choices = schemes,
     .help = "What B-, I- ... mean. auto: told from all tags. none: tags are left alone."},
    {SEQ_OPTION_CHOICE, "store-tags", "NAME", AT(stored_scheme), "iob2", .choices = stored_schemes,
     .help = "Scheme in which the tags are learned; predictions are written as they were read."},
    {SEQ_OPTION_HEADING, .help = "Text"},
    {SEQ_OPTION_CHOICE, "unit", "UNIT", AT(unit), "char", .choices = units,
     .help = "byte: 256 symbols, nothing is changed. char: Unicode code points. word: what white "
             "space separates; the default for items, but sequences and generate have char. abc: "
             "symbols of ABC notation: a bar line, a note with its length, a field. For char and "
             "word a "
             "BOM at the start of a file is dropped, and LF, "
             "CRLF, CR and NEL (U+0085) each end a line; VT, FF, U+2028 and U+2029 are characters "
             "or white space. For byte LF alone ends a line. subword: words as for word, cut into "
             "parts by --merges. Not for --task tag, where a tag belongs to a whole token, and "
             "transcribe."},
    {SEQ_OPTION_TEXT, "merges", "N|FILE", AT(merges),
     .help =
         "subword: learn N merges from the training part by byte-pair encoding: start from "
         "characters and join the most frequent pair of neighbours, which must occur twice. Or "
         "read the merges of FILE, as subword-nmt writes it. Data set and checkpoints keep them, "
         "so text is read and printed without subword marks."},
    {SEQ_OPTION_INTEGER, "vocabulary-threshold", "N", AT(vocabulary_threshold), "1", 1, 1e15,
     .help = "subword: split units that occur less than N times in the training part. Single "
             "characters are kept; a character that the training part lacks is <unk>."},
    {SEQ_OPTION_TEXT, "glossary", "REGEX", AT(glossary), .flags = SEQ_OPTION_REPEATED,
     .help = "subword: a match of this POSIX extended expression (without {m,n}) in a word is a "
             "unit and never split. Give the option again, or a list separated by ';', for "
             "several."},
    {SEQ_OPTION_CHOICE, "eos", "WHERE", AT(eos), "auto", .choices = ends,
     .help = "<eos> in place of each line end, behind each document, or nowhere. auto: line for "
             "words, none otherwise."},
    {SEQ_OPTION_CHOICE, "punctuation", "HOW", AT(punctuation), "keep", .choices = punctuations,
     .help = "Words: keep punctuation (Unicode category P) where it stands, split each mark off as "
             "a unit of its own, or drop it."},
    {SEQ_OPTION_FLAG, "lower", NULL, AT(lower), "no",
     .help = "Lower case (char, word and subword)."},
    {SEQ_OPTION_FLAG, "nfc", NULL, AT(nfc), "no",
     .help = "Unicode normal form C (char, word and subword)."},
    {SEQ_OPTION_FLAG, "unescape", NULL, AT(unescape), "no",
     .help =
         "translate: decode character references of HTML and Moses (&amp; &apos; &#124; &uuml;) "
         "before text is split into units. A model then reads and writes plain text."},
    {SEQ_OPTION_FLAG, "reverse", NULL, AT(reverse), "no",
     .help =
         "Units of each line (--eos line) or document (--eos document) in reverse order, the "
         "last one first, then <eos>; with --eos none those of each split as a whole. For a "
         "language model that reads backward: seqtrain --init-from RUN:_l0=_l0_reverse takes it "
         "for one half of a bidirectional network. Files that are scored by such a model must "
         "be reversed, too."},
    {SEQ_OPTION_CHOICE, "invalid", "HOW", AT(invalid), "error", .choices = invalids,
     .help = "Bytes that are not UTF-8, and NUL (char and word): an error, or U+FFFD in their "
             "place."},
    {SEQ_OPTION_CHOICE, "long-words", "HOW", AT(long_words), "error", .choices = long_words,
     .help = "Words of more than 64 KB: an error, replaced by <unk>, or left out. A warning gives "
             "their number."},
    {SEQ_OPTION_HEADING, .help = "Vocabulary"},
    {SEQ_OPTION_INTEGER, "min-count", "N", AT(min_count), "1", 1, 1e15,
     .help = "A unit seen less often in the training part becomes <unk>."},
    {SEQ_OPTION_INTEGER, "max-vocab", "N", AT(max_vocab), "0", 0, 16777216,
     .help = "Tokens in the vocabulary at most, <unk> and <eos> included; the most frequent stay. "
             "0: no limit."},
    {SEQ_OPTION_FLAG, "joint", NULL, AT(joint), "no",
     .help = "translate: one vocabulary for both sides instead of one for each."},
    {SEQ_OPTION_INTEGER, "target-min-count", "N", AT(target_min_count), "0", 0, 1e15,
     .help = "translate: --min-count of the target side. 0: the same as for the source."},
    {SEQ_OPTION_INTEGER, "target-max-vocab", "N", AT(target_max_vocab), "0", 0, 16777216,
     .help = "translate: --max-vocab of the target side. 0: the same as for the source."},
    {SEQ_OPTION_TEXT, "vocab", "DATASET|FILE", AT(vocab),
     .help = "Reuse the vocabulary (and its rules for text) of a data set, or a vocabulary.tsv. "
             "Items: its units join those of the training part, so that what a language model "
             "knows (seqtrain --init-from) keeps a row in words that training lacks, too."},
    {SEQ_OPTION_CHOICE, "missing", "HOW", AT(missing), "error", .choices = missings,
     .help = "Units that --vocab lacks, when it has no <unk> either: an error, or left out. A "
             "warning gives their number."},
    {SEQ_OPTION_HEADING, .help = "Storage"},
    {SEQ_OPTION_INTEGER, "shard-tokens", "N", AT(shard_tokens), "64M", 1000, 1e12,
     .help = "Tokens in one file."},
    {SEQ_OPTION_CHOICE, "compression", "NAME", AT(compression), "zstd", .choices = compressions,
     .help = "Compression of the token files."},
    {SEQ_OPTION_INTEGER, "compression-level", "N", AT(compression_level), "3", 1, 19,
     .help = "Level of the compression (gzip: to 9)."},
    {SEQ_OPTION_HEADING, .help = "Running"},
    {SEQ_OPTION_INTEGER, "threads", "N", AT(threads), "0", 0, 1024,
     .help = "Threads that read and cut the inputs and compress the token files. The data set does "
             "not depend on it. 0: one for each core that affinity and control groups allow."},
    {SEQ_OPTION_INTEGER, "max-memory", "BYTES", AT(max_memory), "4G", 1, 1e15,
     .help =
         "Memory that unpacking one input may take: zstd --long windows (2.2G at most) and "
         "large xz dictionaries. A file that needs more is refused; the message says how much."},
    {SEQ_OPTION_FLAG, "quiet", NULL, AT(quiet), "no", .help = "Print warnings and errors only."},
    {.type = SEQ_OPTION_END},
};

static const seq_option_group *const groups[] = {&seq_sound_options, &seq_frame_options, NULL};
static const seq_program program = {
    .name = "seqprep",
    .synopsis = "[--task TASK] --unit byte|char|word|subword|abc [options] -o DATASET INPUT...\n"
                "       seqprep --task translate --source FILE --target FILE [options] -o DATASET",
    .summary = "Turns raw text into a data set for seqtrain: vocabulary and token files. INPUT is "
               "a file, a folder (read recursively in the order of names, "
               "hidden files left out) or - for standard input; plain UTF-8, gzip, zstd, xz or "
               "bzip2, told by its first bytes. Other archives and binary files are refused. Each "
               "file is a document. Memory holds the distinct units only, "
               "the disk 1 to 4 bytes a unit while it works. With --task classify, rate, tag, "
               "transcribe or generate the "
               "inputs are labelled items, texts or sequences of real vectors (frames): --reader "
               "says in which form; with --task translate they are pairs of texts.",
    .options = table,
    .examples = "  seqprep --unit char --valid 0.1 -o data book.txt\n"
                "  seqprep --unit word --valid valid.txt --test test.txt -o data train.txt\n"
                "  zcat dump.gz | seqprep --unit word --lower --punctuation split --max-vocab 50k "
                "-o data -\n"
                "  seqprep --unit subword --merges 8000 --valid valid.txt -o data train.txt\n"
                "  seqprep --task classify --valid dev.txt --test test.txt -o data train.txt\n"
                "  seqprep --task tag --letters --valid dev.conll -o data train.conll\n"
                "  seqprep --task transcribe --unit word --columns path=1,text=2 --valid 10% -o "
                "data said.tsv\n"
                "  seqprep --task generate --valid 10% -o data names.txt\n"
                "  seqprep --task generate --labels type,key,metre --unit abc --valid 10% -o data "
                "jigs.abc reels.abc\n"
                "  seqprep --task classify --ignore Instance_name --kmer 3 --folds 10 --fold 1 "
                "-o fold1 splice.arff\n"
                "  seqprep --task classify --label-pattern '{label}_{speaker}_{index}.wav' "
                "--test 'index<5' --mel-bins 40 -o data recordings\n"
                "  seqprep --task translate --source train.de --target train.en --valid-source "
                "val.de --valid-target val.en --min-count 2 -o data\n",
    .minimum_operands = 0,
    .maximum_operands = -1,
    .size = sizeof(options),
    .groups = groups,
};

// --vocab brings its own rules; what was given besides must not differ.
static seq_status take_rules(const seq_parsed *parsed, const char *from, seq_text_rules *rules,
                             seq_error *error) {
    static const char *const names[] = {"unit", "eos", "punctuation", "lower", "nfc"};
    char path[4096];
    seq_vocabulary *vocabulary = NULL;
    snprintf(path, sizeof path, "%s/vocabulary.tsv", from);
    bool inside = seq_path_is_directory(from);
    seq_status status =
        seq_vocabulary_read(inside ? path : from, SEQ_BAD_INPUT, &vocabulary, error);
    if (status) return status;
    bool longs =
        parsed->sources[seq_option_find(parsed->program, "long-words")] != SEQ_FROM_DEFAULT;
    seq_text_rules own = *seq_vocabulary_rules(vocabulary), given = *rules;
    seq_vocabulary_destroy(vocabulary);
    const bool differs[] = {own.unit != given.unit, own.eos != given.eos,
                            own.punctuation != given.punctuation, own.lower != given.lower,
                            own.nfc != given.nfc};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (differs[i] &&
            parsed->sources[seq_option_find(parsed->program, names[i])] != SEQ_FROM_DEFAULT)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s: differs from the rules of --vocab %s; leave it out",
                                 names[i], from);
    *rules = own;
    rules->invalid = given.invalid;
    if (longs) rules->long_words = given.long_words;
    return SEQ_OK;
}

// What was given and decides nothing beside the unit or the vocabulary of another data set.
static void warn_of_unused(const seq_parsed *parsed, const seq_text_rules *rules,
                           const char *vocab) {
    const struct {
        const char *name, *why;
        bool unused;
    } checks[] = {
        {"min-count", "--vocab brings a vocabulary", vocab != NULL},
        {"max-vocab", "--vocab brings a vocabulary", vocab != NULL},
        {"min-count", "a data set of bytes has all 256", rules->unit == SEQ_UNIT_BYTE && !vocab},
        {"max-vocab", "a data set of bytes has all 256", rules->unit == SEQ_UNIT_BYTE && !vocab},
        {"lower", "bytes stay as they are", rules->unit == SEQ_UNIT_BYTE},
        {"lower", "it would change the notes", rules->unit == SEQ_UNIT_ABC},
        {"nfc", "bytes stay as they are", rules->unit == SEQ_UNIT_BYTE},
        {"invalid", "bytes stay as they are", rules->unit == SEQ_UNIT_BYTE},
        {"punctuation", "it is of words", rules->unit < SEQ_UNIT_WORD},
        {"vocabulary-threshold", "--vocab brings a vocabulary", vocab != NULL},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].unused &&
            parsed->sources[seq_option_find(parsed->program, checks[i].name)] != SEQ_FROM_DEFAULT)
            seq_log_warning("--%s: without effect: %s", checks[i].name, checks[i].why);
}

static seq_eos eos_of(const options *options) {
    if (options->eos == EOS_AUTO)
        return options->unit >= SEQ_UNIT_WORD ? SEQ_EOS_LINE : SEQ_EOS_NONE;
    return (seq_eos)(options->eos - EOS_NONE);
}

static seq_status describe(const seq_parsed *parsed, seq_prepare *out, seq_error *error) {
    const options *options = parsed->values;
    *out = (seq_prepare){
        .rules = {.unit = (seq_unit)options->unit,
                  .punctuation = (seq_punctuation)options->punctuation,
                  .lower = options->lower,
                  .nfc = options->nfc,
                  .eos = eos_of(options),
                  .invalid = (seq_invalid)options->invalid,
                  .long_words = (seq_long_words)options->long_words},
        .output = options->output,
        .force = options->force,
        .inputs = parsed->operands,
        .input_count = (size_t)parsed->operand_count,
        .as_is = options->as_is,
        .reverse = options->reverse,
        .memory = (uint64_t)options->max_memory,
        .drop_missing = options->missing != 0,
        .min_count = options->min_count,
        .max_vocabulary = options->max_vocab,
        .vocabulary_from = options->vocab,
        .shard_tokens = (size_t)options->shard_tokens,
        .stopped = seqprep_interrupted,
        .threads = (int)options->threads,
        .pipeline = {(seq_compression)options->compression, (int)options->compression_level},
    };
    if (options->missing && !options->vocab)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--missing: it is about what --vocab lacks, which was not given");
    seq_status status =
        seqprep_parse_split("valid", options->valid, &out->valid_fraction, &out->valid_file, error);
    if (!status)
        status =
            seqprep_parse_split("test", options->test, &out->test_fraction, &out->test_file, error);
    if (!status && out->valid_fraction + out->test_fraction >= 1)
        status = seq_error_set(error, SEQ_BAD_USAGE,
                               "--valid %s, --test %s: nothing is left to train on", options->valid,
                               options->test);
    if (!status && options->vocab) status = take_rules(parsed, options->vocab, &out->rules, error);
    if (!status) status = seqprep_take_merges(parsed, out->rules.unit, &out->merges, error);
    if (!status && out->reverse && out->rules.unit == SEQ_UNIT_SUBWORD)
        status =
            seq_error_set(error, SEQ_BAD_USAGE,
                          "--reverse: parts of words in reverse order cannot be joined to text "
                          "again: use --unit word or char");
    if (!status) warn_of_unused(parsed, &out->rules, options->vocab);
    return status;
}

static seq_status print_summary(const char *output, seq_error *error) {
    char path[4096], line[512];
    snprintf(path, sizeof path, "%s/summary.txt", output);
    FILE *stream = fopen(path, "re");
    if (!stream) return seq_error_set_errno(error, "opening %s", path);
    while (fgets(line, sizeof line, stream))
        if (strncmp(line, "note ", 5) != 0) // given as a warning already
            seq_log_info("%.*s", (int)strcspn(line, "\n"), line);
    fclose(stream);
    return SEQ_OK;
}

static seq_status run_tokens(const seq_parsed *parsed, seq_error *error) {
    seq_prepare prepare;
    seq_status status = seqprep_check_tokens(parsed, error);
    if (!status) status = describe(parsed, &prepare, error);
    if (!status) status = seq_storage_begin(error);
    return status ? status : seq_prepare_run(&prepare, error);
}

static seq_status run(const seq_parsed *parsed, seq_error *error) {
    const options *options = parsed->values;
    seq_log_open(stderr, options->quiet ? SEQ_LOG_WARNING : SEQ_LOG_INFO, "seqprep");
    seq_signals_catch((const int[]){SIGINT, SIGTERM, SIGHUP, 0}, false);
    if (options->compression == SEQ_COMPRESS_GZIP && options->compression_level > 9)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--compression-level: gzip has levels 1 to 9, not %lld",
                             (long long)options->compression_level);
    if (options->target && !options->source && !parsed->operand_count)
        return seq_error_set(error, SEQ_BAD_USAGE, "--target: needs --source");
    if (!parsed->operand_count && !options->source)
        return seq_error_set(error, SEQ_BAD_USAGE, "0 operands given; usage: seqprep %.*s",
                             (int)strcspn(program.synopsis, "\n"), program.synopsis);
    seq_status status =
        options->task ? seqprep_run_items(parsed, error) : run_tokens(parsed, error);
    return status ? status : print_summary(options->output, error);
}

int main(int argc, char **argv) {
    return tool_main(&program, argc, argv, NULL, 0, run);
}
