// adagrad: s <- s + g^2; p <- p - lr g / (sqrt(s) + eps). Duchi et al. 2011.
// With weight decay, g is g + wd p, as in torch.optim.Adagrad. Invariant: s
// never falls. Tests: tests/golden/test_optimizers.c,
// tests/unit/optim/test_moments.c.
#include "rules.h"

SEQ_WIDE_BODY take_step(const seq_update *u) {
    const float scale = u->scale, rate = (float)u->learning_rate, decay = (float)u->weight_decay,
                epsilon = seq_epsilon(u->config);
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameters, *restrict s = u->state[0];
    for (size_t i = 0; i < u->count; i++) {
        float g = scale * gradient[i] + decay * p[i];
        s[i] = seq_moment(s[i] + g * g);
        p[i] -= rate * g / (sqrtf(s[i]) + epsilon);
    }
}

SEQ_RULE(update, take_step)

const seq_optimizer seq_rule_adagrad = {.name = "adagrad",
                                        .states = 1,
                                        .state_names = {"sum_of_squares"},
                                        .standard_epsilon = 1e-10,
                                        .update = update};
