// momentum: v <- mu v + (g + wd p); p <- p - lr v. Polyak 1964, in the form of
// torch.optim.SGD: the rate scales the velocity, not the gradient that enters
// it, so a new rate acts at once. Test: tests/golden/test_optimizers.c.
#include "rules.h"

SEQ_WIDE_BODY take_step(const seq_update *u) {
    const float scale = u->scale, rate = (float)u->learning_rate, decay = (float)u->weight_decay,
                mu = (float)u->config->momentum;
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameters, *restrict v = u->state[0];
    for (size_t i = 0; i < u->count; i++) {
        v[i] = seq_moment(mu * v[i] + (scale * gradient[i] + decay * p[i]));
        p[i] -= rate * v[i];
    }
}

SEQ_RULE(update, take_step)

const seq_optimizer seq_rule_momentum = {
    .name = "momentum", .states = 1, .state_names = {"velocity"}, .update = update};
