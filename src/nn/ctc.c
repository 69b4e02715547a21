// CTC by forward-backward, with one vector of blanks and one of labels a frame. A number is m 2^e,
// 1 <= m < 2, e an integer in a double of its own: sums and products of positive numbers have the
// relative error of doubles at any size, which sums of logarithms do not reach, and need neither
// exponentials nor logarithms but K a frame. Invariant: a number with e below NOTHING / 2 is 0; its
// m is any, so zeros need no branch. States that no path through the frame's window can use are
// skipped. Softmax denominators are left out of the lattice and taken off at the end. Tests:
// tests/unit/nn/test_ctc.c (all paths, differences), tests/golden/test_ctc.c (PyTorch).
#include <math.h>
#include <seqtrain/base/wide.h>
#include <seqtrain/nn/ctc.h>
#include <string.h>

static const double NOTHING = -0x1p50;     // exponent of 0
static const double LEAST_LOGIT = -0x1p30; // below the frame's largest
static const double LEAST_POWER = -1000;   // 2^LEAST_POWER is nothing beside 1
static const double LN_2 = 0.69314718055994530942;

typedef struct number {
    double m, e;
} number;

static inline double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// 2^e of an integer up to 1000.
static inline double power(double e) {
    double bounded = e > LEAST_POWER ? e : LEAST_POWER;
    return from_bits(to_bits(bounded + (0x1.8p52 + 1023)) << 52);
}

// m 2^e with any normal m above 0.
static inline number normal(double m, double e) {
    uint64_t bits = to_bits(m);
    double exponent = from_bits(bits >> 52 | to_bits(0x1p52)) - (0x1p52 + 1023);
    return (number){from_bits((bits & UINT64_C(0xfffffffffffff)) | to_bits(1.0)), e + exponent};
}

static inline number sum(number a, number b, number c) {
    double most = a.e > b.e ? a.e : b.e;
    most = c.e > most ? c.e : most;
    return (number){a.m * power(a.e - most) + b.m * power(b.e - most) + c.m * power(c.e - most),
                    most};
}

static inline number sum_of_two(number a, number b) {
    double most = a.e > b.e ? a.e : b.e;
    return (number){a.m * power(a.e - most) + b.m * power(b.e - most), most};
}

// e^(x - most) = m 2^e, and p as a double.
SEQ_WIDE_BODY exponentials_body(size_t count, const float *restrict x, float most,
                                double *restrict m, double *restrict e, double *restrict p) {
    for (size_t k = 0; k < count; k++) {
        double d = (double)x[k] - (double)most;
        bool none = d < LEAST_LOGIT;
        d = none ? LEAST_LOGIT : d; // NaN stays
        double n = d * 1.4426950408889634 + 0x1.8p52 - 0x1.8p52;
        double r = d - n * 0x1.62e42fefap-1 - n * 0x1.cf79abc9e3b3ap-40; // ln 2 in two parts
        double y = 1.0 / 39916800;
        y = y * r + 1.0 / 3628800;
        y = y * r + 1.0 / 362880;
        y = y * r + 1.0 / 40320;
        y = y * r + 1.0 / 5040;
        y = y * r + 1.0 / 720;
        y = y * r + 1.0 / 120;
        y = y * r + 1.0 / 24;
        y = y * r + 1.0 / 6;
        y = y * r + 0.5;
        y = y * r + 1;
        m[k] = y * r + 1;
        e[k] = none ? NOTHING : n;
        p[k] = m[k] * power(e[k]);
    }
}
SEQ_WIDE(exponentials, (size_t count, const float *x, float most, double *m, double *e, double *p),
         (count, x, most, m, e, p), exponentials_body)

// A vector of numbers: states of a frame. Column u + 1 is blank u or label u, u = -1 .. U + 1.
typedef struct states {
    double *blank_m, *blank_e, *label_m, *label_e;
} states;

// Blanks and labels of a frame that paths can use: first .. end - 1, as columns.
typedef struct window {
    size_t blank, blank_end, label, label_end;
} window;

