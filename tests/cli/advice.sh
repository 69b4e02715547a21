# What messages advise: the bounds that they apply, what can be given instead, and no value or option that nobody gave.
source "$SUPPORT/common.sh"
make_text 60 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--layers 1 --hidden 16 --embed 4 --batch 2 --window 4 --steps 2 --quiet)

# A vocabulary of few words has an adaptive output layer, too, with the clusters that it has words for; bounds are those in force.
for words in 2 3 19 20; do
  for i in $(seq 400); do printf 'w%d ' $((i * i % words)) $((i % words)); done >few.txt
  "$SEQPREP" --unit word --eos none --valid 0.1 --force -o few few.txt --quiet || bad "seqprep: $words words"
  rm -rf few-run
  "$SEQTRAIN" --data few --run few-run "${small[@]}" --output adaptive || bad "--output adaptive with $words words: exit code $?"
  [ "$("$SEQSAMPLE" few-run --tokens 30 --quiet | wc -w)" -eq 30 ] || bad "a sample of $words words"
  # Before training the model knows next to nothing: the perplexity is about the number of words, so all of them are in the sum.
  "$SEQEVAL" few-run --quiet | awk -v n=$words '$1 == "perplexity" {exit !($2 > 0.5 * n && $2 < 2 * n + 1)}' || bad "the perplexity of $words words"
done
grep -q '"cutoffs": "1,5"' few-run/checkpoints/step-000000002/manifest.json || bad "the clusters of 20 words are not at a twentieth and a quarter"
for i in $(seq 50); do printf 'w '; done >one.txt
expect 0 train "$SEQPREP" --unit word --eos none --valid 0.1 -o one one.txt
expect 2 "output adaptive: the vocabulary has 1 word, 2 are the least" "$SEQTRAIN" --data one --run x "${small[@]}" --output adaptive
expect 2 "output adaptive: 2 clusters leave no unit of 8, the topmost layer's, .*give fewer --cutoffs or more units" "$SEQTRAIN" --data few --run x "${small[@]}" --output adaptive --hidden 8
expect 2 "cutoffs: 20: must be above 0 and below the vocabulary's 20" "$SEQTRAIN" --data few --run x "${small[@]}" --output adaptive --cutoffs 20

# Values that would divide by zero, or stand for nothing.
for value in 'beta1 1:0 to 0.999999' 'beta2 1:-1 to 0.999999' 'beta2 -0.5:-1, or 0 to 0.999999' 'epsilon 0:-1, or 1e-30 to 1' 'epsilon 1e-40:-1, or 1e-30 to 1' \
  'dropout-input -0.5:-1, or 0 to 0.99' 'dropout-output -2:-1 to 0.99' 'lr 0x10:a number, 0 to 1e.30' 'steps 5000000000:an integer, 0 to 4000000000'; do
  expect 2 "--${value%%:*}: expected .*${value#*:}" "$SEQTRAIN" --data data --run x "${small[@]}" --${value%%:*}
done
expect 2 "hidden: 3 sizes for 2 layers: .* each of the --layers" "$SEQTRAIN" --data data --run x --hidden 5,6,7
expect 2 "override '': not a field" "$SEQTRAIN" --data data --run x --override hidden,,lr
absent x/checkpoints

# The limit of the loss: the user's own, or the rule.
expect 5 "the limit is 1e-05 .--loss-limit.; .*try a lower --lr or --clip-norm$" "$SEQTRAIN" --data data --run limit "${small[@]}" --loss-limit 1e-5
expect 5 "four times ln.V . 1.; --loss-limit sets another.*or --clip-norm 5 .it is off.$" "$SEQTRAIN" --data data --run limit-2 "${small[@]}" --steps 9 --lr 1e9 --clip-norm 0

# One thing taken for another.
expect 0 . "$SEQTRAIN" --data data --run run "${small[@]}" --log-every 1 --no-quiet
expect 3 "data set run: it is a run, name what seqprep made" "$SEQTRAIN" --data run --run x
expect 3 "data set .*step-000000002: it is a checkpoint" "$SEQTRAIN" --data run/checkpoints/step-000000002 --run x
expect 3 "data set text.txt: it is a file: seqprep makes a data set of it" "$SEQTRAIN" --data text.txt --run x
expect 3 "data set run: it is a run" "$SEQEVAL" run --data run
expect 4 "loading data: it is a data set: name a run or a checkpoint" "$SEQSAMPLE" data
expect 4 "loading text.txt: it is a file: name a run directory" "$SEQEVAL" text.txt
expect 3 "text.txt: not a directory: name a data set, a run or a checkpoint" "$SEQINFO" text.txt
mkdir -p begun/checkpoints
cp run/config.ini begun
expect 4 "loading begun: it has no checkpoint yet: seqtrain writes the first after" "$SEQSAMPLE" begun
expect 0 "warning: the run has done 2 steps, --steps and --epochs ask for 1 in all: nothing is trained" "$SEQTRAIN" --run run --steps 1
[ "$(ls run/checkpoints)" = step-000000002 ] || bad "--steps 1 changed the checkpoints: $(ls run/checkpoints)"

# seqprep: limits that leave nothing, options that decide nothing.
expect 2 "min-count 1000000: no unit of the training part occurs as often" "$SEQPREP" --unit word --min-count 1M -o no text.txt
expect 2 "max-vocab 2: at least 3, for one unit beside <unk> and <eos>" "$SEQPREP" --unit word --max-vocab 2 -o no text.txt
expect 0 "3 tokens|vocabulary +3|vocabulary.* 3 " "$SEQPREP" --unit word --max-vocab 3 --valid 0.1 -o three text.txt
expect 0 "warning: --max-vocab: without effect: a data set of bytes has all 256" "$SEQPREP" --unit byte --max-vocab 9 --valid 0.1 -o bytes text.txt
expect 0 "warning: --min-count: without effect: --vocab brings a vocabulary" "$SEQPREP" --vocab data --min-count 2 --valid 0.1 -o again text.txt
expect 0 "warning: --punctuation: without effect: it is of words" "$SEQPREP" --unit char --punctuation keep --valid 0.1 -o marks text.txt
absent no
finish
