# seqtrain --dry-run under mpirun: the ranks of a host measure what they cost each other, two hosts measure their network; what is given
# stands above it; all ranks refuse together.
source "$SUPPORT/common.sh"
plan=("$SEQTRAIN" --dry-run --plan-vocabulary 50 --layers 1 --hidden 16 --embed 8 --batch 4 --window 8 --plan-ranks 8 --plan-format json)
# field NAME: its first value in the last report.
field() { sed -nE "s/.*\"$1\": \"?([-+.0-9a-z]+).*/\1/p" .out | head -1; }
is_positive() { awk -v value="$(field $1)" 'BEGIN {exit !(value > 0)}' || bad "$1 is $(field $1)"; }

expect 0 '"hop_source": "measured"' run_mpi 2 "${plan[@]}"
is_positive hop_seconds
is_positive add_seconds_per_float_together
[ "$(field network_latency_source)" = assumed ] || bad "there is no network on one host: $(cat .out)"
[ "$(sed -nE 's/.*"ranks": ([0-9]+).*/\1/p' .out | tr '\n' ' ')" = "1 2 4 8 " ] || bad "rows: $(cat .out)"
expect 0 '"rows"' run_mpi 1 "${plan[@]}" # bound to one core by mpirun, it still tells those of the host
[ "$(field cores_per_node)" -eq "$(getconf _NPROCESSORS_ONLN)" ] || bad "one rank sees $(field cores_per_node) cores"
expect 0 '"rows"' run_mpi 4 "${plan[@]}" --replicas 8 # more ranks than cores here, perhaps
expect 2 "network-latency" run_mpi 2 "${plan[@]}" --network-latency=-1
expect 3 "missing" run_mpi 2 "$SEQTRAIN" --dry-run --data missing
[ "$failures" -eq 0 ] || finish

source "$SUPPORT/hosts.sh"
hosts_begin
for ranks in 2 4; do
  expect 0 '"network_latency_source": "measured"' hosts_mpirun $ranks "${plan[@]}"
  [ "$(field network_bandwidth_source)" = measured ] || bad "the bandwidth is $(field network_bandwidth_source)"
  [ "$(field ranks_per_node)" -eq $((ranks / 2)) ] || bad "$ranks ranks on 2 hosts are $(field ranks_per_node) a host"
  is_positive network_latency_seconds
  is_positive network_bytes_per_second
done
expect 0 '"network_latency_source": "given"' hosts_mpirun 2 "${plan[@]}" --network-latency 3
[ "$(field network_latency_seconds)" = 3e-06 ] && [ "$(field network_bandwidth_source)" = measured ] || bad "3 us were given: $(cat .out)"
finish
