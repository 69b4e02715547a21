# What else can stand in a run directory: whole checkpoints of other runs, names that look like checkpoints, links, and things that
# are no files. Nothing of it is taken for the run's own, blocks a job, or is damaged by one.
source "$SUPPORT/common.sh"
source "$SUPPORT/checkpoints.sh"
prepare_reference --steps 20 --checkpoint-every 5 --validate-every 1000
steps=run/checkpoints
fresh() {
  rm -rf run
  cp -r reference run
}
foreign() { # foreign NAME OPTION...: a run with one checkpoint, of step 30
  expect 0 finished "${train[@]}" --run "of-$1" "${@:2}" --steps 30 --checkpoint-every 0 --keep 1
}
sed s/river/rivers/ text.txt >other.txt
expect 0 train "$SEQPREP" --vocab data --valid 0.1 -o other other.txt
foreign seed --seed 2
foreign hidden --hidden 12
foreign replicas --replicas 2
foreign data --data other

experiment "a whole checkpoint of another run under a newer step" "found without options, its field named, fallen back from"
for field in seed hidden replicas data; do
  fresh
  cp -r of-$field/checkpoints/step-000000030 $steps
  why="run/checkpoints/step-000000030 is of another run: $field [0-9a-f]+ \(this run has [0-9a-f]+\)"
  expect 4 "step 30: $why" "$SEQINFO" run
  expect 0 "step 30 cannot be used: $why" "$SEQSAMPLE" run --newest --tokens 5
  for ranks in 1 2; do
    expect 0 "step 30 cannot be used: .*$why.*--override $field takes it" run_mpi $ranks "$SEQTRAIN" --run run --steps 22
    grep -q "resumed  from the checkpoint of step 2" .out || bad "$field, $ranks ranks: did not fall back: $(tail -1 .out)"
    same_tree of-$field/checkpoints/step-000000030 $steps/step-000000030.damaged-0
    [ $ranks -eq 2 ] || mv $steps/step-000000030.damaged-0 $steps/step-000000030
  done
  # Taken by name: it is this run's from then on.
  rm -rf run
  cp -r reference run
  cp -r of-$field/checkpoints/step-000000030 $steps
  expect 0 "resumed  from the checkpoint of step 30" "$SEQTRAIN" --run run --steps 32 --override $field
  expect 0 "resumed  from the checkpoint of step 32" "$SEQTRAIN" --run run --steps 34
  expect 0 "verified" "$SEQINFO" run --verify
