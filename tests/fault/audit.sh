# The data audit: each epoch's tokens once, on any number of ranks, across kills; a rank that reads another's part is named, and
# nothing of it is saved. tests/fault/elastic.sh has the audits of killed runs.
source "$SUPPORT/common.sh"
launcher_environment 0
make_text 150 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
tokens=$("$SEQINFO" data | awk '$1 == "train" { print $2; exit }')
command=("$SEQTRAIN" --data data --replicas 4 --layers 1 --hidden 16 --embed 8 --batch 3 --window 16 --epochs 2)
audits() { grep '"audit"' "$1/metrics.jsonl" | sed 's/.*"epoch"/"epoch"/'; }
member() { audits "$1" | head -1 | sed "s/.*\"$2\": \"\{0,1\}\([0-9a-f]*\).*/\1/"; }

experiment "data audit of whole epochs, 1 and 4 ranks" "every token once, the same digests"
expect 0 "audit +epoch 2: each of $((tokens / 12 * 12)) tokens was read once" "${command[@]}" --run alone
expect 0 "audit +epoch 1: each of $((tokens / 12 * 12)) tokens was read once" run_mpi 4 "${command[@]}" --run ranks
[ "$(audits alone | wc -l)" -eq 2 ] || bad "expected audits of two epochs"
[ "$(audits alone)" = "$(audits ranks)" ] || bad "the audits of 1 and 4 ranks differ: $(audits alone) $(audits ranks)"
[ "$(member alone left_out)" -eq $((tokens % 12)) ] || bad "left_out is $(member alone left_out), expected $((tokens % 12))"
[ $((tokens % 12)) -eq 0 ] || expect 0 "the last $((tokens % 12)) of the split fill no stream" "${command[@]}" --run again
outcome 2

# Other replicas and windows over as many streams: what an epoch has read is the same.
expect 0 finished "${command[@]}" --batch 6 --replicas 2 --window 11 --run other
for name in tokens digest content; do
  [ "$(member alone $name)" = "$(member other $name)" ] || bad "$name depends on the cut: $(member alone $name) $(member other $name)"
done

experiment "a rank reads another's part of the data" "exit 3, rank and host named, not saved"
SEQ_MISREAD=2 expect 3 "rank 2: data audit of epoch 1 at step [0-9]+: on host [^ ]+ it has not read its own part" \
  run_mpi 4 "${command[@]}" --run wrong
absent wrong/checkpoints
SEQ_MISREAD=1 expect 3 "rank 1: data audit of epoch 1 at step 5: " run_mpi 2 "${command[@]}" --checkpoint-every 5 --run wrong
absent wrong/checkpoints
outcome 2

experiment "a rank reads another's part after a resume" "exit 3, rank named, the epoch as a whole proven when resumed well"
SEQ_CRASH_AT=train-update:9:1 run_mpi 2 "${command[@]}" --checkpoint-every 5 --no-checkpoint-background --run later >log.txt 2>&1 && bad "was not killed"
SEQ_MISREAD=3 expect 3 "rank 3: data audit of epoch 1 at step 10: " run_mpi 4 "${command[@]}" --run later
expect 0 "audit +epoch 1: each of $((tokens / 12 * 12)) tokens was read once" run_mpi 4 "${command[@]}" --run later
[ "$(audits later)" = "$(audits alone)" ] || bad "the audits of a killed run differ: $(audits later)"
grep -q '"event": "resume".*"step": 5,' later/metrics.jsonl || bad "was not resumed in mid-epoch"
outcome 2
finish
