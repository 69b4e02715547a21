# seqpredict and seqeval --score of a model of pairs: a line for a line, the same bytes in any batch, never below greedy search, the
# n best in Moses' form, forced and forbidden words, lengths, attention as table and picture, and scores that both programs agree on.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # some dozen small files, each synced to its disk
source "$SUPPORT/common.sh"
awk 'BEGIN {
  srand(3); split("eins zwei drei vier", de, " "); split("one two three four", en, " ")
  for (n = 0; n < 160; n++) {
    a = b = ""; length_ = 1 + int(rand() * 5)
    for (i = 0; i < length_; i++) { k = 1 + int(rand() * 4); a = a (i ? " " : "") de[k]; b = (i % 2 ? en[k] " " b : b (i ? " " : "") en[k]) }
    print a >"train.de"; print b >"train.en"
  }
}'
"$SEQPREP" --quiet --task translate --source train.de --target train.en -o data || bad "seqprep"
"$SEQTRAIN" --data data --run run --layers 1 --hidden 12 --embed 8 --bidirectional --batch 16 --lr 0.02 --epochs 12 --quiet || bad "seqtrain"
predict() { "$SEQPREDICT" run --quiet "$@" 2>.err || bad "$* fails: $(cat .err)"; }
{ head -40 train.de; printf '\n  \nsieben eins &\n'; } >in

# A line for a line, and the same bytes in any batch, part and number of threads.
predict in >out
[ "$(wc -l <out)" -eq 43 ] && [ -z "$(sed -n 41,42p out | tr -d '\n')" ] || bad "lines: $(tail -3 out)"
[ "$(grep -c . out)" -eq 41 ] || bad "an output is empty"
predict --format json --best 3 in >json
for batch in 1 7 1000; do predict --format json --best 3 --batch $batch --threads 3 in | cmp -s - json || bad "--batch $batch"; done
for part in 1 2 3; do predict --part $part/3 --format json --best 3 in; done | cmp -s - json || bad "--part"
grep -q '^{"index":42,"input":"sieben eins &","output":".*","score":-.*,"normalised_score":-.*,"truncated":false,"greedy_score":-.*,"oov":2,"source":\["<unk>","eins","<unk>"\],"target":\[".*"\],"attention":\[\[.*,"alternatives":\[{"output":' json ||
  bad "json: $(tail -1 json)"

# Scores: never below greedy search's, which is --beam 0; Moses' list has them, too.
predict --format tsv in >table
predict --format tsv --beam 0 in >greedy
predict --format tsv --beam 1 in | cmp -s - greedy || bad "--beam 1 is not greedy search"
paste table greedy | awk -F'\t' 'NR > 1 && ($5 < $6 || $6 != $13 || $12 != $4 && $5 <= $13 && $3 != $11) {bad = 1} NR > 1 && $5 > $6 {more++} END {exit bad || !more}' ||
  bad "scores: $(paste table greedy | head -5)"
predict --best 3 in >list
grep -Evq '^[0-9]+ \|\|\| .*\|\|\| F0= -?[0-9.e-]+ \|\|\| -?[0-9.e-]+$' list && bad "the list: $(head -3 list)"
[ "$(grep -c '^0 ||| ' list)" -eq 3 ] && [ "$(grep -c '^40 ||| ' list)" -eq 1 ] || bad "the list: $(cut -c1-20 list)"
awk -F' [|][|][|] ' 'NR == 1 || $1 != last {print $2; last = $1}' list | cmp -s - <(sed 's/^  *$//' out) || bad "the list's first are others"

# The other program agrees on ln p, in both forms.
awk -F'\t' 'NR > 1 && $3 != "" {print $2 "\t" $3}' table >pairs
awk -F'\t' 'NR > 1 && $3 != "" {print $4}' table >scores
"$SEQEVAL" run --quiet --score pairs >scored 2>.err || bad "$(cat .err)"
cut -f1 scored | cmp -s - scores || bad "seqeval says $(head -3 scored), seqpredict $(head -3 scores)"
cut -f5- scored | cmp -s - pairs || bad "the texts: $(head -3 scored)"
cut -f1 pairs >sources; cut -f2 pairs >targets
"$SEQEVAL" run --quiet --score sources --target targets 2>.err | cmp -s - scored || bad "two files: $(cat .err)"
"$SEQEVAL" run --quiet --score pairs --per-token --log-base 2 2>.err |
  awk -F'\t' '/^  / {sum += $1; next} NR > 1 && (sum - before > 1e-4 || before - sum > 1e-4) {bad = 1} {before = $1; sum = 0} END {exit bad}' || bad "--per-token"
