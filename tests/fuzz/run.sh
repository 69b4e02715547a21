#!/bin/bash
# tests/fuzz/run.sh SECONDS [TARGET...]: every fuzz target (or those named) for so many seconds, one after another, with clang's
# libFuzzer and the address and undefined sanitizers, from the corpus in tests/fuzz/corpus. Prints a table; fails when one of them
# crashed, hung (10 s) or took more than 512 MiB. Input that did so and what was found on the way stay in FUZZ_OUT (./build-fuzz/out).
set -eu
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${FUZZ_BUILD:-$root/build-fuzz}
out=${FUZZ_OUT:-$build/out}
mkdir -p "$out"
targets=("$@")
[ $# -gt 0 ] || targets=($(cd "$root/tests/fuzz" && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/'))
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" -DSEQ_FUZZ=ON -DSEQ_MPI=OFF \
  ${FUZZ_CMAKE_OPTIONS:-} >"$out/cmake.log" 2>&1 || { cat "$out/cmake.log"; exit 1; }
cmake --build "$build" --target "${targets[@]/#/fuzz_}" >"$out/build.log" 2>&1 || { tail -20 "$out/build.log"; exit 1; }
export LSAN_OPTIONS=suppressions=$root/tests/support/lsan.supp
failed=0
printf '%-12s %12s %9s %9s %8s  %s\n' target executions coverage features seconds verdict
for name in "${targets[@]}"; do
  mkdir -p "$out/$name"
  log=$out/$name.log begun=$SECONDS verdict=clean
  (cd "$out" && "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$out/$name-" "$out/$name" "$root/tests/fuzz/corpus/$name") >"$log" 2>&1 </dev/null || {
    verdict="FAILED: $log"
    failed=1
  }
  printf '%-12s %12s %9s %9s %8s  %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)" "$(grep -o 'ft: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)" \
    $((SECONDS - begun)) "$verdict"
done
exit $failed
