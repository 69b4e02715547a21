#!/bin/bash
# launch/test.sh --platforms [--again] [NAME...]: builds and tests this tree, as it is in the working copy, in root file
# systems of other systems, and prints a row for each (rows.txt; with names: those rows alone).
# debootstrap makes a root file system from the machine's own package sources and puts our packages in, once for a release;
# packages that cmake/packages.txt has got since are added.
# A row is an overlay on it, with packages of its own between. A row runs in namespaces of its own (enter.sh): whatever
# ends this script, no mount and no process stays behind. Results are kept for this very tree, so a second call goes on
# where an interrupted one stopped; --again forgets the results of the rows that it runs.
#   SEQ_PLATFORMS_CACHE   where root file systems, layers and results lie (default /var/tmp/seqtrain-platforms)
#   SEQ_DEBIAN_MIRROR     an archive of Debian, SEQ_UBUNTU_MIRROR one of Ubuntu (default: the one that apt here uses)
# Exit code: 0 all rows that could be tried passed; 1 one failed; 2 usage; 77 none could be tried.
source "$(dirname "$0")/../../launch/common.sh"
here=$root/tests/platforms
cache=${SEQ_PLATFORMS_CACHE:-/var/tmp/seqtrain-platforms}

rows() { grep -v '^#' "$here/rows.txt" | sed 's/ *| */|/g; s/ *$//'; }

all=() again='' names=()
mapfile -t all < <(rows | cut -d'|' -f1)
for argument in "$@"; do
  case $argument in
  -h | --help)
    sed -n '2,/^source/{/^source/d;s/^# \{0,1\}//p}' "$0"
    printf 'Rows:\n'
    printf '  %s\n' "${all[@]}"
    exit 0
    ;;
  --again) again=yes ;;
  *)
    [[ " ${all[*]} " == *" $argument "* ]] || fail_with 2 "$argument: no such row; rows are ${all[*]}"
    names+=("$argument")
    ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")

# The files of the working copy, without what git ignores. A copy without git: without build trees and runs.
tree_files() {
  if git -c safe.directory="$root" -C "$root" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git -c safe.directory="$root" -C "$root" ls-files -z --cached --others --exclude-standard
  else
    (cd "$root" && find . \( -path './build*' -o -path './run*' \) -prune -o ! -type d -print0)
  fi | while IFS= read -r -d '' file; do
    [ ! -e "$root/$file" ] || printf '%s\0' "$file"
  done
}

# contained COMMAND...: as root in namespaces of its own, which end when this script does. A signal to us ends it at once.
child=
contained() {
  local code=0
  setpriv --pdeathsig KILL setsid unshare --mount --pid --ipc --fork --kill-child --mount-proc "$@" {lock}>&- {messages}>&- </dev/null &
  child=$!
  wait $child || code=$?
  child=
  return $code
}

interrupted() { # interrupted EXIT_CODE
  trap '' INT TERM HUP # our own output may be that of a row now
  if [ -n "$child" ]; then
    kill -KILL "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  printf '\n%s: interrupted; the rows that are done are kept: the same command goes on\n' "$(basename "$0")" >&$messages
  exit "$1"
}

cleanup() {
  local try
  if [ -n "${arm_registered:-}" ]; then echo -1 >"$binfmt/qemu-aarch64" || true; fi
  [ -n "${lock:-}" ] || return 0
  for try in {1..50}; do # what was killed may still be ending
    if rm -rf "$cache/row" 2>/dev/null; then break; fi
    sleep 0.1
  done
}

# Why no row can be tried here; prints nothing when they can.
obstacle() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "only root may make root file systems"
  elif ! command -v debootstrap >/dev/null; then
    echo "debootstrap is not installed"
  elif ! contained true 2>/dev/null; then
    echo "this machine does not let us make namespaces and mounts (a container without --privileged?)"
  elif ! contained "$here/enter.sh" probe "$cache" 2>/dev/null; then
    echo "$cache: no overlay can be mounted there; name a folder on a local disk in SEQ_PLATFORMS_CACHE"
  fi
}

