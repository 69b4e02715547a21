// Finds the newest checkpoint that is whole and of this run, and restores it.
// All ranks share the hashing and decoding; what is damaged is set aside, and
// the one before it is tried. What a rank has decoded of a good one it keeps
// until there is memory that the ranks share. Invariant: what a checkpoint does
// not supply is zero, also after a rollback. Tests: tests/fault/damage.sh,
// tests/fault/rollback.sh, tests/fault/override.sh.
#include "saving.h"
#include "options/options.h"
#include "verify/verify.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/log.h>
#include <seqtrain/job/cpu_check.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/checkpoint/data_path.h>
#include <seqtrain/checkpoint/identity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static seq_status list_steps(const char *run, seq_comm *comm, int64_t **out_steps,
                             size_t *out_count, seq_error *error) {
    *out_steps = NULL;
    *out_count = 0;
    uint64_t count = 0;
    if (seq_comm_rank(comm) == 0 && !seq_train_list_candidates(run, out_steps, out_count, error))
        count = *out_count;
    seq_status status = seq_comm_agree(comm, error);
    if (!status) status = seq_comm_broadcast(comm, &count, sizeof count, 0, error);
    if (status) return status;
    if (seq_comm_rank(comm) != 0)
        seq_allocate(out_steps, count, sizeof **out_steps, "the list of checkpoints", error);
    status = seq_comm_agree(comm, error);
    *out_count = count;
    return status ? status
                  : seq_comm_broadcast(comm, *out_steps, count * sizeof **out_steps, 0, error);
}

void seq_train_forget(seq_kept *kept) {
    free(kept->memory);
    *kept = (seq_kept){0};
}

// Takes memory for this rank's ranges. What the shards are hardly worth is not kept, nor what there
// is no memory for: it is decoded in pieces now, and again when the trainer's own memory is there.
static void keep_ranges(seq_kept *kept, const seq_manifest *manifest, int rank, int ranks) {
    enum { DENSITY = 16 }; // values in a byte
    double total = 0, bytes = 0;
    size_t floats = 0;
    seq_error ignored = {0};
    for (int shard = 0; shard < seq_checkpoint_shards(manifest); shard++)
        bytes += (double)manifest->files[shard].digest.size;
    for (int i = 0; i < kept->ranges.count; i++) {
        seq_vector_range range = seq_checkpoint_range(kept->ranges.vectors[i].count, rank, ranks);
        floats += range.end - range.begin;
        total += (double)kept->ranges.vectors[i].count;
    }
    if (total > DENSITY * bytes || seq_allocate(&kept->memory, floats, sizeof *kept->memory,
                                                "the state to resume from", &ignored))
        return;
    float *values = kept->memory;
    for (int i = 0; i < kept->ranges.count; i++) {
        seq_vector_range range = seq_checkpoint_range(kept->ranges.vectors[i].count, rank, ranks);
        kept->ranges.vectors[i].values = values;
        values += range.end - range.begin;
    }
}

// One rank reads the small files and makes the model, whose parameters are counted.
static seq_status check_model_of(seq_loaded *loaded, seq_error *error) {
    seq_compute compute;
    seq_status status = seq_compute_find("portable", SEQ_FP32, NULL, &compute, error);
    return status ? status : seq_checkpoint_build(loaded, &compute, error);
}

// Every rank reads the manifest, hashes its share of the shards and decodes its range of every
// vector: hashes fit to what a faulty program has written, too.
static seq_status check_phases(const char *run, const char *override, seq_comm *comm, int64_t step,
                               seq_loaded *loaded, seq_kept *kept, bool keep, seq_error *error) {
    char directory[SEQ_PATH];
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    seq_position position;
    if (!seq_checkpoint_directory(run, step, directory, error) &&
        !seq_checkpoint_open(directory, loaded, error) &&
        !seq_checkpoint_state(directory, &loaded->manifest, &kept->ranges, error) && rank == 0)
        check_model_of(loaded, error);
    if (seq_comm_agree(comm, error)) return error->status;
    seq_checkpoint_verify(directory, &loaded->manifest, rank, ranks, error);
    if (seq_comm_agree(comm, error)) return error->status;
    if (keep) keep_ranges(kept, &loaded->manifest, rank, ranks);
    if (!seq_checkpoint_read(directory, &loaded->manifest, &kept->ranges, rank, ranks, error) &&
        !seq_train_read_position(&loaded->manifest, &position, error) && position.step != step)
        seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: its manifest says step %lld", directory,
                      (long long)position.step);
    if (!error->status && rank == 0)
        seq_identity_check(run, directory, &loaded->manifest, override, error);
    return seq_comm_agree(comm, error);
}

