# What a program costs before it does anything: wall time of --version, and threads and memory when all its libraries are there.
source "$(dirname "$0")/support.sh"
gate=$WORK/gate
mkfifo "$gate"

milliseconds() { # COMMAND... -> of one run
  local from=${EPOCHREALTIME/./}
  "$@" >/dev/null 2>>"$log"
  calc "(${EPOCHREALTIME/./} - $from) / 1000"
}

# status PID NAME...: numbers of /proc/PID/status, one a line.
status() {
  local name
  for name in "${@:2}"; do awk -v name="$name:" '$1 == name {print $2}' "/proc/$1/status"; done
}

# loaded COMMAND...: threads, peak of the address space and of memory (kB) of a program that is about to print: the pipe is full.
loaded() {
  exec 9<>"$gate"
  head -c 65536 /dev/zero >&9
  "$@" >&9 2>>"$log" 9>&- &
  local waiting=$! looks asleep=0
  for looks in $(seq 200); do
    sleep 0.02
    if [ "$(status $waiting State)" = S ]; then asleep=$((asleep + 1)); else asleep=0; fi
    [ $asleep -lt 5 ] || break
  done
  status $waiting Threads VmPeak VmHWM
  kill -KILL $waiting
  wait $waiting 2>/dev/null || true
  exec 9>&-
}

for program in seqprep seqtrain seqsample seqpredict seqeval seqinfo; do
  times=()
  for run in $(seq 21); do times+=("$(milliseconds "$BUILD/$program" --version)"); done
  { read -r threads && read -r space && read -r memory; } < <(loaded "$BUILD/$program" --version)
  report start "$program" "$(printf '%s\n' "${times[@]}" | median)" ms 21
  report start "$program, threads" "$threads" threads 1
  report start "$program, address space" "$(calc "$space / 1024")" MiB 1
  report start "$program, memory" "$(calc "$memory / 1024")" MiB 1
done
