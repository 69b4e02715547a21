#!/bin/bash
# launch/test.sh [CTEST_OPTION...]: installs what is needed, builds, and runs the default test suite (all labels but
# `long`, `bench` and `slurm`). Options go to ctest: `launch/test.sh -L unit`, `launch/test.sh -R resume`. Safe to repeat.
#   launch/test.sh -L slurm    the batch scripts under a real Slurm, on this machine alone; its packages are installed for that
#   launch/test.sh --faults    every experiment with faults, at full length, and a table with a row for each: held or broken
# The build tree is build-test; SEQ_BUILD_OPTIONS holds further CMake options, for instance
#   SEQ_BUILD_OPTIONS="-DSEQ_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=Debug" SEQ_BUILD=build-sanitize launch/test.sh
#   SEQ_BUILD_OPTIONS="-DSEQ_SANITIZE=thread -DCMAKE_BUILD_TYPE=Debug" SEQ_BUILD=build-thread launch/test.sh -R 'unit|golden|comm|overlap|background_save'
source "$(dirname "$0")/common.sh"
install_packages "${build_packages[@]}" libcmocka-dev iproute2 binutils hdf5-tools
excluded='long|bench|slurm'
if [[ " $* " =~ \ --faults\ |slurm ]]; then
  install_packages slurm-wlm munge
  excluded='long|bench'
fi
say_skipped() { grep -h '^skipped: ' Testing/Temporary/LastTest.log | sort -u || true; } # and why
set_mpi_environment
build=$root/${SEQ_BUILD:-build-test}
say "Building in $build"
read -ra options <<<"${SEQ_BUILD_OPTIONS:-}"
configure_and_build "$build" -DSEQ_TESTS=ON ${options[@]+"${options[@]}"}
say "Testing"
cd "$build"
if [ "${1:-}" = --faults ]; then
  shift
  export FAULT_TABLE=$build/faults.tsv
  : >"$FAULT_TABLE"
  code=0
  ctest --output-on-failure -L faults "$@" || code=$?
  say_skipped
  awk -F '\t' -f "$root/tests/support/faults.awk" "$FAULT_TABLE" || code=1
  exit $code
fi
code=0
ctest --output-on-failure -LE "$excluded" -j "$cores" "$@" || code=$?
say_skipped
exit $code
