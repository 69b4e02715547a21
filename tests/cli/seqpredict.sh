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
predict run --best 0 raw.txt --format json >all.json
predict run --best "$(($(wc -l <run/checkpoints/*/vocabulary-label.tsv) - 1))" raw.txt --format json | cmp -s - all.json || bad "--best 0 is not all classes"
predict run --best 3 raw.txt | awk -F'\t' 'NF != 3 || $1 == $2 { exit 1 }' || bad "text: three classes an item"
[ "$(sed 's/.*"labels":\(.*\),"probabilities".*/\1/' whole.json | head -1)" = "$(sed -n 2p whole.tsv | cut -f5 | sed 's/\(.*\) \(.*\)/["\1","\2"]/')" ] || bad "json has other labels than tsv"
# Alone as in any batch, by any number of threads, with any kernels.
for way in '--batch 1' '--batch 7 --threads 3' '--batch 1000' '--threads 2 --kernels portable'; do
  predict run raw.txt --format json --best 2 $way | cmp -s - whole.json || bad "$way gives other answers"
done
sed 's/"index":[0-9]*/"index":0/' whole.json | head -12 >expected.json
head -12 raw.txt | while IFS= read -r line; do predict run --format json --best 2 <<<"$line"; done | cmp -s - expected.json || bad "alone is not as in a batch"
# Parts: one behind the other they are the whole, also when some are empty.
while read -r format parts; do
  predict run raw.txt raw.txt --format $format >expected.txt
  for part in $(seq $parts); do predict run raw.txt raw.txt --format $format --part $part/$parts; done | cmp -s - expected.txt || bad "$parts parts are not the whole ($format)"
done <<<$'text 7\ntsv 3\njson 2'
printf 'good\nbad\n' >two.txt
for part in 1 2 3; do predict run two.txt --format tsv --part $part/3; done | cmp -s - <(predict run two.txt --format tsv) || bad "empty parts"
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
# Tags: CoNLL is handed through with a column more, in the scheme as it was read (IOB1, stored as IOBES).
awk 'BEGIN { srand(7); split("Ann Bob Eve", p, " "); split("Rome Bonn", l, " "); split("went to and saw . the", f, " ")
  for (i = 0; i < 100; i++) {
    for (words = 1 + int(rand() * 8); words; words--) {
      r = rand()
      if (r < 0.2) { print p[1 + int(rand() * 3)], "x", "I-PER"; if (rand() < 0.4) print p[1 + int(rand() * 3)], "y", "I-PER" }
      else if (r < 0.4) print l[1 + int(rand() * 2)], "x", "I-LOC"
      else print f[1 + int(rand() * 6)], "z", "O" }
    print "" } }' >train.conll
for i in $(seq 10); do cat train.conll; done >often.conll
cut -d' ' -f1,2 train.conll >raw.conll
expect 0 "read as iob1, stored as iobes" "$SEQPREP" --task tag --letters --casing --lower --store-tags iobes -o tags often.conll
expect 0 finished "$SEQTRAIN" --data tags --run tagger --epochs 1 --bidirectional "${small[@]}"
predict tagger raw.conll >out.conll
same train.conll out.conll
predict tagger train.conll | awk 'NF { if ($3 != $4) exit 1 }' || bad "labelled input lost its tags"
predict tagger train.conll | cut -d' ' -f1-3 | cmp -s - train.conll || bad "labelled input is not handed through"
expect 0 '^entity_f1 +1 ' "$SEQEVAL" --gold train.conll --predictions out.conll
predict tagger raw.conll --format json --best 3 >tags.json
expect 0 '^entity_f1 +1 ' "$SEQEVAL" --gold train.conll --predictions tags.json
predict tagger raw.conll --format json --best 3 --batch 1 --threads 2 | cmp -s - tags.json || bad "tags depend on the batch"
grep -q '^{"index":0,"input":\["[^{]*"alternatives":\[{"output":\[[^{]*,"probability":[0-9.e-]*},{' tags.json || bad "alternatives: $(head -1 tags.json)"
predict tagger raw.conll --format tsv --best 3 >tags.tsv
[ "$(cut -f1 tags.tsv | sort -n | uniq | wc -l)" -eq 101 ] && [ "$(wc -l <tags.tsv)" -gt 250 ] || bad "rows of alternatives"
awk -F'\t' '$1 == last && $4 > p { exit 1 } { last = $1; p = $4 }' tags.tsv || bad "alternatives are not sorted"
{ sed '$d' raw.conll; printf -- '\n\n-DOCSTART- x\n\n'; } >ends.conll # a sentence without an end, then what no sentence holds
sed '$d' raw.conll >open.conll
predict tagger open.conll ends.conll open.conll >expected.txt
cut -d' ' -f1,2 expected.txt | cmp -s - <(cat open.conll <(echo) ends.conll open.conll) || bad "files of CoNLL are not handed through"
for parts in 2 5; do
  for part in $(seq $parts); do predict tagger open.conll ends.conll open.conll --part $part/$parts; done | cmp -s - expected.txt || bad "$parts parts of CoNLL are not the whole"
done
[ "$(echo 'Eve saw Rome' | predict tagger --reader lines)" = 'I-PER O I-LOC' ] || bad "a text gets tags"
predict tagger --reader conllu --columns token=form,tag=xpos < <(printf '# c\n1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_\n1\tRome\t_\tN\tM\t_\t_\t_\t_\t_\n\n') |
  cmp -s - <(printf '# c\n1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_\n1\tRome\t_\tN\tI-LOC\t_\t_\t_\t_\t_\n\n') || bad "CoNLL-U"
