#!/bin/bash
# launch/test.sh [--faults] [CTEST_OPTION...]: installs what is needed, builds, and runs the default test suite (all labels but
# `long`, `bench` and `slurm`). Options of ctest that choose and show tests are handed on: `launch/test.sh -L unit`,
# `launch/test.sh -R resume`; see ctest --help. Safe to repeat.
#   launch/test.sh -L slurm    the batch scripts under a real Slurm, on this machine alone; its packages are installed for that
#   launch/test.sh --faults    every experiment with faults, at full length, and a table with a row for each: held or broken
#   launch/test.sh --platforms [NAME...]   builds and tests in root file systems of other systems; see --platforms --help
# The build tree is build-test; SEQ_BUILD_OPTIONS holds further CMake options, for instance
#   SEQ_BUILD_OPTIONS="-DSEQ_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=Debug" SEQ_BUILD=build-sanitize launch/test.sh
#   SEQ_BUILD_OPTIONS="-DSEQ_SANITIZE=thread -DCMAKE_BUILD_TYPE=Debug" SEQ_BUILD=build-thread launch/test.sh -R 'unit|golden|comm|overlap|background_save'
source "$(dirname "$0")/common.sh"
[ "${1:-}" != --platforms ] || exec "$root/tests/platforms/run.sh" "${@:2}"

usage() {
  printf 'test.sh: %s\nusage: launch/test.sh [--faults] [CTEST_OPTION...], launch/test.sh --platforms [NAME...]; see --help\n' "$*" >&2
  exit 2
}

# ctest passes over what it does not know (`-Rresume`, `--timeout=9` ...) and would run everything.
check_options() {
  while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
      sed -n '2,/^source/{/^source/d;s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    --faults | -N | --show-only | --show-only=* | --print-labels | -V | --verbose | -VV | --extra-verbose | -Q | --quiet | --debug | --progress) ;;
    --output-on-failure | --rerun-failed | --stop-on-failure | --schedule-random | --no-label-summary | --no-tests=* | -U | --union) ;;
    -j | --parallel) [[ ! ${2:-} =~ ^[0-9]+$ ]] || shift ;;
    -j[0-9]*) ;;
    -L | --label-regex | -LE | --label-exclude | -R | --tests-regex | -E | --exclude-regex | -I | --tests-information | -O | --output-log | --output-junit | \
      -FA | --fixture-exclude-any | -FS | --fixture-exclude-setup | -FC | --fixture-exclude-cleanup | --repeat | --repeat-until-fail | --timeout | \
      --stop-time | --test-load | --resource-spec-file | --max-width | --test-output-size-passed | --test-output-size-failed | --test-output-truncation)
      [ $# -gt 1 ] || usage "$1: a value is missing"
      shift
      ;;
    *) usage "$1: not an option of this script, nor one of ctest that is handed on" ;;
    esac
    shift
  done
}
check_options "$@"

wanted_programs+=(ip readelf h5dump)
excluded='long|bench|slurm'
if [[ " $* " =~ \ --faults\ |slurm ]]; then
  wanted_programs+=(slurmctld munged)
  [[ ! " $* " =~ \ --faults\  ]] || wanted_programs+=(h5py) # another reader of checkpoints
  excluded='long|bench'
fi
say_skipped() { grep -ah '^skipped: ' Testing/Temporary/LastTest.log | sort -u || true; } # and why
launcher_environment
build=$root/${SEQ_BUILD:-build-test}
say "Building in $build"
read -ra options <<<"${SEQ_BUILD_OPTIONS:-}"
configure_and_build "$build" -DSEQ_TESTS=ON ${options[@]+"${options[@]}"}
say "Testing"
cd "$build"
arguments=() faults=
for argument in "$@"; do
  if [ "$argument" = --faults ]; then faults=yes; else arguments+=("$argument"); fi
done
set -- ${arguments[@]+"${arguments[@]}"}
if [ $faults ]; then
  export FAULT_TABLE=$build/faults.tsv
  : >"$FAULT_TABLE"
  code=0
  ctest --output-on-failure -L faults -j "$cores" "$@" || code=$?
  say_skipped
  sort -s -t $'\t' -k 8,8 "$FAULT_TABLE" | awk -F '\t' -f "$root/tests/support/faults.awk" || code=1
  exit $code
fi
code=0
ctest --output-on-failure -LE "$excluded" -j "$cores" "$@" || code=$?
say_skipped
exit $code
