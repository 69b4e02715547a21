# seqeval RUN of a task with items, and what validation does with the task's measure: the figures of a run are those of its
# answers as a file, whatever the batches; the best checkpoint and --early-stop follow the first measure, on any number of ranks.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
source "$SUPPORT/common.sh"
figure() { awk -v key="$2" '$1 == key {print $2; exit}' "$1"; }
equal() { [ "$1" = "$2" ] || bad "$3: '$1', expected '$2'"; }
awk 'BEGIN {for (i = 0; i < 60; i++) print (i % 2 ? "pos good w" i % 7 " x" i % 5 : "neg bad w" i % 5 " dull y" i % 3)}' >train.txt
awk 'BEGIN {for (i = 0; i < 24; i++) print (i % 3 ? "neg w" i % 5 " x" i % 4 (i % 4 ? " bad" : "") : "pos x" i % 3 " new" i (i % 2 ? " good" : ""))}' >valid.txt
{ sed -n 5,20p valid.txt; echo 'other new words'; } >test.txt
expect 0 train "$SEQPREP" --task classify -o data --valid valid.txt --test test.txt train.txt
train=(--data data --hidden 6 --embed 5 --batch 5 --replicas 4 --lr 0.05 --quiet --checkpoint-interval 0 --schedule plateau)
"$SEQTRAIN" --run run "${train[@]}" --epochs 40 --early-stop 3 --keep 9 || bad "training"

# The best checkpoint has the greatest accuracy, of equal ones the least loss; three validations later the run ends. The rate is halved
# by each whose accuracy is no greater.
awk -F'[:,] *' '/"event": "validation"/ {for (i = 1; i < NF; i++) {
  if ($i ~ /"step"/) step = $(i + 1); if ($i ~ /"loss"/) loss = $(i + 1); if ($i ~ /"accuracy"/) value = $(i + 1); if ($i ~ /"macro_f1"/) macro = 1; if ($i ~ /"best_step"/) told = $(i + 1)}
  n++; since++; tie = n > 1 && value == best && loss < least; worse += n > 1 && value <= best
  if (n == 1 || value > best || tie) {best = value; least = loss; at = step; since = 0}
  if (told != at) exit 1} END {print worse; exit !(n > 3 && macro && since == 3)}' run/metrics.jsonl >worse ||
  bad "best step or early end: $(cat run/metrics.jsonl)"
factor=$(awk '{printf "%.17g", 0.5 ^ $1}' worse)
grep -q "\"factor\": \"$factor\"" run/checkpoints/$(ls run/checkpoints | tail -1)/manifest.json || bad "plateau: not $factor"
best=$(sed -n 's/.*"best_step": \([0-9]*\).*/\1/p' run/metrics.jsonl | tail -1)
expect 0 "finished at step [0-9]+ by --early-stop: none of the last 3 validations was better; best validation accuracy [0-9.]+ at step $best$" \
  "$SEQTRAIN" --run run --data data
steps=$(ls run/checkpoints | wc -l)
expect 0 "finished at step" "$SEQTRAIN" --run run --data data --early-stop 4
equal "$(ls run/checkpoints | wc -l)" $((steps + 1)) "one more validation is asked for"
grep -q '"best_value"' run/checkpoints/*/manifest.json || bad "no best_value"
grep -q '"best_loss"' run/checkpoints/*/manifest.json || bad "no best_loss"

# Where all answers are right, each epoch is surer than the one before it, across a stop, too.
expect 0 train "$SEQPREP" --task classify -o easy --valid <(sed 1,9d train.txt) train.txt
for steps in 24 30; do "$SEQTRAIN" --run sure "${train[@]}" --data easy --steps $steps || bad "easy items"; done
awk -F'[:,] *' '/"event": "validation"/ {for (i = 1; i < NF; i++) {
  if ($i ~ /"step"/) step = $(i + 1); if ($i ~ /"accuracy"/) right = $(i + 1) == 1; if ($i ~ /"best_step"/) told = $(i + 1)}
  if (right && told != step) exit 1; ties += right} END {exit !(ties > 3)}' sure/metrics.jsonl || bad "ties: $(grep '"event": "validation"' sure/metrics.jsonl)"