// alpha of the next frame. y: of labels, by column; column 0 is the blank's.
SEQ_WIDE_BODY advance_body(window w, const double *restrict bm, const double *restrict be,
                           const double *restrict lm, const double *restrict le,
                           const double *restrict ym, const double *restrict ye,
                           const double *restrict skip, double *restrict blank_m,
                           double *restrict blank_e, double *restrict label_m,
                           double *restrict label_e) {
    const double m = ym[0], e = ye[0];
    for (size_t u = w.blank; u < w.blank_end; u++) {
        number before = sum_of_two((number){bm[u], be[u]}, (number){lm[u - 1], le[u - 1]});
        number now = normal(before.m * m, before.e + e);
        blank_m[u] = now.m;
        blank_e[u] = now.e;
    }
    for (size_t u = w.label; u < w.label_end; u++) {
        number before = sum((number){lm[u], le[u]}, (number){bm[u], be[u]},
                            (number){lm[u - 1], le[u - 1] + skip[u]});
        number now = normal(before.m * ym[u], before.e + ye[u]);
        label_m[u] = now.m;
        label_e[u] = now.e;
    }
}
SEQ_WIDE(advance,
         (window w, const double *bm, const double *be, const double *lm, const double *le,
          const double *ym, const double *ye, const double *skip, double *blank_m, double *blank_e,
          double *label_m, double *label_e),
         (w, bm, be, lm, le, ym, ye, skip, blank_m, blank_e, label_m, label_e), advance_body)

// beta of the frame before, without its emission, from beta with it.
SEQ_WIDE_BODY retreat_body(window w, const double *restrict bm, const double *restrict be,
                           const double *restrict lm, const double *restrict le,
                           const double *restrict skip, double *restrict blank_m,
                           double *restrict blank_e, double *restrict label_m,
                           double *restrict label_e) {
    for (size_t u = w.blank; u < w.blank_end; u++) {
        number all = sum_of_two((number){bm[u], be[u]}, (number){lm[u], le[u]});
        number now = normal(all.m, all.e);
        blank_m[u] = now.m;
        blank_e[u] = now.e;
    }
    for (size_t u = w.label; u < w.label_end; u++) {
        number all = sum((number){lm[u], le[u]}, (number){bm[u + 1], be[u + 1]},
                         (number){lm[u + 1], le[u + 1] + skip[u + 1]});
        number now = normal(all.m, all.e);
        label_m[u] = now.m;
        label_e[u] = now.e;
    }
}
SEQ_WIDE(retreat,
         (window w, const double *bm, const double *be, const double *lm, const double *le,
          const double *skip, double *blank_m, double *blank_e, double *label_m, double *label_e),
         (w, bm, be, lm, le, skip, blank_m, blank_e, label_m, label_e), retreat_body)

// alpha_m becomes the posterior alpha beta / p.
SEQ_WIDE_BODY meet_body(size_t from, size_t end, double *restrict alpha_m,
                        const double *restrict alpha_e, const double *restrict beta_m,
                        const double *restrict beta_e, double factor, double exponent) {
    for (size_t u = from; u < end; u++)
        alpha_m[u] = alpha_m[u] * beta_m[u] * factor * power(alpha_e[u] + beta_e[u] - exponent);
}
SEQ_WIDE(meet,
         (size_t from, size_t end, double *alpha_m, const double *alpha_e, const double *beta_m,
          const double *beta_e, double factor, double exponent),
         (from, end, alpha_m, alpha_e, beta_m, beta_e, factor, exponent), meet_body)

// An item's work. The room is dealt out to it.
typedef struct lattice {
    const seq_ctc_item *item;
    size_t columns;  // U + 3
    bool keeps;      // all frames, for the way back
    double *alpha;   // (T + 1, 4, columns): of the start, then of the frames; not kept: (2, ...)
    double *y;       // (T, 2, columns) or (1, ...): m and e of the softmax's numerators
    double *inverse; // (T) or (1): of the softmax's denominators
    double *beta, *after; // (4, columns): without and with the frame's emission
    double *skip;         // (columns): NOTHING where a label may not follow the one before at once
    double *m, *e, *p;    // (K): a frame's numerators
    double *posterior;    // (K): zeros between frames
    unsigned char *back;  // (T, 2, columns): how many states before the best path comes from
    number total;         // p
    number whole;         // product of the denominators
    bool unusable;        // a logit is NaN or so
} lattice;

