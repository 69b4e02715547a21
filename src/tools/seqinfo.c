// Prints a data set, a checkpoint or a run, and verifies it on request. A checkpoint that its run
// removes or replaces meanwhile is passed over or read again, and is not called damaged. Tests:
// tests/cli/seqinfo.sh, tests/fault/readers.sh.
#include "seqinfo_private.h"
#include <errno.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef seq_info_options options;

static const seq_option table[] = {
    {SEQ_OPTION_FLAG, "verify", NULL, offsetof(options, verify), "no",
     .help = "Read every file, compare it with its recorded size and hash, then look at what is in "
             "it. Each fault is explained: which file, what was expected and found, what to do. "
             "Exit code 4 (a checkpoint or run) or 3 (a data set) when there is one."},
    {SEQ_OPTION_INTEGER, "reshard", "N", offsetof(options, reshard), NULL, 1, 4096,
     .help = "Rewrite a CHECKPOINT with N shards: the same bytes as from seqtrain --shards N. In "
             "place, unless --output says otherwise: the old one stays until the new one is whole, "
             "then they change places at once. A run that resumes from it goes on with N shards. "
             "Refused while seqtrain works on the run."},
    {SEQ_OPTION_TEXT, "output", "DIRECTORY", offsetof(options, output), .letter = 'o',
     .help =
         "Where --reshard writes the checkpoint instead; must not exist, or be an empty folder."},
    {SEQ_OPTION_FLAG, "quiet", NULL, offsetof(options, quiet), "no",
     .help = "Print nothing: the exit code is the answer."},
    {.type = SEQ_OPTION_END},
};

static const seq_program program = {
    .name = "seqinfo",
    .synopsis = "DATASET|RUN|CHECKPOINT [options]",
    .summary =
        "Tells what a data set, a run or a checkpoint holds, verifies it, and cuts checkpoints "
        "into another number of shards.",
    .options = table,
    .examples = "  seqinfo data --verify\n  seqinfo run\n  seqinfo run/checkpoints/step-000001000\n"
                "  seqinfo run/checkpoints/step-000001000 --reshard 1 -o whole\n",
    .minimum_operands = 1,
    .maximum_operands = 1,
};

void seq_info_say(const options *options, const char *format, ...) {
    char *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = options->quiet ? -1 : vasprintf(&line, format, arguments);
    va_end(arguments);
    if (size < 0) return;
    seq_escape_print(stdout, line, (size_t)size);
    putchar('\n');
    free(line);
}

static void print_file(const options *options, const char *directory, const char *name) {
    char path[SEQ_PATH], line[1024];
    seq_error ignored = {0};
    uint64_t size;
    FILE *stream =
        seq_path_join(path, directory, name, &ignored) || seq_file_size(path, &size, &ignored)
            ? NULL
            : fopen(path, "re");
    while (stream && fgets(line, sizeof line, stream))
        seq_info_say(options, "%.*s", (int)strcspn(line, "\n"), line);
    if (stream) fclose(stream);
}

static seq_status show_dataset(const options *options, const char *path, seq_error *error) {
    seq_dataset *dataset = NULL;
    seq_status status = seq_dataset_open(path, &dataset, error);
    if (status) return status;
    seq_info_say(options, "data set   %s", path);
    seq_info_say(options, "hash       %s", seq_dataset_hash(dataset));
    print_file(options, path, "summary.txt");
    if (options->verify) status = seq_info_verify_dataset(options, dataset, error);
    if (options->verify && !status)
        seq_info_say(options, "verified   %zu files", seq_dataset_manifest(dataset)->file_count);
    seq_dataset_close(dataset);
    return status;
}

static void print_section(const options *options, const seq_manifest *manifest, const char *name) {
    const seq_record *record = seq_manifest_section_find(manifest, name);
    if (record->count == 0) return; // lm has no schema
    seq_info_say(options, "%s", name);
    for (size_t i = 0; i < record->count; i++)
        if (*record->entries[i].text)
            seq_info_say(options, "  %-22s %s", record->entries[i].key, record->entries[i].text);
}

static seq_status print_parameters(const options *options, const char *directory,
                                   seq_error *error) {
    seq_loaded loaded = {0};
    seq_compute compute;
    seq_status status = seq_compute_find("auto", SEQ_FP32, NULL, &compute, error);
    if (!status) status = seq_checkpoint_open(directory, &loaded, error);
    if (!status) status = seq_checkpoint_build(&loaded, &compute, error);
    const seq_parameter_table *table = status ? NULL : seq_model_parameters(loaded.model);
    if (table) seq_info_say(options, "parameters %zu", table->values);
    for (int row = 0; table && row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        if (parameter->dimensions == 2)
            seq_info_say(options, "  %-22s %zu x %zu", parameter->name, parameter->rows,
                         parameter->columns);
        else
            seq_info_say(options, "  %-22s %zu", parameter->name, parameter->rows);
    }
    seq_loaded_clear(&loaded);
    return status;
}

