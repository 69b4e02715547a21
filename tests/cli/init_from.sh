# --init-from and --embeddings: values of another run by name and by word, what is printed, recorded and refused; a resume without the
# source; factors of the learning rate.
source "$SUPPORT/common.sh"
# The same words in both, counted differently: the vocabularies have another order.
words="ape bee cat dog elk fox gnu hen"
for i in 1 2 3 4 5 6; do
  for word in $words; do echo "the $word sees $words"; done
done >text.txt
{ cat text.txt; for i in 1 2 3 4 5 6 7 8 9; do echo "hen hen gnu gnu fox elk hen dog"; done; } >other.txt
prepare() { expect 0 train "$SEQPREP" --unit word --valid 0.2 --quiet=no "$@"; }
prepare -o data text.txt
prepare -o other other.txt
head -3 data/vocabulary.tsv other/vocabulary.tsv | sort | uniq -d | grep -q '	hen' && bad "the vocabularies have one order"
shape=(--layers 1 --hidden 6 --embed 5 --batch 2 --window 5 --optimizer sgd --validate-every 100)
train() { "$SEQTRAIN" "${shape[@]}" "$@"; }
expect 0 finished train --data data --run source --steps 8 --lr 2
step8=source/checkpoints/step-000000008

# Without a learning rate the model is the source's, over the other vocabulary.
expect 0 "7 of 7 parameters$" train --data other --run same --steps 1 --lr 0 --init-from source
grep -q "embedding.weight: 11 of 11 rows, 100.00 % of the training tokens" .out || bad "no line on the embedding"
scores() { "$SEQEVAL" "$1" --score text.txt --quiet | awk -F'\t' '{ printf "%.3f %d\n", $1, $2 }'; }
scores source >a.txt && scores same >b.txt && [ "$(sort -u a.txt | wc -l)" -gt 5 ] && same a.txt b.txt
grep -q "init-from=[0-9a-f]\{32\}	" same/identity.txt || bad "identity.txt has no source"
grep -q '"init-from": "[0-9a-f]\{32\}"' same/checkpoints/*/manifest.json || bad "the manifest has no source"
! grep -q init-from source/identity.txt $step8/manifest.json || bad "a source where there is none"

# Names: parts and renamings; of two sources the first counts.
expect 0 "4 of 7 parameters" train --data other --run parts --steps 1 --init-from $step8:rnn
grep -q "not taken: embedding.weight (not asked for), output.weight" .out || bad "what was left out is not told"
grep -q "drawn at random: embedding.weight, output.weight, output.bias" .out || bad "what is random is not told"
expect 0 "6 of 7 parameters" train --data other --run upper --steps 1 --layers 2 --hidden 6 --init-from source:_l0=_l1,weight_ih_l1=
grep -q "rnn.weight_hh_l1: from rnn.weight_hh_l0" .out || bad "what was renamed is not told"
expect 2 "part weight_hh names no parameter there; it has embedding.weight, rnn.weight_ih_l0" train --data other --run no --init-from source:weight_hh
expect 2 "embedding.weight has 11 x 5 values, embedding.weight here 11 x 6.*:embedding.weight=" train --data other --run no --embed 6 --init-from source
expect 2 "nothing of it fits" train --data other --run no --init-from source:rnn=encoder,encoder
expect 2 "expected RUN.:FROM=TO" train --data other --run no --init-from source@fast
expect 4 "init-from: loading nowhere: no such run" train --data other --run no --init-from nowhere
absent no/checkpoints
expect 0 "taken already" train --data other --run two --steps 1 --init-from source:rnn --init-from source:rnn,output
grep -q "^init-from = source:rnn;source:rnn,output$" two/config.ini || bad "config.ini: $(grep '^init-from' two/config.ini)"
expect 0 "nothing|finished" train --config two/config.ini

# A resume: the same bytes, with or without the source; another one is refused.
cp -r source kept
expect 0 finished train --data other --run whole --steps 6 --lr 1 --init-from source:output=@0.5
expect 0 finished train --data other --run resumed --steps 3 --lr 1 --init-from source:output=@0.5
for given in source:output= source source:output=@0.25 "source:output=@0.5;kept"; do
  expect 2 "resuming: --init-from .*other sources, parts or rates" train --run resumed --steps 6 --init-from "$given"
done
expect 2 "resuming: --init-from .*the run has none" train --run source --steps 9 --init-from kept
rm -r source
expect 0 finished train --data data --run source --steps 8 --lr 2 --seed 2
expect 2 "source has other checkpoints" train --run resumed --steps 6 --init-from source:output=@0.5
rm -r source
cp -r resumed again
expect 0 finished train --run resumed --steps 6 --init-from source:output=@0.5
expect 0 finished train --run again --steps 6
for run in resumed again; do same_tree whole/checkpoints/step-000000006 $run/checkpoints/step-000000006; done
cp -r $PWD/parts/checkpoints/step-000000001 again/checkpoints/step-000000009
expect 0 "another|of step 9" train --run again --steps 6
mv kept source

# Word vectors: as they are, in lower case, the first of two; rows that are not in the file are random.
{ echo "5 5"; echo "hen 1 2 3 4 5 "; echo "hen 9 9 9 9 9"; echo "zebu 1 1 1 1 1"; echo "gnu -1 0 0.5 0 1e-1"; echo "<eos> 5 4 3 2 1"; } >vectors.txt
gzip -k vectors.txt
expect 0 "vectors.txt: 5 words a line, 1 of them again" train --data other --run vectors --steps 2 --embeddings vectors.txt
grep -q "embedding.weight: 3 as they are, 0 in lower case, 8 not in the file" .out || bad "no line on the words"
grep -Eq "embedding.weight: 3 of 11 rows, [0-9.]+ % of the training tokens" .out || bad "no line on the coverage"
expect 0 finished train --run vectors --steps 3
expect 0 finished train --run vectors --steps 4 --embeddings vectors.txt
expect 2 "resuming: --embeddings .*another file or rate" train --run vectors --steps 5 --embeddings vectors.txt.gz
expect 3 "embedding has 6: --embed 5 fits" train --data other --run no --embed 6 --embeddings vectors.txt.gz
sed 's/^gnu.*/gnu 1 2 nan 4 5/' vectors.txt >bad.txt
expect 3 "bad.txt line 5: expected a word and 5 numbers, found 'nan'" train --data other --run no --embeddings bad.txt
expect 2 "takes embedding.weight already" train --data other --run no --embeddings vectors.txt --init-from source
expect 2 "embeddings-rate: has a meaning with --embeddings only" train --data other --run no --embeddings-rate 0
absent no/checkpoints

