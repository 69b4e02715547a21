// Regression and ordinal losses of rows; the formulas stand in the header. Ordinal: between the
// borders a = threshold[c+1] - x and b = threshold[c] - x of a class the probability is
// sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) sigmoid(z), for a - b = softplus(z). So its
// logarithm is a sum without cancellation, and all derivatives are sigmoids. Invariant: gradients
// come from kernels and natural_log.h alone, so they have the same bits on every CPU of one order.
// Tests: tests/unit/nn/test_losses.c, tests/golden/test_losses.c (PyTorch).
#include <seqtrain/nn/losses.h>
#include "natural_log.h"
#include <math.h>

const char *const *seq_regression_names(void) {
    static const char *const names[] = {"squared", "absolute", "huber", NULL};
    return names;
}

static double column_mean(size_t rows, size_t width, const float *values, double centre,
                          bool squares) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        double value = (double)values[i * width] - centre;
        if (isnan(value)) continue;
        sum += squares ? value * value : value;
        count++;
    }
    return count ? sum / (double)count : 0;
}

void seq_regression_moments(size_t rows, int width, const float *values, float *mean,
                            float *deviation) {
    for (int j = 0; j < width; j++) {
        double centre = column_mean(rows, (size_t)width, values + j, 0, false);
        double spread = sqrt(column_mean(rows, (size_t)width, values + j, centre, true));
        mean[j] = (float)centre;
        deviation[j] = (float)spread > 0 ? (float)spread : 1;
    }
}

// Loss and derivative of a distance.
static double regression_loss(const seq_regression *regression, float distance, float *slope) {
    double size = fabs((double)distance), delta = (double)regression->delta;
    float sign = distance > 0 ? 1.0F : distance < 0 ? -1.0F : 0.0F;
    switch (regression->loss) {
    case SEQ_SQUARED_LOSS:
        *slope = 2 * distance;
        return size * size;
    case SEQ_ABSOLUTE_LOSS:
        *slope = isnan(distance) ? distance : sign;
        return size;
    default:
        *slope = size > delta ? sign * regression->delta : distance;
        return size > delta ? delta * (size - delta / 2) : size * size / 2;
    }
}

seq_loss seq_regression_rows(const seq_regression *regression, size_t rows, const float *outputs,
                             const float *targets, float scale, double *of_row, float *d_outputs) {
    seq_loss total = {0};
    size_t width = (size_t)regression->width;
    for (size_t i = 0; i < rows; i++) {
        double row = 0;
        for (size_t j = 0, at = i * width; j < width; j++, at++) {
            float slope = 0;
            if (!isnan(targets[at])) {
                float z = (targets[at] - regression->mean[j]) / regression->deviation[j];
                row += regression_loss(regression, outputs[at] - z, &slope);
                total.count++;
            }
            if (d_outputs) d_outputs[at] = scale * slope;
        }
        total.sum += row;
        if (of_row) of_row[i] = row;
    }
    return total;
}

void seq_regression_predict(const seq_regression *regression, size_t rows, const float *outputs,
                            float *predictions) {
    size_t width = (size_t)regression->width;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0, at = i * width; j < width; j++, at++)
            predictions[at] = outputs[at] * regression->deviation[j] + regression->mean[j];
}

// ln (1 + e^x), from e^-|x|.
static double softplus(const seq_kernels *kernels, float x) {
    float e = -fabsf(x);
    kernels->exp(&e, 1);
    double rest = e > 1e-5F ? seq_natural_log(1 + e) : (double)e;
    return (x > 0 ? (double)x : 0) + rest;
}

static float sigmoid(const seq_kernels *kernels, float x) {
    kernels->sigmoid(&x, 1);
    return x;
}

typedef struct thresholds {
    size_t classes;
    float at[SEQ_ORDINAL_CLASSES]; // at[k] for k = 1 .. C - 1
    float z[SEQ_ORDINAL_CLASSES];  // z[k] for k = 2 .. C - 1
} thresholds;

// The logit of k / C.
static double even_threshold(size_t k, size_t classes) {
    return seq_natural_log((float)k) - seq_natural_log((float)(classes - k));
}

// The z whose softplus is the distance of even thresholds k - 1 and k: e^distance - 1 is known.
static float even_z(size_t k, size_t classes) {
    double ratio =
        (double)k * (double)(classes - k + 1) / ((double)(k - 1) * (double)(classes - k));
    return (float)seq_natural_log((float)(ratio - 1));
}

