# Groups as labels: normalisation by item and by group, strings of one speaker with their true intervals, tags of frames by intervals.
source "$SUPPORT/common.sh"

# LABEL_SPEAKER_INDEX.csv: ten frames "LABEL,LOUD", the first one quiet; bob is 100 louder.
mkdir rec
for label in 1 2 3; do
  for who in ann bob; do
    for index in 1 2 3 4 5 6; do
      [ $who = bob ] && more=100 || more=0
      for t in 0 1 2 3 4 5 6 7 8 9; do echo "$label,$((t ? more + 10 + t + index : more + index))"; done >rec/${label}_${who}_$index.csv
    done
  done
done
pattern=(--label-pattern '{label}_{who}_{index}.csv')
prep() { "$SEQPREP" "$@"; }
value() { sed -n "s/.*\"field.frames.$2\": \"\([^\"]*\)\".*/\1/p" $1/dataset.json; }

# Statistics of ann's frames, then of bob's, behind those of all; not of the held-out index 6.
expect 0 "group: label a row of example, 2 in the vocabulary group" prep --task classify "${pattern[@]}" --test 'index=6' --group-label who --normalise group -o grouped rec
[ "$(value grouped normalise) $(value grouped unseen) $(value grouped groups)" = "group item 2" ] || bad "$(cat grouped/dataset.json)"
value grouped mean | awk -F, '{exit !(NF == 6 && $1 > 1.99 && $1 < 2.01 && $3 > 1.99 && $3 < 2.01 && $2 - $4 > 49.99 && $2 - $4 < 50.01 && $6 - $4 > 99.99 && $6 - $4 < 100.01)}' || bad "means: $(value grouped mean)"
[ "$(cut -f 2,3 grouped/vocabulary-group.tsv | tail -2 | tr '\t\n' '  ')" = "15 ann 15 bob " ] || bad "$(cat grouped/vocabulary-group.tsv)"
expect 0 . prep --task classify "${pattern[@]}" --normalise item -o item rec
[ "$(value item normalise)$(value item mean)" = item ] || bad "$(cat item/dataset.json)"
expect 2 "normalise group: --group-label says what the groups are" prep --task classify "${pattern[@]}" --normalise group -o no rec
expect 2 "unseen-groups: without effect without --normalise group" prep --task classify "${pattern[@]}" --unseen-groups global -o no rec
expect 3 "rec/1_ann_1.csv line 1: --group-label: the item has no field 'day'" prep --task classify "${pattern[@]}" --group-label day -o no rec
expect 2 "strings: without effect without a validation or test part" prep --task tag "${pattern[@]}" --strings 2 -o no rec
expect 3 "strings: items with one label each cannot be joined" prep --task classify "${pattern[@]}" --test 'index=6' --strings 2 -o no rec
absent no

# A model normalises a recording of bob, and one of a stranger by its own frames: the same pattern, the same answer.
expect 0 . "$SEQTRAIN" --data grouped --run run --layers 1 --hidden 8 --batch 10 --epochs 2 --steps 6 --time-masks 1 --time-mask-width 2 --input-noise 0.1
cp rec/2_bob_6.csv 2_eve_6.csv
awk -F, '{print $1 "," $2 + 1000}' rec/2_bob_6.csv >2_zoe_6.csv
"$SEQPREDICT" run --format json 2_eve_6.csv 2_zoe_6.csv 2>.err | sed 's/.*"output"/"output"/' >answers
[ "$(wc -l <answers)" = 2 ] && [ "$(uniq answers | wc -l)" = 1 ] || bad "strangers: $(cat answers .err)"
expect 2 "word-dropout: the items of the data set are sequences of vectors" "$SEQTRAIN" --data grouped --run no-run --layers 1 --hidden 8 --word-dropout 0.1
expect 2 "time-masks needs --time-mask-width" "$SEQTRAIN" --data grouped --run no-run --layers 1 --hidden 8 --time-masks 1
expect 2 "rotate: a row of the field frames has 2 values, expected triples" "$SEQTRAIN" --data grouped --run no-run --layers 1 --hidden 8 --rotate 10

# Strings of held-out recordings: one speaker each, gaps of quiet frames, intervals that are true.
tags=(prep --task tag "${pattern[@]}" --test 'index>4' --group-label who --normalise group --strings 3 --gap-least 1 --gap-most 4)
expect 0 "test +20 " "${tags[@]}" --string-count 20 --string-files strings -o tags rec
grep -q "tag 'sil' does not occur" .out || bad "$(cat .out)"
[ "$(ls strings | wc -l)" = 22 ] || bad "$(ls strings)"
awk '{if ($1 != file) {file = $1; strings++; count = 0; end = -1}
  if (++count > 3 || $4 != 10 || (end >= 0 && ($3 - end < 1 || $3 - end > 4)) || (end < 0 && $3 != 0) || $5 !~ /^[123]$/) exit 1
  end = $3 + $4} END {if (strings != 20) exit 1}' strings/test.ctm || bad "$(cat strings/test.ctm)"
