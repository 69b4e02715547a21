# Memory that ranks share where /dev/shm is small (64 MB in a container), full or missing, and where there is too little of any: the
# bytes of one process, or exit code 7 with the need, what is free and the remedies; never a bus error.
# Long: 900
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
whole=$((${SCALE:-1} >= 10))
launcher_environment 0
make_text 2000 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data "$work/data" --replicas 2 --layers 1 --embed 16 --batch 2 --window 4 --steps 2 --epochs 1 --no-checkpoint-background
  --compression none --hang-timeout 1h)
mpi_command 2
two=("${launch[@]}")
mpi_command 4
four=("${launch[@]}")
large=(--hidden 900) # some 80 MB among two ranks
medium=(--hidden 400)
expect 0 finished "${train[@]}" "${large[@]}" --run large

# mounted SETTING... -- COMMAND...: DIRECTORY=SIZE mounts a small tmpfs there, for this command alone.
mounted() {
  unshare -m bash -c 'mount --make-rprivate / || exit 77
    while [ "$1" != -- ]; do mount -t tmpfs -o size="${1#*=}" tmpfs "${1%=*}" || exit 77; shift; done
    cd "$0" && shift && exec "$@"' "$work" "$@"
}
may_mount=yes
mounted /dev/shm=1m -- true 2>/dev/null || { may_mount=; echo "skipped: a tmpfs cannot be mounted over /dev/shm here (not root, or a container without the right)" >&2; }
needs='the 2 ranks of host .* need [0-9.]+ MB, and [0-9.]+ MB is free.*--shm-size.*a smaller model a node'

if [ $may_mount ]; then
  experiment "/dev/shm of 64 MB, the model needs more" "memory files instead; the bytes of one process"
  expect 0 finished mounted /dev/shm=64m -- "${two[@]}" "${train[@]}" "${large[@]}" --run "$work/small-shm"
  same_tree large/checkpoints small-shm/checkpoints
  outcome 1
fi

experiment "less memory on the host than the ranks need" "exit 7: the need, what is free, the remedies; the same command line goes on later"
expect 7 "$needs" env SEQ_FREE_MEMORY=30000000 "${two[@]}" "${train[@]}" "${large[@]}" --run "$work/poor"
if [ $whole -eq 1 ]; then
  expect 7 'the 1 rank of host .* needs [0-9.]+ MB' env SEQ_FREE_MEMORY=30000000 "${train[@]}" "${large[@]}" --run "$work/poor"
  expect 7 'the 2 ranks of host' env SEQ_FREE_MEMORY=30000000 SEQ_RANKS_PER_NODE=1 "${two[@]}" "${train[@]}" "${large[@]}" --run "$work/poor"
  expect 0 finished run_mpi 2 "${train[@]}" "${large[@]}" --run "$work/poor"
  same_tree large/checkpoints poor/checkpoints
fi
outcome $((1 + 3 * whole))
[ $whole -eq 1 ] || finish

expect 0 finished "${train[@]}" "${medium[@]}" --run medium
experiment "memory files cannot be shared" "files in /dev/shm, no warning; nothing is left there"
expect 0 finished env SEQ_NO_MEMORY_FILES=1 "${two[@]}" "${train[@]}" "${medium[@]}" --run "$work/shm"
grep -q 'warning' .out && bad "a warning without need: $(grep warning .out)"
same_tree medium/checkpoints shm/checkpoints
[ -z "$(find /dev/shm -name 'seqtrain-memory-*' 2>/dev/null)" ] || bad "files are left: $(ls /dev/shm)"
outcome 1

