#!/bin/bash
# WikiText-2: words as published (33,278 types), 2 x 200 LSTM with tied embedding, 20 streams, SGD as in PyTorch's word-level
# example (learning rate 20 on the mean loss, a quarter of it when validation stalls, clipping at 0.25), 6 epochs.
# Source: Merity et al., "Pointer sentinel mixture models", 2016; wikitext-2-v1: wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens.
#   datasets/wikitext2.sh --from DIR [--out DIR] [--np N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs wiki.train.tokens wiki.valid.tokens wiki.test.tokens
prepare --unit word --eos line --valid "$from/wiki.valid.tokens" --test "$from/wiki.test.tokens" "$from/wiki.train.tokens"
train run --replicas 2 --cell lstm --layers 2 --hidden 200 --embed 200 --tied --forget-bias 1 --dropout 0.2 --batch 10 --window 35 \
  --optimizer sgd --lr 20 --clip-norm 0.25 --schedule plateau --decay 0.25 --patience 0 --epochs 6
evaluate "$out/run" --split valid
evaluate "$out/run" --split test
"$bin/seqsample" "$out/run" --tokens 100 --no-unk --seed 1
