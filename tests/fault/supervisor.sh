# launch/run.sh on several hosts whose ranks are stopped and killed, that are lost, whose link is cut: exit code 6 when it may not start
# again, and when it may, the bytes of a run that nothing happened to.
# Long: 1800
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
source "$SUPPORT/ranks.sh"
hosts_begin 2
whole=$((${SCALE:-1} >= 10))
prepare_train
limit=4
starts='0 5' # --max-restarts of the jobs that are harmed

# harmed NAME MESSAGE COMMAND [RANK]: that happens after step 50 to a job that may not start again, then to one that may.
harmed() {
  local name=$1 text=$2 restarts job got begun
  shift 2
  for restarts in $starts; do
    hosts_file
    got=0
    rm -rf "$work/$name"
    meets "${2:-3}" hosts_supervised --max-restarts $restarts --hang-timeout $limit --probe-timeout 20 --start-timeout 120 -- "${train[@]}" --run "$work/$name" >"log.$name" 2>&1 &
    job=$!
    wait_for_checkpoint "$name" 50 $job
    begun=$(now)
    "$@" "$name"
    wait_for_text "log.$name" 'end of start 1' $job
    detected=$(since "$begun")
    wait_for_text "log.$name" 'start 2|exit code 6' $job
    recovered=$(since "$begun")
    wait $job || got=$?
    host_mend 2
    hosts_settle
    [ -z "$text" ] || one_message "log.$name" "$text"
    no_process_left "$name"
    if [ $restarts -eq 0 ]; then
      [ $got -eq 6 ] || bad "$name: exit code $got, expected 6: $(tail -5 "log.$name")"
      continue
    fi
    [ $got -eq 0 ] || bad "$name: exit code $got, expected 0 after a restart: $(tail -5 "log.$name")"
    grep -q 'start 2: .* from the checkpoint of step' "log.$name" || bad "$name: no restart from a checkpoint: $(grep run.sh "log.$name")"
    grep -q 'dropped host 10.77.0.2' "log.$name" || bad "$name: host 2 was not dropped: $(grep run.sh "log.$name")"
    same_tree whole/checkpoints "$name/checkpoints"
  done
}

stop() { kill -STOP "$(rank_process "$2" "$1")"; }
die() { kill -KILL "$(rank_process "$2" "$1")"; }
lose() { host_lose 2; }
cut_link() {
  host_cut 2
  wake "$1"
}

place() { echo "rank $1 \(host seq$2-$tag, process [0-9]+\)"; }
gone="$(place 2 2) does not answer .* in step $where.*; $(place 3 2) does not answer"

# lost NAME MESSAGE: harmed by the loss of host 2. Open MPI 5 notices that by itself
# and kills its ranks a quarter of a second later: it names the host, they cannot.
lost() {
  [ -n "$launcher_kind" ] || launcher_find
  if [ $launcher_kind = openmpi5 ]; then
    harmed "$1" '' lose
    grep -q "Remote daemon: .* on node $(host_name 2)" "log.$1" || bad "$1: host 2 is not named: $(head -40 "log.$1")"
  else
    harmed "$1" "$2" lose
  fi
}

[ $whole -eq 1 ] || starts=0
experiment "2 hosts: rank 3 stopped (SIGSTOP)" "one message; exit 6, or a restart without the host and the same bytes"
harmed stopped "$(place 3 2) does not answer .* in step $where" stop 3
outcome $((1 + whole)) "as expected" "$detected" "$recovered"

[ $whole -eq 1 ] || starts=5
experiment "2 hosts: one lost in mid-step (processes killed, link down)" "one message; exit 6, or a restart without the host and the same bytes"
lost lost "$gone"
outcome $((1 + whole)) "as expected" "$detected" "$recovered"

[ $whole -eq 1 ] || finish
experiment "2 hosts: rank 2 killed (SIGKILL)" "one message; exit 6, or a restart without the host and the same bytes"
harmed killed "$(place 2 2) has died in step $where" die 2
outcome 2 "as expected" "$detected" "$recovered"

experiment "2 hosts: one lost, long before the limit (10 min)" "mpirun notices, the ranks that it ends say who is gone; exit 6, or a restart"
limit=600
lost early "the launcher ends the job: $gone"
limit=4
outcome 2 "as expected" "$detected" "$recovered"

experiment "2 hosts: link cut for good" "one message; exit 6, or a restart without the host and the same bytes"
harmed cut "waits for a message that does not come \(the network\?\) in step $where" cut_link
outcome 2 "as expected" "$detected" "$recovered"

experiment "2 hosts: link cut for 2 seconds" "the job survives; same bytes"
cut_for_seconds() { # SIGNAL NAME PROCESS
  host_cut 2
  kill -CONT "$3"
  sleep 2
  host_mend 2
}
hosts_file
HOOK=cut_for_seconds signal_at train-update:60:3 - seconds hosts_supervised --hang-timeout 60 -- "${train[@]}" --run "$work/seconds"
[ $code -eq 0 ] || bad "exit code $code: $(tail -5 log.seconds)"
[ "$(grep -c 'start [0-9]*:' log.seconds)" -eq 1 ] || bad "started more than once: $(grep run.sh log.seconds)"
same_tree whole/checkpoints seconds/checkpoints
no_process_left seconds
outcome 1

# interrupted NAME MOMENT: Ctrl-C at the supervisor of a job on one host.
interrupt() { # SIGNAL NAME PROCESS
  kill "-$1" -- "-$job"
  await_signal "$3"
}
interrupted() {
  local name=$1 job step command=(setsid env --default-signal=INT "$SOURCE/launch/run.sh" --np 2 -- "${train[@]}" --run "$work/$1")
  if [ "$2" = start ]; then
    code=0
    "${command[@]}" >"log.$name" 2>&1 &
    job=$!
    wait_for_text "log.$name" 'start 1' $job
    kill -INT -- -$job
    wait $job || code=$?
  else
    HOOK=interrupt signal_at train-update:60:1 INT "$name" "${command[@]}"
  fi
  [ $code -eq 75 ] || bad "$name: exit code $code, expected 75: $(tail -5 "log.$name")"
  no_process_left "$name"
  expect 0 finished "${train[@]}" --run "$work/$name"
  for step in whole/checkpoints/*; do # it has one more, of the moment
    same_tree "$step" "$name/checkpoints/${step##*/}"
  done
}
experiment "launch/run.sh: Ctrl-C while mpirun starts, and in training" "exit code 75, no process left; same bytes after going on"
interrupted started start
interrupted trained training
outcome 2
finish
