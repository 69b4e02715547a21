// The registry of update rules, and the walk over a range of the flat vectors:
// it is cut at parameters, because decay differs between them. Where nothing is
// live, a constant block of zeros stands for the gradient. Invariant: elements
// do not depend on each other, so any division of the vector gives the same
// bits. Tests: tests/unit/optim/test_ranges.c, tests/golden/test_optimizers.c.
#include "rules.h"
#include <seqtrain/base/arithmetic.h>
#include <string.h>

static const seq_optimizer *const rules[] = {&seq_rule_sgd,     &seq_rule_momentum,
                                             &seq_rule_adagrad, &seq_rule_rmsprop,
                                             &seq_rule_adam,    &seq_rule_adamw};
static const char *const names[] = {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", NULL};

const char *const *seq_optimizer_names(void) {
    return names;
}

const seq_optimizer *seq_optimizer_find(const char *name) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i]->name, name) == 0) return rules[i];
    return NULL;
}

// Floats [begin, end) of one parameter; NULL stands for a gradient of zeros.
static void update(const seq_optimizer_step *step, const seq_parameter *parameter, size_t begin,
                   size_t end, const float *gradient) {
    seq_update update = {
        .count = end - begin,
        .parameters = step->parameters + begin,
        .gradient = gradient,
        .scale = (float)step->scale,
        .learning_rate = step->learning_rate * parameter->rate,
        .weight_decay = parameter->decay ? step->config->weight_decay : 0,
        .step = step->step,
        .config = step->config,
    };
    for (int i = 0; i < step->optimizer->states; i++)
        update.state[i] = step->state[i] + begin;
    step->optimizer->update(&update);
}

static void update_zero(const seq_optimizer_step *step, const seq_parameter *parameter,
                        size_t begin, size_t end) {
    static const float zeros[1024];
    enum { MOST = sizeof zeros / sizeof *zeros };
    for (; begin < end; begin += MOST)
        update(step, parameter, begin, end - begin < MOST ? end : begin + MOST, zeros);
}

static void apply(const seq_optimizer_step *step, size_t begin, size_t end, bool zero) {
    seq_arithmetic before = seq_arithmetic_begin();
    for (int row = 0; row < step->table->count; row++) {
        const seq_parameter *parameter = &step->table->items[row];
        size_t first = parameter->offset, last = first + seq_parameter_size(parameter);
        first = first > begin ? first : begin;
        last = last < end ? last : end;
        if (first >= last || parameter->rate == 0) continue;
        if (zero)
            update_zero(step, parameter, first, last);
        else
            update(step, parameter, first, last, step->gradient + first);
    }
    seq_arithmetic_end(before);
}

void seq_optimizer_apply(const seq_optimizer_step *step, size_t begin, size_t end) {
    apply(step, begin, end, false);
}

void seq_optimizer_apply_zero(const seq_optimizer_step *step, size_t begin, size_t end) {
    apply(step, begin, end, true);
}

int seq_optimizer_keeps_zeros(const seq_optimizer *optimizer, const seq_optimizer_config *config) {
    return optimizer->keeps_zeros && config->weight_decay == 0;
}
