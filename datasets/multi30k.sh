#!/bin/bash
# Multi30k, German to English: captions of pictures, 29,000 pairs to train on, 1,014 for validation, test_2016 with 1,000.
# Source: github.com/multi30k/dataset. DIR has {train,val,test_2016_flickr}.lc.norm.tok.{de,en}, in lower case and cut into tokens,
# and raw.{train,val,test_2016_flickr}.{de,en} as written.
# Joint subwords; an encoder of both directions, a decoder with attention and input feeding. Three seeds with attention, one without,
# one on the raw text: text in, text out. BLEU is of tok:none against the tokens as given (of raw text: 13a, with case).
# VARIANTS="attention plain raw" makes a part. A figure of the first 15 minutes is told for the first seed with attention.
#   datasets/multi30k.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
parts=(train val test_2016_flickr)
needs {train,val,test_2016_flickr}.lc.norm.tok.{de,en} raw.{train,val,test_2016_flickr}.{de,en}
[ "$seeds" -ne 5 ] || seeds=3
variants=${VARIANTS:-attention plain raw}

# make DATA PREFIX SUFFIX SEQPREP_OPTION...: files PREFIX PART SUFFIX . {de,en}.
make() {
  local data=$out/$1 prefix=$from/$2 suffix=$3
  mkdir -p "$out"
  [ -e "$data/dataset.json" ] || "$bin/seqprep" --task translate --source "$prefix${parts[0]}$suffix.de" --target "$prefix${parts[0]}$suffix.en" \
    --valid-source "$prefix${parts[1]}$suffix.de" --valid-target "$prefix${parts[1]}$suffix.en" \
    --test-source "$prefix${parts[2]}$suffix.de" --test-target "$prefix${parts[2]}$suffix.en" \
    --unit subword --merges 4000 --joint --max-length 60 --output "$data" "${@:4}"
}

# learn DATA RUN SEED SEQTRAIN_OPTION...: 20 epochs, about half an hour of one core with bf16.
learn() {
  local code=0
  "$bin/seqtrain" --data "$out/$1" --run "$out/$2" --seed "$3" --threads "$cores" --quiet --cell gru --layers 1 --bidirectional --hidden 256 --embed 256 \
    --decoder-hidden 512 --dropout 0.3 --label-smoothing 0.1 --batch-tokens 1000 --clip-norm 1 --lr 0.0015 --schedule cosine --warmup 500 \
    --precision bf16 --epochs 20 --log-every 100 "${@:4}" ${more[@]+"${more[@]}"} || code=$?
  [ $code -eq 0 ] || [ $code -eq 75 ] || fail "$2: exit code $code"
}

# translate RUN PREFIX SUFFIX BEAM [SEQPREDICT_OPTION...]: the test part, once a checkpoint; tells BLEU and its signature.
translate() {
  local run=$out/$1 source=$from/$2${parts[2]}$3.de reference=$from/$2${parts[2]}$3.en beam=$4 output
  output=$run/test-beam-$beam${5:+-newest}.en
  "$bin/seqpredict" "$run" --beam "$beam" --length-penalty mean "${@:5}" "$source" >"$output.new"
  mv "$output.new" "$output"
  printf '%-40s' "$1, beam $beam${5:+, newest}"
  "$bin/seqeval" --task translate --gold "$reference" --predictions "$output" --resamples 0 | grep -iE 'bleu' | tr -s ' ' | paste -sd ' '
}

tokens='.lc.norm.tok'
for variant in $variants; do
  case $variant in
  attention)
    make data '' "$tokens"
    for ((seed = 1; seed <= seeds; seed++)); do
      if [ "$seed" -eq 1 ] && [ ! -e "$out/quarter" ]; then
        learn data attention-1 1 --attention general --input-feeding --time-limit 15m
        translate attention-1 '' "$tokens" 5 --newest | tee "$out/quarter.new"
        mv "$out/quarter.new" "$out/quarter"
      fi
      learn data "attention-$seed" "$seed" --attention general --input-feeding
      for beam in 0 5 50; do translate "attention-$seed" '' "$tokens" $beam; done
    done
    cat "$out/quarter"
    tell_seconds "$out/attention"
    ;;
  plain)
    make data '' "$tokens"
    learn data plain-1 1 --attention none --summary-each-step
    for beam in 0 5; do translate plain-1 '' "$tokens" $beam; done
    ;;
  raw)
    make raw raw. ''
    learn raw raw-1 1 --attention general --input-feeding
    for beam in 0 5; do translate raw-1 raw. '' $beam; done
    ;;
  *) fail "VARIANTS: $variant: expected attention, plain, raw" ;;
  esac
done
