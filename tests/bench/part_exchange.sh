# Sum of a gradient over 2, 4 and 8 ranks with the update, against MPI_Allreduce alone and the memory's bandwidth.
source "$(dirname "$0")/support.sh"
program=$BUILD/tests/bench/bench_exchange
runs=11
for ranks in 2 4 8; do
  # P=2, 20000000 floats: exchange and update 7.1 ms (best 7.0), MPI_Allreduce alone 51.0 (50.0): 7.18 x (7.14); memory bound 5.9 (5.8): 83 % (83)
  launcher_command $ranks
  line=$("${launch[@]}" "$program" 20000000 $runs 2>>"$log")
  number='s/.*exchange and update ([0-9.]+) ms.*\): ([0-9.]+) x .*memory bound [0-9.]+ \([0-9.]+\): ([0-9]+) %.*/\1 \2 \3/p'
  read -r milliseconds times percent < <(sed -nE "$number" <<<"$line")
  report exchange "20 M floats, $ranks ranks" "$milliseconds" ms $runs "$times" "MPI_Allreduce's speed"
  report exchange "20 M floats, $ranks ranks, memory" "$milliseconds" ms $runs "$(calc "$percent / 100")" 'the memory bound'
done
# Two and four nodes of a rank each, on one machine: what of the exchange hides behind backward.
for ranks in 2 4; do
  # P=2, 2 nodes, 20000000 floats: backward 90.0 ms, exchange after it 92.1, beside it 40.2: 56 % of the exchange hidden; 80.1 MB sent by a node
  launcher_command $ranks
  line=$("${launch[@]}" "$BUILD/tests/bench/bench_overlap" 20000000 $runs 1 2>>"$log")
  read -r milliseconds percent sent < <(sed -nE 's/.*after it ([-0-9.]+), .*: ([-0-9]+) %.*; ([0-9.]+) MB.*/\1 \2 \3/p' <<<"$line")
  report exchange "20 M floats, $ranks nodes, hidden" "$milliseconds" ms $runs "$(calc "$percent / 100")" 'the exchange'
  report exchange "20 M floats, $ranks nodes, sent by each" "$sent" MB $runs "$(calc "$sent / (2 * ($ranks - 1) / $ranks * 80)")" '2 (N-1)/N of the vector'
done
