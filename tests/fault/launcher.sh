# What launch/run.sh makes of exit codes, hosts and signals, with an mpirun of the test's own: it does what the file `plan` says for
# each start (exit code, checkpoint that it leaves, host that it blames, last line of its metrics; `-` is none). The
# file `version` says what it is.
source "$SUPPORT/common.sh"
mkdir -p bin run
cat >bin/mpirun <<'END'
#!/bin/bash
[ "$1" != --version ] || { cat version; exit 0; }
start=$(($(cat starts 2>/dev/null || echo 0) + 1))
echo $start >starts
echo "$*" >>calls
while [ $# -gt 0 ]; do
  [ "$1" != --hostfile ] || cp "$2" "hosts.$start"
  shift
done
read -r code step blamed last < <(sed -n "${start}p" plan)
[ "$code" != unbegun ] || exit 1
[ "$code" != early ] || { echo waiting >waiting; exec sleep 1000; }
echo "session $start" >run/.session
rm -rf run/hang
[ "${step:--}" = - ] || { mkdir -p "run/checkpoints/step-$(printf %09d "$step")"; touch "run/checkpoints/step-$(printf %09d "$step")/manifest.json"; }
[ "${blamed:--}" = - ] || { mkdir run/hang; printf 'somebody hangs\nhosts: %s\n' "$blamed" >run/hang/verdict; }
[ -n "${last:-}" ] || [ "$code" != 0 ] || last=end
case ${last:--} in
-) ;;
*) echo "{\"event\": \"$last\", \"step\": 3}" >>run/metrics.jsonl ;;
esac
case $code in
wait) trap 'exit 75' USR1; echo waiting >waiting; while :; do sleep 0.1; done ;;
never) trap '' TERM; sleep 1000 ;;
esac
exit "$code"
END
# Hosts: `gone` and `unknown` are not there, `motd` talks, `lost` is there until it is to be cleaned, `slow` takes its time for that.
cat >bin/agent <<'END'
#!/bin/bash
host=$1
shift
case "$host $*" in
gone*) exit 255 ;;
unknown*) echo "ssh: Could not resolve hostname unknown: Name or service not known" >&2; exit 255 ;;
motd*) echo "Welcome to motd"; echo "Have a nice day"; echo 4 ;;
"lost sh -s" | "waits uname"*) echo waiting >waiting; exec sleep 1000 ;;
"slow sh -s") echo waiting >waiting; for try in {1..12000}; do [ ! -e signalled ] || break; sleep 0.05; done ;;
*uname*) echo "$host-label"; echo 3 ;;
esac
END
printf '%s\n' '#!/bin/bash' >bin/seqtrain
printf '%s\n' '#!/bin/bash' 'echo "options"' 'echo "  replicas               12"' >bin/seqinfo
chmod 755 bin/*
export PATH=$work/bin:$PATH MPIEXEC=$work/bin/mpirun
echo 'mpirun (Open MPI) 4.1.4' >version
continue_with() { # continue_with PLAN OPTION...: lines of the plan are separated by `;`
  rm -rf starts calls hosts.? waiting
  tr ';' '\n' <<<"$1" >plan
  shift
  "$SOURCE/launch/run.sh" "$@" -- bin/seqtrain --run run --hidden 8
}
supervise() { # in a new run directory
  rm -rf run
  mkdir run
  continue_with "$@"
}
starts_are() { [ "$(cat starts)" -eq "$1" ] || bad "$(cat starts) starts, expected $1"; }

experiment "launcher: exit codes" "0, 2, 3, 4, 5, 7, 75 end it, all else is started again and is 6 in the end"
for code in 0 2 3 4 5 7 75; do
  expect $code "exit code $code$" supervise "$code" --np 4
  starts_are 1
done
for code in 1 14 137; do
  expect 0 "exit code 0$" supervise "$code 10;0" --np 4
  starts_are 2
  expect 6 "gave up: 0 restarts.*exit code 6$" supervise "$code" --np 4 --max-restarts 0
done
expect 6 "gave up: 3 restarts" supervise "6 10;6 20;6 30;6 40;0" --np 4 --max-restarts 3
starts_are 4
expect 6 "gave up: no checkpoint newer than that of step 10 in two restarts" supervise "6 10;6;137;0" --np 4
starts_are 3
expect 0 "done" supervise "6 10;6;6 20;6;0" --np 4
starts_are 5
outcome 22

# code_is EXPECTED CODE TRUTHFUL [LAST [VERDICT [MESSAGE]]]: job_code of a run with this last event (`-`: its session has not begun).
code_is() {
  local got
  rm -rf judged
  mkdir -p judged/hang
  [ "${4:--}" = - ] || echo "$4" >judged/.session
  case ${4:-} in
  numbers) echo '{"event": "bad_number", "step": 3, "action": "stop"}' ;;
  *) echo "{\"event\": \"${4:-}\", \"step\": 3}" ;;
  esac >judged/metrics.jsonl
  [ -z "${5:-}" ] || echo 'somebody hangs' >"judged/hang/$5"
  echo "${6:-}" >judged/errors
  got=$(source "$SOURCE/launch/common.sh" && launcher_truthful=$3 && job_code "$2" judged '' judged/errors)
  [ "$got" = "$1" ] || bad "exit code $got of a job, expected $1: $*"
}
experiment "launcher: exit codes that are not those of the ranks" "0 without the run's word is 6; from Hydra, 2 to 7 without a message are signals"
said='seqtrain: error: what was wrong'
for truthful in yes no; do
  code_is 0 0 $truthful end
  code_is 6 0 $truthful step
  code_is 6 0 $truthful -
  code_is 6 0 $truthful end verdict
  code_is 6 0 $truthful step lost
  code_is 75 0 $truthful stop
  code_is 5 0 $truthful numbers
  code_is 1 1 $truthful step
  for code in 2 3 4 5 7; do
    code_is $code $code $truthful - '' "$said"
    code_is $code $code $truthful step '' "$said"
  done
done
for code in 2 3 4 5 7; do
  code_is $code $code yes step
  code_is 1 $code no step
  code_is 6 $code no step verdict "$said"
done
code_is 137 137 yes step verdict
code_is 75 9 no stop
code_is 5 13 no numbers '' "$said"
code_is 9 9 no step
expect 0 "is 0, but that of the run is 6" supervise "0 10 - step;0 20" --np 2
starts_are 2
of_path() { local MPIEXEC=; supervise "$@"; } # where no build is near that says which
expect 0 "exit code 0$" of_path 0 --np 2
starts_are 1
echo 'HYDRA build details:' >version
expect 0 "is 4, but that of the run is 1" supervise "4 10 - step;0" --np 2
echo 'mpirun (Open MPI) 4.1.4' >version
outcome 58

experiment "launcher: hosts that do not answer or are named" "dropped; ranks become R / 2^k, else a divisor"
printf '%s\n' '# ours' 'a slots=4' 'b slots = 4 # old' '' 'c' 'gone slots=4' >hosts
expect 0 "dropped host gone: it cannot be reached" supervise "6 10 b-label x;6 20 a-label;0" --hosts hosts --agent "$work/bin/agent" --np 8
grep -q 'dropped host b: named' .out && grep -q 'dropped host a: named' .out || bad "the named hosts were not dropped: $(cat .out)"
printf 'a slots=4\nb slots=4\nc slots=3\n' | diff - hosts.1 >&2 || bad "hosts of the first start"
printf 'c slots=3\n' | diff - hosts.3 >&2 || bad "hosts of the third start"
[ "$(grep -o -- '-n [0-9]*' calls | tr '\n' ' ')" = "-n 8 -n 4 -n 2 " ] || bad "ranks: $(grep -o -- '-n [0-9]*' calls | tr '\n' ' '), expected 8, 4, 2"
[ "$(grep -c -- '--replicas 8' calls)" -eq 3 ] || bad "the replicas were not said to seqtrain"
expect 0 "start 1: 6 ranks" continue_with 0 --np 8 # of the 12 replicas that the checkpoint tells
grep -q -- '--replicas 12' calls || bad "the replicas of the checkpoint were not said to seqtrain"
expect 0 "kept host a: named in the failure, but there is no other" supervise "6 10 a-label;0" --hosts <(echo a slots=2) --agent "$work/bin/agent"
expect 6 "no host is left" supervise "0" --hosts <(echo gone) --agent "$work/bin/agent"
expect 0 "not as R / 2" supervise "6 10;0" --replicas 9 --np 8
[ "$(grep -o -- '-n [0-9]*' calls | tr '\n' ' ')" = "-n 3 -n 3 " ] || bad "ranks of 9 replicas: $(cat calls)"
outcome 5

experiment "launcher: hosts that cannot be reached" "named with the reason and dropped, nothing waits for them"
expect 0 "dropped host unknown: it cannot be reached: ssh: Could not resolve hostname unknown" supervise 0 --hosts <(printf 'unknown\na slots=2\n') --agent "$work/bin/agent"
printf 'a slots=2\n' | diff - hosts.1 >&2 || bad "hosts beside an unknown one"
expect 0 "dropped host motd: asked for its name and cores .uname -n; nproc., it says 'Welcome to motd' and 'Have a nice day'" supervise 0 \
  --hosts <(printf 'motd\na slots=2\n') --agent "$work/bin/agent"
expect 0 "dropped host waits: it does not answer within 1 s" supervise 0 --hosts <(printf 'waits\na slots=2\n') --agent "$work/bin/agent" --probe-timeout 1
expect 0 "dropped host lost: processes of the job that are left there cannot be ended: it does not answer within 1 s" supervise "6 10;0" \
  --hosts <(printf 'a slots=2\nlost slots=2\n') --agent "$work/bin/agent" --probe-timeout 1 --np 4
printf 'a slots=2\n' | diff - hosts.2 >&2 || bad "hosts after one was lost"
[ "$(grep -o -- '-n [0-9]*' calls | tr '\n' ' ')" = "-n 4 -n 2 " ] || bad "ranks: $(cat calls)"
outcome 4

experiment "launcher: host files" "comments, blank lines, ends of lines, a host twice; what is not understood is named with its line"
printf '# all\n\n  a slots=2 # first\r\n\tb\r\nc slots = 1\n  \na slots=1\nb\n' >hosts
expect 0 "6 ranks on a b c" supervise 0 --hosts hosts --agent "$work/bin/agent" --np 6
printf 'a slots=3\nb slots=3\nc slots=1\n' | diff - hosts.1 >&2 || bad "hosts of the file"
for line in 'a slots=0' 'a slots=-1' 'a slots=x' 'a slots=08' 'a slot=4' 'a b' 'slots=4' 'a slots=2 max_slots=4'; do
  printf 'z slots=1\n%s\n' "$line" >hosts
  expect 2 "hosts, line 2: .* is expected, not '$line'; see --help" supervise 0 --hosts hosts --agent "$work/bin/agent"
done
expect 2 "names no host" supervise 0 --hosts <(printf '# none\n\n')
outcome 10

experiment "launcher: mpirun that does not end" "killed, started again"
expect 0 "mpirun does not end by itself .seqtrain has said why.: it is killed" supervise "never - nobody;0" --np 2
starts_are 2
outcome 1

experiment "launcher: starts that do not reach the run directory" "the next one comes after a pause, which a signal ends with 75"
begun=$SECONDS
expect 0 "the next one comes in 2 s" supervise "unbegun;0 10" --np 2 --pause 2
starts_are 2
[ $((SECONDS - begun)) -ge 2 ] || bad "no pause"
expect 6 "gave up: no checkpoint in two restarts" supervise "unbegun;unbegun;unbegun;0" --np 2 --pause 0
supervise unbegun --np 2 --pause 1000 >log.txt 2>&1 &
wait_for has_lines log.txt "comes in 1000 s"
job=$(pgrep -f -- "^/bin/bash $SOURCE/launch/run.sh --np 2 --pause 1000")
kill -TERM $job
code=0
wait $! || code=$?
[ $code -eq 75 ] || bad "SIGTERM in a pause: exit code $code: $(cat log.txt)"
outcome 3

# signalled PLAN HOST SIGNAL CODE TEXT: comes when something waits; `-SIGNAL`: to the process group, as Ctrl-C.
signalled() {
  local code=0 left
  rm -rf run starts calls waiting signalled
  mkdir run
  tr ';' '\n' <<<"$1" >plan
  setsid env --default-signal=INT,HUP "$SOURCE/launch/run.sh" --np 2 --hosts <(echo "$2 slots=2") --agent "$work/bin/agent" --probe-timeout 100 \
    -- bin/seqtrain --run run >log.txt 2>&1 &
  job=$!
  wait_for [ -e waiting ]
  case $3 in
  -*) kill "$3" -- -$job ;;
  *) kill "-$3" $job ;;
  esac
  [ "$2" != slow ] || { sleep 0.3; touch signalled; }
  wait $job || code=$?
  [ $code -eq "$4" ] || bad "$*: exit code $code: $(cat log.txt)"
  grep -q "$5" log.txt || bad "$*: '$5' is not said: $(cat log.txt)"
  for try in {1..100}; do # dying takes a moment
    left=$(ps -s $job -o stat=,pid=,args= | grep -v '^Z')
    [ -n "$left" ] || break
    sleep 0.1
  done
  [ -z "$left" ] || bad "$*: processes are left: $left"
}
experiment "launcher: SIGTERM, SIGINT, SIGHUP while it asks the hosts, before the session, while it runs, between two starts" \
  "a checkpoint where there is a session; exit code 75, no process left"
for signal in TERM -INT HUP; do
  signalled 0 waits $signal 75 "stopped as asked; "
  [ ! -e starts ] || bad "started although it was asked to stop"
  signalled "early" a $signal 75 "stopped as asked, before it had begun"
  signalled "wait" a $signal 75 "stopped early with a checkpoint"
  signalled "6 10;0" slow $signal 75 "stopped as asked; "
  starts_are 1
done
outcome 12

for wrong in "--np 0" "--nonsense" "--hosts nowhere --np 1" "--max-restarts x"; do
  expect 2 "see --help" supervise 0 $wrong
done
expect 2 "seqtrain OPTIONS is missing" "$SOURCE/launch/run.sh" --np 2
expect 2 "run is missing" "$SOURCE/launch/run.sh" --np 2 -- bin/seqtrain --hidden 8
expect 0 "max-restarts K" "$SOURCE/launch/run.sh" --help
finish
