#!/bin/bash
# launch/bench.sh [--only PART]... [--model NAME] [--text FILE] [--json FILE]: builds a Release tree (build-bench) and measures it on this
# machine: a table of medians and of ratios within the run, and a line for each target of tests/bench/targets.txt. PART, in this order:
#   machine      peak of multiply-adds, bandwidth of cache and memory    kernels      matrix products and activations
#   steps        training steps: 1 rank, threads, 2 ranks                pytorch      the same against PyTorch, where it is
#   ragged       training on sentences of different lengths, and against PyTorch's packed sequences
#   pairs        training on pairs of sentences: encoder, decoder with attention; and against PyTorch's packed sequences
#   ctc          loss and gradient of CTC against PyTorch's; training on utterances like strings of digits
#   sampling     seqsample against streaming the weights                 preparation  seqprep
#   checkpoint   speed, stand-still of the loop                          exchange     gradients between ranks
#   ranks        memory of 64 ranks on this host                     scale        seqtrain --dry-run against 1, 2, 4, 8 ranks
#   run          3,000 steps on a real text: the speed at the end against that at the beginning, with denormals flushed and kept
#   start        time, threads and memory of each program before it does anything
# RAGGED_CLASSIFY and RAGGED_TAG: files of lengths, one a line, for ragged (tests/bench/part_ragged.sh tells how to make them).
# PAIRS_LENGTHS: a file of lengths of source and target, a pair a line, for pairs (tests/bench/part_pairs.sh).
# --model A, B, C, D, D-gru, D-gru-reset-after or E: products, steps and PyTorch for this model alone (tests/bench/bench_models.c).
# --text FILE: what `run` trains on; otherwise the King James text that Debian ships (its package is installed).
# PyTorch is looked for with $PYTHON (python3 when that is not set). The machine should have nothing else to do; all takes some 30
# minutes, peak, sampling, preparation and checkpoint a minute or less each.
source "$(dirname "$0")/common.sh"
parts=(machine kernels steps pytorch ragged pairs ctc sampling preparation checkpoint exchange ranks scale run start)
json=
only=()
while [ $# -gt 0 ]; do
  case $1 in
  --json | --only | --model | --text)
    [ $# -gt 1 ] || fail_with 2 "$1: a value is missing"
    case $1 in
    --json) json=$(realpath -m "$2") ;;
    --only) only+=("$2") ;;
    --model) export MODEL=$2 ;;
    --text)
      [ -r "$2" ] || fail_with 3 "--text $2: cannot be read"
      TEXT=$(realpath "$2")
      export TEXT
      ;;
    esac
    shift 2
    ;;
  -h | --help)
    sed -n '2,/^source/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  *) fail_with 2 "$1: unknown option, see --help" ;;
  esac
done
for part in ${only[@]+"${only[@]}"}; do
  [[ " ${parts[*]} " == *" $part "* ]] || fail_with 2 "--only $part: expected one of ${parts[*]}"
done
[ ${#only[@]} -eq 0 ] || parts=("${only[@]}")

launcher_environment
export BUILD=$root/build-bench WORK ROWS
programs=(seqbench bench_exchange bench_overlap seqprep seqtrain seqsample seqpredict seqeval seqinfo)
say "Building in $BUILD"
configure "$BUILD" -DCMAKE_BUILD_TYPE=Release -DSEQ_TESTS=ON -DSEQ_FAULT_INJECTION=OFF
cmake --build "$BUILD" --parallel "$cores" --target "${programs[@]}"
launcher_find "$BUILD"
export MPIEXEC=$launcher
WORK=$(mktemp -d)
ROWS=$WORK/rows.jsonl
trap 'rm -rf "$WORK"' EXIT
: >"$ROWS"

say "Measuring: $(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo), $cores cores, load $(cut -d' ' -f1 /proc/loadavg)"
failed=()
for part in "${parts[@]}"; do
  say "$part"
  bash "$root/tests/bench/part_$part.sh" || failed+=("$part")
done
say "Targets"
awk -f "$root/tests/bench/targets.awk" "$ROWS" "$root/tests/bench/targets.txt"
[ -z "$json" ] || { echo '['; sed '$!s/$/,/' "$ROWS"; echo ']'; } >"$json"
[ ${#failed[@]} -eq 0 ] || fail "failed: ${failed[*]}"
