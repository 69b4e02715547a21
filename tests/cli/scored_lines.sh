# seqeval --score over lines that are not all text: those that cannot be scored are marked, the others have the scores that they
# have alone, each line of the input is one row, and the exit code says that some failed.
source "$SUPPORT/common.sh"
make_text 120 >text.txt
train=(--layers 1 --hidden 12 --embed 8 --batch 4 --window 8 --steps 20 --epochs 9 --quiet)
for unit in char word byte; do
  "$SEQPREP" --unit $unit --valid 0.1 -o data-$unit text.txt --quiet $([ $unit = word ] && echo --min-count 30) || bad "seqprep --unit $unit"
  "$SEQTRAIN" --data data-$unit --run run-$unit "${train[@]}" || bad "seqtrain on unit $unit"
done

# The lines: 1 text, 2 not UTF-8, 3 empty, 4 a symbol that no text had, 5 a tab, 6 NUL, 7 CRLF, 8 escapes, 9 long, 10 without an end.
long=$(head -c 70000 /dev/zero | tr '\0' a)
printf 'the river runs.\nZ\xfcrich\n\nthe \xce\xa9\nthe\triver\nri\0ver\nthe river runs.\r\nthe \\ \x1b[31m\xc2\x9b\xe2\x80\xae\n%s\nthe river' "$long" >lines.txt
score() { "$SEQEVAL" "$@" --quiet --score lines.txt >table.txt 2>err.txt; }
marked() { awk -F'\t' '$1 == "-" {printf "%s%d", n++ ? " " : "", NR}' table.txt; }
check() { # UNIT CODE MARKED
  score run-$1
  local code=$?
  [ $code -eq "$2" ] || bad "unit $1: exit code $code, expected $2: $(tail -1 err.txt)"
  [ "$(wc -l <table.txt)" -eq 10 ] || bad "unit $1: 10 lines give $(wc -l <table.txt) rows"
  [ "$(marked)" = "$3" ] || bad "unit $1: lines $(marked) are marked, expected $3"
  LC_ALL=C grep -q $'[\001-\010\013-\037\177]' table.txt && bad "unit $1: the table holds control characters"
  LC_ALL=C.UTF-8 iconv -f UTF-8 -t UTF-16 table.txt >/dev/null || bad "unit $1: the table is not UTF-8"
  [ "$(awk -F'\t' 'NF != 5' table.txt | wc -l)" -eq 0 ] || bad "unit $1: rows of other than 5 columns"
  # The others: as each is alone.
  local number
  for number in 1 7 10; do
    printf 'the river%s' "$([ $number -eq 10 ] || echo ' runs.')" | "$SEQEVAL" run-$1 --quiet --score - | cmp -s - <(sed -n ${number}p table.txt) ||
      bad "unit $1: line $number has another score beside the others"
  done
}
check char 3 "2 4 5 6 8"
grep -q '^seqeval: warning: lines.txt line 2, byte offset 1: byte 0xfc is not UTF-8, which this model reads$' err.txt || bad "line 2: $(cat err.txt)"
grep -q "line 4, byte offset 4: 'Ω' is not in the vocabulary, which has no <unk>" err.txt || bad "line 4: $(cat err.txt)"
grep -q "line 5, byte offset 3: '.t' is not in the vocabulary" err.txt || bad "line 5: $(cat err.txt)"
grep -q "line 6, byte offset 2: a NUL byte is not text" err.txt || bad "line 6: $(cat err.txt)"
grep -q "score: 5 of the 10 lines of lines.txt cannot be scored and are marked -" err.txt || bad "the end: $(cat err.txt)"
grep -Eq -- '--(invalid|unit|vocab)' err.txt && bad "seqeval advises options that it does not have: $(cat err.txt)"
[ "$(sed -n 2p table.txt)" = $'-\t-\t-\t-\tZ\\xFCrich' ] || bad "row 2: $(sed -n 2p table.txt)"
[ "$(sed -n 3p table.txt)" = $'0.000000\t0\t0\t0.000000\t' ] || bad "an empty line: $(sed -n 3p table.txt)"
[ "$(sed -n 6p table.txt | cut -f5)" = 'ri\x00ver' ] || bad "row 6: $(sed -n 6p table.txt)"
[ "$(sed -n 8p table.txt | cut -f5)" = 'the \\ \x1B[31m\xC2\x9B\xE2\x80\xAE' ] || bad "row 8: $(sed -n 8p table.txt)"
check word 3 "2 6" # unknown words are <unk>, and so is one of any length
[ "$(sed -n 4p table.txt | cut -f3)" = 1 ] || bad "the unknown word is not counted: $(sed -n 4p table.txt)"
check byte 0 ""
[ "$(sed -n 6p table.txt | cut -f2)" = 6 ] || bad "NUL is a byte: $(sed -n 6p table.txt)"

# With --carry, what cannot be scored is passed over as if it were not there.
score run-char --carry
grep -v $'^-\t' table.txt >carried.txt
sed -e '2d;4,6d;8d' lines.txt | "$SEQEVAL" run-char --quiet --carry --score - | cmp -s - carried.txt || bad "--carry: a bad line has changed the state"
# Tokens of a listing are escaped, too.
printf 'the\triver' | "$SEQEVAL" run-byte --quiet --score - --per-token | grep -q $'^  -[0-9.]*\t\\\\t$' || bad "a tab in the listing of tokens"
# Many bad lines: ten are told, all are counted.
yes $'\xff' | head -50 >many.txt
expect 3 "50 of the 50 lines of many.txt" "$SEQEVAL" run-char --score many.txt
[ "$(grep -c 'is not UTF-8' .out)" -eq 10 ] || bad "$(grep -c 'is not UTF-8' .out) of 50 bad lines are told one by one"
expect 3 "score: reading .*: Is a directory" "$SEQEVAL" run-char --score .
# A file that is no text is named, by its bytes or, from a pipe, by the first of them; a model of bytes reads any file.
gzip -c text.txt >packed.gz
iconv -f UTF-8 -t UTF-16LE text.txt >wide.txt
printf 'PK\003\004\024\0\0\0lines\nof a zip\n' >archive.zip
printf '\033\017\0\370\215\224\156\306' >text.txt.br
while read -r file form; do
  for model in run-char run-word; do
    expect 3 "score: reading .*: it is $form" "$SEQEVAL" $model --quiet --score $file
    grep -q "^[-0-9]" .out && bad "$file: lines of it are scored: $(cat .out)"
  done
done <<'.'
packed.gz gzip data, not text; unpack it first
wide.txt text in UTF-16LE; .*iconv -f UTF-16LE
archive.zip a zip archive.*unzip
text.txt.br brotli data, .*brotli -d
.
expect 3 "score: reading standard input: it is gzip data, not text" bash -c 'cat packed.gz | "$0" run-char --quiet --score -' "$SEQEVAL"
"$SEQEVAL" run-byte --quiet --score archive.zip >table.txt 2>&1 || bad "a model of bytes: $(cat table.txt)"
: >empty.txt
"$SEQEVAL" run-char --quiet --score empty.txt >table.txt 2>&1 && [ ! -s table.txt ] || bad "an empty file: $(cat table.txt)"
finish
