// Guilty are ranks that are dead or do not answer, and those that have worked on one thing for
// longer than the limit. When there are none and all others wait as long: those that are furthest
// behind. Pure functions of what is known. Test: tests/unit/job/test_hang_diagnosis.c.
#include "hang_diagnosis.h"
#include <seqtrain/job/watchdog.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAMED = 8 }; // ranks that a message names

static const struct {
    const char *name;
    int64_t ahead; // the step that the stage belongs to, counted from the updates done
} stages[SEQ_STAGES] = {
    [SEQ_STAGE_START] = {"starting", 0},
    [SEQ_STAGE_RESUME] = {"reading checkpoint and data", 0},
    [SEQ_STAGE_SHARE] = {"sharing memory", 0},
    [SEQ_STAGE_LOAD] = {"loading the parameters", 0},
    [SEQ_STAGE_VALIDATE] = {"validation", 0},
    [SEQ_STAGE_SAVE] = {"beginning a checkpoint", 0},
    [SEQ_STAGE_WRITE] = {"writing a checkpoint", 0},
    [SEQ_STAGE_READ] = {"reading data", 1},
    [SEQ_STAGE_COMPUTE] = {"forward and backward", 1},
    [SEQ_STAGE_REPORT] = {"the ranks' reports", 1},
    [SEQ_STAGE_EXCHANGE] = {"exchange of gradients", 1},
    [SEQ_STAGE_UPDATE] = {"update of parameters", 1},
    [SEQ_STAGE_END] = {"leaving", 0},
};

static bool is_missing(const seq_watched *rank) {
    return !rank->alive && !rank->left;
}

static bool is_working(const seq_watched *rank) {
    return rank->alive && !rank->left && !rank->waiting;
}

static int blame(const seq_hang_case *facts, bool *guilty) {
    int count = 0;
    for (int rank = 0; rank < facts->size; rank++) {
        const seq_watched *it = &facts->ranks[rank];
        bool stuck = is_working(it) && it->age > facts->limit;
        guilty[rank] = it->dead || is_missing(it) || stuck;
        count += guilty[rank];
    }
    return count;
}

static bool gets_on(const seq_hang_case *facts, const seq_watched *rank) {
    if (rank->left) return false;
    return is_working(rank) || rank->age <= facts->limit - facts->grace;
}

// Negative: a is behind b.
static int64_t compare(const seq_watched *a, const seq_watched *b) {
    return a->step != b->step ? a->step - b->step : a->stage - b->stage;
}

static int blame_the_last(const seq_hang_case *facts, bool *guilty) {
    const seq_watched *last = &facts->ranks[facts->judge];
    int count = 0;
    for (int rank = 0; rank < facts->size; rank++)
        if (!facts->ranks[rank].left && compare(&facts->ranks[rank], last) < 0)
            last = &facts->ranks[rank];
    for (int rank = 0; rank < facts->size; rank++) {
        guilty[rank] = !facts->ranks[rank].left && compare(&facts->ranks[rank], last) == 0;
        count += guilty[rank];
    }
    return count;
}

int seq_hang_find(const seq_hang_case *facts, bool *guilty) {
    int count = blame(facts, guilty);
    if (count) return count;
    for (int rank = 0; rank < facts->size; rank++)
        if (gets_on(facts, &facts->ranks[rank])) return 0;
    return blame_the_last(facts, guilty);
}

__attribute__((format(printf, 3, 4))) static void append(char *out, size_t size, const char *format,
                                                         ...) {
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, size - used, format, arguments);
    va_end(arguments);
}

void seq_hang_place(int64_t step, int stage, char *out, size_t size) {
    snprintf(out, size, "step %lld, %s", (long long)(step + stages[stage].ahead),
             stages[stage].name);
}

static void append_place(const seq_watched *rank, char *out, size_t size) {
    size_t used = strlen(out);
    seq_hang_place(rank->step, rank->stage, out + used, size - used);
}

// Of a death: "has died in", "has died of Segmentation fault in".
static void append_death(const seq_watched *it, char *out, size_t size) {
    if (it->signal)
        append(out, size, "has died of signal %d (%s) in ", it->signal, strsignal(it->signal));
    else
        append(out, size, "has died in ");
}

static void append_rank(const seq_hang_case *facts, int rank, char *out, size_t size) {
    const seq_watched *it = &facts->ranks[rank];
    const seq_rank_place *place = &facts->places[rank];
    append(out, size, "rank %d (host %s, process %lld) ", rank, place->host,
           (long long)place->process);
    if (it->dead)
        append_death(it, out, size);
    else
        append(out, size, "%s ",
               is_missing(it) ? "does not answer (stopped, dead or cut off) in"
               : it->waiting  ? "waits for a message that does not come (the network?) in"
                              : "hangs in");
    if (it->known) {
        append_place(it, out, size);
        return;
    }
    append_place(&facts->ranks[facts->judge], out, size); // in lockstep with the judge
    append(out, size, " or shortly before");
}

void seq_hang_describe(const seq_hang_case *facts, const bool *guilty, char *out, size_t size) {
    int named = 0, more = 0;
    *out = '\0';
    for (int rank = 0; rank < facts->size; rank++) {
        if (!guilty[rank]) continue;
        if (named == NAMED) {
            more++;
            continue;
        }
        append(out, size, "%s", named++ ? "; " : "");
        append_rank(facts, rank, out, size);
    }
    if (more) append(out, size, "; and %d more", more);
}

static bool holds_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length)
        if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    return false;
}

void seq_hang_hosts(const seq_hang_case *facts, const bool *guilty, char *out, size_t size) {
    *out = '\0';
    for (int rank = 0; rank < facts->size; rank++) {
        const seq_watched *it = &facts->ranks[rank];
        const char *host = facts->places[rank].host;
        bool waits = it->alive && it->waiting && !it->dead;
        if (guilty[rank] && !waits && !holds_word(out, host))
            append(out, size, "%s%s", *out ? " " : "", host);
    }
}