run_mpi 2 "$SEQTRAIN" --run two "${train[@]}" --epochs 40 --early-stop 3 --keep 9 --steps 9 >/dev/null 2>&1 || bad "two ranks"
"$SEQTRAIN" --run two "${train[@]}" --keep 9 --steps 0 || bad "one of two ranks goes on"
rm -rf run/checkpoints/$(ls run/checkpoints | tail -1)
measures() { grep '"event": "validation"' $1/metrics.jsonl | sed 's/.*"step"/"step"/; s/"seconds": [^,]*, //'; }
diff <(measures two) <(measures run | sed '$d') >&2 || bad "two ranks measure something else"
for step in $(ls run/checkpoints | tail -2); do same_tree run/checkpoints/$step two/checkpoints/$step; done
[ -d two/checkpoints/step-000000009 ] || bad "the test has lost its point: it ends before step 9"

# A run's figures, and those of its answers as a file.
"$SEQEVAL" run --json --per-item items.tsv --baseline bow >run.json 2>/dev/null || bad "seqeval run"
"$SEQEVAL" run --per-item items.tsv --baseline bow >run.out 2>/dev/null
cut -f 4 items.tsv | sed 1d >answers
"$SEQEVAL" --gold valid.txt --predictions answers --train train.txt >file.out 2>&1 && bad "--train without --baseline"
"$SEQEVAL" --gold valid.txt --predictions answers >file.out 2>/dev/null
for key in accuracy macro_f1 weighted_f1; do equal "$(figure run.out $key)" "$(figure file.out $key)" "$key"; done
equal "$(grep -A 3 '^gold .predicted' run.out | head -4)" "$(grep -A 3 '^gold .predicted' file.out)" "confusion"
equal "$(sed -n 's/.*"accuracy": \([0-9.]*\),.*"best_step": '$best', .*/\1/p' run/metrics.jsonl | head -1 | cut -c 1-8)" "$(figure run.out accuracy)" "validation and seqeval"
# The bag of words as it is made from the files. The model's probabilities give areas.
"$SEQEVAL" --gold valid.txt --train train.txt --baseline bow --per-item bow.tsv >/dev/null 2>&1
equal "$(cut -f 6 items.tsv | sed 1d | md5sum)" "$(cut -f 4 bow.tsv | sed 1d | md5sum)" "answers of the baseline"
grep -q '"auc": {"value": [01]' run.json || bad "no area: $(cat run.json)"
grep -q '"differences": {"accuracy"' run.json || bad "no paired differences"
expect 0 'gold: baseline majority' sed -n 's/"file": "baseline majority"/gold: baseline majority/p' <("$SEQEVAL" run --baseline majority --json 2>/dev/null)
# Alone, and in any batch; the loss is the mean of the items'.
for batch in 1 7 64; do "$SEQEVAL" run --split test --batch $batch --json --per-item test.$batch >json.$batch 2>/dev/null || bad "--batch $batch"; done
for batch in 7 64; do
  same json.1 json.$batch
  same test.1 test.$batch
done
awk -F'\t' -v loss="$(sed 's/.*"loss": \([0-9.]*\).*/\1/' json.1)" 'NR > 1 {s += $2} END {d = s / (NR - 1) - loss; exit !(NR == 18 && d * d < 1e-12)}' test.1 || bad "loss"
grep -q '"other": {"precision": null, "recall": 0, ' json.1 || bad "a class that training lacks: $(cat json.1)"

# Another data set, and refusals.
expect 0 train "$SEQPREP" --task classify -o again --valid test.txt <(sed s/dull/dim/ train.txt)
expect 3 'again has another vocabulary' "$SEQEVAL" run --data again
expect 0 train "$SEQPREP" --task classify -o turned --valid test.txt --test valid.txt train.txt
"$SEQEVAL" run --data turned --split test --resamples 0 2>/dev/null | grep -v ^gold >turned.out
"$SEQEVAL" run --resamples 0 2>/dev/null | grep -v ^gold | sed 's/valid$/test/' | diff - turned.out || bad "--data"
expect 0 train "$SEQPREP" --unit char -o stream train.txt
expect 3 'stream was prepared for the task lm, the model is of classify' "$SEQEVAL" run --data stream
expect 2 'score: needs a language model' "$SEQEVAL" run --score valid.txt
expect 2 'per-item: of answers to items, not with --score' "$SEQEVAL" run --score valid.txt --per-item x
expect 0 train "$SEQPREP" --task classify -o short --valid test.txt train.txt
expect 3 'data set short has no test split' "$SEQEVAL" run --data short --split test

