# What each of N hosts puts on the wire for a gradient of n floats: 2 (N-1)/N n, within 2 %, all else that a run sends included.
# Counted where the frames leave the host. And three hosts write the bytes of one process.
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
steps=12
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit byte --valid 0.1 -o data text.txt
options="--data data --layers 1 --hidden 600 --embed 8 --batch 1 --window 4 --steps $steps --epochs 9 --optimizer momentum --loss-scale sum"
expect 0 finished "$SEQTRAIN" $options --replicas 6 --run alone
floats=$(sed -n 's/.*"parameters": *\([0-9]*\).*/\1/p' alone/metrics.jsonl | head -1)
[ "${floats:-0}" -gt 1000000 ] || bad "the model has ${floats:-no} parameters: too few to count bytes by"

# count_on HOSTS RANKS: what each host sends in a run with as many replicas as ranks.
declare -A before
count_on() {
  local host expected=$((2 * ($1 - 1) * floats * 4 * steps / $1)) now sent
  hosts=$1
  for ((host = 1; host <= hosts; host++)); do
    before[$host]=$(hosts_sent $host)
  done
  expect 0 "on $1 hosts" hosts_mpirun $2 "$SEQTRAIN" $options --replicas $2 --run hosts-$1-$2
  for ((host = 1; host <= hosts; host++)); do
    sent=$(($(hosts_sent $host) - ${before[$host]}))
    echo "$2 ranks on $1 hosts: host $host sent $sent bytes, expected $expected" >&2
    [ $((sent * 100)) -lt $((expected * 102)) ] && [ $((sent * 100)) -gt $((expected * 98)) ] ||
      bad "$2 ranks on $1 hosts: host $host sent $sent bytes, expected $expected within 2 %"
  done
}
hosts_begin 3
count_on 3 3
count_on 3 6
same_tree alone/checkpoints hosts-3-6/checkpoints
count_on 2 2
count_on 2 4
finish