// `kept`: NULL, or receives what this rank has decoded.
static seq_status check_checkpoint(const char *run, const char *override, seq_comm *comm,
                                   int64_t step, seq_manifest *manifest, seq_kept *kept,
                                   seq_error *error) {
    seq_loaded loaded = {0};
    seq_kept found = {0};
    seq_status status =
        check_phases(run, override, comm, step, &loaded, &found, kept != NULL, error);
    if (!status) {
        *manifest = loaded.manifest;
        loaded.manifest = (seq_manifest){0};
    }
    if (!status && kept)
        *kept = found;
    else
        seq_train_forget(&found);
    seq_loaded_clear(&loaded);
    return status;
}

// A checkpoint that was refused keeps its content under another name: nothing may overwrite or
// retire it.
static seq_status set_aside(const char *run, int64_t step, seq_error *error) {
    char directory[SEQ_PATH], aside[SEQ_PATH + 32];
    if (seq_checkpoint_directory(run, step, directory, error)) return error->status;
    int number = 0;
    do
        snprintf(aside, sizeof aside, "%s.damaged-%d", directory, number++);
    while (seq_path_exists(aside));
    seq_fault_point("resume.setting-aside");
    if (rename(directory, aside))
        return seq_error_set_errno(error, "renaming %s to %s", directory, aside);
    seq_fault_point("resume.set-aside");
    seq_log_warning("it is kept as %s", aside);
    return SEQ_OK;
}

// steps[0 .. count) are refused, an older one is good.
static seq_status set_aside_all(const char *run, seq_comm *comm, const int64_t *steps, size_t count,
                                seq_error *error) {
    for (size_t i = 0; seq_comm_rank(comm) == 0 && i < count && !error->status; i++)
        set_aside(run, steps[i], error);
    return seq_comm_agree(comm, error);
}

static seq_status newest_good(const char *run, const char *override, seq_comm *comm,
                              const int64_t *steps, size_t count, seq_manifest *manifest,
                              seq_kept *kept, int64_t *out_step, seq_error *error) {
    for (size_t i = 0; i < count; i++) {
        seq_error reason = {0};
        seq_manifest_clear(manifest);
        seq_status status =
            check_checkpoint(run, override, comm, steps[i], manifest, kept, &reason);
        if (!status) {
            *out_step = steps[i];
            return set_aside_all(run, comm, steps, i, error);
        }
        if (status != SEQ_NO_CHECKPOINT) return seq_error_set(error, status, "%s", reason.text);
        seq_log_warning("the checkpoint of step %lld cannot be used: %s", (long long)steps[i],
                        reason.text);
    }
    seq_manifest_clear(manifest);
    if (count == 0) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_CHECKPOINT,
                         "resuming %s: none of its %zu checkpoints can be used; start again in "
                         "another --run directory, or repair one",
                         run, count);
}

// What was given on the command line or in a file must not change the numbers of the run.
static void compare_option(const seq_parsed *parsed, size_t index, const char *recorded,
                           char *differences, size_t size) {
    char given[SEQ_PATH];
    const seq_option *option = &parsed->program->options[index];
    seq_option_get_text(parsed, index, given, sizeof given);
    bool automatic = strcmp(option->name, "replicas") == 0 && strcmp(given, "0") == 0;
    if (automatic || !(option->flags & SEQ_OPTION_IDENTITY) || strcmp(given, recorded) == 0) return;
    if (seq_train_overrides(parsed->values, option->name)) {
        seq_log_warning("--override: %s is %s from here on, the run had %s", option->name, given,
                        *recorded ? recorded : "none");
        return;
    }
    size_t used = strlen(differences);
    snprintf(differences + used, size - used, "%s--%s %.100s (the run has %.100s)",
             used ? ", " : "", option->name, given, *recorded ? recorded : "none");
}

static bool is_taken_from_record(const seq_parsed *parsed, size_t index) {
    const seq_option *option = &parsed->program->options[index];
    char text[8];
    if (parsed->sources[index] == SEQ_FROM_DEFAULT) return true;
    seq_option_get_text(parsed, index, text, sizeof text);
    return strcmp(option->name, "replicas") == 0 && strcmp(text, "0") == 0;
}

