# The fuzz targets over their corpus and deterministic changes of it; tests/fuzz/run.sh is the long way, with libFuzzer.
# Long: 900
source "$SUPPORT/common.sh"
total=0
mapfile -t targets < <(cd "$SOURCE/tests/fuzz" && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')
experiment "fuzz: ${targets[*]}" "accepted or refused with a message"
for name in "${targets[@]}"; do
  "$BUILD/tests/fuzz/fuzz_$name" "$SOURCE/tests/fuzz/corpus/$name" $((SCALE * SCALE * 100)) >.out 2>&1 || bad "fuzz_$name: $(tail -3 .out)"
  runs=$(sed -n 's/ executions.*//p' .out)
  [ "${runs:-0}" -gt 100 ] || bad "fuzz_$name: no executions"
  total=$((total + ${runs:-0}))
done
outcome $total
finish
