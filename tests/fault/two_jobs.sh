# Two jobs on one run directory: the second is refused, and told who is there; the lock of a job that died is free, and what it says
# is told. With the locks of the file system, and without (all flock calls fail, as on some network file systems).
source "$SUPPORT/common.sh"
source "$SUPPORT/checkpoints.sh"
command -v flock >/dev/null || {
  echo "skipped: flock (util-linux) is not there" >&2
  exit 77
}
prepare_reference --steps 12 --checkpoint-every 4 --validate-every 1000
train+=(--keep 9)
long=("${train[@]}" --run run --epochs 1000000 --steps 100000000)
host=$(uname -n)
job=
trap '[ -z "$job" ] || kill -KILL $(pgrep -P $job) $job 2>/dev/null; wait; rm -rf "$work"' EXIT

# await_start FILE LOG: the job is at work when the file has lines.
await_start() {
  wait_for [ -s $1 ] || bad "the first job does not start: $(tail -1 $2)"
}
unlockable=(env LD_PRELOAD="$IO_SHIM" SEQ_IO_CALL=flock SEQ_IO_ERRNO=ENOLCK SEQ_IO_TIMES=0)
[[ ${SANITIZE:-} != *thread* ]] || unlockable=() # this sanitizer wants to be loaded first

refusals() { # refusals RANKS COMMAND-PREFIX...: of both programs, of one rank and of two
  local ranks=$1
  shift
  rm -rf run
  if [ $ranks -eq 1 ]; then
    SLURM_JOB_ID=4711 "$@" "${long[@]}" >first.txt 2>&1 &
  else
    SLURM_JOB_ID=4711 run_mpi $ranks "$@" "${long[@]}" >first.txt 2>&1 &
  fi
  job=$!
  await_start run/metrics.jsonl first.txt
  pid=$(cut -d ' ' -f 3 run/.lock)
  expect 2 "--run: run is in use by another seqtrain \(host $host, process $pid, batch job 4711, since 2[-0-9T:]+Z\)" "$@" "${train[@]}" --run run
  expect 2 "in use by another seqtrain .*process $pid" run_mpi 2 "$@" "${train[@]}" --run run
  kill -0 $pid || bad "the first job is gone"
}

die_and_resume() { # die_and_resume PID COMMAND-PREFIX...
  kill -KILL $1
  shift
  wait $job 2>/dev/null
  job=
  expect 0 "warning: the last job on this run \(host $host, process [0-9]+, batch job 4711, since .*\) ended without finishing; its lock is free" "$@" "${train[@]}" --run run
  grep -q "^ended " run/.lock || bad "the lock does not say that the job has ended: $(cat run/.lock)"
  expect 0 verified "$SEQINFO" run --verify
  expect 0 finished "$@" "${train[@]}" --run run
  ! grep -q "without finishing" .out || bad "a job that ended well is called dead"
}

experiment "a second job on a run directory" "refused with the name of the first; a dead one's lock is free"
for ranks in 1 2; do
  refusals $ranks
  die_and_resume $pid
done
# A rank that outlives rank 0 (here: whoever has its lock) is waited for.
exec 9>>run/.lock-ranks
flock -s 9
"${train[@]}" --run run >second.txt 2>&1 9>&- &
job=$!
wait_for or_ended $job has_lines second.txt "waiting for ranks of the last job"
grep -q "waiting for ranks of the last job on run to end" second.txt || bad "did not wait for the rank that is left: $(tail -1 second.txt)"
kill -0 $job || bad "did not wait for the rank that is left"
exec 9>&-
wait $job || bad "did not go on when the last rank was gone: $(tail -1 second.txt)"
job=
expect 0 verified "$SEQINFO" run --verify
outcome 3

if [ ${#unlockable[@]} -gt 0 ]; then
  experiment "the same on a file system without locks" "what the lock file says decides: alive here, dead here, another host"
  refusals 1 "${unlockable[@]}"
  die_and_resume $pid "${unlockable[@]}"
  sed -i "s/^ended $host /running elsewhere /" run/.lock
  expect 2 "another host \(host elsewhere, process .*remove run/.lock and start again" "${unlockable[@]}" "${train[@]}" --run run
  expect 2 "another host \(host elsewhere, process .*remove run/.lock and start again" run_mpi 2 "${unlockable[@]}" "${train[@]}" --run run
  rm run/.lock
  expect 0 finished "${unlockable[@]}" "${train[@]}" --run run
  # The number of a dead process is another's now: its start tells them apart.
  sed "s/^ended $host [0-9]* /running $host $$ /" run/.lock >lock.txt
  cp lock.txt run/.lock
  expect 0 "ended without finishing" "${unlockable[@]}" "${train[@]}" --run run
  # What no job writes: the number of no process, half a line.
  echo "running $host 0 0 2026-01-01T00:00:00Z -" >run/.lock
  expect 0 "ended without finishing" "${unlockable[@]}" "${train[@]}" --run run
  echo running >run/.lock
  expect 0 finished "${unlockable[@]}" "${train[@]}" --run run
  ! grep -q "process 0" .out || bad "half a lock is taken for a job's"
  # With locks, a job on another host that is gone is no obstacle.
  sed "s/^running $host /running elsewhere /" lock.txt >run/.lock
  expect 0 "last job on this run \(host elsewhere.*ended without finishing" "${train[@]}" --run run
  outcome 7
fi
finish
