# What each of N hosts puts on the wire for a gradient of n floats: 2 (N-1)/N n, within 2 %, all else that a run sends included; half
# of it with --wire bf16.
# Counted where the frames leave the host. And three hosts write the bytes of one process.
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
steps=6
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit byte --valid 0.1 -o data text.txt
options="--data data --layers 1 --hidden 600 --embed 8 --batch 1 --window 4 --steps $steps --epochs 9 --optimizer momentum --loss-scale sum"
expect 0 finished "$SEQTRAIN" $options --replicas 6 --run alone
floats=$(sed -n 's/.*"parameters": *\([0-9]*\).*/\1/p' alone/metrics.jsonl | head -1)
[ "${floats:-0}" -gt 1000000 ] || bad "the model has ${floats:-no} parameters: too few to count bytes by"

# count_on HOSTS RANKS [BYTES [OPTION...]]: what each host sends in a run with as many replicas as ranks, BYTES (4) a float.
declare -A before
count_on() {
  local host hosts=$1 ranks=$2 expected=$((2 * ($1 - 1) * floats * ${3:-4} * steps / $1)) now sent run=hosts-$1-$2-${3:-4}
  shift $(($# > 3 ? 3 : $#))
  for ((host = 1; host <= hosts; host++)); do
    before[$host]=$(hosts_sent $host)
  done
  expect 0 "on $hosts hosts" hosts_mpirun $ranks "$SEQTRAIN" $options --replicas $ranks --run $run "$@"
  for ((host = 1; host <= hosts; host++)); do
    sent=$(($(hosts_sent $host) - ${before[$host]}))
    echo "$run $*: host $host sent $sent bytes, expected $expected" >&2
    [ $((sent * 100)) -lt $((expected * 102)) ] && [ $((sent * 100)) -gt $((expected * 98)) ] ||
      bad "$run $*: host $host sent $sent bytes, expected $expected within 2 %"
  done
}
hosts_begin 3
count_on 3 3
count_on 3 6
same_tree alone/checkpoints hosts-3-6-4/checkpoints
count_on 2 2
count_on 2 4 4 --overlap off
count_on 3 6 2 --wire bf16 --bucket 10k
finish
