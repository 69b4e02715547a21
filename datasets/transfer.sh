#!/bin/bash
# A language model of novels and WikiText-2, 25 minutes of two cores, then sentiment and entities that begin with its word vectors.
# Source: DIR holds the folders novels (github.com/computationalstylistics/100_english_novels, corpus/*.txt or .txt.zst), wikitext2
# (wiki.train.tokens), sst (as sst.sh takes it) and wnut17 (as wnut17.sh takes it). Options were chosen on the development parts.
#   datasets/transfer.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs novels wikitext2/wiki.train.tokens sst/stsa.binary.train sst/stsa.fine.train wnut17/wnut17train.conll
export LC_ALL=C.UTF-8
mkdir -p "$out"

# Running text, paragraphs between blank lines -> a sentence a line, in lower case, cut as in the Penn Treebank, as sst is.
sentences() {
  awk 'BEGIN { RS = "" } { gsub(/\r/, ""); gsub(/\n/, " "); print }' |
    sed -E -e "s/.*/\L&/; s/[“”]/\"/g; s/[‘’]/'/g; s/[—–]|--+/ -- /g; s/…|\.\.\.+/ ... /g" \
      -e "s/(^|[ ([])\"/\1 \`\` /g; s/\"/ '' /g; s/[([]/ -lrb- /g; s/[])]/ -rrb- /g; s/([;?!])/ \1 /g; s/([,:])([^0-9]|$)/ \1 \2/g" \
      -e 's/(^| )(mr|mrs|dr|ms|st|jr|sr)\./\1\2@/g; s/([^ .])\.([ ]|$)/\1 . \2/g; s/@/./g' \
      -e "s/(^| )'([a-z])/\1' \2/g; s/([^ '])'( |$)/\1 '\2/g; s/n't( |$)/ n't\1/g; s/'(s|m|d|re|ve|ll)( |$)/ '\1\2/g" \
      -e "s/[_*]//g; s/ ([.?!]) +('' |-rrb- |' )?/ \1 \2\n/g" |
    sed -E -e "s/ +/ /g; s/^ | $//g; s/' (s|m|d|re|ve|ll) / '\1 /g; s/' (s|m|d|re|ve|ll) / '\1 /g" -e '/[a-z]/!d'
}
conll() { awk -F'\t' '{ sub(/\r/, "") } $1 == "" { print ""; next } { printf "%s ", $1 }' "$1"; }

if [ ! -e "$out/text/dataset.json" ]; then
  for novel in "$from"/novels/*.txt*; do
    case $novel in *.zst) zstd -dcq "$novel" ;; *) cat "$novel" ;; esac | sed '1s/^\xEF\xBB\xBF//' | sentences
  done >"$out/novels.txt"
  grep -v '^ *= ' "$from/wikitext2/wiki.train.tokens" |
    sed -E "s/ @([-,.])@ /\1/g; s/n 't / n't /g; s/ \" ([^\"]*) \" / \`\` \1 '' /g; s/\$/\n/" | sentences >"$out/wikitext2.txt"
  # The tasks' own training text, without labels, five times.
  for time in 1 2 3 4 5; do
    cut -d' ' -f2- "$from/sst/stsa.fine.train"
    conll "$from/wnut17/wnut17train.conll"
  done >"$out/tasks.txt"
  { cut -d' ' -f2- "$from/sst/stsa.fine.dev"; conll "$from/wnut17/emerging.dev.conll"; } >"$out/dev.txt"
  "$bin/seqprep" --unit word --lower --eos line --min-count 5 --output "$out/text" --valid "$out/dev.txt" "$out/novels.txt" "$out/wikitext2.txt" "$out/tasks.txt"
fi
"$bin/seqtrain" --data "$out/text" --run "$out/model" --threads "$cores" --layers 1 --hidden 256 --embed 256 --output sampled --samples 2048 --tied \
  --precision bf16 --batch 64 --window 32 --epochs 2 --lr 0.002 --warmup 1000 --schedule cosine --clip-norm 1 --dropout 0.1 --validate-every 2483 ||
  fail "the language model"

items() { # NAME VALID TEST TRAIN SEQPREP_OPTION...
  local name=$1 valid=$2 test=$3 train=$4
  shift 4
  [ -e "$out/$name/dataset.json" ] || "$bin/seqprep" --output "$out/$name" --lower --vocab "$out/text" --valid "$valid" --test "$test" "$@" "$train"
}
tell() { # RUN MEASURE...
  local run=$1 split measure
  shift
  for split in valid test; do for measure in "$@"; do tell_seeds "$out/$run" $split "$measure"; done; done
}
words=(--layers 1 --embed 256 --embed-init uniform --schedule cosine --dropout 0.5)
for task in binary fine rate; do
  file=$task kind=classify measures=(accuracy macro_f1)
  [ $task = rate ] && file=fine kind=rate measures=(mean_absolute_error spearman)
  items $task "$from/sst/stsa.$file.dev" "$from/sst/stsa.$file.test" "$from/sst/stsa.$file.train" --task $kind
  train_seeds "$out/$task" "$out/run-$task" "${words[@]}" --bidirectional --hidden 100 --pool attention --dropout-locked --embedding-dropout 0.2 \
    --batch 50 --optimizer adamw --lr 0.002 --weight-decay 0.1 --epochs 14 --init-from "$out/model:embedding@0.2"
  tell run-$task "${measures[@]}"
done
items tags "$from/wnut17/emerging.dev.conll" "$from/wnut17/emerging.test.annotated" "$from/wnut17/wnut17train.conll" --task tag --letters --casing
for directions in both forward; do
  ways=--bidirectional
  [ $directions = forward ] && ways=--no-bidirectional
  train_seeds "$out/tags" "$out/run-$directions" "${words[@]}" $ways --hidden 200 --letters-hidden 100 --letters-embed 30 --embedding-dropout 0.1 \
    --singletons 0.5 --batch 16 --lr 0.004 --epochs 10 --init-from "$out/model:embedding@0.2"
  tell run-$directions entity_f1 entity_f1_surface
done
