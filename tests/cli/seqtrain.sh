# seqtrain: a run of one process from its first line to its last, what it writes, its options and its refusals.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 --test 0.1 -o data text.txt
small=(--data data --layers 1 --hidden 16 --embed 8 --batch 4 --window 8 --steps 30 --epochs 99)

# The start says what is trained where, the lines what happens, metrics.jsonl holds all of it.
"$SEQTRAIN" "${small[@]}" --run run --log-every 10 --validate-every 15 >out.txt 2>&1 || bad "$(cat out.txt)"
for text in 'lstm' 'parameters' '1 process' 'HDF5' 'step 10/30' 'bits/char' '[|]g[|]' 'clipped' 'tokens/s' 'left' 'validation at step 15' 'finished'; do
  grep -q "$text" out.txt || bad "'$text' is not in the output"
done
for key in '"event": *"start"' '"event": *"step"' '"event": *"validation"' '"loss"' '"gradient_norm"' '"tokens_per_second"' '"cpu_seconds"'; do
  grep -Eq "$key" run/metrics.jsonl || bad "$key is not in metrics.jsonl"
done
[ "$(tail -c 1 run/metrics.jsonl | od -An -tu1 | tr -d ' ')" = 10 ] || bad "the last line of metrics.jsonl is cut off"
for file in config.ini metrics.jsonl checkpoints/step-000000030/manifest.json checkpoints/step-000000030/model.h5; do
  [ -s run/$file ] || bad "run/$file is missing"
done
"$SEQTRAIN" "${small[@]}" --run silent --quiet >out.txt 2>&1 && [ ! -s out.txt ] || bad "--quiet prints: $(cat out.txt)"

# Again: complete. With more steps: continued. From config.ini: the same run.
expect 0 "finished at step 30" "$SEQTRAIN" "${small[@]}" --run run
expect 0 "resumed .*step 30" "$SEQTRAIN" "${small[@]}" --run run --steps 40
"$SEQTRAIN" --config silent/config.ini --run again || bad "config.ini is not read back"
same_tree silent/checkpoints/step-000000030 again/checkpoints/step-000000030
expect 0 "resumed|complete" "$SEQTRAIN" --run run
expect 2 "hidden" "$SEQTRAIN" "${small[@]}" --run run --hidden 17
expect 2 "exists|--resume" "$SEQTRAIN" "${small[@]}" --run run --resume never
expect 4 "fresh" "$SEQTRAIN" "${small[@]}" --run fresh --resume must
absent fresh/checkpoints

# Every cell, optimiser and schedule trains: the loss falls.
for option in '--cell rnn' '--cell gru-simple' '--cell gru' '--cell gru-reset-after' '--cell lstm' '--cell lstm-peephole' '--cell lstm-peephole-current' '--optimizer sgd --lr 1' \
  '--optimizer momentum --lr 0.2' '--optimizer adagrad --lr 0.05' '--optimizer rmsprop' '--optimizer adam' '--optimizer adamw --weight-decay 0.01' \
  '--schedule halve --decay-after 1' '--schedule plateau' '--schedule cosine' '--warmup 20' '--loss-scale sum --lr 0.001' '--clip-element 0.01' \
  '--dropout 0.2' '--dropout-input 0.1 --dropout-output 0.3' '--tied --embed 16' '--layers 3 --hidden 16,12,10 --dropout-between 0.1' \
  '--feedforward 12,9 --feedforward-activation tanh' '--init uniform --init-scale 0.05' '--kernels portable' '--window 1' '--batch 1'; do
  rm -rf each
  expect 0 finished "$SEQTRAIN" "${small[@]}" --run each --steps 60 --lr 0.01 --log-every 1 $option
  awk -F'"loss": *' -v option="$option" '/"event": *"step"/ {split($2, a, /[,}]/); n++; if (n <= 10) first += a[1]; if (n > 50) last += a[1]}
    END {if (!(n == 60 && last < 0.98 * first)) {print "FAILED: the loss does not fall (" first / 10 " to " last / 10 ") with " option > "/dev/stderr"; exit 1}}' each/metrics.jsonl || failures=$((failures + 1))
done
expect 0 "distance|back in time" "$SEQTRAIN" "${small[@]}" --run flow --report-gradient-flow 10
grep -q 'gradient_flow' flow/metrics.jsonl || bad "the gradient flow is not in metrics.jsonl"

