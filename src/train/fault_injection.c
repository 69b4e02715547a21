// Faults for tests, in test builds only. --inject: a table says what is spoilt
// (loss, gradient, state, parameter), and by which value or factor. SEQ_MISREAD
// and SEQ_FLIP: a rank that reads another's part, a bit that flips in one
// copy of the state. Invariant: a fault of --inject belongs to a step and a
// replica, so it is the same on any number of ranks. Tests:
// tests/fault/numeric_policy.sh, tests/fault/numeric_spikes.sh,
// tests/fault/audit.sh, tests/fault/replica_check.sh, tests/fault/tasks.sh.
#include "fault_injection.h"
#include "trainer.h"
#ifdef SEQ_FAULT_INJECTION
#include <math.h>
#include <seqtrain/base/memory.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

typedef enum place {
    STATE_BEFORE, // carried into a window
    STATE_AFTER,  // handed on by it
    LOSS,
    GRADIENT,
    PARAMETER,
    VALIDATION,
    PROCESS
} place;

// A row of the table of faults: what is spoilt, and by which value, or factor when `multiplies`.
typedef struct kind {
    const char *name;
    place place;
    double value;
    bool multiplies;
} kind;

static const kind kinds[] = {
    {"nan-loss", LOSS, NAN, false},
    {"inf-loss", LOSS, INFINITY, false},
    {"spike-loss", LOSS, 3, true},
    {"nan-gradient", GRADIENT, NAN, false},
    {"inf-gradient", GRADIENT, INFINITY, false},
    {"spike-norm", GRADIENT, 1000, true},
    {"nan-state", STATE_BEFORE, NAN, false},
    {"nan-final-state", STATE_AFTER, NAN, false},
    {"nan-parameter", PARAMETER, NAN, false},
    {"nan-validation", VALIDATION, NAN, false},
    {"kill", PROCESS, 0, false},
};

typedef struct fault {
    const kind *kind;
    int64_t first, last; // steps, from 1
    int replica;
    double value;
    const seq_parameter *parameter;
} fault;

typedef struct seq_injection {
    int count;
    fault faults[MOST];
} seq_injection;

