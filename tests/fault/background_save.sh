# Checkpoints that are written beside the training: the loop goes on meanwhile, the same bytes as without, and what interrupts the
# writer (kill -9, a full disk, signals) costs the checkpoint that is being written at most.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
# Slow to write (three dozen chunks of 1 MiB, most of it padding, at gzip's level 9), quick to train.
train=("$SEQTRAIN" --data data --layers 1 --hidden 24 --embed 8 --batch 2 --window 4 --replicas 2 --epochs 99 --steps 140 --checkpoint-every 60
  --validate-every 100000 --optimizer momentum --shards 12 --compression gzip --compression-level 9 --keep 9 --log-every 1)
expect 0 finished "${train[@]}" --run whole
grep -q '"event": "checkpoint", .*"step": 60, .*"stand_still_seconds": [0-9].*"write_seconds": [0-9].*"bytes": [0-9].*"megabytes_per_second": [0-9]' \
  whole/metrics.jsonl || bad "the figures of a checkpoint are not in metrics.jsonl: $(grep checkpoint whole/metrics.jsonl)"
grep -q 'checkpoint of step 140: stood still [0-9.]* s, written in [0-9.]* s, [0-9.]* MB, [0-9]* MB/s' .out || bad "the figures are not printed"
steps_before() { # steps_before RUN: the last step line before the line of the checkpoint of step 60
  sed -n '/"event": "checkpoint".*"step": 60,/q;p' "$1/metrics.jsonl" | grep -c '"event": "step"'
}
[ "$(steps_before whole)" -gt 60 ] || bad "no step was trained while the checkpoint of step 60 was written"
expect 0 finished "${train[@]}" --run plain --no-checkpoint-background
[ "$(steps_before plain)" -eq 60 ] || bad "--no-checkpoint-background trained on while it wrote"
same_tree whole/checkpoints plain/checkpoints
expect 0 finished run_mpi 2 "${train[@]}" --run two
same_tree whole/checkpoints two/checkpoints

# Killed, mpirun and all ranks, when rank 0 has written its third shard of step 60 or 120.
kill_writing() { # SIGNAL NAME
  [ -e "$2/checkpoints/step-000000$step/shard-0002.h5" ] && [ ! -e "$2/checkpoints/step-000000$step/manifest.json" ] ||
    bad "$2: the checkpoint of step $step is not being written: $(ls "$2"/checkpoints/*)"
  kill_all "$1" "$2"
}
for case in '1 060 3' '1 120 15' '2 120 9'; do
  read -r ranks step count <<<"$case"
  job=(run_mpi $ranks)
  [ $ranks -gt 1 ] || job=()
  rm -rf torn
  HOOK=kill_writing signal_at checkpoint.shard-written:$count:0 KILL torn "${job[@]}" "${train[@]}" --run "$work/torn"
  was_killed $code || bad "$ranks ranks, step $step: exit code $code: $(tail -1 log.torn)"
  [ $step = 060 ] || expect 0 verified "$SEQINFO" torn --verify
  expect 0 finished "${train[@]}" --run torn
  same_tree whole/checkpoints torn/checkpoints
done

# A signal while a checkpoint is being written: that one is finished, then one of the last step is written.
signal_at checkpoint.shard-written:3 TERM signal "${train[@]}" --run "$work/signal"
[ $code -eq 75 ] || bad "SIGTERM beside the writer: exit code $code, expected 75: $(tail -1 log.signal)"
[ -e signal/checkpoints/step-000000060/manifest.json ] || bad "the checkpoint that was being written was not finished"
expect 0 finished "${train[@]}" --run signal
for step in 060 120 140; do same_tree whole/checkpoints/step-000000$step signal/checkpoints/step-000000$step; done

# The disk is full for the writer while the loop goes on: 7, everything before is whole. Nothing but the shards is larger than the limit.
fill_up() { # fill_up DIRECTORY COMMAND...: the checkpoint of step 60 is there, there is no room for the next
  local run=$1
  shift
  mkdir -p "$run/checkpoints"
  cp -r whole/checkpoints/step-000000060 "$run/checkpoints/"
  expect 7 "writing the checkpoint of step 120: .*$run/checkpoints/step-000000120/shard" "$@" --run "$run" --log-every 1000 --compression none
  expect 0 verified "$SEQINFO" "$run" --verify
  [ "$(ls "$run/checkpoints")" = step-000000060 ] || bad "something half-written is left: $(ls "$run/checkpoints")"
}
limited() {
  (
    ulimit -f 64
    exec "$@"
  )
}
fill_up full limited "${train[@]}"
# Open MPI has large files of its own: a file system that is full, when we may mount one.
mkdir disk
if mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null; then
  fill_up disk/run run_mpi 2 "${train[@]}"
  umount disk
else
  echo "skipped: a tmpfs cannot be mounted here (not root, or a container without the right)" >&2
fi
finish
