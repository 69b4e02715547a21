# Damaged, cut off and missing files of a checkpoint: refused with the reason, fallen back from, kept, never overwritten.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 16 --embed 8 --batch 4 --window 8 --steps 40 --epochs 99 --checkpoint-every 10 --validate-every 20 --keep 9)
expect 0 finished "${train[@]}" --run good
newest=checkpoints/step-000000040

# flip FILE OFFSET: one bit.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
  printf "\\$(printf %03o $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

damage() { # damage KIND: to the newest checkpoint of `copy`
  case $1 in
  flip-*) flip "copy/$newest/${1#flip-}" $(($(stat -c %s "copy/$newest/${1#flip-}") / 2)) ;;
  cut-*) truncate -s -7 "copy/$newest/${1#cut-}" ;;
  lose-*) rm "copy/$newest/${1#lose-}" ;;
  empty-*) : >"copy/$newest/${1#empty-}" ;;
  esac
}

for kind in flip-shard-0001.h5 cut-shard-0003.h5 lose-shard-0000.h5 flip-manifest.json cut-manifest.json empty-manifest.json flip-vocabulary.tsv flip-model.h5; do
  rm -rf copy
  cp -r good copy
  damage $kind
  expect 4 "$newest" "$SEQINFO" copy --verify --quiet
  expect 4 "$newest" "$SEQSAMPLE" "copy/$newest" --tokens 5
  expect 0 "cannot be used" "$SEQSAMPLE" copy --newest --tokens 5
  expect 0 "cannot be used" "${train[@]}" --run copy
  grep -q "resumed  from the checkpoint of step 30" .out || bad "$kind: did not fall back to step 30"
  same_tree "good/$newest" "copy/$newest"
  [ -d "copy/$newest.damaged-0" ] || bad "$kind: the damaged checkpoint is gone"
done

rm -rf copy
cp -r good copy
for checkpoint in copy/checkpoints/*; do flip "$checkpoint/shard-0000.h5" 900; done
expect 4 "none of its" "${train[@]}" --run copy
expect 4 "none of its" "$SEQSAMPLE" copy
[ "$(ls copy/checkpoints | wc -l)" -eq 4 ] || bad "damaged checkpoints were moved though none is good"

# A data set that is not the run's, and one with another vocabulary.
make_text 200 | tr r z >other.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o other other.txt
expect 3 "not the one that the run was started on" "${train[@]}" --run good --data other --steps 50
expect 3 "another vocabulary" "$SEQEVAL" good --data other
# Damage to a data set.
cp -r data hurt
flip hurt/train-0000.h5 1500
expect 3 "train-0000.h5" "$SEQINFO" hurt --verify
rm hurt/vocabulary.tsv
expect 3 "vocabulary.tsv" "${train[@]}" --run fresh --data hurt
finish
