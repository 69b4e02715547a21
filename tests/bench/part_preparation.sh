# seqprep on 50 MB of made-up words whose frequencies follow Zipf's law, in megabytes a second of processor time.
source "$(dirname "$0")/support.sh"
text=$WORK/text.txt

# Word k of 60,000 is spelled by the digits of k in syllables, frequent words being short; lines of 5 to 24 words.
make_text() {
  awk -v bytes=50e6 'BEGIN {
    srand(1)
    syllables = split("the a in ta ro ne li su mo ka de vi or an el pu sha ber ing ton", syllable, " ")
    types = 60000
    for (k = 1; k <= types; k++)
      for (rest = k; rest > 0; rest = int(rest / syllables)) word[k] = word[k] syllable[1 + rest % syllables]
    while (written < bytes) {
      line = ""
      for (left = 5 + int(20 * rand()); left > 0; left--) line = line word[int(exp(rand() * log(types)))] " "
      written += length(line) + 1
      print line "end."
    }
  }' >"$text"
}

make_text
megabytes=$(calc "$(stat -c %s "$text") / 1e6")
for unit in word char byte; do
  rates=() ratios=()
  for round in 1 2 3; do
    rm -rf "$WORK/prepared"
    reference=$(processor_seconds wc -w "$text")
    seconds=$(processor_seconds "$BUILD/seqprep" --unit "$unit" --quiet --output "$WORK/prepared" "$text")
    rates+=("$(calc "$megabytes / $seconds")")
    ratios+=("$(calc "$reference / $seconds")")
  done
  report preparation "$unit" "$(printf '%s\n' "${rates[@]}" | median)" MB/s 3 "$(printf '%s\n' "${ratios[@]}" | median)" \
    "wc -w's speed"
done
rm -rf "$text" "$WORK/prepared"
