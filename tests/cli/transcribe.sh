# The task transcribe from sounds to text and times: transcripts beside files, in tables and of Kaldi's; what seqprep refuses; training,
# measures, searches, alignment, parts, threads.
source "$SUPPORT/common.sh"

# wav FILE SYMBOL...: 8 kHz, 16 bits; 60 ms of a square wave for each a, b or c, 60 ms of little noise before, between and behind.
wav() {
  local file=$1
  shift
  awk -v symbols="$*" '
    function number(value, bytes) {for (; bytes--; value = int(value / 256)) printf "\\x%02x", value % 256}
    BEGIN {
      count = split(symbols, list, " "); size = 480 * (2 * count + 1)
      printf "RIFF"; number(36 + 2 * size, 4); printf "WAVEfmt "; number(16, 4); number(1, 2); number(1, 2)
      number(8000, 4); number(16000, 4); number(2, 2); number(16, 2); printf "data"; number(2 * size, 4)
      for (i = 0; i < size; i++) {
        part = int(i / 480); period = part % 2 ? (list[(part + 1) / 2] == "a" ? 40 : list[(part + 1) / 2] == "b" ? 16 : 6) : 0
        number((period ? (i % period < period / 2 ? 3000 : 62536) : 0) + i * 7 % 5, 2)
      }
    }' | { read -r bytes; printf '%b' "$bytes"; } >"$file"
}

# said FOLDER: ann_1.wav ... with their transcripts beside them, in a table, and as Kaldi has them.
said=("a" "b" "c" "a b" "b a" "c a" "a c" "b c" "c b" "a a" "b b" "c c" "a b c" "c b a" "b a" "c")
mkdir speech kaldi
for i in "${!said[@]}"; do
  wav speech/ann_$i.wav ${said[i]}
  printf '\xef\xbb\xbf  %s \r\n\n' "${said[i]// /  }" >speech/ann_$i.txt
  printf 'speech/ann_%s.wav\t%s\n' $i "${said[i]}" >>table.tsv
  printf 'u%s ../speech/ann_%s.wav\n' $i $i >>kaldi/wav.scp
  printf 'u%s %s\n' $i "${said[i]}" >>kaldi/text
  printf 'u%s ann\n' $i >>kaldi/utt2spk
done
prepare=("$SEQPREP" --task transcribe --unit word --mel-bins 12)
"${prepare[@]}" --label-pattern '{speaker}_{index}.wav' --valid 'index>=14' -o data speech >.out 2>&1 || {
  grep -q "built without KISS FFT" .out || bad "$(cat .out)"
  [ "$failures" -eq 0 ] && echo "skipped: this build has no KISS FFT" >&2 && exit 77
  exit 1
}
grep -q "alphabet   <blank> and 3 symbols; 0 items left out" .out || bad "$(cat .out)"
[ "$(cut -f 3 data/vocabulary.tsv | tail -n +2 | tr '\n' ' ')" = "<blank> a b c " ] || bad "the alphabet: $(cat data/vocabulary.tsv)"
# A text, a table and Kaldi's files say the same.
head -14 table.tsv >train.tsv
tail -2 table.tsv >valid.tsv
"${prepare[@]}" --columns path=1,text=2 --valid valid.tsv -o table train.tsv >.out 2>&1 || bad "$(cat .out)"
cmp <(tail -n +2 data/summary.txt | grep -v reader) <(tail -n +2 table/summary.txt | grep -v reader) || bad "the table says something else"
expect 0 "reader     kaldi: 16 items" "${prepare[@]}" --group speaker -o kaldi.data kaldi
printf 'u1 cat a.wav |\n' >commands.scp
expect 3 "commands.scp line 1, column 1: a command in place of a path" "${prepare[@]}" -o no commands.scp
printf 'u3 a\n' >>kaldi/text
expect 3 "kaldi/text line 17, column 1: this ID stands on line 4 already" "${prepare[@]}" -o no kaldi
printf 'File type = "ooTextFile"\nObject class = "TextGrid"\n0 1 <exists> 1 "IntervalTier" "words" 0 1 3 0 0.2 "" 0.2 0.5 "c" 0.5 1 "b"\n' >speech/ann_0.TextGrid
mv speech/ann_0.txt ann_0.txt
expect 0 "train +16 +424 +31" "${prepare[@]}" -o grid --reader sound speech
mv ann_0.txt speech/ann_0.txt