# mirror_of Debian|Ubuntu: the archive that apt here takes its packages from.
mirror_of() {
  local variable=SEQ_${1^^}_MIRROR
  if [ -n "${!variable:-}" ]; then
    echo "${!variable}"
  elif command -v apt-get >/dev/null; then
    apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
      awk -v of="$1" '$1 == of && $2 == of && $3 == "main" { print $4; exit }'
  fi
}

# An arm64 program runs here when the kernel hands it to qemu. What we register, cleanup takes back.
binfmt=/proc/sys/fs/binfmt_misc
arm_runs() {
  [ "$(uname -m)" != aarch64 ] || return 0
  [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt 2>/dev/null || true
  [ ! -e $binfmt/qemu-aarch64 ] || return 0
  [ -e /usr/lib/binfmt.d/qemu-aarch64.conf ] && cat /usr/lib/binfmt.d/qemu-aarch64.conf >$binfmt/register 2>/dev/null || return 1
  arm_registered=yes
}

# system NAME: the root file system NAME is there, with our packages of today; otherwise $reason says why not.
# NAME.ready says with which list of packages it was made.
declare -A refused=()
system() {
  local name=$1 suite=$1 origin=Debian architecture mirror column=3 list
  architecture=$(dpkg --print-architecture 2>/dev/null || echo amd64)
  [[ $name != el* ]] || column=4
  list=$(awk -F ' *[|] *' -v column=$column '!/^#/ {print $column}' "$root/cmake/packages.txt" | sha256sum | cut -c1-12)
  [ "$(cat "$cache/$name.ready" 2>/dev/null)" != "$list" ] || return 0
  reason=${refused[$name]:-}
  [ -z "$reason" ] || return 1
  case $name in
  arm64) suite=trixie architecture=arm64 ;;
  jammy | noble) origin=Ubuntu ;;
  el*)
    if ! command -v dnf >/dev/null; then
      reason="not tried: no dnf here"
    elif ! dnf -q repolist 2>/dev/null | grep -q .; then
      reason="not tried: dnf knows no repository"
    fi
    ;;
  esac
  mirror=$(mirror_of $origin)
  if [[ $name != el* ]] && [ -z "$mirror" ]; then
    reason="not tried: no archive of $origin in apt's sources; SEQ_${origin^^}_MIRROR may name one"
  fi
  if [ -z "$reason" ] && [ -e "$cache/$name.ready" ]; then
    say "New packages for $cache/$name"
    if contained "$here/enter.sh" update "$cache/$name" "$root" "$suite" >"$cache/$name.log" 2>&1; then
      echo "$list" >"$cache/$name.ready"
      return 0
    fi
    reason="not tried: our new packages could not be added ($cache/$name.log)"
  elif [ -z "$reason" ]; then
    say "Making $cache/$name"
    rm -rf "${cache:?}/$name"
    mkdir -p "$cache/$name"
    if contained "$here/enter.sh" make "$cache/$name" "$root" "$suite" "$architecture" "$mirror" >"$cache/$name.log" 2>&1; then
      echo "$list" >"$cache/$name.ready"
      return 0
    fi
    rm -rf "${cache:?}/$name"
    reason="not tried: $(grep -E '^(E|Error|error|fatal): ' "$cache/$name.log" | tail -1) ($cache/$name.log)"
  fi
  refused[$name]=$reason
  return 1
}

# layer NAME SYSTEM PACKAGES: the packages of a row, over the system; kept as long as the system below is the same.
layer() {
  local stamp=$cache/layers/$1.ready made
  [ -n "$3" ] || return 0
  made="$2 $(cat "$cache/$2.ready") $3"
  [ "$(cat "$stamp" 2>/dev/null)" != "$made" ] || return 0
  say "Packages of $1: $3"
  rm -rf "$stamp" "$cache/layers/$1"
  mkdir -p "$cache/layers/$1"
  if ! contained "$here/enter.sh" layer "$cache" "$2" "$1" "$3" >"$cache/layers/$1.log" 2>&1; then
    reason="not tried: $(grep '^E: ' "$cache/layers/$1.log" | tail -1) ($cache/layers/$1.log)"
    return 1
  fi
  rm -rf "$cache/layers/$1.root" "$cache/layers/$1.work"
  echo "$made" >"$stamp"
}