// NULL: the record says nothing about this option.
static const char *recorded_value(const seq_option *option, const seq_record *record) {
    bool skipped = option->type == SEQ_OPTION_HEADING ||
                   option->flags & (SEQ_OPTION_ONCE | SEQ_OPTION_SESSION);
    return skipped ? NULL : seq_train_recorded(record, option);
}

static seq_status take_recorded(seq_parsed *parsed, size_t index, const char *recorded,
                                seq_error *error) {
    const seq_option *option = &parsed->program->options[index];
    seq_error reason = {0};
    if (!*recorded && !option->standard && option->type == SEQ_OPTION_TEXT) return SEQ_OK;
    seq_status status = seq_option_set(parsed, option->name, recorded, SEQ_FROM_RECORD, &reason);
    if (!status) return SEQ_OK;
    return seq_error_set(error, status == SEQ_BAD_USAGE ? SEQ_NO_CHECKPOINT : status,
                         "resuming: the checkpoint's record: %s", reason.text);
}

// The model that the options describe, in the words of a manifest.
static seq_status describe_model(const seq_parsed *parsed, const seq_record *model, seq_record *out,
                                 seq_error *error) {
    seq_model_config config;
    int64_t vocabulary;
    seq_status status =
        seq_record_get_integer(model, "vocabulary", 1, SEQ_MAX_VOCABULARY, &vocabulary, error);
    if (!status) status = seq_train_model_config(parsed->values, (int)vocabulary, &config, error);
    return status ? status : seq_model_config_write(&config, out, error);
}

// Options that a word, a number or nothing may stand for, as the manifest's model has them. A
// value that comes to the same is written another way, and the record's text stays.
static seq_status take_equal(seq_parsed *parsed, const seq_record *record, const seq_record *model,
                             seq_error *error) {
    static const struct {
        const char *option, *key, *absent;
    } resolved[] = {{"embed-init", "embedding_initialisation", "0"},
                    {"dropout-input", "dropout_input", NULL},
                    {"dropout-between", "dropout_between", NULL},
                    {"dropout-output", "dropout_output", NULL},
                    {"hidden", "hidden", NULL},
                    {"cutoffs", "cutoffs", NULL}};
    const seq_program *program = parsed->program;
    seq_record given = {0};
    seq_error ignored = {0}; // told where the model is made
    seq_status status = SEQ_OK;
    bool described = !describe_model(parsed, model, &given, &ignored);
    for (size_t i = 0; described && !status && i < sizeof resolved / sizeof *resolved; i++) {
        int index = seq_option_find(program, resolved[i].option);
        const char *recorded = recorded_value(&program->options[index], record),
                   *now = seq_record_text(&given, resolved[i].key),
                   *then = seq_record_text(model, resolved[i].key);
        if (!then) then = resolved[i].absent;
        if (recorded && now && then && strcmp(now, then) == 0)
            status = take_recorded(parsed, (size_t)index, recorded, error);
    }
    seq_record_clear(&given);
    return status;
}

static seq_status apply_record(seq_parsed *parsed, const seq_record *record,
                               const seq_record *model, seq_error *error) {
    const seq_option *options = parsed->program->options;
    char differences[600] = "";
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && options[i].type != SEQ_OPTION_END; i++) {
        const char *recorded = recorded_value(&options[i], record);
        if (recorded && is_taken_from_record(parsed, i))
            status = take_recorded(parsed, i, recorded, error);
    }
    if (!status) status = take_equal(parsed, record, model, error);
    if (status) return status;
    for (size_t i = 0; options[i].type != SEQ_OPTION_END; i++) {
        const char *recorded = recorded_value(&options[i], record);
        if (recorded && parsed->sources[i] != SEQ_FROM_RECORD)
            compare_option(parsed, i, recorded, differences, sizeof differences);
    }
    if (*differences)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "resuming: these options would change the run: %s; leave them out, "
                             "use another --run, or name those that may change in --override",
                             differences);
    return SEQ_OK;
}

// An option of the user's own that differs from the record, and was let pass.
static bool is_changed(const seq_parsed *parsed, const seq_manifest *manifest) {
    const seq_record *record = seq_manifest_section_find(manifest, "options");
    const seq_option *options = parsed->program->options;
    for (size_t i = 0; options[i].type != SEQ_OPTION_END; i++) {
        char given[SEQ_PATH];
        const char *recorded =
            options[i].flags & SEQ_OPTION_IDENTITY ? seq_train_recorded(record, &options[i]) : NULL;
        if (!recorded || parsed->sources[i] == SEQ_FROM_RECORD) continue;
        seq_option_get_text(parsed, i, given, sizeof given);
        if (strcmp(given, recorded) != 0) return true;
    }
    return false;
}

