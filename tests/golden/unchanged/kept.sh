# A run of the version before issue 14 (two ranks, Adam, dropout, tied words; newest checkpoint 22, best 15) is read by the programs of
# today, and goes on, on another number of ranks, to the recorded end. kept/ holds it with its data set; kept_digests.txt and the texts
# kept_*.txt are what that version made of it. Bits are compared where those of digests.txt hold, losses to four digits elsewhere.
# RECORD=FOLDER writes the expectations of this build there.
source "$SUPPORT/common.sh"
here=$SOURCE/tests/golden/unchanged
source "$here/settings.sh"
: "${RECORD:=}"
cp -r "$here/kept/data" "$here/kept/run" .
chmod -R u+w .

# expected NAME: the text in the file NAME is that of kept_NAME.
expected() {
  if [ -n "$RECORD" ]; then
    cp "$1" "$RECORD/kept_$1"
  else
    diff "$here/kept_$1" "$1" >&2 || bad "$1 is not what it was"
  fi
}

expect 0 . "$SEQINFO" run --verify
expect 0 . "$SEQINFO" data --verify
"$SEQINFO" run >info.txt || bad "seqinfo: exit code $?"
expected info.txt
expect 0 'step-000000015' "$SEQINFO" run/checkpoints/step-000000015
for which in "" --newest; do
  "$SEQEVAL" run $which --data data --kernels portable --json | tr ',' '\n' | grep -vE 'seconds' | sed -E 's/([0-9]\.[0-9]{4})[0-9]*/\1/' >"eval$which.txt"
  expected "eval$which.txt"
done
"$SEQSAMPLE" run --kernels portable --greedy --tokens 12 --prime "the 1 boats" >sample.txt || bad "seqsample: exit code $?"
expected sample.txt

# go_on RANKS NAME: 18 steps more.
go_on() {
  cp -r run "$2"
  expect 0 'finished at step 40' on_ranks "$1" "$SEQTRAIN" --data data --run "$2" --steps 40 --keep 9
  digest_run "$2" | sed "s/^$2 //" >"digests.$2" || bad "$2 cannot be read"
}
go_on 1 alone
if grep -q '^SEQ_MPI:BOOL=ON' "$BUILD/CMakeCache.txt"; then
  go_on 2 pair
  same_tree alone/checkpoints pair/checkpoints
fi
grep -o '"event": "validation".*"loss": [0-9]*\.[0-9]\{4\}' alone/metrics.jsonl | sed 's/"time": [0-9.]*, //' >losses.txt
expected losses.txt
cp digests.alone digests.txt
if [ -n "$RECORD" ] || cmp -s <(circumstances alone) <(sed '/^#/d' "$here/digests.txt" | head -n 3); then
  expected digests.txt
fi
finish
