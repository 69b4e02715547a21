# Training steps: one thread in the bench's own process, two threads and two ranks by seqtrain on random words.
source "$(dirname "$0")/support.sh"
rounds=3

"$bench" --only steps ${MODEL:+--model "$MODEL"} --rows "$ROWS"

precisions=(fp32)
if has_bf16; then
  precisions+=(bf16)
else
  skip steps '* bf16*' 'no bf16 instructions in this CPU'
fi

share_of_two_cores() { # NAME RATE
  report steps "$1" "$2" tokens/s 1 "$(calc "$2 * $flops / $(peak 2 "$precision")")" "$precision peak of 2 cores"
}

two_threads() {
  run_ranks 1 "$WORK/threads" "${options[@]}" --threads 2
  share_of_two_cores "$name $precision, 1 rank 2 threads" "$(rate "$WORK/threads")"
}

# Two ranks beside two runs that do not know of each other, in turn.
two_ranks() {
  local round pair single ratios=() pairs=()
  for round in $(seq "$1"); do
    run_ranks 2 "$WORK/pair" "${options[@]}"
    pair=$(rate "$WORK/pair")
    pairs+=("$pair")
    if [ "$1" -gt 1 ]; then
      run_ranks 1 "$WORK/single-1" "${options[@]}" &
      run_ranks 1 "$WORK/single-2" "${options[@]}"
      wait $!
      single=$(calc "$(rate "$WORK/single-1") + $(rate "$WORK/single-2")")
      ratios+=("$(calc "$pair / $single")")
    fi
  done
  pair=$(printf '%s\n' "${pairs[@]}" | median)
  share_of_two_cores "$name $precision, 2 ranks" "$pair"
  [ "$1" -eq 1 ] || report steps "$name $precision, 2 ranks beside 2 runs" "$pair" tokens/s "$1" \
    "$(printf '%s\n' "${ratios[@]}" | median)" 'two single runs'
}

for name in $(models); do
  model "$name"
  for precision in "${precisions[@]}"; do
    options=(--steps "$(steps_for)" --precision "$precision")
    two_threads
    case $name,$precision in
    [A-D],fp32) two_ranks "$rounds" ;;
    *) two_ranks 1 ;;
    esac
  done
done