# What is refused: no transcript, too many labels, symbols that training lacks.
printf 'speech/ann_0.wav\ta b c a b c a b c a b c a a a\n' >long.tsv
expect 3 "long.tsv line 1: 15 labels, 2 of them as the one before, need 17 frames, and the item has 16 .--infeasible skip" \
  "${prepare[@]}" --columns path=1,text=2 -o no long.tsv
cat train.tsv >>long.tsv
expect 0 "1 items of the train part were left out" "${prepare[@]}" --columns path=1,text=2 --infeasible skip -o skipped long.tsv
printf 'speech/ann_1.wav\ta\nspeech/ann_0.wav\t\xd1\x81ab\n' >strange.tsv
expect 3 "strange.tsv line 2: the symbol U\+0441 '.*' is not in the alphabet" \
  "$SEQPREP" --task transcribe --columns path=1,text=2 --valid strange.tsv -o no train.tsv
printf 'speech/ann_0.wav\te\xcc\x81\n' >composed.tsv
expect 0 "alphabet   <blank> and 1 symbols" "$SEQPREP" --task transcribe --columns path=1,text=2 -o composed composed.tsv
mkdir bare
cp speech/ann_0.wav bare
expect 3 "bare/ann_0.wav: no transcript: the item has no field 'text', and neither bare/ann_0.txt nor bare/ann_0.TextGrid is there" \
  "${prepare[@]}" --reader sound -o no bare
expect 2 "task transcribe: needs frames, --reader lines" "$SEQPREP" --task transcribe --reader lines -o no table.tsv
expect 2 "min-count: without effect with --task transcribe" "${prepare[@]}" --min-count 2 -o no speech
expect 2 "infeasible: without effect with --task classify" "$SEQPREP" --task classify --infeasible skip -o no table.tsv
absent no

# Training: the share of blanks, the error rate chooses the best checkpoint.
expect 0 "blanks [0-9]+%" "$SEQTRAIN" --data data --run run --layers 1 --hidden 16 --bidirectional --batch 7 --lr 0.02 --epochs 100 --steps 160 \
  --checkpoint-every 1000 --validate-every 80 --log-every 80
grep -q '"blanks": ' run/metrics.jsonl || bad "no share of blanks: $(head -3 run/metrics.jsonl)"
grep -q "best validation label_error_rate 0.0000" .out || bad "not learned: $(tail -2 .out)"
expect 0 "label_error_rate +0 +0 +0" "$SEQEVAL" run
grep -Eq "^all +0 +0 +0 +3 +3" .out || bad "edits: $(cat .out)"

# Predictions: every search finds it, in parts, batches and threads; seqeval reads them.
printf '%s\n' "${said[@]}" >gold
files=$(for i in "${!said[@]}"; do echo speech/ann_$i.wav; done)
"$SEQPREDICT" run $files >found 2>.err || bad "$(cat .err)"
cmp gold found || bad "transcripts: $(diff gold found)"
"$SEQPREDICT" run --beam 0 $files 2>.err | cmp - gold || bad "--beam 0"
"$SEQPREDICT" run --exact $files 2>.err | cmp - gold || bad "--exact"
"$SEQPREDICT" run speech 2>.err | sort | cmp - <(sort gold) || bad "a folder with transcripts in it"
tsv=("$SEQPREDICT" run --format tsv --times --best 2)
"${tsv[@]}" $files >whole 2>.err || bad "$(cat .err)"
"${tsv[@]}" --threads 3 --batch 2 $files 2>.err | cmp - whole || bad "--threads and --batch change the output"
for part in 1/3 2/3 3/3; do "${tsv[@]}" --part $part $files 2>.err; done | cmp - whole || bad "parts"
expect 0 "label_error_rate +0 " "$SEQEVAL" --task transcribe --gold gold --predictions found

