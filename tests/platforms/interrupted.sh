#!/bin/bash
# A row of launch/test.sh --platforms that is told to end, or killed, in the middle of its build leaves no process and no mount, and
# no result that a later call would believe.
source "$SUPPORT/common.sh"
cache=${SEQ_PLATFORMS_CACHE:-/var/tmp/seqtrain-platforms}
run=$SOURCE/tests/platforms/run.sh

left() { # processes in the row's root file system, mounts of it
  local process
  for process in /proc/[0-9]*; do
    case $(readlink "$process/root" 2>/dev/null) in "$cache"/row*) echo "process ${process#/proc/}" ;; esac
    if grep -qs " $cache/row" "$process/mountinfo"; then echo "mounts of ${process#/proc/}"; fi
  done
}

for signal in TERM KILL; do
  "$run" --again debian12 >out 2>&1 &
  job=$!
  log='' # the newest, once it says that the build has begun
  until [ -n "$log" ] || ! kill -0 $job 2>/dev/null; do
    sleep 0.5
    log=$(grep -ls '^== Building' "$cache"/results/*/debian12.log.part || true)
  done
  if [ -z "$log" ]; then
    code=0
    wait $job || code=$?
    if [ $code -eq 77 ]; then
      echo "skipped: $(sed -n 's/^debian12 .*\(not tried.*\)/\1/p' out)" >&2
      exit 77
    fi
    bad "the row did not come to its build: $(tail -n 3 out)"
    break
  fi
  [ -n "$(left)" ] || bad "the row runs, and its processes are not seen"
  kill -$signal $job
  code=0
  wait $job || code=$?
  if [ $signal = TERM ]; then
    [ $code -eq 143 ] || bad "SIGTERM: exit code $code"
    grep -q 'interrupted; the rows that are done are kept' out || bad "SIGTERM: $(tail -n 1 out)"
    [ ! -e "$cache/row" ] || bad "SIGTERM: $cache/row is left"
  fi
  for try in {1..100}; do
    [ -n "$(left)" ] || break
    sleep 0.1
  done
  [ -z "$(left)" ] || bad "SIG$signal: left: $(left)"
  [ ! -e "${log%.log.part}" ] || bad "SIG$signal: a result of a row that did not end"
  rm -f "$log"
done
finish
