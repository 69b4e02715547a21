# The map of the code stays short and true: src/README.md has 80 lines at most, each layer a README of 10 to 30, prose ends at column 80
# (in README.md and datasets/README.md, too), and the files, functions and types that these texts and src/DECISIONS.md name are there. So are the tests that sources name.
source "$SUPPORT/common.sh"
cd "$SOURCE" || exit 1
has_lines() {
  local lines
  lines=$(wc -l <"$1") && [ "$lines" -ge "$2" ] && [ "$lines" -le "$3" ] || bad "$1: ${lines:-no} lines, and not $2 to $3"
}

has_lines src/README.md 10 80
for layer in src/*/; do has_lines "${layer}README.md" 10 30; done
texts=(src/README.md src/DECISIONS.md src/*/README.md)
# Tables and commands (four blanks) are as long as they need to be.
grep -HnE '^.{81}' "${texts[@]}" README.md datasets/README.md | grep -vE '^[^:]*:[0-9]+:( *\||    )' && bad "prose goes beyond column 80"

# What may be named: a path, or the last parts of it; a word of the sources.
{
  find . -path './build*' -prune -o -print | awk '{while (sub("^[^/]*/", "")) print}'
  grep -rhoE --include='*.[ch]' '\bseq_[a-z0-9_]+' src include
} | sort -u >"$work/there"
for text in "${texts[@]}"; do
  while read -r name; do bad "$text: there is no $name"; done < <(tr '\n' ' ' <"$text" | grep -oE '`[^` ]+`' | tr -d '`' |
    grep -xE '[a-z0-9_./-]+\.(c|h|sh|py|cmake|md)|tests/[a-z/_]+(\.txt)?|seq_[a-z0-9_]+' | sort -u | comm -23 - "$work/there")
done
# A source file names tests that are there.
while IFS=: read -r file name; do
  [ -e "$name" ] || bad "$file: there is no $name"
done < <(grep -roE --include='*.[ch]' '\btests/[a-z0-9_/]+\.(c|sh|py)\b' src include)
# Functions of <ctype.h> are not defined for the bytes of UTF-8 that a char makes negative.
grep -rnP --include='*.[ch]' '\b(is(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)|to(lower|upper))\((?!\(unsigned char\))' src include tests &&
  bad "a char goes into a function of <ctype.h> as it is"
finish
