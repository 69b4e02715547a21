#!/bin/bash
# launch/test.sh --platforms: its words, and a machine where it cannot make root file systems: every row says why, and the exit code
# is not that of success. tests/platforms/ runs it where it can.
source "$SUPPORT/common.sh"
test="$SOURCE/launch/test.sh"
as=()
if [ "$(id -u)" -eq 0 ]; then # nobody; where the tree is in a folder that others may not read, there is nothing to see
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chmod 755 "$work"
fi
expect 0 'SEQ_PLATFORMS_CACHE' bash "$test" --platforms --help
expect 0 '--platforms \[NAME' bash "$test" --help
expect 2 'debian14: no such row; rows are debian11 ' bash "$test" --platforms debian12 debian14
expect 2 '--nosuch: no such row' bash "$test" --platforms --nosuch
if "${as[@]}" test -r "$test"; then
  expect 77 '^debian12 .*not tried: only root may make root file systems' "${as[@]}" bash "$test" --platforms debian12
  grep -q '^0 tried, 0 of them failed' "$work/.out" || bad "the table's last line: $(tail -n 1 "$work/.out")"
  grep -q '^arm64 .*not run yet' "$work/.out" || bad "a row that was not asked for"
  [ "$(grep -c '^[a-z0-9.-]* .* \(-  *\)\{6\}' "$work/.out")" -eq "$(grep -c '^[a-z]' "$SOURCE/tests/platforms/rows.txt")" ] || bad "not every row is in the table"
fi
# What the table is made of: a log of a row.
cat >log <<'END'
== what Debian
cc: warning: of packages
== Building in build-test
a.c:1:2: warning: unused variable
== Training
seqtrain: warning: of a run
== Testing
    Start 1: unit.a
1/4 Test #1: unit.a ...........................   Passed    0.01 sec
 2/4 Test  #2: unit.b ..........................***Failed    0.01 sec
3/4 Test #10: cli.c ...........................***Skipped   0.01 sec
4/4 Test #11: cli.d ...........................***Timeout   9.01 sec
skipped: no reason
== exit 8
END
row() { awk -v name=x -v tests=unit -v seconds=7 -f "$SOURCE/tests/platforms/row.awk" "$@"; }
expect 0 "^x	unit	ok	1	1	2	1	7	Debian\$" row log
expect 0 'unit.b .*Failed' row -v list=yes log
expect 0 'skipped: no reason' row -v list=yes log
sed -i '/Testing/,$d' log
echo '== exit 1' >>log
expect 0 "^x	unit	failed	1	0	0	0	7	Debian\$" row log
expect 0 '^x: the build failed' row -v list=yes log
# And its exit code: a row that built nothing, ran no test or failed one is not a success.
table() { printf "$1" | awk -F '\t' -v names=' x ' -f "$SOURCE/tests/platforms/table.awk"; }
expect 0 '1 tried, 0 of them failed' table 'x\tunit\tok\t0\t3\t0\t1\t7\tDebian\n'
expect 1 '1 tried, 1 of them failed' table 'x\tunit\tok\t0\t3\t1\t0\t7\tDebian\n'
expect 1 '1 tried, 1 of them failed' table 'x\tunit\tok\t0\t0\t0\t3\t7\tDebian\n'
expect 1 '1 tried, 1 of them failed' table 'x\tunit\tfailed\t0\t0\t0\t0\t7\tDebian\n'
expect 77 '0 tried' table 'y\tunit\tok\t0\t3\t0\t0\t7\tDebian\n'
finish
