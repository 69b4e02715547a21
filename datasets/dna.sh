#!/bin/bash
# DNA of the UCI repository: splice junctions (three kinds, ten-fold cross-validation by groups) and promoters (leave one out).
# Source: splice.arff (Weka's table of "Molecular Biology: Splice-junction Gene Sequences", 3,190 x 60 bases) and promoters.data
# ("Molecular Biology: Promoter Gene Sequences", 106 x 57 bases). Equal sequences never fall into two folds.
# Options were chosen on parts of the training folds (datasets/README.md); the folds judged here were not looked at.
#   datasets/dna.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs splice.arff promoters.data

# Splice: words of 3 bases, cut side by side, so that the junction (always behind base 30) is a border of words.
for fold in {1..10}; do
  [ -e "$out/splice/$fold/dataset.json" ] || "$bin/seqprep" --task classify --ignore Instance_name --kmer 3 --stride 3 --stratify \
    --folds 10 --fold "$fold" --quiet --output "$out/splice/$fold" "$from/splice.arff"
done
fold_seeds splice "$(seq 10)" --layers 1 --bidirectional --hidden 64 --embed 32 --embed-init scaled --init orthogonal --forget-bias 2 --pool attention \
  --dropout 0.5 --word-dropout 0.2 --batch 32 --lr 0.004 --schedule cosine --epochs 30

# Promoters: 4 bases at each place. The validation part (3 of each class) chooses nothing; it kept the number of
# checkpoints small before there was --checkpoint-epochs, and the figures were made with it.
# The 53 sequences that are no promoters are pieces of one stretch of 1,500 bases, and 52 of them overlap others: whoever leaves out one
# has learnt from its neighbours. "apart" also leaves out of training what shares 12 bases in a row with the one left out. The usual
# protocol is the first.
mkdir -p "$out/apart"
for fold in {1..106}; do
  [ -e "$out/promoters/$fold/dataset.json" ] || "$bin/seqprep" --task classify --reader promoters --kmer 4 \
    --valid 0.05 --stratify --folds all --fold "$fold" --quiet --output "$out/promoters/$fold" "$from/promoters.data"
  [ -e "$out/apart/$fold/dataset.json" ] || {
    awk -F, -v one="$fold" -v part="$out/apart/$fold" '
      { text = tolower($3); gsub(/[^a-z]/, "", text); shared = 0 }
      NR == FNR && FNR == one { print >(part ".test"); for (i = 1; i <= length(text) - 11; i++) run[substr(text, i, 12)] }
      NR != FNR { for (i = 1; i <= length(text) - 11; i++) shared += substr(text, i, 12) in run; if (!shared) print >(part ".train") }
    ' "$from/promoters.data" "$from/promoters.data"
    "$bin/seqprep" --task classify --reader promoters --kmer 4 \
      --valid 0.05 --stratify --test "$out/apart/$fold.test" --quiet --output "$out/apart/$fold" "$out/apart/$fold.train"
  }
done
for data in promoters apart; do
  fold_seeds $data "$(seq 106)" --layers 1 --bidirectional --hidden 16 --embed 8 --embed-init uniform --forget-bias 1 --pool attention \
    --dropout 0.5 --word-dropout 0.3 --batch 21 --lr 0.01 --schedule cosine --epochs 60 --validate-every 1M
done
