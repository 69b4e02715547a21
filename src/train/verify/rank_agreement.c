// Do all ranks run the same program, with the same options, on the same data? Each writes down what
// decides numbers or messages, a line a field, and the ranks compare digests of that; only where
// these differ does rank 0's text travel, and each rank names what is different on it.
// Invariant: every rank takes part whatever has happened to it before, a usage error or --help
// included; so an error of one rank is told by all before any of them waits for it.
// Tests: tests/fault/ranks_differ.sh.
#include "verify.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELD = 80, HOST = 64, DIFFERENCES = 700 };
enum { LIMIT = 600 }; // seconds, where the options are not known

// The first message of all: its size stays as it is in all versions to come.
typedef struct greeting {
    char version[64];
} greeting;

typedef struct situation {
    char host[HOST];
    int32_t status;          // seq_status
    int32_t kernels;         // chosen by --kernels; 0: auto
    seq_digest said, binary; // what the error says; the file of the program
} situation;

static const char TASK[] = "the task";

typedef struct statement {
    char host[HOST];
    seq_digest digest; // of the text
} statement;

static void find_host(char out[HOST]) {
    memset(out, 0, HOST);
    if (gethostname(out, HOST - 1)) strcpy(out, "unknown");
}

static bool same_digest(const seq_digest *a, const seq_digest *b) {
    return memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

// ---- what a rank writes down

static bool may_differ(const seq_option *option) {
    return option->type == SEQ_OPTION_HEADING || option->flags & SEQ_OPTION_LOCAL;
}

static const char *name_task(const seq_parsed *parsed) {
    return parsed->version ? "--version" : parsed->finished ? "--help" : "training";
}

// Lines of "FIELD\tVALUE". Release with free().
static seq_status write_fields(const seq_parsed *parsed, const char *data_hash, char **out,
                               seq_error *error) {
    const seq_option *options = parsed->program->options;
    char value[SEQ_PATH];
    size_t size;
    const char *what = "comparing the ranks";
    FILE *stream = open_memstream(out, &size);
    if (!stream) return seq_memory_stream_close(stream, out, error, "%s", what);
    fprintf(stream, "%s\t%s\n", TASK, name_task(parsed));
    fprintf(stream, "the hash of the data set\t%s\n", data_hash);
    for (size_t i = 0; options[i].type != SEQ_OPTION_END; i++) {
        if (may_differ(&options[i])) continue;
        seq_option_get_text(parsed, i, value, sizeof value);
        fprintf(stream, "--%s\t%s\n", options[i].name, value);
    }
    return seq_memory_stream_close(stream, out, error, "%s", what);
}

// Of the manifest: the hashes of all other files are in it.
static seq_status hash_data(const char *path, char out[33], seq_error *error) {
    char manifest[SEQ_PATH];
    seq_digest digest;
    seq_dataset *dataset = NULL;
    seq_error ignored = {0};
    strcpy(out, "none");
    if (!path) return SEQ_OK;
    if (!seq_path_join(manifest, path, "dataset.json", &ignored) &&
        !seq_digest_file(manifest, &digest, &ignored)) {
        seq_digest_text(&digest, out);
        return SEQ_OK;
    }
    if (!seq_dataset_open(path, &dataset, error)) seq_dataset_close(dataset); // says it better
    return seq_error_set(error, ignored.status, "%s", ignored.text);
}

// ---- what differs

// Cuts the next line up; false at the end.
static bool next_field(char **text, char **out_name, char **out_value) {
    if (!**text) return false;
    char *line = *text, *end = strchr(line, '\n'), *tab = strchr(line, '\t');
    *text = end ? end + 1 : line + strlen(line);
    if (end) *end = '\0';
    if (tab) *tab = '\0';
    *out_name = line;
    *out_value = tab ? tab + 1 : line + strlen(line);
    return true;
}

// All versions of a field list have the fields in the same order; builds may have other ones.
static const char *find_value(const char *text, const char *name, char out[SEQ_PATH]) {
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) != 0 || line[length] != '\t') continue;
        snprintf(out, SEQ_PATH, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
        return out;
    }
    return NULL;
}

