# The host that runs mpirun and its supervisor is lost, or its link is cut: the ranks of the other host end with one message in the run
# directory, no process stays on either, and launch/run.sh on the other host goes on to the bytes of a run that nothing happened to.
# Long: 1800
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
source "$SUPPORT/ranks.sh"
hosts_begin 2
whole=$((${SCALE:-1} >= 10))
prepare_train
limit=4

processes() { # of host K, but for those that are dead already
  ip netns pids "$(host_name "$1")" | xargs -r ps -o stat=,pid=,args= -p | grep -v '^Z'
}

no_rank_on() { ! processes "$1" | grep -q -- '/seqtrain --data'; }
# ranks_end K: until no rank is left on host K.
ranks_end() {
  wait_for no_rank_on "$1"
}

# hosts_are_empty K...: launchers of a host get 12 seconds to end by themselves (30 under launch/run.sh); here they may take as long as
# they like, but for ever.
hosts_are_empty() {
  local host left tries
  for host in "$@"; do
    for ((tries = 0; tries < 1800; tries++)); do
      left=$(processes "$host")
      [ -n "$left" ] || break
      sleep 0.1
    done
    [ -z "$left" ] || bad "processes are left on host $host: $left"
  done
}

supervised() { # supervised NAME OPTION...
  hosts_supervised "${@:2}" --hang-timeout $limit --probe-timeout 20 --start-timeout 120 -- "${train[@]}" --run "$work/$1"
}
plain() { hosts_mpirun 4 "${train[@]}" --run "$work/$1" --hang-timeout $limit; }

# harmed NAME MESSAGE COMMAND JOB...: that happens after step 50 to a job that host 1 has started; then the other host goes on.
harmed() {
  local name=$1 text=$2 fault=$3 job begun file
  shift 3
  hosts_file
  meets 1 "$1" "$name" "${@:2}" >"log.$name" 2>&1 &
  job=$!
  wait_for_checkpoint "$name" 50 $job
  begun=$(now)
  $fault "$name"
  ranks_end 2
  detected=$(since "$begun")
  hosts_are_empty 1 2
  gone=$(since "$begun")
  wait $job
  code=$?
  file=$name/hang/verdict
  [ -s "$file" ] || file=$name/hang/lost
  grep -Eq "$text" "$file" || bad "$name: '$text' is not in $file: $(cat "$file")"
  [ "$(grep -c '^seqtrain: error' "log.$name")" -le 1 ] || bad "$name: several messages: $(grep '^seqtrain: error' "log.$name")"
  here=2
  begun=$(now)
  supervised "$name" >"log.again" 2>&1 || bad "$name: the other host does not go on: $(tail -5 log.again)"
  recovered=$(since "$begun")
  here=1
  host_mend 1
  hosts_settle
  if [ "$fault" = kill_host ]; then # the host itself is well
    grep -q 'start 1: 4 ranks on 10.77.0.1 10.77.0.2; from the checkpoint of step' log.again || bad "$name: no start from a checkpoint: $(grep run.sh log.again)"
  else
    grep -q 'dropped host 10.77.0.1: it cannot be reached' log.again || bad "$name: host 1 was not dropped: $(grep run.sh log.again)"
    grep -q 'start 1: 2 ranks on 10.77.0.2; from the checkpoint of step' log.again || bad "$name: no start from a checkpoint: $(grep run.sh log.again)"
  fi
  grep -q '^the last job on this run: ' log.again || bad "$name: the new job does not say how the last one ended: $(cat log.again)"
  same_tree whole/checkpoints "$name/checkpoints"
  no_process_left "$name"
}

kill_host() { kill -KILL $(ip netns pids "$(host_name 1)") 2>/dev/null; }
lose() { # as a host without power: nothing is said to the others
  host_cut 1
  kill_host
}
cut_link() {
  host_cut 1
  wake "$1"
}
gone_1="rank 0 \(host seq1-$tag, process [0-9]+\) does not answer .* in step $where or shortly before; rank 1 \(host seq1-$tag, .* does not answer"
waits="(rank 0 \(host seq1-$tag, .*)?rank [0-3] \(host seq[12]-$tag, process [0-9]+\) (waits for a message that does not come \(the network\?\)|does not answer .*) in step $where"
same='one message, no process left, the other host goes on to the same bytes'

experiment "2 hosts: the one with mpirun lost (processes killed, link down)" "$same"
harmed plain-lost "no progress for $limit s .*: $gone_1" lose plain
outcome 1 "as expected; hosts empty after $gone s" "$detected" "$recovered"
[ $whole -eq 1 ] || finish

experiment "2 hosts: the one with launch/run.sh and mpirun lost" "$same"
harmed lost "no progress for $limit s .*: $gone_1" lose supervised
outcome 1 "as expected; hosts empty after $gone s" "$detected" "$recovered"

experiment "2 hosts: all processes killed on the one with launch/run.sh" "$same"
harmed killed "$gone_1" kill_host supervised
outcome 1 "as expected; hosts empty after $gone s" "$detected" "$recovered"

experiment "2 hosts: all processes killed on the one with mpirun, long before the limit (10 min)" "$same"
limit=600
harmed early "the launcher ends the job: $gone_1" kill_host supervised
limit=4
outcome 1 "as expected; hosts empty after $gone s" "$detected" "$recovered"

experiment "2 hosts: link of the one with mpirun cut for good" "$same"
harmed plain-cut "$waits" cut_link plain
[ "$code" -eq 137 ] || bad "mpirun's exit code is $code, expected 137"
outcome 1 "as expected; hosts empty after $gone s" "$detected" "$recovered"

experiment "2 hosts: link of the one with launch/run.sh cut for good" "exit code 6; $same"
harmed cut "$waits" cut_link supervised --max-restarts 0
[ "$code" -eq 6 ] || bad "the supervisor's exit code is $code, expected 6"
outcome 1 "as expected; hosts empty after $gone s" "$detected" "$recovered"
finish
