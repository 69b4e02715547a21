# The results of `lm` are those recorded in digests.txt, for the settings of settings.sh: eight of them at P = 1 and 2 or, with ALL=yes,
# all of them on the ranks of the table and alone, with all kernels of this CPU. A digest covers decoded tensors, fields of manifests,
# losses, evaluations and samples. Where the C library or the kind of CPU is another than that of the digests, ALL=yes builds the tree
# before issue 14 instead (variable OLD_COMMIT, from the repository's history) and compares whole directories: see compare.sh.
# RECORD=FILE writes the digests of this build to FILE; a reason for each changed bit belongs into the commit that does that.
source "$SUPPORT/common.sh"
here=$SOURCE/tests/golden/unchanged
source "$here/settings.sh"
: "${ALL:=no}" "${RECORD:=}" "${OLD_COMMIT:=71bd386de890dadacd238f4b70807f7652b0a169}"
[ -z "${SANITIZE:-}" ] || [ $ALL = no ] || { echo "skipped: a build with sanitizers takes an hour" >&2; exit 77; }

compare_trees() {
  skip() { echo "skipped: the digests were made elsewhere, and $*" >&2; exit 77; }
  [ $ALL = yes ] || skip "the test long.unchanged_all builds the tree before and compares"
  git -C "$SOURCE" cat-file -e "$OLD_COMMIT^{commit}" 2>/dev/null || skip "the history of this tree, with $OLD_COMMIT, is not here"
  mkdir "$work/tree"
  git -C "$SOURCE" archive "$OLD_COMMIT" | tar -x -C "$work/tree"
  expect 0 . cmake -S "$work/tree" -B "$work/old" -G "$GENERATOR" -DCMAKE_MAKE_PROGRAM="$NINJA" -DSEQ_TESTS=OFF -DCMAKE_BUILD_TYPE=Release
  expect 0 . cmake --build "$work/old" -j 2
  expect 0 ' 0 differ' bash "$here/compare.sh" "$work/old" "$BUILD"
  finish
}

make_data || bad "seqprep fails"
mkdir probe
cp -r chars words text.txt probe
cd probe || exit 1
run_setting probe portable 1 chars || bad "seqtrain fails"
cd "$work" || exit 1
circumstances probe/probe >here.txt
if [ -z "$RECORD" ] && ! cmp -s here.txt <(grep -E '^(libm|cpu|denormals): ' "$here/digests.txt"); then
  diff <(grep -E '^(libm|cpu|denormals): ' "$here/digests.txt") here.txt >&2
  compare_trees
fi

# check NAME KERNELS LAYOUT DATA OPTION...
check() {
  rm -rf "$1" "$1".*
  run_setting "$@" || { bad "$1 does not train"; return; }
  digest_run "$1" >"$1.found" || bad "$1 cannot be read"
  for text in eval score sample; do echo "$1 $text $("$DIGEST" - <"$1/$text.txt")"; done >>"$1.found"
  if [ -n "$RECORD" ]; then
    cat "$1.found" >>recorded
    return
  fi
  grep "^$1 " "$here/digests.txt" | diff - "$1.found" >"$1.diff" || bad "setting $1, kernels $2, ranks $3: $(wc -l <"$1.diff") lines differ, the first are
$(head -n 8 "$1.diff")"
}
has_mpi=no
if grep -q '^SEQ_MPI:BOOL=ON' "$BUILD/CMakeCache.txt"; then has_mpi=yes; fi
read -ra all_kernels <<<"$(kernels_of "$SEQTRAIN")"
count=0
while read -r name data layout options; do
  alone=${layout//[24]/1} # as many sessions
  pair=${layout//[14]/2}
  if [ -n "$RECORD" ]; then
    check "${name#\*}" portable "${alone%+}" "$data" $options
  elif [ $ALL = yes ]; then
    check "${name#\*}" portable "${alone%+}" "$data" $options
    for kernels in "${all_kernels[@]}"; do
      [ $has_mpi = no ] || check "${name#\*}" "$kernels" "$layout" "$data" $options
    done
  elif [[ $name = \** ]]; then
    check "${name#\*}" portable "${alone%+}" "$data" $options
    [ $has_mpi = no ] || check "${name#\*}" "${all_kernels[-1]}" "${pair%+}+" "$data" $options
  else
    continue
  fi
  count=$((count + 1))
done < <(settings)
[ $count -ge 8 ] || bad "only $count settings"
if [ -n "$RECORD" ] && [ $failures -eq 0 ]; then
  { echo "# What check.sh compares with. Made by RECORD=FILE of this script; see there."; cat here.txt recorded; } >"$RECORD"
fi
finish
