// The order of the work for data of items: read everything once into a store,
// join items into groups, deal groups to parts, make the vocabularies, write the
// parts. Invariant: a group is in one part; where parts are files of their own or
// conditions on fields, repeats among them are told of, and a --group in two of them is refused.
// Tests: tests/cli/seqprep_items.sh.
#include "prepare_items_private.h"
#include <inttypes.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Of generate: an item that equals one of a part behind its own is left out.
static void leave_out(seq_item_work *work, const int32_t *group, const unsigned char *seen) {
    seq_item_store *store = &work->store;
    for (size_t i = 0; i < store->count; i++) {
        seq_stored_item *item = &store->items[i];
        item->left = seen[group[i]] >> (item->split + 1) != 0;
        work->equals += item->left && !item->twin;
    }
}

// Items of valid and test files that also occur in another part; groups that do are refused.
static seq_status check_files(seq_item_work *work, seq_error *error) {
    seq_item_store *store = &work->store;
    int32_t *group = NULL;
    unsigned char *seen = NULL;
    size_t groups;
    seq_status status = seq_allocate(&group, store->count, sizeof *group, "groups", error);
    if (!status) status = seq_allocate(&seen, store->count, 1, "groups", error);
    for (int k = 0; !status && k <= 2; k += 2) {
        if (k == 2 && !work->prepare->reader.group) break;
        const seq_partition_key *const keys[] = {store->keys[k]};
        status = seq_partition_groups(keys, 1, store->count, group, &groups, error);
        memset(seen, 0, store->count);
        for (size_t i = 0; !status && i < store->count; i++)
            seen[group[i]] |= (unsigned char)(1 << store->items[i].split);
        if (!status && k == 0 && work->prepare->task == SEQ_TASK_GENERATE) {
            leave_out(work, group, seen);
            continue;
        }
        for (size_t i = 0; !status && i < store->count; i++) {
            unsigned char others = seen[group[i]] & (unsigned char)~(1 << store->items[i].split);
            if (!others) continue;
            if (k == 0) work->strangers += i >= work->own;
            if (k == 2)
                status = seq_error_set(error, SEQ_BAD_INPUT,
                                       "--group %s: items of one group are in two parts, %s and "
                                       "another",
                                       work->prepare->reader.group,
                                       seq_split_name((seq_split)store->items[i].split));
        }
    }
    free(group);
    free(seen);
    return status;
}

static seq_status deal(seq_item_work *work, const int32_t *group, const int32_t *classes,
                       seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    unsigned char *split = NULL;
    const seq_partition partition = {.seed = prepare->seed,
                                     .valid = prepare->valid_fraction,
                                     .test = prepare->test_fraction,
                                     .folds = prepare->folds,
                                     .fold = prepare->fold,
                                     .all_folds = prepare->all_folds,
                                     .class_of = prepare->stratify ? classes : NULL};
    seq_status status = seq_allocate(&split, work->own, 1, "parts", error);
    if (!status)
        status = seq_partition_items(&partition, group, work->own, split, &work->folds, error);
    for (size_t i = 0; !status && i < work->own; i++)
        work->store.items[i].split = split[i];
    free(split);
    return status;
}

static seq_status divide(seq_item_work *work, seq_error *error) {
    seq_item_store *store = &work->store;
    int32_t *group = NULL, *classes = NULL;
    size_t groups, distinct;
    const seq_partition_key *const keys[] = {store->keys[0], store->keys[1], store->keys[2]};
    int key_count = work->prepare->reader.group ? 3 : 2;
    seq_status status = seq_allocate(&group, work->own, sizeof *group, "groups", error);
    if (!status) status = seq_allocate(&classes, work->own, sizeof *classes, "classes", error);
    if (!status) status = seq_partition_groups(keys, 1, work->own, group, &distinct, error);
    for (size_t i = 0; !status && i < work->own; i++)
        if (!store->items[i].twin && group[i] != (int32_t)i) {
            work->repeats++;
            work->contradictions += store->items[i].label != store->items[group[i]].label;
        }
    if (!status) status = seq_partition_groups(keys, key_count, work->own, group, &groups, error);
    for (size_t i = 0; !status && i < work->own; i++)
        classes[i] = store->items[i].label;
    if (!status) {
        work->groups = (int64_t)groups;
        status = deal(work, group, classes, error);
    }
    if (!status && store->count > work->own) status = check_files(work, error);
    free(group);
    free(classes);
    return status;
}

// Of the words in work->numbers.
static int64_t count_subwords(const seq_item_work *work, const seq_subword_map *words,
                              size_t count) {
    int64_t units = 0;
    for (size_t i = 0; i < count; i++) {
        size_t word = work->numbers[i];
        units += (int64_t)(words->ends[word] - (word ? words->ends[word - 1] : 0));
    }
    return units;
}

