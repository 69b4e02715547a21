# What launchers and batch systems say in the environment: ranks that find themselves alone stop; the time that is left is a limit.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=("$SEQTRAIN" --data data --layers 1 --hidden 16 --embed 8 --batch 4 --window 8 --epochs 1000000)
short=("${small[@]}" --steps 3)

# launch/test.sh: what ctest would pass over is refused before anything is installed, built or run.
for wrong in --wrong wrong -Rresume --timeout=9 -L "-j 2 --fault"; do
  expect 2 'usage: launch/test.sh \[--faults\] \[CTEST_OPTION...\]' "$SOURCE/launch/test.sh" $wrong
done
expect 0 'Options of ctest that choose and show tests' "$SOURCE/launch/test.sh" --help
grep -q 'source "' .out && bad "--help of launch/test.sh shows code"
# The options that are right reach ctest, as words: with stand-ins for all that it calls.
mkdir stand-in
for program in cmake apt-get ctest; do printf '#!/bin/sh\n[ "%s" != ctest ] || printf "(%%s)" "$@"\n' $program >stand-in/$program; done
chmod 755 stand-in/*
mkdir -p copy/build-test/Testing/Temporary
cp -r "$SOURCE/launch" "$SOURCE/tests" copy/
touch copy/build-test/Testing/Temporary/LastTest.log
test_sh() { env PATH="$work/stand-in:$PATH" copy/launch/test.sh "$@"; }
expect 0 '\(-R\)\(a b\)\(-j2\)\(-j\)\(3\)\(--rerun-failed\)\(--output-on-failure\)\(--timeout\)\(9\)\(-V\)\(-E\)\(x\|y\)\(-N\)' test_sh -R 'a b' -j2 -j 3 --rerun-failed \
  --output-on-failure --timeout 9 -V -E 'x|y' -N
expect 1 '\(-L\)\(faults\)\(-j\)\([0-9]+\)\(-R\)\(resume\)' test_sh -R resume --faults # an empty table is none that held

# The other launchers, before they install or build anything.
expect 3 'nowhere.txt: cannot be read' "$SOURCE/launch/quickstart.sh" nowhere.txt
expect 2 'wrong: unknown option, see --help' "$SOURCE/launch/bench.sh" --wrong
expect 2 'only x: expected one of' "$SOURCE/launch/bench.sh" --only x

# Alone inside a larger launch: exit code 2, what to do, nothing written.
step=(SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=4)
expect 2 'SLURM_STEP_NUM_TASKS says that 4 or more ranks.*srun --mpi=pmix.*env -u SLURM_STEP_NUM_TASKS' env "${step[@]}" "${short[@]}" --run alone
expect 2 'PMIX_RANK says that 3 or more ranks' with_mpi env PMIX_RANK=2 "${short[@]}" --run alone
for size in OMPI_COMM_WORLD_SIZE PMI_SIZE MV2_COMM_WORLD_SIZE FLUX_JOB_SIZE; do
  expect 2 "$size says that 3 or more ranks.*Use the mpirun" with_mpi env $size=3 "${short[@]}" --run alone
done
env "${step[@]}" SLURM_PROCID=1 "${short[@]}" --run alone >out.txt 2>&1 && bad "rank 1 of a torn launch trains"
[ ! -s out.txt ] || bad "every rank speaks: $(cat out.txt)"
absent alone

# Alone, as it should be: the shell of an allocation, a batch script, `srun --pty`, one task, mpirun -np 1 under a step of its daemons,
# and whoever says that the runs have nothing to do with each other.
mkdir bin
printf '#!/bin/sh\nexit 1\n' >bin/squeue
chmod 755 bin/squeue
export PATH=$work/bin:$PATH
job=(SLURM_JOB_ID=7 SLURM_NTASKS=4 SLURM_NPROCS=4)
count=0
not_alarmed() { expect 0 finished with_mpi env "$@" "${short[@]}" --run "one-$((count += 1))"; }
not_alarmed "${job[@]}"
not_alarmed "${job[@]}" SLURM_PROCID=0
not_alarmed "${job[@]}" "${step[@]}" SLURM_PTY_PORT=40000
not_alarmed "${job[@]}" "${step[@]}" SLURM_STEP_NUM_TASKS=1
not_alarmed "${job[@]}" "${step[@]}" OMPI_COMM_WORLD_SIZE=1
not_alarmed "${job[@]}" "${step[@]}" env -u SLURM_STEP_NUM_TASKS
expect 0 finished run_mpi 1 env "${step[@]}" "${short[@]}" --run one-mpi
expect 0 finished run_mpi 2 env "${step[@]}" "${short[@]}" --run two-mpi

# The time that is left, from where it is told.
answer() { printf '#!/bin/sh\n[ "$*" = "--noheader --jobs 7 --format=%%L" ] && echo "%s"\n' "$1" >bin/squeue; }
in_job() { env SLURM_JOB_ID=7 "$@"; }
answer 1-02:03:04
expect 0 'limit +1d 02:0[0-3] left .squeue, job 7.; stops 0:00:20 before' in_job "${short[@]}" --run squeue
expect 0 'limit +(2:[45][0-9]:[0-9]+|3:00:00) left .SLURM_JOB_END_TIME.*stops 0:00:20' in_job SLURM_JOB_END_TIME=$(($(date +%s) + 10800)) "${short[@]}" --run end-time
expect 0 'limit +0:1[56]:[0-9]+ left .PBS_WALLTIME, from the start of seqtrain.*stops 0:00:20' env PBS_WALLTIME=1000 "${short[@]}" --run walltime
expect 0 'limit +0:1[56]:[0-9]+ left .--time-limit.; stops 0:00:05' in_job SLURM_JOB_END_TIME=1 "${short[@]}" --run option --time-limit 1000
# (mpirun by its full path puts its own directory in front of PATH.) It is a limit: none of these runs would end by itself. Half of a short one is for training.
answer 0:04
expect 75 'stopped by the time limit' in_job "${small[@]}" --run in-time
run_two() { run_mpi 2 env PATH="$PATH" SLURM_JOB_ID=7 "${small[@]}" --run two; }
expect 75 'stopped by the time limit' run_two
answer UNLIMITED
for run in unlimited:auto off:0; do
  expect 0 finished in_job "${short[@]}" --run ${run%:*} --time-limit ${run#*:}
  grep -E 'limit  |warning' .out && bad "a limit where there is none"
done
expect 0 finished env PBS_WALLTIME=4 "${short[@]}" --run off-pbs --time-limit 0
grep 'limit  ' .out && bad "--time-limit 0 does not switch it off"
expect 0 finished "${short[@]}" --run none
grep 'limit  ' .out && bad "a limit outside of a job"
# Not known: a warning, and training goes on. A shell that has outlived its job is asked about nothing else.
answer INVALID
expect 0 "warning: how much time .*'INVALID' about job 7.*--time-limit" in_job "${short[@]}" --run invalid
printf '#!/bin/sh\nexit 1\n' >bin/squeue
expect 0 'warning: how much time .*squeue: failed with exit code 1.*--time-limit' in_job "${short[@]}" --run refused
expect 0 'warning: how much time .*failed' in_job SLURM_JOB_END_TIME=1000000000 "${short[@]}" --run stale
expect 0 "warning: how much time .*SLURM_JOB_END_TIME is 'soon'.*--time-limit" env SLURM_JOB_END_TIME=soon "${short[@]}" --run soon
expect 0 "warning: how much time .*PBS_WALLTIME is '-5'.*--time-limit" env PBS_WALLTIME=-5 "${short[@]}" --run before
rm bin/squeue
expect 0 'warning: how much time .*squeue: cannot be started: No such file.*--time-limit' in_job PATH=/nowhere "${short[@]}" --run unheard
expect 2 'time-limit.*auto, or a duration' "${short[@]}" --run x --time-limit never
# Kept for the end: more when a checkpoint is large (20 million values at 50 MB/s, as long as none has been measured).
expect 0 'stops 0:00:0[67] before' "${short[@]}" --run large --time-limit 1000 --embed 512 --hidden 1024 --batch 1 --window 1
grep -qx 'time-limit = auto' squeue/config.ini && grep -qx 'time-limit = 1000' option/config.ini || bad "config.ini: $(grep time-limit ./*/config.ini)"
finish
