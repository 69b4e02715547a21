// Bag of words: softmax regression by L-BFGS (Nocedal and Wright, Numerical
// Optimization, algorithms 7.4 and 7.5) with backtracking, in double precision,
// from zero, one thread. The function is strictly convex in the weights, so what
// is found depends on the data and the penalty alone. Each penalty begins where
// the one before, which was larger, has ended. Test:
// tests/unit/task/test_baseline.c.
#include "baseline_private.h"
#include <seqtrain/base/memory.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 8, ITERATIONS = 100, HALVINGS = 30, PART = 10 };

static const double penalties[] = {100, 30, 10, 3, 1, 0.3, 0.1}; // times 1 / N

typedef struct fit {
    const seq_answers *data;
    bool leaves_out; // every tenth item
    size_t words;
    int32_t classes;
    size_t size;   // of each vector: (words + 1, classes), the last row has the biases
    double lambda; // of the sum of squares / 2
    double *weights, *gradient, *next, *next_gradient, *direction;
    double *steps, *changes;  // (MEMORY, size): of weights and gradients
    double curvature[MEMORY]; // 1 / (step . change)
    double *scores;           // (classes)
    int remembered, newest;
    seq_bow_report report;
} fit;

static double dot(const double *a, const double *b, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += a[i] * b[i];
    return sum;
}

static void score(const fit *fit, const double *weights, const seq_answers *data, size_t item) {
    size_t classes = (size_t)fit->classes;
    memcpy(fit->scores, weights + fit->words * classes, classes * sizeof *weights);
    for (size_t k = data->word_first[item]; k < data->word_first[item + 1]; k++)
        for (size_t c = 0; c < classes; c++)
            fit->scores[c] += weights[(size_t)data->words[k] * classes + c];
}

// Scores become probabilities; returns the logarithm of the label's.
static double normalise(const fit *fit, int32_t label) {
    double most = fit->scores[0], sum = 0;
    for (int32_t c = 1; c < fit->classes; c++)
        most = fmax(most, fit->scores[c]);
    double own = fit->scores[label] - most;
    for (int32_t c = 0; c < fit->classes; c++)
        sum += fit->scores[c] = exp(fit->scores[c] - most);
    for (int32_t c = 0; c < fit->classes; c++)
        fit->scores[c] /= sum;
    return own - log(sum);
}

static bool is_left_out(const fit *fit, size_t item) {
    return fit->leaves_out && item % PART == PART - 1;
}

static double evaluate(const fit *fit, const double *weights, double *gradient) {
    const seq_answers *data = fit->data;
    size_t classes = (size_t)fit->classes, regular = fit->words * classes, used = 0;
    double nats = 0;
    memset(gradient, 0, fit->size * sizeof *gradient);
    for (size_t i = 0; i < data->items; i++) {
        if (is_left_out(fit, i)) continue;
        used++;
        score(fit, weights, data, i);
        nats -= normalise(fit, data->ids[i]);
        fit->scores[data->ids[i]] -= 1;
        for (size_t k = data->word_first[i]; k < data->word_first[i + 1]; k++)
            for (size_t c = 0; c < classes; c++)
                gradient[(size_t)data->words[k] * classes + c] += fit->scores[c];
        for (size_t c = 0; c < classes; c++)
            gradient[regular + c] += fit->scores[c];
    }
    for (size_t i = 0; i < fit->size; i++)
        gradient[i] /= (double)used;
    for (size_t i = 0; i < regular; i++)
        gradient[i] += fit->lambda * weights[i];
    return nats / (double)used + fit->lambda / 2 * dot(weights, weights, regular);
}

static void find_direction(fit *fit) {
    double *direction = fit->direction, share[MEMORY];
    for (size_t i = 0; i < fit->size; i++)
        direction[i] = -fit->gradient[i];
    for (int k = 0; k < fit->remembered; k++) {
        int at = (fit->newest - k + MEMORY) % MEMORY;
        const double *step = fit->steps + (size_t)at * fit->size;
        const double *change = fit->changes + (size_t)at * fit->size;
        share[at] = fit->curvature[at] * dot(step, direction, fit->size);
        for (size_t i = 0; i < fit->size; i++)
            direction[i] -= share[at] * change[i];
    }
    if (fit->remembered) {
        const double *change = fit->changes + (size_t)fit->newest * fit->size;
        double scale = 1 / (fit->curvature[fit->newest] * dot(change, change, fit->size));
        for (size_t i = 0; i < fit->size; i++)
            direction[i] *= scale;
    }
    for (int k = fit->remembered - 1; k >= 0; k--) {
        int at = (fit->newest - k + MEMORY) % MEMORY;
        const double *step = fit->steps + (size_t)at * fit->size;
        const double *change = fit->changes + (size_t)at * fit->size;
        double back = share[at] - fit->curvature[at] * dot(change, direction, fit->size);
        for (size_t i = 0; i < fit->size; i++)
            direction[i] += back * step[i];
    }
}

static void remember(fit *fit) {
    int at = (fit->newest + 1) % MEMORY;
    double *step = fit->steps + (size_t)at * fit->size;
    double *change = fit->changes + (size_t)at * fit->size;
    for (size_t i = 0; i < fit->size; i++) {
        step[i] = fit->next[i] - fit->weights[i];
        change[i] = fit->next_gradient[i] - fit->gradient[i];
    }
    double product = dot(step, change, fit->size);
    if (product <= 0) return;
    fit->curvature[at] = 1 / product;
    fit->newest = at;
    if (fit->remembered < MEMORY) fit->remembered++;
}

