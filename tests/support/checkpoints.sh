# For tests that interrupt or damage checkpoints; sourced after common.sh. Runs are compared with one that nothing happened to and
# that kept every checkpoint.
launcher_environment 0 # when a rank was killed, the others go at once

context="" # of what is being looked at, for messages

# prepare_reference OPTION...: `train` is the command line of all runs; the run `reference` keeps every checkpoint.
prepare_reference() {
  make_text 60 >text.txt
  expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
  train=("$SEQTRAIN" --data data --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --replicas 4 --epochs 99 --shards 4 "$@")
  expect 0 finished "${train[@]}" --run reference --keep 9999
}

# Committed: step-N with a manifest.
committed() {
  local directory
  for directory in "$1"/checkpoints/step-*; do
    case $directory in *.damaged-*) continue ;; esac
    [ ! -e "$directory/manifest.json" ] || echo "$directory"
  done
}
newest() { committed "$1" | tail -1; }

# Byte for byte, but for the record of --keep, and what hangs on it.
equal_checkpoints() {
  diff -r -x '*.tmp-*' -I '^ *"keep": ' -I '^ *"hash": "[0-9a-f]*"$' "$1" "$2" >/dev/null 2>&1
}

# Every checkpoint of RUN is one of REFERENCE (or of another REFERENCE).
all_known() {
  local directory run=$1 other known
  shift
  for directory in $(committed "$run"); do
    known=no
    for other in "$@"; do
      if equal_checkpoints "$directory" "$other/checkpoints/${directory##*/}"; then known=yes; fi
    done
    [ $known = yes ] || bad "$context: $directory is none of the uninterrupted run"
  done
}

# Every line of RUN/metrics.jsonl is whole.
whole_lines() {
  [ ! -e "$1/metrics.jsonl" ] || ! grep -v '^{"event": ".*}$' "$1/metrics.jsonl" >&2 || bad "$context: a torn line in $1/metrics.jsonl"
}

# flip FILE BIT: bits are counted from the file's first.
flip() {
  local byte
  byte=$(od -An -tu1 -j $(($2 / 8)) -N 1 "$1" | tr -d ' ')
  printf "\\$(printf %03o $((byte ^ 1 << $2 % 8)))" | dd of="$1" bs=1 seek=$(($2 / 8)) conv=notrunc status=none
}

# Random numbers of a printed seed: random N yields 0 .. N - 1 in `drawn`. Not in a subshell: the state would be lost.
RANDOM=${SEED:=$$}
echo "random numbers: SEED=$SEED repeats them" >&2
random() { drawn=$(((RANDOM << 30 ^ RANDOM << 15 ^ RANDOM) % $1)); }
