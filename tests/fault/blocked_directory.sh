# A run directory that blocks (its file server is gone): also the watchdog's own files do, and its guard ends the job all the same.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
[ -z "${SANITIZE:-}" ] || { echo "skipped: the sanitizers want to be loaded before our shim" >&2; exit 77; }
prepare_train
shim="$BUILD/tests/support/libseq_hanging_io.so"

# blocked NAME RANK MESSAGE: after step 50 the run directory blocks for that rank (all: for all). One message in all, 6, and the
# bytes of a run that nothing happened to when the directory is back.
blocked() {
  local name=$1 rank=$2 job got=0 begun one=()
  [ "$rank" = all ] || one=(SEQ_IO_RANK="$rank")
  meets 2 run_mpi 4 env LD_PRELOAD="$shim" SEQ_IO_PATH="$work/$name" SEQ_IO_HANGS_WHEN="$work/gone-$name" ${one[@]+"${one[@]}"} \
    "${train[@]}" --run "$work/$name" --hang-timeout 3 >"log.$name" 2>&1 &
  job=$!
  wait_for_checkpoint "$name" 50 $job
  begun=$(now)
  touch "gone-$name"
  wake "$name"
  wait_for_text "log.$name" '^seqtrain: error' $job
  detected=$(since "$begun")
  wait $job || got=$?
  [ $got -eq 6 ] || bad "$name: exit code $got, expected 6: $(tail -3 "log.$name")"
  one_message "log.$name" "$3"
  no_process_left "$name"
  begun=$(now)
  expect 0 finished run_mpi 2 "${train[@]}" --run "$work/$name"
  recovered=$(since "$begun")
  same_tree whole/checkpoints "$name/checkpoints"
}

experiment "run directory blocks for all of 4 ranks" "one message with rank, host, step and stage; exit code 6 on all; same bytes after going on"
blocked all all "the run directory has not answered for [0-9.]+ s: .*rank 0 \(host $(uname -n), process [0-9]+\) hangs in step $where"
outcome 1 "as expected" "$detected" "$recovered"

experiment "run directory blocks for rank 2 of 4" "one message by a rank that can write; exit code 6 on all; same bytes after going on"
blocked one 2 "no progress for 3 s .--hang-timeout.: rank 2 \(host $(uname -n), process [0-9]+\) (does not answer .*|hangs) in step $where"
outcome 1 "as expected" "$detected" "$recovered"
finish
