// The longest common substring of a text and the training texts, by a suffix
// automaton (Blumer et al. 1985). A state stands for substrings that end at the
// same places. It has the length of the longest, a suffix link and transitions by
// symbol. Where a transition is missing, suffix links lead to shorter substrings.
// Invariant: state and length give the longest substring that ends at the symbol
// just read.
// Test: tests/unit/infer/test_copied.c (against all pairs of places).
#include <seqtrain/infer/copied.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

typedef struct state {
    int length, link, edge; // edge: the newest; -1: none
} state;

typedef struct edge {
    int32_t symbol;
    int to, next;
} edge;

struct seq_runs {
    int symbols, count, edge_count;
    state *states;  // (2 x length + 1); 0 is the empty run
    edge *edges;    // (4 x length + 1)
    int *from_none; // (symbols): steps of state 0, -1: none
};

static int *find(const seq_runs *runs, int at, int32_t symbol) {
    if (at == 0) return &runs->from_none[symbol];
    for (int e = runs->states[at].edge; e >= 0; e = runs->edges[e].next)
        if (runs->edges[e].symbol == symbol) return &runs->edges[e].to;
    return NULL;
}

static int step_from(const seq_runs *runs, int at, int32_t symbol) {
    const int *to = find(runs, at, symbol);
    return to ? *to : -1;
}

static void set_step(seq_runs *runs, int at, int32_t symbol, int to) {
    int *place = find(runs, at, symbol);
    if (place) {
        *place = to;
        return;
    }
    runs->edges[runs->edge_count] = (edge){symbol, to, runs->states[at].edge};
    runs->states[at].edge = runs->edge_count++;
}

static int add_state(seq_runs *runs, int length) {
    runs->states[runs->count] = (state){length, 0, -1};
    return runs->count++;
}

// State `of` loses its shorter runs to a new one.
static int split(seq_runs *runs, int of, int length) {
    int copy = add_state(runs, length);
    runs->states[copy].link = runs->states[of].link;
    for (int e = runs->states[of].edge; e >= 0; e = runs->edges[e].next)
        set_step(runs, copy, runs->edges[e].symbol, runs->edges[e].to);
    runs->states[of].link = copy;
    return copy;
}

static int append(seq_runs *runs, int last, int32_t symbol) {
    int own = add_state(runs, runs->states[last].length + 1), at = last;
    for (; at >= 0 && step_from(runs, at, symbol) < 0; at = at ? runs->states[at].link : -1)
        set_step(runs, at, symbol, own);
    if (at < 0) return own;
    int to = step_from(runs, at, symbol), length = runs->states[at].length + 1;
    if (runs->states[to].length != length) {
        int copy = split(runs, to, length);
        for (; at >= 0 && step_from(runs, at, symbol) == to; at = at ? runs->states[at].link : -1)
            set_step(runs, at, symbol, copy);
        to = copy;
    }
    runs->states[own].link = to;
    return own;
}

seq_status seq_runs_create(const int32_t *sequence, int length, int symbols, seq_runs **out,
                           seq_error *error) {
    seq_runs *runs = NULL;
    size_t size = (size_t)length;
    seq_status status = seq_allocate(&runs, 1, sizeof *runs, "runs", error);
    if (status) return status;
    runs->symbols = symbols;
    status = seq_allocate(&runs->states, 2 * size + 1, sizeof *runs->states, "runs", error);
    if (!status)
        status = seq_allocate(&runs->edges, 4 * size + 1, sizeof *runs->edges, "runs", error);
    if (!status)
        status =
            seq_allocate(&runs->from_none, (size_t)symbols, sizeof *runs->from_none, "runs", error);
    if (status) {
        seq_runs_destroy(runs);
        return status;
    }
    memset(runs->from_none, 0xFF, (size_t)symbols * sizeof *runs->from_none);
    int last = add_state(runs, 0);
    for (int i = 0; i < length; i++)
        last = append(runs, last, sequence[i]);
    *out = runs;
    return SEQ_OK;
}

void seq_runs_destroy(seq_runs *runs) {
    if (!runs) return;
    free(runs->states);
    free(runs->edges);
    free(runs->from_none);
    free(runs);
}

int seq_runs_longest(const seq_runs *runs, const int32_t *text, int64_t count) {
    int at = 0, length = 0, longest = 0;
    for (int64_t i = 0; i < count; i++) {
        int to = -1;
        if (text[i] < 0 || text[i] >= runs->symbols) {
            at = length = 0;
            continue;
        }
        while ((to = step_from(runs, at, text[i])) < 0 && at) {
            at = runs->states[at].link;
            length = runs->states[at].length;
        }
        if (to >= 0) {
            at = to;
            length++;
        }
        if (length > longest) longest = length;
    }
    return longest;
}
