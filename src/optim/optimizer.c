#include "rules.h"
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

void seq_optimizer_apply(const seq_optimizer *optimizer, const seq_optimizer_config *config,
                         const seq_parameter_table *table, double learning_rate, int64_t step,
                         float *parameters, const float *gradient, float *const *state) {
    for (int row = 0; row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        seq_update update = {
            .count = seq_parameter_size(parameter),
            .parameters = parameters + parameter->offset,
            .gradient = gradient + parameter->offset,
            .learning_rate = learning_rate,
            .weight_decay = parameter->decay ? config->weight_decay : 0,
            .step = step,
            .config = config,
        };
        for (int i = 0; i < optimizer->states; i++)
            update.state[i] = state[i] + parameter->offset;
        optimizer->update(&update);
    }
}