# Tags: some entities of the split occur in training, some do not. Of parts of speech there are none.
awk 'BEGIN {for (i = 0; i < 40; i++) printf "Ada%d B-per\nsaw O\nNew B-loc\nYork%d I-loc\n\n", i % 9, i % 5}' >train.conll
awk 'BEGIN {for (i = 0; i < 8; i++) printf "Ada%d B-per\nsaw O\nNew B-loc\n%s I-loc\n\nYork%d O\n\n", i + 5, (i % 2 ? "York1" : "Town"), i}' >valid.conll
expect 0 train "$SEQPREP" --task tag -o tags --valid valid.conll train.conll
"$SEQTRAIN" --run tagger --data tags --hidden 6 --embed 5 --batch 10 --replicas 2 --lr 0.05 --epochs 6 --quiet --checkpoint-interval 0 || bad "tags"
"$SEQEVAL" tagger --per-item tags.tsv >tags.out 2>/dev/null || bad "seqeval of tags"
cut -f 4 tags.tsv | sed 1d | tr ' ' '\n' >answers
grep . valid.conll | cut -d ' ' -f 1 | paste -d ' ' - answers >lines
awk 'NF == 0 {print ""; next} {getline answer <"lines"; print answer}' valid.conll >answers.conll
"$SEQEVAL" --gold valid.conll --predictions answers.conll --train train.conll >file.out 2>/dev/null || bad "answers as a file"
for key in entity_f1 entity_f1_strict entity_f1_surface entity_f1_unseen accuracy; do
  equal "$(grep "^$key " tags.out)" "$(grep "^$key " file.out)" "tags: $key"
done
for row in all 'all, strict' 'surface forms' 'never in training' B-per O; do equal "$(grep -m 1 "^$row " tags.out)" "$(grep -m 1 "^$row " file.out)" "tags: $row"; done
[ "$(figure tags.out entity_f1)" != "$(figure tags.out entity_f1_unseen)" ] || bad "the test has lost its point: all entities are unseen"
grep -q '"best_metric": "entity_f1"' tagger/metrics.jsonl || bad "best of tags: $(tail -1 tagger/metrics.jsonl)"
expect 2 'baseline: not for --task tag' "$SEQEVAL" tagger --baseline majority
sed 's/ [BI]-.*/ NN/' train.conll >pos
expect 0 train "$SEQPREP" --task tag --tag-scheme none -o pos.data --valid pos pos
"$SEQTRAIN" --run pos.run --data pos.data --hidden 3 --embed 3 --batch 10 --replicas 1 --epochs 1 --quiet || bad "parts of speech"
grep -q '"best_metric": "accuracy"' pos.run/metrics.jsonl || bad "best of parts of speech: $(tail -1 pos.run/metrics.jsonl)"

# Numbers are those of the run, whatever mean the training part of another data set has.
awk 'BEGIN {for (i = 0; i < 30; i++) print i % 5, "w" i % 5, "x" i % 3}' >train.rate
sed -n 1,9p train.rate | sed 's/ w/.25 x0 w/' >valid.rate
expect 0 train "$SEQPREP" --task rate -o rates --valid valid.rate train.rate
expect 0 train "$SEQPREP" --task rate -o shifted --valid valid.rate <(sed 's/^/1/' train.rate)
"$SEQTRAIN" --run rater --data rates --hidden 4 --embed 4 --batch 10 --replicas 1 --lr 0.05 --epochs 3 --quiet || bad "ratings"
"$SEQEVAL" rater --per-item rates.tsv >rates.out 2>/dev/null || bad "seqeval of ratings"
"$SEQEVAL" rater --data shifted --per-item shifted.tsv 2>/dev/null | grep -v ^gold | diff <(grep -v ^gold rates.out) - || bad "ratings of another data set"
same rates.tsv shifted.tsv
"$SEQEVAL" --gold valid.rate --predictions <(cut -f 4 rates.tsv | sed 1d) >file.out 2>/dev/null
for key in mean_absolute_error root_mean_square spearman; do equal "$(grep "^$key " rates.out)" "$(grep "^$key " file.out)" "$key"; done
expect 2 'baseline: not for --task rate' "$SEQEVAL" rater --baseline bow

# A language model ends early, too, and learns that it needs a validation split.
expect 0 train "$SEQPREP" --unit char --valid 0.2 -o text train.txt
lm=(--hidden 4 --embed 3 --batch 2 --window 20 --epochs 9 --lr 0 --checkpoint-interval 0)
expect 0 'finished at step .* by --early-stop: none of the last 2 validations was better; best validation loss [0-9.]+ nats at step' \
  "$SEQTRAIN" --data text --run lm "${lm[@]}" --early-stop 2
equal "$(grep -c '"event": "validation"' lm/metrics.jsonl)" 3 "validations of the language model"
expect 2 'baseline: of answers to items, and a language model gives none' "$SEQEVAL" lm --baseline bow
expect 2 'early-stop: data set stream has no validation split' "$SEQTRAIN" --data stream --run no "${lm[@]}" --early-stop 2
finish