// Units of both sides.
static seq_status measure_pair(seq_item_work *work, const seq_stored_item *item, int64_t out[2],
                               seq_error *error) {
    out[0] = item->length;
    out[1] = item->symbols;
    if (!work->subword) return SEQ_OK;
    seq_status status = seq_item_load(work, item, 0, item->length, error);
    if (!status) out[0] = count_subwords(work, &work->words, item->length);
    if (!status) status = seq_item_load_symbols(work, item, error);
    if (!status) out[1] = count_subwords(work, &work->target_words, item->symbols);
    return status;
}

// Folds and groups are drawn before, so they do not depend on it.
seq_status seq_item_leave_long_pairs(seq_item_work *work, seq_error *error) {
    int64_t most = work->prepare->longest_pair, stay = 0, units[2];
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < work->store.count; i++) {
        seq_stored_item *item = &work->store.items[i];
        if (item->split != SEQ_TRAIN || item->left) continue;
        if (most) status = measure_pair(work, item, units, error);
        item->left = most && !status && (units[0] > most || units[1] > most);
        work->too_long += item->left;
        stay += !item->left;
    }
    if (status || stay) return status;
    if (work->equals)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "each item of the training part equals one of another part");
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--max-length %" PRId64 ": all %" PRId64
                         " training pairs have a longer side",
                         most, work->too_long);
}

static void print_unknown(const seq_item_work *work, FILE *stream) {
    static const char *const sides[2] = {"source", "target"};
    for (int side = 0; side < 2; side++) {
        fprintf(stream, "%-10s %s: ", side ? "" : "unknown", sides[side]);
        for (int split = 0, told = 0; split < SEQ_SPLITS; split++) {
            int64_t written = work->written[split][side], unknown = work->unknown[split][side];
            if (!written) continue;
            fprintf(stream, "%s%s %" PRId64 " of %" PRId64 " units (%.2f%%)", told++ ? ", " : "",
                    seq_split_name((seq_split)split), unknown, written,
                    100 * (double)unknown / (double)written);
        }
        fputc('\n', stream);
    }
}

static void print_pairs(const seq_item_work *work, FILE *stream) {
    const int64_t *empty = work->store.empty;
    fprintf(stream,
            "pairs      %" PRId64 " with an empty side passed over in training, %" PRId64
            " kept in other parts",
            empty[SEQ_TRAIN], empty[SEQ_VALID] + empty[SEQ_TEST]);
    if (work->prepare->longest_pair)
        fprintf(stream, "; %" PRId64 " longer than --max-length %" PRId64 " left out of training",
                work->too_long, work->prepare->longest_pair);
    fputc('\n', stream);
    print_unknown(work, stream);
}

static void print_notes(const seq_item_work *work, FILE *stream) {
    static const char *const done[SEQ_SKIPS] = {[SEQ_SKIP_MISSING] = "interpolated",
                                                [SEQ_SKIP_LOST] = "interpolated",
                                                [SEQ_SKIP_UNSCALED] = "left as they are",
                                                [SEQ_SKIP_SHORT] = "filled up with zeros"};
    const seq_item_store *store = &work->store;
    int64_t total = store->read[0] + store->read[1] + store->read[2];
    fprintf(stream, "reader     %s: %" PRId64 " items", store->settings.reader, total);
    for (int i = 0; i < SEQ_SKIPS; i++)
        if (store->skipped[i])
            fprintf(stream, ", %" PRId64 " %s %s", store->skipped[i], seq_skip_names[i],
                    done[i] ? done[i] : "passed over");
    fprintf(stream, "\ngroups     %" PRId64 " of the inputs' items, %" PRId64 " repeat another%s",
            work->groups, work->repeats,
            work->prepare->task == SEQ_TASK_TRANSLATE ? "'s source" : "");
    if (work->contradictions)
        fprintf(stream, ", %" PRId64 " of them with another label", work->contradictions);
    fputc('\n', stream);
    if (work->prepare->task == SEQ_TASK_TRANSLATE) print_pairs(work, stream);
    if (work->folds)
        fprintf(stream, "fold       %" PRId64 " of %" PRId64 "\n", work->prepare->fold,
                work->folds);
    if (work->prepare->task == SEQ_TASK_TAG)
        fprintf(stream, "tags       read as %s, stored as %s, %" PRId64 " were broken\n",
                seq_tag_scheme_name(work->scheme), seq_tag_scheme_name(work->stored), work->broken);
    if (work->prepare->task == SEQ_TASK_TRANSCRIBE)
        fprintf(stream,
                "alphabet   <blank> and %d symbols; %" PRId64 " items left out, whose "
                "labels need more frames than they have\n",
                seq_vocabulary_size(work->targets) - 1,
                store->infeasible[0] + store->infeasible[1] + store->infeasible[2]);
    if (work->subword)
        fprintf(stream, "merges     %" PRId64 "\n", seq_subword_merges(work->subword));
    if (work->subword && work->targets && seq_vocabulary_subword(work->targets))
        fprintf(stream, "           %" PRId64 " of the target\n",
                seq_subword_merges(seq_vocabulary_subword(work->targets)));
    if (store->windows)
        fprintf(stream, "windows    %" PRId64 ", of items that are too long\n", store->windows);
    if (work->equals)
        fprintf(stream,
                "equal      %" PRId64 " items are left out, which equal one of the "
                "validation or test part\n",
                work->equals);
    if (store->twins && work->prepare->transposes)
        fprintf(stream,
                "copies     %" PRId64 " training items in other keys, %" PRId64
                " tunes without a key have none\n",
                store->twins, store->context.unkeyed);
    else if (store->twins)
        fprintf(stream, "strands    training items stand twice, the second time as reverse "
                        "complements\n");
}

