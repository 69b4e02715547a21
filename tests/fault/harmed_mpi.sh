# An MPI library that gives less than it is asked for, one that never returns from the exchange of gradients, in the exchange's own
# thread or in the main thread, and one that takes a signal for itself.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
[ -z "${SANITIZE:-}" ] || { echo "skipped: the sanitizers want to be loaded before our shim" >&2; exit 77; }
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data "$work/data" --replicas 4 --layers 2 --hidden 24 --embed 8 --batch 2 --window 10 --epochs 9 --steps 24
  --checkpoint-every 8 --validate-every 15 --keep 99 --bucket 4000)
expect 0 finished "${train[@]}" --run whole
ranks() { # ranks COUNT [NAME=VALUE...] RUN OPTION...: each is a node of its own
  local count=$1 settings=()
  shift
  while [[ $1 = *=* ]]; do
    settings+=("$1")
    shift
  done
  run_mpi "$count" env LD_PRELOAD="$BUILD/tests/support/libseq_harmed_mpi.so" SEQ_RANKS_PER_NODE=1 ${settings[@]+"${settings[@]}"} \
    "${train[@]}" --run "$work/$1" "${@:2}"
}

# level LEVEL OVERLAP [RANK]: of MPI, on all ranks or one.
level() {
  local run=level-$1-$2-${3:-all} one=()
  [ $# -lt 3 ] || one=(SEQ_MPI_RANK="$3")
  expect 0 finished ranks 2 SEQ_MPI_LEVEL="$1" ${one[@]+"${one[@]}"} "$run" --overlap "$2"
  same_tree whole/checkpoints "$run/checkpoints"
  if [ "$1" -lt 3 ] && [ "$2" != off ]; then
    grep -q 'warning: --overlap: .* does not serve several threads' .out || bad "$run: no warning"
  else
    ! grep -q 'warning: --overlap' .out || bad "$run: a warning without need"
  fi
}
experiment "MPI below MPI_THREAD_MULTIPLE, between nodes" "--overlap on and auto: a warning, exchanged after backward; off: nothing said; same bytes"
level 0 on
level 1 off
level 2 auto
level 3 on
outcome 4
experiment "MPI below MPI_THREAD_MULTIPLE on one rank of 2" "all ranks exchange after backward; same bytes"
level 1 on 1
outcome 1

# hangs OVERLAP: rank 1 in the 10th message of the gradient's exchange.
hangs() {
  local begun got=0 run=hangs-$1
  begun=$(now)
  ranks 4 SEQ_MPI_HANGS=10 SEQ_MPI_RANK=1 "$run" --overlap "$1" --hang-timeout 3 >"log.$run" 2>&1 || got=$?
  took=$(since "$begun")
  [ $got -eq 6 ] || bad "$run: exit code $got, expected 6: $(tail -3 "log.$run")"
  one_message "log.$run" "rank 1 \(host $(uname -n), process [0-9]+\) .* in step [0-9]+, exchange of gradients"
  no_process_left "$run"
  expect 0 finished "${train[@]}" --run "$work/$run"
  same_tree whole/checkpoints "$run/checkpoints"
}
experiment "exchange of gradients never returns on rank 1 of 4" "one message with rank, host, step and stage; exit code 6 on all; same bytes after going on"
hangs on
hangs off
outcome 2 "as expected" "$took"

# fails OVERLAP RANK: that rank's 10th message.
fails() {
  local got=0 run=fails-$1-$2
  ranks 2 SEQ_MPI_FAILS=10 SEQ_MPI_RANK="$2" "$run" --overlap "$1" --hang-timeout 1000 >"log.$run" 2>&1 || got=$?
  [ $got -eq 6 ] || bad "$run: exit code $got, expected 6: $(tail -3 "log.$run")"
  [ "$(grep -Ec "^seqtrain: rank $2: exchanging gradients: (MPI_ERR_OTHER|Other MPI error)" "log.$run")" -eq 1 ] || bad "$run: no message, or several: $(tail -3 "log.$run")"
  no_process_left "$run"
  expect 0 finished "${train[@]}" --run "$work/$run"
  same_tree whole/checkpoints "$run/checkpoints"
}
experiment "exchange of gradients fails on rank 0 or 1 of 2" "its message, exit code 6 without the watchdog; same bytes after going on"
fails on 0
fails off 1
outcome 2

experiment "MPI_Finalize never returns on rank 1 of 4" "one message, exit code 6 on all; the run is complete"
begun=$(now)
code=0
ranks 4 SEQ_MPI_STAYS=1 SEQ_MPI_RANK=1 stays --hang-timeout 3 >log.stays 2>&1 || code=$?
[ $code -eq 6 ] || [ $code -eq 139 ] || bad "stays: exit code $code, expected 6: $(tail -3 log.stays)" # 139: mpirun (4.1.4) has crashed over ranks that leave its fence
[ "$(grep -c "MPI_Finalize does not return for 3 s" log.stays)" -eq 1 ] || bad "stays: no message, or several: $(cat log.stays)"
no_process_left stays
same_tree whole/checkpoints stays/checkpoints
outcome 1 "as expected" "$(since "$begun")"

experiment "rank 0 of 2 stopped when all is done" "the other rank says so and leaves; the run is complete"
begun=$(now)
code=0
SEQ_HOLD_AT=lock.releasing:1:0 run_mpi 2 "${train[@]}" --run "$work/silent" --hang-timeout 3 >log.silent 2>&1 || code=$?
[ $code -eq 6 ] || [ $code -eq 139 ] || bad "silent: exit code $code, expected 6: $(tail -3 log.silent)"
[ "$(grep -c "MPI_Finalize does not return for 3 s" log.silent)" -eq 1 ] || bad "silent: no message, or several: $(cat log.silent)"
no_process_left silent
same_tree whole/checkpoints silent/checkpoints
outcome 1 "as expected" "$(since "$begun")"

experiment "a rank that never answers the first message, as an older program" "one message with the likely reasons, exit code 6, no run directory"
begun=$(now)
code=0
ranks 2 SEQ_MPI_SILENT=1 SEQ_MPI_RANK=1 older --hang-timeout 1 >log.older 2>&1 || code=$?
[ $code -eq 6 ] || [ $code -eq 139 ] || bad "older: exit code $code, expected 6: $(tail -3 log.older)"
[ "$(grep -c "do not come to agree on what they start for 1 s (--hang-timeout): a rank runs an older seqtrain" log.older)" -eq 1 ] || bad "older: no message, or several: $(cat log.older)"
no_process_left older
absent older
outcome 1 "as expected" "$(since "$begun")"

# Open MPI 5 and MPICH may be linked with UCX, which takes SIGHUP before main;
# Open MPI 4 loads it in MPI_Init.
taken=(LD_PRELOAD="$BUILD/tests/support/libseq_harmed_mpi.so" SEQ_MPI_HANGUP=1)
experiment "SIGHUP taken by a library before main and in MPI_Init" "ignored at the start (nohup): the work goes on; else a checkpoint, 75; same bytes"
for mpi in no yes; do
  signal_at train-update:5 HUP ignored-$mpi env --ignore-signal=HUP "${taken[@]}" "${train[@]}" --mpi $mpi --run "$work/ignored-$mpi"
  [ $code -eq 0 ] || bad "SIGHUP ignored, --mpi $mpi: exit code $code, expected 0: $(tail -3 "log.ignored-$mpi")"
  same_tree whole/checkpoints ignored-$mpi/checkpoints
  signal_at train-update:5 HUP obeyed-$mpi env --default-signal=HUP "${taken[@]}" "${train[@]}" --mpi $mpi --run "$work/obeyed-$mpi"
  [ $code -eq 75 ] || bad "SIGHUP, --mpi $mpi: exit code $code, expected 75: $(tail -3 "log.obeyed-$mpi")"
  grep -q 'stopped by SIGHUP' log.obeyed-$mpi || bad "SIGHUP is not named: $(tail -3 log.obeyed-$mpi)"
done
outcome 4

experiment "exchange destroyed while its thread hangs in MPI" "given up, the process goes on to its end; exit code 6 on all"
expect 6 'rank 0: destroyed' run_mpi 2 "$BUILD/tests/mpi/mpi_test_hung_exchange"
outcome 1
finish
