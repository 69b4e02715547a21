# Long: 300
# Readers beside a run: seqsample, seqeval and seqinfo while the checkpoint that they read is pruned, set aside, or exchanged by
# --reshard. The reader stands still at a point of its way, the checkpoint goes, the reader goes on: never "damaged", never "no checkpoint".
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
needs_fault_points
make_text 60 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 16 --embed 8 --batch 2 --window 8 --epochs 999)
expect 0 finished "${train[@]}" --run whole --steps 20 --checkpoint-every 10 --validate-every 999999 --shards 2 --keep 9
old=step-000000010 new=step-000000020
fresh() { # the run as it is before the reader comes: one checkpoint
  rm -rf run ready
  cp -r whole run
  mkdir ready
  mv run/checkpoints/$new ready
}
prune() { # as retention does, when a newer one is there
  mv ready/$new run/checkpoints
  rm run/checkpoints/$old/manifest.json
  rm -r run/checkpoints/$old
}
half_pruned() {
  mv ready/$new run/checkpoints
  rm run/checkpoints/$old/manifest.json
}
set_aside() {
  mv ready/$new run/checkpoints
  mv run/checkpoints/$old run/checkpoints/$old.damaged-0
}
reshard() { expect 0 written "$SEQINFO" run/checkpoints/$old --reshard 3; }

# held POINT HOOK CODE TEXT COMMAND...: the reader stands still at the point, HOOK runs, the reader goes on.
held() {
  local code=0 reader
  fresh
  SEQ_HOLD_AT=$1 "${@:5}" >out.txt 2>&1 &
  reader=$!
  wait_for stands $reader
  grep -q '^State:.T' /proc/$reader/status || bad "$1 is not passed by ${*:5}"
  $2
  kill -CONT $reader
  wait $reader || code=$?
  [ $code -eq "$3" ] || bad "$2 at $1: exit code $code, expected $3: ${*:5}: $(cat out.txt)"
  grep -q -- "$4" out.txt || bad "$2 at $1: '$4' is not said: ${*:5}: $(cat out.txt)"
  ! grep -Eq 'cannot be used|damaged;|are damaged|it has no checkpoint|missing' out.txt || bad "$2 at $1: ${*:5}: $(cat out.txt)"
  no_report "${*:5}"
  held=$((held + 1))
}
sample=("$SEQSAMPLE" run --newest --tokens 5) evaluate=("$SEQEVAL" run --split valid) verify=("$SEQINFO" run --verify)

held=0
experiment "checkpoint pruned while a reader of the run is at any point" "the newer one is read: 0, no word of damage"
hooks=prune
[ "$SCALE" -lt 10 ] || hooks='prune half_pruned set_aside'
for hook in $hooks; do
  for point in listed manifest verified vocabulary parameters; do
    held reader.$point $hook 0 "from run/checkpoints/$new" "${sample[@]}"
  done
done
held reader.names prune 0 "from run/checkpoints/$new" "${sample[@]}"
held reader.names prune 0 "step 20 .*verified" "${verify[@]}"
held reader.verified prune 0 "from run/checkpoints/$new" "${evaluate[@]}"
for point in listed file:2 verified; do
  held reader.$point prune 0 "step 20 .*verified" "${verify[@]}"
done
held reader.listed half_pruned 0 "step 10: removed by its run" "$SEQINFO" run
outcome $held

held=0
experiment "checkpoint that was named is pruned while it is read" "4: it was removed meanwhile"
for point in manifest verified vocabulary parameters; do
  held reader.$point prune 4 "$old was removed while it was being read" "$SEQSAMPLE" run/checkpoints/$old --tokens 5
done
held reader.verified prune 4 "$old was removed while it was being read" "$SEQEVAL" run/checkpoints/$old --split valid
held reader.file:3 half_pruned 4 "$old was removed while it was being read" "$SEQINFO" run/checkpoints/$old --verify
for point in file verified; do
  held reader.$point prune 4 "$old was removed while it was being read" "$SEQINFO" run/checkpoints/$old --verify
done
for point in checkpoint.shard-created checkpoint.shard-digested; do
  held $point prune 4 "$old was removed while it was being read" "$SEQINFO" run/checkpoints/$old --reshard 3 -o cut
  absent cut
done
outcome $held

held=0
experiment "checkpoint cut anew in place while it is read" "read again: 0, no word of damage"
"$SEQSAMPLE" whole/checkpoints/$old --tokens 5 --quiet >expected.txt 2>&1
for point in manifest verified vocabulary parameters; do
  held reader.$point reshard 0 . "$SEQSAMPLE" run/checkpoints/$old --tokens 5 --quiet
  same out.txt expected.txt
done
held reader.file reshard 0 "verified   5 files" "$SEQINFO" run/checkpoints/$old --verify
held reader.verified reshard 0 "verified   5 files" "$SEQINFO" run/checkpoints/$old --verify
held reader.file reshard 0 "step 10 .*verified" "${verify[@]}"
outcome $held

# A named one whose manifest is not there (any more).
fresh
half_pruned
expect 4 "it has no manifest.json: being written or being removed" "$SEQSAMPLE" run/checkpoints/$old

experiment "readers beside a run that keeps one checkpoint and writes one a step" "0 each time, no word of damage"
"${train[@]}" --run busy --checkpoint-every 1 --keep 1 --validate-every 999999 --quiet >busy.txt 2>&1 &
job=$!
wait_for_checkpoint busy 1 $job
for ((i = 0; i < 2 * SCALE; i++)); do
  for command in "$SEQSAMPLE busy --newest --tokens 5" "$SEQINFO busy --verify" "$SEQEVAL busy --split valid --batch 16" "$SEQINFO busy"; do
    expect 0 . $command
    ! grep -Eq 'cannot be used|damaged|it has no checkpoint|missing' .out || bad "$command: $(cat .out)"
  done
done
kill -TERM $job
wait $job
outcome $((8 * SCALE))
finish
