# Shared by the shell tests; sourced. The programs come in the variables SEQPREP, SEQTRAIN, SEQSAMPLE, SEQPREDICT, SEQEVAL, SEQINFO.
set -u
export LC_ALL=C.UTF-8
# Launchers put NUL bytes among the messages of a job (PRRTE, of Open MPI 5, does):
# without -a, all that grep then says of a log is that it is binary.
grep() { command grep -a "$@"; }
source "$SOURCE/launch/launcher.sh"
launcher_environment 1
work=$(mktemp -d)
launcher_scratch=$work
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
slower=1 # factor for time limits
if [ -n "${SANITIZE:-}" ]; then # a report fails the test, whatever was to become of the program that made it
  export ASAN_OPTIONS=${ASAN_OPTIONS:-}:log_path=$work/.report TSAN_OPTIONS=${TSAN_OPTIONS:-}:log_path=$work/.report
  slower=10
  export UBSAN_OPTIONS=print_stacktrace=1:log_path=$work/.report
fi

bad() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# needs_fault_points: skips the test in a build without them (SEQ_CRASH_AT, SEQ_HOLD_AT).
needs_fault_points() {
  grep -q SEQ_HOLD_AT "$SEQTRAIN" && return
  echo "skipped: this build has no fault points (SEQ_FAULT_INJECTION)" >&2
  exit 77
}

# expect CODE TEXT COMMAND...: exit code and a text (extended regular expression) in what it prints.
expect() {
  local code=$1 text=$2 got=0
  shift 2
  rm -f "$work/.codes"
  "$@" >"$work/.out" 2>&1 </dev/null || got=$?
  got=$(rank_code "$work/.codes" "$got")
  if [ "$got" -ne "$code" ]; then
    bad "exit code $got, expected $code: $*"
    tail -5 "$work/.out" >&2
  elif ! grep -Eq -- "$text" "$work/.out"; then
    bad "'$text' is not in the output of: $*"
    tail -5 "$work/.out" >&2
  fi
  no_report "$*"
}

# no_report CONTEXT: no sanitizer has found anything since the last call.
no_report() {
  local report
  for report in "$work"/.report.*; do
    [ -s "$report" ] || continue
    bad "a sanitizer reports, $1: $(cat "$report")"
    rm "$report"
  done
}

# A row of the table that launch/test.sh --faults prints. experiment NAME EXPECTED begins it; outcome RUNS [HAPPENED [DETECTED
# [RECOVERED]]] ends it: how often it ran, what happened when that says more than `as expected`, seconds (or -) until the fault was
# detected and until the job was at work again. held: nothing has called bad in between.
experiment() {
  experiment=$1 expected=$2 failures_before=$failures
}

outcome() {
  local verdict=held happened=${2:-as expected}
  if [ "$failures" -gt "$failures_before" ]; then
    verdict=broken
    [ -n "${2:-}" ] || happened="$((failures - failures_before)) deviations, see the test's output"
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$experiment" "$1" "$expected" "$happened" "${3:--}" "${4:--}" $verdict "$(basename "$0" .sh)" |
    tee -a "${FAULT_TABLE:-/dev/null}"
}

now() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; } # seconds since a now
longer() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", (b > a ? b : a) }'; }   # of two numbers

same() { cmp -s "$1" "$2" || bad "$1 and $2 differ"; }
same_tree() { diff -r "$1" "$2" >&2 || bad "$1 and $2 differ"; }
absent() { [ ! -e "$1" ] || bad "$1 exists"; }

# has_openblas TEXT: whether it is installed; else what is left out is said.
has_openblas() {
  ldconfig -p 2>/dev/null | grep -q 'libopenblas\.so\.0' && return
  echo "skipped: $1 (OpenBLAS is not installed)" >&2
  return 1
}

# with_mpi COMMAND...: leaks are looked for in processes without MPI only: it unloads its components before the end, so theirs
# carry the names of whatever lies at their addresses.
with_mpi() { ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 "$@"; }

# mpi_command RANKS [WORD [VALUE]]...: sets the array `launch`, as launcher_command does. Some launchers lose the exit codes of ranks or
# make others of them: there each rank notes its own in $codes ($work/.codes, where `expect` looks).
codes=$work/.codes
mpi_command() {
  launcher_command "$@"
  [ $launcher_truthful = yes ] || launch+=(bash "$SUPPORT/noting.sh" "$codes")
}

# rank_code FILE CODE: the exit code of a job. The first that a rank has noted and that is not 0 or a signal of the launcher counts; CODE,
# the launcher's, where there is none (9: a rank was killed, as Hydra puts it).
rank_code() {
  local noted
  noted=$(grep -vxs 0 "$1" | sort -s -k 1,1 | awk '$1 < 128 {print; found = 1; exit} {last = $1} END {if (!found) print last}')
  if [ -n "$noted" ]; then
    echo "$noted"
  elif [ -n "$launcher_kind" ] && [ "$launcher_truthful" = no ] && [ "$2" -eq 9 ]; then
    echo 137
  else
    echo "$2"
  fi
}

# run_mpi RANKS COMMAND...
run_mpi() {
  local code=0 codes=$work/.codes.$BASHPID.$RANDOM
  mpi_command "$1"
  with_mpi "${launch[@]}" "${@:2}" || code=$?
  code=$(rank_code "$codes" $code)
  rm -f "$codes"
  return "$code"
}

# wait_for COMMAND...: until it succeeds, ten minutes at most, which bears a machine that is loaded tenfold: what waits is not what is
# tested. Conditions: or_ended PROCESS COMMAND..., stands PROCESS (stopped, or dead), is_gone PROCESS.
wait_for() {
  local end=$((SECONDS + 600 * slower))
  until "$@"; do
    [ $SECONDS -lt $end ] || { bad "ten minutes have not made it true: $*"; return 1; }
    sleep 0.02
  done
}
or_ended() { "${@:2}" >/dev/null 2>&1 || ! kill -0 "$1" 2>/dev/null; }
stands() { grep -q '^State:.[TZ]' "/proc/$1/status" 2>/dev/null || [ ! -e "/proc/$1" ]; }
is_gone() { ! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }
has_lines() { [ "$(grep -cE -- "$2" "$1" 2>/dev/null)" -ge "${3:-1}" ]; } # has_lines FILE TEXT [COUNT]

# was_killed CODE: of a job one of whose ranks was killed: 137; 6 when the others
# notice before the launcher does; $launcher_lost when the MPI library is the first.
was_killed() { [ "$1" -eq 137 ] || [ "$1" -eq 6 ] || [ "$1" = "${launcher_lost:-}" ]; }

# A little text with structure, of our own making: verse N repeats words by the digits of N.
make_text() {
  awk -v count="$1" 'BEGIN {
    split("the river runs under old stone bridges and people watch it from their windows", w, " ")
    for (i = 1; i <= count; i++) {
      line = ""
      for (j = 0; j < 5 + i % 4; j++) line = line (j ? " " : "") w[1 + (i * i + 3 * j * (i % 5 + 1)) % 14]
      print line "."
    }
  }'
}

finish() {
  no_report "somewhere in this test"
  [ "$failures" -eq 0 ] || exit 1
  exit 0
}
