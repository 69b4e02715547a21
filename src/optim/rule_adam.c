// adam: m <- b1 m + (1 - b1) g; s <- b2 s + (1 - b2) g^2;
//   p <- p - lr / (1 - b1^t) m / (sqrt(s) / sqrt(1 - b2^t) + eps)
// Kingma and Ba 2015. Weight decay is added to g (adam), or p <- p - lr wd p
// before the update (adamw, Loshchilov and Hutter 2019). Tests:
// tests/golden/test_optimizers.c, tests/unit/optim/test_moments.c.
#include "rules.h"

SEQ_WIDE_BODY decay_weights(const seq_update *u) {
    const float keep = (float)(1 - u->learning_rate * u->weight_decay);
    for (size_t i = 0; i < u->count; i++)
        u->parameters[i] *= keep;
}

SEQ_WIDE_BODY step(const seq_update *u, float decay) {
    const seq_optimizer_config *config = u->config;
    const float scale = u->scale, beta1 = (float)config->beta1, take1 = (float)(1 - config->beta1);
    const float beta2 = (float)config->beta2, take2 = (float)(1 - config->beta2);
    const float rate = (float)(u->learning_rate / (1 - pow(config->beta1, (double)u->step)));
    const float correction = (float)sqrt(1 - pow(config->beta2, (double)u->step)),
                epsilon = seq_epsilon(config);
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameters, *restrict m = u->state[0], *restrict s = u->state[1];
    for (size_t i = 0; i < u->count; i++) {
        float g = scale * gradient[i] + decay * p[i];
        m[i] = seq_moment(beta1 * m[i] + take1 * g);
        s[i] = seq_moment(beta2 * s[i] + take2 * g * g);
        p[i] -= rate * m[i] / (sqrtf(s[i]) / correction + epsilon);
    }
}

SEQ_WIDE_BODY take_adam_step(const seq_update *u) {
    step(u, (float)u->weight_decay);
}

SEQ_WIDE_BODY take_adamw_step(const seq_update *u) {
    if (u->weight_decay > 0) decay_weights(u);
    step(u, 0);
}

SEQ_RULE(update_adam, take_adam_step)
SEQ_RULE(update_adamw, take_adamw_step)

const seq_optimizer seq_rule_adam = {.name = "adam",
                                     .states = 2,
                                     .state_names = {"first_moment", "second_moment"},
                                     .standard_beta2 = 0.999,
                                     .standard_epsilon = 1e-8,
                                     .update = update_adam};
const seq_optimizer seq_rule_adamw = {.name = "adamw",
                                      .states = 2,
                                      .state_names = {"first_moment", "second_moment"},
                                      .standard_beta2 = 0.999,
                                      .standard_epsilon = 1e-8,
                                      .update = update_adamw};
