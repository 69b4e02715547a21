// Which ranks fit to a run, and what may differ from its checkpoint when it is
// resumed. Models fit when their tables have the same names and shapes, row by
// row. Invariant: moments are taken over together or not at all, since one
// count of updates corrects them. Tests: tests/fault/override.sh,
// tests/fault/kill_resume.sh.
#include "options.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/settings.h>
#include <stdio.h>
#include <string.h>

enum { FIELD = 64, LIST = 400 };

// Fields that are no options.
static const char *const others[] = {"data", "vocabulary", NULL};

static bool is_field(const seq_parsed *parsed, const char *name) {
    int index = seq_option_find(parsed->program, name);
    if (index >= 0 && parsed->program->options[index].flags & SEQ_OPTION_IDENTITY) return true;
    for (int i = 0; others[i]; i++)
        if (strcmp(others[i], name) == 0) return true;
    return false;
}

// The next of a comma-separated list; false at its end.
static bool next_field(const char **list, char out[FIELD]) {
    if (!*list || !**list) return false;
    size_t length = strcspn(*list, ",");
    snprintf(out, FIELD, "%.*s", (int)length, *list);
    *list += length + ((*list)[length] == ',');
    return true;
}

bool seq_train_overrides(const seq_train_options *options, const char *field) {
    char name[FIELD];
    for (const char *list = options->override; next_field(&list, name);)
        if (strcmp(name, field) == 0) return true;
    return false;
}

static seq_status refuse_field(const seq_parsed *parsed, const char *name, seq_error *error) {
    char fields[SEQ_ERROR_TEXT - 200] = "data, vocabulary";
    size_t used = strlen(fields);
    const seq_option *option = parsed->program->options;
    for (; option->type != SEQ_OPTION_END && used < sizeof fields; option++)
        if (option->flags & SEQ_OPTION_IDENTITY)
            used += (size_t)snprintf(fields + used, sizeof fields - used, ", %s", option->name);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--override %s: not a field that a checkpoint holds on to; those are %s",
                         *name ? name : "''", fields);
}

seq_status seq_train_check_overrides(const seq_parsed *parsed, seq_error *error) {
    const seq_train_options *options = parsed->values;
    char name[FIELD];
    for (const char *list = options->override; next_field(&list, name);)
        if (!is_field(parsed, name)) return refuse_field(parsed, name, error);
    return SEQ_OK;
}

const char *seq_train_general_kernels(const char *name) {
    bool other = strcmp(name, "openblas") == 0 || strcmp(name, "unfused") == 0;
    return other ? name : "auto";
}

const char *seq_train_recorded(const seq_record *record, const seq_option *option) {
    const char *text = seq_record_text(record, option->name);
    if (text && strcmp(option->name, "kernels") == 0) return seq_train_general_kernels(text);
    return text ? text : option->absent;
}

bool seq_train_is_altered(const seq_trainer *trainer, const seq_manifest *manifest) {
    const seq_record *record = seq_manifest_section_find(manifest, "options");
    const seq_option *options = trainer->parsed->program->options;
    const char *hash = seq_record_text(seq_manifest_section_find(manifest, "data"), "hash");
    bool altered = !hash || strcmp(hash, seq_dataset_hash(trainer->dataset)) != 0;
    for (size_t i = 0; options[i].type != SEQ_OPTION_END; i++) {
        char text[SEQ_PATH];
        if (!(options[i].flags & SEQ_OPTION_IDENTITY)) continue;
        const char *recorded = seq_train_recorded(record, &options[i]);
        seq_option_get_text(trainer->parsed, i, text, sizeof text);
        altered |= recorded && strcmp(recorded, text) != 0;
    }
    return altered;
}