static void set_thresholds(const seq_ordinal *ordinal, thresholds *out) {
    size_t classes = (size_t)ordinal->classes;
    double at = 0;
    out->classes = classes;
    for (size_t k = 1; k < classes; k++) {
        if (k == 1) {
            at = even_threshold(1, classes) + (double)ordinal->cuts[0];
        } else {
            out->z[k] = even_z(k, classes) + ordinal->cuts[k - 1];
            at += softplus(ordinal->kernels, out->z[k]);
        }
        out->at[k] = (float)at;
    }
}

// -ln P(y = target) and its derivatives: by the score, by the target's thresholds, by z.
typedef struct ordinal_row {
    double nats;
    float by_lower, by_upper, by_z; // thresholds target and target + 1
} ordinal_row;

static ordinal_row lose_row(const seq_kernels *kernels, const thresholds *thresholds, float score,
                            size_t target) {
    ordinal_row row = {0};
    bool lowest = target == 0, highest = target + 1 == thresholds->classes;
    if (!lowest) {
        float below = thresholds->at[target] - score;
        row.nats += softplus(kernels, below);
        row.by_lower = sigmoid(kernels, below);
    }
    if (!highest) {
        float above = score - thresholds->at[target + 1];
        row.nats += softplus(kernels, above);
        row.by_upper = -sigmoid(kernels, above);
    }
    if (!lowest && !highest) {
        float z = -thresholds->z[target + 1];
        row.nats += softplus(kernels, z);
        row.by_z = -sigmoid(kernels, z);
    }
    return row;
}

// Sums over rows of the derivatives by thresholds and z, turned into those of the cuts.
static void cut_gradient(const seq_kernels *kernels, const thresholds *thresholds,
                         const float *by_threshold, const float *by_z, float scale, float *d_cuts) {
    float above = 0; // what all thresholds from k on ask for
    for (size_t k = thresholds->classes - 1; k > 0; k--) {
        above += by_threshold[k];
        float slope = k > 1 ? above * sigmoid(kernels, thresholds->z[k]) + by_z[k] : above;
        d_cuts[k - 1] = scale * slope;
    }
}

seq_loss seq_ordinal_rows(const seq_ordinal *ordinal, size_t rows, const float *scores,
                          const int32_t *targets, float scale, double *of_row, float *d_scores,
                          float *d_cuts) {
    seq_loss total = {0};
    thresholds thresholds;
    float by_threshold[SEQ_ORDINAL_CLASSES + 1] = {0}, by_z[SEQ_ORDINAL_CLASSES + 1] = {0};
    set_thresholds(ordinal, &thresholds);
    for (size_t i = 0; i < rows; i++) {
        ordinal_row row = {0};
        if (targets[i] >= 0) {
            size_t target = (size_t)targets[i];
            row = lose_row(ordinal->kernels, &thresholds, scores[i], target);
            by_threshold[target] += row.by_lower;
            by_threshold[target + 1] += row.by_upper;
            by_z[target + 1] += row.by_z;
            total.sum += row.nats;
            total.count++;
        }
        if (of_row) of_row[i] = row.nats;
        if (d_scores) d_scores[i] = -scale * (row.by_lower + row.by_upper);
    }
    if (d_cuts) cut_gradient(ordinal->kernels, &thresholds, by_threshold, by_z, scale, d_cuts);
    return total;
}

// P(y = k) of a row, from the factors of its logarithm.
static void row_probabilities(const seq_kernels *kernels, const thresholds *thresholds, float score,
                              float *out) {
    for (size_t k = 0; k < thresholds->classes; k++) {
        out[k] = 1;
        if (k > 0) out[k] *= sigmoid(kernels, score - thresholds->at[k]);
        if (k + 1 < thresholds->classes) out[k] *= sigmoid(kernels, thresholds->at[k + 1] - score);
        if (k > 0 && k + 1 < thresholds->classes) out[k] *= sigmoid(kernels, thresholds->z[k + 1]);
    }
}

void seq_ordinal_predict(const seq_ordinal *ordinal, size_t rows, const float *scores,
                         float *expected, float *probabilities) {
    const float *values = ordinal->values;
    thresholds thresholds;
    set_thresholds(ordinal, &thresholds);
    for (size_t i = 0; i < rows; i++) {
        double mean = (double)values[0];
        for (size_t k = 1; k < thresholds.classes; k++) {
            float reached = sigmoid(ordinal->kernels, scores[i] - thresholds.at[k]); // P(y >= k)
            mean += (double)(values[k] - values[k - 1]) * (double)reached;
        }
        expected[i] = (float)mean;
        if (probabilities)
            row_probabilities(ordinal->kernels, &thresholds, scores[i],
                              probabilities + i * thresholds.classes);
    }
}
