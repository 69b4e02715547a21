# Folders and files that are not what they were, or not what a program takes them for: a data set or a run directory that goes while a
# run is on it, a run inside what is removed as a whole, links that lead nowhere, what may not be read, what killed jobs leave.
source "$SUPPORT/common.sh"
make_text 60 >text.txt
sed 's/old/dol/' text.txt >other.txt # as long, with the same characters
prepare() { expect 0 train "$SEQPREP" --unit char --valid 0.1 -o "$@"; }
prepare data text.txt
train=("$SEQTRAIN" --quiet --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --replicas 2 --epochs 1000000)

# held RANKS AT COMMAND...: begins it in the background (`job`, log in $log) and waits until rank 0 stands still at that point.
holder() { cut -d ' ' -f 3 $run/.lock 2>/dev/null; }
holder_stands() { grep -q '^State:.T' "/proc/$(holder)/status"; }
held() {
  local ranks=$1 at=$2
  shift 2
  SEQ_HOLD_AT=$at:0 run_mpi $ranks "$@" >$log 2>&1 &
  job=$!
  wait_for or_ended $job holder_stands
  stopped=$(holder)
}
# ends CODE TEXT: goes on, and ends like that.
ends() {
  local code=0
  kill -CONT $stopped
  wait_for is_gone $job || kill -KILL $stopped
  wait $job || code=$?
  [ $code -eq $1 ] && grep -Eq "$2" $log || bad "$run: exit code $code, expected $1 and '$2': $(tail -2 $log)"
}