static void warn(const seq_item_work *work) {
    if (work->strangers)
        seq_log_warning("%" PRId64 " items of the validation and test parts %s items of another "
                        "part",
                        work->strangers,
                        work->prepare->task == SEQ_TASK_TRANSLATE ? "have the source of"
                                                                  : "are equal to");
    if (work->broken)
        seq_log_warning("%" PRId64 " tags were not as %s has them and were repaired", work->broken,
                        seq_tag_scheme_name(work->scheme));
    for (int split = 0; split < SEQ_SPLITS; split++)
        if (work->store.infeasible[split])
            seq_log_warning("%" PRId64 " items of the %s part were left out: their labels need "
                            "more frames than they have",
                            work->store.infeasible[split], seq_split_name((seq_split)split));
    if (work->store.skipped[SEQ_SKIP_SHORT])
        seq_log_warning("%" PRId64 " sounds are shorter than a frame and were filled up with zeros",
                        work->store.skipped[SEQ_SKIP_SHORT]);
    if (work->store.shorter)
        seq_log_warning("%" PRId64 " items are shorter than --kmer and have length 0",
                        work->store.shorter);
}

// By the pattern of names or the name of the first input, else by what the task mostly has.
const char *seq_prepare_items_reader(const seq_prepare_items *prepare) {
    if (prepare->reader.reader) return prepare->reader.reader;
    const char *input = prepare->inputs[0], *pattern = prepare->reader.label_pattern,
               *named = pattern ? seq_reader_of_item(pattern) : NULL;
    if (!named) named = seq_reader_of_file(input);
    if (named) return named;
    if (prepare->task == SEQ_TASK_TAG) return "conll";
    if (prepare->task == SEQ_TASK_TRANSLATE) return "tsv";
    char scp[SEQ_PATH];
    snprintf(scp, sizeof scp, "%s/wav.scp", input);
    if (access(scp, F_OK) == 0) return "kaldi";
    return seq_path_is_directory(input) ? "folder" : "lines";
}

static seq_status check_condition(const seq_item_work *work, seq_split split, const char *condition,
                                  seq_error *error) {
    if (!condition || work->store.read[split]) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--%s '%s': no item of the inputs is so",
                         seq_split_name(split), condition);
}

// Objects have a text and a label each, unless --columns names lists.
static seq_status check_lists(const seq_item_work *work, seq_error *error) {
    const seq_reader_settings *settings = &work->store.settings;
    const char *columns = settings->columns ? settings->columns : "";
    bool tokens = strncmp(columns, "token=", 6) == 0 || strstr(columns, ",token="),
         tags = strncmp(columns, "tag=", 4) == 0 || strstr(columns, ",tag=");
    if (work->prepare->task != SEQ_TASK_TAG || strcmp(settings->reader, "jsonl") != 0 ||
        (tokens && tags))
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%s: tags of JSON lines are lists: --columns token=KEY,tag=KEY names the "
                         "keys of tokens and tags",
                         work->prepare->inputs[0]);
}

// Files of lines side by side, each part with its own.
static seq_status read_pairs(seq_item_work *work, seq_error *error) {
    const seq_pair_files *pairs = work->prepare->pairs;
    seq_item_store *store = &work->store;
    seq_status status = SEQ_OK;
    for (int split = 0; !status && split < SEQ_SPLITS; split++) {
        if (!pairs[split].source) continue;
        status = seq_item_store_read_pairs(store, (seq_split)split, &pairs[split], error);
        if (split == SEQ_TRAIN) work->own = store->count;
        if (status || (split == SEQ_TRAIN ? work->own : (size_t)store->read[split])) continue;
        status = seq_error_set(
            error, SEQ_BAD_INPUT, "%s, %s: %s", pairs[split].source, pairs[split].target,
            store->read[split] ? "no pair has text on both sides" : "there are no lines");
    }
    return status;
}