# Checkpoints: kept, every n-th, best; other storage.
expect 0 finished "$SEQTRAIN" "${small[@]}" --run kept --steps 50 --checkpoint-every 5 --keep 2 --keep-every 20 --validate-every 1000 --shards 1 --compression gzip
[ "$(ls kept/checkpoints | tr '\n' ' ')" = "step-000000020 step-000000040 step-000000045 step-000000050 " ] || bad "kept: $(ls kept/checkpoints | tr '\n' ' ')"
[ -e kept/checkpoints/step-000000050/shard-0000.h5 ] && absent kept/checkpoints/step-000000050/shard-0001.h5
# Without a validation split: each epoch's end, every second, none; the last step always.
expect 0 train "$SEQPREP" --unit char -o bare text.txt
for epochs in 1:5 2:3 0:1; do
  expect 0 finished "$SEQTRAIN" --data bare --layers 1 --hidden 8 --embed 4 --batch 4 --window 500 --epochs 5 --keep 9 --run "ends${epochs%:*}" --checkpoint-epochs "${epochs%:*}"
  [ "$(ls "ends${epochs%:*}/checkpoints" | wc -l)" -eq "${epochs#*:}" ] || bad "--checkpoint-epochs ${epochs%:*}: $(ls "ends${epochs%:*}/checkpoints")"
done
same_tree "ends1/checkpoints/$(ls ends0/checkpoints)/shard-0000.h5" "ends0/checkpoints/$(ls ends0/checkpoints)/shard-0000.h5"
expect 2 "--checkpoint-epochs: data set data has a validation split" "$SEQTRAIN" "${small[@]}" --run x --checkpoint-epochs 0

# Mistakes.
expect 2 "data" "$SEQTRAIN" --run x
expect 2 "run" "$SEQTRAIN" --data data
expect 3 "missing" "$SEQTRAIN" --data missing --run x
expect 3 "text.txt" "$SEQTRAIN" --data text.txt --run x
expect 2 "hiden" "$SEQTRAIN" "${small[@]}" --run x --hiden 3
expect 2 "cell" "$SEQTRAIN" "${small[@]}" --run x --cell lstmm
expect 2 "layers" "$SEQTRAIN" "${small[@]}" --run x --layers 0
expect 2 "hidden" "$SEQTRAIN" "${small[@]}" --run x --layers 3 --hidden 5,6
expect 2 "dropout" "$SEQTRAIN" "${small[@]}" --run x --dropout 1
expect 2 "lr" "$SEQTRAIN" "${small[@]}" --run x --lr fast
expect 2 "tied" "$SEQTRAIN" "${small[@]}" --run x --tied
expect 2 "batch" "$SEQTRAIN" "${small[@]}" --run x --batch 1e3x
expect 3 "batch|streams" "$SEQTRAIN" "${small[@]}" --run x --batch 60000
expect 2 "operand|unexpected" "$SEQTRAIN" "${small[@]}" --run x stray
printf 'hidden = 16\nlayerz = 2\n' >bad.ini
expect 2 "bad.ini.*line 2.*layerz|bad.ini:2.*layerz" "$SEQTRAIN" "${small[@]}" --run x --config bad.ini
expect 3 "run|Not a directory" "$SEQTRAIN" "${small[@]}" --run text.txt/run
absent x
mkdir other
echo hello >other/file
expect 0 finished "$SEQTRAIN" "${small[@]}" --run other # a directory with other things in it is no obstacle
[ "$(cat other/file)" = hello ] || bad "another file was touched"
# The same command line continues, however long its values are.
sizes=1000$(printf ',100%.0s' $(seq 31))
long=("$SEQTRAIN" "${small[@]}" --run long --feedforward $sizes)
expect 0 finished "${long[@]}" --steps 1
expect 0 "resumed .*step 1$" "${long[@]}" --steps 2
expect 2 "would change the run: --feedforward 1000,100,.* \(the run has 1000,100," "$SEQTRAIN" "${small[@]}" --run long --feedforward ${sizes%0}1 --steps 3
# Two at once on one run directory: the second is refused.
"$SEQTRAIN" "${small[@]}" --run both --steps 100000 >/dev/null 2>&1 &
process=$!
wait_for or_ended $process [ -s both/.lock ]
expect 2 "in use|another" "$SEQTRAIN" "${small[@]}" --run both
kill -TERM $process
wait $process
finish