static const kind *find_kind(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

static bool parse_number(const char *text, double least, double most, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && *out >= least && *out <= most;
}

// step=N, until=N, replica=R, layer=PARAMETER, by=X: whichever the kind knows.
static bool parse_setting(const seq_trainer *trainer, const char *key, const char *value,
                          fault *out) {
    place place = out->kind->place;
    double number = 0;
    if (strcmp(key, "layer") == 0) {
        out->parameter = seq_parameter_find(trainer->table, value);
        return out->parameter && !out->parameter->sparse && !out->kind->multiplies &&
               (place == GRADIENT || place == PARAMETER);
    }
    if (strcmp(key, "replica") == 0) {
        bool good = parse_number(value, 0, trainer->replicas - 1, &number) && place != PARAMETER;
        out->replica = (int)number;
        return good && number == out->replica;
    }
    if (strcmp(key, "by") == 0)
        return out->kind->multiplies && parse_number(value, 0, 1e30, &out->value);
    bool until = strcmp(key, "until") == 0;
    if (!until && strcmp(key, "step") != 0) return false;
    if (!parse_number(value, 1, 4e9, &number) || number != floor(number)) return false;
    *(until ? &out->last : &out->first) = (int64_t)number;
    return true;
}

static seq_status refuse(const char *text, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--inject: %s: expected FAULT:step=N[,until=N][,replica=R][,layer="
                         "PARAMETER][,by=X][;FAULT...], see --help",
                         text);
}

// What a fault without a layer spoils: recurrent weights of the lowest layer, whatever the task
// calls them.
static const seq_parameter *lowest_recurrent(const seq_parameter_table *table) {
    for (int row = 0; row < table->count; row++)
        if (strstr(table->items[row].name, "weight_hh_l0")) return &table->items[row];
    return NULL;
}

// `text` is a copy of one fault.
static seq_status parse_fault(const seq_trainer *trainer, char *text, fault *out,
                              seq_error *error) {
    char whole[200], *rest = NULL;
    snprintf(whole, sizeof whole, "%s", text);
    const char *name = strtok_r(text, ":", &rest);
    *out = (fault){.kind = name ? find_kind(name) : NULL};
    if (!out->kind) return refuse(whole, error);
    if ((out->kind->place == STATE_BEFORE || out->kind->place == STATE_AFTER) &&
        !trainer->state_size)
        return seq_error_set(error, SEQ_BAD_USAGE, "--inject: %s: items carry no state", whole);
    out->value = out->kind->value;
    out->parameter = lowest_recurrent(trainer->table);
    for (char *key; (key = strtok_r(NULL, ",", &rest));) {
        char *value = strchr(key, '=');
        if (!value) return refuse(whole, error);
        *value++ = '\0';
        if (!parse_setting(trainer, key, value, out)) return refuse(whole, error);
    }
    if (out->last == 0) out->last = out->first;
    bool whole_fault = out->first && out->first <= out->last && out->parameter;
    return whole_fault ? SEQ_OK : refuse(whole, error);
}

seq_status seq_inject_create(seq_trainer *trainer, seq_error *error) {
    if (!trainer->options->inject) return SEQ_OK;
    char *text = strdup(trainer->options->inject), *rest = NULL;
    seq_status status =
        seq_allocate(&trainer->injection, 1, sizeof *trainer->injection, "--inject", error);
    seq_injection *injection = trainer->injection;
    if (!status && !text) status = seq_error_set(error, SEQ_NO_MEMORY, "--inject: out of memory");
    for (char *one = status ? NULL : strtok_r(text, ";", &rest); one && !status;
         one = strtok_r(NULL, ";", &rest)) {
        if (injection->count == MOST) status = refuse("more than 8 faults", error);
        if (!status)
            status = parse_fault(trainer, one, &injection->faults[injection->count++], error);
    }
    if (!status && !injection->count) status = refuse(trainer->options->inject, error);
    free(text);
    return status;
}

void seq_inject_clear(seq_trainer *trainer) {
    free(trainer->injection);
    trainer->injection = NULL;
}

// The next fault of this place, replica (-1: any) and step after *at, or NULL.
static const fault *next_fault(const seq_trainer *trainer, place place, int replica, int64_t step,
                               int *at) {
    const seq_injection *injection = trainer->injection;
    while (injection && *at < injection->count) {
        const fault *fault = &injection->faults[(*at)++];
        if (fault->kind->place == place && (replica < 0 || fault->replica == replica) &&
            step >= fault->first && step <= fault->last)
            return fault;
    }
    return NULL;
}

static void spoil_state(seq_trainer *trainer, place place, int replica) {
    if (!trainer->states) return;
    float *state = trainer->states + (size_t)replica * trainer->state_size;
    const fault *fault;
    int at = 0;
    while ((fault = next_fault(trainer, place, replica, trainer->position.step + 1, &at)))
        state[trainer->state_size - 1] = (float)fault->value;
}

void seq_inject_before_window(seq_trainer *trainer, int replica) {
    int at = 0;
    if (next_fault(trainer, PROCESS, replica, trainer->position.step + 1, &at)) raise(SIGKILL);
    spoil_state(trainer, STATE_BEFORE, replica);
}

static void spoil_loss(seq_trainer *trainer, place place, int replica, int64_t step) {
    double *nats = &trainer->losses[replica].sum;
    const fault *fault;
    int at = 0;
    while ((fault = next_fault(trainer, place, replica, step, &at)))
        *nats = fault->kind->multiplies ? *nats * fault->value : fault->value;
}

static void spoil_gradient(const seq_trainer *trainer, const fault *fault, float *gradient) {
    if (!fault->kind->multiplies) {
        gradient[fault->parameter->offset] = (float)fault->value;
        return;
    }
    for (int row = 0; row < trainer->table->count; row++) {
        const seq_parameter *parameter = &trainer->table->items[row];
        if (parameter->sparse) continue; // holds more than this window's
        for (size_t i = 0; i < seq_parameter_size(parameter); i++)
            gradient[parameter->offset + i] *= (float)fault->value;
    }
}

void seq_inject_after_window(seq_trainer *trainer, int replica, float *gradient) {
    int64_t step = trainer->position.step + 1;
    const fault *fault;
    int at = 0;
    while ((fault = next_fault(trainer, GRADIENT, replica, step, &at)))
        spoil_gradient(trainer, fault, gradient);
    spoil_loss(trainer, LOSS, replica, step);
    spoil_state(trainer, STATE_AFTER, replica);
}

bool seq_inject_waits(const seq_trainer *trainer) {
    return trainer->options->inject != NULL;
}

void seq_inject_before_update(seq_trainer *trainer, size_t begin, size_t end) {
    const fault *fault;
    int at = 0;
    while ((fault = next_fault(trainer, PARAMETER, -1, trainer->position.step + 1, &at))) {
        size_t offset = fault->parameter->offset;
        if (offset >= begin && offset < end) trainer->parameters[offset] = (float)fault->value;
    }
}

void seq_inject_validation(seq_trainer *trainer, int replica) {
    spoil_loss(trainer, VALIDATION, replica, trainer->position.step);
}

// ---- by environment variables

int seq_inject_first_replica(const seq_trainer *trainer) {
    const char *rank = getenv("SEQ_MISREAD");
    int first = trainer->first_replica;
    if (!rank || strtol(rank, NULL, 10) != seq_comm_rank(trainer->comm)) return first;
    return (first + trainer->own_replicas) % trainer->replicas;
}

void seq_inject_flip(const seq_trainer *trainer) {
    const char *wanted = getenv("SEQ_FLIP");
    int vector = 0, rank = -1;
    long long step = -1;
    if (!wanted || sscanf(wanted, "%d:%lld:%d", &vector, &step, &rank) != 3) return;
    if (rank != seq_comm_rank(trainer->comm) || step != trainer->position.step) return;
    float *place = vector ? trainer->moments[vector - 1] : trainer->parameters;
    uint32_t bits;
    place += trainer->table->size / 2;
    memcpy(&bits, place, sizeof bits);
    bits ^= 1u << 16;
    memcpy(place, &bits, sizeof bits);
}
#endif
