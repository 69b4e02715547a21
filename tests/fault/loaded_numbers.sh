# A checkpoint whose hashes fit and whose numbers are none, as a faulty program or memory would write it: whatever vector it is in, the
# run says which file holds it, keeps that checkpoint aside and goes on from the one before, to the undisturbed bytes.
source "$SUPPORT/common.sh"
make_text 100 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
command=("$SEQTRAIN" --data data --replicas 2 --layers 1 --hidden 8 --embed 8 --batch 2 --window 8 --steps 12 --checkpoint-every 4 --shards 2)
expect 0 finished "${command[@]}" --run whole
expect 0 finished "${command[@]}" --run early --steps 8

# spoil KIND VECTOR: of the newest checkpoint of a copy, spoilt.
spoil() {
  rm -rf spoilt
  cp -r early spoilt
  "$HOSTILE" vector "$1" spoilt/checkpoints/step-000000008/shard-0001.h5 "$2" || bad "cannot put a $1 into $2"
  "$HOSTILE" seal spoilt/checkpoints/step-000000008 manifest.json || bad "cannot seal"
}

experiment "a NaN or infinity in a loaded checkpoint" "file, vector and value named, kept aside, same bytes from the one before"
runs=0
for vector in parameters first_moment stream_states; do
  for case in "nan 1" "infinity 2"; do
    set -- $case
    spoil $1 $vector
    expect 4 "shard-0001.h5: $vector: value [0-9]+ is -?(nan|inf)" "$SEQINFO" spoilt/checkpoints/step-000000008 --verify
    expect 0 "checkpoint of step 8 cannot be used: .*shard-0001.h5: $vector: value [0-9]+ is -?(nan|inf)" run_mpi $2 "${command[@]}" --run spoilt
    [ -d spoilt/checkpoints/step-000000008.damaged-0 ] || bad "$vector: the spoilt checkpoint is not kept"
    same_tree whole/checkpoints/step-000000012 spoilt/checkpoints/step-000000012
    runs=$((runs + 1))
  done
done
spoil nan first_moment
rm -r spoilt/checkpoints/step-000000004
expect 4 "none of its 1 checkpoints can be used" "${command[@]}" --run spoilt
absent spoilt/checkpoints/step-000000012
outcome $((runs + 1))
finish
