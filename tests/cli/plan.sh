# seqtrain --dry-run: a report with a row for each number of ranks, nothing trained, nothing written, and what it refuses.
source "$SUPPORT/common.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--layers 1 --hidden 16 --embed 8 --batch 4 --window 8)
plan=("$SEQTRAIN" --dry-run --plan-vocabulary 50 "${small[@]}")

# ranks OPTION...: those of the rows of the JSON report.
ranks() { "${plan[@]}" --plan-format json "$@" | tee report.json | sed -nE 's/.*"ranks": ([0-9]+).*/\1/p' | tr '\n' ' '; }
# all NAME: its values in the rows; value NAME: the first one.
all() { sed -nE "s/.*\"$1\": ([-+.0-9e]+).*/\1/p" report.json; }
value() { all "$1" | head -1; }
must_have() { grep -Eq "$1" report.txt || bad "'$1' is not in the report: $(cat report.txt)"; }

# The table: title, what was measured, what was assumed; 1 ... 1024 ranks. The directory stays as it is, the run directory is not made.
before=$(find . | sort)
report=$("${plan[@]}" --run never 2>&1) || bad "$report"
[ "$before" = "$(find . | sort)" ] || bad "--dry-run wrote something: $(find .)"
echo "$report" >report.txt
must_have 'Weak scaling'
must_have 'window takes .* GFLOP/s'
must_have 'Network: 20 us a message \(assumed\), 1.25 GB/s a host \(assumed\); overlap with backward counted'
must_have 'ranks hosts +R/P +step +compute +exchange +hidden +update +tokens/s +efficiency'
[ "$(awk '$1 ~ /^[0-9]+$/ {printf "%s ", $1}' report.txt)" = "1 2 4 8 16 32 64 128 256 512 1024 " ] || bad "rows: $(cat report.txt)"
grep -Eiq 'nan|inf' report.txt && bad "figures are missing: $(cat report.txt)"
[ "$(head -1 report.txt | cut -d: -f1)" = 'Scaling report' ] || bad "it says: $(head -1 report.txt)"

# JSON that others can read; the parts of a step add up; the rows of 1 rank and of more.
[ "$(ranks --plan-ranks 6)" = "1 2 4 6 " ] || bad "rows of 6 ranks: $(cat report.json)"
if command -v python3 >/dev/null; then
  python3 - <<'END' || bad "the JSON report is wrong: $(cat report.json)"
import json
report = json.load(open("report.json"))
assert report["scaling"] == "weak" and report["window_seconds_alone"] > 0
for row in report["rows"]:
    parts = sum(row[name + "_seconds"] for name in ("compute", "sum", "network", "report", "update")) - row["hidden_seconds"]
    assert abs(parts - row["step_seconds"]) < 1e-4 * parts, row
    assert row["rank_bytes"] > 4 * report["parameters"] and row["host_bytes"] > row["rank_bytes"]
assert report["rows"][0]["efficiency"] == 1
END
fi
# Strong scaling says so and ends with the replicas; ranks that do not divide them are named.
[ "$(ranks --replicas 12)" = "1 2 4 12 " ] || bad "rows of 12 replicas: $(cat report.json)"
[ "$(all replicas_per_rank | tr '\n' ' ')" = "12 6 3 1 " ] || bad "replicas of a rank: $(cat report.json)"
"${plan[@]}" --replicas 12 >report.txt 2>&1
must_have 'Strong scaling: 12 replicas, the same batch of 48 streams'
must_have 'More than 12 ranks have nothing to do'
"${plan[@]}" --replicas 12 --plan-ranks 8 >report.txt 2>&1
must_have '8 ranks are left out: they do not divide 12 replicas'

# Given constants are used: the network's time is what the formula makes of them, whatever this machine is.
constants=(--ranks-per-node 2 --cores-per-node 2 --plan-ranks 8)
[ "$(ranks "${constants[@]}" --network-latency 1000 --network-bandwidth 1000)" = "1 2 4 8 " ] || bad "$(cat report.json)"
[ "$(value network_latency_source)" = "" ] && grep -q '"network_latency_source": "given"' report.json || bad "the latency was given"
[ "$(all nodes | tr '\n' ' ')" = "1 1 2 4 " ] || bad "nodes: $(cat report.json)"
all network_seconds | awk '{t[NR] = $1} END {exit !(t[1] == 0 && t[2] == 0 && t[3] > 0.002 && t[3] < 0.00201 && t[4] > 0.006 && t[4] < 0.00601)}' ||
  bad "messages of a millisecond: $(all network_seconds)"
