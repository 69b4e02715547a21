# seqprep --unit subword: merges learned from the training part alone, reused, joined, kept and verified in data sets and
# checkpoints; text given to and printed by the programs has no marks. Streams, and items of classify.
source "$SUPPORT/common.sh"
golden=$SOURCE/tests/golden/subword

# Streams: the golden merges; the units of the vocabulary are those of the golden text.
cp "$golden/corpus.txt" train
printf 'lower lowst\nqqq ing\n' >held
expect 0 "merges     150" "$SEQPREP" --unit subword --merges 150 --valid held -o data train
same data/merges.txt "$golden/merges.txt"
tr ' ' '\n' <"$golden/whole.txt" | sort | uniq -c | awk '{print $2 "\t" $1}' | LC_ALL=C sort >counts.expected
units() { sed 1d "$1/vocabulary.tsv" | awk -F'\t' '$2 && $3 != "<unk>" && $3 != "<eos>" {print $3 "\t" $2}' | sed 's/\\\\/\\/' | LC_ALL=C sort; }
units data >counts
same counts counts.expected
expect 0 verified "$SEQINFO" --verify data
# Training has w, which is never a unit there, and no q. Characters are those of the text, as for words.
grep -Eq '^valid +11 +22 +3 ' data/summary.txt || bad "counts of valid: $(grep '^valid' data/summary.txt)"
# Nothing depends on threads; the held-out part does not matter for merges; a file gives what learning gave.
expect 0 train "$SEQPREP" --unit subword --merges 150 --threads 3 -o again train held
expect 0 train "$SEQPREP" --unit subword --merges 150 --threads 1 --valid held -o threads train
same threads/vocabulary.tsv data/vocabulary.tsv
same threads/train-0000.h5 data/train-0000.h5
expect 0 train "$SEQPREP" --unit subword --merges "$golden/merges.txt" --valid held -o file train
same file/vocabulary.tsv data/vocabulary.tsv
same file/train-0000.h5 data/train-0000.h5
tr ' ' '\n' <"$golden/threshold.txt" | sort | uniq -c | awk '{print $2 "\t" $1}' | LC_ALL=C sort >counts.expected
expect 0 train "$SEQPREP" --unit subword --merges 150 --vocabulary-threshold 12 -o threshold train
units threshold >counts
same counts counts.expected
expect 0 train "$SEQPREP" --unit subword --merges 40 --glossary lower --glossary '[0-9]+' -o glossary train
head -1 glossary/vocabulary.tsv | grep -q $'\tglossaries=lower;\[0-9\]+' || bad "glossaries: $(head -1 glossary/vocabulary.tsv)"
# The same merges and units for another corpus.
expect 0 "merges     150" "$SEQPREP" --vocab data -o reused held
same reused/merges.txt data/merges.txt
same reused/vocabulary.tsv data/vocabulary.tsv
expect 0 "warning: 231 merges instead of 100000" "$SEQPREP" --unit subword --merges 100k --valid held -o all train
grep -q q all/merges.txt && bad "merges of the held-out part: $(grep q all/merges.txt)"

# What does not fit together.
expect 2 "--unit subword: --merges N" "$SEQPREP" --unit subword -o no train
expect 2 "--merges: without effect without --unit subword" "$SEQPREP" --unit word --merges 9 -o no train
expect 2 "--glossary: without effect" "$SEQPREP" --glossary a -o no train
expect 2 "--merges: --vocab brings merges" "$SEQPREP" --vocab data --merges 9 -o no train
expect 2 "--max-vocab: --merges decides" "$SEQPREP" --unit subword --merges 9 --max-vocab 99 -o no train
expect 2 "--reverse: parts of words" "$SEQPREP" --unit subword --merges 9 --reverse -o no train
expect 2 "glossary '\(': " "$SEQPREP" --unit subword --merges 9 --glossary '(' -o no train
expect 2 "--unit subword: a tag of --task tag belongs to a whole token" "$SEQPREP" --task tag --unit subword --merges 9 -o no train
expect 3 "reading merges: .*no-file" "$SEQPREP" --unit subword --merges no-file -o no train
expect 3 "reading merges train line 1: expected two symbols" "$SEQPREP" --unit subword --merges train -o no train
absent no