static double *take_doubles(char **room, size_t count) {
    double *block = (double *)*room;
    *room += count * sizeof(double);
    return block;
}

size_t seq_ctc_bytes(seq_ctc_use use, size_t frames, size_t symbols, size_t labels, size_t pairs) {
    size_t columns = labels + 3, rows = pairs + 3 * frames;
    size_t doubles = 4 * symbols + 9 * columns;
    doubles += use == SEQ_CTC_LOSS ? 10 * columns + 1 : 4 * (rows + columns) + 2 * rows + frames;
    size_t bytes = doubles * sizeof(double) + (use == SEQ_CTC_ALIGNMENT ? 2 * rows : 0);
    return (bytes + SEQ_ALIGNMENT - 1) / SEQ_ALIGNMENT * SEQ_ALIGNMENT;
}

static void deal(lattice *lattice, const seq_ctc_item *item, seq_ctc_use use, char *room) {
    size_t columns = item->labels + 3, frames = item->frames, symbols = item->symbols;
    bool keeps = use != SEQ_CTC_LOSS;
    memset(lattice, 0, sizeof *lattice);
    lattice->item = item;
    lattice->columns = columns;
    lattice->keeps = keeps;
    lattice->alpha = take_doubles(&room, (keeps ? frames + 1 : 2) * 4 * columns);
    lattice->y = take_doubles(&room, (keeps ? frames : 1) * 2 * columns);
    lattice->inverse = take_doubles(&room, keeps ? frames : 1);
    lattice->beta = take_doubles(&room, 4 * columns);
    lattice->after = take_doubles(&room, 4 * columns);
    lattice->skip = take_doubles(&room, columns);
    lattice->m = take_doubles(&room, symbols);
    lattice->e = take_doubles(&room, symbols);
    lattice->p = take_doubles(&room, symbols);
    lattice->posterior = take_doubles(&room, symbols);
    lattice->back = (unsigned char *)room;
    lattice->whole = (number){1, 0};
    lattice->total = (number){1, NOTHING};
}

static states states_of(const lattice *lattice, double *block) {
    size_t columns = lattice->columns;
    return (states){block, block + columns, block + 2 * columns, block + 3 * columns};
}

// Of frame t after the start: alpha_at(0) is the start.
static states alpha_at(const lattice *lattice, size_t t) {
    return states_of(lattice, lattice->alpha + (lattice->keeps ? t : t & 1) * 4 * lattice->columns);
}

static double *y_at(const lattice *lattice, size_t t) {
    return lattice->y + (lattice->keeps ? t : 0) * 2 * lattice->columns;
}

static size_t row_of(const seq_ctc_item *item, size_t t) {
    return (item->rows ? item->rows[t] : t) * item->symbols;
}

static int32_t label_at(const lattice *lattice, size_t column) {
    return lattice->item->ids[column - 1];
}

// Blank u is used from frame u on, and needs U - u frames after its own; label u one more.
static window window_at(const lattice *lattice, size_t t) {
    size_t labels = lattice->item->labels, left = lattice->item->frames - t; // with this frame
    size_t blanks = t < labels ? t : labels, last = labels ? labels - 1 : 0;
    return (window){
        .blank = 1 + (labels + 1 > left ? labels + 1 - left : 0),
        .blank_end = 2 + blanks,
        .label = 1 + (labels > left ? labels - left : 0),
        .label_end = labels ? 2 + (t < last ? t : last) : 1,
    };
}

static void close_border(states states, window w) {
    states.blank_e[w.blank - 1] = states.blank_e[w.blank_end] = NOTHING;
    states.label_e[w.label - 1] = states.label_e[w.label_end] = NOTHING;
    states.blank_m[w.blank - 1] = states.blank_m[w.blank_end] = 1;
    states.label_m[w.label - 1] = states.label_m[w.label_end] = 1;
}

// No state is there.
static void clear_states(const lattice *lattice, states states) {
    for (size_t u = 0; u < lattice->columns; u++) {
        states.blank_m[u] = states.label_m[u] = 1;
        states.blank_e[u] = states.label_e[u] = NOTHING;
    }
}

