# A checkpoint of a task with two vocabularies, and options of groups that are absent at their default: it is resumed, by other ranks,
# cut anew and verified; each of its files is missed when it is not whole; another value of such an option is another run.
source "$SUPPORT/common.sh"
for word in fine nice good bad poor dull; do
  case $word in [fng]*) class=yes ;; *) class=no ;; esac
  printf '%s\ta %s film\n%s\tmost %s of all\n' $class $word $class $word
done >items.txt
expect 0 train "$SEQPREP" --task classify -o data items.txt
train=("$SEQTRAIN" --data data --hidden 6 --embed 4 --batch 2 --replicas 2)
expect 0 finished "${train[@]}" --run whole --steps 4
expect 0 finished "${train[@]}" --run run --steps 2
two=run/checkpoints/step-000000002
for file in vocabulary.tsv vocabulary-label.tsv; do
  grep -q "\"$file\"" $two/manifest.json || bad "$file is not listed"
done
! grep -q '"bidirectional"\|"pool"' $two/manifest.json || bad "an option at its default is recorded"
cp -r run cut
expect 0 "with 1 shard" "$SEQINFO" cut/checkpoints/step-000000002 --reshard 1
expect 0 "verified   4 files" "$SEQINFO" cut/checkpoints/step-000000002 --verify
expect 0 "task  *classify" "$SEQINFO" cut/checkpoints/step-000000002
cp -r run lost
SEQ_RANKS_PER_NODE=1 expect 0 "resumed  from the checkpoint of step 2" run_mpi 2 "${train[@]}" --run run --steps 4
same_tree whole/checkpoints/step-000000004 run/checkpoints/step-000000004

# What was added to the options later stands for its default where a record is silent.
expect 2 "would change the run: --bidirectional yes \(the run has no\)" "${train[@]}" --run run --bidirectional
expect 2 "would change the run: --pool mean \(the run has max\)" "${train[@]}" --run run --pool mean
# What a language model alone has is refused, but not in a config file that says no more than the default.
for own in '--window 35' '--loss-scale sum' '--samples 9' '--cutoffs 5' '--output full' --tied '--report-gradient-flow 9'; do
  expect 2 "^seqtrain: ${own%% *}: the data set was prepared for the task classify; only lm(| and generate|, generate and translate) ha(s|ve) it" "${train[@]}" --run lm-only $own
done
expect 0 finished "${train[@]}" --config run/config.ini --run configured --steps 2
sed 's/^window.*/window = 9/' run/config.ini >window.ini
expect 2 "--window: the data set was prepared for the task classify" "${train[@]}" --config window.ini --run lm-only
absent lm-only/checkpoints
expect 2 "pool ends takes .* needs --bidirectional" "${train[@]}" --run ends --pool ends
# Another task is another run, even where all shapes are equal.
sed 's/^no/yes/' items.txt >one.txt
expect 0 "the training part has one class only" "$SEQPREP" --task classify -o one one.txt
sed 's/^no/1/; s/^yes/2/' items.txt >numbers.txt
expect 0 train "$SEQPREP" --task rate -o numbers numbers.txt
expect 0 "layer 0 hardly learns any more: 0% of its cells" "$SEQTRAIN" --data one --run alone --hidden 6 --embed 4 --layers 1 --steps 2
expect 3 "data set numbers was prepared for the task rate, the run is of classify" "$SEQTRAIN" --run alone --data numbers --steps 4 --override data,vocabulary
# So are columns and what becomes of raw input; another list of labels has another number of rows.
sed 's/\t/,/' items.txt >items.csv
expect 0 train "$SEQPREP" --task classify --columns label=1,text=2 -o table items.csv
expect 3 "data set table has another schema than the run's: reader.reader csv, not lines.*another --run" \
  "$SEQTRAIN" --run run --data table --steps 6 --override data,vocabulary
expect 3 "data set table has other fields or reader settings than the model's: reader.reader csv, not lines" "$SEQEVAL" run --data table --split train
printf 'maybe\ta fine film\n' | cat items.txt - >three.txt
expect 0 train "$SEQPREP" --task classify -o three three.txt
expect 2 "cannot take over the checkpoint's parameters: it has output.weight \(3 x 6\) where they have output.weight \(2 x 6\)" \
  "$SEQTRAIN" --run run --data three --steps 6 --override data,vocabulary
expect 0 finished "${train[@]}" --run other --steps 6 --pool mean
cp -r other/checkpoints/step-000000006 run/checkpoints
expect 4 "step-000000006 is of another run: pool mean \(this run has max\); seqtrain --override pool" "$SEQINFO" run --verify
cp -r run/checkpoints/step-000000004 other/checkpoints
expect 4 "step-000000004 is of another run: pool max \(this run has mean\)" "$SEQINFO" other

# Damage of a file that only such a checkpoint has.
expect 0 finished "${train[@]}" --run lost --steps 4
cp lost/checkpoints/step-000000004/vocabulary.tsv lost/checkpoints/step-000000004/vocabulary-label.tsv
expect 4 "vocabulary-label.tsv: it has [0-9]+ bytes, expected" "$SEQSAMPLE" lost/checkpoints/step-000000004
expect 4 "1 of its 7 files are damaged; vocabulary-label.tsv" "$SEQINFO" lost/checkpoints/step-000000004 --verify
expect 0 "step 4 cannot be used: .*vocabulary-label.tsv" "${train[@]}" --run lost --steps 4
same_tree whole/checkpoints/step-000000004 lost/checkpoints/step-000000004
expect 2 "trained for the task classify" "$SEQSAMPLE" run/checkpoints/step-000000004
finish