# Times: of what was found and of what is given; CTM and TextGrid.
"$SEQPREDICT" run --format json --times --ctm out.ctm --textgrid grids speech/ann_12.wav >one.json 2>.err || bad "$(cat .err)"
grep -q '"output":"a b c","symbols":\["a","b","c"\],"score":-[0-9.e-]*,"log_probability":-[0-9.e-]*,"probability":0.[0-9]*,"frames":40,"times":\[{"symbol":"a","begin":' one.json ||
  bad "json: $(cat one.json)"
awk '$1 != "ann_12" || $2 != 1 || $3 < end || $4 <= 0 || $6 < 0.5 {exit 1} {end = $3 + $4; line = line $5} END {exit line != "abc"}' out.ctm ||
  bad "ctm: $(cat out.ctm)"
grep -q 'text = "b"' grids/ann_12.TextGrid || bad "textgrid: $(cat grids/ann_12.TextGrid)"
printf 'a b c\n' >given
"$SEQPREDICT" run --align given --ctm aligned.ctm speech/ann_12.wav >/dev/null 2>.err || bad "$(cat .err)"
cmp out.ctm aligned.ctm || bad "the times of what was found and of what is given differ"
expect 3 "align given: 1 transcripts, and there are more items" "$SEQPREDICT" run --align given $files
printf 'a x c\n' >given
expect 3 "align given line 1: the symbol 'x' is not in the model's alphabet" "$SEQPREDICT" run --align given speech/ann_12.wav
printf 'a a a a a a a a a\n' >given
expect 3 "speech/ann_0.wav .item 0.: .*labels" "$SEQPREDICT" run --align given speech/ann_0.wav
expect 2 "times: needs --format tsv or json" "$SEQPREDICT" run --times speech/ann_0.wav
expect 2 "best 2: expected at most --beam 1 answers" "$SEQPREDICT" run --best 2 --beam 1 speech/ann_0.wav
"$SEQPREDICT" run --beam 4 --margin 20 --max-length 2 $files 2>.err | awk 'NF > 2 {exit 1} END {exit NR != 16}' || bad "--max-length: $(cat .err)"
expect 3 "no transcript with --min-length and --max-length was found" "$SEQPREDICT" run --min-length 90 speech/ann_0.wav
expect 2 "min-length: --beam 0 takes the best path" "$SEQPREDICT" run --beam 0 --min-length 1 speech/ann_0.wav
expect 2 "margin: with --exact there is no beam" "$SEQPREDICT" run --exact --margin 1 speech/ann_0.wav
expect 2 "length-alpha: of the task translate" "$SEQPREDICT" run --length-alpha 1 speech/ann_0.wav
expect 2 "lm-weight: needs --lm" "$SEQPREDICT" run --lm-weight 1 speech/ann_0.wav
expect 2 "beam: with --align nothing is searched for" "$SEQPREDICT" run --align given --beam 4 speech/ann_0.wav
expect 2 "lm run: no language model, of the task transcribe" "$SEQPREDICT" run --lm run speech/ann_0.wav

# A language model over the symbols changes the score of what is found.
for i in 1 2 3 4; do printf '%s\n' "${said[@]}"; done >text
"$SEQPREP" --unit word --eos line -o lm.data text >.out 2>&1 && "$SEQTRAIN" --data lm.data --run lm --layers 1 --hidden 4 --embed 4 --batch 2 --window 8 \
  --steps 4 >.out 2>&1 || bad "$(cat .out)"
"$SEQPREDICT" run --lm lm --lm-weight 0.1 --format tsv speech/ann_12.wav 2>.err | awk -F '\t' 'NR == 2 && $3 == "a b c" && $4 < $5 {found = 1} END {exit !found}' ||
  bad "--lm: $(cat .err)"
[ "$failures" -eq 0 ]