// Sums and maxima of long rows in lanes of a fixed number.
enum { LANES = 8 };

static double sum_of(const double *x, size_t count) {
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += x[i + j];
    for (size_t j = 0; i + j < count; j++)
        lane[j] += x[i + j];
    return (lane[0] + lane[4] + (lane[1] + lane[5])) + (lane[2] + lane[6] + (lane[3] + lane[7]));
}

static float largest_of(const float *x, size_t count) {
    float lane[LANES], most = -INFINITY;
    size_t i = 0;
    for (size_t j = 0; j < LANES; j++)
        lane[j] = -INFINITY;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (; i < count; i++)
        most = x[i] > most ? x[i] : most;
    for (size_t j = 0; j < LANES; j++)
        most = lane[j] > most ? lane[j] : most;
    return most;
}

// Numerators of frame t, of all symbols and by columns; its denominator.
static void emit(lattice *lattice, size_t t) {
    const seq_ctc_item *item = lattice->item;
    const float *logits = item->logits + row_of(item, t);
    double *ym = y_at(lattice, t), *ye = ym + lattice->columns, *m = lattice->m, *e = lattice->e;
    exponentials(item->symbols, logits, largest_of(logits, item->symbols), m, e, lattice->p);
    double all = sum_of(lattice->p, item->symbols);
    lattice->unusable |= !(all < INFINITY);
    lattice->whole = normal(lattice->whole.m * all, lattice->whole.e);
    lattice->inverse[lattice->keeps ? t : 0] = 1 / all;
    ym[0] = m[SEQ_CTC_BLANK];
    ye[0] = e[SEQ_CTC_BLANK];
    for (size_t u = 1; u <= item->labels; u++) {
        ym[u] = m[label_at(lattice, u)];
        ye[u] = e[label_at(lattice, u)];
    }
}

// scale times the softmax, where no label is.
static void write_softmax(const lattice *lattice, size_t t, double scale, float *gradient) {
    float *out = gradient + row_of(lattice->item, t);
    for (size_t k = 0; k < lattice->item->symbols; k++)
        out[k] = (float)(scale * (lattice->p[k] * lattice->inverse[t]));
}

// gradient: NULL, or left as scale times the softmax.
static void forward(lattice *lattice, double scale, float *gradient) {
    const seq_ctc_item *item = lattice->item;
    states now = alpha_at(lattice, 0);
    clear_states(lattice, now);
    now.blank_e[1] = 0; // as if a blank was before the first frame
    for (size_t u = 0; u < lattice->columns; u++) {
        bool label = u > 1 && u <= item->labels;
        lattice->skip[u] = label && label_at(lattice, u) != label_at(lattice, u - 1) ? 0 : NOTHING;
    }
    for (size_t t = 0; t < item->frames; t++) {
        states before = now;
        window w = window_at(lattice, t);
        const double *ym = y_at(lattice, t);
        now = alpha_at(lattice, t + 1);
        emit(lattice, t);
        if (gradient) write_softmax(lattice, t, scale, gradient);
        advance(w, before.blank_m, before.blank_e, before.label_m, before.label_e, ym,
                ym + lattice->columns, lattice->skip, now.blank_m, now.blank_e, now.label_m,
                now.label_e);
        close_border(now, w);
    }
    size_t blank = item->labels + 1, label = item->labels;
    number end = sum_of_two((number){now.blank_m[blank], now.blank_e[blank]},
                            (number){now.label_m[label], now.label_e[label]});
    lattice->total = normal(end.m, end.e);
}

static double loss_of(const lattice *lattice) {
    number whole = lattice->whole, total = lattice->total;
    if (lattice->unusable) return NAN;
    if (total.e < NOTHING / 2) return INFINITY;
    double loss = (whole.e - total.e) * LN_2 + log(whole.m / total.m);
    return loss > 0 ? loss : 0; // rounding may leave less than nothing of a probability of 1
}