if grep -q SEQ_HOLD_AT "$SEQTRAIN"; then
  experiment "a data set prepared again while a run reads it" "exit code 3 on all ranks, told so; nothing of the new one is read"
  for ranks in 1 2; do
    cp -r data moving$ranks
    run=replaced$ranks log=replaced$ranks.txt
    held $ranks train-update:3 "${train[@]}" --data moving$ranks --run $run --steps 9 --validate-every 6 --checkpoint-every 2
    prepare moving$ranks --force other.txt
    ends 3 "valid-0000.h5: the data set moving$ranks was replaced or removed while it was read"
    expect 0 "step 4" "$SEQINFO" $run --verify
  done
  outcome 2

  experiment "a run directory that is renamed, or loses a file, while the run goes on" "7 at once, or a new metrics.jsonl, on any number of ranks"
  cases=("1 directory" "2 directory" "1 .lock" "1 metrics.jsonl" "2 metrics.jsonl")
  declare -A jobs stops
  for case in "${cases[@]}"; do
    what=${case#* } run=lost${case/ /-} steps=1000000000
    log=$run.txt
    [ $what != metrics.jsonl ] || steps=9
    held ${case% *} train-update:3 "${train[@]}" --data data --run $run --steps $steps --checkpoint-interval 0 --log-every 1
    jobs[$case]=$job stops[$case]=$stopped
  done
  sleep 1.1 # looked at once a second
  for case in "${cases[@]}"; do
    what=${case#* } run=lost${case/ /-} job=${jobs[$case]} stopped=${stops[$case]}
    log=$run.txt
    if [ $what = directory ]; then mv $run moved${case% *}; else mv $run/$what moved${case/ /-}; fi
    if [ $what = metrics.jsonl ]; then
      ends 0 "warning: $run/metrics.jsonl was removed or replaced: its lines go into a new file from step 3 on"
      head -1 $run/metrics.jsonl | grep -q '"begun_anew".*"step": 3}' || bad "the new file begins: $(head -1 $run/metrics.jsonl)"
      grep -q '"end"' $run/metrics.jsonl || bad "the end is not in the new file"
    else
      ends 7 "$run: the run directory, or its .lock, has been removed, renamed or replaced since the run began"
      [ $what = .lock ] || absent $run
    fi
  done
  outcome 5
fi

experiment "a run that is a data set or a checkpoint, or lies in one" "refused with 2; one that is there already goes on with a warning"
"${train[@]}" --data data --run run --steps 4 --checkpoint-every 2 --keep 9 >.out 2>&1 || bad "$(cat .out)"
last=run/checkpoints/step-000000004
expect 2 "--run: data is a data set" "${train[@]}" --data data --run data --steps 2
expect 2 "--run: run/checkpoints is the folder of a run's checkpoints" "${train[@]}" --data data --run run/checkpoints --steps 2
expect 2 "--run: $last is a checkpoint" run_mpi 2 "${train[@]}" --data data --run $last --steps 2
for inner in data/run $last/run run/checkpoints/step-000000005; do
  expect 2 "--run: $inner lies in .*: name a folder outside of it" "${train[@]}" --data data --run $inner --steps 2
done
cp -r run inner
mv inner data/run
expect 0 "warning: --run: data/run lies in .*/data, which is a data set.*goes on" "${train[@]}" --data data --run data/run --steps 5
rm -r data/run
expect 2 "--output: data/re lies in .*/data, which is a data set" "$SEQINFO" $last --reshard 2 -o data/re
expect 2 "exists already: it is a data set" "$SEQINFO" $last --reshard 2 -o data
outcome 9

experiment "links that lead nowhere" "followed where something is to be made; else named, with what they say"
ln -s new-run link
"${train[@]}" --data data --run link --steps 1 >.out 2>&1 || bad "a link for a new run: $(cat .out)"
[ -d new-run/checkpoints ] && [ -L link ] || bad "the run is not where its link leads"
ln -s absent/place dead
expect 2 "--run: dead is a link to absent/place, and the folder for it is not there" "${train[@]}" --data data --run dead
expect 3 "dead/dataset.json: dead is a link to absent/place, which is not there" "${train[@]}" --data dead --run other
expect 3 "dead is a link to absent/place" "$SEQINFO" dead
expect 4 "dead: no such run or checkpoint: it is a link" "$SEQSAMPLE" dead
expect 2 "dead is a link to absent/place" "$SEQINFO" $last --reshard 2 -o dead
cp -r run unmounted
rm -r unmounted/checkpoints
ln -s absent/checkpoints unmounted/checkpoints
for command in "$SEQSAMPLE" "$SEQEVAL" "$SEQINFO" "$SEQTRAIN --run"; do
  expect 4 "checkpoints is a link to absent/checkpoints, which is not there: is a disk not mounted" $command unmounted
done
outcome 10

experiment "what may not be read" "permission denied (3), not: no checkpoint; nothing is set aside"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && chmod 755 . &&
  setpriv --reuid 65534 --regid 65534 --clear-groups "$SEQINFO" --version >/dev/null 2>&1; then
  chown -R 65534 run
  for path in run run/checkpoints $last $last/manifest.json $last/shard-0000.h5; do
    mode=$(stat -c %a $path)
    chown root $path
    chmod 700 $path
    for command in "$SEQSAMPLE run" "$SEQEVAL run --split train" "$SEQINFO run --verify" "$SEQINFO $last --verify" "$SEQTRAIN --run run --steps 5"; do
      expect 3 "$(basename $path): Permission denied|$path.*: Permission denied" setpriv --reuid 65534 --regid 65534 --clear-groups $command
    done
    chmod $mode $path
    chown 65534 $path
  done
  chown -R root run
  [ "$(ls run/checkpoints | tr '\n' ' ')" = "step-000000002 step-000000004 " ] || bad "checkpoints were moved: $(ls run/checkpoints)"
  outcome 25
else
  echo "skipped: folders without permission (needs root, setpriv and a build tree that others can read)" >&2
fi

experiment "a checkpoint that is cut anew" "into an empty folder, too; a damaged shard is 4; what a killed job left goes at the next start"
mkdir whole
inode=$(stat -c %i whole)
expect 0 "whole with 1 shard" "$SEQINFO" $last --reshard 1 -o whole
[ "$(stat -c %i whole)" = "$inode" ] || bad "the folder was replaced"
expect 0 verified "$SEQINFO" whole --verify
expect 2 "whole: exists already: it is a checkpoint" "$SEQINFO" $last --reshard 1 -o whole
cp -r $last $last.reshard
rm $last.reshard/manifest.json
exec 9<$last.reshard
if flock -n 9 2>/dev/null; then
  expect 0 . "$SEQTRAIN" --run run --steps 5 --keep 9
  [ -d $last.reshard ] || bad "a folder was removed from under a job that is alive"
fi
exec 9<&-
expect 0 "removed run/checkpoints/step-000000004.reshard, which a killed seqinfo" "$SEQTRAIN" --run run --steps 6 --keep 9
absent $last.reshard
cp -r whole damaged
head -c 800 text.txt >damaged/shard-0000.h5
"$HOSTILE" seal damaged manifest.json || bad "cannot seal"
mkdir spare
for command in "$SEQSAMPLE damaged" "$SEQEVAL damaged --split train" "$SEQINFO damaged --verify" "$SEQINFO damaged --reshard 2 -o again" \
  "$SEQINFO damaged --reshard 2 -o spare" "$SEQINFO damaged --reshard 2"; do
  expect 4 "shard-0000.h5" $command
done
absent again
[ -d spare ] && [ -z "$(ls -A spare)" ] || bad "what failed was left: $(ls -A spare)"
outcome 10
finish
