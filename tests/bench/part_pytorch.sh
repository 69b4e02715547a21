# Training and sampling against PyTorch on this machine, both in turn, the median of the ratios of pairs. On PyTorch's side the best
# of its ways counts: each is tried once, and those within a third of the best are measured.
source "$(dirname "$0")/support.sh"
source "$(dirname "$0")/pytorch.sh"

if ! has_pytorch; then
  skip pytorch '*' "no PyTorch in $python (PYTHON names another interpreter)"
  exit 0
fi
start_pytorch

our_step() { # PRECISION -> tokens a second of one thread
  rm -f "$WORK/ours"
  "$bench" --only steps --model "$name" --runs 1 --seconds 1 --rows "$WORK/ours" >/dev/null
  grep "$name $1," "$WORK/ours" | row_median
}

our_processes() {
  run_ranks 2 "$WORK/pair" --steps 6
  rate "$WORK/pair"
}

our_threads() {
  run_ranks 1 "$WORK/threads" --steps 6 --threads 2
  rate "$WORK/threads"
}

# against TITLE ROUNDS "OUR COMMAND" THEIR_COMMAND...: both print tokens a second.
against() {
  local title=$1 rounds=$2 mine=$3 round command rate best our which rates=() ratios=() bests=()
  shift 3
  for round in $(seq "$rounds"); do
    best=0
    our=$($mine)
    for command in "$@"; do
      rate=$(ask "$command")
      ! better "$rate" "$best" || best=$rate which=$command
    done
    rates+=("$our") bests+=("$best") ratios+=("$(calc "$our / $best")")
  done
  report pytorch "$title" "$(printf '%s\n' "${rates[@]}" | median)" tokens/s "$rounds" \
    "$(printf '%s\n' "${ratios[@]}" | median)" "PyTorch's $(printf '%s\n' "${bests[@]}" | median)"
  echo "            PyTorch's best way: $which"
}

# Ways of training this model: train CELL V L H B T KIND THREADS SECONDS.
ways() { printf "train $cell $vocabulary $layers $hidden $batch $window %s 1\n" "$@"; }

train_one_core() { # ROUNDS
  local commands
  mapfile -t commands < <(ways 'fp32 1' 'fp32-native 1' 'fp32-compiled 1')
  mapfile -t commands < <(promising "${commands[@]}")
  against "$name fp32, 1 core" "$1" 'our_step fp32' "${commands[@]}"
  if ! has_bf16; then
    skip pytorch "$name bf16, 1 core" 'no bf16 instructions in this CPU'
  else
    mapfile -t -O ${#commands[@]} commands < <(ways 'bf16 1' 'bf16-native 1')
    mapfile -t commands < <(promising "${commands[@]}")
    against "$name bf16, 1 core" "$1" 'our_step bf16' "${commands[@]}"
  fi
}

train_two_cores() {
  local commands
  against "$name, 2 processes" 3 our_processes "ddp $cell $vocabulary $layers $hidden $batch $window 5"
  mapfile -t commands < <(ways 'fp32 2' 'fp32-native 2')
  against "$name fp32, 2 threads" 3 our_threads "${commands[@]}"
}

sampling() {
  local count kind commands
  make_run
  for count in 1 8; do
    mapfile -t commands < <(printf "sample $cell $vocabulary $layers $hidden $count %s 100\n" fp32 fp32-native)
    mapfile -t commands < <(promising "${commands[@]}")
    for kind in fp32 bf16 int8; do
      against "$name sampling $kind, batch $count" 3 "sampling_rate $count $kind" "${commands[@]}"
    done
  done
}

for name in $(models); do
  [ "$name" != D-gru ] || continue # PyTorch has the other form only
  model "$name"
  case $name in
  [BCD]) train_one_core 3 ;;
  *) train_one_core 1 ;;
  esac
  if [ "$name" = B ]; then
    train_two_cores
    sampling
  fi
done