static void write_gradient(const lattice *lattice, size_t t, window w, states posterior,
                           double scale, float *gradient) {
    const double *ym = y_at(lattice, t), *ye = ym + lattice->columns;
    double *of_symbol = lattice->posterior, inverse = lattice->inverse[t];
    float *out = gradient + row_of(lattice->item, t);
    double blanks = sum_of(posterior.blank_m + w.blank, w.blank_end - w.blank);
    out[SEQ_CTC_BLANK] = (float)(scale * (ym[0] * power(ye[0]) * inverse - blanks));
    for (size_t u = w.label; u < w.label_end; u++)
        of_symbol[label_at(lattice, u)] += posterior.label_m[u];
    for (size_t u = w.label; u < w.label_end; u++) {
        int32_t k = label_at(lattice, u);
        out[k] = (float)(scale * (ym[u] * power(ye[u]) * inverse - of_symbol[k]));
    }
    for (size_t u = w.label; u < w.label_end; u++)
        of_symbol[label_at(lattice, u)] = 0;
}

// beta with the emission of frame t.
static void emit_back(const lattice *lattice, size_t t, window w, states beta, states after) {
    const double *ym = y_at(lattice, t), *ye = ym + lattice->columns;
    for (size_t u = w.blank; u < w.blank_end; u++) {
        after.blank_m[u] = beta.blank_m[u] * ym[0];
        after.blank_e[u] = beta.blank_e[u] + ye[0];
    }
    for (size_t u = w.label; u < w.label_end; u++) {
        after.label_m[u] = beta.label_m[u] * ym[u];
        after.label_e[u] = beta.label_e[u] + ye[u];
    }
    close_border(after, w);
}

// Turns alpha's m into posteriors. gradient: NULL, or of forward.
static void backward(lattice *lattice, double scale, float *gradient) {
    const seq_ctc_item *item = lattice->item;
    states beta = states_of(lattice, lattice->beta), after = states_of(lattice, lattice->after);
    double factor = 1 / lattice->total.m, exponent = lattice->total.e;
    memset(lattice->posterior, 0, item->symbols * sizeof(double));
    clear_states(lattice, beta);
    beta.blank_e[item->labels + 1] = 0;
    if (item->labels) beta.label_e[item->labels] = 0;
    for (size_t t = item->frames; t-- > 0;) {
        states alpha = alpha_at(lattice, t + 1);
        window w = window_at(lattice, t);
        meet(w.blank, w.blank_end, alpha.blank_m, alpha.blank_e, beta.blank_m, beta.blank_e, factor,
             exponent);
        meet(w.label, w.label_end, alpha.label_m, alpha.label_e, beta.label_m, beta.label_e, factor,
             exponent);
        if (gradient) write_gradient(lattice, t, w, alpha, scale, gradient);
        if (!t) break;
        emit_back(lattice, t, w, beta, after);
        retreat(window_at(lattice, t - 1), after.blank_m, after.blank_e, after.label_m,
                after.label_e, lattice->skip, beta.blank_m, beta.blank_e, beta.label_m,
                beta.label_e);
    }
}

size_t seq_ctc_least_frames(size_t labels, const int32_t *ids) {
    size_t least = labels;
    for (size_t u = 1; u < labels; u++)
        least += ids[u] == ids[u - 1];
    return least;
}

bool seq_ctc_feasible(size_t frames, size_t labels, const int32_t *ids) {
    return seq_ctc_least_frames(labels, ids) <= frames;
}

static bool possible(const seq_ctc_item *item) {
    for (size_t u = 0; u < item->labels; u++) {
        assert(item->ids[u] < (int32_t)item->symbols);
        if (item->ids[u] <= SEQ_CTC_BLANK) return false;
    }
    return seq_ctc_feasible(item->frames, item->labels, item->ids);
}

double seq_ctc_loss(const seq_ctc_item *item, void *room) {
    lattice lattice;
    deal(&lattice, item, SEQ_CTC_LOSS, room);
    if (!possible(item)) return INFINITY;
    forward(&lattice, 0, NULL);
    return loss_of(&lattice);
}

