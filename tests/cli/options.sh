# The tables of options: each is in --help, in the man page, in the completion and, unless it concerns one session only, a key of
# config.ini; --version tells everything that numbers depend on.
source "$SUPPORT/common.sh"
make_text 100 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
expect 0 finished "$SEQTRAIN" --data data --run run --layers 1 --hidden 8 --embed 4 --batch 2 --window 4 --steps 3
for program in "$SEQPREP" "$SEQTRAIN" "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL" "$SEQINFO"; do
  name=$(basename "$program")
  "$program" --help >help.txt 2>&1 || bad "$name --help fails"
  "$program" --man >man.txt 2>&1 || bad "$name --man fails"
  "$program" --completion >completion.txt 2>&1 || bad "$name --completion fails"
  "$program" -h | cmp -s - help.txt || bad "$name -h is not --help"
  grep -q ' $' help.txt && bad "$name --help has lines that end in blanks"
  [ "$(sed '1d;/^Examples/,$d' help.txt | wc -L)" -le 80 ] || bad "$name --help has lines of more than 80 columns"
  count=0
  # The table as the source has it: every row with a name.
  for option in $(sed -n 's/.*{SEQ_OPTION_[A-Z]*, "\([a-z0-9-]*\)".*/\1/p' "$SOURCE"/src/tools/$name.c "$SOURCE"/src/base/option*.c $([ $name = seqtrain ] && echo "$SOURCE"/src/train/options/options.c)); do
    count=$((count + 1))
    grep -Eq -- "^  (-[a-z], )?--$option( |$)" help.txt || bad "$name: --$option is not in --help"
    grep -q -- "$(printf %s "$option" | sed 's/-/\\\\*-/g')" man.txt || bad "$name: --$option is not in the man page"
    grep -q -- "--$option" completion.txt || bad "$name: --$option is not in the completion"
  done
  [ $count -ge 2 ] || bad "$name: the test found $count options only"
  bash -n completion.txt || bad "$name: the completion is not valid bash"
  if command -v man >/dev/null; then man -l man.txt >/dev/null 2>man.err || bad "$name: man: $(cat man.err)"; fi
  expect 0 "$name [0-9]+\.[0-9]+" "$program" --version
  grep -Eqi 'gnu|gcc|clang' .out || bad "$name --version does not name the compiler"
  grep -Eqi 'openblas' .out || bad "$name --version does not name the kernels"
  grep -Eq 'HDF5 [0-9.]+' .out || bad "$name --version does not name HDF5"
  expect 2 "no-such-option" "$program" --no-such-option
done
# An option of another program is told to be its own, for every pair; a name that is near to one of its own, by that.
has() { "$1" --completion | grep -q -- "--$2[ ']"; }
for program in "$SEQPREP" "$SEQTRAIN" "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL" "$SEQINFO"; do
  for pair in "$SEQPREP min-count" "$SEQTRAIN hidden" "$SEQSAMPLE until-eos" "$SEQPREDICT part" "$SEQEVAL per-token" "$SEQINFO verify"; do
    read -r owner option <<<"$pair"
    has "$owner" "$option" || bad "the test has lost its point: $owner has no --$option"
    [ "$owner" = "$program" ] || expect 2 "--$option: unknown option; $(basename "$owner") has it; $(basename "$program") --help" "$program" --$option
  done
  expect 2 "did you mean --quiet" "$program" --queit
  expect 2 "did you mean --version" "$program" --verison
  expect 2 "operand 1 is empty" "$program" $([ "$program" = "$SEQPREP" ] && echo -o new) ''
done
expect 2 "data '': expected DATASET, the value is empty" "$SEQTRAIN" --data '' --run x
expect 2 "data: needs a value DATASET, found --run" "$SEQTRAIN" --data --run x
printf 'temperature = 2\n' >other.ini
expect 2 "other.ini line 1: temperature: unknown option; seqsample has it" "$SEQTRAIN" --config other.ini
printf 'dry-run = yes\n' >once.ini
expect 2 "once.ini line 1: dry-run: for the command line only" "$SEQTRAIN" --config once.ini
for implied in config=once.ini 'help = yes' version=yes man= completion=; do
  printf '%s\n' "$implied" >once.ini
  for program in "$SEQTRAIN" "$SEQPREP" "$SEQSAMPLE"; do
    expect 2 "once.ini line 1: ${implied%%[ =]*}: for the command line only, as --${implied%%[ =]*}" "$program" --config once.ini
  done
done
printf 'config = once.ini\n' >nested.ini
expect 2 'nested.ini line 1: config: .*a configuration file cannot include another' "$SEQTRAIN" --config nested.ini
"$SEQTRAIN" --version | grep -Eqi 'MPI' || bad "seqtrain --version does not name MPI"

# config.ini: a key for every option of the table that is recorded; it is read back to the same.
session='config|mpi|resume|override|time-limit|quiet|help|version|man|completion|dry-run|plan-.*|(ranks|cores)-per-node|network-.*'
for option in $(sed -n 's/.*{SEQ_OPTION_[A-Z]*, "\([a-z0-9-]*\)".*/\1/p' "$SOURCE"/src/train/options/options.c | grep -Ev "^($session)$"); do
  grep -Eq "^#? ?$option *=" run/config.ini || bad "config.ini has no key $option"
done
finish
