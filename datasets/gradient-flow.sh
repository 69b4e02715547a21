#!/bin/bash
# Vanishing gradients made visible: the norm of dL/dh by distance back in time, rnn against gru and lstm, on any text.
# The loss is that of a window's last step alone, so what is left of it at distance k is what the cell carries k steps back.
# The lstm is trained twice: with the forget gates' bias of -1 that is the default, and with 1.
#   datasets/gradient-flow.sh --from DIR [--out DIR] [--np N] [-- SEQTRAIN_OPTION...]       (DIR holds input.txt)
source "$(dirname "$0")/common.sh"
needs input.txt
prepare --unit char --valid 0.1 "$from/input.txt"
# flow NAME SEQTRAIN_OPTION...
flow() {
  printf '\n%s\n' "$1"
  train "$1" --replicas "$ranks" "${@:2}" --layers 2 --hidden 128 --embed 64 --batch 16 --window 64 --steps 300 --log-every 300 \
    --report-gradient-flow 100
}
flow rnn --cell rnn
flow gru --cell gru
flow lstm --cell lstm
flow lstm-1 --cell lstm --forget-bias 1
