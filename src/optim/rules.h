// The update rules, one file each. To add one: copy rule_momentum.c and add a row in optimizer.c.
// All formulas are those of PyTorch's optimisers (torch.optim documentation), element by element in
// single precision, bias corrections in double.
#ifndef SEQ_OPTIM_RULES_H
#define SEQ_OPTIM_RULES_H

#include <seqtrain/optim/optimizer.h>

extern const seq_optimizer seq_rule_sgd, seq_rule_momentum, seq_rule_adagrad, seq_rule_rmsprop,
    seq_rule_adam, seq_rule_adamw;

#endif
