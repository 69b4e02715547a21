# What launch/run.sh makes of exit codes, hosts and signals, with an mpirun of the test's own: it does what the file `plan` says for
# each start (exit code, checkpoint that it leaves, host that it blames).
source "$SUPPORT/common.sh"
mkdir -p bin run
cat >bin/mpirun <<'END'
#!/bin/bash
start=$(($(cat starts 2>/dev/null || echo 0) + 1))
echo $start >starts
echo "$*" >>calls
while [ $# -gt 0 ]; do
  [ "$1" != --hostfile ] || cp "$2" "hosts.$start"
  shift
done
echo "session $start" >run/.session
rm -rf run/hang
read -r code step blamed < <(sed -n "${start}p" plan)
[ "${step:--}" = - ] || { mkdir -p "run/checkpoints/step-$(printf %09d "$step")"; touch "run/checkpoints/step-$(printf %09d "$step")/manifest.json"; }
[ -z "${blamed:-}" ] || { mkdir run/hang; printf 'somebody hangs\nhosts: %s\n' "$blamed" >run/hang/verdict; }
case $code in
wait) trap 'exit 75' USR1; echo waiting >waiting; while :; do sleep 0.1; done ;;
never) trap '' TERM; sleep 1000 ;;
esac
exit "$code"
END
printf '%s\n' '#!/bin/bash' '[ "$1" != gone ] || exit 255' 'host=$1' 'shift' 'case "$*" in uname*) echo "$host-label"; echo 3 ;; esac' >bin/agent
printf '%s\n' '#!/bin/bash' >bin/seqtrain
printf '%s\n' '#!/bin/bash' 'echo "options"' 'echo "  replicas               12"' >bin/seqinfo
chmod 755 bin/*
export PATH=$work/bin:$PATH
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
for code in 1 137; do
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
outcome 20

experiment "launcher: hosts that do not answer or are named" "dropped; ranks become R / 2^k, else a divisor"
printf '%s\n' '# ours' 'a slots=4' 'b slots = 4 # old' '' 'c' 'gone slots=4' >hosts
expect 0 "dropped host gone: it does not answer" supervise "6 10 b-label x;6 20 a-label;0" --hosts hosts --agent "$work/bin/agent" --np 8
grep -q 'dropped host b: named' .out && grep -q 'dropped host a: named' .out || bad "the named hosts were not dropped: $(cat .out)"
printf 'a slots=4\nb slots=4\nc slots=3\n' | diff - hosts.1 >&2 || bad "hosts of the first start"
printf 'c slots=3\n' | diff - hosts.3 >&2 || bad "hosts of the third start"
[ "$(grep -o -- '-np [0-9]*' calls | tr '\n' ' ')" = "-np 8 -np 4 -np 2 " ] || bad "ranks: $(grep -o -- '-np [0-9]*' calls | tr '\n' ' '), expected 8, 4, 2"
[ "$(grep -c -- '--replicas 8' calls)" -eq 3 ] || bad "the replicas were not said to seqtrain"
expect 0 "start 1: 6 ranks" continue_with 0 --np 8 # of the 12 replicas that the checkpoint tells
grep -q -- '--replicas 12' calls || bad "the replicas of the checkpoint were not said to seqtrain"
expect 0 "kept host a: named in the failure, but there is no other" supervise "6 10 a-label;0" --hosts <(echo a slots=2) --agent "$work/bin/agent"
expect 6 "no host is left" supervise "0" --hosts <(echo gone) --agent "$work/bin/agent"
expect 0 "not as R / 2" supervise "6 10;0" --replicas 9 --np 8
[ "$(grep -o -- '-np [0-9]*' calls | tr '\n' ' ')" = "-np 3 -np 3 " ] || bad "ranks of 9 replicas: $(cat calls)"
outcome 5

experiment "launcher: mpirun that does not end" "killed, started again"
expect 0 "mpirun does not end by itself .seqtrain has said why.: it is killed" supervise "never - nobody;0" --np 2
starts_are 2
outcome 1

experiment "launcher: SIGTERM" "a checkpoint, exit code 75, no other start"
rm -rf run/* starts waiting
echo wait >plan
"$SOURCE/launch/run.sh" --np 2 -- bin/seqtrain --run run >log.txt 2>&1 &
job=$!
until [ -e waiting ]; do sleep 0.05; done
kill -TERM $job
code=0
wait $job || code=$?
[ $code -eq 75 ] || bad "exit code $code, expected 75: $(cat log.txt)"
starts_are 1
outcome 1

for wrong in "--np 0" "--nonsense" "--hosts nowhere --np 1" "--max-restarts x"; do
  expect 2 "see --help" supervise 0 $wrong
done
expect 2 "seqtrain OPTIONS is missing" "$SOURCE/launch/run.sh" --np 2
expect 2 "run is missing" "$SOURCE/launch/run.sh" --np 2 -- bin/seqtrain --hidden 8
expect 0 "max-restarts K" "$SOURCE/launch/run.sh" --help
finish
