# awk -f targets.awk ROWS targets.txt: a line for each target of a part that was measured.
function text(name) {
  if (!match($0, "\"" name "\": \"[^\"]*\"")) return ""
  return substr($0, RSTART + length(name) + 5, RLENGTH - length(name) - 6)
}
function number(name) {
  if (!match($0, "\"" name "\": [-+.0-9e]+")) return ""
  return substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 4)
}
function trim(word) { gsub(/^ +| +$/, "", word); return word }
function matches(pattern, name,   pieces, count, i, at) { # in a pattern, * stands for anything
  count = split(pattern, pieces, "*")
  for (i = 1; i <= count; i++) {
    at = index(name, pieces[i])
    if (at == 0 || (i == 1 && at != 1)) return 0
    name = substr(name, at + length(pieces[i]))
  }
  return name == "" || pieces[count] == ""
}
function figure(part, row, kind, low,   key, names, best) { # the best of the rows that match
  best = ""
  for (key in value) {
    split(key, names, SUBSEP)
    if (names[1] != part || names[3] != kind || value[key] == "" || !matches(row, names[2])) continue
    if (best == "" || (low ? value[key] + 0 < best + 0 : value[key] + 0 > best + 0)) best = value[key]
  }
  return best
}
function reason(part, row,   i) {
  for (i = 1; i <= skips; i++)
    if (skip_part[i] == part && matches(skip_row[i], row)) return skip_reason[i]
  return ""
}

FNR == NR {
  part = text("part")
  measured[part] = 1
  if (text("skipped") != "") {
    skip_part[++skips] = part
    skip_row[skips] = text("name")
    skip_reason[skips] = text("skipped")
  } else {
    value[part, text("name"), "median"] = number("median")
    value[part, text("name"), "ratio"] = number("ratio")
  }
  next
}
/^#/ || !NF { next }
{
  split($0, column, "|")
  part = trim(column[2]); row = trim(column[3]); split(trim(column[5]), bound, " ")
  if (!(part in measured)) next
  found = figure(part, row, trim(column[4]), bound[1] == "<")
  relation = bound[1] == "<" ? "below" : "at least"
  if (found == "") {
    why = reason(part, row)
    printf "target %s: not measured here, %s\n", trim(column[1]), why == "" ? "no such figure came out" : why
  } else {
    met = bound[1] == "<" ? found + 0 < bound[2] + 0 : found + 0 >= bound[2] + 0
    printf "target %s: %.4g (%s %s): %s\n", trim(column[1]), found, relation, bound[2], met ? "met" : "missed"
  }
}