done
fresh
rm -r $steps/*
cp -r of-hidden/checkpoints/step-000000030 $steps
expect 4 "none of its 1 checkpoints can be used" "$SEQTRAIN" --run run
[ -d $steps/step-000000030 ] || bad "the only checkpoint was moved"
# A run of a version without identity.txt, and a checkpoint that begins a new directory.
fresh
rm run/identity.txt
expect 0 "finished at step 21" "$SEQTRAIN" --run run --steps 21
cmp -s run/identity.txt reference/identity.txt || bad "identity.txt was not made again"
rm -rf run
mkdir -p $steps
cp -r of-seed/checkpoints/step-000000030 $steps
expect 0 "resumed  from the checkpoint of step 30" "$SEQTRAIN" --run run --steps 31
echo garbage >run/identity.txt
expect 3 "identity.txt: not as seqtrain writes it" "$SEQTRAIN" --run run --steps 31
outcome 22

experiment "checkpoints that are gone, as from a disk that is not mounted" "exit code 4, not a new run; --resume never begins one"
fresh
rm -r $steps/*
for ranks in 1 2; do
  expect 4 "metrics.jsonl tells of checkpoints, and there is none in run/checkpoints" run_mpi $ranks "${train[@]}" --run run
done
[ -z "$(ls $steps)" ] || bad "a new run has begun"
code=0
(SEQ_CRASH_AT=train-update:2 "${train[@]}" --run run --resume never) >.out 2>&1 || code=$?
[ $code -eq 137 ] || ! grep -q SEQ_CRASH_AT "$SEQTRAIN" || bad "was not killed: $(tail -1 .out)"
expect 0 "finished" "${train[@]}" --run run --resume auto # killed before its first checkpoint
outcome 3

experiment "a checkpoint whose hashes fit to what is wrong in it" "found by seqinfo, fallen back from"
for vector in parameters first_moment stream_states; do
  for kind in nan wrong-length; do
    fresh
    "$HOSTILE" vector $kind $steps/step-000000020/shard-0001.h5 $vector && "$HOSTILE" seal $steps/step-000000020 manifest.json ||
      bad "cannot make $kind"
    expect 4 "shard-0001.h5: .*$vector(: value [0-9]+ is nan| has [0-9]+ values, expected)" "$SEQINFO" run --verify
    for ranks in 1 2; do
      expect 0 "step 20 cannot be used: .*step-000000020: shard-0001.h5: .*$vector" run_mpi $ranks "${train[@]}" --run run
      grep -q "resumed  from the checkpoint of step 15" .out || bad "$kind $vector, $ranks ranks: did not fall back: $(tail -1 .out)"
      equal_checkpoints reference/checkpoints/step-000000020 $steps/step-000000020 || bad "step 20 was not made again"
      [ $ranks -eq 2 ] || { rm -r $steps/step-000000020 && mv $steps/step-000000020.damaged-0 $steps/step-000000020; }
    done
  done
done
for entry in "window 3" "epoch 2" "origin 30" "windows 7"; do
  fresh
  "$HOSTILE" set $steps/step-000000020 manifest.json position $entry || bad "cannot set $entry"
  expect 0 "step 20 cannot be used: .*step 20, epoch [0-9]+, window [0-9]+ do not fit to [0-9]+ windows an epoch" "${train[@]}" --run run
  grep -q "resumed  from the checkpoint of step 15" .out || bad "$entry: did not fall back: $(tail -1 .out)"
done
outcome 16

experiment "names like those of checkpoints" "passed over"
fresh
cp -r $steps/step-000000005 $steps/step-0000000030 # a zero too many
cp -r $steps/step-000000005 $steps/step-30
echo file >$steps/step-000000003
ln -s nowhere $steps/step-000000004
mkdir $steps/step-000000001 # what a killed job leaves
ls -d $steps/step-{0000000030,30,000000003,000000004} >before
expect 0 "resumed  from the checkpoint of step 20" "${train[@]}" --run run --steps 25
expect 0 "verified" "$SEQINFO" run --verify
ls -d $steps/step-{0000000030,30,000000003,000000004} >after
same before after
absent $steps/step-000000001
outcome 5

experiment "old checkpoints moved elsewhere, links in their places" "read; the link is removed in its turn, not what it leads to"
fresh
mkdir archive
mv $steps/step-000000005 archive
ln -s ../../archive/step-000000005 $steps/step-000000005
mv $steps/step-000000020 archive
ln -s ../../archive/step-000000020 $steps/step-000000020
cp -r archive untouched
expect 0 "resumed  from the checkpoint of step 20" "${train[@]}" --run run --keep 2 --steps 25
[ ! -L $steps/step-000000005 ] || bad "the link was kept"
expect 0 finished "${train[@]}" --run run --keep 1 --steps 30
[ ! -L $steps/step-000000020 ] || bad "the second link was kept"
same_tree untouched archive
outcome 2

experiment "pipes, devices, directories and links for the run's small files" "an end with the path or a run, never a wait"
for name in .lock .lock-ranks .session cpu.txt data-path.txt config.ini metrics.jsonl identity.txt; do
  for kind in pipe directory device link; do
    fresh
    rm -f run/$name
    echo precious >precious.txt
    case $kind in
    pipe) mkfifo run/$name ;;
    directory) mkdir run/$name ;;
    device) ln -s /dev/zero run/$name ;;
    link) ln -s ../precious.txt run/$name ;;
    esac
    [ $name != metrics.jsonl ] || mkdir $steps/step-000000040 # whether it was written is looked up there
    code=0
    timeout -s KILL 120 "${train[@]}" --run run --steps 22 >.out 2>&1 || code=$?
    case $code in
    0) ;;
    3) grep -q "run/$name" .out || bad "$kind as $name: the path is not named: $(tail -1 .out)" ;;
    *) bad "$kind as $name: exit code $code: $(tail -1 .out)" ;;
    esac
    [ $name = metrics.jsonl ] || [ "$(cat precious.txt)" = precious ] || bad "a link as $name: its target was overwritten"
  done
done
outcome 28
finish
