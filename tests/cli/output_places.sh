# Where seqprep's output may be: a mount point, the current folder, links, a folder in one that cannot be written to; two jobs on one
# name; what a killed job leaves; and what is no data set is never replaced.
source "$SUPPORT/common.sh"
make_text 20 >text.txt
make_text 6000 >long.txt
tr a-z A-Z <long.txt >upper.txt
prep=("$SEQPREP" --quiet --unit char -o)

holds_data() { # holds_data FOLDER [ABOVE]: a whole data set and nothing else; nothing left beside it
  [ "$(ls -A "$1" | tr '\n' ' ')" = "dataset.json summary.txt train-0000.h5 vocabulary.tsv " ] || bad "$1 holds $(ls -A "$1" | tr '\n' ' ')"
  expect 0 verified "$SEQINFO" "$1" --verify
  [ -z "$(ls -Ad "${2:-.}"/*.tmp-* "${2:-.}"/*.old-* "${2:-.}"/.*.lock 2>/dev/null)" ] || bad "left beside $1: $(ls -A "${2:-.}")"
}
quietly() { # COMMAND...: succeeds and says nothing
  "$@" >.out 2>&1 </dev/null && [ ! -s .out ] || bad "$*: $(cat .out)"
  no_report "$*"
}
twice() { # twice NAME FOLDER: made, refused, and made again by force; the folder stays the same one where it was there before
  local before
  before=$(stat -c %i "$2" 2>/dev/null)
  quietly "${prep[@]}" "$1" text.txt
  holds_data "$2"
  expect 2 "--output: $1 exists and is not empty: it is a data set; --force replaces the data set" "${prep[@]}" "$1" text.txt
  quietly "${prep[@]}" "$1" --force long.txt
  holds_data "$2"
  [ -z "$before" ] || [ "${3:-}" = moves ] || [ "$(stat -c %i "$2")" = "$before" ] || bad "$2 is another folder now"
  [ "$("$SEQINFO" "$2" | awk '$1 == "train" {print $2}')" -eq "$(wc -m <long.txt)" ] || bad "$2 was not replaced"
}

twice plain plain moves
mkdir empty
twice empty empty moves # in place at first; a data set is replaced by an exchange
mkdir -p scratch/data
ln -s scratch/data link
ln -s scratch/new forward
twice link scratch/data moves
twice forward scratch/new moves
[ -L link ] && [ -L forward ] || bad "a link was replaced"
mkdir here
text=$PWD/text.txt
(cd here && "${prep[@]}" . "$text" && "${prep[@]}" . --force "$text") || bad "the current folder is refused"
holds_data here
ln -s absent/data dead
expect 2 "dead is a link to absent/data, and the folder for it is not there: is a disk not mounted" "${prep[@]}" dead text.txt
ln -s loop loop
expect 2 "loop: Too many levels" "${prep[@]}" loop text.txt
expect 2 "text.txt exists and is not a folder" "${prep[@]}" text.txt text.txt
expect 2 "output .*: expected DATASET, the value is empty" "${prep[@]}" "" text.txt

if unshare -m true 2>/dev/null; then
  unshare -m bash -c '
    mkdir volume real bound && mount -t tmpfs tmpfs volume && mount --bind real bound && mkdir volume/lost+found || exit 9
    for name in volume bound; do "$@" $name text.txt && "$@" $name --force text.txt && ls -A $name >$name.txt || exit 1; done
    "$SEQINFO" volume --verify' - "${prep[@]}" >.out 2>&1 || bad "a mount point is refused: $(cat .out)"
  holds_data real
  grep -c . volume.txt | grep -qx 5 || bad "the volume holds $(cat volume.txt)"
else
  echo "skipped: outputs that are mount points (unshare -m is not allowed)" >&2
fi
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && chmod 755 . &&
  setpriv --reuid 65534 --regid 65534 --clear-groups "$SEQPREP" --version >/dev/null 2>&1; then
  mkdir -p closed/own
  chown 65534 closed/own
  prep=(setpriv --reuid 65534 --regid 65534 --clear-groups "${prep[@]}")
  twice closed/own closed/own
  prep=("$SEQPREP" --quiet --unit char -o)
else
  echo "skipped: a folder of one's own in one that cannot be written to (needs root, setpriv and a build tree that others can read)" >&2
fi

