// The models in double, position by position, written from the formulas and for
// reading, not for speed. It shares the parameter table with the library and
// nothing else: no kernel, no packing, no cell. Invariant: one formula a cell,
// so an error of the library cannot be repeated here unseen.
#include "reference_model.h"
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 256 };

typedef struct reference {
    const seq_model_config *config;
    const seq_parameter_table *table;
    const double *parameters;
} reference;

static const double *find(const reference *r, const char *format, int layer) {
    char name[SEQ_PARAMETER_NAME];
    snprintf(name, sizeof name, format, layer);
    const seq_parameter *parameter = seq_parameter_find(r->table, name);
    assert(parameter);
    return r->parameters + parameter->offset;
}

static double sigma(double x) {
    return 1 / (1 + exp(-x));
}

static double dot(const double *a, const double *b, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

// Row `row` of the input product, with its bias, and of the recurrent product, with its bias.
typedef struct layer {
    const double *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_ch;
    int inputs, hidden;
    bool sees_current; // the output gate's peephole: c<t>, not c<t-1>
} layer;

static double from_input(const layer *l, int row, const double *x) {
    return dot(l->weight_ih + row * l->inputs, x, l->inputs) + l->bias_ih[row];
}

static double from_state(const layer *l, int row, const double *h) {
    return dot(l->weight_hh + row * l->hidden, h, l->hidden) + l->bias_hh[row];
}

static void step_lstm(const layer *l, const double *x, const double *h, const double *c,
                      double *h_new, double *c_new) {
    int n = l->hidden;
    for (int j = 0; j < n; j++) {
        double i = from_input(l, j, x) + from_state(l, j, h),
               f = from_input(l, n + j, x) + from_state(l, n + j, h);
        double g = from_input(l, 2 * n + j, x) + from_state(l, 2 * n + j, h),
               o = from_input(l, 3 * n + j, x) + from_state(l, 3 * n + j, h);
        if (l->weight_ch) {
            i += l->weight_ch[j] * c[j];
            f += l->weight_ch[n + j] * c[j];
        }
        c_new[j] = sigma(f) * c[j] + sigma(i) * tanh(g);
        if (l->weight_ch) o += l->weight_ch[2 * n + j] * (l->sees_current ? c_new[j] : c[j]);
        h_new[j] = sigma(o) * tanh(c_new[j]);
    }
}

static void step_gru(const layer *l, const double *x, const double *h, double *h_new) {
    int n = l->hidden;
    double gated[WIDEST];
    for (int j = 0; j < n; j++)
        gated[j] = sigma(from_input(l, j, x) + from_state(l, j, h)) * h[j];
    for (int j = 0; j < n; j++) {
        double z = sigma(from_input(l, n + j, x) + from_state(l, n + j, h));
        double candidate = tanh(from_input(l, 2 * n + j, x) + from_state(l, 2 * n + j, gated));
        h_new[j] = (1 - z) * candidate + z * h[j];
    }
}

static void step_gru_reset_after(const layer *l, const double *x, const double *h, double *h_new) {
    int n = l->hidden;
    for (int j = 0; j < n; j++) {
        double r = sigma(from_input(l, j, x) + from_state(l, j, h)),
               z = sigma(from_input(l, n + j, x) + from_state(l, n + j, h));
        double candidate = tanh(from_input(l, 2 * n + j, x) + r * from_state(l, 2 * n + j, h));
        h_new[j] = (1 - z) * candidate + z * h[j];
    }
}

static void step_gru_simple(const layer *l, const double *x, const double *h, double *h_new) {
    int n = l->hidden;
    for (int j = 0; j < n; j++) {
        double z = sigma(from_input(l, j, x) + from_state(l, j, h));
        h_new[j] = (1 - z) * tanh(from_input(l, n + j, x) + from_state(l, n + j, h)) + z * h[j];
    }
}

static void step_rnn(const layer *l, const double *x, const double *h, double *h_new) {
    for (int j = 0; j < l->hidden; j++)
        h_new[j] = tanh(from_input(l, j, x) + from_state(l, j, h));
}

static void step_cell(const char *cell, const layer *l, const double *x, const double *h,
                      const double *c, double *h_new, double *c_new) {
    if (strncmp(cell, "lstm", 4) == 0)
        step_lstm(l, x, h, c, h_new, c_new);
    else if (strcmp(cell, "gru") == 0)
        step_gru(l, x, h, h_new);
    else if (strcmp(cell, "gru-reset-after") == 0)
        step_gru_reset_after(l, x, h, h_new);
    else if (strcmp(cell, "gru-simple") == 0)
        step_gru_simple(l, x, h, h_new);
    else
        step_rnn(l, x, h, h_new);
}

void reference_step(const char *cell, const double *const parameters[5], int inputs, int hidden,
                    const double *x, const double *h, const double *c, double *h_new,
                    double *c_new) {
    const layer l = {
        .weight_ih = parameters[0],
        .weight_hh = parameters[1],
        .bias_ih = parameters[2],
        .bias_hh = parameters[3],
        .weight_ch = strstr(cell, "peephole") ? parameters[4] : NULL,
        .inputs = inputs,
        .hidden = hidden,
        .sees_current = strcmp(cell, "lstm-peephole-current") == 0,
    };
    step_cell(cell, &l, x, h, c, h_new, c_new);
}

static layer layer_at(const reference *r, int index, int inputs) {
    return (layer){
        .weight_ih = find(r, "rnn.weight_ih_l%d", index),
        .weight_hh = find(r, "rnn.weight_hh_l%d", index),
        .bias_ih = find(r, "rnn.bias_ih_l%d", index),
        .bias_hh = find(r, "rnn.bias_hh_l%d", index),
        .weight_ch =
            strstr(r->config->cell, "peephole") ? find(r, "rnn.weight_ch_l%d", index) : NULL,
        .sees_current = strcmp(r->config->cell, "lstm-peephole-current") == 0,
        .inputs = inputs,
        .hidden = r->config->hidden[index],
    };
}

// x: the width of the embedding in, of the top out. The state blocks of stream b lie at state + b *
// H in (B, H) blocks.
static int run_recurrent(const reference *r, int batch, int stream, double *state, double *x) {
    int width = r->config->embedding, memory = strncmp(r->config->cell, "lstm", 4) == 0;
    for (int index = 0; index < r->config->layers; index++) {
        layer l = layer_at(r, index, width);
        double h_new[WIDEST], c_new[WIDEST],
            *h = state + stream * l.hidden,
            *c = memory ? state + (batch + stream) * l.hidden : NULL;
        step_cell(r->config->cell, &l, x, h, c, h_new, c_new);
        memcpy(h, h_new, (size_t)l.hidden * sizeof *h);
        if (memory) memcpy(c, c_new, (size_t)l.hidden * sizeof *c);
        memcpy(x, h_new, (size_t)l.hidden * sizeof *x);
        state += (memory ? 2 : 1) * batch * l.hidden;
        width = l.hidden;
    }
    return width;
}

static int run_dense(const reference *r, int width, double *x) {
    for (int index = 0; index < r->config->dense_layers; index++) {
        const double *weight = find(r, "dense.%d.weight", index),
                     *bias = find(r, "dense.%d.bias", index);
        double y[WIDEST];
        for (int j = 0; j < r->config->dense[index]; j++) {
            double sum = dot(weight + j * width, x, width) + bias[j];
            y[j] = r->config->dense_activation == SEQ_DENSE_TANH ? tanh(sum) : sum > 0 ? sum : 0;
        }
        width = r->config->dense[index];
        memcpy(x, y, (size_t)width * sizeof *x);
    }
    return width;
}

// ln of softmax(W x + bias) at `wanted`; W (rows, width); no bias: NULL.
static double log_softmax(const double *weight, const double *bias, int rows, int width,
                          const double *x, int wanted) {
    double sum = 0, found = 0;
    for (int v = 0; v < rows; v++) {
        double logit = dot(weight + v * width, x, width) + (bias ? bias[v] : 0);
        sum += exp(logit);
        found = v == wanted ? logit : found;
    }
    return found - log(sum);
}

static double log_adaptive(const reference *r, int width, const double *x, int target) {
    const seq_model_config *config = r->config;
    int shortlist = config->cutoffs[0], cluster = config->cutoff_count - 1;
    const double *head = find(r, "output.head.weight", 0);
    int entries = shortlist + config->cutoff_count;
    while (cluster >= 0 && target < config->cutoffs[cluster])
        cluster--;
    if (cluster < 0) return log_softmax(head, NULL, entries, width, x, target);
    int end =
        cluster + 1 < config->cutoff_count ? config->cutoffs[cluster + 1] : config->vocabulary;
    int first = config->cutoffs[cluster], units = width >> 2 * (cluster + 1);
    const double *down = find(r, "output.tail.%d.0.weight", cluster),
                 *words = find(r, "output.tail.%d.1.weight", cluster);
    double y[WIDEST];
    for (int j = 0; j < units; j++)
        y[j] = dot(down + j * width, x, width);
    return log_softmax(head, NULL, entries, width, x, shortlist + cluster) +
           log_softmax(words, NULL, end - first, units, y, target - first);
}

static double log_probability(const reference *r, int width, const double *x, int target) {
    if (r->config->cutoff_count) return log_adaptive(r, width, x, target);
    const double *weight = find(r, r->config->tied ? "embedding.weight" : "output.weight", 0);
    return log_softmax(weight, find(r, "output.bias", 0), r->config->vocabulary, width, x, target);
}

static double run_position(const reference *r, int batch, int stream, int input, int target,
                           double *state) {
    double x[WIDEST] = {0};
    int embedding = r->config->embedding;
    if (input >= 0)
        memcpy(x, find(r, "embedding.weight", 0) + input * embedding,
               (size_t)embedding * sizeof *x);
    int width = run_dense(r, run_recurrent(r, batch, stream, state, x), x);
    return target < 0 ? 0 : log_probability(r, width, x, target);
}

double reference_loss(const seq_model_config *config, const seq_parameter_table *table,
                      const double *parameters, int batch, int steps, const int32_t *inputs,
                      const int32_t *targets, double *state, double *log_probabilities) {
    reference r = {config, table, parameters};
    double nats = 0;
    for (int t = 0; t < steps; t++)
        for (int b = 0; b < batch; b++) {
            double value =
                run_position(&r, batch, b, inputs[t * batch + b], targets[t * batch + b], state);
            nats -= value;
            if (log_probabilities) log_probabilities[t * batch + b] = value;
        }
    return nats;
}
