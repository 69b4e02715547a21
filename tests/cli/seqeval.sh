# seqeval: the figures of a split, the sum of scores, and its refusals.
source "$SUPPORT/common.sh"
make_text 400 >text.txt
train=(--layers 1 --hidden 24 --embed 12 --batch 4 --window 12 --steps 200 --epochs 99 --lr 0.01)
expect 0 train "$SEQPREP" --unit char --eos line --valid 0.1 --test 0.05 -o chars text.txt
expect 0 finished "$SEQTRAIN" --data chars --run run-chars "${train[@]}"
expect 0 train "$SEQPREP" --unit word --punctuation split --min-count 200 --valid 0.1 -o words text.txt
expect 0 finished "$SEQTRAIN" --data words --run run-words "${train[@]}"
expect 2 "run-words: one RUN.CHECKPOINT is evaluated at a time" "$SEQEVAL" run-chars run-words
expect 2 "runs: needs --gold, or runs" "$SEQEVAL" run-chars --runs 2

field() { "$SEQEVAL" --quiet "$@" 2>/dev/null | awk -v key="$field_name" '$1 == key {print $2}'; }
figure() { field_name=$1; shift; field "$@"; }
close() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN {d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t)}' || bad "$4: $1 and $2"; }

for run in chars words; do
  loss=$(figure loss run-$run)
  close "$(figure perplexity run-$run)" "$(awk "BEGIN {print exp($loss)}")" 0.001 "$run: perplexity is e^loss"
  close "$(figure bits_per_token run-$run)" "$(awk "BEGIN {print $loss / log(2)}")" 0.0001 "$run: bits per token"
  # The text of the split, scored line by line with the state carried, has the loss of the split.
  tokens=$(figure tokens run-$run)
  total=$(wc -l <text.txt)
  if [ $run = words ]; then
    for lines in $(seq 30 60); do # the split begins at a line
      tail -n "$lines" text.txt >valid.txt
      scored=$("$SEQEVAL" run-$run --quiet --score valid.txt --carry 2>/dev/null | awk -F'\t' '{n += $2} END {print n}')
      [ "$scored" = "$tokens" ] && break
    done
  fi
done
[ "$scored" = "$(figure tokens run-words)" ] || bad "no number of lines has the tokens of the split"
"$SEQEVAL" run-words --quiet --score valid.txt --carry >scores.txt
close "$(awk -F'\t' '{s -= $1; n += $2} END {print s / n}' scores.txt)" "$(figure loss run-words)" 0.0002 "sum of the scores and loss of the split"
unknown=$(awk -F'\t' '{u += $3; n += $2} END {print u / n}' scores.txt)
close "$unknown" "$(figure unk_rate run-words)" 0.00001 "unk rate"
awk "BEGIN {exit !($unknown > 0)}" || bad "the test has lost its point: no <unk> in the split"
close "$(figure loss run-chars --batch 8)" "$(figure loss run-chars)" 0.1 "several streams"
expect 0 '"perplexity": *[0-9.]+' "$SEQEVAL" run-chars --json
expect 0 "split *test" "$SEQEVAL" run-chars --split test

# Sentences.
printf 'the river runs.\nthe stone\n\nwindows xyz\n' >lines.txt
expect 0 "the river runs." "$SEQEVAL" run-words --score lines.txt
"$SEQEVAL" run-words --quiet --score lines.txt >nats
"$SEQEVAL" run-words --quiet --score lines.txt --log-base 10 >tens
"$SEQEVAL" run-words --quiet --score lines.txt --log-base 2 >bits
[ "$(wc -l <nats)" -eq 4 ] || bad "4 lines give $(wc -l <nats) scores"
close "$(awk -F'\t' 'NR == 1 {print $1}' nats)" "$(awk -F'\t' 'NR == 1 {print $1 * log(10)}' tens)" 0.001 "base 10"
close "$(awk -F'\t' 'NR == 1 {print $1}' nats)" "$(awk -F'\t' 'NR == 1 {print $1 * log(2)}' bits)" 0.001 "base 2"
[ "$(awk -F'\t' 'NR == 1 {print $2}' nats)" = 5 ] || bad "words, the full stop and <eos> are 5 tokens, not $(head -1 nats)"
[ "$(awk -F'\t' 'NR == 4 {print $3}' nats)" -ge 1 ] || bad "the unknown word is not counted: $(sed -n 4p nats)"
close "$(awk -F'\t' 'NR == 1 {print $1 / $2}' nats)" "$(awk -F'\t' 'NR == 1 {print $4}' nats)" 0.0001 "average"
"$SEQEVAL" run-words --quiet --score lines.txt --per-token >details
close "$(awk -F'\t' 'NR == 1 {print $1}' details)" "$(awk -F'\t' 'NR > 1 && NR <= 6 {for (i = 1; i <= NF; i++) if ($i ~ /^ *-?[0-9.]+(e-?[0-9]+)?$/) {s += $i; break}} END {print s}' details)" 0.001 "sum over the tokens"
"$SEQEVAL" run-words --quiet --score - <lines.txt | cmp -s - nats || bad "standard input gives other scores"
tac lines.txt >reversed.txt
"$SEQEVAL" run-words --quiet --score reversed.txt | tac | cmp -s - nats || bad "lines are not scored on their own"

expect 2 "split" "$SEQEVAL" run-chars --split dev
expect 3 "data set .*words has no test split; --split: train, valid$" "$SEQEVAL" run-words --split test
expect 3 "batch 60000: the valid split of .* has [0-9]+ tokens" "$SEQEVAL" run-words --batch 60000
expect 2 "json: of a split, not with --score" "$SEQEVAL" run-words --score lines.txt --json
expect 3 "missing" "$SEQEVAL" run-words --score missing
printf 'ok\n\xff\n' >invalid.txt
expect 3 "invalid.txt.*2" "$SEQEVAL" run-words --score invalid.txt
expect 3 "vocabulary" "$SEQEVAL" run-words --data chars
expect 3 "missing" "$SEQEVAL" run-words --data missing
expect 4 "missing" "$SEQEVAL" missing
expect 2 "log-base" "$SEQEVAL" run-words --score lines.txt --log-base 3
expect 2 "log-base: needs --score" "$SEQEVAL" run-words --log-base 2
finish