expect 0 . "${tags[@]}" --string-count 20 --string-files again -o tags2 rec
expect 0 "string-files: the frames in these files have been through --subsample" "${tags[@]}" --subsample 2 --string-files halved -o halved-data rec
cmp tags/dataset.json tags2/dataset.json && diff -r strings again || bad "strings differ from run to run"

# Training on strings made anew: the same bytes on one rank and on two; a tag for each frame of a string that was held out.
train=("$SEQTRAIN" --data tags --layers 1 --hidden 8 --bidirectional --strings 3 --gap-least 1 --gap-most 4 --replicas 2 --batch 3 --epochs 20 --steps 60 --lr 0.03 --checkpoint-every 1000)
expect 0 . "${train[@]}" --run tagged
expect 0 "segment_f1 +[01]" "$SEQEVAL" tagged --split test
read -r rows < <(awk '$1 == "test-00001" {end = $3 + $4} END {print end}' strings/test.ctm)
"$SEQPREDICT" tagged --reader npy --format json strings/test-00001.npy 2>.err >tags.json || bad "$(cat .err)"
[ "$(grep -o '"sil"\|"[123]"' tags.json | wc -l)" -ge "$rows" ] || bad "$rows frames: $(cat tags.json)"
# The table says whose string it is, so that it is normalised as in the data set: the right answers are those of validation.
"$SEQEVAL" tagged --split test --resamples 0 --per-item held.tsv >/dev/null 2>&1 || bad "seqeval of strings"
"$SEQPREDICT" tagged --reader tsv --columns path=path,who=who strings/test.tsv --format tsv --quiet >table.tsv || bad "seqpredict of the table of strings"
diff <(cut -f 3 table.tsv | sed 1d) <(cut -f 4 held.tsv | sed 1d) >&2 || bad "strings of a table are answered in another way: $(head -3 strings/test.tsv)"
expect 2 "batch-tokens: --strings are cut into batches by --batch" "${train[@]}" --run no-run --batch-tokens 100
absent no-run
expect 2 "gap-least 1: expected at most --gap-most 0" run_mpi 2 "${train[@]}" --run no-run --gap-most 0
absent no-run

# Intervals: lines of CTM, a tier of a TextGrid; these frames have no time, so times are frames, and the middle decides.
mkdir marked
cp rec/1_ann_1.csv marked/a.csv
printf 'x 1 0 1 far\na 1 2.4 3.2 up\na 1 7 1 down\n' >lines.ctm
expect 0 "tag: label a row of frames, 3 in" prep --task tag --reader csv-frames --intervals lines.ctm --background none -o by-lines marked
[ "$(cut -f 2,3 by-lines/vocabulary.tsv | tail -n +2 | sort -k 2 | tr '\t\n' '  ')" = "1 down 5 none 4 up " ] || bad "$(cat by-lines/vocabulary.tsv)"
printf 'File type = "ooTextFile"\nObject class = "TextGrid"\n0 10 <exists> 2 "IntervalTier" "a" 0 10 1 0 10 "no"\n"IntervalTier" "b" 0 10 3 0 2.4 "" 2.4 5.6 "up" 7 8 "down"\n' >marked/a.TextGrid
expect 0 . prep --task tag --reader csv-frames --tier b --background none -o by-tier marked/a.csv
cmp by-lines/vocabulary.tsv by-tier/vocabulary.tsv || bad "the tier says something else: $(cat by-tier/vocabulary.tsv)"
expect 3 "a.TextGrid: which interval tier is meant is not told; it has \"a\", \"b\"" prep --task tag --reader csv-frames -o no marked/a.csv
expect 3 "reading lines.ctm: lines 2 and 4 overlap" bash -c "echo 'a 1 5 1 x' >>lines.ctm; '$SEQPREP' --task tag --reader csv-frames --intervals lines.ctm -o no marked/a.csv"
printf 'x 1 0 1 far\n' >lines.ctm
expect 3 "marked/a.csv line 1: --intervals lines.ctm: it has no line of a" prep --task tag --reader csv-frames --intervals lines.ctm -o no marked/a.csv
expect 2 "intervals: without effect with --task classify" prep --task classify --reader csv-frames --intervals lines.ctm -o no marked/a.csv
absent no
finish
