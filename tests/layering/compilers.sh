# The sources compile without a warning with the oldest and the newest gcc and clang that are installed (gcc-N, clang-N). Only read, not compiled: warnings of the optimiser are levels.sh's.
source "$SUPPORT/common.sh"

# versions NAME: NAME-N in PATH, the lowest first.
versions() { compgen -c "$1-" | grep -Ex "$1-[0-9]+" | sort -u -t- -k2n; }

compilers=()
for name in gcc clang; do
  mapfile -t found < <(versions $name)
  case ${#found[@]} in
  0) echo "skipped: no $name-N in PATH" ;;
  1) echo "skipped: of $name only ${found[0]} is installed" && compilers+=("${found[0]}") ;;
  *) compilers+=("${found[0]}" "${found[-1]}") ;;
  esac
done
# The build has done this with its own compiler, if it makes errors of warnings.
if grep -q -- ' -Werror ' "$BUILD/compile_commands.json"; then
  own=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
  others=()
  for compiler in "${compilers[@]}"; do
    [ "$(type -P "$compiler" | xargs realpath)" = "$(realpath "$own")" ] || others+=("$compiler")
  done
  compilers=(${others[@]+"${others[@]}"})
fi
if [ ${#compilers[@]} -eq 0 ]; then
  echo "skipped: no gcc-N or clang-N in PATH but that of the build" >&2
  exit 77
fi

# Files with the same options are read by one call.
knows_bf16() { echo | "$1" -mavx512bf16 -x c -fsyntax-only - 2>/dev/null; }
sed -nE '/"command": .*\/src\/[^ ]*\.c"/{s/.*"command": "(.*)",?$/\1/;s/\\(.)/\1/g;s/^([^ ]*ccache )?[^ ]+ //;p}' "$BUILD/compile_commands.json" |
  sed -E 's/ -o [^ ]+( -c)?//; s/ -O[0-9sg]//; s/ -fsanitize[^ ]*//g; s/^(.*) ([^ ]+)$/\1\t\2/' |
  awk -F '\t' '{files[$1] = files[$1] " " $2} END {for (options in files) print options "\t" files[options]}' >groups
grep -q . groups || bad "no command in $BUILD/compile_commands.json"
for compiler in "${compilers[@]}"; do
  while IFS=$'\t' read -r options files; do
    [[ $options != *-mavx512bf16* ]] || knows_bf16 "$compiler" || continue
    printf '%s\0' "cd \"\$BUILD\" && $compiler -fsyntax-only -Werror $options $files || echo \"$compiler $options\""
  done <groups
done | xargs -0 -P "$(nproc)" -n 1 bash -c >warnings 2>&1
[ ! -s warnings ] || bad "$(head -40 warnings)"
echo "read $(wc -w < <(cut -f 2 groups)) files with ${compilers[*]}"
finish