ranks "${constants[@]}" --network-latency 0.001 --network-bandwidth 0.0001 >/dev/null
all network_seconds | awk 'NR == 3 {exit !($1 > 0.05)}' || bad "100 kB/s: $(all network_seconds)"
all hidden_seconds | awk '$1 > 0 {count++} END {exit count != 2}' || bad "nothing is hidden: $(all hidden_seconds)"
grep -q '"overlap": true' report.json || bad "the overlap is counted silently"
ranks "${constants[@]}" --network-latency 0.001 --network-bandwidth 0.0001 --overlap off >/dev/null
all hidden_seconds | awk '$1 != 0 {exit 1}' || bad "hidden although --overlap is off: $(all hidden_seconds)"
# Half of the bytes with --wire bf16; a sampled output layer has few live rows.
at_eight() {
  ranks "${constants[@]}" --network-latency 0.001 --network-bandwidth 0.0001 "$@" >/dev/null
  all network_seconds | tail -1
}
awk -v full="$(at_eight)" -v half="$(at_eight --wire bf16)" 'BEGIN {exit !(full > 1.99 * half && full < 2.01 * half)}' ||
  bad "--wire bf16 does not halve the time on the network: $(at_eight) $(at_eight --wire bf16)"
few=(--plan-vocabulary 100000 --output sampled)
awk -v full="$(at_eight "${few[@]}" --samples 60000)" -v few="$(at_eight "${few[@]}" --samples 500)" 'BEGIN {exit !(full > 5 * few)}' ||
  bad "rows that are not sampled count: $(at_eight "${few[@]}" --samples 60000) $(at_eight "${few[@]}" --samples 500)"
# More ranks on a host than ranks; no power of two; more than it has cores.
[ "$(ranks --ranks-per-node 64 --cores-per-node 64 --plan-ranks 4)" = "1 2 4 " ] || bad "$(cat report.json)"
[ "$(all hosts | tr '\n' ' ')" = "1 1 1 " ] || bad "hosts: $(all hosts)"
"${plan[@]}" --ranks-per-node 6 --cores-per-node 3 --plan-ranks 24 >report.txt 2>&1
must_have 'in blocks of 2, the largest power of two'
must_have 'Ranks beyond the cores share them'

# A data set gives the vocabulary; other cells, outputs, rules, threads.
types=$(grep -c '' data/vocabulary.tsv)
expect 0 "vocabulary ($types|$((types - 1))|$((types - 2)))," "$SEQTRAIN" --dry-run --data data "${small[@]}" --plan-ranks 2
for option in '--cell gru' '--tied --embed 16' '--output sampled --samples 20' '--output adaptive' '--optimizer sgd' '--threads 2' \
  '--feedforward 9' '--precision bf16' '--plan-ranks 1' '--no-checkpoint-background' '--kernels portable' '--dropout 0.2'; do
  expect 0 '^ +1 ' "${plan[@]}" --plan-ranks 2 $option
done

# What a run was started with.
expect 0 finished "$SEQTRAIN" --data data "${small[@]}" --run run --steps 3
expect 0 '^ +2 ' "$SEQTRAIN" --config run/config.ini --dry-run --plan-ranks 2
rm -r run

# Mistakes.
expect 2 "plan-vocabulary" "$SEQTRAIN" --dry-run "${small[@]}"
expect 2 "plan-vocabulary" "${plan[@]}" --data data
expect 3 "missing" "$SEQTRAIN" --dry-run --data missing
expect 2 "plan-ranks.*dry-run" "$SEQTRAIN" --data data --run x "${small[@]}" --plan-ranks 4
expect 2 "network-latency.*dry-run" "$SEQTRAIN" --data data --run x "${small[@]}" --network-latency 4
for option in network-latency network-bandwidth; do
  for value in 0 -1 1e99 nan inf fast; do expect 2 "$option" "${plan[@]}" --$option=$value; done
done
for option in plan-ranks ranks-per-node cores-per-node; do
  for value in 0 -3 70000 1e99 99999999999999999999; do expect 2 "$option" "${plan[@]}" --$option=$value; done
done
for value in 0 1 -5 99999999; do expect 2 "plan-vocabulary" "$SEQTRAIN" --dry-run --plan-vocabulary=$value; done
expect 2 "batch" "${plan[@]}" --plan-ranks 65536 --batch 65536
expect 2 "hidden" "${plan[@]}" --hidden 5,6
expect 2 "plan-format" "${plan[@]}" --plan-format xml
[ ! -e /dev/full ] || expect 7 "writing the report" bash -c '"$0" "$@" >/dev/full' "${plan[@]}" --plan-ranks 2
absent x
finish
