#!/bin/bash
# tinyshakespeare: characters, first 90 % to train on, last 10 % to validate; 2 x 256 LSTM.
# Source: github.com/karpathy/char-rnn, data/tinyshakespeare/input.txt (1,115,394 characters, 65 distinct).
#   datasets/tinyshakespeare.sh --from DIR [--out DIR] [--np N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs input.txt
prepare --unit char --valid 0.1 "$from/input.txt"
train run --replicas 2 --cell lstm --layers 2 --hidden 256 --embed 64 --batch 25 --window 64 \
  --dropout-between 0.3 --dropout-output 0.3 --dropout-input 0.1 --optimizer adam --lr 0.003 --schedule cosine --min-lr 0.00003 --warmup 100 --epochs 24
evaluate "$out/run" --split valid
"$bin/seqsample" "$out/run" --prime 'ROMEO:' --tokens 400 --temperature 0.8 --seed 1
