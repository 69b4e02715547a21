# --init-from and --embeddings: values of another run by name and by word, what is printed, recorded and refused; a resume without the
# source, another source, several ranks, a rollback to the start, factors of the learning rate.
# Long: 300
source "$SUPPORT/common.sh"
whole=
[ "$SCALE" -ge 10 ] && whole=yes
# The same words in both, counted differently: the vocabularies have another order.
words="ape bee cat dog elk fox gnu hen"
for i in 1 2 3 4 5 6; do
  for word in $words; do echo "the $word sees $words"; done
done >text.txt
{ for i in 1 2 3 4 5 6 7 8 9; do echo "hen hen gnu gnu fox elk hen dog"; done; cat text.txt; } >other.txt
for data in text other; do expect 0 train "$SEQPREP" --unit word --valid 0.2 -o $data $data.txt; done
[ "$(cut -f3 text/vocabulary.tsv)" != "$(cut -f3 other/vocabulary.tsv)" ] || bad "the vocabularies have one order"
shape=(--layers 1 --hidden 6 --embed 5 --batch 2 --window 5 --optimizer sgd --replicas 2 --validate-every 100 --compression none --lr 0.5)
train() { "$SEQTRAIN" "${shape[@]}" "$@"; }
several() { run_mpi 2 "$SEQTRAIN" "${shape[@]}" "$@"; }
anew() { "$@" --data other; }

experiment "a run begins with another's parameters" "values by name and by word; printed and recorded; wrong parts are refused"
expect 0 finished train --data text --run source --steps 4 --lr 2
# Without a learning rate the model is the source's, over the other vocabulary.
expect 0 "7 of 7 parameters$" anew train --run equal --steps 1 --lr 0 --init-from source
grep -q "embedding.weight: 11 of 11 rows, 100.00 % of the training tokens" .out || bad "no line on the embedding"
scores() { "$SEQEVAL" "$1" --score text.txt --quiet | awk -F'\t' '{ printf "%.3f %d\n", $1, $2 }'; }
scores source >a.txt && scores equal >b.txt && [ "$(sort -u a.txt | wc -l)" -gt 5 ] && same a.txt b.txt
grep -Eq "	init-from=[0-9a-f]{32}	" equal/identity.txt || bad "identity.txt has no source"
grep -Eq '"init-from": "[0-9a-f]{32}"' equal/checkpoints/*/manifest.json || bad "the manifest has no source"
expect 0 "init-from +[0-9a-f]{32}" "$SEQINFO" equal/checkpoints/step-000000001
! grep -q init-from source/identity.txt source/checkpoints/*/manifest.json || bad "a source where there is none"
expect 2 "part hh_l0 names no parameter there; it has embedding.weight, rnn.weight_ih_l0" anew train --run no --init-from source:hh_l0
expect 2 "embedding.weight has 11 x 5 values, embedding.weight here 11 x 6.*:embedding.weight=" anew train --run no --embed 6 --init-from source
# --dry-run tells the same and begins no run.
plan=(train --dry-run --plan-ranks 1)
expect 0 finished anew train --run told --steps 1 --init-from source:rnn@0
grep "^initial" .out >told.txt
expect 0 "4 of 7 parameters, frozen" anew "${plan[@]}" --run no --init-from source:rnn@0
grep "^initial" .out | same told.txt /dev/stdin
expect 2 "init-from: what is taken depends on the vocabulary" "${plan[@]}" --plan-vocabulary 11 --init-from source
expect 2 "part hh_l0 names no parameter there" anew "${plan[@]}" --init-from source:hh_l0
expect 2 "init-from: every parameter is frozen" anew "${plan[@]}" --init-from source@0
if [ "$whole" ]; then
  expect 0 "4 of 7 parameters" anew train --run parts --steps 1 --init-from source/checkpoints/step-000000004:rnn
  grep -q "not taken: embedding.weight (not asked for), output.weight" .out || bad "what was left out is not told"
  grep -q "drawn at random: embedding.weight, output.weight, output.bias" .out || bad "what is random is not told"
  expect 0 "3 of 7 parameters" anew train --run upper --steps 1 --layers 2 --init-from source:_l0=_l1,weight_ih_l1=
  grep -q "rnn.weight_hh_l1: from rnn.weight_hh_l0" .out || bad "what was renamed is not told"
  expect 0 "taken already" anew train --run two --steps 1 --init-from source:rnn --init-from source:rnn,output
  grep -q "^init-from = source:rnn;source:rnn,output$" two/config.ini || bad "config.ini: $(grep '^init-from' two/config.ini)"
  expect 0 "7 of 7|finished" train --config two/config.ini --run two --steps 2
  expect 0 "6 of 7|taken already" train --config two/config.ini --run "$work/three"
  same two/identity.txt three/identity.txt
  expect 2 "nothing of it fits to this model, which has embedding.weight, rnn.weight_ih_l0" anew train --run no --init-from source:rnn=encoder,encoder
  expect 2 "expected RUN.:FROM=TO" anew train --run no --init-from source@fast
  expect 2 "embeddings-rate: has a meaning with --embeddings only" anew train --run no --embeddings-rate 0
  expect 4 "init-from: loading nowhere: no such run" anew train --run no --init-from nowhere
fi
absent no/checkpoints
outcome 5

