# Long: 1800
# A disk that fails one of two ranks: no space, no quota, an input or output error from each call that a checkpoint needs. All ranks
# agree, the earlier checkpoints stay whole, the run ends with 7 or goes on, as told; nothing half-written is taken for a checkpoint.
source "$SUPPORT/common.sh"
source "$SUPPORT/checkpoints.sh"
prepare_reference --steps 16 --checkpoint-every 4 --validate-every 1000
if [[ ${SANITIZE:-} == *thread* ]]; then
  echo "skipped: this sanitizer wants to be loaded first" >&2
  exit 77
fi
train+=(--keep 2)
expect 0 finished "${train[@]}" --run once

# break_disk RANKS RANK CALL PATH ERRNO TIMES: `job`, then `broken` run a command on it.
break_disk() {
  rm -f io.txt
  job=()
  [ $1 -eq 1 ] || job=(run_mpi $1)
  broken=(env LD_PRELOAD="$IO_SHIM" SEQ_IO_RANK=$2 SEQ_IO_CALL=$3 SEQ_IO_PATH=$4 SEQ_IO_ERRNO=$5 SEQ_IO_TIMES=$6 SEQ_IO_LOG="$work/io.txt")
}

# The checkpoint of step 8 fails where there is one of step 4. Rank 0 writes shards 0 and 2, the manifest, ...; rank 1 shards 1 and 3.
trouble() { # trouble RANKS RANK CALL PATH ERRNO POLICY
  local code=0 expected=7
  context="$5 from $3 of $4 on rank $2 of $1, --on-save-failure $6"
  [ $6 = stop ] || expected=0
  rm -rf run
  cp -r early run
  break_disk $1 $2 $3 $4 $5 1
  "${job[@]}" timeout -s KILL $((120 * slower)) "${broken[@]}" "${train[@]}" --run run --on-save-failure $6 >log.txt 2>&1 || code=$?
  runs=$((runs + 1))
  [ -s io.txt ] || bad "$context: nothing has failed: the test has lost its point"
  no_report "$context"
  [ $code -eq $expected ] || bad "$context: exit code $code, expected $expected: $(tail -2 log.txt)"
  grep -q HDF5-DIAG log.txt && bad "$context: HDF5 speaks: $(head -3 log.txt)"
  grep -Eq 'No space|quota|Input/output' log.txt || bad "$context: the reason is not said: $(tail -2 log.txt)"
  expect 0 verified "$SEQINFO" run --verify
  all_known run reference early
  if [ $6 = continue ]; then
    grep -Eq '"event": "(save_failure|metrics_lost)"' run/metrics.jsonl || bad "$context: metrics.jsonl does not tell"
    grep -q "training goes on\|lines are lost" log.txt || bad "$context: no warning"
  else
    [ -e run/checkpoints/step-000000004/manifest.json ] || [ $4 = step-000000004 ] || bad "$context: the earlier checkpoint is gone"
    expect 0 finished "${train[@]}" --run run
  fi
  if [ $4 = metrics.jsonl ]; then # the half that was written stays a line of its own
    [ "$(grep -vc '^{"event": ".*}$' run/metrics.jsonl)" -le 1 ] || bad "$context: more than one torn line"
  else
    whole_lines run
  fi
  all_known run reference
  [ "$(ls run/checkpoints)" = "$(ls once/checkpoints)" ] || bad "$context: other checkpoints are kept: $(ls run/checkpoints | tr '\n' ' ')"
}
expect 0 finished "${train[@]}" --run early --steps 5
rm -r early/checkpoints/step-000000005 # validated
cases=() # RANK CALL PATH
for file in shard-0000 shard-0001 model.h5 vocabulary.tsv manifest.json; do
  rank=0
  [ $file != shard-0001 ] || rank=1
  for call in open write fsync close; do
    cases+=("$rank $call step-000000008/$file")
  done
done
cases+=("0 rename step-000000008/vocabulary.tsv" "0 rename step-000000008/manifest.json" "0 mkdir step-000000008" "0 fsync /checkpoints"
  "0 write metrics.jsonl" "0 unlink step-000000004")

experiment "ENOSPC, EDQUOT, EIO from a call on one of two ranks" "all agree; older checkpoints whole; 7, or training goes on"
runs=0 number=SEED
for case in "${cases[@]}"; do
  for errno in ENOSPC EDQUOT EIO; do
    for policy in stop continue; do
      number=$((number + 1))
      [ "$SCALE" -ge 10 ] || [ $((number % 19)) -eq 0 ] || continue
      trouble 2 ${case%% *} ${case#* } $errno $policy
    done
  done
done
outcome $runs
experiment "the same on a rank that is alone" "7, or training goes on; older checkpoints whole"
runs=0
for case in "${cases[@]}"; do
  for errno in ENOSPC EDQUOT EIO; do
    for policy in stop continue; do
      number=$((number + 1))
      [ "$SCALE" -ge 10 ] || [ $((number % 5)) -eq 0 ] || continue
      trouble 1 0 ${case#* } $errno $policy
    done
  done
done
outcome $runs

experiment "a disk that fails for good, --on-save-failure continue" "the last checkpoint or that of a stop must succeed: 7"
for ranks in 1 2; do
  rm -rf run
  cp -r early run
  code=0
  break_disk $ranks $((ranks - 1)) write shard- EIO 0
  "${job[@]}" timeout -s KILL $((120 * slower)) "${broken[@]}" "${train[@]}" --run run --on-save-failure continue >log.txt 2>&1 || code=$?
  [ $code -eq 7 ] || bad "exit code $code at the end, expected 7: $(tail -1 log.txt)"
  for step in 8 12 16; do grep -q "warning: .*checkpoint of step $step: .*Input/output error; training goes on" log.txt || bad "step $step is not told of"; done
  grep -q "seqtrain: .*writing the checkpoint of step 16: .*Input/output error$" log.txt || bad "the reason is not said: $(tail -1 log.txt)"
  [ "$(grep -c '"event": "save_failure"' run/metrics.jsonl)" -eq 3 ] || bad "metrics.jsonl does not hold the three failures"
  [ "$(ls run/checkpoints)" = step-000000004 ] || bad "something half-written is left: $(ls run/checkpoints)"
  expect 0 finished "${train[@]}" --run run
  all_known run reference
done
rm -rf run
cp -r early run
break_disk 1 0 write step-000000 EIO 0
lines=$(wc -l <run/metrics.jsonl)
"${broken[@]}" "${train[@]}" --run run --on-save-failure continue --epochs 1000000 --steps 100000000 --checkpoint-every 100000 --log-every 1 >log.txt 2>&1 &
process=$!
wait_for or_ended $process has_lines run/metrics.jsonl . $((lines + 2))
kill -TERM $process
code=0
wait $process || code=$?
[ $code -eq 7 ] || bad "exit code $code of a stop, expected 7: $(tail -1 log.txt)"
expect 0 verified "$SEQINFO" run --verify
outcome 3
finish
