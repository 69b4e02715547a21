// Notes what a rank finds: where a number is not finite, by parameter, layer
// and replica. A sum of squares is the fast look; only when it is not finite is
// the vector searched. Invariant: the first finding of a step stays, and the
// causes are looked for from the parameters to the output. Tests:
// tests/fault/numbers.sh, tests/fault/numeric_policy.sh.
#include "options/options.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const char *nonfinite_parameter(const seq_trainer *trainer, const float *values) {
    size_t first = trainer->compute.kernels->find_nonfinite(values, trainer->table->size);
    const seq_parameter *parameter =
        first < trainer->table->size ? seq_parameter_at(trainer->table, first) : NULL;
    return parameter ? parameter->name : NULL;
}

static size_t nonfinite_state(const seq_trainer *trainer, int replica) {
    if (!trainer->states) return trainer->state_size;
    const float *state = trainer->states + (size_t)replica * trainer->state_size;
    return trainer->compute.kernels->find_nonfinite(state, trainer->state_size);
}

bool seq_train_is_finite_state(const seq_trainer *trainer, int replica) {
    return nonfinite_state(trainer, replica) == trainer->state_size;
}

// Names the lowest layer whose state holds a NaN or an infinity. False: none does.
static bool nonfinite_layer(const seq_trainer *trainer, int replica, char out[SEQ_STATE_NAME]) {
    size_t first = nonfinite_state(trainer, replica);
    if (first == trainer->state_size) return false;
    seq_model_state_name(trainer->model, trainer->batch, first, out);
    return true;
}

// A new finding about window `window` of the run, or NULL when there is one already.
static seq_anomaly *begin(seq_trainer *trainer, seq_anomaly_kind kind, int64_t window) {
    seq_anomaly *found = &trainer->found;
    if (found->kind != SEQ_NO_ANOMALY) return NULL;
    int64_t done = window - trainer->position.origin; // in windows of the present cut
    if (done < 0) done = 0;
    *found = (seq_anomaly){.kind = kind,
                           .replica = -1,
                           .window = window,
                           .epoch = done / trainer->windows + 1,
                           .window_of_epoch = done % trainer->windows,
                           .value = NAN,
                           .limit = NAN};
    return found;
}

static void name_place(seq_anomaly *found, const char *name) {
    snprintf(found->place, sizeof found->place, "%s", name);
}

__attribute__((format(printf, 2, 3))) static void say(seq_anomaly *found, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(found->text, sizeof found->text, format, arguments);
    va_end(arguments);
}

enum { UNIT = 100 };

// "nats per token", or "nats per symbol (item 17 has no finite one)" where the head knows whose
// loss is not finite.
static void name_unit(const seq_trainer *trainer, seq_loss loss, char out[UNIT]) {
    char item[48] = "";
    if (loss.bad)
        snprintf(item, sizeof item, " (item %lld has no finite one)", (long long)loss.bad - 1);
    snprintf(out, UNIT, "%s per %s%s", seq_model_loss_unit(trainer->model), trainer->task->unit,
             item);
}

// Looks in the parameters, then in the states that the window has left.
static void find_source(const seq_trainer *trainer, seq_anomaly *found, double mean) {
    const char *parameter = nonfinite_parameter(trainer, trainer->parameters);
    char layer[SEQ_STATE_NAME], unit[UNIT];
    name_unit(trainer, trainer->losses[found->replica], unit);
    if (parameter) {
        name_place(found, parameter);
        say(found, "the loss is %.4g %s: parameter %s is not finite", mean, unit, parameter);
    } else if (nonfinite_layer(trainer, found->replica, layer)) {
        name_place(found, layer);
        say(found, "the loss is %.4g %s: the state of %s is not finite", mean, unit, layer);
    } else {
        name_place(found, "output layer");
        say(found,
            trainer->states
                ? "the loss is %.4g %s: all recurrent states are finite: the output layer is at "
                  "fault"
                : "the loss is %.4g %s: all parameters are finite: the input or the output layer "
                  "is at fault",
            mean, unit);
    }
}

static double mean_of(seq_loss loss) {
    return loss.sum / (double)(loss.count ? loss.count : 1);
}