// The model that the options describe is the recorded one, whose size was checked: memory is taken
// for it next.
static seq_status check_model(const seq_parsed *parsed, const seq_manifest *manifest,
                              seq_error *error) {
    const seq_record *recorded = seq_manifest_section_find(manifest, "model");
    seq_record described = {0};
    seq_status status = describe_model(parsed, recorded, &described, error);
    for (size_t i = 0; !status && i < described.count; i++) {
        const char *key = described.entries[i].key, *found = seq_record_text(recorded, key);
        // Records from before there was a choice of outputs have none.
        if (found && strcmp(found, described.entries[i].text) != 0)
            status = seq_error_set(error, SEQ_NO_CHECKPOINT,
                                   "resuming: the options of the checkpoint give %s %.60s, its "
                                   "model has %.60s",
                                   key, described.entries[i].text, found);
    }
    seq_record_clear(&described);
    return status;
}

static seq_status apply_manifest(seq_parsed *parsed, const seq_manifest *manifest,
                                 seq_error *error) {
    seq_train_options *options = parsed->values;
    seq_status status = apply_record(parsed, seq_manifest_section_find(manifest, "options"),
                                     seq_manifest_section_find(manifest, "model"), error);
    if (!status && !is_changed(parsed, manifest)) status = check_model(parsed, manifest, error);
    char *data = NULL;
    if (!status && !options->data)
        status = seq_data_path_find(options->run, manifest, &data, error);
    if (!status && data) status = seq_option_set(parsed, "data", data, SEQ_FROM_RECORD, error);
    free(data);
    return status;
}

seq_status seq_train_find_rollback_target(const seq_trainer *trainer, int64_t window,
                                          seq_manifest *out_manifest, int64_t *out_step,
                                          seq_error *error) {
    const char *run = trainer->options->run;
    int64_t *steps = NULL;
    size_t count = 0;
    *out_step = -1;
    seq_status status = list_steps(run, trainer->comm, &steps, &count, error);
    if (!status) {
        count = seq_train_keep_targets(trainer, window, steps, count);
        status = newest_good(run, NULL, trainer->comm, steps, count, out_manifest, NULL, out_step,
                             error);
    }
    free(steps);
    return status;
}

seq_status seq_train_find_checkpoint(seq_parsed *parsed, seq_comm *comm, seq_manifest *out_manifest,
                                     seq_kept *out_kept, int64_t *out_step, seq_error *error) {
    seq_train_options *options = parsed->values;
    int64_t *steps = NULL;
    size_t count = 0;
    *out_step = -1;
    seq_status status = seq_train_check_overrides(parsed, error);
    if (status) return status;
    status = list_steps(options->run, comm, &steps, &count, error);
    if (status) goto out;
    if (options->resume == SEQ_RESUME_NEVER && count)
        status =
            seq_error_set(error, SEQ_BAD_USAGE,
                          "--resume never: %s has %zu checkpoints; use another --run, or remove it",
                          options->run, count);
    else if (options->resume == SEQ_RESUME_MUST && !count)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT, "--resume must: %s has no checkpoint",
                               options->run);
    else if (options->resume == SEQ_RESUME_AUTO && !count)
        status = seq_train_check_new(options->run, comm, error);
    else
        // Not more memory than the snapshot takes later; where there is none, it is decoded twice.
        status = newest_good(options->run, options->override, comm, steps, count, out_manifest,
                             options->checkpoint_background ? out_kept : NULL, out_step, error);
    if (!status && *out_step >= 0) status = apply_manifest(parsed, out_manifest, error);
out:
    free(steps);
    return status;
}

// The task, columns, axes and how raw input is read: no override changes them. The measures of the
// task choose among the run's checkpoints, and these are held to the rest (identity.c).
static seq_status check_schema(const seq_trainer *trainer, const seq_manifest *manifest,
                               seq_error *error) {
    const char *run = trainer->options->run, *path = seq_dataset_path(trainer->dataset);
    const seq_schema *found = seq_dataset_schema(trainer->dataset);
    char differences[SEQ_ERROR_TEXT / 2] = "";
    seq_schema then;
    seq_status status = seq_schema_read(&then, manifest, error);
    if (!status && strcmp(then.task, found->task) != 0)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "resuming %s: data set %s was prepared for the task %s, the run is "
                               "of %s; use another --run",
                               run, path, found->task, then.task);
    if (!status) status = seq_schema_compare(found, &then, differences, sizeof differences, error);
    if (!status && *differences)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "resuming %s: data set %s has another schema than the run's: %s; "
                               "prepare it as that was, or use another --run",
                               run, path, differences);
    seq_schema_clear(&then);
    return status;
}

