# seqeval --gold: files of answers without a model, in every form; the three systems of WNUT17 where SEQ_REFERENCES names the
# folder that holds them.
source "$SUPPORT/common.sh"
printf 'Ada\tB-per\nsaw\tO\nNew\tB-loc\nYork\tI-loc\n\nBob\tB-per\n' >gold.conll
printf 'Ada\tB-per\r\nsaw\tO\r\nNew\tB-loc\r\nYork\tO\r\n\r\nBob\tI-per\r\n' >one.conll
printf 'Ada Lovelace O\nsaw x O\nNew x B-loc\nYork x I-loc\n\nBob x B-per\n' >two.conll
printf 'Ada\tB-per\nx\tO\n' >train.conll
figure() { awk -v key="$2" '$1 == key {print $2; exit}' "$1"; }
equal() { [ "$1" = "$2" ] || bad "$3: '$1', expected '$2'"; }

# Tags: lenient and strict, surfaces, what training never had, two systems.
expect 0 'scheme iob2, 1 entities with broken tags' "$SEQEVAL" --gold gold.conll --predictions one.conll --train train.conll
"$SEQEVAL" --gold gold.conll --predictions one.conll --train train.conll >one.txt
equal "$(figure one.txt entity_f1)" 0.666667 "2 of 3 and 3"
equal "$(figure one.txt entity_f1_strict)" 0.4 "1 of 2 and 3"
equal "$(figure one.txt entity_f1_unseen)" 0.5 "Bob of New, Bob and New York, Bob"
equal "$(figure one.txt accuracy)" 0.6 "accuracy of tags"
expect 0 '^first .*one.conll' "$SEQEVAL" --gold gold.conll --predictions one.conll two.conll
"$SEQEVAL" --gold gold.conll --predictions one.conll two.conll --json >both.json
"$SEQEVAL" --gold gold.conll --predictions one.conll two.conll --json --seed 2 >other.json
"$SEQEVAL" --gold gold.conll --predictions one.conll two.conll --json | cmp - both.json || bad "a second run has other figures"
taskset -c 0 "$SEQEVAL" --gold gold.conll --predictions one.conll two.conll --json | cmp - both.json || bad "one core gives other figures"
grep -q '"differences": {"entity_f1": {"value": 0.133333333, ' both.json || bad "differences: $(cat both.json)"
grep -q '"entities": {"all": {"precision": 0.666666667, "recall": 0.666666667, "f1": 0.666666667, "right": 2, "predicted": 3, "gold": 3}' both.json || bad "entities: $(cat both.json)"
grep -q '{"gold": "I-loc", "predicted": "O", "count": 1}' both.json || bad "confusion: $(cat both.json)"
cmp -s both.json other.json && bad "--seed changes nothing"
expect 0 'entity_f1 +0.666667 +null +null' "$SEQEVAL" --gold gold.conll --predictions one.conll --resamples 0
# Runs of one system: the mean over them, in each resample, too. One is right where the other is wrong: a half, whatever the items.
printf 'a\nb\na\nb\na\na\n' >gold.txt
printf 'a\nb\nb\na\na\nb\n' >run-1.txt
printf 'b\na\na\nb\nb\na\n' >run-2.txt
printf 'a\na\na\na\na\na\n' >theirs.txt
printf 'a\tsome text\n' >learn.txt
"$SEQEVAL" --gold gold.txt --runs 2 --predictions run-1.txt run-2.txt theirs.txt >runs.txt || bad "--runs: $(cat runs.txt)"
grep -Eq '^accuracy +0.5 +0.5 +0.5 +0.666667 .* 0.166667 ' runs.txt || bad "the mean of two runs: $(cat runs.txt)"
grep -Eq '^run +accuracy ' runs.txt && grep -Eq '^2 +0.5 ' runs.txt || bad "the runs' own values: $(cat runs.txt)"
"$SEQEVAL" --gold gold.txt --runs 3 --predictions run-1.txt run-1.txt run-1.txt theirs.txt --json | sed 's/.*"differences"//' >thrice.json
"$SEQEVAL" --gold gold.txt --predictions run-1.txt theirs.txt --json | sed 's/.*"differences"//' | cmp - thrice.json || bad "a run thrice is not the run"
"$SEQEVAL" --gold gold.txt --runs 2 --predictions run-1.txt theirs.txt --json | grep -q '"runs": 2, "mean": {"accuracy": {"value": 0.583333333, ' || bad "no mean in JSON"
expect 0 '^accuracy .* 0.166667 ' "$SEQEVAL" --gold gold.txt --runs 2 --predictions run-1.txt run-2.txt --train learn.txt --baseline majority
expect 2 'runs 3: --predictions and the operands name 2 files' "$SEQEVAL" --gold gold.txt --runs 3 --predictions run-1.txt run-2.txt
expect 2 'theirs.txt: would be a third system; --runs says how many of the 3' "$SEQEVAL" --gold gold.txt --predictions run-1.txt run-2.txt theirs.txt
expect 2 'theirs.txt would be a third' "$SEQEVAL" --gold gold.txt --runs 2 --predictions run-1.txt run-2.txt theirs.txt --train learn.txt --baseline majority
# Both in one file: the last two columns. Nothing predicted: F1 0, no precision.
paste gold.conll <(cut -f 2 one.conll | sed 's/[BI]-.*/O/' | tr -d '\r') | sed 's/^\t*$//' >joint.conll
expect 0 '^all +null +0 +0 +0 +0 +3' "$SEQEVAL" --gold joint.conll
"$SEQEVAL" --gold - --predictions one.conll <gold.conll | grep -q '^gold *standard input, scheme' || bad "gold from a pipe"
# Parts of speech have no entities; their tags do.
printf 'a DT\nb NN\n' >pos
expect 0 'scheme none' "$SEQEVAL" --task tag --gold pos --predictions pos
grep -q entity .out && bad "entities of parts of speech"
expect 3 "pos line 1: --scheme iob2: the tag 'DT' is neither" "$SEQEVAL" --task tag --scheme iob2 --gold pos --predictions pos

