# The map of the code stays short and true: src/README.md has 80 lines at most, each layer a README of 10 to 30, prose ends at column 80,
# and the files, functions and types that these texts and src/DECISIONS.md name are there.
source "$SUPPORT/common.sh"
cd "$SOURCE" || exit 1
has_lines() {
  local lines
  lines=$(wc -l <"$1") && [ "$lines" -ge "$2" ] && [ "$lines" -le "$3" ] || bad "$1: ${lines:-no} lines, and not $2 to $3"
}

has_lines src/README.md 10 80
for layer in src/*/; do has_lines "${layer}README.md" 10 30; done
texts=(src/README.md src/DECISIONS.md src/*/README.md)
grep -HnE '^.{81}' "${texts[@]}" | grep -vE '^[^:]*:[0-9]+: *\|' && bad "prose goes beyond column 80"

# What may be named: a path, or the last parts of it; a word of the sources.
{
  find . -path './build*' -prune -o -print | awk '{while (sub("^[^/]*/", "")) print}'
  grep -rhoE --include='*.[ch]' '\bseq_[a-z0-9_]+' src include
} | sort -u >"$work/there"
for text in "${texts[@]}"; do
  while read -r name; do bad "$text: there is no $name"; done < <(tr '\n' ' ' <"$text" | grep -oE '`[^` ]+`' | tr -d '`' |
    grep -xE '[a-z0-9_./-]+\.(c|h|sh|py|cmake|md)|tests/[a-z/_]+(\.txt)?|seq_[a-z0-9_]+' | sort -u | comm -23 - "$work/there")
done
finish
