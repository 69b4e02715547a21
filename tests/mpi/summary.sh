# What a session was like: lines at the end and members of the events "end" and "stop", alone and with ranks, when it is resumed
# and when it is stopped early.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--data data --replicas 2 --layers 1 --hidden 24 --embed 8 --batch 4 --window 10 --epochs 9999 --clip-norm 0.001)

# last EVENT RUN: the last event of this name; number NAME LINE.
last() { grep "\"event\": \"$1\"" "$2/metrics.jsonl" | tail -1; }
number() { sed -nE "s/.*\"$1\": ([-+.0-9e]+|null).*/\1/p" <<<"$2"; }

# check LINE RANKS STEPS: shares add up to one, everything is clipped, rates fit together (the last window of an epoch is short).
check() {
  local name
  for name in steps tokens seconds tokens_per_second tokens_per_second_per_rank clip_rate efficiency imbalance slowest_rank \
    share_{other,data,compute,exchange,update,validation,saving}; do
    [ -n "$(number session_$name "$1")" ] || bad "session_$name is missing: $1"
  done
  grep -q "\"session_slowest_host\": \"$(hostname)\"" <<<"$1" || bad "the slowest rank's host is not named: $1"
  awk -v steps="$(number session_steps "$1")" -v expected="$3" -v tokens="$(number session_tokens "$1")" -v ranks="$2" \
    -v clip="$(number session_clip_rate "$1")" -v rate="$(number session_tokens_per_second "$1")" \
    -v each="$(number session_tokens_per_second_per_rank "$1")" -v efficiency="$(number session_efficiency "$1")" \
    -v imbalance="$(number session_imbalance "$1")" -v slowest="$(number session_slowest_rank "$1")" \
    -v shares="$(grep -o '"session_share_[a-z]*": [-+.0-9e]*' <<<"$1" | sed 's/.*: //' | tr '\n' ' ')" '
    function off(a, b) {return a > b * 1.000001 || a < b * 0.999999}
    BEGIN {
      count = split(shares, share, " ")
      for (i = 1; i <= count; i++) {sum += share[i]; if (share[i] < 0) exit 1}
      if (count != 7 || off(sum, 1)) exit 1
      if (steps != expected || tokens > steps * 80 || tokens < steps * (steps > 50 ? 75 : 80) || clip != 1 || off(each * ranks, rate)) exit 1
      if (!(efficiency > 0 && efficiency < 1) || imbalance < 0.999999 || imbalance > ranks * 1.000001) exit 1
      if (slowest < 0 || slowest >= ranks) exit 1
    }' || bad "figures of a session of $3 steps on $2 ranks are wrong: $1"
}

"$SEQTRAIN" "${small[@]}" --run run --steps 20 >out.txt 2>&1 || bad "$(cat out.txt)"
grep -Eq '^session +20 steps in .* tokens/s, .* a rank; clipped 100% of the updates' out.txt || bad "no session: $(cat out.txt)"
grep -Eq '^time +compute [0-9.]+%, exchange .*%, update .*%, data .*%, validation .*%, saving .*%' out.txt || bad "no shares: $(cat out.txt)"
check "$(last end run)" 1 20
# Resumed with two ranks: the figures of this session.
run_mpi 2 "$SEQTRAIN" "${small[@]}" --run run --steps 50 >out.txt 2>&1 || bad "$(cat out.txt)"
grep -Eq '^parallel efficiency [0-9.]+%; slowest in compute: rank [01]' out.txt || bad "no efficiency: $(cat out.txt)"
check "$(last end run)" 2 30
# Nothing left to do: no rate, nothing divided by nothing.
expect 0 "finished at step 50" "$SEQTRAIN" --run run
grep -q '^session' .out && bad "a session without a step tells its speed"
[ "$(number session_steps "$(last end run)")" = 0 ] && [ "$(number session_efficiency "$(last end run)")" = null ] ||
  bad "a session without a step: $(last end run)"

# Stopped early: the same in the event "stop".
for limit in 2 10 60; do # a slow machine stops before its first step
  expect 75 "stopped by the time limit" run_mpi 2 "$SEQTRAIN" "${small[@]}" --run stopped --time-limit ${limit}s
  [ -z "$(last stop stopped)" ] || break
done
[ -z "$(last end stopped)" ] || bad "a stopped run has an end"
steps=$(number session_steps "$(last stop stopped)")
check "$(last stop stopped)" 2 "${steps:-none}"
[ "$(number step "$(last stop stopped)")" = "$steps" ] || bad "$steps steps of the session, but $(last stop stopped)"

# A rollback and a skipped step: all that was trained counts, also before the rollback, and shares are of updates. 14 steps: 7, then 6
# to 12 once more; one window is passed over, one skipped.
bumpy=(--run bumpy --steps 12 --checkpoint-every 5 --on-bad-numbers rollback --on-spike skip --spike-window 5 --inject 'nan-loss:step=8;spike-norm:step=10')
for ranks in 1 2; do
  rm -rf bumpy
  expect 0 'clipped 100% of the updates' run_mpi $ranks "$SEQTRAIN" "${small[@]}" "${bumpy[@]}"
  line=$(last end bumpy)
  [ "$(number session_steps "$line") $(number session_tokens "$line") $(number session_clip_rate "$line")" = "14 $((12 * 80)) 1" ] ||
    bad "a session with a rollback and a skipped step: $line"
  grep -q '"step": 10,.*"action": "skip"' bumpy/metrics.jsonl || bad "step 10 is not skipped: $(cat bumpy/metrics.jsonl)"
done

# Nothing of it in a checkpoint: equal bytes, whatever the time took.
expect 0 finished "$SEQTRAIN" "${small[@]}" --run whole --steps 50
same_tree whole/checkpoints/step-000000050 run/checkpoints/step-000000050
finish
