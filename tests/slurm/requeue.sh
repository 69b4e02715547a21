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
  local name left=0 stop
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

declare -A job
edited by-srun srun 50 '' '--time-limit 0'
edited by-mpirun mpirun 50 '' '--time-limit 0'
edited by-itself srun -
edited by-scancel mpirun 50 '' '--time-limit 0'
submit by-srun --nodes=1 --ntasks-per-node=2
submit by-mpirun --nodes=2 --ntasks-per-node=1
submit by-itself --nodes=1 --ntasks-per-node=2
wait_until 400 ended by-srun by-mpirun by-itself || bad "jobs do not end: $(squeue)"

experiment "Slurm, srun --mpi=pmix: signal before the time limit" "checkpoint, requeued, continued, same bytes"
check by-srun SIGUSR1 'ranks 0-1'
outcome 1
experiment "Slurm, mpirun over 2 nodes: signal before the time limit" "checkpoint, requeued, continued, same bytes"
check by-mpirun SIGUSR1 '2 processes|ranks 0'
outcome 1
experiment "Slurm, no signal: the time limit that squeue tells" "checkpoint, requeued, continued, same bytes"
check by-itself 'the time limit' 'limit .* left .squeue, job'
outcome 1

cat by-*.out >&2
finish
