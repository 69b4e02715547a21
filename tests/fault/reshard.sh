# seqinfo --reshard: the bytes of a run with that --shards, in place or elsewhere, and a run goes on with them; what it refuses.
source "$SUPPORT/common.sh"
make_text 120 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
step=checkpoints/step-000000006
experiment "seqinfo --reshard" "the bytes of --shards N; a refusal leaves the checkpoint as it was"
for compression in zstd gzip none; do
  train=("$SEQTRAIN" --data data --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --compression $compression)
  [ $compression = zstd ] && counts="1 3 7" || counts="1 3"
  for shards in $counts; do expect 0 finished "${train[@]}" --run $compression-$shards --shards $shards --steps 6; done
  for from in $counts; do
    for to in $counts; do
      rm -rf out
      expect 0 "out with $to shard" "$SEQINFO" $compression-$from/$step --reshard $to --output out
      same_tree out $compression-$to/$step
    done
  done
done
# In place; what a command left that was killed before the exchange, or after it, is no obstacle.
cp -r zstd-3 run
mkdir run/$step.reshard
: >run/$step.reshard/shard-0000.h5
expect 0 "with 7 shards" "$SEQINFO" run/$step --reshard 7
same_tree run/$step zstd-7/$step
[ "$(ls run/checkpoints)" = step-000000006 ] || bad "left behind: $(ls run/checkpoints)"
(cd run/$step && "$SEQINFO" . --reshard 3 --quiet) || bad "cannot reshard the working directory"
same_tree run/$step zstd-3/$step
# A run goes on with the shards of its checkpoint, unless it is told.
"$SEQINFO" run/$step --reshard 7 --quiet || bad "cannot reshard"
train=("$SEQTRAIN" --data data --layers 1 --hidden 8 --embed 4 --batch 2 --window 4)
expect 0 "resumed.*step 6" "${train[@]}" --run run --steps 9
expect 0 "finished" "${train[@]}" --run straight --steps 9 --shards 7
same_tree run/checkpoints/step-000000009 straight/checkpoints/step-000000009
expect 0 "resumed" "${train[@]}" --run run --steps 10 --shards 2
[ -f run/checkpoints/step-000000010/shard-0001.h5 ] && [ ! -e run/checkpoints/step-000000010/shard-0002.h5 ] || bad "--shards 2 was not obeyed"

# Refusals leave everything as it was.
cp -r zstd-3 kept
expect 2 "exists already" "$SEQINFO" zstd-3/$step --reshard 2 -o out
expect 2 "this is the checkpoint of step" "$SEQINFO" zstd-3/$step --reshard 2 -o zstd-3/checkpoints/step-000000099
expect 2 "expected an integer, 1 to 4096" "$SEQINFO" zstd-3/$step --reshard 0
expect 2 "is not a checkpoint" "$SEQINFO" zstd-3 --reshard 2
expect 2 "reshard 4097.*4096" "$SEQINFO" zstd-3/$step --reshard 4097
expect 2 "reshard -1" "$SEQINFO" zstd-3/$step --reshard=-1
expect 2 "needs --reshard" "$SEQINFO" zstd-3/$step -o new
expect 3 "Not a directory" "$SEQINFO" zstd-3/$step --reshard 2 -o text.txt/new
(ulimit -f 4 && "$SEQINFO" zstd-3/$step --reshard 1) >full.txt 2>&1 && bad "no file size limit was felt"
grep -q "File too large" full.txt || bad "a full disk is not told: $(cat full.txt)"
if [ "$(id -u)" -eq 0 ]; then
  chmod 755 "$work" && chmod 555 zstd-3/checkpoints && chmod -R a+rX zstd-3 && cp "$SEQINFO" seqinfo
  command -v setpriv >/dev/null && expect 3 "Permission denied" setpriv --reuid=65534 --clear-groups ./seqinfo zstd-3/$step --reshard 2
  chmod 755 zstd-3/checkpoints
fi
same_tree zstd-3 kept
expect 2 "a seqtrain works on the run" flock zstd-3/.lock "$SEQINFO" zstd-3/$step --reshard 2
printf x | dd of=zstd-3/$step/shard-0001.h5 bs=1 seek=500 conv=notrunc status=none
expect 4 "shard-0001.h5: the file is damaged" "$SEQINFO" zstd-3/$step --reshard 2
[ ! -e zstd-3/$step.reshard ] || bad "something is left of a refusal"

outcome 30
experiment "seqinfo --verify" "exit code 4, the file, found, expected, what to do"
# --verify: each fault, what was found and expected, what to do.
verify() {
  expect 4 "$1" "$SEQINFO" run --verify
  expect 4 "$1" "$SEQINFO" run/$step --verify
  grep -q "copy the files named above again" .out || bad "no advice: $1"
  rm -rf run
  cp -r kept run
}
rm -rf run
cp -r kept run
truncate -s -7 run/$step/shard-0000.h5
verify "shard-0000.h5: [0-9]+ bytes, expected [0-9]+: 7 bytes are missing"
printf xx >>run/$step/shard-0000.h5
verify "shard-0000.h5: [0-9]+ bytes, expected [0-9]+: 2 bytes too many"
rm run/$step/shard-0001.h5 run/$step/model.h5
verify "model.h5: missing"
cp zstd-3/$step/shard-0001.h5 run/$step/
verify "shard-0001.h5: hash [0-9a-f]{32}, expected [0-9a-f]{32}: the size is right, the content is not"
head -c "$(stat -c %s run/$step/shard-0001.h5)" /dev/urandom >run/$step/shard-0001.h5
verify "1 of its 5 files are damaged"
outcome 10
finish