# Classes: lines, a table, JSON lines with probabilities; what differs is named.
printf 'pos a good film\nneg a bad film\npos good\nneu so so\n' >gold.txt
printf 'pos\npos\npos\nneg\n' >lines
printf 'index\toutput\n0\tpos\n1\tpos\n2\tpos\n3\tneg\n' >table.tsv
printf '{"index": %d, "output": "%s", "labels": ["pos", "neg", "neu"], "probabilities": [%s]}\n' \
  0 pos '0.8, 0.1, 0.1' 1 pos '0.5, 0.3, 0.2' 2 pos '0.5, 0.4, 0.1' 3 neg '0.2, 0.6, 0.2' >json.jsonl
for form in lines table.tsv json.jsonl; do
  "$SEQEVAL" --gold gold.txt --predictions $form >$form.out 2>$form.err || bad "$form: $(cat $form.err)"
  equal "$(figure $form.out accuracy)" 0.5 "$form"
  equal "$(figure $form.out macro_f1)" 0.266667 "$form" # (0.8 + 0 + 0) / 3
  equal "$(figure $form.out weighted_f1)" 0.4 "$form"
  grep -Eq '^neu +null +0 +0 +0 +0 +1' $form.out || bad "$form: nothing is predicted neu: $(cat $form.out)"
done
equal "$(figure json.jsonl.out auc)" 0.680556 "mean of 3.5/4, 1/3 and 2.5/3"
printf 'pos\npos\npos\nPOS\n' >strange
expect 0 "strange: 1 predicted labels never occur in gold.txt, the first is 'POS' .line 4." "$SEQEVAL" --gold gold.txt --predictions strange
head -3 lines >short
expect 3 'short at its end differs from gold.txt at line 4: 3 items, expected 4' "$SEQEVAL" --gold gold.txt --predictions lines short
: >empty
expect 3 'empty at its end differs from gold.txt at line 1' "$SEQEVAL" --gold gold.txt --predictions empty
expect 3 'empty: no item' "$SEQEVAL" --gold empty --predictions empty
expect 3 'index 3, expected 2: items in another order' "$SEQEVAL" --gold gold.txt --predictions <(sed '3s/2/3/' json.jsonl)
gzip <lines >packed
expect 3 'packed: .*gzip' "$SEQEVAL" --gold gold.txt --predictions packed
printf 'pos\n\0\n' >zero
expect 3 'zero line 2: a NUL byte' "$SEQEVAL" --gold zero --predictions lines
expect 3 'missing: No such file' "$SEQEVAL" --gold gold.txt --predictions missing
"$SEQEVAL" --gold gold.txt --predictions lines --per-item items.tsv >/dev/null
equal "$(sed -n 3p items.tsv)" "$(printf '1\t2\tneg\tpos\t0')" "--per-item"
equal "$(wc -l <items.tsv)" 5 "--per-item"

# Ratings.
printf '0 dull\n2 so so\n4 good\n2 fair\n' >stars
printf '0.5\n2\n3\n1.5\n' >values
"$SEQEVAL" --gold stars --predictions values >rated
equal "$(figure rated task)" rate "a fraction says ratings"
equal "$(figure rated mean_absolute_error)" 0.5 "(0.5 + 0 + 1 + 0.5) / 4"
equal "$(figure rated root_mean_square)" 0.612372 "sqrt(1.5 / 4)"
equal "$(figure rated spearman)" 0.948683 "4.5 / sqrt(4.5 * 5)"
expect 0 'spearman +null' "$SEQEVAL" --task rate --gold stars --train stars --baseline majority
expect 0 'spearman": {"value": null, "low": null' "$SEQEVAL" --task rate --gold stars --train stars --baseline majority --json

