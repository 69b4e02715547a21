# The batch scripts of launch/slurm under a real Slurm: a checkpoint before the time limit, into the queue again, on to the end, with
# the bytes of a run that was never stopped; a run that cannot move on is not queued for ever; the wrong PMI is found out.
source "$SUPPORT/common.sh"
source "$SUPPORT/slurm.sh"
slurm_begin 2
make_text 500 >text.txt
expect 0 train "$SEQPREP" --unit char -o data text.txt
train=(--data data --cell gru --layers 1 --hidden 48 --embed 16 --dropout 0.1 --batch 4 --window 20 --replicas 4 --epochs 1000000
  --log-every 1000)

# edited NAME LAUNCHER SECONDS: the launcher's script outside of the repository, edited as a user would; a signal SECONDS before the
# limit (-: none). The number of steps is in NAME.ini and may be changed between two sessions.
edited() {
  local signal="s|^\(#SBATCH --signal=.*\)@120\$|\1@$3|"
  [ "$3" != - ] || signal='/^#SBATCH --signal=/d'
  sed -e "s|^seqtrain=.*|seqtrain='${4:-$SEQTRAIN}'|" -e "s|^data=.*|data=$work/data|" -e "s|^run=.*|run=$work/$1|" \
    -e "s|^options=.*|options=(--config $work/$1.ini ${5:-})|" -e "s|^#SBATCH --output=.*|#SBATCH --output=$work/$1.out|" -e "$signal" \
    "$SOURCE/launch/slurm/$2.sbatch" >$1.sbatch
  [ "$(diff "$SOURCE/launch/slurm/$2.sbatch" $1.sbatch | grep -c '^<')" -eq 6 ] || bad "$2.sbatch: not the lines that this test edits"
  printf '%s\n' "${train[@]}" | paste -d ' ' - - | sed 's/^--\([a-z-]*\) /\1 = /' | grep -v '^data ' >$1.ini
  echo 'steps = 100000000' >>$1.ini
}

submit() { # submit NAME SBATCH_OPTION...: the job's number in job[NAME]
  job[$1]=$(sbatch --parsable --time=1 "${@:2}" $1.sbatch) || bad "sbatch refused $1.sbatch"
}

state() { scontrol --oneliner show job "$1" 2>/dev/null | sed -n 's/.* JobState=\([A-Z_]*\) .*/\1/p'; }
last_stop() { sed -n 's/.*"event": *"stop", .*"step": *\([0-9]*\),.*/\1/p' $1/metrics.jsonl 2>/dev/null | tail -1; }

# Sets a new end for each job that has stopped, a little further on, until all have ended.
ended() {
  local name stop left=0
  for name; do
    stop=$(last_stop $name)
    [ -z "$stop" ] || sed -i "s/^steps = .*/steps = $((stop + 40))/" $name.ini
    case $(state ${job[$name]}) in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL) ;; *) left=1 ;; esac
  done
  return $left
}

# The job has stopped for this reason, continued and finished: with the bytes of one process without a stop.
check() { # check NAME REASON LAYOUT
  local steps
  steps=$(sed -n 's/^steps = //p' $1.ini)
  [ "$(state ${job[$1]})" = COMPLETED ] || bad "$1: the job ended as $(state ${job[$1]}): $(tail -3 $1.out)"
  for text in "stopped by $2 after step" '^== job .* start 1 ' '^== job .* start 2 ' 'resumed ' "finished at step $steps" "$3"; do
    grep -Eq -- "$text" $1.out || bad "$1: '$text' is not in the job's output: $(tail -3 $1.out)"
  done
  expect 0 finished "$SEQTRAIN" --time-limit 0 "${train[@]}" --steps $steps --run whole-$1
  same_tree whole-$1/checkpoints/$(printf 'step-%09d' $steps) $1/checkpoints/$(printf 'step-%09d' $steps)
}

# in_allocation TASKS COMMAND...: from the shell of an allocation.
in_allocation() { salloc --quiet --nodes=1 --ntasks="$1" --time=5 "${@:2}"; }

has_stepped() { grep -q '"event": *"step"' $1/metrics.jsonl 2>/dev/null; }
has_stopped() { [ -n "$(last_stop $1)" ]; }
is_over() { case $(state ${job[$1]}) in COMPLETED | FAILED | CANCELLED | TIMEOUT) ;; *) return 1 ;; esac; }

declare -A job
printf '#!/bin/bash\nexit 75\n' >stuck
chmod 755 stuck
edited by-srun srun 50 '' '--time-limit 0'
edited by-mpirun mpirun 50 '' '--time-limit 0'
edited by-itself srun -
edited no-way srun - "$work/stuck"
submit by-srun --nodes=1 --ntasks-per-node=2
submit by-mpirun --nodes=2 --ntasks-per-node=1
submit by-itself --nodes=1 --ntasks-per-node=2
submit no-way --nodes=1 --ntasks-per-node=1
wait_until 300 ended by-srun by-mpirun by-itself no-way || bad "jobs do not end: $(squeue)"

