# The table of launch/test.sh --faults from the rows that `outcome` in common.sh writes. Fails when a row says broken, or there is none.
BEGIN {
  split("experiment|runs|expected|happened|detected|recovered|verdict|test", head, "|")
  for (i = 1; i <= 8; i++) width[i] = length(head[i])
}
{
  for (i = 1; i <= 8; i++) {
    cell[NR, i] = $i
    if (length($i) > width[i]) width[i] = length($i)
  }
  broken += $7 != "held"
}
END {
  for (row = 0; row <= NR; row++) {
    for (i = 1; i <= 8; i++) printf "%-*s%s", width[i], row ? cell[row, i] : head[i], i < 8 ? "  " : "\n"
  }
  printf "%d experiments, %d held, %d broken\n", NR, NR - broken, broken
  exit broken > 0 || NR == 0
}
