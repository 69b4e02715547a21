#!/bin/bash
# Nottingham, folk tunes in ABC notation: a tune from its type, key and metre. Source: the folder ABC_cleaned of
# github.com/jukedeck/nottingham-dataset. Held out are the tunes whose running number over all files ends in 0 (development) or 5
# (test); a training tune that equals one of them, in any key, is left out. Training tunes are also learned in all other keys in
# which they keep the range G,-d'.
# Two models are compared tune by tune, in bits a character of the body, with the labels and without: there K: and M: stand in the head
# of the text, which is read and not counted. Then 100 tunes are drawn with labels and judged by abc2midi (Debian: abcmidi).
# Options were chosen on the development part (datasets/README.md).
#   datasets/nottingham.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs ABC_cleaned
mkdir -p "$out"

# The tunes by part and type: reelsa-c.abc is of the type reels.
if [ ! -e "$out/abc" ]; then
  mkdir -p "$out"/abc.new/{train,valid,test}
  awk -v out="$out/abc.new" '
    function put(  last) {
      last = number % 10
      if (number) printf "%s\n", tune >(out "/" (last == 0 ? "valid" : last == 5 ? "test" : "train") "/" type ".abc")
      tune = ""
    }
    FNR == 1 { put(); type = FILENAME; sub(/.*\//, "", type); sub(/(a-c|d-g|h-l|m-q|r-t)?[.]abc$/, "", type) }
    /^X:/ { if (tune != "") put(); number++ }
    { tune = tune $0 "\n" }
    END { put() }' "$from"/ABC_cleaned/*.abc
  mv "$out/abc.new" "$out/abc"
fi

features=(--task generate --reader abc --unit abc --bar-position --transpose "G,-d'" --valid "$out/abc/valid" --test "$out/abc/test" --quiet)
for kind in with without; do
  labels=(--labels type,key,metre)
  [ $kind = with ] || labels=()
  [ -e "$out/$kind/dataset.json" ] || "$bin/seqprep" "${features[@]}" ${labels[@]+"${labels[@]}"} --output "$out/$kind" "$out/abc/train"
done

model=(--layers 1 --hidden 384 --embed 96 --dropout 0.1 --batch 16 --lr 0.004 --schedule cosine --epochs 2 --log-every 1M)
for kind in with without; do train_seeds "$out/$kind" "$out/run-$kind" "${model[@]}"; done

runs() { local seed; for ((seed = 1; seed <= seeds; seed++)); do echo "$out/run-$1-$seed"; done; }
for split in valid test; do
  for kind in with without; do tell_seeds "$out/run-$kind" $split bits_per_character; done
  mapfile -t all < <(runs without; runs with)
  evaluate "${all[@]}" --runs "$seeds" --split $split
done
for kind in with without; do tell_seconds "$out/run-$kind"; done

# judge FOLDER: tunes, a file each; the share without an Error line of abc2midi, and of these with every bar right.
judge() {
  local file
  for file in "$1"/*.abc; do
    abc2midi "$file" -c 2>&1 | awk '/^Error/ { error = 1 } /^Warning.* Bar .* has .* units while/ { wrong = 1 } END { print error + 0, wrong + 0 }'
  done | awk '{ n++; whole += !$1; right += !$2 } END { printf "%d %.1f %.1f\n", n, 100 * whole / n, 100 * right / n }'
}

# single FOLDER FILE...: each tune of the files to a file of its own.
single() {
  mkdir -p "$1"
  awk -v to="$1" '/^X:/ { close(file); file = sprintf("%s/%04d.abc", to, ++n) } file { print >file }' "${@:2}"
}

command -v abc2midi >/dev/null || { echo "abc2midi is not installed (Debian: abcmidi): no tunes are judged"; exit 0; }
[ -e "$out/held" ] || single "$out/held" "$out"/abc/valid/*.abc "$out"/abc/test/*.abc
read -r tunes whole right < <(judge "$out/held")
echo "$tunes held-out tunes: $whole % without an error, $right % with every bar right"

# 100 tunes, ten of each of the ten most frequent labels.
frequent=("jigs G 6/8" "jigs D 6/8" "jigs A 6/8" "jigs Em 6/8" "reels D 4/4" "reels G 4/4" "reels A 4/4" "reels Am 4/4" "hpps D 4/4" "hpps G 4/4")
for ((seed = 1; seed <= seeds; seed++)); do
  drawn=$out/drawn-$seed
  rm -rf "$drawn"
  mkdir -p "$drawn"
  for label in "${frequent[@]}"; do
    read -r type key metre <<<"$label"
    "$bin/seqsample" "$out/run-with-$seed" --label "type=$type" --label "key=$key" --label "metre=$metre" --count 10 --temperature 0.7 --top-p 0.8 \
      --no-unk --seed "$seed" --copied "$drawn/copied-$type-$key" --quiet | awk -v to="$drawn" -v name="$type-$key" -v metre="$metre" -v key="$key" '
      BEGIN { RS = ""; FS = "\n" }
      { # L: and the like belong before K:, all else behind it
        file = sprintf("%s/%s-%02d.abc", to, name, ++n)
        printf "X:%d\nT:%s %d\nM:%s\n", n, name, n, metre >file
        for (i = 1; i <= NF && $i ~ /^[LMQ]:/; i++) print $i >file
        printf "K:%s\n", key >file
        for (; i <= NF; i++) print $i >file
        close(file)
      }'
  done
  read -r tunes whole right < <(judge "$drawn")
  copied=$(awk 'FNR > 1 { n++; most += $4 > 0.3 } END { printf "%.1f", 100 * most / n }' "$drawn"/copied-*)
  echo "seed $seed, $tunes drawn tunes: $whole % without an error, $right % with every bar right, $copied % with a copied run above 30 %"
done
