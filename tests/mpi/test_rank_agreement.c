// Four ranks parse a command line each and agree to start: DATASET and OTHER are two data sets. In
// each case one rank is given other arguments; all must come to the same verdict, with the same
// text. Exit code 1 names the case.
#include <seqtrain/base/log.h>
#include <seqtrain/comm/comm.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/train/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 12 };

typedef struct variant {
    int rank;                 // that differs; -1: all of them, -2: all but rank 0
    const char *arguments[5]; // for it alone
    const char *version;      // of it; NULL: as the others
    seq_status status;
    const char *texts[4]; // in the message
} variant;

static const char *data, *other;
#define DIFFERS(NAME, VALUE, USUAL)                                                                \
    (variant) {                                                                                    \
        2, {"--" NAME, VALUE}, NULL, SEQ_BAD_USAGE, {                                              \
            "rank 2 (host ", "rank 0 (host ",                                                      \
                "--" NAME " is " VALUE " on rank 2, " USUAL " on rank 0"                           \
        }                                                                                          \
    }

static int try_case(seq_comm *comm, const variant *it) {
    int rank = seq_comm_rank(comm), count = 0;
    bool mine = it->rank == rank || it->rank == -1 || (it->rank == -2 && rank > 0);
    char *arguments[MOST] = {strdup("seqtrain"), strdup("--data"), strdup(data), strdup("--run"),
                             strdup("run")};
    int base = 5, failed = 0;
    count = base;
    for (int i = 0; mine && i < 5 && it->arguments[i]; i++)
        arguments[count++] = strdup(it->arguments[i]);
    seq_settings settings;
    seq_error error = {0};
    seq_settings_parse(seq_train_program(), count, arguments, &settings, &error);
    const char *version = it->version && mine ? it->version : "1.0";
    seq_status status = seq_train_agree_to_start(&settings.parsed, comm, version, &error);
    bool right = status == it->status && error.status == it->status;
    for (int i = 0; i < 4 && it->texts[i]; i++)
        right &= strstr(error.text, it->texts[i]) != NULL;
    if (!right) {
        fprintf(stderr, "rank %d: %s %s on rank %d: status %d, expected %d: %s\n", rank,
                it->arguments[0] ? it->arguments[0] : "nothing",
                it->arguments[1] ? it->arguments[1] : "", it->rank, status, it->status, error.text);
        failed = 1;
    }
    seq_settings_clear(&settings);
    for (int i = 0; i < count; i++)
        free(arguments[i]);
    return failed;
}

