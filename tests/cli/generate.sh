# The task generate: names from nothing, lines from a label and a number, tunes from key and metre; equal tunes are on one side; what is
# drawn ends, with the seed and the labels that were asked for; bits are those of the body.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # small files, each synced to its disk
source "$SUPPORT/common.sh"
refused() { # refused CODE TEXT OPTIONS...: nothing is made
  expect "$1" "$2" "$SEQPREP" --task generate -o no "${@:3}"
  absent no
}
says() { grep -Eq -- "$2" "$1/summary.txt" || bad "$1: '$2' is not in its summary: $(cat "$1/summary.txt")"; }
train() { expect 0 finished "$SEQTRAIN" --layers 1 --hidden 24 --batch 4 --lr 0.01 --log-every 1M "$@"; }
bits() { "$SEQEVAL" "$@" --resamples 0 --json | sed -E 's/.*"bits_per_character": \{"value": ([0-9.]+).*/\1/'; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && a - b < 1e-6 && b - a < 1e-6) }' || bad "$3: $1 and $2"; }

# From nothing: a line is an item, and it is learned by heart.
printf 'anna\nberta\n\nclara\n' >names
refused 3 'each item of the training part equals one of another part' --valid names names
expect 0 'reader +lines: 3 items, 1 blank lines' "$SEQPREP" --task generate -o names-data names
says names-data 'train +3 +17 +17'
grep -q '	3	<eos>' names-data/vocabulary.tsv || bad "ends are not counted"
train --data names-data --run names-run --embed 8 --epochs 300 --batch 3 --checkpoint-epochs 0
"$SEQSAMPLE" names-run --count 30 --quiet >drawn
[ "$(grep -v '^$' drawn | sort -u | paste -sd ' ')" = 'anna berta clara' ] || bad "names: $(sort drawn | uniq -c)"
[ "$(wc -l <drawn)" -eq 59 ] || bad "texts are not apart"
cmp -s drawn <("$SEQSAMPLE" names-run --count 30 --quiet) || bad "the same seed draws other texts"
cmp -s <(head -39 drawn) <("$SEQSAMPLE" names-run --count 20 --quiet) || bad "a text depends on their number"
[ "$("$SEQSAMPLE" names-run --prime be --no-echo --quiet)" = rta ] || bad "the prime is not read"
[ "$("$SEQSAMPLE" names-run --prime be --greedy --quiet)" = berta ] || bad "the prime is not printed"
expect 0 'more than 2 tokens: it is cut' "$SEQSAMPLE" names-run --tokens 2
expect 0 '' "$SEQSAMPLE" names-run --count 5 --copied copied
[ "$(awk 'FNR > 1 && $4 == "1.0000" && $2 == $3' copied | wc -l)" -eq 5 ] || bad "copied: $(cat copied)"
expect 2 'label key: expected FIELD=VALUE; the fields of .*are: none' "$SEQSAMPLE" names-run --label key=G
expect 2 'generates texts: seqsample draws' "$SEQPREDICT" names-run names

# A label and a number, at each step or first: the text is the label's, and its length the number's.
awk 'BEGIN { print "who,size,what"; for (i = 0; i < 24; i++) { s = ""; n = i % 3 + 1; for (k = 0; k < n; k++) s = s (i % 2 ? "ho" : "ba"); print (i % 2 ? "up" : "down") "," n "," s } }' >what.csv
for where in each-step first; do
  expect 0 'who: label' "$SEQPREP" --task generate --force --columns text=what,who=who,size=size --labels who --numbers size -o made what.csv
  train --data made --run "run-$where" --condition $where --embed 6 --condition-embed 3 --epochs 60 --batch 6 --checkpoint-epochs 0
  [ "$("$SEQSAMPLE" "run-$where" --label who=up --label size=2 --quiet --greedy)" = hoho ] || bad "$where: $("$SEQSAMPLE" "run-$where" --label who=up --label size=2 --quiet --greedy)"
  [ "$("$SEQSAMPLE" "run-$where" --label who=down --label size=3 --quiet --greedy)" = bababa ] || bad "$where: the label is not heard"
done
expect 2 'label who=left: the model has learned no such value; it knows down, up' "$SEQSAMPLE" run-first --label who=left --label size=1
expect 2 'label size=VALUE is missing: one of a number' "$SEQSAMPLE" run-first --label who=up
expect 2 'label size=x: expected a number' "$SEQSAMPLE" run-first --label size=x
expect 2 'label who: it is given twice' "$SEQSAMPLE" run-first --label who=up --label who=up
expect 2 'label group: expected FIELD=VALUE; the fields of .*are: who, size' "$SEQSAMPLE" run-first --label group=1
expect 2 'bidirectional|later' "$SEQTRAIN" --data made --run none --bidirectional
expect 2 'window: .*only lm' "$SEQTRAIN" --data made --run none --window 9
expect 2 'bar-embed: the data set has no places in the bar' "$SEQTRAIN" --data made --run none --bar-embed 4
expect 2 'condition: the data set has neither labels nor numbers' "$SEQTRAIN" --data names-data --run none --condition first

