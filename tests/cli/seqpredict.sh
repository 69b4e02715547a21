# seqpredict: right answers in the order of the items; alone as in any batch; pipes, parts, formats, and its refusals.
source "$SUPPORT/common.sh"
awk 'BEGIN { srand(4); split("good fine great", p, " "); split("bad poor awful", n, " "); split("film a the plot and of", f, " ");
  for (i = 0; i < 200; i++) { class = int(rand() * 3); line = ""; words = 1 + int(rand() * 9); at = 1 + int(rand() * words);
    for (j = 1; j <= words; j++)
      line = line " " (j == at && class < 2 ? (class ? p[1 + int(rand() * 3)] : n[1 + int(rand() * 3)]) : f[1 + int(rand() * 6)]);
    print (class == 2 ? "none" : class ? "pos" : "neg") line } }' >train.txt
small=(--hidden 16 --layers 1 --embed 8 --batch 10 --lr 0.02)
cut -d' ' -f1 train.txt >gold.txt
cut -d' ' -f2- train.txt >raw.txt
for i in $(seq 12); do cat train.txt; done >often.txt # one epoch, one checkpoint
expect 0 . "$SEQPREP" --task classify --max-length 12 -o data often.txt
expect 0 finished "$SEQTRAIN" --data data --run run --epochs 1 "${small[@]}"
predict() { "$SEQPREDICT" --quiet "$@" 2>err.txt || bad "seqpredict $*: $(cat err.txt)"; }

# What it has learned, in the order of the lines.
predict run raw.txt >text.txt
same gold.txt text.txt
expect 0 "200 items, [0-9]+ units, 0 of them unknown" "$SEQPREDICT" run raw.txt
predict run/checkpoints/step-* raw.txt | cmp -s - text.txt || bad "a checkpoint is not its run"
# Formats: the same answers, an index, the input as it came.
predict run raw.txt --format json --best 2 >whole.json
predict run raw.txt --format tsv --best 2 >whole.tsv
[ "$(head -1 whole.tsv)" = $'index\tinput\toutput\tprobability\tlabels\tprobabilities\toov\ttruncated' ] || bad "header: $(head -1 whole.tsv)"
sed 1d whole.tsv | cut -f2 | cmp -s - raw.txt || bad "tsv: not the input"
sed 1d whole.tsv | cut -f3 | cmp -s - gold.txt || bad "tsv: not the classes"
sed 1d whole.tsv | cut -f1 | cmp -s - <(seq 0 199) || bad "tsv: not the index"
awk -F'\t' 'NR > 1 { split($5, label, " "); split($6, p, " "); if (label[1] != $3 || p[1] != $4 || p[2] > p[1] || p[1] + p[2] > 1.0001) exit 1 }' whole.tsv ||
  bad "tsv: labels and probabilities"
expect 0 'accuracy +1 ' "$SEQEVAL" --gold train.txt --predictions whole.json
predict run --best 3 raw.txt | awk -F'\t' 'NF != 3 || $1 == $2 { exit 1 }' || bad "text: three classes an item"
[ "$(sed 's/.*"labels":\(.*\),"probabilities".*/\1/' whole.json | head -1)" = "$(sed -n 2p whole.tsv | cut -f5 | sed 's/\(.*\) \(.*\)/["\1","\2"]/')" ] || bad "json has other labels than tsv"
# Alone as in any batch, by any number of threads, with any kernels.
for way in '--batch 1' '--batch 7 --threads 3' '--batch 1000' '--threads 2 --kernels portable'; do
  predict run raw.txt --format json --best 2 $way | cmp -s - whole.json || bad "$way gives other answers"
done
sed 's/"index":[0-9]*/"index":0/' whole.json | head -20 >expected.json
head -20 raw.txt | while IFS= read -r line; do predict run --format json --best 2 <<<"$line"; done | cmp -s - expected.json || bad "alone is not as in a batch"
# Parts: one behind the other they are the whole, also when some are empty.
for format in text tsv json; do
  predict run raw.txt raw.txt --format $format >expected.txt
  for parts in 3 7; do
    for part in $(seq $parts); do predict run raw.txt raw.txt --format $format --part $part/$parts; done | cmp -s - expected.txt || bad "$parts parts are not the whole ($format)"
  done
