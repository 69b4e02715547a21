# --output: every kind trains, validates, is evaluated, scores and samples alike; in bf16, with threads, tied; and refusals.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--data data --layers 1 --hidden 16 --embed 16 --batch 4 --window 8 --steps 120 --epochs 99 --lr 0.01 --log-every 1)

validated() { awk -F'"loss": *' '/"event": *"validation"/ {split($2, a, /[,}]/); value = a[1]} END {print value}' "$1/metrics.jsonl"; }
libraries=()
! has_openblas "outputs with --kernels openblas" || libraries=("adaptive --kernels openblas" "sampled --samples 6 --kernels openblas")
for option in full "sampled --samples 6" "sampled --samples 6 --tied" "adaptive --cutoffs 5,12" adaptive \
  "adaptive --precision bf16" "sampled --samples 6 --precision bf16" ${libraries[@]+"${libraries[@]}"}; do
  rm -rf run threads
  expect 0 finished "$SEQTRAIN" "${small[@]}" --run run --output $option
  if [[ $option != *openblas* ]]; then
    expect 0 finished "$SEQTRAIN" "${small[@]}" --run threads --output $option --threads 2
    same_tree run/checkpoints threads/checkpoints
  fi
  loss=$(validated run)
  awk "BEGIN {exit !($loss > 0.3 && $loss < 2.6)}" || bad "$option: the validation loss is $loss"
  "$SEQEVAL" run --split valid >eval.txt 2>&1 || bad "$(cat eval.txt)"
  evaluated=$(grep -Eo 'loss +[0-9.]+' eval.txt | grep -Eo '[0-9.]+' | head -1)
  awk "BEGIN {d = $evaluated - $loss; exit !(d < 0.02 && d > -0.02)}" || bad "$option: seqeval says $evaluated, training $loss"
  expect 0 . "$SEQSAMPLE" run --tokens 40 --greedy
done
expect 0 "output +adaptive: clusters from words 5, 12 on" "$SEQTRAIN" "${small[@]}" --run said --output adaptive --cutoffs 5,12
expect 0 "loss of training is among these" "$SEQTRAIN" "${small[@]}" --run said-too --output sampled --samples 4
expect 2 "--output" "$SEQTRAIN" --run said --output full
expect 2 "--cutoffs" "$SEQTRAIN" --run said --cutoffs 5,13

# Numbers of bytes are in no order of frequency.
expect 0 train "$SEQPREP" --unit byte -o bytes text.txt
expect 0 "not in order of frequency" "$SEQTRAIN" "${small[@]}" --data bytes --run bytes-run --steps 3 --output sampled --samples 20

# Mistakes.
expect 2 "samples" "$SEQTRAIN" "${small[@]}" --run x --output sampled --samples 0
expect 2 "cutoffs: 5: must be above 5" "$SEQTRAIN" "${small[@]}" --run x --output adaptive --cutoffs 5,5
expect 2 "cutoffs: 4: must be above 5" "$SEQTRAIN" "${small[@]}" --run x --output adaptive --cutoffs 5,4
expect 2 "cutoffs: 900: .*below the vocabulary" "$SEQTRAIN" "${small[@]}" --run x --output adaptive --cutoffs 5,900
expect 2 "cutoffs: 9 numbers" "$SEQTRAIN" "${small[@]}" --run x --output adaptive --cutoffs 1,2,3,4,5,6,7,8,9
expect 2 "3 clusters leave no unit of 16" "$SEQTRAIN" "${small[@]}" --run x --output adaptive --cutoffs 3,5,8
expect 2 "only --output adaptive" "$SEQTRAIN" "${small[@]}" --run x --output sampled --cutoffs 5
expect 2 "tied.*adaptive" "$SEQTRAIN" "${small[@]}" --run x --output adaptive --tied
expect 2 "output" "$SEQTRAIN" "${small[@]}" --run x --output adaptve
absent x/checkpoints
finish
