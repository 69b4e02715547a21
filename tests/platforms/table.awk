# The table of launch/test.sh --platforms. Fails (1) when a row of `names` failed, (77) when none of them could be tried.
BEGIN {
  columns = split("platform|tests|build|warnings|passed|failed|skipped|seconds|what", head, "|")
  for (i = 1; i <= columns; i++) width[i] = length(head[i])
}
{
  for (i = 1; i <= columns; i++) {
    cell[NR, i] = $i
    if (length($i) > width[i]) width[i] = length($i)
  }
  if ($3 != "-" && index(names, " " $1 " ")) {
    tried++
    if ($3 != "ok" || $6 > 0 || $5 == 0) broken++
  }
  seconds += $8
}
END {
  for (row = 0; row <= NR; row++) {
    for (i = 1; i < columns; i++) {
      number = i > 3
      printf number ? "%*s  " : "%-*s  ", width[i], row ? cell[row, i] : head[i]
    }
    print row ? cell[row, columns] : head[columns]
  }
  printf "%d tried, %d of them failed; all rows took %d s\n", tried, broken, seconds
  exit !tried ? 77 : broken > 0
}