static void exchange(double **a, double **b) {
    double *other = *a;
    *a = *b;
    *b = other;
}

// A step along the direction that lowers *value enough (Armijo). False: there is none.
static bool advance(fit *fit, double *value) {
    double slope = dot(fit->gradient, fit->direction, fit->size);
    double length = fit->remembered ? 1 : 1 / sqrt(dot(fit->gradient, fit->gradient, fit->size));
    for (int k = 0; slope < 0 && k < HALVINGS; k++, length /= 2) {
        for (size_t i = 0; i < fit->size; i++)
            fit->next[i] = fit->weights[i] + length * fit->direction[i];
        double found = evaluate(fit, fit->next, fit->next_gradient);
        if (!(found <= *value + 1e-4 * length * slope)) continue;
        remember(fit);
        exchange(&fit->weights, &fit->next);
        exchange(&fit->gradient, &fit->next_gradient);
        *value = found;
        return true;
    }
    return false;
}

static void minimise(fit *fit, double penalty) {
    size_t used = fit->data->items - (fit->leaves_out ? fit->data->items / PART : 0);
    fit->lambda = penalty / (double)used;
    fit->remembered = 0;
    double value = evaluate(fit, fit->weights, fit->gradient), before;
    int iterations = 0;
    do {
        before = value;
        find_direction(fit);
        if (!advance(fit, &value)) break;
    } while (++iterations < ITERATIONS && before - value > 1e-6 * value);
    fit->report.iterations += iterations;
}

static int32_t most_probable(const fit *fit) {
    int32_t best = 0;
    for (int32_t c = 1; c < fit->classes; c++)
        if (fit->scores[c] > fit->scores[best]) best = c;
    return best;
}

static void count_right(const fit *fit, const seq_answers *dev, int64_t *right, int64_t *selected) {
    const seq_answers *data = dev ? dev : fit->data;
    *right = *selected = 0;
    for (size_t i = 0; i < data->items; i++) {
        if (!dev && fit->leaves_out && !is_left_out(fit, i)) continue;
        score(fit, fit->weights, data, i);
        *right += most_probable(fit) == data->ids[i];
        ++*selected;
    }
}

static void learn(fit *fit, const seq_answers *dev, double *best) {
    fit->leaves_out = !dev && fit->data->items >= PART;
    for (size_t i = 0; i < sizeof penalties / sizeof *penalties; i++) {
        int64_t right, selected;
        minimise(fit, penalties[i]);
        count_right(fit, dev, &right, &selected);
        if (i && right <= fit->report.right) continue;
        fit->report.right = right;
        fit->report.selected = selected;
        fit->report.penalty = penalties[i];
        memcpy(best, fit->weights, fit->size * sizeof *best);
    }
    memcpy(fit->weights, best, fit->size * sizeof *best);
    if (fit->leaves_out) {
        fit->leaves_out = false;
        minimise(fit, fit->report.penalty);
    }
}

static seq_status predict(const fit *fit, const seq_answers *gold, seq_answers *out,
                          seq_error *error) {
    size_t classes = (size_t)fit->classes;
    seq_status status =
        seq_grow(&out->probabilities, &out->probabilities_capacity, gold->items * classes,
                 sizeof *out->probabilities, "probabilities", error);
    if (status) return status;
    for (size_t i = 0; i < gold->items; i++) {
        score(fit, fit->weights, gold, i);
        out->ids[i] = most_probable(fit);
        normalise(fit, out->ids[i]);
        for (int32_t c = 0; c < fit->classes; c++)
            out->probabilities[out->probability_count++] = (seq_probability){c, fit->scores[c]};
        out->probability_first[i + 1] = out->probability_count;
    }
    return SEQ_OK;
}

static seq_status allocate(fit *fit, double **block, seq_error *error) {
    size_t vectors = 6 + 2 * MEMORY;
    seq_status status = seq_allocate(block, vectors * fit->size + (size_t)fit->classes,
                                     sizeof **block, "a bag of words", error);
    if (status) return status;
    double **own[] = {&fit->weights, &fit->gradient, &fit->next, &fit->next_gradient,
                      &fit->direction};
    double *at = *block + fit->size; // the first vector keeps the best weights
    for (size_t i = 0; i < sizeof own / sizeof *own; i++, at += fit->size)
        *own[i] = at;
    fit->steps = at;
    fit->changes = at + MEMORY * fit->size;
    fit->scores = fit->changes + MEMORY * fit->size;
    return SEQ_OK;
}

seq_status seq_baseline_bow(const seq_answers *training, const seq_answers *dev,
                            const seq_answers *gold, const seq_answer_tables *tables,
                            seq_answers *out, seq_bow_report *report, seq_error *error) {
    fit fit = {.data = training, .words = (size_t)tables->words.count};
    double *block = NULL;
    seq_status status = seq_baseline_begin("baseline bow", training, gold, out, error);
    for (size_t i = 0; !status && i < training->places; i++)
        if (training->ids[i] >= fit.classes) fit.classes = training->ids[i] + 1;
    fit.size = (fit.words + 1) * (size_t)fit.classes;
    if (!status) status = allocate(&fit, &block, error);
    if (!status) {
        learn(&fit, dev, block);
        status = predict(&fit, gold, out, error);
    }
    *report = fit.report;
    free(block);
    if (status) seq_answers_clear(out);
    return status;
}
