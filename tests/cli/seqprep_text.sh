# seqprep and texts with something odd in them: NUL, every kind of line end, byte order marks, words without end, symbols that a
# vocabulary lacks. Each is refused with its place, or passed on request and counted; what is written can be read.
source "$SUPPORT/common.sh"
tokens() { "$SEQINFO" "$1" | awk -v part="$2" '$1 == part {print $2}'; }
count_is() { [ "$(tokens "$1" "$2")" = "$3" ] || bad "$1: $2 has $(tokens "$1" "$2") tokens, expected $3"; }
has_type() { sed 1d "$1/vocabulary.tsv" | cut -f3 | grep -Fxq -- "$2" || bad "$1 has no token '$2'"; }
has_no_type() { sed 1d "$1/vocabulary.tsv" | cut -f3 | grep -Fxq -- "$2" && bad "$1 has the token '$2'"; }

# NUL.
printf 'one two\nthr\0ee\n\0four\n' >nul
for unit in char word; do
  expect 3 "nul line 2, byte offset 11: byte 0x00 is NUL" "$SEQPREP" --unit $unit -o no nul
  expect 0 "2 invalid sequences replaced" "$SEQPREP" --unit $unit --invalid replace -o nul.$unit nul
  expect 0 verified "$SEQINFO" --verify nul.$unit
done
has_type nul.word $'thr\xef\xbf\xbdee'
for i in $(seq 40); do cat nul; done >nuls
expect 0 "train +$(stat -c %s nuls) " "$SEQPREP" --unit byte -o nul.byte nuls
expect 0 verified "$SEQINFO" --verify nul.byte
expect 0 "step" "$SEQTRAIN" --data nul.byte --run run --layers 1 --hidden 8 --batch 2 --window 8 --steps 2
expect 0 "step 2" "$SEQINFO" run
absent no

# Line ends: LF, CRLF, CR and NEL give one data set; a warning where they are mixed.
printf 'a b\nc\n\nd e\n' >lf
sed 's/$/\r/' lf >crlf
tr '\n' '\r' <lf >cr
sed 's/$/\xc2\x85/' lf | tr -d '\n' >nel
for unit in char word; do
  expect 0 train "$SEQPREP" --unit $unit -o lf.$unit lf
  for kind in crlf cr nel; do
    expect 0 train "$SEQPREP" --unit $unit -o $kind.$unit $kind
    grep -q warning .out && bad "--unit $unit $kind: $(grep warning .out)"
    same lf.$unit/train-0000.h5 $kind.$unit/train-0000.h5
    same lf.$unit/vocabulary.tsv $kind.$unit/vocabulary.tsv
  done
done
count_is lf.word train 9
expect 0 "warning: lines end in different ways: 8 LF, 4 CRLF, 4 CR, 4 NEL" "$SEQPREP" --unit word -o mixed lf crlf cr nel lf
count_is mixed train 45
expect 0 "warning: 4 CR stand without LF: for --unit byte" "$SEQPREP" --unit byte --eos line -o cr.byte cr
printf 'a\vb\fc\xe2\x80\xa8d\xe2\x80\xa9e\n' >other # white space, and characters: no line ends
expect 0 train "$SEQPREP" --unit word -o other.word other
count_is other.word train 6
expect 0 train "$SEQPREP" --unit char -o other.char other
count_is other.char train 10
# <eos> that the training part has not.
printf 'one line of words that never ends' >line
expect 0 "warning: <eos> does not occur in the training part: no line ends in it .in all inputs: 0 LF, 0 CRLF, 0 CR, 0 NEL" "$SEQPREP" --unit word --valid 0.3 -o line.data line
expect 0 "no document ends in it" "$SEQPREP" --unit char --eos document --valid 0.3 -o document.data line
expect 0 train "$SEQPREP" --unit word -o whole.data line
grep -q warning .out && bad "a warning for a line that ends with the file: $(grep warning .out)"
{ grep -v '<eos>' whole.data/vocabulary.tsv | head -1; printf '0\t1\t<unk>\n1\t1\tone\n'; } >endless.tsv
expect 0 "warning: --vocab endless.tsv has no <eos>" "$SEQPREP" --vocab endless.tsv -o endless.data lf
# A vocabulary of characters from the time when CR ended no line keeps it.
{ head -1 lf.char/vocabulary.tsv; printf '0\t5\t\\n\n1\t4\t\\r\n2\t3\ta\n'; } >old.tsv
printf 'a\ra\r\naa' >old
expect 0 train "$SEQPREP" --vocab old.tsv -o old.data old
count_is old.data train 6