// With --help, the rest does not matter.
static void name_differences(int rank, char *own, const char *first, char out[DIFFERENCES]) {
    char *name, *value, other[SEQ_PATH];
    size_t used = 0;
    bool same_task = true;
    *out = '\0';
    while (used < DIFFERENCES && same_task && next_field(&own, &name, &value)) {
        const char *there = find_value(first, name, other);
        if (there && strcmp(there, value) == 0) continue;
        same_task = strcmp(name, TASK) != 0;
        used += (size_t)snprintf(out + used, DIFFERENCES - used,
                                 "%s%s is %.100s on rank %d, %.100s on rank 0", used ? "; " : "",
                                 name, *value ? value : "not given", rank,
                                 !there   ? "unknown"
                                 : *there ? there
                                          : "not given");
    }
}

// Collective. Rank 0's text against this rank's.
static seq_status name_what_differs(seq_comm *comm, const statement *statements, const char *text,
                                    seq_error *error) {
    int rank = seq_comm_rank(comm);
    char *first = NULL, *own = NULL, differences[DIFFERENCES];
    uint64_t size = strlen(text) + 1;
    if (seq_comm_broadcast(comm, &size, sizeof size, 0, error)) return error->status;
    seq_allocate(&first, size, 1, "comparing the ranks", error);
    seq_allocate(&own, strlen(text) + 1, 1, "comparing the ranks", error);
    if (seq_comm_agree(comm, error)) goto out;
    strcpy(own, text);
    if (rank == 0) memcpy(first, text, size);
    if (seq_comm_broadcast(comm, first, size, 0, error)) goto out;
    if (!same_digest(&statements[rank].digest, &statements[0].digest)) {
        name_differences(rank, own, first, differences);
        seq_error_set(error, SEQ_BAD_USAGE,
                      "rank %d (host %s) was not started like rank 0 (host %s): %s; all ranks need "
                      "the same options and the same data set",
                      rank, statements[rank].host, statements[0].host, differences);
    }
    seq_comm_agree(comm, error);
out:
    free(first);
    free(own);
    return error->status;
}

// Collective, agreed upon.
static seq_status compare(seq_comm *comm, const char *text, seq_error *error) {
    statement *statements = NULL;
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    bool same = true;
    seq_allocate(&statements, (size_t)ranks, sizeof *statements, "comparing the ranks", error);
    if (seq_comm_agree(comm, error)) goto out;
    find_host(statements[rank].host);
    seq_digest_bytes(text, strlen(text), &statements[rank].digest);
    if (seq_comm_gather(comm, statements, sizeof *statements, error)) goto out;
    for (int other = 1; other < ranks; other++)
        same &= same_digest(&statements[other].digest, &statements[0].digest);
    if (!same) name_what_differs(comm, statements, text, error);
out:
    free(statements);
    return error->status;
}

// ---- before anything else

static seq_status compare_versions(seq_comm *comm, const char *version, seq_error *error) {
    greeting *greetings = NULL;
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    seq_allocate(&greetings, (size_t)ranks, sizeof *greetings, "comparing the ranks", error);
    if (seq_comm_agree(comm, error)) goto out;
    snprintf(greetings[rank].version, sizeof greetings->version, "%s", version);
    if (seq_comm_gather(comm, greetings, sizeof *greetings, error)) goto out;
    for (int other = 1; other < ranks && !error->status; other++) {
        greetings[other].version[sizeof greetings->version - 1] = '\0';
        if (strcmp(greetings[other].version, greetings[0].version) == 0) continue;
        char host[HOST], first[HOST];
        find_host(host);
        find_host(first);
        if (seq_comm_broadcast(comm, host, sizeof host, other, error) ||
            seq_comm_broadcast(comm, first, sizeof first, 0, error))
            break;
        seq_error_set(error, SEQ_BAD_USAGE,
                      "rank %d (host %s) runs seqtrain %s, rank 0 (host %s) runs %s: install one "
                      "version on all hosts",
                      other, host, greetings[other].version, first, greetings[0].version);
    }
out:
    free(greetings);
    return error->status;
}