double seq_ctc_gradient(const seq_ctc_item *item, double scale, float *gradient, void *room) {
    lattice lattice;
    double loss = INFINITY;
    deal(&lattice, item, SEQ_CTC_GRADIENT, room);
    if (possible(item)) {
        forward(&lattice, scale, gradient);
        loss = loss_of(&lattice);
    }
    if (isfinite(loss)) {
        backward(&lattice, scale, gradient);
        return loss;
    }
    for (size_t t = 0; t < item->frames; t++)
        for (size_t k = 0; k < item->symbols; k++)
            gradient[row_of(item, t) + k] = NAN;
    return loss;
}

// Best ln p of a path to each state of a frame, by column.
typedef struct scores {
    double *blank, *label;
} scores;

// The largest of the scores of staying, of one state before and of two before; the first of equals.
static double best_of(double stay, double one, double two, unsigned char *back) {
    double best = stay;
    *back = 0;
    if (one > best) best = one, *back = 1;
    if (two > best) best = two, *back = 2;
    return best;
}

static void score_frame(const lattice *lattice, size_t t, scores before, scores now) {
    const seq_ctc_item *item = lattice->item;
    const float *logits = item->logits + row_of(item, t);
    unsigned char *back = lattice->back + t * 2 * lattice->columns;
    window w = window_at(lattice, t);
    for (size_t u = w.blank; u < w.blank_end; u++)
        now.blank[u] = (double)logits[SEQ_CTC_BLANK] +
                       best_of(before.blank[u], before.label[u - 1], -INFINITY, &back[u]);
    back += lattice->columns;
    for (size_t u = w.label; u < w.label_end; u++)
        now.label[u] = (double)logits[label_at(lattice, u)] +
                       best_of(before.label[u], before.blank[u],
                               lattice->skip[u] < 0 ? -INFINITY : before.label[u - 1], &back[u]);
    now.blank[w.blank - 1] = now.blank[w.blank_end] = -INFINITY;
    now.label[w.label - 1] = now.label[w.label_end] = -INFINITY;
}

// Follows the best path back from `state`: blank u is 2u, label u is 2u + 1.
static void trace(const lattice *lattice, size_t state, seq_ctc_time *times) {
    for (size_t t = lattice->item->frames; t-- > 0;) {
        size_t u = state / 2, column = u + 1;
        bool label = state & 1;
        if (label) {
            seq_ctc_time *time = &times[u];
            float posterior = (float)alpha_at(lattice, t + 1).label_m[column];
            time->first = (int32_t)t;
            if (time->last < 0) time->last = (int32_t)t;
            if (!(posterior < time->posterior)) {
                time->posterior = posterior;
                time->best = (int32_t)t;
            }
        }
        state -= lattice->back[(t * 2 + label) * lattice->columns + column];
    }
}

// After backward. Returns ln p of the path.
static double find_path(const lattice *lattice, seq_ctc_time *times) {
    const seq_ctc_item *item = lattice->item;
    size_t columns = lattice->columns, labels = item->labels;
    scores now = {lattice->beta, lattice->beta + columns};
    scores next = {lattice->after, lattice->after + columns};
    double largest = 0;
    for (size_t u = 0; u < 2 * columns; u++)
        lattice->beta[u] = -INFINITY;
    now.blank[1] = 0;
    for (size_t t = 0; t < item->frames; t++) {
        scores before = now;
        score_frame(lattice, t, before, next);
        now = next;
        next = before;
        largest += (double)largest_of(item->logits + row_of(item, t), item->symbols);
    }
    bool label = now.label[labels] > now.blank[labels + 1];
    trace(lattice, 2 * labels - label, times);
    return (label ? now.label[labels] : now.blank[labels + 1]) - largest -
           (lattice->whole.e * LN_2 + log(lattice->whole.m));
}

double seq_ctc_align(const seq_ctc_item *item, seq_ctc_time *times, double *path, void *room) {
    lattice lattice;
    double loss = INFINITY, found = NAN;
    deal(&lattice, item, SEQ_CTC_ALIGNMENT, room);
    for (size_t u = 0; u < item->labels; u++)
        times[u] = (seq_ctc_time){-1, -1, -1, NAN};
    if (possible(item)) {
        forward(&lattice, 0, NULL);
        loss = loss_of(&lattice);
    }
    if (isfinite(loss)) {
        backward(&lattice, 0, NULL);
        found = find_path(&lattice, times);
    }
    if (path) *path = found;
    return loss;
}