# A language model: its checkpoint has the merges, and needs nothing else.
expect 0 "perplexity" "$SEQTRAIN" --data data --run run --layers 1 --hidden 12 --batch 4 --window 8 --steps 6
step=run/checkpoints/step-000000006
same $step/merges.txt data/merges.txt
expect 0 verified "$SEQINFO" --verify run
expect 0 perplexity_per_word "$SEQEVAL" --data data --split valid run
"$SEQEVAL" --score held run 2>messages | cut -f3 >unknown || bad "seqeval --score: $(cat messages)"
[ "$(paste -sd, unknown)" = 0,3 ] || bad "unknown units of two lines: $(paste -sd, unknown), expected 0,3"
expect 0 "" "$SEQSAMPLE" --tokens 300 --prime "lower" run
grep -q '@@' .out && bad "marks in a sample: $(cat .out)"
rm -r data.moved 2>/dev/null
mv data data.moved
expect 0 "" "$SEQSAMPLE" --tokens 20 run
mv data.moved data
# Another vocabulary, and merges that were changed.
expect 3 "the vocabulary of data set threshold" "$SEQTRAIN" --data threshold --run run --steps 8
cp -r data changed
echo "q q" >>changed/merges.txt
expect 3 merges "$SEQTRAIN" --data changed --run changed.run --steps 1
expect 3 merges "$SEQINFO" --verify changed
cp -r run damaged
echo "q q" >>damaged/checkpoints/step-000000006/merges.txt
expect 4 merges "$SEQINFO" --verify damaged
cp -r run robbed
rm robbed/checkpoints/step-000000006/merges.txt
expect 4 merges "$SEQSAMPLE" robbed

# Items: windows are of units, and raw text is cut as the data set was.
awk 'NR % 2 {print "one\t" $0; next} {print "two\t" $0}' train >items
expect 0 "merges     60" "$SEQPREP" --task classify --unit subword --merges 60 --valid 0.2 -o items.data items
expect 0 "windows" "$SEQPREP" --task classify --unit subword --merges 60 --max-length 9 --valid 0.2 -o windows items
expect 0 verified "$SEQINFO" --verify windows
expect 0 step "$SEQTRAIN" --data items.data --run items.run --hidden 8 --batch 8 --steps 4
cut -f2 items >texts
"$SEQPREDICT" items.run texts >answers 2>messages || bad "seqpredict: $(cat messages)"
[ "$(wc -l <answers)" = 120 ] || bad "$(wc -l <answers) answers to 120 texts"
# What ends in <eos>: a line an item.
expect 0 "merges     60" "$SEQPREP" --task generate --unit subword --merges 60 --valid held -o lines train
grep -Eq '^valid +2 +11 ' lines/summary.txt || bad "generate, valid: $(grep '^valid' lines/summary.txt)"

# Pairs: joint merges are those of both texts; a vocabulary for each side has merges of its own.
cut -d' ' -f1-4 train >de
cut -d' ' -f5- train >en
pairs="--task translate --unit subword --merges 80 --source de --target en --valid-source held --valid-target held"
expect 0 "merges     80" "$SEQPREP" $pairs --joint -o joint
grep -Eq 'source: train 0 of [0-9]+ units.*valid [1-9]' joint/summary.txt || bad "unknown units: $(grep source: joint/summary.txt)"
expect 0 train "$SEQPREP" --unit subword --merges 80 -o both de en
same joint/merges.txt both/merges.txt
expect 0 "80 of the target" "$SEQPREP" $pairs -o sides
expect 0 train "$SEQPREP" --unit subword --merges 80 -o right en
same sides/merges-target.txt right/merges.txt
for kind in joint sides; do expect 0 verified "$SEQINFO" --verify $kind; done
expect 0 "longer than --max-length 11 left out" "$SEQPREP" $pairs --joint --max-length 11 -o short
expect 2 "--target-max-vocab: --merges decides" "$SEQPREP" $pairs --target-max-vocab 9 -o no
absent no
finish