# Transcripts: rates of the corpus, S D I, words or characters, two systems, an empty item.
printf 'one two three\n\nfour\nfive\n' >said
printf 'one too three\nsix\n\nfive\n' >heard
"$SEQEVAL" --task transcribe --gold said --predictions heard --per-item heard.tsv >heard.out
equal "$(figure heard.out label_error_rate)" 0.6 "3 edits of 5 labels"
equal "$(figure heard.out sentence_error_rate)" 0.75 "3 items of 4"
grep -Eq '^all +1 +1 +1 +5 +5$' heard.out || bad "edits: $(cat heard.out)"
grep -Eq '^label_error_rate +0.6 +0\.[0-9]+ +[0-9.]+$' heard.out || bad "no interval: $(cat heard.out)"
equal "$(sed -n 3p heard.tsv)" "$(printf '1\t2\t\tsix\t0\t0\t1')" "--per-item of transcripts"
expect 0 'label_error_rate +0.380952' "$SEQEVAL" --task transcribe --unit char --gold said --predictions heard # (1 + 3 + 4) of 13 + 0 + 4 + 4
expect 0 '"label_error_rate": .*"substitutions": 0, "deletions": 0, "insertions": 0, "labels": 5' "$SEQEVAL" --task transcribe --gold said --predictions said --json
expect 0 'label_error_rate +0.6 .* 0 .*-0.6' "$SEQEVAL" --task transcribe --gold said --predictions heard said
expect 2 "unit: of --task transcribe" "$SEQEVAL" --unit char --gold gold.txt --predictions lines
expect 2 "baseline: not for --task transcribe" "$SEQEVAL" --task transcribe --gold said --train said --baseline majority
expect 3 'said line 1: expected one label, found .one two three.*--task transcribe' "$SEQEVAL" --gold lines --predictions said

# Baselines, alone and against a system.
for i in 1 2 3 4 5 6; do printf 'pos good film %d\nneg bad film %d\n' $i $i; done >train.txt
expect 0 'accuracy +0.75' "$SEQEVAL" --gold gold.txt --train train.txt --baseline bow --dev gold.txt
expect 0 'accuracy +0.5 .* 0.75 ' "$SEQEVAL" --gold gold.txt --predictions lines --train train.txt --baseline bow
expect 0 'accuracy +0.5 ' "$SEQEVAL" --gold gold.txt --train train.txt --baseline majority

# What has no effect, or no sense, is refused.
expect 2 'usage: seqeval RUN' "$SEQEVAL"
expect 2 'weights: of a model, not with --gold' "$SEQEVAL" --gold gold.txt --predictions lines --weights bf16
expect 2 'predictions: needs --gold' "$SEQEVAL" run --predictions lines
expect 2 'predictions FILE: missing' "$SEQEVAL" --gold gold.txt lines
expect 2 'baseline: needs --train' "$SEQEVAL" --gold gold.txt --baseline bow
expect 2 'baseline: not for --task tag' "$SEQEVAL" --gold gold.conll --train train.conll --baseline majority
expect 2 'train: of --baseline' "$SEQEVAL" --gold gold.txt --predictions lines --train train.txt
expect 2 'dev: of --baseline bow' "$SEQEVAL" --gold gold.txt --predictions lines --dev train.txt
expect 2 'scheme: of --task tag' "$SEQEVAL" --gold gold.txt --predictions lines --scheme iob2
expect 2 "columns: 'word': expected token=" "$SEQEVAL" --gold gold.conll --predictions one.conll --columns word=1
expect 2 'standard input holds one file only' "$SEQEVAL" --gold - --predictions -

# The published scores of three systems.
wnut=${SEQ_REFERENCES:-}/../datasets/wnut17/emerging.test.annotated
if [ -z "${SEQ_REFERENCES:-}" ] || [ ! -r "$wnut" ]; then
  echo "not tested: the systems of WNUT17 (SEQ_REFERENCES names no folder that has them, and beside it datasets/wnut17)" >&2
else
  while read -r system right predicted f1 surface; do
    "$SEQEVAL" --resamples 0 --gold "$wnut" --predictions "$SEQ_REFERENCES/wnut17-systems/$system" >wnut.txt || bad "$system"
    equal "$(awk '/^all  /{print $5, $6, $7}' wnut.txt)" "$right $predicted 1079" "$system"
    equal "$(awk '$1 == "entity_f1" {printf "%.2f", 100 * $2}' wnut.txt)" "$f1" "$system: F1"
    equal "$(awk '$1 == "entity_f1_surface" {printf "%.2f", 100 * $2}' wnut.txt)" "$surface" "$system: surface F1"
  done <<'END'
uh_ritual 355 617 41.86 40.24
spinningbytes.txt 388 824 40.78 39.33
drexel_cci 192 381 26.30 25.26
END
fi
finish