# Tunes: a copy in another key is an equal one; K: and M: of the head are labels.
mkdir tunes held
tune() { # tune NUMBER KEY METRE BODY...
  printf 'X:%d\nT:Tune %d\nM:%s\nL:1/8\nK:%s\n' "$1" "$1" "$3" "$2"
  printf '%s\n' "${@:4}" ''
}
{
  tune 1 G 6/8 '"G"GAB "D7"d2c|BGB A3:|' 'P:B' 'ded cBA|G3 G3|]'
  tune 2 D 4/4 '"D"d2A2 F2A2|"A7"e2^g2 a4|]'
  tune 3 Em 6/8 'EFG B2e|dcB A3|"Em"E3 E3|]'
  tune 4 none 4/4 'z4 C4|]'
} >tunes/jigs.abc
tune 1 A 6/8 '"A"ABc "E7"e2d|cAc B3:|' 'P:B' 'efe dcB|A3 A3|]' >held/jigs.abc
tune 2 D 4/4 '"D"d2A2 F2f2|"A7"e4 d4|]' >>held/jigs.abc
abc=(--task generate --reader abc --labels type,key,metre --valid held)
expect 0 'equal +1 items are left out' "$SEQPREP" "${abc[@]}" --unit abc --bar-position --transpose "B,-c''" -o tuned tunes
says tuned 'copies +33 training items in other keys, 1 tunes without a key have none'
says tuned 'train +25 '
[ "$(sed 1d tuned/vocabulary-key.tsv | wc -l)" -eq 25 ] || bad "keys: $(cat tuned/vocabulary-key.tsv)"
grep -q 'K:' tuned/vocabulary.tsv && bad "the key is in the text"
grep -q 'L:1/8' tuned/vocabulary.tsv || bad "the length is not in the text"
grep -q '	\^a2$' tuned/vocabulary.tsv || bad "no copy has a ^a2: $(cut -f3 tuned/vocabulary.tsv | paste -sd ' ')"
expect 0 '' "$SEQPREP" "${abc[@]}" --unit char -o plain tunes
expect 0 '' "$SEQPREP" --task generate --reader abc --valid held -o bare tunes
train --data tuned --run tuned-run --embed 8 --bar-embed 4 --epochs 6
train --data plain --run plain-run --embed 8 --epochs 6
train --data bare --run bare-run --embed 8 --epochs 6
# Bodies alone are counted, with an end each.
body=$(grep -hv '^[A-OQ-Z]:\|^$' held/jigs.abc | wc -c)
"$SEQEVAL" bare-run --json --resamples 0 | grep -q "\"characters\": $body," || bad "$body characters: $("$SEQEVAL" bare-run --json --resamples 0)"
expect 0 'difference +-?[0-9.]+ +\(95 %: ' "$SEQEVAL" bare-run plain-run
expect 0 "characters +$body" "$SEQEVAL" tuned-run plain-run bare-run --runs 2 --per-item items.tsv
[ "$(head -1 items.tsv)" = "index	characters	bits	bits	bits" ] || bad "items: $(head -1 items.tsv)"
near "$(bits bare-run --batch 1)" "$(bits bare-run --batch 2)" "bits by batch"
expect 2 'runs 3: 2 runs were given' "$SEQEVAL" bare-run plain-run --runs 3
expect 3 'these are other texts|texts, and' "$SEQEVAL" bare-run names-run --split train
# Draws of a model that knows places in the bar do not depend on what is drawn beside them.
draw=("$SEQSAMPLE" tuned-run --label type=jigs --label key=G --label metre=6/8 --tokens 60 --quiet)
cmp -s <("${draw[@]}" --count 3 --seed 5 | head -1) <("${draw[@]}" --seed 5 | head -1) || bad "draws depend on their number"
expect 2 'it knows [^ ]*A, Ab, .*G' "$SEQSAMPLE" tuned-run --label key=H

# What is wrong.
printf '' >empty
refused 3 'empty: there are no items to train on' empty
refused 2 "labels: 'Key': expected names of fields of a-z" --reader abc --labels Key tunes
refused 2 'labels: the name text is taken' --reader abc --labels text tunes
refused 2 'numbers: key is named twice' --reader abc --labels key --numbers key tunes
refused 3 "labels: the item has no field 'colour'" --reader abc --labels colour tunes
refused 3 "numbers key: 'G' is no number" --reader abc --numbers key tunes
refused 3 'what.csv line 2.*no column|who' --columns text=who2,who=who --labels who what.csv
refused 2 'bar-position: without effect with --reader lines' --bar-position names
refused 2 "transpose d-G: expected the lowest and the highest note" --reader abc --transpose d-G tunes
refused 2 'unit: the units of tunes are' --reader abc --unit word tunes
refused 2 'lower: it would change the notes' --reader abc --lower tunes
refused 2 'max-length: without effect with --task generate' --max-length 5 names
printf 'who,what\nup,\n,ho\n' >holes.csv
refused 3 "holes.csv line 3.*the field 'who' is empty" --columns text=what,who=who --labels who holes.csv
expect 2 'labels: without effect with' "$SEQPREP" --task classify --labels a -o no names
expect 2 'transpose: without effect with --task lm' "$SEQPREP" --transpose G,-g -o no names
finish