// The vocabulary is a part of the data, and what the model's numbers mean.
static seq_status check_data(const seq_trainer *trainer, const seq_manifest *manifest,
                             seq_error *error) {
    const seq_train_options *options = trainer->options;
    const seq_record *record = seq_manifest_section_find(manifest, "data");
    if (check_schema(trainer, manifest, error)) return error->status;
    const struct {
        const char *field, *what, *recorded, *found;
    } checks[] = {
        {"vocabulary", "the vocabulary of data set", seq_record_text(record, "vocabulary_hash"),
         seq_dataset_vocabulary_hash(trainer->dataset)},
        {"data", "data set", seq_record_text(record, "hash"), seq_dataset_hash(trainer->dataset)}};
    for (int i = 0; i < 2; i++) {
        if (checks[i].recorded && strcmp(checks[i].recorded, checks[i].found) == 0) continue;
        if (seq_train_overrides(options, checks[i].field) ||
            seq_train_overrides(options, "vocabulary"))
            continue;
        return seq_error_set(
            error, SEQ_BAD_INPUT,
            "resuming %s: %s %s (hash %s) is not the one that the run was started "
            "on (hash %s); --override %s goes on nevertheless",
            options->run, checks[i].what, seq_dataset_path(trainer->dataset), checks[i].found,
            checks[i].recorded ? checks[i].recorded : "not recorded", checks[i].field);
    }
    return SEQ_OK;
}

// What the kernels of an older version meant: "avx2", "portable", "openblas 0.3.21 Zen, avx2".
// Those for any CPU were fused on ARM, where the run's cpu.txt is the architecture. On x86 only
// their functions were, not their products: today no kernels have these bits.
static void read_kernels(const seq_trainer *trainer, const char *kernels, char *out, size_t size) {
    char cpu[SEQ_CPU_NAME];
    bool portable = strcmp(kernels, "portable") == 0, x86 = true;
    if (portable && seq_cpu_last(trainer->options->run, cpu)) x86 = strcmp(cpu, "aarch64") != 0;
    if (strncmp(kernels, "openblas", strlen("openblas")) == 0)
        snprintf(out, size, "%.*s", (int)strcspn(kernels, ","), kernels);
    else
        snprintf(out, size, "%s", portable && x86 ? "unfused, by an older version" : "fused");
}

static void warn_of_arithmetic(const seq_trainer *trainer, const seq_manifest *manifest) {
    const seq_record *program = seq_manifest_section_find(manifest, "program");
    const char *recorded = seq_record_text(program, "arithmetic"),
               *kernels = seq_record_text(program, "kernels"),
               *now = seq_compute_arithmetic(&trainer->compute);
    char meant[200];
    if (!recorded && !kernels) return;
    if (!recorded) read_kernels(trainer, kernels, meant, sizeof meant);
    if (strcmp(recorded ? recorded : meant, now) != 0)
        seq_log_warning("the checkpoint was written with arithmetic %s, here it is %s: results are "
                        "equal in statistics, not in bits, from here (--kernels and --blas choose)",
                        recorded ? recorded : meant, now);
}

// The next checkpoint records what holds from here: nothing is said a second time.
static void warn_of_denormals(const seq_manifest *manifest) {
    const char *now = seq_arithmetic_denormals(),
               *recorded =
                   seq_record_text(seq_manifest_section_find(manifest, "program"), "denormals");
    if (!recorded) recorded = "kept"; // by a version that did not know of them
    if (strcmp(recorded, now) != 0)
        seq_log_warning("the checkpoint was written by a program with denormal numbers %s, here "
                        "they are %s: results are equal in statistics, not in bits, from here",
                        recorded, now);
}

static seq_status check_position(const seq_trainer *trainer, seq_error *error) {
    const seq_position *position = &trainer->position;
    if (seq_train_check_position(position, error)) return error->status;
    if (trainer->altered_step >= 0 || position->windows == trainer->windows) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_CHECKPOINT,
                         "resuming %s: its epochs have %lld windows, those of the data set %lld",
                         trainer->options->run, (long long)position->windows,
                         (long long)trainer->windows);
}