printf 'eins\n' >lines
expect 3 "score: lines: .*there is no column 2" "$SEQEVAL" run --score lines
printf 'eins\tone\n\nzwei\ttwo\n' >lines
expect 3 "lines line 2: no text and tab" "$SEQEVAL" run --score lines
head -3 targets >fewer
expect 3 "fewer has 3 lines, and there are more items" "$SEQEVAL" run --score sources --target fewer
expect 2 "carry: of a language model" "$SEQEVAL" run --score pairs --carry
expect 2 "target: needs --score" "$SEQEVAL" run --target targets

# Constraints.
predict --min-length 4 --max-length 4 in | awk 'NF && NF != 4 {exit 1}' || bad "lengths"
predict --format tsv --max-length 1 in | awk -F'\t' 'NR > 1 {cut += $8; if (split($3, words, " ") > 1) bad = 1} END {exit bad || !cut}' || bad "--max-length 1"
predict --no-repeat-ngram 1 --length-penalty mean in | awk '{delete seen; for (i = 1; i <= NF; i++) if (seen[$i]++) exit 1}' || bad "--no-repeat-ngram"
predict --no-unk in | grep -q '<unk>' && bad "--no-unk"
sed 's/.*/four one/' in >prefix
predict --prefix prefix in | awk 'NF && $1 $2 != "fourone" {exit 1}' || bad "--prefix"
for part in 1 2; do predict --part $part/2 --prefix prefix in; done | cmp -s - <(predict --prefix prefix in) || bad "--prefix in parts"
head -3 prefix >short
expect 3 "short has 3 lines, and there are more items" "$SEQPREDICT" run --prefix short in
head -3 in >few
expect 3 "prefix line 4: there are 3 items" "$SEQPREDICT" run --prefix prefix few
expect 3 "prefix line 1: 2 units, more than --max-length 1" "$SEQPREDICT" run --prefix prefix --max-length 1 in
expect 2 "line 1: no output keeps to all of --min-length" "$SEQPREDICT" run --min-length 9 --no-repeat-ngram 1 few
expect 2 "best 6: expected at most --beam 5 outputs" "$SEQPREDICT" run --best 6 in
expect 2 "best 0" "$SEQPREDICT" run --best 0 in
expect 2 "min-length 5: above --max-length 3" "$SEQPREDICT" run --min-length 5 --max-length 3 in
expect 2 "lm-weight: of the task transcribe, and run.* is of the task translate" "$SEQPREDICT" run --lm-weight 1 in
expect 2 "length-penalty wu" "$SEQPREDICT" run --length-penalty wu in

# Attention: weights add up to 1, and pictures are well-formed.
predict --attention weights --attention-svg pictures --coverage 0.1 in >covered
awk -F'\t' 'NR > 1 {sum[$1 " " $2] += $6; count++} END {for (row in sum) if (sum[row] < 0.999 || sum[row] > 1.001) exit 1; exit !count}' weights || bad "weights: $(head -3 weights)"
predict --attention /dev/stdout --coverage 0.1 in | grep -Fx -f weights | cmp -s - weights || bad "the table does not go to standard output"
[ "$(ls pictures | wc -l)" -ge 41 ] && [ -s pictures/42.svg ] || bad "pictures: $(ls pictures | head -3)"
if command -v xmllint >/dev/null; then
  for picture in pictures/*.svg; do xmllint --noout "$picture" || bad "$picture"; done
fi
grep -q '&lt;unk&gt;</text>' pictures/42.svg && ! grep -Eq '&([^aglq#]|$)' pictures/42.svg || bad "escapes: $(cat pictures/42.svg)"
awk '{while (match($0, /<\/?[a-z]+[^>]*>/)) {tag = substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH)
  if (tag !~ /\/>$/) open += tag ~ /^<\// ? -1 : 1; if (open < 0) exit 1}} END {exit open != 0}' pictures/42.svg || bad "tags that are left open: $(cat pictures/42.svg)"
finish