experiment "a source that is gone, or another" "a resume without it has the same bytes; another source, part or rate is refused"
from=(--init-from "source:output=@0.5")
expect 0 finished anew train --run alone --steps 4 "${from[@]}"
expect 0 finished anew several --run some --steps 2 "${from[@]}"
cp -r source kept
rm -r source
cp -r some again
expect 0 finished train --run some --steps 4 "${from[@]}"
same_tree alone/checkpoints/step-000000004 some/checkpoints/step-000000004
same alone/identity.txt some/identity.txt
expect 2 "resuming: --init-from .*other sources, parts or rates" train --run some --steps 6 --init-from source:output=@0.25
cp -r equal source
expect 2 "source has other checkpoints" train --run some --steps 6 "${from[@]}"
rm -r source
cp -r kept source
if [ "$whole" ]; then
  expect 0 finished several --run again --steps 4
  same_tree alone/checkpoints/step-000000004 again/checkpoints/step-000000004
  for given in source:output= source "source:output=@0.5;kept"; do
    expect 2 "resuming: --init-from .*other sources, parts or rates" train --run some --steps 6 --init-from "$given"
  done
  expect 0 finished train --run again --steps 5 --init-from source --override init-from
  expect 2 "resuming: --init-from .*the run has none" train --run kept --steps 9 "${from[@]}"
  expect 0 finished anew train --run plain --steps 5
  cp -r plain/checkpoints/step-000000005 some/checkpoints
  expect 0 "init-from none .this run has [0-9a-f]{32}.*override init-from" train --run some --steps 5
fi
outcome 4

experiment "word vectors of any form" "words as they are, in lower case, the first of two; a bad line is named"
{ echo "5 5"; echo "hen 1 2 3 4 5 "; echo "hen 9 9 9 9 9"; echo "zebu 1 1 1 1 1"; echo "gnu -1 0 0.5 0 1e-1"; echo "<eos> 5 4 3 2 1"; } >vectors.txt
gzip -k vectors.txt
expect 0 "vectors.txt.gz: 5 words, 1 of them again .the first counts., frozen" anew train --run vectors --steps 3 --embeddings vectors.txt.gz --embeddings-rate 0
grep -q "words: 3 as they are, 0 in lower case, 8 not in the file" .out || bad "no line on the words"
grep -Eq "embedding.weight: 3 of 11 rows, [0-9.]+ % of the training tokens" .out || bad "no line on the coverage"
sed 's/^gnu.*/gnu 1 2 nan 4 5/' vectors.txt >bad.txt
expect 3 "bad.txt line 5: expected a word and 5 numbers, found 'nan'" anew train --run no --embeddings bad.txt
if [ "$whole" ]; then
  expect 2 "takes embedding.weight already" anew train --run no --embeddings vectors.txt --init-from source
  expect 0 finished train --run vectors --steps 4 --embeddings vectors.txt.gz --embeddings-rate 0
  expect 2 "resuming: --embeddings .*another file or rate" train --run vectors --steps 5 --embeddings vectors.txt.gz
  expect 2 "resuming: --embeddings .*another file or rate" train --run vectors --steps 5 --embeddings vectors.txt --embeddings-rate 0
  rm vectors.txt.gz
  expect 0 finished train --run vectors --steps 5 --embeddings vectors.txt.gz --embeddings-rate 0
  expect 3 "embedding has 6: --embed 5 fits" anew train --run no --embed 6 --embeddings vectors.txt
  echo "zebu 1 1 1 1 1" >strange.txt
  expect 2 "none of its 1 words is in the vocabulary" anew train --run no --embeddings strange.txt
fi
absent no/checkpoints
outcome 3

# Values, where h5dump is installed. A frozen parameter keeps every bit.
if command -v h5dump >/dev/null; then
  experiment "parameters that are frozen" "not a bit of them changes"
  row() { # RUN STEP DATA WORD
    local id=$(awk -F'\t' -v word="$4" '$3 == word { print $1 }' "$3/vocabulary.tsv")
    h5dump -y -w 200 -m %.9g -d embedding.weight -s "$id,0" -c 1,5 "$1"/checkpoints/*"$2"/model.h5 | grep -E '^ *-?[0-9]' | tr -d ' \n'
  }
  [ "$(row vectors 3 other hen)" = 1,2,3,4,5 ] || bad "hen: $(row vectors 3 other hen)"
  if [ "$whole" ]; then
    expect 0 "frozen" anew train --run half --steps 3 --init-from source:embedding@0 --init-from source:rnn@0.5
    for word in ape gnu hen sees; do
      [ "$(row source 4 text $word)" = "$(row half 3 other $word)" ] || bad "$word: $(row half 3 other $word)"
    done
  fi
  outcome 2
fi

if [ "$whole" ] && grep -q SEQ_HOLD_AT "$SEQTRAIN"; then
  experiment "a rollback to the start" "values are taken again; the same bytes on 1 and 2 ranks"
  all=(--init-from source:rnn,output@0.25 --embeddings vectors.txt --embeddings-rate 0 --steps 3 --on-bad-numbers rollback)
  fault=(--rollback-factor 1 --inject nan-loss:step=1)
  expect 0 "rolled back|finished" anew train "${all[@]}" "${fault[@]}" --run back
  expect 0 finished anew several "${all[@]}" "${fault[@]}" --run back-both
  same_tree back/checkpoints back-both/checkpoints
  outcome 2
fi
finish