static seq_status read_all(seq_item_work *work, seq_error *error) {
    const seq_prepare_items *prepare = work->prepare;
    seq_item_store *store = &work->store;
    if (prepare->pairs[SEQ_TRAIN].source) return read_pairs(work, error);
    seq_status status = check_lists(work, error);
    if (!status)
        status =
            seq_item_store_read(store, SEQ_TRAIN, prepare->inputs, prepare->input_count, error);
    if (!status) status = seq_item_store_sort(store, &work->own, error);
    if (!status) status = check_condition(work, SEQ_VALID, prepare->valid_condition, error);
    if (!status) status = check_condition(work, SEQ_TEST, prepare->test_condition, error);
    if (!status && work->own == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: there are no items to train on",
                               prepare->inputs[0]);
    if (!status && prepare->valid_file)
        status = seq_item_store_read(store, SEQ_VALID, &prepare->valid_file, 1, error);
    if (!status && prepare->valid_file && !store->read[SEQ_VALID])
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: holds no items", prepare->valid_file);
    if (!status && prepare->test_file)
        status = seq_item_store_read(store, SEQ_TEST, &prepare->test_file, 1, error);
    if (!status && prepare->test_file && !store->read[SEQ_TEST])
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s: holds no items", prepare->test_file);
    return status;
}

static seq_status prepare_with(seq_item_work *work, seq_dataset_writer *writer, seq_error *error) {
    char *notes = NULL;
    size_t size;
    seq_status status =
        seq_item_store_begin(&work->store, work->prepare, seq_dataset_writer_folder(writer), error);
    if (!status) status = read_all(work, error);
    if (!status) status = divide(work, error);
    if (!status && work->prepare->rules.text.unit != SEQ_UNIT_SUBWORD)
        status = seq_item_leave_long_pairs(work, error);
    if (!status) status = seq_item_vocabularies(work, error);
    if (!status) status = seq_item_write(work, writer, error);
    if (status) return status;
    seq_id_spool_end(&work->store.spool); // its file lies in the data set's folder
    FILE *stream = open_memstream(&notes, &size);
    if (stream) print_notes(work, stream);
    status = seq_memory_stream_close(stream, &notes, error, "describing the data set");
    if (!status) status = seq_dataset_writer_finish(writer, notes, error);
    free(notes);
    if (!status) warn(work);
    return status;
}

static void clear(seq_item_work *work) {
    seq_item_store_end(&work->store);
    seq_schema_clear(&work->schema);
    seq_subword_destroy(work->subword);
    seq_subword_map_clear(&work->words);
    seq_subword_map_clear(&work->target_words);
    seq_vocabulary_destroy(work->units);
    seq_vocabulary_destroy(work->targets);
    seq_vocabulary_destroy(work->letters);
    seq_vocabulary_destroy(work->casings);
    seq_vocabulary_destroy(work->names);
    for (int i = 0; i < SEQ_CONTEXT_LABELS; i++)
        seq_vocabulary_destroy(work->contexts[i]);
    seq_vocabulary_destroy(work->bars);
    void *const blocks[] = {work->tags,   work->ids,       work->target_ids, work->numbers,
                            work->text,   work->tag,       work->letter,     work->letter_lengths,
                            work->raw,    work->item_tags, work->spans,      work->casing,
                            work->values, work->bar};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

seq_status seq_prepare_items_run(const seq_prepare_items *prepare, seq_error *error) {
    seq_item_work work = {.prepare = prepare, .store.spool.descriptor = -1};
    seq_dataset_writer *writer = NULL;
    const char **inputs = NULL;
    size_t count = prepare->input_count;
    seq_status status =
        seq_allocate(&inputs, count + 2 + 2 * SEQ_SPLITS, sizeof *inputs, "the inputs", error);
    if (status) return status;
    if (count) memcpy(inputs, prepare->inputs, count * sizeof *inputs);
    for (int split = 0; split < SEQ_SPLITS; split++)
        if (prepare->pairs[split].source) {
            inputs[count++] = prepare->pairs[split].source;
            inputs[count++] = prepare->pairs[split].target;
        }
    if (prepare->valid_file) inputs[count++] = prepare->valid_file;
    if (prepare->test_file) inputs[count++] = prepare->test_file;
    const seq_dataset_target target = {prepare->output, prepare->force, inputs, count};
    status = seq_dataset_writer_create(&target, &writer, error);
    if (!status) status = prepare_with(&work, writer, error);
    seq_dataset_writer_destroy(writer);
    clear(&work);
    free(inputs);
    return status;
}
