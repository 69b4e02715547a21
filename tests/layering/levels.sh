# The sources compile without a warning at levels of optimisation that no usual build has: a Debug build with -O1 sees other
# guesses of the compiler than Debug and Release.
source "$SUPPORT/common.sh"
count=0
sed -nE '/"command": .*\/src\//{s/.*"command": "(.*)",?$/\1/;s/\\(.)/\1/g;p}' "$BUILD/compile_commands.json" >commands
for level in -O1 -Og; do
  while read -r command; do
    count=$((count + 1))
    (cd "$BUILD" && eval "$(sed -E "s| -o [^ ]+| $level -Werror -o /dev/null|" <<<"$command")") >warnings 2>&1 || bad "$level: $command: $(tail -5 warnings)"
  done < <(sed 's/^ccache //' commands)
done
[ $count -ge 200 ] || bad "only $count compilations"
finish
