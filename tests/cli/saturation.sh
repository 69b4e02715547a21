# Layers that learn no more are seen: in the line of a validation, in metrics.jsonl, and in a warning that names layer and remedy.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--data data --layers 2 --hidden 16 --embed 8 --batch 4 --window 8 --steps 20 --validate-every 10 --replicas 2)

# shares RUN NAME: the values of the last validation, two numbers.
shares() { grep '"validation"' "$1/metrics.jsonl" | tail -n 1 | sed -nE "s/.*\"$2\": \[([^]]*)\].*/\1/p"; }

# A forget gate that is always open: cells count up and saturate.
full() {
  local run=$1
  shift
  "$@" "$SEQTRAIN" "${small[@]}" --run "$run" --forget-bias 30 --lr 0.05 >out.txt 2>&1 || bad "$(cat out.txt)"
  [ "$(grep -c 'warning: layer 1 hardly learns .*saturated.*no gradient.*--lr or --forget-bias' out.txt)" = 1 ] ||
    bad "not one warning of layer 1: $(cat out.txt)"
  grep -Eq 'validation at step 20 .*saturated [0-9]+/[0-9]+%  without gradient [0-9]+/[0-9]+%' out.txt || bad "no shares in the line: $(grep validation out.txt)"
  shares "$run" saturated | awk -F', ' '{ exit !(NF == 2 && $1 > 0.5 && $2 > 0.5) }' || bad "saturated: $(shares "$run" saturated)"
  shares "$run" without_gradient | awk -F', ' '{ exit !(NF == 2 && $1 >= 0 && $2 <= 1) }' || bad "idle: $(shares "$run" without_gradient)"
}
full one env
full two run_mpi 2
[ "$(shares one saturated; shares one without_gradient)" = "$(shares two saturated; shares two without_gradient)" ] ||
  bad "other shares on two ranks: $(shares one saturated) $(shares two saturated) $(shares one without_gradient) $(shares two without_gradient)"

# Without a validation split: a report where a validation would be, from the state that training carries.
expect 0 train "$SEQPREP" --unit char -o plain text.txt
reports() { sed -nE 's/.*"event": "saturation",.* "step": ([0-9]*), (.*)\}/\1 \2/p' "$1/metrics.jsonl"; }
plain() {
  local run=$1
  shift
  "$@" "$SEQTRAIN" "${small[@]}" --data plain --run "$run" --forget-bias 30 --lr 0.05 >out.txt 2>&1 || bad "$(cat out.txt)"
  [ "$(grep -c 'warning: layer 1 hardly learns .*saturated.*no gradient.*--lr or --forget-bias' out.txt)" = 1 ] || bad "not one warning of layer 1: $(cat out.txt)"
  [ "$(grep -Ec 'layers at step [12]0 \(epoch 1\):  saturated [0-9]+/[0-9]+%  without gradient [0-9]+/[0-9]+%' out.txt)" = 2 ] || bad "not two reports: $(cat out.txt)"
  [ "$(reports "$run" | cut -d' ' -f1 | tr '\n' ' ')" = "10 20 " ] || bad "reports at other steps: $(reports "$run")"
  reports "$run" | tail -n 1 | sed -E 's/.*"saturated": \[([^]]*)\].*/\1/' | awk -F', ' '{ exit !(NF == 2 && $1 > 0.5 && $2 > 0.5) }' || bad "saturated: $(reports "$run")"
}
plain plain-one env
plain plain-two run_mpi 2
[ "$(reports plain-one)" = "$(reports plain-two)" ] || bad "other shares on two ranks: $(reports plain-one) $(reports plain-two)"
windows=$(sed -nE 's/.* ([0-9]+) updates an epoch.*/\1/p' out.txt | head -n 1)
"$SEQTRAIN" --data plain --run epochs "${small[@]:2}" --validate-every 0 --steps $((2 * windows + 1)) >out.txt 2>&1 || bad "$(cat out.txt)"
[ "$(reports epochs | cut -d' ' -f1 | tr '\n' ' ')" = "$windows $((2 * windows)) $((2 * windows + 1)) " ] || bad "not at each epoch's end and the run's: $windows, $(reports epochs)"
! grep -q 'hardly learns' out.txt || bad "a warning of a healthy run: $(cat out.txt)"

