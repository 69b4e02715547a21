// Learning rates as functions of step and epoch: constant, halve (lr decay^n),
// plateau, and cosine (Loshchilov and Hutter 2017). Linear warm-up multiplies
// each of them. Only plateau has a memory, which observes validations and
// travels in the checkpoint. Invariant: the rate follows from (configuration,
// state, step, epoch), so a resumed run has the same one. Test:
// tests/unit/optim/test_schedule.c.
#include <seqtrain/optim/schedule.h>
#include <math.h>
#include <string.h>

typedef struct seq_schedule {
    const char *name;
    double (*rate)(const seq_schedule_config *config, const seq_schedule_state *state, int64_t step,
                   int64_t epoch);
    void (*observe)(const seq_schedule_config *config, seq_schedule_state *state, double loss);
} seq_schedule;

static double constant(const seq_schedule_config *config, const seq_schedule_state *state,
                       int64_t step, int64_t epoch) {
    (void)state, (void)step, (void)epoch;
    return config->learning_rate;
}

// rate * decay^(epochs after decay_after).
static double halve(const seq_schedule_config *config, const seq_schedule_state *state,
                    int64_t step, int64_t epoch) {
    (void)state, (void)step;
    int64_t late = epoch > config->decay_after ? epoch - config->decay_after : 0;
    return config->learning_rate * pow(config->decay, (double)late);
}

static double plateau(const seq_schedule_config *config, const seq_schedule_state *state,
                      int64_t step, int64_t epoch) {
    (void)step, (void)epoch;
    return fmax(config->learning_rate * state->factor, config->minimum);
}

static void observe_plateau(const seq_schedule_config *config, seq_schedule_state *state,
                            double loss) {
    if (loss < state->best) {
        state->best = loss;
        state->stalled = 0;
    } else if (++state->stalled > config->patience) {
        state->factor *= config->decay;
        state->stalled = 0;
    }
}

// The base rate during the warm-up, which seq_schedule_rate multiplies in; then half a cosine, to
// `minimum` at the last step. Loshchilov and Hutter 2017.
static double cosine(const seq_schedule_config *config, const seq_schedule_state *state,
                     int64_t step, int64_t epoch) {
    (void)state, (void)epoch;
    const double pi = 3.141592653589793;
    double span = (double)(config->total_steps - config->warmup_steps),
           at = (double)(step - config->warmup_steps);
    if (at < 0) return config->learning_rate; // also where the run ends before the warm-up does
    if (at >= span) return config->minimum;
    return config->minimum +
           (config->learning_rate - config->minimum) * 0.5 * (1 + cos(pi * at / span));
}

static const seq_schedule schedules[] = {{"constant", constant, NULL},
                                         {"halve", halve, NULL},
                                         {"plateau", plateau, observe_plateau},
                                         {"cosine", cosine, NULL}};
static const char *const names[] = {"constant", "halve", "plateau", "cosine", NULL};

static const seq_schedule *find(const char *name) {
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++)
        if (strcmp(schedules[i].name, name) == 0) return &schedules[i];
    return NULL;
}

const char *const *seq_schedule_names(void) {
    return names;
}

seq_status seq_schedule_check(const seq_schedule_config *config, seq_error *error) {
    if (!find(config->name))
        return seq_error_set(error, SEQ_BAD_USAGE, "--schedule %s: no such schedule", config->name);
    if (config->minimum > config->learning_rate)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--min-lr %g: must not be above the rate of --lr, %g", config->minimum,
                             config->learning_rate);
    return SEQ_OK;
}

void seq_schedule_begin(seq_schedule_state *state) {
    *state = (seq_schedule_state){.factor = 1, .best = INFINITY};
}

double seq_schedule_rate(const seq_schedule_config *config, const seq_schedule_state *state,
                         int64_t step, int64_t epoch) {
    double rate = find(config->name)->rate(config, state, step, epoch);
    if (step < config->warmup_steps) rate *= (double)(step + 1) / (double)config->warmup_steps;
    return rate;
}

void seq_schedule_observe(const seq_schedule_config *config, seq_schedule_state *state,
                          double validation_loss) {
    const seq_schedule *schedule = find(config->name);
    if (schedule->observe) schedule->observe(config, state, validation_loss);
}

seq_status seq_schedule_write(const seq_schedule_state *state, seq_record *record,
                              seq_error *error) {
    seq_status status = seq_record_set_real(record, "factor", state->factor, error);
    if (!status) status = seq_record_set_real(record, "best", state->best, error);
    return status ? status : seq_record_set_integer(record, "stalled", state->stalled, error);
}

seq_status seq_schedule_read(seq_schedule_state *out, const seq_record *record, seq_error *error) {
    seq_status status = seq_record_get_real(record, "factor", &out->factor, error);
    if (!status) status = seq_record_get_real(record, "best", &out->best, error);
    return status ? status
                  : seq_record_get_integer(record, "stalled", 0, INT64_MAX, &out->stalled, error);
}
