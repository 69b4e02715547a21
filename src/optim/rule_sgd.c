// sgd: p <- p - lr (g + wd p). Without decay, a zero gradient leaves p as it
// is, so rows that are not live are skipped (keeps_zeros). Tests:
// tests/golden/test_optimizers.c, tests/unit/optim/test_ranges.c.
#include "rules.h"

SEQ_WIDE_BODY take_step(const seq_update *u) {
    const float scale = u->scale, rate = (float)u->learning_rate, decay = (float)u->weight_decay;
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameters;
    for (size_t i = 0; i < u->count; i++)
        p[i] -= rate * (scale * gradient[i] + decay * p[i]);
}

SEQ_RULE(update, take_step)

const seq_optimizer seq_rule_sgd = {.name = "sgd", .keeps_zeros = 1, .update = update};