done
printf 'good\nbad\n' >two.txt
for part in 1 2 3 4 5; do predict run two.txt --format tsv --part $part/5; done | cmp -s - <(predict run two.txt --format tsv) || bad "empty parts"
expect 2 "part 0/3: expected I/N" "$SEQPREDICT" run raw.txt --part 0/3
expect 2 "part 4/3: expected I/N" "$SEQPREDICT" run raw.txt --part 4/3
expect 2 "part 1: expected I/N" "$SEQPREDICT" run raw.txt --part 1
expect 2 "standard input cannot be counted first" "$SEQPREDICT" run --part 1/2
# Lines of length 0 and blank ones are items; words that nobody knows are counted; long ones are cut.
printf '\n  \ngood zzz qqq\n\nfilm\n' | predict run --format tsv | sed 1d | cut -f2,7 >out.txt
printf '\t0\n  \t0\ngood zzz qqq\t2\n\t0\nfilm\t0\n' | cmp -s - out.txt || bad "empty lines: $(cat out.txt)"
yes film | head -15 | tr '\n' ' ' >long.txt
expect 0 "warning: 1 items are longer than the 12 units" "$SEQPREDICT" run long.txt --format json
grep -q '"truncated":3}' .out || bad "truncated: $(cat .out)"
predict run </dev/null >out.txt
[ ! -s out.txt ] || bad "no input has answers"
# A pipe that stays open: a line is answered before the next one comes.
coproc "$SEQPREDICT" run --quiet 2>/dev/null
for word in good film bad; do
  echo "$word" >&"${COPROC[1]}"
  read -r -t $((60 * slower)) answer <&"${COPROC[0]}" || bad "$word: no answer"
  case $word=$answer in good=pos | film=none | bad=neg) ;; *) bad "$word: $answer" ;; esac
done
process=$COPROC_PID
exec {COPROC[1]}>&-
wait $process || bad "the pipe's end is an error"
# Other forms of input, packed, several files; form feeds and tabs do not break a row.
gzip -c raw.txt | predict run | cmp -s - gold.txt || bad "packed"
predict run two.txt - two.txt < <(echo film) | tr '\n' ' ' | grep -qx 'pos neg none pos neg ' || bad "several files"
printf '{"text":"a\\tgood\\nfilm"}\n' >one.jsonl
[ "$(predict run --reader jsonl one.jsonl --format tsv | sed 1d | cut -f2,3)" = $'a\\tgood\\nfilm\tpos' ] || bad "jsonl"
printf 'more,text\nx,"bad ""film"""\n' | predict run --reader csv --columns text=text --format json | grep -qF '"input":"bad \"film\"","output":"neg"' || bad "csv"
# Bad input: what came before is answered.
printf 'good\nbad\nx\xffy\n' >broken.txt
expect 3 "broken.txt line 3, column 2: byte 0xff is not UTF-8" "$SEQPREDICT" run broken.txt
[ "$("$SEQPREDICT" run --quiet broken.txt 2>/dev/null | tr '\n' ' ')" = 'pos neg ' ] || bad "lines before a bad one"
printf 'a\0b\n' >broken.txt
expect 3 "broken.txt line 1, column 2: a NUL byte" "$SEQPREDICT" run broken.txt
expect 3 "not text" "$SEQPREDICT" run "$SEQPREP"
expect 3 "nothere: No such file" "$SEQPREDICT" run nothere
expect 3 "line 1, column [0-9]+: JSON" "$SEQPREDICT" run --reader jsonl two.txt
expect 2 "columns: 'text': expected FIELD=NAME" "$SEQPREDICT" run --columns text --reader csv two.txt
expect 2 "reader books: expected one of" "$SEQPREDICT" run --reader books
expect 4 "nowhere: no such run" "$SEQPREDICT" nowhere
expect 4 "data: it is a data set" "$SEQPREDICT" data
expect 2 "best 101: expected" "$SEQPREDICT" run --best 101
# The reader of the answers may leave; a full disk is told.
yes 'a good film' | "$SEQPREDICT" run --quiet 2>err.txt | head -3 | tr '\n' ' ' | grep -qx 'pos pos pos ' || bad "head"
[ ! -s err.txt ] || bad "who leaves is told: $(cat err.txt)"
"$SEQPREDICT" run raw.txt --quiet >/dev/full 2>err.txt
[ $? -eq 7 ] && grep -q "writing the predictions: No space left" err.txt || bad "a full disk: $(cat err.txt)"
# A language model has nothing to predict.
expect 0 . "$SEQPREP" --unit word -o words train.txt
expect 0 finished "$SEQTRAIN" --data words --run language --steps 1 --layers 1 --hidden 4 --embed 4 --batch 2 --window 4
expect 2 "is a language model: seqsample draws text from it, seqeval scores" "$SEQPREDICT" language raw.txt
finish