run_row() { # run_row NAME SYSTEM PACKAGES SETTINGS LABELS
  local result=$results/$1 log=$results/$1.log started code=0
  reason=$nothing
  if [ -z "$reason" ] && [[ " $4 " == *" arm64 "* ]]; then
    if arm_runs; then system arm64 || true; else reason="not tried: no qemu-user-static here"; fi
  fi
  if [ -n "$reason" ] || ! system "$2" || ! layer "$1" "$2" "$3"; then
    printf '%s\t%s\t-\t-\t-\t-\t-\t-\t%s\n' "$1" "$5" "$reason" >"$result.reason"
    return
  fi
  say "$1: $log"
  rm -rf "$cache/row"
  started=$SECONDS
  contained "$here/enter.sh" row "$cache" "$2" "$1" "$4" "$5" "$cache/tree.tar" >"$log.part" 2>&1 || code=$?
  echo "== exit $code" >>"$log.part"
  mv "$log.part" "$log"
  awk -v name="$1" -v tests="$5" -v seconds=$((SECONDS - started)) -f "$here/row.awk" "$log" >"$result.part"
  mv "$result.part" "$result"
  rm -rf "$cache/row"
}

main() { # read whole before it runs: an update of the tree may come meanwhile
  exec {messages}>&2
  arm_registered='' lock='' nothing='' results=''
  trap cleanup EXIT
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM
  trap 'interrupted 129' HUP
  reason=$([ "$(id -u)" -eq 0 ] || echo "only root may make root file systems")
  if [ -n "$reason" ]; then
    nothing="not tried: $reason"
    cache=$(mktemp -d)
    trap 'rm -rf "$cache"' EXIT
  else
    mkdir -p "$cache/layers"
    exec {lock}>"$cache/lock"
    flock -n "$lock" || { lock='' && fail "$cache: another --platforms is at work there"; }
    local needed=()
    command -v debootstrap >/dev/null || needed+=(debootstrap)
    [[ " ${names[*]} " != *" arm64 "* ]] || [ -e $binfmt/qemu-aarch64 ] || [ "$(uname -m)" = aarch64 ] || needed+=(qemu-user-static)
    if [ ${#needed[@]} -gt 0 ] && command -v apt-get >/dev/null; then # what is missing then is told below
      say "Packages to install: ${needed[*]}"
      { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${needed[@]}" >/dev/null; } || true
    fi
    nothing=$(obstacle)
    nothing=${nothing:+not tried: $nothing}
  fi
  results=$cache/results
  if [ -z "$nothing" ]; then
    tree_files | (cd "$root" && xargs -0 sha256sum --) | LC_ALL=C sort >"$cache/tree.sums"
    results=$cache/results/$(sha256sum <"$cache/tree.sums" | cut -c1-12)
    tree_files | tar -C "$root" --null -T - -cf "$cache/tree.tar"
  fi
  mkdir -p "$results"

  for name in "${names[@]}"; do
    [ -z "$again" ] || rm -f "$results/$name"
    rm -f "$results/$name.reason"
    [ ! -e "$results/$name" ] || continue
    IFS='|' read -r _ on packages settings labels < <(rows | grep "^$name|")
    run_row "$name" "$on" "$packages" "$settings" "$labels"
  done

  say "Platforms ($results)"
  for name in "${all[@]}"; do
    if [ -e "$results/$name" ]; then
      cat "$results/$name"
    elif [ -e "$results/$name.reason" ]; then
      cat "$results/$name.reason"
    else
      printf '%s\t%s\t-\t-\t-\t-\t-\t-\tnot run yet\n' "$name" "$(rows | grep "^$name|" | cut -d'|' -f5)"
    fi
  done >"$cache/table.tsv"
  code=0
  awk -F '\t' -v names=" ${names[*]} " -f "$here/table.awk" "$cache/table.tsv" || code=$?
  for name in "${names[@]}"; do
    [ ! -e "$results/$name.log" ] || awk -v name="$name" -v list=yes -f "$here/row.awk" "$results/$name.log"
  done
  exit $code
}
main