static uint64_t total_size(const seq_manifest *manifest) {
    uint64_t total = 0;
    for (size_t i = 0; i < manifest->file_count; i++)
        total += manifest->files[i].digest.size;
    return total;
}

// Another that takes its place meanwhile is verified instead; `manifest` is that of the last one.
static seq_status verify_named(const options *options, const char *path, seq_manifest *manifest,
                               seq_digest *noted, seq_error *error) {
    seq_presence presence = SEQ_REPLACED;
    for (int attempt = 0; attempt < SEQ_READ_ATTEMPTS; attempt++) {
        if (!error->status && options->verify)
            seq_info_verify_checkpoint(options, path, noted, error);
        presence = seq_checkpoint_presence(path, noted);
        if (presence == SEQ_PRESENT) return error->status;
        if (presence == SEQ_REMOVED) break;
        *error = (seq_error){0};
        seq_manifest_clear(manifest);
        seq_checkpoint_note(path, noted);
        seq_checkpoint_read_manifest(path, manifest, error);
    }
    return seq_checkpoint_tell_moved(path, presence, error);
}

static seq_status show_checkpoint(const options *options, const char *path, seq_error *error) {
    static const char *const sections[] = {"position", "schedule", "initial", "model",   "schema",
                                           "reader",   "data",     "program", "options", "state"};
    seq_manifest manifest = {0};
    seq_digest noted;
    seq_checkpoint_note(path, &noted);
    seq_status status = seq_checkpoint_read_manifest(path, &manifest, error);
    if (status && seq_checkpoint_presence(path, &noted) == SEQ_REMOVED)
        return seq_checkpoint_tell_moved(path, SEQ_REMOVED, error);
    if (status) return status;
    seq_fault_point("reader.manifest");
    seq_info_say(options, "checkpoint %s", path);
    seq_info_say(options, "files      %zu, %.1f MB", manifest.file_count,
                 (double)total_size(&manifest) / 1e6);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        print_section(options, &manifest, sections[i]);
    status = print_parameters(options, path, error);
    if (status == SEQ_NO_CHECKPOINT && options->verify) { // which says more
        *error = (seq_error){0};
        status = SEQ_OK;
    }
    if (!status && options->verify) {
        status = verify_named(options, path, &manifest, &noted, error);
        if (status == SEQ_NO_CHECKPOINT && seq_checkpoint_presence(path, &noted) == SEQ_PRESENT)
            seq_info_advise(options, NULL, -1);
    }
    if (!status && options->verify)
        seq_info_say(options, "verified   %zu files", manifest.file_count);
    seq_manifest_clear(&manifest);
    return status;
}

// *best is UNKNOWN until the newest readable checkpoint told it.
enum { UNKNOWN = -2 };

static void print_step(const options *options, const seq_manifest *manifest, int64_t step,
                       int64_t best) {
    const seq_record *position = seq_manifest_section_find(manifest, "position");
    const char *epoch = seq_record_text(position, "epoch"),
               *loss = seq_record_text(position, "last_loss");
    int64_t validated = -1;
    seq_error ignored = {0};
    seq_record_get_integer(position, "validated", 0, INT64_MAX, &validated, &ignored);
    char validation[40] = "";
    if (validated == step && loss)
        snprintf(validation, sizeof validation, "validation loss %.8s  ", loss);
    seq_info_say(options, "  step %lld  epoch %s  %s%.1f MB%s%s", (long long)step,
                 epoch ? epoch : "?", validation, (double)total_size(manifest) / 1e6,
                 best == step ? "  best" : "", options->verify ? "  verified" : "");
}