# What is no data set, and what lies in one.
cp -r plain mixed
mkdir mixed/checkpoints
touch mixed/notes
expect 2 "--force: mixed holds more than a data set \(checkpoints, notes\)" "${prep[@]}" mixed --force text.txt
mkdir foreign
echo '{"kind": "something else"}' >foreign/dataset.json
expect 2 "foreign exists and is not empty: it is a folder with other files" "${prep[@]}" foreign --force text.txt
expect 2 "plain/inner lies in .*/plain, which is a data set" "${prep[@]}" plain/inner text.txt
expect 0 . "$SEQTRAIN" --quiet --data plain --run run --layers 1 --hidden 4 --embed 4 --batch 2 --window 4 --steps 1
for name in "run:a run directory" "run/checkpoints:the folder of a run's checkpoints" "run/checkpoints/step-000000001:a checkpoint"; do
  expect 2 "${name%%:*} exists and is not empty: it is ${name#*:}" "${prep[@]}" ${name%%:*} --force text.txt
done
expect 2 "lies in .*/run/checkpoints/step-000000001, which is a checkpoint" "${prep[@]}" run/checkpoints/step-000000001/data text.txt
holds_data plain
expect 0 verified "$SEQINFO" run --verify

# Two at once: one wins, the other says so; never a mixture.
race() { # race NAME OPTION...
  local first second codes
  "${prep[@]}" "$@" long.txt >first.txt 2>&1 &
  first=$!
  "${prep[@]}" "$@" upper.txt >second.txt 2>&1 &
  second=$!
  wait $first
  codes=$?
  wait $second
  codes=$codes$?
  case $codes in
  02 | 20) grep -Eq "another seqprep is making $1|$1 exists and is not empty" first.txt second.txt || bad "the loser of $*: $(cat first.txt second.txt)" ;;
  *) [ $# -gt 1 ] && [ $codes = 00 ] || bad "two jobs on $*: exit codes $codes" ;; # by force, one after the other
  esac
  holds_data $1
}
mkdir shared
race shared
race shared --force
race raced
# While one is at work, for certain.
mkfifo pipe
"${prep[@]}" busy - <pipe >.first 2>&1 &
job=$!
exec 3>pipe
echo some text >&3
wait_for or_ended $job compgen -G 'busy.tmp-*/.seqprep.lock'
expect 2 "another seqprep is making busy \(host .*, process $job\)" "${prep[@]}" busy text.txt
mkdir busy && touch busy/other # somebody else takes the name
exec 3>&-
code=0
wait $job || code=$?
[ $code -eq 2 ] && grep -q "busy exists and is not empty" .first || bad "a name that was taken: exit code $code: $(cat .first)"
[ "$(ls -A busy)" = other ] || bad "what took the name was changed: $(ls -A busy)"
absent "$(echo busy.tmp-*)"

# The second comes when the first has made its folder and not locked it yet: it spares it.
if grep -q SEQ_HOLD_AT "$SEQPREP"; then
  mkdir -p early/there
  for name in early/new early/there; do
    SEQ_HOLD_AT=prepare.folder-made "${prep[@]}" $name text.txt >.first 2>&1 &
    job=$!
    wait_for stands $job
    expect 2 "another seqprep is making $name \(host .*, process $job\)" "${prep[@]}" $name text.txt
    kill -CONT $job
    wait $job || bad "$name, made beside a second job: exit code $?: $(cat .first)"
    holds_data $name
  done
  [ "$(ls -A early)" = $'new\nthere' ] || bad "left in early: $(ls -A early)"
fi

# Killed, at every point of the way: the next job on the name removes or names what is left, and takes it.
if grep -q SEQ_CRASH_AT "$SEQPREP"; then
  for case in new:prepare.complete new:prepare.renamed replaced:prepare.exchanged replaced:prepare.decommitted empty:prepare.complete \
    empty:prepare.inside-decommitted empty:prepare.inside-moved; do
    rm -rf killed killed.* .killed*
    case ${case%%:*} in
    replaced) cp -r plain killed ;;
    empty) mkdir killed ;;
    esac
    (SEQ_CRASH_AT=${case#*:} "${prep[@]}" killed --force long.txt) >.out 2>&1
    [ $? -eq 137 ] || bad "$case: was not killed: $(cat .out)"
    "$SEQPREP" --unit char -o killed --force text.txt >.out 2>&1 || bad "$case, then again: $(cat .out)"
    for left in $(ls -Ad killed.* .killed* 2>/dev/null); do
      grep -q "warning: .*$left looks like what a killed seqprep leaves: a whole data set" .out || bad "$case: left over and not named: $left"
      rm -r $left
    done
    holds_data killed
  done
fi
# The folder of another is left alone: without a lock, or with other files.
mkdir data.tmp-4711 data.old-12
touch data.tmp-4711/units.tmp
cp plain/* data.old-12
expect 0 "data.old-12 looks like .*a whole data set; rename it" "$SEQPREP" --unit char -o data text.txt
grep -q "data.tmp-4711 looks like what a killed seqprep leaves: remove it when no seqprep works on it" .out || bad "not named: $(cat .out)"
[ -f data.tmp-4711/units.tmp ] && [ -f data.old-12/dataset.json ] || bad "another's folder was removed"
finish
