// rmsprop: s <- a s + (1 - a) g^2; p <- p - lr g / (sqrt(s) + eps), a = beta2.
// Tieleman and Hinton 2012. A new rule starts as a copy of this file: its
// formula here, one loop over the elements, its row at the end, a line in
// rules.h and in the list of optimizer.c. Tests:
// tests/golden/test_optimizers.c, tests/unit/optim/test_moments.c.
#include "rules.h"

SEQ_WIDE_BODY take_step(const seq_update *u) {
    const float scale = u->scale, rate = (float)u->learning_rate, decay = (float)u->weight_decay,
                epsilon = seq_epsilon(u->config);
    const float keep = (float)u->config->beta2, take = (float)(1 - u->config->beta2);
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameters, *restrict s = u->state[0];
    for (size_t i = 0; i < u->count; i++) {
        float g = scale * gradient[i] + decay * p[i];
        s[i] = seq_moment(keep * s[i] + take * g * g);
        p[i] -= rate * g / (sqrtf(s[i]) + epsilon);
    }
}

SEQ_RULE(update, take_step)

const seq_optimizer seq_rule_rmsprop = {.name = "rmsprop",
                                        .states = 1,
                                        .state_names = {"second_moment"},
                                        .standard_beta2 = 0.99,
                                        .standard_epsilon = 1e-8,
                                        .update = update};