# A healthy start: no warning, for every cell; a plain network has no forget gate to lower.
for cell in lstm lstm-peephole lstm-peephole-current gru gru-simple gru-reset-after rnn; do
  "$SEQTRAIN" "${small[@]}" --run $cell --cell $cell >out.txt 2>&1 || bad "$(cat out.txt)"
  ! grep -q 'hardly learns' out.txt || bad "$cell: $(grep 'hardly learns' out.txt)"
  shares $cell saturated | awk -F', ' '{ exit !(NF == 2 && $1 < 0.1 && $2 < 0.1) }' || bad "$cell: saturated: $(shares $cell saturated)"
done
"$SEQTRAIN" "${small[@]}" --run wild --cell rnn --init uniform --init-scale 3 --loss-limit 1000 >out.txt 2>&1 || bad "$(cat out.txt)"
grep -Eq 'warning: layer 0 hardly learns.*[|]h[|] > 0.999.*a lower --lr$' out.txt || bad "no warning for rnn: $(cat out.txt)"

# The start of the embedding. A run from before --embed-init began with --embed-init uniform: it continues, and no other may be given.
old=old/checkpoints/step-000000010
expect 0 finished "$SEQTRAIN" "${small[@]}" --steps 10 --run old --embed-init uniform
sed -i -E '/"embed-init":|"embedding_initialisation":|^ *"hash": "[0-9a-f]*"$|^}/d' $old/manifest.json
"$HOSTILE" sign $old/manifest.json || bad "cannot sign"
sed -i -E 's/embed-init=[a-z]*\t//' old/identity.txt
expect 2 "embed-init normal .the run has uniform" "$SEQTRAIN" --run old --embed-init normal
expect 0 finished "$SEQTRAIN" --run old --steps 20
# A value that comes to the same as what the run has, in other words: the same bytes as without it.
same_words() { # RUN OPTION...: accepted, and the last checkpoint is that of the run that was not told
  cp -r "$1" "$1-told"
  expect 0 finished "$SEQTRAIN" --run "$1" --steps 20
  expect 0 finished "$SEQTRAIN" --run "$1-told" --steps 20 "${@:2}"
  diff -r "$1/checkpoints" "$1-told/checkpoints" || bad "${*:2}: other bytes"
  same "$1/identity.txt" "$1-told/identity.txt"
}
expect 0 finished "$SEQTRAIN" "${small[@]}" --steps 10 --run words --dropout 0.2 --output adaptive
same_words words --embed-init normal --hidden 16,16 --dropout-input 0.2 --dropout-between 0.2 --dropout-output .2 --cutoffs "$(sed -nE 's/.*"cutoffs": "?([0-9,]+)"?.*/\1/p' words/checkpoints/step-000000010/manifest.json | tail -n 1)" --replicas 2
expect 0 finished "$SEQTRAIN" "${small[@]}" --steps 10 --run exact --embed-init normal --hidden 16,16 --dropout-input 0
same_words exact --embed-init auto --hidden 16 --dropout-input -1
expect 2 "embed-init uniform .the run has normal" "$SEQTRAIN" --run exact --embed-init uniform
expect 2 "embed-init scaled .the run has auto" "$SEQTRAIN" --run words --embed-init scaled
expect 2 "hidden 16,17 .the run has 16" "$SEQTRAIN" --run words --hidden 16,17
expect 2 "dropout-input 0.1 .the run has -1" "$SEQTRAIN" --run words --dropout-input 0.1
expect 0 finished "$SEQTRAIN" "${small[@]}" --run new --embed-init uniform
for file in old new; do # the same numbers
  grep '"validation"' $file/metrics.jsonl | tail -n 1 | sed -E 's/.*"step": 20, "loss": ([^,]*),.*/\1/' >$file.txt
done
same old.txt new.txt
expect 0 finished "$SEQTRAIN" "${small[@]}" --run tied --tied --embed 16 --steps 1 # auto: not standard normal
"$SEQTRAIN" "${small[@]}" --run explicit --tied --embed 16 --steps 1 --embed-init uniform --quiet || bad "explicit"
for run in tied explicit; do grep '"validation"' $run/metrics.jsonl | sed -E 's/.*"loss": ([^,]*),.*/\1/' >$run.txt; done
same tied.txt explicit.txt
finish
