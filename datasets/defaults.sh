#!/bin/bash
# How the initial values that seqtrain takes by default were chosen: short runs of every cell on three texts.
#   datasets/defaults.sh --from DIR [--out DIR] [--np JOBS] [-- SEQTRAIN_OPTION...]
# DIR holds kjv.txt (launch/quickstart.sh makes it), input.txt (tinyshakespeare) and wiki.*.tokens (WikiText-2). First one factor
# at a time, from the best so far (seed 1); then the two best against the defaults before, seeds 1 to 3. A run that is finished
# is not made again, one that was killed continues; JOBS of them work side by side. GROUPS_ONLY="kjv-lstm tiny-rnn" and STAGES=search or compare
# make a part.
# Results: OUT/results.tsv, a line a run.
source "$(dirname "$0")/common.sh"
needs kjv.txt input.txt wiki.train.tokens wiki.valid.tokens
groups=${GROUPS_ONLY:-$(for cell in lstm gru-reset-after gru rnn; do for text in kjv tiny words; do echo $text-$cell; done; done)}
steps=1000

# The defaults before this comparison, and the two best of the search: forget bias, embedding, recurrence.
candidates=('1 uniform scaled' '-1 normal scaled' '-1 normal orthogonal')
declare -A rates=([kjv]=0.004 [tiny]=0.004 [words]=0.002)

prepare_texts() {
  mkdir -p "$out/runs"
  [ -e "$out/kjv" ] || "$bin/seqprep" --quiet --unit char --valid 0.02 --output "$out/kjv" "$from/kjv.txt"
  [ -e "$out/tiny" ] || "$bin/seqprep" --quiet --unit char --valid 0.1 --output "$out/tiny" "$from/input.txt"
  [ -e "$out/words" ] || "$bin/seqprep" --quiet --unit word --eos line --max-vocab 10000 --valid "$from/wiki.valid.tokens" \
    --output "$out/words" "$from/wiki.train.tokens"
}

settings_of() { # TEXT
  case $1 in
  kjv) echo "--hidden 256 --embed 64 --batch 16 --window 50" ;;
  tiny) echo "--hidden 256 --embed 64 --batch 16 --window 50 --dropout 0.2" ;;
  words) echo "--hidden 200 --embed 200 --batch 20 --window 35" ;;
  esac
}

# loss_of RUN: of its validation at the last step, in nats; nothing when it is not finished.
loss_of() {
  grep -h "\"event\": \"validation\".*\"step\": $steps," "$1/metrics.jsonl" 2>/dev/null | sed -E 's/.*"loss": *([0-9.e+-]+).*/\1/' | tail -n 1 || true
}

# measure GROUP FORGET_BIAS EMBED_INIT INIT LR SEED: sets loss.
measure() {
  local group=$1 cell=${1#*-} text=${1%%-*}
  local run=$out/runs/$group,$2,$3,$4,$5,$6
  loss=$(loss_of "$run")
  if [ -z "$loss" ]; then
    # shellcheck disable=SC2046
    "$bin/seqtrain" --quiet --data "$out/$text" --run "$run" --cell "$cell" --layers 2 $(settings_of "$text") --forget-bias "$2" \
      --embed-init "$3" --init "$4" --lr "$5" --seed "$6" --schedule cosine --warmup 50 --steps $steps ${more[@]+"${more[@]}"} || true
    loss=$(loss_of "$run")
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$text" "$cell" "$2" "$3" "$4" "$5" "$6" "${loss:-failed}" >>"$out/results.tsv"
}

# search GROUP: one factor at a time.
search() {
  local text=${1%%-*} best=() try at value lowest kept= loss
  best=(1 uniform scaled "${rates[$text]}")
  local forget_biases='0 -1 -2' embeddings='scaled normal' recurrences=orthogonal factors=()
  case ${1#*-} in lstm*) ;; *) forget_biases= ;; esac # the others have no forget gate
  local more_rates='0.002 0.008'
  [ "$text" != words ] || more_rates='0.001 0.004'
  measure "$1" "${best[@]}" 1
  lowest=${loss:-99}
  factors=("$forget_biases" "$embeddings" "$recurrences" "$more_rates")
  for at in 0 1 2 3; do
    for value in ${factors[$at]}; do
      try=("${best[@]:0:at}" "$value" "${best[@]:at+1}")
      measure "$1" "${try[@]}" 1
      if awk -v a="${loss:-99}" -v b="$lowest" 'BEGIN { exit !(a < b) }'; then
        lowest=$loss kept=$value
      fi
    done
    best[$at]=${kept:-${best[$at]}}
    kept=
  done
  printf 'search %s: %s at %s\n' "$1" "$lowest" "${best[*]}"
}

# compare GROUP: the candidates, three seeds each.
compare() {
  local candidate seed
  for seed in 1 2 3; do
    for candidate in "${candidates[@]}"; do
      # shellcheck disable=SC2086
      measure "$1" $candidate "${rates[${1%%-*}]}" $seed
    done
  done
}

prepare_texts
: >"$out/results.tsv"
for stage in ${STAGES:-search compare}; do
  for group in $groups; do
    while [ "$(jobs -rp | wc -l)" -ge "$ranks" ]; do wait -n || true; done
    $stage "$group" &
  done
  wait
done
sort -u -o "$out/results.tsv" "$out/results.tsv"
