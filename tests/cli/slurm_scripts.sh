# The batch scripts of launch/slurm with everything of Slurm replaced: which end is requeued, what is handed on. tests/slurm has the real thing.
source "$SUPPORT/common.sh"
mkdir bin
export PATH=$work/bin:$PATH SLURM_JOB_ID=7 SLURM_JOB_NODELIST=node1 STATE=RUNNING
# A launcher drops its own options and becomes seqtrain; that does what MODE says.
printf '%s\n' '#!/bin/bash' 'while [[ $1 = -* ]]; do echo "launcher $1"; shift; done' 'exec "$@"' >bin/srun
cp bin/srun bin/mpirun
printf '%s\n' '#!/bin/bash' '[ "$*" = "--noheader --jobs=7 --format=%T" ] && echo $STATE' >bin/squeue
printf '%s\n' '#!/bin/bash' 'echo "scontrol $*"' >bin/scontrol
cat >train <<'END'
#!/bin/bash
echo "seqtrain $*"
case $MODE in
lost) mkdir -p "$RUN"; echo "{\"event\": \"$LAST\"" >"$RUN/metrics.jsonl" ;;
progress) mkdir -p "$RUN/checkpoints/step-$(printf %09d $(ls "$RUN/checkpoints" 2>/dev/null | wc -l))" ;;
wait) trap 'echo told; exit 75' USR1; touch ready; for ((i = 0; i < 3000; i++)); do sleep 0.1; done ;;
esac
exit ${CODE:-75}
END
chmod 755 bin/* train
for launcher in srun mpirun; do
  export RUN=$work/run-$launcher
  sed -e "s|^seqtrain=.*|seqtrain=$work/train|" -e "s|^data=.*|data='my data'|" -e "s|^run=.*|run=$RUN|" -e 's|^options=.*|options=(--hidden 3)|' \
    "$SOURCE/launch/slurm/$launcher.sbatch" >job
  job() { env "$@" bash job; }
  for option in --signal --requeue --open-mode=append --time --nodes; do
    grep -q "^#SBATCH $option" job || bad "$launcher.sbatch has no $option"
  done
  expect 0 'seqtrain --data my data --run .*/run-.* --hidden 3' job MODE=lost LAST=end CODE=0
  grep -q 'scontrol' .out && bad "a run that is done is requeued"
  [ $launcher = mpirun ] || grep -q 'launcher --mpi=pmix' .out || bad "srun is not told to use PMIx"
  [ $launcher = mpirun ] || expect 75 'launcher --mpi=cray_shasta' env STATE=ENDED bash <(sed 's/^mpi=.*/mpi=cray_shasta/' job)
  expect 6 seqtrain job MODE=lost LAST=step CODE=0
  expect 0 'scontrol requeue 7' job MODE=lost LAST=stop CODE=0
  rm -rf "$RUN"
  for code in 2 3 4 5 6 7 1; do
    expect $code 'seqtrain' job CODE=$code
    grep -q 'scontrol' .out && bad "exit code $code is requeued"
  done
  for round in 1 2 3 4; do
    expect 0 'scontrol requeue 7' job MODE=progress
  done
  expect 75 'not requeued' job MODE=progress STATE=COMPLETING
  grep -q 'scontrol' .out && bad "a cancelled job is requeued"
  # Without a new checkpoint: twice more, not for ever; then with a longer time limit on.
  expect 0 'scontrol requeue 7' job MODE=progress
  expect 0 'scontrol requeue 7' job
  expect 1 'no new checkpoint in two sessions' job
  expect 0 'scontrol requeue 7' job MODE=progress
  rm -rf "$RUN"
  expect 0 'scontrol requeue 7' job
  expect 0 'scontrol requeue 7' job
  expect 1 'no new checkpoint' job
  # Signals reach the ranks as SIGUSR1.
  for signal in TERM USR1; do
    rm -rf ready "$RUN"
    job MODE=wait >log.txt 2>&1 &
    process=$!
    for ((i = 0; i < 3000; i++)); do [ -e ready ] && break || sleep 0.05; done
    kill -$signal $(pgrep -P $process bash || echo $process)
    code=0
    wait $process || code=$?
    [ $code -eq 0 ] && grep -q told log.txt && grep -q 'scontrol requeue 7' log.txt || bad "$launcher, SIG$signal: exit code $code: $(cat log.txt)"
  done
done
finish