void seq_train_find_loss(seq_trainer *trainer, int replica) {
    seq_anomaly *found = begin(trainer, SEQ_BAD_LOSS, trainer->position.step);
    char unit[UNIT];
    if (!found) return;
    found->replica = replica;
    found->value = mean_of(trainer->losses[replica]);
    if (!isfinite(found->value)) {
        find_source(trainer, found, found->value);
        return;
    }
    found->limit = seq_train_loss_limit(trainer);
    bool of_words = trainer->task->next_token;
    name_unit(trainer, trainer->losses[replica], unit);
    say(found, "the loss is %.4g %s: the limit is %.3g (%s)", found->value, unit, found->limit,
        trainer->options->loss_limit > 0 ? "--loss-limit"
        : of_words                       ? "four times ln(V + 1); --loss-limit sets another"
                                         : "four times a guess's; --loss-limit sets another");
}

void seq_train_find_state(seq_trainer *trainer, int replica, bool carried) {
    if (seq_train_is_finite_state(trainer, replica)) return;
    seq_anomaly *found = begin(trainer, SEQ_BAD_STATE, trainer->position.step);
    if (!found) return;
    char layer[SEQ_STATE_NAME] = "";
    nonfinite_layer(trainer, replica, layer);
    found->replica = replica;
    name_place(found, layer);
    say(found, "the state %s %s is not finite", carried ? "carried into" : "handed on by", layer);
}

void seq_train_find_gradient(seq_trainer *trainer, size_t index) {
    seq_anomaly *found = begin(trainer, SEQ_BAD_GRADIENT, trainer->position.step);
    if (!found) return;
    if (trainer->own_replicas == 1) found->replica = trainer->first_replica;
    name_place(found, seq_parameter_at(trainer->table, index)->name);
    say(found, "the gradient of %s is not finite", found->place);
}

void seq_train_find_norm(seq_trainer *trainer, double norm) {
    seq_anomaly *found = begin(trainer, SEQ_BAD_NORM, trainer->position.step);
    if (!found) return;
    found->value = norm;
    say(found, "the gradient of the whole (its norm) is not finite");
}

void seq_train_find_validation(seq_trainer *trainer, int replica) {
    seq_anomaly *found = begin(trainer, SEQ_BAD_VALIDATION, trainer->position.step - 1);
    char unit[UNIT];
    if (!found) return;
    name_unit(trainer, trainer->losses[replica], unit);
    found->replica = replica;
    found->value = mean_of(trainer->losses[replica]);
    say(found, "the loss of the validation after it is %.4g %s", found->value, unit);
}

static bool find_in_vector(seq_trainer *trainer, const char *name, const float *values,
                           size_t begin_at, size_t end) {
    const seq_kernels *kernels = trainer->compute.kernels;
    size_t count = end - begin_at;
    if (isfinite(kernels->sum_squares(values + begin_at, count))) return false; // the faster look
    size_t at = kernels->find_nonfinite(values + begin_at, count);
    if (at == count) return false; // the squares overflow
    seq_anomaly *found = begin(trainer, SEQ_BAD_PARAMETER, trainer->position.step);
    if (!found) return true;
    name_place(found, seq_parameter_at(trainer->table, begin_at + at)->name);
    found->value = (double)values[begin_at + at];
    if (name)
        say(found, "the optimiser's %s of %s is not finite after the update", name, found->place);
    else
        say(found, "parameter %s is not finite after the update", found->place);
    return true;
}

void seq_train_find_parameter(seq_trainer *trainer, size_t begin_at, size_t end) {
    bool bad = find_in_vector(trainer, NULL, trainer->parameters, begin_at, end);
    for (int i = 0; !bad && i < trainer->optimizer->states; i++)
        bad = find_in_vector(trainer, trainer->optimizer->state_names[i], trainer->moments[i],
                             begin_at, end);
}

static void say_spike(seq_trainer *trainer, seq_anomaly *found, const char *what, const char *of) {
    say(found, "%s is %.4g, above %.4g: %g standard deviations beyond the mean%s of %lld steps",
        what, found->value, found->limit, trainer->options->spike_sigma, of,
        (long long)trainer->options->spike_window);
}

void seq_train_find_loss_spike(seq_trainer *trainer, int replica, double loss, double limit) {
    seq_anomaly *found = begin(trainer, SEQ_LOSS_SPIKE, trainer->position.step);
    if (!found) return;
    found->replica = replica;
    found->value = loss;
    found->limit = limit;
    char what[80];
    snprintf(what, sizeof what, "the loss per %s of all replicas (highest in this one)",
             trainer->task->unit);
    say_spike(trainer, found, what, "");
}

void seq_train_find_norm_spike(seq_trainer *trainer, double norm, double limit) {
    seq_anomaly *found = begin(trainer, SEQ_NORM_SPIKE, trainer->position.step);
    if (!found) return;
    found->value = norm;
    found->limit = limit;
    say_spike(trainer, found, "the gradient's norm", " logarithm");
}
