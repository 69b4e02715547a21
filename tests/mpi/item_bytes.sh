# Items, of words, of frames, and pairs: the same bytes for every number of ranks, also where the last step of an epoch leaves 3, 2 or 1 of 4 replicas without an item;
# those add nothing. A new cut counts what it reads twice.
source "$SUPPORT/common.sh"
# items N: N sequences of 1 to 9 words in two classes.
items() {
  awk -v n="$1" 'BEGIN {
    for (i = 0; i < n; i++) {
      printf "%s\t", i % 3 ? "up" : "down"
      for (t = 0; t <= i * 7 % 9; t++) printf "w%d ", (i * 5 + t * 3) % 23
      print ""
    }
  }'
}
loss_of() { grep '"event": "step"' "$1/metrics.jsonl" | tail -1 | sed -E 's/.*"loss": ([0-9.]+).*/\1/'; }
options=(--layers 1 --hidden 7 --embed 5 --batch 1 --epochs 2 --optimizer adam --clip-norm 0.3)
while read -r number ranks; do
  items "$number" >items.txt
  expect 0 'train' "$SEQPREP" --task classify -o "data$number" items.txt
  expect 0 "audit +epoch 2: each of $number items was read once" \
    "$SEQTRAIN" --data "data$number" "${options[@]}" --replicas 4 --dropout 0.2 --run "alone$number"
  for p in $ranks; do
    expect 0 finished run_mpi "$p" "$SEQTRAIN" --data "data$number" "${options[@]}" --replicas 4 --dropout 0.2 --run "run$number-$p"
    same_tree "alone$number/checkpoints" "run$number-$p/checkpoints"
  done
  # One replica with all items of a step has the same sum, but for rounding.
  expect 0 finished "$SEQTRAIN" --data "data$number" "${options[@]}" --epochs 1 --replicas 4 --run "four$number"
  expect 0 finished "$SEQTRAIN" --data "data$number" "${options[@]}" --epochs 1 --replicas 1 --batch 4 --run "one$number"
  awk -v a="$(loss_of "four$number")" -v b="$(loss_of "one$number")" 'BEGIN { exit !(a > 0 && a - b < 1e-5 && b - a < 1e-5) }' ||
    bad "$number items: loss $(loss_of "four$number") of 4 replicas, $(loss_of "one$number") of one"
done <<'END'
9 2 4
10
11 2
END

# Frames in place of words, by bidirectional layers and windows.
mkdir -p recorded
awk 'BEGIN { for (i = 0; i < 11; i++) { file = sprintf("recorded/%d_%02d.csv", i % 2, i); for (t = 0; t <= i * 7 % 9; t++) print (i * 5 + t * 3) % 23 / 7 "," t - i % 2 >file } }'
expect 0 'frames: values' "$SEQPREP" --task classify --label-pattern '{label}_{index}.csv' --max-length 5 --overlap 1 -o frames recorded
for p in 1 2 4; do
  expect 0 'audit +epoch 2: each of [0-9]+ items was read once' run_mpi "$p" "$SEQTRAIN" --data frames --layers 1 --hidden 7 --bidirectional --batch 1 --replicas 4 \
    --epochs 2 --clip-norm 0.3 --dropout 0.2 --run "framed-$p"
  same_tree framed-1/checkpoints "framed-$p/checkpoints"
done

# Texts that are generated from a label, by an adaptive softmax.
expect 0 'text: ids' "$SEQPREP" --task generate --labels label --unit word -o texts items.txt
for p in 1 2 4; do
  expect 0 'audit +epoch 2: each of 11 items was read once' run_mpi "$p" "$SEQTRAIN" --data texts --layers 1 --hidden 7 --embed 5 --output adaptive --cutoffs 8 \
    --batch 1 --replicas 4 --epochs 2 --clip-norm 0.3 --dropout 0.2 --run "written-$p"
  same_tree written-1/checkpoints "written-$p/checkpoints"
done

# The same recordings as strings of 1 to 3, with their letters as transcripts: made anew each epoch, whoever makes them.
expect 0 'symbols: label' "$SEQPREP" --task transcribe --reader csv-frames --label-pattern '{text}_{index}.csv' --infeasible skip -o strings recorded
for p in 1 2 4; do
  expect 0 'audit +epoch 2: each of [0-9]+ items was read once' run_mpi "$p" "$SEQTRAIN" --data strings --layers 1 --hidden 7 --strings 3 --gap-least 1 \
    --gap-most 3 --input-noise 0.1 --batch 1 --replicas 4 --epochs 2 --clip-norm 0.3 --run "strung-$p"
  same_tree strung-1/checkpoints "strung-$p/checkpoints"
done

# Pairs of texts, some of length 0, with a decoder of two layers.
awk 'BEGIN { for (i = 0; i < 11; i++) { for (t = 0; t <= i * 7 % 9; t++) printf "w%d ", (i * 5 + t * 3) % 23; printf "\t"
  for (t = 0; t < i % 4 + 1; t++) printf "v%d ", (i * 3 + t) % 7; print "" } }' >pairs.tsv
expect 0 'the target' "$SEQPREP" --task translate --columns source=1,target=2 --valid <(printf 'w1\tv1\n\tv2\nw2\t\n') -o pairs pairs.tsv
for p in 1 2 4; do
  expect 0 'audit +epoch 2: each of 11 items was read once' run_mpi "$p" "$SEQTRAIN" --data pairs --layers 1 --hidden 7 --embed 5 --bidirectional \
    --decoder-layers 2 --batch 1 --replicas 4 --epochs 2 --clip-norm 0.3 --dropout 0.2 --label-smoothing 0.1 --run "paired-$p"
  same_tree paired-1/checkpoints "paired-$p/checkpoints"
done

# A step of 4 replicas, then 3 replicas from step 1 of 4 on: what was read, less what was read twice, with what was not, is all.
expect 0 finished "$SEQTRAIN" --data data11 "${options[@]}" --replicas 4 --steps 1 --run cut
expect 0 'buckets are cut anew: 4 replicas of 1 items become 3 of 1 items; epoch 1 goes on at window 1 of 4 \(it was 1 of 3\)' \
  "$SEQTRAIN" --data data11 "${options[@]}" --steps 4 --replicas 3 --override replicas --run cut
read=$(sed -nE 's/^audit +epoch 1 is mixed, its buckets were cut anew at step 1: ([0-9]+) items were read as planned.*/\1/p' .out)
counts=$(sed -nE 's/.*"items_twice": ([0-9]+), "items_missed": ([0-9]+).*/\1 + \2/p' cut/metrics.jsonl)
[ -n "$counts" ] && [ $((${read:-0} - $counts)) -eq 11 ] || bad "read $read, twice and missed: $counts"
# Another seed is another order.
expect 0 'buckets are cut anew' "$SEQTRAIN" --data data11 "${options[@]}" --steps 5 --seed 8 --override seed --run four11 --epochs 9
finish