experiment "Slurm, srun --mpi=pmix: signal before the time limit" "checkpoint, requeued, continued, same bytes"
check by-srun SIGUSR1 'shared by the 2 ranks of a node'
outcome 1
experiment "Slurm, mpirun over 2 nodes: signal before the time limit" "checkpoint, requeued, continued, same bytes"
check by-mpirun SIGUSR1 'shared by the 1 rank of a node'
outcome 1
experiment "Slurm, no signal: the time limit that squeue tells" "checkpoint, requeued, continued, same bytes"
check by-itself 'the time limit' 'limit .* left .squeue, job'
outcome 1
experiment "Slurm, no session comes to a checkpoint" "requeued twice, then ended with the reason"
[ "$(state ${job[no-way]})" = FAILED ] || bad "the job ended as $(state ${job[no-way]})"
[ "$(grep -c '^== job' no-way.out)" -eq 3 ] && grep -q 'not requeued' no-way.out || bad "$(cat no-way.out)"
outcome 1

experiment "Slurm, scancel --signal=USR1" "checkpoint, requeued, continued, same bytes"
edited told-srun srun 10 '' '--time-limit 0 --log-every 1'
edited told-mpirun mpirun 10 '' '--time-limit 0 --log-every 1'
submit told-srun --nodes=1 --ntasks-per-node=2 --time=10
submit told-mpirun --nodes=2 --ntasks-per-node=1 --time=10
wait_until 100 has_stepped told-srun && scancel --signal=USR1 ${job[told-srun]}
wait_until 100 has_stepped told-mpirun && scancel --batch --signal=USR1 ${job[told-mpirun]}
wait_until 200 ended told-srun told-mpirun || bad "jobs do not end: $(squeue)"
check told-srun SIGUSR1 'shared by the 2 ranks of a node'
check told-mpirun SIGUSR1 'shared by the 1 rank of a node'
outcome 2

experiment "Slurm, scancel" "checkpoint, the end, not requeued"
edited cancelled-srun srun 10 '' '--log-every 1'
edited cancelled-mpirun mpirun 10 '' '--log-every 1'
submit cancelled-srun --nodes=1 --ntasks-per-node=2 --time=10
submit cancelled-mpirun --nodes=2 --ntasks-per-node=1 --time=10
for name in cancelled-srun cancelled-mpirun; do
  wait_until 100 has_stepped $name && scancel ${job[$name]}
  wait_until 100 has_stopped $name || bad "$name: no checkpoint: $(tail -5 $name.out)"
  wait_until 100 is_over $name
done
sleep 10 # longer than a requeued job waits
for name in cancelled-srun cancelled-mpirun; do
  [ "$(state ${job[$name]})" = CANCELLED ] && ! grep -q 'start 2' $name.out || bad "$name goes on as $(state ${job[$name]}): $(tail -5 $name.out)"
done
outcome 2

experiment "Slurm, exit code of a step whose ranks stop" "75"
for ((i = 0; i < 5; i++)); do
  expect 75 "stopped by" in_allocation 4 srun --mpi=pmix --kill-on-bad-exit=1 "$SEQTRAIN" "${train[@]}" --run stops-$i --time-limit 1
done
outcome 5

experiment "Slurm, the wrong PMI: srun --mpi=none, --mpi=pmi2" "every rank stops with the reason, nothing is written"
expect 2 'SLURM_STEP_NUM_TASKS says that 4 or more.*srun --mpi=pmix' in_allocation 4 srun --mpi=none "$SEQTRAIN" "${train[@]}" --run wrong
[ "$(grep -c 'finds itself alone' .out)" -eq 1 ] || bad "$(grep -c 'finds itself alone' .out) ranks speak"
expect 1 "OMPI was not built with SLURM's PMI|MPI_ERRORS_ARE_FATAL" in_allocation 4 srun --mpi=pmi2 "$SEQTRAIN" "${train[@]}" --run wrong
absent wrong
outcome 2

experiment "Slurm, one process in an allocation of 4 tasks" "no false alarm"
alone=("$SEQTRAIN" "${train[@]}" --steps 3)
expect 0 "limit .*squeue.*1 process|finished" in_allocation 4 "${alone[@]}" --run alone-1
expect 0 finished in_allocation 4 srun --ntasks=1 --mpi=none "${alone[@]}" --run alone-2
expect 0 finished in_allocation 4 srun --ntasks=1 --mpi=pmix "${alone[@]}" --run alone-3
expect 0 finished in_allocation 4 "$MPIEXEC" -np 1 "${alone[@]}" --run alone-4
sbatch --quiet --wait --ntasks=4 --output=alone-5.out --wrap "$(printf '%q ' "${alone[@]}" --run alone-5)" && grep -q finished alone-5.out ||
  bad "a batch script: $(tail -3 alone-5.out)"
outcome 5
[ $failures -eq 0 ] || cat ./*.out >&2
finish
