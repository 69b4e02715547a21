# Validation of translate by greedy search: BLEU chooses the best checkpoint, the same for every number of ranks; seqeval says the same of
# the checkpoint and of its lines; --best-by loss searches for nothing; the mean of the last checkpoints.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # many small files, each synced to its disk
source "$SUPPORT/common.sh"
# A target repeats its source in other words; the last lines are the development part.
awk 'BEGIN {
  split("ein der Hund lief", from); split("one the dog. ran", to)
  for (i = 0; i < 90; i++) {
    s = t = ""
    for (k = 0; k <= i % 3 + 1; k++) {w = int(i * 7 / (k + 1) + k) % 4 + 1; s = s " " from[w]; t = t " " to[w]}
    print substr(s, 2) "\t" substr(t, 2)
  }
}' >pairs.tsv
printf 'Katze der\tcat <unk> the\n' >>pairs.tsv
for part in train:1,70 dev:71,91; do
  sed -n "${part#*:}p" pairs.tsv | cut -f 1 >${part%:*}.de
  sed -n "${part#*:}p" pairs.tsv | cut -f 2 >${part%:*}.en
done
expect 0 items "$SEQPREP" --task translate -o data --source train.de --target train.en --valid-source dev.de --valid-target dev.en
options=(--data data --replicas 4 --batch 3 --hidden 12 --embed 8 --layers 1 --optimizer adam --lr 0.02 --epochs 4 --keep 9 --validate-every 4)
for ranks in 1 2; do
  expect 0 'finished .*best validation bleu' run_mpi $ranks "$SEQTRAIN" "${options[@]}" --run run-$ranks
done
same_tree run-1/checkpoints run-2/checkpoints
measures() { grep '"validation"' "$1/metrics.jsonl" | grep -o '"bleu": [^,]*, "chrf": [^,]*'; }
[ "$(measures run-1 | sort -u | wc -l)" -gt 1 ] || bad "measures never change: $(measures run-1)"
[ "$(measures run-1)" = "$(measures run-2)" ] || bad "measures depend on the ranks"

# The newest checkpoint: the last validation's figures, whatever the batch, and those of the lines.
evaluate() { "$SEQEVAL" run-1 --newest --split valid --quiet "$@" | grep -v '^seconds'; }
evaluate >eval.txt
evaluate --batch 1 | cmp - eval.txt || bad "figures depend on the batch"
figure() { awk -v key="$2" '$1 == key {printf "%.4g\n", $2; exit}' "$1"; }
measures run-1 | tail -1 | awk '{printf "%.4g %.4g\n", $2, $4}' >last.txt
[ "$(figure eval.txt bleu) $(figure eval.txt chrf)" = "$(cat last.txt)" ] || bad "seqeval: $(cat eval.txt), training: $(cat last.txt)"
evaluate --json | tr '\n' ' ' | grep -Eq '^\{"task": "translate", .*"translations": \{"task": "translate".*"signatures": \{.*\}\} *\} *$' || bad "JSON: $(evaluate --json)"
sed 's/<unk>/<uxk>/' dev.en >gold.txt # that a symbol is unknown matches nothing
"$SEQPREDICT" run-1 --newest --beam 1 --quiet dev.de >output.txt
"$SEQEVAL" --task translate --gold gold.txt --predictions output.txt >lines.txt
[ "$(figure lines.txt bleu) $(figure lines.txt chrf)" = "$(cat last.txt)" ] || bad "lines: $(cat lines.txt)"

# The mean loss as the criterion: no search, no measures. Another criterion is another run.
expect 0 'finished .*best validation loss' "$SEQTRAIN" "${options[@]}" --best-by loss --epochs 1 --run by-loss
[ -z "$(measures by-loss)" ] || bad "--best-by loss: $(measures by-loss)"
expect 2 'best-by' "$SEQTRAIN" "${options[@]}" --best-by loss --epochs 5 --run run-1

# Means of checkpoints.
count=$(ls run-1/checkpoints | wc -l)
expect 0 'the mean of 3 checkpoints, of the steps [0-9]+, [0-9]+ and [0-9]+' "$SEQEVAL" run-1 --average 3 --split valid --resamples 0
evaluate --average 3 | cmp -s - eval.txt && bad "--average changes nothing"
expect 4 "averaging $((count + 1)) checkpoints: run-1 has $count" "$SEQEVAL" run-1 --average $((count + 1))
expect 4 'has 0' "$SEQEVAL" "run-1/checkpoints/$(ls run-1/checkpoints | tail -1)" --average 2
finish