static seq_status compare_tables(const seq_parameter_table *then, const seq_parameter_table *now,
                                 seq_error *error) {
    int row = 0;
    while (row < then->count && row < now->count &&
           strcmp(then->items[row].name, now->items[row].name) == 0 &&
           then->items[row].rows == now->items[row].rows &&
           then->items[row].columns == now->items[row].columns)
        row++;
    if (row == then->count && row == now->count) return SEQ_OK;
    const seq_parameter none = {.name = "nothing"};
    const seq_parameter *a = row < then->count ? &then->items[row] : &none;
    const seq_parameter *b = row < now->count ? &now->items[row] : &none;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--override: this model cannot take over the checkpoint's parameters: it "
                         "has %s (%zu x %zu) where they have %s (%zu x %zu)",
                         b->name, b->rows, b->columns, a->name, a->rows, a->columns);
}

seq_status seq_train_check_shapes(const seq_trainer *trainer, const char *directory,
                                  seq_error *error) {
    seq_loaded loaded = {0};
    seq_status status = seq_checkpoint_open(directory, &loaded, error);
    if (!status) status = seq_checkpoint_build(&loaded, &trainer->compute, error);
    if (!status) status = compare_tables(seq_model_parameters(loaded.model), trainer->table, error);
    seq_loaded_clear(&loaded);
    return status;
}

static bool is_moment(const char *name) {
    return strcmp(name, "parameters") != 0 && strcmp(name, "stream_states") != 0;
}

static bool has_all_moments(const seq_record *record, const seq_state *state) {
    for (int i = 0; i < state->count; i++)
        if (is_moment(state->vectors[i].name) && !seq_record_text(record, state->vectors[i].name))
            return false;
    return true;
}

// What is not read from the checkpoint begins at zero, also after a rollback, which finds there
// what the run has made of it. One rank of each node writes; the caller's next collective tells the
// others. Moments are taken together or not at all: they are corrected by one count of updates.
void seq_train_keep_fitting(seq_trainer *trainer, const seq_manifest *manifest, seq_state *state) {
    bool moments = has_all_moments(seq_manifest_section_find(manifest, "state"), state);
    int kept = 0;
    for (int i = 0; i < state->count; i++) {
        const seq_state_vector *vector = &state->vectors[i];
        bool streams = strcmp(vector->name, "stream_states") == 0;
        if (!(streams && trainer->repartition.active) && (moments || !is_moment(vector->name)))
            state->vectors[kept++] = *vector;
        else if (seq_comm_node_rank(trainer->comm) == 0)
            memset(vector->values, 0, vector->count * sizeof(float));
    }
    state->count = kept;
    if (moments) return;
    seq_recovery_forget_updates(&trainer->history, trainer->position.step);
    seq_log_warning("the checkpoint has no moments for this optimiser: they begin at zero");
}

// "1, 2, 4", and as many as there is room for: "1, 2, 4 ..."
static void list_ranks(int replicas, bool same_bits, char *out, size_t size) {
    enum { LONGEST = 16 }; // ", 65536 ..."
    size_t used = 0;
    *out = '\0';
    for (int ranks = 1; ranks <= replicas; ranks++) {
        if (replicas % ranks || seq_tree_same_bits(replicas, ranks) != same_bits) continue;
        if (used + LONGEST > size) {
            snprintf(out + used, size - used, " ...");
            return;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%d", used ? ", " : "", ranks);
    }
}

seq_status seq_train_refuse_ranks(const seq_trainer *trainer, seq_error *error) {
    char same[LIST], other[LIST], anew[80] = "";
    int replicas = trainer->replicas, size = seq_comm_size(trainer->comm);
    int option = seq_option_find(trainer->parsed->program, "replicas");
    list_ranks(replicas, true, same, sizeof same);
    list_ranks(replicas, false, other, sizeof other);
    if (trainer->parsed->sources[option] == SEQ_FROM_RECORD)
        snprintf(anew, sizeof anew, "; or cut the streams anew: --replicas %d --override replicas",
                 size);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--replicas: %d replicas on %d ranks: the number of ranks must divide the "
                         "replicas of the run: %s (the same bits)%s%s%s%s",
                         replicas, size, same, *other ? ", " : "", other,
                         *other ? " (equal in statistics)" : "", anew);
}