# BOMs: at the start of each file they are dropped, inside they stay and are told.
for i in 1 2 3; do printf '\xef\xbb\xbfword\n' >bom$i; done
for unit in char word; do
  expect 0 train "$SEQPREP" --unit $unit -o bom.$unit bom1 bom2 bom3
  grep -q warning .out && bad "a warning for BOMs at the start of files: $(grep warning .out)"
  has_no_type bom.$unit $'\xef\xbb\xbf'
  cat bom1 bom2 bom3 >joined
  expect 0 "warning: 2 BOMs .U.FEFF. stand at the beginning of a line" "$SEQPREP" --unit $unit -o joined.$unit joined
done
count_is bom.char train 15
count_is bom.word train 6
has_type bom.word word
has_type joined.char $'\xef\xbb\xbf'
expect 0 "warning: 3 documents begin with a BOM, which --unit byte keeps" "$SEQPREP" --unit byte -o bom.byte bom1 bom2 bom3
printf '\xef\xbb\xbf' >bom
expect 3 "empty" "$SEQPREP" --unit char -o no bom

# One word of 70,000 bytes, and one that goes on for blocks.
{ echo one two; head -c 70000 /dev/zero | tr '\0' x; echo; head -c 900000 /dev/zero | tr '\0' y; echo ' three'; } >long
expect 3 "long line 2, byte offset [0-9]+: a word of more than 65536 bytes.*--long-words unk" "$SEQPREP" --unit word -o no long
for threads in 1 3; do
  expect 0 "warning: 2 words of more than 64 KB became <unk>" "$SEQPREP" --unit word --long-words unk --threads $threads -o long.unk$threads long
  count_is long.unk$threads train 8
done
same_tree long.unk1 long.unk3
expect 0 "note +2 words of more than 64 KB became" "$SEQINFO" long.unk1
expect 0 "warning: 2 words of more than 64 KB were left out" "$SEQPREP" --unit word --long-words drop -o long.drop long
count_is long.drop train 6
expect 0 train "$SEQPREP" --vocab long.unk1 -o long.again long # the vocabulary brings the rule
count_is long.again train 8

# Symbols that --vocab lacks.
printf 'b\xc3\xa9d \xc3\xa9 e\n' >lacks
expect 3 "holds 'é', .*in all 4 units, 2 of them distinct.*--missing drop" "$SEQPREP" --vocab other.char -o no lacks
for threads in 1 3; do
  expect 0 "warning: 4 units that --vocab other.char lacks were left out" "$SEQPREP" --vocab other.char --missing drop --threads $threads --valid 0.3 -o lacks.$threads lacks
  count_is lacks.$threads train 2
  count_is lacks.$threads valid 2
  same other.char/vocabulary.tsv lacks.$threads/vocabulary.tsv
done
same_tree lacks.1 lacks.3
expect 0 verified "$SEQINFO" --verify lacks.1
expect 2 "missing: it is about what --vocab lacks" "$SEQPREP" --missing drop -o no lacks
printf 'é é' >none
expect 3 "other.char has none of the 3 units of the inputs" "$SEQPREP" --vocab other.char --missing drop -o no none

# --reverse is recorded; what it does is in tests/unit/data/test_dataset.c.
expect 0 "order +reversed" "$SEQPREP" --unit word --reverse -o turned lf
grep -q '"reverse": "yes"' turned/dataset.json || bad "--reverse is not in the manifest"
expect 2 "reverse: without effect with a task of items" "$SEQPREP" --task classify --reverse -o no lf

# Parts as percentages; more files than a data set may have.
expect 0 "valid +6 " "$SEQPREP" --unit word --valid 50% -o percent lf
expect 2 "percentage between 0% and 100%" "$SEQPREP" --valid 100% -o no lf
expect 2 "percentage between 0% and 100% such as 10%" "$SEQPREP" --valid 10 -o no lf
expect 3 "valid 0,1: neither a fraction .0.1 or 10%. nor a file that is there: No such file" "$SEQPREP" --valid 0,1 -o no lf
head -c 10000500 /dev/zero >zeros
expect 2 "makes 10001 files, and a data set has 10000 at most: at least 1001 tokens" "$SEQPREP" --unit byte --shard-tokens 1000 -o no zeros
absent no
[ -z "$(ls -d no.* 2>/dev/null)" ] || bad "left behind: $(ls -d no.*)"
finish
