#include "seqinfo_private.h"
#include <errno.h>
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
    va_list arguments;
    va_start(arguments, format);
    if (!options->quiet) vprintf(format, arguments);
    va_end(arguments);
}

static bool holds(const char *directory, const char *name) {
    char path[SEQ_PATH];
    seq_error ignored = {0};
    return !seq_path_join(path, directory, name, &ignored) && seq_path_exists(path);
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
        seq_info_say(options, "%s", line);
    if (stream) fclose(stream);
}

static seq_status show_dataset(const options *options, const char *path, seq_error *error) {
    seq_dataset *dataset = NULL;
    seq_status status = seq_dataset_open(path, &dataset, error);
    if (status) return status;
    seq_info_say(options, "data set   %s\nhash       %s\n", path, seq_dataset_hash(dataset));
    print_file(options, path, "summary.txt");
    if (options->verify) status = seq_info_verify_dataset(options, dataset, error);
    if (options->verify && !status)
        seq_info_say(options, "verified   %zu files\n", seq_dataset_manifest(dataset)->file_count);
    seq_dataset_close(dataset);
    return status;
}

static void print_section(const options *options, const seq_manifest *manifest, const char *name) {
    const seq_record *record = seq_manifest_section_find(manifest, name);
    seq_info_say(options, "%s\n", name);
    for (size_t i = 0; i < record->count; i++)
        if (*record->entries[i].text)
            seq_info_say(options, "  %-22s %s\n", record->entries[i].key, record->entries[i].text);
}

static seq_status print_parameters(const options *options, const seq_manifest *manifest,
                                   seq_error *error) {
    seq_model_config config;
    seq_compute compute;
    seq_model *model = NULL;
    seq_status status =
        seq_model_config_read(&config, seq_manifest_section_find(manifest, "model"), error);
    if (!status) status = seq_compute_find("auto", SEQ_FP32, NULL, &compute, error);
    if (!status) status = seq_model_create(&config, &compute, &model, error);
    if (status) return status;
    const seq_parameter_table *table = seq_model_parameters(model);
    seq_info_say(options, "parameters %zu\n", table->values);
    for (int row = 0; row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        if (parameter->dimensions == 2)
            seq_info_say(options, "  %-22s %zu x %zu\n", parameter->name, parameter->rows,
                         parameter->columns);
        else
            seq_info_say(options, "  %-22s %zu\n", parameter->name, parameter->rows);
    }
    seq_model_destroy(model);
    return SEQ_OK;
}

static uint64_t total_size(const seq_manifest *manifest) {
    uint64_t total = 0;
    for (size_t i = 0; i < manifest->file_count; i++)
        total += manifest->files[i].digest.size;
    return total;
}

static seq_status show_checkpoint(const options *options, const char *path, seq_error *error) {
    static const char *const sections[] = {"position", "schedule", "model", "data",
                                           "program",  "options",  "state"};
    seq_manifest manifest = {0};
    seq_status status = seq_checkpoint_read_manifest(path, &manifest, error);
    if (status) return status;
    seq_info_say(options, "checkpoint %s\nfiles      %zu, %.1f MB\n", path, manifest.file_count,
                 (double)total_size(&manifest) / 1e6);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        print_section(options, &manifest, sections[i]);
    status = print_parameters(options, &manifest, error);
    if (!status && options->verify &&
        (status = seq_info_verify_checkpoint(options, path, &manifest, error)) == SEQ_NO_CHECKPOINT)
        seq_info_advise(options, NULL, -1);
    if (!status && options->verify)
        seq_info_say(options, "verified   %zu files\n", manifest.file_count);
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
    seq_info_say(options, "  step %lld  epoch %s  ", (long long)step, epoch ? epoch : "?");
    if (validated == step && loss) seq_info_say(options, "validation loss %.8s  ", loss);
    seq_info_say(options, "%.1f MB%s%s\n", (double)total_size(manifest) / 1e6,
                 best == step ? "  best" : "", options->verify ? "  verified" : "");
}

// A checkpoint that cannot be used says why and leaves its status in `error`.
static bool show_step(const options *options, const char *run, int64_t step, int64_t *best,
                      seq_error *error) {
    char directory[SEQ_PATH];
    seq_manifest manifest = {0};
    seq_error reason = {0}, ignored = {0};
    if (!seq_checkpoint_directory(run, step, directory, &reason) &&
        !seq_checkpoint_read_manifest(directory, &manifest, &reason) &&
        !seq_identity_check(run, directory, &manifest, NULL, &reason) && options->verify)
        seq_info_verify_checkpoint(options, directory, &manifest, &reason);
    if (*best == UNKNOWN)
        seq_record_get_integer(seq_manifest_section_find(&manifest, "position"), "best_step", -1,
                               INT64_MAX, best, &ignored);
    if (reason.status) {
        seq_info_say(options, "  step %lld: %s\n", (long long)step, reason.text);
        seq_error_set(error, reason.status, "%s", reason.text);
    } else {
        print_step(options, &manifest, step, *best);
    }
    seq_manifest_clear(&manifest);
    return !reason.status;
}

// What was being written when a job died; or a checkpoint that has lost its manifest since.
static seq_status show_unfinished(const options *options, const char *run, seq_error *error) {
    int64_t *steps = NULL;
    size_t count = 0;
    seq_status status = seq_checkpoint_list_unfinished(run, &steps, &count, error);
    for (size_t i = 0; i < count; i++)
        seq_info_say(options,
                     "  step %lld: no manifest.json: not finished, or the manifest is lost\n",
                     (long long)steps[i]);
    free(steps);
    return status;
}

static seq_status show_run(const options *options, const char *path, seq_error *error) {
    int64_t *steps = NULL, best = UNKNOWN, good = -1;
    size_t count = 0;
    seq_status status = seq_checkpoint_list(path, &steps, &count, error);
    if (status) return status;
    seq_info_say(options, "run        %s\ncheckpoints %zu\n", path, count);
    for (size_t i = 0; i < count; i++)
        if (show_step(options, path, steps[i], &best, error) && good < 0) good = steps[i];
    if (error->status == SEQ_NO_CHECKPOINT) seq_info_advise(options, path, good);
    free(steps);
    show_unfinished(options, path, error);
    if (options->verify && count == 0)
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
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: no such directory", path);
    if (options->reshard) return seq_info_reshard(options, path, error);
    if (holds(path, "dataset.json")) return show_dataset(options, path, error);
    if (holds(path, "manifest.json")) return show_checkpoint(options, path, error);
    if (holds(path, "checkpoints") || holds(path, "config.ini"))
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
