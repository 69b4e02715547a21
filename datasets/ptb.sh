#!/bin/bash
# Penn Treebank, the classic small configuration: 2 x 200 LSTM, 20 streams, 20 steps, no dropout, uniform +-0.1, SGD with
# learning rate 1 on the loss summed over time, clip 5, rate halved each epoch after the 4th, 13 epochs.
# Published (Zaremba et al., 2014, and the small configuration of its reference code): perplexity 121.4 valid, 115.9 test.
# Source: Mikolov's preparation, ptb.train.txt, ptb.valid.txt, ptb.test.txt (929,589 / 73,760 / 82,430 tokens, 10,000 types).
#   datasets/ptb.sh --from DIR [--out DIR] [--np N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs ptb.train.txt ptb.valid.txt ptb.test.txt
ranks=1 # one replica of 20 streams is the published batch
prepare --unit word --eos line --valid "$from/ptb.valid.txt" --test "$from/ptb.test.txt" "$from/ptb.train.txt"
train run --replicas 1 --cell lstm --layers 2 --hidden 200 --embed 200 --forget-bias 0 --init uniform --init-scale 0.1 --batch 20 --window 20 \
  --optimizer sgd --lr 1 --loss-scale sum --clip-norm 5 --schedule halve --decay 0.5 --decay-after 4 --epochs 13
evaluate "$out/run" --split valid
evaluate "$out/run" --split test
