# Equal arithmetic, equal files: the kernels of one order write the same checkpoints, byte for byte, wherever the data lies. Manifests
# that name kernels, as earlier versions wrote them, are read by what these meant.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
mkdir elsewhere
cp -r data elsewhere/copy
train=("$SEQTRAIN" --layers 1 --hidden 20 --embed 8 --batch 2 --window 8 --replicas 2 --steps 12 --checkpoint-every 6 --shards 1)
last=checkpoints/step-000000012

# arithmetic RUN: what its first session computed with.
arithmetic() { head -n 1 "$1/metrics.jsonl" | sed 's/.*"arithmetic": "\([^"]*\)".*/\1/'; }

kernels=$("$SEQTRAIN" --version | sed -n 's/^ *kernels: *//; T; s/; also here:/,/; s/,//g; s/openblas.*//; p')
expect 0 finished "${train[@]}" --data data --run auto
fused=0 unfused=
for name in $kernels; do
  expect 0 finished "${train[@]}" --data elsewhere/copy --run $name --kernels $name
  if [ "$(arithmetic $name)" = "$(arithmetic auto)" ]; then
    same_tree auto/checkpoints $name/checkpoints
    fused=$((fused + 1))
  else
    unfused=$name
    cmp -s auto/$last/manifest.json $name/$last/manifest.json && bad "$name: computed otherwise, not recorded"
  fi
  grep -q "\"kernels\": \"$name\"" $name/metrics.jsonl || bad "metrics.jsonl does not name $name"
  expect 0 finished "${train[@]}" --data data --run $name-bf16 --kernels $name --precision bf16
  [ "$(arithmetic $name-bf16)" = "$(arithmetic ${kernels%% *}-bf16)" ] && same_tree ${kernels%% *}-bf16/checkpoints $name-bf16/checkpoints
done
[ $fused -gt 0 ] || bad "no kernels of: $kernels"
echo "equal files from $fused of: $kernels"
grep -q "$(pwd -P)" auto/$last/manifest.json && bad "a path in the manifest"
[ "$(arithmetic auto)" != fused ] || grep -q '"arithmetic": "fused"' auto/$last/manifest.json || bad "the manifest does not say fused"

# older RUN KERNELS ASKED: a copy of `auto` as earlier versions left it at step 6, with these kernels for --kernels ASKED.
older() {
  rm -rf "$1"
  cp -r auto "$1"
  rm -r "$1/$last" "$1/data-path.txt"
  local manifest=$1/checkpoints/step-000000006/manifest.json
  sed -i -E "/^ *\"hash\": \"[0-9a-f]*\"\$|^}/d; s/\"arithmetic\": \"[a-z]*\"/\"kernels\": \"$2\"/; s/\"kernels\": \"auto\"/\"kernels\": \"$3\"/" "$manifest"
  sed -i "s|^\( *\)\"vocabulary_hash\"|\1\"path\": \"$PWD/data\",\n&|" "$manifest"
  grep -q "\"path\": \"$PWD/data\"" "$manifest" && grep -q "\"kernels\": \"$3\"" "$manifest" || bad "this is no older manifest: $manifest"
  "$HOSTILE" sign "$manifest" || bad "cannot sign"
}
warning='results are equal in statistics, not in bits'
if [ "$(arithmetic auto)" = fused ]; then
  for name in avx2 avx512bf16 neon; do # of this CPU or not
    older old $name $name
    expect 0 finished "$SEQTRAIN" --run old --steps 12
    ! grep -q 'not in bits' .out || bad "$name: $(grep 'not in bits' .out)"
    same_tree auto/$last old/$last
    "$SEQEVAL" old --newest >/dev/null 2>&1 || bad "seqeval does not find the data of an older run"
  done
  # Those for any CPU were not fused on x86, and were on ARM.
  older old portable portable
  echo 'Some CPU' >old/cpu.txt
  expect 0 "written with arithmetic unfused, by an older version, here it is fused: $warning" "$SEQTRAIN" --run old --steps 12
  expect 0 finished "$SEQTRAIN" --run old --steps 14
  ! grep -q 'not in bits' .out || bad "said a second time: $(cat .out)"
  older old portable auto
  echo aarch64 >old/cpu.txt
  expect 0 finished "$SEQTRAIN" --run old --steps 12
  ! grep -q 'not in bits' .out || bad "portable of ARM: $(grep 'not in bits' .out)"
  older old 'openblas 0.3.21 Zen, avx2' auto
  expect 0 "written with arithmetic openblas 0.3.21 Zen, here it is fused: $warning" "$SEQTRAIN" --run old --steps 12
fi
# Kernels that do not fuse, and back.
if [ -n "$unfused" ]; then
  cp -r auto other
  expect 0 "written with arithmetic $(arithmetic auto), here it is $(arithmetic $unfused): $warning" "$SEQTRAIN" --run other --kernels $unfused --steps 14
  if [ $unfused = unfused ]; then # it goes on with what it computes with, without being told
    expect 0 finished "$SEQTRAIN" --run other --steps 15
    ! grep -q 'not in bits' .out || bad "unfused is not kept: $(grep 'not in bits' .out)"
  fi
  expect 0 "written with arithmetic $(arithmetic $unfused), here it is $(arithmetic auto): $warning" "$SEQTRAIN" --run other --kernels auto --steps 16
fi

# The data is found beside the checkpoints; a damaged or strange file there is nothing to go by.
expect 0 'perplexity' "$SEQEVAL" auto --split valid
expect 0 'perplexity' "$SEQEVAL" auto/$last --split valid
expect 0 finished "$SEQTRAIN" --run auto --steps 13
cp -r auto/$last alone
expect 2 '--data: missing: neither the checkpoint nor data-path.txt of its run' "$SEQEVAL" alone
expect 0 'perplexity' "$SEQEVAL" alone --data data
mv data moved
expect 3 'the data set of auto is not where it was \(moved\? --data names its place\): .*data/dataset.json' "$SEQTRAIN" --run auto --steps 14
expect 3 'the data set of auto/.* is not where it was \(moved\? --data' "$SEQEVAL" auto
mv moved data
echo data >auto/data-path.txt # not as it is written
expect 2 '--data: missing' "$SEQEVAL" auto
expect 2 '--data: missing' "$SEQTRAIN" --run auto --steps 14
expect 0 finished "$SEQTRAIN" --run auto --steps 14 --data data
expect 0 'perplexity' "$SEQEVAL" auto
finish
