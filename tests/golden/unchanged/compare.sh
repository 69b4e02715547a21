#!/bin/bash
# compare.sh OLD_BUILD NEW_BUILD [SETTING...]: the same bytes of `lm` from two builds, for all settings of settings.sh and all kernels of
# this CPU: data sets, whole checkpoint directories, losses, evaluations and samples. Exit code 1 names each file that differs.
# KERNELS="portable avx2" chooses among the kernels. added_fields.txt has the fields of manifests that only the new build knows.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${SOURCE:=$(cd "$here/../../.." && pwd)}"
source "$SOURCE/launch/launcher.sh"
source "$here/settings.sh"
[ $# -ge 2 ] || { echo "usage: compare.sh OLD_BUILD NEW_BUILD [SETTING...]" >&2; exit 2; }
builds=("$(cd "$1" && pwd)" "$(cd "$2" && pwd)") || exit 2
shift 2
export LC_ALL=C.UTF-8
launcher_environment 1
compared=$(mktemp -d)
trap 'rm -rf "$compared"' EXIT
launcher_scratch=$compared

# use BUILD
use() { SEQPREP=$1/seqprep SEQTRAIN=$1/seqtrain SEQSAMPLE=$1/seqsample SEQEVAL=$1/seqeval; }

# A manifest without what may differ: fields that are named as new, its hash, the version of the program. Commas at the ends of lines are
# left out: they move.
manifest() {
  awk -v added="$here/added_fields.txt" '
    BEGIN { while ((getline line <added) > 0) { sub(/[ \t]*#.*/, "", line); if (line != "") skip[line] = 1 } }
    { sub(/,$/, "") }
    /^    "[a-z_]+": \{$/ { section = $1; gsub(/[":]/, "", section) }
    match($0, /^      "[^"]+": "/) {
      split($0, part, "\"")
      if ((section "." part[2] "=" part[4]) in skip || section "." part[2] == "program.version") next
    }
    /^  "hash": / { next }
    { print }' "$1"
}

# same_run NAME: what OLD and NEW have made of a setting. Files that name the data set or this machine are left out.
same_run() {
  local file result=0
  diff -r -q -x manifest.json -x metrics.jsonl -x config.ini -x data-path.txt -x '.*' "old/$1" "new/$1" || result=1
  diff <(figures "old/$1") <(figures "new/$1") >/dev/null || { echo "$1: the figures in metrics.jsonl differ"; result=1; }
  for file in old/"$1"/checkpoints/*/manifest.json; do
    diff <(manifest "$file") <(manifest "new/${file#old/}") || { echo "${file#old/} differs, above"; result=1; }
  done
  return $result
}

cd "$compared" || exit 1
for side in old new; do
  mkdir $side
  use "${builds[$([ $side = old ]; echo $?)]}"
  (cd $side && make_data) || exit 1
done
diff -r -q old new || { echo "the data sets of $SEQPREP differ"; exit 1; }
# The workspace of a model large enough to be seen in megabytes; for people to compare.
for side in old new; do
  use "${builds[$([ $side = old ]; echo $?)]}"
  for output in full sampled adaptive; do
    (cd $side && "$SEQTRAIN" --data words --run memory --cell lstm --layers 2 --hidden 512 --output $output --batch 32 --steps 1 2>&1 </dev/null |
      sed -n "s/^memory /$side, $output: /p"; rm -rf memory)
  done
done
count=0 different=0
for kernels in ${KERNELS:-$(kernels_of "${builds[1]}/seqtrain")}; do
  while read -r name data layout options; do
    name=${name#\*}
    [ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
    count=$((count + 1))
    good=yes
    use "${builds[0]}"
    (cd old && run_setting "$name" "$kernels" "$layout" "$data" $options) || good=no
    use "${builds[1]}"
    (cd new && run_setting "$name" "$kernels" "$layout" "$data" $options) || good=no
    if [ $good = no ] || ! same_run "$name" >differences.txt; then
      echo "DIFFERENT: $name, kernels $kernels, ranks $layout: $options"
      [ $good = no ] || head -n 30 differences.txt
      different=$((different + 1))
    fi
    rm -rf old/"$name" new/"$name"
  done < <(settings)
done
[ $count -gt 0 ] || { echo "no setting has been compared" >&2; exit 2; }
echo "$count runs compared, $different differ"
[ $different -eq 0 ]