// What --override lets pass: the parameters must fit, the streams may be cut anew.
static seq_status apply_alterations(seq_trainer *trainer, const seq_manifest *manifest,
                                    int64_t step, seq_error *error) {
    char directory[SEQ_PATH];
    if (!seq_train_is_altered(trainer, manifest)) return SEQ_OK;
    trainer->altered_step = step;
    seq_status status = seq_checkpoint_directory(trainer->options->run, step, directory, error);
    return status ? status : seq_train_check_shapes(trainer, directory, error);
}

// This rank's range of each vector, from what it has kept, or from the files.
static seq_status take_ranges(seq_trainer *trainer, const seq_manifest *manifest,
                              const char *directory, const seq_state *state, seq_error *error) {
    int rank = seq_comm_rank(trainer->comm), ranks = seq_comm_size(trainer->comm);
    const seq_state *kept = &trainer->kept.ranges;
    seq_state own = *state;
    if (seq_checkpoint_check_counts(directory, manifest, state, error)) return error->status;
    for (int i = 0; i < own.count; i++) {
        seq_state_vector *vector = &own.vectors[i];
        seq_vector_range range = seq_checkpoint_range(vector->count, rank, ranks);
        vector->values += range.begin;
        for (int k = 0; trainer->kept.memory && k < kept->count; k++)
            if (strcmp(kept->vectors[k].name, vector->name) == 0)
                memcpy(vector->values, kept->vectors[k].values,
                       (range.end - range.begin) * sizeof *vector->values);
    }
    return trainer->kept.memory
               ? SEQ_OK
               : seq_checkpoint_read(directory, manifest, &own, rank, ranks, error);
}

// Ranges are equally long, but for what the first has more.
static seq_status gather_ranges(seq_trainer *trainer, const seq_state_vector *vector,
                                seq_error *error) {
    int ranks = seq_comm_size(trainer->comm);
    size_t each = vector->count / (size_t)ranks, rest = vector->count % (size_t)ranks;
    seq_status status = seq_comm_broadcast_shared(trainer->comm, vector->values,
                                                  rest * sizeof *vector->values, error);
    return status ? status
                  : seq_comm_gather_shared(trainer->comm, vector->values + rest,
                                           each * sizeof *vector->values, error);
}

static seq_status read_vectors(seq_trainer *trainer, const seq_manifest *manifest, int64_t step,
                               seq_error *error) {
    seq_state state;
    char directory[SEQ_PATH];
    seq_train_state(trainer, &state);
    if (trainer->altered_step >= 0) seq_train_keep_fitting(trainer, manifest, &state);
    if (!seq_checkpoint_directory(trainer->options->run, step, directory, error))
        take_ranges(trainer, manifest, directory, &state, error);
    seq_train_forget(&trainer->kept);
    seq_status status = seq_comm_agree(trainer->comm, error);
    for (int i = 0; !status && i < state.count; i++)
        status = gather_ranges(trainer, &state.vectors[i], error);
    return status;
}

seq_status seq_train_restore(seq_trainer *trainer, const seq_manifest *manifest, int64_t step,
                             seq_error *error) {
    trainer->repartition = (seq_repartition){0};
    seq_status status = check_data(trainer, manifest, error);
    if (!status) status = apply_alterations(trainer, manifest, step, error);
    if (!status) status = seq_train_read_position(manifest, &trainer->position, error);
    if (!status && !trainer->position.windows) // of a version that did not write it
        trainer->position.windows = trainer->windows;
    if (!status) status = check_position(trainer, error);
    if (!status && trainer->altered_step >= 0)
        status = seq_train_repartition(trainer, manifest, error);
    if (!status)
        status = seq_schedule_read(&trainer->schedule_state,
                                   seq_manifest_section_find(manifest, "schedule"), error);
    if (!status)
        status =
            seq_recovery_read(&trainer->history, seq_manifest_section_find(manifest, "setbacks"),
                              trainer->position.step, error);
    (void)status;
    status = seq_comm_agree(trainer->comm, error);
    if (!status) status = read_vectors(trainer, manifest, step, error);
    if (status) return status;
    if (trainer->saved_step < 0) { // not after a rollback
        warn_of_arithmetic(trainer, manifest);
        warn_of_denormals(manifest);
    }
    seq_train_plan_steps(trainer);
    seq_train_audit_begin(trainer);
    trainer->saved_step = step;
    return SEQ_OK;
}