# Values, where h5dump is installed. A frozen parameter keeps every bit.
if command -v h5dump >/dev/null; then
  rows() { h5dump -y -w 200 -m %.9g -d "$2" "$1"/checkpoints/*"$3"/model.h5 | sed -n 's/,\{0,1\} *$//; s/^ *\(-\{0,1\}[0-9][0-9e., -]*\)$/\1/p' | tr -d '\n' | sed 's/, */\n/g'; }
  row_of() { awk -F'\t' -v word="$2" '$3 == word { print $1 }' "$1/vocabulary.tsv"; }
  row() { h5dump -y -w 200 -m %.9g -d embedding.weight -s "$3,0" -c "1,5" "$1"/checkpoints/*"$2"/model.h5 | grep -E '^ *-?[0-9]' | tr -d ' '; }
  none=(--compression none --lr 0.5)
  expect 0 finished train --data other --run frozen --steps 3 "${none[@]}" --embeddings vectors.txt.gz --embeddings-rate 0
  [ "$(row frozen 3 "$(row_of other hen)")" = "1,2,3,4,5" ] || bad "hen: $(row frozen 3 "$(row_of other hen)")"
  expect 0 finished train --data data --run plain --steps 2 "${none[@]}"
  expect 0 "frozen" train --data other --run half --steps 3 "${none[@]}" --init-from plain:embedding@0 --init-from plain:rnn@0.5
  for word in ape gnu hen sees; do
    [ "$(row plain 2 "$(row_of data $word)")" = "$(row half 3 "$(row_of other $word)")" ] || bad "$word is not the source's"
  done
fi
finish