static void describe_situation(const seq_parsed *parsed, const seq_error *error, situation *out) {
    seq_error ignored = {0};
    *out = (situation){.status = (int32_t)error->status};
    find_host(out->host);
    seq_digest_bytes(error->text, strlen(error->text), &out->said);
    if (seq_digest_file("/proc/self/exe", &out->binary, &ignored)) out->binary = (seq_digest){0};
    if (!error->status) out->kernels = ((const seq_train_options *)parsed->values)->kernels;
}

// One failed rank is everybody's; where all say the same, none is named.
static seq_status share_errors(seq_comm *comm, const situation *situations, seq_error *error) {
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    bool same = true, failed = situations[0].status != SEQ_OK;
    for (int other = 1; other < ranks; other++) {
        failed |= situations[other].status != SEQ_OK;
        same &= situations[other].status == situations[0].status &&
                same_digest(&situations[other].said, &situations[0].said);
    }
    if (!failed || same) return error->status;
    if (error->status)
        seq_error_add_context(error, "rank %d (host %s)", rank, situations[rank].host);
    return seq_comm_agree(comm, error);
}

// The same on all ranks. --kernels auto goes with what another rank was told, see job/cpu_check.c.
static seq_status compare_kernels(const situation *situations, int ranks, seq_error *error) {
    int first = 0;
    while (first < ranks && !situations[first].kernels)
        first++;
    for (int rank = first + 1; rank < ranks; rank++)
        if (situations[rank].kernels && situations[rank].kernels != situations[first].kernels)
            return seq_error_set(
                error, SEQ_BAD_USAGE,
                "rank %d (host %s) was not started like rank %d (host %s): --kernels is %s on "
                "rank %d, %s on rank %d; all ranks need the same options and the same data set",
                rank, situations[rank].host, first, situations[first].host,
                seq_kernels_names()[situations[rank].kernels], rank,
                seq_kernels_names()[situations[first].kernels], first);
    return SEQ_OK;
}

static void compare_builds(const situation *situations, int ranks) {
    for (int rank = 1; rank < ranks; rank++) {
        if (same_digest(&situations[rank].binary, &situations[0].binary)) continue;
        seq_log_warning("rank %d (host %s) runs another build of this version of seqtrain than "
                        "rank 0 (host %s): the same bits are promised for one build only",
                        rank, situations[rank].host, situations[0].host);
        return;
    }
}

seq_status seq_train_agree_to_start(const seq_parsed *parsed, seq_comm *comm, const char *version,
                                    seq_error *error) {
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    seq_error met = {0};
    situation *situations = NULL;
    char *text = NULL, hash[33];
    const seq_train_options *options = parsed->values;
    seq_comm_limit_begin(comm, error->status ? LIMIT : options->hang_timeout,
                         "the ranks do not come to agree on what they start",
                         "a rank runs an older seqtrain (see --version on each host), is stopped, "
                         "or cannot be reached");
    seq_allocate(&situations, (size_t)ranks, sizeof *situations, "comparing the ranks", &met);
    if (seq_comm_agree(comm, &met) || compare_versions(comm, version, &met)) {
        *error = met;
        goto out;
    }
    bool trains = !error->status && !parsed->finished && !parsed->version;
    if (!error->status && !hash_data(trains ? options->data : NULL, hash, error))
        write_fields(parsed, hash, &text, error);
    describe_situation(parsed, error, &situations[rank]);
    if (seq_comm_gather(comm, situations, sizeof *situations, &met)) *error = met;
    if (met.status || share_errors(comm, situations, error)) goto out;
    if (rank == 0) compare_builds(situations, ranks);
    if (!compare_kernels(situations, ranks, error)) compare(comm, text, error);
out:
    seq_comm_limit_end(comm);
    free(situations);
    free(text);
    return error->status;
}

seq_status seq_train_compare_ranks(const seq_trainer *trainer, seq_error *error) {
    char *text = NULL;
    write_fields(trainer->parsed, seq_dataset_hash(trainer->dataset), &text, error);
    if (!seq_comm_agree(trainer->comm, error)) compare(trainer->comm, text, error);
    free(text);
    return error->status;
}
