# 64 ranks on whatever cores there are: 20 steps, the bytes of one process, the memory of all ranks together.
source "$SUPPORT/common.sh"
make_text 3000 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options=(--data data --replicas 64 --layers 1 --hidden 32 --embed 16 --batch 1 --window 8 --steps 20 --epochs 99)
run_mpi 64 "$SEQTRAIN" "${options[@]}" --run $work/many >out.txt 2>&1 &
process=$!
peak=0
while kill -0 $process 2>/dev/null; do # until ctest's time limit
  now=$(cat $(pgrep -f -- "--run $work/many" | sed 's|.*|/proc/&/smaps_rollup|') 2>/dev/null | awk '/^Pss:/ {s += $2} END {print s + 0}')
  [ "$now" -gt $peak ] && peak=$now
  sleep 0.3
done
wait $process || bad "64 ranks: $(tail -3 out.txt)"
grep -q 'finished at step 20' out.txt || bad "64 ranks did not finish: $(tail -3 out.txt)"
echo "peak memory of 64 ranks (proportional set size): $((peak / 1024)) MB" >&2
expect 0 finished "$SEQTRAIN" "${options[@]}" --run alone
same_tree alone/checkpoints many/checkpoints
finish
