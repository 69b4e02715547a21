// The n best label sequences of a conditional random field (Viterbi with n prefixes a label), and
// marginals of labels and of spans. Scores are sums in double, prefix by prefix, so they are exact
// to 1e-15 of their size. Invariant: candidates are tried by label, then place, and go behind equal
// ones, so ties have one answer. A sequence is one thread's. Test: tests/unit/nn/test_crf.c, which
// sorts all K^T paths.
#include "crf_item.h"
#include <math.h>
#include <string.h>

typedef struct decode_work {
    seq_crf *crf;
    const seq_crf_batch *batch;
    seq_prediction *out;
} decode_work;

// Puts a prefix into a list of n that falls; false: it is not among them, and nothing after it is.
static bool offer(double score, int32_t from, int n, double *scores, int32_t *back) {
    int place = n - 1;
    if (!(score > scores[place])) return false; // -inf, too: the list is full of it
    for (; place > 0 && score > scores[place - 1]; place--) {
        scores[place] = scores[place - 1];
        back[place] = back[place - 1];
    }
    scores[place] = score;
    back[place] = from;
    return true;
}

// next (K, n) from current (K, n), without emissions.
static void extend(const seq_crf_item *item, int n, int32_t *back) {
    size_t labels = item->labels;
    const double *current = item->part->current;
    double *next = item->part->next;
    for (size_t i = 0; i < labels * (size_t)n; i++)
        next[i] = -INFINITY;
    for (size_t i = 0; i < labels; i++)
        for (size_t j = 0; j < labels; j++) {
            double transition = (double)item->crf->transitions[i * labels + j];
            for (int r = 0; r < n; r++) {
                size_t from = i * (size_t)n + (size_t)r, to = j * (size_t)n;
                if (!offer(current[from] + transition, (int32_t)from, n, next + to, back + to))
                    break;
            }
        }
}

static void add_emissions(const seq_crf_item *item, int t, int n, double *scores) {
    const float *emission = item->emissions + seq_crf_row(item, t) * item->labels;
    for (size_t j = 0; j < item->labels; j++)
        for (int r = 0; r < n; r++)
            scores[j * (size_t)n + (size_t)r] += (double)emission[j];
}

static void begin_prefixes(const seq_crf_item *item, int n) {
    for (size_t j = 0; j < item->labels; j++)
        for (int r = 0; r < n; r++)
            item->part->current[j * (size_t)n + (size_t)r] =
                r ? -INFINITY : (double)item->crf->start[j];
}

// The n best prefixes of the whole length, with the end; `last` is what they end in.
static void end_prefixes(const seq_crf_item *item, int n, double *scores, int32_t *last) {
    for (int r = 0; r < n; r++)
        scores[r] = -INFINITY;
    for (size_t j = 0; j < item->labels; j++)
        for (int r = 0; r < n; r++) {
            size_t from = j * (size_t)n + (size_t)r;
            double score = item->part->current[from] + (double)item->crf->end[j];
            if (!offer(score, (int32_t)from, n, scores, last)) break;
        }
}

static void write_path(const seq_crf_item *item, int n, int32_t last, int32_t *labels) {
    size_t step = item->labels * (size_t)n;
    for (int t = item->length - 1; t >= 0; t--) {
        labels[seq_crf_row(item, t)] = last < 0 ? SEQ_NO_ID : last / n;
        if (last >= 0 && t > 0) last = item->part->back[(size_t)t * step + (size_t)last];
    }
}

// The current prefixes, after the last step, lie in part->current.
static void run_prefixes(seq_crf_item *item, seq_crf_part *part, int n) {
    size_t step = item->labels * (size_t)n;
    item->part = part;
    begin_prefixes(item, n);
    add_emissions(item, 0, n, part->current);
    for (int t = 1; t < item->length; t++) {
        double *swap = part->current;
        extend(item, n, part->back + (size_t)t * step);
        add_emissions(item, t, n, part->next);
        part->current = part->next;
        part->next = swap;
    }
}