// A checkpoint that cannot be used says why and leaves its status in `error`. One that is removed
// meanwhile is no fault. One that is replaced is read again.
static seq_presence show_step(const options *options, const char *run, int64_t step, int64_t *best,
                              int64_t *good, seq_error *error) {
    char directory[SEQ_PATH];
    seq_manifest manifest = {0};
    seq_digest noted;
    seq_error reason = {0}, ignored = {0};
    seq_presence presence = SEQ_REPLACED;
    for (int attempt = 0; presence == SEQ_REPLACED && attempt < SEQ_READ_ATTEMPTS; attempt++) {
        reason = (seq_error){0};
        seq_manifest_clear(&manifest);
        if (seq_checkpoint_directory(run, step, directory, &reason)) break;
        seq_checkpoint_note(directory, &noted);
        if (!seq_checkpoint_read_manifest(directory, &manifest, &reason) &&
            !seq_identity_check(run, directory, &manifest, NULL, &reason) && options->verify)
            seq_info_verify_checkpoint(options, directory, &noted, &reason);
        presence = seq_checkpoint_presence(directory, &noted);
    }
    if (presence == SEQ_REMOVED) {
        seq_info_say(options, "  step %lld: removed by its run meanwhile", (long long)step);
        seq_manifest_clear(&manifest);
        return presence;
    }
    if (presence == SEQ_REPLACED) seq_checkpoint_tell_moved(directory, presence, &reason);
    if (*best == UNKNOWN)
        seq_record_get_integer(seq_manifest_section_find(&manifest, "position"), "best_step", -1,
                               INT64_MAX, best, &ignored);
    if (reason.status) {
        seq_info_say(options, "  step %lld: %s", (long long)step, reason.text);
        seq_error_set(error, reason.status, "%s", reason.text);
    } else {
        print_step(options, &manifest, step, *best);
        if (*good < 0) *good = step;
    }
    seq_manifest_clear(&manifest);
    return presence;
}

// What was being written when a job died; or a checkpoint that has lost its manifest since.
static seq_status show_unfinished(const options *options, const char *run, seq_error *error) {
    int64_t *steps = NULL;
    size_t count = 0;
    seq_status status = seq_checkpoint_list_incomplete(run, &steps, &count, error);
    for (size_t i = 0; i < count; i++)
        seq_info_say(options,
                     "  step %lld: no manifest.json: being written or removed by a run, not "
                     "finished, or the manifest is lost",
                     (long long)steps[i]);
    free(steps);
    return status;
}

// All that are newer than *newest, which becomes the newest of them. *out_removed: one has been
// removed before it could be shown.
static seq_status show_steps(const options *options, const char *run, int64_t *newest,
                             int64_t *good, bool *out_removed, seq_error *error) {
    int64_t *steps = NULL, best = UNKNOWN, before = *newest;
    size_t count = 0;
    *out_removed = false;
    if (seq_checkpoint_list(run, &steps, &count, error)) return error->status;
    seq_fault_point("reader.listed");
    if (before < 0) {
        seq_info_say(options, "run        %s", run);
        seq_info_say(options, "checkpoints %zu", count);
    }
    for (size_t i = 0; i < count && steps[i] > before; i++)
        if (show_step(options, run, steps[i], &best, good, error) == SEQ_REMOVED)
            *out_removed = true;
    if (count) *newest = steps[0];
    free(steps);
    return SEQ_OK;
}

static seq_status show_run(const options *options, const char *path, seq_error *error) {
    int64_t newest = -1, good = -1;
    bool removed = true;
    for (int attempt = 0; removed && good < 0 && attempt < SEQ_READ_ATTEMPTS; attempt++)
        if (show_steps(options, path, &newest, &good, &removed, error)) return error->status;
    if (error->status == SEQ_NO_CHECKPOINT) seq_info_advise(options, path, good);
    show_unfinished(options, path, error);
    if (removed && good < 0) return seq_checkpoint_tell_moved(path, SEQ_REPLACED, error);
    if (options->verify && good < 0 && !error->status)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "verifying %s: it has no checkpoint", path);
    return error->status;
}

static seq_status run(const seq_parsed *parsed, seq_error *error) {
    const options *options = parsed->values;
    const char *path = parsed->operands[0];
    if (options->output && !options->reshard)
        return seq_error_set(error, SEQ_BAD_USAGE, "--output: needs --reshard");
    seq_error reason = {0};
    if (seq_path_check(path, &reason) && seq_path_exists(path)) // a link that leads nowhere
        return seq_error_set(error, SEQ_BAD_INPUT, "%s", reason.text);
    if (seq_path_is_forbidden(path)) {
        errno = EACCES;
        return seq_error_set_errno(error, "reading directory %s", path);
    }
    if (!seq_path_is_directory(path))
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: %s: name a data set, a run or a checkpoint",
                             path, seq_path_exists(path) ? "not a directory" : "no such directory");
    if (options->reshard) return seq_info_reshard(options, path, error);
    if (seq_path_holds(path, "dataset.json")) return show_dataset(options, path, error);
    if (seq_path_holds(path, "manifest.json")) return show_checkpoint(options, path, error);
    if (seq_path_holds(path, "checkpoints") || seq_path_holds(path, "config.ini"))
        return show_run(options, path, error);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s: neither a data set (dataset.json), nor a run (checkpoints), nor a "
                         "checkpoint (manifest.json)",
                         path);
}

int main(int argc, char **argv) {
    options options;
    return tool_main(&program, argc, argv, &options, sizeof options, run);
}