printf 'Ann x\nBob\n' >broken.conll
expect 3 "broken.conll line 2, column 4: the line has 1 columns" "$SEQPREDICT" tagger broken.conll
expect 0 . "$SEQPREP" --task tag -o letterless train.conll
expect 2 "letters-hidden: the data set has no letters" "$SEQTRAIN" --data letterless --run letterless-run --letters-hidden 4
expect 2 "several tags of a token need --format tsv or json" "$SEQPREDICT" tagger raw.conll --best 2
expect 2 "best 11: tags have 1 to 10 alternatives" "$SEQPREDICT" tagger raw.conll --best 11 --format json
expect 2 "best 0: tags have 1 to 10 alternatives" "$SEQPREDICT" tagger raw.conll --best 0 --format json
# Numbers, in the units of the data.
sed 's/^pos/3.5/; s/^neg/-1/; s/^none/1/' often.txt >numbers.txt
expect 0 . "$SEQPREP" --task rate -o numbers numbers.txt
expect 0 finished "$SEQTRAIN" --data numbers --run rater --epochs 1 "${small[@]}"
predict rater raw.txt | paste -d' ' - numbers.txt | head -200 | awk '{ if (($1 - $2) ^ 2 > 0.25) exit 1 }' || bad "numbers are not those that were learned"
predict rater two.txt --format json | grep -q '^{"index":0,"input":"good","output":3.[0-9]*,"probability":null,"labels":\[\],"probabilities":\[\],"oov":0' || bad "json of numbers"
expect 2 "a number, which has no alternatives" "$SEQPREDICT" rater two.txt --best 2
# Frames: numbers of files that a table names, a tag for each frame of a file.
mkdir -p sums tagged
awk 'BEGIN { srand(2); for (i = 0; i < 60; i++) { file = sprintf("%02d.csv", i); sum = 0; print "x,y,tag" >"tagged/" file
  for (t = 0; t < 4; t++) { x = int(rand() * 9) / 4; sum += x; print x "," 7 >"sums/" file; print x "," 7 "," (x < 1 ? "low" : "high") >"tagged/" file }
  print "sums/" file "," sum >"sums.csv" } }'
expect 0 "frames: values a row of frames, width 2" "$SEQPREP" --task rate --columns path=1,label=2 -o sums.data sums.csv
expect 0 finished "$SEQTRAIN" --data sums.data --run summer --epochs 30 --layers 1 --hidden 16 --batch 10 --lr 0.02
predict summer sums.csv | paste -d, sums.csv - | awk -F, '{ if (($2 - $3) ^ 2 > 0.5) exit 1 }' || bad "sums: $(predict summer sums.csv | paste -d, sums.csv - | head -5)"
cut -d, -f1 sums.csv >paths.csv
predict summer --format tsv paths.csv >sums.tsv
[ "$(sed -n 61p sums.tsv | cut -f1,2)" = $'59\tsums/59.csv' ] || bad "tsv of frames: $(tail -1 sums.tsv)"
predict summer --reader csv-frames sums --format tsv --batch 7 | cmp -s - sums.tsv || bad "the files are not what the table names"
for part in 1 2 3; do predict summer paths.csv --format tsv --part $part/3; done | cmp -s - sums.tsv || bad "parts of frames are not the whole"
expect 0 "60 items, 240 frames" "$SEQPREDICT" summer sums.csv
expect 0 '^spearman +0.9' "$SEQEVAL" summer --split train
expect 0 "verified" "$SEQINFO" summer/checkpoints/step-000000180 --verify
expect 0 "finished at step 180" "$SEQTRAIN" --config summer/config.ini
printf '1,2,3\n' >wide.csv
expect 3 "wide.csv line 1: 1 frames of 3 values: the model takes frames of 2 values" "$SEQPREDICT" summer --reader csv-frames wide.csv
expect 2 "reader lines: its items are text, the model takes frames" "$SEQPREDICT" summer --reader lines raw.txt
expect 2 "reader csv-frames: its items are frames, the model takes text" "$SEQPREDICT" run --reader csv-frames sums
expect 2 "embed: the items of the data set are sequences of vectors of 2 values, which have no words" \
  "$SEQTRAIN" --data sums.data --run none --embed 8
expect 0 "tag: label a row of frames" "$SEQPREP" --task tag --reader csv-frames --columns tag=tag --valid 0.2 -o tagged.data tagged
expect 0 finished "$SEQTRAIN" --data tagged.data --run frames --epochs 12 --layers 1 --hidden 16 --batch 10 --lr 0.02
predict frames tagged | tr ' ' '\n' | cmp -s - <(cat tagged/* | sed '/x,y/d; s/.*,//') || bad "tags of frames"
expect 2 "letters-hidden: the items of the data set are sequences of vectors" "$SEQTRAIN" --data tagged.data --run none --letters-hidden 8
expect 2 "a number, which has no alternatives" "$SEQPREDICT" rater two.txt --best 0
# A language model has nothing to predict.
expect 0 . "$SEQPREP" --unit word -o words train.txt
expect 0 finished "$SEQTRAIN" --data words --run language --steps 1 --layers 1 --hidden 4 --embed 4 --batch 2 --window 4
expect 2 "is a language model: seqsample draws text from it, seqeval scores" "$SEQPREDICT" language raw.txt
finish
