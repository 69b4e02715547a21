# Long: 1800
# Every file of the newest checkpoint is damaged: a bit, its length, itself (lost, another in its place). Each time that is found
# and named, and the run goes on from the checkpoint before it; when all are bad, it ends with 4 and says why each is.
source "$SUPPORT/common.sh"
source "$SUPPORT/checkpoints.sh"
prepare_reference --steps 20 --checkpoint-every 5 --validate-every 1000
mv reference good # 5, 10, 15, 20
train+=(--keep 9999)
step=checkpoints/step-000000020
files=($(ls good/$step))
context=intact

fresh_copy() {
  rm -rf copy
  cp -r good copy
}

# refused FILE: seqinfo names it; and, when due, the run falls back. Recovered: the slowest run from the checkpoint before to the end.
refused() {
  local code=0 begun
  tried=$((tried + 1))
  begun=$(now)
  "$SEQINFO" copy --verify >.out 2>&1 || code=$?
  detected=$(longer "$detected" "$(since "$begun")")
  [ $code -eq 4 ] || bad "$context: seqinfo ends with $code: $(tail -1 .out)"
  grep -Eq "step 20: .*$1" .out || bad "$context: seqinfo does not name $1: $(grep 'step 20' .out)"
  [ $((tried % every)) -eq 0 ] || return
  resumed=$((resumed + 1))
  begun=$(now)
  expect 0 "step 20 cannot be used: .*$step/$1" "${train[@]}" --run copy
  recovered=$(longer "$recovered" "$(since "$begun")")
  grep -q "resumed  from the checkpoint of step 15" .out || bad "$context: did not fall back to step 15"
  equal_checkpoints good/$step copy/$step || bad "$context: step 20 was not made again"
  [ -d copy/$step.damaged-0 ] || bad "$context: the damaged checkpoint is gone"
  fresh_copy
}

# Bits: the i-th of COUNT is a random one of the i-th part of all bits of all files.
flip_one() {
  local bits=$((8 * total / count)) at file size
  random $bits
  at=$(($1 * bits + drawn))
  for file in "${files[@]}"; do
    size=$((8 * $(stat -c %s good/$step/$file)))
    [ $at -ge $size ] || break
    at=$((at - size))
  done
  context="bit $at of $file"
  flip copy/$step/$file $at
  refused $file
  cp good/$step/$file copy/$step/$file
}
total=$(cat good/$step/* | wc -c)
tried=0 resumed=0 detected=0 recovered=0 count=$((100 * SCALE))
every=$((SCALE < 10 ? 8 : 1))
fresh_copy
experiment "single-bit flips over every byte of a checkpoint" "found, named, fallen back from"
for ((i = 0; i < count; i++)); do flip_one $i; done
outcome $tried "as expected; $resumed of them resumed" "$detected" "$recovered"

# Lengths. A larger checkpoint for the borders of chunks (1 MiB before compression; a zstd frame begins with 28 b5 2f fd).
resize() { # resize FILE LENGTH
  context="$1 of $2 bytes"
  truncate -s $2 copy/$step/$1
  refused $1
  cp good/$step/$1 copy/$step/$1
}
experiment "truncation to every interesting length" "found, named, fallen back from"
tried=0 resumed=0 detected=0 recovered=0
for file in "${files[@]}"; do
  size=$(stat -c %s good/$step/$file)
  for length in 0 1 8 47 48 100 $((size / 2)) $((size - 4)) $((size - 1)) $((size + 1)) $((size + 4096)); do
    [ $length -ge $((size + 5000)) ] || [ $length -eq $size ] || resize $file $length
  done
done
mv good small
few=("${train[@]}")
train+=(--hidden 200 --embed 64 --shards 1)
expect 0 finished "${train[@]}" --run good
fresh_copy
borders=$(LC_ALL=C grep -obUaP '\x28\xb5\x2f\xfd' good/$step/shard-0000.h5 | cut -d : -f 1 | head -$((4 * SCALE)))
[ "$(echo "$borders" | wc -l)" -ge 3 ] || bad "too few chunks were found: $borders"
for border in $borders; do
  for length in $((border - 1)) $border $((border + 1)); do
    resize shard-0000.h5 $length
  done
done
rm -rf good
mv small good
train=("${few[@]}")
fresh_copy
outcome $tried "as expected; $resumed of them resumed" "$detected" "$recovered"

experiment "missing, swapped and foreign files" "found, named, fallen back from"
tried=0 every=1 resumed=0 detected=0 recovered=0
expect 0 finished "${train[@]}" --run foreign --seed 2
for file in "${files[@]}"; do
  context="$file missing"
  rm copy/$step/$file
  if [ $file = manifest.json ]; then
    expect 0 "step 20 cannot be used: .*$step/$file" "${train[@]}" --run copy
    [ -d copy/$step.damaged-0 ] || bad "$context: the damaged checkpoint is gone"
    tried=$((tried + 1))
    fresh_copy
  else
    refused $file
  fi
  [ $file != vocabulary.tsv ] && [ $file != model.h5 ] || continue # the same in every checkpoint
  context="$file of another step"
  cp good/checkpoints/step-000000015/$file copy/$step/$file
  # (Every shard of that step has a hash of its own: whichever is looked at first is named.)
  if [ $file = manifest.json ]; then refused ""; else refused $file; fi
  context="$file of another run"
  cp foreign/$step/$file copy/$step/$file
  if [ $file = manifest.json ]; then refused ""; else refused $file; fi
done
context="swapped shards"
cp good/$step/shard-0000.h5 copy/$step/shard-0001.h5
cp good/$step/shard-0001.h5 copy/$step/shard-0000.h5
refused shard-000
context="the whole of another step"
rm -r copy/$step
cp -r copy/checkpoints/step-000000015 copy/$step
expect 4 "manifest.json: it is that of step 15" "$SEQSAMPLE" copy/$step
refused manifest.json
outcome $tried "as expected" "$detected" "$recovered"

experiment "every checkpoint is bad" "exit code 4 with the reason of each, nothing moved"
context="all bad"
fresh_copy
flip copy/checkpoints/step-000000005/shard-0000.h5 9000
truncate -s 100 copy/checkpoints/step-000000010/model.h5
rm copy/checkpoints/step-000000015/vocabulary.tsv
rm copy/$step/manifest.json
cp -r copy before
for ranks in 1 2; do
  expect 4 "none of its 4 checkpoints" run_mpi $ranks "${train[@]}" --run copy
  for reason in "step 5 cannot be used: .*shard-0000.h5: the file is damaged" "step 10 cannot be used: .*model.h5: it has 100 bytes" \
    "step 15 cannot be used: .*vocabulary.tsv: No such file" "step 20 cannot be used: .*manifest.json: No such file"; do
    grep -Eq "$reason" .out || bad "$ranks ranks: '$reason' is not said: $(cat .out)"
  done
  same_tree before/checkpoints copy/checkpoints
done
# No manifest is left at all: still no new start.
rm copy/checkpoints/*/manifest.json
expect 4 "none of its 4 checkpoints" "${train[@]}" --run copy
[ "$(ls copy/checkpoints | wc -l)" -eq 4 ] || bad "checkpoints without a manifest were moved"
outcome 3
finish