// Alternative r of a sequence; score -inf: there is no such one.
static void write_alternative(const decode_work *work, const seq_crf_item *item, int r,
                              double score, int32_t last, double log_sum) {
    seq_prediction *out = work->out;
    bool found = score > -INFINITY;
    double log_probability = score - log_sum;
    size_t at = (size_t)r * (size_t)out->sequences + (size_t)item->number;
    if (out->length) out->length[at] = found ? item->length : 0;
    if (out->score) out->score[at] = found ? log_probability : -INFINITY;
    if (out->probability) out->probability[at] = found ? exp(log_probability) : NAN;
    write_path(item, out->best, found ? last : -1, out->ids + (size_t)r * out->rows);
}

static void write_alternatives(const decode_work *work, seq_crf_item item, double log_sum) {
    seq_crf_part part = *item.part;
    int n = work->out->best, found = 0;
    double scores[SEQ_CRF_BEST];
    int32_t last[SEQ_CRF_BEST];
    if (item.length) {
        run_prefixes(&item, &part, n);
        end_prefixes(&item, n, scores, last);
    }
    // Rounding may leave less in ln Z than one sequence has.
    if (item.length && scores[0] > log_sum) log_sum = scores[0];
    for (int r = 0; r < n; r++) {
        double score = item.length ? scores[r] : r ? -INFINITY : 0;
        write_alternative(work, &item, r, score, item.length ? last[r] : 0, log_sum);
        found += score > -INFINITY;
    }
    if (work->out->found) work->out->found[item.number] = found;
}

static void write_marginals(const decode_work *work, const seq_crf_item *item) {
    for (int t = 0; t < item->length; t++)
        memcpy(work->out->marginals + seq_crf_row(item, t) * item->labels,
               item->marginal + (size_t)t * item->labels, item->labels * sizeof(float));
}

static void decode_items(void *context, int part, int parts) {
    const decode_work *work = context;
    bool measured = work->out->score || work->out->probability || work->out->marginals;
    for (int b = part; b < work->crf->sequences; b += parts) {
        seq_crf_item item = seq_crf_item_of(work->crf, work->batch, part, b);
        double log_sum = measured ? seq_crf_forward(&item) : 0;
        write_alternatives(work, item, log_sum);
        if (!work->out->marginals) continue;
        seq_crf_smooth(&item);
        write_marginals(work, &item);
    }
}

void seq_crf_predict(seq_crf *crf, const seq_crf_batch *batch, seq_prediction *out) {
    seq_crf_begin(crf, batch);
    out->axis = batch->axis;
    seq_team_run(crf->compute->team, decode_items, &(decode_work){crf, batch, out});
}

// p(y(t-1) = before | yt = label).
static double step_probability(const seq_crf *crf, int sequence, int t, int32_t before,
                               int32_t label) {
    size_t labels = (size_t)crf->labels, row = (crf->place[sequence] + (size_t)t) * labels;
    const double *alpha = crf->alpha + row - labels;
    double most = -INFINITY, sum = 0, own = 0;
    for (size_t i = 0; i < labels; i++) {
        double score = alpha[i] + (double)crf->transitions[i * labels + (size_t)label];
        most = score > most ? score : most;
    }
    if (!(most > -INFINITY)) return 0;
    for (size_t i = 0; i < labels; i++) {
        double score = alpha[i] + (double)crf->transitions[i * labels + (size_t)label];
        double weight = exp(score - most);
        sum += weight;
        if ((size_t)before == i) own = weight;
    }
    return own / sum;
}

double seq_crf_span(const seq_crf *crf, int sequence, int first, int count, const int32_t *labels,
                    int32_t stop) {
    int after = first + count;
    const float *marginal = crf->marginal + crf->place[sequence] * (size_t)crf->labels;
    double probability =
        (double)marginal[(size_t)(after - 1) * (size_t)crf->labels + (size_t)labels[count - 1]];
    if (stop >= 0 && after < crf->length[sequence])
        probability -= (double)marginal[(size_t)after * (size_t)crf->labels + (size_t)stop] *
                       step_probability(crf, sequence, after, labels[count - 1], stop);
    for (int t = after - 1; t > first; t--)
        probability *= step_probability(crf, sequence, t, labels[t - first - 1], labels[t - first]);
    return probability > 0 ? probability : 0;
}