int main(int argc, char **argv) {
    seq_comm *comm;
    seq_error error = {0};
    if (seq_comm_open_mpi(&argc, &argv, 0, &comm, &error) || argc != 3) {
        fprintf(stderr, "%s\n", argc == 3 ? error.text : "usage: DATASET OTHER");
        return 1;
    }
    data = argv[1];
    other = argv[2];
    if (!freopen("/dev/null", "w", stdout)) return 1; // --help
    const variant cases[] = {
        {1, {NULL}, NULL, SEQ_OK, {NULL}},
        DIFFERS("lr", "0.05", "0.002"),
        DIFFERS("seed", "7", "1"),
        DIFFERS("dropout", "0.3", "0"),
        DIFFERS("hidden", "32", "256"),
        DIFFERS("hidden", "64,32", "256"),
        DIFFERS("layers", "3", "2"),
        DIFFERS("cell", "gru", "lstm"),
        DIFFERS("optimizer", "sgd", "adam"),
        DIFFERS("batch", "4", "20"),
        DIFFERS("window", "4", "35"),
        DIFFERS("replicas", "8", "0"),
        DIFFERS("steps", "4", "0"),
        DIFFERS("epochs", "4", "10"),
        DIFFERS("validate-every", "4", "0"),
        DIFFERS("checkpoint-every", "4", "0"),
        DIFFERS("checkpoint-interval", "60", "900"),
        DIFFERS("clip-norm", "1", "5"),
        DIFFERS("init", "uniform", "scaled"),
        DIFFERS("precision", "bf16", "fp32"),
        DIFFERS("resume", "must", "auto"),
        DIFFERS("override", "seed", "not given"),
        DIFFERS("overlap", "off", "auto"),
        DIFFERS("bucket", "4000", "1000000"),
        DIFFERS("wire", "bf16", "fp32"),
        DIFFERS("hang-timeout", "0", "600"),
        DIFFERS("check-replicas", "9", "0"),
        DIFFERS("on-bad-numbers", "skip", "stop"),
        DIFFERS("shards", "2", "4"),
        DIFFERS("compression", "none", "zstd"),
        {2, {"--dry-run"}, NULL, SEQ_BAD_USAGE, {"--dry-run is yes on rank 2, no on rank 0"}},
        {0,
         {"--seed", "9"},
         NULL,
         SEQ_BAD_USAGE,
         {"rank 1 ", "--seed is 1 on rank 1, 9 on rank 0"}},
        {3, {"--lr", "1", "--seed", "9"}, NULL, SEQ_BAD_USAGE, {"--lr is 1 ", "; --seed is 9 "}},
        {1, {"--help"}, NULL, SEQ_BAD_USAGE, {"the task is --help on rank 1, training on rank 0"}},
        {0, {"--version"}, NULL, SEQ_BAD_USAGE, {"training on rank 1, --version on rank 0"}},
        {-1, {"--help"}, NULL, SEQ_OK, {NULL}},
        {1,
         {NULL},
         "1.1",
         SEQ_BAD_USAGE,
         {"rank 1 (host ", "runs seqtrain 1.1, rank 0 (host ", "runs 1.0"}},
        {-2, {"--lr", "x"}, "1.1", SEQ_BAD_USAGE, {"rank 1 (host ", "runs seqtrain 1.1"}},
        {3,
         {"--data", other},
         NULL,
         SEQ_BAD_USAGE,
         {"rank 3 ", "the hash of the data set is ", " on rank 0"}},
        {-2, {"--data", other}, NULL, SEQ_BAD_USAGE, {"rank 1 ", "the hash of the data set is "}},
        {3, {"--data", "nowhere"}, NULL, SEQ_BAD_INPUT, {"rank 3 (host ", "nowhere"}},
        {-1, {"--data", "nowhere"}, NULL, SEQ_BAD_INPUT, {"nowhere"}},
        {3, {"--wrong"}, NULL, SEQ_BAD_USAGE, {"rank 3 (host ", "--wrong: unknown option"}},
        {1, {"--lr"}, NULL, SEQ_BAD_USAGE, {"rank 1 (host ", "--lr: needs a value"}},
        {1, {"--config", "nowhere.ini"}, NULL, SEQ_BAD_INPUT, {"rank 1 (host ", "nowhere.ini"}},
        {0, {"operand"}, NULL, SEQ_BAD_USAGE, {"rank 0 (host ", "operands given"}},
        {1, {"--threads", "2"}, NULL, SEQ_OK, {NULL}},
        {1, {"--quiet", "--log-every", "3"}, NULL, SEQ_OK, {NULL}},
        {1, {"--run", "elsewhere"}, NULL, SEQ_OK, {NULL}},
        {1, {"--kernels", "portable"}, NULL, SEQ_OK, {NULL}},
        {-2, {"--kernels", "portable"}, NULL, SEQ_OK, {NULL}},
    };
    const int count = sizeof cases / sizeof *cases;
    int failures = 0, rank = seq_comm_rank(comm);
    for (int i = 0; i < count; i++)
        failures += try_case(comm, &cases[i]);
    seq_comm_close(comm);
    if (rank == 0 && !failures) fprintf(stderr, "%d cases\n", count);
    return failures ? 1 : 0;
}
