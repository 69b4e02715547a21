# seqinfo: what it says about a data set, a run and a checkpoint, and what it refuses.
source "$SUPPORT/common.sh"
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
expect 0 finished "$SEQTRAIN" --data data --run run --layers 1 --hidden 16 --embed 8 --batch 4 --window 8 --steps 20
expect 0 "train .*valid|valid" "$SEQINFO" data
expect 0 verified "$SEQINFO" data --verify
expect 0 "step-000000020|20" "$SEQINFO" run
expect 0 verified "$SEQINFO" run --verify
expect 0 "rnn.weight_ih_l0" "$SEQINFO" run/checkpoints/step-000000020
expect 0 verified "$SEQINFO" run/checkpoints/step-000000020 --verify
"$SEQINFO" data --quiet >.out 2>&1 && [ ! -s .out ] || bad "--quiet prints: $(cat .out)"
mkdir empty
expect 3 "empty" "$SEQINFO" empty
expect 3 "text.txt" "$SEQINFO" text.txt
expect 3 "missing" "$SEQINFO" missing
expect 2 "operand|Usage|DATASET" "$SEQINFO"
expect 2 "operand|Usage|DATASET" "$SEQINFO" data run
cp -r data foreign
cp run/checkpoints/step-000000020/manifest.json foreign/dataset.json
expect 3 "dataset.json" "$SEQINFO" foreign
mkdir -p hollow/checkpoints
expect 0 "checkpoints 0" "$SEQINFO" hollow
expect 4 "hollow" "$SEQINFO" hollow --verify
finish