if [ $may_mount ]; then
  experiment "memory files cannot be shared, /dev/shm too small" "files on a disk, a warning that says so; the bytes of one process"
  mkdir disk
  if [ "$(stat -f -c %T disk)" = tmpfs ]; then
    echo "skipped: $work is no disk" >&2
  else
    expect 0 'warning: neither memory files nor /dev/shm can hold the [0-9.]+ MB .*--shm-size' \
      mounted /dev/shm=16m -- env TMPDIR="$work/disk" SEQ_NO_MEMORY_FILES=1 "${two[@]}" "${train[@]}" "${medium[@]}" --run "$work/on-disk"
    same_tree medium/checkpoints on-disk/checkpoints
    [ -z "$(ls disk | grep seqtrain-memory-)" ] || bad "files are left: $(ls disk)"
  fi
  outcome 1

  experiment "no room for what the ranks share anywhere" "exit 7: the need, what is free, the remedies"
  mkdir small
  expect 7 "$needs" mounted /dev/shm=16m /var/tmp=8m "$work/small=8m" -- env TMPDIR="$work/small" SEQ_NO_MEMORY_FILES=1 \
    unshare -m bash -c 'cp -r "$0" /var/tmp/data && mkdir /var/tmp/build && mount --bind "$1" /var/tmp/build &&
      mount -t tmpfs -o size=50m tmpfs /tmp && exec "${@:2}"' "$work/data" "$(dirname "$SEQTRAIN")" \
    "${two[@]}" /var/tmp/build/seqtrain "${train[@]:1}" "${large[@]}" --data /var/tmp/data --run /var/tmp/run # the build may lie in /tmp
  outcome 1

  experiment "/dev/shm smaller than what the MPI library puts there" "its files go to a disk, or messages through the network; no bus error, nothing said"
  for size in 1m 4m 12m; do
    expect 0 finished mounted /dev/shm=$size -- "${four[@]}" "${train[@]}" "${medium[@]}" --replicas 4 --run "$work/mpi-$size"
    grep -Eiq 'not enough space|bus error' .out && bad "/dev/shm of $size: $(grep -Ei 'space|bus' .out)"
  done
  outcome 3
fi

experiment "a control group with less memory than the ranks need" "exit 7: the need, what is free, the remedies; nobody is killed"
group=/sys/fs/cgroup/memory/seqtrain-test-$$
if mkdir "$group" 2>/dev/null && echo 400M >"$group/memory.limit_in_bytes"; then
  expect 7 'the 2 ranks of host .* need [0-9.]+ [MG]B, and [0-9.]+ MB is free.*of 419.4 MB free in the control group.*a smaller model' \
    bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "${two[@]}" "${train[@]}" --hidden 3000 --run "$work/grouped"
  grep -q '^oom_kill 0$' "$group/memory.oom_control" || bad "the system has killed: $(cat "$group/memory.oom_control")"
  for tries in $(seq 100); do rmdir "$group" 2>/dev/null && break; sleep 0.1; done # its processes are ending
  outcome 1
else
  echo "skipped: a control group of cgroup 1 cannot be made here" >&2
fi

experiment "the system kills a rank of 2 that takes more than its control group has" "one message: killed, memory is the likely reason, with the figures"
group=$group-killed
if mkdir "$group" 2>/dev/null && echo 300M >"$group/memory.limit_in_bytes"; then
  launcher_environment 1 # the other rank is to have the second that it has by default
  rm -f "$codes"
  bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "${two[@]}" "${train[@]}" --hidden 256 --batch 400 --window 400 --run "$work/killed" >log.killed 2>&1
  was_killed "$(rank_code "$codes" $?)" || bad "killed: $(tail -3 log.killed)"
  launcher_environment 0
  one_message log.killed "has died in step 0, .*; it was killed \(SIGKILL\), the likely reason is want of memory: .* of 314.5 MB free in the control group.*the system has killed [1-9][0-9]* process.*before its first checkpoint"
  for tries in $(seq 100); do rmdir "$group" 2>/dev/null && break; sleep 0.1; done
  outcome 1
else
  echo "skipped: a control group of cgroup 1 cannot be made here" >&2
fi

experiment "a rank of 2 dies of SIGBUS" "exit 7, one message: memory is the likely reason, with the figures"
rm -rf data
prepare_train
bus() {
  local job got=0
  run_mpi 2 "${train[@]}" --run "$work/bus" --hang-timeout 60 >log.bus 2>&1 &
  job=$!
  wait_for_checkpoint bus 50 $job
  kill -BUS "$(rank_process bus 1)"
  wait $job || got=$?
  [ $got -eq 7 ] || bad "bus: exit code $got, expected 7: $(tail -3 log.bus)"
  one_message log.bus "rank 1 \(host $(uname -n), process [0-9]+\): bus error \(SIGBUS\) in step $where; the likely reason is want of memory: the host's ranks share [0-9.]+ MB, [0-9.]+ [MG]B of .* free on the host"
  no_process_left bus
}
bus
outcome 1

experiment "a rank stands still while memory is shared" "one message: step 0, sharing memory; no word of a checkpoint at a first start"
got=0
SEQ_HANG="1 0 2" run_mpi 2 "${train[@]}" --run "$work/stands" --hang-timeout 3 >log.stands 2>&1 || got=$?
[ $got -eq 6 ] || bad "stands: exit code $got, expected 6"
one_message log.stands 'rank 1 .* hangs in step 0, sharing memory; the job ends before its first checkpoint'
outcome 1
finish
